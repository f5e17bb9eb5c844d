/* Tests of the safetensors reader: files made by hand, every kind of damage, every prefix, flipped bytes, and a published
 * layout. */
#include <math.h>

#include "tests/unit/vb_test.h"
#include "kernels/base/fault.h"
#include "shards/weights/weights.h"
#include "shards/weights/safetensors.h"

/* length + header + `data` bytes that count up from 0. Free with vb_free. */
static vb_map make_file(const char *header, size_t data) {
    vb_error err = {0};
    size_t length = strlen(header);
    uint8_t *bytes = vb_array(8 + length + data, 1, "test file", &err);
    assert_non_null(bytes);
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(length >> (8 * i));
    memcpy(bytes + 8, header, length);
    for (size_t i = 0; i < data; i++) bytes[8 + length + i] = (uint8_t)i;
    return (vb_map){.data = bytes, .size = 8 + length + data};
}

static const char good[] = "{\"__metadata__\":{\"format\":\"pt\"},"
                           "\"z.weight\":{\"dtype\":\"F16\",\"shape\":[2,3],\"data_offsets\":[8,20]},"
                           "\"a\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
                           "\"empty\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[20,20]},"
                           "\"b\\u00e9\":{\"dtype\":\"BOOL\",\"shape\":[4],\"data_offsets\":[20,24]}}   ";

static void tensors_come_sorted_and_whole(void **state) {
    (void)state;
    vb_error err = {0};
    vb_map map = make_file(good, 24);
    vb_tensor_set set;
    void *storage;
    assert_ok(vb_safetensors_parse(&set, &storage, &map, "good", &err));
    assert_int_equal(set.count, 4);
    static const char *const names[] = {"a", "b\xc3\xa9", "empty", "z.weight"};
    for (int i = 0; i < 4; i++) assert_string_equal(set.items[i].name, names[i]);
    const vb_tensor *z = vb_tensor_find(&set, "z.weight");
    assert_int_equal(z->dtype, VB_F16);
    assert_int_equal(z->ndim, 2);
    assert_true(z->shape[0] == 2 && z->shape[1] == 3 && z->stride[0] == 3 && z->stride[1] == 1);
    assert_ptr_equal(z->data, map.data + 8 + strlen(good) + 8);
    const vb_tensor *a = vb_tensor_find(&set, "a");
    assert_true(a->ndim == 0 && a->dtype == VB_I64 && vb_tensor_count(a) == 1);
    assert_int_equal(vb_tensor_count(vb_tensor_find(&set, "empty")), 0);
    assert_int_equal(vb_tensor_find(&set, "b\xc3\xa9")->dtype, VB_BOOL);
    vb_free(storage);
    vb_free((void *)map.data);
}

static void every_dtype_is_known(void **state) {
    (void)state;
    static const struct {
        const char *name;
        vb_dtype dtype;
    } dtypes[] = {{"F32", VB_F32},    {"F16", VB_F16},        {"BF16", VB_BF16},  {"F64", VB_F64},  {"I8", VB_I8},
                  {"U8", VB_U8},      {"I16", VB_I16},        {"I32", VB_I32},    {"I64", VB_I64},  {"BOOL", VB_BOOL},
                  {"C64", VB_OPAQUE}, {"F8_E4M3", VB_OPAQUE}, {"U16", VB_OPAQUE}, {"F4", VB_OPAQUE}}; /* passed on unread */
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        char header[200];
        size_t bytes = dtypes[i].dtype == VB_OPAQUE ? 5 : 3 * vb_dtype_size(dtypes[i].dtype);
        snprintf(header, sizeof header, "{\"t\":{\"dtype\":\"%s\",\"shape\":[3],\"data_offsets\":[0,%zu]}}", dtypes[i].name,
                 bytes);
        vb_error err = {0};
        vb_map map = make_file(header, bytes);
        vb_tensor_set set;
        void *storage;
        assert_ok(vb_safetensors_parse(&set, &storage, &map, "dtypes", &err));
        assert_int_equal(set.items[0].tensor.dtype, dtypes[i].dtype);
        assert_int_equal(set.items[0].tensor.shape[0], 3);
        if (dtypes[i].dtype == VB_OPAQUE) assert_true(isnan(vb_tensor_at(&set.items[0].tensor, 2)));
        vb_free(storage);
        vb_free((void *)map.data);
    }
}

