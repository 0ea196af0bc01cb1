/* columns.json: what a trained forecaster's numbers stand for. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "format/json.h"
#include "task/forecast_columns.h"

enum { FILE_BYTES = 1 << 24, FILE_DEPTH = 8 };

static const char *const orders[] = {"number", "year-month", "dashes", "slashes", "dots", NULL};
static const char *const units[] = {"ordinal", "month", "microsecond", NULL};

static elman_json *name_list(char *const *names, int64_t count)
{
    elman_json *list = elman_json_array();
    bool good = list != NULL;
    for (int64_t i = 0; good && i < count; i++)
        good = elman_json_append(list, elman_json_string(names[i]));
    if (good)
        return list;
    elman_json_free(list);
    return NULL;
}

static elman_json *date_object(const elman_forecast_columns *c)
{
    if (!c->date)
        return elman_json_null();
    char separator[2] = {c->form.separator, 0};
    elman_json *o = elman_json_object();
    bool good = o && elman_json_set(o, "column", elman_json_string(c->date)) &&
                elman_json_set(o, "form", elman_json_string(orders[c->form.order])) &&
                elman_json_set(o, "separator", elman_json_string(separator)) &&
                elman_json_set(o, "seconds", elman_json_boolean(c->form.seconds)) &&
                elman_json_set(o, "fraction", elman_json_integer(c->form.fraction)) &&
                elman_json_set(o, "zulu", elman_json_boolean(c->form.zulu)) &&
                elman_json_set(o, "unit", elman_json_string(units[c->step.unit])) &&
                elman_json_set(o, "step", elman_json_integer(c->step.size)) &&
                elman_json_set(o, "month_end", elman_json_boolean(c->step.month_end));
    if (good)
        return o;
    elman_json_free(o);
    return NULL;
}

static elman_json *object_of(const elman_forecast_columns *c)
{
    elman_json *o = elman_json_object();
    bool good =
        o && elman_json_set(o, "header", elman_json_boolean(c->header)) &&
        elman_json_set(o, "targets", name_list(c->targets, c->target_count)) &&
        elman_json_set(o, "covariates", name_list(c->covariates, c->covariate_count)) &&
        elman_json_set(o, "series", c->series ? elman_json_string(c->series) : elman_json_null()) &&
        elman_json_set(o, "date", date_object(c)) &&
        elman_json_set(o, "calendar", elman_json_boolean(c->calendar)) &&
        elman_json_set(o, "indicator", elman_json_boolean(c->indicator)) &&
        elman_json_set(o, "windows", elman_json_integer(c->windows)) &&
        elman_json_set(o, "validated", elman_json_integer(c->validated));
    if (good)
        return o;
    elman_json_free(o);
    return NULL;
}

elman_status elman_forecast_columns_write(const elman_forecast_columns *columns, const char *folder,
                                          elman_error *error)
{
    char *text = NULL, *path = elman_path_join(folder, "columns.json");
    size_t size = 0;
    elman_json *o = object_of(columns);
    elman_status status = o && path ? ELMAN_OK : elman_out_of_memory(error);
    if (status == ELMAN_OK)
        status = elman_json_print(columns->context, o, ELMAN_JSON_INDENT | ELMAN_JSON_LINE_END,
                                  &text, &size, error);
    if (status == ELMAN_OK)
        status = elman_file_replace(path, text, size, error);
    elman_release(columns->context, text);
    elman_json_free(o);
    free(path);
    return status;
}

static elman_status wrong(const char *path, const char *key, const elman_json *found,
                          const char *expected, elman_error *error)
{
    char text[96];
    elman_json_describe(found, text);
    return elman_fail(error, ELMAN_ERROR_FORMAT, "%s: %s: found %s, expected %s", path, key, text,
                      expected);
}

static elman_status take_text(elman_context *context, const elman_json *from, const char *path,
                              const char *key, char **out, elman_error *error)
{
    size_t size;
    const char *text = elman_json_to_string(from, &size);
    if (!text || strlen(text) != size)
        return wrong(path, key, from, "a name", error);
    *out = elman_allocate(context, size + 1, 1);
    if (!*out)
        return elman_out_of_memory(error);
    memcpy(*out, text, size + 1);
    return ELMAN_OK;
}

static elman_status take_names(elman_context *context, const elman_json *o, const char *path,
                               const char *key, char ***names, int64_t *count, elman_error *error)
{
    const elman_json *list = elman_json_get(o, key);
    if (!elman_json_is(list, ELMAN_JSON_ARRAY))
        return wrong(path, key, list, "an array of names", error);
    size_t n = elman_json_size(list);
    *names = elman_allocate_zero(context, n, sizeof **names);
    if (!*names)
        return elman_out_of_memory(error);
    for (size_t i = 0; i < n; i++) {
        *count = (int64_t)i + 1;
        ELMAN_TRY(take_text(context, elman_json_at(list, i), path, key, &(*names)[i], error));
    }
    return ELMAN_OK;
}

static elman_status take_flag(const elman_json *o, const char *path, const char *key, bool *out,
                              elman_error *error)
{
    const elman_json *value = elman_json_get(o, key);
    return elman_json_to_boolean(value, out) ? ELMAN_OK
                                             : wrong(path, key, value, "true or false", error);
}

static elman_status take_integer(const elman_json *o, const char *path, const char *key,
                                 int64_t high, int64_t *out, elman_error *error)
{
    const elman_json *value = elman_json_get(o, key);
    return elman_json_to_integer(value, 0, high, out)
               ? ELMAN_OK
               : wrong(path, key, value, "a whole number that is not negative", error);
}

static elman_status take_word(const elman_json *o, const char *path, const char *key,
                              const char *const *words, int *out, elman_error *error)
{
    const elman_json *value = elman_json_get(o, key);
    const char *text = elman_json_to_string(value, NULL);
    for (*out = 0; text && words[*out]; ++*out)
        if (!strcmp(words[*out], text))
            return ELMAN_OK;
    return wrong(path, key, value, "another word", error);
}

static elman_status take_date(const elman_json *o, const char *path, elman_forecast_columns *c,
                              elman_error *error)
{
    int order, unit;
    int64_t fraction;
    size_t size;
    ELMAN_TRY(
        take_text(c->context, elman_json_get(o, "column"), path, "date.column", &c->date, error));
    ELMAN_TRY(take_word(o, path, "form", orders, &order, error));
    ELMAN_TRY(take_word(o, path, "unit", units, &unit, error));
    const elman_json *separator = elman_json_get(o, "separator");
    const char *text = elman_json_to_string(separator, &size);
    if (!text || size > 1 || (size == 1 && *text != ' ' && *text != 'T'))
        return wrong(path, "separator", separator, "nothing, a space or T", error);
    c->form.separator = *text;
    c->form.order = (elman_date_order)order;
    c->step.unit = (elman_date_unit)unit;
    ELMAN_TRY(take_flag(o, path, "seconds", &c->form.seconds, error));
    ELMAN_TRY(take_integer(o, path, "fraction", 6, &fraction, error));
    c->form.fraction = (int)fraction;
    ELMAN_TRY(take_flag(o, path, "zulu", &c->form.zulu, error));
    ELMAN_TRY(take_flag(o, path, "month_end", &c->step.month_end, error));
    return take_integer(o, path, "step", INT64_MAX / 4, &c->step.size, error);
}

static elman_status take_object(const elman_json *o, const char *path, elman_forecast_columns *c,
                                elman_error *error)
{
    if (!elman_json_is(o, ELMAN_JSON_OBJECT))
        return wrong(path, "the file", o, "an object", error);
    ELMAN_TRY(take_flag(o, path, "header", &c->header, error));
    ELMAN_TRY(take_names(c->context, o, path, "targets", &c->targets, &c->target_count, error));
    ELMAN_TRY(
        take_names(c->context, o, path, "covariates", &c->covariates, &c->covariate_count, error));
    if (c->target_count < 1)
        return elman_fail(error, ELMAN_ERROR_FORMAT, "%s: targets: none", path);
    if (!elman_json_is(elman_json_get(o, "series"), ELMAN_JSON_NULL))
        ELMAN_TRY(
            take_text(c->context, elman_json_get(o, "series"), path, "series", &c->series, error));
    if (!elman_json_is(elman_json_get(o, "date"), ELMAN_JSON_NULL))
        ELMAN_TRY(take_date(elman_json_get(o, "date"), path, c, error));
    ELMAN_TRY(take_flag(o, path, "calendar", &c->calendar, error));
    if (c->calendar && !c->date)
        return elman_fail(error, ELMAN_ERROR_FORMAT, "%s: calendar: it needs a date", path);
    ELMAN_TRY(take_flag(o, path, "indicator", &c->indicator, error));
    ELMAN_TRY(take_integer(o, path, "windows", INT64_MAX, &c->windows, error));
    return take_integer(o, path, "validated", INT64_MAX, &c->validated, error);
}

elman_status elman_forecast_columns_read(elman_context *context, const char *folder,
                                         elman_forecast_columns *columns, elman_error *error)
{
    static const elman_json_limits limits = {FILE_BYTES, FILE_DEPTH};
    elman_json *o = NULL;
    *columns = (elman_forecast_columns){.context = context};
    char *path = elman_path_join(folder, "columns.json");
    if (!path)
        return elman_out_of_memory(error);
    elman_status status = elman_json_read(context, path, limits, &o, error);
    if (status == ELMAN_OK)
        status = take_object(o, path, columns, error);
    elman_json_free(o);
    free(path);
    elman_forecast_columns_calendar(columns);
    return status;
}
