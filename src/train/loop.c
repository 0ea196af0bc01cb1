#include "train/loop.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/context_impl.h"
#include "base/error.h"
#include "base/file.h"
#include "base/float_environment.h"
#include "base/pool.h"
#include "graph/tape_impl.h"
#include "kernel/kernels.h"
#include "train/board.h"
#include "train/checkpoint.h"
#include "train/metrics.h"
#include "train/schedule.h"

enum { INTERVAL = 100 }; /* updates a metrics record */

typedef struct loop {
    elman_context *context;
    const elman_objective *objective;
    const elman_loop_options *options;
    elman_optimizer *optimizer;
    elman_average *average; /* NULL: none */
    elman_schedule schedule;
    elman_tape *tape;
    elman_safetensors_writer *checkpoint;
    elman_appender metrics;
    elman_board *board; /* NULL: none */
    elman_progress progress;
    char *checkpoint_path, *weights_path;
    int64_t updates; /* in an epoch */
    int64_t steps;   /* in all */
    double began;    /* the clock at the start, less the seconds of earlier runs */
    double interval_began;
    int64_t interval_counted; /* predictions since interval_began */
    double rate, norm;
    double last_loss; /* of the interval before this one */
    double tokens_per_second;
    const char *metric; /* the task's, once it has said so */
    bool weights_stand; /* model.safetensors is this run's */
} loop;

static bool asked_to_stop(const loop *l)
{
    return l->options->stop && *l->options->stop;
}

static double epoch_now(const loop *l)
{
    return (double)l->progress.integers.epoch +
           (double)l->progress.integers.batch / (double)l->objective->batches;
}

static double interval_loss(const loop *l)
{
    const elman_progress *p = &l->progress;
    return p->integers.interval_tokens ? p->reals.interval_sum / (double)p->integers.interval_tokens
                                       : NAN;
}

/* What is shown: a mean over few updates jumps about. */
static double shown_loss(const loop *l)
{
    return l->progress.integers.interval_steps < INTERVAL / 10 && isfinite(l->last_loss)
               ? l->last_loss
               : interval_loss(l);
}

static void report(const loop *l, elman_train_event event, bool better, uint64_t valid_tokens)
{
    if (!l->options->progress)
        return;
    const elman_progress *p = &l->progress;
    double left =
        l->tokens_per_second > 0 && p->integers.step
            ? p->reals.seconds / (double)p->integers.step * (double)(l->steps - p->integers.step)
            : NAN;
    elman_train_progress now = {
        .event = event,
        .step = p->integers.step,
        .steps = l->steps,
        .epoch = epoch_now(l),
        .epochs = l->options->config->epochs,
        .loss = shown_loss(l),
        .gradient_norm = l->norm,
        .lr = l->rate,
        .tokens_per_second = l->tokens_per_second,
        .unit = l->objective->unit,
        .seconds = p->reals.seconds,
        .seconds_left = left,
        .valid_loss = p->reals.last,
        .best_loss = p->reals.best,
        .metric = l->metric,
        .valid_value = p->reals.last_value,
        .best_value = p->reals.best_value,
        .better = better,
        .valid_tokens = valid_tokens,
    };
    l->options->progress(l->options->user, &now);
}

/* An update may be what broke the weights; the loss would tell only at the next step. */
static elman_status check_weights(const loop *l, elman_error *error)
{
    const elman_math_kernels *k = elman_kernels_of(l->context)->math;
    for (int64_t i = 0; i < elman_parameters_count(l->objective->parameters); i++) {
        const elman_parameter *p = elman_parameters_at(l->objective->parameters, i);
        size_t count = (size_t)elman_tensor_count(&p->value);
        size_t at = k->first_nonfinite(p->value.data, count);
        if (at < count)
            return elman_fail(error, ELMAN_ERROR_NUMERIC,
                              "step %" PRId64 ": %s is not finite after the update (element %zu); "
                              "try a smaller --lr or --clip; an earlier checkpoint stands",
                              l->progress.integers.step, p->name, at);
    }
    return ELMAN_OK;
}

