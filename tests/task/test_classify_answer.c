/* A trained classifier in use: an answer has the same bits alone, among others and from C;
 * answering allocates nothing; and what cannot be answered is said, with its place. */
#include "classify_models.h"

#include "format/json.h"
#include "test_malloc.h"

/* --- the same bits --- */

static const char *const lines[] = {
    "a great film",
    "",
    "THE PLOT WAS AWFUL",
    "unheard words only",
    "   \t ",
    "great great great dull and middling, of it the film was a plot and it was uneven and lovely",
    "great",
    "so-so",
    "a great film",
    "\xc3\xa9t\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac fine",
    NULL};
enum { LINES = 10 };

/* Probabilities of the answers in JSON, by the number of the label, and that each names its line.
 */
static int read_answers(const elman_classifier *c, float p[][LABELS])
{
    int count = 0;
    for (char *line = strtok(t.text, "\n"); line; line = strtok(NULL, "\n"), count++) {
        elman_json *record;
        elman_json_limits limits = {.bytes = 1 << 16, .depth = 8};
        assert_ok(
            elman_json_parse(context, line, strlen(line), "answer", limits, &record, &problem));
        int64_t number = 0;
        assert_true(elman_json_to_integer(elman_json_get(record, "line"), 1, 1000, &number));
        assert_int_equal(number, count + 1);
        const elman_json *labels = elman_json_get(record, "labels");
        int32_t K = elman_classifier_labels(c);
        assert_int_equal(elman_json_size(labels), K);
        double before = 2;
        for (int32_t i = 0; i < K; i++) {
            const elman_json *one = elman_json_at(labels, (size_t)i);
            const char *name = elman_json_to_string(elman_json_get(one, "label"), NULL);
            double value = -1;
            assert_true(elman_json_to_real(elman_json_get(one, "probability"), 0, 1, &value));
            assert_true(value <= before);
            before = value;
            int32_t k = 0;
            while (strcmp(elman_classifier_label(c, k), name))
                k++;
            p[count][k] = (float)value;
            if (i == 0)
                assert_string_equal(elman_json_to_string(elman_json_get(record, "label"), NULL),
                                    name);
        }
        elman_json_free(record);
    }
    return count;
}

static void texts_alone_and_together(void **state)
{
    (void)state;
    need_models();
    for (int spelt = 0; spelt < 2; spelt++) {
        const char *folder = spelt ? spelt_folder : words_folder;
        elman_predictor *predictor = predictor_of(folder);
        elman_classifier *c = classifier_of(folder);
        const elman_predict_options o = json_options();
        float p[LINES][LABELS], q[LABELS];
        static const int together[] = {1, 2, 7, 100};
        assert_int_equal(elman_classifier_width(c), 0);
        for (int k = 0; k < 4; k++) {
            assert_ok(ask(predictor, &o, lines, together[k], &t, &problem));
            assert_int_equal(t.flushes, (LINES + together[k] - 1) / together[k]);
            assert_int_equal(read_answers(c, p), LINES);
            for (int i = 0; i < LINES; i++) {
                double sum = 0;
                assert_ok(elman_classifier_text(c, lines[i], strlen(lines[i]), q, &problem));
                assert_true(compare_bits(q, p[i], LABELS));
                for (int j = 0; j < LABELS; j++)
                    sum += (double)q[j];
                assert_true(fabs(sum - 1) < 1e-6);
            }
        }
        /* words that were never seen are all one word, unless they have characters */
        assert_int_equal(!memcmp(p[1], p[4], sizeof *p), 1);
        assert_true(memcmp(p[0], p[2], sizeof *p) != 0);
        assert_int_equal(!memcmp(p[0], p[8], sizeof *p), 1);
        elman_classifier_free(c);
        elman_predictor_free(predictor);
    }
}

/* As many lines as wait, more than are answered together. */
static void many_lines(void **state)
{
    (void)state;
    need_models();
    enum { MANY = 150 };
    static char text[MANY][40];
    const char *list[MANY + 1] = {NULL};
    elman_predictor *predictor = predictor_of(words_folder);
    elman_classifier *c = classifier_of(words_folder);
    static float p[MANY][LABELS];
    float q[LABELS];
    for (int i = 0; i < MANY; i++) {
        snprintf(text[i], sizeof text[i], "%s %s%s", i % 3 ? "great" : "dull", i % 5 ? "film " : "",
                 i % 7 ? "and plot" : "");
        list[i] = text[i];
    }
    const elman_predict_options o = json_options();
    assert_ok(ask(predictor, &o, list, 1000, &t, &problem));
    assert_int_equal(t.flushes, 3); /* 64, 64, 22 */
    assert_int_equal(read_answers(c, p), MANY);
    for (int i = 0; i < MANY; i++) {
        assert_ok(elman_classifier_text(c, text[i], strlen(text[i]), q, &problem));
        assert_true(compare_bits(q, p[i], LABELS));
    }
    elman_classifier_free(c);
    elman_predictor_free(predictor);
}

