/* Reductions over one row: 16 lanes in blocks of ELMAN_REDUCE_BLOCK, one tree a block, blocks
 * added in index order in double and rounded once. */
#ifndef ELMAN_KERNEL_BODY_REDUCE_H
#define ELMAN_KERNEL_BODY_REDUCE_H

#include "kernel/body/functions.h"
#include "kernel/math_kernels.h"
#include "kernel/simd/simd.h"

/* The end of the block that begins at i. */
ELMAN_INLINE size_t elman_block_end(size_t i, size_t n)
{
    return n - i < ELMAN_REDUCE_BLOCK ? n : i + ELMAN_REDUCE_BLOCK;
}

ELMAN_INLINE float elman_block_sum(const float *x, size_t n)
{
    v16 sum = v16_zero();
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        sum = v16_add(sum, v16_load(x + i));
    }
    if (i < n) {
        sum = v16_add(sum, v16_load_n(x + i, n - i));
    }
    return v16_sum(sum);
}

ELMAN_INLINE float elman_row_sum(const float *x, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i += ELMAN_REDUCE_BLOCK) {
        sum += (double)elman_block_sum(x + i, elman_block_end(i, n) - i);
    }
    return (float)sum;
}

/* sum (x - center)^2, fused */
ELMAN_INLINE float elman_row_squares(const float *x, float center, size_t n)
{
    double sum = 0.0;
    const v16 c = v16_set1(center), zero = v16_zero();
    for (size_t begin = 0; begin < n; begin += ELMAN_REDUCE_BLOCK) {
        size_t end = elman_block_end(begin, n), i = begin;
        v16 squares = zero;
        for (; i + 16 <= end; i += 16) {
            v16 d = v16_sub(v16_load(x + i), c);
            squares = v16_fma(d, d, squares);
        }
        if (i < end) {
            v16 d = v16_first(v16_sub(v16_load_n(x + i, end - i), c), zero, end - i);
            squares = v16_fma(d, d, squares);
        }
        sum += (double)v16_sum(squares);
    }
    return (float)sum;
}

/* -inf when n is 0; NaN is passed over. */
ELMAN_INLINE float elman_row_max(const float *x, size_t n)
{
    const v16 least = v16_set1(-INFINITY);
    v16 most = least;
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        most = v16_max(v16_load(x + i), most);
    }
    if (i < n) {
        most = v16_max(v16_first(v16_load_n(x + i, n - i), least, n - i), most);
    }
    return v16_tree_max(most);
}

ELMAN_INLINE float elman_log_of(float x)
{
    float lane[VW];
    vf_store(lane, vf_log(vf_set1(x)));
    return lane[0];
}

#endif
