/* Progress: a live line on a terminal, a line an interval in a file, records for scripts. */
#include "progress.h"

#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "json_out.h"

enum { FIELD = 64, FIELDS = 6, LINE = 1024, LONGEST_BAR = 24, SHORTEST_BAR = 6 };

static const double live_interval = 0.1, file_interval = 10;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void cli_progress_begin(cli_progress *progress, cli_progress_form form)
{
    memset(progress, 0, sizeof(*progress));
    progress->form = form;
    progress->unicode = cli_is_utf8();
    /* the first step is drawn at once on a terminal */
    progress->drawn = form == CLI_PROGRESS_LIVE ? now() - live_interval : now();
}

void cli_progress_clear(cli_progress *progress)
{
    if (progress->line_stands)
        fputs("\r\033[K", stderr);
    progress->line_stands = false;
}

static double done_share(const elman_train_progress *p)
{
    double share = p->steps > 0 ? (double)p->step / (double)p->steps : 0;
    return share < 0 ? 0 : share > 1 ? 1 : share;
}

/* Eighths of a cell where the terminal has them. */
static void draw_bar(char *text, size_t capacity, double share, int cells, bool unicode)
{
    static const char *const parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    int eighths = (int)(share * cells * 8), used = 0;
    text[0] = 0;
    for (int i = 0; i < cells; i++) {
        int here = eighths - 8 * i;
        const char *cell = unicode ? (here >= 8  ? "█"
                                      : here > 0 ? parts[here]
                                                 : "·")
                                   : (here >= 8 ? "#" : ".");
        used += snprintf(text + used, capacity - (size_t)used, "%s", cell);
    }
}

/* "/12", or nothing where steps are what ends the run. */
static const char *of_epochs(const elman_train_progress *p, char text[32])
{
    text[0] = 0;
    if (p->epochs > 0 && p->epochs < 1000000)
        snprintf(text, 32, "/%d", (int)p->epochs);
    return text;
}

/* For the bar, where room is dear. */
static const char *short_unit(const char *unit)
{
    return strcmp(unit, "tokens") == 0 ? "tok" : strcmp(unit, "examples") == 0 ? "ex" : unit;
}

enum { PERCENT, EPOCH, LOSS, VALID, SPEED, LEFT };

static void fill_fields(const elman_train_progress *p, char fields[FIELDS][FIELD])
{
    char a[32];
    snprintf(fields[PERCENT], FIELD, "%3d%%", (int)(100 * done_share(p)));
    snprintf(fields[EPOCH], FIELD, "epoch %.1f%s", p->epoch, of_epochs(p, a));
    cli_loss(a, p->loss);
    snprintf(fields[LOSS], FIELD, "loss %s", a);
    fields[VALID][0] = 0;
    if (!isnan(p->valid_loss)) {
        cli_loss(a, p->valid_loss);
        snprintf(fields[VALID], FIELD, "valid %s", a);
    }
    cli_short(a, p->tokens_per_second);
    snprintf(fields[SPEED], FIELD, "%s %s/s", a, p->unit != NULL ? short_unit(p->unit) : "");
    cli_duration(a, p->seconds_left);
    snprintf(fields[LEFT], FIELD, "%s left", a);
}

void cli_progress_line(const elman_train_progress *p, int columns, bool unicode, char text[1024])
{
    /* what goes first where there is little room */
    static const int dispensable[] = {SPEED, VALID, EPOCH, LEFT, LOSS};
    char fields[FIELDS][FIELD], bar[4 * LONGEST_BAR + 1] = "";
    size_t width = 0, room = columns > 3 ? (size_t)columns - 3 : 0;
    fill_fields(p, fields);
    for (int i = 0; i < FIELDS; i++)
        width += fields[i][0] != 0 ? strlen(fields[i]) + (i > 0) : 0;
    for (size_t i = 0; width > room && i < sizeof(dispensable) / sizeof(dispensable[0]); i++) {
        char *field = fields[dispensable[i]];
        width -= field[0] != 0 ? strlen(field) + 1 : 0;
        field[0] = 0;
    }
    size_t spare = room > width + 1 ? room - width - 1 : 0;
    /* two spaces between fields first, then a bar */
    size_t gaps = 0;
    for (int i = 1; i < FIELDS; i++)
        gaps += fields[i][0] != 0;
    const char *gap = spare >= gaps + SHORTEST_BAR ? "  " : " ";
    if (gap[1] != 0)
        spare -= gaps;
    if (spare >= SHORTEST_BAR)
        draw_bar(bar, sizeof(bar), done_share(p), spare < LONGEST_BAR ? (int)spare : LONGEST_BAR,
                 unicode);
    int used = snprintf(text, LINE, "%s%s%s", bar, bar[0] != 0 ? " " : "", fields[PERCENT]);
    for (int i = 1; i < FIELDS; i++)
        if (fields[i][0] != 0)
            used += snprintf(text + used, LINE - (size_t)used, "%s%s", gap, fields[i]);
    if (width > room) /* narrower than a percentage */
        text[room < strlen(text) ? room : strlen(text)] = 0;
}

static void draw_live(cli_progress *progress, const elman_train_progress *p)
{
    char text[LINE];
    int columns = cli_columns(STDERR_FILENO);
    cli_progress_line(p, columns > 0 ? columns : 80, progress->unicode, text);
    fprintf(stderr, "\r%s\033[K", text);
    fflush(stderr);
    progress->line_stands = true;
}

