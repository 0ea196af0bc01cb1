#include "model/weights.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "elman/safetensors.h"
#include "graph/tape_impl.h"

static elman_status add_parameter(elman_safetensors_writer *writer, const elman_parameter *p,
                                  elman_error *error)
{
    size_t shape[ELMAN_MAX_RANK];
    for (int d = 0; d < p->value.rank; d++)
        shape[d] = (size_t)p->value.shape[d];
    return elman_safetensors_writer_add(writer, p->name, ELMAN_DTYPE_F32, p->value.rank, shape,
                                        p->value.data, error);
}

elman_status elman_weights_write(elman_context *context, const elman_parameters *parameters,
                                 const char *path, elman_error *error)
{
    elman_safetensors_writer *writer;
    ELMAN_TRY(elman_safetensors_writer_create(context, &writer, error));
    /* what the reference's loaders of PyTorch models ask for */
    elman_status status = elman_safetensors_writer_metadata(writer, "format", "pt", error);
    int64_t count = elman_parameters_count(parameters);
    for (int64_t i = 0; status == ELMAN_OK && i < count; i++)
        status = add_parameter(writer, elman_parameters_at(parameters, i), error);
    if (status == ELMAN_OK)
        status = elman_safetensors_writer_write(writer, path, error);
    elman_safetensors_writer_free(writer);
    return status;
}

static elman_status take_parameter(const elman_safetensors *file, const char *path,
                                   elman_parameter *p, elman_error *error)
{
    const elman_tensor_view *view = elman_safetensors_find(file, p->name);
    if (!view)
        return elman_fail(error, ELMAN_ERROR_FORMAT, "%s: no tensor '%s'", path, p->name);
    if (view->dtype != ELMAN_DTYPE_F32)
        return elman_fail(error, ELMAN_ERROR_FORMAT, "%s: tensor '%s': found %s, expected F32",
                          path, p->name, elman_dtype_name(view->dtype));
    bool same = view->rank == p->value.rank;
    for (int d = 0; same && d < p->value.rank; d++)
        same = view->shape[d] == (size_t)p->value.shape[d];
    if (!same)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s: tensor '%s': its shape is not that of the network in config.json",
                          path, p->name);
    if (p->tied) {
        if (view->bytes && memcmp(p->tied->value.data, view->data, view->bytes))
            return elman_fail(error, ELMAN_ERROR_FORMAT,
                              "%s: tensor '%s' differs from '%s', config.json says they are tied",
                              path, p->name, p->tied->name);
        return ELMAN_OK;
    }
    if (view->bytes)
        memcpy(p->value.data, view->data, view->bytes);
    return ELMAN_OK;
}

static elman_status take_parameters(elman_parameters *parameters, const elman_safetensors *file,
                                    const char *path, elman_error *error)
{
    int64_t count = elman_parameters_count(parameters);
    for (size_t i = 0; i < elman_safetensors_count(file); i++) {
        const char *name = elman_safetensors_at(file, i)->name;
        if (!elman_parameters_find(parameters, name))
            return elman_fail(error, ELMAN_ERROR_FORMAT,
                              "%s: tensor '%s' is none of the network in config.json", path, name);
    }
    for (int64_t i = 0; i < count; i++)
        ELMAN_TRY(take_parameter(file, path, elman_parameters_at(parameters, i), error));
    for (int64_t i = 0; i < count; i++)
        elman_parameter_touch(elman_parameters_at(parameters, i));
    return ELMAN_OK;
}

elman_status elman_weights_read(elman_context *context, elman_parameters *parameters,
                                const char *path, elman_error *error)
{
    elman_safetensors *file;
    ELMAN_TRY(elman_safetensors_read(context, path, NULL, &file, error));
    elman_status status = take_parameters(parameters, file, path, error);
    elman_safetensors_free(file);
    return status;
}
