/* The tile: mr x nv vectors of chains that stay in registers while k runs. Everything here is
 * inlined with constant mr, nv and per, and unrolled, so that acc is registers. */
#ifndef ELMAN_KERNEL_BODY_TILE_H
#define ELMAN_KERNEL_BODY_TILE_H

#include "kernel/simd/simd.h"
#include "kernel/simd/unroll.h"

/* A panel's vectors, and the rows that fill the registers beside them: accumulators, one k's
 * vectors of b, one broadcast of a. */
#if defined(ELMAN_KERNEL_AVX512)
#define TILE_VECTORS   4
#define TILE_ROWS      6
#define TILE_REGISTERS 24
#elif defined(ELMAN_KERNEL_AVX2)
#define TILE_VECTORS   2
#define TILE_ROWS      6
#define TILE_REGISTERS 12
#elif defined(ELMAN_KERNEL_NEON)
#define TILE_VECTORS   4
#define TILE_ROWS      6
#define TILE_REGISTERS 24
#else
#define TILE_VECTORS   4
#define TILE_ROWS      2
#define TILE_REGISTERS 8
#endif

#define TILE_INLINE static inline __attribute__((always_inline))
#define TILE_UNROLL ELMAN_UNROLL

/* acc[r*nv + j] += a[r][i*step] * b_j[i] for i ascending over [0,k), one FMA each.
 * Vector j of b lies at b + (j/per)*distance + (j%per)*VW, and moves by `lead` floats with i:
 * per vectors to a panel, panels `distance` floats apart (unread where nv <= per). With few rows
 * take several panels, so that 8 or more vectors of chains are in flight. */
TILE_INLINE void tile_chains(int mr, int nv, int per, vf *acc, const float *const *a, size_t step,
                             const float *b, size_t distance, size_t lead, size_t k)
{
    if (nv > per) {
        /* Several panels, few rows: no vector of b waits in a register. */
        for (size_t i = 0; i < k; i++) {
            vf av[TILE_REGISTERS];
            TILE_UNROLL
            for (int r = 0; r < mr; r++)
                av[r] = vf_set1(a[r][i * step]);
            TILE_UNROLL
            for (int j = 0; j < nv; j++) {
                vf bv =
                    vf_load(b + (size_t)(j / per) * distance + i * lead + (size_t)(j % per) * VW);
                TILE_UNROLL
                for (int r = 0; r < mr; r++)
                    acc[r * nv + j] = vf_fma(av[r], bv, acc[r * nv + j]);
            }
        }
        return;
    }
    for (size_t i = 0; i < k; i++) {
        vf bv[TILE_REGISTERS];
        TILE_UNROLL
        for (int j = 0; j < nv; j++)
            bv[j] = vf_load(b + i * lead + (size_t)j * VW);
        TILE_UNROLL
        for (int r = 0; r < mr; r++) {
            vf av = vf_set1(a[r][i * step]);
            TILE_UNROLL
            for (int j = 0; j < nv; j++)
                acc[r * nv + j] = vf_fma(av, bv[j], acc[r * nv + j]);
        }
    }
}

#endif
