/* Each finding, from a configuration or data that deserve it: its code, the option to change and
 * that the change helps. */
#include "doctor_case.h"

#include "kernel/kernels.h"

static elman_context *context;

/* What the doctor says of a request; to be cleared. */
static elman_diagnosis ask(const elman_train_request *request, int64_t updates)
{
    elman_diagnosis d;
    elman_doctor_options options;
    elman_doctor_options_default(&options);
    options.updates = updates;
    assert_ok(elman_doctor_request(context, request, &options, &d, &problem));
    return d;
}

/* The finding, with its option; its value goes into `value`. */
static void expect(const elman_train_request *request, int64_t updates, const char *code,
                   const char *option, char value[ELMAN_FINDING_VALUE])
{
    elman_diagnosis d = ask(request, updates);
    const elman_finding *f = find(&d, code);
    if (!f)
        fail_msg("%s: not found among %d", code, (int)d.count);
    if (option)
        assert_string_equal(f->option, option);
    else
        assert_null(f->option);
    assert_true(strlen(f->reason) > 20);
    /* above the limit; but a class is rare below it */
    bool rare = !strcmp(code, "classes-unbalanced") && f->limit == 0.1;
    assert_true(isnan(f->limit) || (rare ? f->number < f->limit : f->number > f->limit));
    strcpy(value, f->value);
    elman_diagnosis_clear(context, &d);
}

static void expect_not(const elman_train_request *request, int64_t updates, const char *code)
{
    elman_diagnosis d = ask(request, updates);
    const elman_finding *f = find(&d, code);
    if (f)
        fail_msg("%s: %s", code, f->reason);
    elman_diagnosis_clear(context, &d);
}

/* Sets the option that a finding names to its value. */
static void obey(elman_train_request *request, const char *option, const char *value)
{
    const elman_option *o = elman_options_find(elman_config_options(), option);
    assert_non_null(o);
    assert_ok(elman_options_set(o, &request->config, *value ? value : NULL, option, &problem));
}

/* Found; and no longer found once the advice is taken. */
static void expect_cured(elman_train_request *request, int64_t updates, const char *code,
                         const char *option)
{
    char value[ELMAN_FINDING_VALUE];
    expect(request, updates, code, option, value);
    obey(request, option, value);
    expect_not(request, updates, code);
}

static elman_train_request text_request(const char *const *path)
{
    elman_train_request r = request_of("lm", path);
    r.config.layers = 1;
    r.config.hidden = 32;
    r.config.batch = 8;
    r.config.bptt = 32;
    r.config.epochs = 2;
    r.config.dropout = 0;
    return r;
}

/* --- sizes --- */

static void test_sizes(void **state)
{
    (void)state;
    const char *path = make_text("sizes.txt", 100);
    elman_train_request r = text_request(&path);
    r.config.bptt = 1000;
    expect_cured(&r, 0, "bptt-exceeds-stream", "bptt");
    r = text_request(&path);
    r.config.hidden = 400;
    expect_cured(&r, 0, "data-few", "hidden");
    r = text_request(&path);
    r.config.embedding = 300;
    expect_cured(&r, 0, "embedding-wide", "embedding");
    r.config.embedding = 32;
    r.config.hidden = 33; /* takes the time of 48 where vectors hold 16, of 40 where they hold 8 */
    if (elman_kernels_of(context)->recurrent->width == 16)
        expect_cured(&r, 0, "lanes-wasted", "hidden");
    else
        expect_not(&r, 0, "lanes-wasted");
}

static void test_memory(void **state)
{
    (void)state;
    const char *path = make_text("memory.txt", 100);
    elman_train_request r = text_request(&path);
    elman_doctor_options options;
    elman_diagnosis d;
    elman_doctor_options_default(&options);
    options.memory = 100e3;
    assert_ok(elman_doctor_request(context, &r, &options, &d, &problem));
    const elman_finding *f = find(&d, "memory-exceeded");
    assert_non_null(f);
    assert_int_equal(f->severity, ELMAN_SEVERITY_ERROR);
    assert_int_equal(d.range_count, 0); /* nothing was tried */
    elman_diagnosis_clear(context, &d);
    /* more than any machine has, before anything is allocated */
    r.config.hidden = 65536;
    r.config.layers = 64;
    options.memory = 0;
    assert_ok(elman_doctor_request(context, &r, &options, &d, &problem));
    assert_non_null(find(&d, "memory-exceeded"));
    elman_diagnosis_clear(context, &d);
}

