/* Reductions of one block. */
#include "kernel/body/math_bodies.h"
#include "kernel/body/reduce.h"

float B(sum_block)(const float *x, size_t n)
{
    return elman_block_sum(x, n);
}

double B(sum_squares_block)(const float *x, size_t n)
{
    v16d sum = v16d_zero();
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        sum = v16d_add_square(sum, v16_load(x + i));
    }
    if (i < n) {
        sum = v16d_add_square(sum, v16_load_n(x + i, n - i));
    }
    return v16d_sum(sum);
}

float B(max_block)(const float *x, size_t n)
{
    return elman_row_max(x, n);
}

ELMAN_INLINE bool any_nonfinite(vf x)
{
    const vi exponent = vi_set1(0x7f800000U);
    return vm_any(vi_eq(vi_and(vi_from_bits(x), exponent), exponent));
}

size_t B(first_nonfinite)(const float *x, size_t n)
{
    size_t i = 0;
    while (i + VW <= n && !any_nonfinite(vf_load(x + i))) {
        i += VW;
    }
    for (; i < n; i++) {
        if (any_nonfinite(vf_load_n(x + i, 1))) {
            return i;
        }
    }
    return n;
}
