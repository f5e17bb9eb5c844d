/* The product in three products of bf16 by AMX: tiles of 32 x 32, four of the processor's.
 *
 * TDPBF16PS goes through the 16 pairs of a row with two sums from 0, one over the pairs' low halves, one over the high ones, adds
 * the two, and adds that to C; denormal operands and results are zeros. Source: Intel's Software Developer's Manual, volume 2B,
 * TDPBF16PS. Nobody has run this file on such a processor yet: tests/unit/kernels/test_bf16x3.c runs it on instructions written
 * in C after the manual, and bf16x3_check.c compares its bits with the definition before it is used. */
#if defined(__x86_64__)
#include <assert.h>

#ifndef VB_BF16X3_AMX_WRITTEN_IN_C
#include <immintrin.h>
#endif

enum { ROWS = 32, COLS = 32, SIDE = 16 };
#define FIRST(j) (16 + (j))
#define SECOND(j) (j)
#include "kernels/matrix/bf16x3_pack.h"

enum { DWORDS = VB_BF16X3_DWORDS, A_HALF = ROWS * DWORDS, B_HALF = DWORDS * COLS, LINE = 64 };

typedef struct tile_shapes {
    uint8_t palette, start_row, none[14];
    uint16_t bytes_a_row[16];
    uint8_t rows[16];
} tile_shapes;
static_assert(sizeof(tile_shapes) == 64, "as LDTILECFG reads it");

/* Tiles 0 to 3: C, row by row; 4 and 5: rows of A; 6 and 7: columns of B. */
#define LOAD_A(part)                                                                                                             \
    _tile_loadd(4, a + (part), LINE);                                                                                            \
    _tile_loadd(5, a + (part) + SIDE * DWORDS, LINE)
#define LOAD_B(part)                                                                                                             \
    _tile_loadd(6, b + (part), COLS * 4);                                                                                        \
    _tile_loadd(7, b + (part) + SIDE, COLS * 4)
#define MULTIPLY()                                                                                                               \
    _tile_dpbf16ps(0, 4, 6);                                                                                                     \
    _tile_dpbf16ps(1, 4, 7);                                                                                                     \
    _tile_dpbf16ps(2, 5, 6);                                                                                                     \
    _tile_dpbf16ps(3, 5, 7)

/* Constant: the compiler believes that LDTILECFG reads 8 bytes, and would leave out stores of the others. */
static const tile_shapes shapes = {.palette = 1,
                                   .bytes_a_row = {LINE, LINE, LINE, LINE, LINE, LINE, LINE, LINE},
                                   .rows = {SIDE, SIDE, SIDE, SIDE, SIDE, SIDE, SIDE, SIDE}};

static void bf16x3_multiply_amx(int64_t blocks, const uint32_t *a, const uint32_t *b, float *tile, bool first) {
    if (first) memset(tile, 0, (size_t)ROWS * COLS * sizeof *tile);
    __asm__ volatile("" ::: "memory"); /* the loads of tiles do not say that they read memory */
    _tile_loadconfig(&shapes);
    _tile_loadd(0, tile, COLS * 4);
    _tile_loadd(1, tile + SIDE, COLS * 4);
    _tile_loadd(2, tile + SIDE * COLS, COLS * 4);
    _tile_loadd(3, tile + SIDE * COLS + SIDE, COLS * 4);
    for (int64_t block = 0; block < blocks; block++, a += 2 * A_HALF, b += 2 * B_HALF) {
        LOAD_A(0);
        LOAD_B(0);
        MULTIPLY();
        LOAD_B(B_HALF);
        MULTIPLY();
        LOAD_A(A_HALF);
        LOAD_B(0);
        MULTIPLY();
    }
    _tile_stored(0, tile, COLS * 4);
    _tile_stored(1, tile + SIDE, COLS * 4);
    _tile_stored(2, tile + SIDE * COLS, COLS * 4);
    _tile_stored(3, tile + SIDE * COLS + SIDE, COLS * 4);
    _tile_release();
}

#ifndef VB_BF16X3_AMX_WRITTEN_IN_C
const vb_bf16x3_kernel vb_bf16x3_kernel_amx = {.name = "amx_bf16",
                                               .native = true,
                                               .rows = ROWS,
                                               .fp32 = &vb_gemm_kernel_avx512,
                                               .pack_a = bf16x3_pack_a,
                                               .pack_b = bf16x3_pack_b,
                                               .multiply = bf16x3_multiply_amx};
#endif
#else
typedef int vb_no_amx_here;
#endif
