/* Linear-chain conditional random fields (Lafferty et al. 2001): the loss, what follows from the
 * same sums, and the best path. elman/layer.h states the model.
 *
 * Rows are packed rows of `sequences`; K tags. The forward sums run in log space with the largest
 * of each step taken off and kept in double, so that long sequences lose nothing. Backward is the
 * forward recursion's own derivative, which is the forward-backward algorithm (Eisner 2016,
 * "Inside-Outside and Forward-Backward Algorithms Are Just Backprop"):
 *   a_t(j) = e_t(j) + log sum_i exp(a_(t-1)(i) + A_ij)            q_t(i|j) = softmax over i
 *   p_T-1 = softmax(a_T-1 + end);  p_(t-1)(i) = sum_j p_t(j) q_t(i|j)
 *   p_t(i,j) = p_t(j) q_t(i|j) */
#ifndef ELMAN_OP_CRF_H
#define ELMAN_OP_CRF_H

#include "elman/op.h"
#include "kernel/kernels.h"

typedef struct elman_crf {
    elman_parameter *transitions; /* A [K,K], from row to column */
    elman_parameter *start, *end; /* [K] */
} elman_crf;

/* loss = scale * sum over sequences of -log p(tags), a scalar; tags [N] live until the round ends.
 * Sequences' nats add in the given order in double, *sum (may be NULL) receives that sum. DATA: a
 * tag outside 0..K-1.
 * Gradient chains: A_ij and start take rows from the last step to the first, end each sequence's
 * last row, later steps first; within a step longest first, ties as given. The link of A_ij at a
 * row is g p_t(j) q_t(i|j), where the row's tags are i, j fused with - g; that of start and end
 * g p_t(k), at the row's tag fused with - g; g = dloss * scale. */
elman_var *elman_op_crf_loss(elman_tape *tape, const elman_crf *crf, elman_var *emissions,
                             const int32_t *tags, const elman_sequences *sequences, float scale,
                             double *sum);

/* p_t(k), [N,K]; a constant. */
elman_var *elman_op_crf_marginals(elman_tape *tape, const elman_crf *crf,
                                  const elman_var *emissions, const elman_sequences *sequences);

/* Best paths, tags [N]; scores (may be NULL) [B] in the given order. */
void elman_op_crf_decode(elman_tape *tape, const elman_crf *crf, const elman_var *emissions,
                         const elman_sequences *sequences, int32_t *tags, double *scores);

/* --- one sequence ------------------------------------------------------------------------- */

/* Where the rows of one sequence lie: that of step t is offsets[t] + place, or, where offsets is
 * NULL, t. */
typedef struct elman_crf_line {
    size_t K, T;
    const int64_t *offsets;
    size_t place;
} elman_crf_line;

static inline size_t elman_crf_row(const elman_crf_line *line, size_t t)
{
    return line->offsets ? (size_t)line->offsets[t] + line->place : t;
}

/* The sequence at a packed place. */
static inline elman_crf_line elman_crf_line_of(const elman_sequences *s, size_t K, size_t place)
{
    return (elman_crf_line){K, (size_t)s->lengths[s->order[place]], s->offsets, place};
}

typedef struct elman_crf_sums {
    const elman_math_kernels *math;
    const float *into;        /* A transposed: into[j*K + i] = A_ij */
    const float *start, *end; /* [K] */
    float *row;               /* scratch, [K] */
    double *wide;             /* scratch, [K] */
} elman_crf_sums;

/* log of the sum over all paths of exp(score); T >= 1. alpha receives, at each of its rows, a_t
 * less its largest. */
double elman_crf_forward(const elman_crf_sums *sums, const elman_crf_line *line,
                         const float *emissions, float *alpha);
/* From alpha: p receives p_t at each of its rows. */
void elman_crf_backward(const elman_crf_sums *sums, const elman_crf_line *line, const float *alpha,
                        float *p);

/* The best path (Viterbi 1967), ties to the lowest tag from the end on; its score. T = 0: 0. */
typedef struct elman_crf_path {
    const float *transitions, *start, *end;
    double *best[2]; /* scratch, [K] each */
    int32_t *from;   /* scratch, [T,K] */
} elman_crf_path;
double elman_crf_viterbi(const elman_crf_path *path, const elman_crf_line *line,
                         const float *emissions, int32_t *tags);

/* --- for all of them ---------------------------------------------------------------------- */

/* Whether shapes fit; the tape fails where they don't. */
bool elman_crf_fits(elman_tape *tape, const elman_crf *crf, const elman_var *emissions,
                    const elman_sequences *sequences);
/* A transposed, on the tape; NULL where memory is out. */
float *elman_crf_transpose(elman_tape *tape, const elman_crf *crf);
/* Threads worth waking for N*K*K terms. */
int elman_crf_threads(const elman_tape *tape, const elman_sequences *sequences, size_t K);

#endif
