#include "base/file.h"
#include "base/utf8.h"
#include "data/text_impl.h"
#include "data/vocabulary_impl.h"
#include "data_support.h"
#include "test_malloc.h"

/* A naive reading of whole files: tokens as strings. */
typedef struct naive {
    char (*tokens)[12];
    size_t count;
} naive;

static void naive_add(naive *n, const char *token, size_t size)
{
    assert_true(size < sizeof n->tokens[0]);
    memcpy(n->tokens[n->count], token, size);
    n->tokens[n->count++][size] = '\0';
}

static void naive_read(naive *n, elman_level level, const char *bytes, size_t size)
{
    size_t word = 0;
    for (size_t at = 0; at < size;) {
        uint32_t code = 0;
        int length = level == ELMAN_LEVEL_BYTE
                         ? 1
                         : elman_utf8_decode((const unsigned char *)bytes + at, size - at, &code);
        assert_true(length > 0);
        if (level != ELMAN_LEVEL_WORD) {
            naive_add(n, bytes + at, (size_t)length);
        } else if (elman_utf8_is_space(code)) {
            if (word < at)
                naive_add(n, bytes + word, at - word);
            if (code == '\n')
                naive_add(n, "<eos>", 5);
            word = at + (size_t)length;
        }
        at += (size_t)length;
    }
    if (level != ELMAN_LEVEL_WORD)
        return;
    if (word < size)
        naive_add(n, bytes + word, size - word);
    if (bytes[size - 1] != '\n')
        naive_add(n, "<eos>", 5);
}

/* Random text of a few words and all widths of UTF-8. */
static size_t random_text(uint64_t *random, char *bytes, size_t most)
{
    static const char *const pieces[] = {"a",    "b", "the", "\xC3\xA9",         "\xE2\x82\xAC",
                                         "\n",   " ", "  ",  "\xF0\x9F\x98\x80", "\xE2\x80\x83",
                                         "\r\n", "\t"};
    size_t size = 0, want = 1 + (size_t)random_below(random, most - 4);
    int run = 0;
    while (size < want) {
        uint64_t piece = random_below(random, 12);
        run = piece == 5 || piece == 6 || piece == 7 || piece > 8 ? 0 : run + 1;
        if (run > 2) /* naive tokens are short */
            piece = 6, run = 0;
        size_t n = strlen(pieces[piece]);
        memcpy(bytes + size, pieces[piece], n);
        size += n;
    }
    return size;
}

static void check_reader(elman_text *text, const elman_vocabulary *v, const naive *n,
                         uint64_t *random, size_t buffer)
{
    uint64_t first = random_below(random, n->count + 1);
    uint64_t end = first + random_below(random, n->count - first + 1);
    elman_text_reader *reader;
    size_t count;
    int32_t ids[64];
    assert_ok(elman_text_reader_open_sized(text, v, first, end, buffer, &reader, &problem));
    for (int i = 0; i < 12; i++) {
        uint64_t at = elman_text_reader_position(reader);
        if (i > 0) { /* the first read begins at `first` */
            at = first + random_below(random, end - first + 1);
            assert_ok(elman_text_reader_seek(reader, at, &problem));
        }
        for (int j = 0; j < 3; j++) {
            size_t want = (size_t)random_below(random, 64);
            size_t calls = test_malloc_calls();
            assert_ok(elman_text_reader_read(reader, ids, want, &count, &problem));
            if (test_malloc_works())
                assert_int_equal(test_malloc_calls(), calls);
            assert_int_equal(count, want < end - at ? want : end - at);
            for (size_t k = 0; k < count; k++, at++) {
                const char *token = n->tokens[at];
                size_t size = strlen(token);
                int32_t id = elman_vocabulary_find(v, token, size);
                if (id < 0)
                    id = elman_vocabulary_unknown(v);
                assert_int_equal(ids[k], id);
            }
            assert_int_equal(elman_text_reader_position(reader), at);
        }
    }
    assert_int_equal(elman_text_reader_seek(reader, end + 1, NULL), ELMAN_ERROR_ARGUMENT);
    if (first > 0)
        assert_int_equal(elman_text_reader_seek(reader, first - 1, NULL), ELMAN_ERROR_ARGUMENT);
    elman_text_reader_free(reader);
}

