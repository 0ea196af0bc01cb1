/* Task probe: long-dependency tasks that need no data.
 *
 *   examples  task/probe_data.h: fresh ones at every update, from the seed and their number
 *   network   task/probe_network.c
 *   loss      squared error, binary cross-entropy, or cross-entropy over all steps
 *   metric    accuracy of classes, r2 of numbers; training ends where it counts as solved
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/weights.h"
#include "task/probe_impl.h"
#include "task/task_impl.h"
#include "train/checkpoint.h"

enum { EPOCH = 100 }; /* updates */

typedef struct probe {
    elman_probe_network network;
    const elman_config *config;
    const volatile sig_atomic_t *stop;
    int64_t updates;  /* in all */
    int64_t place[2]; /* epoch and batch of the next one */
} probe;

/* --- the objective ------------------------------------------------------------------------ */

static elman_status record(void *self, elman_tape *tape, elman_objective_batch *batch,
                           elman_error *error)
{
    probe *m = self;
    const elman_config *c = m->config;
    int64_t batches = EPOCH * c->accumulate, number = m->place[0] * batches + m->place[1];
    elman_probe_draw draw = {
        .seed = (uint64_t)c->seed,
        .stream = ELMAN_PROBE_TRAIN,
        .first = (uint64_t)number * (uint64_t)c->batch,
        .count = c->batch,
        .lag = elman_probe_lag_at(&m->network.task, number / c->accumulate, m->updates),
    };
    (void)error; /* the tape keeps it */
    elman_probe_batch examples;
    elman_probe_loss loss = {.scale = 1.0 / (double)c->accumulate, .mean = true};
    elman_probe_forward(tape, &m->network, &draw, &examples);
    batch->loss = elman_probe_cost(tape, &m->network, &examples, &loss);
    batch->sum = loss.sum;
    batch->count = loss.count;
    batch->ends_epoch = ++m->place[1] == batches;
    if (batch->ends_epoch) {
        m->place[0]++;
        m->place[1] = 0;
    }
    return ELMAN_OK;
}

static elman_status validate(void *self, elman_tape *tape, elman_validation *v, elman_error *error)
{
    probe *m = self;
    const elman_probe_task *task = &m->network.task;
    elman_probe_result result;
    ELMAN_TRY(elman_probe_measure(tape, &m->network, (uint64_t)m->config->seed, task->last, m->stop,
                                  &result, error));
    v->loss = result.loss;
    v->count = result.count;
    v->metric = elman_probe_metric(task);
    v->value = result.value;
    v->score = 1.0 - result.value;
    v->reached = m->config->stop_at > 0.0 && result.value >= m->config->stop_at;
    return ELMAN_OK;
}

static elman_status write_weights(void *self, const char *path, elman_error *error)
{
    probe *m = self;
    return elman_weights_write(m->network.context, elman_encoder_parameters(m->network.encoder),
                               path, error);
}

/* A fixed stream of its own, at the greatest lag; copy is asked for its last symbol. */
static elman_status flow(void *self, elman_tape *tape, const elman_flow_wish *wish,
                         elman_flow_batch *batch, elman_error *error)
{
    probe *m = self;
    elman_probe_draw draw = {
        .seed = (uint64_t)m->config->seed,
        .stream = ELMAN_PROBE_FLOW,
        .first = (uint64_t)wish->first,
        .count = wish->count,
        .lag = m->network.task.last,
    };
    (void)error; /* the tape keeps it */
    elman_probe_batch examples;
    elman_probe_loss loss = {.scale = (double)wish->scale, .last = true};
    *batch = (elman_flow_batch){0};
    elman_probe_forward(tape, &m->network, &draw, &examples);
    batch->loss = elman_probe_cost(tape, &m->network, &examples, &loss);
    batch->sum = loss.sum;
    batch->count = (int64_t)loss.count;
    batch->sequences = examples.sequences;
    return ELMAN_OK;
}

static elman_status remember(void *self, elman_safetensors_writer *writer, elman_error *error)
{
    probe *m = self;
    size_t shape[1] = {2};
    return elman_safetensors_writer_add(writer, "state.place", ELMAN_DTYPE_I64, 1, shape, m->place,
                                        error);
}

static elman_status restore(void *self, const elman_safetensors *file, elman_error *error)
{
    probe *m = self;
    const elman_tensor_view *place = elman_safetensors_find(file, "state.place");
    const elman_tensor_view *progress = elman_safetensors_find(file, "progress.integers");
    struct elman_progress_integers n; /* checked before */
    int64_t found[2] = {-1, -1};
    memcpy(&n, progress->data, sizeof n);
    if (place && place->dtype == ELMAN_DTYPE_I64 && place->bytes == sizeof found)
        memcpy(found, place->data, sizeof found);
    if (found[0] != n.epoch || found[1] != n.batch || found[1] >= EPOCH * m->config->accumulate)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "checkpoint.safetensors: state.place: epoch %" PRId64 ", batch %" PRId64
                          ", expected epoch %" PRId64 ", batch %" PRId64,
                          found[0], found[1], n.epoch, n.batch);
    memcpy(m->place, found, sizeof found);
    return ELMAN_OK;
}

