/* Tests of towers as lists of operations: shapes, floating-point operations and work space of published models against figures
 * that are counted by hand, and no two values in one place at a time. */
#include "tests/unit/clip_reference.h"

static const ref_sizes vit_b_32 = {.family = "clip",
                                   .width = 768,
                                   .layers = {12},
                                   .grid = 7,
                                   .patch = 32,
                                   .hidden = 3072,
                                   .embed = 512,
                                   .context = 77,
                                   .vocabulary = 49408,
                                   .text_width = 512,
                                   .text_layers = 12,
                                   .text_hidden = 2048};
static const ref_sizes resnet_50 = {
    .family = "clip", .resnet = true, .width = 64, .layers = {3, 4, 6, 3}, .grid = 7, .embed = 1024};

/* The model of these sizes; its weights are zeros that take no memory. */
static vb_clip *open_hollow(ref_model *m, const ref_sizes *sizes) {
    vb_error err = {0};
    vb_clip *clip;
    *m = (ref_model){.dtypes = {VB_F16, VB_F16, VB_F16}, .hollow = true};
    ref_make(m, sizes);
    const vb_clip_options options = {.family = vb_family_find(sizes->family), .threads = 1};
    assert_ok(vb_clip_open(&clip, &m->set, &options, &err));
    return clip;
}

static int count_kind(const vb_program *program, vb_operation_kind kind) {
    int count = 0;
    for (int i = 0; i < program->count; i++) count += program->operations[i].kind == kind;
    return count;
}

static void assert_shape(const vb_program *program, int index, vb_operation_kind kind, int rows, int columns) {
    assert_true(index < program->count);
    const vb_value *made = &program->values[program->operations[index].out];
    assert_int_equal(program->operations[index].kind, kind);
    assert_int_equal(made->rows, rows);
    assert_int_equal(made->columns, columns);
}

static void assert_count(double found, int64_t expected) {
    if (found != (double)expected) fail_msg("%.0f operations, expected %lld", found, (long long)expected);
}

static void a_vit_is_counted_right(void **state) {
    (void)state;
    ref_model m;
    vb_clip *clip = open_hollow(&m, &vit_b_32);
    const vb_program *image = vb_clip_image_program(clip);
    assert_string_equal(image->name, "ViT");
    assert_string_equal(image->summary, "224 x 224 pixels, patches of 32, width 768, 12 layers, 12 heads");
    assert_int_equal(image->picture, 3 * 224 * 224);
    assert_int_equal(image->layers, 12);
    /* patches, rows, norm; 11 layers of norm, qkv, attention, out, norm, expand, contract; the last one has two picks and a
     * product for the queries more; norm, projection */
    assert_int_equal(image->count, 3 + 11 * 7 + 10 + 2);
    assert_shape(image, 0, VB_OP_CONV, 49, 768);
    assert_shape(image, 1, VB_OP_SEQUENCE, 50, 768);
    assert_shape(image, 2, VB_OP_NORM, 50, 768);
    assert_shape(image, 4, VB_OP_LINEAR, 50, 3 * 768);
    assert_shape(image, 5, VB_OP_ATTENTION, 50, 768);
    assert_shape(image, 8, VB_OP_LINEAR, 50, 3072);
    assert_shape(image, image->count - 1, VB_OP_LINEAR, 1, 512);
    assert_int_equal(count_kind(image, VB_OP_ATTENTION), 12);
    assert_int_equal(count_kind(image, VB_OP_PICK), 2);

    const int64_t w = 768, n = 50, patches = 2 * 49 * w * 3 * 32 * 32;
    const int64_t layer = 2 * n * 3 * w * w + 4 * n * n * w + 2 * n * w * w + 2 * 2 * n * 4 * w * w;
    const int64_t last = 2 * n * 2 * w * w + 2 * w * w + 4 * n * w + 2 * w * w + 2 * 2 * 4 * w * w;
    assert_count(vb_program_flops(image, 0), patches + 11 * layer + last + 2 * w * 512);
    assert_count(vb_program_flops(image, 0), 8232069120);
    /* rows, normed rows, and the hidden layer of 4 widths */
    assert_true(image->floats_an_item == 50 * 768 * 6 && !image->floats_a_token);
    assert_true(vb_clip_image_workspace(clip, 3) == 3 * 50 * 768 * 6 * sizeof(float));
    /* each weight is read once: fp16 matrices, vectors as fp32 */
    const size_t matrices = 768 * 3072 + 12 * 12 * 768 * 768 + 768 * 512,
                 vectors = 50 * 768 + 2 * 2 * 768 + 12 * (3 + 1 + 4 + 1 + 4) * 768;
    assert_true(vb_program_weight_bytes(image) == 2 * matrices + 4 * vectors);
    /* copies: the vectors, and the class token and its position, whose sum is one of them */
    assert_true(image->owned_bytes == 4 * (vectors + 2 * 768));

    const vb_program *text = vb_clip_text_program(clip);
    assert_string_equal(text->summary, "77 tokens of 49408, width 512, 12 layers, 8 heads");
    assert_shape(text, 0, VB_OP_EMBED, VB_ROW_A_TOKEN, 512);
    assert_shape(text, text->count - 1, VB_OP_LINEAR, 1, 512);
    /* ten tokens see 55 in all; one operation more than a layer of two picks and one product for the end token */
    const int64_t v = 512, t = 10, full = 2 * t * 3 * v * v + 4 * 55 * v + 2 * t * v * v + 4 * t * 4 * v * v;
    const int64_t end = 2 * t * 2 * v * v + 2 * v * v + 4 * t * v + 2 * v * v + 4 * 4 * v * v;
    assert_count(vb_program_flops(text, 10), 11 * full + end + 2 * v * 512);
    assert_count(vb_program_flops(text, 10), 709572608);
    assert_true(text->floats_a_token == 6 * 512);
    vb_clip_close(clip);
    ref_free(&m);
}

