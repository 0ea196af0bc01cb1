#include "train/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "elman/version.h"
#include "graph/tape_impl.h"
#include "train/optimizer_impl.h"

static const char format_version[] = "1";

static const size_t integers_shape[1] = {sizeof(struct elman_progress_integers) / sizeof(int64_t)};
static const size_t reals_shape[1] = {sizeof(struct elman_progress_reals) / sizeof(double)};

/* "SLOT.NAME" with its prefix; false where it does not fit, which no name of ours does not. */
static bool tensor_name(char *out, size_t capacity, const char *prefix, const char *name)
{
    int n = snprintf(out, capacity, "%s.%s", prefix, name);
    return n > 0 && (size_t)n < capacity;
}

/* Walks over everything of the run that lies in float tensors. */
typedef elman_status (*visit_call)(void *user, const char *name, const elman_tensor *shape,
                                   float *data, elman_error *error);

static elman_status visit_one(const char *prefix, const elman_parameter *p, float *data,
                              visit_call call, void *user, elman_error *error)
{
    char name[256];
    if (!data) /* a frozen parameter has no more than its value */
        return ELMAN_OK;
    if (!tensor_name(name, sizeof name, prefix, p->name))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "parameter name '%s' is too long", p->name);
    return call(user, name, &p->value, data, error);
}

static elman_status visit(const elman_trained *trained, visit_call call, void *user,
                          elman_error *error)
{
    char prefix[64];
    int64_t count = elman_parameters_count(trained->objective->parameters);
    for (int64_t i = 0; i < count; i++) {
        elman_parameter *p = elman_parameters_at(trained->objective->parameters, i);
        if (p->tied)
            continue;
        ELMAN_TRY(visit_one("parameter", p, p->value.data, call, user, error));
        for (int slot = 0; slot < elman_optimizer_slots(trained->optimizer); slot++) {
            snprintf(prefix, sizeof prefix, "optimizer.%s",
                     elman_optimizer_slot_name(trained->optimizer, slot));
            ELMAN_TRY(visit_one(prefix, p, elman_optimizer_slot(trained->optimizer, slot, i), call,
                                user, error));
        }
        ELMAN_TRY(
            visit_one("average", p, elman_average_of(trained->average, i), call, user, error));
    }
    return ELMAN_OK;
}

static void sizes_of(const elman_tensor *tensor, size_t shape[ELMAN_MAX_RANK])
{
    for (int d = 0; d < tensor->rank; d++)
        shape[d] = (size_t)tensor->shape[d];
}

static elman_status add_tensor(void *user, const char *name, const elman_tensor *like, float *data,
                               elman_error *error)
{
    size_t shape[ELMAN_MAX_RANK];
    sizes_of(like, shape);
    return elman_safetensors_writer_add(user, name, ELMAN_DTYPE_F32, like->rank, shape, data,
                                        error);
}

static elman_status fill_writer(elman_safetensors_writer *writer, const elman_trained *trained,
                                const elman_progress *progress, const char *configuration,
                                elman_error *error)
{
    char numerics[16];
    snprintf(numerics, sizeof numerics, "%d", ELMAN_NUMERICS_VERSION);
    ELMAN_TRY(elman_safetensors_writer_metadata(writer, "format", format_version, error));
    ELMAN_TRY(elman_safetensors_writer_metadata(writer, "numerics", numerics, error));
    ELMAN_TRY(elman_safetensors_writer_metadata(writer, "config", configuration, error));
    ELMAN_TRY(elman_safetensors_writer_add(writer, "progress.integers", ELMAN_DTYPE_I64, 1,
                                           integers_shape, &progress->integers, error));
    ELMAN_TRY(elman_safetensors_writer_add(writer, "progress.reals", ELMAN_DTYPE_F64, 1,
                                           reals_shape, &progress->reals, error));
    ELMAN_TRY(visit(trained, add_tensor, writer, error));
    return trained->objective->remember(trained->objective->self, writer, error);
}

elman_status elman_checkpoint_create(elman_context *context, const elman_trained *trained,
                                     const elman_progress *progress, const char *configuration,
                                     elman_safetensors_writer **writer, elman_error *error)
{
    elman_safetensors_writer *made;
    ELMAN_TRY(elman_safetensors_writer_create(context, &made, error));
    elman_status status = fill_writer(made, trained, progress, configuration, error);
    if (status != ELMAN_OK) {
        elman_safetensors_writer_free(made);
        return status;
    }
    *writer = made;
    return ELMAN_OK;
}

typedef struct reading {
    const elman_safetensors *file;
    const char *path;
} reading;

static elman_status take(const reading *from, const char *name, elman_dtype dtype, int rank,
                         const size_t *shape, void *data, elman_error *error)
{
    const elman_tensor_view *view = elman_safetensors_find(from->file, name);
    if (!view)
        return elman_fail(error, ELMAN_ERROR_FORMAT, "%s: no tensor '%s'", from->path, name);
    if (view->dtype != dtype)
        return elman_fail(error, ELMAN_ERROR_FORMAT, "%s: tensor '%s': found %s, expected %s",
                          from->path, name, elman_dtype_name(view->dtype), elman_dtype_name(dtype));
    bool same = view->rank == rank;
    for (int d = 0; same && d < rank; d++)
        same = view->shape[d] == shape[d];
    if (!same)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s: tensor '%s': its shape is not that of the run in config.json",
                          from->path, name);
    if (view->bytes)
        memcpy(data, view->data, view->bytes);
    return ELMAN_OK;
}

