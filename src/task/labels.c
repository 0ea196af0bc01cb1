#include "task/labels.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "format/json.h"

void elman_labels_init(elman_labels *labels, elman_context *context)
{
    *labels = (elman_labels){.context = context};
}

void elman_labels_free(elman_labels *labels)
{
    for (int32_t i = 0; i < labels->count; i++)
        elman_release(labels->context, labels->names[i]);
    elman_release(labels->context, labels->names);
    elman_release(labels->context, labels->sorted);
    *labels = (elman_labels){.context = labels->context};
}

/* Such a label would tear the lines that it is printed on. */
static bool holds_control(const char *name, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return true;
    return false;
}

static elman_status make_room(elman_labels *labels, elman_error *error)
{
    if (labels->count < labels->room)
        return ELMAN_OK;
    int32_t room = labels->room ? 2 * labels->room : 16;
    char **names = elman_allocate(labels->context, (size_t)room, sizeof *names);
    if (!names)
        return elman_out_of_memory(error);
    if (labels->count)
        memcpy(names, labels->names, (size_t)labels->count * sizeof *names);
    elman_release(labels->context, labels->names);
    labels->names = names;
    labels->room = room;
    return ELMAN_OK;
}

elman_status elman_labels_add(elman_labels *labels, const char *name, size_t size,
                              elman_error *error)
{
    ELMAN_TRY(make_room(labels, error));
    char *copy = elman_allocate(labels->context, size + 1, 1);
    if (!copy)
        return elman_out_of_memory(error);
    memcpy(copy, name, size);
    copy[size] = 0;
    labels->names[labels->count++] = copy;
    return ELMAN_OK;
}

/* A name, what it is as a number, and its place. */
typedef struct entry {
    const char *name;
    double value;
    int32_t number;
} entry;

static int by_bytes(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->name, ((const entry *)b)->name);
}

static int by_value(const void *a, const void *b)
{
    double x = ((const entry *)a)->value, y = ((const entry *)b)->value;
    return x < y ? -1 : x > y ? 1 : by_bytes(a, b);
}

static elman_status index_by_bytes(elman_labels *labels, entry *entries, elman_error *error)
{
    elman_release(labels->context, labels->sorted);
    labels->sorted = elman_allocate(labels->context, (size_t)labels->count + 1, sizeof(int32_t));
    if (!labels->sorted)
        return elman_out_of_memory(error);
    for (int32_t i = 0; i < labels->count; i++)
        entries[i] = (entry){.name = labels->names[i], .number = i};
    qsort(entries, (size_t)labels->count, sizeof *entries, by_bytes);
    for (int32_t i = 0; i < labels->count; i++)
        labels->sorted[i] = entries[i].number;
    return ELMAN_OK;
}

elman_status elman_labels_order(elman_labels *labels, int32_t *to, elman_error *error)
{
    entry *entries = elman_allocate(labels->context, (size_t)labels->count + 1, sizeof *entries);
    if (!entries)
        return elman_out_of_memory(error);
    bool numbers = true;
    for (int32_t i = 0; i < labels->count; i++) {
        entries[i] = (entry){.name = labels->names[i], .number = i};
        numbers = numbers && elman_parse_real(labels->names[i], &entries[i].value);
    }
    qsort(entries, (size_t)labels->count, sizeof *entries, numbers ? by_value : by_bytes);
    for (int32_t i = 0; i < labels->count; i++) {
        labels->names[i] = (char *)(uintptr_t)entries[i].name;
        if (to)
            to[entries[i].number] = i;
    }
    elman_status status = index_by_bytes(labels, entries, error);
    elman_release(labels->context, entries);
    return status;
}

elman_status elman_labels_from(elman_labels *labels, const elman_intern *names, int32_t *to,
                               elman_error *error)
{
    for (int32_t i = 0; i < names->count; i++) {
        size_t size;
        const char *name = elman_intern_text(names, i, &size);
        ELMAN_TRY(elman_labels_add(labels, name, size, error));
    }
    return elman_labels_order(labels, to, error);
}

