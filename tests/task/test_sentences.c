/* Words as a network reads them: numbers, characters, batches, and words that training hides. */
#include "../data/data_support.h"

#include "base/error.h"
#include "graph/tape_impl.h"
#include "task/sentences.h"

static elman_context *context;
static elman_tape *tape;
static elman_vocabulary *words, *characters;

static const char *const known[] = {"<unk>", "<eos>", "the", "cat", "sat", "caf\xc3\xa9", "a"};
static const char *const letters[] = {"t", "h", "e", "c", "a", "s", "\xc3\xa9"};

static int begin(void **state)
{
    (void)state;
    return elman_context_create(NULL, &context, NULL) != ELMAN_OK ||
           elman_tape_create(context, &tape, NULL) != ELMAN_OK ||
           elman_vocabulary_create(context, ELMAN_LEVEL_WORD, known, 7, &words, NULL) != ELMAN_OK ||
           elman_vocabulary_create(context, ELMAN_LEVEL_CHAR, letters, 7, &characters, NULL) !=
               ELMAN_OK;
}

static int end(void **state)
{
    (void)state;
    elman_vocabulary_free(words);
    elman_vocabulary_free(characters);
    elman_tape_free(tape);
    elman_context_free(context);
    return 0;
}

/* Sentences of words between spaces. */
static elman_status fill(elman_sentences *s, const char *const *texts)
{
    for (int i = 0; texts[i]; i++) {
        ELMAN_TRY(elman_sentences_begin(s, &problem));
        for (const char *at = texts[i]; *at;) {
            size_t size = strcspn(at, " ");
            ELMAN_TRY(elman_sentences_add(s, at, size, &problem));
            at += size + (at[size] == ' ');
        }
    }
    return ELMAN_OK;
}

static const char *const texts[] = {"the cat sat",     "",  "the THE dog the", "a", "",
                                    "cat caf\xc3\xa9", NULL};
enum { TEXTS = 6 };

static int32_t word_number(const char *word, size_t size)
{
    int32_t number = elman_vocabulary_find(words, word, size);
    return number < 0 ? elman_vocabulary_unknown(words) : number;
}

/* The row of a batch against the texts themselves. */
static void check_row(const elman_encoder_batch *b, int64_t row, const char *text, int64_t step)
{
    for (; step > 0; step--)
        text += strcspn(text, " ") + 1;
    size_t size = strcspn(text, " ");
    assert_int_equal(b->tokens[row], word_number(text, size));
    if (!b->words) {
        assert_null(b->word_rows);
        return;
    }
    int64_t w = b->word_rows[row], place = 0;
    assert_in_range(w, 0, b->words->B - 1);
    while (b->words->order[place] != w)
        place++;
    int64_t length = 0;
    for (size_t at = 0; at < size; length++) {
        size_t bytes = (unsigned char)text[at] < 0x80 ? 1 : 2;
        int32_t found = b->characters[b->words->offsets[length] + place];
        assert_int_equal(found, elman_vocabulary_find(characters, text + at, bytes) + 1);
        at += bytes;
    }
    assert_int_equal(b->words->lengths[w], length);
}

static void check_batch(elman_sentences *s, const int64_t *numbers, int64_t n, bool spelt)
{
    elman_encoder_batch b;
    elman_tape_begin(tape, NULL);
    assert_true(elman_sentences_record(tape, s, numbers, n, NULL, &b));
    assert_int_equal(b.sequences->B, n);
    assert_int_equal(b.words != NULL, spelt);
    int64_t rows = 0;
    for (int64_t i = 0; i < n; i++) {
        assert_int_equal(b.sequences->numbers[i], numbers[i]);
        assert_int_equal(b.sequences->lengths[i], elman_sentences_length(s, numbers[i]));
        rows += b.sequences->lengths[i];
    }
    assert_int_equal(b.sequences->N, rows);
    for (int64_t t = 0; t < b.sequences->T; t++)
        for (int64_t p = 0; p < b.sequences->batch_sizes[t]; p++)
            check_row(&b, b.sequences->offsets[t] + p, texts[numbers[b.sequences->order[p]]], t);
    /* each distinct word once */
    if (spelt)
        for (int64_t row = 0, most = -1; row < rows; row++) {
            assert_true(b.word_rows[row] <= most + 1);
            most = b.word_rows[row] > most ? b.word_rows[row] : most;
            if (row == rows - 1)
                assert_int_equal(b.words->B, most + 1);
        }
    for (int32_t i = 0; i < s->spellings.count; i++)
        assert_int_equal(s->rows[i], -1);
}

