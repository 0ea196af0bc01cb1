/* Bytes into tokens, through a buffer that a token may straddle. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "data/text_impl.h"

elman_status elman_text_scan_begin(elman_text_scan *scan, elman_text *text, size_t buffer,
                                   size_t word_capacity, elman_error *error)
{
    memset(scan, 0, sizeof *scan);
    scan->text = text;
    scan->capacity = buffer < ELMAN_TEXT_BUFFER_LEAST ? ELMAN_TEXT_BUFFER_LEAST : buffer;
    scan->word_capacity = text->level == ELMAN_LEVEL_WORD ? word_capacity : 0;
    scan->buffer = elman_allocate(text->context, scan->capacity, 1);
    scan->word = elman_allocate(text->context, scan->word_capacity, 1);
    if (scan->buffer == NULL || scan->word == NULL) {
        elman_text_scan_free(scan);
        return elman_fail(error, ELMAN_ERROR_MEMORY, "text: out of memory for a buffer");
    }
    return ELMAN_OK;
}

void elman_text_scan_free(elman_text_scan *scan)
{
    if (scan->text == NULL)
        return;
    elman_release(scan->text->context, scan->buffer);
    elman_release(scan->text->context, scan->word);
    scan->buffer = scan->word = NULL;
    scan->text = NULL;
}

void elman_text_scan_move(elman_text_scan *scan, elman_text_place place)
{
    scan->file = place.file;
    scan->filled = place.offset;
    scan->begin = scan->end = 0;
}

elman_text_place elman_text_scan_place(const elman_text_scan *scan)
{
    elman_text_place place = {scan->filled - (scan->end - scan->begin), scan->file};
    return place;
}

/* Reads on behind the bytes that are not scanned yet. Adds none at the file's end. */
static elman_status fill(elman_text_scan *scan, elman_error *error)
{
    elman_text *text = scan->text;
    size_t left = scan->end - scan->begin, got;
    memmove(scan->buffer, scan->buffer + scan->begin, left);
    scan->begin = 0;
    scan->end = left;
    ELMAN_TRY(elman_source_read(&text->source, scan->file, scan->filled, scan->buffer + left,
                                scan->capacity - left, &got, error));
    scan->end += got;
    scan->filled += got;
    if (scan->sha != NULL && got > 0) {
        elman_sha256_add(scan->sha, scan->buffer + left, got);
        text->parts[scan->file].open_ended = scan->buffer[scan->end - 1] != '\n';
    }
    return ELMAN_OK;
}

static void next_file(elman_text_scan *scan)
{
    elman_text_place place = {0, scan->file + 1};
    if (scan->sha != NULL) {
        elman_sha256_end(scan->sha, scan->text->parts[scan->file].sha256);
        elman_sha256_begin(scan->sha);
    }
    elman_text_scan_move(scan, place);
}

static elman_status not_text(const elman_text_scan *scan, elman_error *error)
{
    const unsigned char *p = scan->buffer + scan->begin;
    const char *path = scan->text->source.files[scan->file].path;
    unsigned long long offset = elman_text_scan_place(scan).offset;
    if (p[0] == 0)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%s: byte %llu: a zero byte; expected text (level byte takes any file)",
                          path, offset);
    char bytes[16];
    elman_utf8_print_bytes(bytes, p, scan->end - scan->begin);
    return elman_fail(error, ELMAN_ERROR_FORMAT,
                      "%s: byte %llu: invalid UTF-8 (%s); expected UTF-8 text (level byte takes "
                      "any file)",
                      path, offset, bytes);
}

/* The code point at scan->begin, not consumed; *length 0: the file's end. */
static elman_status peek(elman_text_scan *scan, uint32_t *c, size_t *length, elman_error *error)
{
    int decoded = 0;
    if (scan->begin < scan->end)
        decoded = elman_utf8_decode(scan->buffer + scan->begin, scan->end - scan->begin, c);
    if (decoded == 0) {
        ELMAN_TRY(fill(scan, error));
        if (scan->begin == scan->end) {
            *length = 0;
            return ELMAN_OK;
        }
        decoded = elman_utf8_decode(scan->buffer + scan->begin, scan->end - scan->begin, c);
    }
    if (decoded <= 0 || *c == 0)
        return not_text(scan, error);
    *length = (size_t)decoded;
    return ELMAN_OK;
}

