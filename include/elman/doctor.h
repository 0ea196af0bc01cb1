/* What is wrong with a training, or will be, before the hours are spent; and after one that stopped
 * because a number was not finite, where that number first stood and what made it so. Nothing is
 * written: what is trained here is trained in memory. docs/doctor.md explains each finding. */
#ifndef ELMAN_DOCTOR_H
#define ELMAN_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "elman/context.h"
#include "elman/task.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum elman_severity {
    ELMAN_SEVERITY_NOTE,    /* waste, or a figure that will mislead */
    ELMAN_SEVERITY_WARNING, /* the training will come to less than it could */
    ELMAN_SEVERITY_ERROR    /* the training will fail, or has failed */
} elman_severity;

/* "note", "warning", "error"; a static string. */
ELMAN_API const char *elman_severity_name(elman_severity severity);

enum { ELMAN_FINDING_REASON = 768, ELMAN_FINDING_VALUE = 64 };

typedef struct elman_finding {
    const char *code; /* stable, kebab-case: "lr-diverges"; a static string */
    elman_severity severity;
    double number;                     /* what was measured */
    double limit;                      /* what it was held against; NaN: nothing */
    char reason[ELMAN_FINDING_REASON]; /* one line: what was found, and what follows from it */
    const char *option;                /* to change, without dashes: "lr"; NULL: none would help */
    char value[ELMAN_FINDING_VALUE];   /* what to; empty of a flag, and where only looking helps */
} elman_finding;

/* What the training will take, measured; NaN and 0: not measured. */
typedef struct elman_expectation {
    int64_t parameters; /* trained numbers */
    int64_t steps;      /* updates in all */
    double seconds_per_step;
    double memory;        /* bytes while training: weights, gradients, optimiser, a batch */
    double guess_loss;    /* of a network that answers nothing */
    double entropy;       /* of the targets' distribution, nats: the loss of guessing by frequency;
                           * NaN: targets are numbers */
    double initial_loss;  /* of the untrained network on the same data as guess_loss */
    double trial_loss;    /* at the end of the trial, at the rate that is configured */
    double best_lr;       /* where the loss of the range test falls most steeply */
    double divergence_lr; /* where it has begun to rise for good; infinite: nowhere in the range */
    int64_t fit_updates;  /* updates after which one batch was learnt; -1: it was not */
    double fit_loss;      /* of that batch then */
} elman_expectation;

/* The learning-rate range test (Smith 2017, section 3.3): the rate grows from update to update. */
typedef struct elman_lr_point {
    double lr, loss,
        smooth; /* smooth: an exponential mean of the losses, its beginning corrected */
} elman_lr_point;

enum { ELMAN_FAULT_NAME = 64, ELMAN_FAULT_TEXT = 512 };

/* The first number that was not finite, in the order of computation: forwards operation by
 * operation, within a recurrent layer the forward direction first, step by step as it runs, within
 * a step by sequence (longest first, ties as given), gate and unit; then backwards in the opposite
 * order. */
typedef struct elman_fault {
    int64_t step;                     /* the update that met it, from 1; 0: there is none */
    int64_t batch;                    /* of the update, from 1 */
    bool backward;                    /* it is a gradient */
    char operation[ELMAN_FAULT_NAME]; /* "input product", "recurrent product", "linear", "update" …
                                       */
    char layer[ELMAN_FAULT_NAME];     /* "rnn.l0", "rnn.l1_reverse", "output"; empty: of none */
    const char *gate; /* "i" "f" "g" "o"; "r" "z" "n"; "h": an RNN's; "c": the cell; NULL: none. Of
                       * a gradient of the state the gate through whose weight it came */
    int64_t unit;     /* of the layer, or the column of the value; -1: none */
    int64_t sequence; /* its number in the data, from 0, or its stream; -1: none */
    int64_t time;     /* absolute step of the sequence, from 0; -1: none */
    char sample[ELMAN_FAULT_NAME * 2]; /* both as a person says it */
    double value;                      /* infinite or NaN */
    char fed[ELMAN_FAULT_TEXT];        /* what went into it: the term that left the finite numbers,
                                        * and the largest input, state and weight, by their places */
} elman_fault;

/* `elman_diagnosis d = {0};` is the empty one; what fills it is given back by
 * elman_diagnosis_clear. */
typedef struct elman_diagnosis {
    elman_finding *findings; /* [count], the most severe first */
    int64_t count;
    elman_expectation expects; /* of elman_doctor_request only */
    elman_lr_point *range;     /* [range_count] */
    int64_t range_count;
    double configured_lr; /* the rate of the run, as it was chosen where it was auto */
    int64_t replayed_from, replayed_to; /* of elman_doctor_model: updates done at the checkpoint and
                                         * at the end of the replay; -1: nothing to replay */
    elman_fault fault;                  /* of finding "not-finite" */
    void *memory;
} elman_diagnosis;

ELMAN_API void elman_diagnosis_clear(elman_context *context, elman_diagnosis *diagnosis);

typedef struct elman_doctor_options {
    size_t size;     /* sizeof(elman_doctor_options), set by _default */
    int64_t updates; /* of the trial, default 60; the range test has half as many again, the test on
                      * one batch at most five times as many. 0: nothing is trained */
    double memory;   /* bytes of the machine that will train; 0: this one's */
    const volatile sig_atomic_t *stop; /* not 0: return INTERRUPTED; may be NULL */
} elman_doctor_options;

ELMAN_API void elman_doctor_options_default(elman_doctor_options *options);

/* Before a training: what elman_train would do with this request (output is not read), looked over
 * and tried in memory. options may be NULL. The diagnosis depends on data, configuration and seed
 * alone, but for seconds and memory. An error is what elman_train would have answered at once, or
 * INTERRUPTED. */
ELMAN_API elman_status elman_doctor_request(elman_context *context,
                                            const elman_train_request *request,
                                            const elman_doctor_options *options,
                                            elman_diagnosis *diagnosis, elman_error *error);

/* After a training: replays MODEL from its checkpoint, update for update with the same bits, to
 * where the next checkpoint would stand (or to the end), and says where the first number that is
 * not finite stood: finding "not-finite", and "weights-not-finite" where one stands in the
 * checkpoint itself. Without a checkpoint it begins where the training began. Takes no lock: it
 * works beside a training that runs. The errors of resuming: DATA: the data have changed; FORMAT; …
 */
ELMAN_API elman_status elman_doctor_model(elman_context *context, const char *folder,
                                          const elman_doctor_options *options,
                                          elman_diagnosis *diagnosis, elman_error *error);

/* Draws the range test into an .svg or .png by gnuplot, whose table and script are kept
 * beside it. ARGUMENT: another ending, or there was no test; IO: also where gnuplot is not there.
 */
ELMAN_API elman_status elman_diagnosis_plot(elman_context *context,
                                            const elman_diagnosis *diagnosis, const char *path,
                                            elman_error *error);
ELMAN_API elman_status elman_diagnosis_plot_check(const char *path, elman_error *error);

#ifdef __cplusplus
}
#endif

#endif
