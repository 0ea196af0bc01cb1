/* The losses of a network that answers nothing and of the untrained one; a short trial at the rate
 * that is configured; and the learning-rate range test (Smith 2017, section 3.3: the rate grows
 * geometrically from update to update). Every loss is held against the untrained network's over the
 * same batches, so that a batch that is hard by itself does not count as a step astray. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/pool.h"
#include "graph/tape_impl.h"
#include "task/doctor_impl.h"

enum {
    FIRST = 8, /* updates over which guessing and the untrained network are compared */
    TRIES = 10,
    FINE = 3 /* of these the steps that are small */
};

static const double astray = 1.1;         /* times the untrained loss: it diverges */
static const double burst = 10;           /* times it, at any update: so too */
static const double misbegun = 1.5;       /* times the loss of guessing: it begins wrong */
static const double growth = 1.17;        /* of the rate from update to update, six decades in 90 */
static const double memory_of_mean = 0.8; /* of the range test's smooth curve */

/* Losses of one pass, a prediction each; infinite from where a number was not finite. */
typedef struct pass {
    double *loss; /* [count] */
    int64_t count;
} pass;

static elman_status make_pass(elman_doctor *d, int64_t count, pass *p, elman_error *error)
{
    p->count = count;
    p->loss = elman_allocate(d->context, (size_t)count, sizeof *p->loss);
    return p->loss ? ELMAN_OK : elman_out_of_memory(error);
}

/* The batches of so many updates, forwards only. */
static elman_status read_only(elman_doctor *d, pass *p, elman_error *error)
{
    const elman_config *c = d->config;
    int64_t epoch = 0;
    for (int64_t i = 0; i < p->count; i++) {
        elman_objective_batch batch = {0};
        double sum = 0, count = 0;
        ELMAN_TRY(elman_doctor_stop(d, error));
        for (int64_t a = 0; a < c->accumulate && !batch.ends_epoch; a++) {
            elman_tape_mode mode;
            elman_tape_mode_default(&mode);
            mode.record = false;
            mode.train = true; /* as it will be */
            mode.seed = (uint64_t)c->seed;
            mode.pass = (uint64_t)epoch;
            elman_tape_begin(d->trainer.tape, &mode);
            ELMAN_TRY(d->objective.record(d->objective.self, d->trainer.tape, &batch, error));
            ELMAN_TRY(elman_tape_status(d->trainer.tape, error));
            sum += batch.sum;
            count += (double)batch.count;
        }
        epoch += batch.ends_epoch;
        p->loss[i] = count > 0 ? sum / count : 0;
        if (!isfinite(p->loss[i]))
            p->loss[i] = INFINITY;
    }
    return ELMAN_OK;
}

/* One update; its loss a prediction, infinite where it failed. */
static elman_status update(elman_doctor *d, double *loss, elman_error *error)
{
    elman_trainer *t = &d->trainer;
    bool ends_epoch;
    elman_error found = {0};
    ELMAN_TRY(elman_doctor_stop(d, error));
    /* of this update alone: beside a loss that has burst the next would not be seen */
    t->progress.integers.interval_tokens = 0;
    t->progress.reals.interval_sum = 0;
    elman_status status = elman_trainer_update(t, &ends_epoch, &found);
    *loss = INFINITY;
    if (status == ELMAN_ERROR_NUMERIC)
        return ELMAN_OK;
    if (status != ELMAN_OK)
        return elman_fail(error, status, "%s", found.message);
    int64_t count = t->progress.integers.interval_tokens;
    *loss = count ? t->progress.reals.interval_sum / (double)count : 0;
    if (!isfinite(*loss))
        *loss = INFINITY;
    return ELMAN_OK;
}

static double sum_of(const pass *p, int64_t first, int64_t end)
{
    double sum = 0;
    for (int64_t i = first; i < end; i++)
        sum += p->loss[i];
    return sum;
}

/* How the last quarter of a trial compares with the untrained network there; or a single update,
 * where that is beyond all measure. */
static double outcome(const pass *trial, const pass *untrained)
{
    int64_t n = trial->count, first = n - (n + 3) / 4;
    double own = sum_of(trial, first, n), other = sum_of(untrained, first, n);
    for (int64_t i = 0; i < n; i++)
        if (trial->loss[i] > burst * untrained->loss[i] && untrained->loss[i] > 0)
            return trial->loss[i] / untrained->loss[i];
    return other > 0 ? own / other : own > 0 ? INFINITY : 1;
}

