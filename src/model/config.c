/* config.json, both ways. Its keys are the recorded options of the table under their groups'
 * names, and what a run's record adds: versions, task, files. */
#include "elman/config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "elman/version.h"
#include "format/json.h"

enum { NAME = 64, PLACE = 256, SHOWN = 96, DEPTH = 8, KEYS = 96 };

void elman_config_file_default(elman_config_file *file)
{
    memset(file, 0, sizeof(*file));
    file->format_version = ELMAN_CONFIG_FORMAT_VERSION;
    file->numerics_version = ELMAN_NUMERICS_VERSION;
    elman_config_default(&file->config);
}

void elman_config_file_clear(elman_context *context, elman_config_file *file)
{
    if (file == NULL)
        return;
    elman_release(context, file->data);
    file->data = NULL;
    file->data_count = file->train_count = 0;
}

/* "weight-decay" as a key: "weight_decay". */
static void key_of(const elman_option *option, char key[NAME])
{
    const char *name = option->key != NULL ? option->key : option->name;
    size_t i = 0;
    for (; name[i] != 0 && i + 1 < NAME; i++)
        key[i] = name[i] == '-' ? '_' : name[i];
    key[i] = 0;
}

/* Where a key stands, for messages: "config.json: network.layers". */
typedef struct place {
    char text[PLACE];
} place;

static place place_in(const char *name, const char *group, const char *key)
{
    place p;
    snprintf(p.text, sizeof(p.text), "%s: %s%s%.64s", name, group, group[0] != 0 ? "." : "", key);
    return p;
}

static elman_status expected(const elman_json *value, const char *where, const char *what,
                             elman_error *error)
{
    char found[SHOWN];
    elman_json_describe(value, found);
    return elman_fail(error, ELMAN_ERROR_FORMAT, "%s: found %s, expected %s", where, found, what);
}

static elman_status unknown_key(const char *where, const char *key, const char *const *known,
                                size_t count, elman_error *error)
{
    const char *near = elman_nearest_word(key, known, count);
    return elman_fail(error, ELMAN_ERROR_FORMAT, "%s: unknown key%s%s%s", where,
                      near != NULL ? "; did you mean " : "", near != NULL ? near : "",
                      near != NULL ? "?" : "");
}

/* A value of the type that the option has, as the text that elman_options_set reads. */
static elman_status read_option(const elman_option *option, const elman_json *value,
                                const char *where, elman_config *config, elman_error *error)
{
    char number[32], what[512];
    const char *text = NULL;
    size_t size = 0;
    const char *string = elman_json_to_string(value, &size);
    bool truth;
    int64_t integer;
    double real;
    switch (option->type) {
    case ELMAN_OPTION_FLAG:
        if (elman_json_to_boolean(value, &truth))
            text = truth ? "true" : "false";
        break;
    case ELMAN_OPTION_INTEGER:
        if (elman_json_to_integer(value, INT64_MIN, INT64_MAX, &integer)) {
            snprintf(number, sizeof(number), "%" PRId64, integer);
            text = number;
        }
        break;
    case ELMAN_OPTION_REAL:
        if (elman_json_to_real(value, -1e308, 1e308, &real)) {
            elman_print_real(number, real);
            text = number;
        }
        break;
    case ELMAN_OPTION_CHOICE:
    case ELMAN_OPTION_TEXT:
        if (string != NULL && strlen(string) == size)
            text = string;
        break;
    }
    bool automatic = option->initial != NULL && strcmp(option->initial, "auto") == 0;
    if (text == NULL && automatic && string != NULL && strcmp(string, "auto") == 0)
        text = string;
    if (text == NULL) {
        elman_options_describe(option, what, sizeof(what));
        return expected(value, where, what, error);
    }
    elman_status status = elman_options_set(option, config, text, where, error);
    if (status != ELMAN_OK && error != NULL)
        error->code = ELMAN_ERROR_FORMAT;
    return status == ELMAN_OK ? ELMAN_OK : ELMAN_ERROR_FORMAT;
}

