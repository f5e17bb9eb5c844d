/* Pickles, alone and as a file of torch.save before PyTorch 1.6. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/touch.h"
#include "shards/weights/pickle.h"
#include "shards/weights/torch.h"

static void touch_value(const vb_value *value, int depth) {
    if (!value || depth > 12) return;
    touch_bytes(vb_pickle_value_kind_name(value->kind), 1);
    switch (value->kind) {
    case VB_VALUE_TEXT:
    case VB_VALUE_BYTES:
    case VB_VALUE_BIG: touch_bytes(value->text, value->size); break;
    case VB_VALUE_TUPLE:
    case VB_VALUE_LIST:
    case VB_VALUE_DICT:
    case VB_VALUE_SET:
    case VB_VALUE_OBJECT:
        if (value->pairs && value->count % 2) abort();
        for (size_t i = 0; i < value->count && i < 16; i++) touch_value(value->items[i], depth + (value->count > 1 ? 3 : 1));
        vb_pickle_value_get(value, "key");
        break;
    default: break;
    }
    touch_value(value->class, depth + 3);
    touch_value(value->args, depth + 3);
    touch_value(value->state, depth + 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    vb_pickle *pickle;
    vb_error err = {0};
    size_t used;
    if (!vb_pickle_parse(&pickle, data, size, "fuzz", &used, &err)) {
        touch_value(vb_pickle_root(pickle), 0);
        vb_pickle_free(pickle);
    } else touch_error(&err);

    vb_map map = {.data = data, .size = size};
    vb_tensor_set set;
    vb_torch *torch;
    const char *container;
    if (!vb_torch_parse(&set, &torch, &container, &map, "fuzz", &err)) {
        touch_tensors(&set);
        vb_torch_free(torch);
    } else touch_error(&err);
    return 0;
}
