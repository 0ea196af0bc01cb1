/* Taggers in use: answers as lines come, the same alone and together, and what they are worth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "elman/elman.h"
#include "elman/metrics.h"
#include "elman/predict.h"
#include "elman/tag.h"
#include "tag_case.h"
#include "test_malloc.h"

static elman_context *context;

/* Lines that come in stretches: at '|' nothing more is there without waiting. */
typedef struct feed {
    const char *at;
    char line[1024];
    char out[8192];
    size_t used;
    int flushes;
    char seen[8192]; /* at each wait, what had been answered by then, with a | behind it */
} feed;

static elman_status read_line(void *user, const char **line, size_t *size, elman_error *error)
{
    feed *f = user;
    (void)error;
    if (*f->at == '|') {
        size_t seen = strlen(f->seen);
        snprintf(f->seen + seen, sizeof f->seen - seen, "%.4000s|", f->out);
        f->out[f->used = 0] = 0;
        f->at++;
    }
    *line = NULL;
    if (!*f->at)
        return ELMAN_OK;
    *size = strcspn(f->at, "\n");
    assert_true(*size < sizeof f->line);
    memcpy(f->line, f->at, *size);
    f->at += *size + 1;
    *line = f->line;
    return ELMAN_OK;
}

static bool is_ready(void *user)
{
    const feed *f = user;
    return *f->at != '|';
}

static elman_status write_out(void *user, const char *text, size_t size, elman_error *error)
{
    feed *f = user;
    (void)error;
    assert_true(f->used + size < sizeof f->out);
    memcpy(f->out + f->used, text, size);
    f->out[f->used += size] = 0;
    return ELMAN_OK;
}

static elman_status flush_out(void *user, elman_error *error)
{
    feed *f = user;
    (void)error;
    f->flushes++;
    return ELMAN_OK;
}

static elman_status run_with(elman_predictor *p, feed *f, const char *text, bool json,
                             elman_error *error)
{
    elman_predict_options options;
    elman_predict_options_default(&options);
    options.json = json;
    *f = (feed){.at = text};
    elman_lines lines = {f, "lines", read_line, is_ready, write_out, flush_out};
    return elman_predictor_run(p, &options, &lines, error);
}