/* The weights for use first, then the checkpoint that counts them. */
static elman_status save(loop *l, elman_error *error)
{
    ELMAN_TRY(check_weights(l, error));
    if (!l->weights_stand) {
        elman_average_swap(l->average);
        elman_status status = l->objective->write(l->objective->self, l->weights_path, error);
        elman_average_swap(l->average);
        ELMAN_TRY(status);
        l->weights_stand = isfinite(l->progress.reals.best) || l->progress.integers.finished;
    }
    ELMAN_TRY(elman_appender_sync(&l->metrics, error));
    ELMAN_TRY(elman_board_sync(l->board, error));
    l->progress.integers.metrics_bytes = (int64_t)l->metrics.size;
    if (l->objective->prepare)
        l->objective->prepare(l->objective->self);
    ELMAN_TRY(elman_safetensors_writer_write(l->checkpoint, l->checkpoint_path, error));
    report(l, ELMAN_EVENT_CHECKPOINT, false, 0);
    return ELMAN_OK;
}

static elman_status validate(loop *l, elman_error *error)
{
    struct elman_progress_integers *n = &l->progress.integers;
    struct elman_progress_reals *r = &l->progress.reals;
    elman_validation valid = {.loss = NAN, .score = NAN};
    double before = elman_clock();
    elman_average_swap(l->average);
    elman_status status = l->objective->validate(l->objective->self, l->tape, &valid, error);
    elman_average_swap(l->average);
    ELMAN_TRY(status);
    l->interval_began += elman_clock() - before;
    n->validated = n->step;
    ELMAN_TRY(elman_board_validation(l->board, n->step, &valid, l->objective->parameters, error));
    if (!valid.count) { /* nothing to compare: the last weights are the best */
        l->weights_stand = false;
        return ELMAN_OK;
    }
    if (!isfinite(valid.loss) || !isfinite(valid.score))
        return elman_fail(error, ELMAN_ERROR_NUMERIC,
                          "step %" PRId64 ": the validation loss is not finite; try a smaller --lr "
                          "or --clip; an earlier checkpoint stands",
                          n->step);
    l->metric = valid.metric;
    bool better =
        !(r->best_score < valid.score || (r->best_score == valid.score && r->best <= valid.loss));
    r->last = valid.loss;
    r->last_value = valid.value;
    if (better) {
        r->best = valid.loss;
        r->best_score = valid.score;
        r->best_value = valid.value;
        n->validations_waited = 0;
        l->weights_stand = false;
    } else {
        n->validations_waited++;
    }
    elman_schedule_validated(&l->schedule, better);
    n->plateau_waited = l->schedule.waited;
    r->plateau_scale = l->schedule.scale;
    if (l->options->config->patience && n->validations_waited >= l->options->config->patience)
        n->finished = 1;
    r->seconds = elman_clock() - l->began;
    ELMAN_TRY(
        elman_metrics_validation(&l->metrics, &l->progress, epoch_now(l), &valid, better, error));
    report(l, ELMAN_EVENT_VALIDATION, better, valid.count);
    return ELMAN_OK;
}

static elman_status end_interval(loop *l, elman_error *error)
{
    elman_progress *p = &l->progress;
    if (!p->integers.interval_steps)
        return ELMAN_OK;
    ELMAN_TRY(elman_metrics_interval(&l->metrics, p, epoch_now(l), interval_loss(l),
                                     p->reals.interval_norm / (double)p->integers.interval_steps,
                                     l->rate, l->tokens_per_second, error));
    elman_board_figures figures = {interval_loss(l),
                                   p->reals.interval_norm / (double)p->integers.interval_steps,
                                   l->rate, l->tokens_per_second, l->objective->unit};
    ELMAN_TRY(elman_board_interval(l->board, p->integers.step, &figures, error));
    l->last_loss = interval_loss(l);
    p->integers.interval_steps = 0;
    p->integers.interval_tokens = 0;
    p->reals.interval_sum = 0;
    p->reals.interval_norm = 0;
    l->interval_counted = 0;
    l->interval_began = elman_clock();
    return ELMAN_OK;
}

