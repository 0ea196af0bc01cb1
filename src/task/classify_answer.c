/* A trained classifier in use. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/float_environment.h"
#include "base/memory.h"
#include "kernel/kernels.h"
#include "model/weights.h"
#include "task/classify_impl.h"
#include "task/metrics.h"
#include "task/metrics_table.h"

static elman_status load(elman_classifier *c, const char *folder, elman_error *error)
{
    ELMAN_TRY(elman_classify_load(&c->network, folder, c->config, error));
    ELMAN_TRY(elman_classify_build(&c->network, c->config, false, error));
    char *path = elman_path_join(folder, "model.safetensors");
    if (!path)
        return elman_out_of_memory(error);
    elman_status status =
        elman_weights_read(c->context, elman_encoder_parameters(c->network.encoder), path, error);
    float temperature =
        status == ELMAN_OK ? elman_parameter_value(c->network.temperature)->data[0] : 1.0F;
    if (!(temperature > 0 && isfinite(temperature)))
        status = elman_fail(error, ELMAN_ERROR_FORMAT,
                            "%s: temperature: found %g, expected a number above 0", path,
                            (double)temperature);
    free(path);
    ELMAN_TRY(status);
    elman_classify_examples_init(&c->examples, c->context, c->config->vocabulary > 0);
    c->examples.vectors.vectors.width = c->config->inputs;
    return elman_tape_create(c->context, &c->tape, error);
}

elman_status elman_classifier_open_folder(elman_context *context, const char *folder,
                                          const elman_config_file *file,
                                          elman_classifier **classifier, elman_error *error)
{
    elman_classifier *c = elman_allocate_zero(context, 1, sizeof *c);
    if (!c)
        return elman_out_of_memory(error);
    c->context = context;
    c->file = *file;
    c->config = &c->file.config;
    c->network.context = context;
    elman_lexicon_init(&c->network.lexicon, context);
    elman_labels_init(&c->network.labels, context);
    elman_status status = load(c, folder, error);
    if (status != ELMAN_OK) {
        elman_classifier_free(c);
        return status;
    }
    *classifier = c;
    return ELMAN_OK;
}

elman_status elman_classifier_open(elman_context *context, const char *folder,
                                   elman_classifier **classifier, elman_error *error)
{
    elman_config_file file;
    elman_status status = elman_config_file_read_model(context, folder, &file, error);
    if (status == ELMAN_OK && strcmp(file.task, "classify"))
        status = elman_fail(error, ELMAN_ERROR_ARGUMENT,
                            "%s: a model of task '%s', expected classify", folder, file.task);
    if (status == ELMAN_OK)
        status = elman_classifier_open_folder(context, folder, &file, classifier, error);
    elman_config_file_clear(context, &file);
    return status;
}

void elman_classifier_free(elman_classifier *c)
{
    if (!c)
        return;
    elman_tape_free(c->tape);
    elman_classify_network_free(&c->network);
    elman_classify_examples_free(&c->examples);
    elman_release(c->context, c->logits);
    elman_release(c->context, c);
}

int32_t elman_classifier_labels(const elman_classifier *c)
{
    return c->network.labels.count;
}

const char *elman_classifier_label(const elman_classifier *c, int32_t label)
{
    return label >= 0 && label < c->network.labels.count ? c->network.labels.names[label] : NULL;
}

int64_t elman_classifier_width(const elman_classifier *c)
{
    return c->examples.words ? 0 : c->config->inputs;
}

void elman_classifier_clear(elman_classifier *c)
{
    elman_sentences_clear(&c->examples.sentences);
    elman_vectors_clear(&c->examples.vectors.vectors);
    c->examples.count = 0;
}

elman_status elman_classifier_answer(elman_classifier *c, elman_error *error)
{
    size_t K = (size_t)c->network.labels.count;
    size_t count = c->examples.words ? (size_t)c->examples.sentences.count
                                     : (size_t)c->examples.vectors.vectors.count;
    float *logits =
        elman_grown(c->context, c->logits, 0, &c->logits_room, count * K + 1, sizeof *logits);
    if (!logits)
        return elman_out_of_memory(error);
    c->logits = logits;
    if (c->examples.words)
        ELMAN_TRY(elman_lexicon_resolve(&c->network.lexicon, &c->examples.sentences, error));
    ELMAN_TRY(elman_classify_all(c->tape, &c->network, &c->examples, 0, (int64_t)count, NULL,
                                 logits, error));
    return elman_classifier_check(c, logits, count * K, error);
}

elman_status elman_classifier_check(const elman_classifier *c, const float *logits, size_t count,
                                    elman_error *error)
{
    size_t at = elman_kernels_of(c->context)->math->first_nonfinite(logits, count);
    return at == count ? ELMAN_OK
                       : elman_fail(error, ELMAN_ERROR_NUMERIC,
                                    "the answer is not a finite number; the model's weights are "
                                    "damaged");
}

void elman_classifier_soften(const elman_classifier *c, float *logits)
{
    float inverse = (float)(1.0 / (double)elman_parameter_value(c->network.temperature)->data[0]);
    const elman_math_kernels *k = elman_kernels_of(c->context)->math;
    k->scale(logits, logits, inverse, (size_t)c->network.labels.count, false);
}

void elman_classifier_probabilities(const elman_classifier *c, float *logits)
{
    elman_classifier_soften(c, logits);
    elman_kernels_of(c->context)
        ->math->softmax_row(logits, logits, (size_t)c->network.labels.count);
}

/* What was not answered is not there to be explained. */
static elman_status forget(elman_classifier *c, elman_status status)
{
    elman_classifier_clear(c);
    return status;
}

