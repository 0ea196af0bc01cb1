/* After a training that stopped at a number that is not finite: its updates again, from the
 * checkpoint, with the tape under observation. The folder is only read. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/float_environment.h"
#include "base/pool.h"
#include "elman/version.h"
#include "graph/tape_impl.h"
#include "kernel/kernels.h"
#include "nn/parameters_impl.h"
#include "task/doctor_impl.h"
#include "task/doctor_trace.h"
#include "train/loop.h"

typedef struct replay {
    elman_doctor doctor;
    const char *folder;
    char configuration[65];
    elman_trainer_watch watch;
    elman_fault met; /* in the update that runs; it counts only if that fails */
    int64_t batch;   /* of that update */
    double norm;     /* of the gradient of the update before it; NaN: none was replayed */
} replay;

static elman_trace trace_of(replay *r)
{
    return (elman_trace){r->doctor.context, &r->doctor.objective, &r->met};
}

static void forward(void *user, elman_tape *tape, const elman_objective_batch *batch)
{
    replay *r = user;
    elman_trace trace = trace_of(r);
    (void)batch;
    r->batch++;
    if (!r->met.step && elman_trace_forward(&trace, tape))
        r->met.batch = r->batch;
}

static void backward(void *user, elman_tape *tape, const elman_objective_batch *batch)
{
    replay *r = user;
    elman_trace trace = trace_of(r);
    (void)batch;
    if (!r->met.step && elman_trace_backward(&trace, tape))
        r->met.batch = r->batch;
}

static elman_status read_config(replay *r, elman_error *error)
{
    elman_config_file *file = &r->doctor.file;
    ELMAN_TRY(elman_config_file_read_model(r->doctor.context, r->folder, file, error));
    if (file->numerics_version != ELMAN_NUMERICS_VERSION)
        return elman_fail(error, ELMAN_ERROR_UNSUPPORTED,
                          "%s: the run began with numerics version %lld, this program has %d; "
                          "replay it with the program that began it",
                          r->folder, (long long)file->numerics_version, ELMAN_NUMERICS_VERSION);
    char *path = elman_path_join(r->folder, "config.json");
    if (!path)
        return elman_out_of_memory(error);
    elman_status status = elman_file_sha256(path, r->configuration, NULL, error);
    free(path);
    return status;
}

/* Stands where the checkpoint stands; without one where the training began. */
static elman_status open_run(replay *r, elman_error *error)
{
    elman_doctor *d = &r->doctor;
    elman_train_request request;
    elman_train_request_default(&request);
    request.task = d->file.task;
    request.output = r->folder;
    request.resume = true;
    request.stop = d->options->stop;
    ELMAN_TRY(elman_task_find(d->file.task, &d->task, error));
    ELMAN_TRY(elman_loop_check(d->config, error));
    ELMAN_TRY(d->task->begin(d->context, &request, &d->file, &d->objective, error));
    ELMAN_TRY(elman_trainer_open(d->context, &d->objective, d->config, &d->trainer, error));
    char *path = elman_path_join(r->folder, "checkpoint.safetensors");
    if (!path)
        return elman_out_of_memory(error);
    bool stands;
    elman_status status = elman_path_look(path, &stands, error);
    if (status == ELMAN_OK && stands)
        status = elman_trainer_restore(&d->trainer, path, r->configuration, error);
    free(path);
    return status;
}

/* --- what stands in the checkpoint itself --- */

static elman_status judge_weights(replay *r, elman_error *error)
{
    elman_doctor *d = &r->doctor;
    const elman_math_kernels *k = elman_kernels_of(d->context)->math;
    int64_t bad = 0, first = -1;
    size_t place = 0;
    for (int64_t i = 0; i < elman_parameters_count(d->objective.parameters); i++) {
        const elman_parameter *p = elman_parameters_at(d->objective.parameters, i);
        size_t count = (size_t)elman_tensor_count(&p->value);
        for (size_t at = 0; !p->tied && at < count; at++) {
            at += k->first_nonfinite(p->value.data + at, count - at);
            if (at >= count)
                break;
            bad++;
            place = first < 0 ? at : place;
            first = first < 0 ? i : first;
        }
    }
    if (!bad)
        return ELMAN_OK;
    const elman_parameter *p = elman_parameters_at(d->objective.parameters, first);
    elman_found found = {"weights-not-finite", ELMAN_SEVERITY_ERROR, (double)bad, 0, NULL};
    elman_finding *f = elman_doctor_add(d, &found, error);
    if (!f)
        return ELMAN_ERROR_MEMORY;
    int64_t columns = p->value.rank > 1 ? p->value.shape[1] : 1;
    elman_finding_reason(f,
                         "%" PRId64 " weight%s in the checkpoint %s not finite, the first "
                         "%s[%" PRId64 ",%" PRId64 "]: it was changed after it was written; "
                         "begin anew, or restore it from a copy",
                         bad, bad == 1 ? "" : "s", bad == 1 ? "is" : "are", p->name,
                         (int64_t)place / columns, (int64_t)place % columns);
    return ELMAN_OK;
}

