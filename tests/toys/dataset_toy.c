/* Toy datasets: FILE.toyset, records of a label byte and 3 x 2 x 2 planes. What tests/cli/test_extending.sh adds. */
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/datasets/dataset_listing.h"
#include "shards/files/file.h"

enum { SIDE = 2, PIXELS = 3 * SIDE * SIDE, RECORD = 1 + PIXELS, NAME_ROOM = 16 };

static bool recognise(const char *path, const vb_path_facts *facts) {
    return vb_path_ends_with(path, ".toyset") && facts->size && facts->size % RECORD == 0;
}

static int list(vb_dataset_listing *listing, const vb_strings *paths, vb_error *err) {
    static const char *const names[] = {"apple", "bear", "chair"};
    int64_t samples = 0;
    for (size_t i = 0; i < paths->count; i++) {
        vb_path_facts facts;
        if (vb_path_stat(paths->items[i], &facts, err) || vb_dataset_listing_file(listing, paths->items[i], facts.size, err))
            return -1;
        listing->file[i].first = samples;
        listing->file[i].count = (int64_t)(facts.size / RECORD);
        samples += listing->file[i].count;
    }
    for (int i = 0; i < 3; i++)
        if (vb_strings_add(&listing->class_names, names[i], err)) return -1;
    return 0;
}

static int read_records(const vb_dataset *dataset, vb_unit_range range, vb_unit_data *data, vb_sample_extra *extras, bool bytes,
                        vb_error *err) {
    (void)extras;
    vb_unit_storage *storage = data->storage;
    int64_t index = vb_dataset_index_file_of(dataset, range.first);
    uint64_t begin = (uint64_t)(range.first - dataset->file[index].first) * RECORD;
    uint8_t *block = vb_array((size_t)range.count, RECORD, "toy records", err);
    vb_file file;
    if (!block) return -1;
    storage->block[storage->blocks++] = block;
    if (!(storage->names = vb_array((size_t)range.count, NAME_ROOM, "sample names", err))) return -1;
    if (vb_file_open(&file, vb_dataset_index_path(dataset, index), err)) return -1;
    int status = vb_file_read(&file, begin, block, (size_t)range.count * RECORD, err);
    vb_file_close(&file);
    for (int i = 0; i < range.count && !status; i++) {
        char *name = storage->names + (size_t)i * NAME_ROOM;
        snprintf(name, NAME_ROOM, "%06d", (int)range.first + i);
        data->samples[i] = (vb_sample){.name = name, .label = block[i * RECORD], .raw_width = SIDE, .raw_height = SIDE};
        if (!bytes) continue;
        data->samples[i].bytes = block + i * RECORD + 1;
        data->samples[i].size = PIXELS;
    }
    return status;
}

const vb_dataset_format vb_dataset_format_toy = {
    .variants = {"toy set"},
    .expected = "toy sets (.toyset)",
    .fixed_records = true,
    .recognise = recognise,
    .list = list,
    .read = read_records,
};
