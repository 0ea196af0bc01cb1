/* Who is well hears nothing: ten trainings of several tasks, cells, sizes and seeds, looked over
 * before and gone over after; and whatever the doctor does, no file comes of it. */
#include "doctor_case.h"

static elman_context *context;

static void expect_well(const elman_train_request *request)
{
    elman_diagnosis d;
    assert_ok(elman_doctor_request(context, request, NULL, &d, &problem));
    if (d.count)
        fail_msg("%s: %s: %s", request->task, d.findings[0].code, d.findings[0].reason);
    assert_true(d.expects.seconds_per_step > 0 && d.expects.memory > 0 && d.expects.steps > 0);
    assert_true(d.expects.trial_loss < d.expects.initial_loss);
    assert_true(d.expects.fit_updates > 0);
    assert_int_equal(d.range_count > 0, 1);
    elman_diagnosis_clear(context, &d);
}

static void test_characters(void **state)
{
    (void)state;
    static const struct {
        elman_cell cell;
        int64_t layers, hidden, batch, bptt, seed;
        double lr;
        int optimizer;
    } runs[] = {
        {ELMAN_CELL_LSTM, 2, 48, 8, 32, 1, 3e-3, ELMAN_OPTIMIZER_ADAM},
        {ELMAN_CELL_GRU, 1, 32, 16, 24, 7, 5e-3, ELMAN_OPTIMIZER_ADAMW},
        {ELMAN_CELL_RNN, 1, 64, 8, 16, 3, 1e-3, ELMAN_OPTIMIZER_ADAM},
        {ELMAN_CELL_LSTM, 1, 32, 4, 32, 4, 1.0, ELMAN_OPTIMIZER_SGD},
    };
    const char *path = make_text("text.txt", 400);
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        elman_train_request r = request_of("lm", &path);
        r.config.cell = (int)runs[i].cell;
        r.config.layers = runs[i].layers;
        r.config.hidden = runs[i].hidden;
        r.config.batch = runs[i].batch;
        r.config.bptt = runs[i].bptt;
        r.config.seed = runs[i].seed;
        r.config.lr = runs[i].lr;
        r.config.optimizer = runs[i].optimizer;
        r.config.dropout = 0.1;
        r.config.epochs = 3;
        expect_well(&r);
    }
}

static void test_words(void **state)
{
    (void)state;
    need_unicode();
    const char *path = make_text("words.txt", 500);
    elman_train_request r = request_of("lm", &path);
    r.config.level = ELMAN_LEVEL_WORD;
    r.config.hidden = 32;
    r.config.layers = 1;
    expect_well(&r);
}

static void test_reviews(void **state)
{
    (void)state;
    need_csv();
    need_unicode();
    const char *path = make_reviews("reviews.tsv", 600, 40);
    elman_train_request r = request_of("classify", &path);
    r.config.hidden = 32;
    r.config.embedding = 24;
    r.config.seed = 2;
    expect_well(&r);
}

static void test_waves(void **state)
{
    (void)state;
    need_csv();
    const char *path = make_waves("waves.csv", 160);
    elman_train_request r = request_of("classify", &path);
    strcpy(r.config.sequence_column, "id");
    strcpy(r.config.step_column, "t");
    r.config.cell = ELMAN_CELL_GRU;
    r.config.hidden = 16;
    expect_well(&r);
}

static void test_tags(void **state)
{
    (void)state;
    need_unicode();
    const char *path = make_tags("tags.conll", 300);
    elman_train_request r = request_of("tag", &path);
    r.config.layers = 1;
    r.config.hidden = 32;
    r.config.embedding = 24;
    r.config.char_hidden = 8;
    r.config.char_embedding = 8;
    r.config.seed = 5;
    expect_well(&r);
}

static void test_series(void **state)
{
    (void)state;
    need_csv();
    const char *path = make_series("series.csv", 400);
    elman_train_request r = request_of("forecast", &path);
    expect_well(&r);
    r.config.cell = ELMAN_CELL_LSTM;
    r.config.hidden = 24;
    r.config.horizon = 6;
    strcpy(r.config.quantiles, "0.1,0.9");
    r.config.seed = 8;
    expect_well(&r);
}

static void test_probe(void **state)
{
    (void)state;
    const char *none = NULL;
    elman_train_request r = request_of("probe", &none);
    r.config.hidden = 32;
    r.config.layers = 1;
    expect_well(&r);
}

/* --- gone over after --- */

