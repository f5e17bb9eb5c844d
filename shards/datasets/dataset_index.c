/* The index of a dataset: listings that grow, labels and units settled, all frozen into one block that can be sent. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <xxhash.h>

#include "kernels/base/memory.h"
#include "shards/datasets/dataset_kinds.h"
#include "shards/files/file.h"

static const char magic[8] = {'v', 'b', 'i', 'n', 'd', 'e', 'x', '1'};

/* ---- listing ---- */

void vb_listing_free(vb_listing *listing) {
    vb_free(listing->file);
    vb_free(listing->sample);
    vb_free(listing->label_text);
    vb_free(listing->slot);
    vb_free(listing->pool);
    vb_free_names(listing->class_names, listing->class_count);
    *listing = (vb_listing){0};
}

int vb_listing_text(vb_listing *listing, const char *text, size_t size, vb_pooled *at, vb_error *err) {
    if (listing->pool_size + size + 1 > UINT32_MAX)
        return vb_errorf(err, VB_EUNSUPPORTED, "the names of the samples take more than 4 GiB");
    if (vb_grow((void **)&listing->pool, &listing->pool_capacity, listing->pool_size + size + 1, 1, "names of samples", err))
        return -1;
    *at = (vb_pooled)listing->pool_size;
    memcpy(listing->pool + *at, text, size);
    listing->pool[*at + size] = 0;
    listing->pool_size += size + 1;
    return 0;
}

static int enlarge_slots(vb_listing *listing, vb_error *err) {
    size_t slots = listing->slots ? listing->slots * 2 : 256;
    uint32_t *slot = vb_array(slots, sizeof *slot, "labels", err);
    if (!slot) return -1;
    for (size_t i = 0; i < listing->labels; i++) {
        const char *text = listing->pool + listing->label_text[i];
        size_t at = XXH3_64bits(text, strlen(text)) & (slots - 1);
        while (slot[at]) at = (at + 1) & (slots - 1);
        slot[at] = (uint32_t)i + 1;
    }
    vb_free(listing->slot);
    listing->slot = slot;
    listing->slots = slots;
    return 0;
}

int vb_listing_label(vb_listing *listing, const char *text, size_t size, int32_t *label, vb_error *err) {
    if (listing->labels * 2 >= listing->slots && enlarge_slots(listing, err)) return -1;
    size_t at = XXH3_64bits(text, size) & (listing->slots - 1);
    for (; listing->slot[at]; at = (at + 1) & (listing->slots - 1)) {
        const char *known = listing->pool + listing->label_text[listing->slot[at] - 1];
        if (!strncmp(known, text, size) && !known[size]) {
            *label = (int32_t)(listing->slot[at] - 1);
            return 0;
        }
    }
    if (listing->labels == INT32_MAX) return vb_errorf(err, VB_EUNSUPPORTED, "more than %d distinct labels", INT32_MAX);
    if (vb_grow((void **)&listing->label_text, &listing->label_capacity, listing->labels + 1, sizeof *listing->label_text,
                "labels", err))
        return -1;
    if (vb_listing_text(listing, text, size, &listing->label_text[listing->labels], err)) return -1;
    *label = (int32_t)listing->labels;
    listing->slot[at] = (uint32_t)++listing->labels;
    return 0;
}

int vb_listing_file(vb_listing *listing, const char *path, uint64_t bytes, vb_error *err) {
    if (vb_grow((void **)&listing->file, &listing->file_capacity, listing->files + 1, sizeof *listing->file, "files", err))
        return -1;
    vb_dataset_file *file = &listing->file[listing->files];
    *file = (vb_dataset_file){.first = (int64_t)listing->samples, .bytes = bytes};
    if (vb_listing_text(listing, path, strlen(path), &file->path, err)) return -1;
    listing->files++;
    return 0;
}

int vb_listing_sample(vb_listing *listing, const vb_listed *sample, vb_error *err) {
    if (vb_grow((void **)&listing->sample, &listing->sample_capacity, listing->samples + 1, sizeof *listing->sample, "samples",
                err))
        return -1;
    listing->sample[listing->samples++] = *sample;
    return 0;
}

static int by_name(const void *a, const void *b, void *pool) {
    return strcmp((const char *)pool + ((const vb_listed *)a)->name, (const char *)pool + ((const vb_listed *)b)->name);
}

void vb_listing_sort(vb_listing *listing, size_t first) {
    if (listing->samples > first)
        qsort_r(listing->sample + first, listing->samples - first, sizeof *listing->sample, by_name, listing->pool);
}

/* ---- labels ---- */

/* A decimal integer without sign; *value is -1 when it does not fit. */
static bool is_number(const char *text, int32_t *value) {
    int64_t number = 0;
    if (!*text) return false;
    for (; *text >= '0' && *text <= '9'; text++)
        if (number <= INT32_MAX) number = number * 10 + (*text - '0');
    *value = number > INT32_MAX ? -1 : (int32_t)number;
    return !*text;
}

