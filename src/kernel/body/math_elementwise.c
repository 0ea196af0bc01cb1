/* Element by element: sums, products and the backward forms of the functions. */
#include "kernel/body/math_bodies.h"

void B(add)(float *out, const float *a, const float *b, size_t n)
{
#define STEP(i, k, whole)                                                                          \
    vf_deliver(out + (i), vf_add(vf_get(a + (i), k, whole), vf_get(b + (i), k, whole)), k, whole,  \
               false)
    ELMAN_EACH_VECTOR(n, STEP);
#undef STEP
}

void B(subtract)(float *out, const float *a, const float *b, size_t n)
{
#define STEP(i, k, whole)                                                                          \
    vf_deliver(out + (i), vf_sub(vf_get(a + (i), k, whole), vf_get(b + (i), k, whole)), k, whole,  \
               false)
    ELMAN_EACH_VECTOR(n, STEP);
#undef STEP
}

void B(accumulate)(float *y, const float *x, size_t n)
{
    B(add)(y, y, x, n);
}

void B(accumulate_chain)(float *y, const float *x, size_t n)
{
#define STEP(i, k, whole)                                                                          \
    vf_put(y + (i), vf_add(vf_get(y + (i), k, whole), vf_get(x + (i), k, whole)), k, whole)
    ELMAN_EACH_VECTOR(n, STEP);
#undef STEP
}

void B(clamp)(float *x, float low, float high, size_t n)
{
    const vf a = vf_set1(low), b = vf_set1(high);
#define STEP(i, k, whole)                                                                          \
    vf_deliver(x + (i), vf_min(b, vf_max(a, vf_get(x + (i), k, whole))), k, whole, false)
    ELMAN_EACH_VECTOR(n, STEP);
#undef STEP
}

void B(fill)(float *out, float value, size_t n)
{
    const vf v = vf_set1(value);
#define STEP(i, k, whole) vf_put(out + (i), v, k, whole)
    ELMAN_EACH_VECTOR(n, STEP);
#undef STEP
}

ELMAN_INLINE void scale(float *out, const float *x, float factor, size_t n, bool add)
{
    const vf f = vf_set1(factor);
#define STEP(i, k, whole) vf_deliver(out + (i), vf_mul(vf_get(x + (i), k, whole), f), k, whole, add)
    ELMAN_EACH_VECTOR(n, STEP);
#undef STEP
}

void B(scale)(float *out, const float *x, float factor, size_t n, bool add)
{
    if (add) {
        scale(out, x, factor, n, true);
    } else {
        scale(out, x, factor, n, false);
    }
}

ELMAN_INLINE vf tanh_slope(vf dy, vf y)
{
    return vf_mul(dy, vf_fnma(y, y, vf_set1(1.0F)));
}

ELMAN_INLINE vf sigmoid_slope(vf dy, vf y)
{
    return vf_mul(dy, vf_mul(y, vf_sub(vf_set1(1.0F), y)));
}

ELMAN_INLINE vf relu_slope(vf dy, vf y)
{
    return vf_select(vf_gt(y, vf_zero()), dy, vf_zero());
}

/* out = combine(a, b), or added to it. */
#define ELMAN_COMBINE(name, combine)                                                               \
    ELMAN_INLINE void combine##_slice(float *out, const float *a, const float *b, size_t n,        \
                                      bool add)                                                    \
    {                                                                                              \
        size_t i = 0;                                                                              \
        for (; i + VW <= n; i += VW) {                                                             \
            vf_deliver(out + i, combine(vf_load(a + i), vf_load(b + i)), VW, true, add);           \
        }                                                                                          \
        if (i < n) {                                                                               \
            size_t k = n - i;                                                                      \
            vf_deliver(out + i, combine(vf_load_n(a + i, k), vf_load_n(b + i, k)), k, false, add); \
        }                                                                                          \
    }                                                                                              \
    void B(name)(float *out, const float *a, const float *b, size_t n, bool add)                   \
    {                                                                                              \
        if (add) {                                                                                 \
            combine##_slice(out, a, b, n, true);                                                   \
        } else {                                                                                   \
            combine##_slice(out, a, b, n, false);                                                  \
        }                                                                                          \
    }

ELMAN_COMBINE(multiply, vf_mul)
ELMAN_COMBINE(tanh_backward, tanh_slope)
ELMAN_COMBINE(sigmoid_backward, sigmoid_slope)
ELMAN_COMBINE(relu_backward, relu_slope)
