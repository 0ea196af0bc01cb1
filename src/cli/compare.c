/* elman compare: variants side by side within equal budgets. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "compare_out.h"
#include "compare_variants.h"
#include "config_of.h"
#include "elman/compare.h"
#include "elman/gradient_flow.h"

typedef struct values {
    char variant[CLI_PATH]; /* the last; all are in the operands */
    char config[CLI_PATH], output[CLI_PATH], budget[64], plot[CLI_PATH];
    int64_t seeds, lags;
    bool force, quiet, json;
} values;

/* clang-format off */
static const elman_option options[] = {
    {.name = "variant", .type = ELMAN_OPTION_TEXT, .argument = "'NAME: OPTION...'",
     .group = "comparison", .offset = offsetof(values, variant), .capacity = CLI_PATH,
     .help = "A variant, by the options of train in which it differs; once for each. A cell, or "
             "irnn, may stand for itself: --variant gru"},
    {.name = "seeds", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "comparison",
     .initial = "3", .minimum = 1, .maximum = ELMAN_COMPARE_SEEDS, .offset = offsetof(values, seeds),
     .help = "Runs of each variant, from --seed on"},
    {.name = "budget", .type = ELMAN_OPTION_TEXT, .argument = "UPDATES|TIME", .group = "comparison",
     .offset = offsetof(values, budget), .capacity = 64,
     .help = "How long each run trains: updates (2000), time (60s, 10m, 2h), or both with a comma: "
             "the less; without it the updates of the variant that asks for the fewest"},
    {.name = "lags", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "comparison",
     .initial = "auto", .minimum = 1, .maximum = ELMAN_FLOW_MOST_LAGS,
     .offset = offsetof(values, lags),
     .help = "How far back the memory horizon is looked for"},
    {.name = "config", .letter = 'c', .type = ELMAN_OPTION_TEXT, .argument = "FILE",
     .group = "comparison", .offset = offsetof(values, config), .capacity = CLI_PATH,
     .help = "Take the options that each --variant begins with from FILE, written like "
             "MODEL/config.json"},
    {.name = "output", .letter = 'o', .type = ELMAN_OPTION_TEXT, .argument = "DIR",
     .group = "comparison", .initial = "compare", .offset = offsetof(values, output),
     .capacity = CLI_PATH,
     .help = "The folder that keeps the runs, each as a model: DIR/NAME-seedN"},
    {.name = "force", .type = ELMAN_OPTION_FLAG, .group = "comparison",
     .offset = offsetof(values, force), .help = "Train anew what stands there"},
    {.name = "plot", .type = ELMAN_OPTION_TEXT, .argument = "FILE", .group = "output",
     .offset = offsetof(values, plot), .capacity = CLI_PATH,
     .help = "Draw the validation loss by updates into FILE (.svg, .png)"},
    {.name = "quiet", .letter = 'q', .type = ELMAN_OPTION_FLAG, .group = "output",
     .offset = offsetof(values, quiet), .help = "Say nothing but the table and errors"},
    {.name = "json", .type = ELMAN_OPTION_FLAG, .group = "output", .offset = offsetof(values, json),
     .help = "Print a record of JSON a run, as it ends, and one a variant"},
};
/* clang-format on */
static const elman_option_table table = {options, sizeof(options) / sizeof(options[0])};

typedef struct command {
    values v;
    elman_config config;
    const char *own_given[CLI_GIVEN], *config_given[CLI_GIVEN];
    cli_operands operands;
    cli_variants variants;
    char *const *files; /* CONFIG... */
    int file_count;
    char *const *data;
    int data_count;
    bool budget; /* one was given: */
    int64_t updates;
    double seconds;
} command;

static bool is_task(const char *word)
{
    for (size_t t = 0; cli_tasks[t] != NULL; t++)
        if (strcmp(cli_tasks[t], word) == 0)
            return true;
    return false;
}

/* A configuration is a folder or is called .json. */
static bool is_config(const char *word)
{
    size_t size = strlen(word);
    return (size > 5 && strcmp(word + size - 5, ".json") == 0) || cli_is_folder(word);
}