static void vectors_alone_and_together(void **state)
{
    (void)state;
    need_models();
    enum { WAVES = 9 };
    char text[WAVES][WAVE_T * 40];
    const char *list[WAVES + 1] = {NULL};
    float steps[WAVES][WAVE_T][WAVE_F], p[WAVES][LABELS], q[LABELS];
    const elman_predict_options o = json_options();
    for (int i = 0; i < WAVES; i++) {
        text[i][0] = 0;
        for (int s = 0; s < wave_length(i + 50); s++) {
            wave_step(i + 50, s, steps[i][s]);
            snprintf(text[i] + strlen(text[i]), 40, "%s%.9g; %.9g", s ? " ;" : "",
                     (double)steps[i][s][0], (double)steps[i][s][1]);
        }
        list[i] = text[i];
    }
    elman_predictor *predictor = predictor_of(wide_folder);
    elman_classifier *c = classifier_of(wide_folder);
    assert_int_equal(elman_classifier_width(c), WAVE_F);
    for (int together = 1; together < 12; together += 5) {
        assert_ok(ask(predictor, &o, list, together, &t, &problem));
        assert_int_equal(read_answers(c, p), WAVES);
        for (int i = 0; i < WAVES; i++) {
            assert_ok(elman_classifier_vectors(c, steps[i][0], wave_length(i + 50), q, &problem));
            assert_true(compare_bits(q, p[i], 2));
        }
    }
    elman_classifier_free(c);
    elman_predictor_free(predictor);
}

/* A line a step: answered when the sequence ends; columns by name, in any order. */
static void steps(void **state)
{
    (void)state;
    need_models();
    elman_predictor *predictor = predictor_of(long_folder);
    elman_classifier *c = classifier_of(long_folder);
    elman_predict_options o;
    elman_predict_options_default(&o);
    static const char *const forms[] = {"id,t,y,x,label", "x\ty\tnote\tid\tt", "y;id;x"};
    char expected[3][64];
    for (int i = 0; i < 3; i++) {
        float wave[WAVE_T][WAVE_F], p[2];
        for (int s = 0; s < wave_length(i); s++)
            wave_step(i, s, wave[s]);
        assert_ok(elman_classifier_vectors(c, wave[0], wave_length(i), p, &problem));
        int best = p[1] > p[0];
        snprintf(expected[i], sizeof expected[i], "w%d\t%s\t%.4f\n", i,
                 elman_classifier_label(c, best), (double)p[best]);
    }
    for (int form = 0; form < 3; form++) {
        static char text[32][96];
        const char *list[32] = {NULL};
        int n = 0;
        list[n++] = "";
        list[n++] = forms[form];
        for (int i = 0; i < 3; i++)
            for (int s = 0; s < wave_length(i); s++, n++) {
                float w[WAVE_F];
                wave_step(i, s, w);
                if (form == 0)
                    snprintf(text[n], 96, "w%d,%d,%.9g,%.9g,?", i, s, (double)w[1], (double)w[0]);
                else if (form == 1)
                    snprintf(text[n], 96, "%.9g\t%.9g\tx\tw%d\t%d", (double)w[0], (double)w[1], i,
                             s);
                else
                    snprintf(text[n], 96, "%.9g;w%d;%.9g", (double)w[1], i, (double)w[0]);
                list[n] = text[n];
            }
        assert_ok(ask(predictor, &o, list, 1, &t, &problem));
        assert_int_equal(t.flushes, 3);
        char all[200];
        snprintf(all, sizeof all, "%s%s%s", expected[0], expected[1], expected[2]);
        assert_string_equal(t.text, all);
    }
    elman_classifier_free(c);
    elman_predictor_free(predictor);
}

/* --- nothing is allocated --- */

