/* Elementwise kernels, reductions, softmax, normalisation: against the oracles, and the same bits
 * on every instruction set, for any slice, misaligned and beside guard pages. */
#include "math_support.h"

#include <math.h>

#include "compare.h"
#include "kernel/ref/math_ref.h"

static double want[MOST], size_of[MOST];
static float scalar_result[MOST];

static void test_elementwise(void **state)
{
    (void)state;
    for (size_t s = 0; s < SIZES; s++) {
        const size_t n = sizes[s];
        guarded a = guarded_make(n, true), b = guarded_make(n, false), out = guarded_make(n, true);
        fill_random(a.x, n, 1 + s, -2.0F, 2.0F);
        fill_random(b.x, n, 100 + s, -1.0F, 1.0F);
        FOR_EACH_ISA(k)
        {
            k->add(out.x, a.x, b.x, n);
            for (size_t i = 0; i < n; i++) {
                assert_true(out.x[i] == a.x[i] + b.x[i]);
            }
            k->subtract(out.x, a.x, b.x, n);
            for (size_t i = 0; i < n; i++) {
                assert_true(out.x[i] == a.x[i] - b.x[i]);
            }
            k->multiply(out.x, a.x, b.x, n, false);
            k->multiply(out.x, b.x, b.x, n, true);
            for (size_t i = 0; i < n; i++) {
                float product = a.x[i] * b.x[i], square = b.x[i] * b.x[i];
                assert_true(out.x[i] == product + square);
            }
            k->scale(out.x, a.x, 3.0F, n, false);
            k->accumulate(out.x, b.x, n);
            k->accumulate_chain(out.x, b.x, n);
            for (size_t i = 0; i < n; i++) {
                float scaled = 3.0F * a.x[i], once = scaled + b.x[i];
                assert_true(out.x[i] == once + b.x[i]);
            }
            k->clamp(out.x, -0.5F, 0.25F, n);
            for (size_t i = 0; i < n; i++) {
                assert_true(out.x[i] >= -0.5F && out.x[i] <= 0.25F);
            }
            k->relu(out.x, a.x, n);
            for (size_t i = 0; i < n; i++) {
                assert_true(out.x[i] == (a.x[i] > 0.0F ? a.x[i] : 0.0F));
            }
            k->relu_backward(out.x, b.x, a.x, n, true);
            for (size_t i = 0; i < n; i++) {
                assert_true(out.x[i] == (a.x[i] > 0.0F ? a.x[i] + b.x[i] : 0.0F));
            }
            k->tanh_backward(out.x, a.x, b.x, n, false);
            for (size_t i = 0; i < n; i++) {
                want[i] = (double)a.x[i] * (1.0 - (double)b.x[i] * (double)b.x[i]);
            }
            assert_true(compare_close(out.x, want, NULL, n, 2));
            k->sigmoid_backward(out.x, a.x, b.x, n, false);
            for (size_t i = 0; i < n; i++) {
                want[i] = (double)a.x[i] * (double)b.x[i] * (1.0 - (double)b.x[i]);
            }
            assert_true(compare_close(out.x, want, NULL, n, 3));
            k->fill(out.x, 7.0F, n);
            for (size_t i = 0; i < n; i++) {
                assert_true(out.x[i] == 7.0F);
            }
        }
        guarded_free(a);
        guarded_free(b);
        guarded_free(out);
    }
}

static void test_small_and_none(void **state)
{
    (void)state;
    FOR_EACH_ISA(k)
    {
        float x[] = {0x1p-70F, -0x1p-100F, NAN, -0.0F, 1e-41F}, y[5];
        const float expected[] = {0.0F, 0.0F, NAN, 0.0F, 0.0F};
        k->multiply(y, x, x, 5, false);
        assert_true(compare_bits(y, expected, 5));
        k->scale(y, x, 0x1p-60F, 5, false);
        assert_true(compare_bits(y, expected, 5));
        float tiny[] = {0x1.8p-126F, -0x1p-126F, NAN}, other[] = {-0x1p-126F, 0x1p-126F, 1.0F};
        k->accumulate(tiny, other, 3);
        assert_true(compare_bits(tiny, (const float[]){0.0F, 0.0F, NAN}, 3));
        float sum[] = {0x1.8p-126F}, one[] = {1.0F}, less[] = {-0x1p-126F};
        k->multiply(sum, one, less, 1, true);
        assert_true(sum[0] == 0.0F);
        float chain[] = {0x1.8p-126F};
        k->accumulate_chain(chain, other, 1);
        assert_true(chain[0] == 0x1p-127F);
        float c[] = {NAN, INFINITY, -INFINITY};
        k->clamp(c, -1.0F, 1.0F, 3);
        assert_true(compare_bits(c, (const float[]){NAN, 1.0F, -1.0F}, 3));
    }
}

