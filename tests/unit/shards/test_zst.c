/* Tests of zstd files: against the zstd program, and against every lie a seek table or a frame can tell. */
#include <zstd.h>

#include "kernels/base/fault.h"
#include "tests/unit/random.h"
#include "tests/unit/scratch.h"
#include "shards/files/source.h"
#include "shards/files/zst.h"
#include "shards/files/file.h"
#include "shards/files/path.h"

enum { SIZE = 300000 };
static uint8_t data[SIZE], buffer[SIZE + 1];
static vb_error err;

/* Half text-like, half noise. */
static int fill(void **state) {
    uint32_t random = 7;
    for (int i = 0; i < SIZE; i++) data[i] = (uint8_t)(i / 1000 % 2 ? (int)(random_next24(&random) & 255) : 'a' + i % 7);
    return make_scratch(state);
}

static void write_frames(const char *name, const size_t *frames, size_t count) {
    char path[1024];
    vb_zst_writer *writer;
    size_t at = 0;
    assert_ok(vb_zst_writer_open(&writer, in_scratch(path, name), 3, &err));
    for (size_t i = 0; i < count; i++) {
        assert_ok(vb_zst_writer_write(writer, data + at, frames[i] / 2, &err));
        assert_ok(vb_zst_writer_write(writer, data + at + frames[i] / 2, frames[i] - frames[i] / 2, &err));
        assert_int_equal(vb_zst_writer_frame_bytes(writer), frames[i]);
        assert_ok(vb_zst_writer_cut(writer, &err));
        at += frames[i];
    }
    uint64_t bytes;
    assert_ok(vb_zst_writer_commit(writer, &bytes, &err));
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, bytes);
}

/* Everything, in reads of `step` bytes; the number of bytes, or -1. What comes is always the data's beginning. */
static long read_all(const char *path, size_t step, vb_error *error) {
    vb_zst *zst;
    if (vb_zst_open(&zst, path, error)) return -1;
    long total = 0;
    for (size_t got = step; got == step; total += (long)got) {
        if (vb_zst_read(zst, (uint64_t)total, buffer, step, &got, error)) {
            vb_zst_close(zst);
            return -1;
        }
        assert_true(total + (long)got <= SIZE);
        assert_memory_equal(buffer, data + total, got);
    }
    vb_zst_close(zst);
    return total;
}

static void random_reads(const char *path, size_t size, int reads) {
    vb_zst *zst;
    uint32_t random = 3;
    assert_ok(vb_zst_open(&zst, path, &err));
    for (int i = 0; i < reads; i++) {
        size_t offset = random_next24(&random) % (size + 100), wanted = random_next24(&random) % (i % 3 ? 500 : 70000), got;
        size_t expected = offset >= size ? 0 : wanted < size - offset ? wanted : size - offset;
        assert_ok(vb_zst_read(zst, offset, buffer, wanted, &got, &err));
        assert_int_equal(got, expected);
        assert_memory_equal(buffer, data + offset, got);
    }
    vb_zst_close(zst);
}

static const size_t frames[] = {1, 99999, 512, 0, 120000, 79488};

static void seekable_files(void **state) {
    (void)state;
    char path[1024];
    write_frames("s.zst", frames, 6);
    in_scratch(path, "s.zst");
    random_reads(path, SIZE, 300);
    assert_int_equal(read_all(path, 4096, &err), SIZE);
    uint64_t size;
    vb_zst *zst;
    assert_ok(vb_zst_open(&zst, path, &err));
    assert_true(vb_zst_size(zst, &size));
    assert_int_equal(size, SIZE);
    vb_zst_close(zst);
    /* The description's numbers, at their places: 5 frames (an empty one is not written), checksums, magic. */
    uint8_t *bytes;
    size_t n;
    assert_ok(vb_file_read_whole(path, 1 << 20, &bytes, &n, &err));
    static const uint8_t footer[] = {5, 0, 0, 0, 0x80, 0xb1, 0xea, 0x92, 0x8f};
    static const uint8_t header[] = {0x5e, 0x2a, 0x4d, 0x18, 69, 0, 0, 0};
    assert_memory_equal(bytes + n - 9, footer, 9);
    assert_memory_equal(bytes + n - 77, header, 8);
    assert_memory_equal(bytes + n - 69 + 4, "\1\0\0\0", 4);
    /* XXH64 of "a": d24ec4f1a98c6e5b (xxhsum -H1) */
    assert_memory_equal(bytes + n - 69 + 8, "\x5b\x6e\x8c\xa9", 4);
    vb_free(bytes);
    write_frames("empty.zst", frames, 0);
    assert_int_equal(read_all(in_scratch(path, "empty.zst"), 100, &err), 0);
    if (!have("zstd")) return;
    put_file("data", data, SIZE);
    assert_int_equal(run_command("cd %s && zstd -dc s.zst | cmp - data && zstd -tq s.zst && zstd -dc empty.zst | cmp - /dev/null",
                                 scratch),
                     0);
}

