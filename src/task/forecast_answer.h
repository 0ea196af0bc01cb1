/* A forecast as text: rows of CSV, or a record of JSON. */
#ifndef ELMAN_TASK_FORECAST_ANSWER_H
#define ELMAN_TASK_FORECAST_ANSWER_H

#include "base/text_buffer.h"
#include "task/forecast_stream.h"

typedef struct elman_forecast_answer_of {
    const elman_forecaster *model;
    elman_forecast_stream *stream; /* for the dates */
    const char *series;            /* the series' name; NULL: the model has no series column */
    bool rolling;                  /* a row says after which one it was forecast */
    char delimiter;
    const double *point, *quantiles; /* [H,C], [H,C,Q] */
} elman_forecast_answer_of;

/* [origin,][SERIES,]DATE,TARGET,TARGET_0.1,... */
void elman_forecast_put_header(elman_text_buffer *text, const elman_forecast_answer_of *answer);
/* H lines. */
void elman_forecast_put_lines(elman_text_buffer *text, const elman_forecast_answer_of *answer);
/* {"series":...,"origin":...,"dates":[...],"forecast":{"TARGET":{"point":[...],"0.1":[...]}}} */
void elman_forecast_put_record(elman_text_buffer *text, const elman_forecast_answer_of *answer);

#endif
