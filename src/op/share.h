/* How the small operations split their work: over elements or rows, never inside a reduction. */
#ifndef ELMAN_OP_SHARE_H
#define ELMAN_OP_SHARE_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "graph/tape_impl.h"
#include "kernel/kernels.h"

/* A share of the items, begin..end-1. */
typedef void (*elman_share_call)(const elman_kernels *kernels, void *argument, size_t begin,
                                 size_t end);

/* Calls `call` for shares that cover 0..count-1, on as many threads as there is work for: each
 * gets about 4,096 elements or more. width: elements of one item (a row's, or 1). It runs inside
 * a pool job, where the caller's rounding and flush modes are set aside. */
void elman_share(elman_tape *tape, size_t count, size_t width, elman_share_call call,
                 void *argument);

/* |x| < 2^-126 -> +0; NaN stays. */
static inline float elman_flush(float x)
{
    return fabsf(x) < FLT_MIN ? 0.0F : x;
}

/* to (+)= from, n elements that move: the bits stay where nothing is added. */
static inline void elman_put_row(size_t n, const float *from, bool add, float *to)
{
    if (add)
        for (size_t i = 0; i < n; i++)
            to[i] = elman_flush(to[i] + from[i]);
    else if (n > 0)
        memcpy(to, from, n * sizeof *to);
}

/* Whether an operation on these values is to be recorded. */
static inline bool elman_wants_gradient(const elman_tape *tape, const elman_var *a,
                                        const elman_var *b)
{
    return tape->mode.record && ((a && a->needs_gradient) || (b && b->needs_gradient));
}

static inline bool elman_same_shape(const elman_var *a, const elman_var *b)
{
    bool same = a->value.rank == b->value.rank;
    for (int i = 0; same && i < a->value.rank; i++)
        same = a->value.shape[i] == b->value.shape[i];
    return same;
}

/* Rows and the width of one, of a value of rank >= 1 whose last dimension is the row. */
static inline size_t elman_row_width(const elman_var *x)
{
    return (size_t)x->value.shape[x->value.rank - 1];
}
static inline size_t elman_row_count(const elman_var *x)
{
    size_t rows = 1;
    for (int i = 0; i < x->value.rank - 1; i++)
        rows *= (size_t)x->value.shape[i];
    return rows;
}

/* "[3, 4]" for messages. */
typedef struct elman_shape_text {
    char text[96];
} elman_shape_text;
elman_shape_text elman_shape_print(const elman_var *x);

#endif
