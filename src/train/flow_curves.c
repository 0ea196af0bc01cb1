/* How the gradient falls or grows with the lag. */
#include <math.h>
#include <string.h>

#include "base/logarithm.h"
#include "train/flow_layer.h"

static const double memory_ends = 0.01; /* of the gradient at lag 0 */

void elman_flow_mean_add(elman_flow_mean *mean, double value)
{
    if (!(value > 0)) {
        mean->zeros++;
        return;
    }
    double logarithm = elman_logarithm(value);
    mean->sum += logarithm;
    mean->squares += logarithm * logarithm;
    mean->count++;
}

double elman_flow_mean_value(const elman_flow_mean *mean)
{
    if (mean->zeros || !mean->count)
        return mean->zeros ? 0 : NAN;
    return elman_exponential(mean->sum / (double)mean->count);
}

double elman_flow_mean_spread(const elman_flow_mean *mean)
{
    const double n = (double)mean->count;
    if (mean->zeros || mean->count < 2)
        return 1;
    double variance = (mean->squares - mean->sum * mean->sum / n) / (n - 1);
    return elman_exponential(sqrt(variance > 0 ? variance : 0));
}

int64_t elman_flow_anchor(const elman_observation *o, const int64_t *steps, int64_t b)
{
    const int64_t length = o->node->s->lengths[b];
    if (steps)
        return steps[b];
    return o->direction->reverse && length ? 0 : length - 1;
}

static double square_norm(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}

/* The curves of one sequence, in packed place p. */
static void add_sequence(elman_flow_gather *g, const elman_observation *o, size_t p, int64_t anchor)
{
    const elman_sequences *s = o->node->s;
    const int64_t length = s->lengths[s->order[p]], away = o->direction->reverse ? 1 : -1;
    double first[FLOW_CURVES] = {0};
    if (anchor + away < 0 || anchor + away >= length)
        return; /* the loss is at the direction's first step: it says nothing of time */
    for (int64_t k = 0; k <= g->lags; k++) {
        const int64_t t = anchor + k * away;
        if (t < 0 || t >= length)
            return;
        const size_t at = ((size_t)s->offsets[t] + p) * g->H;
        double squares[FLOW_CURVES] = {0};
        squares[FLOW_H] = square_norm(o->dh + at, g->H);
        squares[FLOW_C] = o->dc ? square_norm(o->dc + at, g->H) : 0;
        squares[FLOW_STATE] = squares[FLOW_H] + squares[FLOW_C];
        if (!isfinite(squares[FLOW_STATE])) {
            g->finite = k - 1 < g->finite ? k - 1 : g->finite;
            return;
        }
        for (int i = 0; i < FLOW_CURVES; i++) {
            double norm = sqrt(squares[i]);
            if (k == 0)
                first[i] = norm;
            if (first[i] > 0)
                elman_flow_mean_add(&g->curves[i][k], norm / first[i]);
        }
    }
}

void elman_flow_add_curves(elman_flow_gather *gather, const elman_observation *o,
                           const int64_t *steps)
{
    const elman_sequences *s = o->node->s;
    for (int64_t p = 0; p < s->B; p++) {
        int64_t anchor = elman_flow_anchor(o, steps, s->order[p]);
        if (anchor >= 0)
            add_sequence(gather, o, (size_t)p, anchor);
    }
}

/* The smallest lag from which the curve stays down. */
static int64_t horizon_of(const double *norm, int64_t lags)
{
    int64_t k = lags + 1;
    if (!(norm[0] > 0))
        return ELMAN_FLOW_UNMEASURED;
    while (k > 0 && norm[k - 1] <= memory_ends)
        k--;
    return k > lags ? ELMAN_FLOW_BEYOND : k;
}

static int64_t samples_of(const elman_flow_mean *mean)
{
    return mean->count + mean->zeros;
}

/* memory: [FLOW_ARRAYS, room] */
static void finish_curve(const elman_flow_mean *means, int64_t lags, double *memory, size_t room,
                         elman_flow_curve *curve)
{
    int64_t last = 0;
    double *norm = memory, *spread = memory + room, *samples = memory + 2 * room;
    for (int64_t k = 0; k <= lags; k++) {
        samples[k] = (double)samples_of(&means[k]);
        norm[k] = elman_flow_mean_value(&means[k]);
        spread[k] = elman_flow_mean_spread(&means[k]);
        last = norm[k] > 0 ? k : last;
    }
    curve->norm = norm;
    curve->spread = spread;
    curve->samples = samples;
    curve->factor = last ? elman_exponential(elman_logarithm(norm[last]) / (double)last) : NAN;
    curve->horizon = horizon_of(norm, lags);
}

void elman_flow_finish(const elman_flow_gather *g, double *memory, elman_flow_layer *layer)
{
    /* lags that half of the samples reach: the mean of a few long sequences is theirs alone */
    int64_t lags = g->lags < g->finite ? g->lags : g->finite;
    const elman_flow_mean *state = g->curves[FLOW_STATE];
    lags = lags > 0 ? lags : 0; /* not finite at lag 0 itself: an empty mean, which is NaN */
    while (lags > 0 && 2 * samples_of(&state[lags]) < samples_of(&state[0]))
        lags--;
    layer->lags = lags;
    const size_t room = (size_t)g->lags + 1;
    elman_flow_curve *curves[FLOW_CURVES] = {&layer->state, &layer->h, &layer->c};
    for (int i = 0; i < FLOW_CURVES; i++)
        if (i != FLOW_C || g->cell == ELMAN_CELL_LSTM)
            finish_curve(g->curves[i], lags, memory + FLOW_ARRAYS * (size_t)i * room, room,
                         curves[i]);
    layer->singular_value = elman_flow_mean_value(&g->singular);
    layer->spectral_radius = elman_flow_mean_value(&g->radius);
}