static elman_status read_string(const elman_json *value, const char *where, size_t capacity,
                                char *text, elman_error *error)
{
    char what[SHOWN];
    size_t size = 0;
    const char *string = elman_json_to_string(value, &size);
    if (string == NULL || size == 0 || size >= capacity || strlen(string) != size) {
        snprintf(what, sizeof(what), "a string of 1 to %zu bytes", capacity - 1);
        return expected(value, where, what, error);
    }
    memcpy(text, string, size + 1);
    return ELMAN_OK;
}

static elman_status read_sha256(const elman_json *value, const char *where, char sha256[65],
                                elman_error *error)
{
    size_t size = 0;
    const char *string = elman_json_to_string(value, &size);
    if (string == NULL || size != 64 || strspn(string, "0123456789abcdef") != 64)
        return expected(value, where, "64 lower-case hexadecimal digits", error);
    memcpy(sha256, string, 65);
    return ELMAN_OK;
}

/* {"path": ..., "sha256": ..., "bytes": ..., "use": "train"|"valid"} */
static elman_status read_record(const elman_json *value, const char *name, size_t index,
                                elman_data_record *record, bool *train, elman_error *error)
{
    static const char *const keys[] = {"path", "sha256", "bytes", "use"};
    char group[NAME];
    snprintf(group, sizeof(group), "data.files[%zu]", index);
    if (!elman_json_is(value, ELMAN_JSON_OBJECT))
        return expected(value, place_in(name, "", group).text, "an object", error);
    elman_json_member m = elman_json_members(value);
    while (elman_json_next(&m)) {
        size_t i = 0;
        while (i < 4 && strcmp(m.key, keys[i]) != 0)
            i++;
        if (i == 4)
            return unknown_key(place_in(name, group, m.key).text, m.key, keys, 4, error);
    }
    ELMAN_TRY(read_string(elman_json_get(value, "path"), place_in(name, group, "path").text,
                          sizeof(record->path), record->path, error));
    ELMAN_TRY(read_sha256(elman_json_get(value, "sha256"), place_in(name, group, "sha256").text,
                          record->sha256, error));
    int64_t bytes;
    if (!elman_json_to_integer(elman_json_get(value, "bytes"), 0, INT64_MAX, &bytes))
        return expected(elman_json_get(value, "bytes"), place_in(name, group, "bytes").text,
                        "an integer from 0", error);
    record->bytes = (uint64_t)bytes;
    const char *use = elman_json_to_string(elman_json_get(value, "use"), NULL);
    *train = use != NULL && strcmp(use, "train") == 0;
    if (!*train && (use == NULL || strcmp(use, "valid") != 0))
        return expected(elman_json_get(value, "use"), place_in(name, group, "use").text,
                        "train or valid", error);
    return ELMAN_OK;
}

static elman_status read_files(elman_context *context, const elman_json *array, const char *name,
                               elman_config_file *file, elman_error *error)
{
    if (!elman_json_is(array, ELMAN_JSON_ARRAY))
        return expected(array, place_in(name, "data", "files").text, "an array of files", error);
    size_t count = elman_json_size(array);
    file->data = elman_allocate_zero(context, count, sizeof(*file->data));
    if (file->data == NULL)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "%s: no memory for %zu data files", name,
                          count);
    for (size_t i = 0; i < count; i++) {
        bool train = false;
        ELMAN_TRY(read_record(elman_json_at(array, i), name, i, &file->data[i], &train, error));
        if (train && file->train_count < file->data_count)
            return elman_fail(error, ELMAN_ERROR_FORMAT,
                              "%s: data.files[%zu].use: found train after valid, expected the "
                              "training files first",
                              name, i);
        file->train_count += train;
        file->data_count++;
    }
    return ELMAN_OK;
}

/* Of a task that no option knows, every option may stand there: what it means is for others. */
static bool known_task(const char *task)
{
    const elman_option_table *table = elman_config_options();
    for (size_t i = 0; i < table->count; i++)
        if (table->options[i].tasks != NULL && elman_option_concerns(&table->options[i], task))
            return true;
    return false;
}

static bool stands_in(const elman_option *option, const char *group, const char *task)
{
    return option->recorded && strcmp(option->group, group) == 0 &&
           elman_option_concerns(option, known_task(task) ? task : NULL);
}