/* The answer to the one example that the classifier holds. */
static elman_status answer_one(elman_classifier *c, float *probabilities, elman_error *error)
{
    elman_float_environment modes = elman_float_begin();
    elman_status status = elman_classifier_answer(c, error);
    if (status == ELMAN_OK) {
        elman_classifier_probabilities(c, c->logits);
        memcpy(probabilities, c->logits, (size_t)c->network.labels.count * sizeof *probabilities);
    }
    elman_float_end(modes);
    return status == ELMAN_OK ? status : forget(c, status);
}

elman_status elman_classifier_text(elman_classifier *c, const char *text, size_t size,
                                   float *probabilities, elman_error *error)
{
    if (!c->examples.words)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "the classifier reads vectors of %" PRId64 " numbers, found a text",
                          c->config->inputs);
    elman_classifier_clear(c);
    elman_status status = elman_classify_add_text(&c->examples, text, size, c->config, error);
    return status == ELMAN_OK ? answer_one(c, probabilities, error) : forget(c, status);
}

elman_status elman_classifier_vectors(elman_classifier *c, const float *steps, int64_t T,
                                      float *probabilities, elman_error *error)
{
    if (c->examples.words)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "the classifier reads text, found vectors");
    elman_classifier_clear(c);
    elman_vectors *v = &c->examples.vectors.vectors;
    if (T < 0)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "found %" PRId64 " steps, expected 0 or more", T);
    for (int64_t t = 0; t < T; t++)
        for (int64_t i = 0; i < v->width; i++)
            if (!isfinite(steps[t * v->width + i]))
                return elman_fail(error, ELMAN_ERROR_DATA,
                                  "step %" PRId64 ", number %" PRId64 ": not a finite number", t,
                                  i);
    elman_status status = elman_vectors_begin(v, error);
    for (int64_t t = 0; status == ELMAN_OK && t < T; t++)
        status = elman_vectors_add(v, steps + t * v->width, error);
    c->examples.count = 1;
    return status == ELMAN_OK ? answer_one(c, probabilities, error) : forget(c, status);
}

/* --- evaluation --- */

/* The files' examples, or those of the part that the model did not train on. */
static elman_status read_part(elman_classifier *c, const char *const *paths, int count, bool test,
                              elman_classify_examples *e, int64_t range[2], elman_error *error)
{
    elman_files files = {0};
    elman_parts parts;
    int64_t train_count = 0;
    char sha256[65];
    uint64_t bytes;
    if (!count)
        ELMAN_TRY(elman_files_of(c->context, NULL, &c->file, &files, error));
    elman_status status = ELMAN_OK;
    for (int i = 0; status == ELMAN_OK && i < (count ? count : files.count); i++) {
        status = elman_classify_read(e, count ? paths[i] : files.paths[i], c->config, sha256,
                                     &bytes, error);
        if (status == ELMAN_OK && !count)
            status = elman_files_read(&files, i, sha256, bytes, &c->file, error);
        if (i < files.train_count)
            train_count = e->count;
    }
    if (!count)
        elman_files_free(&files);
    ELMAN_TRY(status);
    range[0] = 0;
    range[1] = e->count;
    if (count)
        return ELMAN_OK;
    ELMAN_TRY(elman_parts_of(c->config, e->count, train_count, "examples", &parts, error));
    range[0] = test ? parts.test_first : parts.train;
    range[1] = test ? parts.test_end : parts.valid;
    return ELMAN_OK;
}

/* Everything that is counted of an evaluation. */
typedef struct tally {
    int64_t *counts; /* [K,K] */
    elman_calibration calibration;
    double nats;
    int64_t n;
} tally;

