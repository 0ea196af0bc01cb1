/* elman man: manual pages as roff, from the tables. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "elman/version.h"

/* Text of roff: no line begins a request, hyphens of options are not broken. */
static void put_roff(const char *text)
{
    bool begins = true;
    for (; *text != 0; text++) {
        if (begins && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else
            putchar(*text);
        begins = *text == '\n';
    }
}

static void put_upper(const char *text)
{
    for (; *text != 0; text++)
        putchar(toupper((unsigned char)*text));
}

static void head(const char *verb, const char *summary)
{
    printf(".TH ELMAN");
    if (verb != NULL) {
        putchar('-');
        put_upper(verb);
    }
    printf(" 1 \"\" \"Elman %s\" \"Elman\"\n.SH NAME\nelman", ELMAN_VERSION);
    if (verb != NULL)
        printf("\\-%s", verb);
    printf(" \\- ");
    put_roff(summary);
    putchar('\n');
}

static void put_option(const elman_option *o)
{
    char text[512];
    printf(".TP\n");
    if (o->letter != 0)
        printf("\\fB\\-%c\\fR, ", o->letter);
    fputs("\\fB\\-\\-", stdout);
    put_roff(o->name);
    fputs("\\fR", stdout);
    if (o->argument != NULL) {
        fputs(" \\fI", stdout);
        put_roff(o->argument);
        fputs("\\fR", stdout);
    }
    putchar('\n');
    cli_option_text(o, NULL, text, sizeof(text));
    put_roff(text);
    putchar('\n');
    if (o->type == ELMAN_OPTION_INTEGER || o->type == ELMAN_OPTION_REAL) {
        elman_options_describe(o, text, sizeof(text));
        printf("(");
        put_roff(text);
        printf(")\n");
    }
}

static void put_status(bool doctor)
{
    printf(".SH EXIT STATUS\n"
           ".TP\n0\nDone.\n"
           ".TP\n1\nIt failed; one line on standard error says why.\n"
           ".TP\n2\nThe command line was wrong.\n");
    if (doctor)
        printf(".TP\n3\nDoctor has found warnings or errors; of mere notes it is 0.\n");
    printf(".TP\n130\nInterrupted, and saved.\n");
}

static void put_environment(void)
{
    printf(".SH ENVIRONMENT\n"
           ".TP\n.B ELMAN_THREADS\nThreads where \\fB\\-\\-threads\\fR is not given.\n"
           ".TP\n.B ELMAN_ISA\nThe vector instructions to use: scalar, avx2, avx512 or neon. "
           "Results do not depend on it.\n");
}

static void print_overview(void)
{
    head(NULL, "recurrent networks for ordinary processors");
    printf(".SH SYNOPSIS\n.B elman\n\\fIVERB\\fR [\\fIOPERAND\\fR...] [\\fIOPTION\\fR...]\n"
           ".SH DESCRIPTION\n"
           "Trains, evaluates and runs recurrent networks. Results go to standard output, "
           "progress and messages to standard error.\n.SH VERBS\n");
    for (const cli_verb *const *v = cli_verbs(); *v != NULL; v++) {
        printf(".TP\n\\fB%s\\fR\n", (*v)->name);
        put_roff((*v)->summary);
        printf("; see \\fBelman\\-%s\\fR(1)\n", (*v)->name);
    }
    printf(".SH FILES\n"
           "A model is a folder:\n"
           ".TP\n.I config.json\nThe task, the network and how it was trained.\n"
           ".TP\n.I model.safetensors\nThe weights that evaluate best, under PyTorch's names.\n"
           ".TP\n.I vocabulary.json\nWhat maps text to numbers.\n"
           ".TP\n.I metrics.jsonl\nA record an interval and a validation.\n"
           ".TP\n.I checkpoint.safetensors\nEverything that going on needs.\n");
    put_environment();
    put_status(true);
}

static void print_verb(const cli_verb *verb)
{
    const elman_option_table *tables[CLI_TABLES];
    int count = cli_verb_tables(verb, tables);
    head(verb->name, verb->summary);
    printf(".SH SYNOPSIS\n");
    for (size_t i = 0; verb->usage[i] != NULL; i++) {
        printf("%s.B elman\n", i > 0 ? ".br\n" : "");
        put_roff(verb->usage[i]);
        putchar('\n');
    }
    printf(".SH DESCRIPTION\n");
    for (const char *text = verb->description; *text != 0;) {
        const char *end = strstr(text, "\n\n");
        char paragraph[2048];
        size_t size = end != NULL ? (size_t)(end - text) : strlen(text);
        snprintf(paragraph, sizeof(paragraph), "%.*s", (int)size, text);
        put_roff(paragraph);
        putchar('\n');
        text += size;
        if (end != NULL) {
            printf(".PP\n");
            text += 2;
        }
    }
    printf(".SH OPTIONS\n");
    const char *group = "";
    for (int t = 0; t < count; t++)
        for (size_t i = 0; i < tables[t]->count; i++) {
            const elman_option *o = &tables[t]->options[i];
            if (o->untyped)
                continue;
            if (strcmp(group, o->group) != 0) {
                group = o->group;
                printf(".SS %c%s\n", toupper((unsigned char)group[0]), group + 1);
            }
            put_option(o);
        }
    printf("%s.TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nPrint this in short.\n",
           count > 0 ? ".SS Help\n" : "");
    if (verb->examples != NULL) {
        printf(".SH EXAMPLES\n");
        for (size_t i = 0; verb->examples[i] != NULL; i += 2) {
            printf(".PP\n.nf\n.ft B\n");
            put_roff(verb->examples[i]);
            printf("\n.ft R\n.fi\n.RS\n");
            put_roff(verb->examples[i + 1]);
            printf("\n.RE\n");
        }
    }
    put_environment();
    put_status(verb == &cli_doctor);
    printf(".SH SEE ALSO\n\\fBelman\\fR(1)\n");
}

static int run(const cli_verb *verb, int argc, char **argv)
{
    cli_operands operands;
    bool answered;
    int status = cli_parse(verb, argc, argv, NULL, 0, &operands, &answered);
    if (answered)
        return status;
    if (operands.count > 1)
        return cli_wrong("man: found %d verbs, expected one", operands.count);
    const cli_verb *about = operands.count == 1 ? cli_verb_find(operands.list[0]) : NULL;
    if (operands.count == 1 && about == NULL)
        return cli_wrong("man: unknown verb %s; see elman --help", operands.list[0]);
    if (about != NULL)
        print_verb(about);
    else
        print_overview();
    return CLI_DONE;
}

static const char *const usage[] = {"man [VERB]", NULL};
static const char *const examples[] = {"elman man train | man -l -",
                                       "The page of train, without installing it.", NULL};

const cli_verb cli_man = {
    .name = "man",
    .summary = "the manual page of the program or of a verb",
    .usage = usage,
    .description = "Prints a manual page as roff, which man reads.",
    .examples = examples,
    .run = run,
};
