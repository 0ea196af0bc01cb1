/* One step backwards: the gradient that comes back through time for a few units, then at once the
 * gradients of their gates. Letters as in recurrent_forward.c; d in front: the gradient of. */
#include "kernel/body/functions.h"
#include "kernel/body/recurrent.h"

ELMAN_INLINE vf take(const float *p, size_t n)
{
    return n == VW ? vf_load(p) : vf_load_n(p, n);
}

ELMAN_INLINE void put(float *p, vf x, size_t n)
{
    if (n == VW)
        vf_store(p, x);
    else
        vf_store_n(p, x, n);
}

ELMAN_INLINE vf vf_one_minus_square(vf x)
{
    return vf_fnma(x, x, vf_set1(1.0F));
}

/* dh of rows [r0,r1): the gradient from above, and the carry where asked. */
static void begin(const elman_step_backward *step, bool carry, size_t r0, size_t r1,
                  const elman_piece *piece)
{
    const bool above = step->dy.base || step->dy.pointers;
    for (size_t r = r0; r < r1; r++) {
        float *dh = elman_row_mutable(&step->dh, r);
        const float *dy = above ? elman_row(&step->dy, r) : NULL;
        if (carry && !above)
            continue;
        for (size_t v = piece->v0; v < piece->v1; v++) {
            size_t u = v * VW, n = step->H - u < VW ? step->H - u : VW;
            vf x = above ? take(dy + u, n) : vf_zero();
            if (carry)
                x = vf_add(x, take(dh + u, n));
            put(dh + u, x, n);
        }
    }
}

/* dh = dy + carry, then the chain over the gate rows of the step that came after. */
static void gather(const elman_step_backward *step, elman_cell cell, const elman_piece *piece)
{
    size_t chained = step->chained < piece->r0   ? piece->r0
                     : step->chained > piece->r1 ? piece->r1
                                                 : step->chained;
    begin(step, cell == ELMAN_CELL_GRU, piece->r0, chained, piece);
    begin(step, true, chained, piece->r1, piece);
    elman_panel_product product = {.K = elman_cell_gates(cell) * step->H,
                                   .width = step->H,
                                   .panels = step->panels,
                                   .left = step->next,
                                   .start = elman_rows_of(step->dh),
                                   .out = step->dh};
    elman_piece rows = *piece;
    rows.r1 = chained;
    ELMAN_KERNEL(elman_recurrent_carry_product)(cell, &product, &rows);
}

/* Backward of h' = tanh(a): da = dh*(1 - h'^2) */
ELMAN_INLINE void rnn_tanh(const elman_step_backward *step, size_t r, size_t u, size_t n)
{
    vf dh = take(elman_row_mutable(&step->dh, r) + u, n);
    vf h = take(elman_row(&step->h_out, r) + u, n);
    put(elman_row_mutable(&step->gates, r) + u, vf_settle(vf_mul(dh, vf_one_minus_square(h))), n);
}

/* Backward of h' = max(a, 0): da = h' <= 0 ? 0 : dh */
ELMAN_INLINE void rnn_relu(const elman_step_backward *step, size_t r, size_t u, size_t n)
{
    vf dh = take(elman_row_mutable(&step->dh, r) + u, n);
    vf h = take(elman_row(&step->h_out, r) + u, n);
    vf da = vf_select(vf_le(h, vf_zero()), vf_zero(), dh);
    put(elman_row_mutable(&step->gates, r) + u, vf_settle(da), n);
}

/* x*(1 - x), the slope of sigmoid where its value is x */
ELMAN_INLINE vf slope(vf x)
{
    return vf_mul(x, vf_sub(vf_set1(1.0F), x));
}

/* Backward of c' = f*c + i*g, h' = o*tanh(c'):
 * ds = dc' + dh'*o*(1 - tanh(c')^2);  df = ds*c;  di = ds*g;  dg = ds*i;  dc = ds*f */