/* Words by descending count, ties by first appearance, counted the slow way. */
static void check_words(const elman_vocabulary *v, const naive *n, uint64_t first, uint64_t end,
                        uint64_t min_count)
{
    uint64_t last_count = UINT64_MAX;
    size_t last_first = 0;
    uint64_t total = 0;
    for (int32_t id = 0; id < elman_vocabulary_count(v); id++) {
        const char *token = elman_vocabulary_token(v, id, NULL);
        uint64_t count = 0;
        size_t seen = SIZE_MAX;
        for (size_t i = (size_t)first; i < end; i++) {
            int32_t of = elman_vocabulary_find(v, n->tokens[i], strlen(n->tokens[i]));
            if (of == id || (of < 0 && id == elman_vocabulary_unknown(v))) {
                seen = count++ == 0 ? i : seen;
            }
        }
        if (strcmp(token, "<unk>") != 0 && strcmp(token, "<eos>") != 0)
            assert_true(count >= min_count);
        assert_true(count <= last_count);
        if (count == last_count && count > 0)
            assert_true(seen > last_first);
        last_count = count;
        last_first = seen;
        total += count;
    }
    assert_int_equal(total, end - first);
    for (size_t i = (size_t)first; i < end; i++) {
        uint64_t count = 0;
        for (size_t j = (size_t)first; j < end; j++)
            count += strcmp(n->tokens[i], n->tokens[j]) == 0;
        bool in = elman_vocabulary_find(v, n->tokens[i], strlen(n->tokens[i])) >= 0;
        assert_int_equal(in, count >= min_count || strcmp(n->tokens[i], "<eos>") == 0);
    }
}

static void check_chars(const elman_vocabulary *v, const naive *n, uint64_t first, uint64_t end)
{
    for (int32_t id = 0; id < elman_vocabulary_count(v); id++) {
        if (id > 0) /* UTF-8 sorts as its code points do */
            assert_true(strcmp(elman_vocabulary_token(v, id - 1, NULL),
                               elman_vocabulary_token(v, id, NULL)) < 0);
        bool seen = false;
        for (uint64_t i = first; i < end; i++)
            seen |= strcmp(n->tokens[i], elman_vocabulary_token(v, id, NULL)) == 0;
        assert_true(seen);
    }
    for (uint64_t i = first; i < end; i++)
        assert_true(elman_vocabulary_find(v, n->tokens[i], strlen(n->tokens[i])) >= 0);
}

/* Random files, buffers from the least on, index entries close together: what is read
 * from anywhere is what a naive splitter gives. */
static void test_against_naive(void **state)
{
    (void)state;
    enum { MOST = 300, FILES = 4 };
    counter c;
    elman_context *context = counted_context(&c);
    uint64_t random = 20240607;
    naive n = {malloc(sizeof(char[12]) * MOST * 2 * FILES), 0};
    assert_non_null(n.tokens);
    int live = c.live;
    for (int round = 0; round < 300; round++) {
        elman_level level = (elman_level)(round % 3);
        const char *paths[FILES];
        uint64_t first_token[FILES + 1];
        char hex[FILES][65];
        int files = 1 + (int)random_below(&random, FILES);
        n.count = 0;
        for (int i = 0; i < files; i++) {
            char bytes[MOST + 8], name[16];
            size_t size = random_text(&random, bytes, MOST);
            snprintf(name, sizeof name, "f%d", i);
            paths[i] = write_file(name, bytes, size);
            first_token[i] = n.count;
            naive_read(&n, level, bytes, size);
            elman_sha256 sha;
            elman_sha256_begin(&sha);
            elman_sha256_add(&sha, bytes, size);
            elman_sha256_end(&sha, hex[i]);
        }
        first_token[files] = n.count;
        size_t buffer = 4 + (size_t)random_below(&random, 24);
        elman_text *text;
        assert_ok(elman_text_open_sized(context, paths, files, level, buffer,
                                        1 + random_below(&random, 40), &text, &problem));
        assert_int_equal(elman_text_tokens(text), n.count);
        assert_int_equal(elman_text_files(text), files);
        for (int i = 0; i < files; i++) {
            elman_text_file_info info = elman_text_file(text, i);
            assert_string_equal(info.path, paths[i]);
            assert_string_equal(info.sha256, hex[i]);
            assert_int_equal(info.first_token, first_token[i]);
            assert_int_equal(info.tokens, first_token[i + 1] - first_token[i]);
        }
        elman_vocabulary *v;
        uint64_t first = 0, end = n.count, min_count = 1;
        if (level == ELMAN_LEVEL_WORD) {
            first = random_below(&random, n.count);
            end = first + 1 + random_below(&random, n.count - first);
            min_count = 1 + random_below(&random, 3);
        }
        assert_ok(elman_text_vocabulary(text, first, end, min_count, &v, &problem));
        if (level == ELMAN_LEVEL_WORD)
            check_words(v, &n, first, end, min_count);
        else if (level == ELMAN_LEVEL_CHAR)
            check_chars(v, &n, first, end);
        check_reader(text, v, &n, &random, 4 + (size_t)random_below(&random, 24));
        elman_vocabulary_free(v);
        elman_text_free(text);
        assert_int_equal(c.live, live);
    }
    free(n.tokens);
    elman_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_naive)};
    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
