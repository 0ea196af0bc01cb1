/* The command line program: what its files share. Public headers only. */
#ifndef ELMAN_CLI_CLI_H
#define ELMAN_CLI_CLI_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "elman/context.h"
#include "elman/options.h"

enum {
    CLI_DONE = 0,
    CLI_FAILED = 1,
    CLI_WRONG = 2,    /* the command line was */
    CLI_FINDINGS = 3, /* it was done, and doctor has found what harms the training */
    CLI_INTERRUPTED = 130,
    CLI_PATH = 4096,
    CLI_TABLES = 2,
    CLI_GIVEN = 128, /* the most options of a table of which a verb is told which were given */
    CLI_REPEATED = 64
};

/* One verb: everything that its parser, help, manual page and completion are made from. */
typedef struct cli_verb {
    const char *name;
    const char *summary;           /* for the list of verbs; no full stop */
    const char *const *usage;      /* what follows "elman "; NULL-ended */
    const char *description;       /* paragraphs between empty lines */
    const char *const *examples;   /* command, what it does, ...; NULL-ended; may be NULL */
    const elman_option_table *own; /* its own options; may be NULL */
    bool trains;                   /* the options of config.json too */
    const char *repeats;           /* the option that may be given several times; NULL: none */
    int (*run)(const struct cli_verb *verb, int argc, char **argv); /* argv[0]: the verb */
} cli_verb;

extern const cli_verb cli_train, cli_eval, cli_predict, cli_generate, cli_inspect, cli_gradflow,
    cli_doctor, cli_compare, cli_report, cli_help, cli_completion, cli_man;

/* In the order of the help; NULL-ended. */
const cli_verb *const *cli_verbs(void);
const cli_verb *cli_verb_find(const char *name);
/* The verb's tables, CLI_TABLES at most; returns how many. */
int cli_verb_tables(const cli_verb *verb, const elman_option_table *tables[CLI_TABLES]);
/* NULL-ended. */
extern const char *const cli_tasks[];
/* The task among some words, or NULL. */
const char *cli_find_task(char *const *words, int count);

/* Messages: one line on standard error, "elman: ...", control characters escaped. Return the
 * exit status that they stand for. */
int cli_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
int cli_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
int cli_fail_error(const elman_error *error);
/* Text that others wrote, on a terminal: control characters escaped. */
void cli_put_clean(FILE *file, const char *text);
/* " (did you mean X?)" or "", in a buffer of the caller. */
const char *cli_meant(char text[128], const char *before, const char *word,
                      const char *const *words, size_t count);

/* What the user gave: into values, a table over each. */
typedef struct cli_set {
    const elman_option_table *table;
    void *values;
    const char **given; /* [CLI_GIVEN] by option of the table: the text as given, "" of a flag,
                         * NULL: not given; may be NULL */
} cli_set;

typedef struct cli_operands {
    char **list;
    int count;
    const char *repeated[CLI_REPEATED]; /* what the verb's option `repeats` was given, in order */
    int repeated_count;
} cli_operands;

/* Reads options wherever they stand, `--` ends them. Values are only set where an option is
 * given. Returns CLI_DONE to go on; otherwise *answered: exit with the returned status. */
int cli_parse(const cli_verb *verb, int argc, char **argv, const cli_set *sets, int set_count,
              cli_operands *operands, bool *answered);

/* Whether an option of the table was given. */
bool cli_is_given(const elman_option_table *table, const char *const *given, const char *name);

/* Standard output. flush answers false and says why on standard error, once. */
bool cli_flush(void);
/* Flushes and closes; returns status, or CLI_FAILED where something was lost. */
int cli_finish(int status);

/* Columns of the terminal on a descriptor (80 where unknown); 0: no terminal, or a dumb one. */
int cli_columns(int descriptor);
/* Whether the locale's characters are UTF-8. */
bool cli_is_utf8(void);
/* Columns that UTF-8 text takes, a code point counted as one. */
size_t cli_width(const char *text);

/* Text filled into lines of `width` columns, `indent` spaces before each but the first, which
 * begins at `column`. Ends with a line end. */
void cli_wrap(FILE *file, const char *text, int indent, int column, int width);

/* Help of one verb (of one task, where it is not NULL), of the whole program. */
void cli_print_help(FILE *file, const cli_verb *verb, const char *task);
void cli_print_overview(FILE *file);
/* One option's help with its choices and the default it has under a task, as a text. */
void cli_option_text(const elman_option *option, const char *task, char *text, size_t capacity);

/* --threads of a verb that does not train, into the int64_t `field` of its struct. */
#define CLI_OPTION_THREADS(owner, field)                                                           \
    {                                                                                              \
        .name = "threads", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "run",          \
        .initial = "auto", .minimum = 1, .maximum = 256, .offset = offsetof(owner, field),         \
        .help = "Threads; no result depends on them; auto: ELMAN_THREADS, or all processors"       \
    }

/* A context with so many threads (0: the default), whose log goes to standard error. */
elman_status cli_context(int threads, elman_context **context, elman_error *error);

/* The task that MODEL/config.json names; returns CLI_DONE, or what went wrong, said. */
int cli_task_of(elman_context *context, const char *model, char task[32]);

/* SIGINT and SIGTERM set the flag that is returned; a second one ends the process. */
const volatile sig_atomic_t *cli_catch_signals(void);
void cli_stop(void);

/* Text for a person: "1,234,567"; "3m20s"; "12.3k". */
void cli_grouped(char text[32], unsigned long long number);
void cli_duration(char text[32], double seconds);
void cli_short(char text[32], double number);
/* Three decimals, or fewer digits where the number is large; "-" where it is not a number. */
void cli_loss(char text[32], double loss);

/* "folder/name"; false where it is longer than CLI_PATH. */
bool cli_join(char path[CLI_PATH], const char *folder, const char *name);

#endif