static void batches(void **state)
{
    (void)state;
    static const int64_t all[] = {0, 1, 2, 3, 4, 5}, some[] = {5, 2, 1}, none[] = {4, 1},
                         twice[] = {2, 2};
    for (int spelt = 0; spelt < 2; spelt++) {
        elman_sentences s;
        elman_sentences_init(&s, context);
        assert_ok(fill(&s, texts));
        assert_int_equal(s.count, TEXTS);
        assert_int_equal(elman_sentences_length(&s, 1), 0);
        assert_int_equal(elman_sentences_length(&s, 2), 4);
        assert_ok(elman_sentences_resolve(&s, words, false, spelt ? characters : NULL, &problem));
        check_batch(&s, all, TEXTS, spelt);
        check_batch(&s, some, 3, spelt);
        check_batch(&s, none, 2, spelt);
        check_batch(&s, twice, 2, spelt);
        elman_sentences_free(&s);
        elman_sentences_free(&s);
    }
}

/* Line by line, as answers are given: cleared, resolved anew, an empty line first. */
static void again_and_again(void **state)
{
    (void)state;
    static const int64_t first = 0;
    for (int spelt = 0; spelt < 2; spelt++) {
        elman_sentences s;
        elman_sentences_init(&s, context);
        for (int round = 0; round < 3; round++)
            for (int i = 0; i < TEXTS; i++) {
                const char *const one[] = {texts[(i + 1) % TEXTS], NULL};
                elman_encoder_batch b;
                elman_sentences_clear(&s);
                assert_ok(fill(&s, one));
                assert_ok(
                    elman_sentences_resolve(&s, words, false, spelt ? characters : NULL, &problem));
                elman_tape_begin(tape, NULL);
                assert_true(elman_sentences_record(tape, &s, &first, 1, NULL, &b));
                assert_int_equal(b.words != NULL, spelt);
                for (int64_t t = 0; t < b.sequences->T; t++)
                    check_row(&b, t, one[0], t);
            }
        elman_sentences_free(&s);
    }
}

/* Resolved in two parts, and cut. */
static void grows_and_is_cut(void **state)
{
    (void)state;
    static const int64_t numbers[] = {0, 1, 2, 3, 4, 5};
    elman_sentences s;
    const char *const head[] = {texts[0], texts[1], NULL};
    elman_sentences_init(&s, context);
    assert_ok(fill(&s, head));
    assert_ok(elman_sentences_resolve(&s, words, false, characters, &problem));
    check_batch(&s, numbers, 2, true);
    assert_ok(fill(&s, texts + 2));
    assert_ok(elman_sentences_resolve(&s, words, false, characters, &problem));
    check_batch(&s, numbers, TEXTS, true);
    elman_sentences_cut(&s, 9);
    assert_int_equal(s.count, TEXTS);
    elman_sentences_cut(&s, 3);
    assert_int_equal(s.count, 3);
    check_batch(&s, numbers, 3, true);
    assert_ok(fill(&s, texts + 3));
    assert_ok(elman_sentences_resolve(&s, words, false, characters, &problem));
    check_batch(&s, numbers, TEXTS, true);
    elman_sentences_free(&s);
}

static void folded(void **state)
{
    (void)state;
    need_unicode();
    elman_sentences s;
    static const char *const text[] = {"THE Cat CAF\xc3\x89 cat", NULL};
    static const int64_t first = 0;
    elman_encoder_batch b;
    elman_sentences_init(&s, context);
    assert_ok(fill(&s, text));
    assert_ok(elman_sentences_resolve(&s, words, true, characters, &problem));
    elman_tape_begin(tape, NULL);
    assert_true(elman_sentences_record(tape, &s, &first, 1, NULL, &b));
    static const int32_t expected[] = {2, 3, 5, 3};
    assert_memory_equal(b.tokens, expected, sizeof expected);
    /* letters as they stand: T is none of them */
    assert_int_equal(b.words->B, 4);
    assert_int_equal(b.words->order[0],
                     2); /* the longest word first; of its letters none is known */
    for (int i = 0; i < 4; i++)
        assert_int_equal(b.characters[i] != 0, b.words->order[i] == 3);
    elman_sentences_free(&s);
}

