/* JSON: round trips, what is refused and where, numbers, hostile bytes. */
#include "format/json.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "test_malloc.h"

static const elman_json_limits LIMITS = {.bytes = 0, .depth = 8};

typedef struct fixture {
    elman_context *context;
    elman_error error;
    long countdown, live; /* the allocation that fails: 0 none, 1 the next */
} fixture;

/* The size in front, as much as asked for, and a guard behind. */
enum { FRONT = 16 };
static const unsigned char GUARD[8] = {0xde, 0xad, 0xbe, 0xef, 0xde, 0xad, 0xbe, 0xef};

static void *allocate(void *user, size_t bytes)
{
    fixture *f = user;
    if (f->countdown > 0 && --f->countdown == 0)
        return NULL;
    char *memory = malloc(FRONT + bytes + sizeof GUARD);
    if (memory == NULL)
        return NULL;
    f->live++;
    memcpy(memory, &bytes, sizeof bytes);
    memcpy(memory + FRONT + bytes, GUARD, sizeof GUARD);
    return memory + FRONT;
}

static void release(void *user, void *memory)
{
    fixture *f = user;
    size_t bytes;
    char *front = (char *)memory - FRONT;
    memcpy(&bytes, front, sizeof bytes);
    assert_memory_equal(front + FRONT + bytes, GUARD, sizeof GUARD);
    f->live--;
    free(front);
}

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    elman_context_options options;
    elman_context_options_default(&options);
    options.threads = 1;
    options.allocator = (elman_allocator){allocate, release, f};
    assert_int_equal(elman_context_create(&options, &f->context, &f->error), ELMAN_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    elman_context_free(f->context);
    assert_int_equal(f->live, 0);
    free(f);
    return 0;
}

static elman_status parse(fixture *f, const char *text, elman_json **value)
{
    return elman_json_parse(f->context, text, strlen(text), "text", LIMITS, value, &f->error);
}

static elman_json *parsed(fixture *f, const char *text)
{
    elman_json *value = NULL;
    if (parse(f, text, &value) != ELMAN_OK)
        fail_msg("%s", f->error.message);
    return value;
}

static void expect_print(fixture *f, const elman_json *value, int flags, const char *want)
{
    char *text;
    size_t size;
    assert_int_equal(elman_json_print(f->context, value, flags, &text, &size, &f->error), ELMAN_OK);
    assert_string_equal(text, want);
    assert_int_equal(size, strlen(want));
    elman_release(f->context, text);
}

static void expect_round(fixture *f, const char *text, const char *want)
{
    elman_json *value = parsed(f, text);
    expect_print(f, value, ELMAN_JSON_COMPACT, want);
    elman_json_free(value);
}