static void print_interval(const elman_train_progress *p)
{
    char loss[32], speed[32], left[32], epochs[32];
    cli_loss(loss, p->loss);
    cli_short(speed, p->tokens_per_second);
    cli_duration(left, p->seconds_left);
    fprintf(stderr, "step %lld/%lld (%d%%)  epoch %.2f%s  loss %s  %s %s/s  %s left\n",
            (long long)p->step, (long long)p->steps, (int)(100 * done_share(p)), p->epoch,
            of_epochs(p, epochs), loss, speed, p->unit != NULL ? p->unit : "", left);
}

/* A line that stays; with `columns`, one that a terminal of so many does not break. */
static void print_validation(const elman_train_progress *p, int columns)
{
    char line[LINE], fields[FIELDS][FIELD], a[32];
    snprintf(fields[0], FIELD, "  step %lld", (long long)p->step);
    cli_loss(a, p->loss);
    snprintf(fields[1], FIELD, "  loss %s", a);
    cli_loss(a, p->valid_loss);
    snprintf(fields[2], FIELD, "  valid %s", a);
    if (p->metric == NULL)
        snprintf(fields[3], FIELD, "  perplexity %.4g", exp(p->valid_loss));
    else
        snprintf(fields[3], FIELD, "  %s %.4g", p->metric, p->valid_value);
    cli_duration(a, p->seconds);
    snprintf(fields[4], FIELD, "  %s", a);
    snprintf(fields[5], FIELD, "%s", p->better ? "  best" : "");
    static const int dispensable[] = {3, 0, 4, 1};
    for (size_t i = 0;; i++) {
        int width = snprintf(line, LINE, "epoch %.2f%s%s%s%s%s%s", p->epoch, fields[0], fields[1],
                             fields[2], fields[3], fields[4], fields[5]);
        if (columns <= 0 || width < columns || i == sizeof(dispensable) / sizeof(dispensable[0]))
            break;
        fields[dispensable[i]][0] = 0;
    }
    fprintf(stderr, "%s\n", line);
}

static void print_note(const elman_train_progress *p, int columns)
{
    const char *text = p->text != NULL ? p->text : "";
    if (columns > 20)
        cli_wrap(stderr, text, 2, 0, columns - 1);
    else
        fprintf(stderr, "%s\n", text);
}

static void print_record(const elman_train_progress *p)
{
    static const char *const names[] = {"note", "step", "validation", "checkpoint", "end"};
    cli_json json;
    cli_json_begin(&json, stdout);
    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "event", names[p->event]);
    if (p->event == ELMAN_EVENT_NOTE) {
        cli_json_text(&json, "text", p->text != NULL ? p->text : "");
    } else {
        cli_json_integer(&json, "step", p->step);
        cli_json_integer(&json, "steps", p->steps);
        cli_json_real(&json, "epoch", p->epoch);
        cli_json_integer(&json, "epochs", p->epochs);
        cli_json_real(&json, "seconds", p->seconds);
    }
    if (p->event == ELMAN_EVENT_STEP || p->event == ELMAN_EVENT_VALIDATION) {
        cli_json_real(&json, "loss", p->loss);
        cli_json_real(&json, "gradient_norm", p->gradient_norm);
        cli_json_real(&json, "lr", p->lr);
        cli_json_real(&json, "tokens_per_second", p->tokens_per_second);
        cli_json_real(&json, "seconds_left", p->seconds_left);
    }
    if (p->event == ELMAN_EVENT_VALIDATION || p->event == ELMAN_EVENT_END) {
        cli_json_real(&json, "valid_loss", p->valid_loss);
        cli_json_real(&json, "best_loss", p->best_loss);
        if (p->metric != NULL)
            cli_json_real(&json, p->metric, p->valid_value);
    }
    if (p->event == ELMAN_EVENT_VALIDATION) {
        cli_json_bool(&json, "better", p->better);
        cli_json_integer(&json, "valid_tokens", (int64_t)p->valid_tokens);
    }
    cli_json_close(&json, '}');
    cli_json_end(&json);
    /* a reader who is gone ends the training, saved */
    if (!cli_flush())
        cli_stop();
}

void cli_progress_event(void *user, const elman_train_progress *event)
{
    cli_progress *progress = user;
    double time = now();
    if (event->event != ELMAN_EVENT_NOTE) {
        progress->last = *event;
        progress->last.text = NULL;
        progress->any = true;
        progress->validated |= event->event == ELMAN_EVENT_VALIDATION;
    }
    if (progress->form == CLI_PROGRESS_NONE)
        return;
    if (progress->form == CLI_PROGRESS_JSON) {
        print_record(event);
        return;
    }
    bool live = progress->form == CLI_PROGRESS_LIVE;
    switch (event->event) {
    case ELMAN_EVENT_NOTE:
        cli_progress_clear(progress);
        print_note(event, cli_columns(STDERR_FILENO));
        break;
    case ELMAN_EVENT_STEP:
        if (time - progress->drawn < (live ? live_interval : file_interval))
            break;
        progress->drawn = time;
        if (live)
            draw_live(progress, event);
        else
            print_interval(event);
        break;
    case ELMAN_EVENT_VALIDATION:
        cli_progress_clear(progress);
        print_validation(event, cli_columns(STDERR_FILENO));
        progress->drawn = time;
        break;
    case ELMAN_EVENT_CHECKPOINT:
        break;
    case ELMAN_EVENT_END:
        cli_progress_clear(progress);
        break;
    }
}
