/* Softmax and cross-entropy over one row:  m = max x;  e_i = exp(x_i - m);  s = sum e. */
#include "kernel/body/math_bodies.h"
#include "kernel/body/reduce.h"

ELMAN_INLINE v16 v16_exp_less(v16 x, v16 m)
{
    ELMAN_UNROLL
    for (int i = 0; i < NV16; i++) {
        x.v[i] = vf_exp(vf_sub(x.v[i], m.v[i]));
    }
    return x;
}

/* s; e is stored where out is not NULL. */
ELMAN_INLINE float exp_sum(float *out, const float *x, float most, size_t n)
{
    double total = 0.0;
    const v16 m = v16_set1(most), zero = v16_zero();
    for (size_t begin = 0; begin < n; begin += ELMAN_REDUCE_BLOCK) {
        size_t end = elman_block_end(begin, n), i = begin;
        v16 sum = zero;
        for (; i + 16 <= end; i += 16) {
            v16 e = v16_exp_less(v16_load(x + i), m);
            sum = v16_add(sum, e);
            if (out) {
                v16_store(out + i, e);
            }
        }
        if (i < end) {
            v16 e = v16_first(v16_exp_less(v16_load_n(x + i, end - i), m), zero, end - i);
            sum = v16_add(sum, e);
            if (out) {
                v16_store_n(out + i, e, end - i);
            }
        }
        total += (double)v16_sum(sum);
    }
    return (float)total;
}

void B(softmax_row)(float *out, const float *logits, size_t n)
{
    float s = exp_sum(out, logits, elman_row_max(logits, n), n);
    B(scale)(out, out, 1.0F / s, n, false);
}

double B(log_sum_exp)(const float *logits, size_t n)
{
    float m = elman_row_max(logits, n);
    return (double)m + (double)elman_log_of(exp_sum(NULL, logits, m, n));
}

double B(cross_entropy_loss)(const float *logits, size_t n, size_t target)
{
    float m = elman_row_max(logits, n);
    return ((double)m - (double)logits[target]) + (double)elman_log_of(exp_sum(NULL, logits, m, n));
}

double B(cross_entropy_row)(float *logits, size_t n, size_t target, float scale)
{
    float m = elman_row_max(logits, n);
    double below = (double)m - (double)logits[target];
    float s = exp_sum(logits, logits, m, n);
    float factor = scale / s;
    float at_target;
    vf hit = vf_fma(vf_load_n(logits + target, 1), vf_set1(factor), vf_set1(-scale));
    vf_store_n(&at_target, vf_flush(hit), 1);
    B(scale)(logits, logits, factor, n, false);
    logits[target] = at_target;
    return below + (double)elman_log_of(s);
}

void B(log_softmax_row)(float *out, const float *logits, size_t n)
{
    float m = elman_row_max(logits, n);
    const vf most = vf_set1(m), log_s = vf_set1(elman_log_of(exp_sum(NULL, logits, m, n)));
#define STEP(i, k, whole)                                                                          \
    vf_deliver(out + (i), vf_sub(vf_sub(vf_get(logits + (i), k, whole), most), log_s), k, whole,   \
               false)
    ELMAN_EACH_VECTOR(n, STEP);
#undef STEP
}