static elman_status next_byte(elman_text_scan *scan, elman_token *token, elman_error *error)
{
    while (scan->begin == scan->end) {
        ELMAN_TRY(fill(scan, error));
        if (scan->begin < scan->end)
            break;
        next_file(scan);
        if (scan->file == scan->text->source.count)
            return ELMAN_OK;
    }
    token->kind = ELMAN_TOKEN_VALUE;
    token->place = elman_text_scan_place(scan);
    token->value = scan->buffer[scan->begin++];
    return ELMAN_OK;
}

static elman_status next_char(elman_text_scan *scan, elman_token *token, elman_error *error)
{
    size_t length;
    for (;;) {
        ELMAN_TRY(peek(scan, &token->value, &length, error));
        if (length > 0)
            break;
        next_file(scan);
        if (scan->file == scan->text->source.count)
            return ELMAN_OK;
    }
    token->kind = ELMAN_TOKEN_VALUE;
    token->place = elman_text_scan_place(scan);
    scan->begin += length;
    return ELMAN_OK;
}

static elman_status rest_of_word(elman_text_scan *scan, elman_token *token, elman_error *error)
{
    for (;;) {
        uint32_t c;
        size_t length;
        ELMAN_TRY(peek(scan, &c, &length, error));
        if (length == 0 || elman_utf8_is_space(c))
            return ELMAN_OK;
        if (token->size + length > ELMAN_WORD_LIMIT)
            return elman_fail(error, ELMAN_ERROR_DATA,
                              "%s: byte %llu: a word longer than 1 MiB; expected words between "
                              "white space",
                              scan->text->source.files[scan->file].path,
                              (unsigned long long)token->place.offset);
        if (length <= scan->word_capacity - scan->kept) {
            memcpy(scan->word + scan->kept, scan->buffer + scan->begin, length);
            scan->kept += length;
        }
        token->size += length;
        scan->begin += length;
    }
}

static elman_status next_word(elman_text_scan *scan, elman_token *token, elman_error *error)
{
    for (;;) {
        uint32_t c;
        size_t length;
        ELMAN_TRY(peek(scan, &c, &length, error));
        token->place = elman_text_scan_place(scan);
        if (length == 0) {
            bool line_left = scan->text->parts[scan->file].open_ended;
            next_file(scan);
            if (line_left) {
                token->kind = ELMAN_TOKEN_END_OF_LINE;
                return ELMAN_OK;
            }
            if (scan->file == scan->text->source.count)
                return ELMAN_OK;
        } else if (!elman_utf8_is_space(c)) {
            token->kind = ELMAN_TOKEN_VALUE;
            scan->kept = 0;
            return rest_of_word(scan, token, error);
        } else {
            scan->begin += length;
            if (c == '\n') {
                token->kind = ELMAN_TOKEN_END_OF_LINE;
                return ELMAN_OK;
            }
        }
    }
}

elman_status elman_text_scan_next(elman_text_scan *scan, elman_token *token, elman_error *error)
{
    token->kind = ELMAN_TOKEN_NONE;
    token->size = 0;
    if (scan->file >= scan->text->source.count)
        return ELMAN_OK;
    if (scan->text->level == ELMAN_LEVEL_WORD)
        return next_word(scan, token, error);
    if (scan->text->level == ELMAN_LEVEL_CHAR)
        return next_char(scan, token, error);
    return next_byte(scan, token, error);
}

elman_status elman_text_scan_seek(elman_text_scan *scan, uint64_t number, elman_error *error)
{
    const elman_text *text = scan->text;
    elman_text_place end = {0, text->source.count};
    if (number >= text->tokens) {
        elman_text_scan_move(scan, end);
        return ELMAN_OK;
    }
    elman_text_scan_move(scan, text->index[number / text->interval]);
    for (uint64_t skip = number % text->interval; skip > 0; skip--) {
        elman_token token;
        ELMAN_TRY(elman_text_scan_next(scan, &token, error));
    }
    return ELMAN_OK;
}
