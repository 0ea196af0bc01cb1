/* The same flat array in double precision, from the oracle, sequence by sequence. */
#ifndef RECURRENT_ORACLE_H
#define RECURRENT_ORACLE_H

#include "recurrent_case.h"

static inline double *oracle_doubles(size_t n)
{
    double *p = calloc(n + 1, sizeof *p);
    assert_non_null(p);
    return p;
}

/* The packed row of sequence b at its step t. */
static inline size_t oracle_row(const layer_case *c, int64_t b, int64_t t)
{
    size_t row = 0;
    for (int64_t u = 0; u < t; u++)
        for (int64_t i = 0; i < c->B; i++)
            row += case_length(c, i) > u;
    for (int64_t i = 0; i < c->B; i++) {
        int64_t mine = case_length(c, b), other = case_length(c, i);
        row += other > t && (other > mine || (other == mine && i < b));
    }
    return row;
}

/* One sequence in one direction: its results, and its part of the gradients. */
static inline void oracle_sequence(const layer_case *c, int d, int64_t b, const ref_cell *cell,
                                   const ref_cell *gradient, double *flat)
{
    case_layout l = case_layout_of(c);
    size_t T = (size_t)case_length(c, b), I = (size_t)c->I, H = (size_t)c->H;
    size_t width = (size_t)c->directions * H, state = ((size_t)(d * c->B) + (size_t)b) * H;
    double *x = oracle_doubles(T * I), *dx = oracle_doubles(T * I), *dy = oracle_doubles(T * H);
    double *y = oracle_doubles(T * H), *h0 = oracle_doubles(H), *c0 = oracle_doubles(H);
    double *dhn = oracle_doubles(H), *dcn = oracle_doubles(H);
    size_t *rows = calloc(T + 1, sizeof *rows), *inputs = calloc(T + 1, sizeof *inputs);
    for (size_t i = 0; i < T; i++) {
        int64_t t = d ? (int64_t)(T - 1 - i) : (int64_t)i;
        rows[i] = oracle_row(c, b, t);
        inputs[i] = c->V ? (size_t)case_token(c, b, t) : rows[i];
        for (size_t k = 0; k < I; k++)
            x[i * I + k] = c->V ? (double)case_number(USE_TABLE, inputs[i], k, 0)
                                : (double)case_number(USE_X, (uint64_t)b, (uint64_t)t, k);
        for (size_t u = 0; u < H; u++)
            dy[i * H + u] =
                (double)case_number(USE_DY, (uint64_t)b, (uint64_t)t, (uint64_t)d * H + u);
    }
    for (size_t u = 0; u < H && c->states; u++) {
        h0[u] = (double)case_number(USE_H0, (uint64_t)b, (uint64_t)d, u);
        c0[u] = (double)case_number(USE_C0, (uint64_t)b, (uint64_t)d, u);
        dhn[u] = (double)case_number(USE_DHN, (uint64_t)b, (uint64_t)d, u);
        dcn[u] = (double)case_number(USE_DCN, (uint64_t)b, (uint64_t)d, u);
    }
    ref_layer layer = {
        .kind = c->kind, .T = T, .I = I, .H = H, .cell = *cell, .x = x, .h0 = h0, .c0 = c0};
    ref_gradients flow = {.dy = dy,
                          .dhn = dhn,
                          .dcn = dcn,
                          .cell = *gradient,
                          .dx = dx,
                          .dh0 = flat + l.dh0 + state,
                          .dc0 = flat + l.dc0 + state};
    double *work = oracle_doubles(ref_recurrent_work(&layer));
    ref_recurrent_forward(&layer, y, flat + l.hn + state, flat + l.cn + state, work);
    if (!c->forward_only)
        ref_recurrent_backward(&layer, &flow, work);
    for (size_t i = 0; i < T; i++) {
        memcpy(flat + l.y + rows[i] * width + (size_t)d * H, y + i * H, H * sizeof *y);
        for (size_t k = 0; k < I; k++)
            flat[l.dx + inputs[i] * I + k] += dx[i * I + k];
    }
    if (!c->states) {
        memset(flat + l.dh0 + state, 0, H * sizeof *flat);
        memset(flat + l.dc0 + state, 0, H * sizeof *flat);
    }
    void *all[] = {x, dx, dy, y, h0, c0, dhn, dcn, rows, inputs, work};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static inline double *oracle_run(const layer_case *c)
{
    case_layout l = case_layout_of(c);
    double *flat = oracle_doubles(l.count);
    for (int d = 0; d < c->directions; d++) {
        double *values[4] = {0}, *gradients[4] = {0}, *to = flat + l.cells[d];
        for (int part = 0; part < 4; part++) {
            if (!case_part(c, part))
                continue;
            values[part] = oracle_doubles(case_part(c, part));
            for (size_t i = 0; i < case_part(c, part); i++)
                values[part][i] = (double)case_weight(c, d, part, i);
            gradients[part] = to;
            to += case_part(c, part);
        }
        ref_cell cell = {values[0], values[1], values[2], values[3]};
        ref_cell gradient = {gradients[0], gradients[1], gradients[2], gradients[3]};
        for (int64_t b = 0; b < c->B; b++)
            oracle_sequence(c, d, b, &cell, &gradient, flat);
        for (int part = 0; part < 4; part++)
            free(values[part]);
    }
    return flat;
}

/* Every part within `k` units in the last place of that part's largest element: what a chain of
 * rounding errors amounts to, since all terms of a part are of that size. */
static inline bool oracle_agrees(const layer_case *c, const float *got, const double *want,
                                 double k)
{
    case_layout l = case_layout_of(c);
    const size_t ends[] = {l.hn, l.cn, l.dx, l.dh0, l.dc0, l.cells[0], l.cells[1], l.count};
    double *magnitude = oracle_doubles(l.count);
    for (size_t part = 0, begin = 0; part < sizeof ends / sizeof *ends; begin = ends[part++]) {
        double most = 0;
        for (size_t i = begin; i < ends[part]; i++)
            most = fmax(most, fabs(want[i]));
        for (size_t i = begin; i < ends[part]; i++)
            magnitude[i] = most;
    }
    bool ok = compare_close(got, want, magnitude, l.count, k);
    free(magnitude);
    return ok;
}

#endif
