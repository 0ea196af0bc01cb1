/* Options as a table: one entry says an option's name, type, bounds, default and help, and so
 * feeds the command line, config.json, the help, the manual page and the completion. */
#ifndef ELMAN_OPTIONS_H
#define ELMAN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "elman/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum elman_option_type {
    ELMAN_OPTION_FLAG,    /* bool; no argument */
    ELMAN_OPTION_INTEGER, /* int64_t */
    ELMAN_OPTION_REAL,    /* double */
    ELMAN_OPTION_CHOICE,  /* int: the number of the chosen word in `choices` */
    ELMAN_OPTION_TEXT     /* char[capacity] */
} elman_option_type;

typedef struct elman_option {
    const char *name; /* kebab-case: "weight-decay"; in config.json "weight_decay" */
    char letter;      /* 'o' for -o, or 0 */
    elman_option_type type;
    const char *argument;    /* its name in the help: "N", "NAME[:VALUE]"; NULL for a flag */
    const char *group;       /* heading in the help: "network", "training", … */
    const char *initial;     /* the default as text; "auto" makes "auto" a value that can be given;
                              * NULL for a flag (false) or an empty text */
    double minimum, maximum; /* inclusive, of a number; not a number is never accepted */
    double automatic;        /* the number that stands for "auto", outside the bounds */
    const char *const *choices; /* NULL-ended. Of a CHOICE; of a TEXT the words that may begin
                                 * each of its parts "WORD[:VALUE],...", or NULL: any text */
    size_t offset;              /* into the options struct */
    size_t capacity;            /* of a TEXT, its zero byte included */
    bool recorded;              /* stands in config.json */
    bool bound;                 /* a resumed run must not change it */
    bool untyped;               /* in config.json only, no option of the command line */
    const char *key;            /* its name in config.json; NULL: as it is typed */
    const char *tasks;          /* "classify tag": those that it means something to; NULL: all */
    const char *help;           /* one sentence, without its full stop */
} elman_option;

/* A table over one struct. */
typedef struct elman_option_table {
    const elman_option *options;
    size_t count;
} elman_option_table;

/* Sets every option of the table to its default in the struct at `values`. */
ELMAN_API void elman_options_default(const elman_option_table *table, void *values);

/* The option of that name ('_' and '-' count as the same), or NULL. */
ELMAN_API const elman_option *elman_options_find(const elman_option_table *table, const char *name);

/* Whether the option means something to a task (NULL: any). */
ELMAN_API bool elman_option_concerns(const elman_option *option, const char *task);

/* The table's name nearest to a wrong one by edit distance, or NULL where none is near. */
ELMAN_API const char *elman_options_nearest(const elman_option_table *table, const char *name);

/* The nearest of `count` words to a wrong one by edit distance, or NULL where none is near:
 * for verbs, tasks and names from several tables. */
ELMAN_API const char *elman_nearest_word(const char *word, const char *const *words, size_t count);

/* Sets one option from text (NULL for a flag: true; "true"/"false" too). ARGUMENT: one line
 * that names the option, what was found, and the type, bounds or choices expected. `where`
 * names the source ("--lr", "config.json: lr"). */
ELMAN_API elman_status elman_options_set(const elman_option *option, void *values, const char *text,
                                         const char *where, elman_error *error);

/* Writes the option's present value as text, as elman_options_set reads it: at most capacity
 * bytes with the zero byte. */
ELMAN_API void elman_options_get(const elman_option *option, const void *values, char *text,
                                 size_t capacity);

/* Every value of the struct within the bounds of its option, choices within their words, texts
 * ended. ARGUMENT names the first option that is not. For structs filled by hand. */
ELMAN_API elman_status elman_options_validate(const elman_option_table *table, const void *values,
                                              elman_error *error);

/* What an option expects, for messages, the help and the manual: "an integer from 1 to 64, or
 * auto"; at most capacity bytes with the zero byte. */
ELMAN_API void elman_options_describe(const elman_option *option, char *text, size_t capacity);

/* Whether two structs of the table hold the same value of an option. */
ELMAN_API bool elman_options_equal(const elman_option *option, const void *a, const void *b);

#ifdef __cplusplus
}
#endif

#endif
