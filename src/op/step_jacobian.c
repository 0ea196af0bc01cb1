#include "op/step_jacobian.h"

#include <math.h>
#include <string.h>

#include "base/logarithm.h"
#include "base/philox.h"

static const double epsilon = 1e-5F;
enum { POWERS = 100, RADIUS_STEPS = 50 };

/* -- at a place -------------------------------------------------------------------------------- */

size_t elman_step_jacobian_size(const elman_observation *o)
{
    const elman_recurrent_node *n = o->node;
    return (4 * n->G + 6) * n->H;
}

void elman_step_jacobian_turn(const elman_observation *o, float *to)
{
    const size_t H = o->node->H, rows = o->node->G * H;
    const float *w = o->direction->cell.weight_hh->value.data;
    for (size_t j = 0; j < rows; j++)
        for (size_t k = 0; k < H; k++)
            to[k * rows + j] = w[j * H + k];
}

/* mean and inverse deviation of x [n] */
static void statistics(const double *x, size_t n, double *mean, double *inverse)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    *mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - *mean) * (x[i] - *mean);
    *inverse = 1 / sqrt(squares / (double)n + epsilon);
}

/* xhat in place of x, gain[i] = g[i] * inverse */
static void normalise_at(double *x, size_t n, const float *g, double *gain)
{
    double mean, inverse;
    statistics(x, n, &mean, &inverse);
    for (size_t i = 0; i < n; i++) {
        x[i] = (x[i] - mean) * inverse;
        gain[i] = (double)g[i] * inverse;
    }
}

/* The vectors that a cell normalises: begin and gates of each; how many. */
static int norm_vectors(elman_cell cell, size_t vectors[2][2])
{
    vectors[0][0] = 0;
    vectors[0][1] = cell == ELMAN_CELL_GRU ? 2 : elman_cell_gates(cell);
    vectors[1][0] = 2;
    vectors[1][1] = 1;
    return cell == ELMAN_CELL_GRU ? 2 : 1;
}

/* to [rows] = W x, by the turned weight so that outputs lie side by side. */
static void multiply(const elman_step_jacobian *j, const double *x, double *to)
{
    const size_t rows = j->G * j->H;
    memset(to, 0, rows * sizeof *to);
    for (size_t k = 0; k < j->H; k++) {
        const float *w = j->weight_transposed + k * rows;
        const double factor = x[k];
        for (size_t i = 0; i < rows; i++)
            to[i] += (double)w[i] * factor;
    }
}

/* to [H] += W^T x */
static void multiply_back(const elman_step_jacobian *j, const double *x, double *to)
{
    for (size_t i = 0; i < j->G * j->H; i++) {
        const float *w = j->weight + i * j->H;
        const double factor = x[i];
        for (size_t k = 0; k < j->H; k++)
            to[k] += (double)w[k] * factor;
    }
}

static void normalise_gates(elman_step_jacobian *j, const elman_cell_parameters *cell,
                            const float *h)
{
    size_t vectors[2][2];
    for (size_t u = 0; u < j->H; u++)
        j->scratch[u] = (double)h[u];
    multiply(j, j->scratch, j->xhat);
    for (int i = 0, count = norm_vectors(j->cell, vectors); i < count; i++) {
        size_t at = vectors[i][0] * j->H;
        normalise_at(j->xhat + at, vectors[i][1] * j->H, cell->gain_hh->value.data + at,
                     j->gain + at);
    }
}

static void put_lstm(elman_step_jacobian *j, const elman_observation *o, size_t row,
                     const float *gate, const float *c)
{
    const size_t H = j->H;
    const float *y = elman_observation_h(o, row), *c_out = elman_observation_c(o, row);
    for (size_t u = 0; u < H; u++) {
        double i = (double)gate[u], f = (double)gate[H + u], g = (double)gate[2 * H + u];
        double out = (double)gate[3 * H + u];
        double t = out > 0 ? (double)y[u] / out : 0; /* tanh(c'), or of its normalised value */
        j->gate[u] = g * i * (1 - i);
        j->gate[H + u] = (double)c[u] * f * (1 - f);
        j->gate[2 * H + u] = i * (1 - g * g);
        j->gate[3 * H + u] = t * out * (1 - out);
        j->keep[u] = f;
        j->out[u] = out * (1 - t * t);
        if (j->normalised)
            j->cell_xhat[u] = (double)c_out[u];
    }
    if (j->normalised)
        normalise_at(j->cell_xhat, H, o->direction->cell.gain_cell->value.data, j->cell_gain);
}

