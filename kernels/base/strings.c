/* Lists of strings: added to, sorted, freed. */
#include "kernels/base/strings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"

int vb_strings_take(vb_strings *list, char *text, vb_error *err) {
    assert(list->count <= list->capacity);
    if (!text) return -1;
    if (vb_grow((void **)&list->items, &list->capacity, list->count + 1, sizeof *list->items, "list of strings", err)) {
        vb_free(text);
        return -1;
    }
    list->items[list->count++] = text;
    return 0;
}

int vb_strings_add(vb_strings *list, const char *text, vb_error *err) { return vb_strings_take(list, vb_strdup(text, err), err); }

int vb_strings_add_n(vb_strings *list, const char *text, size_t n, vb_error *err) {
    return vb_strings_take(list, vb_strndup(text, n, err), err);
}

static int strings_in_byte_order(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

void vb_strings_sort(vb_strings *list) {
    if (list->count) qsort(list->items, list->count, sizeof *list->items, strings_in_byte_order);
}

void vb_strings_free(vb_strings *list) {
    for (size_t i = 0; i < list->count; i++) vb_free(list->items[i]);
    vb_free(list->items);
    *list = (vb_strings){0};
}
