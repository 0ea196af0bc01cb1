/* The vocabulary of a text: which characters it has, how often each word comes. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "data/text_impl.h"
#include "data/vocabulary_impl.h"

enum { CODE_POINTS = 0x110000 };

static elman_status count_chars(elman_text_scan *scan, uint64_t tokens, elman_vocabulary **v,
                                elman_error *error)
{
    elman_context *context = scan->text->context;
    unsigned char *seen = elman_allocate_zero(context, CODE_POINTS / 8, 1); /* a bit each */
    if (seen == NULL)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "text: out of memory for its characters");
    elman_status status = ELMAN_OK;
    for (; tokens > 0 && status == ELMAN_OK; tokens--) {
        elman_token token;
        status = elman_text_scan_next(scan, &token, error);
        if (status == ELMAN_OK)
            seen[token.value / 8] |= (unsigned char)(1U << token.value % 8);
    }
    unsigned char bytes[4];
    int32_t count = 0;
    size_t size = 0;
    for (uint32_t c = 0; c < CODE_POINTS && status == ELMAN_OK; c++) {
        if (seen[c / 8] >> c % 8 & 1) {
            count++;
            size += (size_t)elman_utf8_encode(c, bytes);
        }
    }
    if (status == ELMAN_OK)
        status = elman_vocabulary_begin(context, ELMAN_LEVEL_CHAR, count, size, v, error);
    for (uint32_t c = 0; c < CODE_POINTS && status == ELMAN_OK; c++) {
        if (seen[c / 8] >> c % 8 & 1)
            (void)elman_vocabulary_append(*v, (const char *)bytes,
                                          (size_t)elman_utf8_encode(c, bytes));
    }
    elman_release(context, seen);
    return status;
}

/* Words in the order of their first appearance. */
typedef struct word_entry {
    uint64_t count;
    size_t offset; /* in the pool */
    uint32_t size;
    uint32_t order;
} word_entry;

typedef struct word_table {
    elman_context *context;
    elman_hash_key key;
    word_entry *entries;
    size_t count, capacity;
    uint32_t *slots; /* entry + 1, 0 where empty */
    size_t mask;
    char *pool;
    size_t used, room;
} word_table;

static void table_free(word_table *t)
{
    elman_release(t->context, t->entries);
    elman_release(t->context, t->slots);
    elman_release(t->context, t->pool);
}

static elman_status table_full(elman_error *error)
{
    return elman_fail(error, ELMAN_ERROR_MEMORY, "text: out of memory for its words");
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

static size_t slot_of(const word_table *t, const void *word, size_t size)
{
    size_t at = (size_t)elman_hash(t->key, word, size) & t->mask;
    for (; t->slots[at] != 0; at = (at + 1) & t->mask) {
        const word_entry *e = &t->entries[t->slots[at] - 1];
        if (e->size == size && memcmp(t->pool + e->offset, word, size) == 0)
            break;
    }
    return at;
}

/* Doubles the room for entries and makes the slots anew. */
static bool table_grow(word_table *t)
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
        const word_entry *e = &t->entries[i];
        t->slots[slot_of(t, t->pool + e->offset, e->size)] = (uint32_t)i + 1;
    }
    return true;
}

static bool table_add(word_table *t, const void *word, size_t size, uint64_t count)
{
    if (t->count == t->capacity && !table_grow(t))
        return false;
    size_t at = slot_of(t, word, size);
    if (t->slots[at] != 0) {
        t->entries[t->slots[at] - 1].count += count;
        return true;
    }
    if (size > t->room - t->used) {
        size_t room = 2 * (t->room + size);
        void *pool = t->pool;
        if (!grow(t->context, &pool, t->used, room))
            return false;
        t->pool = pool;
        t->room = room;
    }
    word_entry entry = {count, t->used, (uint32_t)size, (uint32_t)t->count};
    memcpy(t->pool + t->used, word, size);
    t->used += size;
    t->entries[t->count++] = entry;
    t->slots[at] = (uint32_t)t->count;
    return true;
}