typedef struct named { /* a label, or a class name, on its way to its place */
    const char *text;
    int32_t number, index;
} named;

static int named_by_text(const void *a, const void *b) {
    const named *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static int named_by_number(const void *a, const void *b) {
    const named *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static int32_t find_name(const named *sorted, size_t count, const char *text) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(sorted[middle].text, text) < 0) low = middle + 1;
        else high = middle;
    }
    return low < count && !strcmp(sorted[low].text, text) ? sorted[low].index : VB_NO_LABEL;
}

static const char *first_with_label(const vb_listing *listing, int32_t label) {
    for (size_t i = 0; i < listing->samples; i++)
        if (listing->sample[i].label == label) return listing->pool + listing->sample[i].name;
    return "?";
}

/* Final labels: class names in their order (integers index them), then names that are none of them in byte order. Without class
 * names: integers by value when all labels of shards are integers, else names in byte order. final[i]: index of label_text[i];
 * *names: their texts. */
static int settle_labels(vb_listing *listing, int32_t *final, vb_pooled **names, size_t *count, bool *numbers, vb_error *err) {
    size_t n = listing->labels, classes = listing->class_count, extra = 0;
    int status = -1;
    *names = vb_array(n + classes, sizeof **names, "labels", err);
    named *found = vb_array(n, sizeof *found, "labels", err), *class = vb_array(classes, sizeof *class, "class names", err);
    if (!*names || !found || !class) goto done;
    *count = classes;
    for (size_t i = 0; i < classes; i++) {
        const char *text = listing->class_names[i];
        if (vb_listing_text(listing, text, strlen(text), &(*names)[i], err)) goto done;
        class[i] = (named){text, 0, (int32_t)i};
    }
    qsort(class, classes, sizeof *class, named_by_text);
    bool all_numbers = listing->sort == VB_WEBDATASET && n > 0;
    for (size_t i = 0; i < n; i++) {
        int32_t number = VB_NO_LABEL;
        const char *text = listing->pool + listing->label_text[i];
        bool numeric = is_number(text, &number);
        if (!numeric) all_numbers = false;
        if (numeric && number < 0 && (classes || listing->sort == VB_WEBDATASET)) {
            vb_errorf(err, VB_EDATA, "sample '%s': label %s is out of range", first_with_label(listing, (int32_t)i), text);
            goto done;
        }
        if (numeric && classes && (size_t)number >= classes) {
            vb_errorf(err, VB_EMISMATCH, "sample '%s': label %s, but there are %zu class names (0 to %zu)",
                      first_with_label(listing, (int32_t)i), text, classes, classes - 1);
            goto done;
        }
        final[i] = numeric && classes ? number : find_name(class, classes, text);
        if (final[i] == VB_NO_LABEL) found[extra++] = (named){text, number, (int32_t)i};
    }
    *numbers = all_numbers && !classes;
    if (extra) qsort(found, extra, sizeof *found, *numbers ? named_by_number : named_by_text);
    for (size_t i = 0; i < extra; i++) {
        bool same = *numbers && i && found[i].number == found[i - 1].number; /* "7" and "007" */
        if (!same) (*names)[(*count)++] = listing->label_text[found[i].index];
        final[found[i].index] = (int32_t)*count - 1;
    }
    status = 0;
    for (size_t i = 0; *numbers && !status && i < *count; i++) { /* the decimal number, without leading zeros */
        const char *text = listing->pool + (*names)[i];
        while (text[0] == '0' && text[1]) text++;
        (*names)[i] = (vb_pooled)(text - listing->pool);
    }
done:
    vb_free(found);
    vb_free(class);
    if (status) {
        vb_free(*names);
        *names = NULL;
    }
    return status;
}

/* ---- the block ---- */

static size_t block_size(const vb_dataset_head *head) {
    return sizeof *head + head->files * sizeof(vb_dataset_file) + head->cuts * sizeof(int64_t) + head->places * sizeof(vb_place) +
           head->names * (sizeof(vb_pooled) + sizeof(int32_t)) + head->label_names * sizeof(vb_pooled) + head->pool;
}

static void point_into(vb_dataset *dataset, void *block) {
    vb_dataset_head *head = dataset->head = block;
    dataset->file = (vb_dataset_file *)(head + 1);
    dataset->cut = (int64_t *)(dataset->file + head->files);
    dataset->place = (vb_place *)(dataset->cut + head->cuts);
    dataset->name = (vb_pooled *)(dataset->place + head->places);
    dataset->label = (int32_t *)(dataset->name + head->names);
    dataset->label_name = (vb_pooled *)(dataset->label + head->names);
    dataset->pool = (char *)(dataset->label_name + head->label_names);
}