static void put_gru(elman_step_jacobian *j, const float *gate, const float *h)
{
    const size_t H = j->H;
    for (size_t u = 0; u < H; u++) {
        double r = (double)gate[u], z = (double)gate[H + u], n = (double)gate[2 * H + u];
        double q = (double)gate[3 * H + u], slope = (1 - z) * (1 - n * n);
        j->gate[u] = slope * q * r * (1 - r);
        j->gate[H + u] = ((double)h[u] - n) * z * (1 - z);
        j->gate[2 * H + u] = slope * r;
        j->keep[u] = z;
    }
}

void elman_step_jacobian_at(const elman_observation *o, int64_t t, size_t p,
                            const float *transposed, double *memory, elman_step_jacobian *j)
{
    const elman_recurrent_node *n = o->node;
    const size_t H = n->H, G = n->G, row = (size_t)n->s->offsets[t] + p;
    const bool lstm = n->layer.kind == ELMAN_CELL_LSTM;
    *j = (elman_step_jacobian){.cell = n->layer.kind,
                               .H = H,
                               .S = lstm ? 2 * H : H,
                               .G = G,
                               .weight = o->direction->cell.weight_hh->value.data,
                               .weight_transposed = transposed,
                               .normalised = n->normalised};
    j->gate = memory;
    j->xhat = j->gate + G * H;
    j->gain = j->xhat + G * H;
    j->scratch = j->gain + G * H;
    j->keep = j->scratch + (G + 2) * H;
    j->out = j->keep + H;
    j->cell_xhat = j->out + H;
    j->cell_gain = j->cell_xhat + H;
    elman_rows_const before = elman_recurrent_before(n, o->direction, t, false);
    const float *h = elman_row(&before, p), *gate = elman_observation_gates(o, row);
    const float *y = elman_observation_h(o, row);
    if (n->normalised)
        normalise_gates(j, &o->direction->cell, h);
    switch (n->layer.kind) {
    case ELMAN_CELL_RNN:
        for (size_t u = 0; u < H; u++)
            j->gate[u] = 1 - (double)y[u] * (double)y[u];
        break;
    case ELMAN_CELL_RNN_RELU:
        for (size_t u = 0; u < H; u++)
            j->gate[u] = y[u] > 0 ? 1 : 0;
        break;
    case ELMAN_CELL_LSTM:
        before = elman_recurrent_before(n, o->direction, t, true);
        put_lstm(j, o, row, gate, elman_row(&before, p));
        break;
    case ELMAN_CELL_GRU:
        put_gru(j, gate, h);
        break;
    }
}

/* -- products ---------------------------------------------------------------------------------- */

/* The slope of y = gain xhat: dx -> gain (dx - mean dx - xhat mean(xhat dx)), in place. */
static void normalise_slope(const double *xhat, const double *gain, size_t n, double *x)
{
    double sum = 0, dot = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
        dot += x[i] * xhat[i];
    }
    sum /= (double)n;
    dot /= (double)n;
    for (size_t i = 0; i < n; i++)
        x[i] = gain[i] * (x[i] - sum - xhat[i] * dot);
}

/* Its transpose: dy -> P(gain dy), P as above, which is symmetric. */
static void normalise_slope_back(const double *xhat, const double *gain, size_t n, double *y)
{
    double sum = 0, dot = 0;
    for (size_t i = 0; i < n; i++) {
        y[i] *= gain[i];
        sum += y[i];
        dot += y[i] * xhat[i];
    }
    sum /= (double)n;
    dot /= (double)n;
    for (size_t i = 0; i < n; i++)
        y[i] -= sum + xhat[i] * dot;
}

static void through_norms(const elman_step_jacobian *j, bool back, double *v)
{
    size_t vectors[2][2];
    for (int i = 0, count = norm_vectors(j->cell, vectors); j->normalised && i < count; i++) {
        size_t at = vectors[i][0] * j->H, n = vectors[i][1] * j->H;
        (back ? normalise_slope_back : normalise_slope)(j->xhat + at, j->gain + at, n, v + at);
    }
}

