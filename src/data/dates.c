/* One date: its form, its moment, and back. */
#include "data/dates.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/number.h"
#include "base/utf8.h"
#include "data/dates_impl.h"

elman_date_unit elman_date_unit_of(const elman_date_form *form)
{
    if (form->order == ELMAN_DATE_NUMBER)
        return ELMAN_DATE_ORDINAL;
    return form->order == ELMAN_DATE_YEAR_MONTH ? ELMAN_DATE_MONTH : ELMAN_DATE_MICROSECOND;
}

int64_t elman_date_floor(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int elman_date_month_days(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days since 1970-01-01 of January 1: 365 a year, and a leap day for each fourth year, but for
 * the centuries that 400 does not divide. */
static int64_t days_to_year(int64_t year)
{
    int64_t y = year - 1;
    return 365 * y + elman_date_floor(y, 4) - elman_date_floor(y, 100) + elman_date_floor(y, 400) -
           719162;
}

int64_t elman_date_days(elman_date_civil c)
{
    int64_t days = days_to_year(c.year) + c.day - 1;
    for (int month = 1; month < c.month; month++)
        days += elman_date_month_days(c.year, month);
    return days;
}

elman_date_civil elman_date_civil_of(int64_t days)
{
    /* 400 years are 146,097 days; the guess is right or a year off. */
    elman_date_civil c = {elman_date_floor(400 * (days + 719162), 146097) + 1, 1, 1};
    while (days_to_year(c.year) > days)
        c.year--;
    while (days_to_year(c.year + 1) <= days)
        c.year++;
    int64_t left = days - days_to_year(c.year);
    while (left >= elman_date_month_days(c.year, c.month))
        left -= elman_date_month_days(c.year, c.month++);
    c.day = (int)left + 1;
    return c;
}

/* Reads what must stand there. */
typedef struct scanner {
    const char *at, *end;
    bool fine;
} scanner;

static int number(scanner *s, int digits)
{
    int value = 0;
    for (; digits > 0 && s->fine; digits--) {
        s->fine = s->at < s->end && *s->at >= '0' && *s->at <= '9';
        if (s->fine)
            value = 10 * value + (*s->at++ - '0');
    }
    return value;
}

static bool take(scanner *s, char c)
{
    bool there = s->fine && s->at < s->end && *s->at == c;
    s->at += there;
    return there;
}

static void demand(scanner *s, char c)
{
    if (!take(s, c))
        s->fine = false;
}

/* HH:MM[:SS[.f]][Z] in microseconds. */
static int64_t scan_time(scanner *s, elman_date_form *form)
{
    int hour = number(s, 2), second = 0, fraction = 0;
    demand(s, ':');
    int minute = number(s, 2);
    form->seconds = take(s, ':');
    if (form->seconds) {
        second = number(s, 2);
        if (take(s, '.')) {
            while (s->at < s->end && *s->at >= '0' && *s->at <= '9' && form->fraction < 7) {
                fraction = 10 * fraction + (*s->at++ - '0');
                form->fraction++;
            }
            s->fine = s->fine && form->fraction > 0 && form->fraction <= 6;
            for (int digits = form->fraction; digits < 6; digits++)
                fraction *= 10;
        }
    }
    form->zulu = take(s, 'Z');
    s->fine = s->fine && hour < 24 && minute < 60 && second < 60;
    return (((int64_t)hour * 60 + minute) * 60 + second) * 1000000 + fraction;
}

static elman_date_civil scan_day(scanner *s, elman_date_form *form)
{
    elman_date_civil c = {1, 1, 1};
    if (s->end - s->at > 2 && s->at[2] == '.') {
        form->order = ELMAN_DATE_DOTS;
        c.day = number(s, 2);
        demand(s, '.');
        c.month = number(s, 2);
        demand(s, '.');
        c.year = number(s, 4);
    } else {
        c.year = number(s, 4);
        bool slashes = take(s, '/');
        form->order = slashes ? ELMAN_DATE_SLASHES : ELMAN_DATE_DASHES;
        if (!slashes)
            demand(s, '-');
        c.month = number(s, 2);
        if (s->fine && s->at == s->end && !slashes)
            form->order = ELMAN_DATE_YEAR_MONTH;
        else {
            demand(s, slashes ? '/' : '-');
            c.day = number(s, 2);
        }
    }
    s->fine = s->fine && c.year >= 1 && c.month >= 1 && c.month <= 12 && c.day >= 1 &&
              c.day <= elman_date_month_days(c.year, c.month);
    return c;
}

static bool scan_ordinal(const char *text, size_t size, int64_t *moment)
{
    char copy[24];
    if (size == 0 || size >= sizeof copy || memchr(text, '\0', size) != NULL)
        return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    return elman_parse_integer(copy, moment);
}

bool elman_date_recognise(const char *text, size_t size, elman_date_form *form, int64_t *moment)
{
    scanner s = {text, text + size, true};
    elman_date_form f = {ELMAN_DATE_NUMBER, 0, false, 0, false};
    if (scan_ordinal(text, size, moment)) {
        *form = f;
        return true;
    }
    elman_date_civil c = scan_day(&s, &f);
    int64_t time = 0;
    if (s.fine && s.at < s.end) {
        f.separator = *s.at++;
        s.fine = f.separator == ' ' || f.separator == 'T';
        time = scan_time(&s, &f);
    }
    if (!s.fine || s.at != s.end)
        return false;
    *moment = f.order == ELMAN_DATE_YEAR_MONTH ? 12 * c.year + c.month - 1
                                               : elman_date_days(c) * ELMAN_DATE_DAY + time;
    *form = f;
    return true;
}

static bool same_form(const elman_date_form *a, const elman_date_form *b)
{
    return a->order == b->order && a->separator == b->separator && a->seconds == b->seconds &&
           a->fraction == b->fraction && a->zulu == b->zulu;
}

bool elman_date_parse(const elman_date_form *form, const char *text, size_t size, int64_t *moment)
{
    elman_date_form found;
    int64_t value;
    if (!elman_date_recognise(text, size, &found, &value) || !same_form(form, &found))
        return false;
    *moment = value;
    return true;
}

/* At most 27 bytes. */
static void print_time(const elman_date_form *form, int64_t time, char *text)
{
    unsigned second = (unsigned)(time / 1000000), fraction = (unsigned)(time % 1000000);
    char seconds[8] = "", digits[12] = "";
    if (form->seconds)
        snprintf(seconds, sizeof seconds, ":%02u", second % 60);
    if (form->fraction > 0) {
        snprintf(digits, sizeof digits, ".%06u", fraction % 1000000);
        digits[1 + (form->fraction < 6 ? form->fraction : 6)] = '\0';
    }
    snprintf(text, 28, "%c%02u:%02u%s%s%s", form->separator, second / 3600 % 24, second / 60 % 60,
             seconds, digits, form->zulu ? "Z" : "");
}

bool elman_date_print(const elman_date_form *form, int64_t moment, char text[40])
{
    if (form->order == ELMAN_DATE_NUMBER) {
        snprintf(text, 40, "%lld", (long long)moment);
        return true;
    }
    if (form->order == ELMAN_DATE_YEAR_MONTH) {
        if (moment < 12 || moment >= 120000)
            return false;
        snprintf(text, 40, "%04d-%02d", (int)(moment / 12), (int)(moment % 12) + 1);
        return true;
    }
    int64_t days = elman_date_floor(moment, ELMAN_DATE_DAY);
    if (days < ELMAN_DATE_FIRST_DAY || days > ELMAN_DATE_LAST_DAY)
        return false;
    elman_date_civil c = elman_date_civil_of(days);
    int year = (int)c.year % 10000, size;
    if (form->order == ELMAN_DATE_DOTS)
        size = snprintf(text, 40, "%02d.%02d.%04d", c.day, c.month, year);
    else {
        char sign = form->order == ELMAN_DATE_SLASHES ? '/' : '-';
        size = snprintf(text, 40, "%04d%c%02d%c%02d", year, sign, c.month, sign, c.day);
    }
    if (form->separator != 0)
        print_time(form, moment - days * ELMAN_DATE_DAY, text + size);
    return true;
}

static void shorten(const char *cell, size_t size, char text[48])
{
    size_t kept = elman_utf8_cut(cell, size, 47);
    memcpy(text, cell, kept);
    text[kept] = '\0';
}

elman_status elman_date_column(const elman_table *table, int64_t column, elman_date_form *form,
                               int64_t *moments, elman_error *error)
{
    elman_date_form first = {ELMAN_DATE_NUMBER, 0, false, 0, false};
    for (int64_t row = 0; row < elman_table_rows(table); row++) {
        size_t size;
        const char *cell = elman_table_cell(table, row, column, &size);
        int64_t moment;
        if (row == 0 ? elman_date_recognise(cell, size, &first, &moment)
                     : elman_date_parse(&first, cell, size, &moment)) {
            if (moments != NULL)
                moments[row] = moment;
            continue;
        }
        char name[64], found[48], like[48] = "";
        elman_table_describe(table, column, name);
        shorten(cell, size, found);
        cell = elman_table_cell(table, 0, column, &size);
        if (row > 0)
            shorten(cell, size, like);
        return elman_fail(
            error, ELMAN_ERROR_DATA, "%s: line %llu, %s%s: found \"%s\", expected a date%s%s%s",
            elman_table_path(table), (unsigned long long)elman_table_line_of(table, row),
            strncmp(name, "column ", 7) == 0 ? "" : "column ", name, found,
            row > 0 ? " like \"" : " such as ", row > 0 ? like : "2016-07-01 00:00",
            row > 0 ? "\"" : "");
    }
    *form = first;
    return ELMAN_OK;
}
