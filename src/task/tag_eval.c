/* What a tagger is worth. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "task/metrics_table.h"
#include "task/tag_impl.h"

elman_status elman_tag_entities(const elman_labels *labels, const elman_tag_examples *e,
                                int64_t first, int64_t end, const int32_t *answers,
                                elman_entities **entities, elman_error *error)
{
    ELMAN_TRY(elman_entities_create(e->context, (const char *const *)labels->names, labels->count,
                                    entities, error));
    for (int64_t i = first; i < end; i++) {
        int64_t begin = elman_tag_start(e, i), n = elman_tag_start(e, i + 1) - begin;
        bool whole = true;
        for (int64_t t = 0; t < n; t++)
            whole = whole && e->labels[begin + t] >= 0;
        if (whole)
            elman_entities_add(*entities, e->labels + begin,
                               answers + begin - elman_tag_start(e, first), n);
    }
    return ELMAN_OK;
}

/* One evaluation: the examples [first, end) that the tagger holds, and what was answered. */
typedef struct evaluation {
    elman_tagger *tagger;
    elman_metrics *metrics;
    int64_t first, end;
    const int32_t *truth, *answers; /* [steps] */
    int64_t steps;
    elman_tag_answer answer;
} evaluation;

static elman_status add(const evaluation *v, const char *name, double value, elman_error *error)
{
    return elman_metrics_add(v->tagger->context, v->metrics, name, value, error);
}

/* Accuracy of the words that the vocabulary does not have. */
static elman_status add_unknown(const evaluation *v, elman_error *error)
{
    const elman_sentences *s = &v->tagger->examples.sentences;
    int32_t unknown = elman_vocabulary_unknown(v->tagger->network.lexicon.words);
    int64_t first = elman_tag_start(&v->tagger->examples, v->first), right = 0, count = 0;
    for (int64_t i = 0; i < v->steps; i++)
        if (v->truth[i] >= 0 && s->ids[s->words[first + i]] == unknown) {
            count++;
            right += v->truth[i] == v->answers[i];
        }
    return count ? add(v, "accuracy_unknown", (double)right / (double)count, error) : ELMAN_OK;
}

enum { COLUMNS = 4 };
static const char *const columns[COLUMNS] = {"precision", "recall", "f1", "support"};

static void put_score(double *row, const elman_score *score)
{
    row[0] = score->precision;
    row[1] = score->recall;
    row[2] = score->f1;
    row[3] = (double)score->support;
}

/* A row a tag. */
static elman_status add_tags(const evaluation *v, const elman_score *tags, elman_error *error)
{
    const elman_labels *labels = &v->tagger->network.labels;
    double *values =
        elman_allocate(v->tagger->context, (size_t)labels->count * COLUMNS, sizeof *values);
    if (!values)
        return elman_out_of_memory(error);
    for (int32_t k = 0; k < labels->count; k++)
        put_score(values + COLUMNS * k, &tags[k]);
    elman_metrics_rows rows = {"tags",  labels->count, COLUMNS, (const char *const *)labels->names,
                               columns, values};
    elman_status status = elman_metrics_add_table(v->tagger->context, v->metrics, &rows, error);
    elman_release(v->tagger->context, values);
    return status;
}

/* Scores of the tags themselves; *macro is their mean F1. */
static elman_status score_tags(const evaluation *v, elman_score *macro, elman_error *error)
{
    elman_context *context = v->tagger->context;
    int64_t K = v->tagger->network.labels.count;
    elman_class_scores scores;
    int64_t *counts = elman_allocate_zero(context, (size_t)K, (size_t)K * sizeof *counts);
    elman_score *tags = elman_allocate(context, (size_t)K, sizeof *tags);
    elman_status status = counts && tags ? ELMAN_OK : elman_out_of_memory(error);
    if (status == ELMAN_OK) {
        for (int64_t i = 0; i < v->steps; i++)
            if (v->truth[i] >= 0)
                counts[v->truth[i] * K + v->answers[i]]++;
        elman_class_scores_of(counts, K, tags, &scores);
        *macro = scores.macro;
        status = add(v, "accuracy", scores.accuracy, error);
    }
    if (status == ELMAN_OK && v->tagger->examples.words)
        status = add_unknown(v, error);
    if (status == ELMAN_OK)
        status = add_tags(v, tags, error);
    elman_release(context, counts);
    elman_release(context, tags);
    return status;
}

/* A row a type. */
static elman_status add_types(const evaluation *v, const elman_entities *entities,
                              elman_error *error)
{
    elman_context *context = v->tagger->context;
    size_t types = (size_t)elman_entities_types(entities);
    const char **names = elman_allocate(context, types + 1, sizeof *names);
    double *values = elman_allocate(context, types + 1, COLUMNS * sizeof *values);
    elman_status status = names && values ? ELMAN_OK : elman_out_of_memory(error);
    if (status == ELMAN_OK) {
        for (size_t i = 0; i < types; i++) {
            elman_score score = elman_entities_score_type(entities, (int64_t)i);
            names[i] = elman_entities_type(entities, (int64_t)i);
            put_score(values + COLUMNS * i, &score);
        }
        elman_metrics_rows rows = {"entities", (int64_t)types, COLUMNS, names, columns, values};
        status = elman_metrics_add_table(context, v->metrics, &rows, error);
    }
    elman_release(context, names);
    elman_release(context, values);
    return status;
}

