#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "elman/config.h"
#include "elman/version.h"
#include "test_malloc.h"

static elman_context *context;

static elman_status parse(const char *text, elman_config_file *file, elman_error *error)
{
    return elman_config_file_parse(context, text, strlen(text), "config.json", file, error);
}

static const char *const hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static const char *const whole =
    "{\"format_version\":1,\"numerics_version\":1,\"task\":\"lm\","
    "\"network\":{\"cell\":\"gru\",\"layers\":2,\"hidden\":512,\"embedding\":\"auto\","
    "\"dropout\":0.3,\"tied\":true,\"layer_norm\":false,\"init\":\"uniform:0.1\","
    "\"vocabulary\":65},"
    "\"training\":{\"batch\":50,\"lr\":1,\"weight_decay\":1e-2,\"schedule\":\"cosine\","
    "\"seed\":9007199254740991,\"max_steps\":0},\"run\":{\"checkpoint_every\":100},"
    "\"data\":{\"level\":\"word\",\"valid\":\"0.05\",\"files\":["
    "{\"path\":\"a/\\u00e9.txt\",\"sha256\":"
    "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\","
    "\"bytes\":4,\"use\":\"train\"},"
    "{\"use\":\"valid\",\"path\":\"v\",\"bytes\":0,\"sha256\":"
    "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}]}}";

static void check_whole(const elman_config_file *f)
{
    assert_string_equal(f->task, "lm");
    assert_int_equal(f->format_version, 1);
    assert_int_equal(f->numerics_version, 1);
    assert_int_equal(f->config.cell, 3); /* gru */
    assert_int_equal(f->config.layers, 2);
    assert_int_equal(f->config.embedding, 0);
    assert_true(f->config.dropout == 0.3);
    assert_true(f->config.tied && !f->config.layer_norm);
    assert_string_equal(f->config.init, "uniform:0.1");
    assert_int_equal(f->config.vocabulary, 65);
    assert_int_equal(f->config.batch, 50);
    assert_int_equal(f->config.bptt, 0);
    assert_true(f->config.lr == 1);
    assert_true(f->config.weight_decay == 0.01);
    assert_true(f->config.clip == 5);
    assert_int_equal(f->config.seed, 9007199254740991);
    assert_int_equal(f->config.checkpoint_every, 100);
    assert_int_equal(f->config.level, ELMAN_LEVEL_WORD);
    assert_int_equal(f->data_count, 2);
    assert_int_equal(f->train_count, 1);
    assert_string_equal(f->data[0].path, "a/\xc3\xa9.txt");
    assert_string_equal(f->data[0].sha256, hash);
    assert_int_equal(f->data[0].bytes, 4);
    assert_string_equal(f->data[1].path, "v");
}

static char *temporary(void)
{
    static char path[64];
    snprintf(path, sizeof(path), "/tmp/elman-config-%ld.json", (long)getpid());
    return path;
}

static void check_round_trip(void **state)
{
    (void)state;
    elman_config_file first, second;
    elman_error error = {ELMAN_OK, ""};
    assert_int_equal(parse(whole, &first, &error), ELMAN_OK);
    check_whole(&first);
    const char *path = temporary();
    assert_int_equal(elman_config_file_write(context, path, &first, &error), ELMAN_OK);
    assert_int_equal(elman_config_file_read(context, path, &second, &error), ELMAN_OK);
    check_whole(&second);
    const elman_option_table *table = elman_config_options();
    for (size_t i = 0; i < table->count; i++)
        assert_true(elman_options_equal(&table->options[i], &first.config, &second.config));
    elman_config_file_clear(context, &second);
    elman_config_file_clear(context, &second);
    assert_int_equal(elman_config_file_read_draft(context, path, &second, &error), ELMAN_OK);
    check_whole(&second);
    elman_config_file_clear(context, &second);
    /* defaults: every "auto" comes back as such */
    elman_config_file_clear(context, &first);
    elman_config_file_default(&first);
    strcpy(first.task, "lm");
    assert_int_equal(elman_config_file_write(context, path, &first, &error), ELMAN_OK);
    assert_int_equal(elman_config_file_read(context, path, &second, &error), ELMAN_OK);
    for (size_t i = 0; i < table->count; i++)
        assert_true(elman_options_equal(&table->options[i], &first.config, &second.config));
    elman_config_file_clear(context, &second);
    /* what cannot be written is said, and the file stays */
    first.config.hidden = -7;
    assert_int_equal(elman_config_file_write(context, path, &first, &error), ELMAN_ERROR_ARGUMENT);
    first.config.hidden = 7;
    strcpy(first.config.valid, "\xff.txt");
    assert_int_equal(elman_config_file_write(context, path, &first, &error), ELMAN_ERROR_ARGUMENT);
    assert_int_equal(elman_config_file_read(context, path, &second, &error), ELMAN_OK);
    elman_config_file_clear(context, &second);
    unlink(path);
    assert_int_equal(elman_config_file_read(context, path, &second, &error), ELMAN_ERROR_IO);
}

