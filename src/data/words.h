/* Natural text into words, for classification.
 *
 * White space and control characters separate. A run of letters, digits and marks is a word;
 * each ideograph and kana is a word of its own, since no space separates them; any other visible
 * character is a token of its own, with the marks behind it. Code points that nothing shows
 * (joiners, soft hyphens, variation selectors, byte order marks) do not count.
 *
 * An apostrophe (', or U+2019) between two letters or digits belongs to the word. English
 * contractions are then cut as the Penn Treebank cuts them, so that raw and tokenised text give
 * the same tokens: before n't, and before each 's 'm 'd 'll 're 've whose letters end there
 * (shouldn't've: should n't 've). Where white space has cut them off already they stand for
 * themselves. o'clock stays whole, as does l'homme. Of quotation marks, `` and '' and U+201C,
 * U+201D, U+201E become ", ` and U+2018 and U+2019 become '; -LRB- and its kin, standing alone,
 * become brackets.
 *
 * Each token is NFC and, where asked, case-folded (ß becomes ss): different spellings of one
 * word are one token. */
#ifndef ELMAN_DATA_WORDS_H
#define ELMAN_DATA_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elman/context.h"
#include "elman/vocabulary.h"

typedef struct elman_word {
    size_t offset, size; /* its bytes: words->text + offset, a zero byte behind them */
    size_t begin, end;   /* bytes [begin, end) of the line that it stands for */
} elman_word;

/* The words of a line. After the longest line has been seen, splitting allocates nothing. Used
 * by one thread at a time. */
typedef struct elman_words {
    elman_context *context;
    elman_word *words; /* [count], begin ascending, never overlapping */
    size_t count, words_room;
    char *text;
    size_t text_used, text_room;
    int32_t *scratch;
    size_t scratch_room;
} elman_words;

/* Takes no memory. */
void elman_words_init(elman_words *words, elman_context *context);
/* Splits a line, `fold`: case-folded. There may be no words at all. FORMAT: not UTF-8, or a zero
 * byte, "byte 12: invalid UTF-8 (E2 28): ..." (a caller puts file and line before it); DATA: a
 * word longer than ELMAN_WORD_LIMIT; UNSUPPORTED: a build without utf8proc; MEMORY. There are
 * no words then. */
elman_status elman_words_split(elman_words *words, const char *line, size_t size, bool fold,
                               elman_error *error);
/* Word i's bytes, zero-terminated, valid until the next split; size may be NULL. */
const char *elman_words_text(const elman_words *words, size_t i, size_t *size);
void elman_words_free(elman_words *words);

/* The ids of the words, <unk> for those not in the vocabulary: ids[words->count]. Answers how
 * many are unknown. */
size_t elman_words_encode(const elman_words *words, const elman_vocabulary *vocabulary,
                          int32_t *ids);

/* A vocabulary of word level from what was counted. */
typedef struct elman_word_counter elman_word_counter;

/* MEMORY. */
elman_status elman_word_counter_create(elman_context *context, elman_word_counter **counter,
                                       elman_error *error);
elman_status elman_word_counter_add(elman_word_counter *counter, const elman_words *words,
                                    elman_error *error);
/* One word (a tagger's, say), any bytes that a vocabulary takes. MEMORY, and DATA where it is
 * longer than ELMAN_WORD_LIMIT. */
elman_status elman_word_counter_add_word(elman_word_counter *counter, const char *word, size_t size,
                                         elman_error *error);
/* The same, as if it had come so many times. */
elman_status elman_word_counter_add_times(elman_word_counter *counter, const char *word,
                                          size_t size, uint64_t times, elman_error *error);
/* Words that came min_count times or more (>= 1), of these the `limit` most frequent (0: all), by
 * descending count, ties by first appearance; <unk> and <eos> are always entries and count
 * towards the limit, <unk> having the count of what was left out. Ends the counting: the counter
 * can only be freed then. ARGUMENT: min_count 0, a limit of 1; DATA: more words than
 * ELMAN_VOCABULARY_LIMIT, or one with white space in it; MEMORY. */
elman_status elman_word_counter_vocabulary(elman_word_counter *counter, uint64_t min_count,
                                           size_t limit, elman_vocabulary **vocabulary,
                                           elman_error *error);
/* NULL is fine. */
void elman_word_counter_free(elman_word_counter *counter);

#endif
