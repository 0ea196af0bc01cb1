/* The caller's rounding and flush modes, set aside while we compute. */
#ifndef ELMAN_BASE_FLOAT_ENVIRONMENT_H
#define ELMAN_BASE_FLOAT_ENVIRONMENT_H

#include <stdint.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

typedef struct elman_float_environment {
    uint64_t saved;
} elman_float_environment;

/* Round to nearest, gradual underflow, no traps. A few nanoseconds, no call. */
static inline elman_float_environment elman_float_begin(void)
{
    elman_float_environment e = {0};
#if defined(__SSE2__)
    e.saved = _mm_getcsr();
    _mm_setcsr(0x1f80);
#elif defined(__aarch64__)
    __asm__ volatile("mrs %0, fpcr" : "=r"(e.saved));
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0));
#endif
    return e;
}

static inline void elman_float_end(elman_float_environment e)
{
#if defined(__SSE2__)
    _mm_setcsr((unsigned)e.saved);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(e.saved));
#endif
}

#endif
