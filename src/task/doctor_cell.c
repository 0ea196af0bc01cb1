/* Inside a recurrent layer: the gate of the first step that is not finite, and the very term of its
 * sum at which the chain of fused multiply-adds left the finite numbers. The chains are those of
 * docs/numerics.md, so what is said of a sum is what the kernels computed. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "task/doctor_trace.h"

/* A row of a layer's run: what its step read and made. */
typedef struct place {
    const elman_trace *trace;
    const elman_observation *layer;
    const elman_recurrent_node *n;
    const elman_recurrent_direction *d;
    size_t row;
    const float *x, *h, *c; /* read: [I], [H], [H] or NULL */
} place;

static int64_t step_of(const elman_sequences *s, size_t row)
{
    int64_t t = 0;
    while (t + 1 < s->T && s->offsets[t + 1] <= (int64_t)row)
        t++;
    return t;
}

static place place_of(const elman_trace *trace, const elman_observation *o, size_t row)
{
    place p = {trace, o, o->node, o->direction, row, NULL, NULL, NULL};
    int64_t t = step_of(p.n->s, row);
    size_t at = row - (size_t)p.n->s->offsets[t];
    elman_rows_const h = elman_recurrent_before(p.n, p.d, t, false);
    p.x = elman_row(&p.n->x, row);
    p.h = elman_row(&h, at);
    if (p.d->c) {
        elman_rows_const c = elman_recurrent_before(p.n, p.d, t, true);
        p.c = elman_row(&c, at);
    }
    return p;
}

static const char *gate_name(elman_cell cell, size_t gate)
{
    static const char *const lstm[] = {"i", "f", "g", "o"}, *const gru[] = {"r", "z", "n", "n"};
    return cell == ELMAN_CELL_LSTM ? lstm[gate] : cell == ELMAN_CELL_GRU ? gru[gate] : "h";
}

static void begin(const place *p, bool backward, const char *operation, const char *gate,
                  size_t unit, float value)
{
    elman_fault *f = p->trace->fault;
    *f = (elman_fault){.step = 1,
                       .backward = backward,
                       .gate = gate,
                       .unit = (int64_t)unit,
                       .value = (double)value};
    snprintf(f->operation, sizeof f->operation, "%s", operation);
    elman_layer_name(elman_observation_name(p->layer), f->layer);
    elman_trace_place(p->trace, p->n->s, (int64_t)p->row,
                      strncmp(elman_observation_name(p->layer), "char_", 5) != 0);
}

/* A sum, term by term: where it left the finite numbers. */
typedef struct chain {
    float sum;
    size_t term; /* of `count`: the sum was finite before it and is not after it */
    bool left;
} chain;

static void run(chain *c, const float *weights, const float *values, size_t count)
{
    c->term = count;
    c->left = !isfinite(c->sum);
    for (size_t k = 0; k < count; k++) {
        c->sum = fmaf(values[k], weights[k], c->sum);
        if (!c->left && !isfinite(c->sum)) {
            c->left = true;
            c->term = k;
        }
    }
}

/* --- what was fed in --- */

