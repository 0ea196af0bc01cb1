/* Layer-normalised cells (Ba, Kiros & Hinton 2016, equations 20 to 22 and the supplement's GRU).
 * LN(a; gain) = gain * (a - mean) / sqrt(variance + 1e-5), over all that stands in one vector;
 * x's and h's sums are chains from zero, without biases:
 *
 *   LSTM  (i,f,g,o) = LN(W_hh h; gain_hh) + LN(W_ih x; gain_ih) + b      over 4H     (20)
 *         c' = sigmoid(f)*c + sigmoid(i)*tanh(g)                                     (21)
 *         h' = sigmoid(o)*tanh(LN(c'; gain_cell) + bias_cell)            over H      (22)
 *   GRU   (r,z) = LN(W_hh h) + LN(W_ih x) + b                            over 2H
 *         n = tanh(LN(W_ih x) + b + sigmoid(r)*LN(W_hh h))               over H
 *         h' = n + sigmoid(z)*(h - n)
 *   RNN   h' = tanh or max(0,.) of LN(W_hh h) + LN(W_ih x) + b           over H
 *
 * A vector's sums take each gate alone, gates in order. Statistics want a whole row, so that each
 * step has two waits: units are shared for the products, rows for the rest. */
#include "op/recurrent_norm.h"
#include "op/observe.h"
#include "op/recurrent.h"
#include "op/share.h"

static const float epsilon = 1e-5F;

/* What backward needs of a row: the sums, their statistics, the activated gates. */
typedef struct elman_recurrent_norm {
    float *sums_x, *sums_h; /* [N, G*H] */
    float *statistics;      /* [N, 10]: mean and inverse of two vectors of x, two of h, the cell */
    float *gates;           /* [N, 5*H]: activated; a GRU's q, an LSTM's tanh of the cell behind */
} elman_recurrent_norm;

enum { STATISTICS = 10, CELL_STATISTICS = 8, KEPT_GATES = 5 };

typedef struct norm_run {
    const elman_kernels *kernels;
    const elman_recurrent_node *n;
    const elman_recurrent_direction *d;
    float *scratch; /* scratch_floats(n) a thread */
    /* backward */
    const float *panels;
    float *dh, *dc, *dh0;
    float *flow_x, *flow_h;   /* [N, G*H] gradients behind the normalisations */
    float *dsums_x, *dsums_h; /* [N, G*H] and before them */
    float *flow_cell;         /* [N,H] */
} norm_run;

static size_t row_scratch(size_t G, size_t H)
{
    return (2 * G + 6) * H;
}

static size_t scratch_floats(const elman_recurrent_node *n)
{
    return row_scratch(n->G, n->H);
}

static float *scratch_of(const norm_run *run, const elman_crew *crew)
{
    return run->scratch + (size_t)crew->index * scratch_floats(run->n);
}

/* -- one vector of some gates --------------------------------------------------------------------
 */

typedef struct norm_vector {
    size_t first, gates; /* gates of the row */
} norm_vector;

/* The vectors that a cell normalises; how many. */
static int vectors_of(elman_cell cell, norm_vector vectors[2])
{
    vectors[0] = (norm_vector){0, elman_cell_gates(cell)};
    if (cell != ELMAN_CELL_GRU)
        return 1;
    vectors[0].gates = 2;
    vectors[1] = (norm_vector){2, 1};
    return 2;
}

static void normalise(const elman_math_kernels *math, size_t H, size_t gates, const float *a,
                      const float *gain, float *out, float statistics[2])
{
    const size_t count = gates * H;
    double sum = 0, squares = 0;
    for (size_t g = 0; g < gates; g++)
        sum += elman_sum(math, a + g * H, H);
    float mean = (float)(sum / (double)count);
    for (size_t j = 0; j < count; j++)
        out[j] = a[j] - mean;
    for (size_t g = 0; g < gates; g++)
        squares += elman_sum_squares(math, out + g * H, H);
    float inverse = 1.0F / sqrtf((float)(squares / (double)count) + epsilon);
    for (size_t j = 0; j < count; j++)
        out[j] = out[j] * inverse * gain[j];
    statistics[0] = mean;
    statistics[1] = inverse;
}

