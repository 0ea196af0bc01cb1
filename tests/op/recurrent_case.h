/* A recurrent layer over a batch, run on the tape and by the oracle. All results and gradients
 * stand in one flat array, so that runs are compared as a whole. */
#ifndef RECURRENT_CASE_H
#define RECURRENT_CASE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cpu.h"
#include "compare.h"
#include "graph/tape_impl.h"
#include "kernel/ref/recurrent_ref.h"
#include "op/op.h"

typedef struct layer_case {
    elman_cell kind;
    int directions;
    int64_t T, B, I, H;
    int64_t V;              /* rows of a table; 0: x is values */
    const int64_t *lengths; /* [B] or NULL */
    bool bias, states;      /* biases; initial states given and final states' gradients */
    bool forward_only;      /* the gradients stay 0 */
} layer_case;

/* Where the parts of the flat array begin; the last is their number in all. */
typedef struct case_layout {
    size_t y, hn, cn, dx, dh0, dc0, cells[2], count; /* cells: w_ih, w_hh, b_ih, b_hh */
} case_layout;

static inline size_t case_gates(const layer_case *c)
{
    return c->kind == ELMAN_CELL_LSTM ? 4 : c->kind == ELMAN_CELL_GRU ? 3 : 1;
}

static inline int64_t case_length(const layer_case *c, int64_t b)
{
    return c->lengths ? c->lengths[b] : c->T;
}

static inline size_t case_rows(const layer_case *c)
{
    int64_t n = 0;
    for (int64_t b = 0; b < c->B; b++)
        n += case_length(c, b);
    return (size_t)n;
}

static inline case_layout case_layout_of(const layer_case *c)
{
    size_t D = (size_t)c->directions, H = (size_t)c->H, I = (size_t)c->I, N = case_rows(c);
    size_t state = D * (size_t)c->B * H, G = case_gates(c) * H;
    case_layout l = {0};
    l.hn = N * D * H;
    l.cn = l.hn + state;
    l.dx = l.cn + state;
    l.dh0 = l.dx + (c->V ? (size_t)c->V : N) * I;
    l.dc0 = l.dh0 + state;
    l.cells[0] = l.dc0 + state;
    l.cells[1] = l.cells[0] + G * (I + H + 2);
    l.count = l.cells[1] + G * (I + H + 2);
    return l;
}

/* A number in [-1,1) that is a function of what it is for. */
static inline float case_number(uint64_t use, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t x = use * 0x9e3779b97f4a7c15U + a * 0xbf58476d1ce4e5b9U + b * 0x94d049bb133111ebU +
                 c * 0xd6e8feb86659fd93U + 12345;
    for (int i = 0; i < 3; i++) {
        x ^= x >> 31;
        x *= 0x9e3779b97f4a7c15U;
    }
    return (float)(x >> 40) * 0x1p-23F - 1.0F;
}

enum { USE_X = 1, USE_H0, USE_C0, USE_TOKEN, USE_DY, USE_DHN, USE_DCN, USE_TABLE, USE_CELL };

static inline int32_t case_token(const layer_case *c, int64_t b, int64_t t)
{
    return (int32_t)((case_number(USE_TOKEN, (uint64_t)b, (uint64_t)t, 0) + 1.0F) * 0.5F *
                     (float)c->V) %
           (int32_t)c->V;
}

/* part 0..3: w_ih, w_hh, b_ih, b_hh */
static inline float case_weight(const layer_case *c, int direction, int part, size_t i)
{
    float scale = 1.5F / sqrtf((float)c->H);
    return scale * case_number(USE_CELL, (uint64_t)(direction * 4 + part), i, 0);
}

static inline size_t case_part(const layer_case *c, int part)
{
    size_t G = case_gates(c) * (size_t)c->H;
    return part == 0 ? G * (size_t)c->I : part == 1 ? G * (size_t)c->H : c->bias ? G : 0;
}

/* -- on the tape ------------------------------------------------------------------------------ */

/* Parameters of a case, in a context. */
typedef struct case_parameters {
    elman_parameter *parts[2][4], *table;
    elman_cell_parameters cells[2];
} case_parameters;

