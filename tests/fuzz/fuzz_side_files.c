/* The files beside weights: the first byte chooses which of them the rest is. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/touch.h"
#include "shards/weights/side_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static int (*const readers[])(vb_side_facts *, const char *, size_t, const char *,
                                  vb_error *) = {vb_side_files_config, vb_side_files_preprocessor, vb_side_files_open_clip,
                                                 vb_side_files_processor};
    vb_side_facts facts = {0};
    vb_error err = {0};
    if (!size) return 0;
    if (readers[data[0] % 4](&facts, (const char *)data + 1, size - 1, "fuzz", &err)) {
        touch_error(&err);
        return 0;
    }
    const vb_preprocess *spec = &facts.preprocess;
    if (!facts.towers_from && !facts.pixels_from && data[0] % 4 < 3) abort(); /* a processor's file may have no images */
    if (facts.image.told && (facts.image.heads < 0 || (facts.image.heads && !(facts.image.epsilon > 0)) || !facts.family))
        abort();
    if (facts.pixels_from && (!(spec->std[0] > 0) || (int)spec->resize > 2 || (int)spec->filter > 1 || spec->resolution < 0 ||
                              spec->max_patches < 0 || !spec->max_patches != !spec->patch))
        abort();
    return 0;
}