/* [CONFIG...] [TASK] [DATA...] */
static int read_operands(command *c)
{
    char **list = c->operands.list;
    int count = c->operands.count, at = 0;
    while (at < count && !is_task(list[at]) && is_config(list[at]))
        at++;
    c->files = list;
    c->file_count = at;
    if (at < count && is_task(list[at])) {
        snprintf(c->variants.task, sizeof(c->variants.task), "%s", list[at]);
        at++;
    }
    c->data = list + at;
    c->data_count = count - at;
    if (c->file_count == 0 && c->operands.repeated_count == 0)
        return cli_wrong("compare: no variants; name configurations, or give each by --variant "
                         "'NAME: OPTIONS', as --variant lstm --variant gru");
    return CLI_DONE;
}

/* "60s", "10m", "2h" into seconds. */
static bool read_time(const char *text, size_t size, double *seconds)
{
    char number[32], *end;
    static const struct {
        char unit;
        double seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (size < 2 || size > sizeof(number) || text[size - 1] != units[i].unit ||
            strspn(text, "0123456789.") != size - 1)
            continue;
        snprintf(number, sizeof(number), "%.*s", (int)size - 1, text);
        *seconds = strtod(number, &end) * units[i].seconds;
        return *end == 0 && *seconds > 0 && *seconds <= 1e9;
    }
    return false;
}

static bool read_updates(const char *text, size_t size, int64_t *updates)
{
    *updates = 0;
    if (size == 0 || size > 12 || strspn(text, "0123456789") != size)
        return false;
    for (size_t i = 0; i < size; i++)
        *updates = 10 * *updates + (text[i] - '0');
    return *updates > 0;
}

static int read_budget(command *c)
{
    c->budget = cli_is_given(&table, c->own_given, "budget");
    if (!c->budget)
        return CLI_DONE;
    const char *at = c->v.budget;
    for (;;) {
        size_t size = strcspn(at, ",");
        if (!(c->updates == 0 && read_updates(at, size, &c->updates)) &&
            !(c->seconds == 0 && read_time(at, size, &c->seconds)))
            return cli_wrong("--budget: found \"%s\", expected updates (2000), a time (60s, 10m, "
                             "2h), or both with a comma between them",
                             c->v.budget);
        if (at[size] == 0)
            break;
        at += size + 1;
    }
    const elman_option_table *all = elman_config_options();
    for (size_t i = 0; i < all->count; i++) {
        const char *name = all->options[i].name;
        if (c->config_given[i] != NULL &&
            (strcmp(name, "max-steps") == 0 || strcmp(name, "epochs") == 0))
            return cli_wrong("--%s: --budget says how long each run trains; leave one of them out",
                             name);
    }
    return CLI_DONE;
}

static int read_variants(elman_context *context, command *c)
{
    cli_variants *v = &c->variants;
    const cli_common common = {&c->config, c->config_given, c->budget};
    int status = CLI_DONE;
    for (int i = 0; i < c->file_count && status == CLI_DONE; i++)
        status = cli_variant_from_file(context, v, c->files[i], &common);
    elman_config base;
    const char *path = c->v.config[0] != 0 ? c->v.config : NULL;
    if (path != NULL && c->operands.repeated_count == 0)
        return cli_wrong("--config: it is what --variant begins with, and there is none; name %s "
                         "before the data to compare it",
                         c->v.config);
    if (status == CLI_DONE && v->task[0] == 0 && path == NULL) {
        if (c->data_count > 0 && access(c->data[0], F_OK) == 0)
            return cli_wrong("compare: found %s where the task belongs; write elman compare lm %s "
                             "--variant ...",
                             c->data[0], c->data[0]);
        char meant[128] = "";
        size_t tasks = 0;
        while (cli_tasks[tasks] != NULL)
            tasks++;
        if (c->data_count == 0)
            return cli_wrong("compare: no task; write elman compare lm TEXT --variant ...");
        cli_meant(meant, "", c->data[0], cli_tasks, tasks);
        return cli_wrong("compare: unknown task %s%s", c->data[0], meant);
    }
    if (status == CLI_DONE && c->operands.repeated_count > 0)
        status = cli_variant_base(context, v, path, &common, &base);
    for (int i = 0; i < c->operands.repeated_count && status == CLI_DONE; i++)
        status = cli_variant_from_text(v, c->operands.repeated[i], &base, &common);
    return status;
}

