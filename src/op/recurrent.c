/* One recurrent layer over a batch of packed sequences, as one node of the tape. Here: what it is
 * given, checked and laid out; recurrent_forward.c and recurrent_backward.c run it. */
#include "op/recurrent.h"
#include "base/float_environment.h"
#include "op/observe.h"

#include <inttypes.h>
#include <string.h>

/* -- what is given --------------------------------------------------------------------------- */

static bool has_shape(elman_tape *tape, const char *what, const elman_tensor *value, int rank,
                      int64_t a, int64_t b, int64_t c)
{
    const int64_t want[3] = {a, b, c};
    bool same = value->rank == rank;
    for (int i = 0; same && i < rank; i++)
        same = value->shape[i] == want[i];
    if (!same)
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                        "recurrent: %s has rank %d and %" PRId64 " elements, expected [%" PRId64
                        ", %" PRId64 "%s%" PRId64 "]",
                        what, value->rank, elman_tensor_count(value), a, b, rank == 3 ? ", " : "..",
                        rank == 3 ? c : b);
    return same;
}

static bool tokens_fit(elman_tape *tape, const elman_recurrent *layer, int64_t N)
{
    int64_t V = layer->table->value.shape[0];
    for (int64_t i = 0; i < N; i++)
        if (layer->tokens[i] < 0 || layer->tokens[i] >= V) {
            elman_tape_fail(tape, ELMAN_ERROR_DATA,
                            "recurrent: token %" PRId64 " is %" PRId32 ", expected 0 to %" PRId64,
                            i, layer->tokens[i], V - 1);
            return false;
        }
    return true;
}

static bool fits(elman_tape *tape, const elman_sequences *s, const elman_recurrent *layer)
{
    const int64_t I = layer->input, H = layer->hidden, D = layer->directions;
    const int64_t G = (int64_t)elman_cell_gates(layer->kind);
    if (I < 1 || H < 1 || D < 1 || D > 2) {
        elman_tape_fail(tape, ELMAN_ERROR_ARGUMENT,
                        "recurrent: input %" PRId64 ", hidden %" PRId64 ", directions %" PRId64
                        ", expected at least 1, 1 and one or two",
                        I, H, D);
        return false;
    }
    bool ok = layer->table ? has_shape(tape, "the table", &layer->table->value, 2,
                                       layer->table->value.shape[0], I, 0) &&
                                 tokens_fit(tape, layer, s->N)
                           : has_shape(tape, "x", &layer->x->value, 2, s->N, I, 0);
    if (layer->h0)
        ok = ok && has_shape(tape, "h0", &layer->h0->value, 3, D, s->B, H);
    if (layer->c0)
        ok = ok && has_shape(tape, "c0", &layer->c0->value, 3, D, s->B, H);
    for (int64_t i = 0; ok && i < D; i++) {
        const elman_cell_parameters *cell = &layer->cells[i];
        ok = has_shape(tape, cell->weight_ih->name, &cell->weight_ih->value, 2, G * H, I, 0) &&
             has_shape(tape, cell->weight_hh->name, &cell->weight_hh->value, 2, G * H, H, 0);
    }
    return ok;
}

static bool trained(const elman_parameter *parameter)
{
    return parameter && parameter->gradient;
}

/* Whether backward has anything to do. */
static bool wants_gradient(const elman_tape *tape, const elman_recurrent *layer)
{
    bool wanted = tape->mode.observe || (layer->x && layer->x->needs_gradient) ||
                  trained(layer->table) || (layer->h0 && layer->h0->needs_gradient) ||
                  (layer->c0 && layer->c0->needs_gradient);
    for (int i = 0; i < layer->directions; i++) {
        const elman_cell_parameters *cell = &layer->cells[i];
        wanted = wanted || trained(cell->weight_ih) || trained(cell->weight_hh) ||
                 trained(cell->bias_ih) || trained(cell->bias_hh) || trained(cell->gain_ih) ||
                 trained(cell->gain_hh) || trained(cell->gain_cell) || trained(cell->bias_cell);
    }
    return tape->mode.record && wanted;
}

/* -- where it lies --------------------------------------------------------------------------- */

elman_rows_const elman_recurrent_before(const elman_recurrent_node *n,
                                        const elman_recurrent_direction *d, int64_t t, bool cell)
{
    const elman_sequences *s = n->s;
    const int64_t u = d->reverse ? t + 1 : t - 1;
    if (u < 0 || u >= s->T)
        return cell ? d->c0 : d->h0;
    if (s->batch_sizes[u] < s->batch_sizes[t])
        return elman_rows_from((cell ? d->before_c : d->before_h) + s->offsets[t]);
    size_t row = (size_t)s->offsets[u];
    if (cell)
        return elman_rows_at(d->c + row * n->H, (ptrdiff_t)n->H);
    return elman_rows_of(elman_recurrent_y(n, d, row));
}

