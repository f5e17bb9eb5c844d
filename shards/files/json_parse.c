/* JSON read and written by jansson. */
#include "shards/files/json_parse.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/content.h"
#include "shards/files/file.h"
#include "shards/files/text_file.h"

/* Whether jansson was refused memory since the flag was cleared: its lexer and its writer drop bytes instead of reporting
 * that. */
static _Thread_local bool refused;

static void *jansson_alloc(size_t bytes) {
    void *pointer = vb_memory_plain(bytes);
    if (!pointer) refused = true;
    return pointer;
}

void vb_json_parse_setup(void) { json_set_alloc_funcs(jansson_alloc, vb_free); }

json_t *vb_json_parse_bare(const char *text, size_t n, size_t flags, json_error_t *where, vb_error *err) {
    const size_t mark = vb_text_file_mark(text, n);
    refused = false;
    json_t *value = json_loadb(text + mark, n - mark, flags, where);
    if (value && !refused) return value;
    json_decref(value);
    if (refused || !where->text[0]) vb_errorf(err, VB_EMEMORY, "no memory for the JSON");
    else vb_errorf(err, VB_EDATA, "%s", where->text);
    return NULL;
}

/* Python writes NaN, Infinity and -Infinity, which are no JSON: outside of texts they become empty lists, for which NaN has room
 * and which are neither a caption nor a label. Whether there were any. */
static bool blank_out_numbers(char *json, size_t n) {
    static const char *const words[] = {"-Infinity", "Infinity", "NaN"};
    bool within = false, any = false;
    for (size_t i = 0; i < n; i++) {
        if (within && json[i] == '\\') i++;
        else if (json[i] == '"') within = !within;
        else if (!within)
            for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
                const size_t length = strlen(words[w]);
                if (n - i < length || memcmp(json + i, words[w], length)) continue;
                memset(json + i, ' ', length);
                memcpy(json + i, "[]", 2);
                any = true;
                break;
            }
    }
    return any;
}

json_t *vb_json_parse_python(char *text, size_t n, size_t flags, json_error_t *where, vb_error *err) {
    vb_error why = {0};
    json_t *value = vb_json_parse_bare(text, n, flags, where, &why);
    if (!value && why.code == VB_EDATA && blank_out_numbers(text, n)) value = vb_json_parse_bare(text, n, flags, where, &why);
    /* Python's integers have no end, and 64-bit hashes without a sign are beyond jansson's. */
    if (!value && why.code == VB_EDATA && json_error_code(where) == json_error_numeric_overflow)
        value = vb_json_parse_bare(text, n, flags | JSON_DECODE_INT_AS_REAL, where, &why);
    if (!value) vb_errorf(err, (vb_code)why.code, "%s", why.text);
    return value;
}

json_t *vb_json_parse(const char *text, size_t n, size_t flags, const char *path, vb_error *err) {
    json_error_t where;
    if (vb_content_is_no_text(text, n)) {
        vb_content_refuse(path, text, n, "JSON", VB_EDATA, err);
        return NULL;
    }
    json_t *value = vb_json_parse_bare(text, n, flags, &where, err);
    if (!value && err->code == VB_EDATA) vb_error_prefix(err, "%s:%d:%d", path, where.line, where.column);
    else if (!value) vb_error_prefix(err, "%s", path);
    return value;
}

char *vb_json_parse_text(const json_t *value, size_t flags) {
    refused = false;
    char *text = value ? json_dumps(value, flags) : NULL;
    if (text && !refused) return text;
    vb_free(text);
    return NULL;
}

json_t *vb_json_parse_file(const char *path, vb_error *err) {
    enum { LIMIT = 1 << 30 };
    uint8_t *bytes;
    size_t n;
    if (vb_file_read_whole(path, LIMIT, &bytes, &n, err)) return NULL;
    json_t *value = vb_json_parse((const char *)bytes, n, 0, path, err);
    vb_free(bytes);
    return value;
}
