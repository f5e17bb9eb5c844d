/* A tower as a list of operations, each with its shapes, which a family's emitter writes once from the tensors.
 *
 * Every operation reads values and makes one. A value is a matrix of floats: some rows an item, or a row a token where the items
 * are texts of different lengths, or a row a patch where they are pictures of different shapes. Whoever needs to know a tower
 * reads the list: the engine that runs it (engine.h), work space and floating-point operations for plans, `inspect`.
 *
 * A new kind of operation is a row of the enum, a struct beside the others here, a function that appends it with its shapes, and
 * a function of the engine (cpu_operations.c). */
#ifndef VB_PROGRAM_H
#define VB_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/matrix/conv.h"
#include "kernels/matrix/layers.h"

typedef enum vb_operation_kind {
    VB_OP_EMBED,     /* tokens -> rows of the token table plus positions */
    VB_OP_PATCHES,   /* pictures of any shape -> a row a patch, plus positions that are resized to the picture's grid */
    VB_OP_CONV,      /* square convolution, with a folded norm, activation and residual */
    VB_OP_DEPTHWISE, /* square convolution whose outputs read one channel each, with activation and residual */
    VB_OP_POOL,      /* means of square windows */
    VB_OP_SEQUENCE,  /* a picture's cells, behind a leading row or none, plus positions */
    VB_OP_CONSTANT,  /* the same rows for every item: a learned query */
    VB_OP_NORM,      /* LayerNorm of each row, with residual */
    VB_OP_EXCITE,    /* each item's rows times one row of the item, and an activation */
    VB_OP_LINEAR,    /* matrix product, with bias, activation, gate and residual */
    VB_OP_ROTARY,    /* heads turned by the angles of their row's position */
    VB_OP_ATTENTION, /* heads of queries over keys and values */
    VB_OP_PICK,      /* one row of each item */
    VB_OP_MEAN,      /* the mean of each item's rows, or of those behind the first ones */
    VB_OP_KINDS
} vb_operation_kind;

enum {
    VB_NO_VALUE = -1,
    VB_ROW_A_TOKEN = 0, /* a value's rows: as many as the item has tokens, or patches */
    VB_OPERANDS = 3
};

/* x -> x times weight transposed, times scale, plus bias (NULL: neither). */
typedef struct vb_linear {
    vb_matrix weight;
    const float *bias, *scale;
} vb_linear;

typedef struct vb_norm {
    const float *weight, *bias;
    int width;
    float epsilon;
} vb_norm;

/* Rotary positions: heads 0 .. heads - 1 of each row from `column` on are turned, the other columns stay as they are. The
 * rotation's period is the rows of an item. */
typedef struct vb_rotary {
    vb_rotation rotation;
    int column, heads;
} vb_rotary;

/* Weight columns are channel, row, column of the filter. `scale` and `bias` (NULL: none) have one entry an output channel: a
 * bias, or a BatchNorm that is folded into both. `last` follows the residual. */
typedef struct vb_convolution {
    vb_matrix weight;
    const float *scale, *bias;
    int kernel, stride, padding;
    vb_activation last;
} vb_convolution;

/* `times` output channels read an input channel. Rows of weights are kernel x kernel taps. `last` follows the residual. */
typedef struct vb_channel_filter {
    const float *weight, *bias; /* channels * times rows; an entry each, NULL: none */
    int times, kernel, stride, padding;
    vb_activation last;
} vb_channel_filter;

typedef enum vb_lead { VB_LEAD_NONE, VB_LEAD_ROW, VB_LEAD_MEAN } vb_lead;

/* The rows of a picture's cells in order, behind a leading row: none, one that is given, or the mean of the cells. */
typedef struct vb_sequence {
    vb_lead lead;
    const float *row;       /* VB_LEAD_ROW: the row, its position added; VB_LEAD_MEAN: what is added to the mean */
    const float *positions; /* of the cells: cells x columns; NULL: none are added */
} vb_sequence;

/* Rows that no item changes. */
typedef struct vb_constant {
    const float *rows; /* count x columns */
    int count, columns;
} vb_constant;

