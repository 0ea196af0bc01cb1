/* Which part of a text is for training and which for validation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elman/text.h"
#include "task/lm_impl.h"

static char root[64] = "/tmp/elman-split-XXXXXX";
static elman_context *context;

static int begin(void **state)
{
    (void)state;
    return mkdtemp(root) == NULL || elman_context_create(NULL, &context, NULL) != ELMAN_OK;
}

static int end(void **state)
{
    (void)state;
    char command[128];
    elman_context_free(context);
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

/* A text of files of so many bytes each. */
static elman_text *text_of(int files, const int *bytes)
{
    static char paths[4][96];
    const char *list[4];
    elman_text *text;
    elman_error error = {0};
    for (int i = 0; i < files; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%d.txt", root, i);
        FILE *f = fopen(paths[i], "w");
        assert_non_null(f);
        for (int k = 0; k < bytes[i]; k++)
            fputc('a' + k % 7, f);
        fclose(f);
        list[i] = paths[i];
    }
    if (elman_text_open(context, list, files, ELMAN_LEVEL_CHAR, &text, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    return text;
}

static elman_status split(const elman_text *text, const char *valid, int64_t train_count,
                          elman_lm_split *found, elman_error *error)
{
    elman_config config;
    elman_config_default(&config);
    snprintf(config.valid, sizeof config.valid, "%s", valid);
    return elman_lm_split_text(text, &config, train_count, found, error);
}

static void fractions(void **state)
{
    (void)state;
    static const char *const valid[] = {"0", "0.0", "0.05", "0.1", "0.25", "0.3", "0.9", "1e-1"};
    static const int sizes[] = {40, 41, 100, 997, 1000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        elman_text *text = text_of(1, &sizes[s]);
        for (size_t v = 0; v < sizeof valid / sizeof *valid; v++) {
            elman_lm_split found;
            elman_error error = {0};
            double f = strtod(valid[v], NULL);
            if (split(text, valid[v], 1, &found, &error) != ELMAN_OK)
                fail_msg("%s", error.message);
            double expected = (double)sizes[s] * (1 - f);
            assert_true((double)found.train_end <= expected + 1e-9 &&
                        (double)found.train_end > expected - 1 - 1e-9);
            assert_int_equal(found.valid_end, sizes[s]);
            uint64_t left = (uint64_t)sizes[s] - found.train_end;
            /* one token predicts nothing */
            assert_int_equal(found.valid_first, left < 2 ? found.valid_end : found.train_end);
            if (f == 0)
                assert_true(found.train_end == (uint64_t)sizes[s]);
        }
        elman_text_free(text);
    }
    elman_lm_split found;
    elman_text *text = text_of(1, (const int[]){1000});
    assert_int_equal(split(text, "0.25", 1, &found, NULL), ELMAN_OK);
    assert_int_equal(found.train_end, 750);
    assert_int_equal(found.valid_first, 750);
    assert_int_equal(found.valid_end, 1000);
    elman_text_free(text);
    /* a fraction goes through all files as one text */
    text = text_of(2, (const int[]){60, 40});
    assert_int_equal(split(text, "0.5", 2, &found, NULL), ELMAN_OK);
    assert_int_equal(found.train_end, 50);
    assert_int_equal(found.valid_end, 100);
    elman_text_free(text);
}

static void numbers(void **state)
{
    (void)state;
    static const char *const bad[] = {"-0.1", "0.91", "1", "90", "nan", "inf", "-inf", "1e9"};
    elman_text *text = text_of(1, (const int[]){1000});
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        elman_error error = {0};
        elman_lm_split found;
        assert_int_equal(split(text, bad[i], 1, &found, &error), ELMAN_ERROR_ARGUMENT);
        assert_non_null(strstr(error.message, bad[i]));
        assert_non_null(strstr(error.message, "expected a fraction from 0 to 0.9 or a file"));
    }
    elman_text_free(text);
    elman_config config;
    elman_config_default(&config);
    bool is_file;
    double fraction;
    static const char *const files[] = {"0.1.txt", "valid", "./0.1", "0,1", "0.1 "};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        strcpy(config.valid, files[i]);
        assert_int_equal(elman_lm_valid_kind(&config, &is_file, &fraction, NULL), ELMAN_OK);
        assert_true(is_file);
    }
    strcpy(config.valid, "0.125");
    assert_int_equal(elman_lm_valid_kind(&config, &is_file, &fraction, NULL), ELMAN_OK);
    assert_false(is_file);
    assert_true(fraction == 0.125);
}

