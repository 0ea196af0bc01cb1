/* One direction of one recurrent layer on plain memory: how its weights are packed, how threads
 * share a step, and a step itself, without a tape and without allocation. What the tape runs over
 * whole sequences is made of the same calls, so its bits are the same. */
#ifndef ELMAN_OP_RECURRENT_STEP_H
#define ELMAN_OP_RECURRENT_STEP_H

#include "base/pool.h"
#include "kernel/kernels.h"

/* Weights as the kernels want them. G gates, P = elman_cell_parts parts of a gate row. */
typedef struct elman_recurrent_weights {
    elman_cell cell;
    size_t input, hidden;
    const float *panels_ih; /* elman_recurrent_pack of weight_ih, K = input */
    const float *panels_hh; /* of weight_hh, K = hidden */
    const float *start;     /* [P*H] elman_recurrent_start of the biases */
    /* A layer-normalised cell's: gain_ih, gain_hh [G*H], bias [G*H] or NULL, of an LSTM gain_cell
     * and bias_cell [H] (or NULL); gain_ih NULL: a plain cell. start is then [G*H] zeros. */
    const float *gain_ih, *gain_hh, *bias, *gain_cell, *bias_cell;
} elman_recurrent_weights;

/* Floats of a row of a step's `gates`: P*H, and more where the cell is layer-normalised. */
size_t elman_recurrent_gate_floats(const elman_recurrent_weights *weights);

/* Floats of a weight [G*H, K] in panels. */
size_t elman_recurrent_panel_floats(const elman_kernels *kernels, elman_cell cell, size_t hidden,
                                    size_t K);
/* Packs weight [G*H, K]; 64-byte aligned panels. */
void elman_recurrent_pack(const elman_kernels *kernels, elman_cell cell, size_t hidden, size_t K,
                          const float *weight, float *panels);
/* Where the chains begin: b_ih + b_hh, added once; a GRU's n at b_in, its q at b_hn. A bias may be
 * NULL. */
void elman_recurrent_start(elman_cell cell, size_t hidden, const float *bias_ih,
                           const float *bias_hh, float *start);

/* Rows of the gates' input product, P*H floats each (layer-normalised: G*H): gates[r] = start +
 * x[r] W_ih^T. A table of embedded tokens multiplied once by this makes `gates` rows that a step
 * can start from. */
void elman_recurrent_input(const elman_kernels *kernels, const elman_recurrent_weights *weights,
                           size_t rows, elman_rows_const x, elman_rows_mutable gates);

/* One step of `rows` sequences. x: [rows] of I; or from: [rows] of what elman_recurrent_input made
 * for each (x is then unread). h, c -> h_out, c_out ([rows] of H; c for an LSTM only): h_out
 * must not overlap h, c_out may be c. gates: scratch, [rows] of
 * elman_recurrent_gate_floats at a distance (no pointers). crew NULL: the calling thread;
 * else every member calls it, and it waits at its end. The caller has set the floating-point modes
 * (a pool's job has). */
typedef struct elman_recurrent_step_call {
    size_t rows;
    elman_rows_const x, h, c;
    const elman_rows_const *from; /* NULL: x is taken */
    elman_rows_mutable gates, h_out, c_out;
} elman_recurrent_step_call;

void elman_recurrent_step(const elman_kernels *kernels, const elman_recurrent_weights *weights,
                          const elman_recurrent_step_call *call, const elman_crew *crew);

/* How the threads share a step: whole vectors of hidden units in `middle`; of a block that two
 * threads share, some rows each, in `edges`. For few rows vectors alone are shared. Pieces may be
 * empty (v0 = v1 or r0 = r1). The middle is the same for every row count of the same mode
 * (elman_recurrent_shares_rows). */
typedef struct elman_recurrent_share {
    elman_piece middle, edges[2];
} elman_recurrent_share;

static inline bool elman_recurrent_shares_rows(size_t rows)
{
    return rows >= 12;
}

/* vectors of units in all, `block` of them to a block. */
elman_recurrent_share elman_recurrent_share_of(size_t vectors, size_t block, size_t rows,
                                               const elman_crew *crew);

/* How many threads a step of this size is worth: a hand-over costs what about 8,000 multiply-adds
 * of a thread do. */
int elman_recurrent_threads(elman_cell cell, size_t hidden, size_t rows, int most);

#endif
