/* The kernels: arithmetic on plain pointers, one body compiled once per instruction set,
 * chosen once. Every kernel is one thread's share of the work; who splits it among threads
 * stands above. No kernel allocates, and every instruction set gives the same bits. */
#ifndef ELMAN_KERNEL_KERNELS_H
#define ELMAN_KERNEL_KERNELS_H

#include "elman/context.h"
#include "kernel/math_kernels.h"
#include "kernel/product_kernels.h"
#include "kernel/recurrent_kernels.h"

typedef struct elman_kernels {
    elman_isa isa;
    int width; /* floats in a native vector */
    const elman_math_kernels *math;
    const elman_product_kernels *product;
    const elman_recurrent_kernels *recurrent;
} elman_kernels;

/* The table of an instruction set that elman_cpu_has. */
const elman_kernels *elman_kernels_for(elman_isa isa);
/* The context's, looked up once. */
const elman_kernels *elman_kernels_of(elman_context *context);

#endif
