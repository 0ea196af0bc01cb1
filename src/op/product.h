/* Products over weights, split among the threads of a job: y = x W^T + b, dx = dy W, dW += dy^T x.
 *
 * An operation finds its packed copies before its job (elman_weight_find), fills what is stale
 * inside (elman_weight_fill, then a wait), and calls the products from every thread of the crew. */
#ifndef ELMAN_OP_PRODUCT_H
#define ELMAN_OP_PRODUCT_H

#include "base/pool.h"
#include "graph/tape_impl.h"
#include "kernel/kernels.h"

/* A weight [O,K] packed as the right operand of x W^T (ROWS: k = K, n = O) or of dy W (COLUMNS:
 * k = O, n = K). */
typedef struct elman_weight {
    const elman_product_kernels *kernels;
    const float *value;
    size_t k, n;
    bool transposed; /* ROWS */
    bool stale;
    float *packed;
} elman_weight;

/* Rows of a weight [O,K], or 1 of one [K]; and K. */
static inline int64_t elman_weight_outputs(const elman_parameter *parameter)
{
    return parameter->value.rank == 1 ? 1 : parameter->value.shape[0];
}
static inline int64_t elman_weight_inputs(const elman_parameter *parameter)
{
    return parameter->value.shape[parameter->value.rank - 1];
}

/* The packed copy kept with the parameter; kind: ELMAN_PACK_ROWS or ELMAN_PACK_COLUMNS. The one
 * who finds it stale must fill it. packed is NULL where memory is out and the tape failed. */
elman_weight elman_weight_find(elman_tape *tape, elman_parameter *parameter, int kind);
/* Makes the copy stale again: it was found but can't be filled. */
void elman_weight_lose(elman_parameter *parameter, int kind);

/* In a job, by every thread of the crew: fills the copy where it is stale. Another thread's share
 * is there after a wait. */
void elman_weight_fill(const elman_crew *crew, const elman_weight *weight);

/* In a job, by every thread: this thread's share of the whole (n0, n1 are set here). What it
 * writes is cut by columns or by rows, whichever is more even. */
void elman_product_rows_shared(const elman_crew *crew, const elman_product_kernels *kernels,
                               const elman_product_rows *whole);

/* The same for c += a^T b and its sums (m0, m1, n0 and scratch are set here). scratch: the crew's,
 * elman_product_columns_floats of it. */
void elman_product_columns_shared(const elman_crew *crew, const elman_product_kernels *kernels,
                                  const elman_product_columns *whole, float *scratch);
/* Floats of scratch for a crew of `threads`; products up to m, n, k may use it in turn. */
size_t elman_product_columns_floats(const elman_product_kernels *kernels, size_t m, size_t n,
                                    size_t k, int threads);

/* Threads worth waking for so many multiply-adds. */
int elman_product_threads(const elman_tape *tape, size_t m, size_t n, size_t k);

/* Numbers of `rows` rows in the order of a parameter gradient's chain: the last step first, within
 * a step as packed; where sequences is NULL every row is a step. On the tape; NULL: out of
 * memory. */
size_t *elman_last_steps_first(elman_tape *tape, const elman_sequences *sequences, size_t rows);
/* Pointers to the rows of base that order[0..count) names, `stride` floats apart. */
const float **elman_rows_in_order(elman_tape *tape, const size_t *order, size_t count,
                                  const float *base, size_t stride);

#endif
