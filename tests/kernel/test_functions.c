/* exp, log, tanh, sigmoid: at most 2 ulp, special values, order. ELMAN_EXHAUSTIVE=1 takes every
 * float (minutes); otherwise every 1009th. */
#include "math_support.h"

#include <math.h>
#include <stdio.h>

#include "compare.h"
#include "kernel/ref/math_ref.h"

typedef void function(float *out, const float *x, size_t n);

static double worst_ulp(function *f, double (*reference)(double), uint64_t stride)
{
    enum { CHUNK = 4096 };
    static float in[CHUNK], out[CHUNK];
    double worst = 0.0;
    for (uint64_t bits = 0; bits <= UINT32_MAX;) {
        size_t n = 0;
        for (; n < CHUNK && bits <= UINT32_MAX; n++, bits += stride) {
            uint32_t b = (uint32_t)bits;
            memcpy(&in[n], &b, sizeof b);
        }
        f(out, in, n);
        for (size_t i = 0; i < n; i++) {
            double want = reference((double)in[i]), got = (double)out[i];
            if (isnan(want) || isnan(got)) {
                worst = isnan(want) && isnan(got) ? worst : INFINITY;
            } else if (fabs(want) < 0x1p-126) {
                /* +0, or 2^-126 by rounding up */
                bool fine = (out[i] == 0.0F && !signbit(out[i])) || fabs(got) == 0x1p-126;
                worst = fine ? worst : INFINITY;
            } else if (isinf((float)want) || isinf(got)) {
                worst = (double)(float)want == got ? worst : INFINITY;
            } else {
                int exponent;
                frexp(want, &exponent);
                worst = fmax(worst, fabs(got - want) / ldexp(1.0, exponent - 24));
            }
        }
    }
    return worst;
}

static void test_ulp(void **state)
{
    (void)state;
    const uint64_t stride = getenv("ELMAN_EXHAUSTIVE") ? 1 : 1009;
    FOR_EACH_ISA(k)
    {
        double e = worst_ulp(k->exp, exp, stride), l = worst_ulp(k->log, log, stride);
        double t = worst_ulp(k->tanh, tanh, stride);
        double s = worst_ulp(k->sigmoid, elman_ref_sigmoid, stride);
        print_message("%s: exp %.3f log %.3f tanh %.3f sigmoid %.3f ulp\n",
                      elman_isa_name(all_isas[isa_]), e, l, t, s);
        assert_true(e < 1.2 && l < 1.2 && t < 1.5 && s < 1.9);
    }
}

/* The ruler itself must reject a wrong function. */
static void nudged_exp(float *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = expf(x[i]) * (1.0F + 0x1p-21F);
    }
}

static void zeros(float *out, const float *x, size_t n)
{
    (void)x;
    memset(out, 0, n * sizeof *out);
}

static void test_ruler(void **state)
{
    (void)state;
    assert_true(worst_ulp(nudged_exp, exp, 100003) > 2.0);
    assert_true(worst_ulp(zeros, tanh, 100003) > 2.0);
}

static uint32_t bits_of(float x)
{
    uint32_t b;
    memcpy(&b, &x, sizeof b);
    return b;
}

static void check(function *f, float x, float want)
{
    float got;
    f(&got, &x, 1);
    if (isnan(want)) {
        assert_true(isnan(got));
    } else {
        assert_int_equal(bits_of(got), bits_of(want));
    }
}

