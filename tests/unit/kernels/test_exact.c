/* Tests of exact inner products and of the comparison of cosines: against Python's fractions, and at the widest sum. */
#include "kernels/exact/exact.h"
#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"

static void exact_dots_are_pythons(void **state) {
    (void)state;
    /* bits of the operands; sign and digits of the sum by fractions.Fraction */
    static const struct {
        int n;
        uint32_t a[8], b[8];
        int sign;
        uint32_t digit[18];
    } golden[] = {{1, {1}, {1}, 1, {1}},
                  {1, {0x80000001}, {1}, -1, {1}},
                  {2, {0x7f7fffff, 0x7f7fffff}, {0x7f7fffff, 0x7f7fffff}, 1, {[15] = 0x8000000, 0xfff00000, 0x7ff}},
                  {3, {0x7f7fffff, 0xff7fffff, 1}, {0x7f7fffff, 0x7f7fffff, 0x80000001}, -1, {1}},
                  {2, {0x7f7fffff, 0xff7fffff}, {0x3f800000, 0x3f800000}, 0, {0}},
                  {2, {0, 0x80000000}, {0x3f800000, 0x7f7fffff}, 0, {0}},
                  {3,
                   {0x38d48b63, 0x0e2048ce, 0xdee84fef},
                   {0xd4d1e6bd, 0x34eb8be6, 0x5d1ddc76},
                   -1,
                   {0x0, 0x0, 0x0, 0x0, 0x9ae5e760, 0xfffb642c, 0xffffffff, 0xffffffff, 0x16ffffff, 0x455df8da, 0xae, 0x85400000,
                    0xe822ab27, 0x11}},
                  {5,
                   {0xeb2a1590, 0xfabce849, 0x7d088408, 0x16fe82e4, 0x9c9b3ee7},
                   {0x659087be, 0xc412899b, 0x5aa8ca70, 0x84b70a9e, 0x7c944ed0},
                   1,
                   {0x0, 0xf4800000, 0xa05e0d24, 0xfffffff4, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff,
                    0x824fffff, 0xa60fd726, 0x97ffffff, 0x10228da9, 0xda228af1, 0xb402321}},
                  {8,
                   {0x4bfb1e07, 0xfda670cc, 0x300e7f8f, 0xceeb8c71, 0x14ab75b5, 0xa642efe7, 0xbd0a6c50, 0xd1c8f81b},
                   {0x70f9a42c, 0x3e1720cd, 0x2886fecb, 0xc3adec41, 0xe1438daf, 0x1c63fe1e, 0x462a87d4, 0x34437c56},
                   1,
                   {0x0, 0x0, 0x0, 0x0, 0x152ec3b8, 0x842fc98f, 0x25924c34, 0x2db08a00, 0x8e21c4e4, 0x2556a23d, 0x2801d,
                    0xe1800000, 0xf014566e, 0x30}}};
    for (size_t g = 0; g < sizeof golden / sizeof *golden; g++) {
        float a[8], b[8];
        memcpy(a, golden[g].a, sizeof a);
        memcpy(b, golden[g].b, sizeof b);
        vb_exact sum;
        vb_exact_dot(&sum, a, b, golden[g].n);
        assert_int_equal(sum.sign, golden[g].sign);
        assert_memory_equal(sum.digit, golden[g].digit, sizeof sum.digit);
    }
}

static void the_widest_sum_fits(void **state) {
    (void)state;
    vb_error err = {0};
    float *row = vb_array(VB_EXACT_TERMS, sizeof(float), "row", &err);
    assert_non_null(row);
    for (int sign = -1; sign <= 1; sign += 2) {
        float other = 0x1.fffffep127f;
        for (int k = 0; k < VB_EXACT_TERMS; k++) row[k] = 0x1.fffffep127f;
        vb_exact sum, one;
        if (sign < 0) row[0] = -row[0];
        vb_exact_dot(&one, row, &other, 1); /* sign * (2 - 2^-23)^2 2^254 */
        for (int k = 0; k < VB_EXACT_TERMS; k++) row[k] = 0x1.fffffep127f;
        vb_exact_dot(&sum, row, row, VB_EXACT_TERMS);
        assert_int_equal(sum.sign, 1);
        assert_int_equal(vb_exact_compare(&sum, &one), 1);
        /* 65,536 times one is one, 16 bits higher */
        for (int i = 1; i < VB_EXACT_DIGITS; i++) assert_int_equal(sum.digit[i], one.digit[i] << 16 | one.digit[i - 1] >> 16);
        assert_int_equal(one.sign, sign);
    }
    vb_free(row);
}

static void exact_ratios_are_pythons(void **state) {
    (void)state;
    /* by fractions.Fraction: random pairs, of which every fourth is a rounded multiple, a double, a negative, a neighbour of the
     * other */
    static const char golden[] = "<=>=>=>=>=<=<=>=<=<=<=>=<=<=<=>=<=<=>=>=<=<=>=<=<=<=>=>=>=>=<=<=<=<=<=>=>=>=>=>=<=>=<=>=<=<=<=>"
                                 "=>=<=<=<=>=<=<=<=<=<=<=>=";
    uint64_t random_state = 12345;
    for (int i = 0; golden[i]; i++) {
        float x[16], t[16], u[16];
        for (int k = 0; k < 16; k++) x[k] = random_unit_float(&random_state);
        for (int k = 0; k < 16; k++) t[k] = random_unit_float(&random_state);
        float factor = (float)((1 << 23) + (int)((random_next64(&random_state) >> 40) / 2)) * 0x1p-23f;
        for (int k = 0; k < 16; k++)
            u[k] = i % 4 == 0 ? (float)((double)t[k] * factor) : i % 4 == 1 ? 2 * t[k] : i % 4 == 2 ? -t[k] : t[k] / 8;
        if (i % 4 == 3) u[3] = (float)(u[3] + 0x1p-40);
        vb_exact a, b, tt, uu;
        vb_exact_dot(&a, x, t, 16);
        vb_exact_dot(&b, x, u, 16);
        vb_exact_dot(&tt, t, t, 16);
        vb_exact_dot(&uu, u, u, 16);
        assert_int_equal(vb_exact_compare_ratio(&a, &tt, &b, &uu), golden[i] == '<' ? -1 : golden[i] == '>');
        assert_int_equal(vb_exact_compare_ratio(&b, &uu, &a, &tt), golden[i] == '<' ? 1 : -(golden[i] == '>'));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(exact_dots_are_pythons), cmocka_unit_test(the_widest_sum_fits),
                                       cmocka_unit_test(exact_ratios_are_pythons)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
