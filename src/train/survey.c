#include "train/survey.h"

#include "base/error.h"
#include "base/memory.h"

elman_status elman_survey_begin(elman_survey *survey, elman_context *context, int64_t classes,
                                elman_error *error)
{
    *survey = (elman_survey){.context = context, .classes = classes};
    survey->train = elman_allocate_zero(context, (size_t)classes, sizeof *survey->train);
    survey->valid = elman_allocate_zero(context, (size_t)classes, sizeof *survey->valid);
    return survey->train && survey->valid ? ELMAN_OK : elman_out_of_memory(error);
}

void elman_survey_clear(elman_survey *survey)
{
    if (!survey->context)
        return;
    elman_release(survey->context, survey->train);
    elman_release(survey->context, survey->valid);
    *survey = (elman_survey){0};
}

void elman_survey_count(int64_t *counts, const int32_t *targets, int64_t first, int64_t end)
{
    for (int64_t i = first; i < end; i++)
        if (targets[i] >= 0)
            counts[targets[i]]++;
}
