#include "base/cpu.h"

#include <sched.h>
#include <unistd.h>

bool elman_cpu_has(elman_isa isa)
{
    switch (isa) {
    case ELMAN_ISA_BEST:
    case ELMAN_ISA_SCALAR:
        return true;
    case ELMAN_ISA_AVX2:
#if defined(ELMAN_HAVE_X86)
        /* The builtin also asks whether the operating system keeps the registers. */
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
        return false;
#endif
    case ELMAN_ISA_AVX512:
#if defined(ELMAN_HAVE_X86)
        return elman_cpu_has(ELMAN_ISA_AVX2) && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl");
#else
        return false;
#endif
    case ELMAN_ISA_NEON:
#if defined(ELMAN_HAVE_NEON)
        return true; /* part of AArch64 */
#else
        return false;
#endif
    }
    return false;
}

int elman_cpu_count(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return CPU_COUNT(&set);
    /* More processors than a cpu_set_t holds. */
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online < 1 ? 1 : online > 65536 ? 65536 : (int)online;
}