static inline elman_parameter *case_parameter(elman_context *context, int64_t a, int64_t b)
{
    elman_parameter *p;
    const int64_t shape[2] = {a, b};
    assert_int_equal(elman_parameter_create(context, "p", b ? 2 : 1, shape, true, &p, NULL), 0);
    return p;
}

static inline void case_parameters_make(elman_context *context, const layer_case *c,
                                        case_parameters *out)
{
    int64_t G = (int64_t)case_gates(c) * c->H;
    memset(out, 0, sizeof *out);
    for (int d = 0; d < c->directions; d++) {
        const int64_t width[4] = {c->I, c->H, 0, 0};
        for (int part = 0; part < (c->bias ? 4 : 2); part++) {
            elman_parameter *p = case_parameter(context, G, width[part]);
            for (size_t i = 0; i < case_part(c, part); i++)
                p->value.data[i] = case_weight(c, d, part, i);
            out->parts[d][part] = p;
        }
        out->cells[d] = (elman_cell_parameters){.weight_ih = out->parts[d][0],
                                                .weight_hh = out->parts[d][1],
                                                .bias_ih = out->parts[d][2],
                                                .bias_hh = out->parts[d][3]};
    }
    if (c->V) {
        out->table = case_parameter(context, c->V, c->I);
        for (int64_t v = 0; v < c->V; v++)
            for (int64_t i = 0; i < c->I; i++)
                out->table->value.data[v * c->I + i] =
                    case_number(USE_TABLE, (uint64_t)v, (uint64_t)i, 0);
    }
}

static inline void case_parameters_free(case_parameters *p)
{
    for (int d = 0; d < 2; d++)
        for (int part = 0; part < 4; part++)
            elman_parameter_free(p->parts[d][part]);
    elman_parameter_free(p->table);
}

static inline elman_context *case_context(int threads, elman_isa isa)
{
    elman_context_options options;
    elman_context_options_default(&options);
    options.threads = threads;
    options.isa = isa;
    elman_context *context;
    assert_int_equal(elman_context_create(&options, &context, NULL), ELMAN_OK);
    return context;
}

/* x [N,I] (or tokens [N]) of a batch in packed order. */
static inline void case_inputs(const layer_case *c, const elman_sequences *s, float *x,
                               int32_t *tokens)
{
    for (int64_t t = 0; t < s->T; t++)
        for (int64_t r = 0; r < s->batch_sizes[t]; r++) {
            int64_t row = s->offsets[t] + r, b = s->order[r];
            if (c->V)
                tokens[row] = case_token(c, b, t);
            else
                for (int64_t i = 0; i < c->I; i++)
                    x[row * c->I + i] = case_number(USE_X, (uint64_t)b, (uint64_t)t, (uint64_t)i);
        }
}

static inline void case_fill_state(const layer_case *c, uint64_t use, float *to)
{
    for (int64_t d = 0; d < c->directions; d++)
        for (int64_t b = 0; b < c->B; b++)
            for (int64_t u = 0; u < c->H; u++)
                to[(d * c->B + b) * c->H + u] =
                    case_number(use, (uint64_t)b, (uint64_t)d, (uint64_t)u);
}

/* What flows into a result, put there by hand. */
static inline void case_flow(elman_tape *tape, elman_var *var, const float *from, size_t n)
{
    bool add;
    float *to = elman_tape_gradient(tape, var, &add);
    assert_non_null(to);
    assert_false(add);
    memcpy(to, from, n * sizeof *to);
}