/* da = inverse * ((dxhat - mean(dxhat)) - xhat * mean(dxhat*xhat)), dxhat = flow * gain.
 * scratch: 2*gates*H. */
static void normalise_backward(const elman_math_kernels *math, size_t H, size_t gates,
                               const float *flow, const float *a, const float *gain,
                               const float statistics[2], float *da, float *scratch)
{
    const size_t count = gates * H;
    float *dxhat = scratch, *product = scratch + count;
    double sum = 0, dot = 0;
    for (size_t j = 0; j < count; j++) {
        dxhat[j] = flow[j] * gain[j];
        product[j] = dxhat[j] * ((a[j] - statistics[0]) * statistics[1]);
    }
    for (size_t g = 0; g < gates; g++) {
        sum += elman_sum(math, dxhat + g * H, H);
        dot += elman_sum(math, product + g * H, H);
    }
    float m1 = (float)(sum / (double)count), m2 = (float)(dot / (double)count);
    for (size_t j = 0; j < count; j++) {
        float xhat = (a[j] - statistics[0]) * statistics[1];
        da[j] = elman_flush(statistics[1] * ((dxhat[j] - m1) - xhat * m2));
    }
}

/* -- one row --------------------------------------------------------------------------------------
 */

/* Where a row's step lies. c, c_out: LSTM. */
typedef struct row_place {
    const float *sums_x, *sums_h, *h, *c;
    float *gates, *statistics, *c_out, *h_out, *scratch;
} row_place;

static void row_forward(const elman_math_kernels *math, const elman_recurrent_weights *w,
                        const row_place *at_row)
{
    const size_t H = w->hidden, G = elman_cell_gates(w->cell);
    float *gate = at_row->gates, *statistics = at_row->statistics, *y = at_row->h_out;
    float *from_x = at_row->scratch, *from_h = from_x + G * H;
    norm_vector vectors[2];
    for (int i = 0, count = vectors_of(w->cell, vectors); i < count; i++) {
        const size_t at = vectors[i].first * H;
        normalise(math, H, vectors[i].gates, at_row->sums_x + at, w->gain_ih + at, from_x + at,
                  statistics + 2 * i);
        normalise(math, H, vectors[i].gates, at_row->sums_h + at, w->gain_hh + at, from_h + at,
                  statistics + 4 + 2 * i);
    }
    const size_t joint = w->cell == ELMAN_CELL_GRU ? 2 * H : G * H;
    for (size_t j = 0; j < G * H; j++) {
        float x = w->bias ? from_x[j] + w->bias[j] : from_x[j];
        from_x[j] = j < joint ? x + from_h[j] : x;
    }
    switch (w->cell) {
    case ELMAN_CELL_RNN:
        math->tanh(y, from_x, H);
        break;
    case ELMAN_CELL_RNN_RELU:
        math->relu(y, from_x, H);
        break;
    case ELMAN_CELL_LSTM: {
        const float *c = at_row->c;
        float *c_out = at_row->c_out, *t = gate + 4 * H;
        math->sigmoid(gate, from_x, 2 * H);
        math->tanh(gate + 2 * H, from_x + 2 * H, H);
        math->sigmoid(gate + 3 * H, from_x + 3 * H, H);
        for (size_t u = 0; u < H; u++)
            c_out[u] = elman_flush(gate[H + u] * c[u] + gate[u] * gate[2 * H + u]);
        math->layer_norm_row(t, c_out, w->gain_cell, w->bias_cell, H, epsilon,
                             &statistics[CELL_STATISTICS], &statistics[CELL_STATISTICS + 1]);
        math->tanh(t, t, H);
        math->multiply(y, gate + 3 * H, t, H, false);
        break;
    }
    case ELMAN_CELL_GRU: {
        const float *h = at_row->h;
        math->sigmoid(gate, from_x, 2 * H);
        for (size_t u = 0; u < H; u++) {
            gate[3 * H + u] = from_h[2 * H + u];
            from_x[2 * H + u] += gate[u] * from_h[2 * H + u];
        }
        math->tanh(gate + 2 * H, from_x + 2 * H, H);
        for (size_t u = 0; u < H; u++)
            y[u] = elman_flush(gate[2 * H + u] + gate[H + u] * (h[u] - gate[2 * H + u]));
        break;
    }
    }
}

