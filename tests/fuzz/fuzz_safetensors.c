/* safetensors files, and the naming of what they hold. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/touch.h"
#include "kernels/base/memory.h"
#include "shards/weights/weight_names.h"
#include "shards/weights/weights.h"
#include "shards/weights/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    vb_map map = {.data = data, .size = size};
    vb_tensor_set set;
    vb_weight_names names;
    void *storage;
    vb_error err = {0};
    if (vb_safetensors_parse(&set, &storage, &map, "fuzz", &err)) {
        touch_error(&err);
        return 0;
    }
    touch_tensors(&set);
    if (!vb_weight_names_map(&names, &set, "fuzz", &err)) {
        touch_tensors(&names.set);
        touch_tensors(&names.unused);
        vb_weight_names_free(&names);
    } else touch_error(&err);
    vb_free(storage);
    return 0;
}
