#include "task/probe_data.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/number.h"
#include "base/philox.h"

enum { BLANK = ELMAN_PROBE_SYMBOLS, MARKER, ALPHABET };

static const double ln2 = 0.69314718055994530942;

/* --- lags --------------------------------------------------------------------------------- */

static bool parse_lag(const char *text, size_t size, int64_t *lag)
{
    char number[24];
    if (size == 0 || size >= sizeof number)
        return false;
    memcpy(number, text, size);
    number[size] = 0;
    return elman_parse_integer(number, lag) && *lag >= 1 && *lag <= ELMAN_PROBE_LONGEST;
}

static bool parse_lags(const char *text, int64_t *first, int64_t *last)
{
    const char *dots = strstr(text, "..");
    if (!parse_lag(text, dots ? (size_t)(dots - text) : strlen(text), first))
        return false;
    *last = *first;
    return !dots || (parse_lag(dots + 2, strlen(dots + 2), last) && *first <= *last);
}

/* base^exponent by products in order: the same bits everywhere. */
static double power(double base, int64_t exponent)
{
    double result = 1.0;
    for (int64_t i = 0; i < exponent && result > 0.0; i++)
        result *= base;
    return result;
}

elman_status elman_probe_check_lag(const elman_probe_task *task, int64_t lag, elman_error *error)
{
    int64_t least = task->kind == ELMAN_PROBE_ADDING ? 2 : 1; /* two halves */
    if (lag >= least && lag <= ELMAN_PROBE_LONGEST)
        return ELMAN_OK;
    return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                      "lag: found %" PRId64 ", expected %" PRId64 " to %d steps", lag, least,
                      (int)ELMAN_PROBE_LONGEST);
}

elman_status elman_probe_task_of(const elman_config *config, elman_probe_task *task,
                                 elman_error *error)
{
    *task = (elman_probe_task){.kind = (elman_probe)config->probe};
    if (!parse_lags(config->lag, &task->first, &task->last))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "lag: found %s, expected a number of steps from 1 to %d, or N..M, N no "
                          "greater than M",
                          config->lag[0] ? config->lag : "none", (int)ELMAN_PROBE_LONGEST);
    ELMAN_TRY(elman_probe_check_lag(task, task->first, error));
    double a = 1.0 - 1.0 / (double)task->last;
    task->decay = a;
    task->gain = sqrt((1.0 - a * a) / (1.0 - power(a * a, task->last)));
    return ELMAN_OK;
}

/* The square lingers where the lag is short and every step more is a great deal: parity over 2..100
 * within 3,000 or 6,000 updates was learnt in 7 of 8 runs, with even growth in 3. */
int64_t elman_probe_lag_at(const elman_probe_task *task, int64_t update, int64_t updates)
{
    int64_t ramp = updates - updates / 4;
    if (update >= ramp)
        return task->last;
    double share = (double)update / (double)ramp;
    return task->first + (int64_t)((double)(task->last - task->first) * (share * share));
}

/* --- shapes and guesses ------------------------------------------------------------------- */

bool elman_probe_each_step(const elman_probe_task *task)
{
    return task->kind == ELMAN_PROBE_COPY;
}

int64_t elman_probe_steps(const elman_probe_task *task, int64_t lag)
{
    return task->kind == ELMAN_PROBE_COPY ? lag + 2 * ELMAN_PROBE_RECALLED : lag;
}

int64_t elman_probe_inputs(const elman_probe_task *task)
{
    return task->kind == ELMAN_PROBE_ADDING ? 2 : task->kind == ELMAN_PROBE_COPY ? ALPHABET : 1;
}

int64_t elman_probe_outputs(const elman_probe_task *task)
{
    return task->kind == ELMAN_PROBE_COPY ? BLANK + 1 : 1; /* the marker is never answered */
}

double elman_probe_guess(const elman_probe_task *task, int64_t lag)
{
    double a2 = task->decay * task->decay;
    switch (task->kind) {
    case ELMAN_PROBE_ADDING:
        return 1.0 / 6.0;
    case ELMAN_PROBE_COPY:
        return ELMAN_PROBE_RECALLED * 3.0 * ln2 / (double)elman_probe_steps(task, lag);
    case ELMAN_PROBE_PARITY:
        return ln2;
    case ELMAN_PROBE_LINEAR_RECURRENCE:
        return (1.0 - power(a2, lag)) / (1.0 - power(a2, task->last));
    }
    return 0.0;
}

