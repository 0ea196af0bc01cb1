/* How far each word or step moved an answer: it adds up, it is told line by line, and what cannot
 * be explained is refused. */
#include "classify_models.h"

#include "graph/tape_impl.h"
#include "task/classify_impl.h"

/* log p of a label where everything that is read is zero. */
static double baseline(elman_classifier *c, int32_t label)
{
    static const int64_t first = 0;
    elman_encoder_batch batch;
    elman_tape_begin(c->tape, NULL);
    assert_true(elman_classify_record(c->tape, &c->network, &c->examples, &first, 1, NULL, &batch));
    elman_var *x = elman_encoder_inputs(c->tape, c->network.encoder, &batch);
    int64_t N = elman_var_value(x)->shape[0], I = elman_var_value(x)->shape[1];
    float *zeros = calloc((size_t)(N * I) + LABELS, sizeof *zeros), logits[LABELS];
    batch.extras = zeros; /* no word speaks for a label */
    elman_var *y = elman_encoder_forward(c->tape, c->network.encoder, &batch,
                                         elman_tape_input(c->tape, 2, (int64_t[]){N, I}, zeros));
    assert_ok(elman_tape_status(c->tape, &problem));
    memcpy(logits, elman_var_value(y)->data, (size_t)c->network.labels.count * sizeof *logits);
    elman_classifier_probabilities(c, logits);
    free(zeros);
    return log((double)logits[label]);
}

static void explanations_add_up(void **state)
{
    (void)state;
    need_models();
    static const char *const folders[] = {words_folder, spelt_folder};
    static const char text[] = "THE plot was awful, and  caf\xc3\xa9 great";
    static const char *const found[] = {"THE", "plot", "was",         "awful",
                                        ",",   "and",  "caf\xc3\xa9", "great"};
    for (int spelt = 0; spelt < 2; spelt++) {
        elman_classifier *c = classifier_of(folders[spelt]);
        elman_contribution list[32];
        float p[LABELS];
        size_t count = 99;
        assert_ok(elman_classifier_text(c, text, sizeof text - 1, p, &problem));
        for (int32_t label = 0; label < LABELS; label++) {
            double gradient = 0, integrated = 0;
            assert_ok(elman_classifier_explain(c, label, 50, list, 32, &count, &problem));
            assert_int_equal(count, 8);
            for (size_t i = 0; i < count; i++) {
                assert_int_equal(list[i].end - list[i].begin, strlen(found[i]));
                assert_memory_equal(text + list[i].begin, found[i], strlen(found[i]));
                gradient += fabs(list[i].gradient);
                integrated += list[i].integrated_gradient;
            }
            assert_true(gradient > 1e-4);
            assert_true(fabs(integrated - (log((double)p[label]) - baseline(c, label))) < 1e-2);
        }
        /* the word that tells moved it most */
        int32_t bad = strcmp(elman_classifier_label(c, 0), "bad") == 0 ? 0 : 1;
        assert_ok(elman_classifier_text(c, "the film was awful", 18, p, &problem));
        assert_ok(elman_classifier_explain(c, bad, 50, list, 4, &count, &problem));
        for (int i = 0; i < 3 && !spelt; i++)
            assert_true(list[3].integrated_gradient > list[i].integrated_gradient);
        /* asked again it is the same, and the next answer is none the worse */
        float q[LABELS];
        elman_contribution again[4];
        assert_ok(elman_classifier_explain(c, bad, 50, again, 4, &count, &problem));
        assert_memory_equal(again, list, sizeof again);
        assert_ok(elman_classifier_text(c, "the film was awful", 18, q, &problem));
        assert_true(compare_bits(p, q, LABELS));
        elman_classifier_free(c);
    }
}

