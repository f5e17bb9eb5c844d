/* A stream of captions from line files (plain or zstd) and from whole JSON documents. */
#include "shards/text/captions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "shards/files/content.h"
#include "shards/files/file.h"
#include "shards/files/json_parse.h"
#include "shards/files/path.h"
#include "shards/files/text_file.h"
#include "shards/files/zst.h"

enum { BLOCK = 1 << 18, LONGEST_LINE = 1 << 24, LARGEST_JSON = 1 << 30 };

typedef enum form { FORM_JSON_LINES, FORM_TSV, FORM_TEXT, FORM_JSON } form;

struct vb_captions {
    char *path, *column;
    form form;
    int field; /* of a TSV, from 0 */
    char odd[1024];
    /* lines */
    vb_file file;
    vb_zst *zst;
    uint64_t offset;
    char *block, *line;
    size_t filled, at, length, line_capacity;
    int64_t number;       /* of the line read last */
    bool ended, begun;    /* begun: the first block was looked at */
    bool blank, too_long; /* of the line read last */
    int64_t blanks;       /* rows that are blank lines and come before it, which is then held back */
    bool held;
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
    if (captions->begun) return 0;
    captions->begun = true;
    captions->at = vb_text_file_mark(captions->block, got);
    if (!vb_content_is_no_text(captions->block, got)) return 0;
    return vb_content_refuse(captions->path, captions->block, got, "captions", VB_EDATA, err);
}

/* The row has no caption that can be used: why, and no more than that. */
static int odd_row(vb_captions *captions, const char **odd, const char *what) {
    snprintf(captions->odd, sizeof captions->odd, "%s:%lld: %s", vb_path_base_name(captions->path), (long long)captions->number,
             what);
    *odd = captions->odd;
    return 0;
}

static int check_utf8(vb_captions *captions, const char *text, size_t n, const char **odd) {
    size_t bad;
    if (vb_utf8_is_text(text, n, &bad)) return 0;
    return odd_row(captions, odd, text[bad] ? "invalid UTF-8" : "a NUL character in the text");
}

/* What lies before the line's end in the block goes to the line, unless that gets too long or is not wanted. */
static int take_piece(vb_captions *captions, const char *start, size_t piece, bool keep, vb_error *err) {
    for (size_t i = 0; i < piece && captions->blank; i++) captions->blank = vb_text_file_is_space(start[i]);
    captions->too_long |= captions->length + piece > LONGEST_LINE;
    if (!keep || captions->too_long) return 0;
    if (vb_grow((void **)&captions->line, &captions->line_capacity, captions->length + piece + 1, 1, "line", err)) return -1;
    memcpy(captions->line + captions->length, start, piece);
    captions->length += piece;
    return 0;
}

/* The next line into captions->line without its end, or, not kept, passed over; *found is false at the end of the file. */
static int next_caption_line(vb_captions *captions, bool keep, bool *found, vb_error *err) {
    bool any = false, feed = false;
    captions->number++;
    captions->length = 0;
    captions->blank = true;
    captions->too_long = false;
    while (!feed) {
        if (captions->at == captions->filled) {
            if (!captions->ended && fill_block(captions, err)) return -1;
            if (captions->ended) break;
            continue;
        }
        char *start = captions->block + captions->at, *end = memchr(start, '\n', captions->filled - captions->at);
        size_t piece = end ? (size_t)(end - start) : captions->filled - captions->at;
        if (take_piece(captions, start, piece, keep, err)) return -1;
        captions->at += piece + (end != NULL);
        feed = end != NULL;
        any = true;
    }
    if (!(*found = any)) return 0;
    if (captions->length && captions->line[captions->length - 1] == '\r') captions->length--;
    if (!captions->line && vb_grow((void **)&captions->line, &captions->line_capacity, 1, 1, "line", err)) return -1;
    captions->line[captions->length] = 0;
    if (captions->number == 1 && !feed && memchr(captions->line, '\r', captions->length))
        return vb_errorf(err, VB_EDATA, "%s: one line with carriage returns in it, expected LF or CR LF behind each line",
                         captions->path);
    return 0;
}

