/* Numbers in file names. */
#include "shards/files/numbered.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "shards/files/path.h"

static const char digits[] = "0123456789";

/* What of a file's name tells it from those of its kind. */
typedef struct label {
    const char *text; /* a number without leading zeros, or the name up to its first dot */
    size_t size;
    size_t place; /* in the list */
} label;

/* The n-th number of a name, from its end; size 0 when it has fewer. */
static label number_of(const char *path, int n) {
    const char *base = vb_path_base_name(path), *end = base + strlen(base);
    label found = {0};
    for (; n >= 0; n--) {
        while (end > base && !strchr(digits, end[-1])) end--;
        const char *from = end;
        while (from > base && strchr(digits, from[-1])) from--;
        if (from == end) return (label){0};
        found = (label){.text = from, .size = (size_t)(end - from)};
        end = from;
    }
    while (found.size > 1 && *found.text == '0') found.text++, found.size--;
    return found;
}

static int by_label(const void *a, const void *b) {
    const label *x = a, *y = b;
    if (x->size != y->size) return x->size < y->size ? -1 : 1;
    return memcmp(x->text, y->text, x->size);
}

/* Sorted labels by the n-th number from the end (-1: by the name); false when two files share one, or one has none. */
static bool label_files(label *labels, const char *const *paths, size_t count, int n) {
    for (size_t i = 0; i < count; i++) {
        const char *base = vb_path_base_name(paths[i]);
        labels[i] = n < 0 ? (label){.text = base, .size = strcspn(base, ".")} : number_of(paths[i], n);
        labels[i].place = i;
        if (!labels[i].size) return false;
    }
    qsort(labels, count, sizeof *labels, by_label);
    for (size_t i = 1; i < count; i++)
        if (!by_label(&labels[i - 1], &labels[i])) return false;
    return true;
}

/* By the last number that tells them apart; *numbered is false where none does, and names must. */
static bool find_labels(label *labels, const char *const *paths, size_t count, bool *numbered) {
    enum { NUMBERS = 8 }; /* of a name, at most */
    *numbered = true;
    for (int n = 0; n < NUMBERS; n++)
        if (label_files(labels, paths, count, n)) return true;
    *numbered = false;
    return label_files(labels, paths, count, -1);
}

int vb_numbered_pair(const char *const *parts, size_t count, vb_strings *others, const char *what, const char *whole,
                     vb_error *err) {
    if (others->count != count)
        return vb_errorf(err, VB_EMISMATCH, "%zu %s for %zu %s; expected one a part", others->count, what, count, whole);
    if (count < 2) return 0;
    label *left = vb_array(count, sizeof *left, "parts", err), *right = vb_array(count, sizeof *right, "parts", err);
    char **ordered = vb_array(count, sizeof *ordered, "parts", err);
    bool left_numbers = false, right_numbers = false;
    int status = -1;
    if (!left || !right || !ordered) goto done;
    const char *const *names = (const char *const *)others->items;
    if (!find_labels(left, parts, count, &left_numbers) || !find_labels(right, names, count, &right_numbers) ||
        left_numbers != right_numbers) {
        vb_errorf(err, VB_EMISMATCH,
                  "%s such as %s cannot be paired with %s such as %s: their names need numbers that tell them apart, or the same "
                  "beginning up to the first dot",
                  what, vb_path_base_name(names[0]), whole, vb_path_base_name(parts[0]));
        goto done;
    }
    for (size_t i = 0; i < count; i++) {
        const int order = by_label(&left[i], &right[i]);
        if (order) {
            /* What comes first in one list and is not in the other. */
            const bool part = order < 0;
            const label *alone = part ? &left[i] : &right[i];
            vb_errorf(err, VB_EMISMATCH, "%s: its %s is %.*s, which none of the %zu %s has, such as %s",
                      part ? parts[alone->place] : names[alone->place], left_numbers ? "number" : "name", (int)alone->size,
                      alone->text, count, part ? what : whole, vb_path_base_name(part ? names[0] : parts[0]));
            goto done;
        }
        ordered[left[i].place] = others->items[right[i].place];
    }
    memcpy(others->items, ordered, count * sizeof *ordered);
    status = 0;
done:
    vb_free(left);
    vb_free(right);
    vb_free(ordered);
    return status;
}
