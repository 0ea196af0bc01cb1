#include "task/forecast_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"

void elman_forecast_text_init(elman_forecast_text *text, elman_context *context)
{
    *text = (elman_forecast_text){.context = context};
}

void elman_forecast_text_free(elman_forecast_text *text)
{
    if (text->context)
        elman_release(text->context, text->bytes);
    *text = (elman_forecast_text){0};
}

void elman_forecast_text_clear(elman_forecast_text *text)
{
    text->used = 0;
}

static void put(elman_forecast_text *text, const char *bytes, size_t size)
{
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

void elman_forecast_text_put(elman_forecast_text *text, const char *piece)
{
    put(text, piece, strlen(piece));
}

void elman_forecast_text_cell(elman_forecast_text *text, const char *cell, char delimiter)
{
    char special[] = {'"', '\n', '\r', delimiter, 0};
    size_t size = strlen(cell);
    bool edges = size && (cell[0] == ' ' || cell[size - 1] == ' ');
    if (!edges && !cell[strcspn(cell, special)]) {
        put(text, cell, size);
        return;
    }
    put(text, "\"", 1);
    for (const char *at = cell; *at; at++) {
        if (*at == '"')
            put(text, "\"", 1);
        put(text, at, 1);
    }
    put(text, "\"", 1);
}

void elman_forecast_text_string(elman_forecast_text *text, const char *piece)
{
    put(text, "\"", 1);
    for (const char *at = piece; *at; at++) {
        char code[8];
        if ((unsigned char)*at < 0x20) {
            snprintf(code, sizeof code, "\\u%04x", (unsigned)(unsigned char)*at);
            elman_forecast_text_put(text, code);
            continue;
        }
        if (*at == '"' || *at == '\\')
            put(text, "\\", 1);
        put(text, at, 1);
    }
    put(text, "\"", 1);
}

/* x rounded to so many digits: a whole number over, or times, a power of ten that is exact. */
static double rounded(double x, int digits)
{
    double size = fabs(x), power = 1.0, below = 1.0;
    int up = 0, down = 0;
    while (size >= below * 10.0 && down < 22) {
        below *= 10.0;
        down++;
    }
    while (size * power < 1.0 && up < 22) {
        power *= 10.0;
        up++;
    }
    int places = digits - 1 - down + up; /* behind the point */
    if (!(size > 0.0) || up >= 22 || down >= 22 || places > 22 || places < -22)
        return x;
    power = 1.0;
    for (int i = 0; i < (places < 0 ? -places : places); i++)
        power *= 10.0;
    return places < 0 ? nearbyint(x / power) * power : nearbyint(x * power) / power;
}

void elman_forecast_text_number(elman_forecast_text *text, double value, int digits)
{
    char number[32];
    elman_print_real(number, rounded(value, digits));
    elman_forecast_text_put(text, number);
}
