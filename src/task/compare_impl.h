/* What the files of compare share. */
#ifndef ELMAN_TASK_COMPARE_IMPL_H
#define ELMAN_TASK_COMPARE_IMPL_H

#include "base/memory.h"
#include "elman/compare.h"

/* The most updates of a run. */
#define ELMAN_COMPARE_UPDATES INT64_C(1000000000000)

/* What is asked for; 0, 0: nothing. */
typedef struct elman_compare_budget {
    int64_t updates;
    double seconds;
} elman_compare_budget;

/* What is known of a variant before it is trained. */
typedef struct elman_compare_plan {
    elman_config config;    /* as asked, within the budget */
    elman_config_file file; /* as its config.json will be: what is auto is chosen; but its seed */
    int64_t own_updates;    /* what it would make without a budget */
    int64_t fit;            /* those that fit into the budget's time; 0: not known */
    bool before;            /* fit is what its runs were begun with */
    int64_t updates;        /* what it makes */
    int64_t parameters;
} elman_compare_plan;

typedef struct elman_compare_work {
    elman_context *context;
    const elman_compare_request *request;
    elman_compare_plan *plans; /* [variant_count] */
    elman_compare_run *runs;   /* [run_count] */
    int64_t run_count;
    elman_arena *arena; /* of what the comparison keeps */
    elman_comparison *comparison;
} elman_compare_work;

/* A copy in the comparison's memory; NULL when memory is out. */
const char *elman_compare_keep(elman_compare_work *work, const char *text);
void elman_compare_note(const elman_compare_request *request, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool elman_compare_stopped(const elman_compare_request *request);

/* Finds out what each variant is and how many updates it makes; nothing is written but the
 * output folder. */
elman_status elman_compare_prepare(elman_compare_work *work, elman_error *error);

/* The budget in updates: `asked` or, where that is 0, the least of the variants' own. */
int64_t elman_compare_least(int64_t asked, const int64_t *own, int count);
/* Updates that fit into `seconds`, of which a trial of the updates after its first `skipped` took
 * so long: at least 1. clock[i]: the seconds after update i + 1. */
int64_t elman_compare_fit(double seconds, const double *clock, int64_t count, int64_t skipped);

/* Trains a run, goes on with it, or takes what stands there: fills work->runs[number]. */
elman_status elman_compare_do_run(elman_compare_work *work, int64_t number, elman_error *error);

/* The budget that the run in a folder was begun with; 0, 0: its record does not say. */
elman_status elman_compare_budget_of(elman_context *context, const char *folder,
                                     elman_compare_budget *budget, elman_error *error);

elman_compare_statistic elman_compare_statistic_of(const double *values, int64_t count);
/* The lower of two; BEYOND is longest, UNMEASURED is left out. Reorders the list. */
int64_t elman_compare_median(int64_t *horizons, int64_t count);
/* Fills the summaries from the runs: names, updates and parameters stand already. */
elman_status elman_compare_summarise(elman_context *context, const elman_compare_run *runs,
                                     int64_t run_count, elman_compare_summary *summaries,
                                     int variant_count, elman_error *error);

#endif
