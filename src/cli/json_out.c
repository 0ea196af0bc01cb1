/* Strings escaped as RFC 8259 demands, numbers in their shortest exact form. */
#include "json_out.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

void cli_json_begin(cli_json *json, FILE *file)
{
    memset(json, 0, sizeof(*json));
    json->file = file;
}

void cli_json_end(cli_json *json)
{
    putc('\n', json->file);
}

static void put_string(FILE *file, const char *text, size_t size)
{
    putc('"', file);
    for (size_t i = 0; i < size;) {
        unsigned char c = (unsigned char)text[i];
        size_t length = cli_utf8_length(text + i, size - i);
        if (length == 0)
            fputs("\\ufffd", file);
        else if (c == '"' || c == '\\')
            fprintf(file, "\\%c", c);
        else if (c == '\n')
            fputs("\\n", file);
        else if (c == '\t')
            fputs("\\t", file);
        else if (c == '\r')
            fputs("\\r", file);
        else if (c < 0x20 || c == 0x7f)
            fprintf(file, "\\u%04x", c);
        else
            fwrite(text + i, 1, length, file);
        i += length > 0 ? length : 1;
    }
    putc('"', file);
}

static void begin_value(cli_json *json, const char *key)
{
    if (json->filled[json->depth])
        putc(',', json->file);
    json->filled[json->depth] = json->depth > 0;
    if (key != NULL) {
        put_string(json->file, key, strlen(key));
        putc(':', json->file);
    }
}

void cli_json_open(cli_json *json, const char *key, char bracket)
{
    begin_value(json, key);
    putc(bracket, json->file);
    json->filled[++json->depth] = false;
}

void cli_json_close(cli_json *json, char bracket)
{
    json->depth--;
    putc(bracket, json->file);
}

void cli_json_text_of(cli_json *json, const char *key, const char *text, size_t size)
{
    begin_value(json, key);
    put_string(json->file, text, size);
}

void cli_json_text(cli_json *json, const char *key, const char *text)
{
    cli_json_text_of(json, key, text, strlen(text));
}

void cli_json_integer(cli_json *json, const char *key, int64_t value)
{
    begin_value(json, key);
    fprintf(json->file, "%" PRId64, value);
}

/* LC_NUMERIC is "C" throughout the program: main sets LC_CTYPE alone. */
void cli_json_real(cli_json *json, const char *key, double value)
{
    char text[40];
    begin_value(json, key);
    if (!isfinite(value)) {
        fputs("null", json->file);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    fputs(text, json->file);
    if (strpbrk(text, ".en") == NULL)
        fputs(".0", json->file);
}

void cli_json_bool(cli_json *json, const char *key, bool value)
{
    begin_value(json, key);
    fputs(value ? "true" : "false", json->file);
}
