/* One batch, again and again: a network whose parts are wired to learn soon knows it by heart. What
 * does not is wrong in itself: labels that contradict each other, units that are dead, a rate that
 * moves nothing. */
#include <inttypes.h>
#include <math.h>

#include "base/error.h"
#include "base/pool.h"
#include "graph/tape_impl.h"
#include "task/doctor_impl.h"

/* Updates of a trial below which one batch has no chance to be learnt. */
enum { FEWEST = 10 };

static const double learnt = 0.5; /* of the loss of guessing on that batch */

/* One update on the first batch, dropout off. */
static elman_status update(elman_doctor *d, elman_optimizer *optimizer, double rate, double *loss,
                           elman_error *error)
{
    elman_objective_batch batch = {0};
    elman_tape_mode mode;
    elman_tape *tape = d->trainer.tape;
    elman_error found = {0};
    double norm;
    elman_tape_mode_default(&mode);
    mode.seed = (uint64_t)d->config->seed;
    ELMAN_TRY(elman_doctor_stop(d, error));
    ELMAN_TRY(elman_doctor_rewind_data(d, error));
    elman_tape_begin(tape, &mode);
    ELMAN_TRY(d->objective.record(d->objective.self, tape, &batch, error));
    ELMAN_TRY(elman_tape_status(tape, error));
    *loss = batch.count ? batch.sum / (double)batch.count : 0;
    if (!isfinite(*loss))
        return ELMAN_OK;
    ELMAN_TRY(elman_tape_backward(tape, batch.loss, error));
    elman_status status = elman_optimizer_step(optimizer, rate, &norm, &found);
    if (status == ELMAN_ERROR_NUMERIC)
        *loss = INFINITY;
    else if (status != ELMAN_OK)
        return elman_fail(error, status, "%s", found.message);
    return ELMAN_OK;
}

/* *updates: after how many it was learnt, -1: not; *least: the least loss. */
static elman_status fit(elman_doctor *d, elman_optimizer *optimizer, double rate, double wanted,
                        int64_t *updates, double *least, elman_error *error)
{
    int64_t most = 5 * d->options->updates;
    *updates = -1;
    *least = INFINITY;
    for (int64_t i = 0; i <= most && *updates < 0; i++) {
        double loss;
        ELMAN_TRY(update(d, optimizer, rate, &loss, error));
        *least = loss < *least ? loss : *least;
        if (loss <= wanted)
            *updates = i;
        if (!isfinite(loss))
            break;
    }
    return ELMAN_OK;
}

/* The same from the beginning by Adam at a rate that suits most. */
static elman_status fit_otherwise(elman_doctor *d, double rate, double wanted, int64_t *updates,
                                  double *least, elman_error *error)
{
    elman_optimizer_options options;
    elman_optimizer *optimizer;
    elman_optimizer_options_default(&options);
    ELMAN_TRY(elman_doctor_rewind(d, error));
    ELMAN_TRY(
        elman_optimizer_create(d->context, d->objective.parameters, &options, &optimizer, error));
    elman_status status = fit(d, optimizer, rate, wanted, updates, least, error);
    elman_optimizer_free(optimizer);
    return status;
}

static elman_status report(elman_doctor *d, double guess, double wanted, elman_error *error)
{
    static const double usual = 3e-3;
    const elman_expectation *e = &d->diagnosis->expects;
    int64_t updates;
    double least;
    char now[32], rate[32];
    ELMAN_TRY(fit_otherwise(d, usual, wanted, &updates, &least, error));
    bool adam = d->config->optimizer != ELMAN_OPTIMIZER_SGD;
    elman_found found = {updates >= 0 ? "lr-unfit" : "batch-not-learnt",
                         updates >= 0 ? ELMAN_SEVERITY_WARNING : ELMAN_SEVERITY_ERROR, e->fit_loss,
                         wanted,
                         updates < 0 ? NULL
                         : adam      ? "lr"
                                     : "optimizer"};
    elman_finding *f = elman_doctor_add(d, &found, error);
    if (!f)
        return ELMAN_ERROR_MEMORY;
    elman_doctor_rate(now, d->config->lr);
    elman_doctor_rate(rate, usual);
    if (updates >= 0) {
        elman_finding_reason(
            f,
            "%" PRId64 " updates on one batch alone at a learning rate of %s bring "
            "its loss to %.3g, guessing has %.3g; Adam at %s halves that in %" PRId64,
            5 * d->options->updates, now, e->fit_loss, guess, rate, updates);
        elman_finding_value(f, "%s", adam ? rate : "adam");
    } else {
        elman_finding_reason(f,
                             "%" PRId64
                             " updates on one batch alone bring its loss to no less than "
                             "%.3g, guessing has %.3g: look at whether inputs and targets belong "
                             "together, and at the first layers (dead or saturated units)",
                             5 * d->options->updates, fmin(e->fit_loss, least), guess);
    }
    return ELMAN_OK;
}

static elman_status test(elman_doctor *d, elman_error *error)
{
    elman_expectation *e = &d->diagnosis->expects;
    double guess = d->first_guess, wanted = learnt * guess;
    ELMAN_TRY(elman_doctor_rewind(d, error));
    ELMAN_TRY(
        fit(d, d->trainer.optimizer, d->config->lr, wanted, &e->fit_updates, &e->fit_loss, error));
    return e->fit_updates >= 0 ? ELMAN_OK : report(d, guess, wanted, error);
}

elman_status elman_doctor_fit(elman_doctor *d, elman_error *error)
{
    for (int64_t i = 0; i < d->diagnosis->count; i++)
        if (d->diagnosis->findings[i].severity == ELMAN_SEVERITY_ERROR)
            return ELMAN_OK; /* it would say the same again */
    if (!(d->first_guess > 0) || d->options->updates < FEWEST)
        return ELMAN_OK;
    elman_pool_begin(d->context);
    elman_status status = test(d, error);
    elman_pool_end(d->context);
    return status;
}