static void plain_files_are_streams(void **state) {
    (void)state;
    if (!have("zstd")) skip();
    char path[1024];
    put_file("data", data, SIZE);
    assert_int_equal(
        run_command("cd %s && zstd -qf data -o one.zst && head -c 100000 data | zstd -qc > many.zst && tail -c +100001 data "
                    "| zstd -19 -qc >> many.zst",
                    scratch),
        0);
    const char *names[] = {"one.zst", "many.zst"};
    for (int i = 0; i < 2; i++) {
        in_scratch(path, names[i]);
        random_reads(path, SIZE, 60);
        assert_int_equal(read_all(path, 1000, &err), SIZE);
        vb_zst *zst;
        uint64_t size;
        size_t got;
        assert_ok(vb_zst_open(&zst, path, &err));
        assert_false(vb_zst_size(zst, &size));
        assert_ok(vb_zst_read(zst, 5000, buffer, 100, &got, &err));
        assert_int_equal(vb_zst_position(zst), 5100);
        vb_zst_close(zst);
        /* A read that failed on its way has lost its place. */
        assert_ok(vb_zst_open(&zst, path, &err));
        vb_fault_setup("read:2:EIO", 0);
        assert_int_equal(vb_zst_read(zst, 0, buffer, SIZE, &got, &err), -1);
        vb_fault_setup(NULL, 0);
        assert_ok(vb_zst_read(zst, 0, buffer, SIZE, &got, &err));
        assert_int_equal(got, SIZE);
        assert_memory_equal(buffer, data, SIZE);
        vb_zst_close(zst);
    }
    assert_int_equal(run_command("cd %s && head -c 300000000 /dev/zero | zstd -q --long=31 -c > long.zst 2>/dev/null", scratch),
                     0);
    assert_fails(read_all(in_scratch(path, "long.zst"), 1000, &err) < 0, VB_EUNSUPPORTED, "zstd");
}

/* Whatever is cut off: an error, or (where a frame ends) the data's beginning; never anything else. */
static void truncations(void **state) {
    (void)state;
    char path[1024];
    static const size_t small[] = {300, 700, 1};
    write_frames("t.zst", small, 3);
    uint8_t *bytes;
    size_t n;
    assert_ok(vb_file_read_whole(in_scratch(path, "t.zst"), 1 << 20, &bytes, &n, &err));
    int whole = 0;
    for (size_t size = 0; size < n; size++) {
        put_file("cut.zst", bytes, size);
        vb_error_clear(&err);
        long got = read_all(in_scratch(path, "cut.zst"), 64, &err);
        if (got < 0) {
            assert_int_equal(err.code, VB_EDATA);
            continue;
        }
        whole++;
        if (got != 300 && got != 1000 && got != 1001) fail_msg("cut at %zu of %zu: %ld bytes", size, n, got);
    }
    assert_int_equal(whole, 3);
    vb_free(bytes);
}

