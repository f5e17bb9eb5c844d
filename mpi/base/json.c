/* Building, reading and writing JSON. */
#include "mpi/base/json.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "shards/files/writer.h"

static json_t *made(vb_json *json, json_t *value) {
    if (!value) json->failed = true;
    return value;
}

json_t *vb_json_object(vb_json *json) { return made(json, json_object()); }
json_t *vb_json_array(vb_json *json) { return made(json, json_array()); }

bool vb_json_holds(const char *text) {
    uint32_t c;
    size_t n = strlen(text);
    for (int length; n; n -= (size_t)length, text += length)
        if ((length = vb_utf8_next((const uint8_t *)text, n, &c)) < 0) return false;
    return true;
}

json_t *vb_json_text_or(vb_json *json, const char *text, const char *otherwise) {
    if (!text) return json_null();
    return made(json, json_string(vb_json_holds(text) ? text : otherwise));
}

json_t *vb_json_text_value(vb_json *json, const char *text) { return vb_json_text_or(json, text, "(not UTF-8)"); }

json_t *vb_json_copy(vb_json *json, const json_t *object) {
    json_t *copy = made(json, json_copy((json_t *)(uintptr_t)object));
    if (json_object_size(copy) != json_object_size(object))
        json->failed = true; /* jansson leaves out what there is no memory for */
    return copy;
}

json_t *vb_json_real_value(vb_json *json, double value) { return made(json, isfinite(value) ? json_real(value) : json_null()); }

json_t *vb_json_integer_list(vb_json *json, const int64_t *values, int n) {
    json_t *list = vb_json_array(json);
    for (int i = 0; i < n; i++) vb_json_append_integer(json, list, values[i]);
    return list;
}

json_t *vb_json_real_list(vb_json *json, const double *values, int n) {
    json_t *list = vb_json_array(json);
    for (int i = 0; i < n; i++) vb_json_append_real(json, list, values[i]);
    return list;
}

void vb_json_set(vb_json *json, json_t *object, const char *key, json_t *value) {
    if (json_object_set_new(object, key, value)) json->failed = true;
}

void vb_json_append(vb_json *json, json_t *array, json_t *value) {
    if (json_array_append_new(array, value)) json->failed = true;
}

void vb_json_extend(vb_json *json, json_t *array, json_t *other) {
    if (other && json_array_extend(array, other)) json->failed = true;
}

void vb_json_set_text(vb_json *json, json_t *object, const char *key, const char *text) {
    vb_json_set(json, object, key, vb_json_text_value(json, text));
}

void vb_json_set_integer(vb_json *json, json_t *object, const char *key, int64_t value) {
    vb_json_set(json, object, key, json_integer(value));
}

void vb_json_set_real(vb_json *json, json_t *object, const char *key, double value) {
    vb_json_set(json, object, key, vb_json_real_value(json, value));
}

void vb_json_set_bool(vb_json *json, json_t *object, const char *key, bool value) {
    vb_json_set(json, object, key, json_boolean(value));
}

void vb_json_set_format(vb_json *json, json_t *object, const char *key, const char *format, ...) {
    va_list values;
    va_start(values, format);
    vb_json_set(json, object, key, json_vsprintf(format, values));
    va_end(values);
}

void vb_json_set_same(vb_json *json, json_t *object, const char *key, const json_t *from) {
    json_t *value = json_object_get(from, key);
    if (value) vb_json_set(json, object, key, json_incref(value));
}

json_t *vb_json_set_object(vb_json *json, json_t *object, const char *key) {
    vb_json_set(json, object, key, json_object());
    return json_object_get(object, key);
}

json_t *vb_json_set_array(vb_json *json, json_t *object, const char *key) {
    vb_json_set(json, object, key, json_array());
    return json_object_get(object, key);
}

void vb_json_append_text(vb_json *json, json_t *array, const char *text) {
    vb_json_append(json, array, vb_json_text_value(json, text));
}

void vb_json_append_integer(vb_json *json, json_t *array, int64_t value) { vb_json_append(json, array, json_integer(value)); }

void vb_json_append_real(vb_json *json, json_t *array, double value) {
    vb_json_append(json, array, vb_json_real_value(json, value));
}

int vb_json_end(const vb_json *json, const char *what, vb_error *err) {
    return json->failed ? vb_errorf(err, VB_EMEMORY, "no memory for %s", what) : 0;
}

const char *vb_json_text(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

double vb_json_number(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

int64_t vb_json_integer(const json_t *object, const char *key) { return json_integer_value(json_object_get(object, key)); }

char *vb_json_dump(const json_t *value, vb_json_form form, const char *what, vb_error *err) {
    static const size_t flags[] = {[VB_JSON_LINE] = JSON_COMPACT,
                                   [VB_JSON_SORTED_LINE] = JSON_COMPACT | JSON_SORT_KEYS,
                                   [VB_JSON_INDENTED] = JSON_INDENT(2)};
    char *text = vb_json_parse_text(value, flags[form] | JSON_ENCODE_ANY);
    if (!text) vb_errorf(err, VB_EMEMORY, "no memory for %s", what);
    return text;
}

int vb_json_write(const json_t *value, const char *path, vb_error *err) {
    char *text = vb_json_parse_text(value, JSON_INDENT(1));
    if (!text) return vb_errorf(err, VB_EMEMORY, "%s: no memory for the JSON text", path);
    size_t n = strlen(text);
    text[n] = '\n'; /* in place of the NUL */
    int status = vb_writer_write_whole(path, text, n + 1, err);
    vb_free(text);
    return status;
}