static int check_data(const command *c)
{
    const char *task = c->variants.task;
    bool reads = elman_task_reads_data(task);
    if (reads && c->data_count == 0)
        return cli_wrong("compare: no data to learn from; name the files after the configurations, "
                         "or after the task %s",
                         task);
    if (!reads && c->data_count > 0)
        return cli_wrong("compare: found %s, but %s makes its own examples; leave it out",
                         c->data[0], task);
    return CLI_DONE;
}

/* What a loss is a loss of. */
static void warn_of_other_losses(const command *c)
{
    static const char *const decisive[] = {"level", "valid", "split", "label",   "target",
                                           "task",  "lag",   "loss",  "horizon", "reduction"};
    const elman_option_table *all = elman_config_options();
    for (size_t i = 0; i < sizeof(decisive) / sizeof(decisive[0]); i++) {
        const elman_option *o = elman_options_find(all, decisive[i]);
        bool differs = false;
        if (o == NULL || !elman_option_concerns(o, c->variants.task))
            continue;
        for (int v = 1; v < c->variants.count; v++)
            differs = differs || !elman_options_equal(o, &c->variants.list[0].config,
                                                      &c->variants.list[v].config);
        if (differs)
            printf("The variants differ in --%s: their losses are not of the same thing.\n",
                   o->name);
    }
}

/* "lm of text.txt", "probe adding over a lag of 100" */
static void name_task(const command *c, char text[CLI_PATH])
{
    const char *task = c->variants.task;
    const elman_config *config = &c->variants.list[0].config;
    char kind[64];
    if (c->data_count == 0) {
        elman_options_get(elman_options_find(elman_config_options(), "task"), config, kind,
                          sizeof(kind));
        snprintf(text, CLI_PATH, "%s %s, lag %s", task, kind, config->lag);
    } else if (c->data_count == 1)
        snprintf(text, CLI_PATH, "%s of %s", task, c->data[0]);
    else
        snprintf(text, CLI_PATH, "%s of %d files", task, c->data_count);
    size_t used = strlen(text);
    if (c->seconds > 0)
        snprintf(text + used, CLI_PATH - used, " within %s", c->v.budget);
}

static int show(elman_context *context, const command *c, const elman_comparison *comparison)
{
    char what[CLI_PATH];
    elman_error error;
    if (c->v.json) {
        cli_compare_json(comparison);
    } else {
        name_task(c, what);
        cli_compare_print(comparison, what);
        warn_of_other_losses(c);
        printf("The runs are models in %s\n", c->v.output);
    }
    if (c->v.plot[0] != 0 &&
        elman_comparison_plot(context, comparison, c->v.plot, &error) != ELMAN_OK)
        return cli_fail_error(&error);
    return CLI_DONE;
}

static int compare(elman_context *context, const command *c)
{
    elman_compare_request request;
    elman_comparison comparison = {0};
    elman_error error;
    cli_compare_shown shown;
    cli_progress_form form =
        cli_columns(STDERR_FILENO) > 0 ? CLI_PROGRESS_LIVE : CLI_PROGRESS_LINES;
    cli_compare_begin(&shown, c->v.quiet ? CLI_PROGRESS_NONE : form, c->v.json);
    elman_compare_request_default(&request);
    request.task = c->variants.task;
    request.variants = c->variants.list;
    request.variant_count = c->variants.count;
    request.data = (const char *const *)c->data;
    request.data_count = c->data_count;
    request.seeds = c->v.seeds;
    request.first_seed = c->config.seed;
    request.updates = c->updates;
    request.seconds = c->seconds;
    request.lags = c->v.lags;
    request.output = c->v.output;
    request.force = c->v.force;
    request.progress = cli_compare_event;
    request.user = &shown;
    request.stop = cli_catch_signals();
    elman_status status = elman_compare(context, &request, &comparison, &error);
    cli_compare_clear(&shown);
    int answer = status == ELMAN_OK               ? show(context, c, &comparison)
                 : status == ELMAN_ERROR_ARGUMENT ? cli_wrong("%s", error.message)
                                                  : cli_fail_error(&error);
    elman_comparison_clear(context, &comparison);
    return status == ELMAN_ERROR_INTERRUPTED ? CLI_INTERRUPTED : answer;
}

