/* A recurrent layer written down from the rules alone, a number at a time: one chain of fused
 * multiply-adds for every sum, in the order that the rules give. */
#ifndef RECURRENT_LAW_H
#define RECURRENT_LAW_H

#include "laws.h"
#include "op/op.h"

typedef struct law_case {
    elman_cell cell;
    size_t D, T, B, I, H;
    const int64_t *lengths; /* [B] or NULL */
    size_t V;               /* rows of a table; 0: x is rows */
    bool bias, states;      /* states: given, and the final ones' gradients flow */
} law_case;

enum { PART_W_IH, PART_W_HH, PART_B_IH, PART_B_HH, PARTS };

/* Everything about a case: what is given, then what comes out. */
typedef struct law_layer {
    law_case c;
    size_t G, P, N;
    size_t *row;                /* [B,T] the packed row of a sequence's step */
    float *x;                   /* [N,I], or the table [V,I] */
    int32_t *tokens;            /* [N] */
    float *h0, *c0, *dhn, *dcn; /* [D,B,H] */
    float *dy;                  /* [N,D*H] */
    float *w[2][PARTS];
    /* out */
    float *y, *hn, *cn, *dh0, *dc0;
    float *dx;           /* [N,I] */
    float *dtable;       /* [V,I], continued */
    float *dw[2][PARTS]; /* continued */
    /* on the way, of each direction: [N,P*H] gates then their gradients, [N,H] */
    float *gates[2], *cells[2];
} law_layer;

static inline size_t law_length(const law_case *c, size_t b)
{
    return c->lengths ? (size_t)c->lengths[b] : c->T;
}

/* Longest first, ties as given. */
static inline size_t law_place(const law_case *c, size_t b)
{
    size_t place = 0;
    for (size_t i = 0; i < c->B; i++)
        place +=
            law_length(c, i) > law_length(c, b) || (law_length(c, i) == law_length(c, b) && i < b);
    return place;
}

/* The sequence at a place. */
static inline size_t law_at(const law_case *c, size_t place)
{
    for (size_t b = 0; b < c->B; b++)
        if (law_place(c, b) == place)
            return b;
    return c->B;
}

static inline size_t law_part(const law_layer *l, int part)
{
    size_t G = l->G * l->c.H;
    return part == PART_W_IH ? G * l->c.I : part == PART_W_HH ? G * l->c.H : l->c.bias ? G : 0;
}

static inline law_layer law_make(const law_case *c, uint64_t seed)
{
    law_layer l = {.c = *c};
    l.G = c->cell == ELMAN_CELL_LSTM ? 4 : c->cell == ELMAN_CELL_GRU ? 3 : 1;
    l.P = l.G == 1 ? 1 : 4;
    l.row = calloc(c->B * c->T + 1, sizeof *l.row);
    assert_non_null(l.row);
    for (size_t t = 0; t < c->T; t++)
        for (size_t place = 0; place < c->B; place++)
            if (t < law_length(c, law_at(c, place)))
                l.row[law_at(c, place) * c->T + t] = l.N++;
    size_t N = l.N, state = c->D * c->B * c->H, width = c->D * c->H;
    l.x = law_numbers((c->V ? c->V : N) * c->I, seed + 1);
    l.tokens = calloc(N + 1, sizeof *l.tokens);
    uint64_t random = seed;
    for (size_t i = 0; i < N && c->V; i++)
        l.tokens[i] = (int32_t)(law_word(&random) % c->V);
    l.h0 = c->states ? law_numbers(state, seed + 2) : law_zeros(state);
    l.c0 = c->states ? law_numbers(state, seed + 3) : law_zeros(state);
    l.dhn = c->states ? law_numbers(state, seed + 4) : law_zeros(state);
    l.dcn = c->states ? law_numbers(state, seed + 5) : law_zeros(state);
    l.dy = law_numbers(N * width, seed + 6);
    l.dtable = law_numbers(c->V * c->I, seed + 7);
    for (size_t d = 0; d < c->D; d++) {
        for (int part = 0; part < PARTS; part++) {
            l.w[d][part] = law_numbers(law_part(&l, part), seed + 10 + d * PARTS + (size_t)part);
            l.dw[d][part] = law_numbers(law_part(&l, part), seed + 20 + d * PARTS + (size_t)part);
        }
        l.gates[d] = law_zeros(N * l.P * c->H);
        l.cells[d] = law_zeros(N * c->H);
    }
    l.y = law_zeros(N * width);
    l.dx = law_zeros(N * c->I);
    l.hn = law_zeros(state);
    l.cn = law_zeros(state);
    l.dh0 = law_zeros(state);
    l.dc0 = law_zeros(state);
    return l;
}

