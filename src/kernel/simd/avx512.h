/* Sixteen floats: AVX-512 F, DQ, BW, VL. */
#ifndef ELMAN_KERNEL_SIMD_AVX512_H
#define ELMAN_KERNEL_SIMD_AVX512_H

#include <immintrin.h>

#include "kernel/simd/x86.h"

#define VW 16

typedef __m512 vf;
typedef __m512i vi;
typedef __mmask16 vm;
typedef struct vd {
    __m512d low, high;
} vd;
typedef uint32_t elman_u32x16 __attribute__((vector_size(64)));
typedef int32_t elman_s32x16 __attribute__((vector_size(64)));

ELMAN_INLINE vi vi_from_bits(vf x)
{
    return _mm512_castps_si512(x);
}
ELMAN_INLINE vf vf_from_bits(vi x)
{
    return _mm512_castsi512_ps(x);
}

ELMAN_INLINE vm vm_first(size_t n)
{
    return (vm)((1U << n) - 1U);
}
ELMAN_INLINE vm vm_and(vm a, vm b)
{
    return (vm)(a & b);
}
ELMAN_INLINE vm vm_or(vm a, vm b)
{
    return (vm)(a | b);
}
ELMAN_INLINE vm vm_not(vm a)
{
    return (vm)~a;
}
ELMAN_INLINE bool vm_any(vm a)
{
    return a != 0;
}

ELMAN_INLINE vf vf_set1(float x)
{
    return _mm512_set1_ps(x);
}
ELMAN_INLINE vf vf_zero(void)
{
    return _mm512_setzero_ps();
}
ELMAN_INLINE vf vf_load(const float *p)
{
    return _mm512_loadu_ps(p);
}
ELMAN_INLINE void vf_store(float *p, vf x)
{
    _mm512_storeu_ps(p, x);
}
ELMAN_INLINE vf vf_load_n(const float *p, size_t n)
{
    return _mm512_maskz_loadu_ps(vm_first(n), p);
}
ELMAN_INLINE void vf_store_n(float *p, vf x, size_t n)
{
    _mm512_mask_storeu_ps(p, vm_first(n), x);
}
ELMAN_INLINE vi vi_load(const uint32_t *p)
{
    return _mm512_loadu_si512(p);
}
ELMAN_INLINE void vi_store(uint32_t *p, vi x)
{
    _mm512_storeu_si512(p, x);
}

ELMAN_INLINE vf vf_add(vf a, vf b)
{
    return _mm512_add_ps(a, b);
}
ELMAN_INLINE vf vf_sub(vf a, vf b)
{
    return _mm512_sub_ps(a, b);
}
ELMAN_INLINE vf vf_mul(vf a, vf b)
{
    return _mm512_mul_ps(a, b);
}
ELMAN_INLINE vf vf_div(vf a, vf b)
{
    return _mm512_div_ps(a, b);
}
ELMAN_INLINE vf vf_sqrt(vf a)
{
    return _mm512_sqrt_ps(a);
}
ELMAN_INLINE vf vf_fma(vf a, vf b, vf c)
{
    return _mm512_fmadd_ps(a, b, c);
}
ELMAN_INLINE vf vf_fnma(vf a, vf b, vf c)
{
    return _mm512_fnmadd_ps(a, b, c);
}
ELMAN_INLINE vf vf_neg(vf a)
{
    return _mm512_xor_ps(a, _mm512_set1_ps(-0.0F));
}
ELMAN_INLINE vf vf_abs(vf a)
{
    return _mm512_andnot_ps(_mm512_set1_ps(-0.0F), a);
}
ELMAN_INLINE vf vf_copysign(vf a, vf sign)
{
    /* sign bit from the second, the rest from the first */
    return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_set1_epi32((int)0x80000000U),
                                                         _mm512_castps_si512(sign),
                                                         _mm512_castps_si512(a), 0xca));
}

