/* Labels that come with precomputed embeddings: .npy of integers (of any type, floats too), .txt or .json of texts. */
#include "mpi/encode/precomputed_labels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/encode/image_limit.h"
#include "mpi/experiment/missing_path.h"
#include "shards/embeddings/npy.h"
#include "shards/files/path.h"
#include "shards/text/texts.h"

/* The distinct labels, and which of them each row has. */
typedef struct label_list {
    const vb_embeddings_spec *spec;
    int64_t rows;
    int *of_row;         /* -1: none */
    vb_strings distinct; /* in any order */
    vb_texts names;      /* label_names */
} label_list;

/* ---- integers ---- */

static bool integer_at(const vb_tensor *tensor, int64_t i, int64_t *label) {
    const char *at = (const char *)tensor->data + (size_t)i * vb_dtype_size(tensor->dtype);
    double real;
    switch (tensor->dtype) {
    case VB_I64: memcpy(label, at, sizeof *label); return true;
    case VB_I32: {
        int32_t v;
        memcpy(&v, at, sizeof v);
        *label = v;
        return true;
    }
    case VB_I16: {
        int16_t v;
        memcpy(&v, at, sizeof v);
        *label = v;
        return true;
    }
    case VB_I8: *label = *(const int8_t *)at; return true;
    case VB_U8: *label = *(const uint8_t *)at; return true;
    case VB_F64: memcpy(&real, at, sizeof real); break;
    default: real = (double)vb_tensor_at(tensor, i); break;
    }
    if (!(fabs(real) < 9e15) || real != floor(real)) return false;
    *label = (int64_t)real;
    return true;
}

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int find_value(const int64_t *sorted, int count, int64_t value) {
    const int64_t *at = bsearch(&value, sorted, (size_t)count, sizeof *sorted, by_value);
    return at ? (int)(at - sorted) : -1;
}

/* value: of every row; sorted: room for as many. */
static int number_rows(label_list *list, const int64_t *value, int64_t *sorted, vb_error *err) {
    int64_t count = 0, distinct = 0;
    for (int64_t i = 0; i < list->rows; i++)
        if (value[i] >= 0) sorted[count++] = value[i];
    qsort(sorted, (size_t)count, sizeof *sorted, by_value);
    for (int64_t i = 0; i < count; i++)
        if (!i || sorted[i] != sorted[i - 1]) sorted[distinct++] = sorted[i];
    for (int64_t i = 0; i < distinct; i++)
        if (list->spec->label_names ? vb_strings_add(&list->distinct, list->names.items[sorted[i]], err) :
                                      vb_strings_take(&list->distinct, vb_format(err, "%lld", (long long)sorted[i]), err))
            return -1;
    for (int64_t i = 0; i < list->rows; i++) list->of_row[i] = value[i] < 0 ? -1 : find_value(sorted, (int)distinct, value[i]);
    return 0;
}

static int read_integers(label_list *list, vb_error *err) {
    const vb_embeddings_spec *spec = list->spec;
    vb_npy npy;
    int64_t rows = list->rows, *value = NULL, *sorted = NULL;
    int status = -1;
    if (vb_npy_open(&npy, spec->labels, err)) return vb_missing_path_key("labels", err);
    const vb_tensor *tensor = &npy.tensor;
    if (tensor->dtype == VB_BOOL) { /* says whether, not which class */
        vb_errorf(err, VB_EMISMATCH, "%s: labels of type bool, expected integers: int8, int16, int32, int64 or uint8",
                  spec->labels);
        goto done;
    }
    if (vb_tensor_count(tensor) != rows || (tensor->ndim != 1 && !(tensor->ndim == 2 && tensor->shape[1] == 1))) {
        vb_errorf(err, VB_EMISMATCH, "%s: expected %lld integer labels, one for each row of %s; found %lld of type %s",
                  spec->labels, (long long)rows, spec->image_embeddings, (long long)vb_tensor_count(tensor),
                  vb_dtype_name(tensor->dtype));
        goto done;
    }
    value = vb_array((size_t)rows, sizeof *value, "labels", err);
    sorted = vb_array((size_t)rows, sizeof *sorted, "labels", err);
    if (!value || !sorted) goto done;
    for (int64_t i = 0; i < rows; i++) {
        if (!integer_at(tensor, i, &value[i])) {
            vb_errorf(err, VB_EMISMATCH, "%s: row %lld: label %g, expected an integer", spec->labels, (long long)i,
                      (double)vb_tensor_at(tensor, i));
            goto done;
        }
        if (value[i] < -1) {
            vb_errorf(err, VB_EMISMATCH, "%s: row %lld: label %lld, expected 0 or more, or -1 for an image of no vocabulary",
                      spec->labels, (long long)i, (long long)value[i]);
            goto done;
        }
        if (spec->label_names && value[i] >= (int64_t)list->names.count) {
            vb_errorf(err, VB_EMISMATCH, "%s: row %lld: label %lld, expected 0 to %lld (rows of label_names), or -1",
                      spec->labels, (long long)i, (long long)value[i], (long long)list->names.count - 1);
            goto done;
        }
    }
    status = number_rows(list, value, sorted, err);
done:
    status = vb_map_judge(&npy.map, status, err);
    vb_free(value);
    vb_free(sorted);
    vb_npy_close(&npy);
    return status;
}

