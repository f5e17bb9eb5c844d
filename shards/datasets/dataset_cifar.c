/* CIFAR-10 and CIFAR-100 binary files: fixed records of label bytes and 3 x 32 x 32 planes. */
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/datasets/class_names.h"
#include "shards/datasets/dataset_listing.h"
#include "shards/files/file.h"
#include "shards/files/path.h"

/* https://www.cs.toronto.edu/~kriz/cifar.html: CIFAR-10 <label><3072 pixels>, CIFAR-100 <coarse><fine><3072 pixels>. */
enum { SIDE = 32, PIXELS = 3 * SIDE * SIDE, RECORD10 = 1 + PIXELS, RECORD100 = 2 + PIXELS };
static_assert(RECORD10 == 3073 && RECORD100 == 3074, "the sizes that the format's page gives");

static const char *const names10[] = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};
static const char *const names100[] = {
    "apple",       "aquarium_fish", "baby",         "bear",         "beaver",     "bed",        "bee",       "beetle",
    "bicycle",     "bottle",        "bowl",         "boy",          "bridge",     "bus",        "butterfly", "camel",
    "can",         "castle",        "caterpillar",  "cattle",       "chair",      "chimpanzee", "clock",     "cloud",
    "cockroach",   "couch",         "crab",         "crocodile",    "cup",        "dinosaur",   "dolphin",   "elephant",
    "flatfish",    "forest",        "fox",          "girl",         "hamster",    "house",      "kangaroo",  "keyboard",
    "lamp",        "lawn_mower",    "leopard",      "lion",         "lizard",     "lobster",    "man",       "maple_tree",
    "motorcycle",  "mountain",      "mouse",        "mushroom",     "oak_tree",   "orange",     "orchid",    "otter",
    "palm_tree",   "pear",          "pickup_truck", "pine_tree",    "plain",      "plate",      "poppy",     "porcupine",
    "possum",      "rabbit",        "raccoon",      "ray",          "road",       "rocket",     "rose",      "sea",
    "seal",        "shark",         "shrew",        "skunk",        "skyscraper", "snail",      "snake",     "spider",
    "squirrel",    "streetcar",     "sunflower",    "sweet_pepper", "table",      "tank",       "telephone", "television",
    "tiger",       "tractor",       "train",        "trout",        "tulip",      "turtle",     "wardrobe",  "whale",
    "willow_tree", "wolf",          "woman",        "worm"};

static_assert(sizeof names10 == 10 * sizeof *names10 && sizeof names100 == 100 * sizeof *names100, "as many names as classes");

enum { CIFAR100, CIFAR10, VARIANTS };

static const struct variant {
    int classes;
    size_t label_bytes; /* the last one counts */
    size_t record;
    const char *const *names;
    const char *names_file; /* that may lie beside the data */
} variants[VARIANTS] = {
    [CIFAR100] = {100, 2, RECORD100, names100, "fine_label_names.txt"},
    [CIFAR10] = {10, 1, RECORD10, names10, "batches.meta.txt"},
};

static bool cifar_recognise(const char *path, const vb_path_facts *facts) {
    return vb_path_ends_with(path, ".bin") && facts->size && (facts->size % RECORD10 == 0 || facts->size % RECORD100 == 0);
}

static int cifar_refuse(const char *path, const vb_path_facts *facts, vb_error *err) {
    if (!vb_path_ends_with(path, ".bin")) return 0;
    return vb_errorf(err, VB_EDATA, "%s: %llu bytes: expected a multiple of %d (CIFAR-100) or %d (CIFAR-10): truncated?", path,
                     (unsigned long long)facts->size, RECORD100, RECORD10);
}

/* Where the size is a multiple of both records, the label bytes decide. */
static int find_variant(const char *path, uint64_t size, int *variant, vb_error *err) {
    *variant = size % RECORD100 ? CIFAR10 : CIFAR100;
    if (size % RECORD100 || size % RECORD10) return 0;
    vb_file file;
    if (vb_file_open(&file, path, err)) return -1;
    int status = 0;
    for (uint64_t at = 0; !status && *variant == CIFAR100 && at < size; at += RECORD100) {
        uint8_t label[2];
        status = vb_file_read(&file, at, label, sizeof label, err);
        if (!status && (label[0] >= 20 || label[1] >= 100)) *variant = CIFAR10;
    }
    vb_file_close(&file);
    return status;
}