ELMAN_INLINE vm vf_lt(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
}
ELMAN_INLINE vm vf_le(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ);
}
ELMAN_INLINE vm vf_gt(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ);
}
ELMAN_INLINE vm vf_ge(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ);
}
ELMAN_INLINE vm vf_eq(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ);
}
ELMAN_INLINE vm vf_isnan(vf a)
{
    return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q);
}
ELMAN_INLINE vf vf_select(vm m, vf a, vf b)
{
    return _mm512_mask_blend_ps(m, b, a);
}
ELMAN_INLINE vf vf_max(vf a, vf b)
{
    return _mm512_max_ps(a, b);
}
ELMAN_INLINE vf vf_min(vf a, vf b)
{
    return _mm512_min_ps(a, b);
}
ELMAN_INLINE vf vf_keep_normal(vf x)
{
    vm normal = _mm512_test_epi32_mask(vi_from_bits(x), _mm512_set1_epi32(0x7f800000));
    return _mm512_maskz_mov_ps(normal, x);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion" /* within the macro, unoptimised */
ELMAN_INLINE vf vf_round(vf x)
{
    return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
#pragma GCC diagnostic pop
ELMAN_INLINE vi vi_from_vf(vf x)
{
    return _mm512_cvtps_epi32(x);
}
ELMAN_INLINE vf vf_from_vi(vi x)
{
    return _mm512_cvtepi32_ps(x);
}

ELMAN_INLINE vi vi_set1(uint32_t x)
{
    return _mm512_set1_epi32((int)x);
}
ELMAN_INLINE vi vi_iota(void)
{
    return _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
}
ELMAN_INLINE vi vi_add(vi a, vi b)
{
    return _mm512_add_epi32(a, b);
}
ELMAN_INLINE vi vi_sub(vi a, vi b)
{
    return _mm512_sub_epi32(a, b);
}
ELMAN_INLINE vi vi_xor(vi a, vi b)
{
    return _mm512_xor_si512(a, b);
}
ELMAN_INLINE vi vi_and(vi a, vi b)
{
    return _mm512_and_si512(a, b);
}
ELMAN_INLINE vi vi_or(vi a, vi b)
{
    return _mm512_or_si512(a, b);
}
ELMAN_INLINE vi vi_shl(vi a, unsigned n)
{
    return (vi)((elman_u32x16)a << n);
}
ELMAN_INLINE vi vi_shr(vi a, unsigned n)
{
    return (vi)((elman_u32x16)a >> n);
}
ELMAN_INLINE vi vi_sra(vi a, unsigned n)
{
    return (vi)((elman_s32x16)a >> (int)n);
}
ELMAN_INLINE vm vi_eq(vi a, vi b)
{
    return _mm512_cmpeq_epi32_mask(a, b);
}
ELMAN_INLINE vm vi_gt(vi a, vi b)
{
    return _mm512_cmpgt_epi32_mask(a, b);
}
ELMAN_INLINE void vi_mul_wide(vi a, vi b, vi *high, vi *low)
{
    vi even = _mm512_mul_epu32(a, b);
    vi odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(b, 32));
    *high = _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd);
    *low = _mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32));
}
/* Lane i of w[0..3] becomes elements 4i..4i+3 of the four vectors in a row. */
ELMAN_INLINE void vi_interleave4(vi w[4])
{
    vi ab_low = _mm512_unpacklo_epi32(w[0], w[1]), ab_high = _mm512_unpackhi_epi32(w[0], w[1]);
    vi cd_low = _mm512_unpacklo_epi32(w[2], w[3]), cd_high = _mm512_unpackhi_epi32(w[2], w[3]);
    /* r_j: in each quarter q the four words of lane 4q+j */
    vi r0 = _mm512_unpacklo_epi64(ab_low, cd_low), r1 = _mm512_unpackhi_epi64(ab_low, cd_low);
    vi r2 = _mm512_unpacklo_epi64(ab_high, cd_high), r3 = _mm512_unpackhi_epi64(ab_high, cd_high);
    vi p0 = _mm512_shuffle_i32x4(r0, r1, 0x44), p1 = _mm512_shuffle_i32x4(r2, r3, 0x44);
    vi p2 = _mm512_shuffle_i32x4(r0, r1, 0xee), p3 = _mm512_shuffle_i32x4(r2, r3, 0xee);
    w[0] = _mm512_shuffle_i32x4(p0, p1, 0x88);
    w[1] = _mm512_shuffle_i32x4(p0, p1, 0xdd);
    w[2] = _mm512_shuffle_i32x4(p2, p3, 0x88);
    w[3] = _mm512_shuffle_i32x4(p2, p3, 0xdd);
}

ELMAN_INLINE vd vd_zero(void)
{
    return (vd){_mm512_setzero_pd(), _mm512_setzero_pd()};
}
ELMAN_INLINE vd vd_from_vf(vf x)
{
    return (vd){_mm512_cvtps_pd(_mm512_castps512_ps256(x)),
                _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1))};
}
ELMAN_INLINE vd vd_add(vd a, vd b)
{
    return (vd){_mm512_add_pd(a.low, b.low), _mm512_add_pd(a.high, b.high)};
}
ELMAN_INLINE vd vd_mul(vd a, vd b)
{
    return (vd){_mm512_mul_pd(a.low, b.low), _mm512_mul_pd(a.high, b.high)};
}
ELMAN_INLINE void vd_store(double *p, vd x)
{
    _mm512_storeu_pd(p, x.low);
    _mm512_storeu_pd(p + 8, x.high);
}

ELMAN_INLINE float vf_tree_sum(vf a)
{
    return elman_tree_sum8(_mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1)));
}
ELMAN_INLINE float vf_tree_max(vf a)
{
    return elman_tree_max8(_mm256_max_ps(_mm512_extractf32x8_ps(a, 1), _mm512_castps512_ps256(a)));
}

#endif
