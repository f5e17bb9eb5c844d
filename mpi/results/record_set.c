/* The reader of per-image records. */
#include "mpi/results/record_set.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/strbuf.h"
#include "mpi/evaluate/pair_json.h"
#include "shards/files/path.h"
#include "shards/files/zst_lines.h"

/* While reading. */
typedef struct reader {
    vb_record_set *set;
    vb_json json;
    json_t *class_of, *vocabulary_of; /* see add_class; name -> index */
    vb_strbuf key;                    /* of class_of: names are of any length */
    size_t names_filled, names_capacity, at_capacity, label_capacity, beaten_capacity, right_capacity, similarity_capacity,
        margin_capacity;
    int64_t line;
} reader;

/* ---- the label space ---- */

/* "a\nb\nc", until the next call; no name holds a line's end. Without memory `key` has failed. */
static const char *key_of(reader *work, const char *a, const char *b, const char *c) {
    work->key.filled = 0;
    vb_strbuf_format(&work->key, "%s\n%s%s%s", a, b, c ? "\n" : "", c ? c : "");
    return work->key.failed ? "" : work->key.bytes;
}

/* Class `name` of a vocabulary ("": of the first that has one of that name), or -1. */
static int find_class(reader *work, const char *vocabulary, const char *name) {
    if (!vocabulary || !name) return -1;
    const json_t *index = json_object_get(work->class_of, key_of(work, vocabulary, name, NULL));
    return index ? (int)json_integer_value(index) : -1;
}

static void note_class(reader *work, const char *key, int index, bool again) {
    if (!*key) return; /* without memory, which is said in the end */
    if (again || !json_object_get(work->class_of, key)) vb_json_set_integer(&work->json, work->class_of, key, index);
}

/* A class as a vocabulary lists it: one of another vocabulary is the same when names and ids are, unless classes are apart. */
static int add_class(reader *work, const char *vocabulary, const json_t *class) {
    const char *name = vb_json_text(class, "name"), *id = vb_json_text(class, "id");
    const json_t *known = work->set->apart ? NULL : json_object_get(work->class_of, key_of(work, "", id, name));
    int index = known ? (int)json_integer_value(known) : work->set->space.classes++;
    work->set->class[index] = name;
    note_class(work, key_of(work, vocabulary, name, NULL), index, true);
    note_class(work, key_of(work, "", name, NULL), index, false);
    note_class(work, key_of(work, "", id, name), index, false);
    return index;
}

/* Classes and memberships as the result lists them. */
static int read_space(reader *work, vb_error *err) {
    vb_record_set *set = work->set;
    json_t *list = json_object_get(set->entry, "vocabularies"), *item, *class;
    size_t n = json_array_size(list), members = 0, v, i;
    const json_t *expansion = json_object_get(set->entry, "expansion");
    set->apart = expansion && strcmp(vb_json_text(expansion, "shared_names"), "merge") != 0;
    json_array_foreach(list, v, item) { members += json_array_size(json_object_get(item, "classes")); }
    if (members > INT32_MAX) return vb_errorf(err, VB_EUNSUPPORTED, "%s: %zu classes", set->path, members);
    set->vocabulary = vb_array(n, sizeof *set->vocabulary, "vocabularies", err);
    set->offsets = vb_array(n + 1, sizeof *set->offsets, "vocabularies", err);
    set->members = vb_array(members, sizeof *set->members, "classes", err);
    set->class = vb_array(members, sizeof *set->class, "classes", err);
    work->class_of = vb_json_object(&work->json);
    work->vocabulary_of = vb_json_object(&work->json);
    if (!set->vocabulary || !set->offsets || !set->members || !set->class) return -1;
    int filled = 0;
    json_array_foreach(list, v, item) {
        const char *name = vb_json_text(item, "name");
        if (json_object_get(work->vocabulary_of, name))
            return vb_errorf(err, VB_EDATA, "%s: two vocabularies '%s'", set->path, name);
        vb_json_set_integer(&work->json, work->vocabulary_of, name, (int64_t)v);
        set->vocabulary[v] = name;
        json_array_foreach(json_object_get(item, "classes"), i, class) {
            if (find_class(work, name, vb_json_text(class, "name")) >= 0)
                return vb_errorf(err, VB_EDATA, "%s: vocabulary '%s' lists class '%s' twice", set->path, name,
                                 vb_json_text(class, "name"));
            set->members[filled++] = add_class(work, name, class);
        }
        set->offsets[v + 1] = filled;
    }
    set->space.vocabularies = (int)n;
    set->space.offsets = set->offsets;
    set->space.members = set->members;
    if (vb_json_end(&work->json, "the names of classes", err) || vb_strbuf_end(&work->key, "the names of classes", err))
        return -1;
    return vb_label_space_memberships_new(&set->memberships, &set->space, err);
}

