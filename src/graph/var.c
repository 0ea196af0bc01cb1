/* Values on the tape, views of them, and the places of their gradients. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "graph/tape_impl.h"

int64_t elman_tensor_count(const elman_tensor *tensor)
{
    int64_t count = 1;
    for (int i = 0; i < tensor->rank; i++)
        count *= tensor->shape[i];
    return count;
}

/* The number of elements; false, and the tape fails, where the shape is no shape. */
static bool count_shape(elman_tape *tape, int rank, const int64_t *shape, size_t *count)
{
    if (rank < 0 || rank > ELMAN_MAX_RANK) {
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE, "tensor: its rank is %d, expected 0 to %d", rank,
                        ELMAN_MAX_RANK);
        return false;
    }
    size_t product = 1, bytes;
    bool fits = true, zero = false;
    for (int i = 0; i < rank; i++) {
        if (shape[i] < 0) {
            elman_tape_fail(tape, ELMAN_ERROR_SHAPE,
                            "tensor: dimension %d is %" PRId64 ", expected at least 0", i,
                            shape[i]);
            return false;
        }
        zero = zero || shape[i] == 0;
        fits = fits && elman_size_multiply(product, (size_t)shape[i], &product);
    }
    if (zero) {
        product = 0;
    } else if (!fits || !elman_size_multiply(product, sizeof(float), &bytes) ||
               bytes > PTRDIFF_MAX) {
        elman_tape_fail(tape, ELMAN_ERROR_MEMORY, "tensor: its size overflows");
        return false;
    }
    *count = product;
    return true;
}

static elman_var *make(elman_tape *tape, int rank, const int64_t *shape, float *data,
                       bool needs_gradient)
{
    elman_var *var = elman_tape_take(tape, 1, sizeof *var);
    if (!var)
        return NULL;
    *var = (elman_var){.needs_gradient = needs_gradient && tape->mode.record,
                       .previous = tape->newest};
    tape->newest = var;
    var->value.data = data;
    var->value.rank = rank;
    for (int i = 0; i < rank; i++)
        var->value.shape[i] = shape[i];
    return var;
}

elman_var *elman_tape_var(elman_tape *tape, int rank, const int64_t *shape, bool needs_gradient)
{
    size_t count;
    if (elman_tape_failed(tape) || !count_shape(tape, rank, shape, &count))
        return NULL;
    float *data = elman_tape_floats(tape, count);
    return data ? make(tape, rank, shape, data, needs_gradient) : NULL;
}

elman_var *elman_tape_view(elman_tape *tape, int rank, const int64_t *shape, float *data,
                           bool needs_gradient)
{
    size_t count;
    if (elman_tape_failed(tape) || !count_shape(tape, rank, shape, &count))
        return NULL;
    return make(tape, rank, shape, data, needs_gradient);
}

elman_var *elman_tape_alias(elman_tape *tape, elman_var *base, int64_t offset, int rank,
                            const int64_t *shape)
{
    if (!base)
        return NULL;
    elman_var *view =
        elman_tape_view(tape, rank, shape, base->value.data + offset, base->needs_gradient);
    if (!view)
        return NULL;
    view->base = base->base ? base->base : base;
    view->offset = base->base ? base->offset + offset : offset;
    return view;
}

const elman_node elman_node_given = {.name = "input"};

static elman_var *over_callers(elman_tape *tape, int rank, const int64_t *shape, const float *data,
                               bool needs_gradient)
{
    size_t count;
    if (elman_tape_failed(tape) || !count_shape(tape, rank, shape, &count))
        return NULL;
    if (!data && count > 0) {
        elman_tape_fail(tape, ELMAN_ERROR_ARGUMENT, "input: its data is NULL for %zu elements",
                        count);
        return NULL;
    }
    /* No operation writes into a value that it did not make. */
    elman_var *var = make(tape, rank, shape, (float *)(uintptr_t)data, needs_gradient);
    if (var)
        var->node = &elman_node_given;
    return var;
}

elman_var *elman_tape_input(elman_tape *tape, int rank, const int64_t *shape, const float *data)
{
    return over_callers(tape, rank, shape, data, false);
}

elman_var *elman_tape_leaf(elman_tape *tape, int rank, const int64_t *shape, const float *data)
{
    return over_callers(tape, rank, shape, data, true);
}

const elman_tensor *elman_var_value(const elman_var *var)
{
    return var ? &var->value : NULL;
}

const float *elman_var_gradient(const elman_var *var)
{
    if (!var)
        return NULL;
    if (var->base)
        return var->base->gradient ? var->base->gradient + var->offset : NULL;
    return var->gradient;
}

float *elman_tape_gradient(elman_tape *tape, elman_var *var, bool *add)
{
    elman_var *owner = var->base ? var->base : var;
    *add = owner->gradient != NULL;
    if (*add)
        return owner->gradient + var->offset;
    size_t count = (size_t)elman_tensor_count(&owner->value);
    float *gradient = elman_tape_floats(tape, count);
    if (!gradient)
        return NULL;
    owner->gradient = gradient;
    /* A part of the base: the rest must read as zero, whether more flows or not. */
    if (elman_tensor_count(&var->value) != (int64_t)count) {
        memset(gradient, 0, count * sizeof *gradient);
        *add = true;
    }
    return gradient + var->offset;
}
