/* Tests of embedding corpora: which files are parts, their order, rows across parts, blocks, and parts that are broken. */
#include <fcntl.h>

#include "kernels/base/fault.h"
#include "shards/embeddings/corpus.h"
#include "shards/embeddings/npy.h"
#include "shards/embeddings/quantized.h"
#include "shards/files/json_parse.h"
#include "tests/unit/shards/tensor_files.h"

/* Row r of a corpus holds r, r + 0.5, -r. */
enum { DIM = 3 };

static void write_part(const char *name, vb_dtype dtype, int64_t first, int64_t rows) {
    vb_error err;
    char path[1024];
    float wide[64 * DIM];
    uint16_t half[64 * DIM];
    for (int64_t i = 0; i < rows; i++) {
        float r = (float)(first + i), row[DIM] = {r, r + 0.5f, -r};
        memcpy(wide + i * DIM, row, sizeof row);
    }
    for (int64_t i = 0; i < rows * DIM; i++) half[i] = vb_dtype_float_to_half(wide[i]);
    int64_t shape[2] = {rows, DIM};
    assert_ok(vb_npy_write(in_scratch(path, name), dtype, 2, shape, dtype == VB_F32 ? (void *)wide : half, &err));
}

static float element(const void *rows, vb_dtype dtype, int64_t i) {
    if (dtype == VB_F32) return ((const float *)rows)[i];
    uint16_t half = ((const uint16_t *)rows)[i];
    return dtype == VB_F16 ? vb_dtype_half_to_float(half) : vb_dtype_bf16_to_float(half);
}

/* All rows in pieces of `step`. */
static void check_rows(const vb_corpus *corpus, int64_t rows, int64_t step) {
    vb_error err;
    vb_corpus_block *blocks;
    int64_t count, next = 0;
    vb_corpus_reader reader;
    float buffer[64 * DIM];
    assert_int_equal(corpus->rows, rows);
    assert_ok(vb_corpus_blocks(corpus, step, &blocks, &count, &err));
    vb_corpus_reader_open(&reader, corpus);
    for (int64_t b = 0; b < count; b++) {
        const vb_corpus_part *part = &corpus->parts[blocks[b].part];
        assert_true(blocks[b].rows >= 1 && blocks[b].rows <= step);
        assert_int_equal(part->first + blocks[b].first, next);
        assert_ok(vb_corpus_read_rows(&reader, blocks[b].part, blocks[b].first, blocks[b].rows, buffer, &err));
        for (int64_t i = 0; i < blocks[b].rows; i++, next++) {
            assert_int_equal(vb_corpus_find(corpus, next), blocks[b].part);
            assert_true(element(buffer, part->dtype, i * DIM) == (float)next);
            assert_true(element(buffer, part->dtype, i * DIM + 2) == -(float)next);
        }
    }
    assert_int_equal(next, rows);
    vb_corpus_reader_close(&reader);
    vb_free(blocks);
}

static void parts_in_the_order_of_their_names(void **state) {
    (void)state;
    vb_error err;
    vb_corpus corpus, copy;
    char path[1024], pattern[1024];
    write_part("order/b.npy", VB_F16, 5, 20);
    write_part("order/a.npy", VB_F32, 0, 5);
    write_part("order/empty.npy", VB_F32, 0, 0);
    write_part("order/z10.npy", VB_F32, 25, 1);
    write_part("order/z9.npy", VB_F16, 26, 7);
    put_text("order/notes.txt", "not a part");
    assert_ok(vb_corpus_open(&corpus, in_scratch(path, "order"), &err));
    assert_int_equal(corpus.part_count, 5);
    assert_int_equal(corpus.dim, DIM);
    for (int64_t step = 1; step < 40; step += 6) check_rows(&corpus, 33, step);

    void *bytes;
    size_t size;
    assert_ok(vb_corpus_pack(&corpus, &bytes, &size, &err));
    assert_ok(vb_corpus_unpack(&copy, bytes, size, &err));
    check_rows(&copy, 33, 4);
    vb_digest a, b;
    assert_ok(vb_corpus_digest(&corpus, &a, &err));
    assert_ok(vb_corpus_digest(&copy, &b, &err));
    assert_string_equal(a.hex, b.hex);
    vb_corpus_close(&copy);
    for (size_t cut = 0; cut < size; cut++)
        assert_fails(vb_corpus_unpack(&copy, bytes, cut, &err), VB_EINTERNAL, "did not arrive whole");
    static const int64_t odd[] = {-1, INT64_MIN, INT64_MAX}; /* rows of the first part, behind the 24 bytes of the corpus */
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        memcpy((char *)bytes + 24, &odd[i], sizeof odd[i]);
        assert_fails(vb_corpus_unpack(&copy, bytes, size, &err), VB_EINTERNAL, "did not arrive whole");
    }
    vb_free(bytes);
    vb_corpus_close(&corpus);

    snprintf(pattern, sizeof pattern, "%s/order/[ab].npy", scratch);
    assert_ok(vb_corpus_open(&corpus, pattern, &err));
    check_rows(&corpus, 25, 7);
    vb_corpus_close(&corpus);
    snprintf(pattern, sizeof pattern, "%s/order/a.npy", scratch);
    assert_ok(vb_corpus_open(&corpus, pattern, &err));
    check_rows(&corpus, 5, 2);
    vb_corpus_close(&corpus);
}

