/* Lines from a file or a pipe as they come, and answers to standard output. */
#ifndef ELMAN_CLI_LINES_H
#define ELMAN_CLI_LINES_H

#include "elman/predict.h"

typedef struct cli_lines {
    int descriptor;
    const char *name;
    char *buffer;
    size_t room, begin, end; /* bytes begin..end are not given out yet */
    bool over;               /* nothing more comes */
    bool lost;               /* an answer could not be written, which was said */
} cli_lines;

/* path NULL: standard input. false: said why. */
bool cli_lines_open(cli_lines *lines, const char *path);
void cli_lines_close(cli_lines *lines);
/* What the library calls. */
elman_lines cli_lines_calls(cli_lines *lines);

#endif
