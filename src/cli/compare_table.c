/* The table of elman compare, and its records. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "compare_out.h"
#include "json_out.h"

enum { WIDE = 80, CELL = 48, COLUMNS = 10, NAME_MOST = 24, TEXT = 8192 };

typedef struct column {
    const char *head;
    int dispensable; /* the greatest go first where there is little room; 0: never */
    char cells[ELMAN_COMPARE_VARIANTS][CELL];
    size_t width;
} column;

typedef struct table {
    const elman_comparison *comparison;
    column columns[COLUMNS];
    int count;
    bool dropped;
} table;

static column *add(table *t, const char *head, int dispensable)
{
    column *c = &t->columns[t->count++];
    c->head = head;
    c->dispensable = dispensable;
    return c;
}

static void put_number(char cell[CELL], double value)
{
    if (isnan(value))
        snprintf(cell, CELL, "-");
    else
        snprintf(cell, CELL, fabs(value) < 1000 ? "%.4f" : "%.5g", value);
}

/* "1.2345 ±0.0123" */
static void put_spread(char cell[CELL], const elman_compare_statistic *s)
{
    char mean[CELL], deviation[CELL];
    put_number(mean, s->mean);
    put_number(deviation, s->deviation);
    if (isnan(s->deviation))
        snprintf(cell, CELL, "%s", mean);
    else
        snprintf(cell, CELL, "%.20s %s%.20s", mean, cli_is_utf8() ? "±" : "+-", deviation);
}

static int64_t lags_of(const elman_comparison *c, int variant)
{
    int64_t most = 0;
    for (int64_t i = 0; i < c->run_count; i++)
        if (c->runs[i].variant == variant && c->runs[i].lags > most)
            most = c->runs[i].lags;
    return most;
}

static void put_memory(char cell[CELL], int64_t horizon, int64_t lags)
{
    if (horizon >= 0)
        snprintf(cell, CELL, "%" PRId64, horizon);
    else if (horizon == ELMAN_COMPARE_BEYOND)
        snprintf(cell, CELL, ">%" PRId64, lags);
    else
        snprintf(cell, CELL, "-");
}

static void put_share(char cell[CELL], int64_t part, int64_t whole)
{
    snprintf(cell, CELL, "%" PRId64 "/%" PRId64, part, whole);
}

/* "2/3 at 1150": the mean of the updates that it took */
static void put_solved(char cell[CELL], const elman_compare_summary *s)
{
    put_share(cell, s->solved, s->runs);
    if (s->solved > 0)
        snprintf(cell + strlen(cell), CELL - strlen(cell), " at %.0f", s->steps.mean);
}

/* Which columns say something here. */
typedef struct wanted {
    bool memory, trained, solved, diverged, updates;
} wanted;

static wanted look(const elman_comparison *c)
{
    wanted w = {.solved = c->solvable};
    for (int v = 0; v < c->variant_count; v++) {
        const elman_compare_summary *s = &c->variants[v];
        w.memory = w.memory || s->memory_before != ELMAN_COMPARE_UNMEASURED;
        w.trained = w.trained || s->memory_after != ELMAN_COMPARE_UNMEASURED;
        w.diverged = w.diverged || s->diverged > 0;
        w.updates = w.updates || s->updates != c->variants[0].updates;
    }
    return w;
}

static void fill(table *t)
{
    const elman_comparison *c = t->comparison;
    wanted w = look(c);
    column *loss = add(t, "loss", 0);
    column *value = c->metric[0] != 0 ? add(t, c->metric, 3) : NULL;
    column *memory = w.memory ? add(t, "memory", 0) : NULL;
    column *trained = w.trained ? add(t, "trained", 2) : NULL;
    column *solved = w.solved ? add(t, "solved", 0) : NULL;
    column *diverged = w.diverged ? add(t, "diverged", 0) : NULL;
    column *updates = w.updates ? add(t, "updates", 1) : NULL;
    column *parameters = add(t, "params", 5);
    column *seconds = add(t, "time", 4);
    for (int v = 0; v < c->variant_count; v++) {
        const elman_compare_summary *s = &c->variants[v];
        int64_t lags = lags_of(c, v);
        put_spread(loss->cells[v], &s->loss);
        if (value != NULL)
            put_number(value->cells[v], s->value.mean);
        if (memory != NULL)
            put_memory(memory->cells[v], s->memory_before, lags);
        if (trained != NULL)
            put_memory(trained->cells[v], s->memory_after, lags);
        if (solved != NULL)
            put_solved(solved->cells[v], s);
        if (diverged != NULL)
            put_share(diverged->cells[v], s->diverged, s->runs);
        if (updates != NULL)
            snprintf(updates->cells[v], CELL, "%" PRId64, s->updates);
        cli_short(parameters->cells[v], (double)s->parameters);
        cli_duration(seconds->cells[v], s->seconds.mean);
    }
}

