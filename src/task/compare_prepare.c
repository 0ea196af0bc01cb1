/* What each variant is before it is trained: its options resolved by the data, its size, and the
 * updates that its budget comes to. Whatever is wrong with any of them shows here, before hours are
 * spent on the others. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/float_environment.h"
#include "base/pool.h"
#include "task/compare_impl.h"
#include "task/task_impl.h"
#include "train/loop.h"
#include "train/trainer.h"

int64_t elman_compare_least(int64_t asked, const int64_t *own, int count)
{
    int64_t least = asked ? asked : own[0];
    for (int i = 0; !asked && i < count; i++)
        least = own[i] < least ? own[i] : least;
    return least;
}

int64_t elman_compare_fit(double seconds, const double *clock, int64_t count, int64_t skipped)
{
    if (count <= skipped + 1)
        return 1;
    double each = (clock[count - 1] - clock[skipped]) / (double)(count - 1 - skipped);
    if (!(each > 0) || seconds / each > 1e12)
        return ELMAN_COMPARE_UPDATES;
    double fit = seconds / each;
    return fit < 1 ? 1 : (int64_t)fit;
}

/* An error of one variant says whose it is. */
static elman_status name_it(const elman_compare_variant *variant, elman_error *found,
                            elman_error *error)
{
    return elman_fail(error, found->code, "variant %s: %s", variant->name, found->message);
}

/* What is read is the same for all, and is said of the first; what is chosen may differ. */
typedef struct teller {
    const elman_compare_request *request;
    int variant;
    char chosen[512]; /* as said last */
} teller;

static void pass_note(void *user, const elman_train_progress *event)
{
    teller *t = user;
    if (event->event != ELMAN_EVENT_NOTE)
        return;
    bool choice = !strncmp(event->text, "chosen", 6);
    bool again = choice && !strcmp(t->chosen, event->text);
    if (choice)
        snprintf(t->chosen, sizeof t->chosen, "%s", event->text);
    if (!choice && !t->variant)
        elman_compare_note(t->request, "%s", event->text);
    else if (choice && !again)
        elman_compare_note(t->request, "%s: %s", t->request->variants[t->variant].name,
                           event->text);
}

static elman_train_request request_of(const elman_compare_request *r, int variant)
{
    elman_train_request request;
    elman_train_request_default(&request);
    request.task = r->task;
    request.config = r->variants[variant].config;
    request.config.seed = r->first_seed;
    request.data = r->data;
    request.data_count = r->data_count;
    request.output = r->output;
    request.stop = r->stop;
    return request;
}

enum { TRIAL_MOST = 4096, TRIAL_SKIPPED = 2, TRIAL_LEAST = 6 };

/* A trial runs for a twentieth of the budget, within these. */
static const double trial_shortest = 0.5, trial_longest = 5;

static double trial_length(double budget)
{
    double length = budget / 20;
    return length < trial_shortest  ? trial_shortest
           : length > trial_longest ? trial_longest
                                    : length;
}

/* Trains in memory for a moment to see how long an update takes. One that diverges shows it as
 * well. */
static elman_status try_it(elman_compare_work *work, const elman_objective *objective,
                           elman_compare_plan *plan, elman_error *error)
{
    const elman_compare_request *r = work->request;
    double length = trial_length(r->seconds), began = elman_clock();
    double *clock = elman_allocate(work->context, TRIAL_MOST, sizeof *clock);
    elman_trainer *trainer = elman_allocate_zero(work->context, 1, sizeof *trainer);
    elman_error found = {0};
    int64_t count = 0;
    elman_status status = ELMAN_ERROR_MEMORY;
    snprintf(found.message, sizeof found.message, "out of memory");
    if (clock && trainer)
        status = elman_trainer_open(work->context, objective, &plan->file.config, trainer, &found);
    elman_pool_begin(work->context);
    while (status == ELMAN_OK && count < TRIAL_MOST && !elman_compare_stopped(r) &&
           (count < TRIAL_LEAST || clock[count - 1] < length)) {
        bool ends_epoch;
        status = elman_trainer_update(trainer, &ends_epoch, &found);
        clock[count++] = elman_clock() - began;
    }
    elman_pool_end(work->context);
    if (status == ELMAN_OK || status == ELMAN_ERROR_NUMERIC) {
        plan->fit = elman_compare_fit(r->seconds, clock, count, TRIAL_SKIPPED);
        status = ELMAN_OK;
    } else
        elman_fail(error, status, "%s", found.message);
    if (trainer)
        elman_trainer_close(trainer);
    elman_release(work->context, trainer);
    elman_release(work->context, clock);
    return status;
}

/* Begins the variant as a training would, and looks at what became of its options. */
static elman_status look(elman_compare_work *work, int variant, teller *tell, elman_error *error)
{
    const elman_compare_request *r = work->request;
    elman_compare_plan *plan = &work->plans[variant];
    elman_train_request request = request_of(r, variant);
    const elman_task *task;
    elman_objective objective = {0};
    if (r->updates > 0 || r->seconds > 0) {
        request.config.max_steps = r->updates > 0 ? r->updates : TRIAL_MOST;
        request.config.epochs = INT32_MAX;
    }
    request.progress = pass_note;
    request.user = tell;
    tell->variant = variant;
    plan->file.config = request.config;
    plan->config = request.config;
    snprintf(plan->file.task, sizeof plan->file.task, "%s", r->task);
    ELMAN_TRY(elman_task_find(r->task, &task, error));
    ELMAN_TRY(elman_config_validate(&request.config, error));
    ELMAN_TRY(elman_loop_check(&request.config, error));
    elman_float_environment modes = elman_float_begin();
    elman_status status = task->begin(work->context, &request, &plan->file, &objective, error);
    if (status == ELMAN_OK)
        status = elman_config_file_validate(&plan->file, error);
    if (status == ELMAN_OK) {
        plan->own_updates = elman_trainer_steps(&plan->file.config, objective.batches);
        plan->parameters = elman_parameters_elements(objective.parameters);
        if (r->seconds > 0 && !plan->fit)
            status = try_it(work, &objective, plan, error);
    }
    task->end(&objective);
    elman_float_end(modes);
    return status;
}

