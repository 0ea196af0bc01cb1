#include "train/trainer.h"

#include <inttypes.h>
#include <math.h>

#include "base/error.h"
#include "graph/tape_impl.h"
#include "nn/parameters_impl.h"

/* What to try, and what is left. */
static const char *advice(const elman_trainer *t)
{
    return t->config->clip > 0
               ? "try a smaller --lr, a smaller --clip or another --init, or ask elman doctor; "
                 "what "
                 "was saved before stands"
               : "try --clip 5, a smaller --lr or another --init, or ask elman doctor; what was "
                 "saved before stands";
}

elman_status elman_trainer_check(const elman_trainer *t, elman_error *error)
{
    size_t at;
    const elman_parameter *p = elman_parameters_first_nonfinite(t->objective->parameters, &at);
    return p ? elman_fail(error, ELMAN_ERROR_NUMERIC,
                          "step %" PRId64 ": %s is not finite after the update (element %zu); %s",
                          t->progress.integers.step, p->name, at, advice(t))
             : ELMAN_OK;
}

bool elman_trainer_due(const elman_trainer *t, bool ends_epoch)
{
    int64_t step = t->progress.integers.step, every = t->config->eval_every;
    return step >= t->steps || (every ? step % every == 0 : ends_epoch);
}

elman_status elman_trainer_validate(elman_trainer *t, elman_validation *valid, bool *better,
                                    elman_error *error)
{
    struct elman_progress_integers *n = &t->progress.integers;
    struct elman_progress_reals *r = &t->progress.reals;
    *valid = (elman_validation){.loss = NAN, .score = NAN};
    *better = false;
    elman_average_swap(t->average);
    elman_status status = t->objective->validate(t->objective->self, t->tape, valid, error);
    elman_average_swap(t->average);
    ELMAN_TRY(status);
    n->validated = n->step;
    if (!valid->count)
        return ELMAN_OK;
    if (!isfinite(valid->loss) || !isfinite(valid->score))
        return elman_fail(error, ELMAN_ERROR_NUMERIC,
                          "step %" PRId64 ": the validation loss is not finite; %s", n->step,
                          advice(t));
    *better = !(r->best_score < valid->score ||
                (r->best_score == valid->score && r->best <= valid->loss));
    r->last = valid->loss;
    r->last_value = valid->value;
    if (*better) {
        r->best = valid->loss;
        r->best_score = valid->score;
        r->best_value = valid->value;
        n->validations_waited = 0;
    } else {
        n->validations_waited++;
    }
    elman_schedule_validated(&t->schedule, *better);
    n->plateau_waited = t->schedule.waited;
    r->plateau_scale = t->schedule.scale;
    if (t->config->patience && n->validations_waited >= t->config->patience)
        n->finished = 1;
    if (valid->reached)
        n->finished = 1;
    return ELMAN_OK;
}

/* Forward and backward of one batch; its gradient is added to the parameters'. */
static elman_status run_batch(elman_trainer *t, elman_error *error)
{
    const elman_trainer_watch *watch = t->watch;
    elman_objective_batch *batch = &t->batch;
    elman_tape_mode mode;
    elman_tape_mode_default(&mode);
    mode.train = true;
    mode.observe = t->observe;
    mode.seed = (uint64_t)t->config->seed;
    mode.pass = (uint64_t)t->progress.integers.epoch;
    elman_tape_begin(t->tape, &mode);
    ELMAN_TRY(t->objective->record(t->objective->self, t->tape, batch, error));
    ELMAN_TRY(elman_tape_status(t->tape, error));
    if (watch && watch->forward)
        watch->forward(watch->user, t->tape, batch);
    if (!isfinite(batch->sum))
        return elman_fail(error, ELMAN_ERROR_NUMERIC,
                          "step %" PRId64 ": the loss is not finite; %s",
                          t->progress.integers.step + 1, advice(t));
    ELMAN_TRY(elman_tape_backward(t->tape, batch->loss, error));
    if (watch && watch->backward)
        watch->backward(watch->user, t->tape, batch);
    return ELMAN_OK;
}

