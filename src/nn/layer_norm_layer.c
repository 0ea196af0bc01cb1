/* Layer normalisation with its gain and bias. */
#include "base/error.h"
#include "nn/parameters_impl.h"
#include "nn/rows.h"
#include "op/op.h"

elman_status elman_layer_norm_create(elman_parameters *set, const char *prefix, int64_t width,
                                     bool bias, elman_layer_norm_layer *layer, elman_error *error)
{
    elman_entry entry = {.role = ELMAN_ROLE_GAIN, .gates = 1, .fan = width};
    *layer = (elman_layer_norm_layer){0};
    ELMAN_TRY(
        elman_parameters_add_as(set, prefix, "weight", 1, &width, &entry, &layer->weight, error));
    entry.role = ELMAN_ROLE_NORM_BIAS;
    return bias ? elman_parameters_add_as(set, prefix, "bias", 1, &width, &entry, &layer->bias,
                                          error)
                : ELMAN_OK;
}

elman_var *elman_layer_norm(elman_tape *tape, const elman_layer_norm_layer *layer, elman_var *x,
                            const elman_sequences *sequences)
{
    return elman_op_layer_norm(tape, x, layer->weight, layer->bias,
                               sequences ? sequences : elman_rows_as_steps(tape, x));
}