void elman_step_jacobian_apply(const elman_step_jacobian *j, const double *from, double *to)
{
    const size_t H = j->H;
    double *v = j->scratch;
    multiply(j, from, v);
    through_norms(j, false, v);
    for (size_t i = 0; i < j->G * H; i++)
        v[i] *= j->gate[i];
    if (j->cell == ELMAN_CELL_LSTM) {
        double *dc = to + H;
        for (size_t u = 0; u < H; u++)
            to[u] = dc[u] = j->keep[u] * from[H + u] + v[u] + v[H + u] + v[2 * H + u];
        if (j->normalised)
            normalise_slope(j->cell_xhat, j->cell_gain, H, to);
        for (size_t u = 0; u < H; u++)
            to[u] = to[u] * j->out[u] + v[3 * H + u];
    } else if (j->cell == ELMAN_CELL_GRU) {
        for (size_t u = 0; u < H; u++)
            to[u] = j->keep[u] * from[u] + v[u] + v[H + u] + v[2 * H + u];
    } else {
        memcpy(to, v, H * sizeof *to);
    }
}

void elman_step_jacobian_transpose(const elman_step_jacobian *j, const double *from, double *to)
{
    const size_t H = j->H;
    double *v = j->scratch;
    if (j->cell == ELMAN_CELL_LSTM) {
        double *dc = to + H; /* of c' by both ways, then of c */
        for (size_t u = 0; u < H; u++) {
            v[3 * H + u] = from[u] * j->gate[3 * H + u];
            dc[u] = from[u] * j->out[u];
        }
        if (j->normalised)
            normalise_slope_back(j->cell_xhat, j->cell_gain, H, dc);
        for (size_t u = 0; u < H; u++) {
            dc[u] += from[H + u];
            for (size_t g = 0; g < 3; g++)
                v[g * H + u] = dc[u] * j->gate[g * H + u];
            dc[u] *= j->keep[u];
        }
    } else {
        for (size_t i = 0; i < j->G * H; i++)
            v[i] = from[i % H] * j->gate[i];
    }
    through_norms(j, true, v);
    for (size_t u = 0; u < H; u++)
        to[u] = j->cell == ELMAN_CELL_GRU ? j->keep[u] * from[u] : 0;
    multiply_back(j, v, to);
}

/* -- what it does over and over ---------------------------------------------------------------- */

/* |v|, and v becomes v/|v| where that is not 0. */
static double make_unit(double *v, size_t n)
{
    double squares = 0;
    for (size_t i = 0; i < n; i++)
        squares += v[i] * v[i];
    double norm = sqrt(squares);
    for (size_t i = 0; i < n && norm > 0; i++)
        v[i] /= norm;
    return norm;
}

/* A direction that no structure of the weights is likely to be orthogonal to. */
static void begin_vector(double *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t counter[4] = {(uint32_t)(i / 4), 0, 0, elman_philox_use(ELMAN_USE_PROBE, 0)};
        uint32_t words[4];
        elman_philox(0, counter, words);
        v[i] = (double)elman_uniform(words[i % 4]) - 0.5;
    }
    make_unit(v, n);
}

double elman_step_jacobian_singular(const elman_step_jacobian *j, double *v, double *w)
{
    double value = 0;
    begin_vector(v, j->S);
    for (int i = 0; i < POWERS; i++) {
        elman_step_jacobian_apply(j, v, w);
        double norm = make_unit(w, j->S), before = value;
        value = norm;
        if (!(norm > 0) || fabs(norm - before) <= 1e-12 * norm)
            break;
        elman_step_jacobian_transpose(j, w, v);
        make_unit(v, j->S);
    }
    return value;
}

double elman_step_jacobian_radius(const elman_step_jacobian *j, double *v, double *w)
{
    double sum = 0; /* of the logarithms of what the second n steps multiply by */
    begin_vector(v, j->S);
    for (int i = 0; i < 2 * RADIUS_STEPS; i++) {
        elman_step_jacobian_apply(j, v, w);
        double norm = make_unit(w, j->S);
        if (!(norm > 0))
            return norm;
        sum += i >= RADIUS_STEPS ? elman_logarithm(norm) : 0;
        memcpy(v, w, j->S * sizeof *v);
    }
    return elman_exponential(sum / RADIUS_STEPS);
}
