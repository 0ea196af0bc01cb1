/* elman doctor: what is wrong or will be, before the hours are spent; and what stopped a training.
 */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "config_of.h"
#include "doctor.h"
#include "elman/doctor.h"

enum { FILES = 4096 };

typedef struct values {
    char config[CLI_PATH], plot[CLI_PATH];
    int64_t updates;
    double memory;
    bool verbose, json;
} values;

/* clang-format off */
static const elman_option options[] = {
    {.name = "config", .letter = 'c', .type = ELMAN_OPTION_TEXT, .argument = "FILE",
     .group = "model", .offset = offsetof(values, config), .capacity = CLI_PATH,
     .help = "With TASK: take the options from FILE, written like MODEL/config.json; others override it"},
    {.name = "updates", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "examination",
     .initial = "60", .minimum = 0, .maximum = 1000000, .offset = offsetof(values, updates),
     .help = "Updates of the trial; the test of the learning rate has half as many again, that on one batch at most five times as many; 0: nothing is trained"},
    {.name = "memory", .type = ELMAN_OPTION_REAL, .argument = "GIB", .group = "examination",
     .initial = "auto", .minimum = 1e-6, .maximum = 1e6, .automatic = 0,
     .offset = offsetof(values, memory),
     .help = "Memory of the machine that will train; auto: this one's"},
    {.name = "plot", .type = ELMAN_OPTION_TEXT, .argument = "FILE", .group = "output",
     .offset = offsetof(values, plot), .capacity = CLI_PATH,
     .help = "Draw the loss over the learning rate into FILE (.svg or .png) by gnuplot; its table and script are kept beside it"},
    {.name = "verbose", .letter = 'v', .type = ELMAN_OPTION_FLAG, .group = "output",
     .offset = offsetof(values, verbose),
     .help = "Say what was measured, too: time and memory to expect, the losses, the rates"},
    {.name = "json", .type = ELMAN_OPTION_FLAG, .group = "output",
     .offset = offsetof(values, json),
     .help = "Print a record of JSON a finding, and one of what was measured"},
};
/* clang-format on */
static const elman_option_table table = {options, sizeof(options) / sizeof(options[0])};

typedef struct command {
    values v;
    elman_config config;
    const char *own_given[CLI_GIVEN], *config_given[CLI_GIVEN];
    cli_operands operands;
    elman_config_file file; /* of CONFIG or MODEL; its records name the data where none are given */
    char task[32];
    const char *data[FILES];
    int data_count;
    const char *model; /* to replay; NULL: a run is to be tried */
} command;

/* The first training option that was given, or NULL. */
static const char *given_option(const command *c)
{
    const elman_option_table *all = elman_config_options();
    for (size_t i = 0; i < all->count; i++)
        if (c->config_given[i] != NULL && strcmp(all->options[i].name, "threads") != 0)
            return all->options[i].name;
    return NULL;
}

/* What was given, over `base`. */
static int take_given(command *c, const elman_config *base)
{
    const elman_config chosen = c->config;
    c->config = *base;
    /* as many of each as the data have, not as a file's did */
    c->config.vocabulary = c->config.inputs = 0;
    c->config.outputs = c->config.characters = c->config.extras = 0;
    return cli_config_take(&c->config, &chosen, c->config_given, c->task);
}

static int take_files(command *c, char *const *list, int count)
{
    if (count > FILES)
        return cli_wrong("doctor: found %d files, expected at most %d", count, (int)FILES);
    for (int i = 0; i < count; i++)
        c->data[i] = list[i];
    c->data_count = count;
    return CLI_DONE;
}

/* TASK DATA..., as elman train has them. */
static int read_task(elman_context *context, command *c)
{
    elman_config base;
    elman_error error;
    snprintf(c->task, sizeof(c->task), "%s", c->operands.list[0]);
    if (c->operands.count < 2 && elman_task_reads_data(c->task))
        return cli_wrong("doctor: no data to learn from; write elman doctor %s FILE", c->task);
    elman_config_default_for(&base, c->task);
    if (c->v.config[0] != 0) {
        if (elman_config_file_read_draft(context, c->v.config, &c->file, &error) != ELMAN_OK)
            return cli_fail_error(&error);
        if (c->file.task[0] != 0 && strcmp(c->file.task, c->task) != 0)
            return cli_wrong("%s: task: found \"%.31s\", expected \"%s\"", c->v.config,
                             c->file.task, c->task);
        base = c->file.config;
    }
    int status = take_given(c, &base);
    return status == CLI_DONE ? take_files(c, c->operands.list + 1, c->operands.count - 1) : status;
}

