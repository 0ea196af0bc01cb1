/* Which columns of a table a forecast is about: found from the first training file and the options,
 * kept in MODEL/columns.json, and looked for by name in whatever is read later. */
#ifndef ELMAN_TASK_FORECAST_COLUMNS_H
#define ELMAN_TASK_FORECAST_COLUMNS_H

#include "data/dates.h"
#include "data/table.h"
#include "elman/config.h"

typedef struct elman_forecast_columns {
    elman_context *context;
    bool header;                     /* columns go by name; else by number from 1 */
    char **targets;                  /* [target_count] */
    int64_t target_count;            /* C */
    char **covariates;               /* [covariate_count], those that stand in the file */
    int64_t covariate_count;         /* Kf */
    char *date, *series;             /* NULL: none */
    elman_date_form form;            /* of the dates */
    elman_date_step step;            /* from row to row; size 0: unknown */
    bool calendar;                   /* calendar features are covariates too */
    bool which[ELMAN_DATE_FEATURES]; /* which of them */
    int64_t calendar_count;          /* how many, 0 without calendar */
    bool indicator;                  /* whether a value was missing is an input */
    int64_t windows, validated;      /* that were learnt from, and origins validated on */
    int64_t ignored;                 /* columns that hold neither */
    char first_ignored[64];
} elman_forecast_columns;

/* A new run's. DATA: a named column that is not there, twice or of two uses; no column of numbers;
 * no date where the calendar is asked for. step, indicator and windows are still to be set. Ended
 * by _free, also after a failure. */
elman_status elman_forecast_columns_of(elman_context *context, const elman_table *table,
                                       const elman_config *config, elman_forecast_columns *columns,
                                       elman_error *error);
void elman_forecast_columns_free(elman_forecast_columns *columns);
/* Says which calendar features differ at the step that was found. */
void elman_forecast_columns_calendar(elman_forecast_columns *columns);

/* columns.json in a folder: written whole or not at all; read as a hostile file (FORMAT). */
elman_status elman_forecast_columns_write(const elman_forecast_columns *columns, const char *folder,
                                          elman_error *error);
elman_status elman_forecast_columns_read(elman_context *context, const char *folder,
                                         elman_forecast_columns *columns, elman_error *error);

/* Where the columns stand in one table or line: [target_count], [covariate_count], -1: not there.
 */
typedef struct elman_forecast_places {
    int64_t *targets, *covariates;
    int64_t date, series;
    int64_t count; /* columns in all */
} elman_forecast_places;

/* In a table. DATA: a column is missing. Ended by _free, also after a failure. */
elman_status elman_forecast_places_of(const elman_forecast_columns *columns,
                                      const elman_table *table, elman_forecast_places *places,
                                      elman_error *error);
/* In a header line; NULL: there is none, and numbers count. `name` is the input's. */
elman_status elman_forecast_places_of_line(const elman_forecast_columns *columns,
                                           const elman_table_line *line, const char *name,
                                           elman_forecast_places *places, elman_error *error);
void elman_forecast_places_free(const elman_forecast_columns *columns,
                                elman_forecast_places *places);

/* The next name of "NAME,NAME": from *rest, white space around it not counted. false: no more. */
bool elman_forecast_next_name(const char **rest, const char **name, size_t *size);

#endif
