/* The operand MODEL|CONFIG of verbs that look at a network before or after it is trained. */
#ifndef ELMAN_CLI_CONFIG_OF_H
#define ELMAN_CLI_CONFIG_OF_H

#include "elman/task.h"

/* What CONFIG and the data files that follow it ask to be trained. */
typedef struct cli_request {
    elman_train_request request; /* its task is the one below */
    char task[32];
} cli_request;

bool cli_is_folder(const char *path);
/* Sets what was given on the command line (`given` by option of elman_config_options, values in
 * `from`) in *to. An option that means nothing to the task is an error. Returns CLI_DONE, or what
 * went wrong, said. */
int cli_config_take(elman_config *to, const elman_config *from, const char *const *given,
                    const char *task);
/* Reads CONFIG. The request lives as long as *to and data do. Returns CLI_DONE, or what went wrong,
 * said. */
int cli_request_of(elman_context *context, const char *path, char *const *data, int count,
                   cli_request *to);

#endif