/* Trains at a rate, by the schedule that is configured or (flat) at that rate all along. *failed:
 * the update at which a number was not finite, -1: none. */
static elman_status run_trial(elman_doctor *d, double rate, bool flat, pass *p, int64_t *failed,
                              elman_error *error)
{
    *failed = -1;
    ELMAN_TRY(elman_doctor_rewind(d, error));
    elman_schedule kept = d->trainer.schedule;
    d->trainer.schedule.base = rate;
    if (flat)
        d->trainer.schedule = (elman_schedule){.base = rate, .scale = 1};
    for (int64_t i = 0; i < p->count; i++) {
        if (*failed >= 0) {
            p->loss[i] = INFINITY;
            continue;
        }
        ELMAN_TRY(update(d, &p->loss[i], error));
        if (isinf(p->loss[i]))
            *failed = i;
    }
    d->trainer.schedule = kept;
    return ELMAN_OK;
}

/* --- where it begins --- */

/* With every trained weight at zero a network answers nothing: all classes alike, no deviation from
 * the mean. */
static elman_status measure_guess(elman_doctor *d, const pass *untrained, elman_error *error)
{
    elman_parameters *set = d->objective.parameters;
    pass p;
    ELMAN_TRY(make_pass(d, untrained->count < FIRST ? untrained->count : FIRST, &p, error));
    elman_status status = elman_doctor_rewind(d, error);
    for (int64_t i = 0; status == ELMAN_OK && i < elman_parameters_count(set); i++) {
        elman_parameter *q = elman_parameters_at(set, i);
        if (q->gradient && !q->tied)
            memset(elman_parameter_edit(q), 0,
                   (size_t)elman_tensor_count(&q->value) * sizeof(float));
    }
    if (status == ELMAN_OK)
        status = read_only(d, &p, error);
    if (status == ELMAN_OK) {
        d->first_guess = p.loss[0];
        d->diagnosis->expects.guess_loss = sum_of(&p, 0, p.count) / (double)p.count;
        d->diagnosis->expects.initial_loss = sum_of(untrained, 0, p.count) / (double)p.count;
    }
    elman_release(d->context, p.loss);
    return status;
}

static elman_status judge_begin(elman_doctor *d, elman_error *error)
{
    const elman_expectation *e = &d->diagnosis->expects;
    if (!(e->initial_loss > misbegun * e->guess_loss))
        return ELMAN_OK;
    const elman_config *c = d->config;
    bool embedding = c->vocabulary > 0 && !c->embeddings[0] && !strstr(c->init, "embedding");
    elman_found found = {"initial-loss", ELMAN_SEVERITY_WARNING, e->initial_loss,
                         misbegun * e->guess_loss, "init"};
    elman_finding *f = elman_doctor_add(d, &found, error);
    if (!f)
        return ELMAN_ERROR_MEMORY;
    elman_finding_reason(f,
                         "the untrained network's loss is %.4g where one that answers nothing has "
                         "%.4g: it begins by being sure of what it does not know, and the first "
                         "updates only undo that",
                         e->initial_loss, e->guess_loss);
    if (embedding) /* N(0,1) is wide */
        elman_finding_value(f, "%.40s%sembedding:0.1", c->init, c->init[0] ? "," : "");
    else
        elman_finding_value(f, "%s", c->init[0] ? "default" : "uniform:0.1");
    return ELMAN_OK;
}

/* --- the range of rates --- */

static void smooth(elman_diagnosis *g)
{
    double mean = 0, weight = 0;
    for (int64_t i = 0; i < g->range_count; i++) {
        mean = memory_of_mean * mean + (1 - memory_of_mean) * g->range[i].loss;
        weight = memory_of_mean * weight + (1 - memory_of_mean);
        g->range[i].smooth = mean / weight;
    }
}

/* The smoothed share of the untrained loss, by update. */
static void share(const elman_diagnosis *g, const pass *untrained, double *to)
{
    double mean = 0, weight = 0;
    for (int64_t i = 0; i < g->range_count; i++) {
        double other = untrained->loss[i];
        mean = memory_of_mean * mean +
               (1 - memory_of_mean) * (other > 0 ? g->range[i].loss / other : 1);
        weight = memory_of_mean * weight + (1 - memory_of_mean);
        to[i] = mean / weight;
    }
}

