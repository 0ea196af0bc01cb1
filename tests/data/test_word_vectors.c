#include <float.h>

#include "data/unicode.h"
#include "data/word_vectors.h"
#include "data_support.h"

static const char *const tokens[] = {"<eos>", "<unk>", "the", "paris", "The", "na\xC3\xAFve", "zz"};

static elman_vocabulary *vocabulary_of(elman_context *context)
{
    elman_vocabulary *v = NULL;
    assert_ok(elman_vocabulary_create(context, ELMAN_LEVEL_WORD, tokens, 7, &v, &problem));
    return v;
}

static elman_status read_bytes(elman_context *context, const elman_vocabulary *v, const char *bytes,
                               size_t size, elman_word_vectors *w, elman_error *error)
{
    return elman_word_vectors_read(context, write_file("w.txt", bytes, size), v, w, error);
}

/* found as digits, then the second number of each row. */
static void check(elman_context *context, const char *text, int64_t width, const char *found,
                  const float *second)
{
    elman_vocabulary *v = vocabulary_of(context);
    elman_word_vectors w;
    int64_t counts[3] = {0, 0, 0};
    assert_ok(read_bytes(context, v, text, strlen(text), &w, &problem));
    assert_int_equal(w.width, width);
    for (size_t i = 0; i < 7; i++) {
        int want = found[i] - '0';
        if (elman_unicode_check(NULL) != ELMAN_OK && want == ELMAN_WORD_FOUND_FOLDED)
            want = ELMAN_WORD_NOT_FOUND;
        assert_int_equal(w.found[i], want);
        counts[want]++;
        float value = w.rows[(int64_t)i * width + 1];
        assert_true(want == ELMAN_WORD_NOT_FOUND ? value == 0 : value == second[i]);
    }
    assert_int_equal(w.folded_count, counts[1]);
    assert_int_equal(w.exact_count, counts[2]);
    elman_word_vectors_clear(context, &w);
    elman_word_vectors_clear(context, &w);
    elman_vocabulary_free(v);
}

static void test_found(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    /* GloVe: exact, folded, the first of a word's lines, a word with spaces, one not UTF-8. */
    check(context,
          "the 1 2 3\nParis 4 5 6\nPARIS 7 8 9\nother 1 1 1\nat the 1 9 9\nthe 9 9 9\n"
          "NA\xC3\x8FVE 1 .5 -1e-3\n\xFF\xFE 1 2 3\n",
          3, "0021110", (const float[]){0, 0, 2, 5, 2, .5F, 0});
    /* An exact word comes late and counts all the same; its own case first. */
    check(context, "THE 1 2\npARIS 1 3\nthe 1 4\nparis 1 5\nThe 1 6\n<unk> 0 7\n", 2, "0222200",
          (const float[]){0, 7, 4, 5, 6, 0, 0});
    /* word2vec: a first line, a blank at each line's end, tabs, CRLF, no last line end. */
    check(context, "3 2\r\nzz 1 2 \r\n</s>\t3\t4\r\nthe 5 6", 2, "0020102",
          (const float[]){0, 0, 6, 0, 6, 0, 2});
    /* Several words of the vocabulary may fold to the file's one. */
    check(context, "THE 1 2\ntHE 1 3\n", 2, "0010100", (const float[]){0, 0, 2, 0, 2, 0, 0});
    /* A numeral is a word too, and without a COUNT a first line of three fields is a vector. */
    check(context, "1 2 3\nzz 4 5\n", 2, "0000002", (const float[]){0, 0, 0, 0, 0, 0, 5});
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void test_numbers(void **state)
{
    (void)state;
    static const char *const numbers[] = {"0.1",
                                          "-0.418",
                                          "123456789012345",
                                          "1234567890123456",
                                          ".000000000000001",
                                          "-0",
                                          "1e-3",
                                          "5.",
                                          "3.4028234e38",
                                          "1e-45",
                                          "0.30000001192092896",
                                          "999999999999999",
                                          "+1.5",
                                          "-7.25E+2"};
    counter c;
    elman_context *context = counted_context(&c);
    elman_vocabulary *v = vocabulary_of(context);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char text[64];
        elman_word_vectors w;
        float want = (float)strtod(numbers[i], NULL);
        int size = snprintf(text, sizeof text, "zz 1 %s", numbers[i]);
        assert_ok(read_bytes(context, v, text, (size_t)size, &w, &problem));
        assert_memory_equal(&w.rows[13], &want, sizeof want);
        elman_word_vectors_clear(context, &w);
    }
    elman_vocabulary_free(v);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"a 1 2\nb 1\n", "line 2: found 1 numbers; expected 2"},
        {"a 1 2\nb\n", "line 2: found 0 numbers; expected 2"},
        {"a 1 2\n\nb 1 2\n", "line 2: found 0 numbers"},
        {"a 1 2\nb x 2\n", "line 2: found \"x\" as number 1; expected a finite number"},
        {"a 1 2\nb 1 nan\n", "line 2: found \"nan\" as number 2"},
        {"a 1 inf\n", "line 1: found \"inf\" as number 2"},
        {"a 1 1e39\n", "line 1: found \"1e39\""},
        {"a 1 0x1\n", "line 1: found \"0x1\""},
        {"a 1 -\n", "line 1: found \"-\""},
        {"a\n", "line 1: found vectors of 0 numbers"},
        {"\xEF\xBB\xBF", "found no line; expected word vectors"},
        {"\n", "line 1: found vectors of 0 numbers"},
        {"3 2\na 1 2\n", "found 1 vectors; expected 3"},
        {"1 2\na 1 2\nb 1 2\n", "found 2 vectors; expected 1"},
        {"1 99999999\na 1 2\n", "line 1: found vectors of 99999999 numbers"},
        {"2 3\na 1 2\n", "line 2: found 2 numbers; expected 3"},
    };
    counter c;
    elman_context *context = counted_context(&c);
    elman_vocabulary *v = vocabulary_of(context);
    elman_word_vectors w;
    elman_error error;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(read_bytes(context, v, wrong[i][0], strlen(wrong[i][0]), &w, &error),
                         ELMAN_ERROR_FORMAT);
        assert_contains(error.message, "w.txt: ");
        assert_contains(error.message, wrong[i][1]);
        assert_null(w.rows);
    }
    assert_int_equal(read_bytes(context, v, "a 1 2\0\n", 7, &w, &error), ELMAN_ERROR_FORMAT);
    assert_int_equal(read_bytes(context, v, "", 0, &w, &error), ELMAN_ERROR_DATA);
    assert_int_equal(elman_word_vectors_read(context, test_path("none"), v, &w, &error),
                     ELMAN_ERROR_IO);
    elman_vocabulary *bytes = NULL;
    assert_ok(elman_vocabulary_create(context, ELMAN_LEVEL_BYTE, NULL, 0, &bytes, &problem));
    assert_int_equal(read_bytes(context, bytes, "a 1 2\n", 6, &w, &error), ELMAN_ERROR_ARGUMENT);
    assert_contains(error.message, "level byte");
    elman_vocabulary_free(bytes);
    elman_vocabulary_free(v);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static const char sample[] =
    "5 2\r\nthe 1.5 -2 \nParis\t3\t4e1\n\xFF 1 2\nat the 1 2\nNA\xC3\x8FVE .5 6";

