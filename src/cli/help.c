/* Help, from the tables. */
#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "elman/config.h"
#include "elman/version.h"

enum { TERM = 26, LINE = 512 };

static int width_of(FILE *file)
{
    int columns = cli_columns(fileno(file));
    return columns <= 0 || columns > 80 ? 80 : columns < 40 ? 40 : columns;
}

static void add(char *text, size_t capacity, const char *before, const char *more)
{
    size_t used = strlen(text);
    snprintf(text + used, capacity - used, "%s%s", before, more);
}

void cli_option_text(const elman_option *option, const char *task, char *text, size_t capacity)
{
    snprintf(text, capacity, "%s", option->help);
    if (option->choices != NULL) {
        add(text, capacity, "; ", option->choices[0]);
        for (size_t i = 1; option->choices[i] != NULL; i++)
            add(text, capacity, option->choices[i + 1] == NULL ? " or " : ", ", option->choices[i]);
    }
    if (task == NULL && option->tasks != NULL) {
        add(text, capacity, " (", option->tasks);
        add(text, capacity, ")", "");
    }
    const char *initial = elman_config_initial(option, task);
    if (initial != NULL && initial[0] != 0) {
        bool ends = option->type == ELMAN_OPTION_FLAG && strcmp(initial, "true") == 0;
        add(text, capacity, " [", initial);
        if (ends) {
            add(text, capacity, "; --", option->name);
            add(text, capacity, "=false", " ends it");
        }
        add(text, capacity, "]", "");
    }
}

static void print_option(FILE *file, const elman_option *option, const char *task, int width)
{
    char head[128], text[LINE];
    char letter[8] = "    ";
    if (option->letter != 0)
        snprintf(letter, sizeof(letter), "-%c, ", option->letter);
    snprintf(head, sizeof(head), "  %s--%s%s%s", letter, option->name,
             option->argument != NULL ? " " : "", option->argument != NULL ? option->argument : "");
    cli_option_text(option, task, text, sizeof(text));
    int used = fprintf(file, "%s", head);
    if (used > TERM - 2) {
        putc('\n', file);
        used = 0;
    }
    fprintf(file, "%*s", TERM - used, "");
    cli_wrap(file, text, TERM, TERM, width);
}

static void print_table(FILE *file, const elman_option_table *table, const char *task, int width)
{
    const char *group = "";
    for (size_t i = 0; i < table->count; i++) {
        const elman_option *o = &table->options[i];
        if (o->untyped || !elman_option_concerns(o, task))
            continue;
        if (strcmp(group, o->group) != 0) {
            group = o->group;
            fprintf(file, "\n%c%s\n", toupper((unsigned char)group[0]), group + 1);
        }
        print_option(file, o, task, width);
    }
}

static void print_paragraphs(FILE *file, const char *text, int width)
{
    while (*text != 0) {
        char paragraph[2 * LINE];
        const char *end = strstr(text, "\n\n");
        size_t size = end != NULL ? (size_t)(end - text) : strlen(text);
        snprintf(paragraph, sizeof(paragraph), "%.*s", (int)size, text);
        cli_wrap(file, paragraph, 0, 0, width);
        text += size;
        if (end != NULL) {
            putc('\n', file);
            text += 2;
        }
    }
}

/* A line of its own for every line of the command, which end in a backslash but the last. */
static void put_command(FILE *file, const char *command)
{
    fputs("  ", file);
    for (; *command != 0; command++) {
        putc(*command, file);
        if (*command == '\n')
            fputs("      ", file);
    }
    fputs("\n      ", file);
}

void cli_print_help(FILE *file, const cli_verb *verb, const char *task)
{
    int width = width_of(file);
    const elman_option_table *tables[CLI_TABLES];
    int count = cli_verb_tables(verb, tables);
    bool first = true;
    for (size_t i = 0; verb->usage[i] != NULL; i++) {
        if (task != NULL && strstr(verb->usage[i], task) == NULL)
            continue;
        fprintf(file, "%s elman %s\n", first ? "Usage:" : "      ", verb->usage[i]);
        first = false;
    }
    putc('\n', file);
    print_paragraphs(file, verb->description, width);
    for (int i = 0; i < count; i++)
        print_table(file, tables[i], task, width);
    if (verb->examples != NULL) {
        fputs("\nExamples\n", file);
        for (size_t i = 0; verb->examples[i] != NULL; i += 2) {
            if (task != NULL && strstr(verb->examples[i], task) == NULL)
                continue;
            put_command(file, verb->examples[i]);
            cli_wrap(file, verb->examples[i + 1], 6, 6, width);
        }
    }
}

void cli_print_overview(FILE *file)
{
    fprintf(file,
            "Elman %s: recurrent networks for ordinary processors\n\n"
            "Usage: elman VERB ...\n\n",
            ELMAN_VERSION);
    for (const cli_verb *const *verb = cli_verbs(); *verb != NULL; verb++)
        fprintf(file, "  %-12s%s\n", (*verb)->name, (*verb)->summary);
    fputs("\nBegin with a text of your own:\n"
          "  elman train lm TEXT -o MODEL\n"
          "  elman generate MODEL\n\n"
          "elman VERB --help says more; elman --version says which Elman this is.\n",
          file);
}

static int run(const cli_verb *verb, int argc, char **argv)
{
    cli_operands operands;
    bool answered;
    int status = cli_parse(verb, argc, argv, NULL, 0, &operands, &answered);
    if (answered)
        return status;
    if (operands.count > 1)
        return cli_wrong("help: found %d verbs, expected one", operands.count);
    if (operands.count == 0) {
        cli_print_overview(stdout);
        return CLI_DONE;
    }
    const cli_verb *about = cli_verb_find(operands.list[0]);
    if (about == NULL)
        return cli_wrong("help: unknown verb %s; see elman --help", operands.list[0]);
    cli_print_help(stdout, about, NULL);
    return CLI_DONE;
}

static const char *const usage[] = {"help [VERB]", NULL};

const cli_verb cli_help = {
    .name = "help",
    .summary = "what a verb does and its options",
    .usage = usage,
    .description = "Prints what elman VERB --help prints.",
    .run = run,
};
