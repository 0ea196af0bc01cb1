/* Matrix products. One output element is one chain of fused multiply-adds over ascending k from
 * its initial value, so blocking, vector width and the split among threads change no bit.
 *
 * A right operand B [k,n] is packed once and used often: panels of `panel` columns, in each panel
 * k after k, in each k the panel's columns side by side; the last panel is only as wide as it
 * must be in whole vectors, its missing columns are zeros. Panel p begins at packed + p*panel*k.
 * The layout belongs to an instruction set. */
#ifndef ELMAN_KERNEL_PRODUCT_KERNELS_H
#define ELMAN_KERNEL_PRODUCT_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/rows.h"

/* What a chain starts from. */
typedef enum elman_product_initial {
    ELMAN_PRODUCT_ZERO,
    ELMAN_PRODUCT_BIAS, /* bias[n], the same for every row */
    ELMAN_PRODUCT_ROWS  /* from[m][n]; may be c itself, to continue it */
} elman_product_initial;

/* c[m][n] = initial + sum over k of a[m][k] * b[k][n], for n in [n0,n1). c overlaps neither a
 * nor the packed operand. */
typedef struct elman_product_rows {
    size_t m, k, n;       /* n: all columns that were packed */
    size_t n0, n1;        /* n0 a multiple of `panel`, n1 too or = n */
    elman_rows_const a;   /* [m] of k floats */
    const float *b;       /* packed, the whole operand */
    elman_rows_mutable c; /* [m] of n floats; columns outside [n0,n1) are left alone */
    elman_product_initial initial;
    const float *bias;     /* [n] */
    elman_rows_const from; /* [m] of n floats */
} elman_product_rows;

/* c[i][j] = initial + sum over k of a[k][i] * b[k][j], for i in [m0,m1), j in [n0,n): the gradient
 * of a weight whose outputs' gradients are a and whose inputs are b. Rows come in the order in
 * which the chain runs. Any cut into ranges gives the same bits. */
typedef struct elman_product_columns {
    size_t k, m, n;
    size_t m0, m1, n0;
    elman_rows_const a; /* [k] of m floats */
    elman_rows_const b; /* [k] of n floats; not read where n0 = n */
    float *c;           /* [m,n], row stride ldc */
    size_t ldc;
    float *sums;    /* [m] or NULL: sums[i] = initial + a[0][i] + a[1][i] + ..., i in [m0,m1) */
    bool keep;      /* chains start from what c (and sums) hold; otherwise from zero */
    float *scratch; /* columns_scratch floats, 64-byte aligned, this thread's own */
} elman_product_columns;

typedef struct elman_product_kernels {
    size_t panel; /* columns of a packed panel */
    size_t width; /* floats of a vector; packed columns are padded to it */

    /* Packs panels of columns [n0,n1) (bounds as in elman_product_rows) of B [k,n].
     * pack_rows: b is [k] rows of n floats. pack_columns: b is [n] rows of k floats, as a
     * weight [n,k] lies for x W^T. */
    void (*pack_rows)(const elman_rows_const *b, size_t k, size_t n, size_t n0, size_t n1,
                      float *packed);
    void (*pack_columns)(const elman_rows_const *b, size_t k, size_t n, size_t n0, size_t n1,
                         float *packed);

    void (*rows)(const elman_product_rows *call);

    /* Floats of scratch that `columns` wants for a share of m1-m0 = m rows. */
    size_t (*columns_scratch)(size_t m, size_t n, size_t k);
    void (*columns)(const elman_product_columns *call);

    /* y[i] += x[i] over [0,n), a link of n chains. */
    void (*add)(size_t n, const float *x, float *y);
} elman_product_kernels;

/* Floats of a packed B [k,n]. */
static inline size_t elman_product_packed(const elman_product_kernels *kernels, size_t k, size_t n)
{
    return (n + kernels->width - 1) / kernels->width * kernels->width * k;
}

#endif