static bool lengths_fit(const vb_dataset_head *head, size_t size) {
    uint64_t lengths[] = {head->files, head->cuts, head->places, head->names, head->label_names, head->pool};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        if (lengths[i] > size) return false; /* no sum of products can overflow then */
    return size < (size_t)1 << 56 && head->size == size && block_size(head) == size;
}

static bool is_sound(const vb_dataset *dataset) {
    const vb_dataset_head *head = dataset->head;
    bool cifar = head->sort == VB_CIFAR100 || head->sort == VB_CIFAR10, shards = head->sort == VB_WEBDATASET;
    if (head->sort < 0 || head->sort >= VB_DATASET_SORTS || head->samples < 0 || head->units < 0) return false;
    if (head->label_names > INT32_MAX) return false;
    if (!head->pool || dataset->pool[head->pool - 1]) return false;
    if (head->cuts != (cifar ? 0 : (uint64_t)head->units + 1) || head->names != (cifar ? 0 : (uint64_t)head->samples))
        return false;
    if (head->places != (shards ? head->names : 0)) return false;
    int64_t samples = 0, units = 0, full = vb_dataset_unit_samples(dataset);
    for (uint64_t i = 0; i < head->files; i++) {
        const vb_dataset_file *file = &dataset->file[i];
        if (file->path >= head->pool || file->first != samples || file->first_unit != units) return false;
        if (file->count < 0 || file->count > head->samples - samples) return false;
        if (!cifar && file->count && (units == head->units || dataset->cut[units] != samples))
            return false; /* units end with their file */
        samples += file->count;
        if (cifar) units += (file->count + full - 1) / full;
        while (!cifar && units < head->units && dataset->cut[units] < samples) units++;
    }
    if (samples != head->samples || units != head->units) return false;
    for (uint64_t i = 0; i < head->cuts; i++) {
        int64_t begin = i ? dataset->cut[i - 1] : 0, n = dataset->cut[i] - begin;
        if (i ? dataset->cut[i] <= begin || n > full : dataset->cut[i] != 0) return false;
    }
    if (head->cuts && dataset->cut[head->units] != head->samples) return false;
    for (uint64_t i = 0; i < head->names; i++)
        if (dataset->name[i] >= head->pool || dataset->label[i] < VB_NO_LABEL || dataset->label[i] >= vb_dataset_labels(dataset))
            return false;
    for (uint64_t i = 0; i < head->places; i++)
        if (dataset->place[i].before > dataset->place[i].offset) return false;
    for (uint64_t i = 0; i < head->label_names; i++)
        if (dataset->label_name[i] >= head->pool) return false;
    return true;
}

int vb_dataset_attach(vb_dataset **out, void *block, size_t size, vb_error *err) {
    *out = NULL;
    vb_dataset *dataset = vb_array(1, sizeof *dataset, "dataset", err);
    vb_digester *digester = NULL;
    if (!dataset) {
        vb_free(block);
        return -1;
    }
    dataset->head = block;
    if (size < sizeof(vb_dataset_head) || memcmp(dataset->head->magic, magic, sizeof magic) ||
        !lengths_fit(dataset->head, size)) {
        vb_errorf(err, VB_EINTERNAL, "these %zu bytes are no index of a dataset", size);
        goto failed;
    }
    point_into(dataset, block);
    if (!is_sound(dataset)) {
        vb_errorf(err, VB_EINTERNAL, "the index of a dataset contradicts itself");
        goto failed;
    }
    if (vb_idle_sources_new(&dataset->idle, err) || vb_digest_new(&digester, err)) goto failed;
    for (uint64_t i = 0; i < dataset->head->label_names; i++)
        vb_digest_add_text(digester, vb_dataset_text(dataset, dataset->label_name[i]));
    dataset->labels_digest = vb_digest_finish(digester);
    *out = dataset;
    return 0;
failed:
    vb_dataset_close(dataset);
    return -1;
}

/* Cuts a file's samples where a unit is full: by number, or by bytes. samples: of the whole dataset. Counts when `cut` is
 * NULL. */
static int64_t cut_units(const vb_listing *listing, const vb_dataset_file *file, int64_t samples, int64_t *cut) {
    int64_t units = 0, begin = file->first, full = vb_dataset_unit_size(samples);
    uint64_t weight = 0;
    for (int64_t i = file->first; i < file->first + file->count; i++) {
        uint64_t more = listing->sample[i].weight;
        if (i == begin || i - begin == full || weight + more > VB_UNIT_BYTES) {
            if (cut) cut[units] = i;
            units++;
            begin = i;
            weight = 0;
        }
        weight += more;
    }
    return units;
}

