/* What the reader and the writer of safetensors share. */
#ifndef ELMAN_FORMAT_DTYPE_H
#define ELMAN_FORMAT_DTYPE_H

#include <stdbool.h>
#include <stddef.h>

#include "elman/safetensors.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors data are little-endian, and handed on as they are"
#endif

#define ELMAN_SAFETENSORS_METADATA "__metadata__"

/* The dtype of that name; false where there is none. */
bool elman_dtype_parse(const char *name, elman_dtype *dtype);

/* The bytes of a tensor. False where they overflow; dimensions of 0 are passed over
 * there, so that every product of some of a shape's dimensions is safe as well. */
bool elman_dtype_total(elman_dtype dtype, int rank, const size_t *shape, size_t *bytes);

/* A name for an error, cut on a code point; returns text. */
const char *elman_name_show(const char *name, char text[96]);

#endif