/* By descending count, ties by first appearance. */
static int compare_entries(const void *left, const void *right)
{
    const word_entry *a = left, *b = right;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* Moves the counts of rare words to <unk> and drops them; both special tokens stay. */
static elman_status drop_rare(word_table *t, uint64_t min_count, elman_error *error)
{
    static const char *const special[] = {ELMAN_END_OF_LINE, ELMAN_UNKNOWN};
    size_t place[2];
    for (int i = 0; i < 2; i++) {
        if (!table_add(t, special[i], strlen(special[i]), 0))
            return table_full(error);
        place[i] = t->slots[slot_of(t, special[i], strlen(special[i]))] - 1;
    }
    word_entry *unknown = &t->entries[place[1]];
    for (size_t i = 0; i < t->count; i++) {
        word_entry *e = &t->entries[i];
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

static elman_status from_table(word_table *t, uint64_t min_count, elman_vocabulary **v,
                               elman_error *error)
{
    ELMAN_TRY(drop_rare(t, min_count, error));
    if (t->count > ELMAN_VOCABULARY_LIMIT)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "text: found %zu different words that come %llu times or more; expected "
                          "at most %d: raise the minimum count",
                          t->count, (unsigned long long)min_count, ELMAN_VOCABULARY_LIMIT);
    size_t bytes = 0;
    for (size_t i = 0; i < t->count; i++)
        bytes += t->entries[i].size;
    ELMAN_TRY(
        elman_vocabulary_begin(t->context, ELMAN_LEVEL_WORD, (int32_t)t->count, bytes, v, error));
    for (size_t i = 0; i < t->count; i++)
        (void)elman_vocabulary_append(*v, t->pool + t->entries[i].offset, t->entries[i].size);
    return ELMAN_OK;
}

static elman_status count_words(elman_text_scan *scan, uint64_t tokens, uint64_t min_count,
                                elman_vocabulary **v, elman_error *error)
{
    word_table table = {.context = scan->text->context, .key = elman_hash_key_of(scan)};
    elman_status status = ELMAN_OK;
    for (; tokens > 0 && status == ELMAN_OK; tokens--) {
        elman_token token;
        status = elman_text_scan_next(scan, &token, error);
        if (status != ELMAN_OK)
            break;
        bool line_end = token.kind == ELMAN_TOKEN_END_OF_LINE;
        if (!table_add(&table, line_end ? ELMAN_END_OF_LINE : (const char *)scan->word,
                       line_end ? strlen(ELMAN_END_OF_LINE) : token.size, 1))
            status = table_full(error);
    }
    if (status == ELMAN_OK)
        status = from_table(&table, min_count, v, error);
    table_free(&table);
    return status;
}

elman_status elman_text_vocabulary(elman_text *text, uint64_t first, uint64_t end,
                                   uint64_t min_count, elman_vocabulary **vocabulary,
                                   elman_error *error)
{
    ELMAN_TRY(elman_text_check_range(text, first, end, error));
    if (first == end)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "text: no tokens to make a vocabulary of; expected at least one");
    if (min_count < 1 || (min_count > 1 && text->level != ELMAN_LEVEL_WORD))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "text: minimum count: found %llu; expected %s",
                          (unsigned long long)min_count,
                          text->level == ELMAN_LEVEL_WORD
                              ? "at least 1"
                              : "1, since only a word vocabulary has an unknown token");
    if (text->level == ELMAN_LEVEL_BYTE)
        return elman_vocabulary_make_bytes(text->context, vocabulary, error);
    elman_text_scan scan;
    elman_vocabulary *v = NULL;
    ELMAN_TRY(elman_text_scan_begin(&scan, text, text->buffer, text->longest_word, error));
    elman_status status = elman_text_scan_seek(&scan, first, error);
    if (status == ELMAN_OK)
        status = text->level == ELMAN_LEVEL_CHAR
                     ? count_chars(&scan, end - first, &v, error)
                     : count_words(&scan, end - first, min_count, &v, error);
    elman_text_scan_free(&scan);
    if (status != ELMAN_OK)
        return status;
    const char *fault = elman_vocabulary_finish(v);
    if (fault != NULL) {
        elman_vocabulary_free(v);
        return elman_fail(error, ELMAN_ERROR_DATA, "text: %s", fault);
    }
    *vocabulary = v;
    return ELMAN_OK;
}
