/* What the files of the recurrent layer share: the node, and its view of a batch step by step. */
#ifndef ELMAN_OP_RECURRENT_H
#define ELMAN_OP_RECURRENT_H

#include "graph/tape_impl.h"
#include "op/op.h"
#include "op/recurrent_step.h"

/* A table of at most this many rows is multiplied by W_ih once, and its gradient summed by row. */
enum { ELMAN_TABLE_ROWS = 1024 };

/* One direction's run over the batch. */
typedef struct elman_recurrent_direction {
    elman_cell_parameters cell;
    bool reverse;
    elman_recurrent_weights weights;
    float *gates;                       /* [N, P*H], or scratch for some steps */
    float *c;                           /* [N,H] of an LSTM */
    elman_rows_const h0, c0;            /* [B], in packed order */
    const float **before_h, **before_c; /* [N] where rows do not lie at a distance, else NULL */
    float *gates_h; /* a layer-normalised cell's gradients of the recurrent sums; else NULL */
    struct elman_recurrent_norm *norm;
    const float **from;             /* [N] rows of the table's product, or NULL */
    struct elman_observation *seen; /* op/observe.h; NULL: nobody looks */
} elman_recurrent_direction;

typedef struct elman_recurrent_node {
    elman_node node;
    elman_recurrent layer;
    const elman_sequences *s;
    size_t D, B, N, I, H, G, P;
    size_t V; /* rows of the table */
    bool recorded, normalised;
    elman_rows_const x; /* [N] of I: values, or the table's rows */
    elman_recurrent_direction directions[2];
} elman_recurrent_node;

/* The step that is number i in the direction's own order. */
static inline int64_t elman_recurrent_time(const elman_recurrent_node *n,
                                           const elman_recurrent_direction *d, int64_t i)
{
    return d->reverse ? n->s->T - 1 - i : i;
}

/* Rows of y of this direction from packed row `row` on. */
static inline elman_rows_mutable elman_recurrent_y(const elman_recurrent_node *n,
                                                   const elman_recurrent_direction *d, size_t row)
{
    size_t width = n->D * n->H;
    float *y = n->layer.y->value.data + (d->reverse ? n->H : 0);
    return elman_rows_mutable_at(y + row * width, (ptrdiff_t)width);
}

/* The states that step t starts from. */
elman_rows_const elman_recurrent_before(const elman_recurrent_node *n,
                                        const elman_recurrent_direction *d, int64_t t, bool cell);

/* Places of the parameters' packed copies, filled where they are stale. */
bool elman_recurrent_pack_forward(elman_tape *tape, elman_recurrent_node *n);
bool elman_recurrent_pack_backward(elman_tape *tape, const elman_recurrent_node *n,
                                   const float *panels_hh[2], const float *columns_ih[2]);

/* On how many threads both directions run at once, one half of them each: then no thread waits for
 * another at every step, or there are twice as many to share a step. 0: they run one after the
 * other, since there is one, little to do, or weights too large for a thread's cache. */
static inline int elman_recurrent_sides(const elman_recurrent_node *n, int threads)
{
    const size_t cached = (size_t)1 << 18, least = (size_t)1 << 17; /* floats, multiply-adds */
    const size_t weights = n->G * n->H * n->H;
    if (n->D < 2 || threads < 2 || n->normalised || weights * n->N < least)
        return 0;
    int alone = elman_recurrent_threads(n->layer.kind, n->H, n->B, threads);
    if (alone == threads && weights > cached)
        return 0;
    return 2 * (alone < threads / 2 ? alone : threads / 2);
}

/* What a thread of such a crew does: directions [begin,end), as a member of `crew`; all wait for
 * one another after a step. A crew of one does both. */
typedef struct elman_recurrent_side {
    int begin, end;
    elman_crew crew, all;
} elman_recurrent_side;

static inline elman_recurrent_side elman_recurrent_side_of(const elman_crew *crew)
{
    const int half = crew->count / 2, index = crew->index;
    if (half == 0)
        return (elman_recurrent_side){0, 2, *crew, *crew};
    if (index >= 2 * half)
        return (elman_recurrent_side){0};
    return (elman_recurrent_side){.begin = index / half,
                                  .end = index / half + 1,
                                  .crew = {crew->pool, index % half, half},
                                  .all = {crew->pool, index, half > 1 ? 2 * half : 1}};
}

void elman_recurrent_run(elman_tape *tape, elman_recurrent_node *n);
void elman_recurrent_backward(elman_tape *tape, elman_node *node);

/* The layer-normalised cells (op/recurrent_norm.c): what a direction keeps, its run over the batch,
 * and back: from dh, dc [B,H] as elman_step_backward has them to the gradients of both sums, which
 * become the direction's gates and gates_h. dh0 NULL: not wanted. */
void elman_recurrent_norm_lay_out(elman_tape *tape, const elman_recurrent_node *n,
                                  elman_recurrent_direction *d);
/* The activated gates of a row in PyTorch's order; behind a GRU's its q. Not of an RNN. */
const float *elman_recurrent_norm_gates(const elman_recurrent_direction *d, size_t row, size_t H);
void elman_recurrent_norm_run(elman_tape *tape, const elman_recurrent_node *n,
                              elman_recurrent_direction *d);
void elman_recurrent_norm_backward(elman_tape *tape, const elman_recurrent_node *n,
                                   elman_recurrent_direction *d, const float *panels, float *dh,
                                   float *dc, float *dh0);

#endif