/* ---- lines ---- */

static int index_in(const json_t *names, const json_t *name) {
    const json_t *index = json_is_string(name) ? json_object_get(names, json_string_value(name)) : NULL;
    return index ? (int)json_integer_value(index) : -1;
}

static int wrong_line(const reader *work, const char *key, const char *expected, vb_error *err) {
    return vb_errorf(err, VB_EDATA, "%s: line %lld: %s: expected %s", work->set->path, (long long)work->line, key, expected);
}

static int take_record(reader *work, const json_t *record, vb_error *err) {
    vb_record_set *set = work->set;
    size_t n = (size_t)set->count, vocabularies = (size_t)set->space.vocabularies, i;
    const json_t *image = json_object_get(record, "image"), *own = json_object_get(record, "own"),
                 *harmful = json_object_get(record, "harmful"), *predicted = json_object_get(record, "predicted_all"),
                 *its = json_object_get(record, "predicted_all_vocabulary"), *name;
    int label = find_class(work, vb_json_text(record, "vocabulary"), json_string_value(json_object_get(record, "class")));
    int first = find_class(work, its ? json_string_value(its) : "", json_string_value(predicted));
    if (vb_strbuf_end(&work->key, "the names of classes", err)) return -1;
    if (!json_is_string(image)) return wrong_line(work, "image", "a name", err);
    if (label < 0) return wrong_line(work, "class", "the name of a class of the result", err);
    if (!json_is_boolean(own)) return wrong_line(work, "own", "true or false", err);
    if (!json_is_array(harmful)) return wrong_line(work, "harmful", "a list", err);
    if (first < 0) return wrong_line(work, "predicted_all", "the name of a class of the result", err);
    size_t length = json_string_length(image) + 1;
    if (vb_grow((void **)&set->names, &work->names_capacity, work->names_filled + length, 1, "records", err) ||
        vb_grow((void **)&set->name_at, &work->at_capacity, n + 1, sizeof *set->name_at, "records", err) ||
        vb_grow((void **)&set->label, &work->label_capacity, n + 1, sizeof *set->label, "records", err) ||
        vb_grow((void **)&set->right, &work->right_capacity, n + 1, 1, "records", err) ||
        vb_grow((void **)&set->similarity, &work->similarity_capacity, n + 1, sizeof *set->similarity, "records", err) ||
        vb_grow((void **)&set->margin, &work->margin_capacity, n + 1, sizeof *set->margin, "records", err) ||
        vb_grow((void **)&set->beaten, &work->beaten_capacity, (n + 1) * vocabularies, 1, "records", err))
        return -1;
    memcpy(set->names + work->names_filled, json_string_value(image), length);
    set->name_at[n] = work->names_filled;
    work->names_filled += length;
    set->label[n] = label;
    set->right[n] = first == label;
    set->similarity[n] = vb_json_number(record, "similarity");
    set->margin[n] = vb_json_number(record, "margin");
    json_array_foreach(json_object_get(record, "classes"), i, name) {
        set->right[n] |= find_class(work, "", json_string_value(name)) == first;
    }
    if (vb_strbuf_end(&work->key, "the names of classes", err)) return -1;
    uint8_t *beaten = set->beaten + n * vocabularies;
    json_array_foreach(harmful, i, name) {
        int v = index_in(work->vocabulary_of, name);
        if (v < 0) return wrong_line(work, "harmful", "names of vocabularies of the result", err);
        beaten[v] = 1;
    }
    beaten[set->memberships.vocabularies[set->memberships.offsets[label]]] = json_is_false(own);
    set->count++;
    return 0;
}

static int take_line(reader *work, const char *line, size_t n, vb_error *err) {
    work->line++;
    json_error_t where;
    json_t *record = vb_json_parse_bare(line, n, 0, &where, err);
    if (!record) return vb_error_prefix(err, "%s: line %lld, column %d", work->set->path, (long long)work->line, where.column);
    int status = take_record(work, record, err);
    json_decref(record);
    return status;
}

