/* The safetensors file format, both ways: named arrays, a header of JSON and the
 * bytes of the arrays behind it. What Elman writes, the reference implementation
 * (Hugging Face's `safetensors`) reads, and the other way.
 *
 *     8 bytes    N, the header's length, little-endian
 *     N bytes    {"NAME":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}, ...,
 *                 "__metadata__":{"KEY":"VALUE", ...}}, then spaces
 *     the rest   data; offsets count from its first byte, and cover it without
 *                gap or overlap; values little-endian, the last dimension fastest
 *
 * A file is hostile until proven otherwise, so reading is stricter than the format:
 * N is a multiple of 8, data lie at a multiple of their value's size, no key stands
 * twice, no tensor has a field of another name, and the limits below hold. */
#ifndef ELMAN_SAFETENSORS_H
#define ELMAN_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>

#include "elman/context.h"
#include "elman/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a tensor's values are. BOOL is one byte; whether it is 0 or 1 is not checked. */
typedef enum elman_dtype {
    ELMAN_DTYPE_BOOL = 0,
    ELMAN_DTYPE_U8,
    ELMAN_DTYPE_I8,
    ELMAN_DTYPE_I16,
    ELMAN_DTYPE_U16,
    ELMAN_DTYPE_F16,
    ELMAN_DTYPE_BF16,
    ELMAN_DTYPE_I32,
    ELMAN_DTYPE_U32,
    ELMAN_DTYPE_F32,
    ELMAN_DTYPE_F64,
    ELMAN_DTYPE_I64,
    ELMAN_DTYPE_U64
} elman_dtype;

enum {
    ELMAN_TENSOR_RANK_MAX = 8,
    ELMAN_TENSOR_NAME_MAX = 1024,            /* bytes of a name */
    ELMAN_SAFETENSORS_HEADER_MAX = 100000000 /* bytes of a header, as in the reference */
};

/* Bytes of one value, 1, 2, 4 or 8; and its name in a header, such as "F32", a static
 * string. 0 and NULL for what is no elman_dtype. */
ELMAN_API size_t elman_dtype_bytes(elman_dtype dtype);
ELMAN_API const char *elman_dtype_name(elman_dtype dtype);

/* One tensor of a file. Everything lives as long as the elman_safetensors. */
typedef struct elman_tensor_view {
    const char *name; /* UTF-8 without U+0000 */
    elman_dtype dtype;
    int rank;                            /* 0 (a scalar) .. ELMAN_TENSOR_RANK_MAX */
    size_t shape[ELMAN_TENSOR_RANK_MAX]; /* the first `rank` count; the others are 1 */
    const void *data;                    /* aligned to the size of a value */
    size_t bytes;                        /* product of shape * elman_dtype_bytes(dtype) */
} elman_tensor_view;

/* Reading. */

typedef struct elman_safetensors elman_safetensors;

typedef struct elman_safetensors_options {
    size_t size; /* sizeof(elman_safetensors_options), set by _default */
    /* false: the file is read into memory, and what happens to it afterwards does not
     * matter. true: it is mapped; pages come when they are looked at, but when somebody
     * cuts the file short meanwhile, looking kills the process (SIGBUS), and when
     * somebody writes to it, checked values change. Only for files that nobody touches. */
    bool map;
} elman_safetensors_options;

/* Fills every field with its default. */
ELMAN_API void elman_safetensors_options_default(elman_safetensors_options *options);

/* Reads a file. options may be NULL (the defaults). *file is the caller's to free,
 * before the context. IO: no such file, a folder, unreadable; FORMAT: "PATH: ..." with
 * the tensor, field or byte, what was found and what was expected; UNSUPPORTED: a dtype
 * that is not one of elman_dtype; MEMORY; ARGUMENT: options that are not valid. */
ELMAN_API elman_status elman_safetensors_read(elman_context *context, const char *path,
                                              const elman_safetensors_options *options,
                                              elman_safetensors **file, elman_error *error);

/* The same for `size` bytes that the caller owns, aligned to 8 (ARGUMENT otherwise),
 * and keeps, unchanged, until *file is freed. `name` begins every error. */
ELMAN_API elman_status elman_safetensors_parse(elman_context *context, const void *bytes,
                                               size_t size, const char *name,
                                               elman_safetensors **file, elman_error *error);

/* NULL is fine. */
ELMAN_API void elman_safetensors_free(elman_safetensors *file);

/* The number of tensors. */
ELMAN_API size_t elman_safetensors_count(const elman_safetensors *file);

/* Tensor 0..count-1, in the order of their data; NULL out of bounds. */
ELMAN_API const elman_tensor_view *elman_safetensors_at(const elman_safetensors *file,
                                                        size_t index);

/* The tensor of that name, or NULL. */
ELMAN_API const elman_tensor_view *elman_safetensors_find(const elman_safetensors *file,
                                                          const char *name);

/* The number of metadata entries; the value of a key, or NULL; entry 0..count-1 in the
 * order of the header (key and value may be NULL), false out of bounds. Values are UTF-8
 * without U+0000, and live as long as the file. */
ELMAN_API size_t elman_safetensors_metadata_count(const elman_safetensors *file);
ELMAN_API const char *elman_safetensors_metadata(const elman_safetensors *file, const char *key);
ELMAN_API bool elman_safetensors_metadata_at(const elman_safetensors *file, size_t index,
                                             const char **key, const char **value);

/* Writing. */

typedef struct elman_safetensors_writer elman_safetensors_writer;

/* Makes an empty writer, the caller's to free before the context. MEMORY. */
ELMAN_API elman_status elman_safetensors_writer_create(elman_context *context,
                                                       elman_safetensors_writer **writer,
                                                       elman_error *error);

/* Adds a tensor of the given rank and shape (shape may be NULL for rank 0, and data
 * where the tensor has no values). The data are not copied: the pointer is kept, and
 * what it points to is read by _write. The name is copied. ARGUMENT: a name that is
 * not valid UTF-8, too long, taken, or "__metadata__"; a rank or dtype out of bounds; a
 * missing pointer; MEMORY: also a size that overflows. A failure adds nothing. */
ELMAN_API elman_status elman_safetensors_writer_add(elman_safetensors_writer *writer,
                                                    const char *name, elman_dtype dtype, int rank,
                                                    const size_t *shape, const void *data,
                                                    elman_error *error);

/* Adds a metadata entry, or gives the key a new value; both are copied. ARGUMENT: not
 * valid UTF-8; MEMORY. */
ELMAN_API elman_status elman_safetensors_writer_metadata(elman_safetensors_writer *writer,
                                                         const char *key, const char *value,
                                                         elman_error *error);

/* Writes the file beside, fsyncs, renames: PATH is the whole new file or what it was.
 * The same tensors and metadata give the same bytes, in whatever order the tensors were
 * added: large values first, as elman_dtype counts down, then by name, as the reference
 * does; metadata in the order added. May be called again, for another path or with other
 * values behind the pointers. IO; MEMORY; ARGUMENT: a header past its limit. */
ELMAN_API elman_status elman_safetensors_writer_write(const elman_safetensors_writer *writer,
                                                      const char *path, elman_error *error);

/* The same into memory: *bytes is from the context's allocator and the caller's to release, aligned
 * for elman_safetensors_parse. */
ELMAN_API elman_status elman_safetensors_writer_bytes(const elman_safetensors_writer *writer,
                                                      void **bytes, size_t *size,
                                                      elman_error *error);

/* NULL is fine. */
ELMAN_API void elman_safetensors_writer_free(elman_safetensors_writer *writer);

#ifdef __cplusplus
}
#endif

#endif
