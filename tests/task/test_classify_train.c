/* Training of the task classify: it learns, from texts and from vectors of each form; stopped
 * anywhere and resumed, or on any number of threads, it ends with the same bits; and what its
 * options promise. */
#include "classify_case.h"
#include "test_malloc.h"

/* --- it learns --- */

static void learns_texts(void **state)
{
    (void)state;
    need_unicode();
    for (int labels = 2; labels < 4; labels++)
        for (int characters = 0; characters < 2; characters++) {
            const char *data = write_reviews("learn.tsv", 160, labels, 7);
            elman_config c = small_config();
            char name[32];
            c.cell = characters ? ELMAN_CELL_GRU : ELMAN_CELL_LSTM;
            c.char_hidden = characters ? 6 : 0;
            c.char_embedding = 5;
            strcpy(c.pool, characters ? "last,mean" : "max");
            strcpy(c.valid, "0");
            snprintf(name, sizeof name, "texts-%d-%d", labels, characters);
            const char *folder = trained(name, data, &c, 2);
            assert_true(metric_of(folder, data, false, "accuracy") == 1.0);
            assert_true(metric_of(folder, data, false, "examples") == 160.0);
            const char *others = write_reviews("others.tsv", 100, labels, 99);
            assert_true(metric_of(folder, others, false, "accuracy") > 0.9);
        }
}

static void learns_vectors(void **state)
{
    (void)state;
    need_csv();
    for (int form = 0; form < 3; form++) {
        const char *data = form == 0   ? write_wide("waves.csv", 60)
                           : form == 1 ? write_long("long.csv", 60)
                                       : write_waves("waves.safetensors", 60);
        elman_config c = small_config();
        char name[32];
        c.width = form == 0 ? WAVE_F : 0;
        strcpy(c.sequence_column, form == 1 ? "id" : "");
        strcpy(c.step_column, form == 1 ? "t" : "");
        strcpy(c.features, form == 1 ? "x,y" : "");
        strcpy(c.pool, form == 2 ? "attention" : "last");
        strcpy(c.valid, "0");
        snprintf(name, sizeof name, "vectors-%d", form);
        const char *folder = trained(name, data, &c, 2);
        assert_true(metric_of(folder, data, false, "accuracy") == 1.0);
        assert_true(metric_of(folder, data, false, "f1") == 1.0);
    }
}

/* A single vector is a sequence of one. */
static void learns_single_vectors(void **state)
{
    (void)state;
    need_csv();
    char text[4096] = "x,y,label\n";
    for (int i = 0; i < 60; i++)
        snprintf(text + strlen(text), 64, "%d,%d,%d\n", i % 2, i / 2 % 2, (i % 2) ^ (i / 2 % 2));
    const char *data = write_text("xor.csv", text);
    elman_config c = small_config();
    c.epochs = 60;
    c.dropout = 0;
    strcpy(c.valid, "0");
    const char *folder = trained("xor", data, &c, 1);
    assert_true(metric_of(folder, data, false, "accuracy") == 1.0);
}

/* --- the same bits --- */

static elman_config everything_on(bool words)
{
    elman_config c = small_config();
    c.layers = 2;
    c.dropout = 0.3;
    c.epochs = 4;
    c.batch = 5;
    c.accumulate = 2;
    c.average = 0.9;
    c.calibrate = true;
    c.balance = true;
    c.label_smoothing = 0.1;
    c.eval_every = 7;
    c.residual = true;
    strcpy(c.pool, "max,attention");
    strcpy(c.valid, "0.25");
    strcpy(c.schedule, "plateau:0.5:2");
    if (words) {
        c.word_dropout = 0.2;
        c.linear_skip = true;
        c.char_hidden = 4;
        c.char_embedding = 3;
    } else {
        c.noise = 0.1;
        c.dense = 7;
    }
    return c;
}

static const char *data_of(bool words)
{
    return words ? write_reviews("same.tsv", 90, 3, 21) : write_waves("same.safetensors", 90);
}

static void resumed(void **state)
{
    (void)state;
    uint64_t random = (uint64_t)getpid() * 2654435761U + 1;
    for (int words = 0; words < 2; words++) {
        char expected[65], found[65], name[32];
        const char *data = data_of(words);
        elman_config c = everything_on(words);
        c.checkpoint_every = words ? 3 : 0;
        snprintf(name, sizeof name, "whole-%d", words);
        weights_digest(trained(name, data, &c, 1), expected);
        for (int round = 0; round < 3; round++) {
            const char *folder;
            int times = 0;
            elman_status status = ELMAN_ERROR_INTERRUPTED;
            snprintf(name, sizeof name, "stopped-%d-%d", words, round);
            folder = test_path(name);
            for (stop_after = 0; status == ELMAN_ERROR_INTERRUPTED; times++) {
                elman_context *context = context_of(1 + times % 3);
                stop_after += 1 + (int64_t)random_below(&random, 14);
                status = train_into(context, folder, times ? NULL : data, &c, &problem);
                elman_context_free(context);
            }
            assert_ok(status);
            assert_true(times > 2);
            weights_digest(folder, found);
            assert_string_equal(found, expected);
        }
    }
}

