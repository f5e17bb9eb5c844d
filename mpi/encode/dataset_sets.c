/* Sets of labels find their images. */
#include "mpi/encode/dataset_sets.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/path.h"
#include "shards/images/image.h"

/* What an image may be called: a stem is without the ending. */
typedef enum name_form { FULL, FILE_NAME, FULL_STEM, STEM, FORMS } name_form; /* both before the stems */

typedef struct named_image {
    const char *name;
    int64_t sample;
} named_image;

typedef struct image_names {
    const vb_dataset_spec *spec;
    int64_t count;
    vb_strings storage;         /* full names, then their stems */
    named_image *sorted[FORMS]; /* by name */
} image_names;

static int by_name(const void *a, const void *b) {
    const named_image *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->sample > y->sample) - (x->sample < y->sample);
}

static int by_name_alone(const void *a, const void *b) {
    return strcmp(((const named_image *)a)->name, ((const named_image *)b)->name);
}

static int read_names(image_names *names, const vb_dataset *dataset, vb_error *err) {
    for (int64_t u = 0; u < vb_dataset_units(dataset); u++) {
        vb_unit_data data = {0};
        int status = vb_dataset_read_unit_labels(dataset, u, &data, err);
        for (int i = 0; i < data.count && !status; i++) status = vb_strings_add(&names->storage, data.samples[i].name, err);
        vb_dataset_unit_free(&data);
        if (status) return -1;
    }
    names->count = (int64_t)names->storage.count;
    for (int form = 0; form < FORMS; form++)
        if (!(names->sorted[form] = vb_array((size_t)names->count, sizeof(named_image), "names of images", err))) return -1;
    for (int64_t i = 0; i < names->count; i++) {
        const char *full = names->storage.items[i], *dot = strrchr(vb_path_base_name(full), '.');
        if (vb_strings_add_n(&names->storage, full, dot ? (size_t)(dot - full) : strlen(full), err)) return -1;
    }
    for (int64_t i = 0; i < names->count; i++) {
        const char *full = names->storage.items[i], *stem = names->storage.items[names->count + i];
        names->sorted[FULL][i] = (named_image){full, i};
        names->sorted[FILE_NAME][i] = (named_image){vb_path_base_name(full), i};
        names->sorted[FULL_STEM][i] = (named_image){stem, i};
        names->sorted[STEM][i] = (named_image){vb_path_base_name(stem), i};
    }
    for (int form = 0; form < FORMS; form++) qsort(names->sorted[form], (size_t)names->count, sizeof(named_image), by_name);
    return 0;
}

static void free_names(image_names *names) {
    for (int form = 0; form < FORMS; form++) vb_free(names->sorted[form]);
    vb_strings_free(&names->storage);
}

static int two_of_a_name(const image_names *names, const char *name, vb_error *err) {
    return vb_errorf(err, VB_EMISMATCH, "%s: two images are called '%.80s': name them by their folders too, in an object of sets",
                     names->spec->labels, name);
}

/* order[i]: the sample of set i. By the order of the file names. */
static int order_by_name(int64_t *order, const image_names *names, vb_error *err) {
    const named_image *sorted = names->sorted[FILE_NAME];
    for (int64_t i = 0; i < names->count; i++) {
        if (i && !strcmp(sorted[i].name, sorted[i - 1].name)) return two_of_a_name(names, sorted[i].name, err);
        order[i] = sorted[i].sample;
    }
    return 0;
}

/* *sample < 0: in none of the first `forms`. */
static int look_up(const image_names *names, const char *name, int forms, int64_t *sample, vb_error *err) {
    const named_image wanted = {name, 0};
    *sample = -1;
    for (int form = 0; form < forms && *sample < 0; form++) {
        const named_image *all = names->sorted[form],
                          *at = bsearch(&wanted, all, (size_t)names->count, sizeof *all, by_name_alone);
        if (!at) continue;
        if ((at > all && !by_name_alone(at - 1, at)) || (at + 1 < all + names->count && !by_name_alone(at, at + 1)))
            return two_of_a_name(names, name, err);
        *sample = at->sample;
    }
    return 0;
}

/* Samples of shards are called by their keys, which are without the ending that the image's file had. */
static int find_image(const image_names *names, const char *name, int64_t *sample, vb_error *err) {
    const char *dot = strrchr(vb_path_base_name(name), '.');
    if (look_up(names, name, FORMS, sample, err)) return -1;
    if (*sample < 0 && dot && vb_image_is_suffix(dot + 1)) {
        char *key = vb_strndup(name, (size_t)(dot - name), err);
        const int status = key ? look_up(names, key, FULL_STEM, sample, err) : -1;
        vb_free(key);
        if (status) return -1;
    }
    if (*sample >= 0) return 0;
    return vb_errorf(err, VB_EMISMATCH, "%s: there is no image '%.80s' in the data (%lld images, the first is '%.80s')",
                     names->spec->labels, name, (long long)names->count, names->sorted[FULL][0].name);
}

/* As many sets as images (find_order), each of another image: none is left without. */
static int order_by_object(int64_t *order, const image_names *names, const vb_label_sets *labels, vb_error *err) {
    uint8_t *has = vb_array((size_t)names->count, 1, "names of images", err);
    int status = has ? 0 : -1;
    for (size_t i = 0; i < labels->count && !status; i++) {
        if ((status = find_image(names, labels->names.items[i], &order[i], err))) break;
        if (has[order[i]])
            status = vb_errorf(err, VB_EMISMATCH, "%s: image '%.80s' has two sets", names->spec->labels, labels->names.items[i]);
        has[order[i]] = 1;
    }
    vb_free(has);
    return status;
}

