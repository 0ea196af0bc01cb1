/* What a person or a script sees of a training while it runs. */
#ifndef ELMAN_CLI_PROGRESS_H
#define ELMAN_CLI_PROGRESS_H

#include <stdbool.h>

#include "elman/task.h"

typedef enum cli_progress_form {
    CLI_PROGRESS_NONE,
    CLI_PROGRESS_LIVE,  /* one line that changes, on a terminal */
    CLI_PROGRESS_LINES, /* a line an interval, into a file */
    CLI_PROGRESS_JSON   /* a record an event, on standard output */
} cli_progress_form;

typedef struct cli_progress {
    cli_progress_form form;
    bool unicode;
    bool line_stands;          /* a live line is on the terminal, the cursor behind it */
    double drawn;              /* monotonic seconds of the last line */
    elman_train_progress last; /* without text */
    bool any;                  /* last is set */
    bool validated;            /* in this run */
} cli_progress;

void cli_progress_begin(cli_progress *progress, cli_progress_form form);
/* An elman_train_request's progress; user is the cli_progress. */
void cli_progress_event(void *user, const elman_train_progress *event);
/* Takes the live line away, so that something else can be said. */
void cli_progress_clear(cli_progress *progress);
/* The live line for a terminal of `columns`: at most columns - 3 wide, so that
 * the ^C which a terminal adds does not break it. */
void cli_progress_line(const elman_train_progress *p, int columns, bool unicode, char text[1024]);

#endif
