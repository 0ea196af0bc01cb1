#include "op/recurrent_norm.h"

static size_t vectors_of(const elman_kernels *kernels, size_t hidden)
{
    return (hidden + kernels->recurrent->width - 1) / kernels->recurrent->width;
}

size_t elman_recurrent_panel_floats(const elman_kernels *kernels, elman_cell cell, size_t hidden,
                                    size_t K)
{
    return kernels->recurrent->panels(elman_cell_gates(cell), hidden, K);
}

void elman_recurrent_pack(const elman_kernels *kernels, elman_cell cell, size_t hidden, size_t K,
                          const float *weight, float *panels)
{
    kernels->recurrent->pack_rows(weight, elman_cell_gates(cell), hidden, K, 0,
                                  vectors_of(kernels, hidden), panels);
}

void elman_recurrent_start(elman_cell cell, size_t hidden, const float *bias_ih,
                           const float *bias_hh, float *start)
{
    size_t sums = (cell == ELMAN_CELL_GRU ? 2 : elman_cell_gates(cell)) * hidden;
    for (size_t j = 0; j < sums; j++)
        start[j] = (bias_ih ? bias_ih[j] : 0.0F) + (bias_hh ? bias_hh[j] : 0.0F);
    for (size_t j = sums; cell == ELMAN_CELL_GRU && j < 3 * hidden; j++) {
        start[j] = bias_ih ? bias_ih[j] : 0.0F;
        start[j + hidden] = bias_hh ? bias_hh[j] : 0.0F;
    }
}

size_t elman_recurrent_gate_floats(const elman_recurrent_weights *weights)
{
    return weights->gain_ih ? elman_recurrent_norm_floats(weights)
                            : elman_cell_parts(weights->cell) * weights->hidden;
}

static elman_panel_product input_product(const elman_recurrent_weights *weights, elman_rows_const x,
                                         elman_rows_mutable gates)
{
    return (elman_panel_product){.K = weights->input,
                                 .groups = elman_cell_gates(weights->cell),
                                 .parts = weights->gain_ih ? elman_cell_gates(weights->cell)
                                                           : elman_cell_parts(weights->cell),
                                 .width = weights->hidden,
                                 .panels = weights->panels_ih,
                                 .left = x,
                                 .start = elman_rows_at(weights->start, 0),
                                 .out = gates};
}

void elman_recurrent_input(const elman_kernels *kernels, const elman_recurrent_weights *weights,
                           size_t rows, elman_rows_const x, elman_rows_mutable gates)
{
    elman_panel_product product = input_product(weights, x, gates);
    elman_piece all = {0, vectors_of(kernels, weights->hidden), 0, rows};
    kernels->recurrent->product(&product, &all);
}

void elman_recurrent_step(const elman_kernels *kernels, const elman_recurrent_weights *weights,
                          const elman_recurrent_step_call *call, const elman_crew *crew)
{
    const elman_recurrent_kernels *recurrent = kernels->recurrent;
    const elman_crew alone = {0, 0, 1};
    if (weights->gain_ih) {
        elman_recurrent_norm_step(kernels, weights, call, crew ? crew : &alone);
        return;
    }
    elman_recurrent_share share =
        elman_recurrent_share_of(vectors_of(kernels, weights->hidden),
                                 recurrent->block_vectors(elman_cell_gates(weights->cell)),
                                 call->rows, crew ? crew : &alone);
    elman_panel_product input = input_product(weights, call->x, call->gates);
    elman_step_forward step = {.H = weights->hidden,
                               .panels = weights->panels_hh,
                               .start = call->from ? *call->from : elman_rows_of(call->gates),
                               .h = call->h,
                               .c = call->c,
                               .gates = call->gates,
                               .h_out = call->h_out,
                               .c_out = call->c_out};
    const elman_piece *pieces[3] = {&share.middle, &share.edges[0], &share.edges[1]};
    for (int i = 0; i < 3; i++) {
        if (pieces[i]->v0 == pieces[i]->v1 || pieces[i]->r0 == pieces[i]->r1)
            continue;
        if (!call->from)
            recurrent->product(&input, pieces[i]);
        recurrent->forward[weights->cell](&step, pieces[i]);
    }
    if (crew)
        elman_crew_wait(crew);
}

/* The place where thread i's share begins: a block, and within it a row. */
typedef struct boundary {
    size_t block, end, row; /* [block,end) vectors */
} boundary;

static boundary boundary_of(size_t vectors, size_t block, size_t rows, size_t i, size_t count)
{
    size_t place = i * vectors; /* in 1/count of a vector */
    size_t begin = place / count / block * block;
    size_t end = begin + block < vectors ? begin + block : vectors;
    if (begin >= vectors)
        return (boundary){vectors, vectors, 0};
    return (boundary){begin, end, rows * (place - begin * count) / ((end - begin) * count)};
}

elman_recurrent_share elman_recurrent_share_of(size_t vectors, size_t block, size_t rows,
                                               const elman_crew *crew)
{
    elman_recurrent_share share = {0};
    size_t i = (size_t)crew->index, count = (size_t)crew->count;
    if (!elman_recurrent_shares_rows(rows)) {
        share.middle = (elman_piece){vectors * i / count, vectors * (i + 1) / count, 0, rows};
        return share;
    }
    boundary from = boundary_of(vectors, block, rows, i, count);
    boundary to = boundary_of(vectors, block, rows, i + 1, count);
    if (from.block == to.block) {
        share.edges[0] = (elman_piece){from.block, from.end, from.row, to.row};
        return share;
    }
    /* A boundary at a block's first vector leaves that block whole, whatever the rows. */
    bool whole = from.block * count == i * vectors;
    share.middle = (elman_piece){whole ? from.block : from.end, to.block, 0, rows};
    if (!whole)
        share.edges[0] = (elman_piece){from.block, from.end, from.row, rows};
    share.edges[1] = (elman_piece){to.block, to.end, 0, to.row};
    return share;
}

int elman_recurrent_threads(elman_cell cell, size_t hidden, size_t rows, int most)
{
    const size_t least = (size_t)1 << 15; /* multiply-adds of a thread's share */
    size_t work = elman_cell_gates(cell) * hidden * hidden * rows / least;
    return work < 1 ? 1 : work < (size_t)most ? (int)work : most;
}
