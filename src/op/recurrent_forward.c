/* The recurrent layer forwards: the input product of many steps at once, then one loop over time
 * in which each thread owns a slice of the hidden units. */
#include <string.h>

#include "op/recurrent.h"

/* Rows of the input product made ahead of the steps that read them: few enough to stay in cache.
 * Where one thread runs the steps, all threads make the product, so that more pay. */
enum { ROWS_AHEAD = 96, ROWS_AHEAD_ALONE = 1024 };

typedef struct forward_run {
    const elman_kernels *kernels;
    const elman_recurrent_node *n;
    const elman_recurrent_direction *d;
    int64_t begin, end; /* steps, in the direction's order */
    size_t ahead;       /* rows */
    bool input, steps;  /* which of the two this job does */
} forward_run;

static size_t rows_at(const forward_run *run, int64_t i)
{
    return (size_t)run->n->s->batch_sizes[elman_recurrent_time(run->n, run->d, i)];
}

/* Where the run of steps [begin,..) that is made ahead ends: its rows share in one mode. */
static int64_t chunk_end(const forward_run *run, int64_t begin, int64_t limit)
{
    size_t rows = rows_at(run, begin);
    bool mode = elman_recurrent_shares_rows(rows);
    int64_t i = begin + 1;
    while (i < limit && rows + rows_at(run, i) <= run->ahead &&
           elman_recurrent_shares_rows(rows_at(run, i)) == mode)
        rows += rows_at(run, i++);
    return i;
}

/* The first packed row of steps [begin,end), and how many rows they have. */
static size_t chunk_rows(const forward_run *run, int64_t begin, int64_t end, size_t *first)
{
    int64_t a = elman_recurrent_time(run->n, run->d, begin);
    int64_t b = elman_recurrent_time(run->n, run->d, end - 1);
    const int64_t *offsets = run->n->s->offsets;
    *first = (size_t)offsets[a < b ? a : b];
    return (size_t)offsets[(a < b ? b : a) + 1] - *first;
}

static bool has_work(const elman_piece *piece)
{
    return piece->v0 < piece->v1 && piece->r0 < piece->r1;
}

/* Gate rows from packed row `row` on. Scratch is used from the chunk's first row. */
static elman_rows_mutable gate_rows(const forward_run *run, size_t first, size_t row)
{
    size_t width = run->n->P * run->n->H;
    size_t place = run->n->recorded ? row : row - first;
    return elman_rows_mutable_at(run->d->gates + place * width, (ptrdiff_t)width);
}

static elman_recurrent_share share_of(const forward_run *run, size_t rows, const elman_crew *crew)
{
    const elman_recurrent_kernels *kernels = run->kernels->recurrent;
    size_t vectors = (run->n->H + kernels->width - 1) / kernels->width;
    return elman_recurrent_share_of(vectors, kernels->block_vectors(run->n->G), rows, crew);
}

/* gates = start + x W_ih^T of this thread's units: the middle over all rows, what is shared with
 * another thread step by step, as the steps will share it. */
static void input_product(const forward_run *run, int64_t begin, int64_t end,
                          const elman_crew *crew)
{
    const elman_recurrent_node *n = run->n;
    const elman_recurrent_weights *w = &run->d->weights;
    size_t first, rows = chunk_rows(run, begin, end, &first);
    elman_panel_product product = {.K = n->I,
                                   .groups = n->G,
                                   .parts = n->P,
                                   .width = n->H,
                                   .panels = w->panels_ih,
                                   .left = elman_rows_skip(n->x, first),
                                   .start = elman_rows_at(w->start, 0),
                                   .out = gate_rows(run, first, first)};
    elman_piece middle = share_of(run, rows_at(run, begin), crew).middle;
    middle.r1 = rows;
    if (has_work(&middle))
        run->kernels->recurrent->product(&product, &middle);
    for (int64_t i = begin; i < end; i++) {
        size_t row = (size_t)n->s->offsets[elman_recurrent_time(n, run->d, i)];
        elman_recurrent_share share = share_of(run, rows_at(run, i), crew);
        product.left = elman_rows_skip(n->x, row);
        product.out = gate_rows(run, first, row);
        for (int e = 0; e < 2; e++)
            if (has_work(&share.edges[e]))
                run->kernels->recurrent->product(&product, &share.edges[e]);
    }
}

static void run_step(const forward_run *run, int64_t i, size_t first, const elman_crew *crew)
{
    const elman_recurrent_node *n = run->n;
    const elman_recurrent_direction *d = run->d;
    int64_t t = elman_recurrent_time(n, d, i);
    size_t row = (size_t)n->s->offsets[t];
    elman_rows_mutable gates = gate_rows(run, first, row);
    elman_step_forward step = {.H = n->H,
                               .panels = d->weights.panels_hh,
                               .start =
                                   d->from ? elman_rows_from(d->from + row) : elman_rows_of(gates),
                               .h = elman_recurrent_before(n, d, t, false),
                               .gates = gates,
                               .h_out = elman_recurrent_y(n, d, row)};
    if (d->c) {
        step.c = elman_recurrent_before(n, d, t, true);
        step.c_out = elman_rows_mutable_at(d->c + row * n->H, (ptrdiff_t)n->H);
    }
    elman_recurrent_share share = share_of(run, rows_at(run, i), crew);
    const elman_piece *pieces[3] = {&share.middle, &share.edges[0], &share.edges[1]};
    for (int p = 0; p < 3; p++)
        if (has_work(pieces[p]))
            run->kernels->recurrent->forward[n->layer.kind](&step, pieces[p]);
}

