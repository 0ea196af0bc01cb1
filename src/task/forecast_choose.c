#include "task/forecast_impl.h"

static const int64_t MINUTE = INT64_C(60000000);

/* Rows of a season: of hours the day, of days the week, of weeks, months and quarters the year. */
static int64_t season_of(const elman_forecast_columns *columns)
{
    const elman_date_step *step = &columns->step;
    if (!columns->date || step->size < 1 || step->unit == ELMAN_DATE_ORDINAL)
        return 1;
    if (step->unit == ELMAN_DATE_MONTH)
        return step->size < 12 && 12 % step->size == 0 ? 12 / step->size : 1;
    int64_t day = 24 * 60 * MINUTE;
    if (step->size < day && day % step->size == 0)
        return day / step->size;
    if (step->size == day)
        return 7;
    return step->size == 7 * day ? 52 : 1;
}

static int64_t between(int64_t low, int64_t x, int64_t high)
{
    return x > high ? high : x < low ? low : x;
}

static void choose_window(elman_config *c, const elman_forecast_columns *columns, int64_t rows)
{
    if (!c->season) {
        int64_t season = season_of(columns);
        c->season = rows >= 2 * season ? season : 1;
    }
    bool seasons = c->season > 1 && c->season <= 48 && rows >= 6 * c->season;
    if (!c->horizon)
        c->horizon = seasons ? c->season : between(1, rows / 20, 24);
    if (!c->lookback) {
        int64_t most = between(1, rows / 3, 4096);
        c->lookback = between(1, 4 * c->horizon, most);
        if (seasons && c->lookback > c->season) /* whole seasons */
            c->lookback -= c->lookback % c->season;
    }
    if (!c->width) {
        bool whole = c->season > 1 && c->lookback % c->season == 0 && c->lookback > c->season &&
                     c->season <= 168;
        c->width = whole && !(c->stepwise && c->season > c->horizon) ? c->season : 1;
    }
}

/* Windows that there are to train on, and the updates that they deserve. */
static void choose_training(elman_config *c, int64_t windows)
{
    if (!c->layers)
        c->layers = 1;
    if (!c->hidden)
        c->hidden = windows < 300 ? 16 : windows < 5000 ? 32 : 64;
    if (c->dropout < 0)
        c->dropout = 0;
    if (!c->batch) {
        c->batch = 256;
        while (c->batch > 8 && c->batch * 16 > windows)
            c->batch /= 2;
    }
    if (c->lr < 0)
        c->lr = c->optimizer == ELMAN_OPTIMIZER_SGD ? 0.1 : windows < 5000 ? 0.003 : 0.001;
    if (!c->epochs && c->max_steps) /* a limit in steps is met before this many epochs */
        c->epochs = INT32_MAX;
    if (!c->epochs) {
        int64_t updates = (windows + c->batch - 1) / c->batch;
        c->epochs = between(8, (1000 + updates - 1) / (updates > 0 ? updates : 1), 200);
    }
}

void elman_forecast_choose(elman_config *config, const elman_forecast_columns *columns,
                           const elman_forecast_data *data)
{
    int64_t rows = 0, windows = 0;
    for (int64_t i = 0; i < data->count; i++)
        if (data->series[i].parts.train > rows)
            rows = data->series[i].parts.train;
    choose_window(config, columns, rows);
    for (int64_t i = 0; i < data->count; i++) {
        int64_t count = data->series[i].parts.train - config->lookback -
                        (config->stepwise ? config->width : config->horizon) + 1;
        windows += count > 0 ? count : 0;
    }
    choose_training(config, windows * (config->shared ? data->C : 1));
}
