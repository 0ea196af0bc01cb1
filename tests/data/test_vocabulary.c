#include "data/vocabulary_impl.h"
#include "data_support.h"
#include "test_malloc.h"

static elman_vocabulary *parse(elman_context *context, const char *json)
{
    elman_vocabulary *v = NULL;
    assert_ok(elman_vocabulary_parse(context, "v.json", json, strlen(json), &v, &problem));
    return v;
}

static void refuse(elman_context *context, const char *json, const char *part)
{
    elman_vocabulary *v = NULL;
    elman_error error = {0};
    assert_int_equal(elman_vocabulary_parse(context, "v.json", json, strlen(json), &v, &error),
                     ELMAN_ERROR_FORMAT);
    assert_null(v);
    assert_int_equal(error.code, ELMAN_ERROR_FORMAT);
    assert_contains(error.message, "v.json");
    assert_contains(error.message, part);
}

static void test_levels(void **state)
{
    (void)state;
    elman_level level = ELMAN_LEVEL_CHAR;
    elman_error error;
    assert_ok(elman_level_parse("word", &level, &problem));
    assert_int_equal(level, ELMAN_LEVEL_WORD);
    assert_int_equal(elman_level_parse("token", &level, &error), ELMAN_ERROR_ARGUMENT);
    assert_contains(error.message, "char, byte or word");
    assert_string_equal(elman_level_name(ELMAN_LEVEL_BYTE), "byte");
}

