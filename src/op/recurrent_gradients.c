#include "op/recurrent_gradients.h"

#include <string.h>

/* The rows of one direction in the order of every parameter's chain: its last step first, within a
 * step as packed. And, for a small table, which of its rows occur. */
typedef struct chain_rows {
    const float **gates, **gates_q, **h, **x; /* [N]; gates_q: such that n's part is a GRU's
                                               * q, or the recurrent sums' gradients */
    size_t present;
    float **sums;          /* [present] gate gradients summed by row */
    const float **rows;    /* [present] of the table */
    float **row_gradients; /* [present] of the table's gradient, or NULL */
    float **sum_of;        /* [N] the row of sums that each belongs to */
} chain_rows;

typedef struct gradient_work {
    const elman_kernels *kernels;
    const elman_recurrent_node *n;
    const elman_recurrent_direction *d;
    const float *columns; /* packed W_ih; NULL: no gradient of the input */
    chain_rows rows;
    bool summed, first; /* a small table; the direction that dx's chains begin with */
    float *dx;          /* [N,I] or NULL */
    float *scratch;     /* scratch_floats a thread */
    size_t scratch_floats;
} gradient_work;

static float *gradient_of(const elman_parameter *parameter)
{
    return parameter ? parameter->gradient : NULL;
}

/* Where normalisation stands between the biases and the sums, recurrent_norm.c has them. */
static float *bias_gradient_of(const gradient_work *work, const elman_parameter *bias)
{
    return work->n->normalised ? NULL : gradient_of(bias);
}

/* Rows [m0,m1) of c [.., width] += a^T b over the chain, and their biases'. */
static void continue_rows(const gradient_work *work, const elman_crew *crew, const float **a,
                          size_t k, const float **b, size_t width, float *c, float *sums,
                          const size_t m[2])
{
    if ((!c && !sums) || m[0] >= m[1])
        return;
    elman_product_columns call = {.k = k,
                                  .m = work->n->G * work->n->H,
                                  .n = c ? width : 0,
                                  .m0 = m[0],
                                  .m1 = m[1],
                                  .a = elman_rows_from(a),
                                  .b = elman_rows_from(b),
                                  .c = c,
                                  .ldc = width,
                                  .sums = sums,
                                  .keep = true};
    call.scratch = work->scratch + (size_t)crew->index * work->scratch_floats;
    work->kernels->product->columns(&call);
}

/* dW_ih, db_ih: over x and the gates that x feeds. */
static void input_weights(const gradient_work *work, const elman_crew *crew, size_t m0, size_t m1)
{
    const elman_recurrent_node *n = work->n;
    const chain_rows *rows = &work->rows;
    const size_t m[2] = {m0, m1};
    float *dw = gradient_of(work->d->cell.weight_ih),
          *db = bias_gradient_of(work, work->d->cell.bias_ih);
    if (!work->summed) {
        continue_rows(work, crew, rows->gates, n->N, rows->x, n->I, dw, db, m);
        return;
    }
    continue_rows(work, crew, rows->gates, n->N, rows->x, n->I, NULL, db, m);
    for (size_t i = 0; i < rows->present; i++)
        memset(rows->sums[i] + m0, 0, (m1 - m0) * sizeof(float));
    for (size_t i = 0; i < n->N; i++)
        work->kernels->product->add(m1 - m0, rows->gates[i] + m0, rows->sum_of[i] + m0);
    continue_rows(work, crew, (const float **)rows->sums, rows->present, rows->rows, n->I, dw, NULL,
                  m);
}

/* dW_hh, db_hh: over h of the step before and the gates that it feeds. */
static void state_weights(const gradient_work *work, const elman_crew *crew, size_t m0, size_t m1)
{
    const elman_recurrent_node *n = work->n;
    const chain_rows *rows = &work->rows;
    float *dw = gradient_of(work->d->cell.weight_hh),
          *db = bias_gradient_of(work, work->d->cell.bias_hh);
    bool apart = n->layer.kind == ELMAN_CELL_GRU && !n->normalised;
    size_t own = apart ? 2 * n->H : n->G * n->H;
    const size_t m[2] = {m0, m1 < own ? m1 : own}, q[2] = {m0 > own ? m0 : own, m1};
    continue_rows(work, crew, n->normalised ? rows->gates_q : rows->gates, n->N, rows->h, n->H, dw,
                  db, m);
    continue_rows(work, crew, rows->gates_q, n->N, rows->h, n->H, dw, db, q);
}

