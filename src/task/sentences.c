#include "task/sentences.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/philox.h"
#include "base/utf8.h"
#include "data/unicode.h"
#include "graph/tape_impl.h"

void elman_sentences_init(elman_sentences *s, elman_context *context)
{
    *s = (elman_sentences){.context = context};
    elman_intern_init(&s->spellings, context);
}

void elman_sentences_free(elman_sentences *s)
{
    elman_intern_free(&s->spellings);
    elman_release(s->context, s->starts);
    elman_release(s->context, s->words);
    elman_release(s->context, s->ids);
    elman_release(s->context, s->char_starts);
    elman_release(s->context, s->characters);
    elman_release(s->context, s->rows);
    elman_release(s->context, s->folded);
    elman_release(s->context, s->fold_scratch);
    elman_sentences_init(s, s->context);
}

void elman_sentences_clear(elman_sentences *s)
{
    elman_intern_clear(&s->spellings);
    s->count = s->word_count = 0;
    s->resolved = 0;
}

void elman_sentences_cut(elman_sentences *s, int64_t count)
{
    if (count >= s->count)
        return;
    s->count = count;
    s->word_count = s->starts[count];
}

elman_status elman_sentences_begin(elman_sentences *s, elman_error *error)
{
    int64_t *starts = elman_grown(s->context, s->starts, (size_t)s->count + 1, &s->starts_room, 1,
                                  sizeof *starts);
    if (!starts)
        return elman_out_of_memory(error);
    s->starts = starts;
    starts[s->count++] = s->word_count;
    starts[s->count] = s->word_count;
    return ELMAN_OK;
}

elman_status elman_sentences_add(elman_sentences *s, const char *word, size_t size,
                                 elman_error *error)
{
    int32_t *words =
        elman_grown(s->context, s->words, (size_t)s->word_count, &s->words_room, 1, sizeof *words);
    if (!words)
        return elman_out_of_memory(error);
    s->words = words;
    ELMAN_TRY(elman_intern_add(&s->spellings, word, size, &words[s->word_count], error));
    s->starts[s->count] = ++s->word_count;
    return ELMAN_OK;
}

int64_t elman_sentences_length(const elman_sentences *s, int64_t i)
{
    return s->starts[i + 1] - s->starts[i];
}

/* A word case-folded, in memory that is kept: its bytes. */
static elman_status fold_word(elman_sentences *s, const char *word, size_t size, size_t *length,
                              elman_error *error)
{
    ELMAN_TRY(elman_unicode_check(error));
    size_t room = elman_unicode_fold_room(size);
    char *folded = room ? elman_grown(s->context, s->folded, 0, &s->folded_room, room, 1) : NULL;
    s->folded = folded ? folded : s->folded;
    int32_t *scratch = folded ? elman_grown(s->context, s->fold_scratch, 0, &s->fold_scratch_room,
                                            room, sizeof *scratch)
                              : NULL;
    s->fold_scratch = scratch ? scratch : s->fold_scratch;
    if (!scratch)
        return elman_out_of_memory(error);
    ptrdiff_t found = elman_unicode_fold(word, size, true, folded, scratch);
    if (found < 0)
        return elman_fail(error, ELMAN_ERROR_FORMAT, "a word that is not UTF-8");
    *length = (size_t)found;
    return ELMAN_OK;
}

/* A word's number: as it stands, or as it stands case-folded. */
static elman_status look_up(elman_sentences *s, const elman_vocabulary *vocabulary, bool fold,
                            int32_t spelling, elman_error *error)
{
    size_t size;
    const char *word = elman_intern_text(&s->spellings, spelling, &size);
    if (fold) {
        ELMAN_TRY(fold_word(s, word, size, &size, error));
        word = s->folded;
    }
    int32_t id = elman_vocabulary_find(vocabulary, word, size);
    s->ids[spelling] = id < 0 ? elman_vocabulary_unknown(vocabulary) : id;
    return ELMAN_OK;
}

