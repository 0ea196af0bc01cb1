#include <math.h>

#include "data/table_impl.h"
#include "data_support.h"

static const elman_table_options defaults = {0, ELMAN_TABLE_HEADER_AUTO};

static elman_table *parse(elman_context *context, const char *text,
                          const elman_table_options *options)
{
    elman_table *t = NULL;
    assert_ok(elman_table_parse(context, "t.csv", text, strlen(text), options, &t, &problem));
    return t;
}

/* Rows as "a|b" joined by '/', the header (if any) before a '#'. */
static const char *show(const elman_table *t)
{
    static char text[4096];
    char *out = text;
    for (int64_t c = 0; elman_table_has_header(t) && c < elman_table_columns(t); c++)
        out += sprintf(out, "%s%s", c > 0 ? "|" : "", elman_table_name(t, c));
    if (elman_table_has_header(t))
        *out++ = '#';
    for (int64_t r = 0; r < elman_table_rows(t); r++) {
        for (int64_t c = 0; c < elman_table_columns(t); c++) {
            size_t size;
            const char *cell = elman_table_cell(t, r, c, &size);
            assert_int_equal(strlen(cell), size);
            out += sprintf(out, "%s%s", c > 0 ? "|" : r > 0 ? "/" : "", cell);
        }
    }
    *out = '\0';
    return text;
}

#define check(context, text, options, want)                                                        \
    do {                                                                                           \
        elman_table *table_ = parse(context, text, options);                                       \
        assert_string_equal(show(table_), want);                                                   \
        elman_table_free(table_);                                                                  \
    } while (0)

static void refuse_of(elman_context *context, const char *bytes, size_t size,
                      const elman_table_options *options, elman_status code, const char *part)
{
    elman_table *t = NULL;
    elman_error error = {0};
    assert_int_equal(elman_table_parse(context, "t.csv", bytes, size, options, &t, &error), code);
    assert_null(t);
    assert_int_equal(error.code, code);
    assert_contains(error.message, "t.csv: ");
    assert_contains(error.message, part);
}

static void refuse(elman_context *context, const char *text, const char *part)
{
    refuse_of(context, text, strlen(text), &defaults, ELMAN_ERROR_FORMAT, part);
}

