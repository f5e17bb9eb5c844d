/* Tests of the cache of units: what was stored comes back, and nothing that was damaged on the way does. */
#include <sys/stat.h>

#include "tests/unit/scratch.h"
#include "kernels/base/fault.h"
#include "shards/embeddings/cache.h"
#include "shards/embeddings/npy.h"
#include "shards/files/blob_store.h"
#include "shards/files/file.h"
#include "shards/files/json_parse.h"
#include "shards/files/path.h"
#include "shards/files/writer.h"

enum { ROWS = 5, DIM = 3, NUMBERS = ROWS * DIM };
static vb_cache cache;
static const vb_digest unit = {"0123456789abcdef0123456789abcdef"};
static float rows[NUMBERS];

static int set_up(void **state) {
    if (make_scratch(state)) return -1;
    cache = (vb_cache){.folder = scratch, .key = {"ffffffffffffffffffffffffffffffff"}};
    for (int i = 0; i < NUMBERS; i++) rows[i] = 1.5F * (float)(i + 1);
    return 0;
}

static json_t *some_skipped(void) { return json_pack("[{s:s, s:i, s:s}]", "sample", "a.jpg", "row", 1, "reason", "broken"); }

/* Whether the unit is found; if so, as it was stored. */
static bool is_found(bool with_skipped) {
    vb_error err;
    float out[NUMBERS];
    bool found, looked;
    json_t *skipped;
    assert_ok(vb_cache_load(&cache, &unit, ROWS, DIM, out, &found, &skipped, &err));
    if (found) assert_memory_equal(out, rows, sizeof rows);
    assert_true((skipped != NULL) == (found && with_skipped));
    if (skipped) assert_string_equal(json_string_value(json_object_get(json_array_get(skipped, 0), "sample")), "a.jpg");
    json_decref(skipped);
    assert_ok(vb_cache_load(&cache, &unit, ROWS, DIM, NULL, &looked, NULL, &err));
    assert_true(looked == found);
    return found;
}

static void units_come_back(void **state) {
    (void)state;
    vb_error err;
    vb_npy npy;
    bool found;
    float out[NUMBERS];
    assert_false(is_found(false));
    assert_ok(vb_cache_store(&cache, &unit, ROWS, DIM, rows, NULL, &err));
    assert_true(is_found(false));
    assert_ok(vb_cache_load(&cache, &unit, DIM, ROWS, out, &found, NULL, &err)); /* another shape */
    assert_false(found);
    json_t *skipped = some_skipped();
    assert_ok(vb_cache_store(&cache, &unit, ROWS, DIM, rows, skipped, &err));
    json_decref(skipped);
    assert_true(is_found(true));
    assert_ok(vb_cache_store(&cache, &unit, ROWS, DIM, rows, NULL, &err)); /* the list of before is no longer there */
    assert_true(is_found(false));
    char *path = vb_cache_path(&cache, &unit, &err);
    assert_ok(vb_npy_open(&npy, path, &err));
    assert_int_equal(npy.note_size, 5 + 32);
    assert_memory_equal(npy.note, "xxh3 ", 5);
    vb_npy_close(&npy);
    vb_free(path);
}

/* Every byte of the file, one after the other, with some bit flipped; and every length. */
static void damage_file(const char *path, bool with_skipped) {
    vb_error err;
    uint8_t *bytes;
    size_t size;
    int tolerated = 0;
    assert_ok(vb_file_read_whole(path, 1 << 20, &bytes, &size, &err));
    for (size_t i = 0; i < size; i++) {
        bytes[i] ^= (uint8_t)(1 << (i % 8));
        assert_ok(vb_writer_write_whole(path, bytes, size, &err));
        tolerated += is_found(with_skipped); /* never with other rows: spaces of the header, at most */
        bytes[i] ^= (uint8_t)(1 << (i % 8));
    }
    assert_true(tolerated < 40);
    for (size_t n = 0; n < size; n += 7) {
        assert_ok(vb_writer_write_whole(path, bytes, n, &err));
        assert_false(is_found(with_skipped));
    }
    assert_ok(vb_writer_write_whole(path, bytes, size, &err));
    assert_true(is_found(with_skipped));
    vb_free(bytes);
}

static void damaged_units_are_not_there(void **state) {
    (void)state;
    vb_error err;
    char *path = vb_cache_path(&cache, &unit, &err), notes[700];
    snprintf(notes, sizeof notes, "%.*s.skipped.json", (int)(strlen(path) - 4), path);
    json_t *skipped = some_skipped();
    assert_ok(vb_cache_store(&cache, &unit, ROWS, DIM, rows, skipped, &err));
    json_decref(skipped);
    damage_file(path, true);
    damage_file(notes, true);
    assert_int_equal(unlink(notes), 0);
    assert_false(is_found(false));
    assert_int_equal(mkdir(notes, 0777), 0); /* what cannot be read */
    assert_false(is_found(false));
    assert_int_equal(rmdir(notes), 0);
    /* Of an earlier version: no checksum. */
    const int64_t shape[2] = {ROWS, DIM};
    assert_ok(vb_npy_write(path, VB_F32, 2, shape, rows, &err));
    assert_false(is_found(false));
    vb_free(path);
}

