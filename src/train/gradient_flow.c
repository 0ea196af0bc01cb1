#include "train/gradient_flow.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/pool.h"
#include "graph/tape_impl.h"
#include "train/flow_layer.h"

/* Samples of a round; layers and directions that are told apart. */
enum { ROUND = 16, MOST_LAYERS = 2 * ELMAN_MAX_LAYERS };

/* float32 holds 2^-126 to 2^128, and a recurrent step keeps nothing below 2^-100: the loss is
 * scaled up, so that a gradient that vanishes is followed far, and where one explodes, down. */
static const float scale_up = 0x1p40F, scale_down = 0x1p-40F;

typedef struct measuring {
    elman_tape *tape;
    const elman_objective *objective;
    const elman_flow_options *options;
    elman_flow_gather *layers; /* [MOST_LAYERS] */
    int count;
    int64_t samples, jacobians;
    double loss;
    bool overflowed;
} measuring;

void elman_flow_options_default(elman_flow_options *options)
{
    *options = (elman_flow_options){.size = sizeof *options, .samples = 64, .jacobians = 8};
}

void elman_flow_clear(elman_context *context, elman_flow *flow)
{
    elman_release(context, flow->layers);
    elman_release(context, flow->memory);
    *flow = (elman_flow){0};
}

/* The layers of a batch in the order in which they ran. One that ran more than once (a forecast
 * that is fed back) is looked at where it read the data: the first time. */
static int layers_of(const elman_tape *tape, const elman_sequences *sequences,
                     const elman_observation *found[MOST_LAYERS])
{
    int count = 0;
    for (const elman_observation *o = elman_observations(tape); o; o = o->previous) {
        bool wanted =
            sequences ? o->node->s == sequences : !strncmp(elman_observation_name(o), "rnn.", 4);
        int i = 0;
        while (i < count && found[i]->direction->cell.weight_hh != o->direction->cell.weight_hh)
            i++;
        if (wanted && i < MOST_LAYERS)
            found[i] = o;
        count += wanted && i == count && i < MOST_LAYERS;
    }
    for (int i = 0; i < count / 2; i++) {
        const elman_observation *o = found[i];
        found[i] = found[count - 1 - i];
        found[count - 1 - i] = o;
    }
    return count;
}

static elman_flow_gather *gather_of(measuring *m, const elman_observation *o)
{
    for (int i = 0; i < m->count; i++)
        if (m->layers[i].name == elman_observation_name(o))
            return &m->layers[i];
    if (m->count == MOST_LAYERS)
        return NULL;
    elman_flow_gather *g = &m->layers[m->count++];
    int64_t lags = m->options->lags ? m->options->lags : ELMAN_FLOW_LAGS;
    return elman_flow_gather_init(g, m->tape->context, o, lags) ? g : NULL;
}

static elman_status look(measuring *m, const elman_flow_batch *batch, elman_error *error)
{
    const elman_observation *found[MOST_LAYERS];
    const int count = layers_of(m->tape, batch->sequences, found);
    for (int i = 0; i < count; i++) {
        elman_flow_gather *g = gather_of(m, found[i]);
        if (!g)
            return elman_out_of_memory(error);
        elman_flow_add_curves(g, found[i], batch->steps);
        elman_flow_add_gates(g, found[i]);
        m->overflowed = m->overflowed || g->finite < g->lags;
        if (m->jacobians < m->options->jacobians)
            elman_flow_add_jacobians(g, m->tape, found[i], batch->steps,
                                     m->options->jacobians - m->jacobians);
    }
    m->jacobians += batch->count;
    m->samples += batch->count;
    m->loss += batch->sum;
    return elman_tape_status(m->tape, error);
}

/* One round of the next samples, if there are more. */
static elman_status measure_round(measuring *m, float scale, elman_error *error)
{
    const int64_t of = m->options->samples, first = m->samples;
    elman_flow_wish wish = {.first = first,
                            .count = of - first < ROUND ? of - first : ROUND,
                            .of = of,
                            .lags = m->options->lags,
                            .scale = scale};
    elman_flow_batch batch = {0};
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    mode.observe = true;
    elman_tape_begin(m->tape, &mode);
    ELMAN_TRY(m->objective->flow(m->objective->self, m->tape, &wish, &batch, error));
    ELMAN_TRY(elman_tape_status(m->tape, error));
    if (!batch.count)
        return ELMAN_OK;
    if (!isfinite(batch.sum))
        return elman_fail(error, ELMAN_ERROR_NUMERIC,
                          "the loss of a step is not finite: its gradient cannot be followed");
    ELMAN_TRY(elman_tape_backward(m->tape, batch.loss, error));
    return look(m, &batch, error);
}