static void test_char(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    static const char *const tokens[] = {"\n", "a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
    elman_vocabulary *v = NULL;
    assert_ok(elman_vocabulary_create(context, ELMAN_LEVEL_CHAR, tokens, 5, &v, &problem));
    assert_int_equal(elman_vocabulary_count(v), 5);
    assert_int_equal(elman_vocabulary_unknown(v), -1);
    assert_int_equal(elman_vocabulary_end_of_line(v), -1);
    for (int32_t i = 0; i < 5; i++) {
        size_t size;
        assert_int_equal(elman_vocabulary_find(v, tokens[i], strlen(tokens[i])), i);
        assert_string_equal(elman_vocabulary_token(v, i, &size), tokens[i]);
        assert_int_equal(size, strlen(tokens[i]));
    }
    assert_int_equal(elman_vocabulary_find_code_point(v, 0x20AC), 3);
    assert_int_equal(elman_vocabulary_find_code_point(v, 'b'), -1);
    assert_int_equal(elman_vocabulary_find_code_point(v, 0x20AD), -1);
    assert_null(elman_vocabulary_token(v, 5, NULL));
    assert_null(elman_vocabulary_token(v, -1, NULL));

    int32_t ids[8];
    size_t count;
    elman_error error;
    const char *prompt = "a\xE2\x82\xAC\n\xF0\x9F\x98\x80";
    assert_ok(elman_vocabulary_encode(v, prompt, 9, ids, 8, &count, &problem));
    const int32_t want[] = {1, 3, 0, 4};
    assert_int_equal(count, 4);
    assert_memory_equal(ids, want, sizeof want);
    assert_int_equal(elman_vocabulary_encode(v, prompt, 9, ids, 3, &count, &error),
                     ELMAN_ERROR_ARGUMENT);
    assert_int_equal(elman_vocabulary_encode(v, "aa\xC3\xA8", 4, ids, 8, &count, &error),
                     ELMAN_ERROR_DATA);
    assert_contains(error.message, "byte 2: U+00E8");
    assert_int_equal(elman_vocabulary_encode(v, "a\xC3", 2, ids, 8, &count, &error),
                     ELMAN_ERROR_DATA);
    assert_contains(error.message, "byte 1: invalid UTF-8 (C3)");
    assert_ok(elman_vocabulary_encode(v, "", 0, ids, 0, &count, &problem));
    assert_int_equal(count, 0);
    elman_vocabulary_free(v);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void test_word(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    elman_vocabulary *v =
        parse(context, "{\"tokens\": [\"the\", \"<eos>\", \"<unk>\", \"caf\\u00e9\"], "
                       "\"level\": \"word\"}");
    assert_int_equal(elman_vocabulary_unknown(v), 2);
    assert_int_equal(elman_vocabulary_end_of_line(v), 1);
    int32_t ids[32];
    size_t count;
    const char *prompt = " the  cat\xC2\xA0"
                         "caf\xC3\xA9\n\nthe<unk> <unk>";
    const int32_t want[] = {0, 2, 3, 1, 1, 2, 2};
    assert_ok(elman_vocabulary_encode(v, prompt, strlen(prompt), ids, 32, &count, &problem));
    assert_int_equal(count, 7);
    assert_memory_equal(ids, want, sizeof want);
    for (size_t capacity = 0; capacity < 7; capacity++)
        assert_int_equal(
            elman_vocabulary_encode(v, prompt, strlen(prompt), ids, capacity, &count, NULL),
            ELMAN_ERROR_ARGUMENT);

    elman_detokenizer *d;
    assert_ok(elman_detokenizer_create(v, &d, &problem));
    char text[128] = "";
    static const int32_t out[] = {0, 3, 1, 1, 2, 0, 99};
    for (size_t i = 0; i < sizeof out / sizeof out[0]; i++) {
        size_t size;
        const char *piece = elman_detokenizer_put(d, out[i], &size);
        assert_int_equal(strlen(piece), size);
        strcat(text, piece);
    }
    assert_string_equal(text, "the caf\xC3\xA9\n\n<unk> the \xEF\xBF\xBD");
    elman_detokenizer_free(d);
    elman_detokenizer_free(NULL);
    elman_vocabulary_free(v);
    elman_vocabulary_free(NULL);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

/* All bytes, put in one by one: valid at each step, and what a whole-text replacement
 * of maximal subparts gives (as Python's errors="replace" does). */
static void check_bytes(elman_detokenizer *d, const char *bytes, size_t n, const char *want)
{
    char text[256] = "";
    size_t size;
    for (size_t i = 0; i < n; i++) {
        strcat(text, elman_detokenizer_put(d, (unsigned char)bytes[i], &size));
        for (size_t at = 0; text[at] != '\0';) {
            static const int lengths[16] = {1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 3, 4};
            int length = lengths[(unsigned char)text[at] >> 4];
            assert_true(length > 0);
            assert_true(strlen(text + at) >= (size_t)length);
            at += (size_t)length;
        }
    }
    strcat(text, elman_detokenizer_finish(d, &size));
    assert_string_equal(text, want);
    elman_detokenizer_finish(d, &size);
    assert_int_equal(size, 0);
}

#define FFFD "\xEF\xBF\xBD"

static void test_byte(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    elman_vocabulary *v = parse(context, "{\"level\": \"byte\"}");
    assert_int_equal(elman_vocabulary_count(v), 256);
    for (int32_t i = 0; i < 256; i++) {
        char byte = (char)(unsigned char)i;
        size_t size;
        assert_int_equal(elman_vocabulary_find(v, &byte, 1), i);
        assert_int_equal(elman_vocabulary_token(v, i, &size)[0], byte);
        assert_int_equal(size, 1);
    }
    int32_t ids[4];
    size_t count;
    assert_ok(elman_vocabulary_encode(v, "\xFF\0z", 3, ids, 4, &count, &problem));
    const int32_t want[] = {255, 0, 122};
    assert_int_equal(count, 3);
    assert_memory_equal(ids, want, sizeof want);
    assert_int_equal(elman_vocabulary_encode(v, "abc", 3, ids, 2, &count, NULL),
                     ELMAN_ERROR_ARGUMENT);
    elman_detokenizer *d;
    assert_ok(elman_detokenizer_create(v, &d, &problem));
    check_bytes(d, "a\xF0\x9F\x98\x80z", 6, "a\xF0\x9F\x98\x80z");
    check_bytes(d, "\xF0\x9F\x98", 3, FFFD);
    check_bytes(d, "\xF0\x9F\x98q", 4, FFFD "q");
    check_bytes(d, "\xF0\x9F\xF0\x9F\x98\x80", 6, FFFD "\xF0\x9F\x98\x80");
    check_bytes(d, "\xC0\xAF\xE0\x80\xBF", 5, FFFD FFFD FFFD FFFD FFFD);
    check_bytes(d, "\x80\xE2\x82\xE2\x82\xAC\xC3", 7, FFFD FFFD "\xE2\x82\xAC" FFFD);
    size_t size;
    elman_detokenizer_put(d, 0xE2, &size);
    assert_int_equal(size, 0);
    assert_string_equal(elman_detokenizer_put(d, 256, &size), FFFD FFFD);
    elman_detokenizer_free(d);
    elman_vocabulary_free(v);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void test_refused(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    refuse(context, "", "line 1");
    refuse(context, "[]", "expected an object");
    refuse(context, "{}", "level: found nothing");
    refuse(context, "{\"level\": 3}", "the integer 3");
    refuse(context, "{\"level\": \"words\", \"tokens\": []}", "\"words\"");
    refuse(context, "{\"level\": \"char\\u0000\", \"tokens\": [\"a\"]}", "level");
    refuse(context, "{\"level\": \"char\"}", "tokens: found nothing");
    refuse(context, "{\"level\": \"char\", \"tokens\": {}}", "expected an array");
    refuse(context, "{\"level\": \"char\", \"tokens\": []}", "no tokens");
    refuse(context, "{\"level\": \"char\", \"tokens\": [\"a\", 1]}",
           "tokens[1]: found the integer");
    refuse(context, "{\"level\": \"char\", \"tokens\": [\"a\", \"b\", \"a\"]}", "tokens[2]");
    refuse(context, "{\"level\": \"char\", \"tokens\": [\"a\", \"b\", \"a\"]}", "twice");
    refuse(context, "{\"level\": \"char\", \"tokens\": [\"ab\"]}", "is not one code point");
    refuse(context, "{\"level\": \"char\", \"tokens\": [\"e\\u0301\"]}", "is not one code point");
    refuse(context, "{\"level\": \"char\", \"tokens\": [\"\"]}", "is empty");
    refuse(context, "{\"level\": \"char\", \"tokens\": [\"\\u0000\"]}", "zero byte");
    refuse(context, "{\"level\": \"char\", \"tokens\": [\"\xFF\"]}", "v.json");
    refuse(context, "{\"level\": \"char\", \"tokens\": [\"a\"], \"unk\": 1}", "\"unk\"");
    refuse(context, "{\"level\": \"char\", \"tokens\": [\"a\"], \"tokens\": [\"a\"]}", "v.json");
    refuse(context, "{\"level\": \"byte\", \"tokens\": [\"a\"]}", "expected no tokens");
    refuse(context, "{\"level\": \"byte\", \"extra\": 0}", "\"extra\"");
    refuse(context, "{\"level\": \"word\", \"tokens\": [\"a\", \"<eos>\"]}", "<unk>");
    refuse(context, "{\"level\": \"word\", \"tokens\": [\"a\", \"<unk>\"]}", "<eos>");
    refuse(context, "{\"level\": \"word\", \"tokens\": [\"<eos>\", \"<unk>\", \"a b\"]}",
           "white space");
    refuse(context, "{\"level\": \"word\", \"tokens\": [\"<eos>\", \"<unk>\", \"a\\u00a0b\"]}",
           "white space");
    refuse(context, "{\"level\": \"word\", \"tokens\": [\"<eos>\", \"<unk>\", \"a\\u0000\"]}",
           "zero byte");
    refuse(context, "{\"level\": \"word\", \"tokens\": [\"<eos>\", \"<unk>\", \"\"]}", "is empty");

    elman_vocabulary *v = NULL;
    static const char *const tokens[] = {"a", "b"};
    elman_error error;
    assert_int_equal(elman_vocabulary_create(context, ELMAN_LEVEL_CHAR, tokens, 0, &v, &error),
                     ELMAN_ERROR_ARGUMENT);
    assert_int_equal(elman_vocabulary_create(context, ELMAN_LEVEL_CHAR, tokens,
                                             ELMAN_VOCABULARY_LIMIT + 1, &v, &error),
                     ELMAN_ERROR_ARGUMENT);
    assert_int_equal(elman_vocabulary_create(context, ELMAN_LEVEL_WORD, tokens, 2, &v, &error),
                     ELMAN_ERROR_ARGUMENT);
    assert_int_equal(elman_vocabulary_create(context, ELMAN_LEVEL_BYTE, tokens, 2, &v, &error),
                     ELMAN_ERROR_ARGUMENT);
    assert_int_equal(elman_vocabulary_create(context, (elman_level)7, tokens, 2, &v, &error),
                     ELMAN_ERROR_ARGUMENT);
    assert_null(v);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static char *read_whole(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *bytes = malloc(1 << 16);
    assert_non_null(bytes);
    *size = fread(bytes, 1, 1 << 16, file);
    fclose(file);
    return bytes;
}

/* Saved and loaded: the same; cut at every byte: refused; flipped at every byte:
 * refused or sound. */
static void check_file(elman_context *context, const elman_vocabulary *v)
{
    const char *path = test_path("vocabulary.json");
    elman_vocabulary *w = NULL;
    assert_ok(elman_vocabulary_save(v, path, &problem));
    assert_ok(elman_vocabulary_load(context, path, &w, &problem));
    assert_int_equal(elman_vocabulary_level(w), elman_vocabulary_level(v));
    assert_int_equal(elman_vocabulary_count(w), elman_vocabulary_count(v));
    for (int32_t i = 0; i < elman_vocabulary_count(v); i++) {
        size_t a, b;
        const char *p = elman_vocabulary_token(v, i, &a), *q = elman_vocabulary_token(w, i, &b);
        assert_int_equal(a, b);
        assert_memory_equal(p, q, a);
    }
    elman_vocabulary_free(w);
    size_t size;
    char *bytes = read_whole(path, &size);
    for (size_t cut = 0; cut + 2 < size; cut++) { /* the line end, and the brace */
        w = NULL;
        assert_int_equal(elman_vocabulary_parse(context, "v", bytes, cut, &w, NULL),
                         ELMAN_ERROR_FORMAT);
        assert_null(w);
    }
    for (size_t i = 0; i < size * 8; i++) {
        bytes[i / 8] ^= (char)(1 << i % 8);
        if (elman_vocabulary_parse(context, "v", bytes, size, &w, NULL) == ELMAN_OK) {
            for (int32_t id = 0; id < elman_vocabulary_count(w); id++) {
                size_t n;
                const char *token = elman_vocabulary_token(w, id, &n);
                assert_int_equal(elman_vocabulary_find(w, token, n), id);
            }
            elman_vocabulary_free(w);
        }
        bytes[i / 8] ^= (char)(1 << i % 8);
    }
    free(bytes);
}

static const char *const words[] = {
    "<eos>", "the", "<unk>", "\"quoted\\\"", "N", "\xC3\xA9t\xC3\xA9", "\x7F\x01"};
static const char *const characters[] = {
    "\n", "\t", "\"", "\\", "a", "\xC2\x85", "\xF4\x8F\xBF\xBF"};

static void test_files(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    elman_vocabulary *v = NULL;
    assert_ok(elman_vocabulary_create(context, ELMAN_LEVEL_WORD, words, 7, &v, &problem));
    check_file(context, v);
    elman_vocabulary_free(v);
    assert_ok(elman_vocabulary_create(context, ELMAN_LEVEL_CHAR, characters, 7, &v, &problem));
    check_file(context, v);
    elman_vocabulary_free(v);
    assert_ok(elman_vocabulary_create(context, ELMAN_LEVEL_BYTE, NULL, 0, &v, &problem));
    check_file(context, v);
    elman_vocabulary_free(v);
    elman_error error;
    assert_int_equal(elman_vocabulary_load(context, test_path("none.json"), &v, &error),
                     ELMAN_ERROR_IO);
    assert_contains(error.message, "none.json");
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

/* Allocations fail one by one, the context's and the C library's. */
static void test_memory(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    const char *path = test_path("memory.json");
    int live = c.live;
    for (int fail_at = 1;; fail_at++) {
        elman_vocabulary *v = NULL, *w = NULL;
        elman_detokenizer *d = NULL;
        c.calls = 0;
        c.fail_at = fail_at;
        elman_status status =
            elman_vocabulary_create(context, ELMAN_LEVEL_WORD, words, 7, &v, NULL);
        if (status == ELMAN_OK)
            status = elman_vocabulary_save(v, path, NULL);
        if (status == ELMAN_OK)
            status = elman_vocabulary_load(context, path, &w, NULL);
        if (status == ELMAN_OK)
            status = elman_detokenizer_create(w, &d, NULL);
        elman_detokenizer_free(d);
        elman_vocabulary_free(v);
        elman_vocabulary_free(w);
        assert_int_equal(c.live, live);
        if (c.calls < fail_at) {
            assert_int_equal(status, ELMAN_OK);
            assert_true(fail_at > 8);
            break;
        }
        assert_int_equal(status, ELMAN_ERROR_MEMORY);
    }
    c.fail_at = 0;
    for (size_t fail_at = 1; test_malloc_works(); fail_at++) {
        elman_vocabulary *v = NULL, *w = NULL;
        size_t before = test_malloc_live();
        test_malloc_fail_at(fail_at);
        elman_status status =
            elman_vocabulary_create(context, ELMAN_LEVEL_WORD, words, 7, &v, NULL);
        if (status == ELMAN_OK)
            status = elman_vocabulary_save(v, path, NULL);
        if (status == ELMAN_OK)
            status = elman_vocabulary_load(context, path, &w, NULL);
        bool failed = test_malloc_failed();
        test_malloc_fail_at(0);
        elman_vocabulary_free(v);
        elman_vocabulary_free(w);
        assert_int_equal(test_malloc_live(), before);
        if (!failed) {
            assert_int_equal(status, ELMAN_OK);
            break;
        }
        assert_int_equal(status, ELMAN_ERROR_MEMORY);
    }
    elman_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels), cmocka_unit_test(test_char),    cmocka_unit_test(test_word),
        cmocka_unit_test(test_byte),   cmocka_unit_test(test_refused), cmocka_unit_test(test_files),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
