/* The operations that layers wrap; elman/op.h has those that a model calls itself. Each records
 * one node and has its forward and backward in one file. NULL in (after an error) gives NULL
 * out. Rows are packed rows unless a shape says otherwise; gradient is computed only where it is
 * wanted. */
#ifndef ELMAN_OP_OP_H
#define ELMAN_OP_OP_H

#include "elman/cell.h"
#include "elman/op.h"

/* y [n,E]: y_i = table[tokens_i]; table [V,E]. Token numbers are checked (DATA). tokens must
 * live until the round ends. Gradient rows: one chain each, last step first (see numerics),
 * for which rows must be packed rows of `sequences` (NULL: rows are steps of one sequence). */
elman_var *elman_op_embedding(elman_tape *tape, elman_parameter *table, const int32_t *tokens,
                              int64_t n, const elman_sequences *sequences);

/* y [...,O] = x [...,K] W^T + b; W [O,K], or [K] for O = 1, b [O] or NULL. The leading dimensions
 * are rows;
 * dW's chain runs over rows from the last step to the first, within a step as packed; where
 * sequences is NULL every row is a step. */
elman_var *elman_op_linear(elman_tape *tape, elman_var *x, elman_parameter *w, elman_parameter *b,
                           const elman_sequences *sequences);

/* Layer normalisation over the last dimension (Ba et al. 2016, equation 4), biased variance,
 * epsilon 1e-5 as PyTorch's; gain and bias [F] or NULL. */
elman_var *elman_op_layer_norm(elman_tape *tape, elman_var *x, elman_parameter *gain,
                               elman_parameter *bias, const elman_sequences *sequences);

/* elman_pool_weighted; *weights (may be NULL) receives a [N], through which no gradient flows. */
elman_var *elman_op_pool_weighted(elman_tape *tape, elman_var *x, elman_var *scores,
                                  const elman_sequences *sequences, elman_var **weights);

/* A learnt initial state: y[d,b,:] = parameter[first + d, :], [rows,B,H] in the given order of
 * sequences. The gradient's chain takes the sequences longest first. */
elman_var *elman_op_initial_state(elman_tape *tape, elman_parameter *parameter, int64_t first,
                                  int64_t rows, const elman_sequences *sequences);

/* The linear layer, softmax and cross-entropy as one, in chunks of rows that stay in cache, the
 * logits never stored. A terminal operation: while recording it computes the gradients at once,
 * for an upstream gradient of 1, so its value must be what backward starts from (ARGUMENT
 * otherwise). loss = scale * sum over rows of -log softmax; *sum (may be NULL) receives the
 * unscaled sum of nats in double. The chains of dW and db run as elman_op_linear's. */
elman_var *elman_op_linear_cross_entropy(elman_tape *tape, elman_var *x, elman_parameter *w,
                                         elman_parameter *b, const int32_t *targets, float scale,
                                         double *sum, const elman_sequences *sequences);

/* One layer, one or both directions, over a whole batch of packed sequences: one node.
 * x [N,I] packed rows; or, where table is given, x is NULL and row i is table[tokens_i]
 * (an embedding that is never stored; for at most 1,024 rows also the gradient is summed by
 * row first).
 * h0, c0 [directions,B,H] in the given order of sequences, or NULL (zero).
 * Results: y [N, directions*H]; hn, cn (may be NULL) [directions,B,H] in the given order. */
typedef struct elman_recurrent {
    elman_cell kind;
    int64_t input, hidden;
    int directions;                     /* 1 or 2 */
    const elman_cell_parameters *cells; /* [directions] */
    elman_var *x;
    elman_parameter *table;
    const int32_t *tokens;
    elman_var *h0, *c0;
    elman_var *y, *hn, *cn; /* out */
} elman_recurrent;

void elman_op_recurrent(elman_tape *tape, const elman_sequences *sequences, elman_recurrent *layer);

#endif
