/* Which share of a tower LayerNorm, softmax and activations take: towers of the common shapes, some of their layers, one thread's
 * processor time, medians.
 *
 * LayerNorm is timed as an operation of the tower. Softmax and activations run inside of others, on what lies in the cache, and
 * so they do here: the softmax of all blocks of attention; what follows the sums of all tiles of a product, with the activation
 * less without it. All of it in each round, so that a slow phase of the machine meets all.
 *
 * bench_shares [ROUNDS]   (7 when it is not given; VOCABENCH_ISA chooses the level) */
#include <stdio.h>
#include <stdlib.h>

#include "kernels/base/isa.h"
#include "kernels/base/memory.h"
#include "kernels/matrix/attention_kernel.h"
#include "kernels/matrix/gemm_kernel.h"
#include "kernels/matrix/layers_kernel.h"
#include "kernels/towers/cpu_operations.h"
#include "tests/bench/median.h"
#include "tests/bench/peak.h"
#include "tests/unit/random.h"

enum {
    LAYERS = 4,
    SETS = 3 /* of weights, which take turns: more than the caches hold */,
    BATCH = 8,
    OPERATIONS = 64,
    ROUNDS = 64,
    TILE = 4096
};

typedef struct tower {
    const char *name;
    int tokens, width, heads;
    bool causal;
    vb_activation activation;
} tower;

static const tower towers[] = {{"ViT-B/32", 50, 768, 12, false, VB_QUICK_GELU},
                               {"ViT-B/32, GELU", 50, 768, 12, false, VB_GELU},
                               {"ViT-B/16", 197, 768, 12, false, VB_QUICK_GELU},
                               {"causal texts of 77", 77, 512, 8, true, VB_QUICK_GELU}};

static _Noreturn void give_up(const vb_error *err) {
    fprintf(stderr, "bench_shares: %s\n", err->text);
    exit(err->code);
}

static float *noise(size_t n, float spread) {
    vb_error err = {0};
    float *p = vb_buffer(n, sizeof *p, "benchmark", &err);
    if (!p) give_up(&err);
    uint32_t state = 1;
    for (size_t i = 0; i < n; i++) p[i] = (float)(int32_t)random_next32(&state) * 0x1p-31f * spread;
    return p;
}

/* The transformer's blocks of a tower over rows of texts, whose embeddings stand for pictures' patches, too. */
static int write_program(vb_program *program, const tower *t, const float *weights, const float *vector, vb_error *err) {
    const int64_t width = t->width, hidden = 4 * width, a_set = 12 * width * width;
    const vb_norm norm = {vector, vector, t->width, 1e-5f};
    const vb_heads heads = {.key_column = t->width,
                            .value_column = 2 * t->width,
                            .heads = t->heads,
                            .head_dim = t->width / t->heads,
                            .causal = t->causal,
                            .scale = 0.125f};
    const vb_embed embed = {.table = {weights, VB_F32, t->tokens + 1, width, width, 1},
                            .positions = weights,
                            .context_length = t->tokens,
                            .whole = true};
    int x = vb_program_embed(program, &embed, err);
    for (int layer = 0; layer < LAYERS; layer++) {
        const float *at = weights + layer % SETS * a_set;
        const vb_linear fused = {{at, VB_F32, 3 * width, width, width, 1}, vector, NULL},
                        out = {{at + 3 * width * width, VB_F32, width, width, width, 1}, vector, NULL},
                        expand = {{at + 4 * width * width, VB_F32, hidden, width, width, 1}, vector, NULL},
                        contract = {{at + 8 * width * width, VB_F32, width, hidden, hidden, 1}, vector, NULL};
        int y = vb_program_linear(program, vb_program_norm(program, x, &norm, err), &fused, VB_LINEAR, VB_NO_VALUE, err);
        y = vb_program_attention(program, (const int[VB_OPERANDS]){y, y, y}, &heads, err);
        x = vb_program_linear(program, y, &out, VB_LINEAR, x, err);
        y = vb_program_linear(program, vb_program_norm(program, x, &norm, err), &expand, t->activation, VB_NO_VALUE, err);
        x = vb_program_linear(program, y, &contract, VB_LINEAR, x, err);
    }
    return vb_program_finish(program, vb_program_pick(program, x, VB_PICK_FIRST, err), err);
}

/* Seconds of each operation. */
static void run(const vb_piece *piece, double *seconds) {
    vb_error err = {0};
    for (int i = 0; i < piece->program->count; i++) {
        const vb_operation *operation = &piece->program->operations[i];
        const double start = bench_seconds(1);
        if (vb_cpu_operations[operation->kind](piece, operation, &err)) give_up(&err);
        seconds[i] = bench_seconds(1) - start;
    }
}

/* Seconds of the softmax of a layer. */
static double run_softmax(const tower *t, float *work) {
    const vb_attention_head head = {.queries = t->tokens, .keys = t->tokens, .causal = t->causal, .scale = 0.125f};
    const double start = bench_seconds(1);
    for (int i = 0; i < BATCH * t->heads; i++) vb_attention_kernel_get()->softmax(&head, work);
    return bench_seconds(1) - start;
}

