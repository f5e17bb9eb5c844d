/* Looking at the values of a pickle. */
#include "shards/weights/pickle_value.h"

#include <assert.h>
#include <string.h>

bool vb_pickle_value_is_text(const vb_value *value, const char *text) {
    return value && value->kind == VB_VALUE_TEXT && value->size == strlen(text) && !memcmp(value->text, text, value->size);
}

bool vb_pickle_value_is_global(const vb_value *value, const char *module, const char *name) {
    return value && value->kind == VB_VALUE_GLOBAL && vb_pickle_value_is_text(value->class, module) &&
           vb_pickle_value_is_text(value->args, name);
}

const vb_value *vb_pickle_value_get(const vb_value *value, const char *key) {
    if (!value || (value->kind != VB_VALUE_DICT && value->kind != VB_VALUE_OBJECT) || !value->pairs) return NULL;
    for (size_t i = value->count; i >= 2; i -= 2)
        if (vb_pickle_value_is_text(value->items[i - 2], key)) return value->items[i - 1];
    return NULL;
}

const char *vb_pickle_value_kind_name(vb_value_kind kind) {
    static const char *const names[] = {[VB_VALUE_NONE] = "None",     [VB_VALUE_BOOL] = "bool",
                                        [VB_VALUE_INT] = "int",       [VB_VALUE_BIG] = "large int",
                                        [VB_VALUE_FLOAT] = "float",   [VB_VALUE_TEXT] = "text",
                                        [VB_VALUE_BYTES] = "bytes",   [VB_VALUE_TUPLE] = "tuple",
                                        [VB_VALUE_LIST] = "list",     [VB_VALUE_DICT] = "dict",
                                        [VB_VALUE_SET] = "set",       [VB_VALUE_GLOBAL] = "global",
                                        [VB_VALUE_OBJECT] = "object", [VB_VALUE_PERSISTENT] = "persistent id"};
    static_assert(sizeof names / sizeof *names == VB_VALUE_KINDS, "a name for every kind");
    assert(kind < VB_VALUE_KINDS);
    return names[kind];
}
