/* A range of a text as ids. */
#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "data/text_impl.h"
#include "data/vocabulary_impl.h"

struct elman_text_reader {
    elman_text_scan scan;
    const elman_vocabulary *vocabulary;
    uint64_t first, end, position;
    bool lost; /* the scan does not stand at position */
};

elman_status elman_text_reader_open_sized(elman_text *text, const elman_vocabulary *vocabulary,
                                          uint64_t first, uint64_t end, size_t buffer,
                                          elman_text_reader **result, elman_error *error)
{
    ELMAN_TRY(elman_text_check_range(text, first, end, error));
    if (vocabulary->level != text->level)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "text: found a vocabulary of level %s; expected %s",
                          elman_level_name(vocabulary->level), elman_level_name(text->level));
    elman_text_reader *reader = elman_allocate_zero(text->context, 1, sizeof *reader);
    if (reader == NULL)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "text: out of memory for a reader");
    elman_status status =
        elman_text_scan_begin(&reader->scan, text, buffer, vocabulary->longest, error);
    if (status != ELMAN_OK) {
        elman_release(text->context, reader);
        return status;
    }
    reader->vocabulary = vocabulary;
    reader->first = reader->position = first;
    reader->end = end;
    reader->lost = true;
    *result = reader;
    return ELMAN_OK;
}

elman_status elman_text_reader_open(elman_text *text, const elman_vocabulary *vocabulary,
                                    uint64_t first, uint64_t end, elman_text_reader **reader,
                                    elman_error *error)
{
    return elman_text_reader_open_sized(text, vocabulary, first, end, text->buffer, reader, error);
}

void elman_text_reader_free(elman_text_reader *reader)
{
    if (reader == NULL)
        return;
    elman_context *context = reader->scan.text->context;
    elman_text_scan_free(&reader->scan);
    elman_release(context, reader);
}

static elman_status unseen(const elman_text_reader *reader, const elman_token *token,
                           elman_error *error)
{
    unsigned char bytes[4];
    int size = elman_utf8_encode(token->value, bytes);
    return elman_fail(error, ELMAN_ERROR_DATA,
                      "%s: byte %llu: U+%04lX (%.*s) is not in the vocabulary, which has the %ld "
                      "characters of the text it was made from",
                      reader->scan.text->source.files[token->place.file].path,
                      (unsigned long long)token->place.offset, (unsigned long)token->value, size,
                      (const char *)bytes, (long)reader->vocabulary->count);
}

static elman_status read_one(elman_text_reader *reader, int32_t *id, elman_error *error)
{
    const elman_vocabulary *v = reader->vocabulary;
    elman_token token;
    ELMAN_TRY(elman_text_scan_next(&reader->scan, &token, error));
    if (token.kind == ELMAN_TOKEN_END_OF_LINE) {
        *id = v->end_of_line;
    } else if (v->level == ELMAN_LEVEL_BYTE) {
        *id = (int32_t)token.value;
    } else if (v->level == ELMAN_LEVEL_CHAR) {
        *id = elman_vocabulary_find_code_point(v, token.value);
        if (*id < 0)
            return unseen(reader, &token, error);
    } else {
        *id = -1; /* a word longer than any of the vocabulary was not kept whole */
        if (token.size == reader->scan.kept)
            *id = elman_vocabulary_find(v, (const char *)reader->scan.word, token.size);
        if (*id < 0)
            *id = v->unknown;
    }
    return ELMAN_OK;
}

elman_status elman_text_reader_read(elman_text_reader *reader, int32_t *ids, size_t n,
                                    size_t *count, elman_error *error)
{
    *count = 0;
    if (reader->lost) {
        ELMAN_TRY(elman_text_scan_seek(&reader->scan, reader->position, error));
        reader->lost = false;
    }
    for (; *count < n && reader->position < reader->end; ++*count) {
        elman_status status = read_one(reader, &ids[*count], error);
        if (status != ELMAN_OK) {
            reader->lost = true;
            return status;
        }
        reader->position++;
    }
    return ELMAN_OK;
}

uint64_t elman_text_reader_position(const elman_text_reader *reader)
{
    return reader->position;
}

elman_status elman_text_reader_seek(elman_text_reader *reader, uint64_t token, elman_error *error)
{
    if (token < reader->first || token > reader->end)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "text: found token %llu; expected one of %llu to %llu",
                          (unsigned long long)token, (unsigned long long)reader->first,
                          (unsigned long long)reader->end);
    if (token == reader->position && !reader->lost)
        return ELMAN_OK;
    reader->position = token;
    reader->lost = true;
    ELMAN_TRY(elman_text_scan_seek(&reader->scan, token, error));
    reader->lost = false;
    return ELMAN_OK;
}
