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
#include "train/board.h"
#include "train/metrics.h"
#include "train/trainer.h"
#include "train/watch.h"

enum { INTERVAL = 100 }; /* updates a metrics record */

typedef struct loop {
    elman_context *context;
    const elman_objective *objective;
    const elman_loop_options *options;
    elman_trainer trainer;
    elman_safetensors_writer *checkpoint;
    elman_appender metrics;
    elman_watch *watch; /* of the gradients; NULL: nobody asked */
    elman_board *board; /* NULL: none */
    char *checkpoint_path, *weights_path;
    double began; /* the clock at the start, less the seconds of earlier runs */
    double interval_began;
    int64_t interval_counted; /* predictions since interval_began */
    double last_loss;         /* of the interval before this one */
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
    return (double)l->trainer.progress.integers.epoch +
           (double)l->trainer.progress.integers.batch / (double)l->objective->batches;
}

static double interval_loss(const loop *l)
{
    const elman_progress *p = &l->trainer.progress;
    return p->integers.interval_tokens ? p->reals.interval_sum / (double)p->integers.interval_tokens
                                       : NAN;
}

/* What is shown: a mean over few updates jumps about. */
static double shown_loss(const loop *l)
{
    return l->trainer.progress.integers.interval_steps < INTERVAL / 10 && isfinite(l->last_loss)
               ? l->last_loss
               : interval_loss(l);
}