static inline void law_free(law_layer *l)
{
    for (size_t d = 0; d < l->c.D; d++) {
        for (int part = 0; part < PARTS; part++) {
            free(l->w[d][part]);
            free(l->dw[d][part]);
        }
        free(l->gates[d]);
        free(l->cells[d]);
    }
    void *all[] = {l->row, l->x,  l->tokens, l->h0,  l->c0,  l->dhn, l->dcn,   l->dy,
                   l->y,   l->hn, l->cn,     l->dh0, l->dc0, l->dx,  l->dtable};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

/* Packed row of step i in the direction's own order. */
static inline size_t law_row(const law_layer *l, size_t d, size_t b, size_t i)
{
    size_t t = d ? law_length(&l->c, b) - 1 - i : i;
    return l->row[b * l->c.T + t];
}

static inline const float *law_input(const law_layer *l, size_t row)
{
    return l->x + (l->c.V ? (size_t)l->tokens[row] : row) * l->c.I;
}

/* value + sum over k of a[k] * b[k*step], k ascending. */
static inline float law_chain(float value, const float *a, const float *b, size_t step, size_t n)
{
    for (size_t k = 0; k < n; k++)
        value = fmaf(a[k], b[k * step], value);
    return value;
}

static inline const float *law_before(const law_layer *l, size_t d, size_t b, size_t i, bool cell)
{
    const size_t H = l->c.H;
    if (i == 0)
        return (cell ? l->c0 : l->h0) + (d * l->c.B + b) * H;
    size_t row = law_row(l, d, b, i - 1);
    return cell ? l->cells[d] + row * H : l->y + row * l->c.D * H + d * H;
}

/* The gate g of unit u before its function: b_ih + b_hh, input k, recurrent k; of a GRU's n one
 * of its two chains. */
static inline float law_gate(const law_layer *l, size_t d, size_t g, size_t u, const float *x,
                             const float *h)
{
    const size_t j = g * l->c.H + u;
    float b_ih = l->c.bias && x ? l->w[d][PART_B_IH][j] : 0.0F;
    float b_hh = l->c.bias && h ? l->w[d][PART_B_HH][j] : 0.0F;
    float a = b_ih + b_hh;
    if (x)
        a = law_chain(a, x, l->w[d][PART_W_IH] + j * l->c.I, 1, l->c.I);
    if (h)
        a = law_chain(a, h, l->w[d][PART_W_HH] + j * l->c.H, 1, l->c.H);
    return a;
}

static inline void law_step(law_layer *l, size_t d, size_t b, size_t i)
{
    const size_t H = l->c.H, row = law_row(l, d, b, i);
    const float *x = law_input(l, row), *h = law_before(l, d, b, i, false);
    const float *c = law_before(l, d, b, i, true);
    float *gate = l->gates[d] + row * l->P * H, *y = l->y + row * l->c.D * H + d * H;
    for (size_t u = 0; u < H; u++) {
        if (l->c.cell == ELMAN_CELL_RNN || l->c.cell == ELMAN_CELL_RNN_RELU) {
            float a = law_gate(l, d, 0, u, x, h);
            y[u] = law_settle(l->c.cell == ELMAN_CELL_RNN ? law_tanh(a) : a > 0.0F ? a : 0.0F);
        } else if (l->c.cell == ELMAN_CELL_LSTM) {
            float i_ = law_sigmoid(law_gate(l, d, 0, u, x, h));
            float f = law_sigmoid(law_gate(l, d, 1, u, x, h));
            float g = law_tanh(law_gate(l, d, 2, u, x, h));
            float o = law_sigmoid(law_gate(l, d, 3, u, x, h));
            float next = law_settle(fmaf(f, c[u], i_ * g));
            l->cells[d][row * H + u] = next;
            y[u] = law_settle(o * law_tanh(next));
            gate[u] = i_, gate[H + u] = f, gate[2 * H + u] = g, gate[3 * H + u] = o;
        } else {
            float r = law_sigmoid(law_gate(l, d, 0, u, x, h));
            float z = law_sigmoid(law_gate(l, d, 1, u, x, h));
            float q = law_gate(l, d, 2, u, NULL, h);
            float n = law_tanh(fmaf(r, q, law_gate(l, d, 2, u, x, NULL)));
            y[u] = law_settle(fmaf(z, h[u] - n, n));
            gate[u] = r, gate[H + u] = z, gate[2 * H + u] = n, gate[3 * H + u] = q;
        }
    }
}

static inline void law_forward(law_layer *l)
{
    const size_t H = l->c.H;
    for (size_t d = 0; d < l->c.D; d++)
        for (size_t b = 0; b < l->c.B; b++) {
            size_t length = law_length(&l->c, b), state = (d * l->c.B + b) * H;
            for (size_t i = 0; i < length; i++)
                law_step(l, d, b, i);
            memcpy(l->hn + state, law_before(l, d, b, length, false), H * sizeof(float));
            memcpy(l->cn + state, law_before(l, d, b, length, true), H * sizeof(float));
        }
}

/* dh = start, then the gate rows in PyTorch's order; a GRU's n is the recurrent product's. */
static inline float law_carry(const law_layer *l, size_t d, float start, const float *gate,
                              size_t u)
{
    const size_t H = l->c.H;
    const float *w = l->w[d][PART_W_HH] + u;
    if (l->c.cell != ELMAN_CELL_GRU)
        return law_chain(start, gate, w, H, l->G * H);
    start = law_chain(start, gate, w, H, 2 * H);
    return law_chain(start, gate + 3 * H, w + 2 * H * H, H, H);
}

/* The gates of one unit become their gradients; *carry and *dc what goes on to the step before. */
static inline void law_unit_back(law_layer *l, size_t d, size_t row, size_t u, float dh, float h,
                                 float c, float *carry, float *dc)
{
    const size_t H = l->c.H;
    float *gate = l->gates[d] + row * l->P * H + u, y = l->y[row * l->c.D * H + d * H + u];
    if (l->c.cell == ELMAN_CELL_RNN) {
        gate[0] = law_settle(dh * fmaf(-y, y, 1.0F));
    } else if (l->c.cell == ELMAN_CELL_RNN_RELU) {
        gate[0] = law_settle(y > 0.0F ? dh : 0.0F);
    } else if (l->c.cell == ELMAN_CELL_LSTM) {
        float i = gate[0], f = gate[H], g = gate[2 * H], o = gate[3 * H];
        float t = law_tanh(l->cells[d][row * H + u]);
        float ds = fmaf(dh * o, fmaf(-t, t, 1.0F), *dc);
        gate[0] = law_settle(ds * g * (i * (1.0F - i)));
        gate[H] = law_settle(ds * c * (f * (1.0F - f)));
        gate[2 * H] = law_settle(ds * i * fmaf(-g, g, 1.0F));
        gate[3 * H] = law_settle(dh * t * (o * (1.0F - o)));
        *dc = law_settle(ds * f);
    } else {
        float r = gate[0], z = gate[H], n = gate[2 * H], q = gate[3 * H];
        float da = dh * (1.0F - z) * fmaf(-n, n, 1.0F);
        gate[0] = law_settle(da * q * (r * (1.0F - r)));
        gate[H] = law_settle(dh * (h - n) * (z * (1.0F - z)));
        gate[2 * H] = law_settle(da);
        gate[3 * H] = law_settle(da * r);
        *carry = law_settle(dh * z);
    }
}

/* One sequence backwards: from its last step in the direction's order. */
static inline void law_sequence_back(law_layer *l, size_t d, size_t b)
{
    const size_t H = l->c.H, width = l->P * H, state = (d * l->c.B + b) * H;
    const size_t length = law_length(&l->c, b);
    const bool gru = l->c.cell == ELMAN_CELL_GRU;
    float *carry = law_copy(l->dhn + state, H), *dc = l->dc0 + state;
    memcpy(dc, l->dcn + state, H * sizeof *dc);
    for (size_t i = length; i-- > 0;) {
        size_t row = law_row(l, d, b, i);
        const float *dy = l->dy + row * l->c.D * H + d * H;
        const float *h = law_before(l, d, b, i, false), *c = law_before(l, d, b, i, true);
        const float *next = i + 1 < length ? l->gates[d] + law_row(l, d, b, i + 1) * width : NULL;
        for (size_t u = 0; u < H; u++) {
            float start = !next || gru ? dy[u] + carry[u] : dy[u];
            float dh = next ? law_carry(l, d, start, next, u) : start;
            law_unit_back(l, d, row, u, dh, h[u], c[u], &carry[u], &dc[u]);
        }
    }
    for (size_t u = 0; u < H; u++)
        l->dh0[state + u] = length ? law_carry(l, d, gru ? carry[u] : 0.0F,
                                               l->gates[d] + law_row(l, d, b, 0) * width, u)
                                   : carry[u];
    free(carry);
}

/* Packed rows in the order of a parameter's chain: the direction's last step first, within a step
 * longest first. */
static inline size_t *law_chain_order(const law_layer *l, size_t d)
{
    size_t *order = calloc(l->N + 1, sizeof *order), n = 0;
    assert_non_null(order);
    for (size_t i = 0; i < l->c.T; i++) {
        size_t t = d ? i : l->c.T - 1 - i;
        for (size_t place = 0; place < l->c.B; place++) {
            size_t b = law_at(&l->c, place);
            if (t < law_length(&l->c, b))
                order[n++] = l->row[b * l->c.T + t];
        }
    }
    return order;
}

/* What h a packed row started from. */
static inline const float *law_started(const law_layer *l, size_t d, size_t row)
{
    for (size_t b = 0; b < l->c.B; b++)
        for (size_t i = 0; i < law_length(&l->c, b); i++)
            if (law_row(l, d, b, i) == row)
                return law_before(l, d, b, i, false);
    return NULL;
}

/* A small table: the gates' gradients summed by row, then W over rows ascending, the table over
 * gates. */
static inline void law_table(law_layer *l, size_t d, const size_t *order)
{
    const size_t I = l->c.I, GH = l->G * l->c.H, width = l->P * l->c.H;
    for (size_t v = 0; v < l->c.V; v++) {
        float *sums = law_zeros(GH);
        bool present = false;
        for (size_t n = 0; n < l->N; n++)
            if ((size_t)l->tokens[order[n]] == v) {
                present = true;
                for (size_t j = 0; j < GH; j++)
                    sums[j] += l->gates[d][order[n] * width + j];
            }
        for (size_t j = 0; j < GH && present; j++)
            for (size_t k = 0; k < I; k++)
                l->dw[d][PART_W_IH][j * I + k] =
                    fmaf(sums[j], l->x[v * I + k], l->dw[d][PART_W_IH][j * I + k]);
        for (size_t k = 0; k < I && present; k++)
            l->dtable[v * I + k] =
                law_chain(l->dtable[v * I + k], sums, l->w[d][PART_W_IH] + k, I, GH);
        free(sums);
    }
}

static inline void law_weights(law_layer *l, size_t d)
{
    const size_t I = l->c.I, H = l->c.H, GH = l->G * H, width = l->P * H;
    const bool small = l->c.V > 0 && l->c.V <= 1024;
    size_t *order = law_chain_order(l, d);
    for (size_t n = 0; n < l->N; n++) {
        const float *gate = l->gates[d] + order[n] * width;
        const float *x = law_input(l, order[n]), *h = law_started(l, d, order[n]);
        for (size_t j = 0; j < GH; j++) {
            bool q = l->c.cell == ELMAN_CELL_GRU && j >= 2 * H;
            float of_h = q ? gate[j + H] : gate[j];
            for (size_t k = 0; k < I && !small; k++)
                l->dw[d][PART_W_IH][j * I + k] =
                    fmaf(gate[j], x[k], l->dw[d][PART_W_IH][j * I + k]);
            for (size_t k = 0; k < H; k++)
                l->dw[d][PART_W_HH][j * H + k] = fmaf(of_h, h[k], l->dw[d][PART_W_HH][j * H + k]);
            if (l->c.bias) {
                l->dw[d][PART_B_IH][j] += gate[j];
                l->dw[d][PART_B_HH][j] += of_h;
            }
        }
    }
    if (small)
        law_table(l, d, order);
    free(order);
}

/* The whole backward; the gradients of parameters are continued from what they hold. */
static inline void law_back(law_layer *l)
{
    const size_t I = l->c.I, GH = l->G * l->c.H, width = l->P * l->c.H;
    for (size_t d = 0; d < l->c.D; d++)
        for (size_t b = 0; b < l->c.B; b++)
            law_sequence_back(l, d, b);
    for (size_t row = 0; row < l->N; row++)
        for (size_t k = 0; k < I; k++) {
            float dx = 0.0F; /* the forward direction's rows, then the reverse's */
            for (size_t d = 0; d < l->c.D; d++)
                dx = law_chain(dx, l->gates[d] + row * width, l->w[d][PART_W_IH] + k, I, GH);
            l->dx[row * I + k] = dx;
        }
    for (size_t d = 0; d < l->c.D; d++)
        law_weights(l, d);
    if (l->c.V > 1024) {
        size_t *order = law_chain_order(l, 0);
        for (size_t n = 0; n < l->N; n++)
            for (size_t k = 0; k < I; k++)
                l->dtable[(size_t)l->tokens[order[n]] * I + k] += l->dx[order[n] * I + k];
        free(order);
    }
}

#endif