/* Token i of a text gives row i: its row of the table, or a vector of a learned context (text_input.h), plus position i. */
typedef struct vb_embed {
    vb_matrix table;        /* vocabulary x columns */
    const float *positions; /* context length x columns */
    int context_length;
    const float *class_row; /* behind the tokens, with a position of its own, the one behind the context; NULL: none */
    bool whole;   /* every row of the context is computed, padding included: for towers in which a row sees those behind it */
    bool picture; /* the rows of a text, whole, are the pixels of a picture of one row: for convolutions along texts */
    bool padded;  /* a text is what stands before its first pad_token */
    int pad_token;
    float scale; /* of the table's rows; 0: none */
} vb_embed;

/* Patches of pictures whose grids differ: weight columns are row, column, channel of the patch. */
typedef struct vb_patches {
    vb_linear linear;
    const float *positions; /* side * side x columns */
    int patch, side;
} vb_patches;

/* Queries, keys and values are columns `*_column` .. + heads * head_dim - 1 of operands 0, 1 and 2: they may lie in one value. */
typedef struct vb_heads {
    int query_column, key_column, value_column;
    int heads, head_dim;
    bool causal;        /* as vb_attention_batch has it */
    bool hides_padding; /* keys of texts as vb_text_input_hidden has them */
    float scale;
} vb_heads;

/* VB_PICK_END: the row of a text's end token, which is the last row unless the texts are whole. */
typedef enum vb_pick { VB_PICK_FIRST, VB_PICK_LAST, VB_PICK_END } vb_pick;

typedef struct vb_operation {
    vb_operation_kind kind;
    bool opens_layer; /* whoever watches the encoding is asked before it */
    /* Values that it reads: [0] what it works on; [1] the residual of a norm, linear or convolution, the
     * factors of excite, or the keys; [2] the gate of a linear, or the values of attention. VB_NO_VALUE where there is none. */
    int in[VB_OPERANDS];
    int out;                  /* the value that it makes */
    vb_activation activation; /* of excite; of linear: before gate and residual */
    vb_kept kept;             /* of linear, convolution and patches, by kept_weights.h; borrowed */
    union {                   /* by kind */
        vb_embed embed;
        vb_patches patches;
        vb_convolution conv;
        vb_channel_filter filter; /* of depthwise */
        vb_window window;         /* of pool */
        vb_sequence sequence;
        vb_constant constant;
        vb_norm norm;
        vb_linear linear;
        vb_rotary rotary;
        vb_heads heads;
        vb_pick pick;
        int skip; /* rows before those that a mean is of */
    };
} vb_operation;

typedef struct vb_value {
    int rows, columns;  /* rows an item, or VB_ROW_A_TOKEN */
    int height, width;  /* of a picture, whose rows are its pixels; 0: a sequence */
    bool planar;        /* the input picture: a plane a channel instead of a row a pixel */
    int made, last_use; /* the operation that makes it (-1: the input), the last one that reads it */
    int shares;         /* the first of the values that lie where this one lies, each replacing the one before; may be itself */
    int needed_until;   /* of that first one: the last operation that reads any of them */
    size_t place;       /* where it begins in the work space: floats an item, or a token */
} vb_value;

typedef struct vb_program {
    const char *name;  /* of the architecture, as messages call it: "ViT"; NULL: no such tower */
    char summary[160]; /* its sizes, for people */
    vb_operation *operations;
    vb_value *values;
    int count, value_count, layers;
    bool failed; /* a step found no memory: every later one gives VB_NO_VALUE */
    size_t capacity, value_capacity;
    int result;                          /* the value that is the embeddings, a row an item; not in the work space */
    size_t picture;                      /* floats of a picture, or those it may have; 0: the program reads texts */
    int most_patches;                    /* of a picture of any shape; 0: pictures are squares, or it reads texts */
    int context_length, vocabulary_size; /* of texts */
    int text_rows;                       /* of a text of full length: the context, and a class row; else most_patches */
    bool whole_texts, padded_texts;      /* as vb_embed has it */
    int pad_token;
    size_t floats_an_item, floats_a_token; /* of work space */
    int64_t parameters;                    /* as bound: running statistics are none */
    void **owned;                          /* copied vectors, folded filters */
    size_t owned_count, owned_capacity, owned_bytes;
} vb_program;

/* ---- writing: each appends an operation and gives the value that it makes, or VB_NO_VALUE with an error (VB_EMEMORY) ----
 *
 * An operand of VB_NO_VALUE, where one is needed, gives VB_NO_VALUE at once: its error is set already. So does every step after
 * one that failed. Matrices and vectors are borrowed and must outlive the program. */