static void allocates_nothing(void **state)
{
    (void)state;
    need_models();
    if (!test_malloc_works())
        skip();
    static const char *const folders[] = {words_folder, spelt_folder};
    for (int k = 0; k < 2; k++) {
        elman_classifier *c = classifier_of(folders[k]);
        float p[LABELS];
        assert_ok(elman_classifier_text(c, lines[5], strlen(lines[5]), p, &problem));
        assert_ok(elman_classifier_text(c, lines[5], strlen(lines[5]), p, &problem));
        size_t calls = test_malloc_calls();
        for (int round = 0; round < 3; round++)
            for (int i = 0; i < LINES - 1; i++)
                assert_ok(elman_classifier_text(c, lines[i], strlen(lines[i]), p, &problem));
        assert_int_equal(test_malloc_calls() - calls, 0);
        elman_classifier_free(c);
    }
    elman_classifier *c = classifier_of(wide_folder);
    float wave[WAVE_T][WAVE_F] = {{0}}, p[2];
    for (int i = 0; i < 2; i++)
        assert_ok(elman_classifier_vectors(c, wave[0], WAVE_T, p, &problem));
    size_t calls = test_malloc_calls();
    for (int T = 0; T <= WAVE_T; T++)
        assert_ok(elman_classifier_vectors(c, wave[0], T, p, &problem));
    assert_int_equal(test_malloc_calls() - calls, 0);
    elman_classifier_free(c);
}

/* --- what cannot be answered --- */

static void fails_at(const char *folder, const char *const *list, int together, elman_status status,
                     const char *part, int answers)
{
    elman_predictor *predictor = predictor_of(folder);
    elman_predict_options o;
    elman_predict_options_default(&o);
    elman_status found = ask(predictor, &o, list, together, &t, &problem);
    if (found != status || !strstr(problem.message, part))
        fail_msg("status %d, \"%s\", expected \"%s\"", (int)found, problem.message, part);
    int ends = 0;
    for (const char *at = t.text; *at; at++)
        ends += *at == '\n';
    assert_int_equal(ends, answers);
    elman_predictor_free(predictor);
}

static void wrong_lines(void **state)
{
    (void)state;
    need_models();
    for (int together = 1; together < 5; together++) {
        fails_at(words_folder, (const char *const[]){"fine", "a caf\xe9", "great", NULL}, together,
                 ELMAN_ERROR_FORMAT, "here: line 2: byte 6: found invalid UTF-8", 1);
        fails_at(wide_folder, (const char *const[]){"1,2,3,4", "1,2", "1,2,3", NULL}, together,
                 ELMAN_ERROR_DATA, "here: line 3: found 3 numbers, expected a multiple of 2", 2);
        fails_at(wide_folder, (const char *const[]){"1,2", "1,nan", NULL}, together,
                 ELMAN_ERROR_DATA, "here: line 2: column 2: found \"nan\", expected a number", 1);
        fails_at(wide_folder, (const char *const[]){"1,2", "", NULL}, together, ELMAN_ERROR_DATA,
                 "here: line 2: found 0 numbers", 1);
        fails_at(wide_folder, (const char *const[]){"1,2", "\"1", NULL}, together,
                 ELMAN_ERROR_FORMAT, "here: line 2", 1);
    }
    fails_at(wide_folder, (const char *const[]){"x0,y0", NULL}, 1, ELMAN_ERROR_DATA,
             "here: line 1: column 1: found \"x0\"", 0);
    fails_at(wide_folder, (const char *const[]){"1e39,1", NULL}, 1, ELMAN_ERROR_DATA,
             "found \"1e39\"", 0);
    fails_at(words_folder, (const char *const[]){NULL}, 1, ELMAN_OK, "", 0);
    fails_at(wide_folder, (const char *const[]){NULL}, 1, ELMAN_OK, "", 0);
    fails_at(long_folder, (const char *const[]){NULL}, 1, ELMAN_OK, "", 0);
    fails_at(long_folder, (const char *const[]){"", "", NULL}, 1, ELMAN_OK, "", 0);
    fails_at(long_folder, (const char *const[]){"id,x,y", NULL}, 1, ELMAN_OK, "", 0);
    fails_at(long_folder, (const char *const[]){"x,y", NULL}, 1, ELMAN_ERROR_DATA,
             "here: line 1: no column \"id\", expected a header with it", 0);
    fails_at(long_folder, (const char *const[]){"", "id,x,z", NULL}, 1, ELMAN_ERROR_DATA,
             "here: line 2: no column \"y\"", 0);
    fails_at(long_folder, (const char *const[]){"id,x,y", "a,1,2", "b,1,2", "b,1", NULL}, 1,
             ELMAN_ERROR_DATA, "here: line 4: found 2 columns, expected 3", 1);
    fails_at(long_folder, (const char *const[]){"id,x,y", "a,1,2,3", NULL}, 1, ELMAN_ERROR_DATA,
             "here: line 2: found 4 columns, expected 3", 0);
    fails_at(long_folder, (const char *const[]){"id,t,x,y", "a,1,2,3", "a,1,2,3", NULL}, 1,
             ELMAN_ERROR_DATA, "here: line 3: step \"1\" after 1, expected a later one", 0);
    fails_at(long_folder, (const char *const[]){"id,t,x,y", "a,,2,3", NULL}, 1, ELMAN_ERROR_DATA,
             "here: line 2: step \"\", expected a number", 0);
    fails_at(long_folder, (const char *const[]){"id,t,x,y", "a,1,2,3", "b,1,2,3", "b,2,,3", NULL},
             1, ELMAN_ERROR_DATA, "here: line 4: column 3: found \"\"", 1);
}

