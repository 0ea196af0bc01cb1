/* elman train: from data to a model, begun, stopped and gone on with. */
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "config_of.h"
#include "elman/task.h"
#include "json_out.h"
#include "progress.h"

typedef struct values {
    char output[CLI_PATH], config[CLI_PATH], tensorboard[CLI_PATH];
    bool resume, force, quiet, json;
} values;

/* clang-format off */
static const elman_option options[] = {
    {.name = "output", .letter = 'o', .type = ELMAN_OPTION_TEXT, .argument = "MODEL",
     .group = "model", .offset = offsetof(values, output), .capacity = CLI_PATH,
     .help = "The folder to write the model to"},
    {.name = "resume", .type = ELMAN_OPTION_FLAG, .group = "model",
     .offset = offsetof(values, resume), .help = "Go on where MODEL stopped, to the same bits"},
    {.name = "force", .type = ELMAN_OPTION_FLAG, .group = "model",
     .offset = offsetof(values, force), .help = "Begin anew where MODEL exists; what stands there is removed at once"},
    {.name = "config", .letter = 'c', .type = ELMAN_OPTION_TEXT, .argument = "FILE",
     .group = "model", .offset = offsetof(values, config), .capacity = CLI_PATH,
     .help = "Take the options from FILE, written like MODEL/config.json; others override it"},
    {.name = "tensorboard", .type = ELMAN_OPTION_TEXT, .argument = "DIR", .group = "output",
     .offset = offsetof(values, tensorboard), .capacity = CLI_PATH,
     .help = "Write event files for TensorBoard to DIR: figures, weights, gradients"},
    {.name = "quiet", .letter = 'q', .type = ELMAN_OPTION_FLAG, .group = "output",
     .offset = offsetof(values, quiet), .help = "Say nothing but errors"},
    {.name = "json", .type = ELMAN_OPTION_FLAG, .group = "output",
     .offset = offsetof(values, json),
     .help = "Print one record of JSON an event on standard output"},
};
/* clang-format on */
static const elman_option_table table = {options, sizeof(options) / sizeof(options[0])};

typedef struct command {
    values v;
    elman_config config;
    const char *own_given[CLI_GIVEN], *config_given[CLI_GIVEN];
    cli_operands operands;
    const char *task, *model;
    char *const *data;
    int data_count;
} command;

/* The operands: TASK DATA..., or MODEL alone with --resume. */
static int read_operands(command *c)
{
    char **list = c->operands.list;
    int count = c->operands.count;
    bool named = cli_is_given(&table, c->own_given, "output");
    c->model = c->v.output;
    if (c->v.resume && c->v.force)
        return cli_wrong("train: --resume goes on and --force begins anew; give one of them");
    if (named && c->v.output[0] == 0)
        return cli_wrong("--output: the name of the folder is empty");
    if (c->v.resume && !named && count == 2 && cli_find_task(list, 1) != NULL) {
        c->task = list[0];
        c->model = list[1];
        return CLI_DONE;
    }
    if (c->v.resume && (count == 0 || (count == 1 && !named))) {
        if (!named && count == 0)
            return cli_wrong("train: no MODEL to go on with; write elman train --resume MODEL");
        if (!named)
            c->model = list[0];
        return CLI_DONE;
    }
    if (count == 0)
        return cli_wrong("train: no TASK and no data; write elman train lm TEXT -o MODEL");
    size_t tasks = 0;
    while (cli_tasks[tasks] != NULL && strcmp(cli_tasks[tasks], list[0]) != 0)
        tasks++;
    if (cli_tasks[tasks] == NULL) {
        char meant[128];
        if (access(list[0], F_OK) == 0)
            return cli_wrong("train: found %s where the task belongs; write elman train lm %s "
                             "-o MODEL",
                             list[0], list[0]);
        cli_meant(meant, "", list[0], cli_tasks, tasks);
        return cli_wrong("train: unknown task %s%s", list[0],
                         meant[0] != 0 ? meant
                                       : "; the tasks are: lm, classify, tag, forecast, probe");
    }
    c->task = list[0];
    c->data = list + 1;
    c->data_count = count - 1;
    bool reads = elman_task_reads_data(c->task);
    if (!reads && count > 1)
        return cli_wrong("train: found %s, but %s makes its own examples; write elman train %s "
                         "-o MODEL",
                         list[1], c->task, c->task);
    if (reads && count == 1 && !c->v.resume)
        return cli_wrong("train: no data to learn from; write elman train %s FILE -o MODEL",
                         c->task);
    if (!named)
        return cli_wrong("train: no MODEL; say where it goes with -o MODEL");
    return CLI_DONE;
}

/* What was given, over `base`. */
static int take_given(command *c, const elman_config *base)
{
    const elman_config chosen = c->config;
    c->config = *base;
    return cli_config_take(&c->config, &chosen, c->config_given, c->task);
}