/* What is foretold is what is used, within a factor of two. */
static void test_memory_foretold(void **state)
{
    (void)state;
    const char *path = make_text("foretold.txt", 300);
    elman_train_request r = text_request(&path);
    r.config.hidden = 64;
    r.config.layers = 2;
    elman_diagnosis before = ask(&r, 0), after = ask(&r, 8);
    assert_true(before.expects.memory > after.expects.memory / 2);
    assert_true(before.expects.memory < after.expects.memory * 2);
    elman_diagnosis_clear(context, &before);
    elman_diagnosis_clear(context, &after);
}

static void test_batch(void **state)
{
    (void)state;
    need_csv();
    need_unicode();
    const char *path = make_reviews("batch.tsv", 100, 50);
    elman_train_request r = request_of("classify", &path);
    r.config.hidden = 8;
    r.config.embedding = 8;
    r.config.batch = 300;
    expect_cured(&r, 0, "batch-exceeds-data", "batch");
}

/* --- targets --- */

static void test_balance(void **state)
{
    (void)state;
    need_csv();
    need_unicode();
    const char *path = make_reviews("rare.tsv", 400, 3);
    elman_train_request r = request_of("classify", &path);
    r.config.hidden = 8;
    r.config.embedding = 8;
    expect_cured(&r, 0, "classes-unbalanced", "balance");
}

static void test_unseen(void **state)
{
    (void)state;
    need_csv();
    need_unicode();
    char value[ELMAN_FINDING_VALUE];
    const char *train = make_reviews("seen.tsv", 200, 50);
    const char *valid = write_text("unseen.tsv", "text\tlabel\na film\tgood\na plot\todd\n");
    elman_train_request r = request_of("classify", &train);
    strcpy(r.config.valid, valid);
    expect(&r, 0, "target-unseen", "valid", value);
    /* a letter that only the validation part has */
    const char *path = write_text("letters.txt", "abababababababababababababababababababababababab"
                                                 "abababababababababababababababababababaZZ");
    elman_train_request l = text_request(&path);
    l.config.batch = 2;
    l.config.bptt = 8;
    expect(&l, 0, "target-unseen", "valid", value);
}

static void test_unknown_words(void **state)
{
    (void)state;
    need_csv();
    need_unicode();
    const char *path = test_path("strange.tsv");
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fprintf(file, "text\tlabel\n");
    for (int i = 0; i < 100; i++)
        fprintf(file, "word%da word%db the\t%s\n", i, i, i % 2 ? "good" : "bad");
    assert_int_equal(fclose(file), 0);
    elman_train_request r = request_of("classify", &path);
    char value[ELMAN_FINDING_VALUE];
    expect(&r, 0, "words-unknown", "min-count", value);
    assert_string_equal(value, "1");
}

/* --- losses and rates --- */

static void test_rate(void **state)
{
    (void)state;
    const char *path = make_text("rate.txt", 300);
    elman_train_request r = text_request(&path);
    r.config.lr = 10;
    expect_cured(&r, 60, "lr-diverges", "lr");
    r.config.lr = 1e-7;
    expect_cured(&r, 24, "lr-unfit", "lr");
    r.config.optimizer = ELMAN_OPTIMIZER_SGD;
    r.config.lr = 1e-6;
    char value[ELMAN_FINDING_VALUE];
    expect(&r, 24, "lr-unfit", "optimizer", value);
    assert_string_equal(value, "adam");
}

/* As far astray as --lr goes, where the range test finds no rate at all: what is advised was tried.
 * A warm-up hides the height from the trial, and the range test has seen it. */