static size_t name_width(const elman_comparison *c)
{
    size_t width = strlen("variant");
    for (int v = 0; v < c->variant_count; v++) {
        size_t own = strlen(c->variants[v].name);
        width = own > width ? own : width;
    }
    return width < NAME_MOST ? width : NAME_MOST;
}

static size_t measure(table *t)
{
    size_t all = 2 + name_width(t->comparison);
    for (int i = 0; i < t->count; i++) {
        column *c = &t->columns[i];
        c->width = cli_width(c->head);
        for (int v = 0; v < t->comparison->variant_count; v++)
            if (cli_width(c->cells[v]) > c->width)
                c->width = cli_width(c->cells[v]);
        all += 2 + c->width;
    }
    return all;
}

/* Leaves columns out until the rest fits. */
static void narrow(table *t)
{
    while (measure(t) > WIDE) {
        int which = 0;
        for (int i = 1; i < t->count; i++)
            if (t->columns[i].dispensable > t->columns[which].dispensable)
                which = i;
        if (t->columns[which].dispensable == 0)
            return;
        memmove(&t->columns[which], &t->columns[which + 1],
                (size_t)(t->count - which - 1) * sizeof(t->columns[0]));
        t->count--;
        t->dropped = true;
    }
}

static void put_cell(const char *text, size_t width)
{
    size_t own = cli_width(text);
    printf("  %*s%s", own < width ? (int)(width - own) : 0, "", text);
}

static void print_rows(const table *t)
{
    const elman_comparison *c = t->comparison;
    int width = (int)name_width(c);
    printf("  %-*s", width, "variant");
    for (int i = 0; i < t->count; i++)
        put_cell(t->columns[i].head, t->columns[i].width);
    printf("\n");
    for (int v = 0; v < c->variant_count; v++) {
        const elman_compare_summary *s = &c->variants[v];
        printf("%c %-*.*s", s->best ? '*' : ' ', width, width, s->name);
        for (int i = 0; i < t->count; i++)
            put_cell(t->columns[i].cells[v], t->columns[i].width);
        printf("\n");
    }
}

static void join(char *text, const char *before, const char *more)
{
    size_t used = strlen(text);
    snprintf(text + used, TEXT - used, "%s%s", text[0] != 0 ? before : "", more);
}

static void print_verdict(const elman_comparison *c)
{
    const elman_compare_summary *best = NULL;
    char level[TEXT] = "", text[TEXT];
    bool alone = true; /* nobody else solves it as often */
    for (int v = 0; v < c->variant_count; v++) {
        if (c->variants[v].best)
            best = &c->variants[v];
        if (c->variants[v].level)
            join(level, ", ", c->variants[v].name);
    }
    if (best == NULL)
        return;
    for (int v = 0; v < c->variant_count; v++)
        alone = alone && (&c->variants[v] == best || c->variants[v].solved < best->solved);
    const char *by = best->solved > 0 && alone    ? "solves it most often"
                     : best->solved == best->runs ? "solves it in the fewest updates"
                     : best->solved > 0           ? "none solves it more often"
                     : c->solvable                ? "none solves it; it comes closest"
                                                  : "best on validation";
    snprintf(text, TEXT, "* %s: %s", best->name, by);
    if (level[0] != 0 && best->runs > 1) {
        join(text, "", "; not told apart from it, as ranges over the seeds overlap: ");
        join(text, "", level);
    } else if (best->runs < 2)
        join(text, "", "; one seed does not say by how much that would vary");
    cli_wrap(stdout, text, 2, 0, WIDE);
}

