/* The recurrent layers' arithmetic: panels of weights, the products over them, and one step of
 * an RNN, LSTM or GRU forwards and backwards.
 *
 * Gates stand in PyTorch's order (LSTM i,f,g,o; GRU r,z,n), in rows of gate_row() * H floats: a
 * GRU's row has a fourth part q = W_hn h + b_hn, which its backward needs. A row holds first a
 * chain's partial sum, then the activated gate, and after backward the gate's gradient.
 *
 * Weights are cut into blocks of hidden units: in a block k after k, in each k the groups (gates)
 * side by side, each a few native vectors of units, the missing units zeros. A share of the work
 * is a range of vectors [v0,v1) of hidden units, v0 a multiple of block_vectors or any where
 * groups = 1, and a range of rows; every share gives the same bits. The layout belongs to an
 * instruction set.
 *
 *   RNN   h' = tanh(a) or max(a,0)
 *   LSTM  i,f,o = sigmoid(a_i,a_f,a_o), g = tanh(a_g), c' = f*c + i*g, h' = o*tanh(c')
 *   GRU   r,z = sigmoid(a_r,a_z), n = tanh(a_n + r*q), h' = n + z*(h - n)
 *
 * with a*b + c one fused multiply-add where a body says so. What is stored becomes +0 below
 * 2^-100 (vf_settle). */
#ifndef ELMAN_KERNEL_RECURRENT_KERNELS_H
#define ELMAN_KERNEL_RECURRENT_KERNELS_H

#include <stddef.h>

#include "elman/cell.h"
#include "kernel/rows.h"

enum { ELMAN_CELL_COUNT = ELMAN_CELL_GRU + 1 };

/* Gates with weights: 1, 4, 3. */
static inline size_t elman_cell_gates(elman_cell cell)
{
    return cell == ELMAN_CELL_LSTM ? 4 : cell == ELMAN_CELL_GRU ? 3 : 1;
}

/* Parts of a gate row: 1, 4, 4. */
static inline size_t elman_cell_parts(elman_cell cell)
{
    return cell == ELMAN_CELL_LSTM || cell == ELMAN_CELL_GRU ? 4 : 1;
}

/* A share: vectors [v0,v1) of hidden units, rows [r0,r1). */
typedef struct elman_piece {
    size_t v0, v1, r0, r1;
} elman_piece;

/* The input product, or any over panels:
 * out[r][g*width+u] = start[r][g*width+u] + sum over k of left[r][k] * W[g*width+u][k].
 * Parts from `groups` to `parts` of out are copied from start (a GRU's q, which starts at b_hn).
 * start may be out, or a row for all (stride 0). */
typedef struct elman_panel_product {
    size_t K, groups, parts, width;
    const float *panels;
    elman_rows_const left, start;
    elman_rows_mutable out;
} elman_panel_product;

/* One step forwards. start: where the recurrent chains begin, rows as gates (x's product, which may
 * be gates itself, or rows of a table's product). gates receives the activated gates; an RNN's
 * are h_out itself, gates is scratch there. c rows only for LSTM. h_out, c_out overlap neither h
 * nor (but where it is the same place) c. */
typedef struct elman_step_forward {
    size_t H;
    const float *panels; /* pack_rows of W_hh */
    elman_rows_const start, h, c;
    elman_rows_mutable gates, h_out, c_out;
} elman_step_forward;

/* One step backwards: dh = dy + carry, continued by the gate rows of the step that came after it
 * in time (`next`, its gate gradients) for rows below `chained`; then the gates' gradients.
 * carry is dh's content: for rows from `chained` on the final state's gradient, else for a GRU
 * what its backward left there; other cells' chained rows do not read it. gates: activated in,
 * gradients out; an RNN's only receives, it reads h_out. A GRU's: r,z,n of the input's product
 * and, in part q, n's of the recurrent product. */
typedef struct elman_step_backward {
    size_t H, chained;
    const float *panels;       /* pack_columns of W_hh: K = gates * H */
    elman_rows_const next;     /* [chained] gate gradients */
    elman_rows_const dy;       /* all NULL: none */
    elman_rows_const h, h_out; /* h: GRU; h_out: RNN */
    elman_rows_const c, c_out; /* LSTM: before, after */
    elman_rows_mutable gates;
    elman_rows_mutable dh; /* [rows] of H: scratch and carry */
    elman_rows_mutable dc; /* LSTM: carry in and out */
    /* Where the whole gradients of h' and (LSTM) c' are copied; base NULL: nowhere. */
    elman_rows_mutable seen_h, seen_c;
} elman_step_backward;

typedef struct elman_recurrent_kernels {
    size_t width; /* floats of a vector of units */

    /* Vectors of units in a block of `groups` groups. */
    size_t (*block_vectors)(size_t groups);
    /* Floats of the panels of [groups*width, K]; a multiple of the vector's. */
    size_t (*panels)(size_t groups, size_t width, size_t K);
    /* Packs blocks from vector v0 (a block's first) to v1 of W [groups*width, K], for x W^T. */
    void (*pack_rows)(const float *w, size_t groups, size_t width, size_t K, size_t v0, size_t v1,
                      float *panels);
    /* The same of W [K, width], one group, for dgates W. */
    void (*pack_columns)(const float *w, size_t width, size_t K, size_t v0, size_t v1,
                         float *panels);

    void (*product)(const elman_panel_product *call, const elman_piece *piece);
    /* dh0: out[r][u] = start + next[r] W_hh over the gate rows in PyTorch's order. */
    void (*carry_product)(elman_cell cell, const elman_panel_product *call,
                          const elman_piece *piece);
    void (*forward[ELMAN_CELL_COUNT])(const elman_step_forward *step, const elman_piece *piece);
    void (*backward[ELMAN_CELL_COUNT])(const elman_step_backward *step, const elman_piece *piece);
} elman_recurrent_kernels;

#endif
