#include "compare_variants.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "config_of.h"

enum { WORDS = 128, TEXT = 2048 };

static bool grow(cli_variants *v)
{
    if (v->list != NULL)
        return v->count < ELMAN_COMPARE_VARIANTS;
    v->list = calloc(ELMAN_COMPARE_VARIANTS, sizeof(*v->list));
    v->names = calloc(ELMAN_COMPARE_VARIANTS, sizeof(*v->names));
    return v->list != NULL && v->names != NULL;
}

void cli_variants_free(cli_variants *v)
{
    free(v->list);
    free(v->names);
    v->list = NULL;
    v->names = NULL;
    v->count = 0;
}

/* Takes the variant in, unless one of that name is there. `where` says what it is of. */
static int add(cli_variants *v, const char *name, const elman_config *config, const char *where)
{
    if (!grow(v)) {
        if (v->count == ELMAN_COMPARE_VARIANTS)
            return cli_wrong("compare: more than %d variants", ELMAN_COMPARE_VARIANTS);
        return cli_fail("out of memory");
    }
    for (int i = 0; i < v->count; i++)
        if (strcmp(v->names[i], name) == 0)
            return cli_wrong(
                "%s: a variant before it is called %s too; name one of them otherwise, "
                "as --variant 'NAME: ...'",
                where, name);
    if (strlen(name) >= ELMAN_COMPARE_NAME)
        return cli_wrong("%s: the name %.20s... has %zu bytes, expected at most %d; name it "
                         "otherwise, as --variant 'NAME: ...'",
                         where, name, strlen(name), ELMAN_COMPARE_NAME - 1);
    strcpy(v->names[v->count], name);
    v->list[v->count].name = v->names[v->count];
    v->list[v->count].config = *config;
    v->count++;
    return CLI_DONE;
}

/* All are of one task. */
static int take_task(cli_variants *v, const char *task, const char *where)
{
    if (task[0] == 0 || strcmp(v->task, task) == 0)
        return CLI_DONE;
    if (v->task[0] != 0)
        return cli_wrong("%s: task: found \"%.31s\", expected \"%s\", as the others have it", where,
                         task, v->task);
    snprintf(v->task, sizeof(v->task), "%s", task);
    return CLI_DONE;
}

/* Sets what the command line gives for all. */
static int apply(const cli_common *common, const char *task, elman_config *config)
{
    return cli_config_take(config, common->config, common->given, task);
}

/* "a/b/lstm.json" and "a/b/lstm/": "lstm" */
static void name_of_path(const char *path, char name[CLI_PATH])
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/')
        begin--;
    snprintf(name, CLI_PATH, "%.*s", (int)(end - begin), path + begin);
    char *dot = strrchr(name, '.');
    if (dot != NULL && dot != name && strcmp(dot, ".json") == 0)
        *dot = 0;
}

static int read_file(elman_context *context, cli_variants *v, const char *path,
                     elman_config *config)
{
    elman_config_file file;
    elman_error error;
    elman_status read = cli_is_folder(path)
                            ? elman_config_file_read_model(context, path, &file, &error)
                            : elman_config_file_read_draft(context, path, &file, &error);
    if (read != ELMAN_OK)
        return cli_fail_error(&error);
    int status = take_task(v, file.task, path);
    *config = file.config;
    /* as many of each as the data have, not as the file's did */
    config->vocabulary = config->inputs = config->outputs = config->characters = 0;
    elman_config_file_clear(context, &file);
    if (status == CLI_DONE && v->task[0] == 0)
        status =
            cli_wrong("%s: it has no \"task\"; add it, or name the task before the data", path);
    return status;
}

int cli_variant_from_file(elman_context *context, cli_variants *v, const char *path,
                          const cli_common *common)
{
    char name[CLI_PATH];
    elman_config config;
    int status = read_file(context, v, path, &config);
    if (status == CLI_DONE)
        status = apply(common, v->task, &config);
    name_of_path(path, name);
    return status == CLI_DONE ? add(v, name, &config, path) : status;
}

int cli_variant_base(elman_context *context, cli_variants *v, const char *path,
                     const cli_common *common, elman_config *base)
{
    if (path != NULL) {
        int status = read_file(context, v, path, base);
        if (status != CLI_DONE)
            return status;
    } else
        elman_config_default_for(base, v->task);
    return apply(common, v->task, base);
}

/* Cuts a text into words at white space; quotes hold one together, and are taken away. Returns
 * their number, or -1 where a quote does not end or there are too many. */
static int split(char *text, char *words[WORDS])
{
    int count = 0;
    char *in = text, *out = text;
    for (;;) {
        while (isspace((unsigned char)*in))
            in++;
        if (*in == 0)
            return count;
        if (count == WORDS)
            return -1;
        words[count++] = out;
        char quote = 0;
        for (; *in != 0 && (quote != 0 || !isspace((unsigned char)*in)); in++) {
            if (quote == 0 && (*in == '\'' || *in == '"'))
                quote = *in;
            else if (quote != 0 && *in == quote)
                quote = 0;
            else
                *out++ = *in;
        }
        if (quote != 0)
            return -1;
        bool more = *in != 0;
        *out++ = 0;
        if (!more)
            return count;
        in++;
    }
}

/* What a variant is called whose text does not say it: "gru", "rnn-relu-identity", "clip-1". */
static void add_to_name(char name[TEXT], const char *piece)
{
    size_t used = strlen(name);
    if (used > 0)
        snprintf(name + used, TEXT - used, "-%s", piece);
    else
        snprintf(name, TEXT, "%s", piece);
    for (; name[used] != 0; used++)
        if (!isalnum((unsigned char)name[used]) && strchr("._+-", name[used]) == NULL)
            name[used] = '-';
}