/* Names beside the file, else the official ones. */
static int find_names(vb_dataset_listing *listing, const char *path, vb_error *err) {
    const struct variant *variant = &variants[listing->variant];
    char *beside = vb_path_beside(path, variant->names_file, err);
    if (!beside) return -1;
    int status = 0;
    if (vb_path_exists(beside)) status = vb_class_names_read(&listing->class_names, beside, err);
    else
        for (int i = 0; !status && i < variant->classes; i++)
            status = vb_strings_add(&listing->class_names, variant->names[i], err);
    vb_free(beside);
    return status;
}

static int cifar_list(vb_dataset_listing *listing, const vb_strings *paths, vb_error *err) {
    int64_t samples = 0;
    for (size_t i = 0; i < paths->count; i++) {
        const char *path = paths->items[i];
        vb_path_facts facts;
        int variant;
        if (vb_path_stat(path, &facts, err) || find_variant(path, facts.size, &variant, err)) return -1;
        if (i && variant != listing->variant)
            return vb_errorf(err, VB_EMISMATCH, "%s is a CIFAR-%d binary, %s a CIFAR-%d binary", path, variants[variant].classes,
                             paths->items[0], variants[listing->variant].classes);
        listing->variant = variant;
        if (vb_dataset_listing_file(listing, path, facts.size, err)) return -1;
        listing->file[i].first = samples;
        listing->file[i].count = (int64_t)(facts.size / variants[variant].record);
        samples += listing->file[i].count;
    }
    return listing->class_names.count ? 0 : find_names(listing, paths->items[0], err);
}

static int cifar_read(const vb_dataset *dataset, vb_unit_range range, vb_unit_data *data, vb_sample_extra *extras, bool bytes,
                      vb_error *err) {
    (void)extras; /* has_captions is false */
    enum { NAME_ROOM = 24 };
    vb_unit_storage *storage = data->storage;
    int64_t index = vb_dataset_index_file_of(dataset, range.first);
    const vb_dataset_file *file = &dataset->file[index];
    const char *path = vb_dataset_index_path(dataset, index), *base = vb_path_base_name(path);
    size_t labels = variants[dataset->head->variant].label_bytes, record = variants[dataset->head->variant].record;
    size_t wanted = bytes ? record : labels, room = NAME_ROOM + strlen(base) + 1;
    uint64_t begin = (uint64_t)(range.first - file->first) * record;
    uint8_t *block = vb_array((size_t)range.count, wanted, "CIFAR records", err);
    vb_source *source;
    if (!block) return -1;
    storage->block[storage->blocks++] = block;
    if (!(storage->names = vb_array((size_t)range.count, room, "sample names", err))) return -1;
    if (vb_dataset_index_source(dataset, index, begin, &source, err)) return -1;
    int status = 0;
    if (bytes) status = vb_source_read(source, begin, block, (size_t)range.count * record, err);
    for (int i = 0; !bytes && !status && i < range.count; i++)
        status = vb_source_read(source, begin + (uint64_t)i * record, block + (size_t)i * labels, labels, err);
    if (status) {
        vb_source_close(source);
        return -1;
    }
    vb_dataset_sources_return(dataset->sources, index, source);
    for (int i = 0; i < range.count; i++) {
        const uint8_t *at = block + (size_t)i * wanted;
        long long number = (long long)(range.first - file->first) + i;
        char *name = storage->names + (size_t)i * room;
        if (dataset->head->files > 1) snprintf(name, room, "%s/%06lld", base, number);
        else snprintf(name, room, "%06lld", number);
        uint8_t label = at[labels - 1];
        if (label >= dataset->head->label_names)
            return vb_errorf(err, VB_EDATA, "%s: record %lld (offset %lld): label byte %d, expected 0 to %d", path, number,
                             number * (long long)record, label, (int)dataset->head->label_names - 1);
        data->samples[i] = (vb_sample){.name = name, .label = label, .raw_width = SIDE, .raw_height = SIDE};
        if (!bytes) continue;
        data->samples[i].bytes = at + labels;
        data->samples[i].size = PIXELS;
    }
    return 0;
}

const vb_dataset_format vb_dataset_format_cifar = {
    .variants = {[CIFAR100] = "CIFAR-100 binary", [CIFAR10] = "CIFAR-10 binary"},
    .expected = "CIFAR-10/100 binary files (.bin)",
    .fixed_records = true,
    .recognise = cifar_recognise,
    .refuse = cifar_refuse,
    .list = cifar_list,
    .read = cifar_read,
};
