/* Which task a model is of. */
#include <string.h>

#include "cli.h"
#include "elman/config.h"

int cli_task_of(elman_context *context, const char *model, char task[32])
{
    elman_config_file file;
    elman_error error;
    if (elman_config_file_read_model(context, model, &file, &error) != ELMAN_OK)
        return cli_fail_error(&error);
    memcpy(task, file.task, sizeof(file.task));
    elman_config_file_clear(context, &file);
    return CLI_DONE;
}