static void wrong_calls(void **state)
{
    (void)state;
    need_models();
    elman_classifier *words = classifier_of(words_folder), *wide = classifier_of(wide_folder);
    float p[LABELS], step[WAVE_F] = {1, 2};
    assert_int_equal(elman_classifier_vectors(words, step, 1, p, &problem), ELMAN_ERROR_ARGUMENT);
    assert_contains(problem.message, "reads text");
    assert_int_equal(elman_classifier_text(wide, "x", 1, p, &problem), ELMAN_ERROR_ARGUMENT);
    assert_contains(problem.message, "reads vectors of 2 numbers");
    assert_int_equal(elman_classifier_vectors(wide, step, -1, p, &problem), ELMAN_ERROR_ARGUMENT);
    step[1] = NAN;
    assert_int_equal(elman_classifier_vectors(wide, step, 1, p, &problem), ELMAN_ERROR_DATA);
    assert_contains(problem.message, "step 0, number 1: not a finite number");
    assert_null(elman_classifier_label(words, -1));
    assert_null(elman_classifier_label(words, LABELS));
    assert_int_equal(elman_classifier_labels(words), LABELS);
    elman_predictor *predictor = predictor_of(words_folder);
    elman_predict_options o;
    elman_predict_options_default(&o);
    o.top = 0;
    assert_int_equal(ask(predictor, &o, lines, 1, &t, &problem), ELMAN_ERROR_ARGUMENT);
    o.top = 1;
    o.size = 1;
    assert_int_equal(ask(predictor, &o, lines, 1, &t, &problem), ELMAN_ERROR_ARGUMENT);
    elman_predictor_free(predictor);
    elman_classifier_free(words);
    elman_classifier_free(wide);
    elman_classifier_free(NULL);
    elman_predictor_free(NULL);
}

static void top(void **state)
{
    (void)state;
    need_models();
    elman_predictor *predictor = predictor_of(words_folder);
    elman_predict_options o;
    elman_predict_options_default(&o);
    static const char *const one[] = {"great", NULL};
    for (int64_t k = 1; k < 6; k++) {
        int tabs = 0;
        o.top = k;
        assert_ok(ask(predictor, &o, one, 1, &t, &problem));
        for (const char *at = t.text; *at; at++)
            tabs += *at == '\t';
        assert_int_equal(tabs, 2 * (k < LABELS ? k : LABELS) - 1);
    }
    elman_predictor_free(predictor);
}

/* A line of a hundred thousand words, some of them long. */
static void very_long(void **state)
{
    (void)state;
    need_models();
    enum { WORDS = 100000 };
    size_t size = 0;
    char *line = malloc(WORDS * 12);
    for (int i = 0; i < WORDS; i++) {
        memcpy(line + size, i % 3 ? "great " : "a-film ", i % 3 ? 6 : 7);
        size += i % 3 ? 6 : 7;
    }
    float p[LABELS];
    elman_classifier *c = classifier_of(words_folder);
    assert_ok(elman_classifier_text(c, line, size, p, &problem));
    assert_true(isfinite(p[0]) && p[0] >= 0 && p[0] <= 1);
    memset(line, 'x', size);
    elman_status status = elman_classifier_text(c, line, size, p, &problem);
    assert_true(status == ELMAN_OK || status == ELMAN_ERROR_DATA);
    assert_ok(elman_classifier_text(c, "great", 5, p, &problem));
    elman_classifier_free(c);
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_alone_and_together),
        cmocka_unit_test(many_lines),
        cmocka_unit_test(vectors_alone_and_together),
        cmocka_unit_test(steps),
        cmocka_unit_test(allocates_nothing),
        cmocka_unit_test(wrong_lines),
        cmocka_unit_test(wrong_calls),
        cmocka_unit_test(top),
        cmocka_unit_test(very_long),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
