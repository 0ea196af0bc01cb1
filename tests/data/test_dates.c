#include <math.h>
#include <time.h>

#include "data/dates_impl.h"
#include "data_support.h"

static int64_t moment_of(const char *text, elman_date_form *form)
{
    int64_t moment = 0;
    if (!elman_date_recognise(text, strlen(text), form, &moment))
        fail_msg("\"%s\" is no date", text);
    return moment;
}

static void test_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t moment;
    } dates[] = {
        {"1949-01", 12 * 1949},
        {"0001-01", 12},
        {"9999-12", 12 * 9999 + 11},
        {"1970-01-01", 0},
        {"1969-12-31", -ELMAN_DATE_DAY},
        {"2016-07-01 20:00:00", INT64_C(1467403200000000)},
        {"2016-07-01T20:00", INT64_C(1467403200000000)},
        {"2016-07-01T20:00:00Z", INT64_C(1467403200000000)},
        {"2016-07-01 20:00:00.25", INT64_C(1467403200250000)},
        {"2016-07-01T20:00:00.000001Z", INT64_C(1467403200000001)},
        {"2016/02/29", INT64_C(1456704000000000)},
        {"29.02.2016", INT64_C(1456704000000000)},
        {"29.02.2016 00:01", INT64_C(1456704060000000)},
        {"0001-01-01", ELMAN_DATE_FIRST_DAY * ELMAN_DATE_DAY},
        {"9999-12-31", ELMAN_DATE_LAST_DAY * ELMAN_DATE_DAY},
        {"17", 17},
        {"-3", -3},
        {"9223372036854775807", INT64_MAX},
    };
    elman_date_form forms[sizeof dates / sizeof dates[0]];
    char text[40];
    size_t count = sizeof dates / sizeof dates[0];
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(moment_of(dates[i].text, &forms[i]), dates[i].moment);
        assert_true(elman_date_print(&forms[i], dates[i].moment, text));
        assert_string_equal(text, dates[i].text);
    }
    /* Each form reads its own alone; the last two rows of each group share one. */
    for (size_t i = 0; i < count; i++) {
        int64_t moment;
        assert_true(elman_date_parse(&forms[i], dates[i].text, strlen(dates[i].text), &moment));
        assert_true(elman_date_parse(&forms[5], dates[i].text, strlen(dates[i].text), &moment) ==
                    (i == 5));
    }
    static const char *const none[] = {
        "",
        "-",
        "1949-13",
        "1949-00",
        "0000-01",
        "2015-02-29",
        "1900-02-29",
        "2016-04-31",
        "2016-01-00",
        "2016-1-1",
        "2016-01-01 ",
        "2016-01-01 24:00",
        "2016-01-01 00:60",
        "2016-01-01 00:00:60",
        "2016-01-01 1:00",
        "2016-01-01 00:00:00.",
        "2016-01-01 00:00:00.1234567",
        "2016-01-01T00:00+01:00",
        "2016-01-01Z",
        "2016-01-01_00:00",
        "2016/01-01",
        "2016-01/01",
        "2016/01",
        "01.2016",
        "32.01.2016",
        "1.1.2016",
        "01.01.16",
        " 2016-01-01",
        "1.5",
        "1e3",
        "9223372036854775808",
        "20160101T",
        "abc",
        "2016-01-01 00",
        "1949-01 00:00",
    };
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        elman_date_form form;
        int64_t moment;
        if (elman_date_recognise(none[i], strlen(none[i]), &form, &moment))
            fail_msg("\"%s\" was taken for a date", none[i]);
    }
    elman_date_form form;
    int64_t moment;
    assert_false(elman_date_recognise("1\0", 2, &form, &moment));
    assert_false(elman_date_print(&forms[0], 11, text));
    assert_false(elman_date_print(&forms[1], 120000, text));
    assert_false(elman_date_print(&forms[3], (ELMAN_DATE_LAST_DAY + 1) * ELMAN_DATE_DAY, text));
    assert_false(elman_date_print(&forms[3], ELMAN_DATE_FIRST_DAY * ELMAN_DATE_DAY - 1, text));
}

