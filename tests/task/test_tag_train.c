/* Training taggers: they learn, and a run is a function of its data, configuration and seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "elman/elman.h"
#include "tag_case.h"

static void model_digest(const char *folder, char digest[65])
{
    char path[300];
    elman_error error = {0};
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    if (elman_file_sha256(path, digest, NULL, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
}

/* Endings, unseen words among them, and what the word after "that" is. */
static void learns(void **state)
{
    (void)state;
    for (int crf = 0; crf < 2; crf++) {
        elman_config config;
        tiny(&config);
        config.crf = crf;
        tag_run run = {.data = in_root("train.conllu"), .folder = in_root("m"), .config = &config};
        train_or_fail(&run);
        print_message("crf %d: accuracy %.4f\n", crf, run.best);
        assert_string_equal(run.metric, "accuracy");
        assert_true(run.best > 0.97);
    }
}

static void learns_vectors(void **state)
{
    (void)state;
    elman_config config;
    tiny(&config);
    strcpy(config.sequence_column, "clip");
    strcpy(config.step_column, "step");
    config.dropout = 0;
    tag_run run = {.data = in_root("train.csv"), .folder = in_root("v"), .config = &config};
    train_or_fail(&run);
    print_message("accuracy %.4f\n", run.best);
    assert_true(run.best > 0.9);
}

/* Labels of entities are measured by entities. */
static void learns_entities(void **state)
{
    (void)state;
    FILE *f = fopen(in_root("entities.txt"), "w");
    uint32_t r = 3;
    for (int s = 0; s < 200; s++) {
        for (int i = 0; i < 4; i++)
            if (draw(&r, 2))
                fputs("to O\n", f);
            else
                fputs(draw(&r, 2) ? "New B-LOC\nYork I-LOC\n" : "Ann B-PER\n", f);
        fputs("\n", f);
    }
    fclose(f);
    elman_config config;
    tiny(&config);
    config.epochs = 4;
    config.crf = true;
    tag_run run = {.data = in_root("entities.txt"), .folder = in_root("e"), .config = &config};
    train_or_fail(&run);
    assert_string_equal(run.metric, "f1");
    assert_true(run.best > 0.99);
}

static void same_for_any_threads(void **state)
{
    (void)state;
    for (int crf = 0; crf < 2; crf++) {
        char digests[3][65];
        for (int i = 0; i < 3; i++) {
            elman_config config;
            tiny(&config);
            config.layers = 2;
            config.hidden = 33;
            config.epochs = 1;
            config.crf = crf;
            config.accumulate = 2;
            config.average = 0.9;
            tag_run run = {.data = in_root("train.conllu"),
                           .folder = in_root("t"),
                           .config = &config,
                           .threads = 1 + i};
            train_or_fail(&run);
            model_digest(run.folder, digests[i]);
            assert_string_equal(digests[i], digests[0]);
        }
    }
}

/* Stopped again and again, with another number of threads each time. */
static void resumes_to_the_same_bits(void **state)
{
    (void)state;
    for (int vectors = 0; vectors < 2; vectors++) {
        char whole[65], resumed[65];
        elman_config config;
        tiny(&config);
        config.epochs = 3;
        config.crf = true;
        config.eval_every = 10;
        if (vectors)
            strcpy(config.sequence_column, "clip");
        if (vectors)
            strcpy(config.features, "x,y");
        tag_run run = {.data = in_root(vectors ? "train.csv" : "train.conllu"),
                       .folder = in_root("whole"),
                       .config = &config};
        train_or_fail(&run);
        model_digest(run.folder, whole);
        elman_error error = {0};
        run.folder = in_root("stopped");
        int times = 0;
        for (;; times++) {
            run.stop_after += 13;
            run.threads = 1 + times % 3;
            elman_status status = tag_train(&run, &error);
            run.config = NULL;
            if (status == ELMAN_OK)
                break;
            if (status != ELMAN_ERROR_INTERRUPTED)
                fail_msg("%s", error.message);
        }
        assert_true(times > 3);
        model_digest(run.folder, resumed);
        assert_string_equal(whole, resumed);
    }
}

static void assert_refused(const elman_config *config, const char *data, const char *what)
{
    elman_error error = {0};
    tag_run run = {.data = data, .folder = in_root("refused"), .config = config};
    if (tag_train(&run, &error) == ELMAN_OK)
        fail_msg("trained, expected: %s", what);
    if (!strstr(error.message, what))
        fail_msg("found: %s\n     expected: %s", error.message, what);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    elman_config config;
    const char *path = in_root("bad.conllu");
    tiny(&config);
    strcpy(config.label, "UPSO");
    assert_refused(&config, in_root("train.conllu"),
                   "label: found UPSO, expected a column of CoNLL-U or its number, from 1; did you "
                   "mean UPOS?");
    strcpy(config.label, "11");
    assert_refused(&config, in_root("train.conllu"), "train.conllu: line 2: 10 columns, expected");
    strcpy(config.label, "2");
    assert_refused(&config, in_root("train.conllu"), "line 2: 10 columns, expected a label in");
    strcpy(config.label, "LEMMA"); /* _ everywhere */
    assert_refused(&config, in_root("train.conllu"), "found 0 different labels");
    config.label[0] = 0;
    write_file(path, "a X\nb Y\n\nc\n");
    assert_refused(&config, path, "bad.conllu: line 4: 1 column, expected a label in column 2");
    write_file(path, "a X\nb _\n\nc Y\n");
    config.crf = true;
    assert_refused(&config, path, "bad.conllu: line 2: column 2: no label");
    config.crf = false;
    write_file(path, "a X\nb Y Z\n");
    assert_refused(&config, path, "bad.conllu: line 2: found 3 columns");
    config.crf = config.balance = true;
    assert_refused(&config, in_root("train.conllu"), "balance: ");
    config.crf = config.balance = false;
    config.freeze_embeddings = true;
    assert_refused(&config, in_root("train.conllu"), "freeze-embeddings: ");
    config.freeze_embeddings = false;
    config.noise = 0.1;
    assert_refused(&config, in_root("train.conllu"), "noise: it means something only to numbers");
    config.noise = 0;
    strcpy(config.sequence_column, "clip");
    config.freeze_embeddings = true;
    assert_refused(&config, in_root("train.csv"), "freeze-embeddings: ");
    config.freeze_embeddings = false;
    strcpy(config.embeddings, in_root("vectors.txt"));
    assert_refused(&config, in_root("train.csv"), "embeddings: it means something only to words");
    config.embeddings[0] = config.sequence_column[0] = 0;
    strcpy(config.split, "100000,1");
    assert_refused(&config, in_root("train.conllu"), "sentences");
}

