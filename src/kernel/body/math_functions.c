/* Arrays of exp, log, tanh, sigmoid, relu. */
#include "kernel/body/functions.h"
#include "kernel/body/math_bodies.h"

/* relu: 0 > x ? 0 : x keeps NaN. */
ELMAN_INLINE vf vf_relu(vf x)
{
    return vf_flush(vf_max(vf_zero(), x));
}

#define ELMAN_FUNCTION(name)                                                                       \
    void B(name)(float *out, const float *x, size_t n)                                             \
    {                                                                                              \
        size_t i = 0;                                                                              \
        for (; i + VW <= n; i += VW) {                                                             \
            vf_store(out + i, vf_##name(vf_load(x + i)));                                          \
        }                                                                                          \
        if (i < n) {                                                                               \
            vf_store_n(out + i, vf_##name(vf_load_n(x + i, n - i)), n - i);                        \
        }                                                                                          \
    }

ELMAN_FUNCTION(exp)
ELMAN_FUNCTION(log)
ELMAN_FUNCTION(tanh)
ELMAN_FUNCTION(sigmoid)
ELMAN_FUNCTION(relu)
