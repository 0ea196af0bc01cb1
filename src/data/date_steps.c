/* From date to date: the step of a series, what breaks it, and the calendar's features. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "data/dates_impl.h"

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return a < b ? -1 : a > b;
}

/* Of n > 0 sorted differences the one that stands most often, of several the smallest. */
static int64_t most_frequent(const int64_t *sorted, int64_t n)
{
    int64_t best = sorted[0], best_count = 0;
    for (int64_t begin = 0, end; begin < n; begin = end) {
        for (end = begin; end < n && sorted[end] == sorted[begin];)
            end++;
        if (end - begin > best_count) {
            best = sorted[begin];
            best_count = end - begin;
        }
    }
    return best;
}

/* A moment in whole months, and what is left of it. */
typedef struct month_place {
    int64_t months, day, time;
    bool last_day;
} month_place;

static month_place place_of(int64_t moment)
{
    int64_t days = elman_date_floor(moment, ELMAN_DATE_DAY);
    elman_date_civil c = elman_date_civil_of(days);
    month_place p = {12 * c.year + c.month - 1, c.day, moment - days * ELMAN_DATE_DAY,
                     c.day == elman_date_month_days(c.year, c.month)};
    return p;
}

/* Whether all moments stand on one day of their month (or all on the last), at one time. */
static bool by_month(const int64_t *moments, int64_t n, bool *month_end)
{
    month_place first = place_of(moments[0]);
    bool same = true, last = first.last_day, far = false;
    for (int64_t i = 1; i < n && (same || last); i++) {
        month_place p = place_of(moments[i]);
        if (p.time != first.time)
            return false;
        same = same && p.day == first.day;
        last = last && p.last_day;
        far = far || moments[i] - moments[i - 1] >= 28 * ELMAN_DATE_DAY;
    }
    *month_end = last && !same;
    return far && (same || last);
}

static bool difference(const elman_date_step *step, const elman_date_form *form, int64_t from,
                       int64_t to, int64_t *out)
{
    if (step->unit == ELMAN_DATE_MONTH && elman_date_unit_of(form) == ELMAN_DATE_MICROSECOND) {
        *out = place_of(to).months - place_of(from).months;
        return true;
    }
    return !__builtin_sub_overflow(to, from, out);
}

elman_status elman_date_find_step(elman_context *context, const elman_date_form *form,
                                  const int64_t *moments, int64_t n, elman_date_step *step,
                                  elman_error *error)
{
    *step = (elman_date_step){elman_date_unit_of(form), 0, false};
    if (n < 2)
        return ELMAN_OK;
    int64_t *differences = elman_allocate(context, (size_t)n, sizeof *differences);
    if (differences == NULL)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "dates: out of memory for %lld", (long long)n);
    if (step->unit == ELMAN_DATE_MICROSECOND && by_month(moments, n, &step->month_end))
        step->unit = ELMAN_DATE_MONTH;
    int64_t count = 0, d;
    for (int64_t i = 1; i < n; i++) {
        if (difference(step, form, moments[i - 1], moments[i], &d) && d > 0)
            differences[count++] = d;
    }
    qsort(differences, (size_t)count, sizeof *differences, compare);
    if (count > 0)
        step->size = most_frequent(differences, count);
    elman_release(context, differences);
    return ELMAN_OK;
}

static void note(int64_t *first, int64_t *count, int64_t row)
{
    if (*first < 0)
        *first = row;
    ++*count;
}

/* Whether a month's step leads from one moment to another that many months on. */
static bool lands(const elman_date_form *form, const elman_date_step *step, int64_t from,
                  int64_t to, int64_t k)
{
    int64_t reached;
    if (step->unit != ELMAN_DATE_MONTH || elman_date_unit_of(form) == ELMAN_DATE_MONTH)
        return true;
    return elman_date_add(form, step, from, k, &reached) && reached == to;
}

void elman_date_check(const elman_date_form *form, const elman_date_step *step,
                      const int64_t *moments, int64_t n, elman_date_faults *faults)
{
    *faults = (elman_date_faults){.unordered = -1, .duplicate = -1, .gap = -1, .irregular = -1};
    for (int64_t i = 1; i < n; i++) {
        int64_t d;
        if (moments[i] < moments[i - 1])
            note(&faults->unordered, &faults->unordered_count, i);
        else if (moments[i] == moments[i - 1])
            note(&faults->duplicate, &faults->duplicate_count, i);
        else if (step->size <= 0)
            continue;
        else if (!difference(step, form, moments[i - 1], moments[i], &d) || d % step->size != 0 ||
                 d == 0 || !lands(form, step, moments[i - 1], moments[i], d / step->size))
            note(&faults->irregular, &faults->irregular_count, i);
        else if (d > step->size) {
            note(&faults->gap, &faults->gap_count, i);
            if (__builtin_add_overflow(faults->missing, d / step->size - 1, &faults->missing))
                faults->missing = INT64_MAX;
        }
    }
}

typedef struct named_size {
    const char *name;
    int64_t size;
} named_size;

