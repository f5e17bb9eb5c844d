/* Patterns of checkpoints: their files in natural order, and names for them. */
#include "mpi/experiment/series.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/resolve.h"
#include "shards/files/path.h"

static const char *const key_names[VB_SERIES_KEYS] = {"weights", "coop", "image_embeddings", "text_embeddings"};

int vb_series_natural_order(const char *a, const char *b) {
    const char *left = a, *right = b;
    while (*a && *b) {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            a += strspn(a, "0"), b += strspn(b, "0");
            size_t m = strspn(a, "0123456789"), n = strspn(b, "0123456789");
            if (m != n) return m < n ? -1 : 1;
            int order = memcmp(a, b, n);
            if (order) return order;
            a += n, b += n;
        } else if (*a == *b) a++, b++;
        else break;
    }
    int order = (unsigned char)*a - (unsigned char)*b;
    return order ? order : strcmp(left, right);
}

static int by_nature(const void *a, const void *b) { return vb_series_natural_order(*(char *const *)a, *(char *const *)b); }

/* The last dot and the letters behind it. What has digits tells checkpoints apart (model.pth.tar-50), also where there is but one
 * of them as yet. */
static const char *extension(const char *path) {
    const char *dot = strrchr(vb_path_base_name(path), '.'), *at = dot ? dot + 1 : "";
    while (isalpha((unsigned char)*at)) at++;
    return dot && !*at ? dot : "";
}

/* The paths less the folder that they all have in common and, where it is the same, less the extension. */
static int name_checkpoints(vb_series *series, const vb_strings *found, const char *pattern, vb_error *err) {
    size_t literal = strcspn(pattern, "*?[{");
    while (literal && pattern[literal - 1] != '/') literal--;
    const char *last = extension(found->items[0]);
    bool same = true;
    for (size_t i = 1; i < found->count; i++) same = same && !strcmp(extension(found->items[i]), last);
    if (!(series->checkpoints = vb_array(found->count, sizeof *series->checkpoints, "checkpoints", err))) return -1;
    for (; series->count < (int)found->count; series->count++) {
        const char *path = found->items[series->count] + literal;
        size_t n = strlen(path), cut = same ? strlen(last) : 0;
        char *name = vb_strndup(path, n > cut ? n - cut : n, err);
        if (!name) return -1;
        for (char *at = name; *at; at++)
            if (*at == '/') *at = '-';
        series->checkpoints[series->count] = name;
    }
    return 0;
}

/* The files of a key, when it is a pattern. */
static int find_files(vb_series *series, int key, const vb_yaml *node, const char *path, vb_error *err) {
    if (!node || node->kind != VB_YAML_SCALAR || vb_yaml_is_null(node) || !strpbrk(node->text, "*?[{$")) return 0;
    char *written = vb_path_expand(node->text, err), *pattern = written ? vb_resolve_place(written, path, err) : NULL;
    int status = pattern ? 0 : vb_error_prefix(err, "%s: %s", path, key_names[key]);
    if (pattern && strpbrk(written, "*?[{") && !vb_path_exists(pattern)) {
        vb_strings *found = &series->found[key];
        vb_error why;
        if (vb_path_glob(found, pattern, &why)) {
            *found = (vb_strings){0};
            vb_yaml_errorf(node, path, err, "%s: %s", key_names[key], why.text);
            if (err) err->code = why.code;
            status = -1;
        } else {
            qsort(found->items, found->count, sizeof *found->items, by_nature);
            series->unwritten[key] = vb_path_ends_with(pattern, written) ? strlen(pattern) - strlen(written) : 0;
            if (!series->count) status = name_checkpoints(series, found, pattern, err);
            else if ((int)found->count != series->count)
                status = vb_yaml_errorf(node, path, err,
                                        "%s: %zu files match, but %d of the other pattern: a series needs as many of each",
                                        key_names[key], found->count, series->count);
        }
    }
    vb_free(pattern);
    vb_free(written);
    return status;
}

int vb_series_find(vb_series *series, const vb_yaml *model, const char *path, vb_error *err) {
    *series = (vb_series){0};
    const vb_yaml *prompts = vb_yaml_get(model, "prompts");
    for (int key = 0; key < VB_SERIES_KEYS; key++) {
        const vb_yaml *node = vb_yaml_get(key == VB_SERIES_COOP ? prompts : model, key_names[key]);
        if (find_files(series, key, node, path, err)) return -1;
    }
    return 0;
}

void vb_series_free(vb_series *series) {
    for (int i = 0; i < series->count; i++) vb_free(series->checkpoints[i]);
    vb_free(series->checkpoints);
    for (int key = 0; key < VB_SERIES_KEYS; key++) vb_strings_free(&series->found[key]);
    *series = (vb_series){0};
}
