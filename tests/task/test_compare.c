/* Variants side by side: the figures of several runs, the budgets, and that a comparison that was
 * stopped, or is asked for again, comes to the same. */
#include "../data/data_support.h"

#include <float.h>
#include <math.h>

#include "base/file.h"
#include "base/memory.h"
#include "elman/elman.h"
#include "task/compare_impl.h"

/* --- arithmetic --------------------------------------------------------------------------- */

static void statistic(void **state)
{
    (void)state;
    const double values[] = {2, NAN, 4, 9};
    elman_compare_statistic s = elman_compare_statistic_of(values, 4);
    assert_int_equal(s.count, 3);
    assert_true(s.mean == 5 && s.least == 2 && s.most == 9);
    assert_true(fabs(s.deviation - sqrt(13)) < 1e-15); /* (9 + 1 + 16) / 2 */
    s = elman_compare_statistic_of(values, 2);
    assert_true(s.count == 1 && s.mean == 2 && s.least == 2 && s.most == 2 && isnan(s.deviation));
    s = elman_compare_statistic_of(values + 1, 1);
    assert_true(s.count == 0 && isnan(s.mean) && isnan(s.least) && isnan(s.most));
    assert_true(elman_compare_statistic_of(NULL, 0).count == 0);
}

static void median(void **state)
{
    (void)state;
    enum { B = ELMAN_COMPARE_BEYOND, U = ELMAN_COMPARE_UNMEASURED };
    static const struct {
        int64_t list[4], count, expected;
    } cases[] = {{{7, 3, 5}, 3, 5}, {{9, 3}, 2, 3},       {{B, 3, 5}, 3, 5},   {{B, 3, B}, 3, B},
                 {{U, 8}, 2, 8},    {{U, U}, 2, U},       {{0}, 0, U},         {{4, B}, 2, 4},
                 {{B}, 1, B},       {{1, 2, 3, 4}, 4, 2}, {{0, U, B, 0}, 4, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t list[4];
        memcpy(list, cases[i].list, sizeof list);
        assert_int_equal(elman_compare_median(list, cases[i].count), cases[i].expected);
    }
}

#define PENDING  ELMAN_COMPARE_PENDING
#define FINISHED ELMAN_COMPARE_FINISHED
#define SOLVED   ELMAN_COMPARE_SOLVED
#define DIVERGED ELMAN_COMPARE_DIVERGED

static elman_compare_run run_of(int variant, elman_compare_outcome outcome, double score,
                                int64_t steps)
{
    return (elman_compare_run){.variant = variant,
                               .outcome = outcome,
                               .score = score,
                               .loss = score,
                               .value = NAN,
                               .steps = steps,
                               .memory_before = steps,
                               .memory_after = ELMAN_COMPARE_UNMEASURED};
}

static void summaries(const elman_compare_run *runs, int64_t count, elman_compare_summary *s,
                      int variants)
{
    elman_context *context;
    memset(s, 0, sizeof *s * (size_t)variants);
    assert_ok(elman_context_create(NULL, &context, NULL));
    assert_ok(elman_compare_summarise(context, runs, count, s, variants, &problem));
    elman_context_free(context);
}

static void best(void **state)
{
    (void)state;
    elman_compare_summary s[3];
    /* the least mean; whose ranges overlap with it is level */
    const elman_compare_run by_score[] = {run_of(0, FINISHED, 3, 9),   run_of(1, FINISHED, 1, 9),
                                          run_of(2, FINISHED, 2.5, 9), run_of(0, FINISHED, 5, 9),
                                          run_of(1, FINISHED, 2, 9),   run_of(2, FINISHED, 1.5, 9)};
    summaries(by_score, 6, s, 3);
    assert_true(!s[0].best && s[1].best && !s[2].best);
    assert_true(!s[0].level && !s[1].level && s[2].level);
    assert_true(s[0].loss.mean == 4 && s[0].runs == 2 && s[0].memory_before == 9);
    assert_int_equal(s[0].memory_after, ELMAN_COMPARE_UNMEASURED);
    /* a diverged run counts in no mean, and against its variant */
    const elman_compare_run diverging[] = {run_of(0, FINISHED, 1, 9), run_of(1, FINISHED, 2, 9),
                                           run_of(0, DIVERGED, 0, 4), run_of(1, FINISHED, 2, 9)};
    summaries(diverging, 4, s, 2);
    assert_true(s[1].best && !s[0].best && !s[0].level && s[0].diverged == 1);
    assert_true(s[0].loss.mean == 1 && s[0].loss.count == 1);
    /* more solved; then, all having solved it, fewer steps */
    const elman_compare_run solving[] = {run_of(0, SOLVED, 2, 100), run_of(1, SOLVED, 1, 300),
                                         run_of(2, SOLVED, 2, 10),  run_of(0, SOLVED, 2, 200),
                                         run_of(1, SOLVED, 1, 150), run_of(2, FINISHED, 0, 900)};
    summaries(solving, 6, s, 3);
    assert_true(s[0].best && s[1].level && !s[2].best && !s[2].level);
    assert_true(s[0].steps.mean == 150 && s[2].steps.mean == 10 && s[2].solved == 1);
    /* stopped: both have solved it once, but one has runs that did not; updates are no score */
    const elman_compare_run halfway[] = {run_of(0, SOLVED, 0.1, 100), run_of(1, SOLVED, 0.2, 900),
                                         run_of(1, FINISHED, 0.9, 9)};
    summaries(halfway, 3, s, 2);
    assert_true(s[0].best && !s[1].best && !s[1].level);
    /* of equal scores the loss decides */
    elman_compare_run equal[] = {run_of(0, FINISHED, 0.5, 9), run_of(1, FINISHED, 0.5, 9)};
    equal[0].loss = 0.7;
    summaries(equal, 2, s, 2);
    assert_true(s[1].best && s[0].level);
    /* what was not run counts for nothing; nothing is best of what has no figure */
    const elman_compare_run stopped[] = {run_of(0, FINISHED, NAN, 9), run_of(1, PENDING, 0, 0)};
    summaries(stopped, 2, s, 2);
    assert_true(!s[0].best && !s[1].best && s[0].runs == 1 && s[1].runs == 0);
}

static void budget(void **state)
{
    (void)state;
    const int64_t own[] = {500, 200, 300};
    assert_int_equal(elman_compare_least(0, own, 3), 200);
    assert_int_equal(elman_compare_least(1000, own, 3), 1000);
    assert_int_equal(elman_compare_least(0, own, 1), 500);
    /* the first updates are slow, and say nothing of the others */
    const double clock[] = {5, 7, 8, 9, 10};
    assert_int_equal(elman_compare_fit(60, clock, 5, 1), 60);
    assert_int_equal(elman_compare_fit(0.5, clock, 5, 1), 1);
    assert_int_equal(elman_compare_fit(60, clock, 2, 2), 1); /* it diverged at once */
    assert_int_equal(elman_compare_fit(60, clock, 0, 2), 1);
    const double still[] = {1, 1, 1, 1};
    assert_int_equal(elman_compare_fit(60, still, 4, 1), INT64_C(1000000000000));
}

/* --- comparisons -------------------------------------------------------------------------- */

static elman_compare_variant variants[3];

/* Two that learn a little and one that diverges. */
static void make_variants(void)
{
    for (int v = 0; v < 3; v++) {
        elman_config *c = &variants[v].config;
        elman_config_default_for(c, "probe");
        strcpy(c->lag, "6");
        c->hidden = 5;
        c->batch = 4;
        c->eval_every = 10;
        c->stop_at = 0;
    }
    variants[0].name = "gru";
    variants[0].config.cell = ELMAN_CELL_GRU;
    variants[1].name = "rnn";
    variants[1].config.cell = ELMAN_CELL_RNN;
    variants[2].name = "wild";
    variants[2].config.cell = ELMAN_CELL_RNN_RELU;
    variants[2].config.optimizer = ELMAN_OPTIMIZER_SGD;
    variants[2].config.lr = 1000;
    variants[2].config.clip = 0;
}

static volatile sig_atomic_t stop_flag;

typedef struct seen {
    int64_t begun, ended, steps, stop_after; /* stop_after: updates in all; 0: never */
} seen;

static void watch(void *user, const elman_compare_progress *p)
{
    seen *s = user;
    s->begun += p->event == ELMAN_COMPARE_BEGIN;
    s->ended += p->event == ELMAN_COMPARE_END;
    s->steps += p->event == ELMAN_COMPARE_TRAIN && p->train->event == ELMAN_EVENT_STEP;
    if (s->stop_after && s->steps >= s->stop_after)
        stop_flag = 1;
}

static elman_compare_request request_into(const char *folder, seen *s)
{
    elman_compare_request r;
    elman_compare_request_default(&r);
    r.task = "probe";
    r.variants = variants;
    r.variant_count = 3;
    r.seeds = 2;
    r.updates = 25;
    r.output = folder;
    r.progress = watch;
    r.user = s;
    r.stop = &stop_flag;
    return r;
}

static elman_status compare(const elman_compare_request *request, int threads,
                            elman_comparison *comparison, elman_context **context)
{
    elman_context_options options;
    elman_context_options_default(&options);
    options.threads = threads;
    assert_ok(elman_context_create(&options, context, NULL));
    return elman_compare(*context, request, comparison, &problem);
}

static bool same_number(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* All but what the clock says, and where exactly a run diverged. */
static void assert_same(const elman_comparison *a, const elman_comparison *b)
{
    assert_int_equal(a->run_count, b->run_count);
    assert_string_equal(a->metric, b->metric);
    for (int64_t i = 0; i < a->run_count; i++) {
        const elman_compare_run *x = &a->runs[i], *y = &b->runs[i];
        assert_int_equal(x->outcome, y->outcome);
        /* saving looks at the weights, and so finds what is not finite one update earlier */
        if (x->outcome != DIVERGED)
            assert_int_equal(x->steps, y->steps);
        assert_true(same_number(x->loss, y->loss) && same_number(x->value, y->value) &&
                    same_number(x->score, y->score));
        assert_int_equal(x->memory_before, y->memory_before);
        assert_int_equal(x->memory_after, y->memory_after);
        assert_int_equal(x->points, y->points);
        for (int64_t p = 0; p < x->points; p++)
            assert_true(x->curve[p].step == y->curve[p].step &&
                        x->curve[p].loss == y->curve[p].loss &&
                        same_number(x->curve[p].value, y->curve[p].value));
    }
    for (int v = 0; v < a->variant_count; v++) {
        assert_int_equal(a->variants[v].best, b->variants[v].best);
        assert_int_equal(a->variants[v].level, b->variants[v].level);
        assert_int_equal(a->variants[v].parameters, b->variants[v].parameters);
        assert_true(same_number(a->variants[v].loss.deviation, b->variants[v].loss.deviation));
    }
}

/* Whatever the threads; stopped in each run and gone on with; asked for again; the same. */
static void the_same(void **state)
{
    (void)state;
    elman_comparison whole = {0}, other = {0}, again = {0};
    elman_context *one, *two, *three;
    seen s = {0};
    elman_compare_request r = request_into(test_path("whole"), &s);
    assert_ok(compare(&r, 1, &whole, &one));
    assert_int_equal(s.begun, 6);
    assert_int_equal(s.ended, 6);
    assert_string_equal(whole.metric, "r2");
    assert_false(whole.solvable);
    for (int64_t i = 0; i < 6; i++) {
        const elman_compare_run *run = &whole.runs[i];
        assert_int_equal(run->variant, i % 3);
        assert_int_equal(run->seed, i / 3);
        assert_false(run->found);
        assert_int_equal(run->outcome,
                         i % 3 == 2 ? ELMAN_COMPARE_DIVERGED : ELMAN_COMPARE_FINISHED);
        assert_true(run->points == 3 || i % 3 == 2); /* at 10, 20, 25 */
        assert_true(run->loss < 10 || i % 3 == 2);
        assert_true(run->memory_before > 0 || run->memory_before == ELMAN_COMPARE_BEYOND);
        assert_true(run->lags > 0);
    }
    assert_non_null(strstr(whole.runs[2].message, "not finite"));
    assert_int_equal(whole.variants[2].diverged, 2);
    assert_int_equal(whole.variants[2].loss.count, 0);
    assert_true(whole.runs[0].loss != whole.runs[3].loss); /* seeds matter */
    assert_false(whole.variants[2].best || whole.variants[2].level);

    /* two threads, stopped after 8 updates each time */
    elman_status status;
    int stops = -1;
    seen rest = {.stop_after = 8};
    r = request_into(test_path("rest"), &rest);
    do {
        rest.steps = 0;
        stop_flag = 0;
        elman_comparison_clear(one, &other);
        status = compare(&r, 2, &other, &two);
        if (status == ELMAN_ERROR_INTERRUPTED) {
            assert_non_null(strstr(problem.message, "the same command goes on"));
            elman_comparison_clear(two, &other);
            elman_context_free(two);
        }
        stops++;
    } while (status == ELMAN_ERROR_INTERRUPTED);
    assert_ok(status);
    assert_true(stops >= 8);
    stop_flag = 0;
    assert_same(&whole, &other);
    assert_true(other.runs[0].found && other.runs[1].found);

    /* all of it is there */
    seen none = {0};
    r = request_into(test_path("whole"), &none);
    assert_ok(compare(&r, 1, &again, &three));
    assert_same(&whole, &again);
    assert_true(none.begun == 0 && none.steps == 0 && none.ended == 6 && again.runs[2].found);
    elman_comparison_clear(one, &whole);
    elman_comparison_clear(two, &other);
    elman_comparison_clear(three, &again);
    elman_context_free(one);
    elman_context_free(two);
    elman_context_free(three);
}

/* What stands there is another training: said, and trained anew only by force. */
static void another(void **state)
{
    (void)state;
    static const struct {
        const char *said;
        int64_t updates, hidden;
        bool force;
    } cases[] = {{"hidden 5, asked for is 6", 12, 6, false},
                 {"max-steps 12, asked for is 13", 13, 5, false},
                 {NULL, 13, 5, true},
                 {NULL, 13, 5, false}};
    elman_comparison c = {0};
    elman_context *context;
    seen s = {0};
    elman_compare_request r = request_into(test_path("another"), &s);
    r.variant_count = 1;
    r.seeds = 1;
    r.updates = 12;
    assert_ok(compare(&r, 1, &c, &context));
    elman_comparison_clear(context, &c);
    elman_context_free(context);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        s = (seen){0};
        variants[0].config.hidden = cases[i].hidden;
        r.updates = cases[i].updates;
        r.force = cases[i].force;
        elman_status status = compare(&r, 1, &c, &context);
        assert_int_equal(status, cases[i].said ? ELMAN_ERROR_EXISTS : ELMAN_OK);
        if (cases[i].said)
            assert_non_null(strstr(problem.message, cases[i].said));
        assert_int_equal(s.begun, cases[i].force);
        elman_comparison_clear(context, &c);
        elman_context_free(context);
    }
    variants[0].config.hidden = 5;
}

/* A run of a probe that is easy ends where it is solved. */
static void solved(void **state)
{
    (void)state;
    elman_comparison c = {0};
    elman_context *context;
    seen s = {0};
    elman_compare_request r = request_into(test_path("solved"), &s);
    r.variant_count = 1;
    r.seeds = 1;
    r.updates = 2000;
    variants[0].config.stop_at = -1; /* where it counts as solved */
    assert_ok(compare(&r, 1, &c, &context));
    assert_int_equal(c.runs[0].outcome, ELMAN_COMPARE_SOLVED);
    assert_true(c.runs[0].steps < 2000 && c.runs[0].steps == c.variants[0].steps.mean);
    assert_true(c.variants[0].solved == 1 && c.solvable);
    elman_comparison_clear(context, &c);
    elman_context_free(context);
    make_variants();
}

/* Time is turned into updates once, and the runs keep to them. */
static void by_time(void **state)
{
    (void)state;
    elman_comparison c = {0};
    elman_context *context;
    seen s = {0};
    elman_compare_request r = request_into(test_path("time"), &s);
    int64_t updates[2];
    r.variant_count = 2;
    r.seeds = 1;
    r.updates = 0;
    r.seconds = 0.02;
    for (int i = 0; i < 2; i++) {
        s = (seen){0};
        assert_ok(compare(&r, 1, &c, &context));
        for (int v = 0; v < 2; v++) {
            assert_true(c.variants[v].updates >= 1 && c.runs[v].steps == c.variants[v].updates);
            if (i)
                assert_int_equal(c.variants[v].updates, updates[v]);
            updates[v] = c.variants[v].updates;
        }
        assert_int_equal(s.begun, i ? 0 : 2);
        elman_comparison_clear(context, &c);
        elman_context_free(context);
    }
    /* another budget is not the one that they were found for */
    for (int i = 0; i < 2; i++) {
        r.seconds = i ? 0.02 : 0.04;
        r.updates = i ? 1000000 : 0;
        assert_int_equal(compare(&r, 1, &c, &context), ELMAN_ERROR_EXISTS);
        assert_non_null(strstr(problem.message, i ? "budget 0.02s, asked for is 1000000 updates, "
                                                    "0.02s"
                                                  : "budget 0.02s, asked for is 0.04s"));
        elman_comparison_clear(context, &c);
        elman_context_free(context);
    }
    /* nor are updates that no time was asked for; those of a run that was stopped are */
    s = (seen){.stop_after = 1};
    r = request_into(test_path("counted"), &s);
    r.variant_count = 1;
    assert_int_equal(compare(&r, 1, &c, &context), ELMAN_ERROR_INTERRUPTED);
    elman_comparison_clear(context, &c);
    elman_context_free(context);
    stop_flag = 0;
    r.updates = 0;
    r.seconds = 0.3;
    assert_int_equal(compare(&r, 1, &c, &context), ELMAN_ERROR_EXISTS);
    assert_non_null(strstr(problem.message, "budget 25 updates, asked for is 0.3s"));
    elman_comparison_clear(context, &c);
    elman_context_free(context);
    r.output = test_path("stopped");
    s.steps = 0;
    assert_int_equal(compare(&r, 1, &c, &context), ELMAN_ERROR_INTERRUPTED);
    elman_comparison_clear(context, &c);
    elman_context_free(context);
    stop_flag = 0;
    s = (seen){0};
    assert_ok(compare(&r, 1, &c, &context));
    assert_true(c.runs[0].steps == c.variants[0].updates);
    elman_comparison_clear(context, &c);
    elman_context_free(context);
}

/* A record that could not be ours is not believed: the run is looked at again. One of a run that
 * diverged before anything was validated does not take away what the figure is. */
static void records(void **state)
{
    (void)state;
    static const struct {
        const char *said, *instead;
        bool believed;
    } cases[] = {{"\"metric\": \"r2\"", "\"metric\": \"\"", true},
                 {"\"metric\": \"r2\"", "\"metric\": \"\\u001b\"", false},
                 {"\"steps\": ", "\"steps\": -", false},
                 {"\"lags\": ", "\"lags\": -", false},
                 {"\"memory_before\": ", "\"memory_before\": -9", false},
                 {"\"memory_after\": ", "\"memory_after\": 99999999", false}};
    char path[256];
    elman_comparison c = {0};
    elman_context *context;
    seen s = {0};
    elman_compare_request r = request_into(test_path("records"), &s);
    r.variant_count = 1;
    assert_ok(compare(&r, 1, &c, &context));
    elman_comparison_clear(context, &c);
    snprintf(path, sizeof path, "%s/gru-seed1/compare.json", r.output);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned char *bytes;
        size_t size;
        char text[2048];
        assert_ok(elman_file_read(context, path, 0, &bytes, &size, &problem));
        const char *at = strstr((const char *)bytes, cases[i].said);
        assert_non_null(at);
        int length = snprintf(text, sizeof text, "%.*s%s%s", (int)(at - (const char *)bytes), bytes,
                              cases[i].instead, at + strlen(cases[i].said));
        elman_release(context, bytes);
        assert_ok(elman_file_replace(path, text, (size_t)length, &problem));
        elman_context_free(context);
        assert_ok(compare(&r, 1, &c, &context));
        assert_string_equal(c.metric, "r2");
        assert_int_equal(c.runs[1].found, cases[i].believed);
        elman_comparison_clear(context, &c);
        if (cases[i].believed) { /* ours again */
            assert_ok(elman_file_replace(path, "{}", 2, &problem));
            elman_context_free(context);
            assert_ok(compare(&r, 1, &c, &context));
            elman_comparison_clear(context, &c);
        }
    }
    elman_context_free(context);
}

