/* Eight floats: AVX2 with FMA. */
#ifndef ELMAN_KERNEL_SIMD_AVX2_H
#define ELMAN_KERNEL_SIMD_AVX2_H

#include <immintrin.h>

#include "kernel/simd/x86.h"

#define VW 8

typedef __m256 vf;
typedef __m256i vi;
typedef __m256 vm; /* all bits of a lane, or none */
typedef struct vd {
    __m256d low, high;
} vd;
typedef uint32_t elman_u32x8 __attribute__((vector_size(32)));
typedef int32_t elman_s32x8 __attribute__((vector_size(32)));

ELMAN_INLINE vi vi_from_bits(vf x)
{
    return _mm256_castps_si256(x);
}
ELMAN_INLINE vf vf_from_bits(vi x)
{
    return _mm256_castsi256_ps(x);
}

ELMAN_INLINE vi vi_set1(uint32_t x)
{
    return _mm256_set1_epi32((int)x);
}
ELMAN_INLINE vi vi_iota(void)
{
    return _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
}

ELMAN_INLINE vm vm_first(size_t n)
{
    return vf_from_bits(_mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), vi_iota()));
}
ELMAN_INLINE vm vm_and(vm a, vm b)
{
    return _mm256_and_ps(a, b);
}
ELMAN_INLINE vm vm_or(vm a, vm b)
{
    return _mm256_or_ps(a, b);
}
ELMAN_INLINE vm vm_not(vm a)
{
    return _mm256_xor_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(-1)));
}
ELMAN_INLINE bool vm_any(vm a)
{
    return _mm256_movemask_ps(a) != 0;
}

ELMAN_INLINE vf vf_set1(float x)
{
    return _mm256_set1_ps(x);
}
ELMAN_INLINE vf vf_zero(void)
{
    return _mm256_setzero_ps();
}
ELMAN_INLINE vf vf_load(const float *p)
{
    return _mm256_loadu_ps(p);
}
ELMAN_INLINE void vf_store(float *p, vf x)
{
    _mm256_storeu_ps(p, x);
}
ELMAN_INLINE vf vf_load_n(const float *p, size_t n)
{
    return _mm256_maskload_ps(p, vi_from_bits(vm_first(n)));
}
ELMAN_INLINE void vf_store_n(float *p, vf x, size_t n)
{
    _mm256_maskstore_ps(p, vi_from_bits(vm_first(n)), x);
}
ELMAN_INLINE vi vi_load(const uint32_t *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}
ELMAN_INLINE void vi_store(uint32_t *p, vi x)
{
    _mm256_storeu_si256((__m256i *)p, x);
}

ELMAN_INLINE vf vf_add(vf a, vf b)
{
    return _mm256_add_ps(a, b);
}
ELMAN_INLINE vf vf_sub(vf a, vf b)
{
    return _mm256_sub_ps(a, b);
}
ELMAN_INLINE vf vf_mul(vf a, vf b)
{
    return _mm256_mul_ps(a, b);
}
ELMAN_INLINE vf vf_div(vf a, vf b)
{
    return _mm256_div_ps(a, b);
}
ELMAN_INLINE vf vf_sqrt(vf a)
{
    return _mm256_sqrt_ps(a);
}
ELMAN_INLINE vf vf_fma(vf a, vf b, vf c)
{
    return _mm256_fmadd_ps(a, b, c);
}
ELMAN_INLINE vf vf_fnma(vf a, vf b, vf c)
{
    return _mm256_fnmadd_ps(a, b, c);
}
ELMAN_INLINE vf vf_neg(vf a)
{
    return _mm256_xor_ps(a, _mm256_set1_ps(-0.0F));
}
ELMAN_INLINE vf vf_abs(vf a)
{
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), a);
}
ELMAN_INLINE vf vf_copysign(vf a, vf sign)
{
    return _mm256_or_ps(vf_abs(a), _mm256_and_ps(_mm256_set1_ps(-0.0F), sign));
}

ELMAN_INLINE vm vf_lt(vf a, vf b)
{
    return _mm256_cmp_ps(a, b, _CMP_LT_OQ);
}
ELMAN_INLINE vm vf_le(vf a, vf b)
{
    return _mm256_cmp_ps(a, b, _CMP_LE_OQ);
}
ELMAN_INLINE vm vf_gt(vf a, vf b)
{
    return _mm256_cmp_ps(a, b, _CMP_GT_OQ);
}
ELMAN_INLINE vm vf_ge(vf a, vf b)
{
    return _mm256_cmp_ps(a, b, _CMP_GE_OQ);
}
ELMAN_INLINE vm vf_eq(vf a, vf b)
{
    return _mm256_cmp_ps(a, b, _CMP_EQ_OQ);
}
ELMAN_INLINE vm vf_isnan(vf a)
{
    return _mm256_cmp_ps(a, a, _CMP_UNORD_Q);
}
ELMAN_INLINE vf vf_select(vm m, vf a, vf b)
{
    return _mm256_blendv_ps(b, a, m);
}
ELMAN_INLINE vf vf_max(vf a, vf b)
{
    return _mm256_max_ps(a, b);
}
ELMAN_INLINE vf vf_min(vf a, vf b)
{
    return _mm256_min_ps(a, b);
}
ELMAN_INLINE vf vf_keep_normal(vf x)
{
    vi exponent = _mm256_and_si256(vi_from_bits(x), _mm256_set1_epi32(0x7f800000));
    vi tiny = _mm256_cmpeq_epi32(exponent, _mm256_setzero_si256());
    return vf_from_bits(_mm256_andnot_si256(tiny, vi_from_bits(x)));
}

