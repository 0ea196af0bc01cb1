/* Named arrays to a safetensors file, byte for byte as the reference writes them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "format/dtype.h"
#include "format/json.h"

struct elman_safetensors_writer {
    elman_context *context;
    elman_tensor_view *tensors; /* names are ours, data the caller's */
    size_t count, capacity;
    elman_json *metadata;
};

elman_status elman_safetensors_writer_create(elman_context *context,
                                             elman_safetensors_writer **writer, elman_error *error)
{
    elman_safetensors_writer *made = elman_allocate_zero(context, 1, sizeof *made);
    if (made != NULL) {
        made->context = context;
        made->metadata = elman_json_object();
        if (made->metadata != NULL) {
            *writer = made;
            return ELMAN_OK;
        }
    }
    elman_release(context, made);
    return elman_fail(error, ELMAN_ERROR_MEMORY, "out of memory for a safetensors writer");
}

void elman_safetensors_writer_free(elman_safetensors_writer *writer)
{
    if (writer == NULL)
        return;
    for (size_t i = 0; i < writer->count; i++)
        elman_release(writer->context, (char *)(uintptr_t)writer->tensors[i].name);
    elman_release(writer->context, writer->tensors);
    elman_json_free(writer->metadata);
    elman_release(writer->context, writer);
}

static elman_status check_name(const elman_safetensors_writer *writer, const char *name,
                               elman_error *error)
{
    char shown[96];
    size_t length = strlen(name);
    if (!elman_utf8_valid(name, length))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "tensor %zu: found a name that is not UTF-8",
                          writer->count);
    elman_name_show(name, shown);
    if (length > ELMAN_TENSOR_NAME_MAX)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "tensor \"%s\": found a name of %zu bytes, expected at most %d", shown,
                          length, ELMAN_TENSOR_NAME_MAX);
    if (strcmp(name, ELMAN_SAFETENSORS_METADATA) == 0)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "tensor \"%s\": the format has this name for its metadata", shown);
    for (size_t i = 0; i < writer->count; i++)
        if (strcmp(writer->tensors[i].name, name) == 0)
            return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                              "tensor \"%s\": added for the second time", shown);
    return ELMAN_OK;
}

static elman_status grow(elman_safetensors_writer *writer, elman_error *error)
{
    size_t capacity = writer->capacity == 0 ? 16 : writer->capacity * 2;
    elman_tensor_view *tensors = elman_allocate(writer->context, capacity, sizeof *tensors);
    if (tensors == NULL)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "out of memory for %zu tensors", capacity);
    if (writer->count > 0)
        memcpy(tensors, writer->tensors, writer->count * sizeof *tensors);
    elman_release(writer->context, writer->tensors);
    writer->tensors = tensors;
    writer->capacity = capacity;
    return ELMAN_OK;
}

elman_status elman_safetensors_writer_add(elman_safetensors_writer *writer, const char *name,
                                          elman_dtype dtype, int rank, const size_t *shape,
                                          const void *data, elman_error *error)
{
    elman_tensor_view view = {.dtype = dtype, .rank = rank, .data = data};
    char shown[96];
    ELMAN_TRY(check_name(writer, name, error));
    elman_name_show(name, shown);
    if (elman_dtype_bytes(dtype) == 0)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "tensor \"%s\": found dtype %d, expected an elman_dtype", shown,
                          (int)dtype);
    if (rank < 0 || rank > ELMAN_TENSOR_RANK_MAX)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "tensor \"%s\": found rank %d, expected 0..%d", shown, rank,
                          ELMAN_TENSOR_RANK_MAX);
    if (rank > 0 && shape == NULL)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "tensor \"%s\": found no shape for rank %d",
                          shown, rank);
    for (int i = 0; i < ELMAN_TENSOR_RANK_MAX; i++)
        view.shape[i] = i < rank ? shape[i] : 1;
    if (!elman_dtype_total(dtype, rank, view.shape, &view.bytes) || view.bytes > INT64_MAX)
        return elman_fail(error, ELMAN_ERROR_MEMORY,
                          "tensor \"%s\": found a shape whose size in bytes overflows", shown);
    if (data == NULL && view.bytes > 0)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "tensor \"%s\": found no data for %zu bytes",
                          shown, view.bytes);
    if (writer->count == writer->capacity)
        ELMAN_TRY(grow(writer, error));
    size_t size = strlen(name) + 1;
    char *copy = elman_allocate(writer->context, size, 1);
    if (copy == NULL)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "tensor \"%s\": out of memory", shown);
    memcpy(copy, name, size);
    view.name = copy;
    writer->tensors[writer->count++] = view;
    return ELMAN_OK;
}

