/* Variants of one network side by side: each is trained on the same data with several seeds within
 * an equal budget, and what came out is set against each other. What `elman compare` calls.
 *
 * Every run is an ordinary folder of a model, OUTPUT/NAME-seedN, that goes on where it was stopped:
 * the same request again trains only what is not finished. A run that diverges is a result. */
#ifndef ELMAN_COMPARE_H
#define ELMAN_COMPARE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "elman/config.h"
#include "elman/context.h"
#include "elman/metrics.h"
#include "elman/task.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ELMAN_COMPARE_NAME = 64, /* bytes of a variant's name, its zero byte included */
    ELMAN_COMPARE_VARIANTS = 64,
    ELMAN_COMPARE_SEEDS = 1000,
    ELMAN_COMPARE_BEYOND = -1,    /* a memory horizon beyond the lags that were measured */
    ELMAN_COMPARE_UNMEASURED = -2 /* the task has no such measurement, or nothing was trained */
};

typedef struct elman_compare_variant {
    const char *name;    /* letters, digits and . _ + - : it names folders */
    elman_config config; /* its seed is not read, and its max_steps and epochs only where no budget
                          * is given */
} elman_compare_variant;

typedef enum elman_compare_outcome {
    ELMAN_COMPARE_PENDING,  /* not run: the comparison was stopped or failed before it */
    ELMAN_COMPARE_FINISHED, /* all updates were made, or patience was at its end */
    ELMAN_COMPARE_SOLVED,   /* ended early because a validation reached what was aimed at */
    ELMAN_COMPARE_DIVERGED  /* a loss, gradient or weight that is not finite */
} elman_compare_outcome;

/* One validation. */
typedef struct elman_compare_point {
    int64_t step;
    double loss, value; /* value: of the task's own figure; NaN: it has none */
} elman_compare_point;

typedef struct elman_compare_run {
    const char *folder;
    int variant; /* number of it in the request */
    int64_t seed;
    elman_compare_outcome outcome;
    bool found;          /* it stood there, finished, before this comparison */
    const char *message; /* of a DIVERGED run: at which step what is not finite; else "" */
    int64_t steps;       /* updates made */
    double seconds;      /* of training, validations included; of all sittings together */
    double loss, value;  /* of the validation whose weights are kept; NaN: there is none */
    double score;        /* by which those weights are chosen, least is best: the task's */
    /* The longest memory horizon of its layers (elman/gradient_flow.h), in steps; or BEYOND,
     * UNMEASURED. `lags`: the greatest that was measured. */
    int64_t memory_before, memory_after, lags;
    const elman_compare_point *curve; /* [points] the validations, in order */
    int64_t points;
} elman_compare_run;

/* Of `count` numbers that are not NaN; all NaN where there are none. */
typedef struct elman_compare_statistic {
    int64_t count;
    double mean, least, most;
    double deviation; /* of the sample, over count - 1; NaN of fewer than two */
} elman_compare_statistic;

typedef struct elman_compare_summary {
    const char *name;
    int64_t runs, solved, diverged; /* runs: those that are not PENDING */
    int64_t updates;                /* the budget of each run */
    int64_t parameters;             /* trainable numbers */
    /* Over the runs that did not diverge; steps over those that solved the task. */
    elman_compare_statistic loss, value, score, steps, seconds;
    int64_t memory_before, memory_after; /* medians over the runs, the lower of two; BEYOND counts
                                          * as longest; UNMEASURED where no run has one */
    bool best;  /* first by these, each deciding where the one before does not: most solved, fewest
                 * diverged, fewest steps where all solved it and else least mean score, least mean
                 * loss */
    bool level; /* not the best, but solved and diverged as often, and its range of what decides
                 * overlaps with the best one's: more seeds might turn the order round */
} elman_compare_summary;

/* `elman_comparison comparison = {0};` is the empty one. */
typedef struct elman_comparison {
    const elman_compare_run *runs; /* [run_count] seed by seed, in each the variants in order */
    int64_t run_count;
    const elman_compare_summary *variants; /* [variant_count] in the order of the request */
    int variant_count;
    char metric[ELMAN_METRIC_NAME]; /* what `value` is; "": the task has nothing but the loss */
    bool solvable; /* a run can end early by what the task calls solved (--stop-at) */
    void *memory;
} elman_comparison;

ELMAN_API void elman_comparison_clear(elman_context *context, elman_comparison *comparison);

typedef enum elman_compare_event {
    ELMAN_COMPARE_NOTE,  /* `text` is one line for the user */
    ELMAN_COMPARE_BEGIN, /* a run begins or goes on */
    ELMAN_COMPARE_TRAIN, /* `train` is what its training says */
    ELMAN_COMPARE_END    /* `run` is its result */
} elman_compare_event;

typedef struct elman_compare_progress {
    elman_compare_event event;
    const char *text;
    int64_t number, runs; /* number: from 1 */
    const char *variant;
    int64_t seed;
    const elman_train_progress *train;
    const elman_compare_run *run;
    const char *metric; /* of an END: what run->value is; "": the task has nothing but the loss */
} elman_compare_progress;

typedef struct elman_compare_request {
    size_t size; /* sizeof(elman_compare_request), set by _default */
    const char *task;
    const elman_compare_variant *variants; /* [variant_count] names differ */
    int variant_count;
    const char *const *data; /* [data_count] as in elman_train_request */
    int data_count;
    int64_t seeds, first_seed; /* first_seed, first_seed + 1, …; default 3 from 0 */
    /* The budget of a run. updates 0 and seconds 0: the updates of that variant which asks for the
     * fewest. seconds: so many updates as fit into them by a short trial of the variant, made once
     * and kept; with both, the fewer. */
    int64_t updates;
    double seconds;
    int64_t lags; /* greatest lag of the memory horizon, at most ELMAN_FLOW_MOST_LAGS; 0: auto, as
                   * in elman_flow_options */
    const char *output; /* folder of the runs; made where it is not there */
    bool force;         /* trains anew what stands there */
    void (*progress)(void *user, const elman_compare_progress *progress); /* may be NULL */
    void *user;
    const volatile sig_atomic_t *stop; /* not 0: save and return INTERRUPTED; may be NULL */
} elman_compare_request;

ELMAN_API void elman_compare_request_default(elman_compare_request *request);

/* Trains what is not trained yet. *comparison, empty before, is the caller's, ended by
 * elman_comparison_clear; after a failure it holds the runs that were finished until then.
 * ARGUMENT: names, seeds or options, of each variant before any is trained; EXISTS: a run's folder
 * holds another training than the one asked for (the message names what differs); INTERRUPTED:
 * stopped and saved; and what elman_train answers but NUMERIC, which is an outcome. */
ELMAN_API elman_status elman_compare(elman_context *context, const elman_compare_request *request,
                                     elman_comparison *comparison, elman_error *error);

/* Draws the validation loss by updates into a file (.svg, .png), a colour a variant: its runs as
 * thin lines, their mean as a thick one. The table and gnuplot's script are kept beside it.
 * ARGUMENT: another ending; DATA: nothing was validated; IO: a file, or gnuplot is not there. */
ELMAN_API elman_status elman_comparison_plot(elman_context *context,
                                             const elman_comparison *comparison, const char *path,
                                             elman_error *error);
/* Whether elman_comparison_plot could draw into a file of that name: before hours are spent. */
ELMAN_API elman_status elman_comparison_plot_check(const char *path, elman_error *error);

#ifdef __cplusplus
}
#endif

#endif
