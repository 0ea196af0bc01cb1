/* y = x W^T + b, and its softmax loss. */
#include <inttypes.h>
#include <math.h>

#include "base/error.h"
#include "nn/parameters_impl.h"
#include "nn/rows.h"
#include "op/op.h"

static elman_status tie(elman_parameters *set, const char *prefix, const int64_t shape[2],
                        elman_parameter *tied, elman_parameter **weight, elman_error *error)
{
    char name[128];
    const elman_tensor *value = &tied->value;
    ELMAN_TRY(elman_parameters_join(prefix, "weight", name, error));
    if (value->rank != 2 || value->shape[0] != shape[0] || value->shape[1] != shape[1])
        return elman_fail(error, ELMAN_ERROR_SHAPE,
                          "parameter %s: %s, to which it is tied, has another shape, expected "
                          "[%" PRId64 ", %" PRId64 "]",
                          name, tied->name, shape[0], shape[1]);
    return elman_parameters_tie(set, name, tied, weight, error);
}

elman_status elman_linear_create(elman_parameters *set, const char *prefix, int64_t inputs,
                                 int64_t outputs, bool bias, elman_parameter *tied,
                                 elman_linear_layer *layer, elman_error *error)
{
    int64_t shape[2] = {outputs, inputs};
    elman_entry entry = {.role = ELMAN_ROLE_WEIGHT, .gates = 1, .fan = inputs};
    *layer = (elman_linear_layer){0};
    if (tied)
        ELMAN_TRY(tie(set, prefix, shape, tied, &layer->weight, error));
    else
        ELMAN_TRY(elman_parameters_add_as(set, prefix, "weight", 2, shape, &entry, &layer->weight,
                                          error));
    entry.role = ELMAN_ROLE_BIAS;
    return bias
               ? elman_parameters_add_as(set, prefix, "bias", 1, shape, &entry, &layer->bias, error)
               : ELMAN_OK;
}

elman_var *elman_linear(elman_tape *tape, const elman_linear_layer *layer, elman_var *x)
{
    return elman_op_linear(tape, x, layer->weight, layer->bias, elman_rows_as_steps(tape, x));
}

elman_var *elman_linear_packed(elman_tape *tape, const elman_linear_layer *layer, elman_var *x,
                               const elman_sequences *sequences)
{
    return elman_op_linear(tape, x, layer->weight, layer->bias, sequences);
}

elman_var *elman_linear_cross_entropy(elman_tape *tape, const elman_linear_layer *layer,
                                      elman_var *x, const elman_sequences *sequences,
                                      const int32_t *targets, float scale, double *sum)
{
    return elman_op_linear_cross_entropy(tape, x, layer->weight, layer->bias, targets, scale, sum,
                                         sequences ? sequences : elman_rows_as_steps(tape, x));
}