#define HEAD "{\"format_version\":1,\"numerics_version\":1,\"task\":\"lm\""

static void check_errors(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"[]", "config.json: found an array of 0, expected an object"},
        {"{}", "config.json: format_version: found nothing, expected an integer from 1"},
        {"{\"format_version\":2}",
         "config.json: format_version: found 2, this Elman reads up to 1"},
        {"{\"format_version\":\"1\"}",
         "config.json: format_version: found the string \"1\", expected an integer from 1"},
        {"{\"format_version\":1,\"numerics_version\":0}",
         "config.json: numerics_version: found the integer 0, expected an integer from 1"},
        {"{\"format_version\":1,\"numerics_version\":1}",
         "config.json: task: found nothing, expected a string of 1 to 31 bytes"},
        {"{\"format_version\":1,\"numerics_version\":1,\"task\":3}",
         "config.json: task: found the integer 3, expected a string of 1 to 31 bytes"},
        {HEAD ",\"netwrok\":{}}", "config.json: netwrok: unknown key; did you mean network?"},
        {HEAD ",\"hidden\":3}", "config.json: hidden: unknown key; it belongs in \"network\""},
        {HEAD ",\"qq\":3}", "config.json: qq: unknown key"},
        {HEAD ",\"network\":3}", "config.json: network: found the integer 3, expected an object"},
        {HEAD ",\"network\":{\"hiden\":3}}",
         "config.json: network.hiden: unknown key; did you mean hidden?"},
        {HEAD ",\"network\":{\"layer-norm\":true}}",
         "config.json: network.layer-norm: unknown key; did you mean layer_norm?"},
        {HEAD ",\"network\":{\"threads\":3}}", "config.json: network.threads: unknown key"},
        {HEAD ",\"run\":{\"threads\":3}}", "config.json: run.threads: unknown key"},
        {HEAD ",\"network\":{\"layers\":\"2\"}}",
         "config.json: network.layers: found the string \"2\", expected an integer from 1 to 64, "
         "or auto"},
        {HEAD ",\"network\":{\"layers\":2.0}}",
         "config.json: network.layers: found the number 2, expected an integer from 1 to 64, or "
         "auto"},
        {HEAD ",\"network\":{\"layers\":-2}}",
         "config.json: network.layers: found \"-2\", expected an integer from 1 to 64, or auto"},
        {HEAD ",\"network\":{\"dropout\":1e300}}",
         "config.json: network.dropout: found \"1e+300\", expected a number from 0 to 0.99, or "
         "auto"},
        {HEAD ",\"network\":{\"tied\":1}}",
         "config.json: network.tied: found the integer 1, expected true or false"},
        {HEAD ",\"network\":{\"cell\":\"lstn\"}}",
         "config.json: network.cell: found \"lstn\", expected rnn, rnn-relu, lstm or gru; did you "
         "mean lstm?"},
        {HEAD ",\"network\":{\"cell\":\"lstm\\u0000\"}}", NULL},
        {HEAD ",\"network\":{\"cell\":null}}",
         "config.json: network.cell: found null, expected rnn, rnn-relu, lstm or gru"},
        {HEAD ",\"training\":{\"lr\":NaN}}", NULL},
        {HEAD ",\"training\":{\"lr\":1e999}}", NULL},
        {HEAD ",\"training\":{\"seed\":99999999999999999999}}", NULL},
        {HEAD ",\"training\":{\"momentum\":0.5}}",
         "config.json: momentum: belongs to optimizer sgd, found adam"},
        {HEAD ",\"training\":{\"batch\":1,\"batch\":2}}", NULL},
        {HEAD ",\"data\":{\"files\":{}}}",
         "config.json: data.files: found an object of 0, expected an array of files"},
        {HEAD ",\"data\":{\"files\":[1]}}",
         "config.json: data.files[0]: found the integer 1, expected an object"},
        {HEAD ",\"data\":{\"files\":[{\"pth\":1}]}}",
         "config.json: data.files[0].pth: unknown key; did you mean path?"},
        {HEAD ",\"data\":{\"files\":[{\"path\":\"a\"}]}}",
         "config.json: data.files[0].sha256: found nothing, expected 64 lower-case hexadecimal "
         "digits"},
        {HEAD ",\"data\":{\"file\":[]}}",
         "config.json: data.file: unknown key; did you mean files?"},
        {"{", NULL},
        {"", NULL},
        {HEAD "} x", NULL},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        elman_config_file file;
        elman_error error = {ELMAN_OK, ""};
        elman_status status = parse(bad[i].text, &file, &error);
        if (status == ELMAN_OK)
            fail_msg("accepted: %s", bad[i].text);
        assert_int_equal(status, error.code);
        assert_int_equal(status, strstr(bad[i].text, ":2}") == NULL || i != 2
                                     ? ELMAN_ERROR_FORMAT
                                     : ELMAN_ERROR_UNSUPPORTED);
        assert_null(file.data);
        assert_null(strchr(error.message, '\n'));
        if (bad[i].message != NULL)
            assert_string_equal(error.message, bad[i].message);
        assert_int_equal(parse(bad[i].text, &file, NULL), status);
    }
}

