/* What gates and units do over all the steps that were looked at. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "train/flow_layer.h"

static const float gate_open = 0.9F, gate_closed = 0.1F, tanh_saturated = 0.95F;

bool elman_flow_gather_init(elman_flow_gather *g, elman_context *context,
                            const elman_observation *o, int64_t lags)
{
    *g = (elman_flow_gather){.name = elman_observation_name(o),
                             .cell = o->node->layer.kind,
                             .H = o->node->H,
                             .lags = lags,
                             .finite = lags};
    bool made = true;
    for (int i = 0; i < FLOW_CURVES; i++) {
        g->curves[i] = elman_allocate_zero(context, (size_t)lags + 1, sizeof *g->curves[i]);
        made = made && g->curves[i];
    }
    g->held = elman_allocate_zero(context, g->H, sizeof *g->held);
    g->greatest = elman_allocate_zero(context, g->H, sizeof *g->greatest);
    return made && g->held && g->greatest;
}

void elman_flow_gather_free(elman_flow_gather *g, elman_context *context)
{
    for (int i = 0; i < FLOW_CURVES; i++)
        elman_release(context, g->curves[i]);
    elman_release(context, g->held);
    elman_release(context, g->greatest);
}

typedef struct gate_kind {
    const char *name;
    double low, high;
} gate_kind;

/* The gates of a cell in PyTorch's order; which one holds what was, and which is a tanh. */
static const gate_kind *gates_of(elman_cell cell, int *count, int *holds, int *candidate)
{
    static const gate_kind lstm[] = {{"i", 0, 1}, {"f", 0, 1}, {"g", -1, 1}, {"o", 0, 1}};
    static const gate_kind gru[] = {{"r", 0, 1}, {"z", 0, 1}, {"n", -1, 1}};
    static const gate_kind rnn[] = {{"h", -1, 1}}, relu[] = {{"h", 0, 0}};
    *holds = *candidate = -1;
    *count = 1;
    switch (cell) {
    case ELMAN_CELL_LSTM:
        *count = 4;
        *holds = 1;
        *candidate = 2;
        return lstm;
    case ELMAN_CELL_GRU:
        *count = 3;
        *holds = 1;
        *candidate = 2;
        return gru;
    case ELMAN_CELL_RNN:
        *candidate = 0;
        return rnn;
    case ELMAN_CELL_RNN_RELU:
        break;
    }
    return relu;
}

static int bin_of(double value, double low, double high)
{
    double place = high > low ? (value - low) / (high - low) * ELMAN_FLOW_BINS : 0;
    return place < 0 ? 0 : place < ELMAN_FLOW_BINS ? (int)place : ELMAN_FLOW_BINS - 1;
}

static void add_gate(elman_flow_gather *g, int gate, const gate_kind *kind, const float *row)
{
    const double high = g->cell == ELMAN_CELL_RNN_RELU ? (double)g->high : kind->high;
    for (size_t u = 0; u < g->H; u++) {
        float magnitude = fabsf(row[u]);
        if (!(magnitude <= 3.4e38F)) /* no number */
            continue;
        g->gates[gate].sum += (double)row[u];
        g->gates[gate].open += magnitude > gate_open;
        g->gates[gate].closed += magnitude < gate_closed;
        g->gates[gate].bins[bin_of((double)row[u], kind->low, high)]++;
    }
}

static void add_row(elman_flow_gather *g, const float *gates)
{
    int count, holds, candidate;
    const gate_kind *kinds = gates_of(g->cell, &count, &holds, &candidate);
    for (int i = 0; i < count; i++)
        add_gate(g, i, &kinds[i], gates + (size_t)i * g->H);
    for (size_t u = 0; u < g->H; u++) {
        if (holds >= 0)
            g->held[u] += (double)gates[(size_t)holds * g->H + u];
        if (candidate >= 0)
            g->saturated += fabsf(gates[(size_t)candidate * g->H + u]) > tanh_saturated;
        else if (gates[u] > g->greatest[u])
            g->greatest[u] = gates[u];
    }
}

/* The first look says how far a ReLU's histogram goes. */
static void find_high(elman_flow_gather *g, const elman_observation *o)
{
    for (size_t row = 0; row < o->node->N; row++) {
        const float *h = elman_observation_h(o, row);
        for (size_t u = 0; u < g->H; u++)
            g->high = h[u] > g->high && h[u] <= 3.4e38F ? h[u] : g->high;
    }
}

void elman_flow_add_gates(elman_flow_gather *g, const elman_observation *o)
{
    if (g->cell == ELMAN_CELL_RNN_RELU && !g->rows)
        find_high(g, o);
    for (size_t row = 0; row < o->node->N; row++) {
        const float *gates = elman_observation_gates(o, row);
        add_row(g, gates ? gates : elman_observation_h(o, row));
    }
    g->rows += (int64_t)o->node->N;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void elman_flow_finish_gates(const elman_flow_gather *g, double *scratch, elman_flow_layer *layer)
{
    int count, holds, candidate;
    const gate_kind *kinds = gates_of(g->cell, &count, &holds, &candidate);
    const double all = (double)g->rows * (double)g->H;
    const bool relu = g->cell == ELMAN_CELL_RNN_RELU;
    layer->gate_count = count;
    for (int i = 0; i < count; i++) {
        elman_flow_gate *to = &layer->gates[i];
        *to = (elman_flow_gate){.name = kinds[i].name,
                                .mean = g->gates[i].sum / all,
                                .open = relu ? NAN : (double)g->gates[i].open / all,
                                .closed = relu ? NAN : (double)g->gates[i].closed / all,
                                .low = kinds[i].low,
                                .high = relu ? (double)g->high : kinds[i].high};
        for (int b = 0; b < ELMAN_FLOW_BINS; b++)
            to->histogram[b] = (double)g->gates[i].bins[b] / all;
    }
    layer->saturated = candidate >= 0 ? (double)g->saturated / all : NAN;
    layer->dead = NAN;
    layer->time_constant = layer->time_constant_90 = NAN;
    int64_t dead = 0;
    for (size_t u = 0; u < g->H; u++) {
        dead += g->greatest[u] == 0;
        scratch[u] = 1 / (1 - g->held[u] / (double)g->rows);
    }
    if (relu)
        layer->dead = (double)dead / (double)g->H;
    if (holds < 0)
        return;
    qsort(scratch, g->H, sizeof *scratch, compare);
    layer->time_constant = scratch[(g->H - 1) / 2];
    layer->time_constant_90 = scratch[(g->H - 1) * 9 / 10];
}