/* The gradients behind the normalisations: of the gates before their functions (x's side in fx, h's
 * in fh). dh becomes what passes the cell to the step before. */
static void gates_backward(const norm_run *run, size_t row, const float *h, const float *c,
                           float *dh, float *dc, float *fx, float *fh, float *scratch)
{
    const elman_recurrent_node *n = run->n;
    const elman_recurrent_direction *d = run->d;
    const size_t H = n->H;
    const float *gate = d->norm->gates + row * KEPT_GATES * H;
    const float *y = elman_recurrent_y(n, d, row).base;
    const float *statistics = d->norm->statistics + row * STATISTICS;
    float *flow = run->flow_cell + row * H;
    switch (n->layer.kind) {
    case ELMAN_CELL_RNN:
        for (size_t u = 0; u < H; u++)
            fx[u] = elman_flush(dh[u] * (1.0F - y[u] * y[u]));
        break;
    case ELMAN_CELL_RNN_RELU:
        for (size_t u = 0; u < H; u++)
            fx[u] = elman_flush(y[u] <= 0 ? 0.0F : dh[u]);
        break;
    case ELMAN_CELL_LSTM:
        for (size_t u = 0; u < H; u++) {
            float o = gate[3 * H + u], t = gate[4 * H + u];
            flow[u] = elman_flush(dh[u] * o * (1.0F - t * t));
            fx[3 * H + u] = elman_flush(dh[u] * t * (o * (1.0F - o)));
        }
        run->kernels->math->layer_norm_row_backward(
            scratch, flow, d->c + row * H, d->cell.gain_cell->value.data, H,
            statistics[CELL_STATISTICS], statistics[CELL_STATISTICS + 1], false);
        for (size_t u = 0; u < H; u++) {
            float i = gate[u], f = gate[H + u], g = gate[2 * H + u], ds = dc[u] + scratch[u];
            if (d->seen)
                d->seen->dc[row * H + u] = ds;
            fx[u] = elman_flush(ds * g * (i * (1.0F - i)));
            fx[H + u] = elman_flush(ds * c[u] * (f * (1.0F - f)));
            fx[2 * H + u] = elman_flush(ds * i * (1.0F - g * g));
            dc[u] = elman_flush(ds * f);
        }
        break;
    case ELMAN_CELL_GRU:
        for (size_t u = 0; u < H; u++) {
            float r = gate[u], z = gate[H + u], g = gate[2 * H + u], q = gate[3 * H + u];
            float da = dh[u] * (1.0F - z) * (1.0F - g * g);
            fx[u] = elman_flush(da * q * (r * (1.0F - r)));
            fx[H + u] = elman_flush(dh[u] * (h[u] - g) * (z * (1.0F - z)));
            fx[2 * H + u] = elman_flush(da);
            fh[2 * H + u] = elman_flush(da * r);
            dh[u] = elman_flush(dh[u] * z);
        }
        break;
    }
    memcpy(fh, fx, (n->layer.kind == ELMAN_CELL_GRU ? 2 : n->G) * H * sizeof *fh);
}