static elman_status take_tensor(void *user, const char *name, const elman_tensor *like, float *data,
                                elman_error *error)
{
    size_t shape[ELMAN_MAX_RANK];
    sizes_of(like, shape);
    return take(user, name, ELMAN_DTYPE_F32, like->rank, shape, data, error);
}

static elman_status check_version(const reading *from, const char *key, const char *expected,
                                  elman_error *error)
{
    const char *found = elman_safetensors_metadata(from->file, key);
    if (!found)
        return elman_fail(error, ELMAN_ERROR_FORMAT, "%s: no '%s' in its metadata", from->path,
                          key);
    if (strcmp(found, expected))
        return elman_fail(error, ELMAN_ERROR_UNSUPPORTED,
                          "%s: the run began with %s version %s, this program has version %s; "
                          "resume it with the program that began it",
                          from->path, key, found, expected);
    return ELMAN_OK;
}

/* Where a file says that the run stands must lie within it: everything below counts on that. */
static elman_status check_progress(const reading *from, const elman_progress *progress,
                                   const elman_progress *most, elman_error *error)
{
    const struct elman_progress_integers *n = &progress->integers, *m = &most->integers;
    const struct elman_progress_reals *r = &progress->reals;
    const struct {
        const char *name;
        int64_t found, least, most;
    } places[] = {
        {"step", n->step, 0, m->step},
        {"batch", n->batch, 0, m->batch},
        {"epoch", n->epoch, 0, m->epoch},
        {"validations_waited", n->validations_waited, 0, n->step},
        {"plateau_waited", n->plateau_waited, 0, n->step},
        {"interval_tokens", n->interval_tokens, 0, m->interval_tokens},
        {"interval_steps", n->interval_steps, 0, n->step},
        {"metrics_bytes", n->metrics_bytes, 0, m->metrics_bytes},
        {"finished", n->finished, 0, 1},
        {"validated", n->validated, -1, n->step},
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (places[i].found < places[i].least || places[i].found > places[i].most)
            return elman_fail(error, ELMAN_ERROR_FORMAT,
                              "%s: progress.integers: %s is %lld, expected %lld to %lld",
                              from->path, places[i].name, (long long)places[i].found,
                              (long long)places[i].least, (long long)places[i].most);
    if (!(r->plateau_scale >= 0 && r->plateau_scale <= 1) || !isfinite(r->interval_sum) ||
        !isfinite(r->interval_norm) || !(r->seconds >= 0 && isfinite(r->seconds)) ||
        isinf(r->best) || isinf(r->last) || isinf(r->best_score))
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s: progress.reals: a number outside its bounds", from->path);
    return ELMAN_OK;
}

static elman_status restore(const reading *from, const elman_trained *trained,
                            const char *configuration, const elman_progress *most,
                            elman_progress *progress, elman_error *error)
{
    char numerics[16];
    snprintf(numerics, sizeof numerics, "%d", ELMAN_NUMERICS_VERSION);
    ELMAN_TRY(check_version(from, "format", format_version, error));
    ELMAN_TRY(check_version(from, "numerics", numerics, error));
    const char *recorded = elman_safetensors_metadata(from->file, "config");
    if (!recorded || strcmp(recorded, configuration))
        return elman_fail(
            error, ELMAN_ERROR_DATA,
            "%s: config.json is not the one that it was written under; its SHA-256 is "
            "%.12s…, expected %.12s…",
            from->path, configuration, recorded ? recorded : "none");
    ELMAN_TRY(take(from, "progress.integers", ELMAN_DTYPE_I64, 1, integers_shape,
                   &progress->integers, error));
    ELMAN_TRY(
        take(from, "progress.reals", ELMAN_DTYPE_F64, 1, reals_shape, &progress->reals, error));
    ELMAN_TRY(check_progress(from, progress, most, error));
    ELMAN_TRY(visit(trained, take_tensor, (void *)(uintptr_t)from, error));
    elman_parameters *parameters = trained->objective->parameters;
    for (int64_t i = 0; i < elman_parameters_count(parameters); i++)
        elman_parameter_touch(elman_parameters_at(parameters, i));
    elman_optimizer_set_steps(trained->optimizer, progress->integers.step);
    return trained->objective->restore(trained->objective->self, from->file, error);
}

elman_status elman_checkpoint_take(const elman_safetensors *file, const char *path,
                                   const elman_trained *trained, const char *configuration,
                                   const elman_progress *most, elman_progress *progress,
                                   elman_error *error)
{
    reading from = {file, path};
    return restore(&from, trained, configuration, most, progress, error);
}

elman_status elman_checkpoint_restore(elman_context *context, const char *path,
                                      const elman_trained *trained, const char *configuration,
                                      const elman_progress *most, elman_progress *progress,
                                      elman_error *error)
{
    elman_safetensors *file;
    ELMAN_TRY(elman_safetensors_read(context, path, NULL, &file, error));
    elman_status status =
        elman_checkpoint_take(file, path, trained, configuration, most, progress, error);
    elman_safetensors_free(file);
    return status;
}
