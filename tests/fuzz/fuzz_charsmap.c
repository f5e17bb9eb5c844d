/* The double array of replacements: what is accepted can be walked with any text. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/touch.h"
#include "kernels/base/memory.h"
#include "kernels/text/charsmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char text[] = "Aab\xef\xbd\x81 z";
    vb_charsmap map;
    uint32_t *units;
    vb_error err = {0};
    if (vb_charsmap_read(&map, &units, data, size, "fuzz", &err)) touch_error(&err);
    else
        for (size_t i = 0; i < sizeof text; i++) {
            const char *made = NULL;
            const size_t n = sizeof text - 1 - i;
            if (vb_charsmap_match(&map, text + i, n, false, &made) > n) abort();
            if (made) touch_bytes(made, strlen(made));
        }
    vb_free(units);
    return 0;
}