/* The task's defaults, or --config FILE, then the options over it. */
static int read_config(elman_context *context, command *c)
{
    elman_config_file file;
    elman_error error;
    if (c->v.config[0] == 0 && c->task != NULL && !c->v.resume) {
        elman_config base;
        elman_config_default_for(&base, c->task);
        return take_given(c, &base);
    }
    if (c->v.config[0] == 0)
        return CLI_DONE;
    if (c->v.resume)
        return cli_wrong("train: --resume takes the configuration from MODEL, so --config cannot "
                         "be given");
    if (elman_config_file_read_draft(context, c->v.config, &file, &error) != ELMAN_OK)
        return cli_fail_error(&error);
    int status = CLI_DONE;
    if (file.task[0] != 0 && strcmp(file.task, c->task) != 0)
        status = cli_wrong("%s: task: found \"%.31s\", expected \"%s\"", c->v.config, file.task,
                           c->task);
    /* as many of each as the data have, not as the file's did */
    file.config.vocabulary = file.config.inputs = 0;
    file.config.outputs = file.config.characters = 0;
    if (status == CLI_DONE)
        status = take_given(c, &file.config);
    elman_config_file_clear(context, &file);
    return status;
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    if (strcmp(a, b) == 0)
        return true;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* What is given beside --resume must be what the run was begun with. */
static int check_resumed(elman_context *context, command *c)
{
    char path[CLI_PATH], had[ELMAN_CONFIG_TEXT];
    elman_config_file file;
    elman_error error;
    const elman_option_table *all = elman_config_options();
    if (!cli_join(path, c->model, "config.json"))
        return cli_fail("%s: the name is too long", c->model);
    if (access(path, F_OK) != 0)
        return cli_fail("%s: no model to go on with", c->model);
    if (elman_config_file_read(context, path, &file, &error) != ELMAN_OK)
        return cli_fail_error(&error);
    int status = CLI_DONE;
    if (c->task != NULL && strcmp(c->task, file.task) != 0)
        status = cli_wrong("train: %s is of the task %s, not %s", c->model, file.task, c->task);
    for (size_t i = 0; i < all->count && status == CLI_DONE; i++) {
        const elman_option *o = &all->options[i];
        if (c->config_given[i] == NULL || !o->bound ||
            elman_options_equal(o, &c->config, &file.config))
            continue;
        elman_options_get(o, &file.config, had, sizeof(had));
        if (!elman_option_concerns(o, file.task))
            status = cli_wrong("--%s: it means nothing to the task %s; it belongs to: %s", o->name,
                               file.task, o->tasks);
        else
            status = cli_wrong("--%s%s%s would change the run, which was begun with %s; leave it "
                               "out, or begin anew with --force",
                               o->name, c->config_given[i][0] != 0 ? " " : "", c->config_given[i],
                               had[0] != 0 ? had : "none");
    }
    for (size_t t = 0; c->task == NULL && cli_tasks[t] != NULL; t++)
        if (strcmp(cli_tasks[t], file.task) == 0)
            c->task = cli_tasks[t]; /* for what is said at the end */
    bool same = c->data_count == 0 || c->data_count == file.train_count;
    for (int i = 0; same && i < c->data_count; i++)
        same = same_file(c->data[i], file.data[i].path);
    if (status == CLI_DONE && !same)
        status = cli_wrong("train: %s was begun with other files; leave them out, or begin anew "
                           "with --force",
                           c->model);
    elman_config_file_clear(context, &file);
    return status;
}

static void print_next(const command *c, const cli_progress *progress)
{
    char took[32];
    cli_duration(took, progress->last.seconds);
    bool validated = progress->any && !isnan(progress->last.best_loss);
    if (validated && progress->last.metric != NULL)
        printf("%s: validation %s %.4f, loss %.4f after %lld steps, %s\n", c->model,
               progress->last.metric, progress->last.best_value, progress->last.best_loss,
               (long long)progress->last.step, took);
    else if (validated)
        printf("%s: validation loss %.4f after %lld steps, %s\n", c->model,
               progress->last.best_loss, (long long)progress->last.step, took);
    else
        printf("%s: done\n", c->model);
    bool writes = c->task == NULL || strcmp(c->task, "lm") == 0;
    bool reads = c->task == NULL || elman_task_reads_data(c->task);
    if (reads)
        printf("Next: elman %s %s\n", writes ? "generate" : "predict", c->model);
    printf("%s elman eval %s%s\n", reads ? "     " : "Next:", c->model, validated ? "" : " FILE");
    printf("      elman inspect %s\n", c->model);
}

static int answer(const command *c, elman_status outcome, const elman_error *error,
                  const cli_progress *progress)
{
    switch (outcome) {
    case ELMAN_OK:
        if (!c->v.quiet && !c->v.json)
            print_next(c, progress);
        return CLI_DONE;
    case ELMAN_ERROR_INTERRUPTED:
        cli_fail_error(error);
        return CLI_INTERRUPTED;
    case ELMAN_ERROR_ARGUMENT:
        return cli_wrong("%s", error->message);
    default:
        return cli_fail_error(error);
    }
}

static int train(elman_context *context, const command *c)
{
    elman_train_request request;
    elman_error error = {ELMAN_OK, ""};
    cli_progress progress;
    cli_progress_form form = CLI_PROGRESS_LINES;
    if (cli_columns(STDERR_FILENO) > 0)
        form = CLI_PROGRESS_LIVE;
    if (c->v.quiet)
        form = CLI_PROGRESS_NONE;
    if (c->v.json)
        form = CLI_PROGRESS_JSON;
    cli_progress_begin(&progress, form);
    elman_train_request_default(&request);
    request.task = c->task;
    request.config = c->config;
    request.data = (const char *const *)c->data;
    request.data_count = c->v.resume ? 0 : c->data_count;
    request.output = c->model;
    request.resume = c->v.resume;
    request.force = c->v.force;
    if (cli_is_given(&table, c->own_given, "tensorboard"))
        request.tensorboard = c->v.tensorboard;
    request.progress = cli_progress_event;
    request.user = &progress;
    request.stop = cli_catch_signals();
    elman_status outcome = elman_train(context, &request, &error);
    cli_progress_clear(&progress);
    return answer(c, outcome, &error, &progress);
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
    if (status != CLI_DONE)
        return status;
    if (cli_context((int)c.config.threads, &context, &error) != ELMAN_OK)
        return cli_fail_error(&error);
    status = read_config(context, &c);
    if (status == CLI_DONE && c.v.resume)
        status = check_resumed(context, &c);
    else if (status == CLI_DONE && elman_config_validate(&c.config, &error) != ELMAN_OK)
        status = cli_wrong("%s", error.message);
    if (status == CLI_DONE)
        status = train(context, &c);
    elman_context_free(context);
    return status;
}

static const char *const usage[] = {"train lm TEXT... -o MODEL [OPTION...]",
                                    "train classify|tag|forecast FILE... -o MODEL [OPTION...]",
                                    "train probe -o MODEL [OPTION...]", "train --resume MODEL",
                                    NULL};
static const char *const examples[] = {
    "elman train lm shakespeare.txt -o shakespeare",
    "A character model; its size and the length of the training follow the size of the text.",
    "elman train lm train.txt --valid valid.txt --level word -o words",
    "A word model, validated on a file of its own.",
    "elman train classify reviews.tsv -o reviews",
    "A text and its label a line; a tenth from the end is kept for validation.",
    "elman train tag train.conllu --valid dev.conllu -o tagger",
    "The part of speech of each word, or with --label another column.",
    "elman train forecast readings.csv --horizon 24 --quantiles 0.1,0.9 -o readings",
    "The next 24 rows of every column of numbers, and an interval that holds 80 %.",
    "elman train probe --task adding --lag 100 --cell gru -o adding",
    "A long-dependency task whose examples are made as it goes: is the gradient still there?",
    "elman train --resume shakespeare",
    "Goes on after Ctrl-C, a power cut or a full disk, and ends with the same bits.",
    "elman train lm ptb.train.txt --valid ptb.valid.txt -o ptb --level word \\\n"
    "--layers 2 --hidden 200 --dropout 0 --init uniform:0.1 --batch 20 \\\n"
    "--bptt 20 --optimizer sgd --lr 1 --schedule step:0.5:4 --epochs 13 \\\n"
    "--clip 5 --reduction sequence",
    "The small network of Zaremba et al. (2014).",
    NULL};

const cli_verb cli_train = {
    .name = "train",
    .summary = "learn from data, or go on learning",
    .usage = usage,
    .description =
        "Trains a network and writes it to the folder MODEL: the configuration, the weights that "
        "evaluate best, the vocabulary, a record of the training, and a checkpoint to go on "
        "from. Options for one task alone: elman train TASK --help.\n\n"
        "lm is a language model: which token of a text comes next. classify gives a text or a "
        "sequence of numbers a label, and learns it from CSV or TSV. tag gives each word a label, "
        "from CoNLL columns, or each step. forecast continues a CSV of readings. probe needs no "
        "data: it makes up sequences whose answer lies --lag steps back.\n\n"
        "What is auto is chosen from the size of the data, and said. The result depends on the "
        "data, the options and the seed alone, not on threads or processor. Ctrl-C saves and "
        "ends with status 130; a second one ends at once.",
    .examples = examples,
    .own = &table,
    .trains = true,
    .run = run,
};
