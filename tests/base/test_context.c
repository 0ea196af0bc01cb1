#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/context_impl.h"
#include "base/cpu.h"
#include "base/error.h"
#include "elman/version.h"

static elman_error error;

static elman_status create(int threads, elman_isa isa, elman_context **context)
{
    elman_context_options options;
    elman_context_options_default(&options);
    options.threads = threads;
    options.isa = isa;
    memset(&error, 0, sizeof error);
    return elman_context_create(&options, context, &error);
}

static void test_threads(void **state)
{
    (void)state;
    elman_context *context;
    const int bad[] = {-1, 257, 1000000};
    const char *const bad_texts[] = {"0", "-1", "257", "two", "1.5", " 1", "99999999999999999999"};
    unsetenv("ELMAN_THREADS");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(create(bad[i], ELMAN_ISA_BEST, &context), ELMAN_ERROR_ARGUMENT);
        assert_null(context);
        assert_non_null(strstr(error.message, "1 to 256"));
    }
    assert_int_equal(create(256, ELMAN_ISA_BEST, &context), ELMAN_OK);
    assert_int_equal(elman_context_threads(context), 256);
    elman_context_free(context);
    assert_int_equal(elman_context_create(NULL, &context, NULL), ELMAN_OK);
    assert_int_equal(elman_context_threads(context), elman_cpu_count());
    elman_context_free(context);
    setenv("ELMAN_THREADS", "7", 1);
    assert_int_equal(create(0, ELMAN_ISA_BEST, &context), ELMAN_OK);
    assert_int_equal(elman_context_threads(context), 7);
    elman_context_free(context);
    assert_int_equal(create(2, ELMAN_ISA_BEST, &context), ELMAN_OK);
    assert_int_equal(elman_context_threads(context), 2);
    elman_context_free(context);
    for (size_t i = 0; i < sizeof bad_texts / sizeof bad_texts[0]; i++) {
        setenv("ELMAN_THREADS", bad_texts[i], 1);
        assert_int_equal(create(0, ELMAN_ISA_BEST, &context), ELMAN_ERROR_ARGUMENT);
        assert_non_null(strstr(error.message, bad_texts[i]));
    }
    unsetenv("ELMAN_THREADS");
}

static void test_isa(void **state)
{
    (void)state;
    elman_context *context;
    unsetenv("ELMAN_ISA");
    for (int isa = ELMAN_ISA_SCALAR; isa <= ELMAN_ISA_NEON; isa++) {
        elman_isa asked = (elman_isa)isa;
        for (int by_name = 0; by_name < 2; by_name++) {
            if (by_name)
                setenv("ELMAN_ISA", elman_isa_name(asked), 1);
            elman_status status = create(1, by_name ? ELMAN_ISA_BEST : asked, &context);
            assert_int_equal(status, elman_cpu_has(asked) ? ELMAN_OK : ELMAN_ERROR_UNSUPPORTED);
            if (status == ELMAN_OK)
                assert_int_equal(elman_context_isa(context), asked);
            else
                assert_non_null(strstr(error.message, elman_isa_name(asked)));
            elman_context_free(context);
        }
        unsetenv("ELMAN_ISA");
    }
    setenv("ELMAN_ISA", "sse9", 1);
    assert_int_equal(create(1, ELMAN_ISA_BEST, &context), ELMAN_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "sse9"));
    unsetenv("ELMAN_ISA");
    assert_int_equal(create(1, ELMAN_ISA_BEST, &context), ELMAN_OK);
    assert_true(elman_context_isa(context) != ELMAN_ISA_BEST);
    elman_context_free(context);
    assert_int_equal(create(1, (elman_isa)9, &context), ELMAN_ERROR_ARGUMENT);
}

