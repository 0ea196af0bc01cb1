/* Pointwise functions, reductions, softmax, normalisation, dropout, optimiser updates and
 * random fills: slices of n elements for one thread.
 *
 * Pointers need no alignment. out may be the same pointer as an input (in place) unless said
 * otherwise; partial overlap is not allowed. "stores" means: a value below 2^-126 becomes +0,
 * NaN stays; with add, the value that would have been stored is added to what is there, and the
 * sum stored. Any slice of a pointwise kernel gives the same bits as the whole. Every function
 * expects elman_float_begin (base/float_environment.h). */
#ifndef ELMAN_KERNEL_MATH_KERNELS_H
#define ELMAN_KERNEL_MATH_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/philox.h"

/* Reductions split into blocks of so many elements; threads take whole blocks. */
enum { ELMAN_REDUCE_BLOCK = 4096 };

/* Inverted dropout of one place in one pass; see elman_dropout_mask_of. */
typedef struct elman_dropout_mask {
    uint64_t seed;
    uint32_t use;       /* elman_philox_use(use, pass) */
    uint32_t threshold; /* kept where word >> 8 >= threshold */
    float scale;        /* 1 / (1 - p) */
} elman_dropout_mask;

/* 0 <= p <= 1; a unit is kept where elman_uniform(word) >= p. */
static inline elman_dropout_mask elman_dropout_mask_of(uint64_t seed, int use, uint64_t pass,
                                                       double p)
{
    double scaled = p * 0x1p24; /* exact */
    uint32_t threshold = (uint32_t)scaled;
    elman_dropout_mask d = {seed, elman_philox_use(use, pass),
                            threshold + ((double)threshold < scaled ? 1U : 0U),
                            p < 1.0 ? (float)(1.0 / (1.0 - p)) : 0.0F};
    return d;
}

/* What every optimiser step shares. g = gradient * factor; both are flushed. */
typedef struct elman_update {
    float factor;       /* from clipping or averaging; 1 leaves the gradient's bits */
    float rate;         /* learning rate */
    float decay;        /* coupled weight decay (L2): g += decay * parameter */
    float keep;         /* decoupled: parameter *= keep first; 1 - rate*decay, or 1 */
    bool zero_gradient; /* leave the gradient +0 */
} elman_update;

/* torch.optim.SGD. */
typedef struct elman_sgd {
    elman_update common;
    float momentum;  /* 0: no buffer is read or written, it may be NULL */
    float dampening; /* 1 - dampening is taken in float */
    bool nesterov;
    bool first; /* the buffer begins as g */
} elman_sgd;

/* torch.optim.Adam (common.decay) and AdamW (common.keep); the rate is read from step_size. */
typedef struct elman_adam {
    elman_update common;
    float one_minus_beta1; /* (float)(1 - beta1), computed in double */
    float beta2, one_minus_beta2;
    float step_size;       /* (float)(rate / (1 - beta1^t)), computed in double */
    float root_correction; /* (float)(1 / sqrt(1 - beta2^t)), computed in double */
    float epsilon;
} elman_adam;

/* Where a fill's numbers come from: element i of tensor `stream` is word i mod 4 of
 * philox(seed; i/4 low, i/4 high, stream, use). */
typedef struct elman_fill {
    uint64_t seed;
    uint32_t stream; /* the tensor's number */
    uint32_t use;    /* elman_philox_use(ELMAN_USE_INITIALISE, 0) */
} elman_fill;