static void flipped_bits(void **state) {
    (void)state;
    char path[1024];
    static const size_t small[] = {300, 700, 1};
    write_frames("f.zst", small, 3);
    uint8_t *bytes;
    size_t n;
    int accepted = 0;
    assert_ok(vb_file_read_whole(in_scratch(path, "f.zst"), 1 << 20, &bytes, &n, &err));
    for (size_t bit = 0; bit < n * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        put_file("bad.zst", bytes, n);
        vb_error_clear(&err);
        long got = read_all(in_scratch(path, "bad.zst"), 10000, &err);
        if (got >= 0) { /* the table is not recognised: then the frames alone give the data; or an unused bit */
            accepted++;
            if (got != 1001) fail_msg("bit %zu of %zu: %ld bytes", bit, n * 8, got);
        } else if (err.code != VB_EDATA && err.code != VB_EUNSUPPORTED) fail_msg("bit %zu: code %d: %s", bit, err.code, err.text);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    if (accepted > 48) fail_msg("%d flipped bits are accepted", accepted);
    vb_free(bytes);
}

static void put32(uint8_t *at, uint32_t value) { memcpy(at, &value, 4); }

static void lying_tables(void **state) {
    (void)state;
    char path[1024];
    static const size_t small[] = {300, 700};
    write_frames("l.zst", small, 2);
    uint8_t *bytes, *table, copy[4096];
    size_t n;
    assert_ok(vb_file_read_whole(in_scratch(path, "l.zst"), sizeof copy, &bytes, &n, &err));
    in_scratch(path, "lie.zst");
    table = copy + n - 9 - 24;
    memcpy(copy, bytes, n);
    put32(table + 4, 301); /* a decompressed size */
    put_file("lie.zst", copy, n);
    assert_fails(read_all(path, 100, &err) < 0, VB_EDATA, "holds 300 bytes, the seek table says 301");
    memcpy(copy, bytes, n);
    put32(table + 4, 0); /* of a frame that no read comes to */
    put_file("lie.zst", copy, n);
    assert_fails(read_all(path, 100, &err) < 0, VB_EDATA, "holds 300 bytes, the seek table says 0");
    memcpy(copy, bytes, n);
    put32(table, 7); /* compressed sizes that no longer add up */
    put_file("lie.zst", copy, n);
    assert_fails(read_all(path, 100, &err) < 0, VB_EDATA, "lie before the table");
    memcpy(copy, bytes, n);
    put32(table, *(uint32_t *)(void *)(bytes + n - 33) + 1); /* that add up, but are cut at the wrong place */
    put32(table + 12, *(uint32_t *)(void *)(bytes + n - 21) - 1);
    put_file("lie.zst", copy, n);
    assert_fails(read_all(path, 100, &err) < 0, VB_EDATA, "zstd");
    memcpy(copy, bytes, n);
    table[8] ^= 1; /* a checksum */
    put_file("lie.zst", copy, n);
    assert_fails(read_all(path, 100, &err) < 0, VB_EDATA, "has checksum");
    memcpy(copy, bytes, n);
    table[12 + 8] ^= 1; /* of the other frame: what it leaves behind is not the first one's */
    put_file("lie.zst", copy, n);
    vb_zst *zst;
    size_t got;
    assert_ok(vb_zst_open(&zst, path, &err));
    for (int turn = 0; turn < 2; turn++) {
        assert_ok(vb_zst_read(zst, 0, buffer, 300, &got, &err));
        assert_memory_equal(buffer, data, 300);
        assert_fails(vb_zst_read(zst, 300, buffer, 700, &got, &err), VB_EDATA, "frame 1 has checksum");
    }
    vb_zst_close(zst);
    memcpy(copy, bytes, n);
    put32(table + 4, 0x7fffffff); /* beyond the format's bound */
    put_file("lie.zst", copy, n);
    assert_fails(read_all(path, 100, &err) < 0, VB_EUNSUPPORTED, "at most");
    memcpy(copy, bytes, n);
    put32(table + 4, 0x40000000); /* 1 GiB in a frame too small for it: refused before memory is asked for */
    put_file("lie.zst", copy, n);
    assert_fails(read_all(path, 100, &err) < 0, VB_EDATA, "cannot hold");
    memcpy(copy, bytes, n);
    put32(copy + n - 9, 0xffffffff); /* four billion frames */
    put_file("lie.zst", copy, n);
    assert_fails(read_all(path, 100, &err) < 0, VB_EDATA, "seek table of 4294967295 frames");
    memcpy(copy, bytes, n);
    put32(copy + n - 9, 1);
    put_file("lie.zst", copy, n);
    assert_fails(read_all(path, 100, &err) < 0, VB_EDATA, "expected the seek table of 1 frames");
    memcpy(copy, bytes, n);
    copy[n - 5] |= 4;
    put_file("lie.zst", copy, n);
    assert_fails(read_all(path, 100, &err) < 0, VB_EDATA, "reserved bits");
    vb_free(bytes);
    /* A frame that does not tell its size: what comes out of it is counted. */
    static const uint8_t skippable[] = {0x5e, 0x2a, 0x4d, 0x18, 17, 0, 0, 0}, footer[] = {1, 0, 0, 0, 0, 0xb1, 0xea, 0x92, 0x8f};
    ZSTD_CCtx *context = ZSTD_createCCtx();
    assert_int_equal(ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0)), 0);
    n = ZSTD_compress2(context, copy, sizeof copy, data, 300);
    ZSTD_freeCCtx(context);
    assert_true(ZSTD_getFrameContentSize(copy, n) == ZSTD_CONTENTSIZE_UNKNOWN);
    memcpy(copy + n, skippable, sizeof skippable);
    put32(copy + n + 8, (uint32_t)n);
    memcpy(copy + n + 16, footer, sizeof footer);
    for (uint32_t told = 300; told <= 301; told++) {
        put32(copy + n + 12, told);
        put_file("lie.zst", copy, n + 16 + sizeof footer);
        if (told == 300) assert_int_equal(read_all(path, 100, &err), 300);
        else assert_fails(read_all(path, 100, &err) < 0, VB_EDATA, "holds 300 bytes, the seek table says 301");
    }
    put_text("no.zst", "plain text");
    assert_fails(read_all(in_scratch(path, "no.zst"), 100, &err) < 0, VB_EDATA, "expected zstd");
    vb_source *source;
    assert_fails(vb_source_open(&source, path, &err), VB_EDATA, "expected zstd");
    assert_fails(vb_source_open(&source, in_scratch(path, "absent"), &err), VB_EMISSING, "absent");
}

