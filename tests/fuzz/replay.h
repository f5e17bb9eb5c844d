/* The fuzzers' corpus, replayed: each file whole, cut at every byte, and with every byte changed; of larger files at so many
 * places. Tests include targets under other names (tests/unit/shards/test_fuzz_corpus.c). */
#ifndef VB_REPLAY_H
#define VB_REPLAY_H

#include "tests/unit/vb_test.h"
#include "kernels/base/memory.h"
#include "shards/files/file.h"
#include "shards/files/path.h"

typedef int fuzz_target(const uint8_t *data, size_t size);

/* A copy of exactly that size: the address sanitizer sees a read of one byte beyond. */
static inline void feed(fuzz_target *target, const uint8_t *bytes, size_t size) {
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    assert_int_equal(target(copy, size), 0);
    free(copy);
}

static inline void replay(const char *name, fuzz_target *target, size_t places) {
    vb_error err = {0};
    vb_strings names;
    char folder[256];
    snprintf(folder, sizeof folder, "tests/fuzz/corpus/%s", name);
    assert_ok(vb_path_list_folder(&names, folder, &err));
    assert_true(names.count > 5);
    for (size_t f = 0; f < names.count; f++) {
        char path[1024];
        uint8_t *bytes;
        size_t size;
        snprintf(path, sizeof path, "%s/%s", folder, names.items[f]);
        assert_ok(vb_file_read_whole(path, 1 << 16, &bytes, &size, &err));
        feed(target, bytes, size);
        if (!strstr(path, "aliases")) { /* whose walk is long, by its nature */
            const size_t step = 1 + size / places;
            for (size_t cut = 0; cut < size; cut += step) feed(target, bytes, cut);
            for (size_t at = f % step; at < size; at += step) {
                bytes[at] ^= 0xff;
                feed(target, bytes, size);
                bytes[at] ^= 0xfe;
                feed(target, bytes, size);
                bytes[at] ^= 0x01;
            }
        }
        vb_free(bytes);
    }
    vb_strings_free(&names);
}

#endif
