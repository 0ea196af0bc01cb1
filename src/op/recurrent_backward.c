/* The recurrent layer backwards through time: one loop over the steps, last first, that turns the
 * gates into their gradients; then what they say of weights, inputs and initial states. */
#include <string.h>

#include "op/observe.h"
#include "op/recurrent.h"
#include "op/recurrent_gradients.h"

typedef struct backward_run {
    const elman_kernels *kernels;
    const elman_recurrent_node *n;
    const elman_recurrent_direction *d;
    const float *panels; /* of W_hh for dgates W_hh */
    const float *zeros;  /* [H] */
    float *dh, *dc;      /* [B,H], what flows back to the step at hand */
    float *dh0;          /* [B,H] or NULL */
    const float **first; /* [B] the gates of each sequence's first step, where dh0 is wanted */
} backward_run;

/* Sequences that have a step. */
static size_t running_at_all(const elman_recurrent_node *n)
{
    return n->s->T > 0 ? (size_t)n->s->batch_sizes[0] : 0;
}

static elman_recurrent_share share_of(const backward_run *run, size_t rows, const elman_crew *crew)
{
    const elman_recurrent_kernels *kernels = run->kernels->recurrent;
    size_t vectors = (run->n->H + kernels->width - 1) / kernels->width;
    return elman_recurrent_share_of(vectors, kernels->block_vectors(1), rows, crew);
}

static elman_rows_mutable gate_rows(const backward_run *run, size_t row)
{
    size_t width = run->n->P * run->n->H;
    return elman_rows_mutable_at(run->d->gates + row * width, (ptrdiff_t)width);
}

static void run_step(const backward_run *run, int64_t t, const elman_crew *crew)
{
    const elman_recurrent_node *n = run->n;
    const elman_recurrent_direction *d = run->d;
    const elman_sequences *s = n->s;
    const ptrdiff_t H = (ptrdiff_t)n->H;
    const int64_t next = d->reverse ? t - 1 : t + 1;
    size_t row = (size_t)s->offsets[t], rows = (size_t)s->batch_sizes[t];
    elman_step_backward step = {.H = n->H,
                                .panels = run->panels,
                                .h_out = elman_rows_of(elman_recurrent_y(n, d, row)),
                                .h = elman_recurrent_before(n, d, t, false),
                                .gates = gate_rows(run, row),
                                .dh = elman_rows_mutable_at(run->dh, H),
                                .dc = elman_rows_mutable_at(run->dc, H)};
    if (next >= 0 && next < s->T) {
        size_t running = (size_t)s->batch_sizes[next];
        step.chained = running < rows ? running : rows;
        step.next = elman_rows_of(gate_rows(run, (size_t)s->offsets[next]));
    }
    if (n->layer.y->gradient) {
        size_t width = n->D * n->H;
        step.dy = elman_rows_at(n->layer.y->gradient + row * width + (d->reverse ? n->H : 0),
                                (ptrdiff_t)width);
    }
    if (d->c) {
        step.c = elman_recurrent_before(n, d, t, true);
        step.c_out = elman_rows_at(d->c + row * n->H, H);
    }
    if (d->seen) {
        step.seen_h = elman_rows_mutable_at(d->seen->dh + row * n->H, H);
        if (d->c)
            step.seen_c = elman_rows_mutable_at(d->seen->dc + row * n->H, H);
    }
    elman_recurrent_share share = share_of(run, rows, crew);
    const elman_piece *pieces[3] = {&share.middle, &share.edges[0], &share.edges[1]};
    for (int p = 0; p < 3; p++)
        if (pieces[p]->v0 < pieces[p]->v1 && pieces[p]->r0 < pieces[p]->r1)
            run->kernels->recurrent->backward[n->layer.kind](&step, pieces[p]);
}

/* dh0: the gradient that passes each sequence's first step. Sequences without a step keep their
 * final state's. */
static void run_initial(const backward_run *run, const elman_crew *crew)
{
    const elman_recurrent_node *n = run->n;
    const ptrdiff_t H = (ptrdiff_t)n->H;
    const bool carries = n->layer.kind == ELMAN_CELL_GRU;
    size_t rows = running_at_all(n);
    elman_panel_product product = {
        .K = n->G * n->H,
        .width = n->H,
        .panels = run->panels,
        .left = elman_rows_from(run->first),
        .start = elman_rows_at(carries ? run->dh : run->zeros, carries ? H : 0),
        .out = elman_rows_mutable_at(run->dh0, H)};
    elman_recurrent_share share = share_of(run, rows, crew);
    const elman_piece *pieces[3] = {&share.middle, &share.edges[0], &share.edges[1]};
    for (int p = 0; p < 3; p++)
        if (pieces[p]->v0 < pieces[p]->v1 && pieces[p]->r0 < pieces[p]->r1)
            run->kernels->recurrent->carry_product(n->layer.kind, &product, pieces[p]);
    if (crew->index == 0 && rows < n->B)
        memcpy(run->dh0 + rows * n->H, run->dh + rows * n->H, (n->B - rows) * n->H * sizeof(float));
}

/* all: who waits for one another after a step. */
static void run_steps(const backward_run *run, const elman_crew *crew, const elman_crew *all)
{
    for (int64_t i = run->n->s->T - 1; i >= 0; i--) {
        run_step(run, elman_recurrent_time(run->n, run->d, i), crew);
        elman_crew_wait(all);
    }
    if (run->dh0)
        run_initial(run, crew);
}