/* Rows of a table that begin the embedding, and stay as they are where frozen. */
static void reads_embeddings(void **state)
{
    (void)state;
    write_file(in_root("vectors.txt"),
               "that 1 2 3\nbelbelo 4 5 6\nfinfinly 7 8 9\nunseen -1 -2 -3\n");
    elman_config config;
    tiny(&config);
    config.embedding = 0;
    config.epochs = 1;
    config.freeze_embeddings = true;
    strcpy(config.embeddings, in_root("vectors.txt"));
    tag_run run = {.data = in_root("train.conllu"), .folder = in_root("w"), .config = &config};
    train_or_fail(&run);
    elman_context *context;
    elman_error error = {0};
    elman_safetensors *file;
    elman_vocabulary *vocabulary;
    char path[300];
    assert_int_equal(elman_context_create(NULL, &context, NULL), ELMAN_OK);
    snprintf(path, sizeof path, "%s/model.safetensors", run.folder);
    assert_int_equal(elman_safetensors_read(context, path, NULL, &file, &error), ELMAN_OK);
    snprintf(path, sizeof path, "%s/vocabulary.json", run.folder);
    assert_int_equal(elman_vocabulary_load(context, path, &vocabulary, &error), ELMAN_OK);
    const elman_tensor_view *table = elman_safetensors_find(file, "embedding.weight");
    assert_non_null(table);
    assert_int_equal(table->shape[1], 3);
    const float *row =
        (const float *)table->data + 3 * elman_vocabulary_find(vocabulary, "that", 4);
    assert_true(row[0] == 1 && row[1] == 2 && row[2] == 3);
    /* a word that training does not have is known all the same */
    assert_true(elman_vocabulary_find(vocabulary, "unseen", 6) >= 0);
    row = (const float *)table->data + 3 * elman_vocabulary_find(vocabulary, "unseen", 6);
    assert_true(row[0] == -1 && row[1] == -2 && row[2] == -3);
    elman_vocabulary_free(vocabulary);
    elman_safetensors_free(file);
    elman_context_free(context);
    config.embedding = 5;
    assert_refused(&config, in_root("train.conllu"), "expected 5 as --embedding says");
}

/* A checkpoint has the word vectors, which stay frozen: their file may be gone. Without one it is
 * read again. */
static void resumes_without_embeddings(void **state)
{
    (void)state;
    char command[300], whole[65], resumed[65];
    elman_error error = {0};
    elman_config config;
    tiny(&config);
    config.embedding = 3;
    config.epochs = 2;
    config.eval_every = 5;
    config.freeze_embeddings = true;
    strcpy(config.embeddings, in_root("gone.txt"));
    write_file(config.embeddings, "that 1 2 3\nbelbelo 4 5 6\n");
    tag_run run = {.data = in_root("train.conllu"), .folder = in_root("kept"), .config = &config};
    train_or_fail(&run);
    model_digest(run.folder, whole);
    run.folder = in_root("g");
    run.stop_after = 12;
    assert_int_equal(tag_train(&run, &error), ELMAN_ERROR_INTERRUPTED);
    assert_int_equal(remove(config.embeddings), 0);
    run.config = NULL;
    run.stop_after = 0;
    train_or_fail(&run);
    model_digest(run.folder, resumed);
    assert_string_equal(whole, resumed);
    snprintf(command, sizeof command, "rm '%s'/checkpoint.safetensors", run.folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(tag_train(&run, &error), ELMAN_ERROR_IO);
    assert_non_null(strstr(error.message, "gone.txt"));
}

static int setup(void **state)
{
    if (make_root(state))
        return 1;
    write_sentences(in_root("train.conllu"), 300, 1);
    write_vectors(in_root("train.csv"), 300, 2);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns),
        cmocka_unit_test(learns_vectors),
        cmocka_unit_test(learns_entities),
        cmocka_unit_test(same_for_any_threads),
        cmocka_unit_test(resumes_to_the_same_bits),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(reads_embeddings),
        cmocka_unit_test(resumes_without_embeddings),
    };
    return cmocka_run_group_tests(tests, setup, remove_root);
}