/* Of a long word the first 64 characters. */
static void long_words(void **state)
{
    (void)state;
    char word[301];
    const char *const text[] = {word, NULL};
    static const int64_t first = 0;
    for (int i = 0; i < 150; i++)
        memcpy(word + 2 * i, "\xc3\xa9", 2);
    word[300] = 0;
    elman_sentences s;
    elman_encoder_batch b;
    elman_sentences_init(&s, context);
    assert_ok(fill(&s, text));
    assert_ok(elman_sentences_resolve(&s, words, false, characters, &problem));
    elman_tape_begin(tape, NULL);
    assert_true(elman_sentences_record(tape, &s, &first, 1, NULL, &b));
    assert_int_equal(b.words->N, ELMAN_WORD_CHARACTERS);
    for (int i = 0; i < ELMAN_WORD_CHARACTERS; i++)
        assert_int_equal(b.characters[i], 7);
    elman_sentences_free(&s);
}

static void not_utf8(void **state)
{
    (void)state;
    static const char *const bad[] = {"\xff", "ab\xc3", "\xed\xa0\x80"};
    for (int i = 0; i < 3; i++) {
        const char *const text[] = {"the", bad[i], NULL};
        elman_sentences s;
        elman_vocabulary *made = NULL;
        elman_sentences_init(&s, context);
        assert_ok(fill(&s, text));
        for (int again = 0; again < 2; again++)
            assert_int_equal(elman_sentences_resolve(&s, words, false, characters, &problem),
                             ELMAN_ERROR_FORMAT);
        assert_int_equal(elman_sentences_characters(&s, 2, &made, &problem), ELMAN_ERROR_FORMAT);
        assert_ok(elman_sentences_characters(&s, 1, &made, &problem));
        assert_int_equal(elman_vocabulary_count(made), 3);
        elman_vocabulary_free(made);
        elman_sentences_free(&s);
    }
}

static void letters_of(void **state)
{
    (void)state;
    elman_sentences s;
    elman_vocabulary *made = NULL;
    elman_sentences_init(&s, context);
    assert_int_equal(elman_sentences_characters(&s, 0, &made, &problem), ELMAN_ERROR_DATA);
    assert_ok(fill(&s, texts));
    assert_int_equal(elman_sentences_characters(&s, 0, &made, &problem), ELMAN_ERROR_DATA);
    assert_contains(problem.message, "no word to train on");
    assert_ok(elman_sentences_characters(&s, s.word_count, &made, &problem));
    static const char *const all[] = {"t", "h", "e", "c", "a", "s", "T",
                                      "H", "E", "d", "o", "g", "f", "\xc3\xa9"};
    assert_int_equal(elman_vocabulary_count(made), 14);
    for (int i = 0; i < 14; i++)
        assert_true(elman_vocabulary_find(made, all[i], strlen(all[i])) >= 0);
    assert_int_equal(elman_vocabulary_find(made, "z", 1), -1);
    elman_vocabulary_free(made);
    elman_sentences_free(&s);
}

