/* What the tests of the pointwise and reducing kernels share: every instruction set that this
 * processor has, memory between guard pages, numbers of every kind. */
#ifndef MATH_SUPPORT_H
#define MATH_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cpu.h"
#include "kernel/kernels.h"

static const elman_isa all_isas[] = {ELMAN_ISA_SCALAR, ELMAN_ISA_AVX2, ELMAN_ISA_AVX512,
                                     ELMAN_ISA_NEON};

#define FOR_EACH_ISA(k)                                                                            \
    for (size_t isa_ = 0; isa_ < sizeof all_isas / sizeof all_isas[0]; isa_++)                     \
        for (const elman_math_kernels *k =                                                         \
                 elman_cpu_has(all_isas[isa_]) ? elman_kernels_for(all_isas[isa_])->math : NULL;   \
             k; k = NULL)

/* Around each vector width, a block, and primes; 0 and 1. */
static const size_t sizes[] = {0,  1,  3,  4,   5,   7,   8,    9,    15,   16,   17,  31,
                               63, 64, 65, 127, 200, 257, 1009, 4095, 4096, 4097, 8195};
enum { SIZES = sizeof sizes / sizeof sizes[0], MOST = 8195 };

/* n floats that end at a page that cannot be touched, or begin after one. */
typedef struct guarded {
    char *map;
    size_t bytes;
    float *x;
} guarded;

static inline guarded guarded_make(size_t n, bool at_end)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t inside = (n * sizeof(float) + page - 1) / page * page + page;
    guarded g = {NULL, inside + 2 * page, NULL};
    g.map = mmap(NULL, g.bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(g.map != MAP_FAILED);
    assert_int_equal(mprotect(g.map + page, inside, PROT_READ | PROT_WRITE), 0);
    char *x = at_end ? g.map + page + inside - n * sizeof(float) : g.map + page;
    g.x = (float *)(void *)x;
    return g;
}

static inline void guarded_free(guarded g)
{
    munmap(g.map, g.bytes);
}

/* A small generator of the test's own. */
static inline uint32_t next_word(uint64_t *state)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(*state >> 32);
}

static inline float next_float(uint64_t *state, float low, float high)
{
    return low + (high - low) * (float)(next_word(state) >> 8) * 0x1p-24F;
}

static inline void fill_random(float *x, size_t n, uint64_t seed, float low, float high)
{
    uint64_t state = seed * 2654435761U + 1;
    for (size_t i = 0; i < n; i++) {
        x[i] = next_float(&state, low, high);
    }
}

#endif
