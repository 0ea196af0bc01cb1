/* Philox 4x32-10 (Salmon et al. 2011), a block a lane; the same words as base/philox.h. */
#ifndef ELMAN_KERNEL_BODY_PHILOX_H
#define ELMAN_KERNEL_BODY_PHILOX_H

#include "kernel/simd/simd.h"

/* w: the counter words of VW blocks in, their random words out. */
ELMAN_INLINE void vi_philox(uint64_t seed, vi w[4])
{
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    ELMAN_UNROLL
    for (int round = 0; round < 10; round++) {
        vi high0, low0, high1, low1;
        vi_mul_wide(vi_set1(0xd2511f53U), w[0], &high0, &low0);
        vi_mul_wide(vi_set1(0xcd9e8d57U), w[2], &high1, &low1);
        w[0] = vi_xor(vi_xor(high1, w[1]), vi_set1(k0));
        w[1] = low1;
        w[2] = vi_xor(vi_xor(high0, w[3]), vi_set1(k1));
        w[3] = low0;
        k0 += 0x9e3779b9U;
        k1 += 0xbb67ae85U;
    }
}

/* Blocks first .. first+VW, whose words 1 to 3 are the same. */
ELMAN_INLINE void vi_philox_blocks(uint64_t seed, uint32_t first, uint32_t c1, uint32_t c2,
                                   uint32_t c3, vi w[4])
{
    w[0] = vi_add(vi_set1(first), vi_iota());
    w[1] = vi_set1(c1);
    w[2] = vi_set1(c2);
    w[3] = vi_set1(c3);
    vi_philox(seed, w);
}

/* elman_uniform */
ELMAN_INLINE vf vf_uniform(vi word)
{
    return vf_mul(vf_from_vi(vi_shr(word, 8)), vf_set1(0x1p-24F));
}

#endif
