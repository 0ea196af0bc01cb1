/* safetensors to tensor views; every field of the header is checked before a view
 * of it is handed out. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/map.h"
#include "base/memory.h"
#include "format/dtype.h"
#include "format/json.h"

enum { LENGTH_BYTES = 8, HEADER_DEPTH = 3 };

typedef struct entry {
    elman_tensor_view view;
    size_t begin, end; /* data_offsets */
    size_t order;      /* in the header */
} entry;

typedef struct pair {
    const char *key, *value;
} pair;

struct elman_safetensors {
    elman_context *context;
    unsigned char *owned;        /* the file's bytes, when we read it */
    const unsigned char *mapped; /* when we mapped it */
    size_t mapped_size;
    elman_json *header; /* owns every name, key and value */
    entry *entries;     /* by begin */
    const entry **by_name;
    size_t count;
    pair *metadata;
    size_t metadata_count;
};

/* What the checks of one file share. */
typedef struct check {
    elman_safetensors *file;
    const char *name; /* of the file */
    const unsigned char *data;
    size_t data_bytes;
    elman_error *error;
} check;

/* One line about a field of a tensor: FILE: tensor "NAME": FIELD: found ..., expected ... */
static elman_status fail_field(const check *c, const char *tensor, const char *field,
                               const elman_json *found, const char *expected)
{
    char name[96], value[96];
    elman_json_describe(found, value);
    return elman_fail(c->error, ELMAN_ERROR_FORMAT, "%s: tensor \"%s\": %s: found %s, expected %s",
                      c->name, elman_name_show(tensor, name), field, value, expected);
}

static elman_status read_dtype(const check *c, const char *name, const elman_json *value,
                               elman_dtype *dtype)
{
    const char *text = elman_json_to_string(value, NULL);
    char shown[96], found[96];
    if (text == NULL)
        return fail_field(c, name, "dtype", value, "a string");
    if (elman_dtype_parse(text, dtype))
        return ELMAN_OK;
    elman_json_describe(value, found);
    return elman_fail(c->error, ELMAN_ERROR_UNSUPPORTED,
                      "%s: tensor \"%s\": dtype: found %s, expected one of BOOL U8 I8 I16 U16 F16 "
                      "BF16 I32 U32 F32 F64 I64 U64",
                      c->name, elman_name_show(name, shown), found);
}

static elman_status read_shape(const check *c, const elman_json *value, elman_tensor_view *view)
{
    if (!elman_json_is(value, ELMAN_JSON_ARRAY) || elman_json_size(value) > ELMAN_TENSOR_RANK_MAX)
        return fail_field(c, view->name, "shape", value, "an array of at most 8 dimensions");
    view->rank = (int)elman_json_size(value);
    for (int i = 0; i < ELMAN_TENSOR_RANK_MAX; i++) {
        int64_t dimension = 1;
        if (i < view->rank &&
            !elman_json_to_integer(elman_json_at(value, (size_t)i), 0, INT64_MAX, &dimension)) {
            char field[32];
            snprintf(field, sizeof field, "shape[%d]", i);
            return fail_field(c, view->name, field, elman_json_at(value, (size_t)i),
                              "an integer of at least 0");
        }
        view->shape[i] = (size_t)dimension;
    }
    if (!elman_dtype_total(view->dtype, view->rank, view->shape, &view->bytes))
        return fail_field(c, view->name, "shape", value, "a size in bytes below 2^64");
    return ELMAN_OK;
}

