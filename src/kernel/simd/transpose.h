/* A square of VW x VW floats, transposed in registers. */
#ifndef ELMAN_KERNEL_SIMD_TRANSPOSE_H
#define ELMAN_KERNEL_SIMD_TRANSPOSE_H

#include "kernel/simd/simd.h"
#include "kernel/simd/unroll.h"

#if defined(ELMAN_KERNEL_AVX512)

static inline __attribute__((always_inline)) void vf_transpose(vf x[16])
{
    __m512 t[16];
    ELMAN_UNROLL for (int i = 0; i < 16; i += 2)
    {
        t[i] = _mm512_unpacklo_ps(x[i], x[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(x[i], x[i + 1]);
    }
    /* Rows i..i+3 within each 128-bit lane. */
    ELMAN_UNROLL for (int i = 0; i < 16; i += 4)
    {
        x[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
        x[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
        x[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        x[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
    /* Lanes of rows 0-3 with 4-7, 8-11 with 12-15, then the halves. */
    ELMAN_UNROLL for (int i = 0; i < 4; i++)
    {
        t[i] = _mm512_shuffle_f32x4(x[i], x[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_f32x4(x[i], x[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_f32x4(x[i + 8], x[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_f32x4(x[i + 8], x[i + 12], 0xdd);
    }
    ELMAN_UNROLL for (int i = 0; i < 4; i++)
    {
        x[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
        x[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd);
        x[i + 4] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0x88);
        x[i + 12] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0xdd);
    }
}

#elif defined(ELMAN_KERNEL_AVX2)

static inline __attribute__((always_inline)) void vf_transpose(vf x[8])
{
    __m256 t[8];
    ELMAN_UNROLL for (int i = 0; i < 8; i += 2)
    {
        t[i] = _mm256_unpacklo_ps(x[i], x[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(x[i], x[i + 1]);
    }
    ELMAN_UNROLL for (int i = 0; i < 8; i += 4)
    {
        x[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
        x[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
        x[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        x[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
    ELMAN_UNROLL for (int i = 0; i < 4; i++)
    {
        t[i] = _mm256_permute2f128_ps(x[i], x[i + 4], 0x20);
        t[i + 4] = _mm256_permute2f128_ps(x[i], x[i + 4], 0x31);
    }
    ELMAN_UNROLL for (int i = 0; i < 8; i++) x[i] = t[i];
}

#elif defined(ELMAN_KERNEL_NEON)

static inline __attribute__((always_inline)) void vf_transpose(vf x[4])
{
    float32x4x2_t a = vtrnq_f32(x[0], x[1]), b = vtrnq_f32(x[2], x[3]);
    x[0] = vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0]));
    x[1] = vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1]));
    x[2] = vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0]));
    x[3] = vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1]));
}

#else

static inline void vf_transpose(vf x[1])
{
    (void)x;
}

#endif

#endif