elman_status elman_safetensors_writer_metadata(elman_safetensors_writer *writer, const char *key,
                                               const char *value, elman_error *error)
{
    char shown[96];
    if (!elman_utf8_valid(key, strlen(key)))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "metadata: found a key that is not UTF-8");
    if (!elman_utf8_valid(value, strlen(value)))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "metadata \"%s\": found a value that is not UTF-8",
                          elman_name_show(key, shown));
    if (!elman_json_set(writer->metadata, key, elman_json_string(value)))
        return elman_fail(error, ELMAN_ERROR_MEMORY, "metadata \"%s\": out of memory",
                          elman_name_show(key, shown));
    return ELMAN_OK;
}

/* Large values first, so that everything is aligned; then by name. */
static int compare_place(const void *a, const void *b)
{
    const elman_tensor_view *const *x = a, *const *y = b;
    if ((*x)->dtype != (*y)->dtype)
        return (*x)->dtype > (*y)->dtype ? -1 : 1;
    return strcmp((*x)->name, (*y)->name);
}

static elman_json *make_sizes(const size_t *sizes, int count)
{
    elman_json *array = elman_json_array();
    for (int i = 0; i < count; i++) {
        if (!elman_json_append(array, elman_json_integer((int64_t)sizes[i]))) {
            elman_json_free(array);
            return NULL;
        }
    }
    return array;
}

/* {"dtype":"F32","shape":[2,3],"data_offsets":[0,24]} */
static elman_json *make_tensor(const elman_tensor_view *tensor, size_t begin)
{
    size_t offsets[2] = {begin, begin + tensor->bytes};
    elman_json *object = elman_json_object();
    if (elman_json_set(object, "dtype", elman_json_string(elman_dtype_name(tensor->dtype))) &&
        elman_json_set(object, "shape", make_sizes(tensor->shape, tensor->rank)) &&
        elman_json_set(object, "data_offsets", make_sizes(offsets, 2)))
        return object;
    elman_json_free(object);
    return NULL;
}

static elman_status fail_memory(const char *path, elman_error *error)
{
    return elman_fail(error, ELMAN_ERROR_MEMORY, "%s: out of memory for a safetensors header",
                      path);
}

/* The header's text, the caller's to release. */
static elman_status make_header(const elman_safetensors_writer *writer,
                                const elman_tensor_view *const *tensors, const char *path,
                                char **text, size_t *size, elman_error *error)
{
    elman_json *header = elman_json_object();
    bool ok = header != NULL;
    if (ok && elman_json_size(writer->metadata) > 0)
        ok = elman_json_set(header, ELMAN_SAFETENSORS_METADATA, elman_json_share(writer->metadata));
    size_t begin = 0, end;
    for (size_t i = 0; ok && i < writer->count; i++, begin = end) {
        if (!elman_size_add(begin, tensors[i]->bytes, &end) || end > INT64_MAX) {
            elman_json_free(header);
            return elman_fail(error, ELMAN_ERROR_MEMORY, "%s: the size of all tensors overflows",
                              path);
        }
        ok = elman_json_set(header, tensors[i]->name, make_tensor(tensors[i], begin));
    }
    elman_status status =
        ok ? elman_json_print(writer->context, header, ELMAN_JSON_COMPACT, text, size, error)
           : fail_memory(path, error);
    elman_json_free(header);
    return status;
}