/* The input: n pictures of 3 x resolution x resolution. Comes first in a program of images. */
int vb_program_pixels(vb_program *program, int resolution, vb_error *err);
/* The input: n pictures of up to most_patches patches, in any grid, each patch a row. Comes first in a program of images. */
int vb_program_patches(vb_program *program, int most_patches, const vb_patches *patches, vb_error *err);
/* The input: n texts of context_length tokens. Comes first in a program of texts. */
int vb_program_embed(vb_program *program, const vb_embed *embed, vb_error *err);
int vb_program_conv(vb_program *program, int in, const vb_convolution *conv, int residual, vb_error *err);
int vb_program_depthwise(vb_program *program, int in, const vb_channel_filter *filter, int residual, vb_error *err);
int vb_program_pool(vb_program *program, int in, const vb_window *window, vb_error *err);
/* The mean of a square picture's pixels, as a row. */
int vb_program_pool_all(vb_program *program, int in, vb_error *err);
/* factors: a row of as many columns an item. */
int vb_program_excite(vb_program *program, int in, int factors, vb_activation activation, vb_error *err);
int vb_program_sequence(vb_program *program, int in, const vb_sequence *sequence, vb_error *err);
int vb_program_constant(vb_program *program, const vb_constant *constant, vb_error *err);
int vb_program_norm(vb_program *program, int in, const vb_norm *norm, vb_error *err);
/* The norm of `in` plus the residual, another value of its shape. */
int vb_program_post_norm(vb_program *program, int in, const vb_norm *norm, int residual, vb_error *err);
int vb_program_linear(vb_program *program, int in, const vb_linear *linear, vb_activation activation, int residual,
                      vb_error *err);
/* The product after its activation, times `gate`, which has its shape: SwiGLU with SiLU, GeGLU with GELU. */
int vb_program_gated(vb_program *program, int in, const vb_linear *linear, vb_activation activation, int gate, vb_error *err);
int vb_program_rotary(vb_program *program, int in, const vb_rotary *rotary, vb_error *err);
/* operands: query, key, value. */
int vb_program_attention(vb_program *program, const int operands[VB_OPERANDS], const vb_heads *heads, vb_error *err);
int vb_program_pick(vb_program *program, int in, vb_pick pick, vb_error *err);
int vb_program_mean(vb_program *program, int in, int skip, vb_error *err);

/* The operation that is appended next opens a layer. 0, or -1 (VB_EMEMORY). */
int vb_program_open_layer(vb_program *program, vb_error *err);

/* Ends the writing: `result` (a row an item) is what the tower gives. Places the values in the work space: values that are not
 * needed at the same time share it. 0, or -1 (VB_EMEMORY, or the error that made a step fail or `result` VB_NO_VALUE). */
int vb_program_finish(vb_program *program, int result, vb_error *err);

/* Zeroed memory that lives as long as the program, or NULL. */
void *vb_program_memory(vb_program *program, size_t count, size_t size, const char *what, vb_error *err);
void vb_program_close(vb_program *program); /* also of a program that is all zeros */

/* ---- reading ---- */

/* Floats of work space for `items` items with `tokens` tokens in all (images: 0). */
size_t vb_program_floats(const vb_program *program, int64_t items, int64_t tokens);
/* Whether rows of a text depend on nothing behind them, and on nothing but their texts' rows: texts that begin alike may share
 * the rows of their beginning. */
bool vb_program_is_causal(const vb_program *program);
/* Whether a layer is computed through Winograd's transforms (kernels/matrix/winograd.h). */
bool vb_program_has_winograd(const vb_program *program);

/* Floating-point operations for an item (a text of `tokens` tokens, a picture of as many patches; whole texts are of all their
 * context): two for each multiplication and addition of the matrix products; norms, activations, rotations and pools, less than
 * a hundredth, are not counted, and a text counts in full whatever it shares with others of its batch (engine.h). They are the
 * architecture's: layers through Winograd's transforms take a quarter of the multiplications that are counted for them, a third
 * where tiles stand over. */
double vb_program_flops(const vb_program *program, int tokens);
/* Those of operation `index` alone. */
double vb_program_operation_flops(const vb_program *program, int index, int tokens);
/* Bytes of the weights that the operations read, as they are stored. */
size_t vb_program_weight_bytes(const vb_program *program);
/* Operation `index` as a line for people: what it is, shapes, and operations for an item of `tokens` tokens. */
void vb_program_print(const vb_program *program, int index, int tokens, char *text, size_t size);

#endif
