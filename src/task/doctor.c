/* Before a training: the run is begun in memory, looked over, tried, and thrown away. */
#include "elman/doctor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/float_environment.h"
#include "base/memory.h"
#include "elman/version.h"
#include "task/doctor_impl.h"
#include "train/loop.h"

static const char nowhere[] = "memory"; /* the name of a checkpoint that is no file */

void elman_doctor_options_default(elman_doctor_options *options)
{
    *options = (elman_doctor_options){.size = sizeof *options, .updates = 60};
}

elman_status elman_doctor_check(const elman_doctor_options **options,
                                elman_doctor_options *defaults, elman_error *error)
{
    elman_doctor_options_default(defaults);
    if (!*options)
        *options = defaults;
    if ((*options)->size != sizeof **options)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "elman_doctor_options: wrong size; use elman_doctor_options_default");
    if ((*options)->updates < 0 || (*options)->updates > ELMAN_DOCTOR_UPDATES)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "updates: found %lld, expected 0 to %d",
                          (long long)(*options)->updates, ELMAN_DOCTOR_UPDATES);
    if (!((*options)->memory >= 0))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "memory: found %g, expected bytes, or 0",
                          (*options)->memory);
    return ELMAN_OK;
}

elman_status elman_doctor_stop(const elman_doctor *d, elman_error *error)
{
    return d->options->stop && *d->options->stop
               ? elman_fail(error, ELMAN_ERROR_INTERRUPTED, "stopped; nothing was written")
               : ELMAN_OK;
}

elman_status elman_doctor_keep(elman_doctor *d, elman_error *error)
{
    elman_safetensors_writer *writer = NULL;
    elman_trained trained = {&d->objective, d->trainer.optimizer, d->trainer.average};
    size_t size;
    ELMAN_TRY(elman_checkpoint_create(d->context, &trained, &d->trainer.progress, nowhere, &writer,
                                      error));
    if (d->objective.prepare)
        d->objective.prepare(d->objective.self);
    elman_status status = elman_safetensors_writer_bytes(writer, &d->start_bytes, &size, error);
    if (status == ELMAN_OK)
        status =
            elman_safetensors_parse(d->context, d->start_bytes, size, nowhere, &d->start, error);
    elman_safetensors_writer_free(writer);
    return status;
}

elman_status elman_doctor_rewind(elman_doctor *d, elman_error *error)
{
    ELMAN_TRY(elman_doctor_stop(d, error));
    return elman_trainer_rewind(&d->trainer, d->start, nowhere, nowhere, error);
}

elman_status elman_doctor_rewind_data(elman_doctor *d, elman_error *error)
{
    return d->objective.restore(d->objective.self, d->start, error);
}

static elman_status begin(elman_doctor *d, const elman_train_request *request, elman_error *error)
{
    /* nobody is told what is read: who is well hears nothing */
    ELMAN_TRY(d->task->begin(d->context, request, &d->file, &d->objective, error));
    return d->objective.survey ? d->objective.survey(d->objective.self, &d->survey, error)
                               : ELMAN_OK;
}

static elman_status try_it(elman_doctor *d, elman_error *error)
{
    ELMAN_TRY(elman_trainer_open(d->context, &d->objective, d->config, &d->trainer, error));
    d->diagnosis->expects.steps = d->trainer.steps;
    d->diagnosis->configured_lr = d->config->lr;
    ELMAN_TRY(elman_doctor_keep(d, error));
    ELMAN_TRY(elman_doctor_trial(d, error));
    return elman_doctor_fit(d, error);
}

static elman_status examine(elman_doctor *d, const elman_train_request *request, elman_error *error)
{
    if (!request || request->size != sizeof *request)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "elman_train_request: wrong size; use elman_train_request_default");
    if (!request->task)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "no task given");
    ELMAN_TRY(elman_task_check_data(request->task, request->data, request->data_count, error));
    elman_train_request wanted = *request;
    wanted.resume = wanted.force = false;
    wanted.progress = NULL;
    wanted.stop = d->options->stop;
    d->asked = d->file.config = request->config;
    snprintf(d->file.task, sizeof d->file.task, "%s", request->task);
    ELMAN_TRY(elman_config_validate(d->config, error));
    ELMAN_TRY(elman_task_find(request->task, &d->task, error));
    ELMAN_TRY(elman_loop_check(d->config, error));
    ELMAN_TRY(elman_doctor_weigh(d, error));
    if (d->hopeless)
        return ELMAN_OK;
    ELMAN_TRY(begin(d, &wanted, error));
    ELMAN_TRY(elman_doctor_sizes(d, error));
    ELMAN_TRY(elman_doctor_targets(d, error));
    return d->hopeless || d->options->updates == 0 ? ELMAN_OK : try_it(d, error);
}

void elman_doctor_end(elman_doctor *d)
{
    elman_trainer_close(&d->trainer);
    elman_safetensors_free(d->start);
    elman_release(d->context, d->start_bytes);
    elman_survey_clear(&d->survey);
    if (d->task)
        d->task->end(&d->objective);
    elman_config_file_clear(d->context, &d->file);
}

void elman_doctor_expect_nothing(elman_diagnosis *diagnosis)
{
    *diagnosis = (elman_diagnosis){.replayed_from = -1, .replayed_to = -1};
    diagnosis->expects = (elman_expectation){.seconds_per_step = NAN,
                                             .guess_loss = NAN,
                                             .entropy = NAN,
                                             .initial_loss = NAN,
                                             .trial_loss = NAN,
                                             .best_lr = NAN,
                                             .divergence_lr = NAN,
                                             .fit_updates = -1,
                                             .fit_loss = NAN};
}

elman_status elman_doctor_request(elman_context *context, const elman_train_request *request,
                                  const elman_doctor_options *options, elman_diagnosis *diagnosis,
                                  elman_error *error)
{
    elman_doctor_options defaults;
    elman_doctor d = {.context = context, .diagnosis = diagnosis};
    elman_doctor_expect_nothing(diagnosis);
    ELMAN_TRY(elman_doctor_check(&options, &defaults, error));
    d.options = options;
    d.config = &d.file.config;
    d.file.format_version = ELMAN_CONFIG_FORMAT_VERSION;
    d.file.numerics_version = ELMAN_NUMERICS_VERSION;
    elman_float_environment modes = elman_float_begin();
    elman_status status = examine(&d, request, error);
    elman_float_end(modes);
    elman_doctor_end(&d);
    elman_doctor_sort(diagnosis);
    if (status != ELMAN_OK)
        elman_diagnosis_clear(context, diagnosis);
    return status;
}
