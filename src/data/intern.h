/* Strings that are kept once each and have a number: 0, 1, 2, … in order of first appearance. */
#ifndef ELMAN_DATA_INTERN_H
#define ELMAN_DATA_INTERN_H

#include <stddef.h>
#include <stdint.h>

#include "data/hash.h"
#include "elman/context.h"

typedef struct elman_intern {
    elman_context *context;
    elman_hash_key key;
    char *text; /* the strings, a zero byte behind each */
    size_t text_used, text_room;
    size_t *offsets; /* [count] into text */
    int32_t count;
    size_t offsets_room;
    int32_t *slots; /* [slot_count], a power of two: a number, or -1 */
    size_t slot_count;
} elman_intern;

/* Takes no memory. */
void elman_intern_init(elman_intern *intern, elman_context *context);
void elman_intern_free(elman_intern *intern);
/* No strings; the memory is kept. */
void elman_intern_clear(elman_intern *intern);
/* The number of these bytes (no zero byte among them), which are new or not. Allocates only where
 * its memory grows. MEMORY; DATA: more than 2^31 - 2 strings. */
elman_status elman_intern_add(elman_intern *intern, const char *bytes, size_t size, int32_t *number,
                              elman_error *error);
/* -1: it is not there. */
int32_t elman_intern_find(const elman_intern *intern, const char *bytes, size_t size);
/* Zero-terminated, until the next add; number 0..count-1. size may be NULL. */
const char *elman_intern_text(const elman_intern *intern, int32_t number, size_t *size);

#endif
