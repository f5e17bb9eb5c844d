/* A stream of captions from line files (plain or zstd) and from whole JSON documents. */
#include "shards/text/captions.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "shards/files/file.h"
#include "shards/files/json_parse.h"
#include "shards/files/path.h"
#include "shards/files/zst.h"

enum { BLOCK = 1 << 18, LONGEST_LINE = 1 << 24, LARGEST_JSON = 1 << 30 };

typedef enum form { FORM_JSON_LINES, FORM_TSV, FORM_TEXT, FORM_JSON } form;

struct vb_captions {
    char *path, *column;
    form form;
    int field; /* of a TSV, from 0 */
    /* lines */
    vb_file file;
    vb_zst *zst;
    uint64_t offset;
    char *block, *line;
    size_t filled, at, line_capacity;
    int64_t number;
    bool ended;
    /* a whole document */
    json_t *document, *list, *row; /* row: the one behind the last caption handed out */
    size_t next;
};

/* ---- lines ---- */

static int fill_block(vb_captions *captions, vb_error *err) {
    size_t got = 0;
    if (captions->zst) {
        if (vb_zst_read(captions->zst, captions->offset, captions->block, BLOCK, &got, err)) return -1;
    } else {
        uint64_t left = captions->file.size - captions->offset;
        got = left < BLOCK ? (size_t)left : BLOCK;
        if (got && vb_file_read(&captions->file, captions->offset, captions->block, got, err)) return -1;
    }
    captions->offset += got;
    captions->filled = got;
    captions->at = 0;
    captions->ended = got == 0;
    return 0;
}

static int wrong_caption(const vb_captions *captions, vb_error *err, const char *what) {
    return vb_errorf(err, VB_EDATA, "%s:%lld: %s", captions->path, (long long)captions->number, what);
}

static int check_utf8(const vb_captions *captions, const char *text, size_t n, vb_error *err) {
    size_t bad;
    if (vb_utf8_is_text(text, n, &bad)) return 0;
    return wrong_caption(captions, err, text[bad] ? "invalid UTF-8" : "a NUL character in the text");
}

/* The next line into captions->line without its end; *n is -1 at the end of the file. */
static int next_caption_line(vb_captions *captions, int64_t *n, vb_error *err) {
    size_t length = 0;
    *n = -1;
    captions->number++;
    for (;;) {
        if (captions->at == captions->filled) {
            if (!captions->ended && fill_block(captions, err)) return -1;
            if (captions->ended) {
                if (!length) return 0; /* no line begins here */
                break;
            }
        }
        char *start = captions->block + captions->at, *end = memchr(start, '\n', captions->filled - captions->at);
        size_t piece = end ? (size_t)(end - start) : captions->filled - captions->at;
        if (length + piece > LONGEST_LINE) return wrong_caption(captions, err, "a line of over 16 MiB");
        if (vb_grow((void **)&captions->line, &captions->line_capacity, length + piece + 1, 1, "line", err)) return -1;
        memcpy(captions->line + length, start, piece);
        length += piece;
        captions->at += piece + (end != NULL);
        if (end) break;
    }
    if (length && captions->line[length - 1] == '\r') length--;
    if (!captions->line && vb_grow((void **)&captions->line, &captions->line_capacity, 1, 1, "line", err)) return -1;
    captions->line[length] = 0;
    if (check_utf8(captions, captions->line, length, err)) return -1;
    *n = (int64_t)length;
    return 0;
}

/* Field `wanted` of a TSV line, cut out in place; NULL when the line has fewer. */
static char *tsv_field(char *line, int wanted) {
    for (int field = 0;; field++) {
        char *tab = strchr(line, '\t');
        if (field == wanted) {
            if (tab) *tab = 0;
            return line;
        }
        if (!tab) return NULL;
        line = tab + 1;
    }
}

