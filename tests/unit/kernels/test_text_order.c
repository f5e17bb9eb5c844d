/* Tests of the order of texts: against counts of distinct beginnings by brute force. */
#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"
#include "kernels/base/fault.h"
#include "kernels/towers/text_order.h"

enum { N = 60, LENGTH = 8, WIDTH = 3, END = 9 };

static uint32_t state_of_noise = 3;
static int32_t below(uint32_t n) { return (int32_t)(random_next32(&state_of_noise) % n); }

/* Whether two texts have their first `count` rows in common, row by row. */
static bool same_rows(const vb_text_input *input, int64_t a, int64_t b, int count) {
    for (int at = 0; at < count; at++) {
        int32_t x = -1, y = -1;
        const float *u = vb_text_input_row(input, a, at, &x), *v = vb_text_input_row(input, b, at, &y);
        if (!u != !v || (u ? memcmp(u, v, WIDTH * sizeof *u) != 0 : x != y)) return false;
    }
    return true;
}

/* Beginnings of each length that no earlier text has. */
static int distinct_rows(const vb_text_input *input) {
    int found = 0;
    for (int i = 0; i < N; i++)
        for (int count = 1; count <= vb_text_input_length(input, i); count++) {
            bool known = false;
            for (int j = 0; j < i && !known; j++)
                known = vb_text_input_length(input, j) >= count && same_rows(input, i, j, count);
            found += !known;
        }
    return found;
}

static void check(const vb_text_input *input) {
    vb_error err = {0};
    vb_text_order order = {0};
    bool seen[N] = {false};
    int computed = 0;
    assert_ok(vb_text_order_make(&order, input, 0, N, &err));
    for (int i = 0; i < N; i++) {
        const int64_t text = order.text[i];
        assert_true(text >= 0 && text < N && !seen[text]);
        seen[text] = true;
        assert_int_equal(order.length[i], vb_text_input_length(input, text));
        assert_true(order.shared[i] <= order.length[i] && (i || !order.shared[i]));
        if (i) assert_true(same_rows(input, text, order.text[i - 1], order.shared[i]));
        computed += order.length[i] - order.shared[i];
    }
    assert_int_equal(computed, distinct_rows(input));
    vb_text_order_free(&order);
}

static void each_beginning_is_computed_once(void **state) {
    (void)state;
    int32_t tokens[N * LENGTH];
    float vectors[N * 2 * WIDTH];
    int names[N];
    for (int round = 0; round < 12; round++) {
        for (int i = 0; i < N; i++) {
            const int end = 4 + below(LENGTH - 4);
            for (int at = 0; at < LENGTH; at++) tokens[i * LENGTH + at] = at < end ? 1 + below(2) : END;
            names[i] = 1 + below((uint32_t)(end - 3));
        }
        for (int i = 0; i < N * 2 * WIDTH; i++) vectors[i] = (float)below(2);
        const vb_prompt_context context = {.vectors = vectors,
                                           .n_ctx = 2,
                                           .width = WIDTH,
                                           .class_specific = round % 2,
                                           .position = (vb_prompt_position)(round / 2 % 3),
                                           .name_lengths = names};
        vb_text_input input = {.tokens = tokens, .context_length = LENGTH, .vocabulary_size = 10, .end_token = END};
        check(&input);
        input.context = &context;
        check(&input);
    }
}

/* A token 0 hides the row behind it: texts of equal tokens may differ in that alone, and the class row is no token's. */
static void class_rows_and_hidden_rows_are_told_apart(void **state) {
    (void)state;
    vb_error err = {0};
    static const int32_t tokens[3 * 4] = {5, 6, 0, 0, 5, 6, 7, 0, 5, 6, 0, 0};
    const vb_text_input input = {
        .tokens = tokens, .context_length = 4, .vocabulary_size = 10, .end_token = VB_NO_END_TOKEN, .class_row = true};
    vb_text_order order = {0};
    assert_ok(vb_text_order_make(&order, &input, 0, 3, &err));
    assert_true(order.text[0] == 0 && order.text[1] == 2 && order.text[2] == 1);
    assert_int_equal(order.shared[1], order.length[1]);
    assert_int_equal(order.shared[2], 2);
    vb_text_order_free(&order);
}

static void no_memory(void **state) {
    (void)state;
    vb_error err = {0};
    static const int32_t tokens[] = {1, END};
    const vb_text_input input = {.tokens = tokens, .context_length = 2, .vocabulary_size = 10, .end_token = END};
    vb_text_order order = {0};
    vb_fault_setup("alloc:2:ENOMEM", 0);
    assert_fails(vb_text_order_make(&order, &input, 0, 1, &err), VB_EMEMORY, "order of texts");
    vb_fault_setup(NULL, 0);
    assert_true(!order.text && !order.length && !order.shared);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_beginning_is_computed_once),
                                       cmocka_unit_test(class_rows_and_hidden_rows_are_told_apart), cmocka_unit_test(no_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
