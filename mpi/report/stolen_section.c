/* The images that are right among the names of their own vocabulary and wrong among all: by vocabulary, class and the name that
 * takes them, from the records, where there are any. */
#include "mpi/report/stolen_section.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/json.h"
#include "mpi/figures/pictures.h"
#include "mpi/results/document.h"
#include "shards/files/zst_lines.h"

/* What a page shows of it at most: vocabularies, names of a vocabulary, pictures of a name, of a vocabulary and of all. */
enum { VOCABULARIES = 30, NAMES = 40, OF_NAME = 3, OF_VOCABULARY = 6, PICTURES = 90 };

typedef struct theft {
    json_t *record;
    int rank;      /* of its vocabulary: that with the largest loss first */
    int64_t order; /* of the record */
    bool pictured;
    int64_t place; /* in the data, of those with a picture; -1: not found */
} theft;

typedef struct thefts {
    theft *items;
    size_t count, capacity;
    int64_t records;
    const json_t *entry;
    int *rank; /* of each vocabulary, in file order */
} thefts;

/* ---- vocabularies by loss ---- */

static double loss_of(const json_t *entry, int v) {
    const json_t *its = json_array_get(json_object_get(entry, "vocabularies"), (size_t)v);
    const double loss = vb_json_number(its, "acc_c") - vb_json_number(its, "acc_s");
    return isfinite(loss) ? loss : -INFINITY;
}

static int rank_vocabularies(thefts *all, vb_error *err) {
    const int n = (int)json_array_size(json_object_get(all->entry, "vocabularies"));
    if (!(all->rank = vb_array((size_t)n, sizeof *all->rank, "vocabularies", err))) return -1;
    for (int v = 0; v < n; v++)
        for (int u = 0; u < n; u++) {
            const double own = loss_of(all->entry, v), other = loss_of(all->entry, u);
            all->rank[v] += other > own || (other == own && u < v);
        }
    return 0;
}

static int rank_of(const thefts *all, const char *vocabulary) {
    size_t v;
    const json_t *its;
    json_array_foreach(json_object_get(all->entry, "vocabularies"), v, its) {
        if (!strcmp(vb_json_text(its, "name"), vocabulary)) return all->rank[v];
    }
    return -1;
}

/* ---- records ---- */

static bool is_right(const json_t *record, const char *predicted) {
    size_t i;
    const json_t *name, *vocabulary = json_object_get(record, "predicted_all_vocabulary");
    /* A name that datasets of an expansion share may mean another class in each, by its rule or by ids. */
    if (json_is_string(vocabulary) && strcmp(json_string_value(vocabulary), vb_json_text(record, "vocabulary"))) return false;
    json_array_foreach(json_object_get(record, "classes"), i, name) {
        if (json_is_string(name) && !strcmp(json_string_value(name), predicted)) return true;
    }
    return !strcmp(vb_json_text(record, "class"), predicted);
}

static int take_record(thefts *all, const char *line, size_t n, vb_error *err) {
    json_error_t where;
    json_t *record = vb_json_parse_bare(line, n, 0, &where, err);
    if (!record) return -1;
    const int rank = rank_of(all, vb_json_text(record, "vocabulary"));
    const int64_t order = all->records++;
    const char *predicted = vb_json_text(record, "predicted_all");
    const bool stolen = json_is_true(json_object_get(record, "own")) && *predicted && !is_right(record, predicted);
    int status = 0;
    if (stolen && rank >= 0 && rank < VOCABULARIES) {
        status = vb_grow((void **)&all->items, &all->capacity, all->count + 1, sizeof *all->items, "records", err);
        if (!status) all->items[all->count++] = (theft){.record = json_incref(record), .rank = rank, .order = order, .place = -1};
    }
    json_decref(record);
    return status;
}

static int read_records(thefts *all, const char *path, vb_error *err) {
    vb_zst_lines lines;
    const char *line;
    size_t length;
    int status = vb_zst_lines_open(&lines, path, err);
    while (!status && !(status = vb_zst_lines_next(&lines, &line, &length, err)) && line)
        if ((status = take_record(all, line, length, err))) vb_error_prefix(err, "%s: line %lld", path, (long long)lines.number);
    vb_zst_lines_close(&lines);
    return status;
}

/* ---- order, and which pictures ---- */

static const char *class_of(const theft *it) { return vb_json_text(it->record, "class"); }
static const char *thief_of(const theft *it) { return vb_json_text(it->record, "predicted_all"); }

static int by_vocabulary_class_name(const void *a, const void *b) {
    const theft *x = a, *y = b;
    if (x->rank != y->rank) return x->rank - y->rank;
    int order = strcmp(class_of(x), class_of(y));
    if (!order) order = strcmp(thief_of(x), thief_of(y));
    return order ? order : (x->order > y->order) - (x->order < y->order);
}