static void weights_job(const elman_crew *crew, void *argument)
{
    const gradient_work *work = argument;
    size_t m0, m1;
    elman_crew_share(crew, work->n->G * work->n->H, 16, &m0, &m1);
    if (m0 >= m1)
        return;
    state_weights(work, crew, m0, m1);
    input_weights(work, crew, m0, m1);
}

/* dx = dgates W_ih, the forward direction's rows, then the reverse's: one chain. */
static void input_job(const elman_crew *crew, void *argument)
{
    const gradient_work *work = argument;
    const elman_recurrent_node *n = work->n;
    const size_t width = n->P * n->H;
    size_t begin, end;
    elman_crew_share(crew, n->N, 24, &begin, &end);
    if (begin >= end)
        return;
    float *dx = work->dx + begin * n->I;
    elman_product_rows call = {.m = end - begin,
                               .k = n->G * n->H,
                               .n = n->I,
                               .n1 = n->I,
                               .a = elman_rows_at(work->d->gates + begin * width, (ptrdiff_t)width),
                               .b = work->columns,
                               .c = elman_rows_mutable_at(dx, (ptrdiff_t)n->I),
                               .initial = work->first ? ELMAN_PRODUCT_ZERO : ELMAN_PRODUCT_ROWS,
                               .from = elman_rows_at(dx, (ptrdiff_t)n->I)};
    work->kernels->product->rows(&call);
}

/* A small table's gradient += sums W_ih, a chain over the gates. */
static void table_job(const elman_crew *crew, void *argument)
{
    const gradient_work *work = argument;
    const elman_recurrent_node *n = work->n;
    const chain_rows *rows = &work->rows;
    size_t begin, end;
    elman_crew_share(crew, rows->present, 1, &begin, &end);
    if (begin >= end)
        return;
    elman_rows_mutable to = elman_rows_mutable_from(rows->row_gradients + begin);
    elman_product_rows call = {.m = end - begin,
                               .k = n->G * n->H,
                               .n = n->I,
                               .n1 = n->I,
                               .a = elman_rows_from((const float **)rows->sums + begin),
                               .b = work->columns,
                               .c = to,
                               .initial = ELMAN_PRODUCT_ROWS,
                               .from = elman_rows_of(to)};
    work->kernels->product->rows(&call);
}

/* A large table's gradient: one row of dx after another, last step first. */
typedef struct scatter_work {
    const elman_kernels *kernels;
    const elman_recurrent_node *n;
    const float *dx;
} scatter_work;

static void scatter_job(const elman_crew *crew, void *argument)
{
    const scatter_work *work = argument;
    const elman_recurrent_node *n = work->n;
    const elman_sequences *s = n->s;
    size_t begin, end;
    elman_crew_share(crew, n->I, 16, &begin, &end);
    if (begin >= end)
        return;
    for (int64_t t = s->T - 1; t >= 0; t--)
        for (int64_t row = s->offsets[t]; row < s->offsets[t + 1]; row++)
            work->kernels->product->add(end - begin, work->dx + (size_t)row * n->I + begin,
                                        n->layer.table->gradient +
                                            (size_t)n->layer.tokens[row] * n->I + begin);
}

static void add_job(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    (void)kernels;
    float *const *places = argument; /* from, to */
    elman_put_row(end - begin, places[0] + begin, true, places[1] + begin);
}

/* -- what the jobs read ------------------------------------------------------------------------ */

static bool order_rows(elman_tape *tape, const elman_recurrent_node *n,
                       const elman_recurrent_direction *d, chain_rows *rows)
{
    const elman_sequences *s = n->s;
    const size_t width = n->P * n->H;
    rows->gates = elman_tape_take(tape, n->N, sizeof *rows->gates);
    rows->gates_q = elman_tape_take(tape, n->N, sizeof *rows->gates_q);
    rows->h = elman_tape_take(tape, n->N, sizeof *rows->h);
    rows->x = elman_tape_take(tape, n->N, sizeof *rows->x);
    if (elman_tape_failed(tape))
        return false;
    size_t to = 0;
    for (int64_t i = s->T - 1; i >= 0; i--) {
        int64_t t = elman_recurrent_time(n, d, i);
        elman_rows_const before = elman_recurrent_before(n, d, t, false);
        for (size_t r = 0; r < (size_t)s->batch_sizes[t]; r++, to++) {
            size_t row = (size_t)s->offsets[t] + r;
            rows->gates[to] = d->gates + row * width;
            rows->gates_q[to] = n->normalised ? d->gates_h + row * width : rows->gates[to] + n->H;
            rows->h[to] = elman_row(&before, r);
            rows->x[to] = elman_row(&n->x, row);
        }
    }
    return true;
}

