#include "task/lexicon.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "data/lines.h"
#include "data/unicode.h"
#include "data/words.h"

void elman_lexicon_init(elman_lexicon *l, elman_context *context)
{
    *l = (elman_lexicon){.context = context};
}

void elman_lexicon_free(elman_lexicon *l)
{
    elman_vocabulary_free(l->words);
    elman_vocabulary_free(l->characters);
    elman_word_vectors_clear(l->context, &l->vectors);
    elman_lexicon_init(l, l->context);
}

/* Each different spelling as it is counted: itself, or case-folded. */
typedef struct spellings {
    elman_intern folded;
    int32_t *numbers; /* [spellings.count] of the sentences' spellings */
} spellings;

static elman_status fold_one(elman_context *context, const char *word, size_t size,
                             elman_intern *folded, int32_t *number, elman_error *error)
{
    size_t room = elman_unicode_fold_room(size);
    char *text = room ? elman_allocate(context, room, 1) : NULL;
    int32_t *scratch = room ? elman_allocate(context, room, sizeof *scratch) : NULL;
    elman_status status = text && scratch ? ELMAN_OK : elman_out_of_memory(error);
    if (status == ELMAN_OK) {
        ptrdiff_t length = elman_unicode_fold(word, size, true, text, scratch);
        status = length < 0 ? elman_fail(error, ELMAN_ERROR_FORMAT, "a word that is not UTF-8")
                            : elman_intern_add(folded, text, (size_t)length, number, error);
    }
    elman_release(context, text);
    elman_release(context, scratch);
    return status;
}

static elman_status fold_all(spellings *s, const elman_intern *from, elman_error *error)
{
    ELMAN_TRY(elman_unicode_check(error));
    s->numbers = elman_allocate(from->context, (size_t)from->count + 1, sizeof *s->numbers);
    if (!s->numbers)
        return elman_out_of_memory(error);
    for (int32_t i = 0; i < from->count; i++) {
        size_t size;
        const char *word = elman_intern_text(from, i, &size);
        ELMAN_TRY(fold_one(from->context, word, size, &s->folded, &s->numbers[i], error));
    }
    return ELMAN_OK;
}

static elman_status count_words(elman_word_counter *counter, const elman_sentences *sentences,
                                int64_t end, const spellings *s, elman_error *error)
{
    for (int64_t i = 0; i < end; i++) {
        size_t size;
        int32_t number = sentences->words[i];
        const char *word = s->numbers ? elman_intern_text(&s->folded, s->numbers[number], &size)
                                      : elman_intern_text(&sentences->spellings, number, &size);
        if (size) /* a word of nothing but ignorable characters folds to nothing */
            ELMAN_TRY(elman_word_counter_add_word(counter, word, size, error));
    }
    return ELMAN_OK;
}

/* The first field of a line of word vectors, where it may be a word of a vocabulary. */
static size_t word_of(const char *line, size_t size)
{
    size_t end = 0;
    while (end < size && line[end] != ' ' && line[end] != '\t')
        end++;
    for (size_t at = 0; at < end;) {
        uint32_t point;
        int length = elman_utf8_decode((const unsigned char *)line + at, end - at, &point);
        if (length <= 0 || elman_unicode_class_of(point) == ELMAN_UNICODE_SPACE)
            return 0;
        at += (size_t)length;
    }
    return end > ELMAN_WORD_LIMIT ? 0 : end;
}

/* Runs of bytes that are neither space nor tab. */
static int fields_of(const char *line, size_t size)
{
    int count = 0;
    bool within = false;
    for (size_t i = 0; i < size; i++) {
        bool gap = line[i] == ' ' || line[i] == '\t';
        count += !gap && !within;
        within = !gap;
    }
    return count;
}

/* Words that have a vector are known, whether training has them or not: each once, as if it had
 * come often enough. */
static elman_status take_file_words(elman_intern *words, elman_line_file *file, bool fold,
                                    elman_error *error)
{
    const char *line;
    size_t size;
    for (;;) {
        int32_t number;
        ELMAN_TRY(elman_line_file_next(file, &line, &size, error));
        if (!line)
            return ELMAN_OK;
        size_t word = word_of(line, size);
        if (!word || (file->number == 1 && fields_of(line, size) == 2)) /* "COUNT WIDTH" */
            continue;
        ELMAN_TRY(fold ? fold_one(words->context, line, word, words, &number, error)
                       : elman_intern_add(words, line, word, &number, error));
    }
}

static elman_status count_file_words(elman_word_counter *counter, elman_context *context,
                                     const elman_config *config, elman_error *error)
{
    elman_line_file file;
    elman_intern words;
    if (!config->embeddings[0])
        return ELMAN_OK;
    ELMAN_TRY(elman_line_file_open(&file, context, config->embeddings, error));
    elman_intern_init(&words, context);
    elman_status status = take_file_words(&words, &file, config->fold_case, error);
    for (int32_t i = 0; status == ELMAN_OK && i < words.count; i++) {
        size_t size;
        const char *word = elman_intern_text(&words, i, &size);
        if (size)
            status = elman_word_counter_add_times(counter, word, size, (uint64_t)config->min_count,
                                                  error);
    }
    elman_intern_free(&words);
    elman_line_file_close(&file);
    return status;
}

