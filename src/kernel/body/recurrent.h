/* Products over panels of gate weights, shared by the recurrent bodies. */
#ifndef ELMAN_KERNEL_BODY_RECURRENT_H
#define ELMAN_KERNEL_BODY_RECURRENT_H

#include "kernel/body/tile.h"
#include "kernel/recurrent_kernels.h"

/* Vectors of units in a block where there is one group. */
enum { ONE_GROUP_VECTORS = 4, MOST_GROUPS = 4 };

static inline size_t block_vectors(size_t groups)
{
    return groups == 1 ? ONE_GROUP_VECTORS : 1;
}

/* out[r][offsets[g]+u] = start[r][offsets[g]+u] + sum over k in [k0,k1) of
 * left[r][shift+k] * W[g*width+u][k]; out may be start. */
typedef struct recurrent_chains {
    size_t K, k0, k1, shift, groups, width;
    const size_t *offsets; /* [groups] */
    const float *panels;
    elman_rows_const left, start;
    elman_rows_mutable out;
} recurrent_chains;

void ELMAN_KERNEL(elman_recurrent_chains)(const recurrent_chains *call, const elman_piece *piece);

/* Vectors from v on whose chains run at once when there are few rows: a whole number of blocks. */
size_t ELMAN_KERNEL(elman_recurrent_stride)(size_t groups, size_t rows);

size_t ELMAN_KERNEL(elman_recurrent_panels)(size_t groups, size_t width, size_t K);
void ELMAN_KERNEL(elman_recurrent_pack_rows)(const float *w, size_t groups, size_t width, size_t K,
                                             size_t v0, size_t v1, float *panels);
void ELMAN_KERNEL(elman_recurrent_pack_columns)(const float *w, size_t width, size_t K, size_t v0,
                                                size_t v1, float *panels);

/* The entries of the table. */
void ELMAN_KERNEL(elman_recurrent_product)(const elman_panel_product *call,
                                           const elman_piece *piece);
void ELMAN_KERNEL(elman_recurrent_carry_product)(elman_cell cell, const elman_panel_product *call,
                                                 const elman_piece *piece);
void ELMAN_KERNEL(elman_rnn_tanh_forward)(const elman_step_forward *, const elman_piece *);
void ELMAN_KERNEL(elman_rnn_relu_forward)(const elman_step_forward *, const elman_piece *);
void ELMAN_KERNEL(elman_lstm_forward)(const elman_step_forward *, const elman_piece *);
void ELMAN_KERNEL(elman_gru_forward)(const elman_step_forward *, const elman_piece *);
void ELMAN_KERNEL(elman_rnn_tanh_backward)(const elman_step_backward *, const elman_piece *);
void ELMAN_KERNEL(elman_rnn_relu_backward)(const elman_step_backward *, const elman_piece *);
void ELMAN_KERNEL(elman_lstm_backward)(const elman_step_backward *, const elman_piece *);
void ELMAN_KERNEL(elman_gru_backward)(const elman_step_backward *, const elman_piece *);

#endif
