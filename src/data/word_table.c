/* Words counted as they come, and the vocabulary of the frequent ones. */
#include "data/word_table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "data/vocabulary_impl.h"

void elman_word_table_init(elman_word_table *t, elman_context *context, const char *name)
{
    memset(t, 0, sizeof *t);
    t->context = context;
    t->name = name;
    t->key = elman_hash_key_of(t);
}

void elman_word_table_free(elman_word_table *t)
{
    elman_release(t->context, t->entries);
    elman_release(t->context, t->slots);
    elman_release(t->context, t->pool);
    t->entries = NULL;
    t->slots = NULL;
    t->pool = NULL;
    t->count = t->capacity = t->used = t->room = 0;
}

static elman_status table_full(const elman_word_table *t, elman_error *error)
{
    return elman_fail(error, ELMAN_ERROR_MEMORY, "%s: out of memory for its words", t->name);
}

/* Twice the memory at *block, of which `used` bytes are kept. */
static bool grow(elman_context *context, void **block, size_t used, size_t bytes)
{
    void *larger = elman_allocate(context, bytes, 1);
    if (larger == NULL)
        return false;
    if (used > 0)
        memcpy(larger, *block, used);
    elman_release(context, *block);
    *block = larger;
    return true;
}

static size_t slot_of(const elman_word_table *t, const void *word, size_t size)
{
    size_t at = (size_t)elman_hash(t->key, word, size) & t->mask;
    for (; t->slots[at] != 0; at = (at + 1) & t->mask) {
        const elman_word_entry *e = &t->entries[t->slots[at] - 1];
        if (e->size == size && memcmp(t->pool + e->offset, word, size) == 0)
            break;
    }
    return at;
}

/* Doubles the room for entries and makes the slots anew. */
static bool table_grow(elman_word_table *t)
{
    size_t capacity = t->capacity == 0 ? 256 : 2 * t->capacity;
    if (capacity > UINT32_MAX / 2)
        return false;
    uint32_t *slots = elman_allocate_zero(t->context, 2 * capacity, sizeof *slots);
    void *entries = t->entries;
    if (slots == NULL ||
        !grow(t->context, &entries, t->count * sizeof *t->entries, capacity * sizeof *t->entries)) {
        elman_release(t->context, slots);
        return false;
    }
    t->entries = entries;
    t->capacity = capacity;
    elman_release(t->context, t->slots);
    t->slots = slots;
    t->mask = 2 * capacity - 1;
    for (size_t i = 0; i < t->count; i++) {
        const elman_word_entry *e = &t->entries[i];
        t->slots[slot_of(t, t->pool + e->offset, e->size)] = (uint32_t)i + 1;
    }
    return true;
}

size_t elman_word_table_find(const elman_word_table *t, const void *word, size_t size)
{
    size_t at = t->count > 0 ? t->slots[slot_of(t, word, size)] : 0;
    return at == 0 ? ELMAN_WORD_TABLE_NONE : at - 1;
}

elman_status elman_word_table_add(elman_word_table *t, const void *word, size_t size,
                                  uint64_t count, elman_error *error)
{
    if (t->count == t->capacity && !table_grow(t))
        return table_full(t, error);
    size_t at = slot_of(t, word, size);
    if (t->slots[at] != 0) {
        t->entries[t->slots[at] - 1].count += count;
        return ELMAN_OK;
    }
    if (size > t->room - t->used) {
        size_t room = 2 * (t->room + size);
        void *pool = t->pool;
        if (!grow(t->context, &pool, t->used, room))
            return table_full(t, error);
        t->pool = pool;
        t->room = room;
    }
    elman_word_entry entry = {count, t->used, (uint32_t)size, (uint32_t)t->count};
    memcpy(t->pool + t->used, word, size);
    t->used += size;
    t->entries[t->count++] = entry;
    t->slots[at] = (uint32_t)t->count;
    return ELMAN_OK;
}