/* --- examples ----------------------------------------------------------------------------- */

/* The words of one example. */
typedef struct words {
    uint64_t seed;
    uint32_t counter[4], block[4];
} words;

static void begin(words *w, const elman_probe_draw *draw, uint64_t number)
{
    *w = (words){.seed = draw->seed};
    w->counter[0] = UINT32_MAX;
    w->counter[1] = (uint32_t)number;
    w->counter[2] = (uint32_t)(number >> 32);
    w->counter[3] = elman_philox_use(ELMAN_USE_PROBE, (uint64_t)draw->stream);
}

static uint32_t word(words *w, int64_t i)
{
    uint32_t block = (uint32_t)(i / 4);
    if (block != w->counter[0]) {
        w->counter[0] = block;
        elman_philox(w->seed, w->counter, w->block);
    }
    return w->block[i % 4];
}

/* 0..n-1 */
static int64_t choose(words *w, int64_t i, int64_t n)
{
    return (int64_t)(((uint64_t)word(w, i) * (uint64_t)n) >> 32);
}

/* x: the first of the example's numbers; a step's stand `step` numbers apart. */
static float adding(words *w, int64_t T, float *x, size_t step)
{
    int64_t half = T / 2;
    int64_t marked[2] = {choose(w, 0, half), half + choose(w, 1, T - half)};
    for (int64_t t = 0; t < T; t++) {
        x[(size_t)t * step] = elman_uniform(word(w, 4 + t));
        x[(size_t)t * step + 1] = t == marked[0] || t == marked[1] ? 1.0F : 0.0F;
    }
    return x[(size_t)marked[0] * step] + x[(size_t)marked[1] * step];
}

static float parity(words *w, int64_t T, float *x, size_t step)
{
    uint32_t odd = 0;
    for (int64_t t = 0; t < T; t++) {
        uint32_t bit = word(w, t / 32) >> (t % 32) & 1;
        odd ^= bit;
        x[(size_t)t * step] = bit ? 1.0F : -1.0F;
    }
    return (float)odd;
}

static float linear_recurrence(words *w, const elman_probe_task *task, int64_t T, float *x,
                               size_t step)
{
    const float root3 = 1.7320508F;
    double y = 0.0;
    for (int64_t t = 0; t < T; t++) {
        float drawn = (2.0F * elman_uniform(word(w, t)) - 1.0F) * root3;
        x[(size_t)t * step] = drawn;
        y = task->decay * y + task->gain * (double)drawn;
    }
    return (float)y;
}

/* classes: the example's first; a step's stand `apart` from each other. */
static void copy(words *w, int64_t lag, float *x, size_t step, int32_t *classes, size_t apart)
{
    size_t T = (size_t)lag + 2 * ELMAN_PROBE_RECALLED, answer = T - ELMAN_PROBE_RECALLED;
    for (size_t t = 0; t < T; t++) {
        size_t symbol = t + 1 == answer ? MARKER : BLANK;
        if (t < ELMAN_PROBE_RECALLED) {
            symbol = word(w, (int64_t)t) >> 29;
            classes[(answer + t) * apart] = (int32_t)symbol;
        }
        if (t < answer)
            classes[t * apart] = BLANK;
        for (size_t s = 0; s < ALPHABET; s++)
            x[t * step + s] = s == symbol ? 1.0F : 0.0F;
    }
}

void elman_probe_examples(const elman_probe_task *task, const elman_probe_draw *draw, float *inputs,
                          float *numbers, int32_t *classes)
{
    size_t B = (size_t)draw->count, I = (size_t)elman_probe_inputs(task), step = B * I;
    for (size_t b = 0; b < B; b++) {
        words w;
        float *x = inputs + b * I;
        begin(&w, draw, draw->first + b);
        switch (task->kind) {
        case ELMAN_PROBE_ADDING:
            numbers[b] = adding(&w, draw->lag, x, step);
            break;
        case ELMAN_PROBE_COPY:
            copy(&w, draw->lag, x, step, classes + b, B);
            break;
        case ELMAN_PROBE_PARITY:
            numbers[b] = parity(&w, draw->lag, x, step);
            break;
        case ELMAN_PROBE_LINEAR_RECURRENCE:
            numbers[b] = linear_recurrence(&w, task, draw->lag, x, step);
            break;
        }
    }
}
