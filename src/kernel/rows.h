/* The rows of a matrix wherever they lie: at a fixed distance, or each with its own pointer, so
 * that embedding rows, sequences gathered from a batch and reversed time need no copy. */
#ifndef ELMAN_KERNEL_ROWS_H
#define ELMAN_KERNEL_ROWS_H

#include <stddef.h>

typedef struct elman_rows_const {
    const float *base;
    ptrdiff_t stride;             /* floats from row to row; may be 0 or negative */
    const float *const *pointers; /* where not NULL: row i is pointers[i], the rest is unread */
} elman_rows_const;

typedef struct elman_rows_mutable {
    float *base;
    ptrdiff_t stride;
    float *const *pointers;
} elman_rows_mutable;

/* Row i begins here; within it elements are contiguous. */
static inline const float *elman_row(const elman_rows_const *rows, size_t i)
{
    return rows->pointers ? rows->pointers[i] : rows->base + (ptrdiff_t)i * rows->stride;
}

static inline float *elman_row_mutable(const elman_rows_mutable *rows, size_t i)
{
    return rows->pointers ? rows->pointers[i] : rows->base + (ptrdiff_t)i * rows->stride;
}

static inline elman_rows_const elman_rows_at(const float *base, ptrdiff_t stride)
{
    return (elman_rows_const){base, stride, NULL};
}

static inline elman_rows_const elman_rows_from(const float *const *pointers)
{
    return (elman_rows_const){NULL, 0, pointers};
}

static inline elman_rows_mutable elman_rows_mutable_at(float *base, ptrdiff_t stride)
{
    return (elman_rows_mutable){base, stride, NULL};
}

static inline elman_rows_mutable elman_rows_mutable_from(float *const *pointers)
{
    return (elman_rows_mutable){NULL, 0, pointers};
}

/* The rows from i on. */
static inline elman_rows_const elman_rows_skip(elman_rows_const rows, size_t i)
{
    if (rows.pointers)
        rows.pointers += i;
    else
        rows.base += (ptrdiff_t)i * rows.stride;
    return rows;
}

static inline elman_rows_mutable elman_rows_mutable_skip(elman_rows_mutable rows, size_t i)
{
    if (rows.pointers)
        rows.pointers += i;
    else
        rows.base += (ptrdiff_t)i * rows.stride;
    return rows;
}

/* The same rows, to read. */
static inline elman_rows_const elman_rows_of(elman_rows_mutable rows)
{
    return (elman_rows_const){rows.base, rows.stride, (const float *const *)rows.pointers};
}

#endif