static const elman_option *option_in(const char *group, const char *task, const char *key)
{
    const elman_option_table *table = elman_config_options();
    for (size_t i = 0; i < table->count; i++) {
        char known[NAME];
        const elman_option *option = &table->options[i];
        key_of(option, known);
        if (stands_in(option, group, task) && strcmp(known, key) == 0)
            return option;
    }
    return NULL;
}

/* What stands in a group: the names as keys, in `keys`, which `words` point to. */
static size_t keys_in(const char *group, const char *task, char keys[KEYS][NAME],
                      const char *words[KEYS])
{
    const elman_option_table *table = elman_config_options();
    size_t count = 0;
    for (size_t i = 0; i < table->count && count + 1 < KEYS; i++)
        if (stands_in(&table->options[i], group, task))
            key_of(&table->options[i], keys[count++]);
    if (strcmp(group, "data") == 0)
        snprintf(keys[count++], NAME, "files");
    for (size_t i = 0; i < count; i++)
        words[i] = keys[i];
    return count;
}

static elman_status read_group(elman_context *context, const char *group, const elman_json *object,
                               const char *name, elman_config_file *file, elman_error *error)
{
    if (!elman_json_is(object, ELMAN_JSON_OBJECT))
        return expected(object, place_in(name, "", group).text, "an object", error);
    elman_json_member m = elman_json_members(object);
    while (elman_json_next(&m)) {
        place where = place_in(name, group, m.key);
        const elman_option *option = option_in(group, file->task, m.key);
        if (option != NULL) {
            ELMAN_TRY(read_option(option, m.value, where.text, &file->config, error));
        } else if (strcmp(group, "data") == 0 && strcmp(m.key, "files") == 0) {
            ELMAN_TRY(read_files(context, m.value, name, file, error));
        } else {
            char keys[KEYS][NAME];
            const char *words[KEYS];
            size_t count = keys_in(group, file->task, keys, words);
            const elman_option *typed = elman_options_find(elman_config_options(), m.key);
            if (typed != NULL && typed->key != NULL && stands_in(typed, group, file->task))
                return elman_fail(error, ELMAN_ERROR_FORMAT, "%s: unknown key; it is called %s",
                                  where.text, typed->key);
            return unknown_key(where.text, m.key, words, count, error);
        }
    }
    return ELMAN_OK;
}

static elman_status read_version(const elman_json *root, const char *name, const char *key,
                                 bool draft, int64_t *version, elman_error *error)
{
    const elman_json *value = elman_json_get(root, key);
    if (value == NULL && draft)
        return ELMAN_OK;
    if (!elman_json_to_integer(value, 1, INT32_MAX, version))
        return expected(value, place_in(name, "", key).text, "an integer from 1", error);
    return ELMAN_OK;
}

static elman_status read_root(elman_context *context, const elman_json *root, const char *name,
                              bool draft, elman_config_file *file, elman_error *error)
{
    static const char *const keys[] = {
        "format_version", "numerics_version", "task", "network", "training", "data", "run"};
    enum { COUNT = sizeof(keys) / sizeof(keys[0]), GROUPS = 3 };
    if (!elman_json_is(root, ELMAN_JSON_OBJECT))
        return expected(root, name, "an object", error);
    /* The version first: what another format holds is not for us to judge. */
    ELMAN_TRY(read_version(root, name, "format_version", draft, &file->format_version, error));
    if (file->format_version > ELMAN_CONFIG_FORMAT_VERSION)
        return elman_fail(error, ELMAN_ERROR_UNSUPPORTED,
                          "%s: format_version: found %" PRId64 ", this Elman reads up to %d", name,
                          file->format_version, (int)ELMAN_CONFIG_FORMAT_VERSION);
    ELMAN_TRY(read_version(root, name, "numerics_version", draft, &file->numerics_version, error));
    const elman_json *task = elman_json_get(root, "task");
    if (task != NULL || !draft)
        ELMAN_TRY(read_string(task, place_in(name, "", "task").text, sizeof(file->task), file->task,
                              error));
    elman_config_default_for(&file->config, file->task);
    elman_json_member m = elman_json_members(root);
    while (elman_json_next(&m)) {
        size_t i = 0;
        while (i < COUNT && strcmp(m.key, keys[i]) != 0)
            i++;
        if (i == COUNT) {
            /* a key of a group, out of its group, is a likely slip */
            const elman_option *option = elman_options_find(elman_config_options(), m.key);
            if (option != NULL && option->recorded)
                return elman_fail(error, ELMAN_ERROR_FORMAT,
                                  "%s: unknown key; it belongs in \"%s\"",
                                  place_in(name, "", m.key).text, option->group);
            return unknown_key(place_in(name, "", m.key).text, m.key, keys, COUNT, error);
        }
        if (i >= GROUPS)
            ELMAN_TRY(read_group(context, m.key, m.value, name, file, error));
    }
    elman_error why;
    if (elman_config_validate(&file->config, &why) != ELMAN_OK)
        return elman_fail(error, ELMAN_ERROR_FORMAT, "%s: %s", name, why.message);
    return ELMAN_OK;
}

