/* Tests of the openness figures on real embeddings: against those of Living17 that were made with NumPy. */
#include <jansson.h>
#include <math.h>

#include "kernels/openness/openness.h"
#include "kernels/openness/similarity.h"
#include "shards/embeddings/npy.h"
#include "tests/unit/near.h"
#include "tests/unit/vb_test.h"

static void near_json(double found, const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_number(value));
    if (!(fabs(found - json_number_value(value)) <= 1e-9))
        fail_msg("%s is %.12f, expected %.12f", key, found, json_number_value(value));
}

static void living17_is_numpys(void **state) {
    (void)state;
    vb_error err = {0};
    char path[1024];
    json_t *expected = json_load_file(shared_path(path, "reference/living17-clip-vit-b32.expected.json"), 0, NULL);
    json_t *vocabularies = json_load_file(shared_path(path, "reference/living17.json"), 0, NULL);
    vb_npy images, labels, texts;
    assert_ok(vb_npy_open(&images, shared_path(path, "data/clip-vit-b32-imagenet/imagenet_image_7per_class.npy"), &err));
    assert_ok(vb_npy_open(&labels, shared_path(path, "data/clip-vit-b32-imagenet/imagenet_image_labels.npy"), &err));
    assert_ok(vb_npy_open(&texts, shared_path(path, "data/clip-vit-b32-imagenet/imagenet_text_a_photo_of.npy"), &err));
    enum { N = 17, CLASSES = 68, ROWS = 476, DIM = 512 };
    assert_int_equal(json_array_size(vocabularies), N);
    int offsets[N + 1] = {0}, members[CLASSES], classes = 0, y[ROWS], row_count = 0;
    static float text_rows[CLASSES * DIM], image_rows[ROWS * DIM];
    for (int v = 0; v < N; v++) {
        json_t *list = json_object_get(json_array_get(vocabularies, (size_t)v), "classes");
        for (size_t i = 0; i < json_array_size(list); i++, classes++) {
            int64_t index = json_integer_value(json_object_get(json_array_get(list, i), "idx"));
            members[classes] = classes;
            memcpy(text_rows + classes * DIM, (const float *)texts.tensor.data + index * DIM, DIM * sizeof(float));
            for (int64_t x = 0; x < labels.tensor.shape[0]; x++) {
                if ((int64_t)vb_tensor_at(&labels.tensor, x) != index) continue;
                memcpy(image_rows + row_count * DIM, (const float *)images.tensor.data + x * DIM, DIM * sizeof(float));
                y[row_count++] = classes;
            }
        }
        offsets[v + 1] = classes;
    }
    assert_int_equal(classes, CLASSES);
    assert_int_equal(row_count, ROWS);
    const vb_label_space space = {CLASSES, N, offsets, members, NULL, false};
    static uint8_t beaten[ROWS * N];
    static vb_verdict verdicts[ROWS];
    vb_text_bank *bank;
    vb_tally *tally;
    vb_openness_result result;
    vb_protocol protocol = {.sampled = 1, .trials = 3, .seed = 42};
    assert_ok(vb_similarity_bank_new(&bank, text_rows, CLASSES, DIM, VB_COSINE, &err));
    assert_ok(vb_similarity_judge(bank, &space, &(vb_image_block){.rows = ROWS, .images = image_rows, .labels = y}, beaten,
                                  verdicts, 2, &err));
    assert_ok(vb_tally_new(&tally, &space, &protocol, &err));
    double margin = 0, positive = 0;
    int right = 0;
    for (int x = 0; x < ROWS; x++) {
        vb_tally_add(tally, y[x], beaten + x * N);
        margin += verdicts[x].margin / ROWS;
        positive += verdicts[x].similarity / ROWS;
        right += verdicts[x].predicted_all == y[x];
        assert_int_equal(verdicts[x].predicted_own == y[x], !beaten[x * N + y[x] / 4]);
    }
    assert_ok(vb_openness(&result, tally, &err));
    assert_int_equal(result.images, json_integer_value(json_object_get(expected, "images")));
    near_json(result.acc_c, expected, "acc_c");
    near_json(result.acc_e, expected, "acc_e");
    near_json(result.acc_s, expected, "acc_s");
    near_json(result.acc_e_union, expected, "acc_e"); /* 28 images each */
    near_json(result.top1_all, expected, "top1_all");
    near_json((double)right / ROWS, expected, "top1_all");
    near_json(margin, expected, "margin_mean");
    near_json(positive, expected, "positive_mean");
    json_t *sampled = json_object_get(expected, "sampled_3_42");
    near_json(result.acc_c, sampled, "acc_c");
    near_json(result.sampled_e, sampled, "acc_e");
    near_json(result.sampled_s, sampled, "acc_s");
    for (size_t t = 0; t < N; t++) {
        const vb_vocabulary_openness *v = &result.vocabulary[t];
        const json_t *wanted = json_array_get(json_object_get(expected, "per_vocabulary"), t);
        near_json((double)v->images, wanted, "n");
        near_json(v->acc_c, wanted, "acc_c");
        near_json(v->acc_e, wanted, "acc_e");
        near_json(v->acc_s, wanted, "acc_s");
        for (size_t i = 0; i < N; i++) {
            assert_int_equal(v->harm_histogram[i],
                             json_integer_value(json_array_get(json_object_get(wanted, "harm_histogram"), i)));
            assert_int_equal(v->theft[i], json_integer_value(json_array_get(json_object_get(wanted, "theft"), i)));
            assert_near(v->curve[i], json_number_value(json_array_get(json_object_get(wanted, "curve"), i)), 1e-9);
        }
        assert_near(v->sampled_e, json_number_value(json_array_get(json_object_get(sampled, "per_vocabulary_e"), t)), 1e-9);
        assert_near(v->sampled_s, json_number_value(json_array_get(json_object_get(sampled, "per_vocabulary_s"), t)), 1e-9);
    }
    vb_openness_free(&result);
    vb_tally_free(tally);
    vb_similarity_bank_free(bank);
    vb_npy_close(&images);
    vb_npy_close(&labels);
    vb_npy_close(&texts);
    json_decref(expected);
    json_decref(vocabularies);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(living17_is_numpys)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
