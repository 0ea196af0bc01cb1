/* The gradient through time of a model on disk, of a network before training, and of a number. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/float_environment.h"
#include "base/memory.h"
#include "elman/gradient_flow.h"
#include "elman/version.h"
#include "graph/tape_impl.h"
#include "model/weights.h"
#include "task/run.h"
#include "train/gradient_flow.h"
#include "train/truncation.h"

/* What is measured: of a flow or of truncation. */
typedef struct wanted {
    const elman_flow_options *flow_options;
    elman_flow *flow; /* NULL: the other */
    const elman_truncation_options *truncation_options;
    elman_truncation *rows;
    int *count;
} wanted;

static elman_status measure(elman_context *context, const elman_objective *objective,
                            const wanted *what, elman_error *error)
{
    elman_tape *tape;
    ELMAN_TRY(elman_tape_create(context, &tape, error));
    elman_status status =
        what->flow ? elman_flow_measure(tape, objective, what->flow_options, what->flow, error)
                   : elman_truncation_measure(tape, objective, what->truncation_options, what->rows,
                                              what->count, error);
    elman_tape_free(tape);
    if (status != ELMAN_OK && what->flow)
        elman_flow_clear(context, what->flow);
    return status;
}

/* Of the model in the folder, or where that is NULL of what the request would train. */
typedef struct subject {
    const char *folder;
    const char *const *paths;
    int count;
    const elman_train_request *request;
} subject;

static elman_status measure_subject(elman_context *context, const subject *of, const wanted *what,
                                    elman_error *error)
{
    elman_task_run run;
    elman_float_environment modes = elman_float_begin();
    elman_status status =
        of->folder ? elman_task_run_open(context, of->folder, of->paths, of->count, &run, error)
                   : elman_task_run_begin(context, of->request, &run, error);
    if (status == ELMAN_OK)
        status = measure(context, &run.objective, what, error);
    elman_task_run_close(&run);
    elman_float_end(modes);
    return status;
}

elman_status elman_flow_model(elman_context *context, const char *folder, const char *const *paths,
                              int count, const elman_flow_options *options, elman_flow *flow,
                              elman_error *error)
{
    *flow = (elman_flow){0};
    return measure_subject(context, &(subject){.folder = folder, .paths = paths, .count = count},
                           &(wanted){.flow_options = options, .flow = flow}, error);
}

elman_status elman_flow_request(elman_context *context, const elman_train_request *request,
                                const elman_flow_options *options, elman_flow *flow,
                                elman_error *error)
{
    *flow = (elman_flow){0};
    return measure_subject(context, &(subject){.request = request},
                           &(wanted){.flow_options = options, .flow = flow}, error);
}

elman_status elman_truncation_model(elman_context *context, const char *folder,
                                    const char *const *paths, int path_count,
                                    const elman_truncation_options *options, elman_truncation *rows,
                                    int *count, elman_error *error)
{
    *count = 0;
    return measure_subject(
        context, &(subject){.folder = folder, .paths = paths, .count = path_count},
        &(wanted){.truncation_options = options, .rows = rows, .count = count}, error);
}

elman_status elman_truncation_request(elman_context *context, const elman_train_request *request,
                                      const elman_truncation_options *options,
                                      elman_truncation *rows, int *count, elman_error *error)
{
    *count = 0;
    return measure_subject(context, &(subject){.request = request},
                           &(wanted){.truncation_options = options, .rows = rows, .count = count},
                           error);
}

/* -- a linear recurrence ------------------------------------------------------------------------
 * h_t = max(factor h_{t-1} + 1, 0) is linear, since h is never below 1. */

typedef struct linear {
    elman_parameters *parameters;
    elman_recurrent_layer layer;
    float *ones;
} linear;

static elman_status linear_flow(void *self, elman_tape *tape, const elman_flow_wish *wish,
                                elman_flow_batch *batch, elman_error *error)
{
    const linear *l = self;
    const int64_t T = wish->lags + 1;
    (void)error; /* the tape keeps it */
    if (wish->first > 0)
        return ELMAN_OK;
    batch->sequences = elman_tape_sequences(tape, T, 1, NULL, NULL, 0);
    elman_var *x = elman_tape_input(tape, 2, (int64_t[]){T, 1}, l->ones);
    elman_var *y = elman_recurrent_forward(tape, &l->layer, x, batch->sequences, NULL, NULL);
    elman_var *last = elman_reshape(tape, elman_pool_last(tape, y, batch->sequences), 0, NULL);
    batch->loss = elman_scale(tape, last, wish->scale);
    batch->sum = last ? (double)elman_var_value(last)->data[0] : 0;
    batch->count = 1;
    return ELMAN_OK;
}

static elman_status linear_make(linear *l, elman_context *context, double factor, int64_t lags,
                                elman_error *error)
{
    elman_recurrent_options options;
    ELMAN_TRY(elman_parameters_create(context, true, &l->parameters, error));
    elman_recurrent_options_default(&options);
    options.cell = ELMAN_CELL_RNN_RELU;
    options.input = options.hidden = 1;
    options.bias = false;
    ELMAN_TRY(elman_recurrent_create(l->parameters, "linear", &options, &l->layer, error));
    *elman_parameter_edit(l->layer.cells[0].weight_ih) = 1;
    *elman_parameter_edit(l->layer.cells[0].weight_hh) = (float)factor;
    l->ones = elman_allocate(context, (size_t)lags + 1, sizeof *l->ones);
    if (!l->ones)
        return elman_out_of_memory(error);
    for (int64_t t = 0; t <= lags; t++)
        l->ones[t] = 1;
    return ELMAN_OK;
}

elman_status elman_flow_linear(elman_context *context, double factor,
                               const elman_flow_options *options, elman_flow *flow,
                               elman_error *error)
{
    enum { LAGS = 100 };
    elman_flow_options asked;
    elman_flow_options_default(&asked);
    if (options)
        asked = *options;
    asked.lags = asked.lags ? asked.lags : LAGS;
    *flow = (elman_flow){0};
    if (!(factor > 0 && factor <= 2))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "linear: found %g, expected above 0 and at most 2", factor);
    double state = factor;
    for (int64_t k = 0; k < asked.lags && state < 1e30; k++)
        state = state * factor + 1;
    if (!(state < 1e30))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "linear: %g to the power of %" PRId64 " is beyond what a float holds; "
                          "give fewer lags",
                          factor, asked.lags);
    linear l = {0};
    elman_float_environment modes = elman_float_begin();
    elman_status status = linear_make(&l, context, factor, asked.lags, error);
    elman_objective objective = {.self = &l, .parameters = l.parameters, .flow = linear_flow};
    if (status == ELMAN_OK)
        status =
            measure(context, &objective, &(wanted){.flow_options = &asked, .flow = flow}, error);
    elman_release(context, l.ones);
    elman_parameters_free(l.parameters);
    elman_float_end(modes);
    return status;
}