static void row_backward(const norm_run *run, size_t row, const float *h, const float *c, float *dh,
                         float *dc, float *scratch)
{
    const elman_recurrent_node *n = run->n;
    const elman_recurrent_direction *d = run->d;
    const size_t H = n->H, place = row * n->G * H;
    const float *statistics = d->norm->statistics + row * STATISTICS;
    if (d->seen)
        memcpy(d->seen->dh + row * H, dh, H * sizeof *dh);
    gates_backward(run, row, h, c, dh, dc, run->flow_x + place, run->flow_h + place, scratch);
    norm_vector vectors[2];
    for (int i = 0, count = vectors_of(n->layer.kind, vectors); i < count; i++) {
        const size_t at = vectors[i].first * H, to = place + at;
        normalise_backward(run->kernels->math, H, vectors[i].gates, run->flow_x + to,
                           d->norm->sums_x + to, d->cell.gain_ih->value.data + at,
                           statistics + 2 * i, run->dsums_x + to, scratch);
        normalise_backward(run->kernels->math, H, vectors[i].gates, run->flow_h + to,
                           d->norm->sums_h + to, d->cell.gain_hh->value.data + at,
                           statistics + 4 + 2 * i, run->dsums_h + to, scratch);
    }
}

/* -- all rows
 * --------------------------------------------------------------------------------------- */

typedef void (*product_call)(const norm_run *run, const elman_panel_product *product,
                             const elman_piece *piece);

static void plain_product(const norm_run *run, const elman_panel_product *product,
                          const elman_piece *piece)
{
    run->kernels->recurrent->product(product, piece);
}

/* Over the gate rows in PyTorch's order: they lie so for every normalised cell. */
static void carry_product(const norm_run *run, const elman_panel_product *product,
                          const elman_piece *piece)
{
    run->kernels->recurrent->carry_product(ELMAN_CELL_RNN, product, piece);
}

static void share_product(const norm_run *run, const elman_panel_product *product, size_t rows,
                          size_t groups, product_call call, const elman_crew *crew)
{
    const elman_recurrent_kernels *kernels = run->kernels->recurrent;
    elman_recurrent_share share =
        elman_recurrent_share_of((product->width + kernels->width - 1) / kernels->width,
                                 kernels->block_vectors(groups), rows, crew);
    const elman_piece *pieces[3] = {&share.middle, &share.edges[0], &share.edges[1]};
    for (int i = 0; i < 3; i++)
        if (pieces[i]->v0 < pieces[i]->v1 && pieces[i]->r0 < pieces[i]->r1)
            call(run, product, pieces[i]);
}

static void forward_job(const elman_crew *crew, void *argument)
{
    const norm_run *run = argument;
    const elman_recurrent_node *n = run->n;
    const elman_recurrent_direction *d = run->d;
    const size_t width = n->G * n->H;
    float *scratch = scratch_of(run, crew);
    elman_panel_product product = {.K = n->I,
                                   .groups = n->G,
                                   .parts = n->G,
                                   .width = n->H,
                                   .panels = d->weights.panels_ih,
                                   .left = n->x,
                                   .start = elman_rows_at(d->weights.start, 0),
                                   .out = elman_rows_mutable_at(d->norm->sums_x, (ptrdiff_t)width)};
    share_product(run, &product, n->N, n->G, plain_product, crew);
    product.K = n->H;
    product.panels = d->weights.panels_hh;
    for (int64_t i = 0; i < n->s->T; i++) {
        const int64_t t = elman_recurrent_time(n, d, i);
        const size_t rows = (size_t)n->s->batch_sizes[t], row = (size_t)n->s->offsets[t];
        elman_rows_const h = elman_recurrent_before(n, d, t, false), c = {0};
        if (d->c)
            c = elman_recurrent_before(n, d, t, true);
        product.left = h;
        product.out.base = d->norm->sums_h + row * width;
        share_product(run, &product, rows, n->G, plain_product, crew);
        elman_crew_wait(crew);
        size_t begin, end;
        elman_crew_share(crew, rows, 1, &begin, &end);
        for (size_t r = begin; r < end; r++) {
            const row_place at = {.sums_x = d->norm->sums_x + (row + r) * width,
                                  .sums_h = d->norm->sums_h + (row + r) * width,
                                  .h = elman_row(&h, r),
                                  .c = d->c ? elman_row(&c, r) : NULL,
                                  .gates = d->norm->gates + (row + r) * KEPT_GATES * n->H,
                                  .statistics = d->norm->statistics + (row + r) * STATISTICS,
                                  .c_out = d->c ? d->c + (row + r) * n->H : NULL,
                                  .h_out = elman_recurrent_y(n, d, row + r).base,
                                  .scratch = scratch};
            row_forward(run->kernels->math, &d->weights, &at);
        }
        elman_crew_wait(crew);
    }
}