/* Element i to lane i mod 16, lanes by halves: written out as the rule says. */
static float sum_by_rule(const float *x, size_t n)
{
    float lane[16] = {0};
    for (size_t i = 0; i < n; i++) {
        lane[i % 16] += x[i];
    }
    for (int s = 8; s > 0; s /= 2) {
        for (int i = 0; i < s; i++) {
            lane[i] += lane[i + s];
        }
    }
    return lane[0];
}

static void test_reductions(void **state)
{
    (void)state;
    for (size_t s = 0; s < SIZES; s++) {
        const size_t n = sizes[s];
        guarded in = guarded_make(n, true);
        fill_random(in.x, n, 7 + s, -3.0F, 4.0F);
        float most = -INFINITY;
        double by_rule = 0.0, magnitude;
        for (size_t i = 0; i < n; i++) {
            most = in.x[i] > most ? in.x[i] : most;
        }
        for (size_t i = 0; i < n; i += ELMAN_REDUCE_BLOCK) {
            by_rule += (double)sum_by_rule(in.x + i, n - i < 4096 ? n - i : 4096);
        }
        const double sum = elman_ref_sum(in.x, n, &magnitude);
        const double squares = elman_ref_sum_squares(in.x, n);
        FOR_EACH_ISA(k)
        {
            assert_true(elman_sum(k, in.x, n) == by_rule);
            assert_true(fabs(by_rule - sum) <= (double)n / 16 * 0x1p-23 * magnitude + 1e-30);
            assert_true(fabs(elman_sum_squares(k, in.x, n) - squares) <=
                        (double)(n + 1) * 0x1p-52 * squares);
            assert_true(elman_sum_squares(k, in.x, n) ==
                        elman_sum_squares(elman_kernels_for(ELMAN_ISA_SCALAR)->math, in.x, n));
            assert_true(k->max_block(in.x, n) == most);
            assert_int_equal(k->first_nonfinite(in.x, n), n);
            for (size_t bad = n / 2; n && bad < n; bad += n / 3 + 1) {
                const float keep = in.x[bad];
                const float values[] = {NAN, INFINITY, -INFINITY};
                for (int v = 0; v < 3; v++) {
                    in.x[bad] = values[v];
                    assert_int_equal(k->first_nonfinite(in.x, n), bad);
                }
                in.x[bad] = keep;
            }
        }
        guarded_free(in);
    }
}

static void test_softmax(void **state)
{
    (void)state;
    for (size_t s = 1; s < SIZES; s++) {
        const size_t n = sizes[s], target = n / 2;
        guarded in = guarded_make(n, true), out = guarded_make(n, s % 2);
        fill_random(in.x, n, 11 + s, -9.0F, 9.0F);
        const elman_math_kernels *scalar = elman_kernels_for(ELMAN_ISA_SCALAR)->math;
        const double nats = elman_ref_cross_entropy(want, size_of, in.x, n, target, 0.125);
        memcpy(scalar_result, in.x, n * sizeof(float));
        const double scalar_nats = scalar->cross_entropy_row(scalar_result, n, target, 0.125F);
        FOR_EACH_ISA(k)
        {
            memcpy(out.x, in.x, n * sizeof(float));
            const double got = k->cross_entropy_row(out.x, n, target, 0.125F);
            assert_true(got == scalar_nats && got == k->cross_entropy_loss(in.x, n, target));
            assert_true(fabs(got - nats) <= 4e-6);
            assert_true(compare_bits(out.x, scalar_result, n));
            (void)elman_ref_cross_entropy(want, size_of, in.x, n, target, 0.125);
            assert_true(compare_close(out.x, want, size_of, n, 24));
            assert_true(fabs(k->log_sum_exp(in.x, n) - elman_ref_log_sum_exp(in.x, n)) <= 4e-6);

            elman_ref_softmax(want, in.x, n);
            k->softmax_row(out.x, in.x, n);
            assert_true(compare_close(out.x, want, NULL, n, 24));
            memcpy(out.x, in.x, n * sizeof(float));
            k->log_softmax_row(out.x, out.x, n);
            for (size_t i = 0; i < n; i++) {
                assert_true(fabs((double)out.x[i] - log(want[i])) <= 8e-6);
            }
        }
        guarded_free(in);
        guarded_free(out);
    }
}

