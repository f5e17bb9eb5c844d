/* Records of words, sorted and joined whenever the room is used up. */
#include "kernels/openness/harm_sets.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"

/* A record: class, members, events, images in two halves, then the events' sets. */
enum { CLASS, MEMBERS, EVENTS, LOW, HIGH, HEAD, FIRST_ROOM = 1 << 12 };

static size_t length_of(const uint32_t *record) { return HEAD + 2 * (size_t)record[EVENTS]; }

static int64_t images_of(const uint32_t *record) { return (int64_t)((uint64_t)record[HIGH] << 32 | record[LOW]); }

static void set_images(uint32_t *record, int64_t images) {
    record[LOW] = (uint32_t)images;
    record[HIGH] = (uint32_t)((uint64_t)images >> 32);
}

static int compare_words(const uint32_t *a, const uint32_t *b, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
    return 0;
}

static int by_kind(const void *a, const void *b) {
    const uint32_t *x = *(const uint32_t *const *)a, *y = *(const uint32_t *const *)b;
    int order = compare_words(x, y, EVENTS + 1);
    return order ? order : compare_words(x + HEAD, y + HEAD, 2 * (size_t)x[EVENTS]);
}

/* Sorted, with records of one kind joined. */
static int compact(vb_harm_sets *table, vb_error *err) {
    size_t count = 0, used = 0;
    if (table->sorted == table->used) return 0;
    for (size_t at = 0; at < table->used; at += length_of(table->words + at)) count++;
    uint32_t **records = vb_array(count, sizeof *records, "images by sets of vocabularies", err),
             *sorted = records ? vb_array(table->used, sizeof *sorted, "images by sets of vocabularies", err) : NULL;
    if (!sorted) {
        vb_free(records);
        return -1;
    }
    count = 0;
    for (size_t at = 0; at < table->used; at += length_of(table->words + at)) records[count++] = table->words + at;
    qsort(records, count, sizeof *records, by_kind);
    uint32_t *last = NULL;
    for (size_t i = 0; i < count; i++) {
        if (last && !by_kind(&(const uint32_t *){last}, &(const uint32_t *){records[i]})) {
            set_images(last, images_of(last) + images_of(records[i]));
            continue;
        }
        last = sorted + used;
        memcpy(last, records[i], length_of(records[i]) * sizeof *last);
        used += length_of(last);
    }
    vb_free(records);
    vb_free(table->words);
    table->capacity = table->used;
    table->words = sorted;
    table->used = table->sorted = used;
    return 0;
}

/* Room for so many words more: what is there is joined first, and grows when that has not halved it. */
static int make_room(vb_harm_sets *table, size_t words, vb_error *err) {
    if (table->used + words <= table->capacity) return 0;
    if (compact(table, err)) return -1;
    size_t wanted = 2 * table->used + words;
    if (wanted < FIRST_ROOM) wanted = FIRST_ROOM;
    if (wanted <= table->capacity) return 0;
    uint32_t *larger = vb_array(wanted, sizeof *larger, "images by sets of vocabularies", err);
    if (!larger) return -1;
    if (table->used) memcpy(larger, table->words, table->used * sizeof *larger);
    vb_free(table->words);
    table->words = larger;
    table->capacity = wanted;
    return 0;
}

void vb_harm_sets_add(vb_harm_sets *table, const vb_harm_kind *kind) {
    const size_t sets = 2 * (size_t)kind->events;
    vb_error none;
    if (table->failed || make_room(table, HEAD + sets, &none)) {
        table->failed = true;
        return;
    }
    uint32_t *record = table->words + table->used;
    record[CLASS] = (uint32_t)kind->class;
    record[MEMBERS] = kind->members;
    record[EVENTS] = (uint32_t)kind->events;
    set_images(record, kind->images);
    if (sets) memcpy(record + HEAD, kind->sets, sets * sizeof *record);
    table->used += HEAD + sets;
}

int vb_harm_sets_end(vb_harm_sets *table, vb_error *err) {
    if (table->failed) return vb_errorf(err, VB_EMEMORY, "no memory for images by sets of vocabularies");
    return compact(table, err);
}

int vb_harm_sets_merge(vb_harm_sets *table, const void *words, size_t size, vb_error *err) {
    const size_t count = size / sizeof *table->words;
    const uint32_t *from = words;
    if (size % sizeof *from)
        return vb_errorf(err, VB_EINTERNAL, "images by sets of vocabularies: %zu bytes, expected whole words", size);
    for (size_t at = 0; at < count; at += length_of(from + at))
        if (count - at < HEAD || length_of(from + at) > count - at)
            return vb_errorf(err, VB_EINTERNAL, "images by sets of vocabularies: word %zu of %zu begins no whole record", at,
                             count);
    if (table->failed) return vb_harm_sets_end(table, err);
    if (!count) return 0;
    if (make_room(table, count, err)) return -1;
    memcpy(table->words + table->used, from, size);
    table->used += count;
    return 0;
}

bool vb_harm_sets_next(const vb_harm_sets *table, size_t *at, vb_harm_kind *kind) {
    if (*at >= table->used) return false;
    const uint32_t *record = table->words + *at;
    *kind = (vb_harm_kind){.class = (int)record[CLASS],
                           .members = record[MEMBERS],
                           .sets = record + HEAD,
                           .events = (int)record[EVENTS],
                           .images = images_of(record)};
    *at += length_of(record);
    return true;
}

int64_t vb_harm_sets_bytes(int64_t images, int64_t events) { return images * (3 * (HEAD + 2 * events) * 4 + 8); }

void vb_harm_sets_free(vb_harm_sets *table) {
    vb_free(table->words);
    *table = (vb_harm_sets){0};
}
