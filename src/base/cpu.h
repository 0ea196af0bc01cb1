/* What the processor has. */
#ifndef ELMAN_BASE_CPU_H
#define ELMAN_BASE_CPU_H

#include <stdbool.h>

#include "elman/context.h"

/* Whether this processor and operating system run the instruction set (AVX2 asks
 * for FMA as well; AVX512 for F, DQ, BW, VL) and this build has its kernels. */
bool elman_cpu_has(elman_isa isa);
/* Processors that this process may run on, at least 1. */
int elman_cpu_count(void);

#endif