/* The characters of spelling number i behind those before it. */
static elman_status spell(elman_sentences *s, int32_t i, const elman_vocabulary *characters,
                          elman_error *error)
{
    size_t size, at = s->char_starts[i], length;
    const char *word = elman_intern_text(&s->spellings, i, &size);
    int32_t *list = elman_grown(s->context, s->characters, at, &s->characters_room,
                                ELMAN_WORD_CHARACTERS, sizeof *list);
    if (!list)
        return elman_out_of_memory(error);
    s->characters = list;
    size_t end = at + ELMAN_WORD_CHARACTERS;
    for (; size && at < end; word += length, size -= length) {
        length = elman_utf8_length(word, size);
        if (!length)
            return elman_fail(error, ELMAN_ERROR_FORMAT, "a word that is not UTF-8");
        list[at++] = elman_vocabulary_find(characters, word, length) + 1;
    }
    s->char_starts[i + 1] = at;
    return ELMAN_OK;
}

elman_status elman_sentences_resolve(elman_sentences *s, const elman_vocabulary *vocabulary,
                                     bool fold, const elman_vocabulary *characters,
                                     elman_error *error)
{
    size_t more = (size_t)(s->spellings.count - s->resolved), used = (size_t)s->resolved;
    int32_t *ids = elman_grown(s->context, s->ids, used, &s->ids_room, more, sizeof *ids);
    s->ids = ids ? ids : s->ids;
    size_t *starts = elman_grown(s->context, s->char_starts, used + 1, &s->char_starts_room, more,
                                 sizeof *starts);
    s->char_starts = starts ? starts : s->char_starts;
    int32_t *rows = elman_grown(s->context, s->rows, used, &s->rows_room, more, sizeof *rows);
    s->rows = rows ? rows : s->rows;
    if (!ids || !starts || !rows)
        return elman_out_of_memory(error);
    s->spelt = characters != NULL;
    if (!s->resolved)
        starts[0] = 0;
    for (; s->resolved < s->spellings.count; s->resolved++) {
        ELMAN_TRY(look_up(s, vocabulary, fold, s->resolved, error));
        rows[s->resolved] = -1;
        if (characters)
            ELMAN_TRY(spell(s, s->resolved, characters, error));
    }
    return ELMAN_OK;
}

/* Every different character of the words, once. */
static elman_status collect(const elman_sentences *s, int64_t end, elman_intern *seen,
                            elman_error *error)
{
    for (int64_t i = 0; i < end; i++) {
        size_t size, length;
        const char *word = elman_intern_text(&s->spellings, s->words[i], &size);
        for (; size; word += length, size -= length) {
            int32_t number;
            length = elman_utf8_length(word, size);
            if (!length)
                return elman_fail(error, ELMAN_ERROR_FORMAT, "a word that is not UTF-8");
            ELMAN_TRY(elman_intern_add(seen, word, length, &number, error));
        }
    }
    return seen->count ? ELMAN_OK : elman_fail(error, ELMAN_ERROR_DATA, "no word to train on");
}

elman_status elman_sentences_characters(const elman_sentences *s, int64_t end,
                                        elman_vocabulary **characters, elman_error *error)
{
    elman_intern seen;
    elman_intern_init(&seen, s->context);
    elman_status status = collect(s, end, &seen, error);
    const char **tokens = elman_allocate(s->context, (size_t)seen.count + 1, sizeof *tokens);
    for (int32_t i = 0; tokens && i < seen.count; i++)
        tokens[i] = elman_intern_text(&seen, i, NULL);
    if (!tokens)
        status = elman_out_of_memory(error);
    if (status == ELMAN_OK)
        status = elman_vocabulary_create(s->context, ELMAN_LEVEL_CHAR, tokens, seen.count,
                                         characters, error);
    elman_release(s->context, tokens);
    elman_intern_free(&seen);
    return status;
}