/* One round on the tape; the parameters' gradients are cleared first. */
static inline void case_round(elman_tape *tape, const layer_case *c, case_parameters *p,
                              float *flat)
{
    case_layout l = case_layout_of(c);
    size_t N = case_rows(c), D = (size_t)c->directions, state = D * (size_t)(c->B * c->H);
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    mode.record = !c->forward_only;
    elman_tape_begin(tape, &mode);
    const elman_sequences *s = elman_tape_sequences(tape, c->T, c->B, c->lengths, NULL, 0);
    assert_non_null(s);
    float *x = elman_tape_floats(tape, N * (size_t)c->I);
    int32_t *tokens = elman_tape_take(tape, N + 1, sizeof *tokens);
    case_inputs(c, s, x, tokens);
    elman_recurrent layer = {.kind = c->kind,
                             .input = c->I,
                             .hidden = c->H,
                             .directions = c->directions,
                             .cells = p->cells};
    if (c->V) {
        layer.table = p->table;
        layer.tokens = tokens;
        memset(p->table->gradient, 0, (size_t)(c->V * c->I) * sizeof(float));
    } else {
        layer.x = elman_tape_leaf(tape, 2, (int64_t[]){(int64_t)N, c->I}, x);
    }
    float *h0 = elman_tape_floats(tape, state), *c0 = elman_tape_floats(tape, state);
    if (c->states) {
        case_fill_state(c, USE_H0, h0);
        case_fill_state(c, USE_C0, c0);
        const int64_t shape[3] = {c->directions, c->B, c->H};
        layer.h0 = elman_tape_leaf(tape, 3, shape, h0);
        if (c->kind == ELMAN_CELL_LSTM)
            layer.c0 = elman_tape_leaf(tape, 3, shape, c0);
    }
    elman_op_recurrent(tape, s, &layer);
    elman_error error;
    if (elman_tape_status(tape, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    memset(flat, 0, l.count * sizeof *flat);
    memcpy(flat + l.y, layer.y->value.data, N * D * (size_t)c->H * sizeof *flat);
    memcpy(flat + l.hn, layer.hn->value.data, state * sizeof *flat);
    if (layer.cn)
        memcpy(flat + l.cn, layer.cn->value.data, state * sizeof *flat);
    if (c->forward_only)
        return;

    float *flow = elman_tape_floats(tape, N * D * (size_t)c->H + state);
    for (int64_t t = 0; t < s->T; t++)
        for (int64_t r = 0; r < s->batch_sizes[t]; r++)
            for (int64_t u = 0; u < c->directions * c->H; u++)
                flow[(s->offsets[t] + r) * c->directions * c->H + u] =
                    case_number(USE_DY, (uint64_t)s->order[r], (uint64_t)t, (uint64_t)u);
    case_flow(tape, layer.y, flow, N * D * (size_t)c->H);
    if (c->states) {
        case_fill_state(c, USE_DHN, flow);
        case_flow(tape, layer.hn, flow, state);
        case_fill_state(c, USE_DCN, flow);
        if (layer.cn)
            case_flow(tape, layer.cn, flow, state);
    }
    for (int d = 0; d < c->directions; d++)
        for (int part = 0; part < 4; part++)
            if (p->parts[d][part])
                memset(p->parts[d][part]->gradient, 0, case_part(c, part) * sizeof(float));
    tape->last->backward(tape, tape->last);
    if (elman_tape_status(tape, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    if (c->V)
        memcpy(flat + l.dx, p->table->gradient, (size_t)(c->V * c->I) * sizeof *flat);
    else
        memcpy(flat + l.dx, elman_var_gradient(layer.x), N * (size_t)c->I * sizeof *flat);
    if (c->states) {
        memcpy(flat + l.dh0, elman_var_gradient(layer.h0), state * sizeof *flat);
        if (layer.c0)
            memcpy(flat + l.dc0, elman_var_gradient(layer.c0), state * sizeof *flat);
    }
    for (int d = 0; d < c->directions; d++) {
        float *to = flat + l.cells[d];
        for (int part = 0; part < 4; part++) {
            if (p->parts[d][part])
                memcpy(to, p->parts[d][part]->gradient, case_part(c, part) * sizeof *to);
            to += case_part(c, part);
        }
    }
}

/* The flat result in memory of the caller's. */
static inline float *case_run(const layer_case *c, int threads, elman_isa isa)
{
    elman_context *context = case_context(threads, isa);
    case_parameters p;
    case_parameters_make(context, c, &p);
    elman_tape *tape;
    assert_int_equal(elman_tape_create(context, &tape, NULL), ELMAN_OK);
    float *flat = malloc((case_layout_of(c).count + 1) * sizeof *flat);
    assert_non_null(flat);
    case_round(tape, c, &p, flat);
    elman_tape_free(tape);
    case_parameters_free(&p);
    elman_context_free(context);
    return flat;
}

#endif
