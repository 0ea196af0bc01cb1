/* What the doctor's tests share: small data that can be learnt, and requests over them. */
#ifndef DOCTOR_CASE_H
#define DOCTOR_CASE_H

#include "../data/data_support.h"

#include <math.h>
#include <signal.h>

#include "elman/elman.h"

static inline elman_context *context_of(int threads)
{
    elman_context_options options;
    elman_context *context;
    elman_context_options_default(&options);
    options.threads = threads;
    assert_ok(elman_context_create(&options, &context, &problem));
    return context;
}

/* Lines of six words out of fourteen: the text of tests/cli/check. */
static inline const char *make_text(const char *name, int lines)
{
    static const char *const words[] = {"the", "cat", "sat", "on",    "a",    "mat", "and",
                                        "dog", "ran", "to",  "house", "with", "red", "hat"};
    const char *path = test_path(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    uint64_t seed = 1;
    for (int i = 0; i < lines; i++)
        for (int n = 0; n < 6; n++) {
            seed = seed * 16807 % 2147483647;
            fprintf(file, "%s%c", words[seed % 14], n < 5 ? ' ' : '\n');
        }
    assert_int_equal(fclose(file), 0);
    return path;
}

/* Texts of which one word says the label; of every hundred `rare` are of the second. */
static inline const char *make_reviews(const char *name, int count, int rare)
{
    static const char *const telling[2][3] = {{"great", "lovely", "fine"},
                                              {"dull", "awful", "boring"}};
    static const char *const other[] = {"the", "film", "a", "plot", "was", "and", "it", "of"};
    const char *path = test_path(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fprintf(file, "text\tlabel\n");
    uint64_t seed = 5;
    for (int i = 0; i < count; i++) {
        int label = i * 37 % 100 < rare;
        for (int w = 0; w < 9; w++)
            fprintf(file, "%s ",
                    w == 4 ? telling[label][random_below(&seed, 3)]
                           : other[random_below(&seed, 8)]);
        fprintf(file, "\t%s\n", label ? "bad" : "good");
    }
    assert_int_equal(fclose(file), 0);
    return path;
}

/* A row a step: x rises or falls, which is its label. */
static inline const char *make_waves(const char *name, int count)
{
    const char *path = test_path(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fprintf(file, "id,t,x,y,label\n");
    for (int i = 0; i < count; i++)
        for (int t = 0; t < 6 + i % 4; t++)
            fprintf(file, "w%d,%d,%d,%d,%s\n", i, t, i * 37 % 11 + (i % 2 ? t : -t) * 2,
                    (i * 5 + t * 3) % 7, i % 2 ? "up" : "down");
    assert_int_equal(fclose(file), 0);
    return path;
}

static inline const char *make_tags(const char *name, int sentences)
{
    static const char *const words[] = {"the", "a", "dog", "cat", "man", "sees", "hears", "red"};
    static const char *const tags[] = {"DET", "DET", "NOUN", "NOUN", "NOUN", "VERB", "VERB", "ADJ"};
    const char *path = test_path(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    uint64_t seed = 9;
    for (int i = 0; i < sentences; i++) {
        for (int t = 0; t < 4 + i % 7; t++) {
            size_t w = random_below(&seed, 8);
            fprintf(file, "%s\t%s\n", words[w], tags[w]);
        }
        fprintf(file, "\n");
    }
    assert_int_equal(fclose(file), 0);
    return path;
}

/* Two columns of a season of 12 rows, a trend and some noise. */
static inline const char *make_series(const char *name, int rows)
{
    const char *path = test_path(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fprintf(file, "a,b\n");
    uint64_t seed = 21;
    for (int t = 0; t < rows; t++)
        fprintf(file, "%.4f,%.4f\n",
                10 * sin(t * 0.5236) + 0.02 * t + 0.001 * (double)random_below(&seed, 1000),
                5 * cos(t * 0.5236) + 0.001 * (double)random_below(&seed, 1000));
    assert_int_equal(fclose(file), 0);
    return path;
}

/* A request with the defaults of a task, over one file (NULL: none). */
static inline elman_train_request request_of(const char *task, const char *const *path)
{
    elman_train_request request;
    elman_train_request_default(&request);
    request.task = task;
    elman_config_default_for(&request.config, task);
    request.data = path;
    request.data_count = path && *path;
    return request;
}

static inline const elman_finding *find(const elman_diagnosis *d, const char *code)
{
    for (int64_t i = 0; i < d->count; i++)
        if (!strcmp(d->findings[i].code, code))
            return &d->findings[i];
    return NULL;
}

#endif