/* The column of a TSV: a number as given, or the place of a name in the header line, which is then consumed. */
static int find_column(vb_captions *captions, vb_error *err) {
    const char *wanted = captions->column ? captions->column : "caption";
    char *end;
    long number = strtol(wanted, &end, 10);
    if (!*end && number >= 1 && number <= 1000) {
        captions->field = (int)number - 1;
        return 0;
    }
    int64_t n;
    if (next_caption_line(captions, &n, err)) return -1;
    for (int field = 0; n >= 0 && field < 1000; field++) {
        char *copy = vb_strdup(captions->line, err);
        if (!copy) return -1;
        char *text = tsv_field(copy, field);
        bool found = text && !strcmp(text, wanted), more = text != NULL;
        vb_free(copy);
        if (found) {
            captions->field = field;
            return 0;
        }
        if (!more) break;
    }
    return vb_errorf(err, VB_EMISMATCH,
                     "%s:1: no column '%s' in the header line; name the column of the captions, or give its number from 1",
                     captions->path, wanted);
}

/* ---- JSON ---- */

/* Hands out the caption of a JSON value: a text, an object's `column`; null and missing are empty. */
static int json_caption(vb_captions *captions, const json_t *value, const char **text, vb_error *err) {
    if (json_is_object(value)) value = json_object_get(value, captions->column ? captions->column : "caption");
    if (!value || json_is_null(value)) {
        *text = "";
        return 0;
    }
    if (!json_is_string(value)) return wrong_caption(captions, err, "expected a text as caption");
    *text = json_string_value(value);
    return check_utf8(captions, *text, json_string_length(value), err);
}

static int parse_row(vb_captions *captions, int64_t n, const char **text, vb_error *err) {
    json_error_t where;
    json_decref(captions->row);
    captions->row = vb_json_parse_bare(captions->line, (size_t)n, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &where, err);
    if (!captions->row) return vb_error_prefix(err, "%s:%lld", captions->path, (long long)captions->number);
    if (!json_is_object(captions->row)) return wrong_caption(captions, err, "expected a JSON object");
    return json_caption(captions, captions->row, text, err);
}

static int open_document(vb_captions *captions, vb_error *err) {
    uint8_t *bytes = NULL;
    size_t size = 0, capacity = 0;
    int status = -1;
    if (!captions->zst) {
        vb_file_close(&captions->file);
        if (vb_file_read_whole(captions->path, LARGEST_JSON, &bytes, &size, err)) return -1;
    } else
        for (;;) {
            if (fill_block(captions, err)) goto done;
            if (captions->ended) break;
            if (size + captions->filled > LARGEST_JSON) {
                vb_errorf(err, VB_EDATA, "%s: a JSON document of over 1 GiB; use JSON lines", captions->path);
                goto done;
            }
            if (vb_grow((void **)&bytes, &capacity, size + captions->filled, 1, "JSON document", err)) goto done;
            memcpy(bytes + size, captions->block, captions->filled);
            size += captions->filled;
        }
    captions->document = vb_json_parse((const char *)bytes, size, JSON_REJECT_DUPLICATES, captions->path, err);
    if (!captions->document) goto done;
    captions->list = json_is_object(captions->document) ? json_object_get(captions->document, "annotations") : captions->document;
    if (!json_is_array(captions->list)) {
        vb_errorf(err, VB_EDATA, "%s: expected a list, or an object with a list under 'annotations'", captions->path);
        goto done;
    }
    status = 0;
done:
    vb_free(bytes);
    return status;
}

/* ---- opening ---- */

static int find_form(vb_captions *captions, vb_error *err) {
    static const struct {
        const char *suffix;
        form form;
    } forms[] = {
        {".jsonl", FORM_JSON_LINES}, {".ndjson", FORM_JSON_LINES}, {".tsv", FORM_TSV}, {".txt", FORM_TEXT}, {".json", FORM_JSON}};
    for (int packed = 0; packed < 2; packed++)
        for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
            char suffix[16] = "";
            strcat(strcpy(suffix, forms[i].suffix), packed ? ".zst" : "");
            if (!vb_path_ends_with(captions->path, suffix)) continue;
            captions->form = forms[i].form;
            return 0;
        }
    if (vb_path_ends_with(captions->path, ".parquet"))
        return vb_errorf(err, VB_EUNSUPPORTED,
                         "%s: Parquet is not read; convert it once: python3 -c \"import pandas, sys; "
                         "pandas.read_parquet(sys.argv[1])[['caption']].to_json(sys.argv[2], orient='records', lines=True)\" "
                         "IN.parquet OUT.jsonl",
                         captions->path);
    return vb_errorf(err, VB_EUNSUPPORTED, "%s: expected captions as .jsonl, .tsv, .txt or .json, plain or .zst", captions->path);
}

