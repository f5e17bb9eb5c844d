/* Typed fields of a JSON object with their defaults, for readers of other programs' files. */
#ifndef VB_FIELDS_H
#define VB_FIELDS_H

#include <jansson.h>
#include <stdbool.h>

#include "kernels/base/error.h"

/* An object of a file, and where it stands there. *failed once a field was wrong, for all objects of the file: the error of
 * the first one stays, and later fields may be their defaults. */
typedef struct vb_fields {
    const json_t *object; /* NULL: every field is its default */
    const char *path;     /* of the file */
    const char *place;    /* of the object: "vision_config."; "" for the whole */
    bool *failed;
    vb_error *err;
} vb_fields;

/* The value of a key; NULL when there is none, or null. */
const json_t *vb_fields_get(const vb_fields *fields, const char *key);
/* An object under a key, whose fields then have `place`; empty (all defaults) when there is none. */
vb_fields vb_fields_object(vb_fields *fields, const char *key, const char *place);

int64_t vb_fields_integer(vb_fields *fields, const char *key, int64_t low, int64_t high, int64_t otherwise);
double vb_fields_real(vb_fields *fields, const char *key, double low, double high, double otherwise);
bool vb_fields_bool(vb_fields *fields, const char *key, bool otherwise);
const char *vb_fields_text(vb_fields *fields, const char *key, const char *otherwise);
/* Three numbers, or one for all three. */
void vb_fields_triple(vb_fields *fields, const char *key, double low, double high, const float otherwise[3], float value[3]);
/* A whole number, or a list of two equal ones: the side of a square. */
int vb_fields_side(vb_fields *fields, const char *key, int otherwise);
/* The index of a word of a list that ends with NULL; an error lists them. */
int vb_fields_choice(vb_fields *fields, const char *key, const char *const *words, int otherwise);

/* "PATH: PLACEkey: expected ..., found VALUE", VB_EDATA; and with a reason of one's own, of any code. Nothing when one failed
 * before. */
void vb_fields_expected(vb_fields *fields, const char *key, const char *expected);
void vb_fields_refuse(vb_fields *fields, vb_code code, const char *key, const char *reason);

#endif
