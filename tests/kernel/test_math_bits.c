/* The numerics themselves: a fingerprint of each kernel's results, the same on every processor,
 * instruction set and compiler. A change here is a new version of the numerics. */
#include "math_support.h"

#include <math.h>

enum { N = 5003 };

static float a[N], b[N], c[N], d[N];

/* FNV-1a over the bits, every NaN the same. */
static uint64_t fold(uint64_t hash, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        bits = isnan(x[i]) ? 0x7fc00000U : bits;
        for (int byte = 0; byte < 4; byte++, bits >>= 8) {
            hash = (hash ^ (bits & 255)) * 0x100000001b3U;
        }
    }
    return hash;
}

static uint64_t fold_real(uint64_t hash, double x)
{
    const float high = (float)x, low = (float)(x - (double)high);
    return fold(fold(hash, &high, 1), &low, 1);
}

/* Numbers of every magnitude, and infinities and NaN among them. */
static void fill_any(float *x, uint64_t seed)
{
    uint64_t state = seed;
    for (size_t i = 0; i < N; i++) {
        uint32_t bits = next_word(&state);
        memcpy(&x[i], &bits, sizeof bits);
    }
}

static uint64_t functions(const elman_math_kernels *k)
{
    uint64_t hash = 0xcbf29ce484222325U;
    for (int round = 0; round < 2; round++) {
        if (round) {
            fill_random(a, N, 1, -12.0F, 12.0F);
        } else {
            fill_any(a, 1);
        }
        void (*const f[])(float *, const float *, size_t) = {k->exp, k->log, k->tanh, k->sigmoid,
                                                             k->relu};
        for (int j = 0; j < 5; j++) {
            f[j](b, a, N);
            hash = fold(hash, b, N);
        }
    }
    return hash;
}

static uint64_t elementwise(const elman_math_kernels *k)
{
    uint64_t hash = 0xcbf29ce484222325U;
    fill_any(a, 2);
    fill_any(b, 3);
    fill_any(c, 4);
    k->add(d, a, b, N);
    hash = fold(hash, d, N);
    k->subtract(d, a, b, N);
    hash = fold(hash, d, N);
    k->multiply(c, a, b, N, true);
    k->scale(c, a, 0.7F, N, true);
    k->accumulate(c, b, N);
    hash = fold(hash, c, N);
    k->accumulate_chain(c, a, N);
    k->tanh_backward(c, a, b, N, true);
    hash = fold(hash, c, N);
    k->sigmoid_backward(c, a, b, N, false);
    k->relu_backward(c, a, b, N, true);
    k->clamp(c, -1e9F, 1e10F, N);
    return fold(hash, c, N);
}

static uint64_t rows(const elman_math_kernels *k)
{
    uint64_t hash = 0xcbf29ce484222325U;
    const size_t lengths[] = {1, 65, 1009, N};
    for (int j = 0; j < 4; j++) {
        const size_t n = lengths[j];
        float mean, inverse;
        fill_random(a, N, 5, -7.0F, 9.0F);
        fill_random(b, N, 6, -1.0F, 1.0F);
        hash = fold_real(hash, elman_sum(k, a, n));
        hash = fold_real(hash, elman_sum_squares(k, a, n));
        hash = fold_real(hash, (double)k->max_block(a, n));
        hash = fold_real(hash, k->log_sum_exp(a, n));
        k->softmax_row(c, a, n);
        hash = fold(hash, c, n);
        k->log_softmax_row(c, a, n);
        hash = fold(hash, c, n);
        k->layer_norm_row(c, a, b, b, n, 1e-5F, &mean, &inverse);
        k->layer_norm_row_backward(c, b, a, b, n, mean, inverse, true);
        k->layer_norm_row_gradients(c, b, b, a, n, mean, inverse);
        hash = fold(hash, c, n);
        hash = fold_real(hash, k->cross_entropy_row(a, n, n / 3, 0.01F));
        hash = fold(hash, a, n);
    }
    return hash;
}

static uint64_t random_numbers(const elman_math_kernels *k)
{
    uint64_t hash = 0xcbf29ce484222325U;
    const elman_fill from = {99, 2, elman_philox_use(ELMAN_USE_INITIALISE, 0)};
    const elman_dropout_mask mask = elman_dropout_mask_of(99, ELMAN_USE_DROPOUT, 3, 0.3);
    k->fill_uniform(a, N, 7, &from, -0.1F, 0.1F);
    k->fill_normal(b, N, 9, &from, 0.0F, 0.02F);
    hash = fold(fold(hash, a, N), b, N);
    k->dropout_row(b, a, N, &mask, 5, 6, true);
    return fold(hash, b, N);
}

static uint64_t updates(const elman_math_kernels *k)
{
    uint64_t hash = 0xcbf29ce484222325U;
    fill_random(a, N, 7, -1.0F, 1.0F);
    fill_any(b, 8);
    fill_random(c, N, 9, -1.0F, 1.0F);
    fill_random(d, N, 10, 0.0F, 1.0F);
    const elman_adam adam = {
        {0.5F, 0.01F, 0.01F, 0.999F, false}, 0.1F, 0.999F, 0.001F, 0.02F, 20.0F, 1e-8F};
    const elman_sgd sgd = {{0.5F, 0.1F, 0.01F, 1.0F, true}, 0.9F, 0.1F, true, false};
    k->adam(a, b, c, d, N, &adam);
    k->sgd(a, b, c, N, &sgd);
    return fold(fold(fold(fold(hash, a, N), b, N), c, N), d, N);
}

static void test_fingerprints(void **state)
{
    (void)state;
    uint64_t (*const parts[])(const elman_math_kernels *) = {functions, elementwise, rows,
                                                             random_numbers, updates};
    const char *const names[] = {"functions", "elementwise", "rows", "random numbers", "updates"};
    const uint64_t expected[] = {0x4dfe32b6803a0a78, 0x1ec5f1ed656fcf35, 0x8f824591c5a0c90b,
                                 0xc66941da2d6ac523, 0x8aac34d0189b129f};
    FOR_EACH_ISA(k)
    {
        for (int i = 0; i < 5; i++) {
            const uint64_t got = parts[i](k);
            if (got != expected[i]) {
                fail_msg("%s, %s: 0x%016llx, expected 0x%016llx", elman_isa_name(all_isas[isa_]),
                         names[i], (unsigned long long)got, (unsigned long long)expected[i]);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fingerprints)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