/* "2000 updates, 60s" */
static const char *name_budget(const elman_compare_budget *b, char text[64])
{
    if (b->updates && b->seconds > 0)
        snprintf(text, 64, "%" PRId64 " updates, %gs", b->updates, b->seconds);
    else if (b->updates)
        snprintf(text, 64, "%" PRId64 " updates", b->updates);
    else if (b->seconds > 0)
        snprintf(text, 64, "%gs", b->seconds);
    else
        snprintf(text, 64, "none");
    return text;
}

/* Updates that were found for another time, or by no trial, say nothing of this one. */
static elman_status check_budget(elman_compare_work *work, const char *folder, elman_error *error)
{
    const elman_compare_request *r = work->request;
    elman_compare_budget had, wanted = {r->updates, r->seconds};
    char was[64], is[64];
    ELMAN_TRY(elman_compare_budget_of(work->context, folder, &had, error));
    if (had.updates == wanted.updates && had.seconds == wanted.seconds)
        return ELMAN_OK;
    return elman_fail(error, ELMAN_ERROR_EXISTS,
                      "%s: it was begun with budget %s, asked for is %s; choose another -o, or "
                      "--force to begin anew",
                      folder, name_budget(&had, was), name_budget(&wanted, is));
}

/* The updates that a run of this variant was given before for the same budget, 0: none stands. */
static elman_status given_before(elman_compare_work *work, int variant, int64_t *updates,
                                 elman_error *error)
{
    const elman_compare_request *r = work->request;
    *updates = 0;
    for (int64_t i = variant; i < work->run_count && !*updates && !r->force;
         i += r->variant_count) {
        bool stands;
        elman_config_file file;
        char *path = elman_path_join(work->runs[i].folder, "config.json");
        if (!path)
            return elman_out_of_memory(error);
        elman_status status = elman_path_look(path, &stands, error);
        if (status == ELMAN_OK && stands) {
            status = elman_config_file_read(work->context, path, &file, error);
            if (status == ELMAN_OK)
                *updates = file.config.max_steps;
            elman_config_file_clear(work->context, &file);
            if (status == ELMAN_OK)
                status = check_budget(work, work->runs[i].folder, error);
        }
        free(path);
        ELMAN_TRY(status);
    }
    return ELMAN_OK;
}

static void give_updates(elman_compare_plan *plan, int64_t updates)
{
    plan->updates = updates;
    plan->config.max_steps = plan->file.config.max_steps = updates;
    plan->config.epochs = plan->file.config.epochs = INT32_MAX; /* updates end it */
}

static elman_status share_updates(elman_compare_work *work, elman_error *error)
{
    const elman_compare_request *r = work->request;
    int64_t own[ELMAN_COMPARE_VARIANTS] = {0};
    for (int v = 0; v < r->variant_count; v++)
        own[v] = work->plans[v].own_updates;
    int64_t updates = elman_compare_least(r->updates, own, r->variant_count);
    if (updates > ELMAN_COMPARE_UPDATES)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "budget: the variants ask for more than 1e12 updates; give a budget");
    for (int v = 0; v < r->variant_count; v++)
        give_updates(&work->plans[v], updates);
    if (!r->updates)
        elman_compare_note(
            r, "budget: %" PRId64 " updates a run, the least that a variant asks for", updates);
    return ELMAN_OK;
}

/* As many updates as fit into the time. */
static void share_time(elman_compare_work *work)
{
    const elman_compare_request *r = work->request;
    for (int v = 0; v < r->variant_count; v++) {
        elman_compare_plan *plan = &work->plans[v];
        give_updates(plan, r->updates && r->updates < plan->fit ? r->updates : plan->fit);
        elman_compare_note(r, "%s: %" PRId64 " updates in %gs, %s", r->variants[v].name,
                           plan->updates, r->seconds,
                           plan->before ? "as its runs were begun with" : "by a short trial");
    }
}

elman_status elman_compare_prepare(elman_compare_work *work, elman_error *error)
{
    const elman_compare_request *r = work->request;
    teller tell = {.request = r};
    for (int v = 0; v < r->variant_count; v++) {
        elman_compare_plan *plan = &work->plans[v];
        elman_error found = {0};
        elman_status status = ELMAN_OK;
        if (r->seconds > 0)
            status = given_before(work, v, &plan->fit, &found);
        plan->before = plan->fit > 0;
        if (status == ELMAN_OK)
            status = look(work, v, &tell, &found);
        if (status != ELMAN_OK)
            return name_it(&r->variants[v], &found, error);
        if (elman_compare_stopped(r))
            return elman_fail(error, ELMAN_ERROR_INTERRUPTED,
                              "stopped before the first run; the same command begins again");
    }
    ELMAN_TRY(elman_folder_make(r->output, error));
    if (r->seconds > 0)
        share_time(work);
    else
        return share_updates(work, error);
    return ELMAN_OK;
}