static void test_round_trips(void **state)
{
    fixture *f = *state;
    static const char *const same[] = {
        "null",
        "true",
        "false",
        "0",
        "-1",
        "9223372036854775807",
        "-9223372036854775808",
        "0.1",
        "-2.5",
        "1.0",
        "-0.0",
        "1e+300",
        "5e-324",
        "1.7976931348623157e+308",
        "\"\"",
        "\"a b\"",
        "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f/\x7f\"",
        "\"\u00e4\u4e2d\U0001f600\"",
        "[]",
        "{}",
        "[1,[2,[]],{}]",
        "{\"z\":1,\"a\":{\"\":[true]},\"m\":null}",
        "[[[[[[[[]]]]]]]]",
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        expect_round(f, same[i], same[i]);
    expect_round(f, " \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } } \n", "{\"a\":[1,2],\"b\":{}}");
    expect_round(f, "\"\\/\\u0041\\u00e4\\u4E2d\\ud83d\\uDE00\\uffff\"",
                 "\"/A\u00e4\u4e2d\U0001f600\uffff\"");
    expect_round(f, "[1E2,1e-2,0.10000000000000000555,1e-400,-0]", "[100.0,0.01,0.1,0.0,0]");
}

/* Strings of every length around the reader's first buffer, with quotes inside. */
static void test_long_strings(void **state)
{
    fixture *f = *state;
    char text[600];
    for (int length = 240; length < 272; length++) {
        snprintf(text, sizeof text, "[\"\\\"%0*d\",{\"%0*d\\\\\":1}]", length, 0, length + 1, 0);
        expect_round(f, text, text);
    }
}

static void test_forms(void **state)
{
    fixture *f = *state;
    elman_json *value = parsed(f, "{\"b\":[1,{}],\"a\":{\"d\":[],\"c\":2}}");
    expect_print(f, value, ELMAN_JSON_LINE_END, "{\"b\":[1,{}],\"a\":{\"d\":[],\"c\":2}}\n");
    expect_print(f, value, ELMAN_JSON_SORTED, "{\"a\":{\"c\":2,\"d\":[]},\"b\":[1,{}]}");
    expect_print(f, value, ELMAN_JSON_INDENT | ELMAN_JSON_LINE_END,
                 "{\n  \"b\": [\n    1,\n    {}\n  ],\n  \"a\": {\n    \"d\": [],\n    \"c\": 2\n  "
                 "}\n}\n");
    elman_json_free(value);
}

static void expect_real(fixture *f, double value, const char *want)
{
    elman_json *json = elman_json_real(value);
    expect_print(f, json, 0, want);
    elman_json_free(json);
}

static void test_reals(void **state)
{
    fixture *f = *state;
    double back;
    expect_real(f, 3, "3.0");
    expect_real(f, 0.1 + 0.2, "0.30000000000000004");
    expect_real(f, 1.446, "1.446");
    expect_real(f, (double)NAN, "null");
    expect_real(f, (double)INFINITY, "null");
    expect_real(f, -(double)INFINITY, "null");
    unsigned long long bits = 88172645463325252ULL;
    for (int i = 0; i < 20000; i++) {
        double value;
        char *text;
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        elman_json *json = elman_json_real(value);
        assert_int_equal(elman_json_print(f->context, json, 0, &text, NULL, NULL), ELMAN_OK);
        elman_json_free(json);
        json = parsed(f, text);
        assert_true(elman_json_is(json, ELMAN_JSON_REAL));
        assert_true(elman_json_to_real(json, -DBL_MAX, DBL_MAX, &back));
        assert_memory_equal(&back, &value, sizeof value);
        elman_json_free(json);
        elman_release(f->context, text);
    }
}

static void test_locale(void **state)
{
    fixture *f = *state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "ps_AF.UTF-8"};
    size_t i = 0;
    while (i < 4 && setlocale(LC_ALL, names[i]) == NULL)
        i++;
    if (i == 4)
        skip();
    expect_round(f, "[1.5,2.0]", "[1.5,2.0]");
    setlocale(LC_ALL, "C");
}

static void test_looking(void **state)
{
    fixture *f = *state;
    elman_json *value = parsed(
        f, "{\"text\":\"a\\u0000b\",\"whole\":7,\"real\":0.5,\"yes\":true,\"list\":[1,2,3]}");
    const elman_json *text = elman_json_get(value, "text"), *whole = elman_json_get(value, "whole"),
                     *real = elman_json_get(value, "real"), *list = elman_json_get(value, "list"),
                     *none = elman_json_get(value, "none");
    size_t size;
    int64_t integer = -1;
    double number = -1;
    bool truth = false;
    assert_memory_equal(elman_json_to_string(text, &size), "a\0b", 4);
    assert_int_equal(size, 3);
    assert_null(elman_json_to_string(whole, NULL));
    assert_true(elman_json_to_integer(whole, 7, 7, &integer));
    assert_int_equal(integer, 7);
    assert_false(elman_json_to_integer(whole, 8, 9, &integer));
    assert_false(elman_json_to_integer(whole, 5, 6, &integer));
    assert_false(elman_json_to_integer(real, 0, 9, &integer));
    assert_true(elman_json_to_real(whole, 0, 9, &number) && number == 7);
    assert_true(elman_json_to_real(real, 0.5, 0.5, &number) && number == 0.5);
    assert_false(elman_json_to_real(real, 0.6, 1, &number));
    assert_false(elman_json_to_real(whole, 0, 6, &number));
    assert_false(elman_json_to_real(text, 0, 1, &number));
    assert_true(elman_json_to_boolean(elman_json_get(value, "yes"), &truth) && truth);
    assert_false(elman_json_to_boolean(whole, &truth));
    assert_int_equal(elman_json_size(list), 3);
    assert_int_equal(elman_json_size(value), 5);
    assert_int_equal(elman_json_size(text), 0);
    assert_true(elman_json_to_integer(elman_json_at(list, 2), 3, 3, &integer));
    assert_null(elman_json_at(list, 3));
    assert_null(elman_json_at(value, 0));
    assert_null(elman_json_get(list, "text"));

    assert_null(none);
    assert_false(elman_json_is(none, ELMAN_JSON_NULL));
    assert_false(elman_json_to_boolean(none, &truth) ||
                 elman_json_to_integer(none, 0, 1, &integer) ||
                 elman_json_to_real(none, 0, 1, &number));
    assert_null(elman_json_to_string(none, &size));
    assert_int_equal(elman_json_size(none), 0);

    elman_json_member member = elman_json_members(value);
    static const char *const keys[] = {"text", "whole", "real", "yes", "list"};
    for (size_t i = 0; i < 5; i++) {
        assert_true(elman_json_next(&member));
        assert_string_equal(member.key, keys[i]);
        assert_ptr_equal(member.value, elman_json_get(value, keys[i]));
    }
    assert_false(elman_json_next(&member));
    member = elman_json_members(list);
    assert_false(elman_json_next(&member));
    elman_json_free(value);
    elman_json_free(NULL);
}

