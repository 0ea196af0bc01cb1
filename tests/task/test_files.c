/* Which files a run reads, that they are those that were recorded, and which examples of them are
 * for what. */
#include "../data/data_support.h"

#include "task/files.h"

static elman_context *context;

static int begin(void **state)
{
    (void)state;
    return elman_context_create(NULL, &context, NULL) != ELMAN_OK;
}

static int end(void **state)
{
    (void)state;
    elman_context_free(context);
    return 0;
}

static elman_config_file file_of(const char *valid, const char *split)
{
    elman_config_file file;
    elman_config_file_default(&file);
    snprintf(file.config.valid, sizeof file.config.valid, "%s", valid);
    snprintf(file.config.split, sizeof file.config.split, "%s", split);
    return file;
}

static elman_train_request request_of(const char *const *data, int count)
{
    elman_train_request request;
    elman_train_request_default(&request);
    request.data = data;
    request.data_count = count;
    return request;
}

static void which(void **state)
{
    (void)state;
    static const char *const data[] = {"a.csv", "b.csv"};
    static const struct {
        const char *valid, *split;
        int count;
    } cases[] = {{"0.1", "", 2}, {"", "", 2}, {"c.csv", "", 3}, {"0.1", "5,5", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        elman_config_file file = file_of(cases[i].valid, cases[i].split);
        elman_train_request request = request_of(data, 2);
        elman_files files, again;
        char digest[65];
        assert_ok(elman_files_of(context, &request, &file, &files, &problem));
        assert_int_equal(files.count, cases[i].count);
        assert_int_equal(files.train_count, 2);
        assert_false(files.recorded);
        assert_string_equal(files.paths[0], "a.csv");
        assert_string_equal(files.paths[1], "b.csv");
        if (cases[i].count == 3)
            assert_string_equal(files.paths[2], "c.csv");
        for (int f = 0; f < files.count; f++) {
            memset(digest, 'a' + f, 64);
            digest[64] = 0;
            assert_ok(elman_files_read(&files, f, digest, 100 + (uint64_t)f, &file, &problem));
            assert_string_equal(file.data[f].sha256, digest);
            assert_int_equal(file.data[f].bytes, 100 + f);
        }
        elman_files_free(&files);
        /* resumed, and read again without a request */
        request.resume = true;
        for (int asked = 0; asked < 2; asked++) {
            assert_ok(elman_files_of(context, asked ? &request : NULL, &file, &again, &problem));
            assert_int_equal(again.count, cases[i].count);
            assert_int_equal(again.train_count, 2);
            assert_true(again.recorded);
            memset(digest, 'a', 64);
            assert_ok(elman_files_read(&again, 0, digest, 100, &file, &problem));
            digest[3] = 'x';
            assert_int_equal(elman_files_read(&again, 0, digest, 100, &file, &problem),
                             ELMAN_ERROR_DATA);
            assert_contains(problem.message, "a.csv: not the file that the training began with");
            elman_files_free(&again);
        }
        elman_config_file_clear(context, &file);
    }
}

static void wrong_files(void **state)
{
    (void)state;
    static char longest[ELMAN_CONFIG_TEXT + 1];
    const char *data[] = {"a.csv", longest};
    elman_files files;
    memset(longest, 'x', ELMAN_CONFIG_TEXT);
    elman_config_file file = file_of("0.1", "");
    assert_int_equal(elman_files_of(context, NULL, &file, &files, &problem), ELMAN_ERROR_DATA);
    assert_contains(problem.message, "names no data");
    elman_train_request request = request_of(data, 2);
    assert_int_equal(elman_files_of(context, &request, &file, &files, &problem),
                     ELMAN_ERROR_ARGUMENT);
    assert_contains(problem.message, "a path of 1024 bytes, expected less than 1024");
    elman_config_file_clear(context, &file);
    longest[ELMAN_CONFIG_TEXT - 1] = 0;
    file = file_of("0.1", "");
    assert_ok(elman_files_of(context, &request, &file, &files, &problem));
    elman_files_free(&files);
    elman_files_free(&files);
    elman_config_file_clear(context, &file);
}

static elman_status parts_of(const char *valid, const char *split, int64_t count,
                             int64_t train_count, elman_parts *parts)
{
    elman_config_file file = file_of(valid, split);
    return elman_parts_of(&file.config, count, train_count, "rows", parts, &problem);
}

static void check_parts(const char *valid, const char *split, int64_t count, int64_t train_count,
                        elman_parts expected)
{
    elman_parts found;
    assert_ok(parts_of(valid, split, count, train_count, &found));
    assert_int_equal(found.train, expected.train);
    assert_int_equal(found.valid, expected.valid);
    assert_int_equal(found.test_first, expected.test_first);
    assert_int_equal(found.test_end, expected.test_end);
}

static void parts(void **state)
{
    (void)state;
    check_parts("0.1", "", 100, 100, (elman_parts){90, 100, 100, 100});
    check_parts("0", "", 100, 100, (elman_parts){100, 100, 100, 100});
    check_parts("0.5", "", 3, 3, (elman_parts){1, 3, 3, 3});
    check_parts("0.75", "", 1000, 1000, (elman_parts){250, 1000, 1000, 1000});
}

static void files_of_their_own(void **state)
{
    (void)state;
    check_parts("c.csv", "", 100, 70, (elman_parts){70, 100, 100, 100});
    check_parts("c.csv", "", 70, 70, (elman_parts){70, 70, 70, 70});
}

static void splits(void **state)
{
    (void)state;
    check_parts("0.1", "60,40", 100, 100, (elman_parts){60, 100, 100, 100});
    check_parts("0.1", "60,30,10", 100, 100, (elman_parts){60, 90, 90, 100});
    check_parts("0.1", "1,0", 100, 100, (elman_parts){1, 1, 1, 1});
    check_parts("0.1", "1,0,5", 100, 100, (elman_parts){1, 1, 1, 6});
    check_parts("0.1", "50,20,0", 100, 100, (elman_parts){50, 70, 70, 70});
}

static void wrong_parts(void **state)
{
    (void)state;
    static const char *const splits[] = {"60",
                                         "60,",
                                         ",60",
                                         "60,40,",
                                         ",",
                                         "0,10",
                                         "-1,5",
                                         "5,-1",
                                         "5,5,5,5",
                                         "a,b",
                                         "5;5",
                                         "5.5,4",
                                         "5, 5 x",
                                         "60,,40",
                                         "9223372036854775807,9223372036854775807",
                                         "99999999999999999999,1",
                                         "0000000000000000000000001,1"};
    elman_parts found;
    for (size_t i = 0; i < sizeof splits / sizeof *splits; i++) {
        if (parts_of("0.1", splits[i], 100, 100, &found) != ELMAN_ERROR_ARGUMENT)
            fail_msg("split %s was taken", splits[i]);
        assert_contains(problem.message, splits[i]);
    }
    assert_int_equal(parts_of("0.1", "60,41", 100, 100, &found), ELMAN_ERROR_ARGUMENT);
    assert_string_equal(problem.message, "split: 60,41 asks for 101 rows, the data have 100");
    assert_int_equal(parts_of("c.csv", "60,40", 100, 100, &found), ELMAN_ERROR_ARGUMENT);
    assert_contains(problem.message, "valid: found the file c.csv");
    static const char *const fractions[] = {"-0.1", "0.95", "1", "7", "nan", "inf"};
    for (size_t i = 0; i < sizeof fractions / sizeof *fractions; i++) {
        assert_int_equal(parts_of(fractions[i], "", 100, 100, &found), ELMAN_ERROR_ARGUMENT);
        assert_contains(problem.message, "expected a fraction from 0 to 0.9 or a file");
    }
    assert_int_equal(parts_of("0.1", "", 1, 1, &found), ELMAN_ERROR_DATA);
    assert_contains(problem.message, "too little data: 1 rows, and valid 0.1 leaves none");
    assert_int_equal(parts_of("c.csv", "", 5, 0, &found), ELMAN_ERROR_DATA);
    assert_int_equal(parts_of("0", "", 0, 0, &found), ELMAN_ERROR_DATA);
    assert_contains(problem.message, "no rows to train on");
}

static void memory(void **state)
{
    (void)state;
    counter c;
    static const char *const data[] = {"a.csv"};
    elman_context *counted = counted_context(&c);
    int before = c.live;
    for (int at = 1; at < 4; at++) {
        elman_config_file file = file_of("b.csv", "");
        elman_train_request request = request_of(data, 1);
        elman_files files;
        c.calls = 0;
        c.fail_at = at;
        assert_int_equal(elman_files_of(counted, &request, &file, &files, &problem),
                         at < 3 ? ELMAN_ERROR_MEMORY : ELMAN_OK);
        elman_files_free(&files);
        elman_config_file_clear(counted, &file);
        assert_int_equal(c.live, before);
    }
    elman_context_free(counted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(which),  cmocka_unit_test(wrong_files),
        cmocka_unit_test(parts),  cmocka_unit_test(files_of_their_own),
        cmocka_unit_test(splits), cmocka_unit_test(wrong_parts),
        cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