static void put(char *text, size_t *used, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void put(char *text, size_t *used, const char *format, ...)
{
    va_list arguments;
    if (*used >= ELMAN_FAULT_TEXT - 1)
        return;
    va_start(arguments, format);
    int n = vsnprintf(text + *used, ELMAN_FAULT_TEXT - *used, format, arguments);
    va_end(arguments);
    *used += n > 0 ? (size_t)n : 0;
    for (char *at = strstr(text, "-nan"); at;
         at = strstr(at, "-nan")) { /* of NaN there is but one */
        memmove(at, at + 1, strlen(at));
        --*used;
    }
}

/* An input by its place: of a table the token's row. */
static void put_input(const place *p, char *text, size_t *used, size_t k)
{
    const elman_recurrent *layer = &p->n->layer;
    if (layer->table)
        put(text, used, "%s[%" PRId32 ",%zu] = %.6g", layer->table->name, layer->tokens[p->row], k,
            (double)p->x[k]);
    else
        put(text, used, "x[%zu] = %.6g", k, (double)p->x[k]);
}

/* The factors of the term, then the largest of all that the gate reads. row: of the weights. */
static void feed(const place *p, size_t row, bool recurrent, size_t term)
{
    const elman_cell_parameters *cell = &p->d->cell;
    const elman_parameter *w = recurrent ? cell->weight_hh : cell->weight_ih;
    const size_t I = p->n->I, H = p->n->H, K = recurrent ? H : I;
    const float *ih = cell->weight_ih->value.data + row * I;
    const float *hh = cell->weight_hh->value.data + row * H;
    char *text = p->trace->fault->fed;
    size_t used = 0;
    if (term < K) {
        put(text, &used, "%s[%zu,%zu] = %.6g times ", w->name, row, term,
            (double)(recurrent ? hh : ih)[term]);
        if (recurrent)
            put(text, &used, "h[%zu] = %.6g", term, (double)p->h[term]);
        else
            put_input(p, text, &used, term);
        put(text, &used, "; ");
    }
    size_t x = elman_trace_greatest(p->x, I), h = elman_trace_greatest(p->h, H);
    size_t a = elman_trace_greatest(ih, I), b = elman_trace_greatest(hh, H);
    put(text, &used, "largest input ");
    put_input(p, text, &used, x);
    put(text, &used, ", state h[%zu] = %.6g, weights %s[%zu,%zu] = %.6g, %s[%zu,%zu] = %.6g", h,
        (double)p->h[h], cell->weight_ih->name, row, a, (double)ih[a], cell->weight_hh->name, row,
        b, (double)hh[b]);
}

static void feed_state(const place *p, size_t unit)
{
    const elman_fault *f = p->trace->fault;
    const float *gates = elman_observation_gates(p->layer, p->row);
    char *text = p->trace->fault->fed;
    size_t used = 0, H = p->n->H;
    for (size_t g = 0; gates && g < p->n->G; g++)
        put(text, &used, "%s = %.6g, ", gate_name(p->n->layer.kind, g),
            (double)gates[g * H + unit]);
    if (p->c)
        put(text, &used, "c before it = %.6g, ", (double)p->c[unit]);
    put(text, &used, "h before it = %.6g, of unit %" PRId64, (double)p->h[unit], f->unit);
}

/* --- forwards --- */

static float bias_of(const elman_parameter *b, size_t row)
{
    return b ? b->value.data[row] : 0;
}

/* A plain cell's gate, which is not finite: follows its sum. carried: a GRU's n, whose recurrent
 * part is a sum of its own. */
static void explain_gate(const place *p, size_t gate, size_t unit, float value)
{
    const elman_cell_parameters *cell = &p->d->cell;
    const size_t I = p->n->I, H = p->n->H, row = gate * H + unit;
    const char *name = gate_name(p->n->layer.kind, gate);
    const float *ih = cell->weight_ih->value.data + row * I;
    const float *hh = cell->weight_hh->value.data + row * H;
    bool apart = p->n->layer.kind == ELMAN_CELL_GRU && gate == 2;
    float b_ih = bias_of(cell->bias_ih, row), b_hh = bias_of(cell->bias_hh, row);
    chain sum = {.sum = apart ? b_ih : b_ih + b_hh};
    if (!isfinite(sum.sum)) {
        begin(p, false, "bias", name, unit, value);
        feed(p, row, false, I);
        return;
    }
    run(&sum, ih, p->x, I);
    if (sum.left) {
        begin(p, false, "input product", name, unit, value);
        feed(p, row, false, sum.term);
        return;
    }
    if (apart)
        sum = (chain){.sum = b_hh};
    run(&sum, hh, p->h, H);
    begin(p, false, sum.left ? (sum.term < H ? "recurrent product" : "bias") : "activation", name,
          unit, value);
    feed(p, row, true, sum.left ? sum.term : H);
}

/* Both sums of a layer-normalised cell are spread over all gates by their mean: the first that is
 * not finite is what spoilt them. */
static void explain_normalised(const place *p, size_t gate, size_t unit, float value)
{
    const elman_cell_parameters *cell = &p->d->cell;
    const size_t I = p->n->I, H = p->n->H;
    for (size_t row = 0; row < p->n->G * H; row++) {
        chain x = {0}, h = {0};
        run(&x, cell->weight_ih->value.data + row * I, p->x, I);
        run(&h, cell->weight_hh->value.data + row * H, p->h, H);
        if (!x.left && !h.left)
            continue;
        begin(p, false, x.left ? "input product" : "recurrent product",
              gate_name(p->n->layer.kind, row / H), row % H, value);
        feed(p, row, !x.left, x.left ? x.term : h.term);
        return;
    }
    begin(p, false, "layer normalisation", gate_name(p->n->layer.kind, gate), unit, value);
    feed(p, gate * H + unit, false, I);
}

/* The first gate of a row that is not finite; of a GRU, n before its recurrent part q. */
static bool look_at_gates(const place *p)
{
    const float *gates = elman_observation_gates(p->layer, p->row);
    const size_t H = p->n->H;
    size_t parts = p->n->layer.kind == ELMAN_CELL_GRU ? 4 : p->n->G;
    if (!gates) {
        gates = elman_observation_h(p->layer, p->row);
        parts = 1;
    }
    size_t at = elman_trace_nonfinite(p->trace, gates, parts * H);
    if (at == parts * H)
        return false;
    size_t gate = at / H < p->n->G ? at / H : p->n->G - 1;
    if (p->n->normalised)
        explain_normalised(p, gate, at % H, gates[at]);
    else
        explain_gate(p, gate, at % H, gates[at]);
    return true;
}

static bool look_at_state(const place *p)
{
    const float *c = elman_observation_c(p->layer, p->row);
    const float *h = elman_observation_h(p->layer, p->row);
    const size_t H = p->n->H;
    size_t at = c ? elman_trace_nonfinite(p->trace, c, H) : H;
    bool cell = at < H;
    if (!cell)
        at = elman_trace_nonfinite(p->trace, h, H);
    if (at == H)
        return false;
    begin(p, false, cell ? "cell" : "state", cell ? "c" : "h", at, cell ? c[at] : h[at]);
    feed_state(p, at);
    return true;
}

bool elman_trace_cell_forward(const elman_trace *trace, const elman_observation *o)
{
    const elman_recurrent_node *n = o->node;
    const elman_sequences *s = n->s;
    for (int64_t i = 0; i < s->T; i++) {
        int64_t t = elman_recurrent_time(n, o->direction, i);
        for (int64_t row = s->offsets[t]; row < s->offsets[t + 1]; row++) {
            place p = place_of(trace, o, (size_t)row);
            if (look_at_gates(&p) || look_at_state(&p))
                return true;
        }
    }
    return false;
}

/* --- backwards --- */

/* The gates' gradients of a row as the product with W_hh reads them: gate g's part. */
static const float *flow_of(const place *p, size_t row, size_t gate)
{
    const elman_recurrent_node *n = p->n;
    if (n->normalised)
        return p->d->gates_h + row * n->G * n->H + gate * n->H;
    if (n->layer.kind == ELMAN_CELL_GRU && gate == 2)
        gate = 3; /* behind the reset */
    return p->d->gates + row * n->P * n->H + gate * n->H;
}

/* The packed row of the step that came after this one in the direction's own time; false: none. */
static bool after(const place *p, size_t *row)
{
    const elman_sequences *s = p->n->s;
    int64_t t = step_of(s, p->row), next = p->d->reverse ? t - 1 : t + 1;
    int64_t at = (int64_t)p->row - s->offsets[t];
    if (next < 0 || next >= s->T || at >= s->batch_sizes[next])
        return false;
    *row = (size_t)(s->offsets[next] + at);
    return true;
}

/* dh of a unit: what came from above, and the chain over the gates of the step after. */
static void explain_dh(const place *p, size_t unit)
{
    const elman_recurrent_node *n = p->n;
    const elman_parameter *w = p->d->cell.weight_hh;
    const size_t H = n->H, width = n->D * H;
    const float *dy = n->layer.y->gradient;
    float value = p->layer->dh[p->row * H + unit];
    float from_above = dy ? dy[p->row * width + (p->d->reverse ? H : 0) + unit] : 0;
    size_t next, used = 0;
    chain sum = {.sum = from_above};
    if (!after(p, &next)) {
        begin(p, true, "gradient of the state", "h", unit, value);
        put(p->trace->fault->fed, &used, "%.6g from above", (double)from_above);
        return;
    }
    for (size_t j = 0; j < n->G * H; j++) {
        float flow = flow_of(p, next, j / H)[j % H], weight = w->value.data[j * H + unit];
        sum.sum = fmaf(flow, weight, sum.sum);
        if (isfinite(sum.sum))
            continue;
        begin(p, true, "recurrent product", gate_name(n->layer.kind, j / H), unit, value);
        put(p->trace->fault->fed, &used,
            "%s[%zu,%zu] = %.6g times %.6g, the gradient of that gate of unit %zu at the step %s; "
            "%.6g from above",
            w->name, j, unit, (double)weight, (double)flow, j % H,
            p->d->reverse ? "before" : "after", (double)from_above);
        return;
    }
    /* a GRU's state carries a part of its own: z times the gradient of the step after */
    begin(p, true, "gradient of the state", "h", unit, value);
    put(p->trace->fault->fed, &used,
        "%.6g from above, %.6g the gradient of the same state a step %s", (double)from_above,
        (double)p->layer->dh[next * H + unit], p->d->reverse ? "before" : "after");
}

static bool look_at_flow(const place *p)
{
    const elman_recurrent_node *n = p->n;
    const size_t H = n->H;
    size_t used = 0;
    for (size_t gate = 0; gate < n->G; gate++) {
        const float *flow = flow_of(p, p->row, gate);
        size_t at = elman_trace_nonfinite(p->trace, flow, H);
        if (at == H)
            continue;
        begin(p, true, "gradient of a gate", gate_name(n->layer.kind, gate), at, flow[at]);
        put(p->trace->fault->fed, &used, "the state's gradient %.6g",
            (double)p->layer->dh[p->row * H + at]);
        if (p->layer->dc)
            put(p->trace->fault->fed, &used, ", the cell's %.6g, c before it %.6g",
                (double)p->layer->dc[p->row * H + at], (double)p->c[at]);
        return true;
    }
    return false;
}

/* What flows on to the layer's input at a row: a chain over the gates. */
static bool look_at_input(const place *p)
{
    const elman_recurrent_node *n = p->n;
    const elman_parameter *w = p->d->cell.weight_ih;
    const size_t H = n->H, I = n->I;
    const float *flow = p->d->gates + p->row * n->P * H;
    size_t used = 0;
    for (size_t k = 0; k < I; k++) {
        float sum = 0;
        for (size_t j = 0; j < n->G * H; j++) {
            sum = fmaf(flow[j], w->value.data[j * I + k], sum);
            if (isfinite(sum))
                continue;
            begin(p, true, "input product", gate_name(n->layer.kind, j / H), j % H, sum);
            put(p->trace->fault->fed, &used,
                "%s[%zu,%zu] = %.6g times %.6g, the gradient of that gate", w->name, j, k,
                (double)w->value.data[j * I + k], (double)flow[j]);
            return true;
        }
    }
    return false;
}

static bool look_back(const place *p)
{
    const size_t H = p->n->H;
    const float *dh = p->layer->dh + p->row * H;
    const float *dc = p->layer->dc ? p->layer->dc + p->row * H : NULL;
    size_t at = elman_trace_nonfinite(p->trace, dh, H), used = 0;
    if (at < H) {
        explain_dh(p, at);
        return true;
    }
    at = dc ? elman_trace_nonfinite(p->trace, dc, H) : H;
    if (at < H) {
        begin(p, true, "gradient of the cell", "c", at, dc[at]);
        put(p->trace->fault->fed, &used, "the state's gradient %.6g, c before it %.6g",
            (double)dh[at], (double)p->c[at]);
        return true;
    }
    return look_at_flow(p);
}

bool elman_trace_cell_backward(const elman_trace *trace, const elman_observation *o)
{
    const elman_recurrent_node *n = o->node;
    const elman_sequences *s = n->s;
    for (int64_t i = s->T - 1; i >= 0; i--) {
        int64_t t = elman_recurrent_time(n, o->direction, i);
        for (int64_t row = s->offsets[t]; row < s->offsets[t + 1]; row++) {
            place p = place_of(trace, o, (size_t)row);
            if (look_back(&p))
                return true;
        }
    }
    bool flows = n->layer.y->gradient && (n->layer.table || n->layer.x->needs_gradient);
    for (int64_t row = s->N - 1; flows && row >= 0; row--) {
        place p = place_of(trace, o, (size_t)row);
        if (look_at_input(&p))
            return true;
    }
    return false;
}
