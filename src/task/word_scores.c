#include "task/word_scores.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "kernel/kernels.h"

elman_status elman_word_scores_create(elman_word_scores *s, elman_parameters *set, int64_t K,
                                      int64_t V, elman_error *error)
{
    ELMAN_TRY(
        elman_parameters_add(set, "word_scores.counts", 2, (int64_t[]){K, V}, &s->counts, error));
    ELMAN_TRY(elman_parameters_add(set, "word_scores.sizes", 1, &K, &s->sizes, error));
    elman_parameter_freeze(s->counts);
    elman_parameter_freeze(s->sizes);
    s->seen = elman_allocate_zero(s->context, (size_t)V, sizeof *s->seen);
    return s->seen ? ELMAN_OK : elman_out_of_memory(error);
}

void elman_word_scores_free(elman_word_scores *s)
{
    elman_release(s->context, s->seen);
    s->seen = NULL;
}

static int64_t labels_of(const elman_word_scores *s)
{
    return elman_parameter_value(s->counts)->shape[0];
}

static int64_t words_of(const elman_word_scores *s)
{
    return elman_parameter_value(s->counts)->shape[1];
}

/* Whether the word is the first of its kind in the text that is looked at. */
static bool is_first(elman_word_scores *s, int32_t id)
{
    bool first = s->seen[id] != s->text;
    s->seen[id] = s->text;
    return first;
}

void elman_word_scores_count(elman_word_scores *s, const elman_sentences *sentences,
                             const int32_t *labels, int64_t n)
{
    int64_t V = words_of(s);
    float *counts = elman_parameter_edit(s->counts), *sizes = elman_parameter_edit(s->sizes);
    memset(counts, 0, (size_t)(labels_of(s) * V) * sizeof *counts);
    memset(sizes, 0, (size_t)labels_of(s) * sizeof *sizes);
    for (int64_t i = 0; i < n; i++) {
        s->text++;
        sizes[labels[i]] += 1;
        for (int64_t w = sentences->starts[i]; w < sentences->starts[i + 1]; w++) {
            int32_t id = sentences->ids[sentences->words[w]];
            if (is_first(s, id))
                counts[labels[i] * V + id] += 1;
        }
    }
}

/* Adds a word's log-count ratios; `own`: the label whose counts hold the text itself, or -1. */
static void add_word(const elman_word_scores *s, int32_t id, int32_t own, float *out)
{
    const elman_math_kernels *k = elman_kernels_of(s->context)->math;
    const float *counts = elman_parameter_value(s->counts)->data;
    const float *sizes = elman_parameter_value(s->sizes)->data;
    int64_t K = labels_of(s), V = words_of(s);
    float holds = 0, texts = 0;
    for (int64_t j = 0; j < K; j++) {
        holds += counts[j * V + id] - (j == own ? 1.0F : 0.0F);
        texts += sizes[j];
    }
    for (int64_t j = 0; j < K; j++) {
        float in = counts[j * V + id] - (j == own ? 1.0F : 0.0F);
        float p = (in + 1.0F) / (sizes[j] + 2.0F);
        float q = (holds - in + 1.0F) / (texts - sizes[j] + 2.0F), ratio = p / q, log;
        k->log(&log, &ratio, 1);
        out[j] += log;
    }
}

void elman_word_scores_each(elman_word_scores *s, const elman_sentences *sentences, int64_t number,
                            float *out)
{
    int64_t K = labels_of(s), first = sentences->starts[number];
    s->text++;
    for (int64_t w = first; w < sentences->starts[number + 1]; w++) {
        int32_t id = sentences->ids[sentences->words[w]];
        memset(out + (w - first) * K, 0, (size_t)K * sizeof *out);
        if (is_first(s, id))
            add_word(s, id, -1, out + (w - first) * K);
    }
}

void elman_word_scores_of(elman_word_scores *s, const elman_sentences *sentences,
                          const int64_t *numbers, int64_t n, const int32_t *labels, float *out)
{
    int64_t K = labels_of(s);
    for (int64_t i = 0; i < n; i++) {
        int64_t number = numbers[i];
        int32_t own = labels ? labels[number] : -1;
        s->text++;
        memset(out + i * K, 0, (size_t)K * sizeof *out);
        for (int64_t w = sentences->starts[number]; w < sentences->starts[number + 1]; w++) {
            int32_t id = sentences->ids[sentences->words[w]];
            if (is_first(s, id))
                add_word(s, id, own, out + i * K);
        }
    }
}