static void expect_describe(fixture *f, const char *text, const char *want)
{
    char got[96];
    elman_json *value = text == NULL ? NULL : parsed(f, text);
    elman_json_describe(value, got);
    assert_string_equal(got, want);
    elman_json_free(value);
}

static void test_describe(void **state)
{
    fixture *f = *state;
    expect_describe(f, NULL, "nothing");
    expect_describe(f, "null", "null");
    expect_describe(f, "false", "false");
    expect_describe(f, "-12", "the integer -12");
    expect_describe(f, "2.50", "the number 2.5");
    expect_describe(f, "[1,2]", "an array of 2");
    expect_describe(f, "{\"a\":1}", "an object of 1");
    expect_describe(f, "\"abc\"", "the string \"abc\"");
    expect_describe(
        f, "\"0123456789012345678901234567890123456789012345678901234567890123\"",
        "the string \"0123456789012345678901234567890123456789012345678901234567890123\"");
    expect_describe(
        f, "\"012345678901234567890123456789012345678901234567890123456789012\u00e4\"",
        "the string \"012345678901234567890123456789012345678901234567890123456789012...\"");
}

static void test_building(void **state)
{
    fixture *f = *state;
    elman_json *record = elman_json_object(), *list = elman_json_array();
    assert_true(elman_json_append(list, elman_json_integer(INT64_MIN)));
    assert_true(elman_json_append(list, elman_json_null()));
    assert_true(elman_json_set(record, "step", elman_json_integer(3)));
    assert_true(elman_json_set(record, "loss", elman_json_real(1.5)));
    assert_true(elman_json_set(record, "name", elman_json_string("\u00e4")));
    assert_true(elman_json_set(record, "raw", elman_json_string_of("a\0", 2)));
    assert_true(elman_json_set(record, "best", elman_json_boolean(true)));
    assert_true(elman_json_set(record, "twice", elman_json_share(list)));
    assert_true(elman_json_set(record, "list", list));
    assert_true(elman_json_set(record, "loss", elman_json_real(1.25)));
    expect_print(f, record, 0,
                 "{\"step\":3,\"loss\":1.25,\"name\":\"\u00e4\",\"raw\":\"a\\u0000\",\"best\":true,"
                 "\"twice\":[-9223372036854775808,null],\"list\":[-9223372036854775808,null]}");
    assert_null(elman_json_string("\xff"));
    assert_false(elman_json_set(record, "bad", elman_json_string("\xff")));
    assert_false(elman_json_set(record, "\xff", elman_json_integer(1)));
    assert_false(elman_json_append(record, elman_json_integer(1)));
    assert_false(elman_json_set(NULL, "k", elman_json_integer(1)));
    assert_int_equal(elman_json_size(record), 7);
    elman_json_free(record);
}

