/* Choosing the next token from a network's logits.
 *
 * The same seed, options and logits give the same tokens on every machine: the
 * random numbers are counted (Philox), exponentials are the library's own, and sums
 * are in double in the order of the ids. */
#ifndef ELMAN_SAMPLE_H
#define ELMAN_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "elman/context.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is asked for is applied in this order, each to what the one before left:
 *   1. temperature  p_i = softmax(logit_i / temperature); 0: the most probable
 *                   token, always (greedy; ties go to the lower id)
 *   2. top_k        only the k most probable tokens stay
 *   3. top_p        of these, only the fewest most probable whose share of what
 *                   top_k left is at least top_p: the nucleus (Holtzman et al. 2020,
 *                   "The curious case of neural text degeneration", section 3.1)
 *   4. min_p        of these, only tokens at least min_p times as probable as the
 *                   most probable (Nguyen et al. 2024, "Turning up the heat: min-p
 *                   sampling", section 3)
 * and one of the rest is drawn in proportion to its p. Of equally probable tokens the
 * lower id counts as more probable. The most probable token always stays. */
typedef struct elman_sample_options {
    size_t size;        /* sizeof(elman_sample_options), set by _default */
    double temperature; /* 0..1000; 1 */
    int32_t top_k;      /* >= 0; 0: all */
    double top_p;       /* 0 < top_p <= 1; 1: all */
    double min_p;       /* 0 <= min_p <= 1; 0: all */
    uint64_t seed;      /* 0 */
    uint32_t sequence;  /* one of many texts drawn with the same seed; 0 */
} elman_sample_options;

/* Fills every field with its default: all tokens at temperature 1, seed 0. */
ELMAN_API void elman_sample_options_default(elman_sample_options *options);

/* A sampler: options, workspace and the number of the next draw. Used by one thread
 * at a time; freed before its context. */
typedef struct elman_sampler elman_sampler;

/* A sampler for `vocabulary` >= 1 tokens; options may be NULL (the defaults). All
 * memory is taken here. ARGUMENT names the option out of bounds; MEMORY. */
ELMAN_API elman_status elman_sampler_create(elman_context *context, int32_t vocabulary,
                                            const elman_sample_options *options,
                                            elman_sampler **sampler, elman_error *error);
/* NULL is fine. */
ELMAN_API void elman_sampler_free(elman_sampler *sampler);

/* Draws a token. logits [V], finite, only read. Allocates nothing. NUMERIC names the
 * first logit that is not finite; the draw then does not count. */
ELMAN_API elman_status elman_sampler_draw(elman_sampler *sampler, const float *logits, int32_t *id,
                                          elman_error *error);

/* The number of the next draw, from 0, and going on from there: draw n is the same
 * whatever was drawn before it. */
ELMAN_API uint64_t elman_sampler_position(const elman_sampler *sampler);
ELMAN_API void elman_sampler_seek(elman_sampler *sampler, uint64_t draw);

typedef struct elman_top_token {
    int32_t id;
    float probability;
} elman_top_token;

/* The k most probable tokens, most probable first, ties by lower id, with their
 * probabilities under softmax(logits) as it is: the options have no part in it.
 * logits [V], top [min(k, V)], *count of which are filled. Draws nothing, allocates
 * nothing. ARGUMENT: k < 1; NUMERIC as _draw. */
ELMAN_API elman_status elman_top_tokens(elman_sampler *sampler, const float *logits, int32_t k,
                                        elman_top_token *top, int32_t *count, elman_error *error);

#ifdef __cplusplus
}
#endif

#endif