static int run(const cli_verb *verb, int argc, char **argv)
{
    static command c;
    elman_context *context = NULL;
    elman_error error;
    bool answered;
    const cli_set sets[] = {{&table, &c.v, c.own_given},
                            {elman_config_options(), &c.config, c.config_given}};
    elman_options_default(&table, &c.v);
    elman_config_default(&c.config);
    int status = cli_parse(verb, argc, argv, sets, 2, &c.operands, &answered);
    if (answered)
        return status;
    status = read_operands(&c);
    if (status == CLI_DONE)
        status = read_budget(&c);
    if (status == CLI_DONE && c.v.plot[0] != 0 &&
        elman_comparison_plot_check(c.v.plot, &error) != ELMAN_OK)
        status = cli_wrong("--%s", error.message);
    if (status != CLI_DONE)
        return status;
    if (cli_context((int)c.config.threads, &context, &error) != ELMAN_OK)
        return cli_fail_error(&error);
    status = read_variants(context, &c);
    if (status == CLI_DONE)
        status = check_data(&c);
    if (status == CLI_DONE)
        status = compare(context, &c);
    cli_variants_free(&c.variants);
    elman_context_free(context);
    return status;
}

static const char *const usage[] = {
    "compare lm TEXT... --variant 'NAME: OPTION...' ... [OPTION...]",
    "compare classify|tag|forecast FILE... --variant ... [OPTION...]",
    "compare probe --variant ... [OPTION...]", "compare CONFIG... DATA... [OPTION...]", NULL};
static const char *const examples[] = {
    "elman compare lm text.txt --variant lstm --variant gru --variant irnn",
    "Three cells, three seeds each, trained as long as the shortest of them wants.",
    "elman compare probe --task adding --lag 100 --budget 3000 --variant rnn \\\n"
    "--variant irnn --variant 'forget: --cell lstm --init forget-bias:1'",
    "Which of them learns to look back 100 steps, and in how many updates.",
    "elman compare lm text.txt --hidden 128 --variant 'short: --bptt 16' \\\n"
    "--variant 'long: --bptt 128' --budget 10m -o bptt --plot bptt.svg",
    "Ten minutes of training for each run; the curves as a picture.",
    "elman compare small.json large.json shakespeare text.txt --seeds 5",
    "Two files as --config reads them and the options of a model, on other data.",
    NULL};

const cli_verb cli_compare = {
    .name = "compare",
    .summary = "variants side by side within equal budgets",
    .usage = usage,
    .description =
        "Trains each variant with several seeds on the same data, equally long, and prints what "
        "came out: the validation loss with its spread over the seeds, the task's own figure, how "
        "far back the gradient reaches, time and size. A variant is a --variant, whose options "
        "come over those given for all; or a CONFIG: a file as --config reads it, or a model's "
        "folder, under the options given for all. CONFIGs end in .json or are folders, and stand "
        "first.\n\n"
        "Equally long means the same number of updates: those of --budget, else those of the "
        "variant that asks for the fewest. A --budget in time is turned into updates by a short "
        "trial of each variant, so that schedules run to their end.\n\n"
        "A run that diverges is a result and counts as such. Each run stays as a model in "
        "DIR/NAME-seedN. Ctrl-C saves; the same command again goes on, and trains nothing twice.",
    .examples = examples,
    .own = &table,
    .trains = true,
    .repeats = "variant",
    .run = run,
};