/* Lengths and numbers of the sentences, as the tape takes them. */
static const elman_sequences *sequences_of(elman_tape *tape, const elman_sentences *s,
                                           const int64_t *numbers, int64_t n)
{
    int64_t *lengths = elman_tape_take(tape, (size_t)n, sizeof *lengths);
    uint32_t *names = elman_tape_take(tape, (size_t)n, sizeof *names);
    int64_t T = 0;
    for (int64_t i = 0; lengths && names && i < n; i++) {
        lengths[i] = elman_sentences_length(s, numbers[i]);
        names[i] = (uint32_t)numbers[i];
        T = T < lengths[i] ? lengths[i] : T;
    }
    return names ? elman_tape_sequences(tape, T, n, lengths, names, 0) : NULL;
}

static bool dropped(const elman_word_dropout *dropout, int64_t step, uint32_t sequence)
{
    uint32_t word[4], counter[4] = {0, (uint32_t)step, sequence,
                                    elman_philox_use(ELMAN_USE_WORD_DROPOUT, dropout->pass)};
    elman_philox(dropout->seed, counter, word);
    return (double)elman_uniform(word[0]) < dropout->probability;
}

/* The characters of `count` spellings as packed rows, in the order of the list. */
static bool record_characters(elman_tape *tape, const elman_sentences *s, const int32_t *list,
                              int64_t count, elman_encoder_batch *batch)
{
    int64_t *lengths = elman_tape_take(tape, (size_t)count, sizeof *lengths), T = 0;
    for (int64_t i = 0; lengths && i < count; i++) {
        lengths[i] = (int64_t)(s->char_starts[list[i] + 1] - s->char_starts[list[i]]);
        T = T < lengths[i] ? lengths[i] : T;
    }
    const elman_sequences *words =
        lengths ? elman_tape_sequences(tape, T, count, lengths, NULL, 0) : NULL;
    int32_t *characters =
        words ? elman_tape_take(tape, (size_t)words->N, sizeof *characters) : NULL;
    if (!characters)
        return false;
    for (int64_t t = 0; t < T; t++)
        for (int64_t p = 0; p < words->batch_sizes[t]; p++)
            characters[words->offsets[t] + p] =
                s->characters[s->char_starts[list[words->order[p]]] + (size_t)t];
    batch->words = words;
    batch->characters = characters;
    return true;
}

bool elman_sentences_record(elman_tape *tape, elman_sentences *s, const int64_t *numbers, int64_t n,
                            const elman_word_dropout *dropout, elman_encoder_batch *batch)
{
    *batch = (elman_encoder_batch){.sequences = sequences_of(tape, s, numbers, n)};
    const elman_sequences *q = batch->sequences;
    bool spelt = s->spelt;
    int32_t *tokens = q ? elman_tape_take(tape, (size_t)q->N, sizeof *tokens) : NULL;
    int32_t *rows = tokens && spelt ? elman_tape_take(tape, (size_t)q->N, sizeof *rows) : NULL;
    int32_t *list = rows ? elman_tape_take(tape, (size_t)q->N, sizeof *list) : NULL;
    if (!tokens || (spelt && !list))
        return false;
    int64_t distinct = 0;
    for (int64_t t = 0; t < q->T; t++)
        for (int64_t p = 0; p < q->batch_sizes[t]; p++) {
            int64_t i = q->order[p], row = q->offsets[t] + p;
            int32_t spelling = s->words[s->starts[numbers[i]] + t];
            bool unknown =
                dropout && dropout->probability > 0 && dropped(dropout, t, (uint32_t)numbers[i]);
            tokens[row] = unknown ? dropout->unknown : s->ids[spelling];
            if (!spelt)
                continue;
            if (s->rows[spelling] < 0) {
                s->rows[spelling] = (int32_t)distinct;
                list[distinct++] = spelling;
            }
            rows[row] = s->rows[spelling];
        }
    for (int64_t i = 0; i < distinct; i++)
        s->rows[list[i]] = -1;
    batch->tokens = tokens;
    batch->word_rows = rows;
    return !spelt || record_characters(tape, s, list, distinct, batch);
}
