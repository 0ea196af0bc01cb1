/* A conditional random field over the tags of a sequence. */
#include <inttypes.h>
#include <limits.h>

#include "base/error.h"
#include "base/float_environment.h"
#include "nn/parameters_impl.h"
#include "op/crf.h"

/* pytorch-crf begins with U(-0.1,0.1), and 0.1 is 1/sqrt(100). */
enum { FAN = 100 };

elman_status elman_crf_create(elman_parameters *set, const char *prefix, int64_t K,
                              elman_crf_layer *layer, elman_error *error)
{
    const int64_t shape[2] = {K, K};
    elman_entry entry = {.role = ELMAN_ROLE_WEIGHT, .gates = 1, .fan = FAN};
    *layer = (elman_crf_layer){0};
    if (K < 1 || K > INT32_MAX)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "crf %s: the number of tags is %" PRId64 ", expected 1 to %" PRId32,
                          prefix, K, INT32_MAX);
    ELMAN_TRY(elman_parameters_add_as(set, prefix, "transitions", 2, shape, &entry,
                                      &layer->transitions, error));
    entry.role = ELMAN_ROLE_BIAS;
    ELMAN_TRY(elman_parameters_add_as(set, prefix, "start_transitions", 1, shape, &entry,
                                      &layer->start, error));
    return elman_parameters_add_as(set, prefix, "end_transitions", 1, shape, &entry, &layer->end,
                                   error);
}

static elman_crf crf_of(const elman_crf_layer *layer)
{
    return (elman_crf){layer->transitions, layer->start, layer->end};
}

elman_var *elman_crf_loss(elman_tape *tape, const elman_crf_layer *layer, elman_var *emissions,
                          const int32_t *tags, const elman_sequences *sequences, float scale,
                          double *sum)
{
    elman_crf crf = crf_of(layer);
    return elman_op_crf_loss(tape, &crf, emissions, tags, sequences, scale, sum);
}

elman_var *elman_crf_marginals(elman_tape *tape, const elman_crf_layer *layer,
                               const elman_var *emissions, const elman_sequences *sequences)
{
    elman_crf crf = crf_of(layer);
    return elman_op_crf_marginals(tape, &crf, emissions, sequences);
}

void elman_crf_decode_packed(elman_tape *tape, const elman_crf_layer *layer,
                             const elman_var *emissions, const elman_sequences *sequences,
                             int32_t *tags, double *scores)
{
    elman_crf crf = crf_of(layer);
    elman_op_crf_decode(tape, &crf, emissions, sequences, tags, scores);
}

/* The two rows of scores, then the tags that each tag came from. */
size_t elman_crf_decode_size(const elman_crf_layer *layer, int64_t T)
{
    size_t K = (size_t)layer->start->value.shape[0], cells, from, best, all;
    bool fits = T >= 0 && elman_size_multiply((size_t)T, K, &cells) &&
                elman_size_multiply(cells, sizeof(int32_t), &from) &&
                elman_size_multiply(2 * K, sizeof(double), &best) &&
                elman_size_add(from, best, &all);
    return fits ? all : 0;
}

elman_status elman_crf_decode(elman_context *context, const elman_crf_layer *layer,
                              const float *emissions, int64_t T, int32_t *tags, double *score,
                              void *memory, elman_error *error)
{
    size_t K = (size_t)layer->start->value.shape[0], size = elman_crf_decode_size(layer, T);
    void *taken = memory || size == 0 ? NULL : elman_allocate(context, size, 1);
    double *best = memory ? memory : taken;
    if (size == 0 || !best)
        return elman_fail(error, ELMAN_ERROR_MEMORY,
                          "crf %s: no memory for a path of %" PRId64 " steps over %zu tags",
                          layer->transitions->name, T, K);
    elman_crf_path path = {layer->transitions->value.data,
                           layer->start->value.data,
                           layer->end->value.data,
                           {best, best + K},
                           (int32_t *)(best + 2 * K)};
    elman_crf_line line = {.K = K, .T = (size_t)T};
    elman_float_environment modes = elman_float_begin();
    double found = elman_crf_viterbi(&path, &line, emissions, tags);
    elman_float_end(modes);
    if (score)
        *score = found;
    elman_release(context, taken);
    return ELMAN_OK;
}
