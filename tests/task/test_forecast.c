/* The task forecast from a file to figures and answers. */
#include "forecast_help.h"

static char notes[4096];

static void keep_notes(void *user, const elman_train_progress *progress)
{
    (void)user;
    if (progress->event == ELMAN_EVENT_NOTE) {
        strncat(notes, progress->text, sizeof notes - strlen(notes) - 2);
        strcat(notes, "\n");
    }
}

/* The tutorial's: what is next after 100, 102, 101, 103. */
static void four_lines(void **state)
{
    (void)state;
    elman_context *context = context_of(1);
    const char *path = write_file("four.csv", "100\n102\n101\n103\n");
    elman_train_request request;
    elman_error error = {0};
    talk t;
    notes[0] = 0;
    request_of(&request, "four", &path, 1, "");
    request.progress = keep_notes;
    if (elman_train(context, &request, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    assert_non_null(strstr(notes, "only 3 windows to learn from, and no validation"));
    if (ask(context, "four", "100\n102\n101\n103\n", NULL, &t, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    assert_int_equal(strncmp(t.answer, "step,value\n1,", 13), 0);
    double next = atof(t.answer + 13);
    assert_true(next > 98 && next < 108);
    /* the same as JSON */
    elman_predict_options options;
    elman_predict_options_default(&options);
    options.json = true;
    assert_int_equal(ask(context, "four", "100\n102\n101\n103\n", &options, &t, &error), ELMAN_OK);
    assert_non_null(
        strstr(t.answer, "{\"origin\":4,\"dates\":[1],\"forecast\":{\"1\":{\"point\":["));
    elman_context_free(context);
}

/* Rows of an hourly table: two columns with a day in them, one of words, holes where wanted. */
static const char *write_hours(const char *name, int rows, bool holes, double level)
{
    const char *path = in_root(name);
    FILE *f = fopen(path, "w");
    uint32_t seed = 7;
    assert_non_null(f);
    fputs("when,load,word,heat\n", f);
    for (int i = 0; i < rows; i++) {
        double day = sin(2 * 3.14159265358979 * i / 24.0);
        fprintf(f, "2024-03-%02d %02d:00,", 1 + i / 24, i % 24);
        if (holes && i % 37 == 5)
            fputs("NA", f);
        else
            fprintf(f, "%.3f", level + 10 * day + noise(&seed));
        fprintf(f, ",w%d,%.3f\n", i, 3 * day * day + 0.2 * noise(&seed));
    }
    fclose(f);
    return path;
}

static const char quick[] =
    "--lookback 48 --horizon 6 --hidden 8 --epochs 3 --batch 64 --quantiles 0.1,0.9";

/* eval's figures are those of forecasts made one after the other. */
static void figures_are_right(void **state)
{
    (void)state;
    elman_context *context = context_of(1);
    const char *path = write_hours("hours.csv", 600, true, 50);
    elman_error error = {0};
    elman_metrics metrics = {0};
    elman_forecaster *forecaster;
    elman_forecast_stream *stream;
    char options[256];
    snprintf(options, sizeof options, "%s --target load --split 400,100,100", quick);
    train(context, "figures", path, options);
    if (figures_of(context, "figures", NULL, true, &metrics, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    assert_int_equal(elman_forecaster_open(context, in_root("figures"), &forecaster, NULL),
                     ELMAN_OK);
    assert_int_equal(elman_forecast_stream_create(forecaster, &stream, NULL), ELMAN_OK);
    assert_int_equal(elman_forecaster_horizon(forecaster), 6);
    assert_int_equal(elman_forecaster_lookback(forecaster), 48);
    assert_int_equal(elman_forecaster_targets(forecaster), 1);
    assert_string_equal(elman_forecaster_target(forecaster, 0), "load");
    assert_null(elman_forecaster_target(forecaster, 1));
    double y[600], point[6], quantiles[12], absolute = 0, covered = 0, last = 0, last_error = 0;
    int count = 0, origins = 0;
    FILE *f = fopen(path, "r");
    char line[128];
    assert_non_null(fgets(line, sizeof line, f));
    for (int i = 0; i < 600; i++) {
        char cell[32];
        assert_non_null(fgets(line, sizeof line, f));
        assert_int_equal(sscanf(line, "%*[^,],%31[^,]", cell), 1);
        y[i] = strcmp(cell, "NA") ? atof(cell) : NAN;
    }
    fclose(f);
    for (int i = 0; i < 600; i++) {
        if (i >= 500 && i + 6 <= 600) {
            assert_int_equal(elman_forecast_stream_answer(stream, NULL, point, quantiles, NULL),
                             ELMAN_OK);
            origins++;
            for (int h = 0; h < 6; h++) {
                assert_true(quantiles[2 * h] <= point[h] && point[h] <= quantiles[2 * h + 1]);
                if (isnan(y[i + h]))
                    continue;
                absolute += fabs(y[i + h] - point[h]);
                last_error += fabs(y[i + h] - last);
                covered += quantiles[2 * h] <= y[i + h] && y[i + h] <= quantiles[2 * h + 1];
                count++;
            }
        }
        if (!isnan(y[i]))
            last = y[i];
        assert_int_equal(elman_forecast_stream_push(stream, &y[i], NULL, NULL, NULL), ELMAN_OK);
    }
    assert_int_equal(elman_forecast_stream_rows(stream), 600);
    const elman_metrics_table *table = elman_metrics_find_table(&metrics, "baselines");
    assert_non_null(table);
    assert_true(figure(&metrics, "origins") == origins);
    assert_true(fabs(figure(&metrics, "mae_original") - absolute / count) < 1e-9);
    assert_true(fabs(figure(&metrics, "coverage") - covered / count) < 1e-9);
    double scale = figure(&metrics, "mae_original") / figure(&metrics, "mae");
    assert_string_equal(table->row_names[1], "last value");
    assert_true(fabs(table->values[table->columns + 1] * scale - last_error / count) < 1e-4);
    elman_metrics_clear(context, &metrics);
    /* a file says the same as the recorded part, but for where it begins */
    assert_int_equal(figures_of(context, "figures", path, false, &metrics, &error), ELMAN_OK);
    assert_true(figure(&metrics, "origins") == 600 - 48 - 6 + 1);
    elman_metrics_clear(context, &metrics);
    elman_forecast_stream_free(stream);
    elman_forecaster_free(forecaster);
    elman_context_free(context);
}

/* A wave is learnt: better than what anybody can say, and its interval holds. */
static void learns_a_wave(void **state)
{
    (void)state;
    static const char *const how[] = {"",
                                      "--shared false",
                                      "--stepwise true --horizon 6 --width 3",
                                      "--loss gaussian",
                                      "--loss quantile",
                                      "--loss absolute --cell lstm --normalise last",
                                      "--normalise mean --linear-skip false --epochs 40",
                                      "--calendar true"};
    elman_context *context = context_of(1);
    const char *path = write_hours("wave.csv", 720, false, 0);
    for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
        char options[256];
        elman_error error = {0};
        elman_metrics metrics = {0};
        snprintf(options, sizeof options, "--quantiles 0.1,0.9 --split 480,120,120 %s", how[i]);
        train(context, "wave", path, options);
        if (figures_of(context, "wave", NULL, true, &metrics, &error) != ELMAN_OK)
            fail_msg("%s", error.message);
        const elman_metrics_table *table = elman_metrics_find_table(&metrics, "baselines");
        double last = table->values[table->columns], season = table->values[2 * table->columns];
        double mse = figure(&metrics, "mse"), coverage = figure(&metrics, "coverage");
        if (!(mse < last && mse < season && coverage > 0.65 && coverage < 0.93))
            fail_msg("%s: mse %g (last %g, season %g), coverage %g", how[i], mse, last, season,
                     coverage);
        elman_metrics_clear(context, &metrics);
    }
    elman_context_free(context);
}

/* What is known in advance decides: y follows x at once, and x is noise. Two series beside one
 * another. */
static const char *write_plans(const char *name)
{
    const char *path = in_root(name);
    FILE *f = fopen(path, "w");
    uint32_t seed = 3;
    assert_non_null(f);
    fputs("shop;plan;date;sales\n", f);
    for (int i = 0; i < 400; i++)
        for (int s = 0; s < 2; s++) {
            double plan = noise(&seed) > 0 ? 1 : 0;
            fprintf(f, "%c;%g;%04d-%02d;%.2f\n", 'A' + s, plan, 1900 + i / 12, 1 + i % 12,
                    20 + 10 * plan + s + 0.1 * noise(&seed));
        }
    fclose(f);
    return path;
}

static void plans_are_read(void **state)
{
    (void)state;
    elman_context *context = context_of(1);
    const char *path = write_plans("plans.csv");
    elman_error error = {0};
    elman_metrics metrics = {0};
    char lines[4096] = "date;sales;shop;plan\n";
    talk t;
    train(context, "plans", path,
          "--target sales --covariates plan --series-column shop --horizon 3 --lookback 12");
    if (figures_of(context, "plans", NULL, false, &metrics, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    const elman_metrics_table *table = elman_metrics_find_table(&metrics, "baselines");
    assert_true(figure(&metrics, "mse") < 0.1 * table->values[table->columns]);
    elman_metrics_clear(context, &metrics);
    for (int i = 0; i < 15; i++) { /* the columns in another order; the last three are to come */
        char row[64];
        int plan = i < 12 ? i % 3 == 0 : i == 13;
        if (i < 12)
            snprintf(row, sizeof row, "2000-%02d;%d;B;%d\n", i + 1, plan ? 30 : 20, plan);
        else
            snprintf(row, sizeof row, "2001-%02d;;B;%d\n", i - 11, plan);
        strcat(lines, row);
    }
    if (ask(context, "plans", lines, NULL, &t, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    double sales[3];
    assert_int_equal(sscanf(t.answer,
                            "shop;date;sales\nB;2001-01;%lf\nB;2001-02;%lf\nB;2001-03;%lf\n",
                            &sales[0], &sales[1], &sales[2]),
                     3);
    assert_true(sales[1] > sales[0] + 5 && sales[1] > sales[2] + 5);
    /* without the rows to come it cannot be */
    *strstr(lines, "2001-03") = 0;
    assert_int_equal(ask(context, "plans", lines, NULL, &t, &error), ELMAN_ERROR_DATA);
    assert_non_null(strstr(error.message, "found 2 rows of series B behind the last one"));
    elman_context_free(context);
}

/* After each row from the lookback on, the same as from the rows up to it. */
static void rolling_is_the_same(void **state)
{
    (void)state;
    elman_context *context = context_of(1);
    elman_error error = {0};
    elman_predict_options options;
    static talk rolled, one;
    char lines[4096] = "when,heat,load,word\n";
    train(context, "rolling", write_hours("roll.csv", 400, false, 0),
          "--lookback 12 --horizon 2 --width 4 --hidden 4 --epochs 1");
    uint32_t seed = 11;
    elman_predict_options_default(&options);
    options.rolling = true;
    for (int i = 0; i < 16; i++) {
        char row[64];
        snprintf(row, sizeof row, "2025-01-01 %02d:00,%.2f,%.2f,x\n", i, noise(&seed),
                 9 * noise(&seed));
        strcat(lines, row);
        if (i < 11)
            continue;
        if (ask(context, "rolling", lines, NULL, &one, &error) != ELMAN_OK ||
            ask(context, "rolling", lines, &options, &rolled, &error) != ELMAN_OK)
            fail_msg("%s", error.message);
        const char *a = one.answer + strcspn(one.answer, "\n") + 1;
        char last[512] = ""; /* the last two lines, without their origin */
        const char *at = rolled.answer + strlen(rolled.answer);
        for (int n = 0; n < 3; at--)
            n += at[-1] == '\n';
        for (at += 1; *at; at += strcspn(at, "\n") + 1) {
            const char *cells = strchr(at, ',') + 1;
            strncat(last, cells, strcspn(cells, "\n") + 1);
        }
        assert_string_equal(a, last);
    }
    elman_context_free(context);
}

static double best_loss, best_value;

static void keep_best(void *user, const elman_train_progress *progress)
{
    (void)user;
    if (progress->event == ELMAN_EVENT_VALIDATION && progress->better) {
        best_loss = progress->valid_loss;
        best_value = progress->valid_value;
    }
}

/* What the weights were chosen by is what eval says of the validation part, which is another than
 * the test part. */
static void chosen_on_the_validation_part(void **state)
{
    (void)state;
    elman_context *context = context_of(1);
    const char *path = write_hours("chosen.csv", 600, true, 5);
    elman_train_request request;
    elman_error error = {0};
    elman_metrics metrics = {0};
    request_of(&request, "chosen", &path, 1,
               "--split 400,90,110 --lookback 48 --horizon 6 --hidden 8 --epochs 4");
    request.progress = keep_best;
    if (elman_train(context, &request, &error) != ELMAN_OK ||
        figures_of(context, "chosen", NULL, false, &metrics, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    assert_true(figure(&metrics, "origins") == 90 - 6 + 1);
    assert_true(figure(&metrics, "loss") == best_loss);
    assert_true(figure(&metrics, "mse") == best_value);
    elman_metrics_clear(context, &metrics);
    assert_int_equal(figures_of(context, "chosen", NULL, true, &metrics, &error), ELMAN_OK);
    assert_true(figure(&metrics, "origins") == 110 - 6 + 1);
    assert_true(figure(&metrics, "mse") != best_value);
    elman_metrics_clear(context, &metrics);
    elman_context_free(context);
}

/* Several training files, and a validation file of its own. */
static void files_beside_one_another(void **state)
{
    (void)state;
    elman_context *context = context_of(1);
    const char *paths[2] = {write_hours("one.csv", 200, true, 5),
                            write_hours("two.csv", 240, false, 9)};
    elman_train_request request;
    elman_error error = {0};
    elman_metrics metrics = {0};
    request_of(&request, "files", paths, 2, "--lookback 24 --horizon 6 --hidden 8 --epochs 1");
    snprintf(request.config.valid, sizeof request.config.valid, "%s",
             write_hours("three.csv", 100, false, 7));
    notes[0] = 0;
    request.progress = keep_notes;
    if (elman_train(context, &request, &error) != ELMAN_OK ||
        figures_of(context, "files", NULL, false, &metrics, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    assert_non_null(strstr(notes, "540 rows of 3 series, one each hour: 440 to train, 100 to"));
    assert_true(figure(&metrics, "origins") == 100 - 24 - 6 + 1);
    assert_true(figure(&metrics, "mase") > 0);
    elman_metrics_clear(context, &metrics);
    elman_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_lines),
        cmocka_unit_test(figures_are_right),
        cmocka_unit_test(learns_a_wave),
        cmocka_unit_test(plans_are_read),
        cmocka_unit_test(rolling_is_the_same),
        cmocka_unit_test(chosen_on_the_validation_part),
        cmocka_unit_test(files_beside_one_another),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