static void a_resnet_is_counted_right(void **state) {
    (void)state;
    ref_model m;
    vb_clip *clip = open_hollow(&m, &resnet_50);
    const vb_program *image = vb_clip_image_program(clip);
    assert_string_equal(image->name, "ModifiedResNet");
    assert_string_equal(image->summary, "224 x 224 pixels, width 64, layers 3 4 6 3");
    assert_int_equal(image->layers, 16);
    assert_int_equal(count_kind(image, VB_OP_CONV), 3 + 3 * 16 + 4);
    assert_int_equal(count_kind(image, VB_OP_POOL), 1 + 2 * 3);
    assert_shape(image, 0, VB_OP_CONV, 112 * 112, 32);
    assert_shape(image, 3, VB_OP_POOL, 56 * 56, 64);
    assert_shape(image, 7, VB_OP_CONV, 56 * 56, 256);
    assert_shape(image, image->count - 6, VB_OP_PICK, 1, 2048);
    assert_shape(image, image->count - 1, VB_OP_LINEAR, 1, 1024);
    assert_int_equal(image->values[image->operations[7].out].height, 56);

    /* Multiplications and additions of a convolution: places, outputs, inputs, taps. */
#define CONV(side, out, in, taps) (2LL * (side) * (side) * (out) * (in) * (taps))
    int64_t sum = CONV(112, 32, 3, 9) + CONV(112, 32, 32, 9) + CONV(112, 64, 32, 9);
    const int blocks[4] = {3, 4, 6, 3};
    for (int s = 0, in = 64, planes = 64, side = 56; s < 4; s++, planes *= 2) {
        int after = s ? side / 2 : side; /* the first block of a stage pools before its last convolution */
        sum += CONV(side, planes, in, 1) + CONV(side, planes, planes, 9) + CONV(after, 4 * planes, planes, 1) +
               CONV(after, 4 * planes, in, 1);
        side = after;
        in = 4 * planes;
        sum += (blocks[s] - 1) * (CONV(side, planes, in, 1) + CONV(side, planes, planes, 9) + CONV(side, in, planes, 1));
    }
#undef CONV
    sum += 2LL * 2048 * 2048 + 2 * 2LL * 50 * 2048 * 2048 + 4LL * 50 * 2048 + 2LL * 2048 * 1024;
    assert_count(vb_program_flops(image, 0), sum);
    assert_count(vb_program_flops(image, 0), 11586306048);
    /* The first stage's blocks: input and output of 4 units each, or the output in place of the input and 2 units inside. */
    assert_true(image->floats_an_item == 8 * 56 * 56 * 64);
    vb_clip_close(clip);
    ref_free(&m);
}

/* The operation that makes a value; -1 for the input. */
static int maker(const vb_program *program, int value) {
    int i = program->count - 1;
    while (i >= 0 && program->operations[i].out != value) i--;
    return i;
}

static int last_reader(const vb_program *program, int value) {
    for (int i = program->count - 1; i >= 0; i--)
        for (int k = 0; k < VB_OPERANDS; k++)
            if (program->operations[i].in[k] == value) return i;
    return -1;
}

/* Two values that are needed at one time have no float in common, except that what an operation makes may replace the residual
 * that it adds or the rows that it norms. */
static void check_places(const vb_program *program) {
    for (int a = 0; a < program->value_count; a++)
        for (int b = 0; b < program->value_count; b++) {
            const vb_value *first = &program->values[a], *second = &program->values[b];
            const int made = maker(program, a), later = maker(program, b), last = last_reader(program, a);
            if (a == b || made < 0 || later <= made || last < later || b == program->result || !first->rows != !second->rows)
                continue;
            const vb_operation *at = &program->operations[later];
            if (last == later && at->in[0] != a && at->in[1] == a && at->kind != VB_OP_ATTENTION) continue;
            if (last == later && at->in[0] == a && at->kind == VB_OP_NORM) continue;
            const size_t one = (size_t)first->columns * (size_t)(first->rows ? first->rows : 1),
                         other = (size_t)second->columns * (size_t)(second->rows ? second->rows : 1);
            if (first->place < second->place + other && second->place < first->place + one)
                fail_msg("values %d and %d lie in one place", a, b);
            const size_t space = first->rows ? program->floats_an_item : program->floats_a_token;
            assert_true(first->place + one <= space);
        }
}