static void test_dialects(void **state)
{
    (void)state;
    need_csv();
    counter c;
    elman_context *context = counted_context(&c);
    const elman_table_options none = {0, ELMAN_TABLE_HEADER_NO}, yes = {0, ELMAN_TABLE_HEADER_YES};
    const elman_table_options tab = {'\t', ELMAN_TABLE_HEADER_AUTO};
    check(context, "a,b\n1,2\n", NULL, "a|b#1|2");
    check(context, "a,b\r\n1,2\r\n3,4", NULL, "a|b#1|2/3|4");
    check(context, "a,b\r1,2\r3,4\r", NULL, "a|b#1|2/3|4");
    check(context,
          "\xEF\xBB\xBF"
          "a,b\n1,2",
          NULL, "a|b#1|2");
    check(context, "\n\na,b\n\n \n1,2\n\n", NULL, "a|b#1|2");
    check(context, "a;b\n1,5;2,5\n", NULL, "a|b#1,5|2,5");
    check(context, "a\tb\n1\t2\n", NULL, "a|b#1|2");
    check(context, "a, b ,c\n 1,2 ,  \n", NULL, "a|b|c#1|2|");
    check(context, "a,b\n\"x, \"\"y\"\"\",\" z \"\n", NULL, "a|b#x, \"y\"| z ");
    check(context, "a,b\n\"1\n2\r\n3\",4\n5,6", NULL, "a|b#1\n2\r\n3|4/5|6");
    check(context, "a,b\n\"1\",\"\"\n,\n", NULL, "a|b#1|/|");
    check(context, "a\n\"\"\nx\n", NULL, "a#/x");
    check(context, "1,b\n2,c\n", NULL, "1|b/2|c");
    check(context, "a,b\nc,d\n", &none, "a|b/c|d");
    check(context, "1,2\n3,4\n", &yes, "1|2#3|4");
    check(context, "a,b\n", NULL, "a|b#");
    check(context, "\"a\nb\";c\n", &none, "a\nb|c");
    /* TSV: text as it stands, and the rules for its header. */
    check(context, "say \"x\" \t1\n\"y\t0", &tab, "say \"x\" |1/\"y|0");
    check(context, "sentence\tlabel\na film\tgood\n", &tab, "sentence|label#a film|good");
    check(context, "a film\tgood\nno film\tbad\n", &tab, "a film|good/no film|bad");
    check(context, "good\tgood\nfilm\tbad\nbad\tgood\n", &tab, "good|good/film|bad/bad|good");
    check(context,
          "a\xC2\xA0"
          "b\tgood\nfilm\tbad\n",
          &tab,
          "a\xC2\xA0"
          "b|good/film|bad");
    check(context, "a\t\n\tb\n", &none, "a|/|b");
    elman_table *t = NULL;
    assert_ok(elman_table_parse(context, "x.tsv", "a, b\t1", 6, NULL, &t, &problem));
    assert_string_equal(show(t), "a, b|1");
    assert_int_equal(elman_table_delimiter(t), '\t');
    elman_table_free(t);
    elman_table_free(NULL);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void test_refused(void **state)
{
    (void)state;
    need_csv();
    counter c;
    elman_context *context = counted_context(&c);
    refuse(context, "a,b\n1,2\n1,2,3\n", "line 3: found 3 columns; expected 2, as on line 1");
    refuse(context, "a,b\n\n\n1\n", "line 4: found 1 column; expected 2");
    refuse(context, "a,b\n\"1\n2\",3\n4\n", "line 4: found 1 column;");
    refuse(context, "a,b\n\"1\n2\"\n4,5\n", "line 2: found 1 column;");
    refuse(context, "a,b\n1,x\"y\n", "line 2, column 2: found a quote within the cell (byte 4");
    refuse(context, "a,b\n\"1\" x,2\n", "line 2, column 1: found more of the cell");
    refuse(context, "a,b\n1,2\n3,\"x\n\n\n",
           "line 3, column 2: found a quote that is never closed");
    refuse(context, "a,b\n\"x\ny\",\"z\n4,5\n", "line 3, column 2: found a quote that is never");
    refuse(context, "a,b\n1,\xFF\n", "line 2, byte 3: found invalid UTF-8 (FF");
    refuse(context, "a,b\r\n1,2\r\n3,\xE2\x82", "line 3, byte 3: found invalid UTF-8 (E2 82)");
    refuse_of(context, "a\n\0\n", 4, &defaults, ELMAN_ERROR_FORMAT, "line 2, byte 1: found a zero");
    refuse_of(context, "a\tb\n1\t\0", 7, &defaults, ELMAN_ERROR_FORMAT, "zero byte (00)");
    refuse_of(context, "", 0, &defaults, ELMAN_ERROR_DATA, "found no row");
    refuse_of(context, "\n \n", 3, &defaults, ELMAN_ERROR_DATA, "found no row");
    const elman_table_options bar = {'|', ELMAN_TABLE_HEADER_AUTO};
    refuse_of(context, "a", 1, &bar, ELMAN_ERROR_ARGUMENT, "delimiter");
    elman_table *t = NULL;
    elman_error error;
    assert_int_equal(elman_table_read(context, test_path("none.csv"), NULL, &t, &error),
                     ELMAN_ERROR_IO);
    assert_contains(error.message, "none.csv");
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void test_find(void **state)
{
    (void)state;
    need_csv();
    counter c;
    elman_context *context = counted_context(&c);
    elman_table *t = parse(context, "date,HUFL,HULL,HULL\n1,2,3,4\n",
                           &(elman_table_options){0, ELMAN_TABLE_HEADER_YES});
    int64_t column = -1;
    elman_error error;
    char name[64];
    assert_ok(elman_table_find(t, "HUFL", &column, &problem));
    assert_int_equal(column, 1);
    assert_ok(elman_table_find(t, "4", &column, &problem));
    assert_int_equal(column, 3);
    assert_int_equal(elman_table_find(t, "HUFT", &column, &error), ELMAN_ERROR_DATA);
    assert_contains(error.message, "t.csv: found no column \"HUFT\"; did you mean \"HUFL\"?");
    assert_int_equal(elman_table_find(t, "HULL", &column, &error), ELMAN_ERROR_DATA);
    assert_contains(error.message, "columns 3 and 4");
    assert_int_equal(elman_table_find(t, "5", &column, &error), ELMAN_ERROR_DATA);
    assert_int_equal(elman_table_find(t, "0", &column, &error), ELMAN_ERROR_DATA);
    assert_int_equal(elman_table_find(t, "", &column, &error), ELMAN_ERROR_DATA);
    elman_table_describe(t, 1, name);
    assert_string_equal(name, "HUFL");
    elman_table_free(t);
    t = parse(context, "1,2\n", NULL);
    assert_null(elman_table_name(t, 0));
    assert_ok(elman_table_find(t, "2", &column, &problem));
    assert_int_equal(column, 1);
    assert_int_equal(elman_table_find(t, "label", &column, &error), ELMAN_ERROR_DATA);
    assert_contains(error.message, "a number from 1 to 2");
    elman_table_describe(t, 1, name);
    assert_string_equal(name, "column 2");
    elman_table_free(t);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void test_numbers(void **state)
{
    (void)state;
    need_csv();
    counter c;
    elman_context *context = counted_context(&c);
    elman_table *t = parse(context,
                           "HUFL,x\n1.5,-2e3\n\"\n 7 \",nan\n,NA\nNULL,?\nN/A,.5\ninf,0x10\n"
                           "1e999,\"1,5\"\n1_0,--1\n",
                           NULL);
    static const double want[5][2] = {{1.5, -2000},
                                      {0, (double)NAN},
                                      {(double)NAN, (double)NAN},
                                      {(double)NAN, (double)NAN},
                                      {(double)NAN, .5}};
    elman_error error;
    double value = 0;
    for (int64_t r = 0; r < 5; r++) {
        for (int64_t column = 0; column < 2; column++) {
            if (r == 1 && column == 0)
                continue;
            assert_ok(elman_table_number(t, r, column, &value, &problem));
            assert_true(isnan(want[r][column]) ? isnan(value) : value == want[r][column]);
        }
    }
    for (int64_t r = 5; r < 8; r++) {
        for (int64_t column = 0; column < 2; column++)
            assert_int_equal(elman_table_number(t, r, column, &value, &error), ELMAN_ERROR_DATA);
    }
    assert_int_equal(elman_table_line_of(t, 1), 3);
    assert_int_equal(elman_table_line_of(t, 2), 5);
    assert_int_equal(elman_table_number(t, 1, 0, &value, &error), ELMAN_ERROR_DATA);
    assert_int_equal(elman_table_number(t, 5, 1, &value, &error), ELMAN_ERROR_DATA);
    assert_string_equal(error.message,
                        "t.csv: line 8, column x: found \"0x10\", expected a number");
    assert_int_equal(elman_table_number(t, 5, 0, &value, &error), ELMAN_ERROR_DATA);
    assert_string_equal(error.message,
                        "t.csv: line 8, column HUFL: found \"inf\", expected a finite number");
    assert_true(elman_table_number_of(" \t7 ", 4, &value));
    assert_true(value == 7);
    elman_table_free(t);
    t = parse(context, "1,2\nabc,3\n", NULL);
    assert_int_equal(elman_table_number(t, 1, 0, &value, &error), ELMAN_ERROR_DATA);
    assert_string_equal(error.message, "t.csv: line 2, column 1: found \"abc\", expected a number");
    elman_table_free(t);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void test_lines(void **state)
{
    (void)state;
    need_csv();
    counter c;
    elman_context *context = counted_context(&c);
    elman_table_line line;
    elman_error error;
    size_t size;
    elman_table_line_init(&line, context, ',');
    const char *longest = "\"a, \"\"b\"\"\",, 7 \r\n";
    assert_ok(elman_table_line_parse(&line, "-", 1, longest, strlen(longest), &problem));
    int calls = c.calls;
    for (int i = 0; i < 3; i++) {
        assert_ok(elman_table_line_parse(&line, "-", 2, longest, strlen(longest), &problem));
        assert_int_equal(line.count, 3);
        const char *first = elman_table_line_cell(&line, 0, &size);
        assert_string_equal(first, "a, \"b\"");
        assert_int_equal(size, 6);
        assert_string_equal(elman_table_line_cell(&line, 1, &size), "");
        assert_string_equal(elman_table_line_cell(&line, 2, NULL), "7");
        assert_ok(elman_table_line_parse(&line, "-", 3, "x", 1, &problem));
        assert_int_equal(line.count, 1);
        assert_ok(elman_table_line_parse(&line, "-", 4, "\n", 1, &problem));
        assert_int_equal(line.count, 0);
        assert_ok(elman_table_line_parse(&line, "-", 4, "", 0, &problem));
        assert_int_equal(line.count, 0);
    }
    assert_int_equal(c.calls, calls);
    assert_ok(elman_table_line_parse(&line, "-", 1,
                                     "\xEF\xBB\xBF"
                                     "a,b",
                                     6, &problem));
    assert_string_equal(elman_table_line_cell(&line, 0, NULL), "a");
    assert_int_equal(elman_table_line_parse(&line, "-", 5, "a,\"b", 4, &error), ELMAN_ERROR_FORMAT);
    assert_contains(error.message, "-: line 5, column 2: found a quote that is never closed");
    assert_int_equal(line.count, 0);
    assert_int_equal(elman_table_line_parse(&line, "-", 6, "a\nb", 3, &error), ELMAN_ERROR_FORMAT);
    assert_contains(error.message, "-: line 6: found a line end within");
    assert_int_equal(elman_table_line_parse(&line, "-", 7, "a\0b", 3, &error), ELMAN_ERROR_FORMAT);
    assert_contains(error.message, "-: line 7, byte 2: found a zero byte");
    elman_table_line_free(&line);
    elman_table_line_free(&line);
    elman_table_line_init(&line, context, '\t');
    assert_ok(elman_table_line_parse(&line, "-", 1, "\"a\t b", 5, &problem));
    assert_int_equal(line.count, 2);
    assert_string_equal(elman_table_line_cell(&line, 0, NULL), "\"a");
    assert_string_equal(elman_table_line_cell(&line, 1, NULL), " b");
    elman_table_line_free(&line);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static const char sample[] = "\xEF\xBB\xBF"
                             "date,\"a \"\"b\"\"\",c\r\n2016-01-01,\"x\r\ny\",1\n\n"
                             "2016-01-02,\xE2\x82\xAC, 2 \r2016-01-03,,NaN";

/* A table that was read is sound, whatever the bytes were. */
static void check_sound(const elman_table *t, size_t bytes)
{
    size_t all = 0;
    uint64_t line = 0;
    for (int64_t r = 0; r < elman_table_rows(t); r++) {
        assert_true(elman_table_line_of(t, r) > line);
        line = elman_table_line_of(t, r);
        for (int64_t c = 0; c < elman_table_columns(t); c++) {
            size_t size;
            double value;
            const char *cell = elman_table_cell(t, r, c, &size);
            assert_int_equal(strlen(cell), size);
            (void)elman_table_number(t, r, c, &value, NULL);
            all += size;
        }
    }
    assert_true(all <= bytes);
}

static void test_damaged(void **state)
{
    (void)state;
    need_csv();
    counter c;
    elman_context *context = counted_context(&c);
    static const char delimiters[] = {0, ',', ';', '\t'};
    size_t size = sizeof sample - 1;
    int read = 0;
    for (size_t d = 0; d < sizeof delimiters; d++) {
        elman_table_options o = {delimiters[d], ELMAN_TABLE_HEADER_AUTO};
        for (size_t cut = 0; cut <= size; cut++) {
            elman_table *t = NULL;
            char *bytes = malloc(cut + 1); /* a sanitizer sees a read past them */
            memcpy(bytes, sample, cut);
            char *exact = realloc(bytes, cut > 0 ? cut : 1);
            if (elman_table_parse(context, "t", exact, cut, &o, &t, NULL) == ELMAN_OK) {
                check_sound(t, cut);
                read++;
            } else {
                assert_null(t);
            }
            elman_table_free(t);
            free(exact);
        }
        for (size_t bit = 0; bit < 8 * size; bit++) {
            elman_table *t = NULL;
            char bytes[sizeof sample];
            memcpy(bytes, sample, size);
            bytes[bit / 8] ^= (char)(1 << bit % 8);
            if (elman_table_parse(context, "t", bytes, size, &o, &t, NULL) == ELMAN_OK) {
                check_sound(t, size);
                read++;
            }
            elman_table_free(t);
        }
    }
    assert_true(read > 100);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void test_memory(void **state)
{
    (void)state;
    need_csv();
    counter c;
    elman_context *context = counted_context(&c);
    const char *path = write_file("memory.csv", sample, sizeof sample - 1);
    int live = c.live;
    for (int fail_at = 1;; fail_at++) {
        elman_table *t = NULL;
        elman_table_line line;
        int64_t column;
        elman_table_line_init(&line, context, ',');
        c.calls = 0;
        c.fail_at = fail_at;
        elman_status status = elman_table_read(context, path, NULL, &t, NULL);
        if (status == ELMAN_OK)
            status = elman_table_line_parse(&line, "-", 1, "a,b", 3, NULL);
        if (status == ELMAN_OK) /* a suggestion that memory fails is left out */
            assert_int_equal(elman_table_find(t, "data", &column, NULL), ELMAN_ERROR_DATA);
        elman_table_free(t);
        elman_table_line_free(&line);
        assert_int_equal(c.live, live);
        if (c.calls < fail_at) {
            assert_int_equal(status, ELMAN_OK);
            assert_true(fail_at > 8);
            break;
        }
        assert_true(status == ELMAN_ERROR_MEMORY || fail_at == c.calls);
    }
    c.fail_at = 0;
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void test_record(void **state)
{
    (void)state;
    need_csv();
    counter c;
    elman_context *context = counted_context(&c);
    const char *path = write_text("abc.csv", "abc");
    elman_table *t = NULL;
    assert_ok(elman_table_read(context, path, NULL, &t, &problem));
    assert_string_equal(elman_table_path(t), path);
    assert_int_equal(elman_table_bytes(t), 3);
    assert_string_equal(elman_table_sha256(t),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    elman_table_free(t);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

/* The real files, where they are. */
static void test_shared(void **state)
{
    (void)state;
    need_csv();
    static const struct {
        const char *name;
        int64_t rows, columns;
        bool header;
    } files[] = {
        {"images/digits.csv", 1797, 65, false},
        {"news/ag_news.csv", 7000, 3, true},
        {"sentiment/sst2.train.tsv", 6920, 2, false},
        {"sentiment/sst2.dev.tsv", 872, 2, false},
        {"series/ETTh1.csv", 17420, 8, true},
        {"series/airline-passengers.csv", 144, 2, true},
        {"series/daily-min-temperatures.csv", 3650, 2, true},
        {"series/monthly-sunspots.csv", 2820, 2, true},
    };
    if (access(ELMAN_SHARED_DATA "/series/ETTh1.csv", R_OK) != 0) {
        print_message("the shared data is not here: real tables are left out\n");
        skip();
    }
    counter c;
    elman_context *context = counted_context(&c);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        elman_table *t = NULL;
        char path[512];
        snprintf(path, sizeof path, "%s/%s", ELMAN_SHARED_DATA, files[i].name);
        assert_ok(elman_table_read(context, path, NULL, &t, &problem));
        assert_int_equal(elman_table_rows(t), files[i].rows);
        assert_int_equal(elman_table_columns(t), files[i].columns);
        assert_int_equal(elman_table_has_header(t), files[i].header);
        double value;
        if (strncmp(files[i].name, "series", 6) == 0 || strncmp(files[i].name, "images", 6) == 0) {
            for (int64_t r = 0; r < files[i].rows; r++)
                for (int64_t column = 1; column < files[i].columns; column++)
                    assert_ok(elman_table_number(t, r, column, &value, &problem));
        }
        elman_table_free(t);
    }
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

/* Without libcsv there are tabs still. */
static void test_left_out(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    elman_table *t = NULL;
    elman_error error = {0};
    elman_status status = elman_table_parse(context, "t.csv", "a,b\n", 4, NULL, &t, &error);
#if defined(ELMAN_WITH_CSV)
    assert_int_equal(status, ELMAN_OK);
#else
    assert_int_equal(status, ELMAN_ERROR_UNSUPPORTED);
    assert_contains(error.message, "t.csv: found CSV, delimiter ','; this build is without libcsv");
#endif
    elman_table_free(t);
    t = parse(context, "a\tb\n1\t2\n", NULL);
    assert_string_equal(show(t), "a|b#1|2");
    elman_table_free(t);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dialects), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_find),     cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_lines),    cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_memory),   cmocka_unit_test(test_record),
        cmocka_unit_test(test_shared),   cmocka_unit_test(test_left_out),
    };
    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
