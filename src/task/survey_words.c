#include "task/survey_words.h"

void elman_survey_lengths(elman_survey *survey, const int64_t *lengths)
{
    for (int64_t i = 0; i < survey->examples; i++) {
        survey->steps += lengths[i];
        survey->longest = lengths[i] > survey->longest ? lengths[i] : survey->longest;
    }
}

void elman_survey_words(elman_survey *survey, const elman_sentences *sentences, int64_t first,
                        int64_t end, int32_t unknown)
{
    for (int64_t i = sentences->starts[first]; i < sentences->starts[end]; i++)
        survey->unknown += sentences->ids[sentences->words[i]] == unknown;
    survey->words = sentences->starts[end] - sentences->starts[first];
}
