/* YAML as a tree with positions (libyaml), for strict readers.
 *
 * Types are those of YAML 1.2: booleans are only true and false (yes, no, on and off are text), null is ~, null or nothing,
 * integers are 12, -12, 0x1f and 0o17. Refused, with the place: duplicate keys, several documents, an empty file, anchors,
 * aliases and merge keys, tags other than the core ones, keys that are no scalars or are null, texts with a NUL, bytes that are
 * no UTF-8, more than 64 levels, 1 Mi values or 64 MiB. Every error is VB_ECONFIG unless memory or the file itself failed. No
 * shared state. */
#ifndef VB_YAML_H
#define VB_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"

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
void vb_yaml_free(vb_yaml *node); /* and all below it; NULL is fine */

/* Value of a key, or NULL when there is none or `map` is no map (or NULL itself). */
vb_yaml *vb_yaml_get(const vb_yaml *map, const char *key);

/* Errors at a node, VB_ECONFIG: "name:line:column: message" ("name: command line: message" for values of shards/text/yaml_set.h),
 * and "...: expected <expected>, found 'abc'". Return -1 always. */
int vb_yaml_errorf(const vb_yaml *node, const char *name, vb_error *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
int vb_yaml_expected(const vb_yaml *node, const char *name, const char *expected, vb_error *err);

/* Typed reads of a scalar: 0, or -1 with "name:line:column: expected an integer from 1 to 9, found 'abc'". Bounds are inclusive;
 * INT64_MIN, INT64_MAX and the infinities stand for none. A quoted scalar is no number and no boolean; NaN is no number. */
int vb_yaml_integer(const vb_yaml *node, const char *name, int64_t low, int64_t high, int64_t *value, vb_error *err);
int vb_yaml_real(const vb_yaml *node, const char *name, double low, double high, double *value, vb_error *err);
int vb_yaml_bool(const vb_yaml *node, const char *name, bool *value, vb_error *err);
/* Any scalar but null; *text is the node's. */
int vb_yaml_text(const vb_yaml *node, const char *name, const char **text, vb_error *err);
bool vb_yaml_is_null(const vb_yaml *node); /* also true of NULL: a key that is absent */

#endif
