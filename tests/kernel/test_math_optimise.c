/* SGD, Adam, AdamW: PyTorch 2.15's figures after six steps, the same bits on every instruction
 * set and for any slice, nothing below 2^-126. */
#include "math_support.h"

#include <math.h>

#include "compare.h"

enum { N = 5, STEPS = 6 };

static const float start[N] = {0.5F, -1.25F, 2.0F, -0.03125F, 0.75F};

/* float32(0.3 sin(1.7 i + 0.9 step + 0.2)) */
static const float gradients[STEPS][N] = {
    {0x1.e83ffp-5F, 0x1.22b412p-2F, -0x1.0fe272p-3F, -0x1.ff585ap-3F, 0x1.93a70ep-3F},
    {0x1.11c766p-2F, 0x1.9ba22ap-4F, -0x1.2c4c18p-2F, -0x1.9866aap-6F, 0x1.32dff2p-2F},
    {0x1.175610p-2F, -0x1.458804p-3F, -0x1.dac958p-3F, 0x1.bfe0eap-3F, 0x1.675f86p-3F},
    {0x1.25fd54p-4F, -0x1.31430ap-2F, 0x1.4a9322p-8F, 0x1.2fee4cp-2F, -0x1.4df080p-4F},
    {-0x1.77ececp-3F, -0x1.b17be6p-3F, 0x1.e7a12ap-3F, 0x1.33d3c4p-3F, -0x1.1b7a04p-2F},
    {-0x1.332d2ap-2F, 0x1.1e6e6cp-5F, 0x1.29f33ep-2F, -0x1.c2545ep-4F, -0x1.0cf05cp-2F},
};

/* torch.optim.SGD(lr=0.1); (.., momentum=0.9, weight_decay=0.01, dampening=0.1);
 * (.., momentum=0.9, nesterov=True) */
static const float after_sgd[3][N] = {
    {0x1.ecbfe2p-2F, -0x1.399dbcp+0F, 0x1.019572p+1F, -0x1.e66728p-5F, 0x1.7d602cp-1F},
    {0x1.4a3912p-2F, -0x1.3e6ef4p+0F, 0x1.11ee32p+1F, -0x1.f28b0cp-5F, 0x1.2511f8p-1F},
    {0x1.418354p-2F, -0x1.3a13f0p+0F, 0x1.170c42p+1F, -0x1.9ccecep-4F, 0x1.2cfb8ep-1F},
};

/* Adam(lr=0.01); Adam(lr=0.01, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1);
 * AdamW(lr=0.01, weight_decay=0.1) */
static const float after_adam[3][N] = {
    {0x1.d639b0p-2F, -0x1.435cdep+0F, 0x1.050a94p+1F, -0x1.9bf012p-6F, 0x1.6d5612p-1F},
    {0x1.d33bd8p-2F, -0x1.3cb376p+0F, 0x1.f9da6ep+0F, -0x1.d1b390p-6F, 0x1.6b6dacp-1F},
    {0x1.d34c50p-2F, -0x1.416cecp+0F, 0x1.037de6p+1F, -0x1.99fa7ep-6F, 0x1.6b1b32p-1F},
};

static bool near(const float *got, const float *expected)
{
    double want[N], one[N];
    for (int i = 0; i < N; i++) {
        want[i] = (double)expected[i];
        one[i] = fmax(fabs(want[i]), 0.1); /* what the steps add up */
    }
    return compare_varied(got, N) && compare_close(got, want, one, N, 8);
}

static void test_sgd(void **state)
{
    (void)state;
    const float momentum[3] = {0.0F, 0.9F, 0.9F}, decay[3] = {0.0F, 0.01F, 0.0F};
    const float dampening[3] = {0.0F, 0.1F, 0.0F};
    FOR_EACH_ISA(k)
    {
        for (int c = 0; c < 3; c++) {
            float p[N], buffer[N] = {NAN, NAN, NAN, NAN, NAN};
            memcpy(p, start, sizeof p);
            for (int step = 0; step < STEPS; step++) {
                float g[N];
                memcpy(g, gradients[step], sizeof g);
                const elman_sgd o = {{1.0F, 0.1F, decay[c], 1.0F, step == 2},
                                     momentum[c],
                                     dampening[c],
                                     c == 2,
                                     step == 0};
                k->sgd(p, g, c ? buffer : NULL, N, &o);
                assert_memory_equal(g, step == 2 ? (const float[N]){0} : gradients[step], sizeof g);
            }
            assert_true(near(p, after_sgd[c]));
        }
    }
}

static elman_adam adam_at(int step, int c)
{
    const double rate = 0.01, beta1 = c == 1 ? 0.8 : 0.9, beta2 = c == 1 ? 0.99 : 0.999;
    const elman_adam o = {
        {1.0F, 0.01F, c == 1 ? 0.1F : 0.0F, c == 2 ? (float)(1.0 - rate * 0.1) : 1.0F, false},
        (float)(1.0 - beta1),
        (float)beta2,
        (float)(1.0 - beta2),
        (float)(rate / (1.0 - pow(beta1, step + 1))),
        (float)(1.0 / sqrt(1.0 - pow(beta2, step + 1))),
        c == 1 ? 1e-6F : 1e-8F,
    };
    return o;
}

