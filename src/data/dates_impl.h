/* Days and the calendar, for what works on dates. */
#ifndef ELMAN_DATA_DATES_IMPL_H
#define ELMAN_DATA_DATES_IMPL_H

#include "data/dates.h"

#define ELMAN_DATE_DAY       INT64_C(86400000000) /* microseconds */
#define ELMAN_DATE_FIRST_DAY INT64_C(-719162)     /* 0001-01-01 */
#define ELMAN_DATE_LAST_DAY  INT64_C(2932896)     /* 9999-12-31 */

typedef struct elman_date_civil {
    int64_t year;
    int month, day; /* from 1 */
} elman_date_civil;

/* a / b rounded down; b > 0. */
int64_t elman_date_floor(int64_t a, int64_t b);
int elman_date_month_days(int64_t year, int month);
/* Days since 1970-01-01, and back; years about 0..10000. */
int64_t elman_date_days(elman_date_civil civil);
elman_date_civil elman_date_civil_of(int64_t days);

#endif