/* --- what is said --- */

/* Without clipping that is the first remedy. Weights that are not finite have none. */
static void remedy(const elman_doctor *d, elman_finding *finding)
{
    const elman_config *c = d->config;
    char rate[32];
    if (d->diagnosis->count > 1) /* the weights were found */
        return;
    bool clip = !(c->clip > 0);
    finding->option = clip ? "clip" : "lr";
    elman_finding_value(finding, "%s", clip ? "5" : elman_doctor_rate(rate, c->lr / 10));
}

/* "stands in rnn.l0, gate f, unit 3, after the input product, at example 5, step 2" */
static void say_where(const elman_fault *f, char text[ELMAN_FINDING_REASON])
{
    char unit[32] = "";
    if (f->unit >= 0)
        snprintf(unit, sizeof unit, ", unit %" PRId64, f->unit);
    snprintf(text, ELMAN_FINDING_REASON, "in %s%s%s%s, after the %s%s%s",
             f->layer[0] ? f->layer : "the network", f->gate ? ", gate " : "",
             f->gate ? f->gate : "", f->layer[0] ? unit : "", f->operation,
             f->sample[0] ? ", at " : "", f->sample);
}

static elman_status report(replay *r, const char *message, elman_error *error)
{
    elman_doctor *d = &r->doctor;
    elman_fault *f = &d->diagnosis->fault;
    int64_t step = d->trainer.progress.integers.step + 1;
    char where[ELMAN_FINDING_REASON], before[80] = "";
    elman_found found = {"not-finite", ELMAN_SEVERITY_ERROR, (double)step, NAN, NULL};
    elman_finding *finding = elman_doctor_add(d, &found, error);
    if (!finding)
        return ELMAN_ERROR_MEMORY;
    *f = r->met;
    if (f->step) {
        say_where(f, where);
        if (!isnan(r->norm))
            snprintf(before, sizeof before,
                     "; the gradient of the update before had a norm of %.3g", r->norm);
        elman_finding_reason(finding,
                             "step %" PRId64
                             ": the first %s that is not finite (%s) stands %.300s; "
                             "into it went %.300s%s",
                             step, f->backward ? "gradient" : "value",
                             isnan(f->value) ? "nan"
                             : f->value > 0  ? "inf"
                                             : "-inf",
                             where, f->fed, before);
    } else { /* the message of the failure is all that is known */
        *f = (elman_fault){.unit = -1, .sequence = -1, .time = -1, .value = NAN};
        snprintf(f->operation, sizeof f->operation, "loss");
        elman_finding_reason(finding, "%.500s", message);
    }
    f->step = step;
    remedy(d, finding);
    return ELMAN_OK;
}

/* The update itself left the finite numbers. */
static bool update_broke(replay *r)
{
    elman_doctor *d = &r->doctor;
    size_t at;
    const elman_parameter *p = elman_parameters_first_nonfinite(d->objective.parameters, &at);
    if (!p)
        return false;
    int64_t columns = p->value.rank > 1 ? p->value.shape[1] : 1;
    r->met = (elman_fault){.step = 1,
                           .unit = (int64_t)at / columns,
                           .sequence = -1,
                           .time = -1,
                           .value = (double)p->value.data[at]};
    snprintf(r->met.operation, sizeof r->met.operation, "update");
    const char *dot = strrchr(p->name, '.');
    snprintf(r->met.layer, sizeof r->met.layer, "%.*s", (int)(dot ? dot - p->name : 0), p->name);
    snprintf(r->met.fed, sizeof r->met.fed,
             "%s[%" PRId64 ",%" PRId64 "], a learning rate of %g and a gradient of norm %g",
             p->name, (int64_t)at / columns, (int64_t)at % columns, d->trainer.rate,
             d->trainer.norm);
    return true;
}