static vb_digest digest_of(const char *path) {
    vb_error err;
    vb_corpus corpus;
    vb_digest digest;
    assert_ok(vb_corpus_open(&corpus, path, &err));
    assert_ok(vb_corpus_digest(&corpus, &digest, &err));
    vb_corpus_close(&corpus);
    return digest;
}

/* Hits of a scan that was stopped are taken over by the digest: parts of the same names and sizes with other bytes have
 * another. */
static void digests_for_checkpoints(void **state) {
    (void)state;
    vb_error err;
    char path[1024], part[1024];
    const float rows[4] = {1, 2, 3, 4};
    const int64_t shape[2] = {2, 2};
    in_scratch(path, "digests");
    assert_ok(vb_npy_write(in_scratch(part, "digests/a.npy"), VB_F32, 2, shape, rows, &err));
    const vb_digest first = digest_of(path);
    assert_string_equal(digest_of(path).hex, first.hex);
    int fd = open(part, O_WRONLY); /* in place, a second later */
    const struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000001}};
    assert_true(fd >= 0 && pwrite(fd, "x", 1, 130) == 1 && !futimens(fd, times) && !close(fd));
    const vb_digest changed = digest_of(path);
    assert_string_not_equal(changed.hex, first.hex);
    assert_ok(vb_npy_write(part, VB_F32, 2, shape, rows, &err)); /* in its place, with the time of the one before */
    assert_int_equal(utimensat(AT_FDCWD, part, times, 0), 0);
    assert_string_not_equal(digest_of(path).hex, changed.hex);

    /* The same bytes as other numbers, all else being equal. */
    vb_corpus corpus;
    vb_digest again;
    assert_ok(vb_corpus_open(&corpus, path, &err));
    assert_ok(vb_corpus_digest(&corpus, &again, &err));
    corpus.parts[0].dtype = VB_F16;
    vb_digest other;
    assert_ok(vb_corpus_digest(&corpus, &other, &err));
    assert_string_not_equal(other.hex, again.hex);
    vb_corpus_close(&corpus);
}

static void clip_retrievals_layout(void **state) {
    (void)state;
    vb_error err;
    vb_corpus corpus;
    char path[1024];
    write_part("layout/img_emb/img_emb_0000.npy", VB_F16, 0, 9);
    write_part("layout/img_emb/img_emb_0001.npy", VB_F16, 9, 4);
    write_part("layout/text_emb/text_emb_0000.npy", VB_F16, 50, 4);
    write_part("layout/other.npy", VB_F32, 90, 4);
    assert_ok(vb_corpus_open(&corpus, in_scratch(path, "layout"), &err));
    check_rows(&corpus, 13, 5);
    vb_corpus_close(&corpus);
}

static void safetensors_in_bf16(void **state) {
    (void)state;
    vb_error err;
    vb_corpus corpus;
    char path[1024];
    static const char header[] = "{\"e\":{\"dtype\":\"BF16\",\"shape\":[4,3],\"data_offsets\":[0,24]}}";
    unsigned char file[8 + sizeof header - 1 + 24] = {sizeof header - 1};
    memcpy(file + 8, header, sizeof header - 1);
    for (int i = 0; i < 4; i++) {
        float row[3] = {(float)i, 0, -(float)i};
        for (int k = 0; k < 3; k++) memcpy(file + 8 + sizeof header - 1 + (i * 3 + k) * 2, (char *)&row[k] + 2, 2);
    }
    put_file("bf16/a.safetensors", file, sizeof file);
    write_part("bf16/b.npy", VB_F32, 4, 2);
    assert_ok(vb_corpus_open(&corpus, in_scratch(path, "bf16"), &err));
    assert_int_equal(corpus.parts[0].dtype, VB_BF16);
    check_rows(&corpus, 6, 3);
    vb_corpus_close(&corpus);
    file[8 + 12] = 'X';
    put_file("bf16/a.safetensors", file, sizeof file);
    assert_int_equal(vb_corpus_open(&corpus, path, &err), -1);
}