/* Set i becomes that of sample order[i]. */
static int put_in_order(vb_label_sets *labels, const int64_t *order, vb_error *err) {
    size_t filled = 0, *offsets = vb_array(labels->count + 1, sizeof *offsets, "labels", err);
    int *of = vb_array(labels->offsets[labels->count], sizeof *of, "labels", err);
    int64_t *set_of = vb_array(labels->count, sizeof *set_of, "labels", err);
    int status = offsets && of && set_of ? 0 : -1;
    for (size_t i = 0; i < labels->count && !status; i++) set_of[order[i]] = (int64_t)i;
    for (size_t x = 0; x < labels->count && !status; x++) {
        const size_t first = labels->offsets[set_of[x]], n = labels->offsets[set_of[x] + 1] - first;
        memcpy(of + filled, labels->of + first, n * sizeof *of);
        offsets[x + 1] = filled += n;
    }
    vb_free(set_of);
    if (status) {
        vb_free(offsets);
        vb_free(of);
        return -1;
    }
    vb_free(labels->offsets);
    vb_free(labels->of);
    labels->offsets = offsets;
    labels->of = of;
    return 0;
}

static int find_order(vb_label_sets *labels, const vb_dataset *dataset, const vb_dataset_spec *spec, vb_error *err) {
    image_names names = {.spec = spec};
    const bool by_object = labels->names.count;
    const int64_t images = vb_dataset_samples(dataset);
    if ((int64_t)labels->count != images)
        return vb_errorf(err, VB_EMISMATCH, "%s: %zu sets of labels, but %s has %lld images", spec->labels, labels->count,
                         spec->images, (long long)images);
    if (!by_object && vb_dataset_records(dataset)) return 0;
    int64_t *order = vb_array(labels->count, sizeof *order, "labels", err);
    int status = order ? read_names(&names, dataset, err) : -1;
    if (!status) status = by_object ? order_by_object(order, &names, labels, err) : order_by_name(order, &names, err);
    if (!status) status = put_in_order(labels, order, err);
    vb_free(order);
    free_names(&names);
    return status;
}

/* Of the images that have a label and a set, those whose set holds the label's class. */
static int count_agreement(int64_t *agreeing, int64_t *compared, const vb_class_sets *sets, const vb_dataset *dataset,
                           const vb_label_match *match, vb_error *err) {
    *agreeing = *compared = 0;
    for (int64_t u = 0; u < vb_dataset_units(dataset); u++) {
        vb_unit_data data = {0};
        const int64_t first = vb_dataset_unit(dataset, u).first;
        if (vb_dataset_read_unit_labels(dataset, u, &data, err)) return -1;
        for (int i = 0; i < data.count; i++) {
            const int label = data.samples[i].label, class = label < 0 ? -1 : match->class_of[label];
            const vb_class_set set = vb_class_sets_at(sets, first + i);
            *compared += class >= 0 && set.count;
            *agreeing += class >= 0 && vb_label_space_holds(&set, class);
        }
        vb_dataset_unit_free(&data);
    }
    return 0;
}

/* Sets that are another image's have the right number and good labels: only what the data say of their images tells. */
static int note_strangers(vb_label_report *report, const vb_class_sets *sets, const vb_dataset *dataset,
                          const vb_vocabularies *vocabularies, vb_error *err) {
    const int labels = vb_dataset_labels(dataset);
    int64_t agreeing = 0, compared = 0;
    vb_label_match match = {0};
    const char **texts = vb_array((size_t)labels, sizeof *texts, "labels", err);
    int status = texts ? 0 : -1;
    for (int i = 0; !status && i < labels; i++) texts[i] = vb_dataset_label(dataset, i);
    if (!status) status = vb_label_match_find(&match, vocabularies, texts, labels, err);
    if (!status && match.beyond < 0) status = count_agreement(&agreeing, &compared, sets, dataset, &match, err);
    if (!status && 2 * agreeing < compared)
        status = vb_strings_take(
            &report->notes,
            vb_format(err,
                      "%lld of %lld images have the data's own label in their set: are the sets in the order of the images' "
                      "file names?",
                      (long long)agreeing, (long long)compared),
            err);
    vb_label_match_free(&match);
    vb_free(texts);
    return status;
}

int vb_dataset_sets_read(vb_class_sets *sets, vb_label_report *report, int64_t *class_images, vb_digest *digest,
                         const vb_dataset *dataset, const vb_dataset_spec *spec, const vb_vocabularies *vocabularies,
                         vb_error *err) {
    vb_label_sets labels = {0};
    vb_texts names = {0};
    bool known;
    *sets = (vb_class_sets){0};
    *report = (vb_label_report){0};
    int status = vb_label_sets_read(&labels, &known, spec->labels, err);
    if (!status && !known)
        status =
            vb_errorf(err, VB_EDATA, "%s: expected a JSON list of lists of labels (or an object of them by image), a .json file",
                      spec->labels);
    if (!status) status = vb_digest_file(spec->labels, digest, err);
    if (!status) status = find_order(&labels, dataset, spec, err);
    if (!status && spec->class_names) status = vb_texts_read_names(&names, spec->class_names, err);
    const vb_class_sets_rules rules = {vocabularies, spec->class_names ? &names : NULL, spec->labels};
    if (!status) status = vb_class_sets_make(sets, report, class_images, &labels, &rules, err);
    if (!status) status = note_strangers(report, sets, dataset, vocabularies, err);
    vb_texts_free(&names);
    vb_label_sets_free(&labels);
    return status;
}