static void threads(void **state)
{
    (void)state;
    for (int words = 0; words < 2; words++) {
        char digest[4][65], name[32];
        elman_config c = everything_on(words);
        const char *data = data_of(words);
        for (int i = 1; i < 4; i++) {
            snprintf(name, sizeof name, "threads-%d-%d", words, i);
            weights_digest(trained(name, data, &c, i), digest[i]);
            assert_string_equal(digest[i], digest[1]);
        }
        c.seed = 1;
        snprintf(name, sizeof name, "threads-%d-seed", words);
        weights_digest(trained(name, data, &c, 1), digest[0]);
        assert_string_not_equal(digest[0], digest[1]);
    }
}

/* --- what options promise --- */

/* The mean loss of the validation part's answers, softened by a further temperature. */
static double loss_at(const char *folder, const char *const *texts, const char *const *labels,
                      int count, double temperature)
{
    elman_context *context = context_of(1);
    elman_classifier *classifier;
    double sum = 0;
    assert_ok(elman_classifier_open(context, folder, &classifier, &problem));
    for (int i = 0; i < count; i++) {
        float p[3];
        double all = 0, right = 0;
        assert_ok(elman_classifier_text(classifier, texts[i], strlen(texts[i]), p, &problem));
        for (int32_t k = 0; k < 3; k++) {
            double z = log((double)p[k]) / temperature;
            all += exp(z);
            if (!strcmp(elman_classifier_label(classifier, k), labels[i]))
                right = z;
        }
        sum += log(all) - right;
    }
    elman_classifier_free(classifier);
    elman_context_free(context);
    return sum / count;
}

static void calibrated(void **state)
{
    (void)state;
    need_unicode();
    enum { TRAIN = 60, VALID = 60 };
    const char *texts[VALID], *labels[VALID];
    char *copy = malloc(1 << 16), line[512];
    const char *data = write_reviews("calibrate.tsv", TRAIN + VALID, 3, 13);
    /* every fifth answer of the validation part is wrong: what is sure of itself errs */
    FILE *file = fopen(data, "r");
    size_t at = 0;
    assert_non_null(fgets(line, sizeof line, file));
    for (int i = 0; i < TRAIN + VALID; i++) {
        assert_non_null(fgets(line, sizeof line, file));
        char *tab = strchr(line, '\t');
        *tab = 0;
        tab[strlen(tab + 1)] = 0;
        if (i < TRAIN)
            continue;
        int v = i - TRAIN;
        labels[v] = v % 5 ? (tab[1] == 'b' ? "bad" : tab[1] == 'g' ? "good" : "mixed") : "good";
        texts[v] = strcpy(copy + at, line);
        at += strlen(line) + 1;
    }
    fclose(file);
    char whole[1 << 14] = "", part[1 << 14] = "text\tlabel\n";
    file = fopen(data, "r");
    for (int i = 0; i < TRAIN + 1; i++)
        strcat(whole, fgets(line, sizeof line, file));
    fclose(file);
    for (int v = 0; v < VALID; v++)
        sprintf(part + strlen(part), "%s\t%s\n", texts[v], labels[v]);
    data = write_text("calibrate-train.tsv", whole);
    elman_config c = small_config();
    c.dropout = 0;
    strcpy(c.valid, write_text("calibrate-valid.tsv", part));
    c.eval_every = 200;
    c.max_steps = 200;
    const char *plain = trained("plain", data, &c, 1);
    c.calibrate = true;
    const char *folder = trained("calibrated", data, &c, 1);
    float *t = weights_of(folder, "temperature", NULL),
          *one = weights_of(plain, "temperature", NULL);
    assert_true(one[0] == 1.0F);
    assert_true(t[0] > 1.2F);
    double best = loss_at(folder, texts, labels, VALID, 1);
    assert_true(fabs(loss_at(plain, texts, labels, VALID, (double)t[0]) - best) < 1e-4);
    assert_true(best < loss_at(plain, texts, labels, VALID, 1) - 0.01);
    for (double f = 0.9; f < 1.15; f += 0.02)
        assert_true(loss_at(folder, texts, labels, VALID, f) >= best - 1e-7);
    assert_true(fabs(metric_of(folder, NULL, false, "loss") - best) < 1e-5);
    assert_true(metric_of(folder, NULL, false, "calibration_error") <
                metric_of(plain, NULL, false, "calibration_error"));
    /* but for the temperature both are the same */
    for (int i = 0; i < 2; i++) {
        size_t count;
        const char *name = i ? "output.weight" : "embedding.weight";
        float *x = weights_of(folder, name, &count), *y = weights_of(plain, name, NULL);
        assert_true(compare_bits(x, y, count));
        free(x);
        free(y);
    }
    free(t);
    free(one);
    free(copy);
}