static void broken_parts(void **state) {
    (void)state;
    vb_error err;
    vb_corpus corpus;
    char path[1024], part[1024];
    in_scratch(path, "broken");
    in_scratch(part, "broken/p1.npy");
    assert_fails(vb_corpus_open(&corpus, path, &err), VB_EMISSING, "no embedding parts");
    assert_fails(vb_corpus_open(&corpus, "/no/such/folder", &err), VB_EMISSING, "/no/such/folder");
    write_part("broken/p0.npy", VB_F32, 0, 8);
    write_part("broken/p1.npy", VB_F32, 8, 8);
    struct stat info;
    assert_int_equal(stat(part, &info), 0);
    assert_int_equal(truncate(part, info.st_size - 1), 0);
    assert_fails(vb_corpus_open(&corpus, path, &err), VB_EDATA, "p1.npy: truncated");
    int64_t shape[2] = {6, 4}, flat[1] = {24};
    float zeros[24] = {0};
    double doubles[6] = {0};
    assert_ok(vb_npy_write(part, VB_F32, 2, shape, zeros, &err));
    assert_fails(vb_corpus_open(&corpus, path, &err), VB_EMISMATCH, "p1.npy: rows of 4 dimensions, those of ");
    assert_ok(vb_npy_write(part, VB_F32, 1, flat, zeros, &err));
    assert_fails(vb_corpus_open(&corpus, path, &err), VB_EDATA, "p1.npy: an array of 1 dimension, expected");
    shape[0] = 6, shape[1] = 0;
    assert_ok(vb_npy_write(part, VB_F32, 2, shape, zeros, &err));
    assert_fails(vb_corpus_open(&corpus, path, &err), VB_EUNSUPPORTED,
                 "p1.npy: rows of 0 elements, expected 1 to 65536, row after row");
    shape[0] = 0, shape[1] = 65537;
    assert_ok(vb_npy_write(part, VB_F32, 2, shape, zeros, &err));
    assert_fails(vb_corpus_open(&corpus, path, &err), VB_EUNSUPPORTED, "p1.npy: rows of 65537 elements");
    assert_fails(vb_corpus_open(&corpus, put_tensors("two/a.safetensors", "x y"), &err), VB_EDATA,
                 "a.safetensors: 2 tensors, expected one, the embeddings");
    shape[0] = 2, shape[1] = 3;
    assert_ok(vb_npy_write(part, VB_F64, 2, shape, doubles, &err));
    assert_fails(vb_corpus_open(&corpus, path, &err), VB_EUNSUPPORTED, "elements of type fp64");

    /* a file that shrinks after the table was made */
    write_part("broken/p1.npy", VB_F32, 8, 8);
    assert_ok(vb_corpus_open(&corpus, path, &err));
    assert_int_equal(truncate(part, info.st_size - 12), 0);
    vb_corpus_reader reader;
    float buffer[64 * DIM];
    vb_corpus_reader_open(&reader, &corpus);
    assert_fails(vb_corpus_read_rows(&reader, 1, 0, 8, buffer, &err), VB_EDATA, "the file has changed");
    vb_corpus_reader_close(&reader);
    assert_int_equal(truncate(part, info.st_size + 12), 0); /* or grows */
    vb_corpus_reader_open(&reader, &corpus);
    assert_fails(vb_corpus_read_rows(&reader, 1, 0, 8, buffer, &err), VB_EDATA, "the file has changed");
    vb_corpus_reader_close(&reader);
    vb_corpus_close(&corpus);
    unlink(part);
    for (int n = 1;; n++) {
        char fault[32];
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_fault_setup(fault, 0);
        int failed = vb_corpus_open(&corpus, path, &err);
        vb_fault_setup(NULL, 0);
        if (!failed) break;
        assert_int_equal(err.code, VB_EMEMORY);
    }
    vb_corpus_close(&corpus);
}

/* The last step of making a copy: it fails whole, of every allocation, jansson's too. */
static void manifests_of_copies(void **state) {
    (void)state;
    vb_error err = {0};
    char file[] = "a.vbq", latin1[] = "caf\xe9.npy", fine[] = "a.npy", folder[1024], fault[32];
    float mean[DIM] = {0};
    vb_quantized_part part = {.file = file, .source = latin1, .dtype = VB_F32, .digest = {"00112233445566778899aabbccddeeff"}};
    const vb_quantized copy = {
        .folder = folder, .dim = DIM, .width = 64, .similarity = VB_COSINE, .mean = mean, .part_count = 1, .parts = &part};
    in_scratch(folder, "copy/x");
    folder[strlen(folder) - 2] = 0;
    assert_fails(vb_quantized_write(&copy, &err), VB_EUNSUPPORTED, "part caf?.npy: its name is not UTF-8");
    part.source = fine;
    int told = 0;
    for (int n = 1;; n++) {
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_error_clear(&err);
        vb_fault_setup(fault, 0);
        int failed = vb_quantized_write(&copy, &err);
        vb_fault_setup(NULL, 0);
        if (!failed) break;
        assert_int_equal(err.code, VB_EMEMORY);
        told += !strcmp(err.text, "no memory for a manifest");
    }
    assert_true(told > 20); /* each value of the part, and of the whole, takes memory */
    assert_int_equal(access(scratch_path("copy/manifest.json"), F_OK), 0);
}

int main(void) {
    vb_json_parse_setup();
    const struct CMUnitTest tests[] = {cmocka_unit_test(parts_in_the_order_of_their_names),
                                       cmocka_unit_test(digests_for_checkpoints),
                                       cmocka_unit_test(clip_retrievals_layout),
                                       cmocka_unit_test(safetensors_in_bf16),
                                       cmocka_unit_test(broken_parts),
                                       cmocka_unit_test(manifests_of_copies)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