static void backward_job(const elman_crew *crew, void *argument)
{
    run_steps(argument, crew, crew);
}

/* Two directions at once. */
static void sides_job(const elman_crew *crew, void *argument)
{
    const backward_run *runs = argument;
    elman_recurrent_side side = elman_recurrent_side_of(crew);
    for (int i = side.begin; i < side.end; i++)
        run_steps(&runs[i], &side.crew, &side.all);
}

/* to [B,H] in packed order = final [directions,B,H]'s gradient in the given order, or zero. */
static void gather_final(const elman_recurrent_node *n, const elman_var *final, size_t direction,
                         float *to)
{
    for (size_t p = 0; p < n->B; p++) {
        size_t b = (size_t)n->s->order[p];
        if (final && final->gradient)
            memcpy(to + p * n->H, final->gradient + (direction * n->B + b) * n->H,
                   n->H * sizeof *to);
        else
            memset(to + p * n->H, 0, n->H * sizeof *to);
    }
}

/* The gradient of an initial state in the given order from [B,H] in packed order. */
static void scatter_initial(const elman_recurrent_node *n, const float *from, size_t direction,
                            bool add, float *gradient)
{
    for (size_t p = 0; p < n->B; p++) {
        float *to = gradient + (direction * n->B + (size_t)n->s->order[p]) * n->H;
        elman_put_row(n->H, from + p * n->H, add, to);
    }
}

/* Where the gradients of what was given are to go; NULL where none is wanted. */
typedef struct given_gradients {
    float *x, *h0, *c0;
    bool add_x, add_h0, add_c0;
} given_gradients;

static float *wanted(elman_tape *tape, elman_var *var, bool *add)
{
    return var && var->needs_gradient ? elman_tape_gradient(tape, var, add) : NULL;
}

static bool prepare(elman_tape *tape, const elman_recurrent_node *n, size_t i, bool initial,
                    backward_run *run)
{
    run->dh = elman_tape_take(tape, n->B, n->H * sizeof(float));
    run->dc = elman_tape_take(tape, n->B, n->H * sizeof(float));
    if (initial) {
        run->dh0 = elman_tape_take(tape, n->B, n->H * sizeof(float));
        run->first = elman_tape_take(tape, n->B, sizeof *run->first);
    }
    if (elman_tape_failed(tape))
        return false;
    for (size_t p = 0; run->first && p < running_at_all(n); p++) {
        int64_t t = run->d->reverse ? n->s->lengths[n->s->order[p]] - 1 : 0;
        run->first[p] = gate_rows(run, (size_t)n->s->offsets[t] + p).base;
    }
    gather_final(n, n->layer.hn, i, run->dh);
    gather_final(n, n->layer.cn, i, run->dc);
    return true;
}

static void run_directions(elman_tape *tape, elman_recurrent_node *n, const float *const panels[2],
                           const float *zeros, const given_gradients *given)
{
    const int most = elman_context_threads(tape->context), sides = elman_recurrent_sides(n, most);
    const int threads = elman_recurrent_threads(n->layer.kind, n->H, n->B, most);
    backward_run runs[2];
    for (size_t i = 0; i < n->D; i++) {
        runs[i] = (backward_run){.kernels = tape->context->kernels,
                                 .n = n,
                                 .d = &n->directions[i],
                                 .panels = panels[i],
                                 .zeros = zeros};
        if (!prepare(tape, n, i, given->h0 != NULL, &runs[i]))
            return;
    }
    if (sides)
        elman_pool_run_on(tape->context, sides, sides_job, runs);
    for (size_t i = 0; i < n->D && !elman_tape_failed(tape); i++) {
        const backward_run *run = &runs[i];
        if (n->normalised)
            elman_recurrent_norm_backward(tape, n, &n->directions[i], panels[i], run->dh, run->dc,
                                          run->dh0);
        else if (!sides)
            elman_pool_run_on(tape->context, threads, backward_job, &runs[i]);
        if (elman_tape_failed(tape))
            return;
        if (given->h0)
            scatter_initial(n, run->dh0, i, given->add_h0, given->h0);
        if (given->c0)
            scatter_initial(n, run->dc, i, given->add_c0, given->c0);
    }
}

void elman_recurrent_backward(elman_tape *tape, elman_node *node)
{
    elman_recurrent_node *n = (elman_recurrent_node *)node;
    const elman_recurrent *layer = &n->layer;
    if (!layer->y->gradient && !layer->hn->gradient && !(layer->cn && layer->cn->gradient))
        return;
    given_gradients given = {0};
    given.x = wanted(tape, layer->x, &given.add_x);
    given.h0 = wanted(tape, layer->h0, &given.add_h0);
    given.c0 = wanted(tape, layer->c0, &given.add_c0);
    const float *panels[2] = {NULL, NULL}, *columns[2] = {NULL, NULL};
    if (!elman_recurrent_pack_backward(tape, n, panels, columns))
        return;
    elman_arena_mark mark = elman_arena_get_mark(&tape->arena);
    float *zeros = elman_tape_floats(tape, n->H);
    if (zeros)
        memset(zeros, 0, n->H * sizeof *zeros);
    if (!elman_tape_failed(tape))
        run_directions(tape, n, panels, zeros, &given);
    if (!elman_tape_failed(tape))
        elman_recurrent_gradients(tape, n, columns, given.x, given.add_x);
    elman_arena_return(&tape->arena, mark);
}
