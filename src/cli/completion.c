/* elman completion: what a shell needs to complete our command lines, from the tables. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

/* What stands where an option's argument belongs. */
static bool takes_file(const elman_option *o)
{
    return o->argument != NULL &&
           (strstr(o->argument, "FILE") != NULL || strcmp(o->argument, "MODEL") == 0);
}

static void put_words(const char *const *words, const char *between)
{
    for (size_t i = 0; words != NULL && words[i] != NULL; i++)
        printf("%s%s", i > 0 ? between : "", words[i]);
}

/* Words that may stand behind a verb and are no options: tasks, verbs, shells. */
static const char *const shells[] = {"bash", "zsh", "fish", NULL};

static void put_operands(const cli_verb *verb)
{
    if (verb->trains)
        put_words(cli_tasks, " ");
    else if (verb == &cli_completion)
        put_words(shells, " ");
    else if (verb == &cli_help || verb == &cli_man)
        for (const cli_verb *const *v = cli_verbs(); *v != NULL; v++)
            printf("%s%s", v == cli_verbs() ? "" : " ", (*v)->name);
}

/* Calls for every option of a verb that can be typed. */
static void each_option(const cli_verb *verb,
                        void (*call)(const cli_verb *verb, const elman_option *option))
{
    const elman_option_table *tables[CLI_TABLES];
    int count = cli_verb_tables(verb, tables);
    for (int t = 0; t < count; t++)
        for (size_t i = 0; i < tables[t]->count; i++)
            if (!tables[t]->options[i].untyped)
                call(verb, &tables[t]->options[i]);
}

static void bash_name(const cli_verb *verb, const elman_option *o)
{
    (void)verb;
    if (o->letter != 0)
        printf("-%c ", o->letter);
    printf("--%s ", o->name);
}

static void bash_value(const cli_verb *verb, const elman_option *o)
{
    if (o->choices == NULL && !takes_file(o) && o->type != ELMAN_OPTION_FLAG)
        printf("    %s:--%s) return ;;\n", verb->name, o->name);
    if (o->choices != NULL) {
        printf("    %s:--%s) COMPREPLY=($(compgen -W '", verb->name, o->name);
        put_words(o->choices, " ");
        printf("' -- \"$word\")); return ;;\n");
    }
    if (takes_file(o)) {
        printf("    %s:--%s", verb->name, o->name);
        if (o->letter != 0)
            printf("|%s:-%c", verb->name, o->letter);
        printf(") COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n");
    }
}

static void print_bash(void)
{
    printf("# bash completion for elman\n"
           "_elman() {\n"
           "    local word=\"${COMP_WORDS[COMP_CWORD]}\" before=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
           "    local verb=\"${COMP_WORDS[1]}\" options='' operands=''\n"
           "    compopt -o filenames 2>/dev/null\n"
           "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
           "        COMPREPLY=($(compgen -W '--help --version");
    for (const cli_verb *const *v = cli_verbs(); *v != NULL; v++)
        printf(" %s", (*v)->name);
    printf("' -- \"$word\"))\n"
           "        return\n"
           "    fi\n"
           "    case \"$verb:$before\" in\n");
    for (const cli_verb *const *v = cli_verbs(); *v != NULL; v++)
        each_option(*v, bash_value);
    printf("    esac\n"
           "    case \"$verb\" in\n");
    for (const cli_verb *const *v = cli_verbs(); *v != NULL; v++) {
        printf("    %s) options='", (*v)->name);
        each_option(*v, bash_name);
        printf("--help' operands='");
        put_operands(*v);
        printf("' ;;\n");
    }
    printf("    esac\n"
           "    case \"$word\" in\n"
           "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
           "    *)\n"
           "        [ \"$COMP_CWORD\" -eq 2 ] || operands=''\n"
           "        COMPREPLY=($(compgen -W \"$operands\" -- \"$word\") $(compgen -f -- "
           "\"$word\"))\n"
           "        ;;\n"
           "    esac\n"
           "}\n"
           "complete -F _elman elman\n");
}

/* Within single quotes of a shell; `also` characters get a backslash. */
static void put_quoted(const char *text, const char *also)
{
    for (; *text != 0; text++) {
        if (*text == '\'')
            fputs("'\\''", stdout);
        else if (strchr(also, *text) != NULL)
            printf("\\%c", *text);
        else
            putchar(*text);
    }
}