static elman_status finish(elman_context *context, elman_json *root, const char *name, bool draft,
                           elman_config_file *file, elman_error *error)
{
    elman_config_file_default(file);
    elman_status status = read_root(context, root, name, draft, file, error);
    elman_json_free(root);
    if (status != ELMAN_OK) {
        elman_config_file_clear(context, file);
        elman_config_file_default(file);
    }
    return status;
}

static const elman_json_limits limits = {.bytes = ELMAN_CONFIG_BYTES, .depth = DEPTH};

elman_status elman_config_file_parse(elman_context *context, const void *bytes, size_t size,
                                     const char *name, elman_config_file *file, elman_error *error)
{
    elman_json *root = NULL;
    elman_config_file_default(file);
    ELMAN_TRY(elman_json_parse(context, bytes, size, name, limits, &root, error));
    return finish(context, root, name, false, file, error);
}

elman_status elman_config_file_read(elman_context *context, const char *path,
                                    elman_config_file *file, elman_error *error)
{
    elman_json *root = NULL;
    elman_config_file_default(file);
    ELMAN_TRY(elman_json_read(context, path, limits, &root, error));
    return finish(context, root, path, false, file, error);
}

elman_status elman_config_file_read_model(elman_context *context, const char *folder,
                                          elman_config_file *file, elman_error *error)
{
    bool exists = false;
    elman_config_file_default(file);
    ELMAN_TRY(elman_path_look(folder, &exists, error));
    if (!exists)
        return elman_fail(error, ELMAN_ERROR_IO, "%s: no such model", folder);
    if (!elman_path_is_folder(folder))
        return elman_fail(error, ELMAN_ERROR_IO, "%s: a file, expected the folder of a model",
                          folder);
    char *path = elman_path_join(folder, "config.json");
    if (path == NULL)
        return elman_out_of_memory(error);
    elman_status status = elman_path_look(path, &exists, error);
    if (status == ELMAN_OK && !exists)
        status = elman_fail(error, ELMAN_ERROR_IO, "%s: no config.json in it; not a model", folder);
    if (status == ELMAN_OK)
        status = elman_config_file_read(context, path, file, error);
    free(path);
    return status;
}

elman_status elman_config_file_read_draft(elman_context *context, const char *path,
                                          elman_config_file *file, elman_error *error)
{
    elman_json *root = NULL;
    elman_config_file_default(file);
    ELMAN_TRY(elman_json_read(context, path, limits, &root, error));
    return finish(context, root, path, true, file, error);
}

static elman_json *option_value(const elman_option *option, const elman_config *config)
{
    char text[ELMAN_CONFIG_TEXT];
    int64_t integer;
    double real;
    elman_options_get(option, config, text, sizeof(text));
    switch (option->type) {
    case ELMAN_OPTION_FLAG:
        return elman_json_boolean(strcmp(text, "true") == 0);
    case ELMAN_OPTION_INTEGER:
        if (elman_parse_integer(text, &integer))
            return elman_json_integer(integer);
        break;
    case ELMAN_OPTION_REAL:
        if (elman_parse_real(text, &real))
            return elman_json_real(real);
        break;
    case ELMAN_OPTION_CHOICE:
    case ELMAN_OPTION_TEXT:
        break;
    }
    return elman_json_string(text);
}

