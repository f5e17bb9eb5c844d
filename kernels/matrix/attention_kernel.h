/* One head of attention over one sequence, once for each instruction set level: see attention.h. Private to kernels/matrix/. */
#ifndef VB_ATTENTION_KERNEL_H
#define VB_ATTENTION_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Keys and values are packed in strips of as many rows, or columns; work space of a row of weights is in whole strips. */
enum { VB_ATTENTION_STRIP = 16 };

typedef struct vb_attention_head {
    const float *query, *key,
        *value; /* row 0 of the queries; of all keys and values, where `rows` says which are the sequence's */
    int64_t ld_query, ld_key, ld_value;
    const int64_t *rows;   /* keys of them; NULL: 0, 1, 2 .. */
    const uint8_t *hidden; /* a byte a key; NULL: none is hidden */
    int64_t queries, keys; /* both at least 1 */
    int head_dim;
    bool causal;
    float scale; /* above 0 */
    float *out;
    int64_t ld_out;
} vb_attention_head;

typedef struct vb_attention_kernel {
    /* Floats of work space for up to `keys` keys. */
    size_t (*floats)(int64_t keys, int head_dim);
    /* next: what is probably computed after it, whose rows are fetched towards the cache; NULL: nothing. */
    void (*run)(const vb_attention_head *head, const vb_attention_head *next, float *work);
    /* The softmax of its blocks alone, of whatever scores the work space holds: for benchmarks. */
    void (*softmax)(const vb_attention_head *head, float *work);
} vb_attention_kernel;

/* For the level in use. */
const vb_attention_kernel *vb_attention_kernel_get(void);

extern const vb_attention_kernel vb_attention_kernel_scalar;
#if defined(__x86_64__)
extern const vb_attention_kernel vb_attention_kernel_avx2, vb_attention_kernel_avx512;
#endif

#endif