/* Seconds of the activation of a layer's hidden values. */
static double run_activation(const tower *t, const float *sums, float *out) {
    const vb_gemm_kernel *kernel = vb_gemm_kernel_get();
    const int64_t tiles = (int64_t)BATCH * t->tokens * 4 * t->width / (kernel->rows * kernel->cols);
    double seconds[2];
    for (int activated = 0; activated < 2; activated++) {
        const vb_epilogue epilogue = {.bias = sums, .activation = activated ? t->activation : VB_LINEAR};
        const double start = bench_seconds(1);
        for (int64_t i = 0; i < tiles; i++)
            vb_layers_kernel_get()->epilogue(kernel->rows, kernel->cols, sums, kernel->cols, &epilogue, 0, 0, out, kernel->cols);
        seconds[activated] = bench_seconds(1) - start;
    }
    return seconds[1] - seconds[0];
}

/* Medians of the rounds. */
typedef struct parts {
    double whole, norm, softmax, activation, attention;
} parts;

static parts take_apart(const tower *t, const vb_piece *piece, int rounds) {
    static double seconds[OPERATIONS], all[OPERATIONS][ROUNDS], weighing[ROUNDS], activating[ROUNDS];
    const vb_program *program = piece->program;
    float *scores = noise(vb_attention_kernel_get()->floats(t->tokens, t->width / t->heads), 1);
    float *sums = noise(TILE, 3), *out = noise(TILE, 1);
    for (int round = -1; round < rounds; round++) {
        const int at = round < 0 ? 0 : round;
        run(piece, seconds);
        weighing[at] = run_softmax(t, scores);
        activating[at] = run_activation(t, sums, out);
        for (int i = 0; i < program->count; i++) all[i][at] = seconds[i];
    }
    parts found = {.softmax = LAYERS * median(weighing, rounds), .activation = LAYERS * median(activating, rounds)};
    for (int i = 0; i < program->count; i++) {
        const vb_operation *operation = &program->operations[i];
        const double here = median(all[i], rounds);
        found.whole += here;
        if (operation->kind == VB_OP_NORM) found.norm += here;
        if (operation->kind == VB_OP_ATTENTION) found.attention += here;
    }
    vb_free(scores), vb_free(sums), vb_free(out);
    return found;
}

static void report(const tower *t, int rounds) {
    vb_error err = {0};
    vb_program program = {0};
    const int64_t rows = (int64_t)t->tokens * BATCH;
    float *weights = noise(SETS * 12 * (size_t)t->width * (size_t)t->width, 0.05f), *vector = noise(4 * (size_t)t->width, 1);
    int32_t *tokens = vb_array((size_t)rows, sizeof *tokens, "tokens", &err);
    int64_t *lists = vb_array(3 * (BATCH + 1), sizeof *lists, "offsets", &err);
    if (!tokens || !lists) give_up(&err);
    const vb_text_input texts = {.tokens = tokens,
                                 .context_length = t->tokens,
                                 .vocabulary_size = t->tokens + 1,
                                 .end_token = VB_NO_END_TOKEN,
                                 .whole = true};
    for (int i = 0; i < (int)rows; i++) tokens[i] = i % t->tokens;
    for (int i = 0; i <= BATCH; i++) lists[i] = (int64_t)i * t->tokens;
    if (write_program(&program, t, weights, vector, &err)) give_up(&err);
    float *work = noise(vb_program_floats(&program, BATCH, rows), 1), *out = noise(BATCH * (size_t)t->width, 1);
    vb_scratch tiles = {0};
    const vb_piece piece = {.program = &program,
                            .texts = &texts,
                            .count = BATCH,
                            .starts = lists,
                            .keys = lists + BATCH + 1,
                            .queries = lists + 2 * (BATCH + 1),
                            .work = work,
                            .out = out,
                            .threads = 1,
                            .tiles = &tiles};
    const parts p = take_apart(t, &piece, rounds);
    printf("%-20s %8.2f %9.1f %% %9.1f %% %9.1f %% %9.1f %% %9.1f %%\n", t->name, 1e3 * p.whole / BATCH / LAYERS,
           100 * p.norm / p.whole, 100 * p.softmax / p.whole, 100 * p.activation / p.whole,
           100 * (p.norm + p.softmax + p.activation) / p.whole, 100 * p.attention / p.whole);
    fflush(stdout);
    vb_scratch_free(&tiles);
    vb_program_close(&program);
    vb_free(weights), vb_free(vector), vb_free(tokens), vb_free(lists), vb_free(work), vb_free(out);
}

int main(int argc, char **argv) {
    const int rounds = argc > 1 ? atoi(argv[1]) : 7;
    if (rounds < 1 || rounds > ROUNDS) {
        fprintf(stderr, "bench_shares [ROUNDS, 1 to 64]\n");
        return VB_EUSAGE;
    }
    printf("level %s, 1 thread, %d items: shares of a transformer's layers, medians of %d\n%-20s %8s %11s %11s %11s %11s %11s\n",
           vb_isa_name(vb_isa_level()), BATCH, rounds, "", "ms/layer", "LayerNorm", "softmax", "activation", "together",
           "attention");
    for (size_t t = 0; t < sizeof towers / sizeof *towers; t++) report(&towers[t], rounds);
    return 0;
}
