#include "task/forecast_data.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "data/intern.h"

/* --- reading a table ---------------------------------------------------------------------- */

typedef struct reading {
    elman_forecast_data *data;
    const elman_table *table;
    elman_forecast_columns *columns;
    elman_forecast_places places;
    int32_t *numbers; /* [rows] of the series in this table */
    elman_intern names;
    int64_t first; /* series of this table begin here in data->series */
} reading;

static elman_status name_rows(reading *r, elman_error *error)
{
    int64_t rows = elman_table_rows(r->table);
    r->numbers = elman_allocate_zero(r->data->context, (size_t)rows, sizeof *r->numbers);
    if (!r->numbers)
        return elman_out_of_memory(error);
    for (int64_t row = 0; row < rows; row++) {
        size_t size = 0;
        const char *name =
            r->places.series < 0 ? "" : elman_table_cell(r->table, row, r->places.series, &size);
        ELMAN_TRY(elman_intern_add(&r->names, name, size, &r->numbers[row], error));
    }
    return ELMAN_OK;
}

static elman_status make_series(reading *r, elman_error *error)
{
    elman_forecast_data *d = r->data;
    size_t more = (size_t)r->names.count;
    void *grown =
        elman_grown(d->context, d->series, (size_t)d->count, &d->room, more, sizeof *d->series);
    if (!grown)
        return elman_out_of_memory(error);
    d->series = grown;
    r->first = d->count;
    memset(d->series + d->count, 0, more * sizeof *d->series);
    d->count += (int64_t)more;
    for (int64_t row = 0; row < elman_table_rows(r->table); row++)
        d->series[r->first + r->numbers[row]].n++;
    for (int64_t i = 0; i < (int64_t)more; i++) {
        elman_forecast_series *s = &d->series[r->first + i];
        size_t n = (size_t)s->n, size;
        const char *name = elman_intern_text(&r->names, (int32_t)i, &size);
        s->name = elman_allocate(d->context, size + 1, 1);
        s->lines = elman_allocate(d->context, n, sizeof *s->lines);
        s->values = elman_allocate(d->context, n, (size_t)d->C * sizeof *s->values);
        s->known = elman_allocate(d->context, n, (size_t)d->Kf * sizeof *s->known);
        if (r->columns->date)
            s->moments = elman_allocate(d->context, n, sizeof *s->moments);
        if (!s->name || !s->lines || !s->values || !s->known || (r->columns->date && !s->moments))
            return elman_out_of_memory(error);
        memcpy(s->name, name, size + 1);
        s->n = 0; /* counts on below */
    }
    return ELMAN_OK;
}

static elman_status read_row(reading *r, int64_t row, elman_forecast_series *s, elman_error *error)
{
    const elman_forecast_data *d = r->data;
    int64_t at = s->n++;
    s->lines[at] = elman_table_line_of(r->table, row);
    for (int64_t c = 0; c < d->C; c++)
        ELMAN_TRY(elman_table_number(r->table, row, r->places.targets[c], &s->values[at * d->C + c],
                                     error));
    for (int64_t k = 0; k < d->Kf; k++) {
        double *value = &s->known[at * d->Kf + k];
        ELMAN_TRY(elman_table_number(r->table, row, r->places.covariates[k], value, error));
        if (isnan(*value))
            return elman_fail(error, ELMAN_ERROR_DATA,
                              "%s: line %" PRIu64 ", column %s: found nothing, expected a number: "
                              "covariates are known in advance",
                              elman_table_path(r->table), s->lines[at], r->columns->covariates[k]);
    }
    return ELMAN_OK;
}

static elman_status read_rows(reading *r, elman_error *error)
{
    elman_forecast_data *d = r->data;
    int64_t rows = elman_table_rows(r->table);
    int64_t *moments = NULL;
    elman_status status = ELMAN_OK;
    if (r->columns->date) {
        moments = elman_allocate(d->context, (size_t)rows, sizeof *moments);
        elman_date_form form = r->columns->form;
        status = moments ? elman_date_column(r->table, r->places.date, &form, moments, error)
                         : elman_out_of_memory(error);
        if (status == ELMAN_OK &&
            elman_date_unit_of(&form) != elman_date_unit_of(&r->columns->form))
            status = elman_fail(error, ELMAN_ERROR_DATA,
                                "%s: column %s: the dates are of another form than in training",
                                elman_table_path(r->table), r->columns->date);
    }
    for (int64_t row = 0; row < rows && status == ELMAN_OK; row++) {
        elman_forecast_series *s = &d->series[r->first + r->numbers[row]];
        if (moments)
            s->moments[s->n] = moments[row];
        status = read_row(r, row, s, error);
    }
    elman_release(d->context, moments);
    d->rows += rows;
    return status;
}

