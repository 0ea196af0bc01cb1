/* What training does to what is read, so that no answer hangs on one word or one number. */
#ifndef ELMAN_TASK_DISTURB_H
#define ELMAN_TASK_DISTURB_H

#include "elman/config.h"
#include "task/sentences.h"
#include "task/vectors.h"

typedef struct elman_disturbance {
    elman_word_dropout words;
    elman_vector_noise noise;
} elman_disturbance;

/* As config asks, in a pass. vocabulary: NULL where vectors are read. */
static inline elman_disturbance
elman_disturbance_of(const elman_config *config, const elman_vocabulary *vocabulary, uint64_t pass)
{
    uint64_t seed = (uint64_t)config->seed;
    return (elman_disturbance){
        .words = {.probability = config->word_dropout,
                  .seed = seed,
                  .pass = pass,
                  .unknown = vocabulary ? elman_vocabulary_unknown(vocabulary) : 0},
        .noise = {.deviation = config->noise, .seed = seed, .pass = pass}};
}

#endif
