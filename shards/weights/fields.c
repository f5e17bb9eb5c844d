/* Typed fields of a JSON object: one line of code a field, one error for all. */
#include "shards/weights/fields.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { LARGEST_SIDE = 65536 };

const json_t *vb_fields_get(const vb_fields *fields, const char *key) {
    const json_t *value = json_object_get(fields->object, key);
    return json_is_null(value) ? NULL : value;
}

static void print_value(const json_t *value, char *text, size_t size) {
    if (json_is_string(value)) snprintf(text, size, "\"%.60s\"", json_string_value(value));
    else if (json_is_integer(value)) snprintf(text, size, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value)) snprintf(text, size, "%.9g", json_real_value(value));
    else if (json_is_array(value)) snprintf(text, size, "a list of %zu", json_array_size(value));
    else
        snprintf(text, size, "%s",
                 json_is_object(value) ? "an object" :
                 json_is_true(value)   ? "true" :
                 json_is_false(value)  ? "false" :
                                         "null");
}

void vb_fields_expected(vb_fields *fields, const char *key, const char *expected) {
    char found[96];
    if (*fields->failed) return;
    *fields->failed = true;
    print_value(json_object_get(fields->object, key), found, sizeof found);
    vb_errorf(fields->err, VB_EDATA, "%s: %s%s: expected %s, found %s", fields->path, fields->place, key, expected, found);
}

void vb_fields_refuse(vb_fields *fields, vb_code code, const char *key, const char *reason) {
    if (*fields->failed) return;
    *fields->failed = true;
    vb_errorf(fields->err, code, "%s: %s%s: %s", fields->path, fields->place, key, reason);
}

vb_fields vb_fields_object(vb_fields *fields, const char *key, const char *place) {
    const json_t *value = vb_fields_get(fields, key);
    if (value && !json_is_object(value)) vb_fields_expected(fields, key, "an object");
    return (vb_fields){.object = json_is_object(value) ? value : NULL,
                       .path = fields->path,
                       .place = place,
                       .failed = fields->failed,
                       .err = fields->err};
}

int64_t vb_fields_integer(vb_fields *fields, const char *key, int64_t low, int64_t high, int64_t otherwise) {
    const json_t *value = vb_fields_get(fields, key);
    if (!value) return otherwise;
    if (json_is_integer(value) && json_integer_value(value) >= low && json_integer_value(value) <= high)
        return json_integer_value(value);
    char expected[80];
    snprintf(expected, sizeof expected, "a whole number from %lld to %lld", (long long)low, (long long)high);
    vb_fields_expected(fields, key, expected);
    return otherwise;
}

double vb_fields_real(vb_fields *fields, const char *key, double low, double high, double otherwise) {
    const json_t *value = vb_fields_get(fields, key);
    if (!value) return otherwise;
    double number = json_number_value(value);
    if (json_is_number(value) && number >= low && number <= high) return number;
    char expected[80];
    snprintf(expected, sizeof expected, "a number from %g to %g", low, high);
    vb_fields_expected(fields, key, expected);
    return otherwise;
}

bool vb_fields_bool(vb_fields *fields, const char *key, bool otherwise) {
    const json_t *value = vb_fields_get(fields, key);
    if (!value) return otherwise;
    if (!json_is_boolean(value)) vb_fields_expected(fields, key, "true or false");
    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

const char *vb_fields_text(vb_fields *fields, const char *key, const char *otherwise) {
    const json_t *value = vb_fields_get(fields, key);
    if (!value) return otherwise;
    if (!json_is_string(value)) vb_fields_expected(fields, key, "text");
    return json_is_string(value) ? json_string_value(value) : otherwise;
}

void vb_fields_triple(vb_fields *fields, const char *key, double low, double high, const float otherwise[3], float value[3]) {
    const json_t *given = vb_fields_get(fields, key);
    memcpy(value, otherwise, 3 * sizeof *value);
    if (!given) return;
    for (size_t i = 0; i < 3; i++) {
        const json_t *item = json_is_array(given) && json_array_size(given) == 3 ? json_array_get(given, i) : given;
        double number = json_number_value(item);
        if (!json_is_number(item) || !(number >= low && number <= high)) {
            char expected[80];
            snprintf(expected, sizeof expected, "three numbers from %g to %g, or one", low, high);
            vb_fields_expected(fields, key, expected);
            return;
        }
        value[i] = (float)number;
    }
}

int vb_fields_side(vb_fields *fields, const char *key, int otherwise) {
    const json_t *value = vb_fields_get(fields, key);
    if (!json_is_array(value)) return (int)vb_fields_integer(fields, key, 1, LARGEST_SIDE, otherwise);
    const json_t *first = json_array_get(value, 0);
    if (json_array_size(value) == 2 && json_is_integer(first) &&
        json_equal((json_t *)(uintptr_t)first, json_array_get(value, 1)) && json_integer_value(first) >= 1 &&
        json_integer_value(first) <= LARGEST_SIDE)
        return (int)json_integer_value(first);
    vb_fields_expected(fields, key, "a whole number, or two equal ones");
    return otherwise;
}

int vb_fields_choice(vb_fields *fields, const char *key, const char *const *words, int otherwise) {
    const char *text = vb_fields_text(fields, key, NULL);
    if (!text) return otherwise;
    char expected[160] = "one of";
    for (int i = 0; words[i]; i++) {
        if (!strcmp(text, words[i])) return i;
        size_t n = strlen(expected);
        snprintf(expected + n, sizeof expected - n, "%s %s", i ? "," : "", words[i]);
    }
    vb_fields_expected(fields, key, expected);
    return otherwise;
}