/* The next row: its line is read, or, not kept, passed over. Blank lines of JSON lines are rows, unless they end the file. */
static int next_row(vb_captions *captions, bool keep, bool *found, bool *empty, vb_error *err) {
    *found = true;
    *empty = captions->blanks > 0;
    if (captions->blanks) {
        captions->blanks--;
        return 0;
    }
    if (captions->held) {
        captions->held = false;
        return 0;
    }
    if (next_caption_line(captions, keep, found, err)) return -1;
    if (!*found || captions->form != FORM_JSON_LINES || !captions->blank) return 0;
    for (int64_t blanks = 1;; blanks++) {
        if (next_caption_line(captions, true, found, err)) return -1;
        if (!*found) return 0;
        if (captions->blank) continue;
        captions->held = true;
        captions->blanks = blanks - 1;
        *empty = true;
        return 0;
    }
}

/* The end of a field that is quoted as pandas and spreadsheets do, its quotes doubled; NULL when it is not. */
static char *quoted_end(char *field) {
    if (*field != '"') return NULL;
    for (char *at = field + 1; *at; at++) {
        if (*at != '"') continue;
        if (at[1] != '"') return at[1] == '\t' || !at[1] ? at + 1 : NULL;
        at++;
    }
    return NULL;
}

/* Without the blanks at its end, which no editor shows. */
static char *drop_blanks(char *text) {
    size_t n = strlen(text);
    while (n && (text[n - 1] == ' ' || text[n - 1] == '\t')) text[--n] = 0;
    return text;
}

static char *unquote(char *field) {
    char *to = field, *end = quoted_end(field);
    if (!end) return field;
    for (char *at = field + 1; at < end - 1; *to++ = *at++)
        if (*at == '"') at++;
    *to = 0;
    return field;
}