/* Where the validation part has no wrong answer, it can't say how sure to be. */
static void calibrated_by_nothing(void **state)
{
    (void)state;
    need_csv();
    elman_config c = small_config();
    c.width = WAVE_F;
    c.calibrate = true;
    strcpy(c.pool, "last");
    const char *folder = trained("sure", write_wide("sure.csv", 60), &c, 1);
    assert_true(metric_of(folder, NULL, false, "accuracy") == 1.0);
    float *t = weights_of(folder, "temperature", NULL);
    assert_true(t[0] == 1.0F);
    free(t);
}

/* Of vectors that tell nothing, a class answers as often as it is weighed. */
static void balanced(void **state)
{
    (void)state;
    need_csv();
    char text[4096] = "x,label\n";
    for (int i = 0; i < 80; i++)
        strcat(text, i % 8 ? "1,often\n" : "1,seldom\n");
    const char *data = write_text("balance.csv", text);
    for (int balance = 0; balance < 2; balance++) {
        elman_config c = small_config();
        c.balance = balance;
        c.dropout = 0;
        c.batch = 80;
        c.epochs = 300;
        strcpy(c.valid, "0");
        const char *folder = trained(balance ? "balanced" : "unbalanced", data, &c, 1);
        elman_context *context = context_of(1);
        elman_classifier *classifier;
        float p[2], x = 1;
        assert_ok(elman_classifier_open(context, folder, &classifier, &problem));
        assert_string_equal(elman_classifier_label(classifier, 1), "seldom");
        assert_int_equal(elman_classifier_width(classifier), 1);
        assert_ok(elman_classifier_vectors(classifier, &x, 1, p, &problem));
        assert_true(fabs((double)p[1] - (balance ? 0.5 : 0.125)) < 0.01);
        elman_classifier_free(classifier);
        elman_context_free(context);
    }
}

/* The row of a word in embedding.weight. */
static const float *row_of(const char *folder, const float *table, const char *word, int width)
{
    char path[200];
    elman_context *context = context_of(1);
    elman_vocabulary *vocabulary;
    snprintf(path, sizeof path, "%s/vocabulary.json", folder);
    assert_ok(elman_vocabulary_load(context, path, &vocabulary, &problem));
    int32_t id = elman_vocabulary_find(vocabulary, word, strlen(word));
    assert_true(id >= 0);
    elman_vocabulary_free(vocabulary);
    elman_context_free(context);
    return table + id * width;
}

static void word_vectors(void **state)
{
    (void)state;
    need_unicode();
    const char *data = write_reviews("embed.tsv", 60, 2, 3);
    char vectors[128];
    strcpy(vectors, write_text("vectors.txt", "film 0.5 -0.25 2\nunheard 9 9 9\ngreat 1 0 -1.5\n"));
    static const float film[] = {0.5F, -0.25F, 2}, great[] = {1, 0, -1.5F};
    elman_config c = small_config();
    c.embedding = 0; /* the file says how many */
    c.max_steps = 10;
    strcpy(c.embeddings, vectors);
    for (int frozen = 0; frozen < 2; frozen++) {
        c.freeze_embeddings = frozen;
        c.lr = 0.01;
        const char *folder = trained(frozen ? "frozen" : "tuned", data, &c, 1);
        size_t count;
        float *table = weights_of(folder, "embedding.weight", &count);
        assert_int_equal(count % 3, 0);
        assert_int_equal(!memcmp(row_of(folder, table, "film", 3), film, sizeof film), frozen);
        assert_int_equal(!memcmp(row_of(folder, table, "great", 3), great, sizeof great), frozen);
        for (int k = 0; k < 3; k++) /* ten small steps from where they began */
            assert_true(fabsf(row_of(folder, table, "film", 3)[k] - film[k]) < 0.15F);
        for (int k = 0; k < 3; k++) /* those of no vector began as they would have without */
            assert_true(fabsf(row_of(folder, table, "plot", 3)[k]) < 0.3F);
        free(table);
        assert_true(metric_of(folder, data, false, "loss") > 0);
    }
    elman_context *context = context_of(1);
    c.embedding = 4;
    assert_int_equal(train_into(context, test_path("other-width"), data, &c, &problem),
                     ELMAN_ERROR_ARGUMENT);
    assert_contains(problem.message, "has 3 numbers a word");
    c.embedding = 0;
    c.embeddings[0] = 0;
    c.freeze_embeddings = true;
    assert_int_equal(train_into(context, test_path("none-to-freeze"), data, &c, &problem),
                     ELMAN_ERROR_ARGUMENT);
    assert_contains(problem.message, "freeze-embeddings");
    elman_context_free(context);
}