/* The fewest that any asks for. */
static void own_updates(void **state)
{
    (void)state;
    elman_comparison c = {0};
    elman_context *context;
    seen s = {0};
    elman_compare_request r = request_into(test_path("own"), &s);
    r.variant_count = 2;
    r.seeds = 1;
    r.updates = 0;
    variants[0].config.max_steps = 11;
    variants[1].config.max_steps = 9;
    assert_ok(compare(&r, 1, &c, &context));
    assert_true(c.runs[0].steps == 9 && c.runs[1].steps == 9 && c.variants[0].updates == 9);
    elman_comparison_clear(context, &c);
    elman_context_free(context);
    make_variants();
}

static void refused(void **state)
{
    (void)state;
    static const char *const names[] = {"", "a/b", ".hidden", "-o", "rnn", "a b", "\xc3\xa4"};
    elman_comparison c = {0};
    elman_context *context;
    seen s = {0};
    elman_compare_request r = request_into(test_path("refused"), &s);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        variants[0].name = names[i];
        assert_int_equal(compare(&r, 1, &c, &context), ELMAN_ERROR_ARGUMENT);
        elman_context_free(context);
    }
    make_variants();
    elman_compare_request bad = r;
    for (int i = 0; i < 9; i++) {
        bad = r;
        bad.seeds = i == 0 ? 0 : i == 1 ? ELMAN_COMPARE_SEEDS + 1 : 2;
        bad.variant_count = i == 2 ? 0 : 3;
        bad.updates = i == 3 ? -1 : 25;
        bad.seconds = i == 4 ? (double)NAN : 0;
        bad.output = i == 5 ? "" : r.output;
        bad.task = i == 6 ? "prob" : r.task;
        bad.first_seed = i == 7 ? -1 : 0;
        bad.lags = i == 8 ? ELMAN_FLOW_MOST_LAGS + 1 : 0;
        assert_int_equal(compare(&bad, 1, &c, &context), ELMAN_ERROR_ARGUMENT);
        elman_comparison_clear(context, &c);
        elman_context_free(context);
    }
    /* the last of them is wrong: nothing is trained */
    strcpy(variants[2].config.init, "forget-bias:1");
    assert_int_equal(compare(&r, 1, &c, &context), ELMAN_ERROR_ARGUMENT);
    assert_non_null(strstr(problem.message, "variant wild: initialiser: forget-bias"));
    assert_true(s.begun == 0);
    assert_false(elman_path_exists(r.output));
    elman_comparison_clear(context, &c);
    elman_context_free(context);
    make_variants();
}

static int begin(void **state)
{
    make_variants();
    return make_test_folder(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statistic), cmocka_unit_test(median),   cmocka_unit_test(best),
        cmocka_unit_test(budget),    cmocka_unit_test(the_same), cmocka_unit_test(another),
        cmocka_unit_test(solved),    cmocka_unit_test(by_time),  cmocka_unit_test(own_updates),
        cmocka_unit_test(records),   cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, begin, remove_test_folder);
}
