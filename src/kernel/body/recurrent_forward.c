/* One step forwards: the recurrent product of a few units, then at once their gates and state. */
#include "kernel/body/functions.h"
#include "kernel/body/recurrent.h"

/* Vectors of units by rows, with the lanes of the last vector that are real. */
#define EACH_VECTOR(piece, H, body)                                                                \
    for (size_t r = (piece)->r0; r < (piece)->r1; r++) {                                           \
        for (size_t v = (piece)->v0; v < (piece)->v1; v++) {                                       \
            size_t u = v * VW, n = (H)-u < VW ? (H)-u : VW;                                        \
            body(step, r, u, n);                                                                   \
        }                                                                                          \
    }

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

/* The product of all gates over vectors that run at once. */
static void product(const elman_step_forward *step, size_t groups, const size_t *offsets,
                    const elman_piece *piece)
{
    recurrent_chains chains = {.K = step->H,
                               .k1 = step->H,
                               .groups = groups,
                               .width = step->H,
                               .offsets = offsets,
                               .panels = step->panels,
                               .left = step->h,
                               .start = step->start,
                               .out = step->gates};
    ELMAN_KERNEL(elman_recurrent_chains)(&chains, piece);
}

/* Cell by cell what is still in the nearest cache. */
#define STEP(name, groups, offsets, pointwise)                                                     \
    void ELMAN_KERNEL(name)(const elman_step_forward *step, const elman_piece *piece)              \
    {                                                                                              \
        const size_t H = step->H;                                                                  \
        const size_t stride = ELMAN_KERNEL(elman_recurrent_stride)(groups, piece->r1 - piece->r0); \
        for (size_t v0 = piece->v0; v0 < piece->v1; v0 += stride) {                                \
            elman_piece part = *piece;                                                             \
            part.v0 = v0;                                                                          \
            part.v1 = piece->v1 - v0 < stride ? piece->v1 : v0 + stride;                           \
            product(step, groups, offsets, &part);                                                 \
            EACH_VECTOR(&part, H, pointwise)                                                       \
        }                                                                                          \
    }

/* a = W x + b + W h     h' = tanh(a) */
ELMAN_INLINE void rnn_tanh(const elman_step_forward *step, size_t r, size_t u, size_t n)
{
    vf a = take(elman_row_mutable(&step->gates, r) + u, n);
    put(elman_row_mutable(&step->h_out, r) + u, vf_settle(vf_tanh(a)), n);
}

/* h' = a <= 0 ? 0 : a, so that NaN stays */
ELMAN_INLINE void rnn_relu(const elman_step_forward *step, size_t r, size_t u, size_t n)
{
    vf a = take(elman_row_mutable(&step->gates, r) + u, n);
    vf h = vf_select(vf_le(a, vf_zero()), vf_zero(), a);
    put(elman_row_mutable(&step->h_out, r) + u, vf_settle(h), n);
}

/* c' = f*c + i*g     h' = o*tanh(c') */
ELMAN_INLINE void lstm(const elman_step_forward *step, size_t r, size_t u, size_t n)
{
    const size_t H = step->H;
    float *gate = elman_row_mutable(&step->gates, r) + u;
    vf i = vf_settle(vf_sigmoid(take(gate, n)));
    vf f = vf_settle(vf_sigmoid(take(gate + H, n)));
    vf g = vf_settle(vf_tanh(take(gate + 2 * H, n)));
    vf o = vf_settle(vf_sigmoid(take(gate + 3 * H, n)));
    vf c = vf_settle(vf_fma(f, take(elman_row(&step->c, r) + u, n), vf_mul(i, g)));
    vf h = vf_settle(vf_mul(o, vf_tanh(c)));
    put(gate, i, n);
    put(gate + H, f, n);
    put(gate + 2 * H, g, n);
    put(gate + 3 * H, o, n);
    put(elman_row_mutable(&step->c_out, r) + u, c, n);
    put(elman_row_mutable(&step->h_out, r) + u, h, n);
}

/* r,z,n as in the header; a_n has seen only x and stands in start: h' = n + z*(h - n) */
ELMAN_INLINE void gru(const elman_step_forward *step, size_t row, size_t u, size_t lanes)
{
    const size_t H = step->H;
    const float *start = elman_row(&step->start, row) + u;
    float *gate = elman_row_mutable(&step->gates, row) + u;
    vf r = vf_settle(vf_sigmoid(take(gate, lanes)));
    vf z = vf_settle(vf_sigmoid(take(gate + H, lanes)));
    vf q = take(gate + 3 * H, lanes);
    vf n = vf_settle(vf_tanh(vf_fma(r, q, take(start + 2 * H, lanes))));
    vf h = take(elman_row(&step->h, row) + u, lanes);
    put(gate, r, lanes);
    put(gate + H, z, lanes);
    put(gate + 2 * H, n, lanes);
    put(elman_row_mutable(&step->h_out, row) + u, vf_settle(vf_fma(z, vf_sub(h, n), n)), lanes);
}

#define ONE_OFFSET                                                                                 \
    (const size_t[])                                                                               \
    {                                                                                              \
        0                                                                                          \
    }
#define LSTM_OFFSETS                                                                               \
    (const size_t[])                                                                               \
    {                                                                                              \
        0, H, 2 * H, 3 * H                                                                         \
    }
/* n's recurrent chain is q */
#define GRU_OFFSETS                                                                                \
    (const size_t[])                                                                               \
    {                                                                                              \
        0, H, 3 * H                                                                                \
    }

STEP(elman_rnn_tanh_forward, 1, ONE_OFFSET, rnn_tanh)
STEP(elman_rnn_relu_forward, 1, ONE_OFFSET, rnn_relu)
STEP(elman_lstm_forward, 4, LSTM_OFFSETS, lstm)
STEP(elman_gru_forward, 3, GRU_OFFSETS, gru)