static elman_status learn_words(elman_lexicon *l, const elman_sentences *sentences, int64_t end,
                                const elman_config *config, elman_error *error)
{
    spellings s = {0};
    elman_word_counter *counter;
    elman_intern_init(&s.folded, l->context);
    ELMAN_TRY(elman_word_counter_create(l->context, &counter, error));
    elman_status status = config->fold_case ? fold_all(&s, &sentences->spellings, error) : ELMAN_OK;
    if (status == ELMAN_OK)
        status = count_words(counter, sentences, end, &s, error);
    if (status == ELMAN_OK)
        status = count_file_words(counter, l->context, config, error);
    if (status == ELMAN_OK)
        status = elman_word_counter_vocabulary(counter, (uint64_t)config->min_count, 0, &l->words,
                                               error);
    elman_word_counter_free(counter);
    elman_intern_free(&s.folded);
    elman_release(l->context, s.numbers);
    return status;
}

elman_status elman_lexicon_learn(elman_lexicon *l, const elman_sentences *sentences, int64_t end,
                                 elman_config *config, elman_error *error)
{
    l->fold = config->fold_case;
    ELMAN_TRY(learn_words(l, sentences, end, config, error));
    config->vocabulary = elman_vocabulary_count(l->words);
    config->characters = 0;
    if (config->char_hidden) {
        ELMAN_TRY(elman_sentences_characters(sentences, end, &l->characters, error));
        config->characters = elman_vocabulary_count(l->characters) + 1;
    }
    return ELMAN_OK;
}

static elman_status save(const elman_vocabulary *vocabulary, const char *folder, const char *name,
                         elman_error *error)
{
    if (!vocabulary)
        return ELMAN_OK;
    char *path = elman_path_join(folder, name);
    if (!path)
        return elman_out_of_memory(error);
    elman_status status = elman_vocabulary_save(vocabulary, path, error);
    free(path);
    return status;
}

elman_status elman_lexicon_save(const elman_lexicon *l, const char *folder, elman_error *error)
{
    ELMAN_TRY(save(l->words, folder, "vocabulary.json", error));
    return save(l->characters, folder, "characters.json", error);
}

static elman_status load(elman_context *context, const char *folder, const char *name,
                         elman_level level, int64_t wanted, elman_vocabulary **vocabulary,
                         elman_error *error)
{
    char *path = elman_path_join(folder, name);
    if (!path)
        return elman_out_of_memory(error);
    elman_status status = elman_vocabulary_load(context, path, vocabulary, error);
    if (status == ELMAN_OK && elman_vocabulary_level(*vocabulary) != level)
        status = elman_fail(error, ELMAN_ERROR_FORMAT, "%s: its level is %s, expected %s", path,
                            elman_level_name(elman_vocabulary_level(*vocabulary)),
                            elman_level_name(level));
    if (status == ELMAN_OK && elman_vocabulary_count(*vocabulary) != wanted)
        status = elman_fail(error, ELMAN_ERROR_FORMAT,
                            "%s: found %" PRId32 " tokens, expected %" PRId64 " as in config.json",
                            path, elman_vocabulary_count(*vocabulary), wanted);
    free(path);
    return status;
}

elman_status elman_lexicon_load(elman_lexicon *l, const char *folder, const elman_config *config,
                                elman_error *error)
{
    l->fold = config->fold_case;
    ELMAN_TRY(load(l->context, folder, "vocabulary.json", ELMAN_LEVEL_WORD, config->vocabulary,
                   &l->words, error));
    if (!config->char_hidden)
        return ELMAN_OK;
    return load(l->context, folder, "characters.json", ELMAN_LEVEL_CHAR, config->characters - 1,
                &l->characters, error);
}

elman_status elman_lexicon_resolve(const elman_lexicon *l, elman_sentences *sentences,
                                   elman_error *error)
{
    return elman_sentences_resolve(sentences, l->words, l->fold, l->characters, error);
}

elman_status elman_lexicon_vectors(elman_lexicon *l, elman_config *config, elman_error *error)
{
    if (!config->embeddings[0])
        return config->freeze_embeddings
                   ? elman_fail(error, ELMAN_ERROR_ARGUMENT,
                                "freeze-embeddings: it freezes those of --embeddings")
                   : ELMAN_OK;
    ELMAN_TRY(
        elman_word_vectors_read(l->context, config->embeddings, l->words, &l->vectors, error));
    if (!config->embedding)
        config->embedding = l->vectors.width;
    if (config->embedding == l->vectors.width)
        return ELMAN_OK;
    return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                      "embeddings: %s has %" PRId64 " numbers a word, expected %" PRId64
                      " as --embedding says",
                      config->embeddings, l->vectors.width, config->embedding);
}

void elman_lexicon_place(elman_lexicon *l, elman_parameter *table, bool freeze)
{
    if (!l->vectors.rows)
        return;
    size_t width = (size_t)l->vectors.width;
    float *values = elman_parameter_edit(table);
    for (size_t i = 0; i < (size_t)elman_vocabulary_count(l->words); i++)
        if (l->vectors.found[i])
            memcpy(values + i * width, l->vectors.rows + i * width, width * sizeof *values);
    if (freeze)
        elman_parameter_freeze(table);
    elman_word_vectors_clear(l->context, &l->vectors);
}
