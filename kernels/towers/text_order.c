/* Sorting texts by their rows. */
#include "kernels/towers/text_order.h"

#include <string.h>

#include "kernels/base/memory.h"

/* Row `at` of two texts that have it: -1, 0 or 1. */
static int compare_rows(const vb_text_input *input, const int64_t text[2], const int length[2], int at) {
    const float *vector[2];
    int32_t token[2] = {0};
    int kind[2]; /* what comes first: tokens, then vectors, then class rows */
    for (int i = 0; i < 2; i++) {
        const bool class_row = input->class_row && at + 1 == length[i];
        vector[i] = class_row ? NULL : vb_text_input_row(input, text[i], at, &token[i]);
        if (class_row) token[i] = 0;
        kind[i] = class_row ? 4 : vector[i] ? 2 : 0;
        kind[i] += input->class_row && vb_text_input_hidden(input, text[i], at);
    }
    if (kind[0] != kind[1]) return kind[0] < kind[1] ? -1 : 1;
    if (vector[0] && vector[0] != vector[1]) {
        const int order = memcmp(vector[0], vector[1], (size_t)input->context->width * sizeof *vector[0]);
        return (order > 0) - (order < 0);
    }
    return (token[0] > token[1]) - (token[0] < token[1]);
}

/* Rows that two texts have in common, from the first one on; *order: which text comes first. */
static int common_rows(const vb_text_input *input, const int64_t text[2], const int length[2], int *order) {
    const int least = length[0] < length[1] ? length[0] : length[1];
    for (int at = 0; at < least; at++)
        if ((*order = compare_rows(input, text, length, at))) return at;
    *order = (length[0] > length[1]) - (length[0] < length[1]);
    return least;
}

static bool is_before(const vb_text_input *input, int64_t a, int64_t b) {
    int found;
    const int length[2] = {vb_text_input_length(input, a), vb_text_input_length(input, b)};
    common_rows(input, (const int64_t[]){a, b}, length, &found);
    return found < 0 || (!found && a < b);
}

/* Lets the text at `at` sink in a heap of n whose largest is on top. */
static void sink(vb_text_order *order, const vb_text_input *input, int64_t at, int64_t n) {
    int64_t *text = order->text;
    for (int64_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && is_before(input, text[child], text[child + 1])) child++;
        if (!is_before(input, text[at], text[child])) return;
        const int64_t other = text[at];
        text[at] = text[child], text[child] = other;
    }
}

static int make_room(vb_text_order *order, size_t count, vb_error *err) {
    if (order->text && count <= order->capacity) return 0;
    vb_text_order_free(order);
    *order = (vb_text_order){.text = vb_array(count, sizeof *order->text, "order of texts", err),
                             .length = vb_array(count, sizeof *order->length, "order of texts", err),
                             .shared = vb_array(count, sizeof *order->shared, "order of texts", err),
                             .capacity = count};
    if (order->text && order->length && order->shared) return 0;
    vb_text_order_free(order);
    return -1;
}

int vb_text_order_make(vb_text_order *order, const vb_text_input *input, int64_t first, int64_t n, vb_error *err) {
    if (make_room(order, (size_t)n, err)) return -1;
    order->shared[0] = 0;
    for (int64_t i = 0; i < n; i++) order->text[i] = first + i;
    for (int64_t i = n / 2; i-- > 0;) sink(order, input, i, n);
    for (int64_t last = n - 1; last > 0; last--) {
        const int64_t largest = order->text[0];
        order->text[0] = order->text[last], order->text[last] = largest;
        sink(order, input, 0, last);
    }
    for (int64_t i = 0; i < n; i++) order->length[i] = vb_text_input_length(input, order->text[i]);
    for (int64_t i = 1; i < n; i++) {
        int before;
        order->shared[i] = common_rows(input, order->text + i - 1, order->length + i - 1, &before);
    }
    return 0;
}

void vb_text_order_free(vb_text_order *order) {
    vb_free(order->text);
    vb_free(order->length);
    vb_free(order->shared);
    *order = (vb_text_order){0};
}

size_t vb_text_order_bytes(int64_t n) {
    const vb_text_order *none = NULL;
    return (size_t)n * (sizeof *none->text + sizeof *none->length + sizeof *none->shared);
}