static void print_legend(const table *t, int64_t seeds)
{
    char text[TEXT] = "", number[32];
    wanted w = look(t->comparison);
    snprintf(number, sizeof(number), "%" PRId64, seeds);
    if (seeds > 1) {
        join(text, "", "loss: on validation, mean of ");
        join(text, "", number);
        join(text, "", " seeds and their standard deviation. ");
    }
    if (w.memory)
        join(text, "",
             "memory: steps back at which the gradient is down to 1 %, before training (median); ");
    if (w.memory && w.trained)
        join(text, "", "trained: the same after it. ");
    if (w.solved)
        join(text, "", "solved: runs, and after how many updates (mean). ");
    if (w.diverged)
        join(text, "", "Runs that diverged count in no mean. ");
    if (t->dropped)
        join(text, "", "--json has more columns.");
    if (text[0] != 0)
        cli_wrap(stdout, text, 2, 0, WIDE);
}

void cli_compare_print(const elman_comparison *c, const char *what)
{
    table *t = calloc(1, sizeof(*t));
    char grouped[32];
    if (t == NULL || c->variant_count == 0) {
        free(t);
        return;
    }
    int64_t seeds = c->run_count / c->variant_count;
    t->comparison = c;
    fill(t);
    narrow(t);
    printf("%s: %d variant%s, %" PRId64 " seed%s", what, c->variant_count,
           c->variant_count == 1 ? "" : "s", seeds, seeds == 1 ? "" : "s");
    if (!look(c).updates) {
        cli_grouped(grouped, (unsigned long long)c->variants[0].updates);
        printf(", %s updates a run", grouped);
    }
    printf("\n\n");
    print_rows(t);
    printf("\n");
    print_verdict(c);
    print_legend(t, seeds);
    free(t);
}

static void put_statistic(cli_json *json, const char *key, const elman_compare_statistic *s)
{
    cli_json_open(json, key, '{');
    cli_json_integer(json, "count", s->count);
    cli_json_real(json, "mean", s->mean);
    cli_json_real(json, "deviation", s->deviation);
    cli_json_real(json, "least", s->least);
    cli_json_real(json, "most", s->most);
    cli_json_close(json, '}');
}

static void put_horizon(cli_json *json, const char *key, int64_t horizon)
{
    if (horizon >= 0)
        cli_json_integer(json, key, horizon);
    else if (horizon == ELMAN_COMPARE_BEYOND)
        cli_json_real(json, key, NAN); /* null */
}

void cli_compare_json(const elman_comparison *c)
{
    for (int v = 0; v < c->variant_count; v++) {
        const elman_compare_summary *s = &c->variants[v];
        cli_json json;
        cli_json_begin(&json, stdout);
        cli_json_open(&json, NULL, '{');
        cli_json_text(&json, "event", "variant");
        cli_json_text(&json, "variant", s->name);
        cli_json_integer(&json, "runs", s->runs);
        if (c->solvable)
            cli_json_integer(&json, "solved", s->solved);
        cli_json_integer(&json, "diverged", s->diverged);
        cli_json_integer(&json, "updates", s->updates);
        cli_json_integer(&json, "parameters", s->parameters);
        put_statistic(&json, "loss", &s->loss);
        if (c->metric[0] != 0)
            put_statistic(&json, c->metric, &s->value);
        if (c->solvable)
            put_statistic(&json, "solved_steps", &s->steps);
        put_statistic(&json, "seconds", &s->seconds);
        put_horizon(&json, "memory_before", s->memory_before);
        put_horizon(&json, "memory_after", s->memory_after);
        if (lags_of(c, v) > 0)
            cli_json_integer(&json, "lags", lags_of(c, v));
        cli_json_bool(&json, "best", s->best);
        cli_json_bool(&json, "level", s->level);
        cli_json_close(&json, '}');
        cli_json_end(&json);
    }
}
