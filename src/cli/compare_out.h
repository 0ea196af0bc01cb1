/* What elman compare says: while it runs, and at the end. */
#ifndef ELMAN_CLI_COMPARE_OUT_H
#define ELMAN_CLI_COMPARE_OUT_H

#include "elman/compare.h"
#include "progress.h"

typedef struct cli_compare_shown {
    cli_progress_form form; /* of standard error: NONE, LIVE or LINES */
    bool json;              /* a record a run on standard output, as it ends */
    bool unicode;
    bool line_stands;
    double drawn;
} cli_compare_shown;

void cli_compare_begin(cli_compare_shown *shown, cli_progress_form form, bool json);
/* An elman_compare_request's progress; user is the cli_compare_shown. */
void cli_compare_event(void *user, const elman_compare_progress *event);
/* Takes the live line away. */
void cli_compare_clear(cli_compare_shown *shown);

/* The table, in 80 columns, and what its figures mean. `what`: "lm of text.txt". */
void cli_compare_print(const elman_comparison *comparison, const char *what);
/* A record a variant. */
void cli_compare_json(const elman_comparison *comparison);

#endif
