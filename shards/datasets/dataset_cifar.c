/* CIFAR-10 and CIFAR-100 binary files: fixed records of label bytes and 3 x 32 x 32 planes. */
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/datasets/dataset_kinds.h"
#include "shards/files/file.h"
#include "shards/files/path.h"

/* https://www.cs.toronto.edu/~kriz/cifar.html: CIFAR-10 <label><3072 pixels>, CIFAR-100 <coarse><fine><3072 pixels>. */
enum { RECORD10 = 1 + VB_CIFAR_PIXELS, RECORD100 = 2 + VB_CIFAR_PIXELS };

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

bool vb_is_cifar(const char *path, uint64_t size) {
    return vb_path_ends_with(path, ".bin") && size && (size % RECORD10 == 0 || size % RECORD100 == 0);
}

/* A size that is a multiple of both records says nothing: then the label bytes decide. */
static int find_sort(const char *path, uint64_t size, vb_dataset_sort *sort, vb_error *err) {
    *sort = size % RECORD100 ? VB_CIFAR10 : VB_CIFAR100;
    if (size % RECORD100 || size % RECORD10) return 0;
    vb_file file;
    if (vb_file_open(&file, path, err)) return -1;
    int status = 0;
    for (uint64_t at = 0; !status && *sort == VB_CIFAR100 && at < size; at += RECORD100) {
        uint8_t label[2];
        status = vb_file_read(&file, at, label, sizeof label, err);
        if (!status && (label[0] >= 20 || label[1] >= 100)) *sort = VB_CIFAR10;
    }
    vb_file_close(&file);
    return status;
}

/* Names beside the file, else the official ones. */
static int find_names(vb_listing *listing, const char *path, vb_error *err) {
    bool fine = listing->sort == VB_CIFAR100;
    char *beside = vb_path_beside(path, fine ? "fine_label_names.txt" : "batches.meta.txt", err);
    if (!beside) return -1;
    int status = 0;
    if (vb_path_exists(beside)) {
        status = vb_read_class_names(beside, &listing->class_names, &listing->class_count, err);
        vb_free(beside);
        return status;
    }
    vb_free(beside);
    const char *const *names = fine ? names100 : names10;
    size_t count = fine ? sizeof names100 / sizeof *names100 : sizeof names10 / sizeof *names10;
    if (!(listing->class_names = vb_array(count, sizeof *listing->class_names, "class names", err))) return -1;
    for (; listing->class_count < count; listing->class_count++)
        if (!(listing->class_names[listing->class_count] = vb_strdup(names[listing->class_count], err))) return -1;
    return 0;
}

int vb_list_cifar(vb_listing *listing, const vb_strings *paths, vb_error *err) {
    int64_t samples = 0;
    for (size_t i = 0; i < paths->count; i++) {
        const char *path = paths->items[i];
        vb_path_facts facts;
        vb_dataset_sort sort;
        if (vb_path_stat(path, &facts, err) || find_sort(path, facts.size, &sort, err)) return -1;
        if (i && sort != listing->sort)
            return vb_errorf(err, VB_EMISMATCH, "%s is a CIFAR-%d binary, %s a CIFAR-%d binary", path,
                             sort == VB_CIFAR100 ? 100 : 10, paths->items[0], sort == VB_CIFAR100 ? 10 : 100);
        listing->sort = sort;
        if (vb_listing_file(listing, path, facts.size, err)) return -1;
        listing->file[i].first = samples;
        listing->file[i].count = (int64_t)(facts.size / (sort == VB_CIFAR100 ? RECORD100 : RECORD10));
        samples += listing->file[i].count;
    }
    return listing->class_count ? 0 : find_names(listing, paths->items[0], err);
}

int vb_read_cifar(const vb_dataset *dataset, vb_unit_range range, vb_unit_data *data, bool bytes, vb_error *err) {
    enum { NAME_ROOM = 24 };
    vb_unit_storage *storage = data->storage;
    int64_t index = vb_dataset_file_of(dataset, range.first);
    const vb_dataset_file *file = &dataset->file[index];
    const char *path = vb_dataset_text(dataset, file->path), *base = vb_path_base_name(path);
    size_t labels = dataset->head->sort == VB_CIFAR100 ? 2 : 1, record = labels + VB_CIFAR_PIXELS;
    size_t wanted = bytes ? record : labels, room = NAME_ROOM + strlen(base) + 1;
    uint64_t begin = (uint64_t)(range.first - file->first) * record;
    uint8_t *block = vb_array((size_t)range.count, wanted, "CIFAR records", err);
    vb_source *source;
    if (!block) return -1;
    storage->block[storage->blocks++] = block;
    if (!(storage->names = vb_array((size_t)range.count, room, "sample names", err))) return -1;
    if (vb_dataset_take_source(dataset, index, begin, &source, err)) return -1;
    int status = 0;
    if (bytes) status = vb_source_read(source, begin, block, (size_t)range.count * record, err);
    for (int i = 0; !bytes && !status && i < range.count; i++)
        status = vb_source_read(source, begin + (uint64_t)i * record, block + (size_t)i * labels, labels, err);
    if (status) {
        vb_source_close(source);
        return -1;
    }
    vb_dataset_return_source(dataset, index, source);
    for (int i = 0; i < range.count; i++) {
        const uint8_t *at = block + (size_t)i * wanted;
        long long number = (long long)(range.first - file->first) + i;
        char *name = storage->names + (size_t)i * room;
        if (dataset->head->files > 1) snprintf(name, room, "%s/%06lld", base, number);
        else snprintf(name, room, "%06lld", number);
        uint8_t label = at[labels - 1];
        if (label >= dataset->head->label_names)
            return vb_errorf(err, VB_EDATA, "%s: record %lld (offset %lld): label byte %d, expected 0 to %d", path, number,
                             number * (long long)record, label, vb_dataset_labels(dataset) - 1);
        data->samples[i] = (vb_sample){.name = name, .label = label, .raw_width = VB_CIFAR_SIDE, .raw_height = VB_CIFAR_SIDE};
        if (!bytes) continue;
        data->samples[i].bytes = at + labels;
        data->samples[i].size = VB_CIFAR_PIXELS;
    }
    return 0;
}
