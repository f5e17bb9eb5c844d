/* The index of a dataset: the block, the checks of a block that came from elsewhere, and the cut into units. */
#include "shards/datasets/dataset_index.h"

#include <string.h>

#include "kernels/base/memory.h"

const char vb_dataset_index_magic[8] = {'v', 'b', 'i', 'n', 'd', 'e', 'x', '3'};

int vb_dataset_index_unit_size(int64_t samples) {
    enum { WANTED_UNITS = 64, FEWEST = 8 };
    int full = VB_UNIT_SAMPLES;
    while (full > FEWEST && samples < (int64_t)full * WANTED_UNITS) full /= 2;
    return full;
}

vb_unit_range vb_dataset_index_unit(const vb_dataset *dataset, int64_t unit) {
    assert(unit >= 0 && unit < dataset->head->units);
    if (!dataset->head->fixed_records)
        return (vb_unit_range){dataset->cut[unit], (int)(dataset->cut[unit + 1] - dataset->cut[unit])};
    int64_t low = 0, high = (int64_t)dataset->head->files;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (dataset->file[middle].first_unit <= unit) low = middle;
        else high = middle;
    }
    int64_t full = vb_dataset_index_unit_size(dataset->head->samples), skipped = (unit - dataset->file[low].first_unit) * full,
            left = dataset->file[low].count - skipped;
    return (vb_unit_range){dataset->file[low].first + skipped, (int)(left < full ? left : full)};
}

int64_t vb_dataset_index_file_of(const vb_dataset *dataset, int64_t sample) {
    int64_t low = 0, high = (int64_t)dataset->head->files;
    while (high - low > 1) { /* the last file that begins at or before the sample: empty ones before it are passed over */
        int64_t middle = low + (high - low) / 2;
        if (dataset->file[middle].first <= sample) low = middle;
        else high = middle;
    }
    return low;
}

/* ---- the block ---- */

size_t vb_dataset_index_size(const vb_dataset_head *head) {
    return sizeof *head + head->files * sizeof(vb_dataset_file) + head->cuts * sizeof(int64_t) + head->places * sizeof(vb_place) +
           head->names * (sizeof(vb_pooled) + sizeof(int32_t)) + (head->label_names + head->ignored_names) * sizeof(vb_pooled) +
           head->pool;
}

void vb_dataset_index_point(vb_dataset *dataset, void *block) {
    vb_dataset_head *head = dataset->head = block;
    dataset->file = (vb_dataset_file *)(head + 1);
    dataset->cut = (int64_t *)(dataset->file + head->files);
    dataset->place = (vb_place *)(dataset->cut + head->cuts);
    dataset->name = (vb_pooled *)(dataset->place + head->places);
    dataset->label = (int32_t *)(dataset->name + head->names);
    dataset->label_name = (vb_pooled *)(dataset->label + head->names);
    dataset->ignored_name = dataset->label_name + head->label_names;
    dataset->pool = (char *)(dataset->ignored_name + head->ignored_names);
}

static bool lengths_fit(const vb_dataset_head *head, size_t size) {
    uint64_t lengths[] = {head->files, head->cuts, head->places, head->names, head->label_names, head->ignored_names, head->pool};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        if (lengths[i] > size) return false; /* no sum of products can overflow then */
    return size < (size_t)1 << 56 && head->size == size && vb_dataset_index_size(head) == size;
}

static bool is_sound(const vb_dataset *dataset) {
    const vb_dataset_head *head = dataset->head;
    bool fixed = head->fixed_records;
    if (head->format < 0 || head->variant < 0 || head->samples < 0 || head->units < 0) return false;
    if (head->label_names > INT32_MAX) return false;
    if (!head->pool || dataset->pool[head->pool - 1]) return false;
    if (head->cuts != (fixed ? 0 : (uint64_t)head->units + 1) || head->names != (fixed ? 0 : (uint64_t)head->samples))
        return false;
    if (head->places != (head->placed ? head->names : 0)) return false;
    int64_t samples = 0, units = 0, full = vb_dataset_index_unit_size(head->samples);
    for (uint64_t i = 0; i < head->files; i++) {
        const vb_dataset_file *file = &dataset->file[i];
        if (file->path >= head->pool || file->first != samples || file->first_unit != units) return false;
        if (file->count < 0 || file->count > head->samples - samples) return false;
        if (!fixed && file->count && (units == head->units || dataset->cut[units] != samples))
            return false; /* units end with their file */
        samples += file->count;
        if (fixed) units += (file->count + full - 1) / full;
        while (!fixed && units < head->units && dataset->cut[units] < samples) units++;
    }
    if (samples != head->samples || units != head->units) return false;
    for (uint64_t i = 0; i < head->cuts; i++) {
        int64_t begin = i ? dataset->cut[i - 1] : 0, n = dataset->cut[i] - begin;
        if (i ? dataset->cut[i] <= begin || n > full : dataset->cut[i] != 0) return false;
    }
    if (head->cuts && dataset->cut[head->units] != head->samples) return false;
    for (uint64_t i = 0; i < head->names; i++)
        if (dataset->name[i] >= head->pool || dataset->label[i] < VB_NO_LABEL || dataset->label[i] >= (int64_t)head->label_names)
            return false;
    for (uint64_t i = 0; i < head->places; i++)
        if (dataset->place[i].before > dataset->place[i].offset) return false;
    for (uint64_t i = 0; i < head->label_names; i++)
        if (dataset->label_name[i] >= head->pool) return false;
    for (uint64_t i = 0; i < head->ignored_names; i++)
        if (dataset->ignored_name[i] >= head->pool) return false;
    return head->ignored >= 0 && head->ignored_names <= VB_IGNORED_NAMES && (uint64_t)head->ignored >= head->ignored_names;
}

int vb_dataset_index_attach(vb_dataset **out, void *block, size_t size, vb_error *err) {
    *out = NULL;
    vb_dataset *dataset = vb_array(1, sizeof *dataset, "dataset", err);
    vb_digester *digester = NULL;
    int status = -1;
    if (!dataset) {
        vb_free(block);
        return -1;
    }
    dataset->head = block;
    if (size < sizeof(vb_dataset_head) || memcmp(dataset->head->magic, vb_dataset_index_magic, sizeof vb_dataset_index_magic) ||
        !lengths_fit(dataset->head, size)) {
        vb_errorf(err, VB_EINTERNAL, "these %zu bytes are no index of a dataset", size);
        goto done;
    }
    vb_dataset_index_point(dataset, block);
    if (!is_sound(dataset)) {
        vb_errorf(err, VB_EINTERNAL, "the index of a dataset contradicts itself");
        goto done;
    }
    if (vb_dataset_sources_new(&dataset->sources, err) || vb_digest_new(&digester, err)) goto done;
    for (uint64_t i = 0; i < dataset->head->label_names; i++)
        vb_digest_add_text(digester, vb_dataset_index_text(dataset, dataset->label_name[i]));
    dataset->labels_digest = vb_digest_finish(digester);
    *out = dataset;
    status = 0;
done:
    if (status) vb_dataset_index_free(dataset);
    return status;
}

void vb_dataset_index_free(vb_dataset *dataset) {
    if (!dataset) return;
    vb_dataset_sources_free(dataset->sources);
    vb_free(dataset->head);
    vb_free(dataset);
}