static void test_damaged(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    elman_vocabulary *v = vocabulary_of(context);
    elman_word_vectors w;
    size_t size = sizeof sample - 1;
    int read = 0;
    for (size_t trial = 1; trial < 9 * size; trial++) {
        char bytes[sizeof sample];
        memcpy(bytes, sample, sizeof sample);
        if (trial >= size)
            bytes[(trial - size) / 8] ^= (char)(1 << (trial - size) % 8);
        if (read_bytes(context, v, bytes, trial < size ? trial : size, &w, NULL) == ELMAN_OK) {
            for (int64_t i = 0; i < 7 * w.width; i++)
                assert_true(w.rows[i] <= FLT_MAX && w.rows[i] >= -FLT_MAX);
            read++;
        }
        elman_word_vectors_clear(context, &w);
    }
    assert_true(read > 20);
    elman_vocabulary_free(v);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void test_memory(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    elman_vocabulary *v = vocabulary_of(context);
    const char *path = write_file("memory.txt", sample, sizeof sample - 1);
    int live = c.live;
    for (int fail_at = 1;; fail_at++) {
        elman_word_vectors w;
        c.calls = 0;
        c.fail_at = fail_at;
        elman_status status = elman_word_vectors_read(context, path, v, &w, NULL);
        elman_word_vectors_clear(context, &w);
        assert_int_equal(c.live, live);
        if (c.calls < fail_at) {
            assert_int_equal(status, ELMAN_OK);
            assert_true(fail_at > 8);
            break;
        }
        assert_int_equal(status, ELMAN_ERROR_MEMORY);
    }
    c.fail_at = 0;
    elman_vocabulary_free(v);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

/* However many lines there are, the memory is the vocabulary's. */
static void test_bounded(void **state)
{
    (void)state;
    enum { LINES = 30000 };
    counter c;
    elman_context *context = counted_context(&c);
    elman_vocabulary *v = vocabulary_of(context);
    char *text = malloc(LINES * 32), *out = text;
    elman_word_vectors w;
    for (int i = 0; i < LINES; i++)
        out += sprintf(out, "word%d %d.5 %d\n", i, i, -i);
    out += sprintf(out, "zz 1 2\n");
    c.calls = 0;
    assert_ok(read_bytes(context, v, text, (size_t)(out - text), &w, &problem));
    assert_true(c.calls < 60);
    assert_int_equal(w.lines, LINES + 1);
    assert_int_equal(w.file_bytes, out - text);
    assert_int_equal(strlen(w.sha256), 64);
    assert_int_equal(w.found[6], ELMAN_WORD_FOUND_EXACT);
    elman_word_vectors_clear(context, &w);
    free(text);
    elman_vocabulary_free(v);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),   cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_memory),  cmocka_unit_test(test_bounded),
    };
    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