static elman_status measure_all(measuring *m, float scale, elman_error *error)
{
    int64_t before = -1;
    while (m->samples > before && m->samples < m->options->samples) {
        before = m->samples;
        ELMAN_TRY(measure_round(m, scale, error));
    }
    if (!m->samples)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "the data have no sequence to follow a gradient through");
    if (!m->count)
        return elman_fail(error, ELMAN_ERROR_UNSUPPORTED,
                          "the network has no recurrent layer to look at");
    return ELMAN_OK;
}

static void forget(measuring *m)
{
    for (int i = 0; i < m->count; i++)
        elman_flow_gather_free(&m->layers[i], m->tape->context);
    m->count = 0;
    m->samples = m->jacobians = 0;
    m->loss = 0;
    m->overflowed = false;
}

static elman_status finish(const measuring *m, elman_flow *flow, elman_error *error)
{
    elman_context *context = m->tape->context;
    size_t doubles = 0, widest = 0;
    for (int i = 0; i < m->count; i++) {
        doubles += FLOW_ARRAYS * FLOW_CURVES * ((size_t)m->layers[i].lags + 1);
        widest = m->layers[i].H > widest ? m->layers[i].H : widest;
    }
    flow->layers = elman_allocate_zero(context, (size_t)m->count, sizeof *flow->layers);
    flow->memory = elman_allocate_zero(context, doubles + widest, sizeof(double));
    if (!flow->layers || !flow->memory)
        return elman_out_of_memory(error);
    double *memory = flow->memory, *scratch = memory + doubles;
    for (int i = 0; i < m->count; i++) {
        const elman_flow_gather *g = &m->layers[i];
        elman_flow_layer *layer = &flow->layers[i];
        layer->cell = g->cell;
        layer->hidden = (int64_t)g->H;
        elman_layer_name(g->name, layer->name);
        elman_flow_finish(g, memory, layer);
        elman_flow_finish_gates(g, scratch, layer);
        memory += FLOW_ARRAYS * FLOW_CURVES * ((size_t)g->lags + 1);
    }
    flow->count = m->count;
    flow->samples = m->samples;
    flow->loss = m->loss / (double)m->samples;
    return ELMAN_OK;
}

static elman_status check(const elman_objective *objective, const elman_flow_options *o,
                          elman_error *error)
{
    if (o->size != sizeof *o)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "elman_flow_options: wrong size; use elman_flow_options_default");
    if (o->lags < 0 || o->lags > ELMAN_FLOW_MOST_LAGS || o->samples < 1 || o->samples > 100000 ||
        o->jacobians < 0)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "gradient flow: lags %" PRId64 ", samples %" PRId64 ", jacobians %" PRId64
                          "; expected 0 to 100000, 1 to 100000, and at least 0",
                          o->lags, o->samples, o->jacobians);
    if (!objective->flow)
        return elman_fail(error, ELMAN_ERROR_UNSUPPORTED,
                          "this task has no gradient through time to follow");
    return ELMAN_OK;
}

elman_status elman_flow_measure(elman_tape *tape, const elman_objective *objective,
                                const elman_flow_options *options, elman_flow *flow,
                                elman_error *error)
{
    elman_flow_options defaults;
    elman_flow_options_default(&defaults);
    measuring m = {.tape = tape, .objective = objective, .options = options ? options : &defaults};
    *flow = (elman_flow){0};
    ELMAN_TRY(check(objective, m.options, error));
    m.layers = elman_allocate_zero(tape->context, MOST_LAYERS, sizeof *m.layers);
    if (!m.layers)
        return elman_out_of_memory(error);
    elman_pool_begin(tape->context);
    elman_status status = measure_all(&m, scale_up, error);
    if (status == ELMAN_OK && m.overflowed) {
        forget(&m);
        status = measure_all(&m, scale_down, error);
    }
    elman_pool_end(tape->context);
    if (status == ELMAN_OK)
        status = finish(&m, flow, error);
    forget(&m);
    elman_release(tape->context, m.layers);
    elman_parameters_zero_gradients(objective->parameters);
    elman_tape_begin(tape, NULL); /* what grew here becomes one block here */
    return status;
}
