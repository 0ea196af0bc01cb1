/* The operand MODEL|CONFIG: a model's folder, or a file as MODEL/config.json that says what is to
 * be trained. */
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "config_of.h"

bool cli_is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int cli_config_take(elman_config *to, const elman_config *from, const char *const *given,
                    const char *task)
{
    const elman_option_table *all = elman_config_options();
    char text[ELMAN_CONFIG_TEXT];
    for (size_t i = 0; i < all->count; i++) {
        const elman_option *o = &all->options[i];
        if (given[i] == NULL)
            continue;
        if (!elman_option_concerns(o, task))
            return cli_wrong("--%s: it means nothing to the task %s; it belongs to: %s", o->name,
                             task, o->tasks);
        elman_options_get(o, from, text, sizeof(text));
        (void)elman_options_set(o, to, text, o->name, NULL);
    }
    to->threads = from->threads;
    return CLI_DONE;
}

int cli_request_of(elman_context *context, const char *path, char *const *data, int count,
                   cli_request *to)
{
    elman_config_file file;
    elman_error error;
    *to = (cli_request){.request.task = NULL};
    elman_train_request_default(&to->request);
    if (elman_config_file_read_draft(context, path, &file, &error) != ELMAN_OK)
        return cli_fail_error(&error);
    /* as many of each as the data have, not as the file's did */
    file.config.vocabulary = file.config.inputs = 0;
    file.config.outputs = file.config.characters = 0;
    memcpy(to->task, file.task, sizeof(to->task));
    to->request.task = to->task;
    to->request.config = file.config;
    to->request.data = (const char *const *)data;
    to->request.data_count = count;
    elman_config_file_clear(context, &file);
    if (to->task[0] == 0)
        return cli_fail("%s: no task in it; write \"task\": \"lm\", or another", path);
    return CLI_DONE;
}
