/* A streaming forecaster: readings come one by one, and after each the program knows what is to be
 * expected next and how sure that is. A reading outside of its interval is called out.
 *
 *   forecaster [MODEL] < READINGS     a number a line; MODEL: `elman train forecast FILE -o MODEL`
 *                                     with one column and --quantiles 0.01,0.99
 *
 * Without MODEL it trains a small one on a machine's hum and listens to the machine going wrong. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */
#include <elman/elman.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRY(call)                                                                                  \
    do {                                                                                           \
        elman_status status_ = (call);                                                             \
        if (status_ != ELMAN_OK)                                                                   \
            return status_;                                                                        \
    } while (0)

enum { PERIOD = 12 };

/* The hum: a period of twelve, and a little noise that is the same everywhere. */
static double hum(int t)
{
    static const double wave[PERIOD] = {0, 5, 9, 10, 9, 5, 0, -5, -9, -10, -9, -5};
    static unsigned noise = 1;
    noise = noise * 1664525U + 1013904223U;
    return 40 + wave[t % PERIOD] + (noise >> 16) % 100 / 100.0;
}

static elman_status train_hum(elman_context *context, const char *table, const char *model,
                              elman_error *error)
{
    FILE *file = fopen(table, "w");
    for (int t = 0; file != NULL && t < 600; t++)
        fprintf(file, "%.2f\n", hum(t));
    if (file == NULL || fclose(file) != 0)
        perror(table); /* elman_train says what it misses */
    elman_train_request request;
    elman_train_request_default(&request);
    request.task = "forecast";
    elman_config_default_for(&request.config, request.task);
    request.config.lookback = 2 * PERIOD;
    request.config.horizon = 3;
    request.config.hidden = 8;
    request.config.epochs = 20;
    strcpy(request.config.quantiles, "0.01,0.99");
    request.data = &table;
    request.data_count = 1;
    request.output = model;
    return elman_train(context, &request, error);
}

static void remove_hum(const char *model)
{
    static const char *const names[] = {
        "config.json", "model.safetensors",      "metrics.jsonl", "columns.json",
        "hum.csv",     "checkpoint.safetensors", ".lock",         ""};
    char path[64];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", model, names[i]);
        remove(path);
    }
}

/* The next reading: from standard input, or the hum, in which something breaks at 30. */
static int next_reading(int listening, int t, double *value)
{
    if (!listening)
        return scanf("%lf", value) == 1;
    *value = hum(t) + (t == 30 ? 8 : 0);
    return t < 34;
}

/* expected [horizon], bounds [horizon, 2]: taken before, since nothing is allocated in the loop. */
static elman_status watch(elman_forecast_stream *stream, const elman_forecaster *model,
                          int listening, double *expected, double *bounds, elman_error *error)
{
    double value;
    int known = 0;
    for (int t = 0; next_reading(listening, t, &value); t++) {
        if (known && (value < bounds[0] || value > bounds[1]))
            printf("reading %d: %.1f is not what was expected, %.1f (%.1f to %.1f)\n", t + 1, value,
                   expected[0], bounds[0], bounds[1]);
        TRY(elman_forecast_stream_push(stream, &value, NULL, NULL, error));
        known = elman_forecast_stream_rows(stream) >= elman_forecaster_lookback(model);
        if (known)
            TRY(elman_forecast_stream_answer(stream, NULL, expected, bounds, error));
        if (known && t % 4 == 3)
            printf("reading %d: %.1f; next %.1f (%.1f to %.1f)\n", t + 1, value, expected[0],
                   bounds[0], bounds[1]);
    }
    return ELMAN_OK;
}

static elman_status run(elman_context *context, const char *folder, int listening,
                        elman_error *error)
{
    elman_forecaster *model = NULL;
    elman_forecast_stream *stream = NULL;
    double *numbers = NULL;
    elman_status status = elman_forecaster_open(context, folder, &model, error);
    if (status == ELMAN_OK)
        status = elman_forecast_stream_create(model, &stream, error);
    if (status == ELMAN_OK &&
        (elman_forecaster_targets(model) != 1 || elman_forecaster_quantile_count(model) != 2 ||
         elman_forecaster_covariates(model) != 0)) {
        fprintf(stderr, "forecaster: the model must forecast one column with two quantiles\n");
    } else if (status == ELMAN_OK) {
        size_t H = (size_t)elman_forecaster_horizon(model);
        numbers = calloc(3 * H, sizeof(double));
        if (numbers != NULL)
            status = watch(stream, model, listening, numbers, numbers + H, error);
    }
    free(numbers);
    elman_forecast_stream_free(stream);
    elman_forecaster_free(model);
    return status;
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/elman-XXXXXX", table[64];
    elman_error error = {ELMAN_OK, ""};
    elman_context *context = NULL;
    elman_status status = elman_context_create(NULL, &context, &error);
    int listening = argc < 2 && mkdtemp(folder) != NULL;
    if (status == ELMAN_OK && listening) {
        snprintf(table, sizeof(table), "%s/hum.csv", folder);
        status = train_hum(context, table, folder, &error);
    }
    if (status == ELMAN_OK)
        status = run(context, argc > 1 ? argv[1] : folder, listening, &error);
    if (status != ELMAN_OK)
        fprintf(stderr, "forecaster: %s\n", error.message);
    elman_context_free(context);
    if (listening)
        remove_hum(folder);
    return status == ELMAN_OK ? 0 : 1;
}