static void check_draft(void **state)
{
    (void)state;
    elman_config_file file;
    elman_error error;
    const char *path = temporary();
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs("{\"network\": {\"hidden\": 64}}", out);
    fclose(out);
    assert_int_equal(elman_config_file_read_draft(context, path, &file, &error), ELMAN_OK);
    assert_string_equal(file.task, "");
    assert_int_equal(file.config.hidden, 64);
    assert_int_equal(file.numerics_version, ELMAN_NUMERICS_VERSION);
    elman_config_file_clear(context, &file);
    assert_int_equal(elman_config_file_read(context, path, &file, &error), ELMAN_ERROR_FORMAT);
    unlink(path);
}

/* Cut at every byte, and every byte flipped: no crash, and an error or a valid file. */
static void check_damage(void **state)
{
    (void)state;
    size_t size = strlen(whole);
    for (size_t cut = 0; cut < size; cut++) {
        elman_config_file file;
        elman_error error;
        char *copy = malloc(cut + 1);
        assert_non_null(copy);
        memcpy(copy, whole, cut);
        assert_int_equal(elman_config_file_parse(context, copy, cut, "config.json", &file, &error),
                         ELMAN_ERROR_FORMAT);
        free(copy);
    }
    for (size_t at = 0; at < size; at++)
        for (int bit = 0; bit < 8; bit++) {
            elman_config_file file;
            elman_error error;
            char *copy = malloc(size);
            assert_non_null(copy);
            memcpy(copy, whole, size);
            copy[at] = (char)(copy[at] ^ (1 << bit));
            if (elman_config_file_parse(context, copy, size, "config.json", &file, &error) ==
                ELMAN_OK)
                assert_int_equal(elman_config_validate(&file.config, &error), ELMAN_OK);
            elman_config_file_clear(context, &file);
            free(copy);
        }
}

static void check_allocations(void **state)
{
    (void)state;
    if (!test_malloc_works())
        skip();
    for (size_t n = 1;; n++) {
        elman_config_file file;
        elman_error error = {ELMAN_OK, ""};
        size_t live = test_malloc_live();
        test_malloc_fail_at(n);
        elman_status status = parse(whole, &file, &error);
        bool failed = test_malloc_failed();
        test_malloc_fail_at(0);
        assert_int_equal(status, failed ? ELMAN_ERROR_MEMORY : ELMAN_OK);
        elman_config_file_clear(context, &file);
        assert_int_equal(test_malloc_live(), live);
        if (!failed)
            break;
    }
    elman_config_file file;
    elman_error error;
    assert_int_equal(parse(whole, &file, &error), ELMAN_OK);
    for (size_t n = 1;; n++) {
        size_t live = test_malloc_live();
        test_malloc_fail_at(n);
        elman_status status = elman_config_file_write(context, temporary(), &file, &error);
        bool failed = test_malloc_failed();
        test_malloc_fail_at(0);
        assert_int_equal(status == ELMAN_OK, !failed);
        assert_int_equal(test_malloc_live(), live);
        if (!failed)
            break;
    }
    unlink(temporary());
    elman_config_file_clear(context, &file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_round_trip),  cmocka_unit_test(check_errors),
        cmocka_unit_test(check_draft),       cmocka_unit_test(check_damage),
        cmocka_unit_test(check_allocations),
    };
    elman_context_options options;
    elman_context_options_default(&options);
    options.threads = 1;
    if (elman_context_create(&options, &context, NULL) != ELMAN_OK)
        return 1;
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    elman_context_free(context);
    return failures;
}