/* Initial states in packed order: rows of `given`, or zeros for all. */
static elman_rows_const initial_rows(elman_tape *tape, const elman_recurrent_node *n,
                                     const elman_var *given, size_t direction)
{
    if (!given) {
        float *zeros = elman_tape_floats(tape, n->H);
        if (zeros)
            memset(zeros, 0, n->H * sizeof *zeros);
        return elman_rows_at(zeros, 0);
    }
    const float **rows = elman_tape_take(tape, n->B, sizeof *rows);
    for (size_t p = 0; rows && p < n->B; p++)
        rows[p] = given->value.data + (direction * n->B + (size_t)n->s->order[p]) * n->H;
    return elman_rows_from(rows);
}

/* Backwards in time sequences join as the steps go: those that run on have a row of the step
 * before, those that join begin with the initial state. */
static void point_before(elman_tape *tape, const elman_recurrent_node *n,
                         elman_recurrent_direction *d)
{
    const elman_sequences *s = n->s;
    d->before_h = elman_tape_take(tape, n->N, sizeof *d->before_h);
    if (d->c)
        d->before_c = elman_tape_take(tape, n->N, sizeof *d->before_c);
    if (elman_tape_failed(tape))
        return;
    for (int64_t t = 0; t < s->T; t++) {
        int64_t after = t + 1 < s->T ? s->batch_sizes[t + 1] : 0;
        for (int64_t r = 0; r < s->batch_sizes[t]; r++) {
            size_t row = (size_t)(s->offsets[t] + r), other = (size_t)(s->offsets[t + 1] + r);
            bool runs = r < after;
            d->before_h[row] =
                runs ? elman_recurrent_y(n, d, other).base : elman_row(&d->h0, (size_t)r);
            if (d->c)
                d->before_c[row] = runs ? d->c + other * n->H : elman_row(&d->c0, (size_t)r);
        }
    }
}

static void lay_out(elman_tape *tape, elman_recurrent_node *n, size_t i)
{
    const elman_recurrent *layer = &n->layer;
    elman_recurrent_direction *d = &n->directions[i];
    *d = (elman_recurrent_direction){.cell = layer->cells[i], .reverse = i == 1};
    d->weights = (elman_recurrent_weights){.cell = layer->kind, .input = n->I, .hidden = n->H};
    float *start = elman_tape_floats(tape, 4 * n->H);
    if (n->recorded || n->normalised)
        d->gates = elman_tape_take(tape, n->N, n->P * n->H * sizeof(float));
    if (layer->kind == ELMAN_CELL_LSTM) {
        d->c = elman_tape_take(tape, n->N, n->H * sizeof(float));
        d->c0 = initial_rows(tape, n, layer->c0, i);
    }
    d->h0 = initial_rows(tape, n, layer->h0, i);
    if (elman_tape_failed(tape))
        return;
    elman_recurrent_start(layer->kind, n->H, d->cell.bias_ih ? d->cell.bias_ih->value.data : NULL,
                          d->cell.bias_hh ? d->cell.bias_hh->value.data : NULL, start);
    d->weights.start = start;
    if (n->normalised)
        elman_recurrent_norm_lay_out(tape, n, d);
    if (d->reverse && !n->s->uniform)
        point_before(tape, n, d);
}

/* x's rows: its own, or the table's. */
static void point_inputs(elman_tape *tape, elman_recurrent_node *n)
{
    const elman_recurrent *layer = &n->layer;
    if (!layer->table) {
        n->x = elman_rows_at(layer->x->value.data, (ptrdiff_t)n->I);
        return;
    }
    const float **rows = elman_tape_take(tape, n->N, sizeof *rows);
    for (size_t i = 0; rows && i < n->N; i++)
        rows[i] = layer->table->value.data + (size_t)layer->tokens[i] * n->I;
    n->x = elman_rows_from(rows);
}

/* -- a small table is multiplied once --------------------------------------------------------- */

typedef struct table_work {
    const elman_kernels *kernels;
    const elman_recurrent_node *n;
    const elman_recurrent_direction *d;
    float *product; /* [V, P*H] */
} table_work;