/* Field `wanted` of a TSV line, cut out in place; NULL when the line has fewer. */
static char *tsv_field(char *line, int wanted) {
    for (int field = 0;; field++) {
        char *quoted = quoted_end(line), *tab = quoted ? (*quoted ? quoted : NULL) : strchr(line, '\t');
        if (field == wanted) {
            if (tab) *tab = 0;
            return unquote(drop_blanks(line));
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
    bool there;
    if (next_caption_line(captions, true, &there, err)) return -1;
    if (there && memchr(captions->line, 0, captions->length))
        return vb_errorf(err, VB_EDATA, "%s:1: a NUL character in the header line, expected the columns' names", captions->path);
    for (int field = 0; there && field < 1000; field++) {
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

/* Hands out the caption of a JSON value: a text, an object's `column`, of which null is empty. */
static int json_caption(vb_captions *captions, const json_t *value, const char **text, const char **odd) {
    const char *column = captions->column ? captions->column : "caption";
    if (json_is_object(value) && !(value = json_object_get(value, column))) {
        char what[128];
        snprintf(what, sizeof what, "no key '%.*s'", (int)vb_utf8_cut(column, 80), column);
        return odd_row(captions, odd, what);
    }
    if (json_is_null(value)) return 0;
    if (!json_is_string(value)) return odd_row(captions, odd, "expected a text as caption");
    *text = json_string_value(value);
    return check_utf8(captions, *text, json_string_length(value), odd);
}

static int parse_row(vb_captions *captions, const char **text, const char **odd, vb_error *err) {
    json_error_t where;
    vb_error why;
    json_decref(captions->row);
    captions->row =
        vb_json_parse_python(captions->line, captions->length, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &where, &why);
    if (!captions->row && why.code == VB_EMEMORY) return vb_errorf(err, VB_EMEMORY, "%s: %s", captions->path, why.text);
    if (!captions->row) return odd_row(captions, odd, why.text);
    if (!json_is_object(captions->row)) return odd_row(captions, odd, "expected a JSON object");
    return json_caption(captions, captions->row, text, odd);
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
    json_error_t where;
    vb_error why;
    if (vb_content_is_no_text(bytes, size)) {
        vb_content_refuse(captions->path, bytes, size, "captions as JSON", VB_EDATA, err);
        goto done;
    }
    captions->document = vb_json_parse_python((char *)bytes, size, JSON_REJECT_DUPLICATES, &where, &why);
    if (!captions->document) {
        if (why.code == VB_EMEMORY) vb_errorf(err, VB_EMEMORY, "%s: %s", captions->path, why.text);
        else vb_errorf(err, VB_EDATA, "%s:%d:%d: %s", captions->path, where.line, where.column, why.text);
        goto done;
    }
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
    if (find_form(captions, err)) goto done;
    if (column && captions->form == FORM_TEXT) {
        vb_errorf(err, VB_EMISMATCH, "%s: lines of text have no column '%s'; leave out the column of the captions", path, column);
        goto done;
    }
    if (!(captions->block = vb_array(BLOCK, 1, "captions", err))) goto done;
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

int vb_captions_next(vb_captions *captions, const char **text, const char **odd, vb_error *err) {
    bool found, empty;
    *text = *odd = NULL;
    if (captions->form == FORM_JSON) {
        if (captions->next == json_array_size(captions->list)) return 0;
        captions->number = (int64_t)captions->next + 1;
        *text = "";
        int status = json_caption(captions, json_array_get(captions->list, captions->next++), text, odd);
        if (*odd) *text = "";
        return status;
    }
    if (next_row(captions, true, &found, &empty, err)) return -1;
    if (!found) return 0;
    *text = "";
    if (empty) {
        const int64_t last = captions->number;
        captions->number = last - 1 - captions->blanks;
        odd_row(captions, odd, "an empty line, expected a JSON object");
        captions->number = last;
        return 0;
    }
    int status = captions->too_long ? odd_row(captions, odd, "a line of over 16 MiB") :
                                      check_utf8(captions, captions->line, captions->length, odd);
    if (*odd) return 0;
    if (captions->form == FORM_JSON_LINES) status = parse_row(captions, text, odd, err);
    else if (captions->form == FORM_TEXT) *text = drop_blanks(captions->line);
    else {
        *text = tsv_field(captions->line, captions->field);
        if (!*text) odd_row(captions, odd, "fewer columns than the captions' column");
    }
    if (*odd) *text = "";
    return status;
}

int vb_captions_skip(vb_captions *captions, bool *found, vb_error *err) {
    bool empty;
    if (captions->form != FORM_JSON) return next_row(captions, false, found, &empty, err);
    *found = captions->next < json_array_size(captions->list);
    captions->next += *found;
    return 0;
}

/* The caption of a wanted row, and why it is odd; *found is false at the end. */
static int pick_row(vb_captions *captions, char **text, char **odd, bool *found, vb_error *err) {
    const char *read, *why;
    if (vb_captions_next(captions, &read, &why, err)) return -1;
    *found = read != NULL;
    if (read && !(*text = vb_strdup(read, err))) return -1;
    return why && !(*odd = vb_strdup(why, err)) ? -1 : 0;
}

int vb_captions_pick(const char *path, const char *column, const int64_t *rows, size_t count, int64_t expected_rows, char **texts,
                     char **odd, vb_error *err) {
    vb_captions *captions;
    if (count) { /* else they may be NULL */
        memset(texts, 0, count * sizeof *texts);
        memset(odd, 0, count * sizeof *odd);
    }
    if (vb_captions_open(&captions, path, column, err)) return -1;
    int64_t row = 0;
    size_t taken = 0;
    int status = 0;
    for (bool found = true; expected_rows >= 0 || taken < count; row++) {
        const bool wanted = taken < count && rows[taken] == row;
        status = wanted ? pick_row(captions, &texts[taken], &odd[taken], &found, err) : vb_captions_skip(captions, &found, err);
        if (status || !found) break;
        taken += wanted;
    }
    if (!status && expected_rows >= 0 && row != expected_rows)
        status = vb_errorf(err, VB_EMISMATCH, "%s: %lld captions for %lld rows of embeddings", path, (long long)row,
                           (long long)expected_rows);
    if (!status && taken < count)
        status = vb_errorf(err, VB_EMISMATCH, "%s: row %lld is wanted, but there are %lld captions", path, (long long)rows[taken],
                           (long long)row);
    for (size_t i = 0; status && i < count; i++) {
        vb_free(texts[i]);
        vb_free(odd[i]);
        texts[i] = odd[i] = NULL;
    }
    vb_captions_close(captions);
    return status;
}
