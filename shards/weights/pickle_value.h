/* What a pickle holds: values, and how they are looked at. */
#ifndef VB_PICKLE_VALUE_H
#define VB_PICKLE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum vb_value_kind {
    VB_VALUE_NONE,
    VB_VALUE_BOOL,
    VB_VALUE_INT,
    VB_VALUE_BIG, /* an integer beyond 64 bits: text holds the bytes the pickle holds (binary or decimal) */
    VB_VALUE_FLOAT,
    VB_VALUE_TEXT,  /* str; str of Python 2 */
    VB_VALUE_BYTES, /* bytes, bytearray */
    VB_VALUE_TUPLE,
    VB_VALUE_LIST,
    VB_VALUE_DICT,
    VB_VALUE_SET,        /* set, frozenset */
    VB_VALUE_GLOBAL,     /* a name that Python would import: class is the module's text, args the name's */
    VB_VALUE_OBJECT,     /* what a call or a construction would give: class(*args), state, and items it was given */
    VB_VALUE_PERSISTENT, /* a persistent id: args */
    VB_VALUE_KINDS
} vb_value_kind;

/* Values are shared by reference, as in the pickle, and may contain themselves: whoever walks them bounds depth and visits. */
typedef struct vb_value vb_value;
struct vb_value {
    vb_value_kind kind;
    bool pairs; /* items are key, value, key, value, ...: dicts, and objects that were given keys */
    union {
        int64_t integer; /* BOOL, INT */
        double real;
        struct {
            const char *text;
            size_t size;
        }; /* not NUL-terminated; may lie in the pickle's bytes */
        struct {
            vb_value **items;
            size_t count, capacity;
        }; /* containers and objects; a pair counts as two */
    };
    vb_value *class; /* OBJECT: what would be called, a GLOBAL as a rule */
    vb_value *args;  /* OBJECT: a TUPLE; with keyword arguments a TUPLE of that tuple and a DICT */
    vb_value *state; /* OBJECT: what BUILD gave, or NULL */
};

/* The value of a text key in a dict or in an object that was given keys; the last one when the key occurs again; NULL when
 * there is none. */
const vb_value *vb_pickle_value_get(const vb_value *value, const char *key);
bool vb_pickle_value_is_text(const vb_value *value, const char *text); /* NULL is no text */
bool vb_pickle_value_is_global(const vb_value *value, const char *module, const char *name);
const char *vb_pickle_value_kind_name(vb_value_kind kind); /* "tuple", "object", ... */

#endif