ELMAN_INLINE void lstm(const elman_step_backward *step, size_t r, size_t u, size_t n)
{
    const size_t H = step->H;
    float *gate = elman_row_mutable(&step->gates, r) + u;
    float *dc = elman_row_mutable(&step->dc, r) + u;
    vf dh = take(elman_row_mutable(&step->dh, r) + u, n);
    vf i = take(gate, n), f = take(gate + H, n);
    vf g = take(gate + 2 * H, n), o = take(gate + 3 * H, n);
    vf c = take(elman_row(&step->c, r) + u, n);
    vf t = vf_tanh(take(elman_row(&step->c_out, r) + u, n));
    vf ds = vf_fma(vf_mul(dh, o), vf_one_minus_square(t), take(dc, n));
    put(gate, vf_settle(vf_mul(vf_mul(ds, g), slope(i))), n);
    if (step->seen_c.base)
        put(elman_row_mutable(&step->seen_c, r) + u, ds, n);
    put(gate + H, vf_settle(vf_mul(vf_mul(ds, c), slope(f))), n);
    put(gate + 2 * H, vf_settle(vf_mul(vf_mul(ds, i), vf_one_minus_square(g))), n);
    put(gate + 3 * H, vf_settle(vf_mul(vf_mul(dh, t), slope(o))), n);
    put(dc, vf_settle(vf_mul(ds, f)), n);
}

/* Backward of h' = n + z*(h - n), n = tanh(a_n + r*q):
 * dz = dh'*(h - n);  da_n = dh'*(1 - z)*(1 - n^2);  dq = da_n*r;  dr = da_n*q;  carry dh'*z */
ELMAN_INLINE void gru(const elman_step_backward *step, size_t row, size_t u, size_t lanes)
{
    const size_t H = step->H;
    float *gate = elman_row_mutable(&step->gates, row) + u;
    float *carry = elman_row_mutable(&step->dh, row) + u;
    vf dh = take(carry, lanes);
    vf r = take(gate, lanes), z = take(gate + H, lanes);
    vf n = take(gate + 2 * H, lanes), q = take(gate + 3 * H, lanes);
    vf h = take(elman_row(&step->h, row) + u, lanes);
    vf da = vf_mul(vf_mul(dh, vf_sub(vf_set1(1.0F), z)), vf_one_minus_square(n));
    put(gate, vf_settle(vf_mul(vf_mul(da, q), slope(r))), lanes);
    put(gate + H, vf_settle(vf_mul(vf_mul(dh, vf_sub(h, n)), slope(z))), lanes);
    put(gate + 2 * H, vf_settle(da), lanes);
    put(gate + 3 * H, vf_settle(vf_mul(da, r)), lanes);
    put(carry, vf_settle(vf_mul(dh, z)), lanes);
}

static void show(const elman_step_backward *step, const elman_piece *piece)
{
    for (size_t r = piece->r0; r < piece->r1; r++)
        for (size_t v = piece->v0; v < piece->v1; v++) {
            size_t u = v * VW, n = step->H - u < VW ? step->H - u : VW;
            put(elman_row_mutable(&step->seen_h, r) + u,
                take(elman_row_mutable(&step->dh, r) + u, n), n);
        }
}

#define STEP(name, cell, pointwise)                                                                \
    void ELMAN_KERNEL(name)(const elman_step_backward *step, const elman_piece *piece)             \
    {                                                                                              \
        const size_t stride = ELMAN_KERNEL(elman_recurrent_stride)(1, piece->r1 - piece->r0);      \
        for (size_t v0 = piece->v0, v1; v0 < piece->v1; v0 = v1) {                                 \
            elman_piece part = *piece;                                                             \
            v1 = v0 / ONE_GROUP_VECTORS * ONE_GROUP_VECTORS + stride;                              \
            if (v1 > piece->v1)                                                                    \
                v1 = piece->v1;                                                                    \
            part.v0 = v0;                                                                          \
            part.v1 = v1;                                                                          \
            gather(step, cell, &part);                                                             \
            if (step->seen_h.base)                                                                 \
                show(step, &part);                                                                 \
            for (size_t r = part.r0; r < part.r1; r++) {                                           \
                for (size_t v = v0; v < v1; v++) {                                                 \
                    size_t u = v * VW, n = step->H - u < VW ? step->H - u : VW;                    \
                    pointwise(step, r, u, n);                                                      \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

STEP(elman_rnn_tanh_backward, ELMAN_CELL_RNN, rnn_tanh)
STEP(elman_rnn_relu_backward, ELMAN_CELL_RNN_RELU, rnn_relu)
STEP(elman_lstm_backward, ELMAN_CELL_LSTM, lstm)
STEP(elman_gru_backward, ELMAN_CELL_GRU, gru)