static void lack_of_memory_is_an_error(void **state) {
    (void)state;
    vb_error err;
    bool found;
    json_t *none;
    assert_ok(vb_cache_store(&cache, &unit, ROWS, DIM, rows, NULL, &err));
    vb_fault_setup("alloc:1:ENOMEM", 0);
    assert_fails(vb_cache_load(&cache, &unit, ROWS, DIM, NULL, &found, &none, &err), VB_EMEMORY, "");
    vb_fault_setup(NULL, 0);
    static const char *const faults[] = {"write:1:ENOSPC", "rename:1:EIO", "alloc:3:ENOMEM"};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        vb_fault_setup(faults[i], 0);
        assert_int_equal(vb_cache_store(&cache, &unit, ROWS, DIM, rows, NULL, &err), -1);
        vb_fault_setup(NULL, 0);
        assert_true(is_found(false));
    }
}

/* Of jansson's allocations each fails once: no unit without the list of what was skipped. */
static void lists_of_skipped_without_memory(void **state) {
    (void)state;
    vb_error err = {0};
    const vb_digest other = {"fedcba9876543210fedcba9876543210"};
    json_t *skipped = some_skipped(), *back;
    char fault[32];
    int told = 0;
    bool found;
    for (int n = 1;; n++) {
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_error_clear(&err);
        vb_fault_setup(fault, 0);
        int failed = vb_cache_store(&cache, &other, ROWS, DIM, rows, skipped, &err);
        vb_fault_setup(NULL, 0);
        if (!failed) break;
        assert_int_equal(err.code, VB_EMEMORY);
        told += vb_path_ends_with(err.text, "fedcba9876543210fedcba9876543210.skipped.json: no memory");
        assert_ok(vb_cache_load(&cache, &other, ROWS, DIM, NULL, &found, &back, &err));
        assert_true(!found || json_equal(back, skipped)); /* the last of them follow the rename */
        json_decref(back);
    }
    assert_true(told >= 1);
    assert_ok(vb_cache_load(&cache, &other, ROWS, DIM, NULL, &found, &back, &err));
    assert_true(found && json_equal(back, skipped));
    json_decref(back);
    json_decref(skipped);
}

/* A piece that cannot be read for lack of memory is not one that is not there. */
static void pieces_without_memory(void **state) {
    (void)state;
    vb_error err = {0};
    char fault[32];
    uint8_t *bytes;
    size_t size;
    int failures = 0;
    assert_ok(vb_blob_store_save(scratch, "key", "piece", 5, &err));
    for (int n = 1;; n++) {
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_error_clear(&err);
        vb_fault_setup(fault, 0);
        int failed = vb_blob_store_load(scratch, "key", &bytes, &size, &err);
        vb_fault_setup(NULL, 0);
        if (!failed) break;
        assert_int_equal(err.code, VB_EMEMORY);
        assert_null(bytes);
        failures++;
    }
    assert_true(failures > 1); /* its path, and what reads it */
    assert_int_equal(size, 5);
    assert_memory_equal(bytes, "piece", 5);
    vb_free(bytes);
}

static void a_signature_is_a_digest(void **state) {
    (void)state;
    vb_error err;
    vb_digest digest;
    bool found;
    const vb_digest signature = {"11111111111111111111111111111111"};
    char path[700];
    snprintf(path, sizeof path, "%s/%s/seen/%s", scratch, cache.key.hex, signature.hex);
    assert_ok(vb_cache_note(&cache, &signature, &unit, &err));
    assert_ok(vb_cache_recall(&cache, &signature, &digest, &found, &err));
    assert_true(found);
    assert_string_equal(digest.hex, unit.hex);
    static const char *const wrong[] = {"../../../../../../../etc/passwd0", "0123456789ABCDEF0123456789ABCDEF",
                                        "0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcdef\n",
                                        "0123456789abcdef\0"
                                        "123456789abcdef"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_ok(vb_writer_write_whole(path, wrong[i], i == 4 ? 32 : strlen(wrong[i]), &err));
        assert_ok(vb_cache_recall(&cache, &signature, &digest, &found, &err));
        assert_false(found);
    }
}

int main(void) {
    vb_json_parse_setup();
    const struct CMUnitTest tests[] = {cmocka_unit_test(units_come_back),
                                       cmocka_unit_test(damaged_units_are_not_there),
                                       cmocka_unit_test(lack_of_memory_is_an_error),
                                       cmocka_unit_test(lists_of_skipped_without_memory),
                                       cmocka_unit_test(pieces_without_memory),
                                       cmocka_unit_test(a_signature_is_a_digest)};
    return cmocka_run_group_tests(tests, set_up, remove_scratch);
}
