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

/* Pooling over time: packed rows x [N,F] of `sequences` -> [B,F], one row a sequence in the given
 * order, over the sequence's own steps only; a sequence of length 0 gives a row of +0 and takes no
 * gradient. SHAPE: x is not [N,F]. */

/* The row of each sequence's last step. */
ELMAN_API elman_var *elman_pool_last(elman_tape *tape, elman_var *x,
                                     const elman_sequences *sequences);
/* The sum in step order, one chain an element, times 1/length. */
ELMAN_API elman_var *elman_pool_mean(elman_tape *tape, elman_var *x,
                                     const elman_sequences *sequences);
/* The largest of each column; the first of equal ones, and the gradient goes to that step alone, as
 * torch.max's. NaN is passed over; a column of nothing else gives NaN. */
ELMAN_API elman_var *elman_pool_max(elman_tape *tape, elman_var *x,
                                    const elman_sequences *sequences);
/* sum over t of a_t x_t in step order, a the softmax of the sequence's own scores. scores [N] or
 * [N,1], a row of x each (SHAPE). */
ELMAN_API elman_var *elman_pool_weighted(elman_tape *tape, elman_var *x, elman_var *scores,
                                         const elman_sequences *sequences);

/* y_i = x[rows_i]: x [R,F] -> [n,F]; a row of -1 gives +0. rows [n], in the caller's memory until
 * the round ends (NULL where n is 0). A row of x that is used more than once adds the gradient of
 * its last use first. SHAPE: x has another rank, n < 0. DATA: a row outside -1..R-1. */
ELMAN_API elman_var *elman_rows(elman_tape *tape, elman_var *x, const int32_t *rows, int64_t n);

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

typedef struct elman_class_loss_options {
    size_t size;               /* sizeof(elman_class_loss_options), set by _default */
    const float *weights;      /* [V], finite and >= 0, or NULL: 1 each; default NULL. The caller's,
                                * unchanged until the round ends */
    double smoothing;          /* 0..1, default 0 (Szegedy et al. 2016, section 7) */
    elman_reduction reduction; /* default ELMAN_REDUCTION_MEAN */
    double scale;              /* of the result, finite; default 1 */
} elman_class_loss_options;

ELMAN_API void elman_class_loss_options_default(elman_class_loss_options *options);

/* scale * torch.nn.functional.cross_entropy(logits, targets, weight, label_smoothing, reduction)
 * over the rows of logits [...,V]; a scalar. With log p the row's log softmax, w the weights, e the
 * smoothing, and y the target, a row's loss is
 *   (1 - e) * w_y * -log p_y + e/V * sum over v of w_v * -log p_v,
 * and a mean divides by the sum of w_y. targets as in elman_cross_entropy; a mean over nothing, or
 * over weights of 0, is NaN, as PyTorch's. *sum (may be NULL) receives the plain nats, the sum of
 * -log p_y without weights, smoothing, reduction or scale. Sums run in double, row by row.
 * options may be NULL (the defaults). ARGUMENT: an option out of its bounds. */
ELMAN_API elman_var *elman_class_loss(elman_tape *tape, elman_var *logits, const int32_t *targets,
                                      const elman_class_loss_options *options, double *sum);

/* What one row of a prediction p [C] loses against its target y. */
typedef enum elman_element_loss_kind {
    ELMAN_LOSS_SQUARED,  /* C = 1: (p - y)^2 */
    ELMAN_LOSS_ABSOLUTE, /* C = 1: |p - y|; the gradient at 0 is 0 */
    ELMAN_LOSS_HUBER,    /* C = 1: e^2/2 where |e| <= delta, else delta * (|e| - delta/2), e = p - y
                          * (Huber 1964; torch.nn.HuberLoss) */
    ELMAN_LOSS_BINARY,   /* C = 1: max(p,0) - p*y + log(1 + exp(-|p|)): the cross-entropy of
                          * sigmoid(p) and a target in 0..1 (torch.nn.BCEWithLogitsLoss) */
    ELMAN_LOSS_QUANTILE, /* C = Q: the mean over quantiles q of max(q*e, (q-1)*e), e = y - p_q
                          * (Koenker & Bassett 1978); the gradient at 0 is 0 */
    ELMAN_LOSS_GAUSSIAN  /* C = 2, the mean m and the log variance s: (s + (y-m)^2 * exp(-s)) / 2
                          * (torch.nn.GaussianNLLLoss, full=False, of the variance exp(s)) */
} elman_element_loss_kind;

typedef struct elman_element_loss_options {
    size_t size;                  /* sizeof(elman_element_loss_options), set by _default */
    elman_element_loss_kind kind; /* default ELMAN_LOSS_SQUARED */
    double delta;                 /* HUBER's, finite and > 0; default 1 */
    const float *quantiles;       /* QUANTILE's [quantile_count], each within 0..1; the caller's,
                                   * unchanged until the round ends; default NULL */
    int64_t quantile_count;       /* Q; default 0 */
    elman_reduction reduction;    /* default ELMAN_REDUCTION_MEAN */
    double scale;                 /* of the result, finite; default 1 */
} elman_element_loss_options;

ELMAN_API void elman_element_loss_options_default(elman_element_loss_options *options);

/* The losses l_i of n rows against n targets, reduced; a scalar.
 *   prediction [...,C]; where C is 1, of any shape, each element a row
 *   targets [n], weights [n] (finite and >= 0; NULL: 1 each): the caller's, unchanged until the
 *     round ends. Where a weight is 0, neither the target nor the row counts: both may be NaN
 *   mean: sum(w*l) / sum(w), and +0 where all weights are 0; sum: sum(w*l); both times scale
 *   *sum (may be NULL) receives the unscaled sum(w*l)
 * Sums run in double as reductions do, over rows. options may be NULL (the defaults). SHAPE: the
 * last dimension is not C. ARGUMENT: an option out of its bounds. DATA: a weight out of its. */
ELMAN_API elman_var *elman_element_loss(elman_tape *tape, elman_var *prediction,
                                        const float *targets, const float *weights,
                                        const elman_element_loss_options *options, double *sum);

/* mean((a-b)^2), shapes equal; a scalar, and NaN where there are no elements. */
ELMAN_API elman_var *elman_mean_squared_error(elman_tape *tape, elman_var *a, elman_var *b);

#ifdef __cplusplus
}
#endif

#endif