/* --- the replay --- */

static elman_status one_update(replay *r, bool *ends_epoch, bool *failed, elman_error *error)
{
    elman_doctor *d = &r->doctor;
    elman_error found = {0};
    ELMAN_TRY(elman_doctor_stop(d, error));
    r->met = (elman_fault){0};
    r->batch = 0;
    elman_status status = elman_trainer_update(&d->trainer, ends_epoch, &found);
    *failed = status == ELMAN_ERROR_NUMERIC;
    if (*failed)
        return report(r, found.message, error);
    if (status != ELMAN_OK)
        return elman_fail(error, status, "%s", found.message);
    r->norm = d->trainer.norm;
    if (!d->diagnosis->count && update_broke(r)) { /* they were whole before */
        *failed = true;
        d->trainer.progress.integers.step--; /* the step that broke it */
        return report(r, "", error);
    }
    return ELMAN_OK;
}

static elman_status validate(replay *r, bool *better, bool *failed, elman_error *error)
{
    elman_validation valid;
    elman_error found = {0};
    elman_status status = elman_trainer_validate(&r->doctor.trainer, &valid, better, &found);
    *failed = status == ELMAN_ERROR_NUMERIC;
    if (*failed) {
        r->met = (elman_fault){0};
        r->doctor.trainer.progress.integers.step--;
        return report(r, found.message, error);
    }
    return status == ELMAN_OK ? status : elman_fail(error, status, "%s", found.message);
}

/* To where the training would have written its next checkpoint, and at least to the next
 * validation: a run may have been gone on with at another --checkpoint-every. */
static elman_status run(replay *r, elman_error *error)
{
    elman_trainer *t = &r->doctor.trainer;
    struct elman_progress_integers *n = &t->progress.integers;
    int64_t every = t->config->checkpoint_every;
    bool failed = false, better, written = !every;
    if (n->step && n->validated != n->step && elman_trainer_due(t, n->batch == 0))
        ELMAN_TRY(validate(r, &better, &failed, error));
    while (!failed && !n->finished && n->step < t->steps) {
        bool ends_epoch = false;
        ELMAN_TRY(one_update(r, &ends_epoch, &failed, error));
        if (failed)
            return ELMAN_OK;
        written = written || n->step % every == 0;
        if (!elman_trainer_due(t, ends_epoch))
            continue;
        ELMAN_TRY(validate(r, &better, &failed, error));
        if (written || better)
            return ELMAN_OK;
    }
    return ELMAN_OK;
}

static elman_status examine(replay *r, elman_error *error)
{
    elman_doctor *d = &r->doctor;
    elman_diagnosis *g = d->diagnosis;
    ELMAN_TRY(read_config(r, error));
    ELMAN_TRY(open_run(r, error));
    ELMAN_TRY(judge_weights(r, error));
    if (d->trainer.progress.integers.finished)
        return ELMAN_OK;
    r->watch = (elman_trainer_watch){r, forward, backward};
    d->trainer.watch = &r->watch;
    d->trainer.observe = true;
    g->replayed_from = d->trainer.progress.integers.step;
    elman_pool_begin(d->context);
    elman_status status = run(r, error);
    elman_pool_end(d->context);
    g->replayed_to = d->trainer.progress.integers.step + (g->fault.step > 0);
    return status;
}

elman_status elman_doctor_model(elman_context *context, const char *folder,
                                const elman_doctor_options *options, elman_diagnosis *diagnosis,
                                elman_error *error)
{
    elman_doctor_options defaults;
    replay r = {.folder = folder, .norm = NAN};
    elman_doctor_expect_nothing(diagnosis);
    ELMAN_TRY(elman_doctor_check(&options, &defaults, error));
    r.doctor = (elman_doctor){.context = context, .options = options, .diagnosis = diagnosis};
    r.doctor.config = &r.doctor.file.config;
    elman_float_environment modes = elman_float_begin();
    elman_status status = examine(&r, error);
    elman_float_end(modes);
    elman_doctor_end(&r.doctor);
    elman_doctor_sort(diagnosis);
    if (status != ELMAN_OK)
        elman_diagnosis_clear(context, diagnosis);
    return status;
}
