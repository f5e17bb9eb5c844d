/* Tests of weights in several files: an index that lists other tensors or files than there are, as an interrupted download or a
 * mixed-up folder leaves them. */
#include <fcntl.h>

#include "tests/unit/shards/tensor_files.h"
#include "shards/weights/weights.h"

static const char *put_index(const char *map) {
    char text[1024];
    snprintf(text, sizeof text, "{\"metadata\": {}, \"weight_map\": %s}", map);
    put_text("w/model.safetensors.index.json", text);
    return scratch_path("w/model.safetensors.index.json");
}

static void an_index_that_fits(void **state) {
    (void)state;
    vb_error err = {0};
    vb_weights weights;
    put_tensors("w/1.safetensors", "a b");
    put_tensors("w/2.safetensors", "c");
    assert_ok(vb_weights_open(&weights,
                              put_index("{\"a\": \"1.safetensors\", \"b\": \"1.safetensors\", \"c\": \"2.safetensors\"}"), false,
                              &err));
    assert_int_equal(weights.set.count + weights.unused.count, 3); /* no names of a model */
    vb_weights_close(&weights);
}

/* Another byte in either shard, or another file in its place, is other weights. */
static void every_shard_counts(void **state) {
    (void)state;
    vb_error err = {0};
    vb_weights weights;
    vb_digest digests[3], identities[3];
    static const char *const shards[] = {"w/1.safetensors", "w/2.safetensors"};
    char index[1024];
    put_index("{\"a\": \"1.safetensors\", \"b\": \"1.safetensors\", \"c\": \"2.safetensors\"}");
    in_scratch(index, "w/model.safetensors.index.json");
    put_tensors(shards[0], "a b");
    put_tensors(shards[1], "c");
    for (int i = 0; i < 3; i++) {
        if (i) {
            FILE *file = fopen(scratch_path(shards[i - 1]), "r+b");
            const struct timespec then[2] = {{.tv_sec = 1000000000 + i}, {.tv_sec = 1000000000 + i}};
            assert_true(file && !fseek(file, -1, SEEK_END) && fputc('x', file) == 'x' && !fclose(file));
            assert_int_equal(utimensat(AT_FDCWD, scratch_path(shards[i - 1]), then, 0), 0);
        }
        assert_ok(vb_weights_open(&weights, index, true, &err));
        digests[i] = weights.digest;
        assert_ok(vb_weights_identity(&weights, &identities[i], &err));
        vb_weights_close(&weights);
        if (!i) continue;
        assert_string_not_equal(digests[i].hex, digests[i - 1].hex);
        assert_string_not_equal(identities[i].hex, identities[i - 1].hex);
    }
}

/* Tensors of shards lie between each other's by their names, and each is found. */
static void shards_that_interleave(void **state) {
    (void)state;
    vb_error err = {0};
    vb_weights weights;
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    put_tensors("w/1.safetensors", "b d e");
    put_tensors("w/2.safetensors", "a c");
    assert_ok(vb_weights_open_raw(&weights,
                                  put_index("{\"e\": \"1.safetensors\", \"a\": \"2.safetensors\", \"d\": \"1.safetensors\", "
                                            "\"b\": \"1.safetensors\", \"c\": \"2.safetensors\"}"),
                                  false, &err));
    assert_int_equal(weights.set.count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(weights.set.items[i].name, names[i]);
        assert_non_null(vb_tensor_find(&weights.set, names[i]));
    }
    vb_weights_close(&weights);
}

/* A run looks at the files again before it keeps what it made of them: at each of them. */
static void a_shard_that_changes(void **state) {
    (void)state;
    vb_error err = {0};
    vb_weights weights;
    static const char *const shards[] = {"w/1.safetensors", "w/2.safetensors"};
    put_tensors(shards[0], "a b");
    put_tensors(shards[1], "c");
    const char *index = put_index("{\"a\": \"1.safetensors\", \"b\": \"1.safetensors\", \"c\": \"2.safetensors\"}");
    for (int i = 0; i < 2; i++) {
        char name[32];
        snprintf(name, sizeof name, "%d.safetensors", i + 1);
        assert_ok(vb_weights_open(&weights, index, false, &err));
        assert_ok(vb_weights_check(&weights, &err));
        FILE *file = fopen(scratch_path(shards[i]), "r+b");
        const struct timespec then[2] = {{.tv_sec = 1000000000 + i}, {.tv_sec = 1000000000 + i}};
        assert_true(file && !fseek(file, -1, SEEK_END) && fputc('x', file) == 'x' && !fclose(file));
        assert_int_equal(utimensat(AT_FDCWD, scratch_path(shards[i]), then, 0), 0);
        assert_fails(vb_weights_check(&weights, &err), VB_EDATA, name);
        vb_weights_close(&weights);
    }
}

static void an_index_that_does_not(void **state) {
    (void)state;
    static const struct {
        const char *map;
        int code;
        const char *text;
    } cases[] = {
        {"[]", VB_EDATA, "no \"weight_map\": expected an object of tensor names and shards"},
        {"{}", VB_EDATA, "no \"weight_map\""},
        {"{\"a\": \"../1.safetensors\"}", VB_EDATA, "weight_map: a: expected the name of a file in the same folder, found ../1"},
        {"{\"a\": 7}", VB_EDATA, "weight_map: a: expected the name of a file in the same folder, found no text"},
        {"{\"a\": \"3.safetensors\"}", VB_EMISSING, "3.safetensors: no such file: the shard of tensor a by "},
        {"{\"a\": \"1.safetensors\", \"c\": \"2.safetensors\"}", VB_EDATA,
         "1.safetensors: tensor b is not in the weight_map of "},
        {"{\"a\": \"1.safetensors\", \"b\": \"1.safetensors\", \"c\": \"2.safetensors\", \"d\": \"2.safetensors\"}", VB_EDATA,
         "tensor d is in none of the 2 shards, expected it in 2.safetensors"},
        {"{\"a\": \"2.safetensors\", \"b\": \"1.safetensors\", \"c\": \"2.safetensors\"}", VB_EDATA,
         "tensor a is in shard 1.safetensors, expected it in 2.safetensors"},
        {"{\"a\": \"1.safetensors\", \"b\": \"1.safetensors\", \"c\": \"again.safetensors\"}", VB_EDATA,
         "tensor b is in two shards, 1.safetensors and again.safetensors"},
    };
    vb_weights weights;
    vb_error err = {0};
    put_tensors("w/again.safetensors", "b c");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_fails(vb_weights_open(&weights, put_index(cases[i].map), false, &err), cases[i].code, cases[i].text);
    put_text("w/model.safetensors.index.json", "{\"weight_map\": ");
    assert_fails(vb_weights_open(&weights, scratch_path("w/model.safetensors.index.json"), false, &err), VB_EDATA,
                 "index.json:1");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_index_that_fits), cmocka_unit_test(every_shard_counts),
                                       cmocka_unit_test(shards_that_interleave), cmocka_unit_test(a_shard_that_changes),
                                       cmocka_unit_test(an_index_that_does_not)};
    return cmocka_run_group_tests_name("weights in shards", tests, make_scratch, remove_scratch);
}