/* all: who waits for one another after a step. */
static void run_chunks(const forward_run *run, const elman_crew *crew, const elman_crew *all)
{
    for (int64_t begin = run->begin, end; begin < run->end; begin = end) {
        end = chunk_end(run, begin, run->end);
        if (run->input && !run->d->from)
            input_product(run, begin, end, crew);
        size_t first;
        chunk_rows(run, begin, end, &first);
        for (int64_t i = begin; run->steps && i < end; i++) {
            run_step(run, i, first, crew);
            elman_crew_wait(all);
        }
    }
}

static void forward_job(const elman_crew *crew, void *argument)
{
    run_chunks(argument, crew, crew);
}

/* Two directions at once. */
static void sides_job(const elman_crew *crew, void *argument)
{
    const forward_run *runs = argument;
    elman_recurrent_side side = elman_recurrent_side_of(crew);
    for (int i = side.begin; i < side.end; i++)
        run_chunks(&runs[i], &side.crew, &side.all);
}

static void run_direction(elman_tape *tape, forward_run *run)
{
    const elman_recurrent_node *n = run->n;
    const int threads = elman_context_threads(tape->context);
    const int step_threads = elman_recurrent_threads(n->layer.kind, n->H, n->B, threads);
    if (step_threads > 1 || threads == 1 || run->d->from) {
        elman_pool_run_on(tape->context, step_threads, forward_job, run);
        return;
    }
    for (int64_t begin = 0; begin < n->s->T; begin = run->end) {
        run->begin = begin;
        run->end = chunk_end(run, begin, n->s->T);
        size_t first, rows = chunk_rows(run, begin, run->end, &first);
        int input_threads =
            elman_recurrent_threads(n->layer.kind, n->H, rows * n->I / n->H, threads);
        run->input = true;
        run->steps = input_threads == 1;
        elman_pool_run_on(tape->context, input_threads, forward_job, run);
        if (!run->steps) {
            run->input = false;
            run->steps = true;
            elman_pool_run_on(tape->context, 1, forward_job, run);
        }
    }
}

/* final [directions,B,H] in the given order: each sequence's last state, or its first one. */
static void copy_final(const elman_recurrent_node *n, const elman_recurrent_direction *d,
                       elman_var *final, bool cell)
{
    const elman_sequences *s = n->s;
    if (!final)
        return;
    float *to = final->value.data + (d->reverse ? n->B * n->H : 0);
    for (size_t p = 0; p < n->B; p++) {
        int64_t b = s->order[p], length = s->lengths[b];
        const float *from;
        if (length == 0) {
            from = elman_row(cell ? &d->c0 : &d->h0, p);
        } else {
            size_t row = (size_t)s->offsets[d->reverse ? 0 : length - 1] + p;
            elman_rows_mutable y = elman_recurrent_y(n, d, row);
            from = cell ? d->c + row * n->H : y.base;
        }
        memcpy(to + (size_t)b * n->H, from, n->H * sizeof *to);
    }
}

/* Where gates are not kept: the rows of a chunk, for each direction that runs at once. */
static void lend_gates(elman_tape *tape, elman_recurrent_node *n, size_t ahead, bool at_once)
{
    size_t rows = n->B > ahead ? n->B : ahead;
    rows = rows < n->N ? rows : n->N;
    for (size_t i = 0; i < n->D; i++)
        n->directions[i].gates = i == 0 || at_once
                                     ? elman_tape_take(tape, rows, n->P * n->H * sizeof(float))
                                     : n->directions[0].gates;
}

void elman_recurrent_run(elman_tape *tape, elman_recurrent_node *n)
{
    const int threads = elman_context_threads(tape->context);
    const int sides = elman_recurrent_sides(n, threads);
    bool alone = elman_recurrent_threads(n->layer.kind, n->H, n->B, threads) == 1 && threads > 1;
    size_t ahead = alone && !sides ? ROWS_AHEAD_ALONE : ROWS_AHEAD;
    if (!n->recorded && !n->normalised)
        lend_gates(tape, n, ahead, sides > 0);
    if (elman_tape_failed(tape))
        return;
    forward_run runs[2];
    for (size_t i = 0; i < n->D; i++)
        runs[i] = (forward_run){.kernels = tape->context->kernels,
                                .n = n,
                                .d = &n->directions[i],
                                .ahead = ahead,
                                .input = true,
                                .steps = true,
                                .end = n->s->T};
    if (sides)
        elman_pool_run_on(tape->context, sides, sides_job, runs);
    for (size_t i = 0; i < n->D && !elman_tape_failed(tape); i++) {
        elman_recurrent_direction *d = &n->directions[i];
        if (n->normalised)
            elman_recurrent_norm_run(tape, n, d);
        else if (!sides)
            run_direction(tape, &runs[i]);
        copy_final(n, d, n->layer.hn, false);
        copy_final(n, d, n->layer.cn, true);
    }
}
