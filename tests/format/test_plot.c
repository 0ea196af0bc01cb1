/* Pictures by gnuplot: what is written beside them, hostile text, and gnuplot that is not there. */
#include "format/plot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"

static elman_context *context;
static elman_error error;
static char folder[] = "/tmp/elman-plot-XXXXXX";
static char there[64];

static int setup(void **state)
{
    (void)state;
    return mkdtemp(folder) && elman_context_create(NULL, &context, NULL) == ELMAN_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    static const char *const names[] = {"a'b.svg", "a'b.svg.dat", "a'b.svg.gp",
                                        "p.png",   "p.png.dat",   "p.png.gp"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(there, sizeof there, "%s/%s", folder, names[i]);
        unlink(there);
    }
    elman_context_free(context);
    return rmdir(folder);
}

static elman_status draw_at(const char *path, const char *title)
{
    elman_text_buffer table, body;
    elman_text_buffer_init(&table, context);
    elman_text_buffer_init(&body, context);
    elman_text_buffer_put(&table, "0\t1\n1\t3\n2\tNaN\n3\t2\n");
    elman_text_buffer_put(&body, "set title ");
    elman_plot_put_quoted(&body, title);
    elman_text_buffer_put(&body, "\nplot table using 1:2 with lines title 'one'\n");
    elman_plot plot = {.path = path, .width = 300, .height = 200, .table = &table, .body = &body};
    elman_status status = elman_plot_draw(context, &plot, &error);
    elman_text_buffer_free(&table);
    elman_text_buffer_free(&body);
    return status;
}

static elman_status draw(const char *name, const char *title)
{
    snprintf(there, sizeof there, "%s/%s", folder, name);
    return draw_at(there, title);
}

static char *read_text(const char *path)
{
    unsigned char *bytes;
    size_t size;
    assert_int_equal(elman_file_read(context, path, 0, &bytes, &size, &error), ELMAN_OK);
    return (char *)bytes;
}

static void test_ending(void **state)
{
    (void)state;
    assert_int_equal(elman_plot_check("x.svg", &error), ELMAN_OK);
    assert_int_equal(elman_plot_check("x.png", &error), ELMAN_OK);
    assert_int_equal(elman_plot_check(".png", &error), ELMAN_ERROR_ARGUMENT);
    assert_int_equal(draw("x.gif", ""), ELMAN_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "x.gif"));
    strcat(there, ".gp");
    assert_false(elman_path_exists(there));
}

static void test_drawn(void **state)
{
    (void)state;
    if (system("command -v gnuplot >/dev/null"))
        skip();
    assert_int_equal(draw("a'b.svg", "it's'; system 'touch x\ny"), ELMAN_OK);
    char *svg = read_text(there);
    assert_non_null(strstr(svg, "<svg"));
    assert_non_null(strstr(svg, "touch x y"));
    elman_release(context, svg);
    strcat(there, ".dat");
    char *table = read_text(there);
    assert_string_equal(table, "0\t1\n1\t3\n2\tNaN\n3\t2\n");
    elman_release(context, table);
    assert_int_equal(draw("p.png", ""), ELMAN_OK);
    char *png = read_text(there);
    assert_memory_equal(png, "\x89PNG\r\n\x1a\n", 8);
    elman_release(context, png);
}

/* Names that gnuplot would take for commands of the shell are files. */
static void test_no_command(void **state)
{
    (void)state;
    static const char *const names[] = {"|touch pwned.svg", "<touch pwned.svg", "-e exit.svg"};
    char before[4096], path[64];
    if (system("command -v gnuplot >/dev/null"))
        skip();
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(draw_at(names[i], ""), ELMAN_OK);
        assert_true(elman_path_exists(names[i]));
        for (int k = 0; k < 3; k++) {
            static const char *const ends[] = {"", ".dat", ".gp"};
            snprintf(path, sizeof path, "%s%s", names[i], ends[k]);
            assert_int_equal(unlink(path), 0);
        }
    }
    assert_false(elman_path_exists("pwned.svg") || elman_path_exists("pwned.svg.dat"));
    assert_int_equal(chdir(before), 0);
}

static void test_not_there(void **state)
{
    (void)state;
    char *path = strdup(getenv("PATH"));
    setenv("PATH", folder, 1);
    elman_status status = draw("p.png", "");
    setenv("PATH", path, 1);
    free(path);
    assert_int_equal(status, ELMAN_ERROR_IO);
    assert_non_null(strstr(error.message, "gnuplot"));
    strcat(there, ".gp");
    assert_non_null(strstr(error.message, there));
    assert_true(elman_path_exists(there));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ending),
        cmocka_unit_test(test_not_there),
        cmocka_unit_test(test_drawn),
        cmocka_unit_test(test_no_command),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
