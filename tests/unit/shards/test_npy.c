/* Tests of .npy: golden headers written by NumPy, truncation at every byte. */
#include "shards/embeddings/npy.h"
#include "shards/files/file.h"
#include "shards/files/writer.h"
#include "tests/unit/scratch.h"

static void npy_equals_numpy(void **state) {
    (void)state;
    vb_error err = {0};
    const char *path = scratch_path("file"), *other = scratch_path("other");
    /* numpy.save of numpy.array([[1,2,3],[4,5,6]], '<f4') */
    static const char numpys[] = "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    float values[6] = {1, 2, 3, 4, 5, 6};
    int64_t shape[2] = {2, 3};
    assert_ok(vb_npy_write(path, VB_F32, 2, shape, values, &err));
    uint8_t *bytes;
    size_t size;
    assert_ok(vb_file_read_whole(path, 1 << 20, &bytes, &size, &err));
    assert_int_equal(size, 128 + 24);
    assert_memory_equal(bytes, numpys, sizeof numpys - 1);
    assert_int_equal(bytes[127], '\n');
    assert_memory_equal(bytes + 128, values, 24);
    vb_npy npy;
    assert_ok(vb_npy_open(&npy, path, &err));
    assert_int_equal(npy.tensor.ndim, 2);
    assert_int_equal(npy.tensor.shape[1], 3);
    assert_true(vb_tensor_at(&npy.tensor, 4) == 5);
    vb_npy_close(&npy);
    for (size_t n = 0; n < size; n++) { /* truncated at every byte */
        assert_ok(vb_writer_write_whole(other, bytes, n, &err));
        assert_fails(vb_npy_open(&npy, other, &err), VB_EDATA,
                     n < 10  ? "other: " :
                     n < 128 ? "truncated: a header of 118" :
                               "truncated: the header asks");
    }
    for (size_t n = 10; n < 12; n++) { /* the length of version 2 takes four bytes */
        bytes[6] = 2;
        assert_ok(vb_writer_write_whole(other, bytes, n, &err));
        assert_fails(vb_npy_open(&npy, other, &err), VB_EDATA, "other: truncated: the header is cut off");
    }
    static const struct {
        uint8_t major, minor;
        const char *found;
    } versions[] = {{0, 0, "version 0.0, expected"}, {4, 0, "version 4.0, expected"}, {2, 142, "version 2.142, expected"}};
    for (size_t v = 0; v < sizeof versions / sizeof *versions; v++) { /* NumPy refuses them */
        bytes[6] = versions[v].major, bytes[7] = versions[v].minor;
        assert_ok(vb_writer_write_whole(other, bytes, size, &err));
        assert_fails(vb_npy_open(&npy, other, &err), VB_EUNSUPPORTED, versions[v].found);
    }
    assert_fails(vb_npy_write(other, VB_BF16, 2, shape, values, &err), VB_EINTERNAL, ".npy has no element type bf16");
    vb_free(bytes);
    static const char *const headers[][2] = {
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3), }\n", NULL},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (3,), }\n", "element type '>f4'"},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }\n", "Fortran"},
        {"{'descr': '<f4', 'shape': (3,), }\n", "malformed"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-3,), }\n", "malformed"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 9), }\n", "overflows"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4611686018427387904, 9), }\n", "overflows"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 0), }\n", "overflows"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), }\n", "longer than its header says"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }\n", "malformed"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), } z \n", "malformed"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }# note\nz\n", "malformed"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }# note  \n", NULL},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }\n", "malformed"}};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        uint8_t file[256] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
        size_t n = strlen(headers[i][0]);
        file[8] = (uint8_t)n;
        memcpy(file + 10, headers[i][0], n);
        assert_ok(vb_writer_write_whole(other, file, 10 + n + (i == 2 ? 24 : 12), &err));
        if (!headers[i][1]) {
            assert_ok(vb_npy_open(&npy, other, &err));
            vb_npy_close(&npy);
        } else if (!vb_npy_open(&npy, other, &err) || !strstr(err.text, headers[i][1])) fail_msg("header %zu: %s", i, err.text);
    }
    unlink(path);
    unlink(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(npy_equals_numpy)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
