/* Records of JSON on a stream, written as they come. */
#ifndef ELMAN_CLI_JSON_OUT_H
#define ELMAN_CLI_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { CLI_JSON_DEPTH = 16 };

typedef struct cli_json {
    FILE *file;
    int depth;
    bool filled[CLI_JSON_DEPTH]; /* something stands at this depth already */
} cli_json;

void cli_json_begin(cli_json *json, FILE *file);
/* The line end. */
void cli_json_end(cli_json *json);

/* key: NULL within an array and at the top. */
void cli_json_open(cli_json *json, const char *key, char bracket); /* '{' or '[' */
void cli_json_close(cli_json *json, char bracket);                 /* '}' or ']' */
/* Bytes that are no UTF-8 become U+FFFD. */
void cli_json_text(cli_json *json, const char *key, const char *text);
void cli_json_text_of(cli_json *json, const char *key, const char *text, size_t size);
void cli_json_integer(cli_json *json, const char *key, int64_t value);
/* The shortest decimal that reads back the same; null for what is not finite. */
void cli_json_real(cli_json *json, const char *key, double value);
void cli_json_bool(cli_json *json, const char *key, bool value);

#endif