/* The steepest fall over four updates, and where it is past the level at which it diverges. */
static void read_range(elman_diagnosis *g, const double *level)
{
    elman_expectation *e = &g->expects;
    double steepest = 0;
    e->divergence_lr = INFINITY;
    for (int64_t i = 0; i < g->range_count; i++) {
        if (!(level[i] <= astray)) {
            e->divergence_lr = g->range[i].lr;
            break;
        }
        if (i >= 4 && level[i - 4] - level[i] > steepest) {
            steepest = level[i - 4] - level[i];
            e->best_lr = g->range[i - 2].lr;
        }
    }
}

static elman_status run_range(elman_doctor *d, const pass *untrained, elman_error *error)
{
    elman_diagnosis *g = d->diagnosis;
    int64_t points = untrained->count;
    double *level = elman_allocate(d->context, (size_t)points, sizeof *level);
    g->range = elman_allocate(d->context, (size_t)points, sizeof *g->range);
    if (!level || !g->range) {
        elman_release(d->context, level);
        return elman_out_of_memory(error);
    }
    elman_status status = elman_doctor_rewind(d, error);
    elman_schedule kept = d->trainer.schedule;
    double rate = d->config->lr;
    for (int64_t i = 0; i < points / 2; i++)
        rate /= growth;
    for (int64_t i = 0; status == ELMAN_OK && i < points; i++, rate *= growth) {
        elman_lr_point *p = &g->range[i];
        d->trainer.schedule = (elman_schedule){.base = rate, .scale = 1};
        p->lr = rate;
        status = update(d, &p->loss, error);
        if (status != ELMAN_OK || isinf(p->loss))
            break;
        g->range_count = i + 1;
    }
    d->trainer.schedule = kept;
    if (status == ELMAN_OK) {
        smooth(g);
        share(g, untrained, level);
        read_range(g, level);
        if (g->range_count < points && isinf(g->expects.divergence_lr))
            g->expects.divergence_lr = rate; /* the update failed */
    }
    elman_release(d->context, level);
    return status;
}

/* --- the rate that is configured --- */

/* A rate at which a trial goes well, from `candidate` downwards, as a text: what is advised is what
 * was tried. Empty: none of them did. */
static elman_status find_rate(elman_doctor *d, const pass *untrained, double candidate, bool flat,
                              char rate[32], elman_error *error)
{
    pass scratch;
    bool well = false;
    ELMAN_TRY(make_pass(
        d, d->options->updates < d->trainer.steps ? d->options->updates : d->trainer.steps,
        &scratch, error));
    elman_status status = ELMAN_OK;
    for (int i = 0; status == ELMAN_OK && i < TRIES && !well; i++) {
        int64_t failed = 0;
        double rounded;
        if (!elman_parse_real(elman_doctor_rate(rate, candidate), &rounded) || !(rounded >= 1e-12))
            break; /* --lr takes none that is smaller */
        status = run_trial(d, rounded, flat, &scratch, &failed, error);
        well = status == ELMAN_OK && failed < 0 && outcome(&scratch, untrained) < 1;
        candidate /= i < FINE ? 3 : 10;
    }
    if (!well)
        rate[0] = 0;
    elman_release(d->context, scratch.loss);
    return status;
}

/* A rate that goes wrong without clipping may do with it. */
static elman_status clip_helps(elman_doctor *d, const pass *untrained, pass *scratch, bool *helps,
                               elman_error *error)
{
    elman_config clipped = *d->config;
    elman_trainer kept = d->trainer;
    int64_t failed = 0;
    *helps = false;
    if (clipped.clip > 0)
        return ELMAN_OK;
    clipped.clip = 5;
    elman_status status =
        elman_trainer_open(d->context, &d->objective, &clipped, &d->trainer, error);
    if (status == ELMAN_OK)
        status = run_trial(d, clipped.lr, false, scratch, &failed, error);
    elman_trainer_close(&d->trainer);
    d->trainer = kept;
    *helps = status == ELMAN_OK && failed < 0 && outcome(scratch, untrained) < 1;
    return status;
}

