/* What the tests of the task classify share: made texts and vectors, trainings, lines from memory.
 */
#ifndef CLASSIFY_CASE_H
#define CLASSIFY_CASE_H

#include "../data/data_support.h"

#include <math.h>
#include <signal.h>

#include "base/file.h"
#include "compare.h"
#include "elman/classify.h"
#include "elman/elman.h"
#include "elman/predict.h"
#include "elman/safetensors.h"

static inline elman_context *context_of(int threads)
{
    elman_context_options options;
    elman_context *context;
    elman_context_options_default(&options);
    options.threads = threads;
    assert_ok(elman_context_create(&options, &context, &problem));
    return context;
}

/* --- data --- */

/* Texts of 1 to 12 words, one of which says the label, and one text that is empty; every fourth in
 * capitals. labels: 2 or 3. */
static inline const char *write_reviews(const char *name, int count, int labels, uint64_t seed)
{
    static const char *const names[] = {"bad", "good", "mixed"};
    static const char *const telling[3][3] = {
        {"dull", "awful", "boring"}, {"fine", "great", "lovely"}, {"uneven", "so-so", "middling"}};
    static const char *const other[] = {"the", "film", "a", "was", "and", "it", "of", "plot"};
    const char *path = test_path(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fprintf(file, "text\tlabel\n");
    for (int i = 0; i < count; i++) {
        int label = (int)random_below(&seed, (uint64_t)labels), words = 1 + i % 12;
        int place = (int)random_below(&seed, (uint64_t)words);
        for (int w = 0; w < words; w++) {
            const char *word =
                w == place ? telling[label][random_below(&seed, 3)] : other[random_below(&seed, 8)];
            for (const char *c = word; *c; c++)
                fputc(i % 4 == 3 && *c >= 'a' && *c <= 'z' ? *c - 32 : *c, file);
            fputc(w + 1 < words ? ' ' : '\t', file);
        }
        fprintf(file, "%s\n", names[label]);
    }
    fclose(file);
    return path;
}

enum { WAVE_T = 6, WAVE_F = 2 };

/* Step t of wave i: it rises or falls, by which its label is told, from anywhere. */
static inline void wave_step(int i, int t, float step[WAVE_F])
{
    float way = i % 2 ? 1.0F : -1.0F;
    step[0] = 100.0F + (float)(i * 37 % 11) + way * (float)t * 2;
    step[1] = -3.0F + 0.1F * (float)((i * 5 + t * 3) % 7);
}

static inline int wave_length(int i)
{
    return 2 + i % (WAVE_T - 1);
}

/* A row a sequence, all WAVE_T steps. */
static inline const char *write_wide(const char *name, int count)
{
    const char *path = test_path(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (int t = 0; t < WAVE_T; t++)
        fprintf(file, "x%d,y%d,", t, t);
    fprintf(file, "label\n");
    for (int i = 0; i < count; i++) {
        for (int t = 0; t < WAVE_T; t++) {
            float step[WAVE_F];
            wave_step(i, t, step);
            fprintf(file, "%.9g,%.9g,", (double)step[0], (double)step[1]);
        }
        fprintf(file, "%s\n", i % 2 ? "up" : "down");
    }
    fclose(file);
    return path;
}

/* A row a step, of wave_length(i) steps; y stands before x. */
static inline const char *write_long(const char *name, int count)
{
    const char *path = test_path(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fprintf(file, "id,t,y,x,label\n");
    for (int i = 0; i < count; i++)
        for (int t = 0; t < wave_length(i); t++) {
            float step[WAVE_F];
            wave_step(i, t, step);
            fprintf(file, "w%d,%d,%.9g,%.9g,%s\n", i, t, (double)step[1], (double)step[0],
                    i % 2 ? "up" : "down");
        }
    fclose(file);
    return path;
}

static inline const char *write_waves(const char *name, int count)
{
    enum { MOST = 200 };
    static float x[MOST][WAVE_T][WAVE_F];
    static int64_t lengths[MOST], labels[MOST];
    const size_t n = (size_t)count, shape[3] = {n, WAVE_T, WAVE_F};
    elman_context *context = context_of(1);
    elman_safetensors_writer *writer;
    const char *path = test_path(name);
    for (int i = 0; i < count; i++) {
        lengths[i] = wave_length(i);
        labels[i] = i % 2 ? 10 : 9;
        for (int t = 0; t < WAVE_T; t++)
            wave_step(i, t, x[i][t]);
    }
    assert_ok(elman_safetensors_writer_create(context, &writer, &problem));
    assert_ok(elman_safetensors_writer_add(writer, "x", ELMAN_DTYPE_F32, 3, shape, x, &problem));
    assert_ok(
        elman_safetensors_writer_add(writer, "lengths", ELMAN_DTYPE_I64, 1, &n, lengths, &problem));
    assert_ok(
        elman_safetensors_writer_add(writer, "labels", ELMAN_DTYPE_I64, 1, &n, labels, &problem));
    assert_ok(elman_safetensors_writer_write(writer, path, &problem));
    elman_safetensors_writer_free(writer);
    elman_context_free(context);
    return path;
}

/* --- training --- */

static inline elman_config small_config(void)
{
    elman_config c;
    elman_config_default_for(&c, "classify");
    c.layers = 1;
    c.hidden = 12;
    c.embedding = 10;
    c.batch = 8;
    c.epochs = 30;
    c.dropout = 0.1;
    c.lr = 0.02;
    c.min_count = 1;
    c.average = c.weight_decay = c.label_smoothing = 0;
    return c;
}

static volatile sig_atomic_t stop_flag;
static int64_t stop_after; /* updates of the run; 0: none */

static inline void stop_at_step(void *user, const elman_train_progress *progress)
{
    (void)user;
    if (progress->event == ELMAN_EVENT_STEP && stop_after && progress->step >= stop_after)
        stop_flag = 1;
}

/* data NULL: the run in the folder goes on. */
static inline elman_status train_into(elman_context *context, const char *folder, const char *data,
                                      const elman_config *config, elman_error *error)
{
    elman_train_request request;
    elman_train_request_default(&request);
    request.task = "classify";
    request.config = *config;
    request.data = &data;
    request.data_count = data != NULL;
    request.resume = data == NULL;
    request.output = folder;
    request.progress = stop_at_step;
    request.stop = &stop_flag;
    stop_flag = 0;
    return elman_train(context, &request, error);
}

/* The folder's path. */
static inline const char *trained(const char *name, const char *data, const elman_config *config,
                                  int threads)
{
    const char *folder = test_path(name);
    elman_context *context = context_of(threads);
    stop_after = 0;
    assert_ok(train_into(context, folder, data, config, &problem));
    elman_context_free(context);
    return folder;
}

static inline void weights_digest(const char *folder, char hex[65])
{
    char path[200];
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    assert_ok(elman_file_sha256(path, hex, NULL, &problem));
}

/* A tensor of model.safetensors; a copy, to be freed. */
static inline float *weights_of(const char *folder, const char *name, size_t *count)
{
    char path[200];
    elman_context *context = context_of(1);
    elman_safetensors *file;
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    assert_ok(elman_safetensors_read(context, path, NULL, &file, &problem));
    const elman_tensor_view *view = elman_safetensors_find(file, name);
    assert_non_null(view);
    float *copy = malloc(view->bytes + 1);
    assert_non_null(copy);
    memcpy(copy, view->data, view->bytes);
    if (count)
        *count = view->bytes / sizeof *copy;
    elman_safetensors_free(file);
    elman_context_free(context);
    return copy;
}

static inline double metric_of(const char *folder, const char *path, bool test, const char *name)
{
    elman_context *context = context_of(2);
    elman_predictor *predictor;
    elman_metrics metrics = {0};
    assert_ok(elman_predictor_open(context, folder, &predictor, &problem));
    assert_ok(elman_predictor_eval(predictor, &path, path != NULL, test, &metrics, &problem));
    const double *found = elman_metrics_find(&metrics, name);
    assert_non_null(found);
    double value = *found;
    elman_metrics_clear(context, &metrics);
    elman_predictor_free(predictor);
    elman_context_free(context);
    return value;
}

/* --- lines from memory --- */

typedef struct told {
    const char *const *lines; /* NULL-ended */
    int at, together;         /* so many lines wait at a time */
    char text[1 << 16];       /* all that was answered */
    size_t size;
    int flushes;
} told;

static inline elman_status told_read(void *user, const char **line, size_t *size,
                                     elman_error *error)
{
    told *t = user;
    (void)error;
    *line = t->lines[t->at];
    *size = *line ? strlen(*line) : 0;
    t->at += *line != NULL;
    return ELMAN_OK;
}

static inline bool told_ready(void *user)
{
    const told *t = user;
    return t->lines[t->at] && t->at % t->together != 0;
}

static inline elman_status told_write(void *user, const char *text, size_t size, elman_error *error)
{
    told *t = user;
    (void)error;
    assert_true(t->size + size < sizeof t->text);
    memcpy(t->text + t->size, text, size);
    t->size += size;
    t->text[t->size] = 0;
    return ELMAN_OK;
}

static inline elman_status told_flush(void *user, elman_error *error)
{
    told *t = user;
    (void)error;
    t->flushes++;
    return ELMAN_OK;
}

static inline elman_status ask(elman_predictor *predictor, const elman_predict_options *options,
                               const char *const *lines, int together, told *t, elman_error *error)
{
    const elman_lines calls = {.user = t,
                               .name = "here",
                               .read = told_read,
                               .ready = told_ready,
                               .write = told_write,
                               .flush = told_flush};
    t->lines = lines;
    t->at = t->flushes = 0;
    t->together = together;
    t->size = 0;
    t->text[0] = 0;
    return elman_predictor_run(predictor, options, &calls, error);
}

#endif
