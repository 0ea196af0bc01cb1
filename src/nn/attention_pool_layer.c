/* u = tanh(x W^T + b); a = softmax over time of u . context; y = sum of a_t x_t. */
#include "base/error.h"
#include "nn/parameters_impl.h"
#include "op/op.h"

elman_status elman_attention_pool_create(elman_parameters *set, const char *prefix, int64_t width,
                                         int64_t size, elman_attention_pool_layer *layer,
                                         elman_error *error)
{
    elman_entry entry = {.role = ELMAN_ROLE_WEIGHT, .gates = 1, .fan = width};
    *layer = (elman_attention_pool_layer){0};
    ELMAN_TRY(elman_parameters_add_as(set, prefix, "weight", 2, (int64_t[]){size, width}, &entry,
                                      &layer->weight, error));
    entry.role = ELMAN_ROLE_BIAS;
    ELMAN_TRY(elman_parameters_add_as(set, prefix, "bias", 1, &size, &entry, &layer->bias, error));
    entry.role = ELMAN_ROLE_WEIGHT;
    entry.fan = size;
    return elman_parameters_add_as(set, prefix, "context", 1, &size, &entry, &layer->context,
                                   error);
}

elman_var *elman_attention_pool(elman_tape *tape, const elman_attention_pool_layer *layer,
                                elman_var *x, const elman_sequences *sequences, elman_var **weights)
{
    if (weights)
        *weights = NULL;
    if (!sequences)
        return NULL;
    elman_var *u = elman_op_linear(tape, x, layer->weight, layer->bias, sequences);
    elman_var *scores = elman_op_linear(tape, elman_tanh(tape, u), layer->context, NULL, sequences);
    return elman_op_pool_weighted(tape, x, scores, sequences, weights);
}
