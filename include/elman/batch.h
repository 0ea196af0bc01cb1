/* Batches of a language model: B streams that run in parallel through a text.
 *
 * The tokens [first, end) are cut into B stretches of n = (end - first - 1) / B
 * tokens, the remainder dropped; stream b reads the inputs first + b*n + [0, n), and
 * the target of each is the token after it. State is carried from a batch to the
 * next, so that stream b sees its stretch as one sequence (Zaremba et al. 2014;
 * "batchify" of PyTorch's word language model, which cuts floor((end - first) / B)
 * and so never predicts the first token of a later stretch; here the last target of
 * a stretch is the next one's first input). */
#ifndef ELMAN_BATCH_H
#define ELMAN_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "elman/text.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct elman_stream_batches elman_stream_batches;

typedef struct elman_stream_batch {
    const int32_t *inputs;  /* ids [steps,B], time-major; valid until the next call */
    const int32_t *targets; /* ids [steps,B] */
    int steps;              /* T, or fewer in the last batch of an epoch */
    uint64_t epoch;         /* 0 for the first pass through the text */
    uint64_t position;      /* of its first step in each stream, 0..n-1; 0: the state begins anew */
    bool ends_epoch;        /* the next batch is the first of the next epoch */
} elman_stream_batch;

/* Streams over the tokens [first, end) of a text, B >= 1 of them, T >= 1 steps a
 * batch. text and vocabulary outlive the batches, which are the caller's, to be
 * ended by elman_stream_batches_free. All memory is taken here: 8*T*B bytes, and a
 * buffer of 4 to 64 KiB a stream.
 * ARGUMENT: as elman_text_reader_open, B or T out of bounds; DATA: fewer than B + 1
 * tokens; MEMORY; IO. */
ELMAN_API elman_status elman_stream_batches_create(elman_text *text,
                                                   const elman_vocabulary *vocabulary,
                                                   uint64_t first, uint64_t end, int B, int T,
                                                   elman_stream_batches **batches,
                                                   elman_error *error);
/* NULL is fine. */
ELMAN_API void elman_stream_batches_free(elman_stream_batches *batches);

/* n: tokens of each stream, which is also its predictions in an epoch. */
ELMAN_API uint64_t elman_stream_batches_length(const elman_stream_batches *batches);
/* ceil(n / T): batches in an epoch. */
ELMAN_API uint64_t elman_stream_batches_count(const elman_stream_batches *batches);

/* The next batch; epochs follow each other without end. Allocates nothing. DATA and
 * IO as elman_text_reader_read; after a failure the same batch is tried again. */
ELMAN_API elman_status elman_stream_batches_next(elman_stream_batches *batches,
                                                 elman_stream_batch *batch, elman_error *error);

/* Where the next batch begins, to be kept in a checkpoint. */
ELMAN_API void elman_stream_batches_tell(const elman_stream_batches *batches, uint64_t *epoch,
                                         uint64_t *position);
/* Goes on from there: position < n, a multiple of T. ARGUMENT otherwise; IO. */
ELMAN_API elman_status elman_stream_batches_seek(elman_stream_batches *batches, uint64_t epoch,
                                                 uint64_t position, elman_error *error);

#ifdef __cplusplus
}
#endif

#endif