static void damage_is_named(void **state) {
    (void)state;
#define T(dtype, shape, offsets) "\"t\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}"
    static const struct {
        const char *header;
        size_t data;
        vb_code code;
        const char *fragment;
    } cases[] = {
        {"[1]", 0, VB_EDATA, "does not begin with '{'"},
        {"", 0, VB_EDATA, "does not begin with '{'"},
        {"{\"t\":", 0, VB_EDATA, "header, byte"},
        {"{} x", 0, VB_EDATA, "header, byte"},
        {"{\"t\":3}", 0, VB_EDATA, "tensor t is not described"},
        {"{\"__metadata__\":3}", 0, VB_EDATA, "__metadata__"},
        {"{" T("\"F32\"", "[1]", "[0,4]") "," T("\"F32\"", "[1]", "[4,8]") "}", 8, VB_EDATA, "duplicate"},
        {"{" T("\"F8_E4M3\"", "[1]", "[0,2]") "}", 1, VB_EDATA, "tensor t ends at byte 2"},
        {"{" T("\"F8_E4M3\"", "[1,-1]", "[0,1]") "}", 1, VB_EDATA, "dimension 1"},
        {"{" T("\"\"", "[1]", "[0,1]") "}", 1, VB_EDATA, "tensor t: an empty \"dtype\""},
        {"{" T("7", "[1]", "[0,1]") "}", 1, VB_EDATA, "tensor t: no \"dtype\""},
        {"{\"t\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, VB_EDATA, "tensor t: no \"dtype\""},
        {"{\"t\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, VB_EDATA, "tensor t: no \"shape\""},
        {"{\"t\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, VB_EDATA, "tensor t: \"data_offsets\""},
        {"{" T("\"F32\"", "4", "[0,4]") "}", 4, VB_EDATA, "tensor t: no \"shape\""},
        {"{" T("\"F32\"", "[-1]", "[0,4]") "}", 4, VB_EDATA, "tensor t: dimension 0"},
        {"{" T("\"F32\"", "[1,1.5]", "[0,4]") "}", 4, VB_EDATA, "tensor t: dimension 1"},
        {"{" T("\"U8\"", "[1,1,1,1,1,1,1,1,1]", "[0,1]") "}", 1, VB_EUNSUPPORTED, "tensor t has 9 dimensions"},
        {"{" T("\"F32\"", "[4294967296,4294967296]", "[0,0]") "}", 0, VB_EDATA, "tensor t: the size of its shape overflows"},
        {"{" T("\"U8\"", "[9223372036854775807,2]", "[0,0]") "}", 0, VB_EDATA, "tensor t: the size of its shape overflows"},
        {"{" T("\"U8\"", "[9223372036854775808]", "[0,0]") "}", 0, VB_EDATA, "header, byte"},
        {"{" T("\"F32\"", "[1]", "[0,8]") "}", 8, VB_EDATA, "tensor t has 8 bytes, its dtype and shape ask for 4"},
        {"{" T("\"F32\"", "[2]", "[0,4]") "}", 4, VB_EDATA, "tensor t has 4 bytes, its dtype and shape ask for 8"},
        {"{" T("\"F32\"", "[2]", "[0,8]") "}", 7, VB_EDATA, "tensor t ends at byte 8 of the data, but the file holds 7"},
        {"{" T("\"F32\"", "[1]", "[4,0]") "}", 4, VB_EDATA, "tensor t: \"data_offsets\""},
        {"{" T("\"F32\"", "[1]", "[-4,0]") "}", 4, VB_EDATA, "tensor t: \"data_offsets\""},
        {"{" T("\"F32\"", "[1]", "[0,4,8]") "}", 8, VB_EDATA, "tensor t: \"data_offsets\""},
        {"{" T("\"F32\"", "[1]", "{}") "}", 4, VB_EDATA, "tensor t: \"data_offsets\""},
        {"{" T("\"F32\"", "[1]", "[0,4]") "}", 5, VB_EDATA, "the data has 5 bytes, the tensors take 4"},
        {"{" T("\"F32\"", "[1]", "[4,8]") "}", 8, VB_EDATA, "bytes 0 to 4 of the data, before tensor t"},
        {"{" T("\"F32\"", "[2]", "[0,8]") ",\"u\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12, VB_EDATA,
         "tensors t and u overlap at byte 4"},
    };
#undef T
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vb_error err = {0};
        vb_map map = make_file(cases[i].header, cases[i].data);
        vb_tensor_set set;
        void *storage;
        assert_fails(vb_safetensors_parse(&set, &storage, &map, "some.safetensors", &err), cases[i].code, cases[i].fragment);
        assert_ptr_equal(strstr(err.text, "some.safetensors: "), err.text);
        assert_null(storage);
        vb_free((void *)map.data);
    }
}

