/* Reads texts from lines or from a JSON list, checking that each is UTF-8. */
#include "shards/text/texts.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/json_parse.h"
#include "shards/files/path.h"
#include "shards/files/text_file.h"

static const size_t LARGEST_FILE = (size_t)1 << 33;

/* Cuts the bytes (with one byte of room behind them) into lines, in place. */
static int cut_lines(vb_texts *texts, char *bytes, size_t size, const char *path, bool names, vb_error *err) {
    size_t count = 0, n;
    char *at = bytes, *end = bytes + size, *line;
    while (names && end > at && vb_text_file_is_space(end[-1])) end--; /* blank lines at the end name nothing */
    for (const char *p = at; p < end; count++) {
        const char *feed = memchr(p, '\n', (size_t)(end - p));
        p = feed ? feed + 1 : end;
    }
    if (!count) return vb_errorf(err, VB_EMISSING, "%s: no %s, expected one a line", path, names ? "names" : "texts");
    if (!(texts->items = vb_array(count, sizeof *texts->items, "texts", err))) return -1;
    while (vb_text_file_next_line(&at, end, &line, &n)) {
        if (vb_text_file_check_line(line, n, path, texts->count + 1, err)) return -1;
        if (names) vb_text_file_trim(&line, &n);
        if (names && !n)
            return vb_errorf(err, VB_EDATA, "%s: line %zu: expected a name, found an empty line", path, texts->count + 1);
        texts->items[texts->count++] = line;
    }
    return 0;
}

static int copy_strings(vb_texts *texts, const json_t *list, const char *path, bool names, vb_error *err) {
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
        char *text = at;
        size_t length = n - 1;
        if (names) vb_text_file_trim(&text, &length);
        if (names && !length)
            return vb_errorf(err, VB_EDATA, "%s: item %zu: expected a name, found an empty text (items count from 0)", path,
                             texts->count);
        texts->items[texts->count] = text;
        at += n;
    }
    return 0;
}

static int read_list(vb_texts *texts, const char *path, bool names, vb_error *err) {
    *texts = (vb_texts){0};
    char *bytes;
    size_t size;
    int status;
    const bool lines = !vb_path_ends_with(path, ".json");
    const char *expected = !lines ? "a JSON list of strings" : names ? "names, one a line" : "texts, one a line";
    if (vb_text_file_read(path, LARGEST_FILE, expected, &bytes, &size, err)) return -1;
    if (!lines) {
        json_t *list = vb_json_parse(bytes, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, path, err);
        status = list ? copy_strings(texts, list, path, names, err) : -1;
        json_decref(list);
        vb_free(bytes);
    } else {
        texts->storage = bytes;
        status = cut_lines(texts, bytes, size, path, names, err);
    }
    if (status) vb_texts_free(texts);
    return status;
}

int vb_texts_read(vb_texts *texts, const char *path, vb_error *err) { return read_list(texts, path, false, err); }
int vb_texts_read_names(vb_texts *names, const char *path, vb_error *err) { return read_list(names, path, true, err); }

void vb_texts_trim(vb_texts *texts) {
    for (size_t i = 0; i < texts->count; i++) {
        char *text = (char *)(uintptr_t)texts->items[i];
        size_t n = strlen(text);
        vb_text_file_trim(&text, &n);
        texts->items[i] = text;
    }
}

void vb_texts_free(vb_texts *texts) {
    vb_free(texts->items);
    vb_free(texts->storage);
    *texts = (vb_texts){0};
}