static volatile sig_atomic_t stop_flag;
static int64_t stop_after;

static void stop_there(void *user, const elman_train_progress *progress)
{
    (void)user;
    if (progress->event == ELMAN_EVENT_STEP && stop_after && progress->step >= stop_after)
        stop_flag = 1;
}

static void digest(const char *folder, char *text, size_t size)
{
    char command[512];
    snprintf(command, sizeof command,
             "cd '%s' && find . -printf '%%p %%s %%T@ %%m\\n' | sort && find . -type f | sort | "
             "xargs cat",
             folder);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    uint64_t hash = 14695981039346656037U;
    for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe))
        hash = (hash ^ (uint64_t)c) * 1099511628211U;
    assert_int_equal(pclose(pipe), 0);
    snprintf(text, size, "%llx", (unsigned long long)hash);
}

/* A run that was interrupted, between checkpoints too, and one that ended, and one whose schedule
 * goes by validations: nothing is found and nothing in the folder is touched. */
static void test_afterwards(void **state)
{
    (void)state;
    const char *path = make_text("after.txt", 120);
    static const struct {
        int64_t stop, from, to;
    } runs[] = {{9, 9, 20}, {0, -1, -1}, {40, 40, 60}};
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        char name[32], folder[128], before[32], after[32];
        elman_diagnosis d;
        snprintf(name, sizeof name, "run%zu", i);
        strcpy(folder, test_path(name));
        elman_train_request r = request_of("lm", &path);
        r.config.hidden = 16;
        r.config.layers = 1;
        r.config.batch = 4;
        r.config.bptt = 16;
        r.config.max_steps = 60;
        r.config.eval_every = 20;
        r.config.checkpoint_every = 40;
        strcpy(r.config.schedule, "plateau");
        r.output = folder;
        r.progress = stop_there;
        r.stop = &stop_flag;
        stop_flag = 0;
        stop_after = runs[i].stop;
        elman_status status = elman_train(context, &r, &problem);
        assert_int_equal(status, runs[i].stop ? ELMAN_ERROR_INTERRUPTED : ELMAN_OK);
        digest(folder, before, sizeof before);
        assert_ok(elman_doctor_model(context, folder, NULL, &d, &problem));
        digest(folder, after, sizeof after);
        assert_string_equal(before, after);
        assert_int_equal(d.count, 0);
        assert_int_equal(d.replayed_from, runs[i].from);
        assert_int_equal(d.replayed_to, runs[i].to);
        elman_diagnosis_clear(context, &d);
    }
}

/* The same diagnosis on any number of threads, and none of it leaves a file. */
static void test_same_anywhere(void **state)
{
    (void)state;
    const char *path = make_text("same.txt", 150);
    elman_train_request r = request_of("lm", &path);
    elman_diagnosis first = {0};
    char before[32], after[32];
    r.config.hidden = 32;
    r.config.layers = 1;
    digest(test_folder, before, sizeof before);
    for (int threads = 1; threads <= 3; threads++) {
        elman_context *own = context_of(threads);
        elman_diagnosis d;
        assert_ok(elman_doctor_request(own, &r, NULL, &d, &problem));
        if (threads == 1)
            assert_ok(elman_doctor_request(context, &r, NULL, &first, &problem));
        assert_true(d.expects.trial_loss == first.expects.trial_loss);
        assert_true(d.expects.guess_loss == first.expects.guess_loss);
        assert_int_equal(d.expects.fit_updates, first.expects.fit_updates);
        assert_int_equal(d.range_count, first.range_count);
        assert_memory_equal(d.range, first.range, (size_t)d.range_count * sizeof *d.range);
        elman_diagnosis_clear(own, &d);
        elman_context_free(own);
    }
    digest(test_folder, after, sizeof after);
    assert_string_equal(before, after);
    elman_diagnosis_clear(context, &first);
}

static int setup(void **state)
{
    if (make_test_folder(state))
        return 1;
    context = context_of(2);
    return 0;
}

static int teardown(void **state)
{
    elman_context_free(context);
    return remove_test_folder(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_characters),    cmocka_unit_test(test_words),
        cmocka_unit_test(test_reviews),       cmocka_unit_test(test_waves),
        cmocka_unit_test(test_tags),          cmocka_unit_test(test_series),
        cmocka_unit_test(test_probe),         cmocka_unit_test(test_afterwards),
        cmocka_unit_test(test_same_anywhere),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
