/* The vocabulary of words that were counted. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "data/vocabulary_impl.h"
#include "data/word_table.h"
#include "data/words.h"

struct elman_word_counter {
    elman_word_table table;
};

elman_status elman_word_counter_create(elman_context *context, elman_word_counter **counter,
                                       elman_error *error)
{
    elman_word_counter *c = elman_allocate(context, 1, sizeof *c);
    if (c == NULL)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "words: out of memory");
    elman_word_table_init(&c->table, context, "words");
    *counter = c;
    return ELMAN_OK;
}

void elman_word_counter_free(elman_word_counter *counter)
{
    if (counter == NULL)
        return;
    elman_word_table_free(&counter->table);
    elman_release(counter->table.context, counter);
}

elman_status elman_word_counter_add_word(elman_word_counter *counter, const char *word, size_t size,
                                         elman_error *error)
{
    return elman_word_counter_add_times(counter, word, size, 1, error);
}

elman_status elman_word_counter_add_times(elman_word_counter *counter, const char *word,
                                          size_t size, uint64_t times, elman_error *error)
{
    if (size > ELMAN_WORD_LIMIT)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "words: found a word of %zu bytes; expected at most %d", size,
                          ELMAN_WORD_LIMIT);
    return elman_word_table_add(&counter->table, word, size, times, error);
}

elman_status elman_word_counter_add(elman_word_counter *counter, const elman_words *words,
                                    elman_error *error)
{
    for (size_t i = 0; i < words->count; i++) {
        size_t size;
        const char *word = elman_words_text(words, i, &size);
        ELMAN_TRY(elman_word_counter_add_word(counter, word, size, error));
    }
    return ELMAN_OK;
}

elman_status elman_word_counter_vocabulary(elman_word_counter *counter, uint64_t min_count,
                                           size_t limit, elman_vocabulary **vocabulary,
                                           elman_error *error)
{
    elman_vocabulary *v;
    if (min_count < 1)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "words: minimum count: found 0; expected at least 1");
    if (limit == 1)
        return elman_fail(
            error, ELMAN_ERROR_ARGUMENT,
            "words: limit: found 1; expected 0 (none), or at least 2 for " ELMAN_UNKNOWN
            " and " ELMAN_END_OF_LINE);
    ELMAN_TRY(elman_word_table_vocabulary(&counter->table, min_count, limit, &v, error));
    const char *fault = elman_vocabulary_finish(v);
    if (fault != NULL) {
        elman_vocabulary_free(v);
        return elman_fail(error, ELMAN_ERROR_DATA, "words: %s", fault);
    }
    *vocabulary = v;
    return ELMAN_OK;
}