static void table_job(const elman_crew *crew, void *argument)
{
    const table_work *work = argument;
    const elman_recurrent_node *n = work->n;
    const elman_recurrent_kernels *kernels = work->kernels->recurrent;
    elman_panel_product product = {
        .K = n->I,
        .groups = n->G,
        .parts = n->P,
        .width = n->H,
        .panels = work->d->weights.panels_ih,
        .left = elman_rows_at(n->layer.table->value.data, (ptrdiff_t)n->I),
        .start = elman_rows_at(work->d->weights.start, 0),
        .out = elman_rows_mutable_at(work->product, (ptrdiff_t)(n->P * n->H))};
    elman_recurrent_share share = elman_recurrent_share_of(
        (n->H + kernels->width - 1) / kernels->width, kernels->block_vectors(n->G), n->V, crew);
    const elman_piece *pieces[3] = {&share.middle, &share.edges[0], &share.edges[1]};
    for (int i = 0; i < 3; i++)
        if (pieces[i]->v0 < pieces[i]->v1 && pieces[i]->r0 < pieces[i]->r1)
            kernels->product(&product, pieces[i]);
}

/* Where the table has fewer rows than the batch, its product is made once and the gates start from
 * its rows: the same chains. */
static void multiply_table(elman_tape *tape, elman_recurrent_node *n, elman_recurrent_direction *d)
{
    if (!n->layer.table || n->normalised || n->V > ELMAN_TABLE_ROWS || n->V > n->N)
        return;
    table_work work = {tape->context->kernels, n, d, NULL};
    size_t width = n->P * n->H;
    work.product = elman_tape_take(tape, n->V, width * sizeof(float));
    d->from = elman_tape_take(tape, n->N, sizeof *d->from);
    if (elman_tape_failed(tape))
        return;
    elman_pool_run(tape->context, table_job, &work);
    for (size_t i = 0; i < n->N; i++)
        d->from[i] = work.product + (size_t)n->layer.tokens[i] * width;
}

/* -- the operation ----------------------------------------------------------------------------- */

static bool make_results(elman_tape *tape, elman_recurrent_node *n)
{
    elman_recurrent *layer = &n->layer;
    const int64_t D = layer->directions, H = layer->hidden, B = n->s->B;
    layer->y = elman_tape_var(tape, 2, (int64_t[]){n->s->N, D * H}, n->recorded);
    layer->hn = elman_tape_var(tape, 3, (int64_t[]){D, B, H}, n->recorded);
    layer->cn = layer->kind == ELMAN_CELL_LSTM
                    ? elman_tape_var(tape, 3, (int64_t[]){D, B, H}, n->recorded)
                    : NULL;
    return !elman_tape_failed(tape);
}

static void record(elman_tape *tape, const elman_sequences *sequences, elman_recurrent *layer)
{
    layer->y = layer->hn = layer->cn = NULL;
    if (elman_tape_failed(tape) || !sequences || (!layer->x && !layer->table) ||
        !fits(tape, sequences, layer))
        return;
    elman_kernels_of(tape->context);
    elman_recurrent_node made = {.layer = *layer,
                                 .s = sequences,
                                 .D = (size_t)layer->directions,
                                 .B = (size_t)sequences->B,
                                 .N = (size_t)sequences->N,
                                 .I = (size_t)layer->input,
                                 .H = (size_t)layer->hidden,
                                 .G = elman_cell_gates(layer->kind),
                                 .P = elman_cell_parts(layer->kind),
                                 .V = layer->table ? (size_t)layer->table->value.shape[0] : 0,
                                 .recorded = wants_gradient(tape, layer),
                                 .normalised = layer->cells[0].gain_ih != NULL};
    if (made.normalised)
        made.P = made.G;
    if (!make_results(tape, &made))
        return;
    elman_recurrent_node *n = &made;
    if (made.recorded)
        n = elman_tape_node(tape, sizeof *n, "recurrent", elman_recurrent_backward);
    if (!n)
        return;
    made.node = made.recorded ? n->node : made.node;
    *n = made;
    point_inputs(tape, n);
    for (size_t i = 0; i < n->D; i++)
        lay_out(tape, n, i);
    if (elman_tape_failed(tape) || !elman_recurrent_pack_forward(tape, n))
        return;
    for (size_t i = 0; tape->mode.observe && n->recorded && i < n->D; i++)
        elman_observe(tape, n, i);
    for (size_t i = 0; i < n->D; i++)
        multiply_table(tape, n, &n->directions[i]);
    if (elman_tape_failed(tape))
        return;
    elman_recurrent_run(tape, n);
    for (size_t i = 0; i < n->D; i++)
        elman_observe_gates(n, i);
    layer->y = n->layer.y;
    layer->hn = n->layer.hn;
    layer->cn = n->layer.cn;
}

void elman_op_recurrent(elman_tape *tape, const elman_sequences *sequences, elman_recurrent *layer)
{
    elman_float_environment modes = elman_float_begin();
    record(tape, sequences, layer);
    elman_float_end(modes);
}
