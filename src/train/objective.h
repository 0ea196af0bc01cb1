/* What a task gives to the training loop. One struct a task; the loop knows nothing of data. */
#ifndef ELMAN_TRAIN_OBJECTIVE_H
#define ELMAN_TRAIN_OBJECTIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "elman/layer.h"
#include "elman/safetensors.h"
#include "elman/tape.h"
#include "train/survey.h"

/* One batch as recorded on the tape. */
typedef struct elman_objective_batch {
    elman_var *loss; /* what backward starts from */
    double sum;      /* nats, unscaled */
    uint64_t count;  /* predictions in it */
    bool ends_epoch;
} elman_objective_batch;

/* What the validation part says. */
typedef struct elman_validation {
    double loss;        /* nats, or what the task's loss is, a prediction; dropout off */
    uint64_t count;     /* predictions; 0: there is no validation part */
    const char *metric; /* the task's own figure, such as "accuracy"; NULL: none but the loss */
    double value;       /* of the metric */
    double score;       /* what the best weights have least of; of equal ones the loss decides */
    bool reached;       /* what was aimed at: training ends with this validation */
} elman_validation;

/* Sequences for a measurement of the gradient through time. */
typedef struct elman_flow_wish {
    int64_t first, count, of; /* samples first..first+count-1 of `of` */
    int64_t lags; /* steps wanted before that of the loss, where the data have them; 0: the task
                   * knows how many are of use */
    float scale;  /* of the loss */
} elman_flow_wish;

/* Where sample i of `of` stands among n examples or places of the training part, spread evenly over
 * it; where n is less than `of` each is one sample. -1: there is no such sample. */
static inline int64_t elman_flow_place(int64_t i, int64_t of, int64_t n)
{
    of = n < of ? n : of;
    return i < of ? (int64_t)((double)(2 * i + 1) / (double)(2 * of) * (double)n) : -1;
}

/* What was recorded. */
typedef struct elman_flow_batch {
    elman_var *loss; /* scale * sum over the sequences of the loss of one step each */
    double sum;      /* unscaled */
    int64_t count;   /* sequences */
    const elman_sequences *sequences; /* of the recurrent layers that are looked at; NULL: of those
                                       * named rnn */
    const int64_t *steps; /* [count], as given: the step of each sequence's loss; NULL: its last */
} elman_flow_batch;

/* Some steps of a stretch of parallel streams, for a measurement of what truncation loses. */
typedef struct elman_stretch {
    int64_t length;
    int64_t begin, steps; /* at begin = 0 the state is zero, else as the steps before left it */
} elman_stretch;

typedef struct elman_objective {
    void *self;
    elman_parameters *parameters;
    int64_t batches; /* in an epoch */
    int64_t batch_steps,
        flow_steps;   /* what a batch and one sample of a flow cost beside each other:
                       * recurrent steps, or sequences where those are alike */
    const char *unit; /* what a batch's count counts: "tokens"; a static string */

    /* Takes the next batch and records its loss; the loop has begun the round. A data error
     * leaves everything as it was. */
    elman_status (*record)(void *self, elman_tape *tape, elman_objective_batch *batch,
                           elman_error *error);
    /* Measures the validation part. `stop` as in elman_train_request: INTERRUPTED. */
    elman_status (*validate)(void *self, elman_tape *tape, elman_validation *validation,
                             elman_error *error);
    /* Writes the weights for use to a path, whole or not at all. */
    elman_status (*write)(void *self, const char *path, elman_error *error);

    /* Records samples for a measurement of the gradient (train/gradient_flow.h), dropout off; the
     * caller has begun the round. Touches nothing that training goes by. It may take fewer samples
     * than wished, at least one; count is 0 beyond the last. NULL: the task has none. */
    elman_status (*flow)(void *self, elman_tape *tape, const elman_flow_wish *wish,
                         elman_flow_batch *batch, elman_error *error);

    /* Counts what the data hold; ended by elman_survey_clear, also after a failure. NULL: the task
     * has no data to speak of. */
    elman_status (*survey)(void *self, elman_survey *survey, elman_error *error);
    /* What a person calls class `target`; text [capacity]. NULL where classes are 0. */
    void (*target_name)(void *self, int64_t target, char *text, size_t capacity);
    /* The same of the sequence with this number (elman_sequences) and its step of absolute time. */
    void (*sample_name)(void *self, uint32_t number, int64_t time, char *text, size_t capacity);
    /* Records steps [begin, begin+steps) of a fixed stretch of the training part; the loss is their
     * share of the mean over the stretch, dropout off. Touches nothing that training goes by. NULL:
     * the task does not cut its sequences. */
    elman_status (*stretch)(void *self, elman_tape *tape, const elman_stretch *stretch,
                            elman_var **loss, elman_error *error);
    /* The longest stretch there is. */
    int64_t (*longest)(void *self);

    /* For the checkpoint: the tensors that are carried from batch to batch, added once (their
     * memory is read at each checkpoint), and whatever must be brought up to date before one
     * is written. restore is given the file and takes its own back (FORMAT where they are not
     * what was added). */
    elman_status (*remember)(void *self, elman_safetensors_writer *writer, elman_error *error);
    void (*prepare)(void *self);
    elman_status (*restore)(void *self, const elman_safetensors *file, elman_error *error);
} elman_objective;

#endif
