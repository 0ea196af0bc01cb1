/* Text that is built up to be written at once. */
#ifndef ELMAN_BASE_TEXT_BUFFER_H
#define ELMAN_BASE_TEXT_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "elman/context.h"

typedef struct elman_text_buffer {
    elman_context *context;
    char *bytes; /* [used], the text's until it is changed */
    size_t used, room;
    bool failed; /* memory was out; what is put is then dropped */
} elman_text_buffer;

/* Takes no memory; after the longest text it allocates nothing. */
void elman_text_buffer_init(elman_text_buffer *text, elman_context *context);
void elman_text_buffer_free(elman_text_buffer *text);
void elman_text_buffer_clear(elman_text_buffer *text);
void elman_text_buffer_add(elman_text_buffer *text, const char *bytes, size_t size);
void elman_text_buffer_put(elman_text_buffer *text, const char *piece);
/* As a cell of CSV: in quotes where it holds one, a line end or the delimiter. */
void elman_text_buffer_cell(elman_text_buffer *text, const char *cell, char delimiter);
/* As a string of JSON with its quotes. */
void elman_text_buffer_string(elman_text_buffer *text, const char *piece);
/* A number of at most `digits` significant digits, the same in every locale. */
void elman_text_buffer_number(elman_text_buffer *text, double value, int digits);

#endif
