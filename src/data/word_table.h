/* Words in the order of their first appearance, each with its count. */
#ifndef ELMAN_DATA_WORD_TABLE_H
#define ELMAN_DATA_WORD_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "data/hash.h"
#include "elman/vocabulary.h"

typedef struct elman_word_entry {
    uint64_t count;
    size_t offset; /* in the pool */
    uint32_t size;
    uint32_t order;
} elman_word_entry;

typedef struct elman_word_table {
    elman_context *context;
    const char *name; /* begins the errors */
    elman_hash_key key;
    elman_word_entry *entries;
    size_t count, capacity;
    uint32_t *slots; /* entry + 1, 0 where empty */
    size_t mask;
    char *pool;
    size_t used, room;
} elman_word_table;

#define ELMAN_WORD_TABLE_NONE ((size_t)-1)

/* Takes no memory; the name is not copied. */
void elman_word_table_init(elman_word_table *table, elman_context *context, const char *name);
/* Adds `count` to the word's; a new word becomes the last entry. MEMORY. */
elman_status elman_word_table_add(elman_word_table *table, const void *word, size_t size,
                                  uint64_t count, elman_error *error);
/* The number of the word's entry, or ELMAN_WORD_TABLE_NONE. */
size_t elman_word_table_find(const elman_word_table *table, const void *word, size_t size);
/* A word vocabulary, not yet finished (elman_vocabulary_finish), of those that came min_count
 * times or more, at most `limit` with <unk> and <eos> (0: all; else at least 2), by descending
 * count, ties by first appearance. Afterwards the table can only be freed. DATA, MEMORY. */
elman_status elman_word_table_vocabulary(elman_word_table *table, uint64_t min_count, size_t limit,
                                         elman_vocabulary **vocabulary, elman_error *error);
/* Fine on one freed before. */
void elman_word_table_free(elman_word_table *table);

#endif
