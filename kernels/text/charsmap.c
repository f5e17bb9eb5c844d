/* The double array: reading it with every unit checked, and walking it. */
#include "kernels/text/charsmap.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"

/* A unit is a label (bits 0-7 and 31), whether a value hangs on it (bit 8), and the offset of its children. */
static uint32_t offset_of(uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); }
static uint32_t label_of(uint32_t unit) { return unit & ((1u << 31) | 0xff); }
static bool has_value(uint32_t unit) { return unit >> 8 & 1; }
static uint32_t value_of(uint32_t unit) { return unit & ((1u << 31) - 1); }

typedef struct visit {
    uint32_t unit, next; /* the byte of the child to look at next */
} visit;

/* A unit's offset, and its replacement where it has one. */
static int check_unit(const vb_charsmap *map, uint32_t node, const char *name, vb_error *err) {
    const uint32_t unit = map->units[node], base = node ^ offset_of(unit);
    if (base >= map->unit_count)
        return vb_errorf(err, VB_EDATA, "%s: precompiled_charsmap: unit %u points to %u, expected below %zu", name, node, base,
                         map->unit_count);
    if (node && has_value(unit) && value_of(map->units[base]) >= map->size)
        return vb_errorf(err, VB_EDATA, "%s: precompiled_charsmap: unit %u has its replacement at byte %u of %zu", name, node,
                         value_of(map->units[base]), map->size);
    if (node && has_value(unit)) {
        const char *text = map->replacements + value_of(map->units[base]);
        if (!vb_utf8_is_text(text, strlen(text), NULL))
            return vb_errorf(err, VB_EDATA, "%s: precompiled_charsmap: the replacement of unit %u is no UTF-8", name, node);
    }
    return 0;
}

/* Visits every unit that a text can reach, each once, and looks for circles: texts share endings, so that a unit may be reached
 * by several ways. */
static int check_units(const vb_charsmap *map, const char *name, vb_error *err) {
    enum { NEW, OPEN, DONE };
    int status = -1;
    size_t depth = 1;
    uint8_t *state = vb_array(map->unit_count, 1, "charsmap", err);
    visit *path = vb_array(map->unit_count, sizeof *path, "charsmap", err);
    if (!state || !path || check_unit(map, 0, name, err)) goto done;
    state[0] = OPEN;
    path[0] = (visit){0, 1};
    while (depth) {
        visit *at = &path[depth - 1];
        if (at->next == 256) {
            state[at->unit] = DONE;
            depth--;
            continue;
        }
        const uint32_t c = at->next++, child = (at->unit ^ offset_of(map->units[at->unit])) ^ c;
        if (child >= map->unit_count || label_of(map->units[child]) != c || state[child] == DONE) continue;
        if (state[child] == OPEN) {
            vb_errorf(err, VB_EDATA, "%s: precompiled_charsmap: unit %u lies on a circle", name, child);
            goto done;
        }
        if (check_unit(map, child, name, err)) goto done;
        state[child] = OPEN;
        path[depth++] = (visit){child, 1};
    }
    status = 0;
done:
    vb_free(state);
    vb_free(path);
    return status;
}

int vb_charsmap_read(vb_charsmap *map, uint32_t **units, const uint8_t *bytes, size_t size, const char *name, vb_error *err) {
    *map = (vb_charsmap){0};
    *units = NULL;
    uint32_t n = 0;
    for (size_t i = 0; i < 4 && i < size; i++) n |= (uint32_t)bytes[i] << 8 * i;
    if (size < 8 || n < 4 || n % 4 || n > size - 4)
        return vb_errorf(err, VB_EDATA,
                         "%s: precompiled_charsmap of %zu bytes: a double array of %u bytes, expected whole units within it",
                         name, size, n);
    map->unit_count = n / 4;
    map->replacements = (const char *)bytes + 4 + n;
    map->size = size - 4 - n;
    if (!map->size || map->replacements[map->size - 1])
        return vb_errorf(err, VB_EDATA, "%s: precompiled_charsmap: the replacements do not end with a NUL", name);
    if (!(*units = vb_array(map->unit_count, sizeof **units, "charsmap", err))) return -1;
    map->units = *units;
    for (size_t i = 0; i < map->unit_count; i++)
        for (size_t k = 0; k < 4; k++) (*units)[i] |= (uint32_t)bytes[4 + 4 * i + k] << 8 * k;
    return check_units(map, name, err);
}

size_t vb_charsmap_match(const vb_charsmap *map, const char *text, size_t n, bool first, const char **replacement) {
    if (!map->unit_count) return 0;
    size_t found = 0;
    uint32_t node = offset_of(map->units[0]);
    for (size_t i = 0; i < n; i++) {
        const uint32_t c = (uint8_t)text[i];
        node ^= c;
        if (!c || node >= map->unit_count || label_of(map->units[node]) != c) break;
        const uint32_t unit = map->units[node];
        node ^= offset_of(unit);
        if (node >= map->unit_count) break;
        if (has_value(unit) && value_of(map->units[node]) < map->size) {
            *replacement = map->replacements + value_of(map->units[node]);
            found = i + 1;
            if (first) break;
        }
    }
    return found;
}