/* ---- texts ---- */

typedef struct text_row {
    const char *text;
    int64_t row;
} text_row;

static int by_text(const void *a, const void *b) {
    const text_row *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

/* What a row's text stands for: the name that it indexes, or itself; NULL: that there is none ("-1"). */
static int meaning_of_row(const label_list *list, int64_t row, const char *text, const char **meant, vb_error *err) {
    int64_t value;
    *meant = text;
    if (!*text)
        return vb_errorf(err, VB_EDATA, "%s: row %lld: expected a label, found an empty text", list->spec->labels,
                         (long long)row);
    if (!strcmp(text, "-1")) *meant = NULL;
    if (!list->spec->label_names || !vb_label_match_integer(text, &value)) return 0;
    if (value >= (int64_t)list->names.count)
        return vb_errorf(err, VB_EMISMATCH, "%s: row %lld: label %s, expected 0 to %lld (rows of label_names)",
                         list->spec->labels, (long long)row, text, (long long)list->names.count - 1);
    *meant = list->names.items[value];
    return 0;
}

static int read_text_labels(label_list *list, vb_error *err) {
    vb_texts texts = {0};
    text_row *sorted = NULL;
    int64_t labelled = 0;
    int status = -1;
    if (vb_texts_read(&texts, list->spec->labels, err)) return vb_missing_path_key("labels", err);
    vb_texts_trim(&texts);
    if ((int64_t)texts.count != list->rows) {
        vb_errorf(err, VB_EMISMATCH, "%s: %zu labels, but %s has %lld rows", list->spec->labels, texts.count,
                  list->spec->image_embeddings, (long long)list->rows);
        goto done;
    }
    if (!(sorted = vb_array(texts.count, sizeof *sorted, "labels", err))) goto done;
    for (int64_t i = 0; i < list->rows; i++) {
        list->of_row[i] = -1;
        if (meaning_of_row(list, i, texts.items[i], &sorted[labelled].text, err)) goto done;
        sorted[labelled].row = i;
        labelled += sorted[labelled].text != NULL;
    }
    qsort(sorted, (size_t)labelled, sizeof *sorted, by_text);
    for (int64_t i = 0; i < labelled; i++) {
        bool again = i && !strcmp(sorted[i].text, sorted[i - 1].text);
        if (!again && vb_strings_add(&list->distinct, sorted[i].text, err)) goto done;
        list->of_row[sorted[i].row] = (int)list->distinct.count - 1;
    }
    status = 0;
done:
    vb_free(sorted);
    vb_texts_free(&texts);
    return status;
}

/* ---- both ---- */

static int resolve(const label_list *list, int *classes, vb_label_counts *counts, const vb_dataset_state *data, vb_error *err) {
    const char *const *labels = (const char *const *)list->distinct.items;
    vb_label_match match = {0};
    vb_label_report report = {0};
    int count = (int)list->distinct.count, status = -1;
    int64_t *images = vb_array((size_t)count, sizeof *images, "label counts", err), row = 0, outside = 0;
    int64_t *class_images = vb_array((size_t)data->space.classes, sizeof *class_images, "class counts", err);
    if (!images || !class_images || vb_label_match_find(&match, &data->vocabularies, labels, count, err)) goto done;
    if (match.beyond >= 0) {
        while (list->of_row[row] != match.beyond) row++;
        vb_errorf(
            err, VB_EMISMATCH,
            "%s: row %lld: label %s, expected 0 to %d (classes of the vocabulary file), or -1 for an image of no vocabulary; "
            "no label is a class' id or name%s",
            list->spec->labels, (long long)row, labels[match.beyond], data->space.classes - 1,
            match.from_one ? "; do they count from 1?" : "");
        goto done;
    }
    for (int64_t i = 0; i < list->rows; i++) {
        int label = list->of_row[i];
        classes[i] = label < 0 ? -1 : match.class_of[label];
        if (label >= 0) images[label]++;
        *(classes[i] < 0 ? &outside : &class_images[classes[i]]) += 1;
    }
    const vb_label_survey survey = {&data->vocabularies, &match, labels, images, 0};
    if (vb_label_report_make(&report, &survey, err) || vb_dataset_state_check_images(data, class_images, &report, outside, err) ||
        vb_dataset_state_check_labels(data, &report, err))
        goto done;
    *counts = report.counts;
    status = 0;
done:
    vb_label_report_free(&report);
    vb_label_match_free(&match);
    vb_free(images);
    vb_free(class_images);
    return status;
}

/* ---- sets ---- */

static int resolve_sets(const label_list *list, const vb_label_sets *labels, int *classes, vb_class_sets *sets,
                        vb_label_counts *counts, const vb_dataset_state *data, vb_error *err) {
    const vb_embeddings_spec *spec = list->spec;
    if (labels->names.count)
        return vb_errorf(err, VB_EDATA, "%s: sets of labels by the images' names; expected a list, one for each row of %s",
                         spec->labels, spec->image_embeddings);
    if ((int64_t)labels->count != list->rows)
        return vb_errorf(err, VB_EMISMATCH, "%s: %zu sets of labels, but %s has %lld rows", spec->labels, labels->count,
                         spec->image_embeddings, (long long)list->rows);
    const vb_class_sets_rules rules = {&data->vocabularies, spec->label_names ? &list->names : NULL, spec->labels};
    vb_label_report report = {0};
    int64_t outside = 0;
    int64_t *class_images = vb_array((size_t)data->space.classes, sizeof *class_images, "class counts", err);
    int status = class_images ? vb_class_sets_make(sets, &report, class_images, labels, &rules, err) : -1;
    for (int64_t i = 0; i < list->rows && !status; i++) {
        const vb_class_set set = vb_class_sets_at(sets, i);
        classes[i] = set.count ? set.classes[0] : -1;
        outside += !set.count;
    }
    if (!status) status = vb_dataset_state_check_images(data, class_images, &report, outside, err);
    if (!status) status = vb_dataset_state_check_labels(data, &report, err);
    *counts = report.counts;
    vb_label_report_free(&report);
    vb_free(class_images);
    return status;
}

int vb_precomputed_labels_read(int *classes, vb_class_sets *sets, vb_label_counts *counts, const vb_dataset_state *data,
                               const vb_embeddings_spec *spec, int64_t rows, vb_error *err) {
    label_list list = {.spec = spec, .rows = rows};
    vb_label_sets labels = {0};
    bool are_sets = false;
    *sets = (vb_class_sets){0};
    bool text = vb_path_ends_with(spec->labels, ".txt") || vb_path_ends_with(spec->labels, ".json");
    int status = -1;
    if (!(list.of_row = vb_array((size_t)rows, sizeof *list.of_row, "labels", err))) goto done;
    if (spec->label_names && vb_texts_read_names(&list.names, spec->label_names, err)) {
        vb_missing_path_key("label_names", err);
        goto done;
    }
    if (vb_label_sets_read(&labels, &are_sets, spec->labels, err)) {
        vb_missing_path_key("labels", err);
        goto done;
    }
    if (are_sets) {
        status = resolve_sets(&list, &labels, classes, sets, counts, data, err);
        goto done;
    }
    if (text ? read_text_labels(&list, err) : read_integers(&list, err)) goto done;
    status = resolve(&list, classes, counts, data, err);
done:
    vb_label_sets_free(&labels);
    vb_free(list.of_row);
    vb_strings_free(&list.distinct);
    vb_texts_free(&list.names);
    return status;
}

int vb_precomputed_labels_check(const vb_dataset_state *data, const vb_embeddings_spec *spec, int64_t *images, vb_error *err) {
    vb_npy npy;
    vb_label_counts counts;
    vb_class_sets sets = {0};
    *images = 0;
    if (vb_npy_open(&npy, spec->image_embeddings, err)) return vb_missing_path_key("image_embeddings", err);
    int64_t rows = npy.tensor.ndim == 2 ? npy.tensor.shape[0] : 0; /* another shape is for its reader to refuse */
    vb_npy_close(&npy);
    if (!rows) return 0;
    int *classes = vb_array((size_t)rows, sizeof *classes, "labels", err);
    int status = classes ? vb_precomputed_labels_read(classes, &sets, &counts, data, spec, rows, err) : -1;
    if (!status) status = vb_image_limit_rows(classes, &sets, rows, data, err);
    for (int64_t i = 0; i < rows && !status; i++) *images += classes[i] >= 0;
    vb_free(classes);
    vb_class_sets_free(&sets);
    return status;
}