static void header_length_is_checked(void **state) {
    (void)state;
    static const struct {
        uint8_t length[8];
        const char *fragment;
    } cases[] = {
        {{255, 255, 255, 255, 255, 255, 255, 255}, "claims 18446744073709551615"},
        {{0, 0, 0, 0, 0, 0, 0, 128}, "claims 9223372036854775808"},
        {{0, 225, 245, 5, 0, 0, 0, 1}, "claims"},
        {{3}, "claims 3 bytes, the file holds 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vb_error err = {0};
        uint8_t bytes[10];
        memcpy(bytes, cases[i].length, 8);
        memcpy(bytes + 8, "{}", 2);
        vb_map map = {.data = bytes, .size = sizeof bytes};
        vb_tensor_set set;
        void *storage;
        assert_fails(vb_safetensors_parse(&set, &storage, &map, "f", &err), VB_EDATA, cases[i].fragment);
        memcpy(bytes, (uint8_t[8]){2}, 8);
        assert_ok(vb_safetensors_parse(&set, &storage, &map, "f", &err)); /* a set of no tensors is a valid file */
        assert_int_equal(set.count, 0);
        vb_free(storage);
    }
}

/* Each prefix lies in memory of its own size, so that the address sanitizer sees any read beyond it. */
static void every_prefix_is_refused(void **state) {
    (void)state;
    vb_map map = make_file(good, 24);
    for (size_t size = 0; size < map.size; size++) {
        vb_error err = {0};
        uint8_t *bytes = malloc(size ? size : 1);
        assert_non_null(bytes);
        memcpy(bytes, map.data, size);
        vb_map part = {.data = bytes, .size = size};
        vb_tensor_set set;
        void *storage;
        assert_fails(vb_safetensors_parse(&set, &storage, &part, "cut", &err), VB_EDATA, "cut: ");
        free(bytes);
    }
    vb_free((void *)map.data);
}

static void flipped_bytes_never_lead_outside(void **state) {
    (void)state;
    vb_map map = make_file(good, 24);
    uint8_t *bytes = (uint8_t *)(uintptr_t)map.data;
    for (size_t at = 0; at < map.size - 24; at++)
        for (int bit = 0; bit < 8; bit++) {
            bytes[at] ^= (uint8_t)(1 << bit);
            vb_error err = {0};
            vb_tensor_set set;
            void *storage;
            if (!vb_safetensors_parse(&set, &storage, &map, "flipped", &err)) {
                for (size_t i = 0; i < set.count; i++) {
                    const vb_tensor *t = &set.items[i].tensor;
                    const uint8_t *begin = t->data, *end = begin + (size_t)vb_tensor_count(t) * vb_dtype_size(t->dtype);
                    assert_true(begin >= map.data && end <= map.data + map.size);
                }
                vb_free(storage);
            } else {
                assert_true(err.code == VB_EDATA || err.code == VB_EUNSUPPORTED);
                assert_null(storage);
            }
            bytes[at] ^= (uint8_t)(1 << bit);
        }
    vb_free(bytes);
}

static void lack_of_memory_is_an_error(void **state) {
    (void)state;
    vb_map map = make_file(good, 24);
    int failures = 0;
    for (int nth = 1;; nth++) {
        char specification[40];
        snprintf(specification, sizeof specification, "alloc:%d:ENOMEM", nth);
        vb_fault_setup(specification, 0);
        vb_error err = {0};
        vb_tensor_set set;
        void *storage;
        int status = vb_safetensors_parse(&set, &storage, &map, "good", &err);
        vb_fault_setup(NULL, 0);
        if (!status) {
            vb_free(storage);
            break;
        }
        assert_int_equal(err.code, VB_EMEMORY);
        failures++;
    }
    assert_true(failures >= 2);
    vb_free((void *)map.data);
}

/* Values read with NumPy from the same file. */
static void a_real_file_reads_as_numpy_reads_it(void **state) {
    (void)state;
    char path[1024];
    vb_error err = {0};
    vb_map map;
    assert_ok(vb_map_open(&map, shared_path(path, "fixtures/clip-vit/model.safetensors"), &err));
    vb_tensor_set set;
    void *storage;
    assert_ok(vb_safetensors_parse(&set, &storage, &map, path, &err));
    assert_int_equal(set.count, 62);
    for (size_t i = 1; i < set.count; i++) assert_true(strcmp(set.items[i - 1].name, set.items[i].name) < 0);
    assert_true(vb_tensor_at(vb_tensor_find(&set, "logit_scale"), 0) == 2.66015625f);
    const vb_tensor *projection = vb_tensor_find(&set, "visual.proj");
    assert_true(projection->shape[0] == 128 && projection->shape[1] == 32);
    assert_true(vb_tensor_at(projection, 5 * 32 + 7) == 0.1458740234375f);
    assert_true(vb_tensor_at(vb_tensor_find(&set, "token_embedding.weight"), 49407 * 64 + 63) == -0.0200042724609375f);
    vb_free(storage);
    vb_map_close(&map);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(tensors_come_sorted_and_whole),
                                       cmocka_unit_test(every_dtype_is_known),
                                       cmocka_unit_test(damage_is_named),
                                       cmocka_unit_test(header_length_is_checked),
                                       cmocka_unit_test(every_prefix_is_refused),
                                       cmocka_unit_test(flipped_bytes_never_lead_outside),
                                       cmocka_unit_test(lack_of_memory_is_an_error),
                                       cmocka_unit_test(a_real_file_reads_as_numpy_reads_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