static int by_order(const void *a, const void *b) {
    const theft *x = a, *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

static bool same_name(const theft *a, const theft *b) {
    return a->rank == b->rank && !strcmp(class_of(a), class_of(b)) && !strcmp(thief_of(a), thief_of(b));
}

static void choose_pictures(thefts *all) {
    int of_name = 0, of_vocabulary = 0, of_all = 0;
    for (size_t i = 0; i < all->count; i++) {
        theft *it = &all->items[i];
        if (!i || it->rank != all->items[i - 1].rank) of_vocabulary = 0;
        if (!i || !same_name(it, &all->items[i - 1])) of_name = 0;
        it->pictured = of_name < OF_NAME && of_vocabulary < OF_VOCABULARY && of_all < PICTURES;
        of_name += it->pictured, of_vocabulary += it->pictured, of_all += it->pictured;
    }
}

/* Names stand in the records in the order of the data. */
static void find_places(thefts *all, vb_pictures *pictures) {
    qsort(all->items, all->count, sizeof *all->items, by_order);
    for (size_t i = 0; i < all->count && pictures->dataset && !pictures->reason.code; i++)
        if (all->items[i].pictured) all->items[i].place = vb_pictures_find(pictures, vb_json_text(all->items[i].record, "image"));
    qsort(all->items, all->count, sizeof *all->items, by_vocabulary_class_name);
}

/* ---- the page ---- */

/* A name that takes images of a class, and some of them. */
static int put_name(const thefts *all, size_t from, size_t to, vb_pictures *pictures, vb_strbuf *out, vb_error *err) {
    const theft *first = &all->items[from];
    vb_strbuf_add(out, "<p>");
    vb_strbuf_add_html(out, class_of(first));
    vb_strbuf_format(out, ": %zu taken by <b>", to - from);
    vb_strbuf_add_html(out, thief_of(first));
    vb_strbuf_add(out, "</b></p>\n");
    const size_t before = out->filled;
    vb_strbuf_add(out, "<ul>\n");
    const size_t empty = out->filled;
    for (size_t i = from; i < to; i++)
        if (all->items[i].place >= 0 && vb_pictures_put(pictures, all->items[i].place,
                                                        vb_json_text(all->items[i].record, "image"), class_of(first), out, err))
            return -1;
    if (out->filled == empty && out->bytes) {
        out->filled = before;
        out->bytes[before] = 0;
    } else vb_strbuf_add(out, "</ul>\n");
    return 0;
}

static int put_vocabulary(const thefts *all, size_t from, size_t to, vb_pictures *pictures, vb_strbuf *out, vb_error *err) {
    const json_t *list = json_object_get(all->entry, "vocabularies"), *its = NULL;
    for (size_t v = 0; v < json_array_size(list); v++)
        if (all->rank[v] == all->items[from].rank) its = json_array_get(list, v);
    vb_strbuf_add(out, "<details><summary>");
    vb_strbuf_add_html(out, vb_json_text(its, "name"));
    vb_strbuf_format(out, " <span class=\"quiet\">%zu of %lld images; Acc-C %.1f, Acc-S %.1f</span></summary>\n", to - from,
                     (long long)vb_json_integer(its, "images"), 100 * vb_json_number(its, "acc_c"),
                     100 * vb_json_number(its, "acc_s"));
    int names = 0;
    size_t left = 0;
    for (size_t i = from, end; i < to; i = end) {
        for (end = i + 1; end < to && same_name(&all->items[end], &all->items[i]);) end++;
        if (names++ >= NAMES) left += end - i;
        else if (put_name(all, i, end, pictures, out, err)) return -1;
    }
    if (left) vb_strbuf_format(out, "<p class=\"quiet\">%zu more by other names: records/.</p>\n", left);
    vb_strbuf_add(out, "</details>\n");
    return 0;
}

static int put_all(const thefts *all, vb_pictures *pictures, vb_strbuf *out, vb_error *err) {
    vb_strbuf_add(
        out, "<details class=\"stolen\"><summary>Stolen images: by vocabulary, class and the name that takes them</summary>\n"
             "<p class=\"quiet\">Right among the names of their own vocabulary, wrong among all; the vocabularies that "
             "lose most first.</p>\n");
    int status = 0;
    for (size_t i = 0, end; i < all->count && !status; i = end) {
        for (end = i + 1; end < all->count && all->items[end].rank == all->items[i].rank;) end++;
        status = put_vocabulary(all, i, end, pictures, out, err);
    }
    if (pictures->reason.code) {
        vb_strbuf_add(out, "<p class=\"quiet\">Pictures of stolen images are missing here: ");
        vb_strbuf_add_html(out, pictures->reason.text);
        vb_strbuf_add(out, ".</p>\n");
    }
    vb_strbuf_add(out, "</details>\n");
    return status;
}

static int add_stolen(const vb_section_subject *subject, vb_strbuf *out, vb_error *err) {
    const vb_section_result *it = subject->results;
    thefts all = {.entry = it->entry};
    vb_pictures pictures = {.unit = -1, .labelled = -1};
    char *path;
    vb_file_owner owner;
    int status = vb_document_find_file(it->folder, "records", it->entry, ".jsonl.zst", &path, &owner, err);
    if (owner == VB_FILE_LEFT || owner == VB_FILE_OTHER)
        vb_strbuf_add(out, "<p class=\"quiet\">Stolen images are missing here: the records are of another run.</p>\n");
    if (!status && owner == VB_FILE_OWN) {
        if (!(status = rank_vocabularies(&all, err))) status = read_records(&all, path, err);
        if (!status && all.count) {
            qsort(all.items, all.count, sizeof *all.items, by_vocabulary_class_name);
            choose_pictures(&all);
            vb_pictures_open(&pictures, it);
            find_places(&all, &pictures);
            if (pictures.reason.code == VB_EMEMORY) {
                *err = pictures.reason;
                status = -1;
            } else status = put_all(&all, &pictures, out, err);
        }
    }
    vb_pictures_close(&pictures);
    for (size_t i = 0; i < all.count; i++) json_decref(all.items[i].record);
    vb_free(all.items);
    vb_free(all.rank);
    vb_free(path);
    return status;
}

const vb_section vb_stolen_section = {.scope = VB_SECTION_OF_RESULT, .place = 95, .folded = "Stolen images", .html = add_stolen};
