/* What the kernels of product_kernels.h should give: each element's chain as it is defined, and
 * its sum in double. Only tests link this. */
#ifndef ELMAN_KERNEL_REF_PRODUCT_REF_H
#define ELMAN_KERNEL_REF_PRODUCT_REF_H

#include <stddef.h>

/* initial + sum over i of a[i*da] * b[i*db], one fused multiply-add each, i ascending. */
float elman_ref_chain(float initial, size_t k, const float *a, ptrdiff_t da, const float *b,
                      ptrdiff_t db);
/* The same in double; *magnitude: the sum of the terms' absolute values. */
double elman_ref_dot(float initial, size_t k, const float *a, ptrdiff_t da, const float *b,
                     ptrdiff_t db, double *magnitude);

#endif
