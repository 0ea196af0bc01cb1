/* Pretrained word vectors from GloVe's (Pennington et al. 2014) and word2vec's (Mikolov et al.
 * 2013) text files: a word and E numbers a line, between single spaces or tabs; the first line
 * may be "COUNT E". Read as a stream, so that the file may be larger than memory: what is kept
 * is the rows of one vocabulary. */
#ifndef ELMAN_DATA_WORD_VECTORS_H
#define ELMAN_DATA_WORD_VECTORS_H

#include <stddef.h>
#include <stdint.h>

#include "elman/context.h"
#include "elman/vocabulary.h"

typedef enum elman_word_found {
    ELMAN_WORD_NOT_FOUND,
    ELMAN_WORD_FOUND_FOLDED, /* after case folding alone: "Paris" for "paris" */
    ELMAN_WORD_FOUND_EXACT
} elman_word_found;

typedef struct elman_word_vectors {
    int64_t width;        /* E */
    float *rows;          /* [V,E]; zeros where a word was not found */
    unsigned char *found; /* [V], an elman_word_found each */
    int64_t exact_count, folded_count;
    uint64_t lines;      /* vectors in the file */
    uint64_t file_bytes; /* and its SHA-256, for config.json */
    char sha256[65];
} elman_word_vectors;

enum { ELMAN_WORD_VECTORS_WIDTH = 1 << 16 }; /* most numbers of a line */

/* Reads the vectors of the words of a vocabulary of word level (V tokens; <unk> and <eos> too,
 * where the file has them). A word is looked for as it stands; failing that, case-folded (of
 * several that fold to it the file's first). The first of a word's lines counts. A line may
 * hold more than E+1 fields (GloVe's 840B file has words with spaces): its last E are numbers,
 * and such a word is nobody's. Words that are not UTF-8 are passed over likewise.
 * *vectors is the caller's, to be ended by elman_word_vectors_clear; cleared after a failure.
 * Every line is looked at: FORMAT names file and line, what was found and expected: too few
 * numbers, no number, one that is not finite as a float, another count of lines than the first
 * line says, a line longer than 16 MiB. IO, ARGUMENT (not of word level), MEMORY. In a build
 * without utf8proc only words as they stand are found. */
elman_status elman_word_vectors_read(elman_context *context, const char *path,
                                     const elman_vocabulary *vocabulary,
                                     elman_word_vectors *vectors, elman_error *error);
/* Fine on one cleared before. */
void elman_word_vectors_clear(elman_context *context, elman_word_vectors *vectors);

#endif
