/* Text that is built up to be written at once. */
#ifndef ELMAN_TASK_FORECAST_TEXT_H
#define ELMAN_TASK_FORECAST_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "elman/context.h"

typedef struct elman_forecast_text {
    elman_context *context;
    char *bytes; /* [used], the text's until it is changed */
    size_t used, room;
    bool failed; /* memory was out; what is put is then dropped */
} elman_forecast_text;

/* Takes no memory; after the longest text it allocates nothing. */
void elman_forecast_text_init(elman_forecast_text *text, elman_context *context);
void elman_forecast_text_free(elman_forecast_text *text);
void elman_forecast_text_clear(elman_forecast_text *text);
void elman_forecast_text_put(elman_forecast_text *text, const char *piece);
/* As a cell of CSV: in quotes where it holds one, a line end or the delimiter. */
void elman_forecast_text_cell(elman_forecast_text *text, const char *cell, char delimiter);
/* As a string of JSON with its quotes. */
void elman_forecast_text_string(elman_forecast_text *text, const char *piece);
/* A number of at most `digits` significant digits, the same in every locale. */
void elman_forecast_text_number(elman_forecast_text *text, double value, int digits);

#endif
