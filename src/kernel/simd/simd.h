/* Vectors of the native width, under one set of names for every instruction set.
 *
 * A kernel body is compiled once per instruction set with -DELMAN_KERNEL_ISA=avx512 and
 * -DELMAN_KERNEL_AVX512=1 (scalar, avx2, avx512, neon). Every function here gives the same bits
 * on every one of them: no approximate reciprocals, no reliance on flush modes, and a fused
 * multiply-add is always one rounding.
 *
 *   vf  VW floats      vi  VW 32-bit integers      vm  a mask of VW lanes
 *   vd  VW doubles     v16 sixteen floats = NV16 vf   v16d sixteen doubles
 *
 * Loads and stores need no alignment. The _n forms touch the first n lanes of memory only
 * (0 <= n <= VW): the other lanes are +0 when loaded and stay as they are when stored.
 *
 * NaN: compares are ordered (false on NaN). vf_max(a,b) = a > b ? a : b and vf_min(a,b) =
 * a < b ? a : b, so both answer b where either is NaN: put what must survive second. */
#ifndef ELMAN_KERNEL_SIMD_SIMD_H
#define ELMAN_KERNEL_SIMD_SIMD_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernel/simd/unroll.h"

#define ELMAN_INLINE static inline __attribute__((always_inline))

#define ELMAN_KERNEL_JOIN2(name, isa) name##_##isa
#define ELMAN_KERNEL_JOIN(name, isa)  ELMAN_KERNEL_JOIN2(name, isa)
/* name_avx512 and so on: the names of a body's external symbols. */
#define ELMAN_KERNEL(name) ELMAN_KERNEL_JOIN(name, ELMAN_KERNEL_ISA)

#if defined(ELMAN_KERNEL_AVX512)
#include "kernel/simd/avx512.h"
#elif defined(ELMAN_KERNEL_AVX2)
#include "kernel/simd/avx2.h"
#elif defined(ELMAN_KERNEL_NEON)
#include "kernel/simd/neon.h"
#else
#include "kernel/simd/scalar.h"
#endif

/* Below 2^-126 (an exponent field of zero) becomes +0; NaN stays. Integer operations, so that
 * a denormal costs nothing. */
ELMAN_INLINE vf vf_flush(vf x)
{
    return vf_keep_normal(x);
}

/* Below 2^-100 becomes +0; NaN stays. What a recurrent step stores goes through it: it is
 * multiplied by weights at the next one, and sums of such products would be denormal from 2^-126 on
 * down, which is up to a hundred times as slow. */
ELMAN_INLINE vf vf_settle(vf x)
{
    return vf_select(vf_lt(vf_abs(x), vf_set1(0x1p-100F)), vf_zero(), x);
}

/* Sixteen lanes whatever the width: what every reduction runs in. Element i of a block belongs
 * to lane i mod 16; at the end lane i takes lane i+8, then i+4, i+2, i+1. */
enum { NV16 = 16 / VW };

typedef struct v16 {
    vf v[NV16];
} v16;

typedef struct v16d {
    vd v[NV16];
} v16d;

ELMAN_INLINE v16 v16_set1(float x)
{
    v16 r;
    ELMAN_UNROLL
    for (int i = 0; i < NV16; i++) {
        r.v[i] = vf_set1(x);
    }
    return r;
}

ELMAN_INLINE v16 v16_zero(void)
{
    return v16_set1(0.0F);
}

ELMAN_INLINE v16 v16_load(const float *p)
{
    v16 r;
    ELMAN_UNROLL
    for (int i = 0; i < NV16; i++) {
        r.v[i] = vf_load(p + i * VW);
    }
    return r;
}

/* How many of n remaining elements fall into part i of a v16. */
ELMAN_INLINE size_t v16_part(size_t n, int i)
{
    size_t begin = (size_t)i * VW;
    return n <= begin ? 0 : n - begin < VW ? n - begin : VW;
}