static void name_option(char name[TEXT], const elman_option *o, const char *value)
{
    bool number = o->type == ELMAN_OPTION_INTEGER || o->type == ELMAN_OPTION_REAL;
    if (o->type == ELMAN_OPTION_FLAG && strcmp(value, "false") == 0)
        add_to_name(name, "no");
    if (number || o->type == ELMAN_OPTION_FLAG)
        add_to_name(name, o->name);
    if (o->type != ELMAN_OPTION_FLAG)
        add_to_name(name, value);
}

static int unknown_option(const char *where, const char *word)
{
    const elman_option_table *all = elman_config_options();
    const char *near = elman_options_nearest(all, word);
    return cli_wrong("%s: unknown option --%s%s%s%s", where, word, near ? "; did you mean --" : "",
                     near ? near : "", near ? "?" : "; see elman train --help");
}

/* Whether a variant may say it: what is the comparison's is the same for all. */
static int check_own(const char *where, const elman_option *o, const char *task, bool budget)
{
    bool length = strcmp(o->name, "max-steps") == 0 || strcmp(o->name, "epochs") == 0;
    if (strcmp(o->name, "seed") == 0)
        return cli_wrong("%s: --seed is the same for all variants; give it, and --seeds, outside",
                         where);
    if (strcmp(o->group, "run") == 0)
        return cli_wrong("%s: --%s changes no result; give it outside, for all", where, o->name);
    if (length && budget)
        return cli_wrong("%s: --%s: with --budget all variants train equally long; leave one out",
                         where, o->name);
    if (!elman_option_concerns(o, task))
        return cli_wrong("%s: --%s: it means nothing to the task %s; it belongs to: %s", where,
                         o->name, task, o->tasks);
    return CLI_DONE;
}

/* One "--option value" or "--option=value" from words[*at] on. */
static int read_option(const char *where, char **words, int count, int *at, const char *task,
                       bool budget, char name[TEXT], elman_config *config)
{
    char source[2 * TEXT], *word = words[(*at)++];
    elman_error error;
    if (strncmp(word, "--", 2) != 0 || word[2] == 0)
        return cli_wrong("%s: found %s, expected an option such as --cell gru", where, word);
    char *value = strchr(word, '=');
    if (value != NULL)
        *value++ = 0;
    const elman_option *o = elman_options_find(elman_config_options(), word + 2);
    if (o == NULL || o->untyped)
        return unknown_option(where, word + 2);
    int status = check_own(where, o, task, budget);
    if (status != CLI_DONE)
        return status;
    if (value == NULL && o->type != ELMAN_OPTION_FLAG) {
        if (*at == count)
            return cli_wrong("%s: --%s needs a value, %s", where, o->name, o->argument);
        value = words[(*at)++];
    }
    snprintf(source, sizeof(source), "%s: --%s", where, o->name);
    if (elman_options_set(o, config, value, source, &error) != ELMAN_OK)
        return cli_wrong("%s", error.message);
    name_option(name, o, value != NULL ? value : "true");
    return CLI_DONE;
}

/* Networks that are known by one word. */
static bool take_recipe(const char *word, elman_config *config)
{
    const elman_option_table *all = elman_config_options();
    const elman_option *cell = elman_options_find(all, "cell");
    bool identity = strcmp(word, "irnn") == 0;
    if (identity)
        (void)elman_options_set(elman_options_find(all, "init"), config, "identity", "init", NULL);
    return elman_options_set(cell, config, identity ? "rnn-relu" : word, "cell", NULL) == ELMAN_OK;
}

int cli_variant_from_text(cli_variants *v, const char *text, const elman_config *base,
                          const cli_common *common)
{
    char where[TEXT], copy[TEXT], given[TEXT] = "", made[TEXT] = "", *words[WORDS];
    elman_config config = *base;
    int status = CLI_DONE, at = 0;
    snprintf(where, sizeof(where), "--variant '%.100s'", text);
    if (strlen(text) >= sizeof(copy))
        return cli_wrong("--variant: found %zu bytes, expected at most %d", strlen(text), TEXT - 1);
    const char *rest = text + strspn(text, " \t\n");
    size_t first = strcspn(rest, ": \t\n");
    if (rest[0] != '-' && rest[first] == ':') {
        snprintf(given, sizeof(given), "%.*s", (int)first, rest);
        rest += first + 1;
        if (given[0] == 0)
            return cli_wrong("%s: nothing stands before the colon, expected a name", where);
    }
    snprintf(copy, sizeof(copy), "%s", rest);
    int count = split(copy, words);
    if (count < 0)
        return cli_wrong("%s: a quote in it does not end", where);
    if (count == 0 && given[0] == 0)
        return cli_wrong("--variant: it is empty; write --variant 'NAME: --cell gru'");
    if (count > 0 && words[0][0] != '-') {
        if (!take_recipe(words[0], &config))
            return cli_wrong("%s: found %s, expected 'NAME: --option value ...', or one of rnn, "
                             "rnn-relu, irnn, lstm, gru",
                             where, words[0]);
        add_to_name(made, words[0]);
        at = 1;
    }
    while (at < count && status == CLI_DONE)
        status = read_option(where, words, count, &at, v->task, common->budget, made, &config);
    if (status != CLI_DONE)
        return status;
    return add(v, given[0] != 0 ? given : made, &config, where);
}