/* Dates must ascend; gaps and the like are counted. */
static elman_status check_dates(reading *r, const elman_forecast_series *s, elman_error *error)
{
    elman_forecast_columns *c = r->columns;
    elman_date_faults faults;
    if (!s->moments)
        return ELMAN_OK;
    if (c->step.size == 0)
        ELMAN_TRY(
            elman_date_find_step(r->data->context, &c->form, s->moments, s->n, &c->step, error));
    elman_date_check(&c->form, &c->step, s->moments, s->n, &faults);
    int64_t at = faults.unordered;
    if (at < 0 || (faults.duplicate >= 0 && faults.duplicate < at))
        at = faults.duplicate;
    if (at >= 0) {
        char now[40], before[40];
        if (!elman_date_print(&c->form, s->moments[at], now) ||
            !elman_date_print(&c->form, s->moments[at - 1], before))
            now[0] = before[0] = 0;
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%s: line %" PRIu64 ", column %s: found %s after %s%s%s, expected dates "
                          "that ascend",
                          elman_table_path(r->table), s->lines[at], c->date, now, before,
                          s->name[0] ? " of series " : "", s->name);
    }
    if (__builtin_add_overflow(r->data->left_out, faults.missing, &r->data->left_out))
        r->data->left_out = INT64_MAX;
    r->data->irregular += faults.irregular_count;
    return ELMAN_OK;
}

enum { FEW_ROWS = 20 };

/* Of few rows a fraction leaves nothing that a validation could tell. */
static elman_status part_series(reading *r, const elman_config *config, bool trains,
                                elman_error *error)
{
    for (int64_t i = r->first; i < r->data->count; i++) {
        elman_forecast_series *s = &r->data->series[i];
        s->parts = (elman_parts){0, s->n, s->n, s->n}; /* a validation file's */
        if (trains)
            ELMAN_TRY(elman_parts_of(config, s->n, s->n, "rows", &s->parts, error));
        if (trains && !config->split[0] && s->n < FEW_ROWS)
            s->parts = (elman_parts){s->n, s->n, s->n, s->n};
    }
    return ELMAN_OK;
}

static elman_status add(reading *r, const elman_config *config, bool trains, elman_error *error)
{
    ELMAN_TRY(elman_forecast_places_of(r->columns, r->table, &r->places, error));
    ELMAN_TRY(name_rows(r, error));
    ELMAN_TRY(make_series(r, error));
    ELMAN_TRY(read_rows(r, error));
    for (int64_t i = r->first; i < r->data->count; i++)
        ELMAN_TRY(check_dates(r, &r->data->series[i], error));
    elman_forecast_columns_calendar(r->columns);
    return config ? part_series(r, config, trains, error) : ELMAN_OK;
}

elman_status elman_forecast_data_add(elman_forecast_data *data, const elman_table *table,
                                     elman_forecast_columns *columns, const elman_config *config,
                                     bool trains, elman_error *error)
{
    reading r = {.data = data, .table = table, .columns = columns};
    data->C = columns->target_count;
    data->Kf = columns->covariate_count;
    elman_intern_init(&r.names, data->context);
    elman_status status = add(&r, config, trains, error);
    elman_intern_free(&r.names);
    elman_release(data->context, r.numbers);
    elman_forecast_places_free(columns, &r.places);
    data->K = data->Kf + columns->calendar_count;
    return status;
}

void elman_forecast_data_free(elman_forecast_data *data)
{
    for (int64_t i = 0; i < data->count; i++) {
        elman_forecast_series *s = &data->series[i];
        elman_release(data->context, s->name);
        elman_release(data->context, s->moments);
        elman_release(data->context, s->lines);
        elman_release(data->context, s->values);
        elman_release(data->context, s->known);
        elman_release(data->context, s->rows.filled);
        elman_release(data->context, s->rows.missing);
        elman_release(data->context, s->rows.covariates);
    }
    elman_release(data->context, data->series);
    *data = (elman_forecast_data){.context = data->context};
}

/* --- scaling ------------------------------------------------------------------------------ */