static const struct {
    const char *text, *message; /* after "text: line " */
} refused[] = {
    {"", "1, column 1: expected a value, found the end"},
    {"  \n ", "2, column 2: expected a value, found the end"},
    {"nul", "1, column 1: expected a value, found 'n'"},
    {"nulll", "1, column 5: expected the end, found 'l'"},
    {"NaN", "1, column 1: expected a value, found 'N'"},
    {"Infinity", "1, column 1: expected a value, found 'I'"},
    {"-Infinity", "1, column 2: expected a digit, found 'I'"},
    {"+1", "1, column 1: expected a value, found '+'"},
    {".5", "1, column 1: expected a value, found '.'"},
    {"1.", "1, column 3: expected a digit, found the end"},
    {"1.e5", "1, column 3: expected a digit, found 'e'"},
    {"1e", "1, column 3: expected a digit, found the end"},
    {"1e+", "1, column 4: expected a digit, found the end"},
    {"-", "1, column 2: expected a digit, found the end"},
    {"01", "1, column 1: a number that begins with a needless zero"},
    {"0x10", "1, column 2: expected the end, found 'x'"},
    {"1e999", "1, column 1: a number that is too large for a double"},
    {"[1,-1e999]", "1, column 4: a number that is too large for a double"},
    {"9223372036854775808", "1, column 1: an integer outside -2^63..2^63-1"},
    {"-9223372036854775809", "1, column 1: an integer outside -2^63..2^63-1"},
    {"[1 2]", "1, column 4: expected ',' or ']', found '2'"},
    {"[1,]", "1, column 4: expected a value, found ']'"},
    {"[", "1, column 2: expected a value, found the end"},
    {"[1", "1, column 3: expected ',' or ']', found the end"},
    {"{", "1, column 2: expected '\"' and a key, found the end"},
    {"{a:1}", "1, column 2: expected '\"' and a key, found 'a'"},
    {"{\"a\" 1}", "1, column 6: expected ':', found '1'"},
    {"{\"a\":1,}", "1, column 8: expected '\"' and a key, found '}'"},
    {"{\"a\":1 \"b\":2}", "1, column 8: expected ',' or '}', found '\"'"},
    {"{\n\"a\": 1,\n  \"a\": 2}", "3, column 3: the key \"a\" for the second time in its object"},
    {"{\"a\":{\"b\":1,\"\\u0062\":2}}",
     "1, column 13: the key \"b\" for the second time in its object"},
    {"{\"a\\u0000\":1}", "1, column 2: a key with U+0000 in it"},
    {"// no\n1", "1, column 1: expected a value, found '/'"},
    {"\"abc", "1, column 1: a string without a closing quote"},
    {"[\"abc\\\"]", "1, column 2: a string without a closing quote"},
    {"\"\\x\"", "1, column 3: expected one of \"\\/bfnrtu after the backslash, found 'x'"},
    {"\"\\", "1, column 3: expected one of \"\\/bfnrtu after the backslash, found the end"},
    {"\"\\u12g4\"", "1, column 6: expected a hexadecimal digit, found 'g'"},
    {"\"\\u12", "1, column 6: expected a hexadecimal digit, found the end"},
    {"\"\\ud800\"", "1, column 2: a first surrogate without its second"},
    {"\"\\ud800\\n\"", "1, column 2: a first surrogate without its second"},
    {"\"\\ud800\\u0041\"", "1, column 2: a first surrogate without its second"},
    {"\"a\\udc00\"", "1, column 3: a second surrogate without its first"},
    {"\"\u00e4\n\"", "1, column 3: expected no control character in a string, found byte 0x0a"},
    {"\"\u00e4\xff\"", "1, column 3: expected UTF-8, found byte 0xff"},
    {"\"\xc0\x80\"", "1, column 2: expected UTF-8, found byte 0xc0"},
    {"\"\xe0\x80\x80\"", "1, column 2: expected UTF-8, found byte 0xe0"},
    {"\"\xf0\x80\x80\x80\"", "1, column 2: expected UTF-8, found byte 0xf0"},
    {"\"\x1f\"", "1, column 2: expected no control character in a string, found byte 0x1f"},
    {"\"\xed\xa0\x80\"", "1, column 2: expected UTF-8, found byte 0xed"},
    {"\"\xf4\x90\x80\x80\"", "1, column 2: expected UTF-8, found byte 0xf4"},
    {"\"\xe4\xb8", "1, column 2: expected UTF-8, found byte 0xe4"},
    {"\xef\xbb\xbf{}", "1, column 1: expected a value, found byte 0xef"},
    {"[[[[[[[[[]]]]]]]]]", "1, column 9: nested deeper than 8 levels"},
    {"[{\"a\":[{\"b\":[{\"c\":[{\"d\":[]}]}]}]}]", "1, column 25: nested deeper than 8 levels"},
};