/* Words become <unk> in about that many places, the same whatever else is in the batch. */
static void word_dropout(void **state)
{
    (void)state;
    enum { MANY = 200, LENGTH = 20 };
    elman_sentences s;
    elman_sentences_init(&s, context);
    for (int i = 0; i < MANY; i++) {
        assert_ok(elman_sentences_begin(&s, &problem));
        for (int t = 0; t < LENGTH; t++)
            assert_ok(elman_sentences_add(&s, "cat", 3, &problem));
    }
    assert_ok(elman_sentences_resolve(&s, words, false, characters, &problem));
    elman_word_dropout dropout = {.probability = 0.3, .seed = 5, .pass = 1, .unknown = 0};
    int64_t numbers[MANY];
    static int32_t first[MANY * LENGTH];
    int hidden = 0, differ[2] = {0, 0};
    for (int64_t i = 0; i < MANY; i++)
        numbers[i] = i;
    elman_encoder_batch b;
    elman_tape_begin(tape, NULL);
    assert_true(elman_sentences_record(tape, &s, numbers, MANY, &dropout, &b));
    memcpy(first, b.tokens, sizeof first); /* all are as long: row t*MANY + i */
    for (int i = 0; i < MANY * LENGTH; i++) {
        assert_true(first[i] == 0 || first[i] == 3);
        hidden += first[i] == 0;
        assert_int_equal(b.word_rows[i], 0);
    }
    assert_in_range(hidden, 1080, 1320);
    for (int i = 0; i < MANY; i++) { /* each place by itself */
        int here = 0;
        for (int t = 0; t < LENGTH; t++)
            here += first[t * MANY + i] == 0;
        assert_in_range(here, 0, LENGTH - 2);
    }
    for (int64_t i = 0; i < MANY; i += 37) {
        elman_tape_begin(tape, NULL);
        assert_true(elman_sentences_record(tape, &s, &numbers[i], 1, &dropout, &b));
        for (int t = 0; t < LENGTH; t++)
            assert_int_equal(b.tokens[t], first[t * MANY + i]);
    }
    for (int other = 0; other < 2; other++) {
        elman_word_dropout changed = dropout;
        changed.seed += (uint64_t)(other == 0);
        changed.pass += (uint64_t)(other == 1);
        elman_tape_begin(tape, NULL);
        assert_true(elman_sentences_record(tape, &s, numbers, MANY, &changed, &b));
        for (int i = 0; i < MANY * LENGTH; i++)
            differ[other] += b.tokens[i] != first[i];
        assert_in_range(differ[other], 1400, 2000); /* 2 * 0.3 * 0.7 of all */
    }
    dropout.probability = 0;
    elman_tape_begin(tape, NULL);
    assert_true(elman_sentences_record(tape, &s, numbers, MANY, &dropout, &b));
    for (int i = 0; i < MANY * LENGTH; i++)
        assert_int_equal(b.tokens[i], 3);
    elman_sentences_free(&s);
}

static elman_status everything(elman_context *counted, elman_tape *round)
{
    static const int64_t numbers[] = {0, 1, 2, 3, 4, 5};
    elman_sentences s;
    elman_vocabulary *made = NULL;
    elman_sentences_init(&s, counted);
    elman_status status = fill(&s, texts);
    if (status == ELMAN_OK)
        status = elman_sentences_characters(&s, s.word_count, &made, &problem);
#if defined(ELMAN_WITH_UNICODE)
    bool fold = true;
#else
    bool fold = false;
#endif
    if (status == ELMAN_OK)
        status = elman_sentences_resolve(&s, words, fold, made, &problem);
    if (status == ELMAN_OK) {
        elman_encoder_batch b;
        elman_tape_begin(round, NULL);
        if (!elman_sentences_record(round, &s, numbers, TEXTS, NULL, &b))
            status = elman_tape_status(round, &problem);
        for (int32_t i = 0; i < s.spellings.count; i++)
            assert_int_equal(s.rows[i], -1);
    }
    elman_vocabulary_free(made);
    elman_sentences_free(&s);
    return status;
}

static void memory(void **state)
{
    (void)state;
    counter c;
    elman_context *counted = counted_context(&c);
    int failures = 0;
    for (elman_status status = ELMAN_ERROR_MEMORY; status != ELMAN_OK; failures++) {
        elman_tape *round;
        c.fail_at = 0;
        int before = c.live;
        assert_ok(elman_tape_create(counted, &round, &problem));
        c.calls = 0;
        c.fail_at = failures + 1;
        status = everything(counted, round);
        assert_true(status == ELMAN_OK || status == ELMAN_ERROR_MEMORY);
        elman_tape_free(round);
        assert_int_equal(c.live, before);
    }
    assert_true(failures > 20);
    elman_context_free(counted);
    assert_int_equal(c.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches),          cmocka_unit_test(again_and_again),
        cmocka_unit_test(grows_and_is_cut), cmocka_unit_test(folded),
        cmocka_unit_test(long_words),       cmocka_unit_test(not_utf8),
        cmocka_unit_test(letters_of),       cmocka_unit_test(word_dropout),
        cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