static const char *answers(elman_predictor *p, feed *f, const char *text, bool json)
{
    elman_error error = {0};
    if (run_with(p, f, text, json, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    return f->out;
}

static elman_predictor *open_predictor(const char *folder)
{
    elman_predictor *p;
    elman_error error = {0};
    if (elman_predictor_open(context, in_root(folder), &p, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    return p;
}

static void lines_keep_their_columns(void **state)
{
    (void)state;
    feed f;
    elman_predictor *p = open_predictor("words");
    assert_string_equal(answers(p, &f,
                                "# text = that belare\n"
                                "1\tthat\t_\t_\t_\t_\t_\t_\t_\t_\n"
                                "2-3\tbelare\t_\t_\t_\t_\t_\t_\t_\t_\n"
                                "2\tbelbelare\t_\t_\t_\t_\t_\t_\t_\t_\n"
                                "2.1\tx\t_\t_\t_\t_\t_\t_\t_\t_\n"
                                "3\tdorfinly\t_\t_\t_\t_\t_\t_\t_\t_\n",
                                false),
                        "# text = that belare\n"
                        "1\tthat\t_\t_\t_\t_\t_\t_\t_\t_\tPRON\n"
                        "2-3\tbelare\t_\t_\t_\t_\t_\t_\t_\t_\t_\n"
                        "2\tbelbelare\t_\t_\t_\t_\t_\t_\t_\t_\tVERB\n"
                        "2.1\tx\t_\t_\t_\t_\t_\t_\t_\t_\t_\n"
                        "3\tdorfinly\t_\t_\t_\t_\t_\t_\t_\t_\tADV\n\n");
    assert_string_equal(answers(p, &f, "that\nbelbelo\n\n\n\ndorfinly\n", false),
                        "that\tDET\nbelbelo\tNOUN\n\ndorfinly\tADV\n\n");
    assert_string_equal(answers(p, &f, "-DOCSTART- -X-\n\nthat a b\r\nbelbelo  c d\n", false),
                        "-DOCSTART- -X-\n\nthat a b DET\nbelbelo  c d NOUN\n\n");
    assert_string_equal(answers(p, &f, "", false), "");
    elman_predictor *folding = open_predictor("folding");
    assert_string_equal(answers(folding, &f, "THAT\nbelbelo\n", false),
                        "THAT\tDET\nbelbelo\tNOUN\n\n");
    elman_predictor_free(folding);
    assert_string_equal(answers(p, &f, "# nothing\n", false), "# nothing\n\n");
    elman_predictor_free(p);
}

static void records_are_one_a_sentence(void **state)
{
    (void)state;
    feed f;
    elman_predictor *p = open_predictor("words");
    const char *out = answers(p, &f, "that\nbelbelo\n\n# c\ndor\"ly\n", true);
    static const char first[] =
        "{\"words\":[\"that\",\"belbelo\"],\"tags\":[\"DET\",\"NOUN\"],\"probabilities\":[";
    assert_memory_equal(out, first, sizeof first - 1);
    assert_non_null(strstr(out, "]}\n{\"words\":[\"dor\\\"ly\"],\"tags\":[\"ADV\"]"));
    elman_predictor_free(p);
}

/* What waits is answered before anything is waited for, and together otherwise. */
static void answers_at_once(void **state)
{
    (void)state;
    feed f;
    elman_predictor *p = open_predictor("words");
    answers(p, &f, "belare\n\n|belly\n|\n|that\nbello\n\nbelly\n\nbel|\n", false);
    assert_string_equal(f.seen, "belare\tVERB\n\n||belly\tADV\n\n|");
    assert_string_equal(f.out, "that\tDET\nbello\tNOUN\n\nbelly\tADV\n\nbel|\tNOUN\n\n");
    assert_int_equal(f.flushes, 3);
    /* whatever stands before a mistake */
    elman_error error = {0};
    assert_int_equal(run_with(p, &f, "belly\n\nbelly\nb c\n", false, &error), ELMAN_ERROR_FORMAT);
    assert_string_equal(f.out, "belly\tADV\n\n");
    assert_non_null(strstr(error.message, "lines: line 4: found 2 columns"));
    assert_int_equal(run_with(p, &f, "bel\377ly\n", false, &error), ELMAN_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "lines: line 1, byte 4"));
    elman_predictor_free(p);
}

static void rows_of_vectors(void **state)
{
    (void)state;
    feed f;
    elman_error error = {0};
    elman_predictor *p = open_predictor("vectors");
    static const char expected[] = "clip,step,x,y,tag\na,0,-0.9,0.5,none\na,1,0.9,0.2,left\n"
                                   "b,0,0.8,0,none\nb,5,0.1,0,right\n";
    assert_string_equal(answers(p, &f,
                                "clip,step,x,y\na,0,-0.9,0.5\na,1,0.9,0.2\nb,0,0.8,0\n"
                                "b,5,0.1,0\n",
                                false),
                        expected);
    /* a header with an empty cell; a delimiter that an empty line does not settle */
    assert_string_equal(answers(p, &f, ",step,clip,y\n0.5,0,a,-0.9\n", false),
                        ",step,clip,y,tag\n0.5,0,a,-0.9,none\n");
    assert_string_equal(answers(p, &f, "\nclip;step;x;y\na;0;-0.9;0.5\n", false),
                        "\nclip;step;x;y;tag\na;0;-0.9;0.5;none\n");
    /* sequence and step are found by their names; a label that stands there is not read */
    assert_string_equal(
        answers(p, &f, "step;x;label;clip;y\n0;-0.9;?;a;0.5\n1;0.9;?;a;0.2\n", false),
        "step;x;label;clip;y;tag\n0;-0.9;?;a;0.5;none\n1;0.9;?;a;0.2;left\n");
    /* a sequence is over where another begins, or at an empty line */
    answers(p, &f, "clip,step,x,y\na,0,-0.9,0.5\na,1,0.9,0.2\nb,0,0.8,0\n|\n|b,0,0.8,0\n", false);
    assert_string_equal(f.seen, "clip,step,x,y,tag\na,0,-0.9,0.5,none\na,1,0.9,0.2,left\n|"
                                "b,0,0.8,0,none\n\n|");
    assert_string_equal(f.out, "b,0,0.8,0,none\n");
    const char *out = answers(p, &f, "clip,step,x,y\na,0,-0.9,0.5\n", true);
    assert_memory_equal(out, "{\"sequence\":\"a\",\"tags\":[\"none\"],\"probabilities\":[0.", 51);
    static const struct {
        const char *text, *what;
    } bad[] = {
        {"clip,step,x\na,0,1\n", "lines: line 1: found 1 columns of numbers, expected 2"},
        {"clip,step,x,y\na,0,1\n", "lines: line 2: found 3 columns, expected 4 as before"},
        {"clip,step,x,y\na,0,1,nan\n", "line 2: column 4: found \"nan\", expected a number"},
        {"clip,step,x,y\na,0,1,1e99\n", "line 2: column 4: found \"1e99\""},
        {"clip,step,x,y\na,1,1,2\na,1,1,2\n", "line 3: column 2: found step \"1\""},
        {"step,x,y\n1,1,2\n", "line 1: found no column clip"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(run_with(p, &f, bad[i].text, false, &error), ELMAN_ERROR_DATA);
        if (!strstr(error.message, bad[i].what))
            fail_msg("found %s, expected %s", error.message, bad[i].what);
    }
    elman_predictor_free(p);
}

/* Law 1: what else is in the batch changes no bit, of words known, unknown and long. */
static void same_alone_and_together(void **state)
{
    (void)state;
    elman_tagger *t;
    elman_error error = {0};
    feed f;
    char text[4096] = "", expected[8192] = "", longest[401];
    memset(longest, 'x', 400);
    longest[400] = 0;
    assert_int_equal(elman_tagger_open(context, in_root("crf"), &t, &error), ELMAN_OK);
    uint32_t r = 9;
    for (int s = 0; s < 30; s++) {
        const char *known[] = {"that", "belbelo", "dorare", "zzz", longest, "\303\251t\303\251"};
        const char *words[12];
        int32_t tags[12];
        int64_t n = 1 + draw(&r, 6);
        strcat(expected, "{\"words\":[");
        for (int64_t i = 0; i < n; i++) {
            words[i] = known[s == 7 && i == 0 ? 4 : (int)draw(&r, 4)];
            if (draw(&r, 9) == 0)
                words[i] = known[5];
            sprintf(text + strlen(text), "%s\n", words[i]);
            sprintf(expected + strlen(expected), "%s\"%s\"", i ? "," : "", words[i]);
        }
        strcat(text, "\n");
        assert_int_equal(elman_tagger_words(t, words, n, tags, &error), ELMAN_OK);
        const float *p = elman_tagger_probabilities(t);
        strcat(expected, "],\"tags\":[");
        for (int64_t i = 0; i < n; i++)
            sprintf(expected + strlen(expected), "%s\"%s\"", i ? "," : "",
                    elman_tagger_tag(t, tags[i]));
        strcat(expected, "]");
        for (int64_t i = 0; i < n; i++) {
            float sum = 0;
            for (int32_t k = 0; k < elman_tagger_tags(t); k++)
                sum += p[i * elman_tagger_tags(t) + k];
            assert_true(sum > 0.9999F && sum < 1.0001F);
        }
    }
    elman_predictor *p = open_predictor("crf");
    const char *out = answers(p, &f, text, true);
    /* all but the probabilities, whose bits the next test compares */
    const char *at = expected;
    for (int s = 0; s < 30; s++) {
        size_t size = strcspn(at, "]");
        size += 1 + strcspn(at + size + 1, "]") + 1;
        assert_memory_equal(out, at, size);
        at += size;
        out = strchr(out, '\n') + 1;
    }
    elman_predictor_free(p);
    elman_tagger_free(t);
}

static void evaluates(void **state)
{
    (void)state;
    elman_error error = {0};
    elman_metrics m = {0};
    elman_predictor *p = open_predictor("crf");
    assert_int_equal(elman_predictor_eval(p, NULL, 0, false, &m, &error), ELMAN_OK);
    assert_string_equal(m.values[0].name, "loss");
    double recorded = *elman_metrics_find(&m, "accuracy");
    assert_true(recorded > 0.95);
    assert_non_null(elman_metrics_find(&m, "f1"));
    assert_non_null(elman_metrics_find(&m, "accuracy_unknown"));
    const elman_metrics_table *tags = elman_metrics_find_table(&m, "tags");
    assert_non_null(tags);
    assert_int_equal(tags->rows, 5);
    elman_metrics_clear(context, &m);
    const char *paths[] = {in_root("two.conllu")};
    write_file(paths[0], "belare VERB\nzly VERB\n\nbello NOUN\n");
    assert_int_equal(elman_predictor_eval(p, paths, 1, false, &m, &error), ELMAN_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "label: found UPOS"));
    elman_metrics_clear(context, &m);
    elman_predictor_free(p);
    p = open_predictor("words");
    assert_int_equal(elman_predictor_eval(p, paths, 1, false, &m, &error), ELMAN_OK);
    assert_true(*elman_metrics_find(&m, "accuracy") == 2.0 / 3.0);
    elman_metrics_clear(context, &m);
    write_file(paths[0], "belare VERB\n\nbello WORD\n");
    assert_int_equal(elman_predictor_eval(p, paths, 1, false, &m, &error), ELMAN_ERROR_DATA);
    assert_non_null(strstr(error.message, "two.conllu: line 3: label \"WORD\" is none of the 5"));
    write_file(paths[0], "belare _\n");
    assert_int_equal(elman_predictor_eval(p, paths, 1, false, &m, &error), ELMAN_ERROR_DATA);
    assert_int_equal(elman_predictor_eval(p, NULL, 0, true, &m, &error), ELMAN_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "without a test part"));
    elman_metrics_clear(context, &m);
    elman_predictor_free(p);
}

/* The loss is that of the labels, whatever order the lengths are in. */
static void loss_is_of_the_labels(void **state)
{
    (void)state;
    static const char *const words[] = {"that", "belbelo", "dorare", "finly", "gally"};
    static const char *const labels[] = {"DET", "NOUN", "VERB", "ADV", "NOUN"};
    elman_tagger *t;
    elman_error error = {0};
    elman_metrics m = {0};
    const char *path = in_root("ragged.txt");
    FILE *f = fopen(path, "w");
    double sum = 0;
    int count = 0;
    assert_int_equal(elman_tagger_open(context, in_root("words"), &t, &error), ELMAN_OK);
    for (int64_t n = 1; n <= 5; n++) {
        int32_t tags[5], K = elman_tagger_tags(t);
        assert_int_equal(elman_tagger_words(t, words + 5 - n, n, tags, &error), ELMAN_OK);
        for (int64_t i = 0; i < n; i++, count++) {
            const char *label = labels[5 - n + i];
            fprintf(f, "%s %s\n", words[5 - n + i], label);
            for (int32_t k = 0; k < K; k++)
                if (!strcmp(elman_tagger_tag(t, k), label))
                    sum -= log((double)elman_tagger_probabilities(t)[i * K + k]);
        }
        fputs("\n", f);
    }
    fclose(f);
    elman_tagger_free(t);
    elman_predictor *p = open_predictor("words");
    assert_int_equal(elman_predictor_eval(p, &path, 1, false, &m, &error), ELMAN_OK);
    assert_true(fabs(m.values[0].value - sum / count) < 1e-5);
    elman_metrics_clear(context, &m);
    elman_predictor_free(p);
}

/* An answer like one before takes no memory. */
static void answers_without_allocating(void **state)
{
    (void)state;
    if (!test_malloc_works())
        skip();
    elman_tagger *t;
    elman_error error = {0};
    const char *words[] = {"that", "belbelo", "dorfinare", "belly"};
    int32_t tags[4];
    assert_int_equal(elman_tagger_open(context, in_root("crf"), &t, &error), ELMAN_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(elman_tagger_words(t, words, 4, tags, &error), ELMAN_OK);
    size_t before = test_malloc_calls();
    assert_int_equal(elman_tagger_words(t, words, 4, tags, &error), ELMAN_OK);
    assert_int_equal(elman_tagger_words(t, words + 1, 2, tags, &error), ELMAN_OK);
    assert_int_equal(test_malloc_calls() - before, 0);
    elman_tagger_free(t);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    if (!test_malloc_works())
        skip();
    const char *words[] = {"that", "belbelo"};
    int32_t tags[2];
    size_t live = test_malloc_live(), n = 1;
    for (;; n++) {
        elman_tagger *t = NULL;
        elman_error error = {0};
        test_malloc_fail_at(n);
        elman_status status = elman_tagger_open(context, in_root("crf"), &t, &error);
        if (status == ELMAN_OK)
            status = elman_tagger_words(t, words, 2, tags, &error);
        bool failed = test_malloc_failed();
        test_malloc_fail_at(0);
        elman_tagger_free(t);
        assert_int_equal(test_malloc_live(), live);
        if (!failed)
            break;
        if (status != ELMAN_OK)
            assert_int_equal(status, ELMAN_ERROR_MEMORY);
    }
    print_message("%zu allocations\n", n - 1);
    assert_true(n > 50);
}

/* Whatever allocation of predicting fails: each line is answered as ever or not at all, and no
 * sentence or sequence in part. */
static void predicting_when_memory_runs_out(void **state)
{
    (void)state;
    if (!test_malloc_works())
        skip();
    static const char *const texts[] = {
        "that\nbelbelo\n\ndorfinly\n\nbelare\ngalhumly\n",
        "clip,step,x,y\na,0,-0.9,0.5\na,1,0.9,0.2\nb,0,0.8,0\nb,5,0.1,0\n",
    };
    for (int vectors = 0; vectors < 2; vectors++)
        for (int json = 0; json < 2; json++) {
            const char *folder = vectors ? "vectors" : "words";
            feed whole, f;
            elman_predictor *p = open_predictor(folder);
            answers(p, &whole, texts[vectors], json);
            elman_predictor_free(p);
            size_t n = 1;
            for (;; n++) {
                elman_error error = {0};
                p = open_predictor(folder);
                test_malloc_fail_at(n);
                elman_status status = run_with(p, &f, texts[vectors], json, &error);
                bool failed = test_malloc_failed();
                test_malloc_fail_at(0);
                elman_predictor_free(p);
                assert_memory_equal(f.out, whole.out, f.used);
                if (status == ELMAN_OK)
                    assert_int_equal(f.used, whole.used);
                else
                    assert_int_equal(status, ELMAN_ERROR_MEMORY);
                if (!failed)
                    break;
            }
            print_message("%s: %zu allocations\n", folder, n - 1);
            assert_true(n > 20);
        }
}

/* Weights that are no numbers answer nothing. */
static void damaged_weights_do_not_answer(void **state)
{
    (void)state;
    static const char *const folders[] = {"words", "crf"};
    for (int i = 0; i < 2; i++) {
        feed f;
        elman_error error = {0};
        elman_metrics m = {0};
        char command[600], path[300];
        snprintf(command, sizeof command, "rm -rf '%s'; cp -r '%s' '%s'", in_root("damaged"),
                 in_root(folders[i]), in_root("damaged"));
        assert_int_equal(system(command), 0);
        snprintf(path, sizeof path, "%s/model.safetensors", in_root("damaged"));
        FILE *file = fopen(path, "r+b");
        assert_non_null(file);
        uint64_t header;
        const uint32_t nan = 0x7fc00000;
        assert_int_equal(fread(&header, sizeof header, 1, file), 1);
        assert_int_equal(fseek(file, 0, SEEK_END), 0);
        long end = ftell(file);
        assert_int_equal(fseek(file, (long)(sizeof header + header), SEEK_SET), 0);
        for (long at = ftell(file); at < end; at += (long)sizeof nan)
            assert_int_equal(fwrite(&nan, sizeof nan, 1, file), 1);
        assert_int_equal(fclose(file), 0);
        elman_predictor *p = open_predictor("damaged");
        for (int json = 0; json < 2; json++) {
            assert_int_equal(run_with(p, &f, "that\nbelbelo\n", json, &error), ELMAN_ERROR_NUMERIC);
            assert_non_null(strstr(error.message, "weights are damaged"));
            assert_string_equal(f.out, "");
        }
        assert_int_equal(elman_predictor_eval(p, NULL, 0, false, &m, &error), ELMAN_ERROR_NUMERIC);
        elman_metrics_clear(context, &m);
        elman_predictor_free(p);
    }
}

static void labels_of_vectors_are_found_at_their_lines(void **state)
{
    (void)state;
    elman_error error = {0};
    elman_metrics m = {0};
    const char *path = in_root("unknown.csv");
    write_file(path, "clip,step,x,y,label\na,0,0.1,0.2,none\na,1,0.1,0.2,up\n");
    elman_predictor *p = open_predictor("vectors");
    assert_int_equal(elman_predictor_eval(p, &path, 1, false, &m, &error), ELMAN_ERROR_DATA);
    assert_non_null(strstr(error.message, "unknown.csv: line 3: label \"up\" is none of the 3"));
    elman_metrics_clear(context, &m);
    elman_predictor_free(p);
}

static void mistakes_of_callers(void **state)
{
    (void)state;
    elman_tagger *t;
    elman_error error = {0};
    const char *words[] = {"that", ""};
    float steps[4] = {0.5F, 0, -0.5F, 1};
    int32_t tags[2];
    assert_int_equal(elman_tagger_open(context, in_root("words"), &t, &error), ELMAN_OK);
    assert_null(elman_tagger_probabilities(t));
    assert_int_equal(elman_tagger_width(t), 0);
    assert_int_equal(elman_tagger_words(t, words, 2, tags, &error), ELMAN_ERROR_ARGUMENT);
    assert_int_equal(elman_tagger_vectors(t, steps, 2, tags, &error), ELMAN_ERROR_ARGUMENT);
    assert_int_equal(elman_tagger_words(t, words, 0, tags, &error), ELMAN_OK);
    assert_null(elman_tagger_tag(t, 5));
    assert_null(elman_tagger_tag(t, -1));
    elman_tagger_free(t);
    assert_int_equal(elman_tagger_open(context, in_root("vectors"), &t, &error), ELMAN_OK);
    assert_int_equal(elman_tagger_width(t), 2);
    assert_int_equal(elman_tagger_vectors(t, steps, 2, tags, &error), ELMAN_OK);
    assert_string_equal(elman_tagger_tag(t, tags[0]), "none");
    assert_string_equal(elman_tagger_tag(t, tags[1]), "right");
    steps[3] = (float)(1e30 * 1e30);
    assert_int_equal(elman_tagger_vectors(t, steps, 2, tags, &error), ELMAN_ERROR_DATA);
    assert_int_equal(elman_tagger_vectors(t, NULL, 0, NULL, &error), ELMAN_OK);
    elman_tagger_free(t);
    elman_tagger_free(NULL);
    assert_int_equal(elman_tagger_open(context, in_root("no-model"), &t, &error), ELMAN_ERROR_IO);
    assert_non_null(strstr(error.message, "no-model: no such model"));
}

static int setup(void **state)
{
    if (make_root(state))
        return 1;
    elman_config config;
    write_sentences(in_root("train.conllu"), 300, 1);
    write_vectors(in_root("train.csv"), 300, 2);
    tiny(&config);
    tag_run run = {.data = in_root("train.conllu"), .folder = in_root("words"), .config = &config};
    train_or_fail(&run);
    config.crf = true;
    config.min_count = 2;
    config.fold_case = true;
    strcpy(config.label, "UPOS");
    run.folder = in_root("crf");
    train_or_fail(&run);
    tiny(&config);
    config.fold_case = true;
    config.char_hidden = 0;
    run.folder = in_root("folding");
    train_or_fail(&run);
    tiny(&config);
    config.dropout = 0;
    strcpy(config.sequence_column, "clip");
    strcpy(config.step_column, "step");
    run.data = in_root("train.csv");
    run.folder = in_root("vectors");
    train_or_fail(&run);
    return elman_context_create(NULL, &context, NULL) != ELMAN_OK;
}

static int teardown(void **state)
{
    elman_context_free(context);
    return remove_root(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_keep_their_columns),
        cmocka_unit_test(records_are_one_a_sentence),
        cmocka_unit_test(answers_at_once),
        cmocka_unit_test(rows_of_vectors),
        cmocka_unit_test(same_alone_and_together),
        cmocka_unit_test(evaluates),
        cmocka_unit_test(loss_is_of_the_labels),
        cmocka_unit_test(answers_without_allocating),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(mistakes_of_callers),
        cmocka_unit_test(predicting_when_memory_runs_out),
        cmocka_unit_test(damaged_weights_do_not_answer),
        cmocka_unit_test(labels_of_vectors_are_found_at_their_lines),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
