/* The command line against the tables, by getopt_long. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum { OPTIONS = CLI_TABLES * CLI_GIVEN, BASE = 1000, NAME = 64 };

typedef struct known {
    const elman_option *option[OPTIONS];
    const cli_set *set[OPTIONS];
    const char *names[OPTIONS + 1]; /* of the options, and "help" */
    size_t count;
    struct option longs[OPTIONS + 2];
    char letters[2 * OPTIONS + 4];
} known;

static void collect(known *k, const cli_set *sets, int set_count)
{
    size_t letters = 0;
    k->letters[letters++] = ':'; /* a missing argument is told from an unknown option */
    for (int s = 0; s < set_count; s++)
        for (size_t i = 0; i < sets[s].table->count; i++) {
            const elman_option *o = &sets[s].table->options[i];
            if (o->untyped)
                continue;
            bool flag = o->type == ELMAN_OPTION_FLAG;
            size_t n = k->count++;
            k->option[n] = o;
            k->set[n] = &sets[s];
            k->names[n] = o->name;
            k->longs[n] = (struct option){o->name, flag ? optional_argument : required_argument,
                                          NULL, BASE + (int)n};
            if (o->letter != 0) {
                k->letters[letters++] = o->letter;
                if (!flag)
                    k->letters[letters++] = ':';
            }
        }
    k->names[k->count] = "help";
    k->longs[k->count] = (struct option){"help", no_argument, NULL, 'h'};
    k->letters[letters++] = 'h';
    k->letters[letters] = 0;
}

static int find_letter(const known *k, int letter)
{
    for (size_t i = 0; i < k->count; i++)
        if (k->option[i]->letter == letter)
            return (int)i;
    return -1;
}

static int unknown(const cli_verb *verb, const known *k, const char *word)
{
    char name[NAME], meant[128], could[256] = "";
    if (optopt != 0)
        return cli_wrong("%s: unknown option -%c; see elman %s --help", verb->name, optopt,
                         verb->name);
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
    size_t candidates = 0;
    for (size_t i = 0; i <= k->count; i++)
        if (strncmp(k->names[i], name, strlen(name)) == 0) {
            size_t used = strlen(could);
            snprintf(could + used, sizeof(could) - used, "%s--%s", candidates++ > 0 ? ", " : "",
                     k->names[i]);
        }
    if (candidates > 1)
        return cli_wrong("%s: --%s could be %s", verb->name, name, could);
    cli_meant(meant, "--", name, k->names, k->count + 1);
    if (meant[0] == 0)
        snprintf(meant, sizeof(meant), "; see elman %s --help", verb->name);
    return cli_wrong("%s: unknown option --%s%s", verb->name, name, meant);
}

static int apply(const known *k, size_t n, const char *text)
{
    char where[NAME];
    elman_error error;
    const elman_option *o = k->option[n];
    snprintf(where, sizeof(where), "--%s", o->name);
    if (elman_options_set(o, k->set[n]->values, text, where, &error) != ELMAN_OK)
        return cli_wrong("%s", error.message);
    if (k->set[n]->given != NULL)
        k->set[n]->given[o - k->set[n]->table->options] = text != NULL ? text : "";
    return CLI_DONE;
}

bool cli_is_given(const elman_option_table *table, const char *const *given, const char *name)
{
    const elman_option *o = elman_options_find(table, name);
    return o != NULL && given[o - table->options] != NULL;
}

int cli_parse(const cli_verb *verb, int argc, char **argv, const cli_set *sets, int set_count,
              cli_operands *operands, bool *answered)
{
    known k;
    memset(&k, 0, sizeof(k));
    *answered = true;
    for (int s = 0; s < set_count; s++)
        if (set_count > CLI_TABLES || sets[s].table->count > CLI_GIVEN)
            return cli_fail("%s: a table of %zu options, expected at most %d", verb->name,
                            sets[s].table->count, (int)CLI_GIVEN);
    collect(&k, sets, set_count);
    operands->repeated_count = 0;
    opterr = 0;
    optind = 0; /* glibc and musl: begin anew */
    for (;;) {
        int c = getopt_long(argc, argv, k.letters, k.longs, NULL);
        if (c == -1)
            break;
        if (c == 'h') {
            cli_print_help(stdout, verb, verb->trains ? cli_find_task(argv, argc) : NULL);
            return CLI_DONE;
        }
        int n = c >= BASE ? c - BASE : find_letter(&k, c);
        if (c == ':') {
            n = optopt >= BASE ? optopt - BASE : find_letter(&k, optopt);
            return cli_wrong("%s: --%s needs a value, %s", verb->name, k.option[n]->name,
                             k.option[n]->argument);
        }
        if (c == '?' && optopt == 'h')
            return cli_wrong("%s: --help takes no value", verb->name);
        if (c == '?' || n < 0)
            return unknown(verb, &k, argv[optind - 1]);
        int status = apply(&k, (size_t)n, optarg);
        if (status == CLI_DONE && verb->repeats != NULL &&
            strcmp(k.option[n]->name, verb->repeats) == 0) {
            if (operands->repeated_count == CLI_REPEATED)
                return cli_wrong("--%s: given more than %d times", verb->repeats, CLI_REPEATED);
            operands->repeated[operands->repeated_count++] = optarg;
        }
        if (status != CLI_DONE)
            return status;
    }
    operands->list = argv + optind;
    operands->count = argc - optind;
    *answered = false;
    return CLI_DONE;
}
