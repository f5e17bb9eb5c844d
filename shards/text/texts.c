/* Reads texts from lines or from a JSON list, checking that each is UTF-8. */
#include "shards/text/texts.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "shards/files/file.h"
#include "shards/files/json_parse.h"
#include "shards/files/path.h"

static const size_t LARGEST_FILE = (size_t)1 << 33;

static int check_line(const uint8_t *line, size_t n, const char *path, size_t number, vb_error *err) {
    size_t bad;
    if (vb_utf8_is_text((const char *)line, n, &bad)) return 0;
    if (!line[bad])
        return vb_errorf(err, VB_EDATA, "%s:%zu: a NUL character in column %zu, expected text", path, number, bad + 1);
    return vb_errorf(err, VB_EDATA, "%s:%zu: byte 0x%02x in column %zu is not UTF-8", path, number, line[bad], bad + 1);
}

/* Cuts the bytes (with one byte of room behind them) into lines, in place. */
static int cut_lines(vb_texts *texts, char *bytes, size_t size, const char *path, vb_error *err) {
    size_t count = 0;
    char *at = bytes, *end = bytes + size;
    if (size >= 3 && !memcmp(at, "\xef\xbb\xbf", 3)) at += 3;
    for (const char *p = at; p < end; count++) {
        const char *feed = memchr(p, '\n', (size_t)(end - p));
        p = feed ? feed + 1 : end;
    }
    if (!count) return vb_errorf(err, VB_EMISSING, "%s: no texts, expected one a line", path);
    if (!(texts->items = vb_array(count, sizeof *texts->items, "texts", err))) return -1;
    while (at < end) {
        char *feed = memchr(at, '\n', (size_t)(end - at)), *stop = feed ? feed : end;
        char *next = feed ? feed + 1 : end;
        if (stop > at && stop[-1] == '\r') stop--;
        if (check_line((const uint8_t *)at, (size_t)(stop - at), path, texts->count + 1, err)) return -1;
        *stop = 0;
        texts->items[texts->count++] = at;
        at = next;
    }
    return 0;
}

static int copy_strings(vb_texts *texts, const json_t *list, const char *path, vb_error *err) {
    static const char *const types[] = {"an object",     "a list", "a string", "an integer",
                                        "a real number", "true",   "false",    "null"};
    size_t count = json_array_size(list), size = 0;
    if (!json_is_array(list))
        return vb_errorf(err, VB_EDATA, "%s: expected a list of strings, found %s", path, types[json_typeof(list)]);
    if (!count) return vb_errorf(err, VB_EMISSING, "%s: no texts, expected a list of strings", path);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(list, i);
        if (!json_is_string(item))
            return vb_errorf(err, VB_EDATA, "%s: item %zu is %s, expected a string (items count from 0)", path, i,
                             types[json_typeof(item)]);
        size += json_string_length(item) + 1;
    }
    if (!(texts->items = vb_array(count, sizeof *texts->items, "texts", err))) return -1;
    char *at = texts->storage = vb_array(size, 1, "texts", err);
    if (!at) return -1;
    for (; texts->count < count; texts->count++) {
        const json_t *item = json_array_get(list, texts->count);
        size_t n = json_string_length(item) + 1;
        memcpy(at, json_string_value(item), n);
        texts->items[texts->count] = at;
        at += n;
    }
    return 0;
}

int vb_texts_read(vb_texts *texts, const char *path, vb_error *err) {
    *texts = (vb_texts){0};
    uint8_t *bytes;
    size_t size;
    int status;
    if (vb_file_read_whole(path, LARGEST_FILE, &bytes, &size, err)) return -1;
    if (vb_path_ends_with(path, ".json")) {
        json_t *list = vb_json_parse((const char *)bytes, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, path, err);
        status = list ? copy_strings(texts, list, path, err) : -1;
        json_decref(list);
        vb_free(bytes);
    } else {
        texts->storage = bytes;
        status = cut_lines(texts, (char *)bytes, size, path, err);
    }
    if (status) vb_texts_free(texts);
    return status;
}

void vb_texts_free(vb_texts *texts) {
    vb_free(texts->items);
    vb_free(texts->storage);
    *texts = (vb_texts){0};
}