/* Forward and backward of one batch; its gradient is added to the parameters'. */
static elman_status run_batch(loop *l, elman_objective_batch *batch, elman_error *error)
{
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    mode.train = true;
    mode.seed = (uint64_t)l->options->config->seed;
    mode.pass = (uint64_t)l->progress.integers.epoch;
    elman_tape_begin(l->tape, &mode);
    ELMAN_TRY(l->objective->record(l->objective->self, l->tape, batch, error));
    ELMAN_TRY(elman_tape_status(l->tape, error));
    if (!isfinite(batch->sum))
        return elman_fail(error, ELMAN_ERROR_NUMERIC,
                          "step %" PRId64 ": the loss is not finite; try a smaller --lr, a smaller "
                          "--clip or another --init; an earlier checkpoint stands",
                          l->progress.integers.step + 1);
    return elman_tape_backward(l->tape, batch->loss, error);
}

/* One update, of one or several batches. */
static elman_status run_update(loop *l, bool *ends_epoch, elman_error *error)
{
    elman_progress *p = &l->progress;
    elman_objective_batch batch = {0};
    l->rate = elman_schedule_rate(&l->schedule, p->integers.step, p->integers.epoch);
    for (int64_t i = 0; i < l->options->config->accumulate && !batch.ends_epoch; i++) {
        ELMAN_TRY(run_batch(l, &batch, error));
        p->integers.batch++;
        p->integers.interval_tokens += (int64_t)batch.count;
        p->reals.interval_sum += batch.sum;
        l->interval_counted += (int64_t)batch.count;
    }
    elman_error found = {0};
    elman_status status = elman_optimizer_step(l->optimizer, l->rate, &l->norm, &found);
    if (status == ELMAN_ERROR_NUMERIC)
        return elman_fail(error, status,
                          "step %" PRId64 ": %s; try a smaller --lr, a smaller --clip or another "
                          "--init; an earlier checkpoint stands",
                          p->integers.step + 1, found.message);
    if (status != ELMAN_OK)
        return elman_fail(error, status, "%s", found.message);
    elman_average_update(l->average, p->integers.step);
    p->integers.step++;
    p->integers.interval_steps++;
    p->reals.interval_norm += l->norm;
    *ends_epoch = batch.ends_epoch;
    if (batch.ends_epoch) {
        p->integers.epoch++;
        p->integers.batch = 0;
    }
    double now = elman_clock();
    p->reals.seconds = now - l->began;
    if (now > l->interval_began)
        l->tokens_per_second = (double)l->interval_counted / (now - l->interval_began);
    return ELMAN_OK;
}

static elman_status stopped(const loop *l, elman_error *error)
{
    return elman_fail(error, ELMAN_ERROR_INTERRUPTED,
                      "stopped after step %" PRId64 " of %" PRId64 " and saved; "
                      "elman train --resume %s continues",
                      l->progress.integers.step, l->steps, l->options->folder);
}

