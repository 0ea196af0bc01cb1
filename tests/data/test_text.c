#include "data/text_impl.h"
#include "data_support.h"

#include <sys/stat.h>
#include <sys/time.h>

static elman_status open_one(elman_context *context, const char *path, elman_level level,
                             elman_text **text, elman_error *error)
{
    return elman_text_open(context, &path, 1, level, text, error);
}

static void refuse(elman_context *context, const char *path, elman_level level, elman_status status,
                   const char *part)
{
    elman_text *text = NULL;
    elman_error error = {0};
    assert_int_equal(open_one(context, path, level, &text, &error), status);
    assert_null(text);
    assert_contains(error.message, part);
    assert_contains(error.message, path);
}

static void test_refused(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    for (int level = 0; level < 3; level++) {
        elman_level l = (elman_level)level;
        refuse(context, test_path("none"), l, ELMAN_ERROR_IO, "No such file");
        refuse(context, test_folder, l, ELMAN_ERROR_IO, "is a folder; name the files in it");
        refuse(context, write_text("empty", ""), l, ELMAN_ERROR_DATA, "is empty");
        refuse(context, "-", l, ELMAN_ERROR_ARGUMENT, "standard input");
        refuse(context, "/dev/null", l, ELMAN_ERROR_ARGUMENT, "regular");
        if (level == ELMAN_LEVEL_BYTE)
            continue;
        refuse(context, write_text("bad", "ab\xC3\xA9 \xFF\xFEzz"), l, ELMAN_ERROR_FORMAT,
               "byte 5: invalid UTF-8 (FF FE 7A 7A)");
        refuse(context, write_text("bad", "ab\xE2\x82"), l, ELMAN_ERROR_FORMAT,
               "byte 2: invalid UTF-8 (E2 82)");
        refuse(context, write_text("bad", "\xED\xA0\x80"), l, ELMAN_ERROR_FORMAT, "byte 0");
        refuse(context, write_file("bad", "abc\0d", 5), l, ELMAN_ERROR_DATA, "byte 3: a zero byte");
    }
    const char *pipe = test_path("pipe");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    refuse(context, pipe, ELMAN_LEVEL_CHAR, ELMAN_ERROR_ARGUMENT, "regular");
    elman_text *text = NULL;
    assert_int_equal(elman_text_open(context, NULL, 0, ELMAN_LEVEL_CHAR, &text, NULL),
                     ELMAN_ERROR_ARGUMENT);
    /* a code point may not straddle two files */
    const char *paths[] = {write_text("first", "a\xC3"), write_text("second", "\xA9")};
    elman_error error;
    assert_int_equal(elman_text_open(context, paths, 2, ELMAN_LEVEL_CHAR, &text, &error),
                     ELMAN_ERROR_FORMAT);
    assert_contains(error.message, "first: byte 1");
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void test_long_words(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    size_t size = ELMAN_WORD_LIMIT + 3;
    char *bytes = malloc(size);
    assert_non_null(bytes);
    memset(bytes, 'x', size);
    bytes[0] = bytes[size - 1] = ' ';
    bytes[size - 2] = '\n';
    elman_text *text = NULL;
    elman_vocabulary *v = NULL;
    elman_text_reader *reader;
    assert_ok(
        open_one(context, write_file("long", bytes, size), ELMAN_LEVEL_WORD, &text, &problem));
    assert_int_equal(elman_text_tokens(text), 3);
    assert_ok(elman_text_vocabulary(text, 0, 3, 1, &v, &problem));
    assert_int_equal(elman_vocabulary_count(v), 3);
    int32_t ids[4];
    size_t n;
    assert_ok(elman_text_reader_open(text, v, 0, 3, &reader, &problem));
    assert_ok(elman_text_reader_read(reader, ids, 4, &n, &problem));
    const int32_t want[] = {1, 0, 0}; /* two <eos>, then the long word, then <unk> */
    assert_int_equal(n, 3);
    assert_memory_equal(ids, want, sizeof want);
    elman_text_reader_free(reader);
    elman_vocabulary_free(v);

    /* a vocabulary without it: <unk>, though its beginning is a word of the vocabulary */
    static const char *const tokens[] = {"<eos>", "<unk>", "xxx"};
    assert_ok(elman_vocabulary_create(context, ELMAN_LEVEL_WORD, tokens, 3, &v, &problem));
    assert_ok(elman_text_reader_open(text, v, 0, 3, &reader, &problem));
    assert_ok(elman_text_reader_read(reader, ids, 4, &n, &problem));
    assert_int_equal(ids[0], 1);
    elman_text_reader_free(reader);
    elman_vocabulary_free(v);
    elman_text_free(text);
    bytes[size - 2] = 'x';
    refuse(context, write_file("longer", bytes, size), ELMAN_LEVEL_WORD, ELMAN_ERROR_DATA,
           "byte 1: a word longer than 1 MiB");
    free(bytes);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

/* A corpus as published: <unk> spelled out, a space before each line. */
static void test_published_form(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    const char *path = write_text("ptb", " no it was n't <unk> \n the <unk> was N \n");
    elman_text *text;
    elman_vocabulary *v;
    elman_text_reader *reader;
    int32_t ids[16];
    size_t n;
    assert_ok(open_one(context, path, ELMAN_LEVEL_WORD, &text, &problem));
    assert_int_equal(elman_text_tokens(text), 11);
    assert_ok(elman_text_vocabulary(text, 0, 11, 1, &v, &problem));
    static const char *const order[] = {"was", "<unk>", "<eos>", "no", "it", "n't", "the", "N"};
    assert_int_equal(elman_vocabulary_count(v), 8);
    for (int32_t i = 0; i < 8; i++)
        assert_string_equal(elman_vocabulary_token(v, i, NULL), order[i]);
    assert_ok(elman_text_reader_open(text, v, 0, 11, &reader, &problem));
    assert_ok(elman_text_reader_read(reader, ids, 16, &n, &problem));
    const int32_t want[] = {3, 4, 0, 5, 1, 2, 6, 1, 0, 7, 2};
    assert_int_equal(n, 11);
    assert_memory_equal(ids, want, sizeof want);
    elman_text_reader_free(reader);
    elman_vocabulary_free(v);
    /* once is too rare: to <unk>, which then leads */
    assert_ok(elman_text_vocabulary(text, 0, 11, 2, &v, &problem));
    static const char *const frequent[] = {"<unk>", "was", "<eos>"};
    assert_int_equal(elman_vocabulary_count(v), 3);
    for (int32_t i = 0; i < 3; i++)
        assert_string_equal(elman_vocabulary_token(v, i, NULL), frequent[i]);
    elman_vocabulary_free(v);
    /* neither special token in the range: both are there, last */
    assert_ok(elman_text_vocabulary(text, 0, 2, 1, &v, &problem));
    assert_int_equal(elman_vocabulary_count(v), 4);
    assert_string_equal(elman_vocabulary_token(v, 2, NULL), "<eos>");
    assert_string_equal(elman_vocabulary_token(v, 3, NULL), "<unk>");
    elman_vocabulary_free(v);
    elman_error error;
    assert_int_equal(elman_text_vocabulary(text, 0, 12, 1, &v, &error), ELMAN_ERROR_ARGUMENT);
    assert_int_equal(elman_text_vocabulary(text, 5, 5, 1, &v, &error), ELMAN_ERROR_ARGUMENT);
    assert_int_equal(elman_text_vocabulary(text, 0, 5, 0, &v, &error), ELMAN_ERROR_ARGUMENT);
    elman_text_free(text);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void test_unseen(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    const char *paths[] = {write_text("seen", "abab"), write_text("unseen", "ba\xE2\x82\xAC"
                                                                            "a")};
    elman_text *text;
    elman_vocabulary *v, *bytes;
    elman_text_reader *reader;
    elman_error error;
    int32_t ids[16];
    size_t n;
    assert_ok(elman_text_open(context, paths, 2, ELMAN_LEVEL_CHAR, &text, &problem));
    assert_ok(elman_text_vocabulary(text, 0, 4, 1, &v, &problem));
    assert_int_equal(elman_text_vocabulary(text, 0, 4, 2, &bytes, &error), ELMAN_ERROR_ARGUMENT);
    assert_ok(elman_text_reader_open(text, v, 0, 8, &reader, &problem));
    for (int again = 0; again < 2; again++) { /* it stands before what failed */
        assert_int_equal(elman_text_reader_read(reader, ids, 16, &n, &error), ELMAN_ERROR_DATA);
        assert_int_equal(n, again == 0 ? 6 : 0);
        assert_int_equal(elman_text_reader_position(reader), 6);
        assert_contains(error.message, "unseen: byte 2: U+20AC (\xE2\x82\xAC)");
    }
    assert_ok(elman_text_reader_seek(reader, 7, &problem));
    assert_ok(elman_text_reader_read(reader, ids, 16, &n, &problem));
    assert_int_equal(n, 1);
    elman_text_reader_free(reader);
    assert_ok(elman_vocabulary_create(context, ELMAN_LEVEL_BYTE, NULL, 0, &bytes, &problem));
    assert_int_equal(elman_text_reader_open(text, bytes, 0, 8, &reader, &error),
                     ELMAN_ERROR_ARGUMENT);
    assert_contains(error.message, "level byte; expected char");
    assert_int_equal(elman_text_reader_open(text, v, 0, 9, &reader, &error), ELMAN_ERROR_ARGUMENT);
    elman_vocabulary_free(bytes);
    elman_vocabulary_free(v);
    elman_text_free(text);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

/* Written to, cut short, replaced or removed while a reader is at it. */
static void test_changed(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    for (int how = 0; how < 5; how++) {
        const char *path = write_text("changing", "abcdefghijklmnopqrstuvwxyz");
        elman_text *text;
        elman_vocabulary *v;
        elman_text_reader *reader;
        elman_error error = {0};
        int32_t ids[32];
        size_t n;
        assert_ok(open_one(context, path, ELMAN_LEVEL_CHAR, &text, &problem));
        assert_ok(elman_text_vocabulary(text, 0, 26, 1, &v, &problem));
        if (how == 4) { /* opened again, under the same name: another file */
            elman_text_free(text);
            assert_ok(open_one(context, path, ELMAN_LEVEL_CHAR, &text, &problem));
            const char *other = write_text("other", "abcdefghijklmnopqrstuvwxyz");
            for (int i = 0; i < ELMAN_SOURCE_DESCRIPTORS; i++)
                if (text->source.descriptors[i].fd >= 0)
                    close(text->source.descriptors[i].fd), text->source.descriptors[i].fd = -1;
            assert_int_equal(rename(path, test_path("aside")), 0);
            assert_int_equal(rename(other, path), 0);
        }
        assert_ok(elman_text_reader_open_sized(text, v, 0, 26, 8, &reader, &problem));
        if (how < 4) {
            assert_ok(elman_text_reader_read(reader, ids, 8, &n, &problem));
            assert_int_equal(n, 8);
        }
        if (how == 0)
            assert_int_equal(truncate(path, 12), 0);
        if (how == 1)
            write_text("changing", "abcdefghijklmnopqrstuvwxyz...");
        if (how == 2) { /* only the time tells */
            struct timeval times[2] = {{1000, 0}, {1000, 0}};
            assert_int_equal(utimes(path, times), 0);
        }
        if (how == 3) { /* still open: goes on */
            assert_int_equal(unlink(path), 0);
            assert_ok(elman_text_reader_read(reader, ids, 32, &n, &problem));
            assert_int_equal(n, 18);
        } else {
            assert_int_equal(elman_text_reader_read(reader, ids, 32, &n, &error), ELMAN_ERROR_IO);
            assert_contains(error.message, path);
            assert_contains(error.message, "while it was in use");
            if (how == 4) { /* put back: it goes on */
                assert_int_equal(rename(test_path("aside"), path), 0);
                assert_ok(elman_text_reader_read(reader, ids, 32, &n, &problem));
                assert_int_equal(n, 26);
            }
        }
        elman_text_reader_free(reader);
        elman_vocabulary_free(v);
        elman_text_free(text);
    }
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

/* Cut at every byte, each bit flipped: opens and reads to its end, or says why not. */
static void test_damaged(void **state)
{
    (void)state;
    static const char whole[] = "The caf\xC3\xA9,\n\n \xE2\x82\xAC"
                                "5 \xF0\x9F\x98\x80 <unk>\r\nend";
    counter c;
    elman_context *context = counted_context(&c);
    int live = c.live;
    char bytes[sizeof whole];
    size_t size = sizeof whole - 1;
    for (size_t i = 0; i < 3 * (size + 8 * size); i++) {
        elman_level level = (elman_level)(i % 3);
        size_t which = i / 3, cut = which < size ? which + 1 : size;
        memcpy(bytes, whole, size);
        if (which >= size)
            bytes[(which - size) / 8] ^= (char)(1 << (which - size) % 8);
        const char *path = write_file("damaged", bytes, cut);
        elman_text *text;
        elman_error error = {0};
        elman_status status = elman_text_open_sized(context, &path, 1, level, 5, 3, &text, &error);
        if (status == ELMAN_OK) {
            elman_vocabulary *v;
            elman_text_reader *reader;
            int32_t ids[64];
            size_t n;
            uint64_t tokens = elman_text_tokens(text);
            assert_ok(elman_text_vocabulary(text, 0, tokens, 1, &v, &problem));
            assert_ok(elman_text_reader_open_sized(text, v, 0, tokens, 6, &reader, &problem));
            assert_ok(elman_text_reader_read(reader, ids, 64, &n, &problem));
            assert_int_equal(n, tokens);
            elman_text_reader_free(reader);
            elman_vocabulary_free(v);
            elman_text_free(text);
        } else {
            assert_int_not_equal(level, ELMAN_LEVEL_BYTE);
            assert_true(status == ELMAN_ERROR_FORMAT || status == ELMAN_ERROR_DATA);
            assert_contains(error.message, "damaged: byte ");
        }
        assert_int_equal(c.live, live);
    }
    elman_context_free(context);
}

static void test_memory(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    const char *paths[] = {write_text("one", "the cat sat on the mat\n"),
                           write_text("two", "and so did the \xE2\x82\xAC\n")};
    int live = c.live;
    for (int level = 0; level < 3; level++) {
        for (int fail_at = 1;; fail_at++) {
            elman_text *text = NULL;
            elman_vocabulary *v = NULL;
            elman_text_reader *reader = NULL;
            c.calls = 0;
            c.fail_at = fail_at;
            elman_status status =
                elman_text_open_sized(context, paths, 2, (elman_level)level, 16, 4, &text, NULL);
            if (status == ELMAN_OK)
                status = elman_text_vocabulary(text, 0, elman_text_tokens(text), 1, &v, NULL);
            if (status == ELMAN_OK)
                status = elman_text_reader_open(text, v, 0, 3, &reader, NULL);
            elman_text_reader_free(reader);
            elman_vocabulary_free(v);
            elman_text_free(text);
            assert_int_equal(c.live, live);
            if (c.calls < fail_at) {
                assert_int_equal(status, ELMAN_OK);
                break;
            }
            assert_int_equal(status, ELMAN_ERROR_MEMORY);
        }
        c.fail_at = 0;
    }
    elman_context_free(context);
}

/* More files than stay open, read in turns. */
static void test_many_files(void **state)
{
    (void)state;
    enum { FILES = 3 * ELMAN_SOURCE_DESCRIPTORS };
    static char paths[FILES][128];
    const char *list[FILES];
    counter c;
    elman_context *context = counted_context(&c);
    for (int i = 0; i < FILES; i++) {
        char name[16], letter = (char)('a' + i % 26);
        snprintf(name, sizeof name, "many%d", i);
        list[i] = strcpy(paths[i], write_file(name, &letter, 1));
    }
    elman_text *text;
    elman_vocabulary *v;
    elman_text_reader *reader;
    assert_ok(elman_text_open(context, list, FILES, ELMAN_LEVEL_BYTE, &text, &problem));
    assert_ok(elman_text_vocabulary(text, 0, FILES, 1, &v, &problem));
    assert_ok(elman_text_reader_open(text, v, 0, FILES, &reader, &problem));
    uint64_t random = 5;
    for (int i = 0; i < 200; i++) {
        uint64_t at = random_below(&random, FILES);
        int32_t ids[2];
        size_t n;
        assert_ok(elman_text_reader_seek(reader, at, &problem));
        assert_ok(elman_text_reader_read(reader, ids, 2, &n, &problem));
        assert_int_equal(n, at + 1 < FILES ? 2 : 1);
        for (size_t k = 0; k < n; k++)
            assert_int_equal(ids[k], 'a' + (at + k) % 26);
    }
    elman_text_reader_free(reader);
    elman_vocabulary_free(v);
    elman_text_free(text);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),        cmocka_unit_test(test_long_words),
        cmocka_unit_test(test_published_form), cmocka_unit_test(test_unseen),
        cmocka_unit_test(test_changed),        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_memory),         cmocka_unit_test(test_many_files),
    };
    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
