/* The text that a model was trained on: its files, and which part is for what. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/number.h"
#include "task/lm_impl.h"

elman_status elman_lm_valid_kind(const elman_config *config, bool *is_file, double *fraction,
                                 elman_error *error)
{
    *is_file = !elman_parse_real(config->valid, fraction);
    if (!*is_file && !(*fraction >= 0 && *fraction <= 0.9))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "valid: found %s, expected a fraction from 0 to 0.9 or a file",
                          config->valid);
    return ELMAN_OK;
}

elman_status elman_lm_split_text(const elman_text *text, const elman_config *config,
                                 int64_t train_count, elman_lm_split *split, elman_error *error)
{
    uint64_t tokens = elman_text_tokens(text);
    bool is_file;
    double fraction;
    ELMAN_TRY(elman_lm_valid_kind(config, &is_file, &fraction, error));
    int files = elman_text_files(text);
    if (is_file ? train_count < 1 || train_count >= files : train_count != files)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "config.json: %" PRId64 " of %d files to train on, valid is '%s'",
                          train_count, files, config->valid);
    if (is_file) {
        split->train_end = elman_text_file(text, (int)train_count).first_token;
        split->valid_first = split->train_end;
    } else {
        split->train_end = (uint64_t)((double)tokens * (1.0 - fraction));
        split->valid_first = split->train_end;
    }
    split->valid_end = tokens;
    if (split->train_end < 2)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%s: too little text: %" PRIu64 " token%s for training, expected at "
                          "least 2",
                          elman_text_file(text, 0).path, split->train_end,
                          split->train_end == 1 ? "" : "s");
    if (split->valid_end - split->valid_first < 2) {
        if (is_file || fraction > 0)
            return elman_fail(error, ELMAN_ERROR_DATA,
                              "%s: too little text: valid '%s' leaves %" PRIu64
                              " to validate on, expected at least 2 tokens",
                              elman_text_file(text, is_file ? (int)train_count : 0).path,
                              config->valid, split->valid_end - split->valid_first);
        split->valid_first = split->valid_end;
    }
    return ELMAN_OK;
}

/* That the files are still those that were recorded. */
static elman_status check_recorded(const elman_config_file *file, const elman_text *text,
                                   elman_error *error)
{
    for (int64_t i = 0; i < file->data_count; i++) {
        elman_text_file_info info = elman_text_file(text, (int)i);
        if (strcmp(info.sha256, file->data[i].sha256))
            return elman_fail(error, ELMAN_ERROR_DATA,
                              "%s: not the file that the training began with: SHA-256 is %.12s…, "
                              "config.json has %.12s…",
                              info.path, info.sha256, file->data[i].sha256);
    }
    return ELMAN_OK;
}

elman_status elman_lm_open_recorded(elman_context *context, const elman_config_file *file,
                                    elman_text **text, elman_error *error)
{
    if (file->data_count < 1 || file->train_count < 1)
        return elman_fail(error, ELMAN_ERROR_DATA, "config.json names no data");
    const char **paths = malloc((size_t)file->data_count * sizeof *paths);
    if (!paths)
        return elman_out_of_memory(error);
    for (int64_t i = 0; i < file->data_count; i++)
        paths[i] = file->data[i].path;
    elman_error found = {0};
    elman_status status = elman_text_open(context, paths, (int)file->data_count,
                                          (elman_level)file->config.level, text, &found);
    free(paths);
    if (status == ELMAN_ERROR_IO)
        return elman_fail(error, status,
                          "%s (the path as the training was given it, in config.json)",
                          found.message);
    if (status != ELMAN_OK)
        return elman_fail(error, status, "%s", found.message);
    status = check_recorded(file, *text, error);
    if (status != ELMAN_OK) {
        elman_text_free(*text);
        *text = NULL;
    }
    return status;
}