static void test_rate_bounds(void **state)
{
    (void)state;
    char value[ELMAN_FINDING_VALUE];
    elman_train_request r = request_of("probe", NULL);
    r.data_count = 0;
    strcpy(r.config.lag, "10");
    r.config.hidden = 8;
    r.config.lr = 1000;
    r.config.clip = 0;
    r.config.optimizer = ELMAN_OPTIMIZER_SGD;
    expect(&r, 20, "lr-diverges", "lr", value);
    assert_true(value[0] && strtod(value, NULL) > 0 && strtod(value, NULL) < 100);
    obey(&r, "lr", value);
    expect_not(&r, 20, "lr-diverges");
    r.config.lr = 1000;
    r.config.optimizer = ELMAN_OPTIMIZER_ADAM;
    r.config.warmup = 100000000;
    expect(&r, 20, "lr-diverges", "lr", value);
    assert_true(strtod(value, NULL) > 0 && strtod(value, NULL) < 1);
    obey(&r, "lr", value);
    expect_not(&r, 20, "lr-diverges");
}

static void test_initial_loss(void **state)
{
    (void)state;
    const char *path = make_text("initial.txt", 300);
    elman_train_request r = text_request(&path);
    r.config.cell = ELMAN_CELL_RNN_RELU; /* over 32 steps it adds up embeddings from N(0,1) */
    strcpy(r.config.init, "identity");
    r.config.lr = 1e-3;
    expect_cured(&r, 12, "initial-loss", "init");
    assert_string_equal(r.config.init, "identity,embedding:0.1");
}

/* Words whose label is drawn: nothing in a batch says what it is, but its one word does not either.
 * The same text with either label cannot be known by heart. */
static void test_batch_not_learnt(void **state)
{
    (void)state;
    need_csv();
    need_unicode();
    const char *path = test_path("drawn.tsv");
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fprintf(file, "text\tlabel\n");
    for (int i = 0; i < 200; i++)
        fprintf(file, "the film\t%s\n", i % 2 ? "good" : "bad");
    assert_int_equal(fclose(file), 0);
    elman_train_request r = request_of("classify", &path);
    r.config.hidden = r.config.embedding = 8;
    char value[ELMAN_FINDING_VALUE];
    expect(&r, 20, "batch-not-learnt", NULL, value);
}

static void test_bptt(void **state)
{
    (void)state;
    const char *path = make_text("bptt.txt", 400);
    elman_train_request r = text_request(&path);
    r.config.bptt = 1;
    char value[ELMAN_FINDING_VALUE];
    expect(&r, 60, "bptt-short", "bptt", value);
    assert_true(atoi(value) > 1);
    r.config.bptt = 32;
    expect_not(&r, 60, "bptt-short");
    /* four times that is beyond the lags that can be measured, which is no error */
    r.config.bptt = 30000;
    r.config.batch = 1;
    expect_not(&r, 1, "bptt-short");
}

/* --- a network that explodes --- */

/* A ReLU network that begins as the identity (Le et al. 2015) at a rate of 0.7: without clipping it
 * fails within a few steps, with --clip 5 it learns. The doctor says both before, and after. */
static void test_explosion(void **state)
{
    (void)state;
    const char *path = make_text("explosion.txt", 400);
    char folder[128], message[ELMAN_ERROR_CAPACITY];
    strcpy(folder, test_path("explosion"));
    elman_train_request r = text_request(&path);
    r.config.cell = ELMAN_CELL_RNN_RELU;
    r.config.hidden = 24;
    r.config.optimizer = ELMAN_OPTIMIZER_SGD;
    r.config.bptt = 16;
    r.config.lr = 0.7;
    r.config.clip = 0;
    strcpy(r.config.init, "identity,embedding:0.1");
    r.config.epochs = 8;
    r.output = folder;
    elman_diagnosis d;
    assert_int_equal(elman_train(context, &r, &problem), ELMAN_ERROR_NUMERIC);
    strcpy(message, problem.message);
    assert_ok(elman_doctor_model(context, folder, NULL, &d, &problem));
    assert_int_equal(d.count, 1);
    assert_string_equal(d.findings[0].code, "not-finite");
    assert_string_equal(d.findings[0].option, "clip");
    assert_true(d.fault.step > 1);
    char step[32];
    snprintf(step, sizeof step, "step %lld:", (long long)d.fault.step);
    assert_contains(message, step); /* the one that the training named */
    assert_true(d.fault.time >= 0 && d.fault.sequence >= 0 && d.fault.layer[0]);
    elman_diagnosis_clear(context, &d);

    expect_cured(&r, 60, "lr-diverges", "clip");
    assert_true(r.config.clip == 5);
    d = ask(&r, 60);
    assert_int_equal(d.count, 0);
    elman_diagnosis_clear(context, &d);
    r.force = true;
    assert_ok(elman_train(context, &r, &problem));
    elman_lm *lm;
    elman_lm_result result;
    assert_ok(elman_lm_open(context, folder, &lm, &problem));
    assert_ok(elman_lm_eval(context, lm, NULL, 0, &result, &problem));
    assert_true(result.loss < 1.6); /* guessing has 2.5 */
    elman_lm_free(lm);
}

