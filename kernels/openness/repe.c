/* The class-word filter and the blend of REPE. */
#include "kernels/openness/repe.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/openness/direction.h"
#include "kernels/text/codepoints.h"
#include "kernels/text/unicode.h"

static char *lower_case(const char *text, size_t n, vb_error *err) {
    vb_codepoints points = {0};
    char *lower = NULL;
    if (!vb_codepoints_from_utf8(&points, text, n, err) && !vb_unicode_lower(&points, err))
        lower = vb_codepoints_to_utf8(&points, err);
    vb_codepoints_free(&points);
    return lower;
}

int vb_repe_words_new(vb_class_words *words, const char *class_name, vb_error *err) {
    *words = (vb_class_words){0};
    if (!(words->words = vb_array(strlen(class_name) + 1, sizeof *words->words, "words of a class", err))) return -1;
    for (const char *at = class_name; *at;) {
        size_t n = strcspn(at, " _");
        if (n && !(words->words[words->count] = lower_case(at, n, err))) {
            vb_repe_words_free(words);
            return -1;
        }
        words->count += n > 0;
        at += n + (at[n] != 0);
    }
    return 0;
}

void vb_repe_words_free(vb_class_words *words) {
    for (int i = 0; i < words->count; i++) vb_free(words->words[i]);
    vb_free(words->words);
    *words = (vb_class_words){0};
}

int vb_repe_caption_holds(const vb_class_words *words, const char *caption, bool *holds, vb_error *err) {
    char *lower = lower_case(caption, strlen(caption), err);
    *holds = false;
    if (!lower) return -1;
    for (int i = 0; i < words->count && !*holds; i++) *holds = strstr(lower, words->words[i]) != NULL;
    vb_free(lower);
    return 0;
}

int vb_repe_blend(const float *text, const float *const *rows, int64_t n, int dim, const vb_blend *how, float *out,
                  vb_error *err) {
    assert(n >= 0 && dim >= 1);
    double *sum = vb_array((size_t)dim, sizeof *sum, "blend", err);
    if (!sum) return -1;
    int status = 0;
    for (int64_t i = 0; i < n && !status; i++) {
        double inverse = vb_direction_inverse_norm(rows[i], dim);
        if (!(inverse > 0)) status = vb_errorf(err, VB_EDATA, "caption embedding %lld of a class has no direction", (long long)i);
        for (int k = 0; k < dim; k++) sum[k] += rows[i][k] * inverse;
    }
    double inverse = vb_direction_inverse_norm(text, dim), square = 0, share = n ? how->lambda : 0;
    if (!status && !(inverse > 0)) status = vb_errorf(err, VB_EDATA, "a class text's embedding has no direction");
    for (int k = 0; k < dim; k++) {
        sum[k] = (1 - share) * (text[k] * inverse) + (n ? share * (sum[k] / (double)n) : 0);
        square += sum[k] * sum[k];
    }
    if (!status && how->keep_length) {
        double length = 1 / inverse;
        if (how->renormalize && square > 0) length /= sqrt(square);
        for (int k = 0; k < dim; k++) sum[k] *= length;
    }
    if (!status) status = vb_direction_of_sum(sum, dim, how->renormalize && !how->keep_length, out, err);
    if (!status && how->keep_length && share == 0) memcpy(out, text, (size_t)dim * sizeof *out);
    vb_free(sum);
    return status;
}
