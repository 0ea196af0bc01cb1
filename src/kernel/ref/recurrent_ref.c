#include "kernel/ref/recurrent_ref.h"

#include <math.h>
#include <string.h>

static size_t gates_of(elman_cell kind)
{
    return kind == ELMAN_CELL_LSTM ? 4 : kind == ELMAN_CELL_GRU ? 3 : 1;
}

/* work: h and c [T+1,H], then [T,4H] activated gates (a GRU's fourth part is q), then scratch. */
typedef struct work_parts {
    double *h, *c, *gates, *dgates, *dh, *dc;
} work_parts;

size_t ref_recurrent_work(const ref_layer *l)
{
    return (2 * (l->T + 1) + 4 * l->T + 8 + 2) * l->H;
}

static work_parts parts_of(const ref_layer *l, double *work)
{
    work_parts p;
    p.h = work;
    p.c = p.h + (l->T + 1) * l->H;
    p.gates = p.c + (l->T + 1) * l->H;
    p.dgates = p.gates + 4 * l->T * l->H;
    p.dh = p.dgates + 8 * l->H;
    p.dc = p.dh + l->H;
    return p;
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

void ref_recurrent_forward(const ref_layer *l, double *y, double *hn, double *cn, double *work)
{
    const size_t H = l->H, G = gates_of(l->kind);
    work_parts p = parts_of(l, work);
    memcpy(p.h, l->h0, H * sizeof *p.h);
    memcpy(p.c, l->c0, H * sizeof *p.c);
    for (size_t t = 0; t < l->T; t++) {
        const double *h = p.h + t * H, *c = p.c + t * H;
        double *h_out = p.h + (t + 1) * H, *c_out = p.c + (t + 1) * H, *gate = p.gates + 4 * t * H;
        for (size_t u = 0; u < H; u++) {
            double a[4] = {0}, b[4] = {0}; /* from x, from h */
            for (size_t g = 0; g < G; g++) {
                size_t j = g * H + u;
                a[g] = dot(l->cell.w_ih + j * l->I, l->x + t * l->I, l->I);
                b[g] = dot(l->cell.w_hh + j * H, h, H);
                a[g] += l->cell.b_ih ? l->cell.b_ih[j] : 0;
                b[g] += l->cell.b_hh ? l->cell.b_hh[j] : 0;
            }
            switch (l->kind) {
            case ELMAN_CELL_RNN:
                h_out[u] = tanh(a[0] + b[0]);
                break;
            case ELMAN_CELL_RNN_RELU:
                h_out[u] = fmax(a[0] + b[0], 0);
                break;
            case ELMAN_CELL_LSTM:
                gate[u] = sigmoid(a[0] + b[0]);
                gate[H + u] = sigmoid(a[1] + b[1]);
                gate[2 * H + u] = tanh(a[2] + b[2]);
                gate[3 * H + u] = sigmoid(a[3] + b[3]);
                c_out[u] = gate[H + u] * c[u] + gate[u] * gate[2 * H + u];
                h_out[u] = gate[3 * H + u] * tanh(c_out[u]);
                break;
            case ELMAN_CELL_GRU:
                gate[u] = sigmoid(a[0] + b[0]);
                gate[H + u] = sigmoid(a[1] + b[1]);
                gate[2 * H + u] = tanh(a[2] + gate[u] * b[2]);
                gate[3 * H + u] = b[2];
                h_out[u] = (1 - gate[H + u]) * gate[2 * H + u] + gate[H + u] * h[u];
                break;
            }
        }
        memcpy(y + t * H, h_out, H * sizeof *y);
    }
    memcpy(hn, p.h + l->T * H, H * sizeof *hn);
    if (l->kind == ELMAN_CELL_LSTM)
        memcpy(cn, p.c + l->T * H, H * sizeof *cn);
}

/* Gradients of the sums at x's side (da) and at h's (db) of unit u; dh, dc become what flows past
 * the products. */
static void unit_backward(const ref_layer *l, const work_parts *p, size_t t, size_t u, double *da,
                          double *db)
{
    const size_t H = l->H;
    const double *gate = p->gates + 4 * t * H;
    double dh = p->dh[u], h = p->h[t * H + u], h_out = p->h[(t + 1) * H + u];
    p->dh[u] = 0;
    switch (l->kind) {
    case ELMAN_CELL_RNN:
        da[0] = db[0] = dh * (1 - h_out * h_out);
        break;
    case ELMAN_CELL_RNN_RELU:
        da[0] = db[0] = h_out > 0 ? dh : 0;
        break;
    case ELMAN_CELL_LSTM: {
        double i = gate[u], f = gate[H + u], g = gate[2 * H + u], o = gate[3 * H + u];
        double tc = tanh(p->c[(t + 1) * H + u]);
        double ds = p->dc[u] + dh * o * (1 - tc * tc);
        da[0] = db[0] = ds * g * i * (1 - i);
        da[1] = db[1] = ds * p->c[t * H + u] * f * (1 - f);
        da[2] = db[2] = ds * i * (1 - g * g);
        da[3] = db[3] = dh * tc * o * (1 - o);
        p->dc[u] = ds * f;
        break;
    }
    case ELMAN_CELL_GRU: {
        double r = gate[u], z = gate[H + u], n = gate[2 * H + u], q = gate[3 * H + u];
        da[2] = dh * (1 - z) * (1 - n * n);
        db[2] = da[2] * r;
        da[0] = db[0] = da[2] * q * r * (1 - r);
        da[1] = db[1] = dh * (h - n) * z * (1 - z);
        p->dh[u] = dh * z;
        break;
    }
    }
}

void ref_recurrent_backward(const ref_layer *l, const ref_gradients *d, double *work)
{
    const size_t H = l->H, I = l->I, G = gates_of(l->kind);
    work_parts p = parts_of(l, work);
    double *da = p.dgates, *db = p.dgates + 4 * H;
    memcpy(p.dh, d->dhn, H * sizeof *p.dh);
    memcpy(p.dc, d->dcn, H * sizeof *p.dc);
    for (size_t t = l->T; t-- > 0;) {
        for (size_t u = 0; u < H; u++) {
            double a[4], b[4];
            p.dh[u] += d->dy[t * H + u];
            unit_backward(l, &p, t, u, a, b);
            for (size_t g = 0; g < G; g++) {
                da[g * H + u] = a[g];
                db[g * H + u] = b[g];
            }
        }
        for (size_t j = 0; j < G * H; j++) {
            for (size_t k = 0; k < I; k++) {
                d->cell.w_ih[j * I + k] += da[j] * l->x[t * I + k];
                d->dx[t * I + k] += da[j] * l->cell.w_ih[j * I + k];
            }
            for (size_t k = 0; k < H; k++) {
                d->cell.w_hh[j * H + k] += db[j] * p.h[t * H + k];
                p.dh[k] += db[j] * l->cell.w_hh[j * H + k];
            }
            if (d->cell.b_ih)
                d->cell.b_ih[j] += da[j];
            if (d->cell.b_hh)
                d->cell.b_hh[j] += db[j];
        }
    }
    for (size_t u = 0; u < H; u++) {
        d->dh0[u] += p.dh[u];
        d->dc0[u] += l->kind == ELMAN_CELL_LSTM ? p.dc[u] : 0;
    }
}