static elman_json *files_value(const elman_config_file *file)
{
    elman_json *array = elman_json_array();
    bool good = array != NULL;
    for (int64_t i = 0; good && i < file->data_count; i++) {
        const elman_data_record *r = &file->data[i];
        elman_json *object = elman_json_object();
        good = object != NULL &&
               elman_json_set(object, "use",
                              elman_json_string(i < file->train_count ? "train" : "valid")) &&
               elman_json_set(object, "path", elman_json_string(r->path)) &&
               elman_json_set(object, "sha256", elman_json_string(r->sha256)) &&
               elman_json_set(object, "bytes", elman_json_integer((int64_t)r->bytes));
        if (!good)
            elman_json_free(object);
        good = good && elman_json_append(array, object);
    }
    if (good)
        return array;
    elman_json_free(array);
    return NULL;
}

/* The options of a group and, of the data, the files; NULL when memory is out. */
static elman_json *group_value(const elman_config_file *file, const char *group)
{
    const elman_option_table *table = elman_config_options();
    elman_json *object = elman_json_object();
    bool good = object != NULL;
    for (size_t i = 0; good && i < table->count; i++) {
        const elman_option *option = &table->options[i];
        char key[NAME];
        if (!stands_in(option, group, file->task))
            continue;
        key_of(option, key);
        good = elman_json_set(object, key, option_value(option, &file->config));
    }
    if (good && strcmp(group, "data") == 0)
        good = elman_json_set(object, "files", files_value(file));
    if (good)
        return object;
    elman_json_free(object);
    return NULL;
}

/* Texts that cannot stand in JSON are the caller's mistake, not a lack of memory. */
static elman_status check_texts(const elman_config_file *file, elman_error *error)
{
    const elman_option_table *table = elman_config_options();
    int64_t options = (int64_t)table->count;
    for (int64_t i = 0; i <= options + file->data_count; i++) {
        char value_text[ELMAN_CONFIG_TEXT];
        const char *text = value_text;
        if (i < options)
            elman_options_get(&table->options[i], &file->config, value_text, sizeof(value_text));
        else
            text = i == options ? file->task : file->data[i - options - 1].path;
        elman_json *value = elman_json_string(text);
        if (value == NULL)
            return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                              "%s: a name that is not UTF-8 cannot stand in config.json", text);
        elman_json_free(value);
    }
    return ELMAN_OK;
}

elman_status elman_config_file_validate(const elman_config_file *file, elman_error *error)
{
    ELMAN_TRY(elman_config_validate(&file->config, error));
    return check_texts(file, error);
}

elman_status elman_config_file_write(elman_context *context, const char *path,
                                     const elman_config_file *file, elman_error *error)
{
    static const char *const groups[] = {"network", "training", "run", "data"};
    ELMAN_TRY(elman_config_file_validate(file, error));
    elman_json *root = elman_json_object();
    char *text = NULL;
    size_t size = 0;
    bool good =
        root != NULL &&
        elman_json_set(root, "format_version", elman_json_integer(file->format_version)) &&
        elman_json_set(root, "numerics_version", elman_json_integer(file->numerics_version)) &&
        elman_json_set(root, "task", elman_json_string(file->task));
    for (size_t i = 0; good && i < sizeof(groups) / sizeof(groups[0]); i++)
        good = elman_json_set(root, groups[i], group_value(file, groups[i]));
    elman_status status =
        good ? elman_json_print(context, root, ELMAN_JSON_INDENT | ELMAN_JSON_LINE_END, &text,
                                &size, error)
             : elman_fail(error, ELMAN_ERROR_MEMORY, "%s: no memory to write it", path);
    elman_json_free(root);
    if (status == ELMAN_OK)
        status = elman_file_replace(path, text, size, error);
    elman_release(context, text);
    return status;
}