/* A run that was killed before its first checkpoint begins anew, with its word vectors. */
/* Words begin near zero, whatever --init says of other weights; unless it speaks of embeddings. */
static void small_embeddings(void **state)
{
    (void)state;
    static const char *const inits[][2] = {
        {"", "embedding:0.1"},
        {"identity", "embedding:0.1,identity"},
        {"orthogonal,forget-bias:1", "embedding:0.1,orthogonal,forget-bias:1"},
        {"default", "default"},
        {"embedding:0.5,zero-bias", "embedding:0.5,zero-bias"},
        {"uniform:0.2", "uniform:0.2"}};
    need_unicode();
    const char *data = write_reviews("reviews.tsv", 40, 2, 5);
    for (size_t i = 0; i < sizeof inits / sizeof *inits; i++) {
        elman_config c = small_config();
        elman_config_file file;
        elman_context *context = context_of(1);
        char name[32];
        c.epochs = 1;
        strcpy(c.init, inits[i][0]);
        snprintf(name, sizeof name, "init-%zu", i);
        assert_ok(
            elman_config_file_read_model(context, trained(name, data, &c, 1), &file, &problem));
        assert_string_equal(file.config.init, inits[i][1]);
        elman_config_file_clear(context, &file);
        elman_context_free(context);
    }
}

static void begins_anew(void **state)
{
    (void)state;
    need_unicode();
    const char *data = write_reviews("anew.tsv", 60, 2, 3);
    char expected[65], found[65], path[200];
    elman_config c = small_config();
    c.embedding = 0;
    c.max_steps = 12;
    strcpy(c.embeddings, write_text("anew.txt", "film 0.5 -0.25 2\ngreat 1 0 -1.5\n"));
    const char *folder = trained("anew", data, &c, 1);
    weights_digest(folder, expected);
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", folder);
    assert_int_equal(unlink(path), 0);
    elman_context *context = context_of(1);
    stop_after = 0;
    assert_ok(train_into(context, folder, NULL, &c, &problem));
    weights_digest(folder, found);
    assert_string_equal(found, expected);
    elman_context_free(context);
}

/* --- no allocation while running --- */

static size_t calls_at_step[400];
static int64_t steps_seen;

static void count_calls(void *user, const elman_train_progress *progress)
{
    (void)user;
    if (progress->event == ELMAN_EVENT_STEP && progress->step < 400) {
        calls_at_step[progress->step] = test_malloc_calls();
        steps_seen = progress->step;
    }
}

/* From the second epoch on every batch is at most as long as one was before. */
static void allocates_nothing(void **state)
{
    (void)state;
    if (!test_malloc_works())
        skip();
    for (int words = 0; words < 2; words++)
        for (int t = 1; t < 4; t++) {
            const char *data = data_of(words);
            elman_context *context = context_of(t);
            elman_train_request request;
            elman_train_request_default(&request);
            request.task = "classify";
            request.config = everything_on(words);
            request.config.accumulate = 1;
            request.config.epochs = 6;
            request.config.eval_every = 0;
            request.data = &data;
            request.data_count = 1;
            char name[32];
            snprintf(name, sizeof name, "calls-%d-%d", words, t);
            request.output = test_path(name);
            request.progress = count_calls;
            steps_seen = 0;
            assert_ok(elman_train(context, &request, &problem));
            int64_t epoch = steps_seen / 6;
            assert_int_equal(epoch, 14);
            for (int64_t s = 3 * epoch + 2; s <= steps_seen; s++)
                if (s % epoch != 1 && calls_at_step[s] != calls_at_step[s - 1])
                    fail_msg("%zu allocations in step %d of %s with %d threads",
                             calls_at_step[s] - calls_at_step[s - 1], (int)s,
                             words ? "texts" : "vectors", t);
            elman_context_free(context);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_texts),
        cmocka_unit_test(learns_vectors),
        cmocka_unit_test(learns_single_vectors),
        cmocka_unit_test(resumed),
        cmocka_unit_test(threads),
        cmocka_unit_test(calibrated),
        cmocka_unit_test(calibrated_by_nothing),
        cmocka_unit_test(balanced),
        cmocka_unit_test(word_vectors),
        cmocka_unit_test(small_embeddings),
        cmocka_unit_test(begins_anew),
        cmocka_unit_test(allocates_nothing),
    };
    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
