/* Code points of UTF-8 (RFC 3629). */
#ifndef ELMAN_CLI_UTF8_H
#define ELMAN_CLI_UTF8_H

#include <stddef.h>

/* Bytes (1..4) of the code point at the head of `left` bytes; 0 where none is whole and valid. */
size_t cli_utf8_length(const char *text, size_t left);

#endif
