/* The lower levels of the trees, shared by AVX2 and AVX-512. */
#ifndef ELMAN_KERNEL_SIMD_X86_H
#define ELMAN_KERNEL_SIMD_X86_H

ELMAN_INLINE float elman_tree_sum8(__m256 a)
{
    __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_add_ps(b, _mm_movehl_ps(b, b));
    b = _mm_add_ss(b, _mm_movehdup_ps(b));
    return _mm_cvtss_f32(b);
}

ELMAN_INLINE float elman_tree_max8(__m256 a)
{
    __m128 b = _mm_max_ps(_mm256_extractf128_ps(a, 1), _mm256_castps256_ps128(a));
    b = _mm_max_ps(_mm_movehl_ps(b, b), b);
    b = _mm_max_ss(_mm_movehdup_ps(b), b);
    return _mm_cvtss_f32(b);
}

#endif
