/* What a network knows of words: its vocabulary, where it composes words of characters theirs, and
 * the vectors that the words begin with. */
#ifndef ELMAN_TASK_LEXICON_H
#define ELMAN_TASK_LEXICON_H

#include "data/word_vectors.h"
#include "elman/config.h"
#include "elman/layer.h"
#include "task/sentences.h"

typedef struct elman_lexicon {
    elman_context *context;
    elman_vocabulary *words;
    elman_vocabulary *characters; /* NULL where words are not composed of them */
    bool fold;                    /* words are looked up case-folded */
    elman_word_vectors vectors;   /* between elman_lexicon_vectors and _place */
} elman_lexicon;

/* Takes no memory. */
void elman_lexicon_init(elman_lexicon *lexicon, elman_context *context);
void elman_lexicon_free(elman_lexicon *lexicon);

/* From the words 0..end-1: those of config.min_count or more, case-folded where config.fold_case,
 * those that the file config.embeddings has a vector for, so that a word which only predicting
 * meets has a meaning, and all characters of the former where config.char_hidden. config.vocabulary
 * and config.characters are set. DATA: no words; FORMAT: a word that is not UTF-8; MEMORY. */
elman_status elman_lexicon_learn(elman_lexicon *lexicon, const elman_sentences *sentences,
                                 int64_t end, elman_config *config, elman_error *error);
/* vocabulary.json and characters.json of a folder. FORMAT: another size than config says. */
elman_status elman_lexicon_save(const elman_lexicon *lexicon, const char *folder,
                                elman_error *error);
elman_status elman_lexicon_load(elman_lexicon *lexicon, const char *folder,
                                const elman_config *config, elman_error *error);
/* Looks the sentences' words up. */
elman_status elman_lexicon_resolve(const elman_lexicon *lexicon, elman_sentences *sentences,
                                   elman_error *error);

/* Reads the file config.embeddings, if one is named; config.embedding becomes its width where it is
 * auto, and must be it otherwise (ARGUMENT). */
elman_status elman_lexicon_vectors(elman_lexicon *lexicon, elman_config *config,
                                   elman_error *error);
/* Puts what was read into the rows of the words that were found; others keep their values. Frozen
 * where asked for. */
void elman_lexicon_place(elman_lexicon *lexicon, elman_parameter *table, bool freeze);

#endif
