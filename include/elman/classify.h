/* A trained classifier: a text, or a sequence of vectors, in; a probability for each label out. */
#ifndef ELMAN_CLASSIFY_H
#define ELMAN_CLASSIFY_H

#include <stddef.h>
#include <stdint.h>

#include "elman/context.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct elman_classifier elman_classifier;

/* Opens the folder of a model of the task classify. *classifier is the caller's, ended by
 * elman_classifier_free (NULL is fine) before its context. One thread at a time; open it once a
 * thread. After the longest input has been seen, an answer allocates nothing. ARGUMENT: a model of
 * another task; FORMAT, IO, MEMORY. */
ELMAN_API elman_status elman_classifier_open(elman_context *context, const char *folder,
                                             elman_classifier **classifier, elman_error *error);
ELMAN_API void elman_classifier_free(elman_classifier *classifier);

/* K, and the name of label 0..K-1, which lives as long as the classifier (NULL out of range). */
ELMAN_API int32_t elman_classifier_labels(const elman_classifier *classifier);
ELMAN_API const char *elman_classifier_label(const elman_classifier *classifier, int32_t label);
/* Numbers a step; 0 where it reads text. */
ELMAN_API int64_t elman_classifier_width(const elman_classifier *classifier);

/* A text (UTF-8, perhaps empty; a line end is white space) -> probabilities [K], which add up to 1.
 * The same bits alone and beside other texts. ARGUMENT: it reads vectors; FORMAT: not UTF-8. */
ELMAN_API elman_status elman_classifier_text(elman_classifier *classifier, const char *text,
                                             size_t size, float *probabilities, elman_error *error);
/* T steps [T,width] -> probabilities [K]. ARGUMENT: it reads text, T < 0; DATA: a number not
 * finite. */
ELMAN_API elman_status elman_classifier_vectors(elman_classifier *classifier, const float *steps,
                                                int64_t T, float *probabilities,
                                                elman_error *error);

/* How far one word or one step moved the logarithm of a label's probability. */
typedef struct elman_contribution {
    size_t begin, end;          /* bytes of the text; of vectors: the step, twice */
    double gradient;            /* gradient x input (Simonyan et al. 2014) */
    double integrated_gradient; /* integrated gradients from zero embeddings and no word counts, or
                                 * from the mean step
                                 * (Sundararajan et al. 2017, equation 3, by the midpoint rule) */
} elman_contribution;

/* Explains the answer to the text or vectors that was given last, for a label: at most `capacity`
 * contributions in order, *count of them. `steps` points on the way (50 is a good number); the
 * integrated ones add up to log p of the input less log p of the baseline, nearly. ARGUMENT:
 * nothing was answered yet, label or steps out of range, capacity too small. */
ELMAN_API elman_status elman_classifier_explain(elman_classifier *classifier, int32_t label,
                                                int steps, elman_contribution *contributions,
                                                size_t capacity, size_t *count, elman_error *error);

#ifdef __cplusplus
}
#endif

#endif
