/* elman_compare: the runs in their order, and what they come to. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "elman/gradient_flow.h"
#include "task/compare_impl.h"
#include "task/task_impl.h"

void elman_compare_request_default(elman_compare_request *request)
{
    *request = (elman_compare_request){.size = sizeof *request, .seeds = 3};
}

void elman_compare_note(const elman_compare_request *request, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    if (!request->progress)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    elman_compare_progress note = {.event = ELMAN_COMPARE_NOTE, .text = line};
    request->progress(request->user, &note);
}

bool elman_compare_stopped(const elman_compare_request *request)
{
    return request->stop && *request->stop;
}

const char *elman_compare_keep(elman_compare_work *work, const char *text)
{
    size_t size = strlen(text) + 1;
    char *kept = elman_arena_take(work->arena, size, 1);
    return kept ? memcpy(kept, text, size) : NULL;
}

/* It becomes part of a path, and stands in a table. */
static elman_status check_name(const char *name, elman_error *error)
{
    static const char known[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
    size_t size = name ? strlen(name) : 0;
    if (!size)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "a variant has no name");
    if (strspn(name, known) != size || strchr(".-", name[0]))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "variant '%.80s': its name is a folder's; expected letters, digits and "
                          "._+- that begin with neither . nor -",
                          name);
    if (size >= ELMAN_COMPARE_NAME)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "variant '%.80s': its name has %zu bytes, expected at most %d", name,
                          size, ELMAN_COMPARE_NAME - 1);
    return ELMAN_OK;
}

static elman_status check_request(const elman_compare_request *r, elman_error *error)
{
    if (!r || r->size != sizeof *r)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "elman_compare_request: wrong size; use elman_compare_request_default");
    if (!r->task)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "no task given");
    if (!r->output || !*r->output)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "no output folder given");
    if (r->variant_count < 1 || r->variant_count > ELMAN_COMPARE_VARIANTS)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "found %d variants, expected 1 to %d",
                          r->variant_count, ELMAN_COMPARE_VARIANTS);
    if (r->seeds < 1 || r->seeds > ELMAN_COMPARE_SEEDS)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "seeds: found %" PRId64 ", expected 1 to %d",
                          r->seeds, ELMAN_COMPARE_SEEDS);
    if (r->first_seed < 0 || r->first_seed > INT64_C(9007199254740991) - r->seeds)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "first seed: found %" PRId64 ", expected 0 to 9007199254740991 less the "
                          "seeds",
                          r->first_seed);
    if (r->updates < 0 || r->updates > ELMAN_COMPARE_UPDATES || !(r->seconds >= 0) ||
        !(r->seconds <= 1e9))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "budget: found %" PRId64
                          " updates and %g seconds, expected 0 to 1e12 and "
                          "0 to 1e9",
                          r->updates, r->seconds);
    if (r->lags < 0 || r->lags > ELMAN_FLOW_MOST_LAGS)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "lags: found %" PRId64 ", expected 0 to %d",
                          r->lags, ELMAN_FLOW_MOST_LAGS);
    for (int v = 0; v < r->variant_count; v++) {
        ELMAN_TRY(check_name(r->variants[v].name, error));
        for (int w = 0; w < v; w++)
            if (!strcmp(r->variants[w].name, r->variants[v].name))
                return elman_fail(error, ELMAN_ERROR_ARGUMENT, "two variants are called %s",
                                  r->variants[v].name);
    }
    return ELMAN_OK;
}

/* "OUTPUT/NAME-seedN" */
static const char *folder_of(elman_compare_work *work, int variant, int64_t seed)
{
    char name[ELMAN_COMPARE_NAME + 32];
    snprintf(name, sizeof name, "%s-seed%" PRId64, work->request->variants[variant].name, seed);
    char *path = elman_path_join(work->request->output, name);
    const char *kept = path ? elman_compare_keep(work, path) : NULL;
    free(path);
    return kept;
}