static elman_status run(loop *l, elman_error *error)
{
    struct elman_progress_integers *n = &l->progress.integers;
    const elman_config *config = l->options->config;
    while (!n->finished) {
        bool ends_epoch = false, last = false;
        elman_pool_begin(l->context);
        elman_status status = run_update(l, &ends_epoch, error);
        elman_pool_end(l->context);
        ELMAN_TRY(status);
        last = n->step >= l->steps;
        report(l, ELMAN_EVENT_STEP, false, 0);
        if (n->interval_steps >= INTERVAL || ends_epoch || last)
            ELMAN_TRY(end_interval(l, error));
        bool stop = asked_to_stop(l);
        bool due = last || (config->eval_every ? n->step % config->eval_every == 0 : ends_epoch);
        if (due && !stop) {
            elman_pool_begin(l->context);
            status = validate(l, error);
            elman_pool_end(l->context);
            if (status == ELMAN_ERROR_INTERRUPTED)
                stop = true; /* the validation is made up for on resuming */
            else
                ELMAN_TRY(status);
        }
        if (last && !stop)
            n->finished = 1;
        bool periodic =
            l->options->checkpoint_every ? n->step % l->options->checkpoint_every == 0 : due;
        if (periodic || stop || n->finished || (due && !l->weights_stand))
            ELMAN_TRY(save(l, error));
        if (stop)
            return stopped(l, error);
    }
    report(l, ELMAN_EVENT_END, false, 0);
    return ELMAN_OK;
}

/* A run that was stopped where a validation was due has still to make it. */
static elman_status catch_up(loop *l, elman_error *error)
{
    struct elman_progress_integers *n = &l->progress.integers;
    const elman_config *config = l->options->config;
    if (n->finished || !n->step || n->validated == n->step)
        return ELMAN_OK;
    bool last = n->step >= l->steps;
    bool due = last || (config->eval_every ? n->step % config->eval_every == 0 : n->batch == 0);
    if (!due)
        return ELMAN_OK;
    elman_pool_begin(l->context);
    elman_status status = validate(l, error);
    elman_pool_end(l->context);
    if (status == ELMAN_ERROR_INTERRUPTED)
        return stopped(l, error);
    ELMAN_TRY(status);
    if (last)
        n->finished = 1;
    return save(l, error);
}

elman_status elman_loop_check(const elman_config *config, elman_error *error)
{
    elman_schedule schedule;
    if (config->nesterov && !(config->momentum > 0))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "nesterov: it needs a momentum above 0, as --momentum 0.9");
    return elman_schedule_parse(config->schedule, &schedule, error);
}

/* The checkpoint counts on the best weights in model.safetensors. */
static elman_status check_best(const loop *l, elman_error *error)
{
    bool there;
    elman_safetensors *file;
    ELMAN_TRY(elman_path_look(l->weights_path, &there, error));
    if (!there)
        return elman_fail(error, ELMAN_ERROR_IO,
                          "%s: it is gone, and the checkpoint counts on the best weights in it",
                          l->weights_path);
    ELMAN_TRY(elman_safetensors_read(l->context, l->weights_path, NULL, &file, error));
    elman_safetensors_free(file);
    return ELMAN_OK;
}

static elman_status resume_run(loop *l, elman_error *error)
{
    elman_progress most = {
        .integers = {.step = l->steps,
                     .batch = l->objective->batches,
                     .epoch = l->options->config->epochs,
                     .interval_tokens = INT64_MAX / 2,
                     .metrics_bytes = INT64_MAX / 2},
    };
    elman_trained trained = {l->objective, l->optimizer, l->average};
    ELMAN_TRY(elman_checkpoint_restore(l->context, l->checkpoint_path, &trained,
                                       l->options->configuration, &most, &l->progress, error));
    l->schedule.scale = l->progress.reals.plateau_scale;
    l->schedule.waited = l->progress.integers.plateau_waited;
    l->weights_stand = isfinite(l->progress.reals.best) || l->progress.integers.finished;
    return l->weights_stand ? check_best(l, error) : ELMAN_OK;
}

/* The log counts for nothing that is trained: one that was cut or lost goes on as it is. */
static elman_status open_metrics(loop *l, const char *path, elman_error *error)
{
    elman_error found = {0};
    elman_status status = elman_appender_open(&l->metrics, path,
                                              (uint64_t)l->progress.integers.metrics_bytes, &found);
    if (status == ELMAN_ERROR_FORMAT)
        status = elman_appender_open(&l->metrics, path, UINT64_MAX, &found);
    return status == ELMAN_OK ? status : elman_fail(error, status, "%s", found.message);
}