static void values_that_are_needed_do_not_meet(void **state) {
    (void)state;
    ref_sizes apart = vit_b_32;
    apart.hugging_face = true;
    const ref_sizes *const all[] = {&vit_b_32, &resnet_50, &apart};
    for (int i = 0; i < 3; i++) {
        ref_model m;
        vb_clip *clip = open_hollow(&m, all[i]);
        check_places(vb_clip_image_program(clip));
        check_places(vb_clip_text_program(clip));
        vb_clip_close(clip);
        ref_free(&m);
    }
}

static void work_space_is_bounded(void **state) {
    (void)state;
    ref_model m;
    vb_clip *clip = open_hollow(&m, &vit_b_32);
    const size_t bound = (size_t)64 << 20;
    assert_true(vb_clip_image_workspace(clip, 1000000) <= bound);
    assert_true(vb_clip_image_workspace(clip, 1000000) > bound - 4 * 50 * 768 * 6);
    assert_true(vb_clip_text_workspace(clip, 1000000) <= bound + bound / 32);
    assert_int_equal(vb_clip_image_workspace(clip, 0), 0);
    vb_clip_close(clip);
    ref_free(&m);
}

/* Sizes that no file of a model has, but that a forged header can state. */
static void absurd_sizes_are_refused(void **state) {
    (void)state;
    static const ref_sizes absurd[] = {
        {.family = "clip", .width = 64, .layers = {1}, .grid = 4000, .patch = 32, .hidden = 8, .embed = 8},
        {.family = "clip", .resnet = true, .width = 64, .layers = {1, 1, 1, 1}, .grid = 4000, .embed = 8}};
    for (int i = 0; i < 2; i++) {
        ref_model m = {.dtypes = {VB_F16, VB_F16, VB_F16}, .hollow = true};
        vb_error err = {0};
        vb_clip *clip;
        ref_make(&m, &absurd[i]);
        const vb_clip_options options = {.family = vb_family_find("clip"), .threads = 1};
        assert_fails(vb_clip_open(&clip, &m.set, &options, &err), VB_EMISMATCH,
                     "has 16000001 rows: with cells of 32 pixels, pictures above 16384 pixels a side");
        ref_free(&m);
    }
}

static void operations_print_as_lines(void **state) {
    (void)state;
    char line[160];
    ref_model m;
    vb_clip *clip = open_hollow(&m, &vit_b_32);
    vb_program_print(vb_clip_image_program(clip), 0, 0, line, sizeof line);
    assert_string_equal(line, "conv       224 x 224 x 3      -> 7 x 7 x 768           0.231 GFLOP  32 x 32, stride 32");
    vb_program_print(vb_clip_image_program(clip), 6, 0, line, sizeof line);
    assert_string_equal(line, "linear     50 x 768           -> 50 x 768              0.059 GFLOP  residual");
    vb_program_print(vb_clip_text_program(clip), 3, 10, line, sizeof line);
    assert_string_equal(line, "attention  tokens x 1536      -> tokens x 512          0.000 GFLOP  8 heads of 64, causal");
    vb_clip_close(clip);
    ref_free(&m);
}

static void the_registry_is_sound(void **state) {
    (void)state;
    char text[512], expected[512] = "", choices[512] = "";
    static const char *const words[] = {VB_FAMILIES(VB_FAMILY_WORD) NULL};
    for (int i = 0; words[i]; i++) {
        strcat(strcat(choices, i ? "|" : ""), words[i]);
        strcat(strcat(expected, !i ? "" : words[i + 1] ? ", " : " or "), words[i]);
    }
    assert_string_equal(vb_family_names(text, sizeof text, " or "), expected);
    assert_string_equal(VB_FAMILY_CHOICES, choices);
    for (int i = 0; i < VB_FAMILY_COUNT; i++) {
        const vb_family *family = vb_family_at(i);
        assert_string_equal(family->name, words[i]);
        assert_int_equal(vb_family_index(words[i]), i);
        assert_ptr_equal(vb_family_find(words[i]), family);
        assert_true(family->image && family->text);
        if (!family->published || !family->tested) fail_msg("%s: the row lacks .published or .tested", family->name);
        for (int k = 0; k < i; k++) assert_int_not_equal(family->cache_key, vb_family_at(k)->cache_key);
    }
    assert_int_equal(vb_family_index("precomputed"), -1);
    /* keys of embeddings that are cached already */
    assert_int_equal(vb_family_find("clip")->cache_key, 0);
    assert_int_equal(vb_family_find("slip")->cache_key, 1);
    assert_int_equal(vb_family_find("declip")->cache_key, 2);
    assert_int_equal(vb_family_find("siglip")->cache_key, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_vit_is_counted_right),
                                       cmocka_unit_test(a_resnet_is_counted_right),
                                       cmocka_unit_test(values_that_are_needed_do_not_meet),
                                       cmocka_unit_test(work_space_is_bounded),
                                       cmocka_unit_test(absurd_sizes_are_refused),
                                       cmocka_unit_test(operations_print_as_lines),
                                       cmocka_unit_test(the_registry_is_sound)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
