/* How much the words of a text speak for each label, by counts alone: the log-count ratios of
 * Wang & Manning 2012 ("Baselines and Bigrams", equation 1), summed over a text's different words:
 *   score_k = sum over w of log p(w | k) - log p(w | not k)
 *   p(w | k) = (texts of label k that hold w, and 1) / (texts of label k, and 2)
 * A training text is scored by counts of words without itself, as any other text will be. How many
 * texts there are is not changed: that alone would tell the label. */
#ifndef ELMAN_TASK_WORD_SCORES_H
#define ELMAN_TASK_WORD_SCORES_H

#include "elman/layer.h"
#include "task/sentences.h"

typedef struct elman_word_scores {
    elman_context *context;
    elman_parameter *counts; /* [K,V] texts of a label that hold a word; frozen */
    elman_parameter *sizes;  /* [K] texts of a label; frozen */
    int64_t *seen;           /* [V] the text that a word was seen in last */
    int64_t text;            /* the number of the text that is looked at, from 1 */
} elman_word_scores;

/* Adds word_scores.counts and word_scores.sizes to the set. */
elman_status elman_word_scores_create(elman_word_scores *scores, elman_parameters *set, int64_t K,
                                      int64_t V, elman_error *error);
void elman_word_scores_free(elman_word_scores *scores);
/* Counts sentences 0..n-1 with their labels. */
void elman_word_scores_count(elman_word_scores *scores, const elman_sentences *sentences,
                             const int32_t *labels, int64_t n);
/* What each word of a sentence adds: out [words,K]; nothing where it stood before. */
void elman_word_scores_each(elman_word_scores *scores, const elman_sentences *sentences,
                            int64_t number, float *out);
/* out [n,K] of the sentences numbers[0..n-1]; labels (by sentence; NULL: none of them was counted).
 */
void elman_word_scores_of(elman_word_scores *scores, const elman_sentences *sentences,
                          const int64_t *numbers, int64_t n, const int32_t *labels, float *out);

#endif