/* --- beginning and ending ----------------------------------------------------------------- */

static void choose(elman_config *config, const elman_probe_task *task)
{
    bool copy = task->kind == ELMAN_PROBE_COPY;
    bool gated = config->cell == ELMAN_CELL_LSTM || config->cell == ELMAN_CELL_GRU;
    if (!config->layers)
        config->layers = 1;
    if (!config->hidden)
        config->hidden = copy ? 128 : 64;
    if (config->dropout < 0)
        config->dropout = 0;
    if (!config->epochs) /* a limit in steps is met before this many epochs */
        config->epochs = config->max_steps ? INT32_MAX : copy ? 200 : 100;
    if (!config->batch)
        config->batch = 32;
    if (config->lr < 0)
        config->lr = config->optimizer == ELMAN_OPTIMIZER_SGD ? 0.1 : gated ? 3e-3 : 1e-3;
    if (config->stop_at < 0)
        config->stop_at = elman_probe_solved(task);
    config->inputs = elman_probe_inputs(task);
    config->outputs = elman_probe_outputs(task);
}

static void say_what_is_asked(const probe *m, const elman_train_request *request)
{
    static const char *const asked[] = {"the sum of two marked numbers", "ten symbols again",
                                        "the parity of all bits",
                                        "a linear recurrence of all numbers"};
    static const char *const losses[] = {"squared error", "nats a step", "nats", "squared error"};
    const elman_probe_task *task = &m->network.task;
    char lag[80];
    snprintf(lag, sizeof lag, "a lag of %" PRId64, task->last);
    if (task->first < task->last)
        snprintf(lag, sizeof lag, "lags from %" PRId64 " to %" PRId64, task->first, task->last);
    elman_task_note(request, "%s over %s; guessing costs %.4f (%s); solved at %s %g",
                    asked[task->kind], lag, elman_probe_guess(task, task->last), losses[task->kind],
                    elman_probe_metric(task), elman_probe_solved(task));
    elman_task_note_choice(request, m->config);
}

/* Updates in all, as the loop counts them. */
static int64_t updates_of(const elman_config *config)
{
    int64_t updates;
    if (__builtin_mul_overflow((int64_t)EPOCH, config->epochs, &updates))
        updates = INT64_MAX;
    return config->max_steps && config->max_steps < updates ? config->max_steps : updates;
}

static elman_status open_run(probe *m, const elman_train_request *request, elman_config *config,
                             elman_error *error)
{
    ELMAN_TRY(elman_probe_task_of(config, &m->network.task, error));
    if (!request->resume)
        choose(config, &m->network.task);
    m->updates = updates_of(config);
    ELMAN_TRY(elman_probe_build(&m->network, config, true, error));
    if (!request->resume)
        say_what_is_asked(m, request);
    return elman_initialise(elman_encoder_parameters(m->network.encoder), config->init,
                            (uint64_t)config->seed, error);
}

static void probe_free(probe *m)
{
    elman_encoder_free(m->network.encoder);
    elman_release(m->network.context, m);
}

static elman_status begin(elman_context *context, const elman_train_request *request,
                          elman_config_file *file, elman_objective *objective, elman_error *error)
{
    probe *m = elman_allocate_zero(context, 1, sizeof *m);
    if (!m)
        return elman_out_of_memory(error);
    m->network.context = context;
    m->config = &file->config;
    m->stop = request->stop;
    elman_status status = open_run(m, request, &file->config, error);
    if (status != ELMAN_OK) {
        probe_free(m);
        return status;
    }
    *objective = (elman_objective){
        .self = m,
        .parameters = elman_encoder_parameters(m->network.encoder),
        .unit = elman_probe_each_step(&m->network.task) ? "steps" : "examples",
        .batches = EPOCH * file->config.accumulate,
        .batch_steps =
            file->config.batch, /* of sequences of one length, once a curriculum is over */
        .flow_steps = 1,
        .record = record,
        .validate = validate,
        .write = write_weights,
        .flow = flow,
        .remember = remember,
        .restore = restore,
    };
    return ELMAN_OK;
}

/* config.json says it all. */
static elman_status found(elman_objective *objective, const char *folder, elman_error *error)
{
    (void)objective;
    (void)folder;
    (void)error;
    return ELMAN_OK;
}

static void end(elman_objective *objective)
{
    if (objective->self)
        probe_free(objective->self);
}

const elman_task elman_task_probe = {
    .name = "probe",
    .own_data = true,
    .begin = begin,
    .found = found,
    .end = end,
    .open = elman_probe_open,
    .eval = elman_probe_eval,
    .predict = elman_probe_predict,
    .close = elman_probe_close,
    .lag = elman_probe_set_lag,
};