/* Every day of ten thousand years against the C library's calendar. */
static void test_calendar(void **state)
{
    (void)state;
    elman_date_form form = {ELMAN_DATE_DASHES, ' ', true, 0, false};
    for (int64_t day = ELMAN_DATE_FIRST_DAY; day <= ELMAN_DATE_LAST_DAY;
         day += day > -300000 && day < 100000 ? 1 : 13) {
        time_t seconds = (time_t)(day * 86400 + 3723);
        struct tm tm;
        char want[64], text[40];
        float f[ELMAN_DATE_FEATURES];
        int64_t moment;
        assert_non_null(gmtime_r(&seconds, &tm));
        snprintf(want, sizeof want, "%04d-%02d-%02d 01:02:03", tm.tm_year + 1900, tm.tm_mon + 1,
                 tm.tm_mday);
        assert_true(elman_date_print(&form, (int64_t)seconds * 1000000, text));
        assert_string_equal(text, want);
        assert_true(elman_date_parse(&form, text, strlen(text), &moment));
        assert_int_equal(moment, (int64_t)seconds * 1000000);
        elman_date_features(&form, moment, f);
        assert_true(f[0] == (float)(1 / 23.0 - 0.5));
        assert_true(f[1] == (float)((tm.tm_wday + 6) % 7 / 6.0 - 0.5));
        assert_true(f[2] == (float)((tm.tm_mday - 1) / 30.0 - 0.5));
        assert_true(f[3] == (float)(tm.tm_yday / 365.0 - 0.5));
        assert_true(f[4] == (float)(tm.tm_mon / 11.0 - 0.5));
        for (int i = 0; i < ELMAN_DATE_FEATURES; i++)
            assert_true(f[i] >= -0.5F && f[i] <= 0.5F);
    }
    elman_date_form month = {ELMAN_DATE_YEAR_MONTH, 0, false, 0, false};
    float f[ELMAN_DATE_FEATURES];
    elman_date_features(&month, 12 * 2016 + 11, f);
    assert_true(f[4] == 0.5F && f[2] == -0.5F && f[0] == -0.5F);
    elman_date_form ordinal = {ELMAN_DATE_NUMBER, 0, false, 0, false};
    elman_date_features(&ordinal, 5, f);
    for (int i = 0; i < ELMAN_DATE_FEATURES; i++) {
        assert_true(f[i] == 0.0F);
        assert_non_null(elman_date_feature_name(i));
    }
    assert_null(elman_date_feature_name(ELMAN_DATE_FEATURES));
    assert_null(elman_date_feature_name(-1));
}

/* The dates of a text, with spaces for commas; their step's name and faults; the next two. */
static void check_step(elman_context *context, const char *text, const char *step_name,
                       const char *faults_of, const char *next)
{
    char copy[512], found[128], name[40], dates[2][40] = {"", ""};
    int64_t moments[32], n = 0;
    elman_date_form form = {ELMAN_DATE_NUMBER, 0, false, 0, false};
    strcpy(copy, text);
    for (char *at = strtok(copy, ","); at != NULL; at = strtok(NULL, ","))
        moments[n++] = moment_of(at, &form);
    elman_date_step step;
    elman_date_faults faults;
    assert_ok(elman_date_find_step(context, &form, moments, n, &step, &problem));
    elman_date_describe_step(&step, name);
    assert_string_equal(name, step_name);
    elman_date_check(&form, &step, moments, n, &faults);
    snprintf(found, sizeof found, "u%d/%d d%d/%d g%d/%d i%d/%d m%d", (int)faults.unordered,
             (int)faults.unordered_count, (int)faults.duplicate, (int)faults.duplicate_count,
             (int)faults.gap, (int)faults.gap_count, (int)faults.irregular,
             (int)faults.irregular_count, (int)faults.missing);
    assert_string_equal(found, faults_of);
    for (int k = 1; k <= 2 && step.size > 0; k++) {
        int64_t moment;
        assert_true(elman_date_add(&form, &step, moments[n - 1], k, &moment));
        assert_true(elman_date_print(&form, moment, dates[k - 1]));
    }
    snprintf(found, sizeof found, "%s,%s", dates[0], dates[1]);
    assert_string_equal(found, next);
}

#define SOUND "u-1/0 d-1/0 g-1/0 i-1/0 m0"