/* --- what is refused --- */

static void test_refused(void **state)
{
    (void)state;
    const char *path = make_text("refused.txt", 50), *nowhere = "/no/such/file";
    elman_train_request r = text_request(&path);
    elman_doctor_options options;
    elman_diagnosis d;
    elman_doctor_options_default(&options);
    options.updates = -1;
    assert_int_equal(elman_doctor_request(context, &r, &options, &d, &problem),
                     ELMAN_ERROR_ARGUMENT);
    options.updates = 1;
    options.size = 1;
    assert_int_equal(elman_doctor_request(context, &r, &options, &d, &problem),
                     ELMAN_ERROR_ARGUMENT);
    r.data = &nowhere;
    assert_int_equal(elman_doctor_request(context, &r, NULL, &d, &problem), ELMAN_ERROR_IO);
    r.data_count = 0;
    assert_int_equal(elman_doctor_request(context, &r, NULL, &d, &problem), ELMAN_ERROR_ARGUMENT);
    assert_int_equal(elman_doctor_model(context, nowhere, NULL, &d, &problem), ELMAN_ERROR_IO);
    assert_int_equal(d.count, 0);
    elman_diagnosis_clear(context, &d);
    elman_diagnosis_clear(context, &d);
    assert_int_equal(elman_diagnosis_plot_check("rates.pdf", &problem), ELMAN_ERROR_ARGUMENT);
    volatile sig_atomic_t stop = 1;
    elman_doctor_options_default(&options);
    options.stop = &stop;
    r = text_request(&path);
    assert_int_equal(elman_doctor_request(context, &r, &options, &d, &problem),
                     ELMAN_ERROR_INTERRUPTED);
}

/* Any allocation may fail: it is said, and nothing is lost. */
static void test_memory_fails(void **state)
{
    (void)state;
    const char *path = make_text("fails.txt", 40);
    elman_train_request r = text_request(&path);
    elman_doctor_options options;
    elman_diagnosis d;
    counter c;
    elman_context *own = counted_context(&c);
    elman_doctor_options_default(&options);
    options.updates = 2;
    r.config.hidden = 8;
    r.config.lr = 100; /* so that there is something to say */
    elman_status status = ELMAN_ERROR_MEMORY;
    int failed = 0;
    for (int n = 1; status == ELMAN_ERROR_MEMORY; n += 1 + n / 20) {
        int live = c.live;
        c.calls = 0;
        c.fail_at = n;
        status = elman_doctor_request(own, &r, &options, &d, &problem);
        elman_diagnosis_clear(own, &d);
        failed += status == ELMAN_ERROR_MEMORY;
        assert_int_equal(c.live, live);
    }
    assert_int_equal(status, ELMAN_OK);
    assert_true(failed > 20);
    elman_context_free(own);
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
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_memory_foretold),
        cmocka_unit_test(test_batch),
        cmocka_unit_test(test_balance),
        cmocka_unit_test(test_unseen),
        cmocka_unit_test(test_unknown_words),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_rate_bounds),
        cmocka_unit_test(test_initial_loss),
        cmocka_unit_test(test_batch_not_learnt),
        cmocka_unit_test(test_bptt),
        cmocka_unit_test(test_explosion),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_memory_fails),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