static elman_status measure(elman_classifier *c, elman_classify_examples *e, int64_t first,
                            int64_t end, tally *t, elman_error *error)
{
    size_t K = (size_t)c->network.labels.count;
    enum { ROUND = 4096 };
    const elman_math_kernels *k = elman_kernels_of(c->context)->math;
    float *logits = elman_allocate(c->context, ROUND * K, sizeof *logits);
    elman_status status = logits ? ELMAN_OK : elman_out_of_memory(error);
    for (int64_t at = first; status == ELMAN_OK && at < end; at += ROUND) {
        int64_t n = end - at < ROUND ? end - at : ROUND;
        status = elman_classify_all(c->tape, &c->network, e, at, at + n, NULL, logits, error);
        if (status == ELMAN_OK)
            status = elman_classifier_check(c, logits, (size_t)n * K, error);
        for (int64_t i = 0; status == ELMAN_OK && i < n; i++) {
            float *row = logits + (size_t)i * K;
            int32_t target = e->labels[at + i], best = 0;
            elman_classifier_soften(c, row);
            t->nats += k->cross_entropy_loss(row, K, (size_t)target);
            k->softmax_row(row, row, K);
            for (int32_t j = 1; j < (int32_t)K; j++)
                best = row[j] > row[best] ? j : best;
            t->counts[(size_t)target * K + (size_t)best]++;
            elman_calibration_add(&t->calibration, (double)row[best], best == target);
        }
    }
    t->n = end - first;
    elman_release(c->context, logits);
    return status;
}

static elman_status report_tables(elman_classifier *c, const tally *t, const elman_score *scores,
                                  elman_metrics *metrics, elman_error *error)
{
    static const char *const columns[] = {"precision", "recall", "f1", "support"};
    int64_t K = c->network.labels.count;
    double *values = elman_allocate(c->context, (size_t)(K * (K > 4 ? K : 4)), sizeof *values);
    if (!values)
        return elman_out_of_memory(error);
    for (int64_t i = 0; i < K; i++) {
        values[4 * i] = scores[i].precision;
        values[4 * i + 1] = scores[i].recall;
        values[4 * i + 2] = scores[i].f1;
        values[4 * i + 3] = (double)scores[i].support;
    }
    const char *const *names = (const char *const *)c->network.labels.names;
    elman_metrics_rows table = {"classes", K, 4, names, columns, values};
    elman_status status = elman_metrics_add_table(c->context, metrics, &table, error);
    for (int64_t i = 0; i < K * K; i++)
        values[i] = (double)t->counts[i];
    table = (elman_metrics_rows){"confusion", K, K, names, names, values};
    if (status == ELMAN_OK)
        status = elman_metrics_add_table(c->context, metrics, &table, error);
    elman_release(c->context, values);
    return status;
}

static elman_status report(elman_classifier *c, const tally *t, elman_metrics *metrics,
                           elman_error *error)
{
    size_t K = (size_t)c->network.labels.count;
    elman_score *scores = elman_allocate(c->context, K, sizeof *scores);
    if (!scores)
        return elman_out_of_memory(error);
    elman_class_scores all;
    elman_class_scores_of(t->counts, (int64_t)K, scores, &all);
    const struct {
        const char *name;
        double value;
    } list[] = {{"loss", t->nats / (double)t->n},
                {"accuracy", all.accuracy},
                {"f1", all.macro.f1},
                {"precision", all.macro.precision},
                {"recall", all.macro.recall},
                {"calibration_error", elman_calibration_error(&t->calibration)},
                {"examples", (double)t->n}};
    elman_status status = ELMAN_OK;
    for (size_t i = 0; status == ELMAN_OK && i < sizeof list / sizeof *list; i++)
        status = elman_metrics_add(c->context, metrics, list[i].name, list[i].value, error);
    if (status == ELMAN_OK)
        status = report_tables(c, t, scores, metrics, error);
    elman_release(c->context, scores);
    return status;
}

static elman_status eval_examples(elman_classifier *c, const char *const *paths, int count,
                                  bool test, elman_classify_examples *e, elman_metrics *metrics,
                                  elman_error *error)
{
    int64_t range[2];
    size_t K = (size_t)c->network.labels.count;
    e->vectors.vectors.width = c->config->inputs;
    e->known = &c->network.labels;
    ELMAN_TRY(read_part(c, paths, count, test, e, range, error));
    ELMAN_TRY(elman_classify_take_labels(e, &c->network.labels, error));
    if (e->words)
        ELMAN_TRY(elman_lexicon_resolve(&c->network.lexicon, &e->sentences, error));
    if (range[0] == range[1])
        return elman_fail(error, ELMAN_ERROR_DATA,
                          count ? "no examples in the files"
                                : "the model was trained without %s; name the files to evaluate on",
                          test ? "a test part" : "a validation part");
    tally t = {.counts = elman_allocate_zero(c->context, K * K, sizeof *t.counts)};
    if (!t.counts)
        return elman_out_of_memory(error);
    elman_status status = measure(c, e, range[0], range[1], &t, error);
    if (status == ELMAN_OK)
        status = report(c, &t, metrics, error);
    elman_release(c->context, t.counts);
    return status;
}

elman_status elman_classify_eval(void *model, const char *const *paths, int count, bool test,
                                 elman_metrics *metrics, elman_error *error)
{
    elman_classifier *c = model;
    elman_classify_examples examples;
    elman_classify_examples_init(&examples, c->context, c->config->vocabulary > 0);
    elman_status status = eval_examples(c, paths, count, test, &examples, metrics, error);
    elman_classify_examples_free(&examples);
    return status;
}