int vb_captions_open(vb_captions **out, const char *path, const char *column, vb_error *err) {
    *out = NULL;
    vb_captions *captions = vb_array(1, sizeof *captions, "captions", err);
    int status = -1;
    if (!captions) return -1;
    captions->file.fd = -1;
    if (!(captions->path = vb_strdup(path, err)) || (column && !(captions->column = vb_strdup(column, err)))) goto done;
    if (find_form(captions, err) || !(captions->block = vb_array(BLOCK, 1, "captions", err))) goto done;
    if (vb_path_ends_with(path, ".zst") ? vb_zst_open(&captions->zst, path, err) : vb_file_open(&captions->file, path, err))
        goto done;
    if (captions->form == FORM_JSON && open_document(captions, err)) goto done;
    if (captions->form == FORM_TSV && find_column(captions, err)) goto done;
    *out = captions;
    status = 0;
done:
    if (status) vb_captions_close(captions);
    return status;
}

void vb_captions_close(vb_captions *captions) {
    if (!captions) return;
    json_decref(captions->document);
    json_decref(captions->row);
    vb_zst_close(captions->zst);
    vb_file_close(&captions->file);
    vb_free(captions->path);
    vb_free(captions->column);
    vb_free(captions->block);
    vb_free(captions->line);
    vb_free(captions);
}

int vb_captions_next(vb_captions *captions, const char **text, vb_error *err) {
    *text = NULL;
    if (captions->form == FORM_JSON) {
        if (captions->next == json_array_size(captions->list)) return 0;
        captions->number = (int64_t)captions->next + 1;
        return json_caption(captions, json_array_get(captions->list, captions->next++), text, err);
    }
    int64_t n;
    if (next_caption_line(captions, &n, err)) return -1;
    if (n < 0) return 0;
    if (captions->form == FORM_JSON_LINES) return parse_row(captions, n, text, err);
    if (captions->form == FORM_TEXT) *text = captions->line;
    else if (!(*text = tsv_field(captions->line, captions->field)))
        return wrong_caption(captions, err, "fewer columns than the captions' column");
    return 0;
}

int vb_captions_pick(const char *path, const char *column, const int64_t *rows, size_t count, int64_t expected_rows, char **texts,
                     vb_error *err) {
    vb_captions *captions;
    if (count) memset(texts, 0, count * sizeof *texts); /* else it may be NULL */
    if (vb_captions_open(&captions, path, column, err)) return -1;
    int64_t row = 0;
    size_t taken = 0;
    int status = 0;
    while (expected_rows >= 0 || taken < count) {
        const char *text;
        if ((status = vb_captions_next(captions, &text, err)) || !text) break;
        if (taken < count && rows[taken] == row && !(texts[taken++] = vb_strdup(text, err))) {
            status = -1;
            break;
        }
        row++;
    }
    if (!status && expected_rows >= 0 && row != expected_rows)
        status = vb_errorf(err, VB_EMISMATCH, "%s: %lld captions for %lld rows of embeddings", path, (long long)row,
                           (long long)expected_rows);
    if (!status && taken < count)
        status = vb_errorf(err, VB_EMISMATCH, "%s: row %lld is wanted, but there are %lld captions", path, (long long)rows[taken],
                           (long long)row);
    for (size_t i = 0; status && i < count; i++) {
        vb_free(texts[i]);
        texts[i] = NULL;
    }
    vb_captions_close(captions);
    return status;
}