/* 0 <= n <= 16 */
ELMAN_INLINE v16 v16_load_n(const float *p, size_t n)
{
    v16 r;
    ELMAN_UNROLL
    for (int i = 0; i < NV16; i++) {
        size_t part = v16_part(n, i);
        r.v[i] = vf_load_n(part ? p + i * VW : p, part);
    }
    return r;
}

ELMAN_INLINE void v16_store(float *p, v16 a)
{
    ELMAN_UNROLL
    for (int i = 0; i < NV16; i++) {
        vf_store(p + i * VW, a.v[i]);
    }
}

ELMAN_INLINE void v16_store_n(float *p, v16 a, size_t n)
{
    ELMAN_UNROLL
    for (int i = 0; i < NV16; i++) {
        size_t part = v16_part(n, i);
        vf_store_n(part ? p + i * VW : p, a.v[i], part);
    }
}

/* The first n lanes of a, the others of b. */
ELMAN_INLINE v16 v16_first(v16 a, v16 b, size_t n)
{
    ELMAN_UNROLL
    for (int i = 0; i < NV16; i++) {
        a.v[i] = vf_select(vm_first(v16_part(n, i)), a.v[i], b.v[i]);
    }
    return a;
}

#define ELMAN_V16_BINARY(name)                                                                     \
    ELMAN_INLINE v16 v16_##name(v16 a, v16 b)                                                      \
    {                                                                                              \
        _Pragma("GCC unroll 16") for (int i = 0; i < NV16; i++)                                    \
        {                                                                                          \
            a.v[i] = vf_##name(a.v[i], b.v[i]);                                                    \
        }                                                                                          \
        return a;                                                                                  \
    }
ELMAN_V16_BINARY(add)
ELMAN_V16_BINARY(sub)
ELMAN_V16_BINARY(mul)
ELMAN_V16_BINARY(max)
#undef ELMAN_V16_BINARY

/* a*b + c */
ELMAN_INLINE v16 v16_fma(v16 a, v16 b, v16 c)
{
    ELMAN_UNROLL
    for (int i = 0; i < NV16; i++) {
        c.v[i] = vf_fma(a.v[i], b.v[i], c.v[i]);
    }
    return c;
}

/* The fixed tree of sums. */
ELMAN_INLINE float v16_sum(v16 a)
{
    ELMAN_UNROLL
    for (int s = NV16 / 2; s > 0; s /= 2) {
        ELMAN_UNROLL
        for (int i = 0; i < s; i++) {
            a.v[i] = vf_add(a.v[i], a.v[i + s]);
        }
    }
    return vf_tree_sum(a.v[0]);
}

/* The same tree, lane i = lane i+8 > lane i ? lane i+8 : lane i. A NaN in the upper lane is
 * passed over; bodies start from -inf and compare new > old, so their lanes are never NaN. */
ELMAN_INLINE float v16_tree_max(v16 a)
{
    ELMAN_UNROLL
    for (int s = NV16 / 2; s > 0; s /= 2) {
        ELMAN_UNROLL
        for (int i = 0; i < s; i++) {
            a.v[i] = vf_max(a.v[i + s], a.v[i]);
        }
    }
    return vf_tree_max(a.v[0]);
}

ELMAN_INLINE v16d v16d_zero(void)
{
    v16d r;
    ELMAN_UNROLL
    for (int i = 0; i < NV16; i++) {
        r.v[i] = vd_zero();
    }
    return r;
}

/* acc + x*x in double; the square of a float is exact there. */
ELMAN_INLINE v16d v16d_add_square(v16d acc, v16 x)
{
    ELMAN_UNROLL
    for (int i = 0; i < NV16; i++) {
        vd d = vd_from_vf(x.v[i]);
        acc.v[i] = vd_add(acc.v[i], vd_mul(d, d));
    }
    return acc;
}

ELMAN_INLINE double v16d_sum(v16d a)
{
    double lane[16];
    ELMAN_UNROLL
    for (int i = 0; i < NV16; i++) {
        vd_store(lane + i * VW, a.v[i]);
    }
    for (int s = 8; s > 0; s /= 2) {
        for (int i = 0; i < s; i++) {
            lane[i] += lane[i + s];
        }
    }
    return lane[0];
}

#endif