int32_t elman_labels_find(const elman_labels *labels, const char *name, size_t size)
{
    int32_t low = 0, high = labels->count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2, i = labels->sorted[middle];
        size_t length = strlen(labels->names[i]);
        int order = memcmp(labels->names[i], name, length < size ? length : size);
        if (order == 0 && length == size)
            return i;
        if (order < 0 || (order == 0 && length < size))
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

elman_status elman_labels_check(const elman_labels *known, const char *name, size_t size,
                                elman_error *error)
{
    if (!size)
        return elman_fail(error, ELMAN_ERROR_DATA, "an empty label");
    if (holds_control(name, size))
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "a label with a control character in it (a tab, a line end, …)");
    if (known && elman_labels_find(known, name, size) < 0)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "label \"%.60s\" is none of the %" PRId32
                          " that the model was trained with",
                          name, known->count);
    return ELMAN_OK;
}

elman_status elman_labels_save(const elman_labels *labels, const char *folder, elman_error *error)
{
    elman_json *array = elman_json_array();
    bool good = array != NULL;
    for (int32_t i = 0; good && i < labels->count; i++)
        good = elman_json_append(array, elman_json_string(labels->names[i]));
    char *path = elman_path_join(folder, "labels.json"), *text = NULL;
    size_t size = 0;
    elman_status status = good && path ? elman_json_print(labels->context, array,
                                                          ELMAN_JSON_INDENT | ELMAN_JSON_LINE_END,
                                                          &text, &size, error)
                                       : elman_out_of_memory(error);
    elman_json_free(array);
    if (status == ELMAN_OK)
        status = elman_file_replace(path, text, size, error);
    elman_release(labels->context, text);
    free(path);
    return status;
}

static elman_status take(elman_labels *labels, const elman_json *array, const char *path,
                         elman_error *error)
{
    char found[96];
    elman_json_describe(array, found);
    if (!elman_json_is(array, ELMAN_JSON_ARRAY) || elman_json_size(array) < 1 ||
        elman_json_size(array) > 1000000)
        return elman_fail(error, ELMAN_ERROR_FORMAT, "%s: found %s, expected an array of strings",
                          path, found);
    for (size_t i = 0; i < elman_json_size(array); i++) {
        size_t size = 0;
        const char *name = elman_json_to_string(elman_json_at(array, i), &size);
        elman_json_describe(elman_json_at(array, i), found);
        if (!name || strlen(name) != size || holds_control(name, size))
            return elman_fail(error, ELMAN_ERROR_FORMAT,
                              "%s: [%zu]: found %s, expected a string without control "
                              "characters",
                              path, i, found);
        ELMAN_TRY(elman_labels_add(labels, name, size, error));
    }
    entry *entries = elman_allocate(labels->context, (size_t)labels->count, sizeof *entries);
    if (!entries)
        return elman_out_of_memory(error);
    elman_status status = index_by_bytes(labels, entries, error);
    for (int32_t i = 1; status == ELMAN_OK && i < labels->count; i++)
        if (!by_bytes(&entries[i - 1], &entries[i]))
            status = elman_fail(error, ELMAN_ERROR_FORMAT, "%s: \"%s\" stands twice", path,
                                entries[i].name);
    elman_release(labels->context, entries);
    return status;
}

elman_status elman_labels_load(elman_labels *labels, const char *folder, elman_error *error)
{
    elman_json *array = NULL;
    char *path = elman_path_join(folder, "labels.json");
    if (!path)
        return elman_out_of_memory(error);
    elman_json_limits limits = {.bytes = 1 << 28, .depth = 2};
    elman_status status = elman_json_read(labels->context, path, limits, &array, error);
    if (status == ELMAN_OK)
        status = take(labels, array, path, error);
    elman_json_free(array);
    free(path);
    return status;
}