static void test_refused(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        elman_json *value;
        assert_int_equal(parse(f, refused[i].text, &value), ELMAN_ERROR_FORMAT);
        assert_memory_equal(f->error.message, "text: line ", 11);
        assert_string_equal(f->error.message + 11, refused[i].message);
    }
    elman_json *value;
    assert_int_equal(elman_json_parse(f->context, "1\0", 2, "text", LIMITS, &value, &f->error),
                     ELMAN_ERROR_FORMAT);
    assert_string_equal(f->error.message,
                        "text: line 1, column 2: expected the end, found byte 0x00");
    /* The bytes end inside a code point, whatever follows them in memory. */
    assert_int_equal(
        elman_json_parse(f->context, "\"\u4e2d\"", 3, "text", LIMITS, &value, &f->error),
        ELMAN_ERROR_FORMAT);
    assert_string_equal(f->error.message,
                        "text: line 1, column 2: expected UTF-8, found byte 0xe4");
}

static void test_limits(void **state)
{
    fixture *f = *state;
    elman_json *value;
    char text[2 * ELMAN_JSON_DEPTH_MAX + 600];
    elman_json_limits limits = {.bytes = 3, .depth = ELMAN_JSON_DEPTH_MAX};
    assert_int_equal(elman_json_parse(f->context, "1234", 4, "text", limits, &value, &f->error),
                     ELMAN_ERROR_FORMAT);
    assert_string_equal(f->error.message, "text: 4 bytes of JSON, expected at most 3");
    assert_int_equal(elman_json_parse(f->context, "123", 3, "text", limits, &value, &f->error),
                     ELMAN_OK);
    elman_json_free(value);
    limits.bytes = 0;
    memset(text, '[', ELMAN_JSON_DEPTH_MAX);
    memset(text + ELMAN_JSON_DEPTH_MAX, ']', ELMAN_JSON_DEPTH_MAX);
    assert_int_equal(elman_json_parse(f->context, text, 2 * (size_t)ELMAN_JSON_DEPTH_MAX, "text",
                                      limits, &value, &f->error),
                     ELMAN_OK);
    elman_json_free(value);
    for (int depth = 0; depth < 2; depth++) {
        limits.depth = depth * (ELMAN_JSON_DEPTH_MAX + 1);
        assert_int_equal(elman_json_parse(f->context, "1", 1, "text", limits, &value, &f->error),
                         ELMAN_ERROR_ARGUMENT);
    }
    memset(text, '1', sizeof text);
    text[1] = '.';
    text[ELMAN_JSON_NUMBER_MAX] = '\0';
    elman_json_free(parsed(f, text));
    text[ELMAN_JSON_NUMBER_MAX] = '1';
    text[ELMAN_JSON_NUMBER_MAX + 1] = '\0';
    assert_int_equal(parse(f, text, &value), ELMAN_ERROR_FORMAT);
    assert_string_equal(f->error.message,
                        "text: line 1, column 1: a number of more than 511 bytes");
}

static const char SAMPLE[] =
    "{\"version\": 1, \"task\": \"lm\",\n \"network\": {\"cell\": \"lstm\", \"hidden\": [512, 512],"
    " \"dropout\": 0.30000000000000004, \"a string that is longer than sixteen bytes\": null},\n"
    " \"letters\": [\"\\u00e4\", \"\u4e2d\\n\", \"\\ud83d\\ude00\", \"another string of some "
    "length\"], \"rate\": 2e-3, \"on\": true, \"off\": false, \"a\": {}, \"b\": [], \"c\": -7}";

/* Cut at each byte: always refused. Each bit of each byte flipped: refused, or read and
 * printed and read again to the same text. */
