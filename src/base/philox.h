/* Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2,
 * 3"): a block of four words is a function of a key and a counter. */
#ifndef ELMAN_BASE_PHILOX_H
#define ELMAN_BASE_PHILOX_H

#include <stdint.h>

/* out = philox(key = seed, counter). */
void elman_philox(uint64_t seed, const uint32_t counter[4], uint32_t out[4]);

/* What a draw is for: bits 24..31 of the last counter word; the pass (epoch) has
 * the 24 bits below. Dropout place i of a network uses ELMAN_USE_DROPOUT + i. */
enum {
    ELMAN_USE_INITIALISE = 1,
    ELMAN_USE_SHUFFLE = 2,
    ELMAN_USE_SAMPLE = 3,
    ELMAN_USE_PROBE = 4,
    ELMAN_USE_WORD_DROPOUT = 5,
    ELMAN_USE_NOISE = 6,
    ELMAN_USE_DROPOUT = 16 /* .. 255 */
};

static inline uint32_t elman_philox_use(int use, uint64_t pass)
{
    return (uint32_t)use << 24 | (uint32_t)(pass & 0xffffff);
}

/* A uniform number in [0, 1) from a word: its upper 24 bits times 2^-24, exact. */
static inline float elman_uniform(uint32_t word)
{
    return (float)(word >> 8) * 0x1p-24F;
}

#endif
