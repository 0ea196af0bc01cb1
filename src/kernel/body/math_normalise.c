/* Layer normalisation of one row (Ba et al. 2016, equation 4), biased variance:
 *
 *   xhat = (x - mean) * inverse,  inverse = 1 / sqrt(variance + epsilon)
 *   out  = xhat * gain + bias
 *
 * and its backward: with dxhat = dy * gain,
 *
 *   dx = inverse * (dxhat - mean(dxhat) - xhat * mean(dxhat * xhat)) */
#include "kernel/body/math_bodies.h"
#include "kernel/body/reduce.h"

ELMAN_INLINE vf normalised(const float *x, vf mean, vf inverse, size_t k, bool whole)
{
    return vf_mul(vf_sub(vf_get(x, k, whole), mean), inverse);
}

ELMAN_INLINE void forward_step(float *out, const float *x, const float *gain, const float *bias,
                               vf mean, vf inverse, size_t i, size_t k, bool whole)
{
    vf y = normalised(x + i, mean, inverse, k, whole);
    if (gain && bias) {
        y = vf_fma(y, vf_get(gain + i, k, whole), vf_get(bias + i, k, whole));
    } else if (gain) {
        y = vf_mul(y, vf_get(gain + i, k, whole));
    } else if (bias) {
        y = vf_add(y, vf_get(bias + i, k, whole));
    }
    vf_deliver(out + i, y, k, whole, false);
}

void B(layer_norm_row)(float *out, const float *x, const float *gain, const float *bias, size_t n,
                       float epsilon, float *mean, float *inverse)
{
    const float count = (float)n;
    const float center = elman_row_sum(x, n) / count;
    const float variance = elman_row_squares(x, center, n) / count;
    const float slope = 1.0F / sqrtf(variance + epsilon);
    const vf c = vf_set1(center), s = vf_set1(slope);
#define STEP(i, k, whole) forward_step(out, x, gain, bias, c, s, i, k, whole)
    ELMAN_EACH_VECTOR(n, STEP);
#undef STEP
    *mean = center;
    *inverse = slope;
}

ELMAN_INLINE vf scaled_gradient(const float *dy, const float *gain, size_t i, size_t k, bool whole)
{
    vf g = vf_get(dy + i, k, whole);
    return gain ? vf_mul(g, vf_get(gain + i, k, whole)) : g;
}

/* sum dxhat, sum dxhat * xhat (fused) */
static void backward_sums(const float *dy, const float *x, const float *gain, size_t n, vf mean,
                          vf inverse, float sums[2])
{
    double plain = 0.0, product = 0.0;
    for (size_t begin = 0; begin < n; begin += ELMAN_REDUCE_BLOCK) {
        size_t end = elman_block_end(begin, n), i = begin;
        v16 a = v16_zero(), b = v16_zero();
        for (; i + 16 <= end; i += 16) {
            ELMAN_UNROLL
            for (size_t j = 0; j < NV16; j++) {
                vf g = scaled_gradient(dy, gain, i + j * VW, VW, true);
                a.v[j] = vf_add(a.v[j], g);
                b.v[j] = vf_fma(g, normalised(x + i + j * VW, mean, inverse, VW, true), b.v[j]);
            }
        }
        for (size_t j = 0; i < end; j++) { /* what is left falls into the first lanes */
            size_t k = end - i < VW ? end - i : VW;
            vf g = scaled_gradient(dy, gain, i, k, false);
            vf xhat = vf_select(vm_first(k), normalised(x + i, mean, inverse, k, false), vf_zero());
            a.v[j] = vf_add(a.v[j], g);
            b.v[j] = vf_fma(g, xhat, b.v[j]);
            i += k;
        }
        plain += (double)v16_sum(a);
        product += (double)v16_sum(b);
    }
    sums[0] = (float)plain;
    sums[1] = (float)product;
}

void B(layer_norm_row_backward)(float *dx, const float *dy, const float *x, const float *gain,
                                size_t n, float mean, float inverse, bool add)
{
    const vf c = vf_set1(mean), s = vf_set1(inverse);
    float sums[2];
    backward_sums(dy, x, gain, n, c, s, sums);
    const vf m1 = vf_set1(sums[0] / (float)n), m2 = vf_set1(sums[1] / (float)n);
#define STEP(i, k, whole)                                                                          \
    vf_deliver(dx + (i),                                                                           \
               vf_mul(s, vf_fnma(normalised(x + (i), c, s, k, whole), m2,                          \
                                 vf_sub(scaled_gradient(dy, gain, i, k, whole), m1))),             \
               k, whole, add)
    ELMAN_EACH_VECTOR(n, STEP);
#undef STEP
}

ELMAN_INLINE void gradient_step(float *dgain, float *dbias, const float *dy, const float *x,
                                vf mean, vf inverse, size_t i, size_t k, bool whole)
{
    vf g = vf_get(dy + i, k, whole);
    if (dgain) {
        vf xhat = normalised(x + i, mean, inverse, k, whole);
        vf_put(dgain + i, vf_fma(g, xhat, vf_get(dgain + i, k, whole)), k, whole);
    }
    if (dbias) {
        vf_put(dbias + i, vf_add(vf_get(dbias + i, k, whole), g), k, whole);
    }
}

void B(layer_norm_row_gradients)(float *dgain, float *dbias, const float *dy, const float *x,
                                 size_t n, float mean, float inverse)
{
    const vf c = vf_set1(mean), s = vf_set1(inverse);
#define STEP(i, k, whole) gradient_step(dgain, dbias, dy, x, c, s, i, k, whole)
    ELMAN_EACH_VECTOR(n, STEP);
#undef STEP
}
