/* elman report: one page on a model. */
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "elman/report.h"

enum { TITLE = 256 };

typedef struct values {
    char output[CLI_PATH], title[TITLE];
    int64_t seed, length, updates, threads;
} values;

/* clang-format off */
static const elman_option options[] = {
    {.name = "output", .letter = 'o', .type = ELMAN_OPTION_TEXT, .argument = "FILE",
     .group = "page", .initial = "report.html", .offset = offsetof(values, output),
     .capacity = CLI_PATH, .help = "The page to write; another page that stands there is replaced"},
    {.name = "title", .type = ELMAN_OPTION_TEXT, .argument = "TEXT", .group = "page",
     .offset = offsetof(values, title), .capacity = TITLE,
     .help = "Its heading, in the place of the name of MODEL"},
    {.name = "length", .letter = 'n', .type = ELMAN_OPTION_INTEGER, .argument = "N",
     .group = "page", .initial = "600", .minimum = 0, .maximum = 1048576,
     .offset = offsetof(values, length), .help = "Tokens that a language model writes; 0: none"},
    {.name = "seed", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "page",
     .initial = "0", .minimum = 0, .maximum = 9007199254740991.0,
     .offset = offsetof(values, seed), .help = "Another number, another text"},
    {.name = "updates", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "examination",
     .initial = "60", .minimum = 0, .maximum = 1e6, .offset = offsetof(values, updates),
     .help = "Updates of the doctor's trial; 0: it only looks"},
    CLI_OPTION_THREADS(values, threads),
};
/* clang-format on */
static const elman_option_table table = {options, sizeof(options) / sizeof(options[0])};

/* What the page lacks. */
static void note(void *user, const char *line)
{
    (void)user;
    cli_fail("report: not measured: %s", line);
}

static int run(const cli_verb *verb, int argc, char **argv)
{
    static values v;
    cli_operands operands;
    bool answered;
    elman_error error;
    elman_context *context = NULL;
    elman_report_options wanted;
    const cli_set set = {&table, &v, NULL};
    elman_options_default(&table, &v);
    int status = cli_parse(verb, argc, argv, &set, 1, &operands, &answered);
    if (answered)
        return status;
    if (operands.count == 0)
        return cli_wrong("report: no MODEL; write elman report MODEL -o report.html");
    if (v.output[0] == 0)
        return cli_wrong("--output: the name of the page is empty");
    elman_report_options_default(&wanted);
    wanted.title = v.title[0] != 0 ? v.title : NULL;
    wanted.data = (const char *const *)operands.list + 1;
    wanted.data_count = operands.count - 1;
    wanted.seed = (uint64_t)v.seed;
    wanted.length = v.length;
    wanted.updates = v.updates;
    wanted.note = note;
    wanted.stop = cli_catch_signals();
    if (cli_context((int)v.threads, &context, &error) != ELMAN_OK ||
        elman_report_write(context, operands.list[0], v.output, &wanted, &error) != ELMAN_OK)
        status = error.code == ELMAN_ERROR_INTERRUPTED ? CLI_INTERRUPTED : CLI_FAILED;
    if (status != CLI_DONE)
        cli_fail_error(&error);
    else
        printf("%s\n", v.output);
    elman_context_free(context);
    return status;
}

static const char *const usage[] = {"report MODEL [FILE...] [-o report.html] [OPTION...]", NULL};
static const char *const examples[] = {
    "elman report shakespeare -o shakespeare.html",
    "The page, for a browser or to be sent: no network, no script.",
    "elman report reviews new-reviews.tsv -o new.html --title 'Reviews of May'",
    "The figures and the gradient measured on other examples.", NULL};

const cli_verb cli_report = {
    .name = "report",
    .summary = "one page on a model: curves, gradients, findings, answers",
    .usage = usage,
    .description =
        "Writes one file of HTML that says what MODEL is, what it is worth on FILEs (without them "
        "on the data that it was validated on), how its training went, where the gradient goes "
        "through time, what the doctor finds, and what a language model writes. Pictures are "
        "in the page; it opens without network and runs no script.\n\n"
        "What cannot be measured, as when the data have moved, is said on the page and on "
        "standard error.",
    .examples = examples,
    .own = &table,
    .run = run,
};