/* dh = dy + carry, as in kernel/body/recurrent_backward.c; a GRU's carry joins every row. */
static void begin_row(const norm_run *run, size_t row, bool chained, float *dh)
{
    const elman_recurrent_node *n = run->n;
    const bool carry = !chained || n->layer.kind == ELMAN_CELL_GRU;
    const float *dy = n->layer.y->gradient;
    if (dy)
        dy += row * n->D * n->H + (run->d->reverse ? n->H : 0);
    for (size_t u = 0; u < n->H; u++)
        dh[u] = (dy ? dy[u] : 0.0F) + (carry ? dh[u] : 0.0F);
}

static void backward_job(const elman_crew *crew, void *argument)
{
    const norm_run *run = argument;
    const elman_recurrent_node *n = run->n;
    const elman_recurrent_direction *d = run->d;
    const elman_sequences *s = n->s;
    const size_t width = n->G * n->H, H = n->H;
    float *scratch = scratch_of(run, crew);
    elman_panel_product product = {.K = width,
                                   .width = H,
                                   .panels = run->panels,
                                   .out = elman_rows_mutable_at(run->dh, (ptrdiff_t)H)};
    product.start = elman_rows_of(product.out);
    for (int64_t i = s->T - 1; i >= 0; i--) {
        const int64_t t = elman_recurrent_time(n, d, i), next = d->reverse ? t - 1 : t + 1;
        const size_t rows = (size_t)s->batch_sizes[t], row = (size_t)s->offsets[t];
        size_t chained = 0, begin, end;
        if (next >= 0 && next < s->T) {
            chained = (size_t)s->batch_sizes[next];
            chained = chained < rows ? chained : rows;
            product.left =
                elman_rows_at(run->dsums_h + (size_t)s->offsets[next] * width, (ptrdiff_t)width);
        }
        elman_crew_share(crew, rows, 1, &begin, &end);
        for (size_t r = begin; r < end; r++)
            begin_row(run, row + r, r < chained, run->dh + r * H);
        elman_crew_wait(crew);
        share_product(run, &product, chained, 1, carry_product, crew);
        elman_crew_wait(crew);
        elman_rows_const h = elman_recurrent_before(n, d, t, false), c = {0};
        if (d->c)
            c = elman_recurrent_before(n, d, t, true);
        for (size_t r = begin; r < end; r++)
            row_backward(run, row + r, elman_row(&h, r), d->c ? elman_row(&c, r) : NULL,
                         run->dh + r * H, run->dc + r * H, scratch);
        elman_crew_wait(crew);
    }
    if (!run->dh0)
        return;
    for (size_t p = (size_t)crew->index; p < n->B; p += (size_t)crew->count) {
        float *dh0 = run->dh0 + p * H;
        int64_t length = s->lengths[s->order[p]];
        if (length == 0 || n->layer.kind == ELMAN_CELL_GRU)
            memcpy(dh0, run->dh + p * H, H * sizeof *dh0);
        else
            memset(dh0, 0, H * sizeof *dh0);
        if (length == 0)
            continue;
        size_t first = (size_t)s->offsets[d->reverse ? length - 1 : 0] + p;
        product.left = elman_rows_at(run->dsums_h + first * width, 0);
        product.out = elman_rows_mutable_at(dh0, 0);
        product.start = elman_rows_of(product.out);
        const elman_piece all = {
            0, (H + run->kernels->recurrent->width - 1) / run->kernels->recurrent->width, 0, 1};
        carry_product(run, &product, &all);
    }
}