static void test_adam(void **state)
{
    (void)state;
    FOR_EACH_ISA(k)
    {
        for (int c = 0; c < 3; c++) {
            float p[N], m[N] = {0}, v[N] = {0};
            memcpy(p, start, sizeof p);
            for (int step = 0; step < STEPS; step++) {
                float g[N];
                memcpy(g, gradients[step], sizeof g);
                const elman_adam o = adam_at(step, c);
                k->adam(p, g, m, v, N, &o);
            }
            assert_true(near(p, after_adam[c]));
            /* the figures of another optimiser are told apart */
            assert_false(near(p, after_adam[(c + 1) % 3]));
        }
    }
}

static void test_factor_and_flush(void **state)
{
    (void)state;
    FOR_EACH_ISA(k)
    {
        /* The factor of clipping is as if the gradient had been scaled before. */
        float p[2][N], g[2][N], m[2][N] = {{0}}, v[2][N] = {{0}};
        elman_adam o = adam_at(0, 0);
        for (int i = 0; i < 2; i++) {
            memcpy(p[i], start, sizeof p[i]);
            memcpy(g[i], gradients[0], sizeof g[i]);
        }
        k->scale(g[0], g[0], 0.3F, N, false);
        k->adam(p[0], g[0], m[0], v[0], N, &o);
        o.common.factor = 0.3F;
        k->adam(p[1], g[1], m[1], v[1], N, &o);
        assert_memory_equal(p[0], p[1], sizeof p[0]);
        assert_memory_equal(m[0], m[1], sizeof m[0]);
        assert_memory_equal(v[0], v[1], sizeof v[0]);

        /* State and parameter below 2^-126 become +0; a tiny gradient does too; NaN stays. */
        float q[3] = {0x1p-126F, 1.0F, 1.0F}, h[3] = {0x1p-126F, 1e-20F, NAN};
        float first[3] = {-0x1p-126F, 0.0F, 0.0F}, second[3] = {0x1p-126F, 0.0F, 0.0F};
        o = adam_at(0, 2);
        o.common.factor = 0.5F;
        k->adam(q, h, first, second, 3, &o);
        assert_true(first[0] == 0.0F && !signbit(first[0]) && second[0] == 0.0F);
        assert_true(q[0] == 0.0F && second[1] == 0.0F && first[1] > 0.0F);
        assert_true(isnan(q[2]) && isnan(first[2]) && isnan(second[2]));
    }
}

static void test_slices(void **state)
{
    (void)state;
    static float want[4][MOST];
    for (size_t s = 0; s < SIZES; s++) {
        const size_t n = sizes[s];
        guarded x[4];
        for (int i = 0; i < 4; i++) {
            x[i] = guarded_make(n, (s + (size_t)i) % 2);
        }
        bool have = false;
        FOR_EACH_ISA(k)
        {
            for (int i = 0; i < 4; i++) {
                fill_random(x[i].x, n, s * 4 + (size_t)i, i == 3 ? 0.0F : -1.0F, 1.0F);
            }
            const elman_adam o = adam_at(3, 1);
            const elman_sgd sgd = {{0.7F, 0.1F, 0.01F, 0.999F, true}, 0.9F, 0.0F, true, false};
            k->adam(x[0].x, x[1].x, x[2].x, x[3].x, n, &o);
            k->sgd(x[0].x, x[1].x, x[2].x, n, &sgd);
            for (int i = 0; i < 4; i++) {
                assert_true(!have || compare_bits(x[i].x, want[i], n));
                if (n) {
                    memcpy(want[i], x[i].x, n * sizeof(float));
                }
            }
            have = true;
        }
        for (int i = 0; i < 4; i++) {
            guarded_free(x[i]);
        }
    }
}

/* No gradient is a gradient of zeros. */
static void test_no_gradient(void **state)
{
    (void)state;
    enum { LENGTH = 37 };
    FOR_EACH_ISA(k)
    {
        for (int c = 0; c < 3; c++) {
            float x[2][3][LENGTH], g[LENGTH] = {0};
            for (int i = 0; i < 3; i++) {
                fill_random(x[0][i], LENGTH, (size_t)i, i == 2 ? 0.0F : -1.0F, 1.0F);
                x[0][i][5] = i == 1 ? -0x1p-126F : 0.0F;
                memcpy(x[1][i], x[0][i], sizeof x[0][i]);
            }
            x[0][1][9] = x[1][1][9] = NAN;
            elman_adam o = adam_at(4, c);
            o.common.zero_gradient = true;
            k->adam(x[0][0], g, x[0][1], x[0][2], LENGTH, &o);
            k->adam(x[1][0], NULL, x[1][1], x[1][2], LENGTH, &o);
            for (int i = 0; i < 3; i++) {
                assert_true(compare_bits(x[0][i], x[1][i], LENGTH));
            }
            assert_true(x[1][0][0] != x[1][1][0] && compare_varied(x[1][0], 5));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sgd),
        cmocka_unit_test(test_adam),
        cmocka_unit_test(test_factor_and_flush),
        cmocka_unit_test(test_slices),
        cmocka_unit_test(test_no_gradient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
