/* Listings that grow, their labels and units settled, all frozen into an index. */
#include "shards/datasets/dataset_listing.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "kernels/base/memory.h"
#include "shards/text/label_match.h"

void vb_dataset_listing_free(vb_dataset_listing *listing) {
    vb_free(listing->file);
    vb_free(listing->sample);
    vb_free(listing->label_text);
    vb_free(listing->slot);
    vb_free(listing->pool);
    vb_strings_free(&listing->class_names);
    *listing = (vb_dataset_listing){0};
}

int vb_dataset_listing_text(vb_dataset_listing *listing, const char *text, size_t size, vb_pooled *at, vb_error *err) {
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

static int enlarge_slots(vb_dataset_listing *listing, vb_error *err) {
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

int vb_dataset_listing_label(vb_dataset_listing *listing, const char *text, size_t size, int32_t *label, vb_error *err) {
    if (listing->labels * 2 >= listing->slots && enlarge_slots(listing, err)) return -1;
    size_t at = XXH3_64bits(text, size) & (listing->slots - 1);
    for (; listing->slot[at]; at = (at + 1) & (listing->slots - 1)) {
        const char *known = listing->pool + listing->label_text[listing->slot[at] - 1];
        if (!strncmp(known, text, size) && !known[size]) {
            *label = (int32_t)(listing->slot[at] - 1);
            return 0;
        }
    }
    assert(listing->labels < INT32_MAX); /* different texts: the pool's 4 GiB hold fewer than 2^30 */
    if (vb_grow((void **)&listing->label_text, &listing->label_capacity, listing->labels + 1, sizeof *listing->label_text,
                "labels", err))
        return -1;
    if (vb_dataset_listing_text(listing, text, size, &listing->label_text[listing->labels], err)) return -1;
    *label = (int32_t)listing->labels;
    listing->slot[at] = (uint32_t)++listing->labels;
    return 0;
}

int vb_dataset_listing_file(vb_dataset_listing *listing, const char *path, uint64_t bytes, vb_error *err) {
    if (vb_grow((void **)&listing->file, &listing->file_capacity, listing->files + 1, sizeof *listing->file, "files", err))
        return -1;
    vb_dataset_file *file = &listing->file[listing->files];
    *file = (vb_dataset_file){.first = (int64_t)listing->samples, .bytes = bytes};
    if (vb_dataset_listing_text(listing, path, strlen(path), &file->path, err)) return -1;
    listing->files++;
    return 0;
}

int vb_dataset_listing_sample(vb_dataset_listing *listing, const vb_dataset_listed *sample, vb_error *err) {
    if (vb_grow((void **)&listing->sample, &listing->sample_capacity, listing->samples + 1, sizeof *listing->sample, "samples",
                err))
        return -1;
    listing->sample[listing->samples++] = *sample;
    return 0;
}

int vb_dataset_listing_ignore(vb_dataset_listing *listing, const char *name, vb_error *err) {
    const int64_t n = listing->ignored++;
    return n < VB_IGNORED_NAMES ? vb_dataset_listing_text(listing, name, strlen(name), &listing->ignored_name[n], err) : 0;
}

static int listed_by_name(const void *a, const void *b, void *pool) {
    return strcmp((const char *)pool + ((const vb_dataset_listed *)a)->name,
                  (const char *)pool + ((const vb_dataset_listed *)b)->name);
}

void vb_dataset_listing_sort(vb_dataset_listing *listing, size_t first) {
    if (listing->samples > first)
        qsort_r(listing->sample + first, listing->samples - first, sizeof *listing->sample, listed_by_name, listing->pool);
}

/* ---- labels ---- */

/* An integer of 0 or more, however it is written; *value is -1 when it does not fit. */
static bool label_number(const char *text, int32_t *value) {
    int64_t number;
    bool integer = vb_label_match_integer(text, &number);
    *value = !integer || number > INT32_MAX ? -1 : (int32_t)number;
    return integer;
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

static const char *first_with_label(const vb_dataset_listing *listing, int32_t label) {
    for (size_t i = 0; i < listing->samples; i++)
        if (listing->sample[i].label == label) return listing->pool + listing->sample[i].name;
    return "?";
}

/* Final labels: class names in their order (integers index them), then names that are none of them in byte order. Without class
 * names: integers by value when all labels of shards are integers, else names in byte order. final[i]: index of label_text[i];
 * *names: their texts. */
static int settle_labels(vb_dataset_listing *listing, int32_t *final, vb_pooled **names, size_t *count, bool *numbers,
                         vb_error *err) {
    size_t n = listing->labels, classes = listing->class_names.count, extra = 0;
    int status = -1;
    *names = vb_array(n + classes, sizeof **names, "labels", err);
    named *found = vb_array(n, sizeof *found, "labels", err), *class = vb_array(classes, sizeof *class, "class names", err);
    if (!*names || !found || !class) goto done;
    *count = classes;
    for (size_t i = 0; i < classes; i++) {
        const char *text = listing->class_names.items[i];
        if (vb_dataset_listing_text(listing, text, strlen(text), &(*names)[i], err)) goto done;
        class[i] = (named){text, 0, (int32_t)i};
    }
    qsort(class, classes, sizeof *class, named_by_text);
    bool all_numbers = listing->format->integer_labels && n > 0;
    for (size_t i = 0; i < n; i++) {
        int32_t number = VB_NO_LABEL;
        const char *text = listing->pool + listing->label_text[i];
        bool numeric = label_number(text, &number);
        if (!numeric) all_numbers = false;
        if (numeric && number < 0 && (classes || listing->format->integer_labels)) {
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
        bool same = *numbers && i && found[i].number == found[i - 1].number; /* "7", "007" and "7.0" */
        if (!same) (*names)[(*count)++] = listing->label_text[found[i].index];
        final[found[i].index] = (int32_t)*count - 1;
    }
    status = 0;
    for (size_t i = 0; *numbers && !status && i < *count; i++) { /* the decimal number, without zeros before or behind it */
        char text[16];
        int32_t number;
        label_number(listing->pool + (*names)[i], &number);
        int length = snprintf(text, sizeof text, "%d", number);
        status = vb_dataset_listing_text(listing, text, (size_t)length, &(*names)[i], err);
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

/* ---- freezing ---- */

/* Cuts a file's samples where a unit is full: by number, or by bytes. samples: of the whole dataset. Counts when `cut` is
 * NULL. */
static int64_t cut_units(const vb_dataset_listing *listing, const vb_dataset_file *file, int64_t samples, int64_t *cut) {
    int64_t units = 0, begin = file->first, full = vb_dataset_index_unit_size(samples);
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

int vb_dataset_listing_freeze(vb_dataset_listing *listing, int format, vb_dataset **dataset, vb_error *err) {
    bool fixed = listing->format->fixed_records, numbers = false;
    vb_dataset_head head = {.format = format,
                            .variant = listing->variant,
                            .fixed_records = fixed,
                            .placed = listing->format->placed,
                            .ignored = listing->ignored,
                            .files = listing->files};
    vb_pooled *names = NULL;
    size_t labels = 0;
    int status = -1;
    int32_t *final = vb_array(listing->labels, sizeof *final, "labels", err);
    void *block = NULL;
    if (!final || settle_labels(listing, final, &names, &labels, &numbers, err)) goto done;
    for (size_t i = 0; i < listing->files; i++) {
        vb_dataset_file *file = &listing->file[i];
        if (!fixed) file->count = (i + 1 < listing->files ? listing->file[i + 1].first : (int64_t)listing->samples) - file->first;
        head.samples += file->count;
        head.bytes += file->bytes;
    }
    for (size_t i = 0; i < listing->files; i++) {
        vb_dataset_file *file = &listing->file[i];
        int full = vb_dataset_index_unit_size(head.samples);
        file->first_unit = head.units;
        head.units += fixed ? (file->count + full - 1) / full : cut_units(listing, file, head.samples, NULL);
    }
    memcpy(head.magic, vb_dataset_index_magic, sizeof head.magic);
    head.numbers = numbers;
    head.label_names = labels;
    head.ignored_names = (uint64_t)(head.ignored < VB_IGNORED_NAMES ? head.ignored : VB_IGNORED_NAMES);
    head.pool = listing->pool_size;
    head.cuts = fixed ? 0 : (uint64_t)head.units + 1;
    head.names = fixed ? 0 : listing->samples;
    head.places = head.placed ? listing->samples : 0;
    head.size = vb_dataset_index_size(&head);
    if (!(block = vb_array(head.size, 1, "index of the dataset", err))) goto done;
    *(vb_dataset_head *)block = head;
    vb_dataset view = {0};
    vb_dataset_index_point(&view, block);
    memcpy(view.file, listing->file, listing->files * sizeof *view.file);
    for (size_t i = 0; !fixed && i < listing->files; i++)
        cut_units(listing, &listing->file[i], head.samples, view.cut + listing->file[i].first_unit);
    if (!fixed) view.cut[head.units] = head.samples;
    for (size_t i = 0; i < head.names; i++) {
        const vb_dataset_listed *sample = &listing->sample[i];
        view.name[i] = sample->name;
        view.label[i] = sample->label == VB_NO_LABEL ? VB_NO_LABEL : final[sample->label];
        if (head.places) view.place[i] = sample->place;
    }
    memcpy(view.label_name, names, labels * sizeof *names);
    memcpy(view.ignored_name, listing->ignored_name, head.ignored_names * sizeof *view.ignored_name);
    memcpy(view.pool, listing->pool, listing->pool_size);
    status = vb_dataset_index_attach(dataset, block, head.size, err);
done:
    vb_free(names);
    vb_free(final);
    return status;
}
