/* The examples of the built-in probes: what they show, what they ask, and what guessing costs.
 *
 *   adding (Hochreiter & Schmidhuber 1997, experiment 4; in the form of Le, Jaitly & Hinton 2015
 *       and Arjovsky, Shah & Bengio 2016): T = lag steps of two numbers, a value in U(0,1) and a
 *       mark, which is 1 at one step of the first half and at one of the second and 0 elsewhere.
 *       Asked at the end: the sum of the two marked values. Guessing 1 costs its variance, 1/6.
 *   copy (Arjovsky et al. 2016, section 5.1): T = lag + 20 steps of one of ten symbols, one number
 *       each: ten of the symbols 0..7, lag - 1 blanks (8), the marker (9), ten blanks. Asked:
 * blanks up to and with the marker, then the ten symbols; a step of nine classes. Blanks, and
 * guesses among eight, cost 10 ln 8 / (lag + 20) nats a step. parity: T = lag steps of one bit, -1
 * or 1. Asked at the end: whether the ones are odd in number. Guessing costs ln 2 nats.
 *   linear-recurrence: T = lag steps of one number x_t in U(-sqrt 3, sqrt 3), whose variance is 1.
 *       Asked at the end: y_T of y_t = a y_(t-1) + b x_t, y_0 = 0, where a = 1 - 1/L for the lag L
 *       of the training (its greatest), so that what stood L steps back still counts 1/e, and
 *       b^2 = (1 - a^2) / (1 - a^(2L)). Guessing 0 costs the variance of y_T, which is 1 at T = L
 *       and (1 - a^(2T)) / (1 - a^(2L)) elsewhere. */
#ifndef ELMAN_TASK_PROBE_DATA_H
#define ELMAN_TASK_PROBE_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include "elman/config.h"

enum {
    ELMAN_PROBE_RECALLED = 10, /* symbols to copy */
    ELMAN_PROBE_SYMBOLS = 8,   /* that they are drawn from */
    ELMAN_PROBE_LONGEST = 1000000
};

typedef struct elman_probe_task {
    elman_probe kind;
    int64_t first,
        last;           /* lags: of the first update, and of the last; equal without a curriculum */
    double decay, gain; /* a and b of the linear recurrence */
} elman_probe_task;

/* Of config's probe and lag. ARGUMENT: a lag that is none, or that the task cannot have. */
elman_status elman_probe_task_of(const elman_config *config, elman_probe_task *task,
                                 elman_error *error);
/* Whether a lag of its own, as of an evaluation, fits the task. ARGUMENT: it does not. */
elman_status elman_probe_check_lag(const elman_probe_task *task, int64_t lag, elman_error *error);

/* T, and numbers a step read and answered. */
int64_t elman_probe_steps(const elman_probe_task *task, int64_t lag);
int64_t elman_probe_inputs(const elman_probe_task *task);
int64_t elman_probe_outputs(const elman_probe_task *task);
/* Whether a class is asked for at each step, rather than a number at the last. */
bool elman_probe_each_step(const elman_probe_task *task);

/* The loss of whoever knows the task and not the sequence. */
double elman_probe_guess(const elman_probe_task *task, int64_t lag);
/* Which lag update u = `update` of S = `updates` has: in the first three quarters, R = S -
 * floor(S/4), it is first + floor((last - first) (u/R)^2), in double; then last. */
int64_t elman_probe_lag_at(const elman_probe_task *task, int64_t update, int64_t updates);

/* Each stream has examples 0, 1, … that are a function of seed, stream, number and lag. */
typedef enum elman_probe_stream {
    ELMAN_PROBE_TRAIN,
    ELMAN_PROBE_VALID,
    ELMAN_PROBE_FLOW
} elman_probe_stream;

typedef struct elman_probe_draw {
    uint64_t seed;
    elman_probe_stream stream;
    uint64_t first; /* number of the first example */
    int64_t count;  /* B */
    int64_t lag;
} elman_probe_draw;

/* Fills inputs [T,B,inputs] and what is asked: numbers [B], or where each step is asked classes
 * [T,B]; the other may be NULL. Word w of an example is word w mod 4 of philox(seed; w/4, number
 * low, number high, use and stream). */
void elman_probe_examples(const elman_probe_task *task, const elman_probe_draw *draw, float *inputs,
                          float *numbers, int32_t *classes);

#endif
