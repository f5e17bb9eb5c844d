/* Pickles, alone and as a file of torch.save before PyTorch 1.6. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/touch.h"
#include "shards/weights/pickle.h"
#include "shards/weights/torch.h"

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
