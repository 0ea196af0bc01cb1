/* What the tasks of sequences count alike, for elman_survey. */
#ifndef ELMAN_TASK_SURVEY_WORDS_H
#define ELMAN_TASK_SURVEY_WORDS_H

#include "task/sentences.h"
#include "train/survey.h"

/* steps and longest, of the first survey->examples of lengths. */
void elman_survey_lengths(elman_survey *survey, const int64_t *lengths);
/* unknown and words, of sentences [first, end), which are resolved. */
void elman_survey_words(elman_survey *survey, const elman_sentences *sentences, int64_t first,
                        int64_t end, int32_t unknown);

#endif