static elman_status read_offsets(const check *c, const elman_json *value, entry *e)
{
    static const char *const fields[] = {"data_offsets[0]", "data_offsets[1]"};
    size_t offsets[2];
    char name[96];
    if (!elman_json_is(value, ELMAN_JSON_ARRAY) || elman_json_size(value) != 2)
        return fail_field(c, e->view.name, "data_offsets", value, "an array of begin and end");
    for (size_t i = 0; i < 2; i++) {
        int64_t offset;
        if (!elman_json_to_integer(elman_json_at(value, i), 0, INT64_MAX, &offset))
            return fail_field(c, e->view.name, fields[i], elman_json_at(value, i),
                              "an integer of at least 0");
        offsets[i] = (size_t)offset;
    }
    e->begin = offsets[0];
    e->end = offsets[1];
    elman_name_show(e->view.name, name);
    if (e->begin > e->end)
        return elman_fail(c->error, ELMAN_ERROR_FORMAT,
                          "%s: tensor \"%s\": data_offsets: found begin %zu past end %zu", c->name,
                          name, e->begin, e->end);
    if (e->end > c->data_bytes)
        return elman_fail(
            c->error, ELMAN_ERROR_FORMAT,
            "%s: tensor \"%s\": data_offsets[1]: found %zu, expected at most %zu, the "
            "bytes of data in the file (was it cut short?)",
            c->name, name, e->end, c->data_bytes);
    if (e->end - e->begin != e->view.bytes)
        return elman_fail(c->error, ELMAN_ERROR_FORMAT,
                          "%s: tensor \"%s\": data_offsets: found %zu bytes, expected %zu for its "
                          "shape and dtype",
                          c->name, name, e->end - e->begin, e->view.bytes);
    if (e->begin % elman_dtype_bytes(e->view.dtype) != 0)
        return elman_fail(c->error, ELMAN_ERROR_FORMAT,
                          "%s: tensor \"%s\": data_offsets[0]: found %zu, expected a multiple of "
                          "%zu for dtype %s",
                          c->name, name, e->begin, elman_dtype_bytes(e->view.dtype),
                          elman_dtype_name(e->view.dtype));
    e->view.data = c->data + e->begin;
    return ELMAN_OK;
}

static elman_status read_tensor(const check *c, const char *name, const elman_json *value, entry *e)
{
    char shown[96], field[96];
    size_t length = strlen(name);
    if (length > ELMAN_TENSOR_NAME_MAX)
        return elman_fail(c->error, ELMAN_ERROR_FORMAT,
                          "%s: tensor \"%s\": found a name of %zu bytes, expected at most %d",
                          c->name, elman_name_show(name, shown), length, ELMAN_TENSOR_NAME_MAX);
    if (!elman_json_is(value, ELMAN_JSON_OBJECT))
        return fail_field(c, name, "entry", value, "an object of dtype, shape and data_offsets");
    const elman_json *dtype = NULL, *shape = NULL, *offsets = NULL;
    elman_json_member member = elman_json_members(value);
    while (elman_json_next(&member)) {
        if (strcmp(member.key, "dtype") == 0)
            dtype = member.value;
        else if (strcmp(member.key, "shape") == 0)
            shape = member.value;
        else if (strcmp(member.key, "data_offsets") == 0)
            offsets = member.value;
        else
            return elman_fail(c->error, ELMAN_ERROR_FORMAT,
                              "%s: tensor \"%s\": found field \"%s\", expected dtype, shape and "
                              "data_offsets only",
                              c->name, elman_name_show(name, shown),
                              elman_name_show(member.key, field));
    }
    e->view.name = name;
    ELMAN_TRY(read_dtype(c, name, dtype, &e->view.dtype));
    ELMAN_TRY(read_shape(c, shape, &e->view));
    return read_offsets(c, offsets, e);
}

static elman_status read_metadata(const check *c, const elman_json *value)
{
    elman_safetensors *file = c->file;
    char found[96], key[96];
    if (!elman_json_is(value, ELMAN_JSON_OBJECT)) {
        elman_json_describe(value, found);
        return elman_fail(c->error, ELMAN_ERROR_FORMAT,
                          "%s: __metadata__: found %s, expected an object of strings", c->name,
                          found);
    }
    file->metadata = elman_allocate(file->context, elman_json_size(value), sizeof(pair));
    if (file->metadata == NULL)
        return elman_fail(c->error, ELMAN_ERROR_MEMORY,
                          "%s: out of memory for %zu metadata entries", c->name,
                          elman_json_size(value));
    elman_json_member member = elman_json_members(value);
    while (elman_json_next(&member)) {
        size_t size = 0;
        const char *text = elman_json_to_string(member.value, &size);
        elman_json_describe(member.value, found);
        if (text == NULL)
            return elman_fail(c->error, ELMAN_ERROR_FORMAT,
                              "%s: __metadata__: \"%s\": found %s, expected a string", c->name,
                              elman_name_show(member.key, key), found);
        if (strlen(text) != size)
            return elman_fail(c->error, ELMAN_ERROR_FORMAT,
                              "%s: __metadata__: \"%s\": found U+0000 at byte %zu, expected none",
                              c->name, elman_name_show(member.key, key), strlen(text));
        file->metadata[file->metadata_count++] = (pair){member.key, text};
    }
    return ELMAN_OK;
}

