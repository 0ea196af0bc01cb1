/* Operations on the values of a tape (elman/tape.h), each one node, its gradient with it.
 *
 * Every operation takes values of the same round and answers a new one that lives until the next
 * elman_tape_begin. NULL in (after an error) gives NULL out, and after the first error every
 * operation answers NULL. Gradient is computed only where it is wanted. Results and gradients
 * below 2^-126 in magnitude become +0; NaN stays. All are the same bits for any number of threads
 * and on any instruction set. */
#ifndef ELMAN_OP_H
#define ELMAN_OP_H

#include "elman/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Element by element; a and b have the same shape (SHAPE otherwise), and may be the same value. */
ELMAN_API elman_var *elman_add(elman_tape *tape, elman_var *a, elman_var *b);
ELMAN_API elman_var *elman_subtract(elman_tape *tape, elman_var *a, elman_var *b);
ELMAN_API elman_var *elman_multiply(elman_tape *tape, elman_var *a, elman_var *b);
/* factor * a. */
ELMAN_API elman_var *elman_scale(elman_tape *tape, elman_var *a, float factor);
ELMAN_API elman_var *elman_tanh(elman_tape *tape, elman_var *a);
ELMAN_API elman_var *elman_sigmoid(elman_tape *tape, elman_var *a);
/* a > 0 ? a : +0, and NaN stays; the gradient at 0 is 0. */
ELMAN_API elman_var *elman_relu(elman_tape *tape, elman_var *a);

/* Along the last dimension: parts [...,F_i] -> [..., sum F_i]. count >= 1; the leading dimensions
 * are equal and the rank is at least 1 (SHAPE). A part may appear more than once. */
ELMAN_API elman_var *elman_concatenate(elman_tape *tape, elman_var *const *parts, int count);
/* Elements begin..end-1 of the last dimension, 0 <= begin <= end <= F: [...,F] -> [...,end-begin].
 */
ELMAN_API elman_var *elman_slice(elman_tape *tape, elman_var *x, int64_t begin, int64_t end);

/* The three below are views: they share the memory of x and its gradient, so that
 * elman_var_gradient of a view answers its part of the gradient of x. */

/* Elements begin..end-1 of the first dimension, 0 <= begin <= end <= T: [T,...] -> [end-begin,...].
 */
ELMAN_API elman_var *elman_steps(elman_tape *tape, elman_var *x, int64_t begin, int64_t end);
/* The same elements in another shape (SHAPE where their number differs). */
ELMAN_API elman_var *elman_reshape(elman_tape *tape, elman_var *x, int rank, const int64_t *shape);

/* [B,T,...] <-> [T,B,...]: a copy with the first two dimensions exchanged. */
ELMAN_API elman_var *elman_swap_steps(elman_tape *tape, elman_var *x);

/* Padded [T,B,F] -> packed [N,F] (see elman_sequences). Rows beyond a length are not read. */
ELMAN_API elman_var *elman_pack(elman_tape *tape, elman_var *x, const elman_sequences *sequences);
/* Packed [N,F] -> padded [T,B,F]; rows beyond a length are +0. Where the lengths are uniform, both
 * this and elman_pack are views. */
ELMAN_API elman_var *elman_unpack(elman_tape *tape, elman_var *x, const elman_sequences *sequences);

/* Inverted dropout (Srivastava et al. 2014, "Dropout"; scaled while training): each unit of x
 * [...,F], N rows, is kept with probability 1-p and divided by it. Whether one is kept is a
 * function of (seed; unit, absolute time, the sequence's number, pass and use) alone, so no mask
 * is stored and a sequence keeps its mask whatever its batch. The rows are the packed rows of
 * `sequences`; NULL: the steps of one sequence, number 0, from time 0. use: 0..239, one for each
 * place in a network. The identity when the mode is not `train` or p = 0; ARGUMENT: p not in
 * [0,1]. */
ELMAN_API elman_var *elman_dropout(elman_tape *tape, elman_var *x, const elman_sequences *sequences,
                                   double p, int use);

/* How a loss is reduced. */
typedef enum elman_reduction {
    ELMAN_REDUCTION_MEAN, /* over the targets that are not ignored */
    ELMAN_REDUCTION_SUM
} elman_reduction;

enum { ELMAN_IGNORE_TARGET = -100 }; /* PyTorch's ignore_index */

/* -log softmax(logits)[target], reduced over the rows of logits [...,V]; a scalar (rank 0).
 * targets: one a row, in the caller's memory until the round ends; those of ELMAN_IGNORE_TARGET
 * count for nothing, others must be in 0..V-1 (DATA). The sum runs in double, row by row. A mean
 * over no target is NaN, as PyTorch's. */
ELMAN_API elman_var *elman_cross_entropy(elman_tape *tape, elman_var *logits,
                                         const int32_t *targets, elman_reduction reduction);

/* mean((a-b)^2), shapes equal; a scalar, and NaN where there are no elements. */
ELMAN_API elman_var *elman_mean_squared_error(elman_tape *tape, elman_var *a, elman_var *b);

#ifdef __cplusplus
}
#endif

#endif
