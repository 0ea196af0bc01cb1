/* What a task knows of its data, for whoever looks at a run before it is trained. */
#ifndef ELMAN_TRAIN_SURVEY_H
#define ELMAN_TRAIN_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "elman/context.h"

typedef struct elman_survey {
    elman_context *context;
    int64_t classes;        /* that targets are of; 0: targets are numbers */
    int64_t *train, *valid; /* [classes] how often each is a target of the part */
    int64_t examples;       /* sequences to train on; of a text 1 */
    int64_t steps;          /* that training reads in an epoch */
    int64_t targets;        /* that it predicts in an epoch */
    int64_t longest;        /* steps of the longest sequence; of a text its streams' */
    int64_t unknown, words; /* of the validation part: words that the vocabulary lacks, and all;
                             * 0 where no words are read */
    bool weighable;         /* --balance means something */
} elman_survey;

/* Begins one: everything zero, counts of so many classes. MEMORY. */
elman_status elman_survey_begin(elman_survey *survey, elman_context *context, int64_t classes,
                                elman_error *error);
/* Fine on one that is all zero. */
void elman_survey_clear(elman_survey *survey);
/* The targets of [first, end) are counted into counts; those below zero are none. */
void elman_survey_count(int64_t *counts, const int32_t *targets, int64_t first, int64_t end);

#endif