static int compare_begin(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) /* tensors without values come before the one that begins there */
        return x->end < y->end ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static int compare_name(const void *a, const void *b)
{
    const entry *const *x = a, *const *y = b;
    return strcmp((*x)->view.name, (*y)->view.name);
}

/* The entries, by begin, must follow on one another from the first byte to the last. */
static elman_status check_coverage(const check *c)
{
    const elman_safetensors *file = c->file;
    size_t covered = 0;
    char name[96], before[96];
    for (size_t i = 0; i < file->count; i++) {
        const entry *e = &file->entries[i];
        elman_name_show(e->view.name, name);
        if (e->begin < covered)
            return elman_fail(
                c->error, ELMAN_ERROR_FORMAT,
                "%s: tensor \"%s\": data_offsets[0]: found %zu, which overlaps tensor "
                "\"%s\", expected %zu",
                c->name, name, e->begin, elman_name_show(file->entries[i - 1].view.name, before),
                covered);
        if (e->begin > covered)
            return elman_fail(c->error, ELMAN_ERROR_FORMAT,
                              "%s: tensor \"%s\": data_offsets[0]: found %zu, which leaves a gap, "
                              "expected %zu",
                              c->name, name, e->begin, covered);
        covered = e->end;
    }
    if (covered != c->data_bytes)
        return elman_fail(c->error, ELMAN_ERROR_FORMAT,
                          "%s: found %zu bytes of data, expected %zu, where the last tensor ends",
                          c->name, c->data_bytes, covered);
    return ELMAN_OK;
}

static elman_status read_entries(const check *c)
{
    elman_safetensors *file = c->file;
    size_t most = elman_json_size(file->header);
    file->entries = elman_allocate_zero(file->context, most, sizeof(entry));
    file->by_name = elman_allocate(file->context, most, sizeof(entry *));
    if (file->entries == NULL || file->by_name == NULL)
        return elman_fail(c->error, ELMAN_ERROR_MEMORY, "%s: out of memory for %zu tensors",
                          c->name, most);
    elman_json_member member = elman_json_members(file->header);
    while (elman_json_next(&member)) {
        if (strcmp(member.key, ELMAN_SAFETENSORS_METADATA) == 0) {
            ELMAN_TRY(read_metadata(c, member.value));
            continue;
        }
        entry *e = &file->entries[file->count];
        e->order = file->count;
        ELMAN_TRY(read_tensor(c, member.key, member.value, e));
        file->count++;
    }
    qsort(file->entries, file->count, sizeof(entry), compare_begin);
    for (size_t i = 0; i < file->count; i++)
        file->by_name[i] = &file->entries[i];
    qsort(file->by_name, file->count, sizeof(entry *), compare_name);
    return check_coverage(c);
}

static elman_status read_header(elman_safetensors *file, const unsigned char *bytes, size_t size,
                                const char *name, elman_error *error)
{
    uint64_t length;
    if (size < LENGTH_BYTES)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s: found %zu bytes, expected at least %d: the header's length", name,
                          size, LENGTH_BYTES);
    memcpy(&length, bytes, sizeof length);
    if (length > ELMAN_SAFETENSORS_HEADER_MAX)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s: bytes 0..7: found a header of %" PRIu64
                          " bytes, expected at most %d (is this a safetensors file?)",
                          name, length, ELMAN_SAFETENSORS_HEADER_MAX);
    if (length > size - LENGTH_BYTES)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s: bytes 0..7: found a header of %" PRIu64
                          " bytes, expected at most the %zu that follow (was it cut short?)",
                          name, length, size - LENGTH_BYTES);
    if (length % 8 != 0)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s: bytes 0..7: found a header of %" PRIu64
                          " bytes, expected a multiple of 8",
                          name, length);
    if (length == 0 || bytes[LENGTH_BYTES] != '{')
        return elman_fail(error, ELMAN_ERROR_FORMAT, "%s: byte 8: expected '{', the header", name);

    char place[ELMAN_ERROR_CAPACITY];
    snprintf(place, sizeof place, "%s: header", name);
    elman_json_limits limits = {.bytes = ELMAN_SAFETENSORS_HEADER_MAX, .depth = HEADER_DEPTH};
    ELMAN_TRY(elman_json_parse(file->context, bytes + LENGTH_BYTES, (size_t)length, place, limits,
                               &file->header, error));
    size_t data = LENGTH_BYTES + (size_t)length;
    check c = {.file = file,
               .name = name,
               .data = bytes + data,
               .data_bytes = size - data,
               .error = error};
    return read_entries(&c);
}