static float *gradient_of(const elman_parameter *parameter, size_t at)
{
    return parameter && parameter->gradient ? parameter->gradient + at : NULL;
}

/* Gains and biases, units [begin,end) of every gate: the direction's last step first. */
static void gains_job(const elman_crew *crew, void *argument)
{
    const norm_run *run = argument;
    const elman_recurrent_node *n = run->n;
    const elman_recurrent_direction *d = run->d;
    const elman_math_kernels *math = run->kernels->math;
    const size_t H = n->H;
    size_t begin, end;
    elman_crew_share(crew, H, 16, &begin, &end);
    norm_vector vectors[2];
    const int count = vectors_of(n->layer.kind, vectors);
    for (int64_t i = n->s->T - 1; begin < end && i >= 0; i--) {
        const int64_t t = elman_recurrent_time(n, d, i);
        for (int64_t at_row = n->s->offsets[t]; at_row < n->s->offsets[t + 1]; at_row++) {
            const size_t row = (size_t)at_row;
            const float *statistics = d->norm->statistics + row * STATISTICS;
            for (int v = 0; v < count; v++)
                for (size_t g = 0; g < vectors[v].gates; g++) {
                    const size_t at = (vectors[v].first + g) * H + begin, to = row * n->G * H + at;
                    math->layer_norm_row_gradients(
                        gradient_of(d->cell.gain_ih, at), gradient_of(d->cell.bias_ih, at),
                        run->flow_x + to, d->norm->sums_x + to, end - begin, statistics[2 * v],
                        statistics[2 * v + 1]);
                    math->layer_norm_row_gradients(gradient_of(d->cell.gain_hh, at), NULL,
                                                   run->flow_h + to, d->norm->sums_h + to,
                                                   end - begin, statistics[4 + 2 * v],
                                                   statistics[5 + 2 * v]);
                }
            if (n->layer.kind == ELMAN_CELL_LSTM)
                math->layer_norm_row_gradients(
                    gradient_of(d->cell.gain_cell, begin), gradient_of(d->cell.bias_cell, begin),
                    run->flow_cell + row * H + begin, d->c + row * H + begin, end - begin,
                    statistics[CELL_STATISTICS], statistics[CELL_STATISTICS + 1]);
        }
    }
}

const float *elman_recurrent_norm_gates(const elman_recurrent_direction *d, size_t row, size_t H)
{
    return d->norm->gates + row * KEPT_GATES * H;
}

void elman_recurrent_norm_lay_out(elman_tape *tape, const elman_recurrent_node *n,
                                  elman_recurrent_direction *d)
{
    elman_recurrent_norm *norm = elman_tape_take(tape, 1, sizeof *norm);
    if (!norm)
        return;
    norm->sums_x = d->gates;
    norm->sums_h = elman_tape_take(tape, n->N, n->G * n->H * sizeof(float));
    norm->statistics = elman_tape_take(tape, n->N, STATISTICS * sizeof(float));
    norm->gates = elman_tape_take(tape, n->N, KEPT_GATES * n->H * sizeof(float));
    float *zeros = elman_tape_floats(tape, n->G * n->H);
    if (elman_tape_failed(tape))
        return;
    memset(zeros, 0, n->G * n->H * sizeof *zeros);
    d->weights.start = zeros;
    d->weights.gain_ih = d->cell.gain_ih->value.data;
    d->weights.gain_hh = d->cell.gain_hh->value.data;
    d->weights.bias = d->cell.bias_ih ? d->cell.bias_ih->value.data : NULL;
    d->weights.gain_cell = d->cell.gain_cell ? d->cell.gain_cell->value.data : NULL;
    d->weights.bias_cell = d->cell.bias_cell ? d->cell.bias_cell->value.data : NULL;
    d->norm = norm;
}

static float *take_scratch(elman_tape *tape, const elman_recurrent_node *n)
{
    return elman_tape_take(tape, (size_t)elman_context_threads(tape->context),
                           scratch_floats(n) * sizeof(float));
}

