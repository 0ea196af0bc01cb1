#include "compare_out.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "json_out.h"

enum { LINE = 1024, BAR = 1024 };

static const double live_interval = 0.1, file_interval = 10;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void cli_compare_begin(cli_compare_shown *shown, cli_progress_form form, bool json)
{
    *shown =
        (cli_compare_shown){.form = form, .json = json, .unicode = cli_is_utf8(), .drawn = now()};
}

void cli_compare_clear(cli_compare_shown *shown)
{
    if (shown->line_stands)
        fputs("\r\033[K", stderr);
    shown->line_stands = false;
}

/* "run 2 of 6  gru, seed 0" */
static void name_run(const elman_compare_progress *p, char text[LINE])
{
    snprintf(text, LINE, "run %" PRId64 " of %" PRId64 "  %s, seed %" PRId64, p->number, p->runs,
             p->variant, p->seed);
}

static void draw_live(cli_compare_shown *shown, const elman_compare_progress *p)
{
    char head[LINE], bar[BAR];
    int columns = cli_columns(STDERR_FILENO);
    columns = columns > 0 ? columns : 80;
    snprintf(head, LINE, "%" PRId64 "/%" PRId64 " %.20s %" PRId64, p->number, p->runs, p->variant,
             p->seed);
    int room = columns - (int)strlen(head) - 2;
    cli_progress_line(p->train, room > 0 ? room : 0, shown->unicode, bar);
    fprintf(stderr, "\r%s  %s\033[K", head, bar);
    fflush(stderr);
    shown->line_stands = true;
}

static void print_step(const elman_compare_progress *p)
{
    char head[LINE], loss[32], left[32];
    const elman_train_progress *t = p->train;
    name_run(p, head);
    cli_loss(loss, t->loss);
    cli_duration(left, t->seconds_left);
    fprintf(stderr, "%s  step %" PRId64 "/%" PRId64 "  loss %s  %s left\n", head, t->step, t->steps,
            loss, left);
}

static void print_end(const elman_compare_progress *p)
{
    char head[LINE], loss[32], took[32], value[64] = "";
    const elman_compare_run *r = p->run;
    name_run(p, head);
    if (r->outcome == ELMAN_COMPARE_DIVERGED) {
        fprintf(stderr, "%s  diverged: ", head);
        cli_put_clean(stderr, r->message); /* from compare.json, which anyone may have written */
        putc('\n', stderr);
        return;
    }
    cli_loss(loss, r->loss);
    cli_duration(took, r->seconds);
    if (!isnan(r->value))
        snprintf(value, sizeof(value), "  %s %.4g", p->metric, r->value);
    fprintf(stderr, "%s  loss %s%s  %s", head, loss, value, took);
    if (r->outcome == ELMAN_COMPARE_SOLVED)
        fprintf(stderr, "  solved at step %" PRId64, r->steps);
    fprintf(stderr, "%s\n", r->found ? "  (there already)" : "");
}

/* A horizon as a number; null beyond what was measured, and nothing where it was not. */
static void put_memory(cli_json *json, const char *key, int64_t horizon)
{
    if (horizon >= 0)
        cli_json_integer(json, key, horizon);
    else if (horizon == ELMAN_COMPARE_BEYOND)
        cli_json_real(json, key, NAN);
}

static void print_run(const elman_compare_progress *p)
{
    static const char *const outcomes[] = {"pending", "finished", "solved", "diverged"};
    const elman_compare_run *r = p->run;
    cli_json json;
    cli_json_begin(&json, stdout);
    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "event", "run");
    cli_json_text(&json, "variant", p->variant);
    cli_json_integer(&json, "seed", r->seed);
    cli_json_text(&json, "outcome", outcomes[r->outcome]);
    if (r->message[0] != 0)
        cli_json_text(&json, "message", r->message);
    cli_json_real(&json, "loss", r->loss);
    if (p->metric[0] != 0)
        cli_json_real(&json, p->metric, r->value);
    cli_json_integer(&json, "steps", r->steps);
    cli_json_real(&json, "seconds", r->seconds);
    put_memory(&json, "memory_before", r->memory_before);
    put_memory(&json, "memory_after", r->memory_after);
    if (r->lags > 0)
        cli_json_integer(&json, "lags", r->lags);
    cli_json_text(&json, "folder", r->folder);
    cli_json_bool(&json, "found", r->found);
    cli_json_close(&json, '}');
    cli_json_end(&json);
    if (!cli_flush()) /* a reader who is gone ends it, saved */
        cli_stop();
}

void cli_compare_event(void *user, const elman_compare_progress *p)
{
    cli_compare_shown *shown = user;
    bool quiet = shown->form == CLI_PROGRESS_NONE, live = shown->form == CLI_PROGRESS_LIVE;
    if (p->event == ELMAN_COMPARE_END && shown->json)
        print_run(p);
    if (quiet)
        return;
    double time = now();
    switch (p->event) {
    case ELMAN_COMPARE_NOTE:
        cli_compare_clear(shown);
        cli_wrap(stderr, p->text, 2, 0, 80);
        break;
    case ELMAN_COMPARE_BEGIN:
        shown->drawn = time;
        break;
    case ELMAN_COMPARE_TRAIN:
        if (p->train->event != ELMAN_EVENT_STEP ||
            time - shown->drawn < (live ? live_interval : file_interval))
            break;
        shown->drawn = time;
        if (live)
            draw_live(shown, p);
        else
            print_step(p);
        break;
    case ELMAN_COMPARE_END:
        cli_compare_clear(shown);
        print_end(p);
        break;
    }
}
