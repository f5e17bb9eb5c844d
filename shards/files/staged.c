/* The table of staged files. */
#include "shards/files/staged.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/descriptor.h"

typedef struct staged {
    char *path, *copy;
    vb_identity identity;
} staged;

static struct {
    staged *items; /* by path */
    size_t count, capacity;
} table;

static int by_path(const void *a, const void *b) { return strcmp(((const staged *)a)->path, ((const staged *)b)->path); }

static const staged *find(const char *path) {
    const staged wanted = {.path = (char *)(uintptr_t)path};
    return table.count ? bsearch(&wanted, table.items, table.count, sizeof wanted, by_path) : NULL;
}

int vb_staged_add(const char *path, const vb_identity *identity, const char *copy, vb_error *err) {
    if (find(path)) return 0;
    if (vb_grow((void **)&table.items, &table.capacity, table.count + 1, sizeof *table.items, "staged files", err)) return -1;
    staged new = {vb_strdup(path, err), vb_strdup(copy, err), *identity};
    if (!new.path || !new.copy) {
        vb_free(new.path);
        vb_free(new.copy);
        return -1;
    }
    size_t at = table.count;
    while (at && strcmp(table.items[at - 1].path, path) > 0) at--;
    memmove(&table.items[at + 1], &table.items[at], (table.count - at) * sizeof new);
    table.items[at] = new;
    table.count++;
    return 0;
}

void vb_staged_clear(void) {
    for (size_t i = 0; i < table.count; i++) {
        vb_free(table.items[i].path);
        vb_free(table.items[i].copy);
    }
    vb_free(table.items);
    table.items = NULL;
    table.count = table.capacity = 0;
}

bool vb_staged_has(const char *path) { return find(path) != NULL; }

int vb_staged_open(const char *path) {
    const staged *its = find(path);
    vb_error none;
    if (!its || vb_identity_check(&its->identity, path, &none)) return -1;
    return vb_descriptor_open(its->copy, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
}
