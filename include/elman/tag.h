/* A trained tagger: the words of a sentence, or a sequence of vectors, in; a tag for each of them
 * out. */
#ifndef ELMAN_TAG_H
#define ELMAN_TAG_H

#include <stddef.h>
#include <stdint.h>

#include "elman/context.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct elman_tagger elman_tagger;

/* Opens the folder of a model of the task tag. *tagger is the caller's, ended by elman_tagger_free
 * (NULL is fine) before its context. One thread at a time; open it once a thread. What it has
 * learnt never changes. After the longest sentence has been seen, an answer to words that were
 * seen before allocates nothing. ARGUMENT: a model of another task; FORMAT, IO, MEMORY. */
ELMAN_API elman_status elman_tagger_open(elman_context *context, const char *folder,
                                         elman_tagger **tagger, elman_error *error);
ELMAN_API void elman_tagger_free(elman_tagger *tagger);

/* K, and the name of tag 0..K-1, which lives as long as the tagger (NULL out of range). */
ELMAN_API int32_t elman_tagger_tags(const elman_tagger *tagger);
ELMAN_API const char *elman_tagger_tag(const elman_tagger *tagger, int32_t tag);
/* Numbers a step; 0 where it reads words. */
ELMAN_API int64_t elman_tagger_width(const elman_tagger *tagger);

/* One sentence of n >= 0 words, zero-terminated UTF-8, -> tags [n]: the most probable of each word
 * or, with a conditional random field, those of the most probable sentence of tags; among equals
 * the lowest. The same bits alone and beside other sentences. ARGUMENT: it reads vectors, or a word
 * is empty; FORMAT: a word is not UTF-8; MEMORY. */
ELMAN_API elman_status elman_tagger_words(elman_tagger *tagger, const char *const *words, int64_t n,
                                          int32_t *tags, elman_error *error);
/* One sequence of T >= 0 steps [T,width] -> tags [T]. ARGUMENT: it reads words; DATA: a number that
 * is not finite; MEMORY. */
ELMAN_API elman_status elman_tagger_vectors(elman_tagger *tagger, const float *steps, int64_t T,
                                            int32_t *tags, elman_error *error);
/* Of what was answered last: the probability of every tag at every step, [n,K], each row adding up
 * to 1 (with a conditional random field over all sentences of tags). Valid until the next answer;
 * NULL before the first and after a failure. */
ELMAN_API const float *elman_tagger_probabilities(const elman_tagger *tagger);

#ifdef __cplusplus
}
#endif

#endif
