/* Nanoseconds an element of the pointwise and reducing kernels, one thread, operands in L1 or L2,
 * on every instruction set here; and what denormal numbers cost. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cpu.h"
#include "kernel/kernels.h"

enum { N = 4096, V = 10000, ROUNDS = 30 };

static float a[V], b[V], c[V], d[V];

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void fill(float *x, size_t n, float low, float high)
{
    uint32_t s = 1;
    for (size_t i = 0; i < n; i++) {
        s = s * 1664525U + 1013904223U;
        x[i] = low + (high - low) * (float)(s >> 8) * 0x1p-24F;
    }
}

static double best;
static volatile double sink;

/* The best of ROUNDS runs of 8 calls, an element. */
#define TIME(name, n, call)                                                                        \
    do {                                                                                           \
        best = 1.0;                                                                                \
        for (int round_ = 0; round_ < ROUNDS; round_++) {                                          \
            double begin_ = now();                                                                 \
            for (int call_ = 0; call_ < 8; call_++) {                                              \
                call;                                                                              \
            }                                                                                      \
            double took_ = now() - begin_;                                                         \
            best = took_ < best ? took_ : best;                                                    \
        }                                                                                          \
        printf("  %-28s %8.3f\n", name, best / 8.0 / (double)(n)*1e9);                             \
    } while (0)

static void functions(const elman_math_kernels *k, const char *what, float low, float high)
{
    char name[64];
    fill(a, N, low, high);
    snprintf(name, sizeof name, "exp %s", what);
    TIME(name, N, k->exp(b, a, N));
    snprintf(name, sizeof name, "log %s", what);
    TIME(name, N, k->log(b, a, N));
    snprintf(name, sizeof name, "tanh %s", what);
    TIME(name, N, k->tanh(b, a, N));
    snprintf(name, sizeof name, "sigmoid %s", what);
    TIME(name, N, k->sigmoid(b, a, N));
}

static void rows(const elman_math_kernels *k)
{
    float mean, inverse;
    const elman_dropout_mask mask = elman_dropout_mask_of(1, ELMAN_USE_DROPOUT, 0, 0.5);
    const elman_fill from = {1, 1, 1};
    fill(a, V, -5.0F, 5.0F);
    TIME("sum", N, sink = (double)k->sum_block(a, N));
    TIME("sum of squares (double)", N, sink = k->sum_squares_block(a, N));
    TIME("max", N, sink = (double)k->max_block(a, N));
    TIME("first_nonfinite", N, sink = (double)k->first_nonfinite(a, N));
    TIME("softmax 65", 65, k->softmax_row(b, a, 65));
    TIME("softmax 10000", V, k->softmax_row(b, a, V));
    TIME("cross-entropy row 65 + copy", 65,
         (memcpy(b, a, 65 * sizeof *a), sink = k->cross_entropy_row(b, 65, 3, 0.1F)));
    TIME("cross-entropy row 10000 + copy", V,
         (memcpy(b, a, sizeof a), sink = k->cross_entropy_row(b, V, 3, 0.1F)));
    TIME("layer norm 512", 512, k->layer_norm_row(b, a, c, d, 512, 1e-5F, &mean, &inverse));
    TIME("layer norm backward 512", 512,
         k->layer_norm_row_backward(b, a, c, d, 512, mean, inverse, false));
    TIME("dropout 512", 512, k->dropout_row(b, a, 512, &mask, 1, 2, false));
    TIME("dropout 200", 200, k->dropout_row(b, a, 200, &mask, 1, 2, false));
    TIME("uniform", N, k->fill_uniform(b, N, 0, &from, 0.0F, 1.0F));
    TIME("normal", N, k->fill_normal(b, N, 0, &from, 0.0F, 1.0F));
    TIME("accumulate", N, k->accumulate(b, a, N));
}

static void updates(const elman_math_kernels *k, const char *what, float size)
{
    char name[64];
    const elman_adam adam = {
        {1.0F, 0.0F, 0.0F, 1.0F, false}, 0.1F, 0.999F, 0.001F, 1e-3F, 1.0F, 1e-8F};
    const elman_sgd sgd = {{1.0F, 1e-3F, 0.0F, 1.0F, false}, 0.9F, 0.0F, false, false};
    fill(a, N, -1.0F, 1.0F);
    fill(b, N, -size, size);
    memset(c, 0, sizeof c);
    memset(d, 0, sizeof d);
    snprintf(name, sizeof name, "adam, gradients of %s", what);
    TIME(name, N, k->adam(a, b, c, d, N, &adam));
    memset(c, 0, sizeof c);
    snprintf(name, sizeof name, "sgd momentum, of %s", what);
    TIME(name, N, k->sgd(a, b, c, N, &sgd));
}

int main(void)
{
    const elman_isa isas[] = {ELMAN_ISA_SCALAR, ELMAN_ISA_AVX2, ELMAN_ISA_AVX512, ELMAN_ISA_NEON};
    for (int i = 0; i < 4; i++) {
        if (!elman_cpu_has(isas[i])) {
            continue;
        }
        const elman_math_kernels *k = elman_kernels_for(isas[i])->math;
        printf("%s, ns an element\n", elman_isa_name(isas[i]));
        functions(k, "-5..5", -5.0F, 5.0F);
        functions(k, "denormal", 1e-42F, 1e-40F);
        functions(k, "1e-25..1e-20", 1e-25F, 1e-20F);
        functions(k, "-200..-80", -200.0F, -80.0F);
        rows(k);
        updates(k, "1e-2", 1e-2F);
        updates(k, "1e-20", 1e-20F);
        updates(k, "1e-40", 1e-40F);
    }
    return 0;
}