static void test_cut_and_flipped(void **state)
{
    fixture *f = *state;
    size_t size = sizeof SAMPLE - 1;
    elman_json *value;
    char *bytes = malloc(size);
    for (size_t cut = 0; cut < size; cut++) {
        char *exact = malloc(cut > 0 ? cut : 1); /* its own, so that a sanitizer sees its end */
        memcpy(exact, SAMPLE, cut);
        assert_int_equal(elman_json_parse(f->context, exact, cut, "cut", LIMITS, &value, &f->error),
                         ELMAN_ERROR_FORMAT);
        free(exact);
    }
    memcpy(bytes, SAMPLE, size);
    size_t accepted = 0;
    for (size_t i = 0; i < size; i++) {
        for (unsigned flip = 1; flip < 256; flip *= 2) {
            bytes[i] = (char)(SAMPLE[i] ^ (char)flip);
            if (elman_json_parse(f->context, bytes, size, "flip", LIMITS, &value, &f->error) ==
                ELMAN_OK) {
                char *text;
                assert_int_equal(elman_json_print(f->context, value, 0, &text, NULL, NULL),
                                 ELMAN_OK);
                elman_json_free(value);
                value = parsed(f, text);
                expect_print(f, value, 0, text);
                elman_release(f->context, text);
                elman_json_free(value);
                accepted++;
            } else {
                assert_int_equal(f->error.code, ELMAN_ERROR_FORMAT);
                assert_null(strpbrk(f->error.message, "\n\r"));
            }
        }
        bytes[i] = SAMPLE[i];
    }
    assert_true(accepted > 0);
    free(bytes);
}

/* What must work, or fail with MEMORY and nothing left behind. The first call leaves its
 * text in *want; every later success must give the same. */
static elman_status read_and_print(fixture *f, char want[1024])
{
    elman_json *value;
    char *text;
    elman_status status = parse(f, SAMPLE, &value);
    if (status != ELMAN_OK)
        return status;
    int flags = ELMAN_JSON_SORTED | ELMAN_JSON_INDENT;
    status = elman_json_print(f->context, value, flags, &text, NULL, &f->error);
    elman_json_free(value);
    if (status == ELMAN_OK) {
        if (want[0] == '\0')
            snprintf(want, 1024, "%s", text);
        assert_string_equal(text, want);
        elman_release(f->context, text);
    }
    return status;
}

static void test_allocations_fail(void **state)
{
    fixture *f = *state;
    long n = 1, live = f->live;
    char want[1024] = "";
    assert_int_equal(read_and_print(f, want), ELMAN_OK);
    for (;; n++) {
        f->countdown = n;
        elman_status status = read_and_print(f, want);
        bool done = f->countdown > 0;
        f->countdown = 0;
        assert_int_equal(f->live, live);
        if (done) {
            assert_int_equal(status, ELMAN_OK);
            break;
        }
        assert_int_equal(status, ELMAN_ERROR_MEMORY);
    }
    assert_true(n > 15);
}

/* Also those that jansson asks for. */
static void test_mallocs_fail(void **state)
{
    fixture *f = *state;
    if (!test_malloc_works())
        skip();
    char want[1024] = "";
    assert_int_equal(read_and_print(f, want), ELMAN_OK); /* and what is allocated once */
    for (int from = 0; from < 2; from++) {
        size_t n = 1;
        for (;; n++) {
            size_t live = test_malloc_live();
            (from ? test_malloc_fail_from : test_malloc_fail_at)(n);
            elman_status status = read_and_print(f, want);
            bool failed = test_malloc_failed();
            test_malloc_fail_at(0);
            assert_int_equal(test_malloc_live(), live);
            if (!failed) {
                assert_int_equal(status, ELMAN_OK);
                break;
            }
            assert_int_equal(status, ELMAN_ERROR_MEMORY);
        }
        assert_true(n > 50);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trips, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_strings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_forms, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_locale, setup, teardown),
        cmocka_unit_test_setup_teardown(test_looking, setup, teardown),
        cmocka_unit_test_setup_teardown(test_describe, setup, teardown),
        cmocka_unit_test_setup_teardown(test_building, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_and_flipped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_allocations_fail, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mallocs_fail, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
