/* Dates in the cells of a table: recognised, counted, stepped through and printed in the form in
 * which they stood. Proleptic Gregorian, no time zone, no leap second, no libc.
 *
 * Forms: YYYY-MM, YYYY-MM-DD, YYYY/MM/DD, DD.MM.YYYY; the last three also with a time behind a
 * space or a T: HH:MM, HH:MM:SS, HH:MM:SS.f (1 to 6 digits), and perhaps a Z. Years 0001..9999.
 * And whole numbers, which only count. */
#ifndef ELMAN_DATA_DATES_H
#define ELMAN_DATA_DATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/table.h"

/* What a moment, one int64_t, counts. */
typedef enum elman_date_unit {
    ELMAN_DATE_ORDINAL,     /* whatever the whole number counts */
    ELMAN_DATE_MONTH,       /* months: 12*year + month - 1 */
    ELMAN_DATE_MICROSECOND, /* since 1970-01-01 00:00:00 */
} elman_date_unit;

typedef enum elman_date_order {
    ELMAN_DATE_NUMBER,     /* 17 */
    ELMAN_DATE_YEAR_MONTH, /* 1949-01 */
    ELMAN_DATE_DASHES,     /* 2016-07-01 */
    ELMAN_DATE_SLASHES,    /* 2016/07/01 */
    ELMAN_DATE_DOTS        /* 01.07.2016 */
} elman_date_order;

/* A form: two dates stand in the same form where all five are equal. */
typedef struct elman_date_form {
    elman_date_order order;
    char separator; /* before the time: ' ', 'T', or 0: no time */
    bool seconds;   /* :SS */
    int fraction;   /* digits behind the seconds, 0..6; 0: no point */
    bool zulu;      /* Z at the end */
} elman_date_form;

elman_date_unit elman_date_unit_of(const elman_date_form *form);

/* The form and the moment of a text of `size` bytes, or false where it is no date (February 30
 * is none). */
bool elman_date_recognise(const char *text, size_t size, elman_date_form *form, int64_t *moment);
/* The moment of a text that must stand in that form; else false. */
bool elman_date_parse(const elman_date_form *form, const char *text, size_t size, int64_t *moment);
/* Prints a moment in the form: what _parse reads. false where it is beyond year 1 or 9999. */
bool elman_date_print(const elman_date_form *form, int64_t moment, char text[40]);

/* Reads a column all of whose cells stand in one form into moments[rows] (may be NULL: only
 * looks). DATA names the line, column and cell that is not in the form of the first one, as
 * FILE: line 12, column date: found "13.02.2017", expected a date like "2017-02-12" */
elman_status elman_date_column(const elman_table *table, int64_t column, elman_date_form *form,
                               int64_t *moments, elman_error *error);

/* From one moment of a series to the next. */
typedef struct elman_date_step {
    elman_date_unit unit; /* what size counts: MONTH also for days that are a month apart */
    int64_t size;         /* >= 1; 0: unknown (fewer than two moments) */
    bool month_end;       /* unit MONTH over days: each moment is on its month's last day */
} elman_date_step;

/* What does not go by the step, with the first row of each kind: row i stands against row i-1.
 * -1: none. */
typedef struct elman_date_faults {
    int64_t unordered, unordered_count; /* earlier than the one before */
    int64_t duplicate, duplicate_count; /* the same as the one before */
    int64_t gap, gap_count;             /* a multiple of the step, 2 or more: some are missing */
    int64_t irregular, irregular_count; /* no multiple of the step */
    int64_t missing;                    /* moments that the gaps leave out */
} elman_date_faults;

/* The step of a series of n moments: the difference that most neighbours have (of several equally
 * frequent the smallest), in whole months where every neighbours' difference is one (same day and
 * time, or both the last day of their month) and at least one is 28 days or more. MEMORY. */
elman_status elman_date_find_step(elman_context *context, const elman_date_form *form,
                                  const int64_t *moments, int64_t n, elman_date_step *step,
                                  elman_error *error);
/* How n moments go by the step (its size 0: only unordered and duplicate are looked for). */
void elman_date_check(const elman_date_form *form, const elman_date_step *step,
                      const int64_t *moments, int64_t n, elman_date_faults *faults);
/* "hour", "15 minutes", "day", "week", "month", "quarter", "year", "0.25 seconds", "1" (ordinals),
 * ... */
void elman_date_describe_step(const elman_date_step *step, char text[40]);

/* The moment `k` steps after (k < 0: before). A month's step keeps the day where the month has
 * it, else takes its last: 01-31 and one month is 02-28, two 03-31. false where it overflows, or is
 * beyond year 1 or 9999. */
bool elman_date_add(const elman_date_form *form, const elman_date_step *step, int64_t moment,
                    int64_t k, int64_t *out);

enum { ELMAN_DATE_FEATURES = 5 };

/* Calendar features in [-0.5, 0.5], as GluonTS (Alexandrov et al. 2020) and Informer (Zhou et al.
 * 2021) have them: hour of the day h/23, day of the week d/6 (Monday 0), day of the month
 * (d-1)/30, day of the year (d-1)/365, month (m-1)/11, less 0.5 each. A month's day is its first.
 * Ordinals have no calendar: all 0. */
void elman_date_features(const elman_date_form *form, int64_t moment,
                         float features[ELMAN_DATE_FEATURES]);
/* "hour", "weekday", "day", "yearday", "month"; a static string, NULL out of bounds. */
const char *elman_date_feature_name(int feature);
/* How many of the features can differ between moments of such a step: which[i] is true for
 * those finer than the step leaves constant (the hour of daily data never changes). */
int elman_date_features_of_step(const elman_date_step *step, bool which[ELMAN_DATE_FEATURES]);

#endif
