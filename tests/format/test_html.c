/* Text into HTML: nothing in it is read as anything but text. */
#include "format/html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static elman_context *context;

static int setup(void **state)
{
    (void)state;
    return elman_context_create(NULL, &context, NULL) == ELMAN_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    elman_context_free(context);
    return 0;
}

static void expect(const char *text, size_t size, const char *wanted)
{
    elman_text_buffer html;
    elman_text_buffer_init(&html, context);
    elman_html_put_of(&html, text, size);
    assert_int_equal(html.used, strlen(wanted));
    assert_memory_equal(html.bytes, wanted, html.used);
    elman_text_buffer_free(&html);
}

#define EXPECT(text, wanted) expect(text, sizeof(text) - 1, wanted)

static void test_text(void **state)
{
    (void)state;
    EXPECT("plain, caf\xc3\xa9 \xe2\x86\x92 \xf0\x9f\x98\x80\t\n",
           "plain, caf\xc3\xa9 \xe2\x86\x92 \xf0\x9f\x98\x80\t\n");
    EXPECT("<script>alert('x')</script>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;");
    EXPECT("\" onload=\"x", "&quot; onload=&quot;x");
    EXPECT("&amp;", "&amp;amp;");
}

static void test_hostile(void **state)
{
    (void)state;
    static const char replacement[] = "\xef\xbf\xbd";
    static const char *const bad[] = {"\xff", "\xc3", "\xe2\x86", "\x7f",
                                      "\x1b", "\r",   "\xc2\x85", "\xef\xbf\xbf"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect(bad[i], strlen(bad[i]), replacement);
    EXPECT("a\0b", "a\xef\xbf\xbd"
                   "b");
    EXPECT("\xc3<", "\xef\xbf\xbd&lt;");
    EXPECT("\xed\xa0\x80<", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd&lt;"); /* a surrogate */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_hostile)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
