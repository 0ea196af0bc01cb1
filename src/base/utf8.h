/* Strict UTF-8 (RFC 3629; Unicode 15, section 3.9, table 3-7): no overlong form,
 * no surrogate, nothing above U+10FFFF. */
#ifndef ELMAN_BASE_UTF8_H
#define ELMAN_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELMAN_REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* Decodes the code point that begins at p[0], of the n >= 1 bytes there.
 * > 0: its length; *code_point is set.
 *   0: the bytes are a proper beginning of one, but n is too short.
 * < 0: minus the length of the longest run that cannot be part of one (Unicode's
 *      "maximal subpart", which becomes a single U+FFFD); 1 to 3 bytes. */
int elman_utf8_decode(const unsigned char *p, size_t n, uint32_t *code_point);

/* Bytes (1..4) of the code point at the head of `left` bytes; 0 where none is whole
 * and valid. */
size_t elman_utf8_length(const char *text, size_t left);

bool elman_utf8_valid(const char *text, size_t size);

/* The most bytes of valid text, at most `limit`, that end between code points. */
size_t elman_utf8_cut(const char *text, size_t size, size_t limit);

/* Writes a code point (not a surrogate, at most 0x10FFFF) and returns its length. */
int elman_utf8_encode(uint32_t code_point, unsigned char out[4]);

/* Unicode's White_Space property (25 code points; stable since Unicode 6.3). */
bool elman_utf8_is_space(uint32_t code_point);

/* "E2 28 A1" : at most 4 of the n bytes in hexadecimal, for an error's line. */
void elman_utf8_print_bytes(char text[16], const unsigned char *p, size_t n);

#endif