elman_status elman_trainer_update(elman_trainer *t, bool *ends_epoch, elman_error *error)
{
    elman_progress *p = &t->progress;
    t->batch = (elman_objective_batch){0};
    t->rate = elman_schedule_rate(&t->schedule, p->integers.step, p->integers.epoch);
    for (int64_t i = 0; i < t->config->accumulate && !t->batch.ends_epoch; i++) {
        ELMAN_TRY(run_batch(t, error));
        p->integers.batch++;
        p->integers.interval_tokens += (int64_t)t->batch.count;
        p->reals.interval_sum += t->batch.sum;
    }
    elman_error found = {0};
    elman_status status = elman_optimizer_step(t->optimizer, t->rate, &t->norm, &found);
    if (status == ELMAN_ERROR_NUMERIC)
        return elman_fail(error, status, "step %" PRId64 ": %s; %s", p->integers.step + 1,
                          found.message, advice(t));
    if (status != ELMAN_OK)
        return elman_fail(error, status, "%s", found.message);
    elman_average_update(t->average, p->integers.step);
    p->integers.step++;
    p->integers.interval_steps++;
    p->reals.interval_norm += t->norm;
    *ends_epoch = t->batch.ends_epoch;
    if (t->batch.ends_epoch) {
        p->integers.epoch++;
        p->integers.batch = 0;
    }
    return ELMAN_OK;
}

/* The bounds of where a run may stand. */
static elman_progress most(const elman_trainer *t)
{
    return (elman_progress){
        .integers = {.step = t->steps,
                     .batch = t->objective->batches,
                     .epoch = t->config->epochs,
                     .interval_tokens = INT64_MAX / 2,
                     .metrics_bytes = INT64_MAX / 2},
    };
}

static void take_schedule(elman_trainer *t)
{
    t->schedule.scale = t->progress.reals.plateau_scale;
    t->schedule.waited = t->progress.integers.plateau_waited;
}

elman_status elman_trainer_rewind(elman_trainer *t, const elman_safetensors *checkpoint,
                                  const char *path, const char *configuration, elman_error *error)
{
    elman_trained trained = {t->objective, t->optimizer, t->average};
    elman_progress bounds = most(t);
    ELMAN_TRY(elman_checkpoint_take(checkpoint, path, &trained, configuration, &bounds,
                                    &t->progress, error));
    take_schedule(t);
    elman_parameters_zero_gradients(t->objective->parameters);
    return ELMAN_OK;
}

elman_status elman_trainer_restore(elman_trainer *t, const char *path, const char *configuration,
                                   elman_error *error)
{
    elman_trained trained = {t->objective, t->optimizer, t->average};
    elman_progress bounds = most(t);
    ELMAN_TRY(elman_checkpoint_restore(t->context, path, &trained, configuration, &bounds,
                                       &t->progress, error));
    take_schedule(t);
    return ELMAN_OK;
}

static void begin(elman_trainer *t)
{
    t->progress.integers.validated = -1;
    t->progress.reals.best = NAN;
    t->progress.reals.best_score = NAN;
    t->progress.reals.best_value = NAN;
    t->progress.reals.last_value = NAN;
    t->progress.reals.last = NAN;
    t->progress.reals.plateau_scale = 1;
}

/* In an epoch. */
static int64_t updates_of(const elman_config *config, int64_t batches)
{
    return (batches + config->accumulate - 1) / config->accumulate;
}

int64_t elman_trainer_steps(const elman_config *config, int64_t batches)
{
    int64_t steps;
    if (__builtin_mul_overflow(updates_of(config, batches), config->epochs, &steps))
        steps = INT64_MAX; /* more than anybody can wait for */
    return config->max_steps && config->max_steps < steps ? config->max_steps : steps;
}

elman_status elman_trainer_open(elman_context *context, const elman_objective *objective,
                                const elman_config *config, elman_trainer *t, elman_error *error)
{
    *t = (elman_trainer){.context = context, .objective = objective, .config = config};
    elman_optimizer_options wanted;
    elman_optimizer_options_default(&wanted);
    wanted.kind = (elman_optimizer_kind)config->optimizer;
    wanted.momentum = config->momentum;
    wanted.nesterov = config->nesterov;
    wanted.weight_decay = config->weight_decay;
    wanted.clip = config->clip;
    wanted.clip_value = config->clip_value;
    ELMAN_TRY(
        elman_optimizer_create(context, objective->parameters, &wanted, &t->optimizer, error));
    if (config->average > 0)
        ELMAN_TRY(elman_average_create(context, objective->parameters, config->average, &t->average,
                                       error));
    ELMAN_TRY(elman_tape_create(context, &t->tape, error));

    t->updates = updates_of(config, objective->batches);
    t->steps = elman_trainer_steps(config, objective->batches);
    ELMAN_TRY(elman_schedule_parse(config->schedule, &t->schedule, error));
    t->schedule.base = config->lr;
    t->schedule.warmup = config->warmup;
    t->schedule.steps = t->steps;
    t->schedule.scale = 1;
    begin(t);
    return ELMAN_OK;
}

void elman_trainer_close(elman_trainer *t)
{
    elman_tape_free(t->tape);
    elman_optimizer_free(t->optimizer);
    elman_average_free(t->average);
}
