/* Dropout and fills: every number is the scalar generator's, wherever a slice begins. */
#include "math_support.h"

#include <math.h>

#include "compare.h"
#include "kernel/ref/math_ref.h"

static void test_dropout(void **state)
{
    (void)state;
    const double chances[] = {0.0, 0.3, 0.5, 0x1.8p-24, 1.0};
    for (size_t s = 0; s < SIZES; s++) {
        const size_t n = sizes[s];
        guarded in = guarded_make(n, true), out = guarded_make(n, true);
        fill_random(in.x, n, s, 0.5F, 1.0F);
        FOR_EACH_ISA(k)
        {
            for (size_t c = 0; c < sizeof chances / sizeof chances[0]; c++) {
                const double p = chances[c];
                const uint64_t seed = 0x123456789abcdef0U + s;
                const elman_dropout_mask mask =
                    elman_dropout_mask_of(seed, ELMAN_USE_DROPOUT + 2, 7, p);
                k->dropout_row(out.x, in.x, n, &mask, 1000003, 77, false);
                size_t kept = 0;
                for (size_t i = 0; i < n; i++) {
                    bool keep =
                        elman_ref_dropout_keeps(seed, ELMAN_USE_DROPOUT + 2, 7, p, i, 1000003, 77);
                    assert_true(out.x[i] == (keep ? in.x[i] * mask.scale : 0.0F));
                    kept += keep;
                }
                assert_true(p > 0.0 || kept == n);
                assert_true(p < 1.0 || kept == 0);
                assert_true(p != 0.5 || n < 1000 || fabs((double)kept / (double)n - 0.5) < 0.08);
                k->dropout_row(out.x, in.x, n, &mask, 1000003, 77, true);
                for (size_t i = 0; i < n; i++) {
                    assert_true(out.x[i] == 0.0F || out.x[i] == 2.0F * (in.x[i] * mask.scale));
                }
            }
        }
        guarded_free(in);
        guarded_free(out);
    }
}

static void test_fills(void **state)
{
    (void)state;
    const elman_fill from = {0xfeedfacecafebeefU, 3, elman_philox_use(ELMAN_USE_INITIALISE, 0)};
    const uint64_t firsts[] = {0, 1, 63, 64, 4095, 0x3fffffff0U, 0x400000005U};
    static float want[MOST];
    for (size_t s = 0; s < SIZES; s += 3) {
        const size_t n = sizes[s];
        guarded out = guarded_make(n, true);
        for (size_t f = 0; f < sizeof firsts / sizeof firsts[0]; f++) {
            bool have = false;
            FOR_EACH_ISA(k)
            {
                k->fill_uniform(out.x, n, firsts[f], &from, -0.25F, 0.5F);
                for (size_t i = 0; i < n; i++) {
                    double u = elman_ref_uniform(&from, firsts[f] + i, -0.25, 0.5);
                    assert_true(fabs((double)out.x[i] - u) <= 0x1p-24);
                }
                k->fill_normal(out.x, n, firsts[f], &from, 1.0F, 2.0F);
                for (size_t i = 0; i < n; i++) {
                    double z = elman_ref_normal(&from, firsts[f] + i, 1.0, 2.0);
                    assert_true(fabs((double)out.x[i] - z) <= 4e-7 * (1.0 + fabs(z)) * 4.0);
                }
                assert_true(!have || compare_bits(out.x, want, n));
                if (n) {
                    memcpy(want, out.x, n * sizeof(float));
                }
                have = true;
            }
        }
        guarded_free(out);
    }
}

static void test_moments(void **state)
{
    (void)state;
    enum { N = 1 << 18 };
    const elman_fill from = {1, 0, elman_philox_use(ELMAN_USE_INITIALISE, 0)};
    const elman_math_kernels *k = elman_kernels_for(ELMAN_ISA_BEST)->math;
    float *x = malloc(N * sizeof *x);
    assert_non_null(x);
    k->fill_normal(x, N, 0, &from, 0.0F, 1.0F);
    double moment[5] = {0};
    for (int i = 0; i < N; i++) {
        double p = 1.0;
        for (int j = 0; j < 5; j++, p *= (double)x[i]) {
            moment[j] += p / N;
        }
    }
    assert_true(fabs(moment[1]) < 0.01 && fabs(moment[2] - 1.0) < 0.015);
    assert_true(fabs(moment[3]) < 0.03 && fabs(moment[4] - 3.0) < 0.1);
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_fills),
        cmocka_unit_test(test_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
