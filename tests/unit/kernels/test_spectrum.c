/* Tests of Gram matrices in fixed point and of eigenvalues: against plain sums and matrices whose eigenvalues are known. */
#include <math.h>

#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"
#include "kernels/base/fault.h"
#include "kernels/openness/spectrum.h"

static uint64_t random_state = 3;

static double random_real(void) { return (double)(int64_t)random_next64(&random_state) * 0x1p-63; }

static void gram_is_the_plain_sum(void **state) {
    (void)state;
    enum { ROWS = 37, DIM = 70 };
    static float rows[ROWS * DIM];
    static int64_t gram[DIM * DIM], parts[DIM * DIM];
    double inverse[ROWS];
    vb_error err = {0};
    for (int i = 0; i < ROWS * DIM; i++) rows[i] = (float)random_real();
    for (int i = 0; i < ROWS; i++) inverse[i] = 0.15 + 0.01 * random_real();
    int bits = vb_spectrum_gram_bits(2 * 37);
    assert_int_equal(bits, 62 - 7);
    assert_int_equal(vb_spectrum_gram_bits(1), 62);
    assert_int_equal(vb_spectrum_gram_bits(256), 54);
    assert_int_equal(vb_spectrum_gram_bits(257), 53);
    assert_ok(vb_spectrum_gram_add(gram, bits, rows, inverse, ROWS, DIM, 2, &err));
    assert_ok(vb_spectrum_gram_add(gram, bits, rows, inverse, ROWS, DIM, 1, &err));
    for (int k = 0; k < DIM; k++)
        for (int l = 0; l < DIM; l++) {
            long double sum = 0;
            for (int i = 0; i < ROWS; i++)
                sum += (long double)(rows[i * DIM + k] * inverse[i]) * (rows[i * DIM + l] * inverse[i]);
            assert_true(fabsl(ldexpl((long double)gram[k * DIM + l], -bits) - 2 * sum) < 2e-14L);
        }
    /* Twice the same block is twice the integers; threads do not show. */
    assert_ok(vb_spectrum_gram_add(parts, bits, rows, inverse, ROWS, DIM, 1, &err));
    for (int i = 0; i < DIM * DIM; i++) assert_true(gram[i] == 2 * parts[i]);
    assert_fails(vb_spectrum_gram_add(parts, bits, rows, inverse, 257, DIM, 1, &err), VB_EINTERNAL, "257 rows");
    vb_fault_setup("alloc:3:ENOMEM", 0);
    assert_fails(vb_spectrum_gram_add(parts, bits, rows, inverse, ROWS, DIM, 1, &err), VB_EMEMORY, "Gram matrix");
    vb_fault_setup(NULL, 0);
}

/* Q diag(wanted) Q' for a product of reflections. */
static void rotate(double *a, int n, const double *wanted) {
    memset(a, 0, (size_t)(n * n) * sizeof *a);
    for (int i = 0; i < n; i++) a[i * n + i] = wanted[i];
    for (int r = 0; r < 3; r++) {
        double v[128], w[128], square = 0;
        for (int i = 0; i < n; i++) {
            v[i] = random_real();
            square += v[i] * v[i];
        }
        for (int side = 0; side < 2; side++) {
            for (int i = 0; i < n; i++) {
                w[i] = 0;
                for (int j = 0; j < n; j++) w[i] += v[j] * (side ? a[i * n + j] : a[j * n + i]);
            }
            for (int i = 0; i < n; i++)
                for (int j = 0; j < n; j++) *(side ? &a[i * n + j] : &a[j * n + i]) -= 2 / square * v[j] * w[i];
        }
    }
}

static void eigenvalues_are_found(void **state) {
    (void)state;
    vb_error err = {0};
    static double a[128 * 128], wanted[128], found[128];
    for (int kind = 0; kind < 5; kind++)
        for (int n = 1; n <= 100; n = n * 2 + 1) {
            for (int i = 0; i < n; i++)
                wanted[i] = kind == 0 ? n - i :
                            kind == 1 ? 1.0 / (1 << (i < 30 ? i : 30)) :
                            kind == 2 ? i < n / 3 :
                            kind == 3 ? (i < (n + 1) / 2 ? 5 : 4) :
                                        0;
            rotate(a, n, wanted);
            assert_ok(vb_spectrum_eigenvalues(a, n, found, &err));
            for (int i = 0; i < n; i++)
                if (!(fabs(found[i] - wanted[i]) < 1e-13 * (n + 1)))
                    fail_msg("kind %d, n %d: %.17g, not %.17g", kind, n, found[i], wanted[i]);
        }
    /* -1 2 -1: 2 - 2 cos(k pi / (n + 1)). */
    enum { N = 50 };
    memset(a, 0, sizeof a);
    for (int i = 0; i < N; i++) {
        a[i * N + i] = 2;
        if (i) a[i * N + i - 1] = a[(i - 1) * N + i] = -1;
    }
    assert_ok(vb_spectrum_eigenvalues(a, N, found, &err));
    for (int i = 0; i < N; i++) assert_true(fabs(found[i] - (2 - 2 * cos((N - i) * 3.14159265358979323846 / (N + 1)))) < 1e-14);
    /* Where a rounding error is as large as an element, rotations may go round in circles: of matrices of 3 x 3 some do. */
    int endless = 0;
    for (int matrix = 0; matrix < 729; matrix++) {
        for (int i = 0, code = matrix; i < 3; i++)
            for (int j = 0; j <= i; j++, code /= 3) a[i * 3 + j] = a[j * 3 + i] = (code % 3 - 1) * 0x1p-1074 * (1 + i + j);
        if (!vb_spectrum_eigenvalues(a, 3, found, &err)) continue;
        assert_string_equal(err.text, "eigenvalues: no convergence after 100 rounds");
        assert_int_equal(err.code, VB_EINTERNAL);
        endless++;
    }
    assert_true(endless > 0 && endless < 729);
    for (int i = 0; i < 9; i++) a[i] = NAN;
    assert_fails(vb_spectrum_eigenvalues(a, 3, found, &err), VB_EINTERNAL, "not finite");
    vb_fault_setup("alloc:1:ENOMEM", 0);
    assert_fails(vb_spectrum_eigenvalues(a, 3, found, &err), VB_EMEMORY, "eigenvalues");
    vb_fault_setup(NULL, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(gram_is_the_plain_sum), cmocka_unit_test(eigenvalues_are_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