static void files(void **state)
{
    (void)state;
    elman_lm_split found;
    elman_text *text = text_of(3, (const int[]){30, 50, 20});
    assert_int_equal(split(text, "v.txt", 2, &found, NULL), ELMAN_OK);
    assert_int_equal(found.train_end, 80);
    assert_int_equal(found.valid_first, 80);
    assert_int_equal(found.valid_end, 100);
    elman_text_free(text);
    /* the least of each */
    text = text_of(2, (const int[]){2, 2});
    assert_int_equal(split(text, "v.txt", 1, &found, NULL), ELMAN_OK);
    assert_int_equal(found.train_end, 2);
    assert_int_equal(found.valid_end, 4);
    elman_text_free(text);
}

/* As a config.json may say that was written by hand. */
static void wrong_counts(void **state)
{
    (void)state;
    static const struct {
        const char *valid;
        int64_t count;
    } bad[] = {{"0.5", 1}, {"0.5", 0}, {"0.5", 3}, {"v.txt", 0}, {"v.txt", 2}, {"v.txt", -1}};
    elman_text *text = text_of(2, (const int[]){50, 50});
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        elman_lm_split found;
        elman_error error = {0};
        assert_int_equal(split(text, bad[i].valid, bad[i].count, &found, &error),
                         ELMAN_ERROR_FORMAT);
        assert_non_null(strstr(error.message, "of 2 files to train on"));
    }
    elman_text_free(text);
}

/* The file, how many there are and how many it takes. */
static void too_little(void **state)
{
    (void)state;
    elman_lm_split found;
    elman_error error = {0};
    elman_text *text = text_of(1, (const int[]){1});
    assert_int_equal(split(text, "0", 1, &found, &error), ELMAN_ERROR_DATA);
    assert_non_null(strstr(error.message, "0.txt: too little text: 1 token for training, expected "
                                          "at least 2"));
    elman_text_free(text);
    text = text_of(1, (const int[]){9});
    assert_int_equal(split(text, "0.9", 1, &found, &error), ELMAN_ERROR_DATA);
    assert_non_null(strstr(error.message, ": 0 tokens for training"));
    elman_text_free(text);
    text = text_of(2, (const int[]){1, 50});
    assert_int_equal(split(text, "v.txt", 1, &found, &error), ELMAN_ERROR_DATA);
    assert_non_null(strstr(error.message, ": 1 token for training"));
    elman_text_free(text);
    text = text_of(2, (const int[]){50, 1});
    assert_int_equal(split(text, "v.txt", 1, &found, &error), ELMAN_ERROR_DATA);
    assert_non_null(strstr(error.message, "valid 'v.txt' leaves 1 to validate on"));
    elman_text_free(text);
    text = text_of(1, (const int[]){50});
    assert_int_equal(split(text, "0.01", 1, &found, &error), ELMAN_ERROR_DATA);
    assert_non_null(strstr(error.message, "valid '0.01' leaves 1 to validate on"));
    elman_text_free(text);
    text = text_of(1, (const int[]){2});
    assert_int_equal(split(text, "0", 1, &found, &error), ELMAN_OK);
    elman_text_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fractions),    cmocka_unit_test(numbers),    cmocka_unit_test(files),
        cmocka_unit_test(wrong_counts), cmocka_unit_test(too_little),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
