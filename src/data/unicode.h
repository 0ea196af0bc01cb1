/* Unicode's properties, case folding and normalisation, by utf8proc. In a build without it every
 * status here is UNSUPPORTED, and a class is OTHER. */
#ifndef ELMAN_DATA_UNICODE_H
#define ELMAN_DATA_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elman/context.h"

typedef enum elman_unicode_class {
    ELMAN_UNICODE_OTHER,     /* visible: punctuation, symbols, pictures, unassigned */
    ELMAN_UNICODE_LETTER,    /* L* */
    ELMAN_UNICODE_DIGIT,     /* N* */
    ELMAN_UNICODE_MARK,      /* M*, and modifiers that join what is before them */
    ELMAN_UNICODE_IDEOGRAPH, /* Han and kana, which no space separates */
    ELMAN_UNICODE_SPACE,     /* White_Space, and controls */
    ELMAN_UNICODE_IGNORABLE  /* joiners, soft hyphen, variation selectors, ... */
} elman_unicode_class;

elman_unicode_class elman_unicode_class_of(uint32_t code_point);

/* Whether this build has utf8proc; UNSUPPORTED says what to do where not. */
elman_status elman_unicode_check(elman_error *error);

/* Most bytes of what _fold makes of `size` bytes; 0 where that overflows. */
size_t elman_unicode_fold_room(size_t size);
/* NFC of valid UTF-8, with `fold` after full case folding (Unicode 15, 3.13), without ignorable
 * code points, into `out` of elman_unicode_fold_room(size) bytes; `scratch` has room for as many
 * int32_t. Answers its bytes, or -1 where the text is not UTF-8 (or without utf8proc). */
ptrdiff_t elman_unicode_fold(const char *text, size_t size, bool fold, char *out, int32_t *scratch);

#endif