/* Over all training parts of one column of [n,width]; false where nothing is known. */
static bool scale_column(const elman_forecast_data *data, bool target, int64_t column, float *mean,
                         float *deviation)
{
    double sum = 0.0, squares = 0.0;
    int64_t count = 0, width = target ? data->C : data->Kf;
    for (int pass = 0; pass < 2; pass++) {
        double centre = pass ? sum / (double)count : 0.0;
        for (int64_t i = 0; i < data->count; i++) {
            const elman_forecast_series *s = &data->series[i];
            const double *values = target ? s->values : s->known;
            for (int64_t row = 0; row < s->parts.train; row++) {
                double v = values[row * width + column];
                if (isnan(v))
                    continue;
                if (pass) {
                    squares += (v - centre) * (v - centre);
                } else {
                    sum += v;
                    count++;
                }
            }
        }
        if (!count)
            return false;
    }
    double d = sqrt(squares / (double)count);
    *mean = (float)(sum / (double)count);
    *deviation = d > 0 && isfinite(d) && (float)d > 0 ? (float)d : 1.0F;
    return isfinite(*mean) && isfinite(*deviation);
}

elman_status elman_forecast_data_scale(const elman_forecast_data *data,
                                       const elman_forecast_columns *columns,
                                       const elman_forecast_scale *scale, elman_error *error)
{
    for (int64_t c = 0; c < data->C; c++)
        if (!scale_column(data, true, c, &scale->mean[c], &scale->deviation[c]))
            return elman_fail(error, ELMAN_ERROR_DATA,
                              "column %s: its training part holds no number, or too large ones",
                              columns->targets[c]);
    for (int64_t k = 0; k < data->Kf; k++)
        if (!scale_column(data, false, k, &scale->covariate_mean[k],
                          &scale->covariate_deviation[k]))
            return elman_fail(error, ELMAN_ERROR_DATA,
                              "column %s: its training part holds no number, or too large ones",
                              columns->covariates[k]);
    return ELMAN_OK;
}

void elman_forecast_fill_row(const elman_forecast_columns *columns,
                             const elman_forecast_scale *scale, const double *values,
                             elman_forecast_rows *rows, int64_t at, bool before)
{
    int64_t C = columns->target_count;
    float *filled = rows->filled + at * C;
    for (int64_t c = 0; c < C; c++) {
        bool missing = isnan(values[c]);
        rows->missing[at * C + c] = missing;
        if (!missing)
            filled[c] = (float)((values[c] - (double)scale->mean[c]) / (double)scale->deviation[c]);
        else
            filled[c] = before ? filled[c - C] : 0.0F;
    }
}

void elman_forecast_fill_covariates(const elman_forecast_columns *columns,
                                    const elman_forecast_scale *scale, const double *known,
                                    int64_t moment, elman_forecast_rows *rows, int64_t at)
{
    int64_t Kf = columns->covariate_count;
    float *out = rows->covariates + at * (Kf + columns->calendar_count);
    for (int64_t k = 0; k < Kf; k++)
        out[k] = (float)((known[k] - (double)scale->covariate_mean[k]) /
                         (double)scale->covariate_deviation[k]);
    if (!columns->calendar_count)
        return;
    float features[ELMAN_DATE_FEATURES];
    elman_date_features(&columns->form, moment, features);
    for (int i = 0; i < ELMAN_DATE_FEATURES; i++)
        if (columns->which[i])
            out[Kf++] = features[i];
}

elman_status elman_forecast_data_fill(elman_forecast_data *data,
                                      const elman_forecast_columns *columns,
                                      const elman_forecast_scale *scale, elman_error *error)
{
    size_t C = (size_t)data->C, K = (size_t)data->K;
    data->missing = 0;
    for (int64_t i = 0; i < data->count; i++) {
        elman_forecast_series *s = &data->series[i];
        s->rows.filled = elman_allocate(data->context, (size_t)s->n, C * sizeof(float));
        s->rows.missing = elman_allocate(data->context, (size_t)s->n, C);
        s->rows.covariates = elman_allocate(data->context, (size_t)s->n, K * sizeof(float));
        if (!s->rows.filled || !s->rows.missing || !s->rows.covariates)
            return elman_out_of_memory(error);
        for (int64_t row = 0; row < s->n; row++) {
            elman_forecast_fill_row(columns, scale, s->values + row * data->C, &s->rows, row,
                                    row > 0);
            if (data->K)
                elman_forecast_fill_covariates(columns, scale, s->known + row * data->Kf,
                                               s->moments ? s->moments[row] : 0, &s->rows, row);
            for (int64_t c = 0; c < data->C && row < s->parts.train; c++)
                data->missing += s->rows.missing[row * data->C + c];
        }
    }
    return ELMAN_OK;
}