static void test_steps(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    check_step(context, "2018-06-26 19:00:00,2018-06-26 20:00:00", "hour", SOUND,
               "2018-06-26 21:00:00,2018-06-26 22:00:00");
    check_step(context, "2018-12-31T23:00Z,2018-12-31T23:15Z,2018-12-31T23:30Z", "15 minutes",
               SOUND, "2018-12-31T23:45Z,2019-01-01T00:00Z");
    check_step(context, "1949-11,1949-12", "month", SOUND, "1950-01,1950-02");
    check_step(context, "2016-10,2017-01", "quarter", SOUND, "2017-04,2017-07");
    check_step(context, "27.02.2016,28.02.2016", "day", SOUND, "29.02.2016,01.03.2016");
    check_step(context, "2016/02/01,2016/02/08,2016/02/15", "week", SOUND, "2016/02/22,2016/02/29");
    check_step(context, "2016-01-15,2016-02-15,2016-03-15", "month", SOUND,
               "2016-04-15,2016-05-15");
    check_step(context, "2015-01-31,2015-02-28,2015-03-31", "month", SOUND,
               "2015-04-30,2015-05-31");
    check_step(context, "2014-06-01,2015-06-01,2016-06-01", "year", SOUND, "2017-06-01,2018-06-01");
    check_step(context, "2016-01-30,2016-03-30,2016-04-30,2016-05-30", "month",
               "u-1/0 d-1/0 g1/1 i-1/0 m1", "2016-06-30,2016-07-30");
    check_step(context, "1,2,3", "1", SOUND, "4,5");
    check_step(context, "1,3,4", "1", "u-1/0 d-1/0 g1/1 i-1/0 m1", "5,6");
    check_step(context, "10,20,30", "10", SOUND, "40,50");
    check_step(context, "2016-01-01 00:00:00.0,2016-01-01 00:00:00.5", "0.5 seconds", SOUND,
               "2016-01-01 00:00:01.0,2016-01-01 00:00:01.5");
    check_step(context, "2016-01-01", "unknown", SOUND, ",");
    check_step(context, "5,5", "unknown", "u-1/0 d1/1 g-1/0 i-1/0 m0", ",");
    /* Working days: the weekends are gaps. */
    check_step(context,
               "2016-07-01,2016-07-04,2016-07-05,2016-07-06,2016-07-07,2016-07-08,2016-07-11",
               "day", "u-1/0 d-1/0 g1/2 i-1/0 m4", "2016-07-12,2016-07-13");
    check_step(context,
               "2016-07-01 00:00,2016-07-01 01:00,2016-07-01 02:00,2016-07-01 01:00,"
               "2016-07-01 01:00,2016-07-01 02:30,2016-07-01 03:30",
               "hour", "u3/1 d4/1 g-1/0 i5/1 m0", "2016-07-01 04:30,2016-07-01 05:30");
    check_step(context, "-9223372036854775807,9223372036854775807,9223372036854775806", "unknown",
               "u2/1 d-1/0 g-1/0 i-1/0 m0", ",");
    /* The end of the month is kept from where one begins. */
    elman_date_form form;
    elman_date_step month = {ELMAN_DATE_MONTH, 1, false};
    int64_t begin = moment_of("2015-01-31 06:00", &form), moment;
    static const char *const want[] = {"2014-12-31 06:00", "2015-01-31 06:00", "2015-02-28 06:00",
                                       "2015-03-31 06:00", "2015-04-30 06:00"};
    char text[40];
    for (int k = -1; k < 4; k++) {
        assert_true(elman_date_add(&form, &month, begin, k, &moment));
        assert_true(elman_date_print(&form, moment, text));
        assert_string_equal(text, want[k + 1]);
    }
    assert_false(elman_date_add(&form, &month, begin, 12 * 8000, &moment));
    assert_false(elman_date_add(&form, &month, begin, INT64_MAX, &moment));
    elman_date_step day = {ELMAN_DATE_MICROSECOND, ELMAN_DATE_DAY, false};
    assert_false(elman_date_add(&form, &day, begin, INT64_MAX / 2, &moment));
    assert_false(elman_date_add(&form, &day, begin, 8000 * 366, &moment));
    assert_false(elman_date_add(&form, &day, begin, -8000 * 366, &moment));
    elman_date_form by_months;
    begin = moment_of("9999-11", &by_months);
    assert_true(elman_date_add(&by_months, &month, begin, 1, &moment));
    assert_false(elman_date_add(&by_months, &month, begin, 2, &moment));
    assert_false(elman_date_add(&by_months, &month, begin, INT64_MAX / 4, &moment));
    assert_false(elman_date_add(&by_months, &month, begin, -begin, &moment));
    const elman_date_form ordinal = {.order = ELMAN_DATE_NUMBER};
    const elman_date_step one = {ELMAN_DATE_ORDINAL, 1, false};
    const int64_t wide[] = {-INT64_MAX, 1 - INT64_MAX, -1, INT64_MAX - 1};
    elman_date_faults faults;
    elman_date_check(&ordinal, &one, wide, 4, &faults);
    assert_true(faults.missing == INT64_MAX);
    bool which[ELMAN_DATE_FEATURES];
    assert_int_equal(elman_date_features_of_step(&day, which), 4);
    assert_false(which[0]);
    assert_int_equal(elman_date_features_of_step(&month, which), 2);
    assert_true(which[4]);
    day.size /= 24;
    assert_int_equal(elman_date_features_of_step(&day, which), 5);
    /* Memory. */
    int64_t two[2] = {0, ELMAN_DATE_DAY};
    c.calls = 0;
    c.fail_at = 1;
    assert_int_equal(elman_date_find_step(context, &form, two, 2, &day, NULL), ELMAN_ERROR_MEMORY);
    c.fail_at = 0;
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void test_column(void **state)
{
    (void)state;
    need_csv();
    counter c;
    elman_context *context = counted_context(&c);
    static const char text[] = "date,x\n2017-02-12,1\n13.02.2017,2\n";
    elman_table *t = NULL;
    elman_date_form form;
    int64_t moments[4];
    elman_error error;
    assert_ok(elman_table_parse(context, "t.csv", text, sizeof text - 1, NULL, &t, &problem));
    assert_int_equal(elman_date_column(t, 0, &form, moments, &error), ELMAN_ERROR_DATA);
    assert_string_equal(error.message, "t.csv: line 3, column date: found \"13.02.2017\", expected "
                                       "a date like \"2017-02-12\"");
    assert_ok(elman_date_column(t, 1, &form, moments, &problem));
    assert_int_equal(form.order, ELMAN_DATE_NUMBER);
    assert_int_equal(moments[1], 2);
    elman_table_free(t);
    assert_ok(elman_table_parse(context, "t.csv", "a,b\nx,1.5\n", 10, NULL, &t, &problem));
    assert_int_equal(elman_date_column(t, 0, &form, NULL, &error), ELMAN_ERROR_DATA);
    assert_contains(error.message, "line 2, column a: found \"x\", expected a date such as");
    elman_table_free(t);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

/* Cut and flipped at every place: what is read prints as it stood. */
static void test_damaged(void **state)
{
    (void)state;
    static const char *const whole[] = {"1949-01", "29.02.2016 23:59:59.123456Z",
                                        "2016/02/29T00:00", "-9223372036854775808"};
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        size_t size = strlen(whole[i]);
        for (size_t trial = 0; trial < 9 * size; trial++) {
            char bytes[40], text[40];
            size_t n = trial < size ? trial : size;
            memcpy(bytes, whole[i], size);
            if (trial >= size)
                bytes[(trial - size) / 8] ^= (char)(1 << (trial - size) % 8);
            elman_date_form form;
            int64_t moment;
            if (!elman_date_recognise(bytes, n, &form, &moment))
                continue;
            assert_true(elman_date_print(&form, moment, text));
            if (form.order != ELMAN_DATE_NUMBER) {
                assert_int_equal(strlen(text), n);
                assert_memory_equal(text, bytes, n);
            }
        }
    }
}

static void test_shared(void **state)
{
    (void)state;
    need_csv();
    static const struct {
        const char *name, *step;
        int64_t gaps;
    } files[] = {{"ETTh1", "hour", 0},
                 {"airline-passengers", "month", 0},
                 {"monthly-sunspots", "month", 0},
                 {"daily-min-temperatures", "day", 2}};
    if (access(ELMAN_SHARED_DATA "/series/ETTh1.csv", R_OK) != 0) {
        print_message("the shared data is not here: real series are left out\n");
        skip();
    }
    counter c;
    elman_context *context = counted_context(&c);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[512], name[40];
        elman_table *t = NULL;
        elman_date_form form;
        elman_date_step step;
        elman_date_faults faults;
        snprintf(path, sizeof path, "%s/series/%s.csv", ELMAN_SHARED_DATA, files[i].name);
        assert_ok(elman_table_read(context, path, NULL, &t, &problem));
        int64_t n = elman_table_rows(t);
        int64_t *moments = malloc((size_t)n * sizeof *moments);
        assert_ok(elman_date_column(t, 0, &form, moments, &problem));
        assert_ok(elman_date_find_step(context, &form, moments, n, &step, &problem));
        elman_date_describe_step(&step, name);
        assert_string_equal(name, files[i].step);
        elman_date_check(&form, &step, moments, n, &faults);
        assert_int_equal(faults.gap_count, files[i].gaps);
        assert_int_equal(faults.unordered_count + faults.duplicate_count + faults.irregular_count,
                         0);
        free(moments);
        elman_table_free(t);
    }
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),   cmocka_unit_test(test_calendar),
        cmocka_unit_test(test_steps),   cmocka_unit_test(test_column),
        cmocka_unit_test(test_damaged), cmocka_unit_test(test_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
