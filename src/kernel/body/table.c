/* All kernels of one instruction set. */
#include "kernel/kernels.h"
#include "kernel/simd/simd.h"

extern const elman_math_kernels ELMAN_KERNEL(elman_math_kernels_table);
extern const elman_product_kernels ELMAN_KERNEL(elman_product_kernels_table);
extern const elman_recurrent_kernels ELMAN_KERNEL(elman_recurrent_kernels_table);
extern const elman_kernels ELMAN_KERNEL(elman_kernels_table);

#if defined(ELMAN_KERNEL_AVX512)
#define ISA ELMAN_ISA_AVX512
#elif defined(ELMAN_KERNEL_AVX2)
#define ISA ELMAN_ISA_AVX2
#elif defined(ELMAN_KERNEL_NEON)
#define ISA ELMAN_ISA_NEON
#else
#define ISA ELMAN_ISA_SCALAR
#endif

const elman_kernels ELMAN_KERNEL(elman_kernels_table) = {
    .isa = ISA,
    .width = VW,
    .math = &ELMAN_KERNEL(elman_math_kernels_table),
    .product = &ELMAN_KERNEL(elman_product_kernels_table),
    .recurrent = &ELMAN_KERNEL(elman_recurrent_kernels_table),
};