typedef struct elman_math_kernels {
    /* --- functions, at most 2 ulp (kernel/body/functions.h has their properties) ----------- */
    void (*exp)(float *out, const float *x, size_t n);
    void (*log)(float *out, const float *x, size_t n);
    void (*tanh)(float *out, const float *x, size_t n);
    void (*sigmoid)(float *out, const float *x, size_t n);
    void (*relu)(float *out, const float *x, size_t n); /* x > 0 ? x : +0; NaN stays */

    /* --- element by element ---------------------------------------------------------------- */
    void (*add)(float *out, const float *a, const float *b, size_t n);
    void (*subtract)(float *out, const float *a, const float *b, size_t n);
    void (*multiply)(float *out, const float *a, const float *b, size_t n, bool add);
    /* x * factor */
    void (*scale)(float *out, const float *x, float factor, size_t n, bool add);
    /* y = y + x, stored */
    void (*accumulate)(float *y, const float *x, size_t n);
    /* y = y + x, a chain's link: nothing is flushed (parameter gradients, biases) */
    void (*accumulate_chain)(float *y, const float *x, size_t n);
    /* x moved into [low, high]; NaN stays */
    void (*clamp)(float *x, float low, float high, size_t n);
    void (*fill)(float *out, float value, size_t n);

    /* --- backward forms, from the forward's result y --------------------------------------- */
    /* dx = dy * (1 - y*y), 1 - y*y fused */
    void (*tanh_backward)(float *dx, const float *dy, const float *y, size_t n, bool add);
    /* dx = dy * (y * (1 - y)) */
    void (*sigmoid_backward)(float *dx, const float *dy, const float *y, size_t n, bool add);
    /* dx = y > 0 ? dy : 0 */
    void (*relu_backward)(float *dx, const float *dy, const float *y, size_t n, bool add);

    /* --- reductions of one block, n <= ELMAN_REDUCE_BLOCK: 16 lanes, one tree --------------
     * The whole is the blocks in index order, added in double by the caller; elman_sum and
     * the like below do that on one thread. */
    float (*sum_block)(const float *x, size_t n);
    double (*sum_squares_block)(const float *x, size_t n); /* squares and adds in double */
    /* -inf when n is 0; NaN is passed over. Any n. */
    float (*max_block)(const float *x, size_t n);
    /* The index of the first element that is not finite, or n. Any n. */
    size_t (*first_nonfinite)(const float *x, size_t n);

    /* --- one row -----------------------------------------------------------------------------
     * m = max x;  e_i = exp(x_i - m);  s = sum e (float tree in each block of 4096, blocks
     * added in double, rounded to float). */
    /* out_i = e_i * (1/s), stored */
    void (*softmax_row)(float *out, const float *logits, size_t n);
    /* (double)m + (double)log(s), log in float */
    double (*log_sum_exp)(const float *logits, size_t n);
    /* Nats: ((double)m - (double)x_target) + (double)log(s). In place the row becomes its
     * gradient: scale * (softmax - onehot), as e_i * (scale/s), for the target fused with
     * - scale, stored. 0 <= target < n. */
    double (*cross_entropy_row)(float *logits, size_t n, size_t target, float scale);
    /* The nats alone; the row is left. */
    double (*cross_entropy_loss)(const float *logits, size_t n, size_t target);
    /* out_i = (x_i - m) - log(s) */
    void (*log_softmax_row)(float *out, const float *logits, size_t n);

    /* Layer normalisation (Ba et al. 2016, equation 4). mean = sum x / n; d = x - mean; variance
     * = sum d^2 / n (fused lanes); inverse = 1 / sqrt(variance + epsilon), all float, sums as
     * above. xhat = d * inverse; out = xhat * gain + bias (fused), gain or bias NULL: 1, 0. */
    void (*layer_norm_row)(float *out, const float *x, const float *gain, const float *bias,
                           size_t n, float epsilon, float *mean, float *inverse);
    /* dxhat = dy * gain; dx = inverse * ((dxhat - mean(dxhat)) - xhat * mean(dxhat * xhat)). */
    void (*layer_norm_row_backward)(float *dx, const float *dy, const float *x, const float *gain,
                                    size_t n, float mean, float inverse, bool add);
    /* dgain = fma(dy, xhat, dgain); dbias = dbias + dy; NULL: not wanted. Chains, not flushed;
     * a slice of the columns may be given. No aliasing. */
    void (*layer_norm_row_gradients)(float *dgain, float *dbias, const float *dy, const float *x,
                                     size_t n, float mean, float inverse);

    /* --- random numbers ---------------------------------------------------------------------
     * Unit i of the row: word i mod 4 of philox(seed; i/4, time, sequence, use). out_i = kept ?
     * x_i * scale : +0, stored. The backward is the same call on dy. */
    void (*dropout_row)(float *out, const float *x, size_t n, const elman_dropout_mask *dropout,
                        uint32_t time, uint32_t sequence, bool add);
    /* Elements first .. first+n of the stream: low + (high - low) * elman_uniform(word), fused. */
    void (*fill_uniform)(float *out, size_t n, uint64_t first, const elman_fill *from, float low,
                         float high);
    /* Box and Muller (1958): elements 2j, 2j+1 = mean + deviation * r*(cos, sin)(2 pi u2), r =
     * sqrt(-2 log u1), from words 2j, 2j+1: u1 = ((word >> 8) + 1) 2^-24, u2 = uniform. */
    void (*fill_normal)(float *out, size_t n, uint64_t first, const elman_fill *from, float mean,
                        float deviation);

    /* --- optimiser updates, one pass; all float; parameter and state are stored --------------
     * No aliasing. decay and keep as in elman_update. */
    /* momentum: b = first ? g : momentum*b + (1-dampening)*g;  g = nesterov ? g + momentum*b : b.
     * p -= rate * g (fused). */
    void (*sgd)(float *parameter, float *gradient, float *buffer, size_t n,
                const elman_sgd *options);
    /* m = m + (1-beta1)*(g-m) (fused, as torch's lerp);  v = beta2*v + ((1-beta2)*g)*g (fused;
     * |g| < 2^-58 counts as 0 there)
     * p -= step_size * (m / (sqrt(v)*root_correction + epsilon))
     * gradient NULL: zero everywhere, the same bits. */
    void (*adam)(float *parameter, float *gradient, float *m, float *v, size_t n,
                 const elman_adam *options);
} elman_math_kernels;

/* Whole reductions on one thread: blocks in index order, in double. */
static inline double elman_sum(const elman_math_kernels *k, const float *x, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i += ELMAN_REDUCE_BLOCK) {
        sum += (double)k->sum_block(x + i, n - i < ELMAN_REDUCE_BLOCK ? n - i : ELMAN_REDUCE_BLOCK);
    }
    return sum;
}

static inline double elman_sum_squares(const elman_math_kernels *k, const float *x, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i += ELMAN_REDUCE_BLOCK) {
        sum += k->sum_squares_block(x + i, n - i < ELMAN_REDUCE_BLOCK ? n - i : ELMAN_REDUCE_BLOCK);
    }
    return sum;
}

#endif
