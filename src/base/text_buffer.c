#include "base/text_buffer.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"

void elman_text_buffer_init(elman_text_buffer *text, elman_context *context)
{
    *text = (elman_text_buffer){.context = context};
}

void elman_text_buffer_free(elman_text_buffer *text)
{
    if (text->context)
        elman_release(text->context, text->bytes);
    *text = (elman_text_buffer){0};
}

void elman_text_buffer_clear(elman_text_buffer *text)
{
    text->used = 0;
}

void elman_text_buffer_add(elman_text_buffer *text, const char *bytes, size_t size)
{
    if (!size)
        return;
    char *grown = text->failed
                      ? NULL
                      : elman_grown(text->context, text->bytes, text->used, &text->room, size, 1);
    if (!grown) {
        text->failed = true;
        return;
    }
    text->bytes = grown;
    memcpy(grown + text->used, bytes, size);
    text->used += size;
}

void elman_text_buffer_put(elman_text_buffer *text, const char *piece)
{
    elman_text_buffer_add(text, piece, strlen(piece));
}

void elman_text_buffer_cell(elman_text_buffer *text, const char *cell, char delimiter)
{
    char special[] = {'"', '\n', '\r', delimiter, 0};
    size_t size = strlen(cell);
    bool edges = size && (cell[0] == ' ' || cell[size - 1] == ' ');
    if (!edges && !cell[strcspn(cell, special)]) {
        elman_text_buffer_add(text, cell, size);
        return;
    }
    elman_text_buffer_add(text, "\"", 1);
    for (const char *at = cell; *at; at++) {
        if (*at == '"')
            elman_text_buffer_add(text, "\"", 1);
        elman_text_buffer_add(text, at, 1);
    }
    elman_text_buffer_add(text, "\"", 1);
}

void elman_text_buffer_string(elman_text_buffer *text, const char *piece)
{
    elman_text_buffer_add(text, "\"", 1);
    for (const char *at = piece; *at; at++) {
        char code[8];
        if ((unsigned char)*at < 0x20) {
            snprintf(code, sizeof code, "\\u%04x", (unsigned)(unsigned char)*at);
            elman_text_buffer_put(text, code);
            continue;
        }
        if (*at == '"' || *at == '\\')
            elman_text_buffer_add(text, "\\", 1);
        elman_text_buffer_add(text, at, 1);
    }
    elman_text_buffer_add(text, "\"", 1);
}

void elman_text_buffer_number(elman_text_buffer *text, double value, int digits)
{
    char number[32];
    elman_print_rounded(number, value, digits);
    elman_text_buffer_put(text, number);
}
