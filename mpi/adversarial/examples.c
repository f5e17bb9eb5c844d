/* Images that adversarial names take: each rank's first ones of every class, merged and picked on rank 0. */
#include "mpi/adversarial/examples.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/json.h"

typedef struct example {
    int64_t step, class, number, place; /* the number-th image of the class that the step's candidate takes */
} example;

typedef struct example_list {
    example *items;
    size_t count, capacity;
} example_list;

static int by_class(const void *left, const void *right) {
    const example *a = left, *b = right;
    if (a->step != b->step) return a->step < b->step ? -1 : 1;
    if (a->class != b->class) return a->class < b->class ? -1 : 1;
    return a->place < b->place ? -1 : a->place > b->place;
}

static int by_number(const void *left, const void *right) {
    const example *a = left, *b = right;
    if (a->step != b->step) return a->step < b->step ? -1 : 1;
    if (a->number != b->number) return a->number < b->number ? -1 : 1;
    return a->place < b->place ? -1 : a->place > b->place;
}

/* Sorts by class, numbers the examples of each and drops those that cannot be among the first. */
static void number_examples(example_list *list) {
    size_t kept = 0;
    int64_t step = -1, class = -1, n = 0;
    qsort(list->items, list->count, sizeof *list->items, by_class);
    for (size_t i = 0; i < list->count; i++) {
        example item = list->items[i];
        n = item.step == step && item.class == class ? n + 1 : 0;
        step = item.step;
        class = item.class;
        item.number = n;
        if (n < VB_EXAMPLES) list->items[kept++] = item;
    }
    list->count = kept;
}

/* This rank's images, the first ones of each class. */
static int collect_examples(example_list *list, const vb_cover *cover, const int64_t *places, const int *chosen, int k,
                            int classes, vb_error *err) {
    int64_t blocks = vb_cover_blocks(cover);
    uint64_t *taken = vb_array((size_t)blocks, sizeof *taken, "taken images", err);
    uint64_t *before = vb_array((size_t)blocks, sizeof *before, "taken images", err);
    int64_t *counts = vb_array((size_t)classes, sizeof *counts, "taken images", err);
    int status = taken && before && counts ? 0 : -1;
    for (int step = 0; step < k && !status; step++) {
        memcpy(before, taken, (size_t)blocks * sizeof *before);
        vb_cover_take(cover, chosen[step], taken, counts);
        memset(counts, 0, (size_t)classes * sizeof *counts);
        for (int64_t i = 0; i < cover->images && !status; i++) {
            uint64_t fresh = taken[i / 64] & ~before[i / 64];
            int class = cover->classes[i];
            if (!(fresh >> (i % 64) & 1) || counts[class]++ >= VB_EXAMPLES) continue;
            status = vb_grow((void **)&list->items, &list->capacity, list->count + 1, sizeof *list->items, "examples", err);
            if (!status) list->items[list->count++] = (example){step, class, 0, places[i]};
        }
    }
    vb_free(counts);
    vb_free(before);
    vb_free(taken);
    return status;
}

/* Rank 0: all ranks' examples in one list. */
static int join_examples(example_list *all, const vb_blocks *blocks, vb_error *err) {
    size_t size;
    all->items = vb_comm_blocks_join(blocks, "examples", &size, err);
    all->count = all->items ? size / sizeof *all->items : 0;
    return all->items ? 0 : -1;
}

static int add_example(vb_json *json, json_t *list, const vb_image_source *source, const example *item, vb_error *err) {
    char *name = vb_image_source_name(source, item->place, err);
    if (!name) return -1;
    json_t *entry = vb_json_object(json);
    vb_json_set_text(json, entry, "image", name);
    vb_json_set_text(json, entry, "class", source->data->vocabularies.class[item->class].name);
    vb_json_set_integer(json, entry, "place", item->place);
    vb_json_append(json, list, entry);
    vb_free(name);
    return 0;
}

static int pick_examples(example_list *all, int k, const vb_image_source *source, json_t **lists, vb_error *err) {
    number_examples(all);
    qsort(all->items, all->count, sizeof *all->items, by_number);
    vb_json json = {0};
    *lists = vb_json_array(&json);
    for (size_t step = 0, i = 0; step < (size_t)k; step++) {
        json_t *list = vb_json_array(&json);
        vb_json_append(&json, *lists, list);
        for (; i < all->count && all->items[i].step == (int64_t)step; i++)
            if (json_array_size(list) < VB_EXAMPLES && add_example(&json, list, source, &all->items[i], err)) return -1;
    }
    return vb_json_end(&json, "the results", err);
}

int vb_examples_json(vb_comm *comm, const vb_cover *cover, const int64_t *places, const int *chosen, int k,
                     const vb_image_source *source, json_t **lists, vb_error *err) {
    example_list own = {0}, all = {0};
    vb_blocks blocks = {0};
    assert(k >= 0 && k <= VB_ADVERSARIES);
    *lists = NULL;
    int status = vb_comm_agree(comm, collect_examples(&own, cover, places, chosen, k, source->data->space.classes, err), err);
    if (!status) status = vb_comm_gather(comm, own.items, own.count * sizeof *own.items, &blocks, err);
    if (!status && !comm->rank) {
        status = join_examples(&all, &blocks, err);
        if (!status) status = pick_examples(&all, k, source, lists, err);
    }
    vb_comm_blocks_free(&blocks);
    vb_free(all.items);
    vb_free(own.items);
    status = vb_comm_agree(comm, status, err);
    if (status) {
        json_decref(*lists);
        *lists = NULL;
    }
    return status;
}
