/* Datasets: shards, records, names of classes, and the index that one rank sends to the others. The first byte chooses. */
#include "kernels/base/memory.h"
#include "shards/datasets/class_names.h"
#include "shards/datasets/dataset.h"
#include "shards/files/json_parse.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scratch_files.h"
#include "tests/fuzz/touch.h"

/* Units part the samples, labels have texts. */
static void walk_index(const vb_dataset *dataset) {
    const int64_t samples = vb_dataset_samples(dataset), units = vb_dataset_units(dataset);
    const int labels = vb_dataset_labels(dataset), names = vb_dataset_ignored_names(dataset);
    int64_t next = 0;
    for (int64_t u = 0; u < units; u++) {
        const vb_unit_range range = vb_dataset_unit(dataset, u);
        if (range.first != next || range.count < 1 || range.count > vb_dataset_unit_samples(dataset)) abort();
        if (vb_dataset_unit_of(dataset, range.first) != u) abort();
        next += range.count;
    }
    if (next != samples) abort();
    for (int i = 0; i < labels; i++) touch_bytes(vb_dataset_label(dataset, i), strlen(vb_dataset_label(dataset, i)));
    for (int i = 0; i < names; i++) touch_bytes(vb_dataset_ignored_name(dataset, i), strlen(vb_dataset_ignored_name(dataset, i)));
    touch_bytes(vb_dataset_kind(dataset), 1);
}

static void read_units(const vb_dataset *dataset) {
    vb_error err = {0};
    static char *captions[VB_UNIT_SAMPLES];
    for (int64_t u = 0; u < vb_dataset_units(dataset); u++) {
        vb_unit_data unit = {0};
        vb_digest labels;
        if (vb_dataset_read_unit_labels(dataset, u, &unit, &err)) touch_error(&err);
        labels = unit.digest;
        touch_bytes(&labels, sizeof labels);
        vb_dataset_unit_free(&unit);
        if (vb_dataset_read_unit(dataset, u, &unit, &err)) touch_error(&err);
        for (int i = 0; i < unit.count; i++) {
            const vb_sample *sample = &unit.samples[i];
            vb_image image = {0};
            if (sample->label < -1 || sample->label >= vb_dataset_labels(dataset)) abort();
            touch_bytes(sample->name, strlen(sample->name));
            touch_bytes(sample->bytes, sample->size);
            if (vb_dataset_sample_decode(sample, &image, &err)) touch_error(&err);
            vb_free(image.pixels);
        }
        vb_dataset_unit_free(&unit);
        memset(captions, 0, sizeof captions);
        if (vb_dataset_read_captions(dataset, u, captions, &err)) touch_error(&err);
        for (int i = 0; i < VB_UNIT_SAMPLES; i++) vb_free(captions[i]);
    }
}

static void open_file(const char *path) {
    vb_dataset *dataset, *other;
    vb_error err = {0};
    void *bytes;
    size_t size;
    vb_dataset_recognises(path);
    if (vb_dataset_open(&dataset, path, NULL, &err)) {
        touch_error(&err);
        return;
    }
    walk_index(dataset);
    read_units(dataset);
    if (vb_dataset_export(dataset, &bytes, &size, &err) || vb_dataset_import(&other, bytes, size, &err)) abort();
    walk_index(other);
    if (vb_dataset_samples(other) != vb_dataset_samples(dataset)) abort();
    vb_dataset_close(other);
    vb_free(bytes);
    vb_dataset_close(dataset);
}

static void read_names(const char *path) {
    vb_strings names;
    vb_error err = {0};
    if (vb_class_names_read(&names, path, &err)) touch_error(&err);
    for (size_t i = 0; i < names.count; i++) touch_bytes(names.items[i], strlen(names.items[i]));
    vb_strings_free(&names);
}

static void import_index(const uint8_t *data, size_t size) {
    vb_dataset *dataset;
    vb_error err = {0};
    if (vb_dataset_import(&dataset, data, size, &err)) touch_internal_error(&err);
    else {
        walk_index(dataset);
        vb_dataset_close(dataset);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct {
        const char *name;
        void (*read)(const char *path);
    } forms[] = {{"s.tar", open_file},        {"s.tar.zst", open_file},     {"test.bin", open_file},
                 {"classes.txt", read_names}, {"classes.json", read_names}, {NULL, NULL}};
    char folder[SCRATCH_PATH], path[SCRATCH_PATH];
    vb_json_parse_setup();
    if (!size) return 0;
    const size_t form = data[0] % (sizeof forms / sizeof *forms);
    if (!forms[form].name) import_index(data + 1, size - 1);
    else if (scratch_folder(folder, "datasets") && scratch_put(path, folder, forms[form].name, data + 1, size - 1)) {
        forms[form].read(path);
        unlink(path);
        rmdir(folder);
    }
    return 0;
}