ELMAN_INLINE vf vf_round(vf x)
{
    return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
ELMAN_INLINE vi vi_from_vf(vf x)
{
    return _mm256_cvtps_epi32(x);
}
ELMAN_INLINE vf vf_from_vi(vi x)
{
    return _mm256_cvtepi32_ps(x);
}

ELMAN_INLINE vi vi_add(vi a, vi b)
{
    return _mm256_add_epi32(a, b);
}
ELMAN_INLINE vi vi_sub(vi a, vi b)
{
    return _mm256_sub_epi32(a, b);
}
ELMAN_INLINE vi vi_xor(vi a, vi b)
{
    return _mm256_xor_si256(a, b);
}
ELMAN_INLINE vi vi_and(vi a, vi b)
{
    return _mm256_and_si256(a, b);
}
ELMAN_INLINE vi vi_or(vi a, vi b)
{
    return _mm256_or_si256(a, b);
}
ELMAN_INLINE vi vi_shl(vi a, unsigned n)
{
    return (vi)((elman_u32x8)a << n);
}
ELMAN_INLINE vi vi_shr(vi a, unsigned n)
{
    return (vi)((elman_u32x8)a >> n);
}
ELMAN_INLINE vi vi_sra(vi a, unsigned n)
{
    return (vi)((elman_s32x8)a >> (int)n);
}
ELMAN_INLINE vm vi_eq(vi a, vi b)
{
    return vf_from_bits(_mm256_cmpeq_epi32(a, b));
}
ELMAN_INLINE vm vi_gt(vi a, vi b)
{
    return vf_from_bits(_mm256_cmpgt_epi32(a, b));
}
ELMAN_INLINE void vi_mul_wide(vi a, vi b, vi *high, vi *low)
{
    vi even = _mm256_mul_epu32(a, b);
    vi odd = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32));
    *high = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
    *low = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
}
/* Lane i of w[0..3] becomes elements 4i..4i+3 of the four vectors in a row. */
ELMAN_INLINE void vi_interleave4(vi w[4])
{
    vi ab_low = _mm256_unpacklo_epi32(w[0], w[1]), ab_high = _mm256_unpackhi_epi32(w[0], w[1]);
    vi cd_low = _mm256_unpacklo_epi32(w[2], w[3]), cd_high = _mm256_unpackhi_epi32(w[2], w[3]);
    vi r0 = _mm256_unpacklo_epi64(ab_low, cd_low), r1 = _mm256_unpackhi_epi64(ab_low, cd_low);
    vi r2 = _mm256_unpacklo_epi64(ab_high, cd_high), r3 = _mm256_unpackhi_epi64(ab_high, cd_high);
    w[0] = _mm256_permute2x128_si256(r0, r1, 0x20);
    w[1] = _mm256_permute2x128_si256(r2, r3, 0x20);
    w[2] = _mm256_permute2x128_si256(r0, r1, 0x31);
    w[3] = _mm256_permute2x128_si256(r2, r3, 0x31);
}

ELMAN_INLINE vd vd_zero(void)
{
    return (vd){_mm256_setzero_pd(), _mm256_setzero_pd()};
}
ELMAN_INLINE vd vd_from_vf(vf x)
{
    return (vd){_mm256_cvtps_pd(_mm256_castps256_ps128(x)),
                _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1))};
}
ELMAN_INLINE vd vd_add(vd a, vd b)
{
    return (vd){_mm256_add_pd(a.low, b.low), _mm256_add_pd(a.high, b.high)};
}
ELMAN_INLINE vd vd_mul(vd a, vd b)
{
    return (vd){_mm256_mul_pd(a.low, b.low), _mm256_mul_pd(a.high, b.high)};
}
ELMAN_INLINE void vd_store(double *p, vd x)
{
    _mm256_storeu_pd(p, x.low);
    _mm256_storeu_pd(p + 4, x.high);
}

ELMAN_INLINE float vf_tree_sum(vf a)
{
    return elman_tree_sum8(a);
}
ELMAN_INLINE float vf_tree_max(vf a)
{
    return elman_tree_max8(a);
}

#endif
