/* Vocabularies: what maps text to token numbers (ids) and back.
 *
 * A vocabulary is immutable once made, and any number of threads may read it. It
 * belongs to the context that it was made with and is freed before it.
 *
 * Levels
 *   char  a token is one Unicode code point, as UTF-8. Ids ascend by code point
 *         where a text made the vocabulary; a file may hold any order. There is no
 *         unknown token: an unseen code point is an error.
 *   byte  a token is one byte; always 256 ids, id = byte. Takes any file.
 *   word  a token is what stands between white space (Unicode's White_Space), as it
 *         stands; a line end (U+000A) is the token <eos>, and what is not in the
 *         vocabulary is <unk>. Both are always entries. Ids by descending count,
 *         ties by first appearance. A text that spells out <unk> or <eos> means
 *         these very tokens, so that corpora prepared in that form (Penn Treebank,
 *         WikiText) give the perplexities that are published for them.
 *
 * U+0000 is no token of a char or word vocabulary. */
#ifndef ELMAN_VOCABULARY_H
#define ELMAN_VOCABULARY_H

#include <stddef.h>
#include <stdint.h>

#include "elman/context.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum elman_level { ELMAN_LEVEL_CHAR, ELMAN_LEVEL_BYTE, ELMAN_LEVEL_WORD } elman_level;

enum {
    ELMAN_VOCABULARY_LIMIT = 1 << 24, /* most tokens of a vocabulary */
    ELMAN_WORD_LIMIT = 1 << 20        /* most bytes of a word */
};

typedef struct elman_vocabulary elman_vocabulary;

/* "char", "byte", "word"; a static string. */
ELMAN_API const char *elman_level_name(elman_level level);
/* The level of that name; ARGUMENT names the three. */
ELMAN_API elman_status elman_level_parse(const char *name, elman_level *level, elman_error *error);

/* Makes a vocabulary of `count` tokens, zero-terminated UTF-8, in the order of their
 * ids; the strings are copied. Byte level: tokens is NULL and count 0 or 256.
 * *vocabulary is the caller's, to be ended by elman_vocabulary_free.
 * ARGUMENT: no token, more than ELMAN_VOCABULARY_LIMIT, a token twice, a char token
 * that is not one code point, a word that is empty, longer than ELMAN_WORD_LIMIT or
 * holds white space, bytes that are not UTF-8, a word vocabulary without <unk> and
 * <eos>; MEMORY. */
ELMAN_API elman_status elman_vocabulary_create(elman_context *context, elman_level level,
                                               const char *const *tokens, int32_t count,
                                               elman_vocabulary **vocabulary, elman_error *error);

/* Reads vocabulary.json: {"level": "char" | "word", "tokens": [...]}, tokens in the
 * order of their ids, or {"level": "byte"}. IO: unreadable; FORMAT: not such an
 * object, an unknown key, or tokens that _create refuses; MEMORY. */
ELMAN_API elman_status elman_vocabulary_load(elman_context *context, const char *path,
                                             elman_vocabulary **vocabulary, elman_error *error);

/* Writes what _load reads; PATH is replaced as a whole or not at all. IO, MEMORY. */
ELMAN_API elman_status elman_vocabulary_save(const elman_vocabulary *vocabulary, const char *path,
                                             elman_error *error);

/* NULL is fine. */
ELMAN_API void elman_vocabulary_free(elman_vocabulary *vocabulary);

ELMAN_API elman_level elman_vocabulary_level(const elman_vocabulary *vocabulary);
/* V: ids are 0..V-1. */
ELMAN_API int32_t elman_vocabulary_count(const elman_vocabulary *vocabulary);
/* The ids of <unk> and <eos>; -1 where the level is not word. */
ELMAN_API int32_t elman_vocabulary_unknown(const elman_vocabulary *vocabulary);
ELMAN_API int32_t elman_vocabulary_end_of_line(const elman_vocabulary *vocabulary);

/* The id of exactly these bytes (one code point, byte or word), or -1. A word is
 * not replaced by <unk>, nor a line end by <eos>. */
ELMAN_API int32_t elman_vocabulary_find(const elman_vocabulary *vocabulary, const char *token,
                                        size_t size);

/* The token's bytes, zero-terminated, which live as long as the vocabulary; *size
 * (may be NULL) is their number. UTF-8, but for a byte token of 128 or more, which
 * is that one byte. NULL where id is out of bounds. */
ELMAN_API const char *elman_vocabulary_token(const elman_vocabulary *vocabulary, int32_t id,
                                             size_t *size);

/* Turns a prompt of `size` bytes into ids. Room for `size` ids is always enough;
 * *count is how many there are. Words: a line end gives <eos>, the end of the prompt
 * does not, and a word not in the vocabulary gives <unk>.
 * ARGUMENT: capacity is too small; DATA: not UTF-8, or a character that the
 * vocabulary does not have, as U+XXXX with its byte offset. */
ELMAN_API elman_status elman_vocabulary_encode(const elman_vocabulary *vocabulary, const char *text,
                                               size_t size, int32_t *ids, size_t capacity,
                                               size_t *count, elman_error *error);

/* Turns ids into text, one at a time, so that what has come out is valid UTF-8 after
 * every call. Byte level: an incomplete sequence is held back until it is whole, and
 * what cannot be UTF-8 becomes U+FFFD, one for each maximal subpart (Unicode 15,
 * section 3.9). Word level: a space between two words of a line, <eos> is a line
 * end. Used by one thread at a time; refers to the vocabulary, which outlives it. */
typedef struct elman_detokenizer elman_detokenizer;

/* All memory that it ever needs is taken here. MEMORY. */
ELMAN_API elman_status elman_detokenizer_create(const elman_vocabulary *vocabulary,
                                                elman_detokenizer **detokenizer,
                                                elman_error *error);
/* The text that this id adds, maybe of size 0; zero-terminated, valid until the next
 * call. An id out of bounds adds U+FFFD. */
ELMAN_API const char *elman_detokenizer_put(elman_detokenizer *detokenizer, int32_t id,
                                            size_t *size);
/* The end: what was held back, as U+FFFD. Begins anew, as after _create. */
ELMAN_API const char *elman_detokenizer_finish(elman_detokenizer *detokenizer, size_t *size);
/* NULL is fine. */
ELMAN_API void elman_detokenizer_free(elman_detokenizer *detokenizer);

#ifdef __cplusplus
}
#endif

#endif
