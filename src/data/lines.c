#include "data/lines.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"

enum { BUFFER = 1 << 16 };

elman_status elman_line_file_open_sized(elman_line_file *file, elman_context *context,
                                        const char *path, size_t buffer, elman_error *error)
{
    memset(file, 0, sizeof *file);
    ELMAN_TRY(elman_source_open(&file->source, context, &path, 1, error));
    file->room = buffer < 4 ? 4 : buffer;
    file->buffer = elman_allocate(context, file->room, 1);
    if (file->buffer == NULL) {
        elman_line_file_close(file);
        return elman_fail(error, ELMAN_ERROR_MEMORY, "%s: out of memory for a buffer", path);
    }
    elman_sha256_begin(&file->sha);
    return ELMAN_OK;
}

elman_status elman_line_file_open(elman_line_file *file, elman_context *context, const char *path,
                                  elman_error *error)
{
    return elman_line_file_open_sized(file, context, path, BUFFER, error);
}

void elman_line_file_close(elman_line_file *file)
{
    if (file->source.context == NULL)
        return;
    elman_release(file->source.context, file->buffer);
    elman_source_close(&file->source);
    memset(file, 0, sizeof *file);
}

static elman_status widen(elman_line_file *file, elman_error *error)
{
    const char *path = file->source.files[0].path;
    if (file->room > ELMAN_LINE_LIMIT)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s: line %llu: found more than %d bytes; expected text in lines", path,
                          (unsigned long long)file->number + 1, ELMAN_LINE_LIMIT);
    char *wider = elman_allocate(file->source.context, 2 * file->room, 1);
    if (wider == NULL)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "%s: line %llu: out of memory", path,
                          (unsigned long long)file->number + 1);
    memcpy(wider, file->buffer, file->end);
    elman_release(file->source.context, file->buffer);
    file->buffer = wider;
    file->room *= 2;
    return ELMAN_OK;
}

/* Reads on behind what is buffered; *got is 0 at the end of the file. */
static elman_status fill(elman_line_file *file, size_t *got, elman_error *error)
{
    if (file->begin > 0) {
        memmove(file->buffer, file->buffer + file->begin, file->end - file->begin);
        file->end -= file->begin;
        file->begin = 0;
    }
    if (file->end == file->room)
        ELMAN_TRY(widen(file, error));
    ELMAN_TRY(elman_source_read(&file->source, 0, file->offset, file->buffer + file->end,
                                file->room - file->end, got, error));
    elman_sha256_add(&file->sha, file->buffer + file->end, *got);
    file->end += *got;
    file->offset += *got;
    return ELMAN_OK;
}

static elman_status skip_mark(elman_line_file *file, elman_error *error)
{
    size_t got = 1;
    while (file->end < 3 && got > 0)
        ELMAN_TRY(fill(file, &got, error));
    if (file->end >= 3 && memcmp(file->buffer, "\xEF\xBB\xBF", 3) == 0)
        file->begin = 3;
    return ELMAN_OK;
}

elman_status elman_line_file_next(void *user, const char **line, size_t *size, elman_error *error)
{
    elman_line_file *file = user;
    *line = NULL;
    *size = 0;
    if (file->offset == 0)
        ELMAN_TRY(skip_mark(file, error));
    const char *end = NULL;
    size_t searched = 0, got = 1;
    while (got > 0) {
        size_t left = file->end - file->begin;
        if (left > searched)
            end = memchr(file->buffer + file->begin + searched, '\n', left - searched);
        if (end != NULL)
            break;
        searched = left;
        ELMAN_TRY(fill(file, &got, error));
    }
    const char *begin = file->buffer + file->begin;
    size_t length = end != NULL ? (size_t)(end - begin) : file->end - file->begin;
    if (length > ELMAN_LINE_LIMIT)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s: line %llu: found %zu bytes; expected at most %d",
                          file->source.files[0].path, (unsigned long long)file->number + 1, length,
                          ELMAN_LINE_LIMIT);
    if (end == NULL && length == 0)
        return ELMAN_OK;
    file->begin += length + (end != NULL);
    file->number++;
    *line = begin;
    *size = length - (end != NULL && length > 0 && begin[length - 1] == '\r');
    return ELMAN_OK;
}

void elman_line_file_digest(elman_line_file *file, char hex[65], uint64_t *bytes)
{
    elman_sha256 sha = file->sha;
    elman_sha256_end(&sha, hex);
    *bytes = file->offset;
}
