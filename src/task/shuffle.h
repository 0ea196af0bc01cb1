/* The order in which examples are trained on, and where in it a run stands. */
#ifndef ELMAN_TASK_SHUFFLE_H
#define ELMAN_TASK_SHUFFLE_H

#include <stdbool.h>
#include <stdint.h>

#include "elman/safetensors.h"

typedef struct elman_shuffle elman_shuffle;

/* Examples 0..count-1 in batches of `batch`, a new order each epoch, a function of seed and epoch.
 * lengths (may be NULL; the caller's, which outlives the shuffle): examples of like length come
 * together: the order is cut into stretches of 32 batches, each sorted by length, longest first,
 * and the batches are put in an order of their own. MEMORY. */
elman_status elman_shuffle_create(elman_context *context, int64_t count, int64_t batch,
                                  uint64_t seed, const int64_t *lengths, elman_shuffle **shuffle,
                                  elman_error *error);
void elman_shuffle_free(elman_shuffle *shuffle);

/* ceil(count / batch): in an epoch. */
int64_t elman_shuffle_batches(const elman_shuffle *shuffle);
/* The next batch: *numbers[*n], valid until the next call; allocates nothing. */
void elman_shuffle_next(elman_shuffle *shuffle, const int64_t **numbers, int64_t *n,
                        bool *ends_epoch);

/* For an objective's remember and restore: state.place, the epoch and the batch of the next. */
elman_status elman_shuffle_remember(elman_shuffle *shuffle, elman_safetensors_writer *writer,
                                    elman_error *error);
elman_status elman_shuffle_restore(elman_shuffle *shuffle, const elman_safetensors *file,
                                   elman_error *error);

#endif