/* All that stands in the file, in its order. */
typedef struct image {
    const elman_tensor_view **tensors;
    size_t count;
    uint64_t length; /* of the header, padded */
    char *header;
    size_t header_size, padding;
} image;

static const char spaces[7] = "       ";

static elman_status make_image(const elman_safetensors_writer *writer, const char *path, image *m,
                               elman_error *error)
{
    *m = (image){.count = writer->count};
    m->tensors = elman_allocate(writer->context, writer->count, sizeof *m->tensors);
    if (m->tensors == NULL)
        return fail_memory(path, error);
    for (size_t i = 0; i < writer->count; i++)
        m->tensors[i] = &writer->tensors[i];
    qsort(m->tensors, writer->count, sizeof *m->tensors, compare_place);
    ELMAN_TRY(make_header(writer, m->tensors, path, &m->header, &m->header_size, error));
    m->padding = (8 - m->header_size % 8) % 8;
    m->length = m->header_size + m->padding;
    if (m->length > ELMAN_SAFETENSORS_HEADER_MAX)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "%s: found %zu tensors and metadata that need a header of %" PRIu64
                          " bytes, expected at most %d",
                          path, m->count, m->length, ELMAN_SAFETENSORS_HEADER_MAX);
    return ELMAN_OK;
}

static void free_image(const elman_safetensors_writer *writer, image *m)
{
    elman_release(writer->context, m->header);
    elman_release(writer->context, m->tensors);
}

static elman_status put_file(const image *m, const char *path, elman_error *error)
{
    elman_writer out;
    ELMAN_TRY(elman_writer_open(&out, path, error));
    elman_writer_put(&out, &m->length, sizeof m->length);
    elman_writer_put(&out, m->header, m->header_size);
    elman_writer_put(&out, spaces, m->padding);
    for (size_t i = 0; i < m->count; i++)
        elman_writer_put(&out, m->tensors[i]->data, m->tensors[i]->bytes);
    return elman_writer_commit(&out, error);
}

elman_status elman_safetensors_writer_write(const elman_safetensors_writer *writer,
                                            const char *path, elman_error *error)
{
    image m;
    elman_status status = make_image(writer, path, &m, error);
    if (status == ELMAN_OK)
        status = put_file(&m, path, error);
    free_image(writer, &m);
    return status;
}

static unsigned char *put(unsigned char *at, const void *bytes, size_t size)
{
    if (size)
        memcpy(at, bytes, size);
    return at + size;
}

static elman_status put_memory(const elman_safetensors_writer *writer, const image *m, void **bytes,
                               size_t *size, elman_error *error)
{
    size_t total = sizeof m->length + (size_t)m->length;
    bool fits = true;
    for (size_t i = 0; i < m->count; i++)
        fits = fits && elman_size_add(total, m->tensors[i]->bytes, &total);
    unsigned char *at = fits ? elman_allocate(writer->context, total, 1) : NULL;
    if (at == NULL)
        return elman_out_of_memory(error);
    *bytes = at;
    *size = total;
    at = put(at, &m->length, sizeof m->length);
    at = put(at, m->header, m->header_size);
    at = put(at, spaces, m->padding);
    for (size_t i = 0; i < m->count; i++)
        at = put(at, m->tensors[i]->data, m->tensors[i]->bytes);
    return ELMAN_OK;
}

elman_status elman_safetensors_writer_bytes(const elman_safetensors_writer *writer, void **bytes,
                                            size_t *size, elman_error *error)
{
    image m;
    *bytes = NULL;
    elman_status status = make_image(writer, "memory", &m, error);
    if (status == ELMAN_OK)
        status = put_memory(writer, &m, bytes, size, error);
    free_image(writer, &m);
    return status;
}
