/* A trained probe in use: measured, at the lag that it was trained for or at another. */
#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "model/weights.h"
#include "task/metrics_table.h"
#include "task/probe_impl.h"

typedef struct model {
    elman_probe_network network;
    const elman_config *config;
    elman_tape *tape;
    int64_t lag;
} model;

static elman_status load(model *m, const char *folder, elman_error *error)
{
    elman_error found;
    elman_status status = elman_probe_build(&m->network, m->config, false, &found);
    if (status != ELMAN_OK)
        return elman_fail(error, status == ELMAN_ERROR_MEMORY ? status : ELMAN_ERROR_FORMAT,
                          "%s/config.json: %s", folder, found.message);
    m->lag = m->network.task.last;
    ELMAN_TRY(elman_tape_create(m->network.context, &m->tape, error));
    char *path = elman_path_join(folder, "model.safetensors");
    if (!path)
        return elman_out_of_memory(error);
    status = elman_weights_read(m->network.context, elman_encoder_parameters(m->network.encoder),
                                path, error);
    free(path);
    return status;
}

elman_status elman_probe_open(elman_context *context, const char *folder,
                              const elman_config_file *file, void **opened, elman_error *error)
{
    model *m = elman_allocate_zero(context, 1, sizeof *m);
    if (!m)
        return elman_out_of_memory(error);
    m->network.context = context;
    m->config = &file->config;
    elman_status status = load(m, folder, error);
    if (status != ELMAN_OK) {
        elman_probe_close(m);
        return status;
    }
    *opened = m;
    return ELMAN_OK;
}

void elman_probe_close(void *opened)
{
    model *m = opened;
    elman_tape_free(m->tape);
    elman_encoder_free(m->network.encoder);
    elman_release(m->network.context, m);
}

elman_status elman_probe_set_lag(void *opened, int64_t lag, elman_error *error)
{
    model *m = opened;
    ELMAN_TRY(elman_probe_check_lag(&m->network.task, lag, error));
    m->lag = lag;
    return ELMAN_OK;
}

elman_status elman_probe_eval(void *opened, const char *const *paths, int count, bool test,
                              elman_metrics *metrics, elman_error *error)
{
    model *m = opened;
    const elman_probe_task *task = &m->network.task;
    elman_context *context = m->network.context;
    elman_probe_result r;
    if (count > 0 || test)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "%s: a probe makes its own examples; leave it out",
                          count > 0 ? paths[0] : "test");
    ELMAN_TRY(elman_probe_measure(m->tape, &m->network, (uint64_t)m->config->seed, m->lag, NULL, &r,
                                  error));
    double solved = r.value >= elman_probe_solved(task) ? 1.0 : 0.0;
    ELMAN_TRY(elman_metrics_add(context, metrics, "loss", r.loss, error));
    ELMAN_TRY(elman_metrics_add(context, metrics, "guessing_loss", elman_probe_guess(task, m->lag),
                                error));
    ELMAN_TRY(elman_metrics_add(context, metrics, elman_probe_metric(task), r.value, error));
    ELMAN_TRY(elman_metrics_add(context, metrics, "solved", solved, error));
    ELMAN_TRY(elman_metrics_add(context, metrics, "lag", (double)m->lag, error));
    return elman_metrics_add(context, metrics, "examples", ELMAN_PROBE_VALID_EXAMPLES, error);
}

elman_status elman_probe_predict(void *opened, const elman_predict_options *options,
                                 const elman_lines *lines, elman_error *error)
{
    (void)opened;
    (void)options;
    (void)lines;
    return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                      "a probe answers only the examples that it makes itself; elman eval measures "
                      "it");
}
