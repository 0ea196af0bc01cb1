/* elman: finds the verb and runs it. */
#include <locale.h>
#include <string.h>

#include "cli.h"
#include "elman/version.h"

static int unknown_verb(const char *name)
{
    const char *names[16];
    size_t count = 0;
    char meant[128];
    for (const cli_verb *const *verb = cli_verbs(); *verb != NULL; verb++)
        names[count++] = (*verb)->name;
    cli_meant(meant, "", name, names, count);
    const char *what = name[0] == '-' ? "option" : "verb";
    return cli_wrong("unknown %s %s%s", what, name, meant[0] != 0 ? meant : "; see elman --help");
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        cli_print_overview(stderr);
        return CLI_WRONG;
    }
    const char *first = argv[1];
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0) {
        cli_print_overview(stdout);
        return CLI_DONE;
    }
    if (strcmp(first, "--version") == 0 || strcmp(first, "-V") == 0) {
        printf("elman %s\n", elman_version());
        return CLI_DONE;
    }
    const cli_verb *verb = cli_verb_find(first);
    if (verb == NULL)
        return unknown_verb(first);
    return verb->run(verb, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    /* Only what characters are: numbers look the same everywhere. */
    setlocale(LC_CTYPE, "");
    /* A closed pipe and a file that may grow no more are errors, not deaths. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    return cli_finish(run(argc, argv));
}
