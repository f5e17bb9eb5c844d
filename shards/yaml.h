/* YAML as a tree with positions (libyaml), for strict readers: duplicate keys, anchors' bombs and several documents are refused. */
#ifndef VB_YAML_H
#define VB_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/status.h"

typedef enum vb_yaml_kind { VB_YAML_SCALAR, VB_YAML_LIST, VB_YAML_MAP } vb_yaml_kind;

typedef struct vb_yaml {
    vb_yaml_kind kind;
    int line, column; /* from 1; 0 for values given on the command line */
    bool quoted;      /* a scalar in quotes or block style is text, never a number, null or boolean */
    char *text;       /* scalar */
    size_t count;     /* list, map */
    struct vb_yaml **items;
    struct vb_yaml **keys; /* map: scalars */
} vb_yaml;

/* `name` is put before positions in messages: "name:line:column: ...". Free with vb_yaml_free. */
int vb_yaml_parse(vb_yaml **root, const char *bytes, size_t size, const char *name, vb_error *err);
int vb_yaml_read(vb_yaml **root, const char *path, vb_error *err);
void vb_yaml_free(vb_yaml *node);

/* Value of a key, or NULL; *index (may be NULL) is its place. */
vb_yaml *vb_yaml_get(const vb_yaml *map, const char *key);

/* Replaces or adds the value at a dotted path ("datasets.0.images", "seed"); `value` is parsed as YAML. Lists take an index or
 * the `name:` of an item ("models.tiny.weights"). */
int vb_yaml_set(vb_yaml *root, const char *path, const char *value, vb_error *err);

/* Typed reads of a scalar: 0, or -1 with "name:line:column: expected an integer, found 'abc'". */
int vb_yaml_integer(const vb_yaml *node, const char *name, int64_t low, int64_t high, int64_t *value, vb_error *err);
int vb_yaml_real(const vb_yaml *node, const char *name, double low, double high, double *value, vb_error *err);
int vb_yaml_bool(const vb_yaml *node, const char *name, bool *value, vb_error *err);
bool vb_yaml_is_null(const vb_yaml *node);

/* The nearest of the candidates (NULL-terminated), or NULL when none is near: for "did you mean". */
const char *vb_did_you_mean(const char *word, const char *const *candidates);

#endif
