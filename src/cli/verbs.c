/* The verbs and tasks of the program. */
#include <string.h>

#include "cli.h"
#include "elman/config.h"

const char *const cli_tasks[] = {"lm", "classify", "tag", "forecast", "probe", NULL};

const char *cli_find_task(char *const *words, int count)
{
    for (int i = 0; i < count; i++)
        for (size_t t = 0; cli_tasks[t] != NULL; t++)
            if (strcmp(words[i], cli_tasks[t]) == 0)
                return cli_tasks[t];
    return NULL;
}

const cli_verb *const *cli_verbs(void)
{
    static const cli_verb *const verbs[] = {
        &cli_train,      &cli_eval,   &cli_predict, &cli_generate, &cli_inspect,
        &cli_gradflow,   &cli_doctor, &cli_compare, &cli_report,   &cli_help,
        &cli_completion, &cli_man,    NULL};
    return verbs;
}

const cli_verb *cli_verb_find(const char *name)
{
    const cli_verb *const *verb = cli_verbs();
    while (*verb != NULL && strcmp((*verb)->name, name) != 0)
        verb++;
    return *verb;
}

int cli_verb_tables(const cli_verb *verb, const elman_option_table *tables[CLI_TABLES])
{
    int count = 0;
    if (verb->own != NULL)
        tables[count++] = verb->own;
    if (verb->trains)
        tables[count++] = elman_config_options();
    return count;
}
