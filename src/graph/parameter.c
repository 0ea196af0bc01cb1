/* Trained tensors: the value, its gradient, and copies packed for the kernels. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "graph/tape_impl.h"

/* A parameter with its name and shape and nothing else. */
static elman_status make(elman_context *context, const char *name, int rank, const int64_t *shape,
                         elman_parameter **parameter, size_t *count, elman_error *error)
{
    elman_parameter *made;
    if (strlen(name) >= sizeof made->name)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "parameter %s: its name has %zu bytes, expected at most %zu", name,
                          strlen(name), sizeof made->name - 1);
    if (rank < 0 || rank > ELMAN_MAX_RANK)
        return elman_fail(error, ELMAN_ERROR_SHAPE,
                          "parameter %s: its rank is %d, expected 0 to %d", name, rank,
                          ELMAN_MAX_RANK);
    size_t product = 1, bytes;
    for (int i = 0; i < rank; i++) {
        if (shape[i] < 1)
            return elman_fail(error, ELMAN_ERROR_SHAPE,
                              "parameter %s: dimension %d is %" PRId64 ", expected at least 1",
                              name, i, shape[i]);
        if (!elman_size_multiply(product, (size_t)shape[i], &product))
            return elman_fail(error, ELMAN_ERROR_MEMORY, "parameter %s: its size overflows", name);
    }
    if (!elman_size_multiply(product, sizeof(float), &bytes) || bytes > PTRDIFF_MAX)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "parameter %s: its size overflows", name);

    made = elman_allocate_zero(context, 1, sizeof *made);
    if (!made)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "parameter %s: out of memory", name);
    memcpy(made->name, name, strlen(name) + 1);
    made->context = context;
    made->value.rank = rank;
    for (int i = 0; i < rank; i++)
        made->value.shape[i] = shape[i];
    made->version = 1;
    made->decays = rank >= 2;
    *parameter = made;
    *count = product;
    return ELMAN_OK;
}

/* Its own gradient, zero. */
static elman_status add_gradient(elman_parameter *parameter, size_t count, elman_error *error)
{
    parameter->gradient = elman_allocate_zero(parameter->context, count, sizeof(float));
    if (!parameter->gradient)
        return elman_fail(error, ELMAN_ERROR_MEMORY,
                          "parameter %s: no memory for the gradient of %zu elements",
                          parameter->name, count);
    return ELMAN_OK;
}

elman_status elman_parameter_create(elman_context *context, const char *name, int rank,
                                    const int64_t *shape, bool with_gradient,
                                    elman_parameter **parameter, elman_error *error)
{
    elman_parameter *made;
    size_t count;
    *parameter = NULL;
    ELMAN_TRY(make(context, name, rank, shape, &made, &count, error));
    elman_status status = ELMAN_OK;
    made->value.data = elman_allocate_zero(context, count, sizeof(float));
    if (!made->value.data)
        status = elman_fail(error, ELMAN_ERROR_MEMORY, "parameter %s: no memory for %zu elements",
                            name, count);
    if (status == ELMAN_OK && with_gradient)
        status = add_gradient(made, count, error);
    if (status != ELMAN_OK) {
        elman_parameter_free(made);
        return status;
    }
    *parameter = made;
    return ELMAN_OK;
}

elman_status elman_parameter_tie(elman_context *context, const char *name, elman_parameter *other,
                                 elman_parameter **parameter, elman_error *error)
{
    elman_parameter *made;
    size_t count;
    *parameter = NULL;
    other = elman_parameter_owner(other);
    ELMAN_TRY(make(context, name, other->value.rank, other->value.shape, &made, &count, error));
    made->tied = other;
    made->value.data = other->value.data;
    made->decays = other->decays;
    elman_status status = other->gradient ? add_gradient(made, count, error) : ELMAN_OK;
    if (status != ELMAN_OK) {
        elman_parameter_free(made);
        return status;
    }
    *parameter = made;
    return ELMAN_OK;
}

void elman_parameter_free(elman_parameter *parameter)
{
    if (!parameter)
        return;
    for (int kind = 0; kind < ELMAN_PACK_KINDS; kind++)
        elman_release(parameter->context, parameter->packs[kind].data);
    elman_release(parameter->context, parameter->gradient);
    if (!parameter->tied)
        elman_release(parameter->context, parameter->value.data);
    elman_release(parameter->context, parameter);
}

const char *elman_parameter_name(const elman_parameter *parameter)
{
    return parameter->name;
}

const elman_tensor *elman_parameter_value(const elman_parameter *parameter)
{
    return &parameter->value;
}

float *elman_parameter_edit(elman_parameter *parameter)
{
    elman_parameter_touch(parameter);
    return parameter->value.data;
}

float *elman_parameter_gradient(elman_parameter *parameter)
{
    return parameter->gradient;
}

void elman_parameter_freeze(elman_parameter *parameter)
{
    elman_release(parameter->context, parameter->gradient);
    parameter->gradient = NULL;
}

float *elman_parameter_pack(elman_tape *tape, elman_parameter *parameter, int kind, size_t count,
                            bool *stale)
{
    if (elman_tape_failed(tape))
        return NULL;
    elman_parameter *owner = elman_parameter_owner(parameter);
    const elman_isa isa = tape->context->isa;
    if (owner->packs[kind].data && owner->packs[kind].count == count) {
        *stale = owner->packs[kind].version != owner->version || owner->packs[kind].isa != isa;
        owner->packs[kind].version = owner->version;
        owner->packs[kind].isa = isa;
        return owner->packs[kind].data;
    }
    elman_release(owner->context, owner->packs[kind].data);
    owner->packs[kind].data = elman_allocate(owner->context, count, sizeof(float));
    owner->packs[kind].count = count;
    owner->packs[kind].version = owner->version;
    owner->packs[kind].isa = isa;
    *stale = true;
    if (!owner->packs[kind].data)
        elman_tape_fail(tape, ELMAN_ERROR_MEMORY,
                        "parameter %s: no memory for a packed copy of %zu elements", owner->name,
                        count);
    return owner->packs[kind].data;
}