/* The comparison's memory: the arena first. */
static elman_status set_up(elman_compare_work *work, elman_error *error)
{
    const elman_compare_request *r = work->request;
    elman_comparison *c = work->comparison;
    work->run_count = r->seeds * r->variant_count;
    work->arena = elman_allocate_zero(work->context, 1, sizeof *work->arena);
    work->plans = elman_allocate_zero(work->context, (size_t)r->variant_count, sizeof *work->plans);
    if (work->arena) {
        elman_arena_init(work->arena, work->context);
        c->memory = work->arena;
        work->runs =
            elman_arena_take_zero(work->arena, (size_t)work->run_count, sizeof *work->runs);
    }
    if (!work->runs || !work->plans)
        return elman_out_of_memory(error);
    for (int v = 0; v < r->variant_count; v++)
        elman_config_file_default(&work->plans[v].file);
    for (int64_t i = 0; i < work->run_count; i++) {
        elman_compare_run *run = &work->runs[i];
        run->variant = (int)(i % r->variant_count);
        run->seed = r->first_seed + i / r->variant_count;
        run->message = "";
        run->loss = run->value = run->score = NAN;
        run->memory_before = run->memory_after = ELMAN_COMPARE_UNMEASURED;
        run->folder = folder_of(work, run->variant, run->seed);
        if (!run->folder)
            return elman_out_of_memory(error);
    }
    return ELMAN_OK;
}

static elman_status summarise(elman_compare_work *work, elman_error *error)
{
    const elman_compare_request *r = work->request;
    elman_comparison *c = work->comparison;
    elman_compare_summary *summaries =
        elman_arena_take_zero(work->arena, (size_t)r->variant_count, sizeof *summaries);
    if (!summaries)
        return elman_out_of_memory(error);
    for (int v = 0; v < r->variant_count; v++) {
        summaries[v].name = elman_compare_keep(work, r->variants[v].name);
        summaries[v].updates = work->plans[v].updates;
        summaries[v].parameters = work->plans[v].parameters;
        if (!summaries[v].name)
            return elman_out_of_memory(error);
    }
    ELMAN_TRY(elman_compare_summarise(work->context, work->runs, work->run_count, summaries,
                                      r->variant_count, error));
    for (int v = 0; v < r->variant_count; v++)
        c->solvable = c->solvable || work->plans[v].file.config.stop_at > 0;
    c->runs = work->runs;
    c->run_count = work->run_count;
    c->variants = summaries;
    c->variant_count = r->variant_count;
    return ELMAN_OK;
}

static elman_status compare(elman_compare_work *work, elman_error *error)
{
    ELMAN_TRY(set_up(work, error));
    ELMAN_TRY(elman_compare_prepare(work, error));
    elman_error found = {0};
    elman_status status = ELMAN_OK;
    for (int64_t i = 0; i < work->run_count && status == ELMAN_OK; i++)
        status = elman_compare_do_run(work, i, &found);
    ELMAN_TRY(summarise(work, error)); /* of what there is */
    return status == ELMAN_OK ? status : elman_fail(error, status, "%s", found.message);
}

elman_status elman_compare(elman_context *context, const elman_compare_request *request,
                           elman_comparison *comparison, elman_error *error)
{
    ELMAN_TRY(check_request(request, error));
    elman_compare_work work = {.context = context, .request = request, .comparison = comparison};
    *comparison = (elman_comparison){0};
    elman_status status = compare(&work, error);
    for (int v = 0; work.plans && v < request->variant_count; v++)
        elman_config_file_clear(context, &work.plans[v].file);
    elman_release(context, work.plans);
    return status;
}

void elman_comparison_clear(elman_context *context, elman_comparison *comparison)
{
    elman_arena *arena = comparison->memory;
    if (arena)
        elman_arena_free(arena);
    elman_release(context, arena);
    *comparison = (elman_comparison){0};
}
