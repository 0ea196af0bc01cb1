#include "train/watch.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "train/gradient_flow.h"

/* SAMPLES once in EVERY updates is 1 % where an update has as many sequences of the same length. */
enum { SAMPLES = 8, EVERY = 100, NUMBER = 34, PER_LAYER = 400 };

struct elman_watch {
    elman_context *context;
    const elman_objective *objective;
    elman_tape *tape;
    int64_t every; /* updates between two looks */
    char *line;
    size_t room, used;
};

elman_status elman_watch_create(elman_context *context, const elman_objective *objective,
                                int64_t accumulate, elman_watch **watch, elman_error *error)
{
    *watch = NULL;
    if (!objective->flow)
        return elman_fail(error, ELMAN_ERROR_UNSUPPORTED,
                          "watch: this task has no gradient through time to follow");
    elman_watch *w = elman_allocate_zero(context, 1, sizeof *w);
    if (!w)
        return elman_out_of_memory(error);
    w->context = context;
    w->objective = objective;
    const int64_t update = objective->batch_steps * accumulate;
    w->every = EVERY * ((SAMPLES * objective->flow_steps + update - 1) / update);
    elman_status status = elman_tape_create(context, &w->tape, error);
    if (status != ELMAN_OK)
        elman_watch_free(w);
    else
        *watch = w;
    return status;
}

void elman_watch_free(elman_watch *watch)
{
    if (!watch)
        return;
    elman_tape_free(watch->tape);
    elman_release(watch->context, watch->line);
    elman_release(watch->context, watch);
}

bool elman_watch_due(const elman_watch *watch, int64_t step)
{
    return step % watch->every == 0;
}

static void put(elman_watch *w, const char *text)
{
    size_t size = strlen(text);
    memcpy(w->line + w->used, text, size);
    w->used += size;
}

/* key NULL: one of a list. What is no number is null. */
static void put_real(elman_watch *w, const char *key, double value)
{
    char text[32] = "null";
    if (isfinite(value))
        elman_print_real(text, value);
    if (key) {
        put(w, key);
        put(w, ":");
    }
    put(w, text);
}

static void put_layer(elman_watch *w, const elman_flow_layer *l)
{
    put(w, "{\"layer\":\"");
    put(w, l->name);
    put(w, "\"");
    put_real(w, ",\"horizon\"", l->state.horizon < 0 ? NAN : (double)l->state.horizon);
    put_real(w, ",\"factor\"", l->state.factor);
    put_real(w, ",\"saturated\"", l->saturated);
    put_real(w, ",\"dead\"", l->dead);
    put_real(w, ",\"time_constant\"", l->time_constant);
    put(w, ",\"norm\":[");
    for (int64_t k = 0; k <= l->lags; k++) {
        put(w, k ? "," : "");
        put_real(w, NULL, (double)(float)l->state.norm[k]);
    }
    put(w, "]}");
}

static elman_status append(elman_watch *w, int64_t step, const elman_flow *flow,
                           elman_appender *log, elman_error *error)
{
    char head[80];
    size_t bytes = sizeof head;
    for (int64_t i = 0; i < flow->count; i++)
        bytes += PER_LAYER + NUMBER * ((size_t)flow->layers[i].lags + 1);
    char *line = elman_grown(w->context, w->line, 0, &w->room, bytes, 1);
    if (!line)
        return elman_out_of_memory(error);
    w->line = line;
    w->used = 0;
    snprintf(head, sizeof head, "{\"event\":\"gradients\",\"step\":%" PRId64 ",\"layers\":[", step);
    put(w, head);
    for (int64_t i = 0; i < flow->count; i++) {
        put(w, i ? "," : "");
        put_layer(w, &flow->layers[i]);
    }
    put(w, "]}\n");
    return elman_appender_put(log, w->line, w->used, error);
}

elman_status elman_watch_look(elman_watch *watch, int64_t step, elman_appender *log,
                              elman_board *board, elman_error *error)
{
    elman_flow flow;
    elman_flow_options options;
    elman_error found = {0};
    elman_flow_options_default(&options);
    options.samples = SAMPLES;
    options.jacobians = 0;
    elman_status status =
        elman_flow_measure(watch->tape, watch->objective, &options, &flow, &found);
    if (status == ELMAN_OK) {
        status = append(watch, step, &flow, log, error);
        if (status == ELMAN_OK)
            status = elman_board_gradients(board, step, &flow, error);
    } else if (status == ELMAN_ERROR_NUMERIC) {
        status = ELMAN_OK;
    } else {
        elman_fail(error, status, "watch gradients: %s", found.message);
    }
    elman_flow_clear(watch->context, &flow);
    return status;
}