static void report(const loop *l, elman_train_event event, bool better, uint64_t valid_tokens)
{
    if (!l->options->progress)
        return;
    const elman_progress *p = &l->trainer.progress;
    double left = l->tokens_per_second > 0 && p->integers.step
                      ? p->reals.seconds / (double)p->integers.step *
                            (double)(l->trainer.steps - p->integers.step)
                      : NAN;
    elman_train_progress now = {
        .event = event,
        .step = p->integers.step,
        .steps = l->trainer.steps,
        .epoch = epoch_now(l),
        .epochs = l->options->config->epochs,
        .loss = shown_loss(l),
        .gradient_norm = l->trainer.norm,
        .lr = l->trainer.rate,
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

/* The weights for use first, then the checkpoint that counts them. */
static elman_status save(loop *l, elman_error *error)
{
    ELMAN_TRY(elman_trainer_check(&l->trainer, error));
    if (!l->weights_stand) {
        elman_average_swap(l->trainer.average);
        elman_status status = l->objective->write(l->objective->self, l->weights_path, error);
        elman_average_swap(l->trainer.average);
        ELMAN_TRY(status);
        l->weights_stand =
            isfinite(l->trainer.progress.reals.best) || l->trainer.progress.integers.finished;
    }
    ELMAN_TRY(elman_appender_sync(&l->metrics, error));
    ELMAN_TRY(elman_board_sync(l->board, error));
    l->trainer.progress.integers.metrics_bytes = (int64_t)l->metrics.size;
    if (l->objective->prepare)
        l->objective->prepare(l->objective->self);
    ELMAN_TRY(elman_safetensors_writer_write(l->checkpoint, l->checkpoint_path, error));
    report(l, ELMAN_EVENT_CHECKPOINT, false, 0);
    return ELMAN_OK;
}

static elman_status validate(loop *l, elman_error *error)
{
    elman_validation valid;
    bool better;
    double before = elman_clock();
    elman_status status = elman_trainer_validate(&l->trainer, &valid, &better, error);
    l->interval_began += elman_clock() - before;
    ELMAN_TRY(status);
    ELMAN_TRY(elman_board_validation(l->board, l->trainer.progress.integers.step, &valid,
                                     l->objective->parameters, error));
    if (better || !valid.count) /* nothing to compare: the last weights are the best */
        l->weights_stand = false;
    if (!valid.count)
        return ELMAN_OK;
    l->metric = valid.metric;
    l->trainer.progress.reals.seconds = elman_clock() - l->began;
    ELMAN_TRY(elman_metrics_validation(&l->metrics, &l->trainer.progress, epoch_now(l), &valid,
                                       better, error));
    report(l, ELMAN_EVENT_VALIDATION, better, valid.count);
    return ELMAN_OK;
}

static elman_status end_interval(loop *l, elman_error *error)
{
    elman_progress *p = &l->trainer.progress;
    if (!p->integers.interval_steps)
        return ELMAN_OK;
    ELMAN_TRY(elman_metrics_interval(&l->metrics, p, epoch_now(l), interval_loss(l),
                                     p->reals.interval_norm / (double)p->integers.interval_steps,
                                     l->trainer.rate, l->tokens_per_second, error));
    elman_board_figures figures = {interval_loss(l),
                                   p->reals.interval_norm / (double)p->integers.interval_steps,
                                   l->trainer.rate, l->tokens_per_second, l->objective->unit};
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

static elman_status run_update(loop *l, bool *ends_epoch, elman_error *error)
{
    elman_progress *p = &l->trainer.progress;
    int64_t before = p->integers.interval_tokens;
    ELMAN_TRY(elman_trainer_update(&l->trainer, ends_epoch, error));
    l->interval_counted += p->integers.interval_tokens - before;
    double now = elman_clock();
    p->reals.seconds = now - l->began;
    if (now > l->interval_began)
        l->tokens_per_second = (double)l->interval_counted / (now - l->interval_began);
    return ELMAN_OK;
}

/* Before the first update, now and then, and once more at the end of the run. */
static elman_status watch(loop *l, elman_error *error)
{
    const struct elman_progress_integers *n = &l->trainer.progress.integers;
    if (!l->watch || (!elman_watch_due(l->watch, n->step) && !n->finished))
        return ELMAN_OK;
    double before = elman_clock();
    elman_status status = elman_watch_look(l->watch, n->step, &l->metrics, l->board, error);
    l->interval_began += elman_clock() - before;
    return status;
}

static elman_status stopped(const loop *l, elman_error *error)
{
    return elman_fail(error, ELMAN_ERROR_INTERRUPTED,
                      "stopped after step %" PRId64 " of %" PRId64 " and saved; "
                      "elman train --resume %s continues",
                      l->trainer.progress.integers.step, l->trainer.steps, l->options->folder);
}

static elman_status run(loop *l, elman_error *error)
{
    struct elman_progress_integers *n = &l->trainer.progress.integers;
    if (n->step == 0)
        ELMAN_TRY(watch(l, error));
    while (!n->finished) {
        bool ends_epoch = false, last = false;
        elman_pool_begin(l->context);
        elman_status status = run_update(l, &ends_epoch, error);
        elman_pool_end(l->context);
        ELMAN_TRY(status);
        last = n->step >= l->trainer.steps;
        report(l, ELMAN_EVENT_STEP, false, 0);
        if (n->interval_steps >= INTERVAL || ends_epoch || last)
            ELMAN_TRY(end_interval(l, error));
        bool stop = asked_to_stop(l);
        bool due = elman_trainer_due(&l->trainer, ends_epoch);
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
        ELMAN_TRY(watch(l, error));
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
    struct elman_progress_integers *n = &l->trainer.progress.integers;
    if (n->finished || !n->step || n->validated == n->step ||
        !elman_trainer_due(&l->trainer, n->batch == 0))
        return ELMAN_OK;
    bool last = n->step >= l->trainer.steps;
    elman_pool_begin(l->context);
    elman_status status = validate(l, error);
    elman_pool_end(l->context);
    if (status == ELMAN_ERROR_INTERRUPTED)
        return stopped(l, error);
    ELMAN_TRY(status);
    if (last)
        n->finished = 1;
    if (n->finished && !(l->watch && elman_watch_due(l->watch, n->step)))
        ELMAN_TRY(watch(l, error)); /* where one was due, it was made before the stop */
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
    const elman_progress *p = &l->trainer.progress;
    ELMAN_TRY(
        elman_trainer_restore(&l->trainer, l->checkpoint_path, l->options->configuration, error));
    l->weights_stand = isfinite(p->reals.best) || p->integers.finished;
    return l->weights_stand ? check_best(l, error) : ELMAN_OK;
}

/* The log counts for nothing that is trained: one that was cut or lost goes on as it is. */
static elman_status open_metrics(loop *l, const char *path, elman_error *error)
{
    elman_error found = {0};
    elman_status status = elman_appender_open(
        &l->metrics, path, (uint64_t)l->trainer.progress.integers.metrics_bytes, &found);
    if (status == ELMAN_ERROR_FORMAT)
        status = elman_appender_open(&l->metrics, path, UINT64_MAX, &found);
    return status == ELMAN_OK ? status : elman_fail(error, status, "%s", found.message);
}

static elman_status open_run(loop *l, elman_error *error)
{
    elman_trainer *t = &l->trainer;
    l->last_loss = NAN;
    ELMAN_TRY(elman_trainer_open(l->context, l->objective, l->options->config, t, error));
    elman_trained trained = {l->objective, t->optimizer, t->average};
    ELMAN_TRY(elman_checkpoint_create(l->context, &trained, &t->progress, l->options->configuration,
                                      &l->checkpoint, error));
    if (l->options->watch)
        ELMAN_TRY(elman_watch_create(l->context, l->objective, l->options->config->accumulate,
                                     &l->watch, error));
    if (l->options->resume)
        ELMAN_TRY(resume_run(l, error));
    char *metrics_path = elman_path_join(l->options->folder, "metrics.jsonl");
    if (!metrics_path)
        return elman_out_of_memory(error);
    elman_status status = open_metrics(l, metrics_path, error);
    if (status == ELMAN_OK)
        status = elman_board_open(l->context, l->options->tensorboard, metrics_path,
                                  l->trainer.progress.integers.step, &l->board, error);
    free(metrics_path);
    l->began = elman_clock() - l->trainer.progress.reals.seconds;
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
    elman_status status =
        l.checkpoint_path && l.weights_path ? open_run(&l, error) : elman_out_of_memory(error);
    if (status == ELMAN_OK && options->resume)
        status = catch_up(&l, error);
    if (status == ELMAN_OK)
        status = run(&l, error);
    elman_appender_close(&l.metrics);
    elman_watch_free(l.watch);
    elman_board_close(l.board);
    elman_safetensors_writer_free(l.checkpoint);
    elman_trainer_close(&l.trainer);
    free(l.checkpoint_path);
    free(l.weights_path);
    elman_float_end(environment);
    return status;
}
