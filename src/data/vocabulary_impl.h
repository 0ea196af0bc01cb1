/* The inside of a vocabulary, and how it is filled. */
#ifndef ELMAN_DATA_VOCABULARY_IMPL_H
#define ELMAN_DATA_VOCABULARY_IMPL_H

#include "data/hash.h"
#include "elman/vocabulary.h"

struct elman_vocabulary {
    elman_context *context;
    elman_level level;
    int32_t count, capacity;
    int32_t unknown, end_of_line; /* word level; else -1 */
    size_t longest;               /* bytes of the longest token */
    char *bytes;                  /* the tokens, each with a zero byte after it */
    size_t *offsets;              /* [capacity+1]; token i begins at offsets[i] */
    int32_t *slots;               /* hash table of ids, -1 where empty */
    size_t mask;                  /* slots - 1 */
    elman_hash_key key;
    int32_t ascii[128]; /* char level: the id of each ASCII character, or -1 */
};

/* An empty vocabulary with room for `count` tokens of `bytes` bytes in all. */
elman_status elman_vocabulary_begin(elman_context *context, elman_level level, int32_t count,
                                    size_t bytes, elman_vocabulary **vocabulary,
                                    elman_error *error);

/* Adds a token; NULL, or what is wrong with it ("is not UTF-8"). */
const char *elman_vocabulary_append(elman_vocabulary *vocabulary, const char *token, size_t size);

/* After the last token; NULL, or what is missing. */
const char *elman_vocabulary_finish(elman_vocabulary *vocabulary);

/* The 256 bytes. */
elman_status elman_vocabulary_make_bytes(elman_context *context, elman_vocabulary **vocabulary,
                                         elman_error *error);

/* The id of a code point at char level, or -1. */
int32_t elman_vocabulary_find_code_point(const elman_vocabulary *vocabulary, uint32_t code_point);

/* What _load does, from bytes; `name` begins the errors. */
elman_status elman_vocabulary_parse(elman_context *context, const char *name, const void *bytes,
                                    size_t size, elman_vocabulary **vocabulary, elman_error *error);

#define ELMAN_UNKNOWN     "<unk>"
#define ELMAN_END_OF_LINE "<eos>"

#endif