/* Whether a file may be a configuration: it begins with a brace. One that cannot be read may. */
static bool is_json(const char *path)
{
    FILE *file = fopen(path, "r");
    int first = '{';
    if (file == NULL)
        return true;
    while ((first = fgetc(file)) == ' ' || first == '\t' || first == '\n' || first == '\r')
        continue;
    fclose(file);
    return first == '{';
}

/* CONFIG [DATA...], and MODEL DATA...: the configuration and, without DATA, the files that it
 * records. */
static int read_config(elman_context *context, command *c, const char *path)
{
    elman_error error;
    if (!is_json(path))
        return cli_wrong("doctor: found %s where MODEL, CONFIG or TASK belongs; write elman doctor "
                         "lm %s",
                         path, path);
    if (elman_config_file_read_draft(context, path, &c->file, &error) != ELMAN_OK)
        return cli_fail_error(&error);
    if (c->file.task[0] == 0)
        return cli_wrong("%s: it names no task; write elman doctor TASK DATA --config %s", path,
                         path);
    memcpy(c->task, c->file.task, sizeof(c->task));
    int status = take_given(c, &c->file.config);
    if (status != CLI_DONE || c->operands.count > 1)
        return status == CLI_DONE ? take_files(c, c->operands.list + 1, c->operands.count - 1)
                                  : status;
    if (c->file.train_count == 0 && elman_task_reads_data(c->task))
        return cli_wrong("doctor: no data, and %s records none; write elman doctor %s FILE", path,
                         c->operands.list[0]);
    if (c->file.train_count > FILES)
        return cli_wrong("doctor: %s records %lld data files, expected at most %d; name them", path,
                         (long long)c->file.train_count, (int)FILES);
    for (int64_t i = 0; i < c->file.train_count; i++)
        c->data[c->data_count++] = c->file.data[i].path;
    return CLI_DONE;
}

static int read_operands(elman_context *context, command *c)
{
    char path[CLI_PATH], meant[128];
    char **list = c->operands.list;
    size_t tasks = 0;
    if (c->operands.count == 0)
        return cli_wrong("doctor: no MODEL and no CONFIG; write elman doctor MODEL, or elman "
                         "doctor lm TEXT");
    const char *first = list[0];
    while (cli_tasks[tasks] != NULL)
        tasks++;
    if (cli_find_task(list, 1) != NULL && (c->operands.count > 1 || access(first, F_OK) != 0))
        return read_task(context, c);
    if (c->v.config[0] != 0)
        return cli_wrong("doctor: --config goes with TASK DATA; found %s", first);
    if (access(first, F_OK) != 0) {
        cli_meant(meant, "", first, cli_tasks, tasks);
        return cli_fail("%s: no such file, model or task%s", first, meant);
    }
    if (!cli_is_folder(first))
        return read_config(context, c, first);
    if (c->operands.count == 1 && given_option(c) != NULL)
        return cli_wrong("doctor: %s is replayed as it was trained, so --%s cannot be given; give "
                         "it with DATA",
                         first, given_option(c));
    if (!cli_join(path, first, "config.json"))
        return cli_fail("%s: the name is too long", first);
    if (c->operands.count > 1)
        return read_config(context, c, path);
    if (c->v.plot[0] != 0)
        return cli_wrong("doctor: --plot draws the learning rates of a trial; give DATA");
    c->model = first;
    return CLI_DONE;
}

