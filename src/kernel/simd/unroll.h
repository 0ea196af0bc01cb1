/* Before a loop of a constant count: unrolled completely, so that arrays of vectors become
 * registers. clang does not read gcc's pragma. */
#ifndef ELMAN_KERNEL_SIMD_UNROLL_H
#define ELMAN_KERNEL_SIMD_UNROLL_H

#if defined(__clang__)
#define ELMAN_UNROLL _Pragma("clang loop unroll(full)")
#else
#define ELMAN_UNROLL _Pragma("GCC unroll 32")
#endif

#endif