static elman_status open_run(loop *l, elman_error *error)
{
    const elman_config *config = l->options->config;
    elman_optimizer_options wanted;
    elman_optimizer_options_default(&wanted);
    wanted.kind = (elman_optimizer_kind)config->optimizer;
    wanted.momentum = config->momentum;
    wanted.nesterov = config->nesterov;
    wanted.weight_decay = config->weight_decay;
    wanted.clip = config->clip;
    wanted.clip_value = config->clip_value;
    ELMAN_TRY(elman_optimizer_create(l->context, l->objective->parameters, &wanted, &l->optimizer,
                                     error));
    if (config->average > 0)
        ELMAN_TRY(elman_average_create(l->context, l->objective->parameters, config->average,
                                       &l->average, error));
    ELMAN_TRY(elman_tape_create(l->context, &l->tape, error));

    l->updates = (l->objective->batches + config->accumulate - 1) / config->accumulate;
    if (__builtin_mul_overflow(l->updates, config->epochs, &l->steps))
        l->steps = INT64_MAX; /* more than anybody can wait for */
    if (config->max_steps && config->max_steps < l->steps)
        l->steps = config->max_steps;
    ELMAN_TRY(elman_schedule_parse(config->schedule, &l->schedule, error));
    l->schedule.base = config->lr;
    l->schedule.warmup = config->warmup;
    l->schedule.steps = l->steps;
    l->schedule.scale = 1;

    l->last_loss = NAN;
    l->progress.integers.validated = -1;
    l->progress.reals.best = NAN;
    l->progress.reals.best_score = NAN;
    l->progress.reals.best_value = NAN;
    l->progress.reals.last_value = NAN;
    l->progress.reals.last = NAN;
    l->progress.reals.plateau_scale = 1;
    elman_trained trained = {l->objective, l->optimizer, l->average};
    ELMAN_TRY(elman_checkpoint_create(l->context, &trained, &l->progress, l->options->configuration,
                                      &l->checkpoint, error));
    if (l->options->resume)
        ELMAN_TRY(resume_run(l, error));
    char *metrics_path = elman_path_join(l->options->folder, "metrics.jsonl");
    if (!metrics_path)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "out of memory");
    elman_status status = open_metrics(l, metrics_path, error);
    if (status == ELMAN_OK)
        status = elman_board_open(l->context, l->options->tensorboard, metrics_path,
                                  l->progress.integers.step, &l->board, error);
    free(metrics_path);
    l->began = elman_clock() - l->progress.reals.seconds;
    l->interval_began = elman_clock();
    return status;
}

elman_status elman_loop_run(elman_context *context, const elman_objective *objective,
                            const elman_loop_options *options, elman_error *error)
{
    loop l = {.context = context, .objective = objective, .options = options, .metrics.fd = -1};
    elman_float_environment environment = elman_float_begin();
    l.checkpoint_path = elman_path_join(options->folder, "checkpoint.safetensors");
    l.weights_path = elman_path_join(options->folder, "model.safetensors");
    elman_status status = l.checkpoint_path && l.weights_path
                              ? open_run(&l, error)
                              : elman_fail(error, ELMAN_ERROR_MEMORY, "out of memory");
    if (status == ELMAN_OK && options->resume)
        status = catch_up(&l, error);
    if (status == ELMAN_OK)
        status = run(&l, error);
    elman_appender_close(&l.metrics);
    elman_board_close(l.board);
    elman_safetensors_writer_free(l.checkpoint);
    elman_tape_free(l.tape);
    elman_optimizer_free(l.optimizer);
    elman_average_free(l.average);
    free(l.checkpoint_path);
    free(l.weights_path);
    elman_float_end(environment);
    return status;
}
