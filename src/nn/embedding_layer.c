/* A table of rows, one a token. */
#include "nn/parameters_impl.h"
#include "op/op.h"

elman_status elman_embedding_create(elman_parameters *set, const char *prefix, int64_t rows,
                                    int64_t width, elman_embedding_layer *layer, elman_error *error)
{
    elman_entry entry = {.role = ELMAN_ROLE_EMBEDDING, .gates = 1, .fan = width};
    return elman_parameters_add_as(set, prefix, "weight", 2, (int64_t[]){rows, width}, &entry,
                                   &layer->weight, error);
}

elman_var *elman_embedding(elman_tape *tape, const elman_embedding_layer *layer,
                           const int32_t *tokens, int64_t T, int64_t B)
{
    const elman_sequences *s = elman_tape_sequences(tape, T, B, NULL, NULL, 0);
    elman_var *y = elman_embedding_packed(tape, layer, tokens, s);
    return y ? elman_unpack(tape, y, s) : NULL;
}

elman_var *elman_embedding_packed(elman_tape *tape, const elman_embedding_layer *layer,
                                  const int32_t *tokens, const elman_sequences *sequences)
{
    return sequences ? elman_op_embedding(tape, layer->weight, tokens, sequences->N, sequences)
                     : NULL;
}