static const named_size times[] = {
    {"week", 7 * ELMAN_DATE_DAY}, {"day", ELMAN_DATE_DAY}, {"hour", ELMAN_DATE_DAY / 24},
    {"minute", 60000000},         {"second", 1000000},
};
static const named_size months[] = {{"year", 12}, {"quarter", 3}, {"month", 1}};

void elman_date_describe_step(const elman_date_step *step, char text[40])
{
    if (step->size <= 0) {
        strcpy(text, "unknown");
        return;
    }
    if (step->unit == ELMAN_DATE_ORDINAL) {
        snprintf(text, 40, "%lld", (long long)step->size);
        return;
    }
    bool by_months = step->unit == ELMAN_DATE_MONTH;
    const named_size *units = by_months ? months : times;
    size_t count = by_months ? sizeof months / sizeof months[0] : sizeof times / sizeof times[0];
    for (size_t i = 0; i < count; i++) {
        int64_t k = step->size / units[i].size;
        if (step->size % units[i].size != 0)
            continue;
        if (k == 1)
            snprintf(text, 40, "%s", units[i].name);
        else
            snprintf(text, 40, "%lld %ss", (long long)k, units[i].name);
        return;
    }
    char seconds[32];
    elman_print_real(seconds, (double)step->size / 1e6);
    snprintf(text, 40, "%.20s seconds", seconds);
}

static bool add_months(int64_t moment, int64_t months_on, bool month_end, int64_t *out)
{
    month_place p = place_of(moment);
    int64_t sum;
    if (__builtin_add_overflow(p.months, months_on, &sum) || sum < 12 || sum >= 120000)
        return false;
    elman_date_civil c = {sum / 12, (int)(sum % 12) + 1, (int)p.day};
    int last = elman_date_month_days(c.year, c.month);
    if (c.day > last || month_end)
        c.day = last;
    *out = elman_date_days(c) * ELMAN_DATE_DAY + p.time;
    return true;
}

bool elman_date_add(const elman_date_form *form, const elman_date_step *step, int64_t moment,
                    int64_t k, int64_t *out)
{
    int64_t on;
    if (__builtin_mul_overflow(step->size, k, &on))
        return false;
    if (step->unit == ELMAN_DATE_MONTH && elman_date_unit_of(form) == ELMAN_DATE_MICROSECOND)
        return add_months(moment, on, step->month_end, out);
    if (__builtin_add_overflow(moment, on, out))
        return false;
    if (elman_date_unit_of(form) == ELMAN_DATE_MONTH)
        return *out >= 12 && *out < 120000;
    return elman_date_unit_of(form) == ELMAN_DATE_ORDINAL ||
           (*out >= ELMAN_DATE_FIRST_DAY * ELMAN_DATE_DAY &&
            *out < (ELMAN_DATE_LAST_DAY + 1) * ELMAN_DATE_DAY);
}

void elman_date_features(const elman_date_form *form, int64_t moment,
                         float features[ELMAN_DATE_FEATURES])
{
    elman_date_unit unit = elman_date_unit_of(form);
    for (int i = 0; i < ELMAN_DATE_FEATURES; i++)
        features[i] = 0;
    if (unit == ELMAN_DATE_ORDINAL)
        return;
    int64_t days, hour = 0;
    if (unit == ELMAN_DATE_MONTH) {
        elman_date_civil first = {moment / 12, (int)(moment % 12) + 1, 1};
        days = elman_date_days(first);
    } else {
        days = elman_date_floor(moment, ELMAN_DATE_DAY);
        hour = (moment - days * ELMAN_DATE_DAY) / (ELMAN_DATE_DAY / 24);
    }
    elman_date_civil c = elman_date_civil_of(days);
    elman_date_civil new_year = {c.year, 1, 1};
    int64_t weekday = days + 3 - 7 * elman_date_floor(days + 3, 7); /* 1970-01-01: Thursday */
    features[0] = (float)((double)hour / 23 - 0.5);
    features[1] = (float)((double)weekday / 6 - 0.5);
    features[2] = (float)((double)(c.day - 1) / 30 - 0.5);
    features[3] = (float)((double)(days - elman_date_days(new_year)) / 365 - 0.5);
    features[4] = (float)((double)(c.month - 1) / 11 - 0.5);
}

static const char *const feature_names[ELMAN_DATE_FEATURES] = {"hour", "weekday", "day", "yearday",
                                                               "month"};

const char *elman_date_feature_name(int feature)
{
    return feature >= 0 && feature < ELMAN_DATE_FEATURES ? feature_names[feature] : NULL;
}

int elman_date_features_of_step(const elman_date_step *step, bool which[ELMAN_DATE_FEATURES])
{
    bool calendar = step->unit != ELMAN_DATE_ORDINAL && step->size > 0;
    bool by_months = step->unit == ELMAN_DATE_MONTH;
    int64_t week = 7 * ELMAN_DATE_DAY;
    which[0] = calendar && !by_months && step->size % ELMAN_DATE_DAY != 0;
    which[1] = calendar && !by_months && step->size % week != 0;
    which[2] = calendar && !by_months;
    which[3] = calendar && (!by_months || step->size % 12 != 0);
    which[4] = which[3];
    int count = 0;
    for (int i = 0; i < ELMAN_DATE_FEATURES; i++)
        count += which[i];
    return count;
}
