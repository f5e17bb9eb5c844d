/* JSON built and written: values are jansson's (json_t); what could not be built is remembered and asked for once, at the end. */
#ifndef VB_JSON_H
#define VB_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernels/base/error.h"
#include "shards/files/json_parse.h"

/* Begin with {0}. A value that lacks memory, and one that is put where there is none, sets `failed`; everything goes on with
 * NULL, and vb_json_end tells. All of this is local. */
typedef struct vb_json {
    bool failed;
} vb_json;

/* New values, owned by the caller until they are put somewhere. */
json_t *vb_json_object(vb_json *json);
json_t *vb_json_array(vb_json *json);
json_t *vb_json_text_value(vb_json *json, const char *text); /* "(not UTF-8)" for what is none; null for NULL */
json_t *vb_json_text_or(vb_json *json, const char *text, const char *otherwise); /* `otherwise` for what is no UTF-8 */
json_t *vb_json_real_value(vb_json *json, double value);                         /* null for what is not finite */
json_t *vb_json_integer_list(vb_json *json, const int64_t *values, int n);
json_t *vb_json_real_list(vb_json *json, const double *values, int n);
json_t *vb_json_copy(vb_json *json, const json_t *object); /* shallow: the values are shared */

/* Puts `value` (taken over; of NULL `failed` is set) under a key of an object, or behind the values of an array. */
void vb_json_set(vb_json *json, json_t *object, const char *key, json_t *value);
void vb_json_append(vb_json *json, json_t *array, json_t *value);

/* The values of another array, shared, behind those of an array; of NULL none. */
void vb_json_extend(vb_json *json, json_t *array, json_t *other);

/* The same for new values; of objects and arrays, which stay their holder's, the new one is returned. */
void vb_json_set_text(vb_json *json, json_t *object, const char *key, const char *text);
void vb_json_set_integer(vb_json *json, json_t *object, const char *key, int64_t value);
void vb_json_set_real(vb_json *json, json_t *object, const char *key, double value);
void vb_json_set_bool(vb_json *json, json_t *object, const char *key, bool value);
void vb_json_set_format(vb_json *json, json_t *object, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The value that stands under the same key of another object, shared, if there is one. */
void vb_json_set_same(vb_json *json, json_t *object, const char *key, const json_t *from);
json_t *vb_json_set_object(vb_json *json, json_t *object, const char *key);
json_t *vb_json_set_array(vb_json *json, json_t *object, const char *key);
void vb_json_append_text(vb_json *json, json_t *array, const char *text);
void vb_json_append_integer(vb_json *json, json_t *array, int64_t value);
void vb_json_append_real(vb_json *json, json_t *array, double value);

/* Whether a text is UTF-8, as JSON's texts are. */
bool vb_json_holds(const char *text);

/* 0, or -1 with VB_EMEMORY "no memory for WHAT" when something failed. */
int vb_json_end(const vb_json *json, const char *what, vb_error *err);

/* What stands under a key: "" for what is no text, NaN for what is no number, 0 for what is no integer. */
const char *vb_json_text(const json_t *object, const char *key);
double vb_json_number(const json_t *object, const char *key);
int64_t vb_json_integer(const json_t *object, const char *key);

/* How a value is written: in one line; in one line, the keys of objects sorted; over many lines. */
typedef enum vb_json_form { VB_JSON_LINE, VB_JSON_SORTED_LINE, VB_JSON_INDENTED } vb_json_form;

/* A value as text; NULL with VB_EMEMORY "no memory for WHAT". Free with vb_free. */
char *vb_json_dump(const json_t *value, vb_json_form form, const char *what, vb_error *err);
/* A whole file of JSON with 17 significant digits, a value a line, keys in the order in which they were set; atomically. */
int vb_json_write(const json_t *value, const char *path, vb_error *err);

#endif