int vb_listing_freeze(vb_listing *listing, vb_dataset **dataset, vb_error *err) {
    bool cifar = listing->sort == VB_CIFAR100 || listing->sort == VB_CIFAR10, numbers = false;
    vb_dataset_head head = {.sort = (int32_t)listing->sort, .ignored = listing->ignored, .files = listing->files};
    vb_pooled *names = NULL;
    size_t labels = 0;
    int status = -1;
    int32_t *final = vb_array(listing->labels, sizeof *final, "labels", err);
    void *block = NULL;
    if (!final || settle_labels(listing, final, &names, &labels, &numbers, err)) goto done;
    for (size_t i = 0; i < listing->files; i++) {
        vb_dataset_file *file = &listing->file[i];
        if (!cifar) file->count = (i + 1 < listing->files ? listing->file[i + 1].first : (int64_t)listing->samples) - file->first;
        head.samples += file->count;
        head.bytes += file->bytes;
    }
    for (size_t i = 0; i < listing->files; i++) {
        vb_dataset_file *file = &listing->file[i];
        int full = vb_dataset_unit_size(head.samples);
        file->first_unit = head.units;
        head.units += cifar ? (file->count + full - 1) / full : cut_units(listing, file, head.samples, NULL);
    }
    memcpy(head.magic, magic, sizeof magic);
    head.numbers = numbers;
    head.label_names = labels;
    head.pool = listing->pool_size;
    head.cuts = cifar ? 0 : (uint64_t)head.units + 1;
    head.names = cifar ? 0 : listing->samples;
    head.places = listing->sort == VB_WEBDATASET ? listing->samples : 0;
    head.size = block_size(&head);
    if (!(block = vb_array(head.size, 1, "index of the dataset", err))) goto done;
    *(vb_dataset_head *)block = head;
    vb_dataset view = {0};
    point_into(&view, block);
    memcpy(view.file, listing->file, listing->files * sizeof *view.file);
    for (size_t i = 0; !cifar && i < listing->files; i++)
        cut_units(listing, &listing->file[i], head.samples, view.cut + listing->file[i].first_unit);
    if (!cifar) view.cut[head.units] = head.samples;
    for (size_t i = 0; i < head.names; i++) {
        const vb_listed *sample = &listing->sample[i];
        view.name[i] = sample->name;
        view.label[i] = sample->label == VB_NO_LABEL ? VB_NO_LABEL : final[sample->label];
        if (head.places) view.place[i] = sample->place;
    }
    memcpy(view.label_name, names, labels * sizeof *names);
    memcpy(view.pool, listing->pool, listing->pool_size);
    status = vb_dataset_attach(dataset, block, head.size, err);
done:
    vb_free(names);
    vb_free(final);
    return status;
}

int64_t vb_dataset_file_of(const vb_dataset *dataset, int64_t sample) {
    int64_t low = 0, high = (int64_t)dataset->head->files;
    while (high - low > 1) { /* the last file that begins at or before the sample: empty ones before it are passed over */
        int64_t middle = low + (high - low) / 2;
        if (dataset->file[middle].first <= sample) low = middle;
        else high = middle;
    }
    return low;
}

/* ---- files beside the data ---- */

int vb_read_class_names(const char *path, char ***names, size_t *count, vb_error *err) {
    enum { LIMIT = 1 << 26 };
    *names = NULL;
    *count = 0;
    uint8_t *bytes;
    size_t size, capacity = 0;
    int status = -1;
    if (vb_file_read_whole(path, LIMIT, &bytes, &size, err)) return -1;
    if (memchr(bytes, 0, size)) {
        vb_errorf(err, VB_EDATA, "%s: NUL byte: expected one class name a line", path);
        goto done;
    }
    while (size && strchr(" \t\r\n", bytes[size - 1])) size--;
    for (size_t at = 0; at < size;) {
        const uint8_t *end = memchr(bytes + at, '\n', size - at);
        size_t next = end ? (size_t)(end - bytes) : size, n = next - at;
        if (n && bytes[at + n - 1] == '\r') n--;
        if (!n) {
            vb_errorf(err, VB_EDATA, "%s: line %zu: expected a class name, found an empty line", path, *count + 1);
            goto done;
        }
        if (vb_grow((void **)names, &capacity, *count + 1, sizeof **names, "class names", err)) goto done;
        if (!((*names)[*count] = vb_strndup((const char *)bytes + at, n, err))) goto done;
        ++*count;
        at = next + 1;
    }
    status = *count ? 0 : vb_errorf(err, VB_EDATA, "%s: expected one class name a line, found none", path);
done:
    vb_free(bytes);
    if (status) {
        vb_free_names(*names, *count);
        *names = NULL;
        *count = 0;
    }
    return status;
}

void vb_free_names(char **names, size_t count) {
    for (size_t i = 0; i < count; i++) vb_free(names[i]);
    vb_free(names);
}