static void sources_are_plain_or_packed(void **state) {
    (void)state;
    char path[1024];
    vb_source *source;
    uint64_t size;
    size_t got;
    static const size_t one[] = {1000};
    write_frames("packed.any", one, 1);
    put_file("plain.any", data, 1000);
    const char *names[] = {"plain.any", "packed.any"};
    for (int i = 0; i < 2; i++) {
        assert_ok(vb_source_open(&source, in_scratch(path, names[i]), &err));
        assert_true(vb_source_size(source, &size));
        assert_int_equal(size, 1000);
        assert_string_equal(vb_source_path(source), path);
        assert_ok(vb_source_read_some(source, 900, buffer, 200, &got, &err));
        assert_int_equal(got, 100);
        assert_memory_equal(buffer, data + 900, 100);
        assert_ok(vb_source_read_some(source, 1u << 30, buffer, 200, &got, &err));
        assert_int_equal(got, 0);
        assert_fails(vb_source_read(source, 900, buffer, 200, &err), VB_EDATA,
                     "truncated: wanted 200 bytes at offset 900, the data ends "
                     "after 100");
        vb_source_close(source);
    }
}

/* Every call that can fail fails once: an error comes out, no file and no memory is left (the sanitizer watches). */
static void faults(void **state) {
    (void)state;
    char path[1024], spec[64];
    vb_zst_writer *writer;
    static const struct {
        const char *site, *effect;
        int code;
    } effects[] = {{"alloc", "ENOMEM", VB_EMEMORY},
                   {"write", "ENOSPC", VB_EOUTPUT},
                   {"fsync", "EIO", VB_EOUTPUT},
                   {"rename", "EACCES", VB_EOUTPUT},
                   {"open", "EACCES", VB_EOUTPUT}};
    in_scratch(path, "fault.zst");
    for (size_t e = 0; e < sizeof effects / sizeof *effects; e++) {
        int status = -1, n = 0;
        while (status) {
            snprintf(spec, sizeof spec, "%s:%d:%s", effects[e].site, ++n, effects[e].effect);
            assert_int_equal(vb_fault_setup(spec, 0), 0);
            vb_error_clear(&err);
            status = vb_zst_writer_open(&writer, path, 3, &err);
            if (!status) {
                status = vb_zst_writer_write(writer, data, SIZE, &err);
                if (status) vb_zst_writer_abandon(writer);
                else status = vb_zst_writer_commit(writer, NULL, &err);
            }
            vb_fault_setup(NULL, 0);
            if (!status) continue;
            assert_int_equal(err.code, effects[e].code);
            /* Whole or absent: what fails after the rename leaves the whole file. */
            if (vb_path_exists(path) && read_all(path, 10000, &err) != SIZE) fail_msg("%s leaves a broken file", spec);
            unlink(path);
        }
        if (n < 2) fail_msg("no call of %s was made", effects[e].site);
        assert_int_equal(run_command("ls -A %s | grep -q tmp", scratch) == 0, 0);
    }
    static const size_t two[] = {1000, 2000};
    write_frames("fault.zst", two, 2);
    for (int n = 1;; n++) {
        snprintf(spec, sizeof spec, "alloc:%d:ENOMEM", n);
        assert_int_equal(vb_fault_setup(spec, 0), 0);
        vb_error_clear(&err);
        long got = read_all(path, 500, &err);
        vb_fault_setup(NULL, 0);
        if (got == 3000) break;
        assert_int_equal(err.code, VB_EMEMORY);
    }
    assert_fails(vb_zst_writer_open(&writer, path, 0, &err), VB_EUSAGE, "level 0");
    assert_fails(vb_zst_writer_open(&writer, path, 20, &err), VB_EUSAGE, "level 20");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(seekable_files), cmocka_unit_test(plain_files_are_streams),
                                       cmocka_unit_test(truncations),    cmocka_unit_test(flipped_bits),
                                       cmocka_unit_test(lying_tables),   cmocka_unit_test(sources_are_plain_or_packed),
                                       cmocka_unit_test(faults)};
    return cmocka_run_group_tests(tests, fill, remove_scratch);
}