static void zsh_option(const cli_verb *verb, const elman_option *o)
{
    (void)verb;
    bool flag = o->type == ELMAN_OPTION_FLAG;
    if (o->letter != 0)
        printf(" \\\n            '(-%c --%s)'{-%c%s,--%s%s}'[", o->letter, o->name, o->letter,
               flag ? "" : "+", o->name, flag ? "" : "=");
    else
        printf(" \\\n            '--%s%s[", o->name, flag ? "" : "=");
    put_quoted(o->help, "[]:\\");
    putchar(']');
    if (!flag) {
        putchar(':');
        put_quoted(o->argument, "[]:\\");
        putchar(':');
        if (o->choices != NULL) {
            putchar('(');
            put_words(o->choices, " ");
            putchar(')');
        } else if (takes_file(o)) {
            fputs("_files", stdout);
        }
    }
    putchar('\'');
}

static void print_zsh(void)
{
    printf("#compdef elman\n"
           "# zsh completion for elman\n"
           "_elman() {\n"
           "    local -a verbs\n"
           "    verbs=(\n");
    for (const cli_verb *const *v = cli_verbs(); *v != NULL; v++) {
        printf("        '%s:", (*v)->name);
        put_quoted((*v)->summary, ":\\");
        printf("'\n");
    }
    printf("    )\n"
           "    if (( CURRENT == 2 )); then\n"
           "        _describe verb verbs\n"
           "        return\n"
           "    fi\n"
           "    local verb=$words[2]\n"
           "    shift words\n"
           "    (( CURRENT-- ))\n"
           "    case $verb in\n");
    for (const cli_verb *const *v = cli_verbs(); *v != NULL; v++) {
        printf("    %s)\n        _arguments -s", (*v)->name);
        each_option(*v, zsh_option);
        printf(" \\\n            '(-h --help)'{-h,--help}'[help]'");
        bool words = (*v)->trains || *v == &cli_completion || *v == &cli_help || *v == &cli_man;
        if (words) {
            printf(" \\\n            '1:word:(");
            put_operands(*v);
            printf(")'");
        }
        printf(" \\\n            '*:file:_files'\n        ;;\n");
    }
    printf("    esac\n"
           "}\n"
           "if [ \"$funcstack[1]\" = _elman ]; then\n"
           "    _elman \"$@\"\n"
           "else\n"
           "    compdef _elman elman\n"
           "fi\n");
}

static void fish_option(const cli_verb *verb, const elman_option *o)
{
    printf("complete -c elman -n '__fish_seen_subcommand_from %s' -l %s", verb->name, o->name);
    if (o->letter != 0)
        printf(" -s %c", o->letter);
    if (o->type != ELMAN_OPTION_FLAG)
        printf(takes_file(o) ? " -r -F" : " -x");
    if (o->choices != NULL) {
        printf(" -a '");
        put_words(o->choices, " ");
        putchar('\'');
    }
    printf(" -d '");
    for (const char *c = o->help; *c != 0; c++)
        printf(*c == '\'' || *c == '\\' ? "\\%c" : "%c", *c);
    printf("'\n");
}

static void print_fish(void)
{
    printf("# fish completion for elman\n");
    for (const cli_verb *const *v = cli_verbs(); *v != NULL; v++) {
        printf("complete -c elman -n __fish_use_subcommand -f -a %s -d '%s'\n", (*v)->name,
               (*v)->summary);
        each_option(*v, fish_option);
        bool words = (*v)->trains || *v == &cli_completion || *v == &cli_help || *v == &cli_man;
        if (words) {
            printf("complete -c elman -n '__fish_seen_subcommand_from %s' -a '", (*v)->name);
            put_operands(*v);
            printf("'\n");
        }
    }
}

static int run(const cli_verb *verb, int argc, char **argv)
{
    cli_operands operands;
    bool answered;
    char meant[128];
    int status = cli_parse(verb, argc, argv, NULL, 0, &operands, &answered);
    if (answered)
        return status;
    if (operands.count != 1)
        return cli_wrong("completion: expected one shell: bash, zsh or fish");
    const char *shell = operands.list[0];
    if (strcmp(shell, "bash") == 0)
        print_bash();
    else if (strcmp(shell, "zsh") == 0)
        print_zsh();
    else if (strcmp(shell, "fish") == 0)
        print_fish();
    else
        return cli_wrong("completion: unknown shell %s%s", shell,
                         cli_meant(meant, "", shell, shells, 3)[0] != 0
                             ? meant
                             : "; bash, zsh and fish are known");
    return CLI_DONE;
}

static const char *const usage[] = {"completion bash|zsh|fish", NULL};
static const char *const examples[] = {
    "eval \"$(elman completion bash)\"",
    "Completes in this shell; the installed package needs none of this.", NULL};

const cli_verb cli_completion = {
    .name = "completion",
    .summary = "completion for bash, zsh or fish",
    .usage = usage,
    .description = "Prints what the shell reads to complete verbs, options and their words.",
    .examples = examples,
    .run = run,
};