static void test_options(void **state)
{
    (void)state;
    elman_context *context;
    elman_context_options options = {0};
    assert_int_equal(elman_context_create(&options, &context, &error), ELMAN_ERROR_ARGUMENT);
    elman_context_options_default(&options);
    options.allocator.release = (void (*)(void *, void *))(uintptr_t)1;
    assert_int_equal(elman_context_create(&options, &context, &error), ELMAN_ERROR_ARGUMENT);
    assert_int_equal(elman_context_create(NULL, NULL, &error), ELMAN_ERROR_ARGUMENT);
    assert_string_equal(elman_version(), ELMAN_VERSION);
    assert_int_equal(elman_numerics_version(), ELMAN_NUMERICS_VERSION);
}

static char logged[64];

static void keep_line(void *user, elman_log_level level, const char *line)
{
    assert_ptr_equal(user, &error);
    assert_int_equal(level, ELMAN_LOG_WARNING);
    strncpy(logged, line, sizeof logged - 1);
}

static void test_log(void **state)
{
    (void)state;
    elman_context *context;
    elman_context_options options;
    elman_context_options_default(&options);
    options.log = keep_line;
    options.log_user = &error;
    assert_int_equal(elman_context_create(&options, &context, &error), ELMAN_OK);
    elman_log(context, ELMAN_LOG_WARNING, "%d of %s", 3, "x");
    assert_string_equal(logged, "3 of x");
    elman_context_free(context);
}

static void check_message(const char *text, const char *expected)
{
    assert_int_equal(elman_fail(&error, ELMAN_ERROR_DATA, "%s", text), ELMAN_ERROR_DATA);
    assert_int_equal(error.code, ELMAN_ERROR_DATA);
    assert_string_equal(error.message, expected);
}

static void test_messages(void **state)
{
    (void)state;
    assert_int_equal(elman_fail(NULL, ELMAN_ERROR_IO, "x"), ELMAN_ERROR_IO);
    check_message("plain", "plain");
    check_message("a\nb\r\tc\x1b[2J\x7f", "a\\nb\\r\\tc\\x1b[2J\\x7f");
    check_message("caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80", "café 日 😀");
    check_message("\xc2\x9b", "\\xc2\\x9b");
    check_message("\xff\xc3", "\\xff\\xc3");
    check_message("\xed\xa0\x80 \xc0\xaf \xf4\x90\x80\x80",
                  "\\xed\\xa0\\x80 \\xc0\\xaf \\xf4\\x90\\x80\\x80");
    /* An old message may be an argument of the new one. */
    check_message("inner", "inner");
    elman_fail(&error, ELMAN_ERROR_IO, "outer: %s", error.message);
    assert_string_equal(error.message, "outer: inner");
    /* Cut on a code point. */
    for (size_t lead = 0; lead < 3; lead++) {
        char text[3 * ELMAN_ERROR_CAPACITY] = {0};
        for (size_t i = 0; i < lead; i++)
            text[i] = 'a';
        for (size_t i = lead; i + 3 < sizeof text - 3; i += 3)
            memcpy(text + i, "\xe2\x82\xac", 3);
        elman_fail(&error, ELMAN_ERROR_IO, "%s", text);
        size_t length = strlen(error.message);
        assert_true(length > ELMAN_ERROR_CAPACITY - 4);
        assert_int_equal((length - lead) % 3, 0);
        assert_memory_equal(error.message, text, length);
    }
    for (int i = ELMAN_OK; i <= ELMAN_ERROR_BUSY; i++)
        assert_string_not_equal(elman_status_name((elman_status)i), "unknown status");
    assert_string_equal(elman_status_name((elman_status)99), "unknown status");
}

static void test_sizes(void **state)
{
    (void)state;
    size_t out = 5;
    assert_false(elman_size_multiply(SIZE_MAX, 2, &out));
    assert_false(elman_size_add(SIZE_MAX, 1, &out));
    assert_int_equal(out, 5);
    assert_true(elman_size_multiply(SIZE_MAX, 1, &out) && out == SIZE_MAX);
    assert_true(elman_size_add(SIZE_MAX - 1, 1, &out) && out == SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),  cmocka_unit_test(test_isa),
        cmocka_unit_test(test_options),  cmocka_unit_test(test_log),
        cmocka_unit_test(test_messages), cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