/* The baseline of vectors is the mean step. */
static void explained_vectors(void **state)
{
    (void)state;
    need_models();
    elman_classifier *c = classifier_of(wide_folder);
    float *mean = weights_of(wide_folder, "input.mean", NULL), wave[WAVE_T][WAVE_F],
          level[WAVE_T][WAVE_F], p[2], q[2];
    elman_contribution list[WAVE_T];
    size_t count;
    for (int s = 0; s < WAVE_T; s++) {
        wave_step(7, s, wave[s]);
        memcpy(level[s], mean, sizeof level[s]);
    }
    assert_ok(elman_classifier_vectors(c, level[0], WAVE_T, q, &problem));
    assert_ok(elman_classifier_vectors(c, wave[0], WAVE_T, p, &problem));
    for (int32_t label = 0; label < 2; label++) {
        double sum = 0;
        assert_ok(elman_classifier_explain(c, label, 50, list, WAVE_T, &count, &problem));
        assert_int_equal(count, WAVE_T);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(list[i].begin, i);
            sum += list[i].integrated_gradient;
        }
        assert_true(fabs(sum - (log((double)p[label]) - log((double)q[label]))) < 1e-2);
    }
    free(mean);
    elman_classifier_free(c);
}

static void explain_refuses(void **state)
{
    (void)state;
    need_models();
    elman_classifier *c = classifier_of(words_folder);
    elman_contribution list[4];
    float p[LABELS];
    size_t count = 7;
#define REFUSED(label, steps, capacity)                                                            \
    assert_int_equal(elman_classifier_explain(c, label, steps, list, capacity, &count, &problem),  \
                     ELMAN_ERROR_ARGUMENT)
    REFUSED(0, 50, 4);
    assert_contains(problem.message, "no answer stands");
    assert_ok(elman_classifier_text(c, "great film", 10, p, &problem));
    REFUSED(-1, 50, 4);
    REFUSED(LABELS, 50, 4);
    REFUSED(0, 0, 4);
    REFUSED(0, 50, 1);
    assert_contains(problem.message, "room for 1 contributions, there are 2");
    assert_ok(elman_classifier_explain(c, 0, 1, list, 2, &count, &problem));
    assert_int_equal(count, 2);
    assert_int_equal(elman_classifier_text(c, "caf\xe9", 4, p, &problem), ELMAN_ERROR_FORMAT);
    REFUSED(0, 50, 4);
    assert_ok(elman_classifier_text(c, "", 0, p, &problem));
    assert_ok(elman_classifier_explain(c, 0, 50, NULL, 0, &count, &problem));
    assert_int_equal(count, 0);
    elman_classifier_free(c);
}

static void explained_lines(void **state)
{
    (void)state;
    need_models();
    elman_predictor *predictor = predictor_of(words_folder);
    elman_predict_options o;
    elman_predict_options_default(&o);
    o.explain = true;
    static const char *const two[] = {"Great  film!", "", NULL};
    assert_ok(ask(predictor, &o, two, 2, &t, &problem));
    char label[32];
    double p, moved[3];
    int used = 0;
    assert_int_equal(sscanf(t.text, "%31[a-z]\t%lf\n  %lf  Great\n  %lf  film\n  %lf  !\n%n", label,
                            &p, moved, moved + 1, moved + 2, &used),
                     5);
    assert_true(used > 0);
    assert_null(strchr(t.text + used, ' '));
    assert_int_equal(t.flushes, 2);
    o.json = true;
    assert_ok(ask(predictor, &o, two, 2, &t, &problem));
    assert_contains(t.text, "\"explanation\":[{\"token\":\"Great\",\"begin\":0,\"end\":5,"
                            "\"gradient\":");
    assert_contains(t.text, "\"explanation\":[]}");
    elman_predictor_free(predictor);
    predictor = predictor_of(wide_folder);
    static const char *const wave[] = {"100,-3,102,-2.9", NULL};
    assert_ok(ask(predictor, &o, wave, 1, &t, &problem));
    assert_contains(t.text, "{\"step\":1,\"gradient\":");
    assert_contains(t.text, "{\"step\":2,\"gradient\":");
    elman_predictor_free(predictor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(explanations_add_up),
        cmocka_unit_test(explained_vectors),
        cmocka_unit_test(explain_refuses),
        cmocka_unit_test(explained_lines),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
