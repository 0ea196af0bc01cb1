/* Figures that peers made, kept as safetensors files under tests/golden. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include <stdbool.h>
#include <stdint.h>

#include "elman/tape.h"

typedef struct golden golden;

/* ELMAN_TEST_DATA "/FOLDER/FILE". NULL where this build can't read such files; where the file is
 * not there the program ends with an error. */
golden *golden_open(elman_context *context, const char *path);
void golden_close(golden *file);

/* The tensor PREFIX NAME of float32 values; rank 0 to 4. NULL where there is none. */
const elman_tensor *golden_find(golden *file, const char *prefix, const char *name);
/* The same of int32 values. */
const int32_t *golden_integers(golden *file, const char *prefix, const char *name);

/* Whether n values lie within k * 2^-23 * max(1, the largest expected) of the figures; says on
 * standard error what does not. false also where the number of elements differs or is 0. */
bool golden_near(golden *file, const char *prefix, const char *name, const float *got, int64_t n,
                 double k);

#endif
