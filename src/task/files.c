#include "task/files.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"

static bool valid_is_file(const elman_config *config)
{
    double fraction;
    return config->valid[0] && !config->split[0] && !elman_parse_real(config->valid, &fraction);
}

static elman_status new_files(const elman_train_request *request, elman_config_file *file,
                              elman_files *files, elman_error *error)
{
    bool valid = valid_is_file(&file->config);
    int count = request->data_count + valid;
    files->paths = elman_allocate(files->context, (size_t)count, sizeof *files->paths);
    file->data = elman_allocate_zero(files->context, (size_t)count, sizeof *file->data);
    if (!files->paths || !file->data)
        return elman_out_of_memory(error);
    files->count = count;
    files->train_count = request->data_count;
    for (int i = 0; i < count; i++) {
        const char *path = i < request->data_count ? request->data[i] : file->config.valid;
        if (strlen(path) >= sizeof file->data[i].path)
            return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                              "%.60s…: a path of %zu bytes, expected less than %zu", path,
                              strlen(path), sizeof file->data[i].path);
        strcpy(file->data[i].path, path);
        files->paths[i] = file->data[i].path;
    }
    file->data_count = count;
    file->train_count = request->data_count;
    return ELMAN_OK;
}

static elman_status recorded_files(elman_config_file *file, elman_files *files, elman_error *error)
{
    if (file->data_count < 1 || file->train_count < 1 || file->data_count > INT32_MAX)
        return elman_fail(error, ELMAN_ERROR_DATA, "config.json names no data");
    files->paths = elman_allocate(files->context, (size_t)file->data_count, sizeof *files->paths);
    if (!files->paths)
        return elman_out_of_memory(error);
    files->count = (int)file->data_count;
    files->train_count = (int)file->train_count;
    files->recorded = true;
    for (int i = 0; i < files->count; i++)
        files->paths[i] = file->data[i].path;
    return ELMAN_OK;
}

elman_status elman_files_of(elman_context *context, const elman_train_request *request,
                            elman_config_file *file, elman_files *files, elman_error *error)
{
    *files = (elman_files){.context = context};
    elman_status status = request && !request->resume ? new_files(request, file, files, error)
                                                      : recorded_files(file, files, error);
    if (status != ELMAN_OK)
        elman_files_free(files);
    return status;
}

void elman_files_free(elman_files *files)
{
    elman_release(files->context, files->paths);
    files->paths = NULL;
}

elman_status elman_files_read(const elman_files *files, int i, const char *sha256, uint64_t bytes,
                              elman_config_file *file, elman_error *error)
{
    elman_data_record *record = &file->data[i];
    if (!files->recorded) {
        memcpy(record->sha256, sha256, sizeof record->sha256);
        record->bytes = bytes;
        return ELMAN_OK;
    }
    if (strcmp(record->sha256, sha256))
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%s: not the file that the training began with: SHA-256 is %.12s…, "
                          "config.json has %.12s…",
                          record->path, sha256, record->sha256);
    return ELMAN_OK;
}

static elman_status by_split(const char *text, int64_t count, const char *unit, elman_parts *parts,
                             elman_error *error)
{
    int64_t sizes[3] = {0}, sum = 0;
    int n = 0;
    bool good = true;
    for (const char *at = text; good && *at;) {
        char number[24];
        size_t size = strcspn(at, ",");
        good = n < 3 && size > 0 && size < sizeof number;
        if (!good)
            break;
        memcpy(number, at, size);
        number[size] = 0;
        good = elman_parse_integer(number, &sizes[n]) && sizes[n] >= (n == 0) &&
               !__builtin_add_overflow(sum, sizes[n], &sum);
        n++;
        at += size;
        good = good && (!*at || at[1]); /* nothing stands behind a last comma */
        at += *at == ',';
    }
    if (!good || n < 2)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "split: found %s, expected TRAIN,VALID or TRAIN,VALID,TEST in %s", text,
                          unit);
    if (sum > count)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "split: %s asks for %" PRId64 " %s, the data have %" PRId64, text, sum,
                          unit, count);
    *parts = (elman_parts){sizes[0], sizes[0] + sizes[1], sizes[0] + sizes[1], sum};
    return ELMAN_OK;
}

elman_status elman_parts_of(const elman_config *config, int64_t count, int64_t train_count,
                            const char *unit, elman_parts *parts, elman_error *error)
{
    double fraction;
    if (config->split[0] && !elman_parse_real(config->valid, &fraction))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "valid: found the file %s, but split takes its parts from the data; give "
                          "one of them",
                          config->valid);
    if (config->split[0])
        return by_split(config->split, count, unit, parts, error);
    if (train_count < 1)
        return elman_fail(error, ELMAN_ERROR_DATA, "too little data: no %s to train on", unit);
    *parts = (elman_parts){train_count, count, count, count};
    if (valid_is_file(config) || train_count < count)
        return ELMAN_OK;
    if (!elman_parse_real(config->valid, &fraction) || !(fraction >= 0 && fraction <= 0.9))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "valid: found %s, expected a fraction from 0 to 0.9 or a file",
                          config->valid);
    parts->train = (int64_t)((double)count * (1.0 - fraction));
    if (parts->train < 1)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "too little data: %" PRId64 " %s, and valid %s leaves none to train on",
                          count, unit, config->valid);
    return ELMAN_OK;
}
