/* Sequences of vectors: sensor windows, video frames, rows of an image. */
#ifndef ELMAN_TASK_VECTORS_H
#define ELMAN_TASK_VECTORS_H

#include "elman/encoder.h"

typedef struct elman_vectors {
    elman_context *context;
    int64_t width; /* numbers a step, >= 1 */
    int64_t count, step_count;
    int64_t *starts; /* [count+1], in steps */
    float *values;   /* [step_count, width] */
    size_t starts_room, values_room;
} elman_vectors;

/* Takes no memory. */
void elman_vectors_init(elman_vectors *vectors, elman_context *context, int64_t width);
void elman_vectors_free(elman_vectors *vectors);
/* No sequences; the memory is kept. */
void elman_vectors_clear(elman_vectors *vectors);
/* Only the first `count` sequences. */
void elman_vectors_cut(elman_vectors *vectors, int64_t count);
/* A new sequence begins, which the steps that are added belong to. MEMORY. */
elman_status elman_vectors_begin(elman_vectors *vectors, elman_error *error);
/* step: [width]. */
elman_status elman_vectors_add(elman_vectors *vectors, const float *step, elman_error *error);
/* Steps of sequence i. */
int64_t elman_vectors_length(const elman_vectors *vectors, int64_t i);

/* Mean and deviation of each number over the steps of sequences [0, count), in double; a deviation
 * of 0 (or too small for a normal float) counts as 1. */
void elman_vectors_scale(const elman_vectors *vectors, int64_t count, float *mean,
                         float *deviation);

/* What training adds to standardised numbers: N(0, deviation^2), number f of step t of a sequence
 * by the random number of (seed; t*width + f, the sequence's number, pass). */
typedef struct elman_vector_noise {
    double deviation;
    uint64_t seed, pass;
} elman_vector_noise;

/* Fills *batch with the sequences numbers[0..n-1], in memory of the tape's round: (value - mean) /
 * deviation, by number [width]. false: the tape failed. */
bool elman_vectors_record(elman_tape *tape, const elman_vectors *vectors, const int64_t *numbers,
                          int64_t n, const float *mean, const float *deviation,
                          elman_encoder_batch *batch);
/* Adds the noise to a batch that was filled so. false: the tape failed. */
bool elman_vectors_disturb(elman_tape *tape, const int64_t *numbers, int64_t width,
                           const elman_vector_noise *noise, elman_encoder_batch *batch);

#endif
