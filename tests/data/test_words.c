#include "data/words.h"
#include "data_support.h"

/* The tokens with a '|' between them. Each one's range of the line lies behind the last's. */
static const char *split(elman_words *w, const char *line, bool fold)
{
    static char text[8192];
    size_t at = 0, size, end = 0;
    assert_ok(elman_words_split(w, line, strlen(line), fold, &problem));
    for (size_t i = 0; i < w->count; i++) {
        const char *word = elman_words_text(w, i, &size);
        assert_int_equal(strlen(word), size);
        assert_true(size > 0);
        assert_true(w->words[i].begin >= end && w->words[i].end > w->words[i].begin);
        end = w->words[i].end;
        at += (size_t)sprintf(text + at, "%s%s", i > 0 ? "|" : "", word);
    }
    assert_true(end <= strlen(line));
    text[at] = '\0';
    return text;
}

static elman_words words_of(elman_context *context)
{
    elman_words w;
    elman_words_init(&w, context);
    return w;
}

static void test_tokens(void **state)
{
    (void)state;
    need_unicode();
    counter c;
    elman_context *context = counted_context(&c);
    elman_words w = words_of(context);
    assert_string_equal(split(&w, "", true), "");
    assert_string_equal(split(&w, " \t\xC2\xA0\x01", true), "");
    assert_string_equal(split(&w, "This movie is amazing!", true), "this|movie|is|amazing|!");
    assert_string_equal(split(&w, "This Movie", false), "This|Movie");
    assert_string_equal(split(&w, "a well-made,1,000 $3.5...", true),
                        "a|well|-|made|,|1|,|000|$|3|.|5|.|.|.");
    assert_string_equal(split(&w, "U.S. e-mail_x@y.org", true), "u|.|s|.|e|-|mail|_|x|@|y|.|org");
    /* Ignorables do not count: soft hyphen, joiner, variation selector, byte order mark. */
    assert_string_equal(split(&w, "\xEF\xBB\xBFso\xC2\xADme \xE2\x98\xBA\xEF\xB8\x8F", true),
                        "some|\xE2\x98\xBA");
    /* Ideographs one by one, hangul and other alphabets as runs. */
    assert_string_equal(split(&w,
                              "\xE4\xB8\xAD\xE6\x96\x87"
                              "abc\xE3\x81\x82\xED\x95\x9C\xEA\xB8\x80",
                              true),
                        "\xE4\xB8\xAD|\xE6\x96\x87|abc|\xE3\x81\x82|\xED\x95\x9C\xEA\xB8\x80");
    /* NFC: e + acute is one letter; folding: sharp s, Greek, dotted capital I. */
    assert_string_equal(split(&w, "Cafe\xCC\x81 CAF\xC3\x89", true), "caf\xC3\xA9|caf\xC3\xA9");
    assert_string_equal(split(&w,
                              "Stra\xC3\x9F"
                              "e",
                              true),
                        "strasse");
    assert_string_equal(split(&w,
                              "Stra\xC3\x9F"
                              "e",
                              false),
                        "Stra\xC3\x9F"
                        "e");
    assert_string_equal(split(&w, "\xC4\xB0", true), "i\xCC\x87");
    assert_string_equal(split(&w, "\xCE\x9F\xCE\xA3", true), "\xCE\xBF\xCF\x83");
    assert_string_equal(split(&w, "=\xCC\xB8 x", true), "\xE2\x89\xA0|x");
    assert_string_equal(split(&w, "\xF0\x9F\x98\x80\xF0\x9F\x98\x80", true),
                        "\xF0\x9F\x98\x80|\xF0\x9F\x98\x80");
    /* Ranges are of the line as it stood. */
    split(&w, " Cafe\xCC\x81 \xE2\x80\x9CIt\xE2\x80\x99s\xE2\x80\x9D", true);
    static const size_t ranges[][2] = {{1, 7}, {8, 11}, {11, 13}, {13, 17}, {17, 20}};
    assert_int_equal(w.count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(w.words[i].begin, ranges[i][0]);
        assert_int_equal(w.words[i].end, ranges[i][1]);
    }
    elman_words_free(&w);
    elman_words_free(&w);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

/* Raw and Penn Treebank text give the same tokens. */
static void test_treebank(void **state)
{
    (void)state;
    need_unicode();
    static const char *const pairs[][3] = {
        {"I don't", "I do n't", "i|do|n't"},
        {"I DON'T", "I DO N'T", "i|do|n't"},
        {"can't won't", "ca n't wo n't", "ca|n't|wo|n't"},
        {"the film's", "the film 's", "the|film|'s"},
        {"they've you're I'll I'm he'd", "they 've you 're I 'll I 'm he 'd",
         "they|'ve|you|'re|i|'ll|i|'m|he|'d"},
        {"shouldn't've I'd've", "should n't 've I 'd 've", "should|n't|'ve|i|'d|'ve"},
        {"the filmmakers' paws", "the filmmakers ' paws", "the|filmmakers|'|paws"},
        {"the 1990's, 5 o'clock", "the 1990 's , 5 o'clock", "the|1990|'s|,|5|o'clock"},
        {"\"horror\" movie", "`` horror '' movie", "\"|horror|\"|movie"},
        {"'tis 'em", "' tis ' em", "'|tis|'|em"},
        {"(a) [b]", "-LRB- a -rrb- -LSB- b -RSB-", "(|a|)|[|b|]"},
        {"It\xE2\x80\x99s don\xE2\x80\x99t", "it \xE2\x80\x99s do n\xE2\x80\x99t", "it|'s|do|n't"},
        {"\xE2\x80\x98x\xE2\x80\x99 \xE2\x80\x9Cy\xE2\x80\x9D", "` x ' `` y ''", "'|x|'|\"|y|\""},
        {"l'homme rock'n'roll", "l'homme rock'n'roll", "l'homme|rock'n'roll"},
        {"nt n't t'", "nt n't t '", "nt|n't|t|'"},
        {"is't a't", "is't a't", "is't|a't"},
    };
    counter c;
    elman_context *context = counted_context(&c);
    elman_words w = words_of(context);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        assert_string_equal(split(&w, pairs[i][0], true), pairs[i][2]);
        assert_string_equal(split(&w, pairs[i][1], true), pairs[i][2]);
    }
    assert_string_equal(split(&w, "x-LRB- -LRB-x -LR", true), "x|-|lrb|-|-|lrb|-|x|-|lr");
    elman_words_free(&w);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void test_refused(void **state)
{
    (void)state;
    need_unicode();
    counter c;
    elman_context *context = counted_context(&c);
    elman_words w = words_of(context);
    elman_error error;
    assert_int_equal(elman_words_split(&w, "ab \xE2\x28", 5, true, &error), ELMAN_ERROR_FORMAT);
    assert_contains(error.message, "byte 4: found invalid UTF-8 (E2");
    assert_int_equal(w.count, 0);
    assert_int_equal(elman_words_split(&w, "ab\0c", 4, true, &error), ELMAN_ERROR_FORMAT);
    assert_contains(error.message, "byte 3: found a zero byte");
    size_t size = ELMAN_WORD_LIMIT + 3;
    char *line = malloc(size);
    memset(line, 'a', size);
    line[0] = ' ';
    line[size - 1] = '!';
    assert_int_equal(elman_words_split(&w, line, size, true, &error), ELMAN_ERROR_DATA);
    assert_contains(error.message, "byte 2: found a word of 1048577 bytes");
    assert_int_equal(w.count, 0);
    line[1] = ' ';
    assert_ok(elman_words_split(&w, line, size, true, &problem));
    assert_int_equal(w.count, 2);
    /* A hostile line: many contractions in one run. */
    for (size_t i = 0; i + 1 < size; i += 2)
        memcpy(line + i, "'s", 2);
    assert_ok(elman_words_split(&w, line, size - 1, true, &problem));
    assert_int_equal(w.count, (size - 1) / 2);
    free(line);
    elman_words_free(&w);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static const char sample[] =
    "It\xE2\x80\x99s \xE2\x80\x9C"
    "Caf\x65\xCC\x81\xE2\x80\x9D, don't -LRB- "
    "\xC4\xB0\xC3\x9F \xE4\xB8\xAD\xF0\x9F\x98\x80\xEF\xB8\x8F `` '' =\xCC\xB8";

static void test_damaged(void **state)
{
    (void)state;
    need_unicode();
    counter c;
    elman_context *context = counted_context(&c);
    elman_words w = words_of(context);
    size_t size = sizeof sample - 1;
    for (size_t cut = 1; cut <= size; cut++) {
        char *exact = malloc(cut);
        memcpy(exact, sample, cut);
        (void)elman_words_split(&w, exact, cut, cut % 2 == 0, NULL);
        free(exact);
    }
    for (size_t bit = 0; bit < 8 * size; bit++) {
        char bytes[sizeof sample];
        memcpy(bytes, sample, sizeof sample);
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        if (elman_words_split(&w, bytes, size, true, NULL) == ELMAN_OK)
            split(&w, bytes, true);
    }
    elman_words_free(&w);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void add(elman_word_counter *tally, elman_words *w, const char *line)
{
    split(w, line, true);
    assert_ok(elman_word_counter_add(tally, w, &problem));
}

static void check_vocabulary(const elman_vocabulary *v, const char *const *want, int32_t count)
{
    assert_int_equal(elman_vocabulary_count(v), count);
    for (int32_t i = 0; i < count; i++)
        assert_string_equal(elman_vocabulary_token(v, i, NULL), want[i]);
}

static void test_vocabulary(void **state)
{
    (void)state;
    need_unicode();
    counter c;
    elman_context *context = counted_context(&c);
    elman_words w = words_of(context);
    static const char *const all[] = {"b", "a", "c", "d", "<eos>", "<unk>"};
    static const char *const twice[] = {"b", "a", "<unk>", "<eos>"};
    static const char *const three[] = {"<unk>", "b", "<eos>"};
    static const char *const two[] = {"<unk>", "<eos>"};
    static const struct {
        uint64_t min_count;
        size_t limit;
        const char *const *want;
        int32_t count;
    } cases[] = {{1, 0, all, 6},   {1, 6, all, 6}, {2, 0, twice, 4},
                 {2, 3, three, 3}, {1, 2, two, 2}, {9, 0, two, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        elman_word_counter *tally = NULL;
        elman_vocabulary *v = NULL;
        assert_ok(elman_word_counter_create(context, &tally, &problem));
        add(tally, &w, "a b c b");
        add(tally, &w, "B D a");
        assert_ok(
            elman_word_counter_vocabulary(tally, cases[i].min_count, cases[i].limit, &v, &problem));
        check_vocabulary(v, cases[i].want, cases[i].count);
        elman_word_counter_free(tally);
        if (i == 0) {
            int32_t ids[4];
            split(&w, "d x A", true);
            assert_int_equal(elman_words_encode(&w, v, ids), 1);
            assert_int_equal(ids[0], 3);
            assert_int_equal(ids[1], elman_vocabulary_unknown(v));
            assert_int_equal(ids[2], 1);
        }
        elman_vocabulary_free(v);
    }
    elman_word_counter *tally = NULL;
    elman_vocabulary *v = NULL;
    elman_error error;
    assert_ok(elman_word_counter_create(context, &tally, &problem));
    assert_int_equal(elman_word_counter_vocabulary(tally, 0, 0, &v, &error), ELMAN_ERROR_ARGUMENT);
    assert_int_equal(elman_word_counter_vocabulary(tally, 1, 1, &v, &error), ELMAN_ERROR_ARGUMENT);
    assert_ok(elman_word_counter_add_word(tally, "a b", 3, &problem));
    assert_int_equal(elman_word_counter_vocabulary(tally, 1, 0, &v, &error), ELMAN_ERROR_DATA);
    assert_contains(error.message, "white space");
    assert_null(v);
    elman_word_counter_free(tally);
    elman_word_counter_free(NULL);
    elman_words_free(&w);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

/* Allocations fail one by one; after the longest line there are none. */
static void test_memory(void **state)
{
    (void)state;
    need_unicode();
    counter c;
    elman_context *context = counted_context(&c);
    int live = c.live;
    for (int fail_at = 1;; fail_at++) {
        elman_words w = words_of(context);
        elman_word_counter *tally = NULL;
        elman_vocabulary *v = NULL;
        c.calls = 0;
        c.fail_at = fail_at;
        elman_status status = elman_words_split(&w, sample, sizeof sample - 1, true, NULL);
        if (status == ELMAN_OK)
            status = elman_word_counter_create(context, &tally, NULL);
        if (status == ELMAN_OK)
            status = elman_word_counter_add(tally, &w, NULL);
        if (status == ELMAN_OK)
            status = elman_word_counter_vocabulary(tally, 1, 0, &v, NULL);
        elman_vocabulary_free(v);
        elman_word_counter_free(tally);
        elman_words_free(&w);
        assert_int_equal(c.live, live);
        if (c.calls < fail_at) {
            assert_int_equal(status, ELMAN_OK);
            assert_true(fail_at > 8);
            break;
        }
        assert_int_equal(status, ELMAN_ERROR_MEMORY);
    }
    c.fail_at = 0;
    elman_words w = words_of(context);
    split(&w, sample, true);
    int calls = c.calls;
    for (int i = 0; i < 3; i++) {
        split(&w, "don't", true);
        split(&w, sample, true);
    }
    assert_int_equal(c.calls, calls);
    elman_words_free(&w);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

static void test_left_out(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    elman_words w = words_of(context);
    elman_error error = {0};
    elman_status status = elman_words_split(&w, "a", 1, true, &error);
#if defined(ELMAN_WITH_UNICODE)
    assert_int_equal(status, ELMAN_OK);
    assert_int_equal(w.count, 1);
#else
    assert_int_equal(status, ELMAN_ERROR_UNSUPPORTED);
    assert_contains(error.message, "without utf8proc");
#endif
    elman_words_free(&w);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),     cmocka_unit_test(test_treebank),
        cmocka_unit_test(test_refused),    cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_vocabulary), cmocka_unit_test(test_memory),
        cmocka_unit_test(test_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