static void test_softmax_extremes(void **state)
{
    (void)state;
    FOR_EACH_ISA(k)
    {
        float y[3];
        k->softmax_row(y, (const float[]){1000.0F, -1000.0F, 1000.0F}, 3);
        assert_true(compare_bits(y, (const float[]){0.5F, 0.0F, 0.5F}, 3));
        k->softmax_row(y, (const float[]){-INFINITY, 3.0F, -INFINITY}, 3);
        assert_true(compare_bits(y, (const float[]){0.0F, 1.0F, 0.0F}, 3));
        const float none[][3] = {{NAN, 1.0F, 2.0F},
                                 {1.0F, 2.0F, NAN},
                                 {INFINITY, 1.0F, 2.0F},
                                 {-INFINITY, -INFINITY, -INFINITY}};
        for (int i = 0; i < 4; i++) {
            float row[3];
            memcpy(row, none[i], sizeof row);
            k->softmax_row(y, row, 3);
            assert_true(isnan(y[0]) && isnan(y[1]) && isnan(y[2]));
            assert_true(isnan(k->cross_entropy_row(row, 3, 1, 1.0F)));
        }
        float sure[] = {200.0F, 0.0F, 0.0F};
        assert_true(k->cross_entropy_row(sure, 3, 1, 1.0F) == 200.0);
        assert_true(compare_bits(sure, (const float[]){1.0F, -1.0F, 0.0F}, 3));
    }
}

static void test_layer_norm(void **state)
{
    (void)state;
    static float gain[MOST], bias[MOST], first[2][MOST];
    fill_random(gain, MOST, 3, 0.5F, 1.5F);
    fill_random(bias, MOST, 4, -1.0F, 1.0F);
    for (size_t s = 1; s < SIZES; s++) {
        const size_t n = sizes[s];
        guarded x = guarded_make(n, true), dy = guarded_make(n, true), out = guarded_make(n, true);
        fill_random(x.x, n, 21 + s, -1.0F, 3.0F);
        fill_random(dy.x, n, 22 + s, -1.0F, 1.0F);
        const double k_sum = 16.0 + (double)n / 16;
        for (int form = 0; form < 4; form++) {
            const float *g = form & 1 ? gain : NULL, *b = form & 2 ? bias : NULL;
            bool have_first = false;
            FOR_EACH_ISA(k)
            {
                float mean, inverse;
                double want_mean, want_inverse;
                k->layer_norm_row(out.x, x.x, g, b, n, 1e-5F, &mean, &inverse);
                elman_ref_layer_norm(want, size_of, x.x, g, b, n, 1e-5, &want_mean, &want_inverse);
                assert_true(compare_close(out.x, want, size_of, n, k_sum));
                if (have_first) {
                    assert_true(compare_bits(out.x, first[0], n));
                }
                memcpy(first[0], out.x, n * sizeof(float));

                k->layer_norm_row_backward(out.x, dy.x, x.x, g, n, mean, inverse, false);
                elman_ref_layer_norm_backward(want, size_of, dy.x, x.x, g, n, 1e-5);
                assert_true(compare_close(out.x, want, size_of, n, 2.0 * k_sum));
                if (have_first) {
                    assert_true(compare_bits(out.x, first[1], n));
                }
                memcpy(first[1], out.x, n * sizeof(float));
                have_first = true;

                float *dgain = calloc(2 * n, sizeof *dgain), *dbias = dgain + n;
                assert_non_null(dgain);
                k->layer_norm_row_gradients(dgain, dbias, dy.x, x.x, n, mean, inverse);
                k->layer_norm_row_gradients(NULL, dbias, dy.x, x.x, n, mean, inverse);
                for (size_t i = 0; i < n; i++) {
                    assert_true(dgain[i] == dy.x[i] * ((x.x[i] - mean) * inverse));
                    assert_true(dbias[i] == dy.x[i] + dy.x[i]);
                }
                free(dgain);
            }
        }
        guarded_free(x);
        guarded_free(dy);
        guarded_free(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elementwise),      cmocka_unit_test(test_small_and_none),
        cmocka_unit_test(test_reductions),       cmocka_unit_test(test_softmax),
        cmocka_unit_test(test_softmax_extremes), cmocka_unit_test(test_layer_norm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