static elman_status add_scores(const evaluation *v, const elman_score *score, elman_error *error)
{
    ELMAN_TRY(add(v, "f1", score->f1, error));
    ELMAN_TRY(add(v, "precision", score->precision, error));
    return add(v, "recall", score->recall, error);
}

static elman_status measure(const evaluation *v, elman_error *error)
{
    const elman_labels *labels = &v->tagger->network.labels;
    elman_score macro;
    if (!v->answer.labelled)
        return elman_fail(error, ELMAN_ERROR_DATA, "no labels to evaluate against");
    if (!isfinite(v->answer.nats))
        return elman_fail(error, ELMAN_ERROR_NUMERIC,
                          "the model's answer is not finite; its weights are damaged");
    ELMAN_TRY(add(v, "loss", v->answer.nats / (double)v->answer.labelled, error));
    ELMAN_TRY(score_tags(v, &macro, error));
    if (!elman_entities_scheme((const char *const *)labels->names, labels->count))
        return add_scores(v, &macro, error);
    elman_entities *entities;
    elman_score micro;
    ELMAN_TRY(elman_tag_entities(labels, &v->tagger->examples, v->first, v->end, v->answers,
                                 &entities, error));
    elman_entities_score(entities, &micro, NULL, NULL);
    elman_status status = add_scores(v, &micro, error);
    if (status == ELMAN_OK)
        status = add_types(v, entities, error);
    elman_entities_free(entities);
    return status;
}

static elman_status evaluate(elman_tagger *t, int64_t first, int64_t end, elman_metrics *metrics,
                             elman_error *error)
{
    elman_tag_examples *e = &t->examples;
    evaluation v = {.tagger = t, .metrics = metrics, .first = first, .end = end};
    v.steps = elman_tag_start(e, end) - elman_tag_start(e, first);
    v.truth = e->labels + elman_tag_start(e, first);
    if (e->words)
        ELMAN_TRY(elman_lexicon_resolve(&t->network.lexicon, &e->sentences, error));
    int32_t *tags =
        elman_grown(t->context, t->tags, 0, &t->tags_room, (size_t)v.steps + 1, sizeof *tags);
    if (!tags)
        return elman_out_of_memory(error);
    t->tags = tags;
    v.answers = v.answer.tags = tags;
    elman_tag_range range = {first, end, true, NULL};
    ELMAN_TRY(elman_tag_answers(t->tape, &t->network, e, &range, &v.answer, error));
    return measure(&v, error);
}

/* The files that config.json records, and the part of them that is asked for. */
static elman_status read_recorded(elman_tagger *t, bool test, int64_t *first, int64_t *end,
                                  elman_error *error)
{
    elman_config_file file = *t->file; /* only read below */
    elman_files files;
    elman_parts parts;
    int64_t train_count = 0;
    ELMAN_TRY(elman_files_of(t->context, NULL, &file, &files, error));
    elman_status status = ELMAN_OK;
    for (int i = 0; status == ELMAN_OK && i < files.count; i++) {
        char sha256[65];
        uint64_t bytes;
        status = elman_tag_read(&t->examples, files.paths[i], &file.config, sha256, &bytes, error);
        if (status == ELMAN_OK)
            status = elman_files_read(&files, i, sha256, bytes, &file, error);
        if (i < files.train_count)
            train_count = t->examples.count;
    }
    elman_files_free(&files);
    ELMAN_TRY(status);
    ELMAN_TRY(elman_parts_of(&file.config, t->examples.count, train_count,
                             t->examples.words ? "sentences" : "sequences", &parts, error));
    *first = test ? parts.test_first : parts.train;
    *end = test ? parts.test_end : parts.valid;
    if (*first < *end)
        return ELMAN_OK;
    return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                      "the model was trained without a %s part; name the file to evaluate on",
                      test ? "test" : "validation");
}

elman_status elman_tag_eval(void *model, const char *const *paths, int count, bool test,
                            elman_metrics *metrics, elman_error *error)
{
    elman_tagger *t = model;
    int64_t first = 0, end;
    t->answered = false;
    elman_tag_examples_clear(&t->examples);
    if (!count)
        ELMAN_TRY(read_recorded(t, test, &first, &end, error));
    for (int i = 0; i < count; i++) {
        char sha256[65];
        uint64_t bytes;
        ELMAN_TRY(elman_tag_read(&t->examples, paths[i], &t->file->config, sha256, &bytes, error));
    }
    if (count)
        end = t->examples.count;
    return evaluate(t, first, end, metrics, error);
}
