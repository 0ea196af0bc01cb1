/* The bodies that math_table.c gathers; each is described in kernel/math_kernels.h. */
#ifndef ELMAN_KERNEL_BODY_MATH_BODIES_H
#define ELMAN_KERNEL_BODY_MATH_BODIES_H

#include "kernel/math_kernels.h"
#include "kernel/simd/simd.h"

#define B(name) ELMAN_KERNEL(elman_math_##name)

/* math_functions.c */
void B(exp)(float *out, const float *x, size_t n);
void B(log)(float *out, const float *x, size_t n);
void B(tanh)(float *out, const float *x, size_t n);
void B(sigmoid)(float *out, const float *x, size_t n);
void B(relu)(float *out, const float *x, size_t n);

/* math_elementwise.c */
void B(add)(float *out, const float *a, const float *b, size_t n);
void B(subtract)(float *out, const float *a, const float *b, size_t n);
void B(multiply)(float *out, const float *a, const float *b, size_t n, bool add);
void B(scale)(float *out, const float *x, float factor, size_t n, bool add);
void B(accumulate)(float *y, const float *x, size_t n);
void B(accumulate_chain)(float *y, const float *x, size_t n);
void B(clamp)(float *x, float low, float high, size_t n);
void B(fill)(float *out, float value, size_t n);
void B(tanh_backward)(float *dx, const float *dy, const float *y, size_t n, bool add);
void B(sigmoid_backward)(float *dx, const float *dy, const float *y, size_t n, bool add);
void B(relu_backward)(float *dx, const float *dy, const float *y, size_t n, bool add);

/* math_reduce.c */
float B(sum_block)(const float *x, size_t n);
double B(sum_squares_block)(const float *x, size_t n);
float B(max_block)(const float *x, size_t n);
size_t B(first_nonfinite)(const float *x, size_t n);

/* math_softmax.c */
void B(softmax_row)(float *out, const float *logits, size_t n);
double B(log_sum_exp)(const float *logits, size_t n);
double B(cross_entropy_row)(float *logits, size_t n, size_t target, float scale);
double B(cross_entropy_loss)(const float *logits, size_t n, size_t target);
void B(log_softmax_row)(float *out, const float *logits, size_t n);

/* math_normalise.c */
void B(layer_norm_row)(float *out, const float *x, const float *gain, const float *bias, size_t n,
                       float epsilon, float *mean, float *inverse);
void B(layer_norm_row_backward)(float *dx, const float *dy, const float *x, const float *gain,
                                size_t n, float mean, float inverse, bool add);
void B(layer_norm_row_gradients)(float *dgain, float *dbias, const float *dy, const float *x,
                                 size_t n, float mean, float inverse);

/* math_random.c */
void B(dropout_row)(float *out, const float *x, size_t n, const elman_dropout_mask *dropout,
                    uint32_t time, uint32_t sequence, bool add);
void B(fill_uniform)(float *out, size_t n, uint64_t first, const elman_fill *from, float low,
                     float high);
void B(fill_normal)(float *out, size_t n, uint64_t first, const elman_fill *from, float mean,
                    float deviation);

/* math_optimise.c */
void B(sgd)(float *parameter, float *gradient, float *buffer, size_t n, const elman_sgd *options);
void B(adam)(float *parameter, float *gradient, float *m, float *v, size_t n,
             const elman_adam *options);

/* A load or store of a whole vector, or of the last k lanes' worth of a slice: whole is constant
 * wherever this is inlined. */
ELMAN_INLINE vf vf_get(const float *p, size_t k, bool whole)
{
    return whole ? vf_load(p) : vf_load_n(p, k);
}

ELMAN_INLINE void vf_put(float *p, vf x, size_t k, bool whole)
{
    if (whole) {
        vf_store(p, x);
    } else {
        vf_store_n(p, x, k);
    }
}

/* "stores" of math_kernels.h */
ELMAN_INLINE void vf_deliver(float *p, vf x, size_t k, bool whole, bool add)
{
    x = vf_flush(x);
    if (add) {
        x = vf_flush(vf_add(vf_get(p, k, whole), x));
    }
    vf_put(p, x, k, whole);
}

/* STEP(i, k, whole) for each vector of n elements: elements i .. i+k. */
#define ELMAN_EACH_VECTOR(n, STEP)                                                                 \
    do {                                                                                           \
        size_t each_ = 0;                                                                          \
        for (; each_ + VW <= (n); each_ += VW) {                                                   \
            STEP(each_, (size_t)VW, true);                                                         \
        }                                                                                          \
        if (each_ < (n)) {                                                                         \
            STEP(each_, (n)-each_, false);                                                         \
        }                                                                                          \
    } while (0)

#endif