static int read_lines(reader *work, vb_error *err) {
    vb_zst_lines lines;
    const char *line;
    size_t length;
    int status = vb_zst_lines_open(&lines, work->set->path, err);
    while (!status && !(status = vb_zst_lines_next(&lines, &line, &length, err)) && line)
        status = take_line(work, line, length, err);
    vb_zst_lines_close(&lines);
    return status;
}

/* ---- scores, and whether they are the result's ---- */

vb_image_scores vb_record_set_scores(const vb_record_set *set, int64_t image, int v) {
    const vb_judged judged = vb_record_set_judged(set);
    assert(image < set->count);
    return vb_judged_scores(&judged, image, v);
}

bool vb_record_set_in(const vb_record_set *set, int64_t image, int v) {
    const vb_judged judged = vb_record_set_judged(set);
    return vb_judged_in(&judged, image, v);
}

static int check_figure(const vb_record_set *set, const char *name, double here, double there, vb_error *err) {
    if (fabs(here - there) < 1e-9) return 0;
    return vb_errorf(err, VB_EMISMATCH,
                     "%s: the records give %s = %.6f, the result of '%s' on '%s' is %.6f: they are of another run", set->path,
                     name, here, vb_json_text(set->entry, "model"), vb_json_text(set->entry, "dataset"), there);
}

static int check_figures(const vb_record_set *set, vb_error *err) {
    long long images = vb_json_integer(set->entry, "images");
    if (set->count != images)
        return vb_errorf(err, VB_EMISMATCH,
                         "%s: %lld records, the result of '%s' on '%s' has %lld images: they are of another run", set->path,
                         (long long)set->count, vb_json_text(set->entry, "model"), vb_json_text(set->entry, "dataset"), images);
    int n = set->space.vocabularies;
    double c = 0, e = 0;
    int64_t right = 0;
    for (int v = 0; v < n; v++) {
        double sum_c = 0, sum_e = 0;
        int64_t count = 0;
        for (int64_t i = 0; i < set->count; i++) {
            if (!vb_record_set_in(set, i, v)) continue;
            vb_image_scores scores = vb_record_set_scores(set, i, v);
            sum_c += scores.c;
            sum_e += scores.e;
            count++;
        }
        if (!count) return vb_errorf(err, VB_EMISMATCH, "%s: no record of vocabulary '%s'", set->path, set->vocabulary[v]);
        c += sum_c / (double)count;
        e += sum_e / (double)count;
    }
    for (int64_t i = 0; i < set->count; i++) right += set->right[i];
    if (check_figure(set, "Acc-C", c / n, vb_json_number(set->entry, "acc_c"), err)) return -1;
    if (check_figure(set, "Acc-E", e / n, vb_pair_json_exact(set->entry, "acc_e"), err)) return -1;
    return check_figure(set, "the accuracy among all classes", (double)right / (double)set->count,
                        vb_json_number(set->entry, "top1_all"), err);
}

int vb_record_set_open(vb_record_set *set, const vb_result_folder *folder, const json_t *entry, vb_error *err) {
    *set = (vb_record_set){.entry = entry, .path = vb_result_folder_file(folder, "records", entry, ".jsonl.zst", err)};
    if (!set->path) return -1;
    if (!vb_path_exists(set->path))
        return vb_errorf(err, VB_EMISSING, "%s: no records of the images; `vocabench run --per-image` writes them", set->path);
    const json_t *sets = json_object_get(json_object_get(entry, "data"), "label_sets");
    if (vb_json_integer(sets, "images_of_several_vocabularies"))
        return vb_errorf(err, VB_EUNSUPPORTED,
                         "%s: %lld images have right classes in several vocabularies: their scores do not follow from records",
                         set->path, (long long)vb_json_integer(sets, "images_of_several_vocabularies"));
    reader work = {.set = set};
    int status = read_space(&work, err);
    if (!status) status = read_lines(&work, err);
    if (!status) status = check_figures(set, err);
    vb_strbuf_free(&work.key);
    json_decref(work.class_of);
    json_decref(work.vocabulary_of);
    return status;
}

void vb_record_set_close(vb_record_set *set) {
    vb_free(set->path);
    vb_free(set->vocabulary);
    vb_free(set->class);
    vb_free(set->members);
    vb_free(set->offsets);
    vb_free(set->names);
    vb_free(set->name_at);
    vb_free(set->label);
    vb_free(set->beaten);
    vb_free(set->right);
    vb_free(set->similarity);
    vb_free(set->margin);
    vb_label_space_memberships_free(&set->memberships);
    *set = (vb_record_set){0};
}