static elman_status examine(elman_context *context, const command *c, elman_diagnosis *diagnosis,
                            elman_error *error)
{
    elman_doctor_options wanted;
    elman_train_request request;
    elman_doctor_options_default(&wanted);
    wanted.updates = c->v.updates;
    wanted.memory = c->v.memory * 1024 * 1024 * 1024;
    wanted.stop = cli_catch_signals();
    if (c->model != NULL)
        return elman_doctor_model(context, c->model, &wanted, diagnosis, error);
    elman_train_request_default(&request);
    request.task = c->task;
    request.config = c->config;
    request.data = c->data;
    request.data_count = c->data_count;
    elman_status status = elman_config_validate(&c->config, error);
    return status == ELMAN_OK ? elman_doctor_request(context, &request, &wanted, diagnosis, error)
                              : status;
}

static int answer(elman_context *context, const command *c)
{
    elman_diagnosis diagnosis = {0};
    elman_error error;
    elman_status outcome = examine(context, c, &diagnosis, &error);
    if (outcome == ELMAN_ERROR_ARGUMENT)
        return cli_wrong("%s", error.message);
    if (outcome == ELMAN_ERROR_INTERRUPTED) {
        cli_fail_error(&error);
        return CLI_INTERRUPTED;
    }
    if (outcome != ELMAN_OK)
        return cli_fail_error(&error);
    /* the most severe stands first; a note harms nothing, and may depend on the processor */
    bool harmed = diagnosis.count > 0 && diagnosis.findings[0].severity > ELMAN_SEVERITY_NOTE;
    int status = harmed ? CLI_FINDINGS : CLI_DONE;
    if (c->v.json)
        cli_doctor_json(&diagnosis, c->model != NULL);
    else
        cli_doctor_print(&diagnosis, c->model != NULL, c->v.verbose);
    if (c->v.plot[0] != 0 && diagnosis.range_count > 0 &&
        elman_diagnosis_plot(context, &diagnosis, c->v.plot, &error) != ELMAN_OK)
        status = cli_fail_error(&error);
    elman_diagnosis_clear(context, &diagnosis);
    return status;
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
    if (c.v.plot[0] != 0 && elman_diagnosis_plot_check(c.v.plot, &error) != ELMAN_OK)
        return cli_wrong("%s", error.message);
    if (c.v.plot[0] != 0 && c.v.updates == 0)
        return cli_wrong("doctor: --plot draws the learning rates of a trial, and --updates 0 "
                         "makes none");
    if (cli_context((int)c.config.threads, &context, &error) != ELMAN_OK)
        return cli_fail_error(&error);
    status = read_operands(context, &c);
    if (status == CLI_DONE)
        status = answer(context, &c);
    elman_config_file_clear(context, &c.file);
    elman_context_free(context);
    return status;
}

static const char *const usage[] = {"doctor TASK DATA... [OPTION...]",
                                    "doctor CONFIG [DATA...] [OPTION...]",
                                    "doctor MODEL [DATA...] [OPTION...]", NULL};
static const char *const examples[] = {
    "elman doctor lm shakespeare.txt --lr 0.1",
    "What elman train lm with these options would run into.",
    "elman doctor lm shakespeare.txt --plot rates.svg --verbose",
    "What to expect, and a picture of the loss over the learning rate.",
    "elman doctor d.json r.csv && elman train forecast r.csv -c d.json -o m",
    "Trains only where nothing worse than a note is found.",
    "elman doctor shakespeare",
    "A training that stopped at a number that is not finite: where that first stood, and what "
    "made it.",
    NULL};

const cli_verb cli_doctor = {
    .name = "doctor",
    .summary = "what is wrong with a training, or will be",
    .usage = usage,
    .description =
        "Before a training: reads the data, looks at sizes, classes and targets, and trains a "
        "little in memory: at the learning rate that is configured, at rates that grow, and on one "
        "batch alone. Each finding has a code, a number, a reason and the option to change. The "
        "options are those of elman train; CONFIG is a file like MODEL/config.json.\n\n"
        "After one that stopped because a loss or gradient was not finite: elman doctor MODEL "
        "replays it from its checkpoint, update for update, to the one that failed, and names the "
        "first number that is not finite by sample, time step, layer, gate and operation, and what "
        "was fed into it.\n\n"
        "Nothing is written but a picture. It prints nothing where nothing is found. Exit status: "
        "0 nothing found, or nothing but notes, 3 warnings or errors found, 1 it failed, 2 the "
        "command "
        "line was wrong.",
    .examples = examples,
    .own = &table,
    .trains = true,
    .run = run,
};
