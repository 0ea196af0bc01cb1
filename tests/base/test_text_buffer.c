/* Text that is built up: pieces, cells, strings, numbers, and memory that runs out. */
#include "base/text_buffer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test_malloc.h"

static elman_text_buffer text;

static int setup(void **state)
{
    elman_context *context;
    if (elman_context_create(NULL, &context, NULL) != ELMAN_OK)
        return -1;
    elman_text_buffer_init(&text, context);
    *state = context;
    return 0;
}

static int teardown(void **state)
{
    elman_text_buffer_free(&text);
    elman_context_free(*state);
    return 0;
}

static void expect(const char *wanted)
{
    assert_false(text.failed);
    assert_int_equal(text.used, strlen(wanted));
    assert_memory_equal(text.bytes, wanted, text.used);
    elman_text_buffer_clear(&text);
}

static void test_pieces(void **state)
{
    (void)state;
    elman_text_buffer_put(&text, "one");
    elman_text_buffer_add(&text, "\0two", 4);
    assert_int_equal(text.used, 7);
    assert_memory_equal(text.bytes, "one\0two", 7);
    elman_text_buffer_clear(&text);
    elman_text_buffer_add(&text, NULL, 0);
    elman_text_buffer_cell(&text, "plain", ',');
    elman_text_buffer_cell(&text, "a,\"b\"", ',');
    elman_text_buffer_cell(&text, " edge", ',');
    expect("plain\"a,\"\"b\"\"\"\" edge\"");
    elman_text_buffer_string(&text, "a\"b\\c\n\x7f");
    expect("\"a\\\"b\\\\c\\u000a\x7f\"");
}

static void test_numbers(void **state)
{
    (void)state;
    static const double values[] = {0, -1.5, 1.0 / 3, 1e300, 123456.7, 0.1 + 0.2};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        elman_text_buffer_number(&text, values[i], 4);
        elman_text_buffer_put(&text, " ");
    }
    elman_text_buffer_number(&text, (double)NAN, 4);
    expect("0 -1.5 0.3333 1e+300 123500 0.3 nan");
    static const double extremes[] = {1.23456789e25,          -9.99999e-30,   4.5678e-310,
                                      1.7976931348623157e308, 2.0 / 3 * 1e23, 5e-324};
    for (size_t i = 0; i < sizeof extremes / sizeof *extremes; i++) {
        elman_text_buffer_number(&text, extremes[i], 3);
        elman_text_buffer_put(&text, " ");
    }
    expect("1.23e+25 -1e-29 4.57e-310 1.7976931348623157e+308 6.67e+22 5e-324 ");
}

static void test_out_of_memory(void **state)
{
    (void)state;
    if (!test_malloc_works())
        skip();
    test_malloc_fail_from(1);
    elman_text_buffer_put(&text, "dropped");
    test_malloc_fail_from(0);
    assert_true(text.failed);
    elman_text_buffer_put(&text, "dropped as well");
    assert_int_equal(text.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pieces, setup, teardown),
        cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_out_of_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