static elman_status create(elman_context *context, const char *name, elman_safetensors **file,
                           elman_error *error)
{
    *file = elman_allocate_zero(context, 1, sizeof **file);
    if (*file == NULL)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "%s: out of memory", name);
    (*file)->context = context;
    return ELMAN_OK;
}

void elman_safetensors_options_default(elman_safetensors_options *options)
{
    *options = (elman_safetensors_options){.size = sizeof *options};
}

elman_status elman_safetensors_read(elman_context *context, const char *path,
                                    const elman_safetensors_options *options,
                                    elman_safetensors **file, elman_error *error)
{
    if (options != NULL && options->size != sizeof *options)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "elman_safetensors_options: found size %zu, expected %zu (fill it with "
                          "elman_safetensors_options_default)",
                          options->size, sizeof *options);
    elman_safetensors *made;
    ELMAN_TRY(create(context, path, &made, error));
    const unsigned char *bytes = NULL;
    size_t size = 0;
    elman_status status;
    if (options != NULL && options->map) {
        status = elman_file_map(path, &made->mapped, &made->mapped_size, error);
        bytes = made->mapped;
        size = made->mapped_size;
    } else {
        status = elman_file_read(context, path, 0, &made->owned, &size, error);
        bytes = made->owned;
    }
    if (status == ELMAN_OK)
        status = read_header(made, bytes, size, path, error);
    if (status != ELMAN_OK) {
        elman_safetensors_free(made);
        return status;
    }
    *file = made;
    return ELMAN_OK;
}

elman_status elman_safetensors_parse(elman_context *context, const void *bytes, size_t size,
                                     const char *name, elman_safetensors **file, elman_error *error)
{
    elman_safetensors *made;
    if ((uintptr_t)bytes % 8 != 0)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "%s: bytes at an address not aligned to 8",
                          name);
    ELMAN_TRY(create(context, name, &made, error));
    elman_status status = read_header(made, bytes, size, name, error);
    if (status != ELMAN_OK) {
        elman_safetensors_free(made);
        return status;
    }
    *file = made;
    return ELMAN_OK;
}

void elman_safetensors_free(elman_safetensors *file)
{
    if (file == NULL)
        return;
    elman_context *context = file->context;
    elman_json_free(file->header);
    elman_file_unmap(file->mapped, file->mapped_size);
    elman_release(context, file->owned);
    elman_release(context, file->entries);
    elman_release(context, file->by_name);
    elman_release(context, file->metadata);
    elman_release(context, file);
}

size_t elman_safetensors_count(const elman_safetensors *file)
{
    return file->count;
}

const elman_tensor_view *elman_safetensors_at(const elman_safetensors *file, size_t index)
{
    return index < file->count ? &file->entries[index].view : NULL;
}

const elman_tensor_view *elman_safetensors_find(const elman_safetensors *file, const char *name)
{
    entry wanted = {.view = {.name = name}};
    const entry *key = &wanted;
    const entry *const *found =
        bsearch(&key, file->by_name, file->count, sizeof(entry *), compare_name);
    return found == NULL ? NULL : &(*found)->view;
}

size_t elman_safetensors_metadata_count(const elman_safetensors *file)
{
    return file->metadata_count;
}

const char *elman_safetensors_metadata(const elman_safetensors *file, const char *key)
{
    for (size_t i = 0; i < file->metadata_count; i++)
        if (strcmp(file->metadata[i].key, key) == 0)
            return file->metadata[i].value;
    return NULL;
}

bool elman_safetensors_metadata_at(const elman_safetensors *file, size_t index, const char **key,
                                   const char **value)
{
    if (index >= file->metadata_count)
        return false;
    if (key != NULL)
        *key = file->metadata[index].key;
    if (value != NULL)
        *value = file->metadata[index].value;
    return true;
}
