/* Sentences as a network reads them: each word as its number in a vocabulary and, where words are
 * composed of characters, as theirs. Every different word is kept once. */
#ifndef ELMAN_TASK_SENTENCES_H
#define ELMAN_TASK_SENTENCES_H

#include "data/intern.h"
#include "elman/encoder.h"
#include "elman/vocabulary.h"

enum { ELMAN_WORD_CHARACTERS = 64 }; /* of a longer word the first so many are read */

typedef struct elman_sentences {
    elman_context *context;
    elman_intern spellings;
    int64_t count, word_count;
    int64_t *starts; /* [count+1] into words */
    int32_t *words;  /* [word_count] numbers of spellings */
    bool spelt;      /* words have characters too */
    /* by spelling, once resolved */
    int32_t resolved;    /* spellings that are */
    int32_t *ids;        /* in the vocabulary */
    size_t *char_starts; /* [resolved+1] into characters */
    int32_t *characters; /* numbers in the character vocabulary plus 1; 0: unknown */
    int32_t *rows;       /* of a batch's distinct words; -1 between batches */
    size_t starts_room, words_room, ids_room, char_starts_room, characters_room, rows_room;
    char *folded; /* a word case-folded, and what that takes */
    int32_t *fold_scratch;
    size_t folded_room, fold_scratch_room;
} elman_sentences;

/* Takes no memory. */
void elman_sentences_init(elman_sentences *sentences, elman_context *context);
void elman_sentences_free(elman_sentences *sentences);
/* No sentences; the memory is kept. */
void elman_sentences_clear(elman_sentences *sentences);
/* Only the first `count` sentences; their spellings stay. */
void elman_sentences_cut(elman_sentences *sentences, int64_t count);
/* A new sentence begins, which the words that are added belong to. MEMORY. */
elman_status elman_sentences_begin(elman_sentences *sentences, elman_error *error);
elman_status elman_sentences_add(elman_sentences *sentences, const char *word, size_t size,
                                 elman_error *error);
/* Words of sentence i. */
int64_t elman_sentences_length(const elman_sentences *sentences, int64_t i);

/* Looks every word up that is new since the last call: in `vocabulary`, `fold`: case-folded, and
 * its characters in `characters` (NULL: they are not read). Both are the same at every call until a
 * clear. FORMAT: a word that is not UTF-8; MEMORY. */
elman_status elman_sentences_resolve(elman_sentences *sentences, const elman_vocabulary *vocabulary,
                                     bool fold, const elman_vocabulary *characters,
                                     elman_error *error);

/* A vocabulary of char level of the words 0..end-1. FORMAT: a word that is not UTF-8; DATA: there
 * are none; MEMORY. */
elman_status elman_sentences_characters(const elman_sentences *sentences, int64_t end,
                                        elman_vocabulary **characters, elman_error *error);

/* How training changes words: each becomes <unk> with this probability, by the random number of
 * (seed; its place in the sentence, the sentence's number, pass). */
typedef struct elman_word_dropout {
    double probability;
    uint64_t seed, pass;
    int32_t unknown; /* <unk>'s number */
} elman_word_dropout;

/* Fills *batch with the sentences numbers[0..n-1], in memory of the tape's round. dropout may be
 * NULL. false: the tape failed. */
bool elman_sentences_record(elman_tape *tape, elman_sentences *sentences, const int64_t *numbers,
                            int64_t n, const elman_word_dropout *dropout,
                            elman_encoder_batch *batch);

#endif