/* By descending count, ties by first appearance. */
static int compare_entries(const void *left, const void *right)
{
    const elman_word_entry *a = left, *b = right;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* Moves the counts of rare words to <unk> and drops them; both special tokens stay. */
static elman_status drop_rare(elman_word_table *t, uint64_t min_count, elman_error *error)
{
    static const char *const special[] = {ELMAN_END_OF_LINE, ELMAN_UNKNOWN};
    size_t place[2];
    for (int i = 0; i < 2; i++) {
        ELMAN_TRY(elman_word_table_add(t, special[i], strlen(special[i]), 0, error));
        place[i] = elman_word_table_find(t, special[i], strlen(special[i]));
    }
    elman_word_entry *unknown = &t->entries[place[1]];
    for (size_t i = 0; i < t->count; i++) {
        elman_word_entry *e = &t->entries[i];
        if (e->count >= min_count || i == place[0] || i == place[1])
            continue;
        unknown->count += e->count;
        if (e->order < unknown->order)
            unknown->order = e->order;
        e->count = 0;
    }
    size_t kept = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (t->entries[i].count > 0 || i == place[0] || i == place[1])
            t->entries[kept++] = t->entries[i];
    }
    t->count = kept;
    qsort(t->entries, t->count, sizeof *t->entries, compare_entries);
    return ELMAN_OK;
}

static bool is_special(const elman_word_table *t, const elman_word_entry *e, const char *special)
{
    return e->size == strlen(special) && memcmp(t->pool + e->offset, special, e->size) == 0;
}

/* Keeps the most frequent and both special tokens, `limit` in all; what goes counts as <unk>. */
static void keep_most_frequent(elman_word_table *t, size_t limit)
{
    size_t kept = 0, plain = 0;
    uint64_t left_out = 0;
    elman_word_entry *unknown = NULL;
    for (size_t i = 0; i < t->count; i++) {
        elman_word_entry e = t->entries[i];
        bool unk = is_special(t, &e, ELMAN_UNKNOWN);
        bool special = unk || is_special(t, &e, ELMAN_END_OF_LINE);
        if (!special && plain == limit - 2) {
            left_out += e.count;
            continue;
        }
        plain += !special;
        if (unk)
            unknown = &t->entries[kept];
        t->entries[kept++] = e;
    }
    if (unknown != NULL)
        unknown->count += left_out;
    t->count = kept;
    qsort(t->entries, t->count, sizeof *t->entries, compare_entries);
}

elman_status elman_word_table_vocabulary(elman_word_table *t, uint64_t min_count, size_t limit,
                                         elman_vocabulary **vocabulary, elman_error *error)
{
    ELMAN_TRY(drop_rare(t, min_count, error));
    if (limit > 0 && t->count > limit)
        keep_most_frequent(t, limit);
    if (t->count > ELMAN_VOCABULARY_LIMIT)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%s: found %zu different words that come %llu times or more; expected "
                          "at most %d: raise the minimum count",
                          t->name, t->count, (unsigned long long)min_count, ELMAN_VOCABULARY_LIMIT);
    size_t bytes = 0;
    for (size_t i = 0; i < t->count; i++)
        bytes += t->entries[i].size;
    elman_vocabulary *v;
    ELMAN_TRY(
        elman_vocabulary_begin(t->context, ELMAN_LEVEL_WORD, (int32_t)t->count, bytes, &v, error));
    for (size_t i = 0; i < t->count; i++) {
        const elman_word_entry *e = &t->entries[i];
        const char *fault = elman_vocabulary_append(v, t->pool + e->offset, e->size);
        if (fault != NULL) {
            elman_vocabulary_free(v);
            return elman_fail(error, ELMAN_ERROR_DATA, "%s: a word %s; expected words of UTF-8",
                              t->name, fault);
        }
    }
    *vocabulary = v;
    return ELMAN_OK;
}
