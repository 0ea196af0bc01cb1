/* Log-count ratios of words, against the formula in double; a training text is left out of its own
 * counts. */
#include "../data/data_support.h"

#include <math.h>

#include "graph/tape_impl.h"
#include "task/word_scores.h"

enum { TEXTS = 8, TRAIN = 6, K = 3, V = 6 };
static const char *const words[V] = {"<unk>", "<eos>", "a", "b", "c", "d"};
static const char *const texts[TEXTS] = {"ab", "aab", "c", "", "dcba", "zzd", "abcd", "zy"};
static const int32_t labels[TEXTS] = {0, 0, 1, 1, 0, 2, 0, 0};

/* Whether text i holds the word; every letter is one, z and y are unknown. */
static bool holds(int i, int id)
{
    for (const char *c = texts[i]; *c; c++)
        if ((*c <= 'd' ? *c - 'a' + 2 : 0) == id)
            return true;
    return false;
}

/* Of text i, `own` left out of the words' counts, not of the texts'. */
static double formula(int i, int k, int own)
{
    double sum = 0;
    for (int id = 0; id < V; id++) {
        double in = 0, of = 0, others_in = 0, others = 0;
        if (!holds(i, id))
            continue;
        for (int t = 0; t < TRAIN; t++) {
            *(labels[t] == k ? &of : &others) += 1;
            *(labels[t] == k ? &in : &others_in) += t != own && holds(t, id);
        }
        sum += log((in + 1) / (of + 2)) - log((others_in + 1) / (others + 2));
    }
    return sum;
}

static void scores(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    elman_vocabulary *vocabulary;
    elman_parameters *set;
    elman_sentences s;
    elman_word_scores w = {.context = context};
    float got[TEXTS * K], one[K];
    int64_t all[TEXTS];
    assert_ok(elman_vocabulary_create(context, ELMAN_LEVEL_WORD, words, V, &vocabulary, &problem));
    assert_ok(elman_parameters_create(context, true, &set, &problem));
    elman_sentences_init(&s, context);
    for (int i = 0; i < TEXTS; i++) {
        all[i] = i;
        assert_ok(elman_sentences_begin(&s, &problem));
        for (const char *at = texts[i]; *at; at++)
            assert_ok(elman_sentences_add(&s, at, 1, &problem));
    }
    assert_ok(elman_sentences_resolve(&s, vocabulary, false, NULL, &problem));
    assert_ok(elman_word_scores_create(&w, set, K, V, &problem));
    assert_null(elman_parameter_gradient(w.counts));
    for (int again = 0; again < 2; again++)
        elman_word_scores_count(&w, &s, labels, TRAIN);
    int calls = c.calls;
    for (int training = 0; training < 2; training++) {
        int n = training ? TRAIN : TEXTS;
        elman_word_scores_of(&w, &s, all, n, training ? labels : NULL, got);
        for (int i = 0; i < n; i++) {
            for (int k = 0; k < K; k++)
                assert_true(fabs((double)got[i * K + k] - formula(i, k, training ? i : -1)) < 1e-5);
            elman_word_scores_of(&w, &s, &all[i], 1, training ? labels : NULL, one);
            assert_memory_equal(one, got + i * K, sizeof one);
        }
    }
    assert_int_equal(c.calls, calls);
    elman_word_scores_free(&w);
    elman_word_scores_free(&w);
    elman_sentences_free(&s);
    elman_parameters_free(set);
    elman_vocabulary_free(vocabulary);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(scores)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