/* The table's rows that occur, ascending. */
static bool order_table(elman_tape *tape, const elman_recurrent_node *n, chain_rows *rows)
{
    const float *table = n->layer.table->value.data;
    float **sum_of_row = elman_tape_take(tape, n->V, sizeof *sum_of_row);
    const size_t G = n->G * n->H, most = n->V < n->N ? n->V : n->N;
    float *sums = elman_tape_take(tape, most, G * sizeof *sums);
    rows->sums = elman_tape_take(tape, most, sizeof *rows->sums);
    rows->rows = elman_tape_take(tape, most, sizeof *rows->rows);
    rows->row_gradients = elman_tape_take(tape, most, sizeof *rows->row_gradients);
    rows->sum_of = elman_tape_take(tape, n->N, sizeof *rows->sum_of);
    if (elman_tape_failed(tape))
        return false;
    memset(sum_of_row, 0, n->V * sizeof *sum_of_row);
    for (size_t i = 0; i < n->N; i++)
        sum_of_row[n->layer.tokens[i]] = sums;
    for (size_t v = 0; v < n->V; v++) {
        if (!sum_of_row[v])
            continue;
        size_t i = rows->present++;
        sum_of_row[v] = rows->sums[i] = sums + i * G;
        rows->rows[i] = table + v * n->I;
        if (n->layer.table->gradient)
            rows->row_gradients[i] = n->layer.table->gradient + v * n->I;
    }
    for (size_t i = 0; i < n->N; i++)
        rows->sum_of[i] = sum_of_row[(size_t)(rows->x[i] - table) / n->I];
    return true;
}

static void run_direction(elman_tape *tape, const elman_recurrent_node *n, size_t i,
                          const float *columns, float *dx)
{
    elman_context *context = tape->context;
    gradient_work work = {.kernels = context->kernels,
                          .n = n,
                          .d = &n->directions[i],
                          .columns = columns,
                          .summed = n->layer.table && n->V <= ELMAN_TABLE_ROWS,
                          .first = i == 0,
                          .dx = dx};
    if (!order_rows(tape, n, work.d, &work.rows) ||
        (work.summed && !order_table(tape, n, &work.rows)))
        return;
    const elman_product_kernels *product = work.kernels->product;
    const int threads = elman_context_threads(context);
    const size_t share = n->G * n->H / (size_t)threads + 16;
    size_t wide = n->I > n->H ? n->I : n->H;
    work.scratch_floats = (product->columns_scratch(share, wide, n->N) + 15) / 16 * 16;
    work.scratch = elman_tape_take(tape, (size_t)threads, work.scratch_floats * sizeof(float));
    if (elman_tape_failed(tape))
        return;
    elman_pool_run(context, weights_job, &work);
    if (work.summed && columns)
        elman_pool_run(context, table_job, &work);
    else if (dx)
        elman_pool_run(context, input_job, &work);
}

void elman_recurrent_gradients(elman_tape *tape, const elman_recurrent_node *n,
                               const float *const columns[2], float *dx, bool add)
{
    const bool large = n->layer.table && n->V > ELMAN_TABLE_ROWS && n->layer.table->gradient;
    float *flow = dx;
    if ((dx && add) || large)
        flow = elman_tape_take(tape, n->N, n->I * sizeof(float));
    for (size_t i = 0; i < n->D && !elman_tape_failed(tape); i++)
        run_direction(tape, n, i, columns[i], flow);
    if (elman_tape_failed(tape))
        return;
    if (large) {
        scatter_work work = {tape->context->kernels, n, flow};
        elman_pool_run(tape->context, scatter_job, &work);
    } else if (dx && add) {
        float *places[2] = {flow, dx};
        elman_share(tape, n->N * n->I, 1, add_job, places);
    }
}