void elman_recurrent_norm_run(elman_tape *tape, const elman_recurrent_node *n,
                              elman_recurrent_direction *d)
{
    norm_run run = {.kernels = tape->context->kernels, .n = n, .d = d};
    run.scratch = take_scratch(tape, n);
    if (run.scratch)
        elman_pool_run_on(tape->context,
                          elman_recurrent_threads(n->layer.kind, n->H, n->B,
                                                  elman_context_threads(tape->context)),
                          forward_job, &run);
}

void elman_recurrent_norm_backward(elman_tape *tape, const elman_recurrent_node *n,
                                   elman_recurrent_direction *d, const float *panels, float *dh,
                                   float *dc, float *dh0)
{
    norm_run run = {.kernels = tape->context->kernels,
                    .n = n,
                    .d = d,
                    .panels = panels,
                    .dh = dh,
                    .dc = dc,
                    .dh0 = dh0};
    const size_t row = n->G * n->H * sizeof(float);
    run.scratch = take_scratch(tape, n);
    run.flow_x = elman_tape_take(tape, n->N, row);
    run.flow_h = elman_tape_take(tape, n->N, row);
    run.dsums_x = elman_tape_take(tape, n->N, row);
    run.dsums_h = elman_tape_take(tape, n->N, row);
    run.flow_cell = elman_tape_take(tape, n->N, n->H * sizeof(float));
    if (elman_tape_failed(tape))
        return;
    const int threads = elman_context_threads(tape->context);
    elman_pool_run_on(tape->context, elman_recurrent_threads(n->layer.kind, n->H, n->B, threads),
                      backward_job, &run);
    elman_pool_run(tape->context, gains_job, &run);
    d->gates = run.dsums_x;
    d->gates_h = run.dsums_h;
}

/* -- a step without a tape
 * --------------------------------------------------------------------------- */

/* A row of scratch: x's sums, h's sums, gates, statistics, the rest. */
size_t elman_recurrent_norm_floats(const elman_recurrent_weights *w)
{
    const size_t G = elman_cell_gates(w->cell), H = w->hidden;
    return (2 * G + KEPT_GATES) * H + STATISTICS + row_scratch(G, H);
}

void elman_recurrent_norm_step(const elman_kernels *kernels, const elman_recurrent_weights *w,
                               const elman_recurrent_step_call *call, const elman_crew *crew)
{
    const norm_run run = {.kernels = kernels};
    const size_t G = elman_cell_gates(w->cell), H = w->hidden, width = G * H;
    elman_panel_product product = {.K = w->input,
                                   .groups = G,
                                   .parts = G,
                                   .width = H,
                                   .panels = w->panels_ih,
                                   .left = call->x,
                                   .start = elman_rows_at(w->start, 0),
                                   .out = call->gates};
    if (!call->from)
        share_product(&run, &product, call->rows, G, plain_product, crew);
    product.K = H;
    product.panels = w->panels_hh;
    product.left = call->h;
    product.out.base += width;
    share_product(&run, &product, call->rows, G, plain_product, crew);
    elman_crew_wait(crew);
    size_t begin, end;
    elman_crew_share(crew, call->rows, 1, &begin, &end);
    for (size_t r = begin; r < end; r++) {
        float *row = elman_row_mutable(&call->gates, r), *gates = row + 2 * width;
        const row_place at = {
            .sums_x = call->from ? elman_row(call->from, r) : row,
            .sums_h = row + width,
            .h = elman_row(&call->h, r),
            .c = w->cell == ELMAN_CELL_LSTM ? elman_row(&call->c, r) : NULL,
            .gates = gates,
            .statistics = gates + KEPT_GATES * H,
            .c_out = w->cell == ELMAN_CELL_LSTM ? elman_row_mutable(&call->c_out, r) : NULL,
            .h_out = elman_row_mutable(&call->h_out, r),
            .scratch = gates + KEPT_GATES * H + STATISTICS};
        row_forward(kernels->math, w, &at);
    }
    elman_crew_wait(crew);
}