static void test_special(void **state)
{
    (void)state;
    const float inf = INFINITY;
    FOR_EACH_ISA(k)
    {
        const float nans[] = {NAN, -NAN};
        for (int i = 0; i < 2; i++) {
            check(k->exp, nans[i], NAN);
            check(k->log, nans[i], NAN);
            check(k->tanh, nans[i], NAN);
            check(k->sigmoid, nans[i], NAN);
            check(k->relu, nans[i], NAN);
        }
        /* payloads in the low bits must not turn a NaN into a number */
        for (uint32_t payload = 1; payload < 1024; payload++) {
            uint32_t b = 0x7f800000U | payload;
            float x;
            memcpy(&x, &b, sizeof x);
            check(k->exp, x, NAN);
            check(k->log, x, NAN);
            check(k->tanh, x, NAN);
            check(k->sigmoid, x, NAN);
        }
        check(k->exp, 0.0F, 1.0F);
        check(k->exp, -0.0F, 1.0F);
        check(k->exp, inf, inf);
        check(k->exp, -inf, 0.0F);
        check(k->exp, 89.0F, inf);
        check(k->exp, -87.4F, 0.0F);
        check(k->exp, 1e-40F, 1.0F);
        check(k->log, 1.0F, 0.0F);
        check(k->log, 0.0F, -inf);
        check(k->log, -0.0F, -inf);
        check(k->log, -1.0F, NAN);
        check(k->log, -inf, NAN);
        check(k->log, inf, inf);
        check(k->tanh, 0.0F, 0.0F);
        check(k->tanh, -0.0F, 0.0F);
        check(k->tanh, 1e-40F, 0.0F);
        check(k->tanh, -0x1p-126F, -0x1p-126F);
        check(k->tanh, 1e-20F, 1e-20F);
        check(k->tanh, 30.0F, 1.0F);
        check(k->tanh, inf, 1.0F);
        check(k->tanh, -inf, -1.0F);
        check(k->sigmoid, 0.0F, 0.5F);
        check(k->sigmoid, -0.0F, 0.5F);
        check(k->sigmoid, inf, 1.0F);
        check(k->sigmoid, -inf, 0.0F);
        check(k->sigmoid, -88.0F, 0.0F);
        check(k->relu, -0.0F, 0.0F);
        check(k->relu, 1e-40F, 0.0F);
        check(k->relu, inf, inf);
        check(k->relu, -inf, 0.0F);
    }
}

/* From one float to a larger one the value falls by 1 ulp at most, and tanh is odd, bounded. */
static void test_order(void **state)
{
    (void)state;
    enum { N = 200000 };
    float *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y), *z = malloc(N * sizeof *z);
    assert_true(x && y && z);
    for (int i = 0; i < N; i++) {
        x[i] = -12.0F + (float)i * (24.0F / N);
    }
    const elman_math_kernels *k = elman_kernels_for(ELMAN_ISA_BEST)->math;
    function *const f[] = {k->exp, k->tanh, k->sigmoid};
    for (int j = 0; j < 3; j++) {
        f[j](y, x, N);
        for (int i = 1; i < N; i++) {
            assert_true(y[i] >= y[i - 1] - 0x1.8p-23F * fabsf(y[i]));
        }
    }
    k->tanh(y, x, N);
    for (int i = 0; i < N; i++) {
        x[i] = -x[i];
    }
    k->tanh(z, x, N);
    for (int i = 0; i < N; i++) {
        assert_true(y[i] == -z[i] && fabsf(y[i]) <= 1.0F);
    }
    free(x);
    free(y);
    free(z);
}

/* The same bits on every instruction set, in place, misaligned, and beside guard pages. */
static void test_slices(void **state)
{
    (void)state;
    static float want[4][MOST];
    const elman_math_kernels *scalar = elman_kernels_for(ELMAN_ISA_SCALAR)->math;
    for (int at_end = 0; at_end < 2; at_end++) {
        for (size_t s = 0; s < SIZES; s++) {
            const size_t n = sizes[s];
            guarded in = guarded_make(n, at_end), out = guarded_make(n, at_end);
            fill_random(in.x, n, s, -20.0F, 20.0F);
            scalar->exp(want[0], in.x, n);
            scalar->log(want[1], in.x, n);
            scalar->tanh(want[2], in.x, n);
            scalar->sigmoid(want[3], in.x, n);
            FOR_EACH_ISA(k)
            {
                function *const f[] = {k->exp, k->log, k->tanh, k->sigmoid};
                for (int j = 0; j < 4; j++) {
                    f[j](out.x, in.x, n);
                    assert_true(compare_bits(out.x, want[j], n));
                    if (n) {
                        memcpy(out.x, in.x, n * sizeof(float));
                        f[j](out.x, out.x, n);
                        assert_true(compare_bits(out.x, want[j], n));
                    }
                }
            }
            guarded_free(in);
            guarded_free(out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ulp),   cmocka_unit_test(test_ruler),  cmocka_unit_test(test_special),
        cmocka_unit_test(test_order), cmocka_unit_test(test_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
