/* A text: its files, and the first pass over them. */
#include "elman/text.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "data/text_impl.h"

void elman_text_free(elman_text *text)
{
    if (text == NULL)
        return;
    elman_source_close(&text->source);
    elman_release(text->context, text->parts);
    elman_release(text->context, text->index);
    elman_release(text->context, text);
}

static elman_status note_place(elman_text *text, elman_text_place place, elman_error *error)
{
    if (text->index_count == text->index_capacity) {
        size_t capacity = text->index_capacity == 0 ? 64 : 2 * text->index_capacity;
        elman_text_place *index = elman_allocate(text->context, capacity, sizeof *index);
        if (index == NULL)
            return elman_fail(error, ELMAN_ERROR_MEMORY, "text: out of memory for its index");
        if (text->index_count > 0)
            memcpy(index, text->index, text->index_count * sizeof *index);
        elman_release(text->context, text->index);
        text->index = index;
        text->index_capacity = capacity;
    }
    text->index[text->index_count++] = place;
    return ELMAN_OK;
}

static elman_status first_pass(elman_text *text, elman_text_scan *scan, elman_error *error)
{
    elman_sha256 sha;
    elman_sha256_begin(&sha);
    scan->sha = &sha;
    int file = 0;
    uint64_t until_entry = 0;
    for (;;) {
        elman_text_place place = elman_text_scan_place(scan);
        elman_token token;
        ELMAN_TRY(elman_text_scan_next(scan, &token, error));
        if (token.kind == ELMAN_TOKEN_NONE)
            return ELMAN_OK;
        while (file < token.place.file)
            text->parts[++file].first_token = text->tokens;
        if (until_entry == 0) {
            ELMAN_TRY(note_place(text, place, error));
            until_entry = text->interval;
        }
        if (token.kind == ELMAN_TOKEN_VALUE && token.size > text->longest_word)
            text->longest_word = token.size;
        until_entry--;
        text->tokens++;
    }
}

elman_status elman_text_open_sized(elman_context *context, const char *const *paths, int count,
                                   elman_level level, size_t buffer, uint64_t interval,
                                   elman_text **result, elman_error *error)
{
    if ((unsigned)level > ELMAN_LEVEL_WORD)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "text: level %d is unknown", (int)level);
    elman_text *text = elman_allocate_zero(context, 1, sizeof *text);
    if (text == NULL)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "text: out of memory");
    text->context = context;
    text->level = level;
    text->buffer = buffer;
    text->interval = interval;
    elman_status status = elman_source_open(&text->source, context, paths, count, error);
    if (status != ELMAN_OK) {
        elman_release(context, text);
        return status;
    }
    elman_text_scan scan;
    text->parts = elman_allocate_zero(context, (size_t)count, sizeof *text->parts);
    if (text->parts == NULL)
        status = elman_fail(error, ELMAN_ERROR_MEMORY, "text: out of memory for %d files", count);
    else
        status = elman_text_scan_begin(&scan, text, buffer, 0, error);
    if (status == ELMAN_OK) {
        status = first_pass(text, &scan, error);
        elman_text_scan_free(&scan);
    }
    if (status != ELMAN_OK) {
        elman_text_free(text);
        return status;
    }
    *result = text;
    return ELMAN_OK;
}

elman_status elman_text_open(elman_context *context, const char *const *paths, int count,
                             elman_level level, elman_text **text, elman_error *error)
{
    return elman_text_open_sized(context, paths, count, level, ELMAN_TEXT_BUFFER,
                                 ELMAN_TEXT_INTERVAL, text, error);
}

elman_level elman_text_level(const elman_text *text)
{
    return text->level;
}

uint64_t elman_text_tokens(const elman_text *text)
{
    return text->tokens;
}

int elman_text_files(const elman_text *text)
{
    return text->source.count;
}

elman_text_file_info elman_text_file(const elman_text *text, int file)
{
    const elman_text_part *part = &text->parts[file];
    uint64_t end = file + 1 < text->source.count ? part[1].first_token : text->tokens;
    elman_text_file_info info = {text->source.files[file].path, part->sha256,
                                 text->source.files[file].size, part->first_token,
                                 end - part->first_token};
    return info;
}

elman_status elman_text_check_range(const elman_text *text, uint64_t first, uint64_t end,
                                    elman_error *error)
{
    if (first > end || end > text->tokens)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "text: found the range %llu to %llu; expected one within its %llu tokens",
                          (unsigned long long)first, (unsigned long long)end,
                          (unsigned long long)text->tokens);
    return ELMAN_OK;
}