static elman_status report(elman_doctor *d, const pass *trial, const pass *untrained,
                           int64_t failed, elman_error *error)
{
    const elman_expectation *e = &d->diagnosis->expects;
    double ratio = outcome(trial, untrained), below = d->config->lr / 3;
    char now[32], better[32] = "";
    bool clip;
    pass scratch;
    ELMAN_TRY(make_pass(d, trial->count, &scratch, error));
    elman_status status = clip_helps(d, untrained, &scratch, &clip, error);
    elman_release(d->context, scratch.loss);
    ELMAN_TRY(status);
    if (!clip)
        ELMAN_TRY(
            find_rate(d, untrained, e->best_lr < below ? e->best_lr : below, false, better, error));
    elman_found found = {"lr-diverges", ELMAN_SEVERITY_ERROR, ratio, astray, clip ? "clip" : "lr"};
    elman_finding *f = elman_doctor_add(d, &found, error);
    if (!f)
        return ELMAN_ERROR_MEMORY;
    elman_doctor_rate(now, d->config->lr);
    if (failed >= 0)
        elman_finding_reason(f,
                             "at a learning rate of %s a number is no longer finite at update "
                             "%" PRId64 " of the trial",
                             now, failed + 1);
    else
        elman_finding_reason(f,
                             "within %" PRId64 " updates at a learning rate of %s the loss is %.3g "
                             "times that of the untrained network",
                             trial->count, now, ratio);
    elman_finding_value(f, "%s", clip ? "5" : better);
    return ELMAN_OK;
}

/* A warm-up reaches its height only after the trial: the range test has been there. */
static elman_status judge_height(elman_doctor *d, const pass *untrained, int64_t trial,
                                 elman_error *error)
{
    const elman_expectation *e = &d->diagnosis->expects;
    char now[32], better[32];
    if (d->config->warmup <= trial || !(e->divergence_lr < d->config->lr / 2))
        return ELMAN_OK;
    ELMAN_TRY(find_rate(d, untrained, e->divergence_lr / 10, true, better, error));
    elman_found found = {"lr-diverges", ELMAN_SEVERITY_WARNING, d->config->lr, e->divergence_lr,
                         "lr"};
    elman_finding *f = elman_doctor_add(d, &found, error);
    if (!f)
        return ELMAN_ERROR_MEMORY;
    elman_finding_reason(f,
                         "the warm-up leads to a learning rate of %s, and in the range test the "
                         "loss rises from %.2g on",
                         elman_doctor_rate(now, d->config->lr), e->divergence_lr);
    elman_finding_value(f, "%s", better);
    return ELMAN_OK;
}

static elman_status try_rates(elman_doctor *d, const pass *untrained, pass *trial,
                              elman_error *error)
{
    int64_t failed;
    elman_expectation *e = &d->diagnosis->expects;
    ELMAN_TRY(run_range(d, untrained, error));
    double begin = elman_clock();
    ELMAN_TRY(run_trial(d, d->config->lr, false, trial, &failed, error));
    int64_t done = failed < 0 ? trial->count : failed + 1;
    e->seconds_per_step = (elman_clock() - begin) / (double)done;
    int64_t last = (trial->count + 3) / 4;
    e->trial_loss = sum_of(trial, trial->count - last, trial->count) / (double)last;
    elman_doctor_measure_memory(d);
    if (failed >= 0 || outcome(trial, untrained) > astray)
        return report(d, trial, untrained, failed, error);
    ELMAN_TRY(elman_doctor_bptt(d, error)); /* of weights that have begun to learn */
    return judge_height(d, untrained, trial->count, error);
}

elman_status elman_doctor_trial(elman_doctor *d, elman_error *error)
{
    int64_t updates = d->options->updates, points = updates + updates / 2;
    pass untrained = {0}, trial = {0};
    elman_pool_begin(d->context);
    elman_status status = make_pass(d, points, &untrained, error);
    if (status == ELMAN_OK)
        status =
            make_pass(d, updates < d->trainer.steps ? updates : d->trainer.steps, &trial, error);
    if (status == ELMAN_OK)
        status = read_only(d, &untrained, error);
    if (status == ELMAN_OK)
        status = measure_guess(d, &untrained, error);
    if (status == ELMAN_OK)
        status = judge_begin(d, error);
    if (status == ELMAN_OK)
        status = try_rates(d, &untrained, &trial, error);
    elman_pool_end(d->context);
    elman_release(d->context, untrained.loss);
    elman_release(d->context, trial.loss);
    return status;
}
