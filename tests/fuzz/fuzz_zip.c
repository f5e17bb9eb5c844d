/* ZIP archives, alone and as files of torch.save and torch.jit.save. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/touch.h"
#include "shards/weights/torch.h"
#include "shards/files/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    vb_zip zip;
    vb_error err = {0};
    if (!vb_zip_open(&zip, data, size, "fuzz", &err)) {
        for (size_t i = 0; i < zip.count; i++) {
            const uint8_t *bytes;
            if (!vb_zip_content(&zip, &zip.entries[i], &bytes, "fuzz", &err)) touch_bytes(bytes, zip.entries[i].size);
            else touch_error(&err);
        }
    } else touch_error(&err);
    vb_zip_close(&zip);

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
