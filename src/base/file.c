/* Files read whole, and files replaced whole. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

enum { BUFFER = 1 << 16 };

/* Fills bytes[0..size) as far as the file goes; false and errno on a failure. */
static bool read_all(int fd, unsigned char *bytes, size_t *size)
{
    size_t at = 0;
    while (at < *size) {
        ssize_t got = read(fd, bytes + at, *size - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            break;
        at += (size_t)got;
    }
    *size = at;
    return true;
}

static elman_status open_regular(const char *path, int *fd, struct stat *about, elman_error *error)
{
    /* Not blocking, so that a pipe without a writer is refused rather than awaited. */
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0)
        return elman_fail_errno(error, path, "cannot open");
    elman_status status = ELMAN_OK;
    if (fstat(*fd, about) != 0)
        status = elman_fail_errno(error, path, "cannot read");
    else if (S_ISDIR(about->st_mode))
        status = elman_fail(error, ELMAN_ERROR_IO, "%s: is a folder, expected a file", path);
    else if (!S_ISREG(about->st_mode))
        status = elman_fail(error, ELMAN_ERROR_IO, "%s: is not a regular file", path);
    if (status != ELMAN_OK)
        close(*fd);
    return status;
}

static elman_status read_open(elman_context *context, int fd, const struct stat *about,
                              const char *path, size_t limit, unsigned char **bytes, size_t *size,
                              elman_error *error)
{
    if (limit != 0 && (uint64_t)about->st_size > limit)
        return elman_fail(error, ELMAN_ERROR_FORMAT, "%s: %lld bytes, expected at most %zu", path,
                          (long long)about->st_size, limit);
    size_t length = (size_t)about->st_size, room;
    unsigned char *buffer = NULL;
    if (elman_size_add(length, 1, &room))
        buffer = elman_allocate(context, room, 1);
    if (!buffer)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "%s: out of memory for its %zu bytes", path,
                          length);
    if (!read_all(fd, buffer, &length)) {
        elman_status status = elman_fail_errno(error, path, "cannot read");
        elman_release(context, buffer);
        return status;
    }
    buffer[length] = 0;
    *bytes = buffer;
    *size = length;
    return ELMAN_OK;
}

elman_status elman_file_read(elman_context *context, const char *path, size_t limit,
                             unsigned char **bytes, size_t *size, elman_error *error)
{
    *bytes = NULL;
    *size = 0;
    int fd;
    struct stat about;
    ELMAN_TRY(open_regular(path, &fd, &about, error));
    elman_status status = read_open(context, fd, &about, path, limit, bytes, size, error);
    close(fd);
    return status;
}

elman_status elman_file_begins(const char *path, const char *text, bool *begins, elman_error *error)
{
    unsigned char bytes[64];
    size_t size = strlen(text), wanted = size;
    int fd;
    struct stat about;
    *begins = false;
    if (size > sizeof bytes)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "%s: too long a beginning", path);
    ELMAN_TRY(open_regular(path, &fd, &about, error));
    elman_status status =
        read_all(fd, bytes, &size) ? ELMAN_OK : elman_fail_errno(error, path, "cannot read");
    close(fd);
    if (status == ELMAN_OK)
        *begins = size == wanted && memcmp(bytes, text, size) == 0;
    return status;
}

bool elman_write_all(int fd, const void *bytes, size_t size)
{
    const unsigned char *from = bytes;
    while (size > 0) {
        ssize_t put = write(fd, from, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        from += put;
        size -= (size_t)put;
    }
    return true;
}

/* A writer whose path is NULL holds nothing. */
static void clear_writer(elman_writer *writer)
{
    free(writer->path);
    free(writer->partial);
    free(writer->buffer);
    writer->path = writer->partial = NULL;
    writer->buffer = NULL;
    writer->fd = -1;
}

elman_status elman_writer_open(elman_writer *writer, const char *path, elman_error *error)
{
    static const char suffix[] = ".partial";
    memset(writer, 0, sizeof *writer);
    writer->fd = -1;
    if (elman_path_is_folder(path))
        return elman_fail(error, ELMAN_ERROR_IO, "%s: is a folder, expected a file", path);
    size_t length = strlen(path);
    writer->path = strdup(path);
    writer->partial = malloc(length + sizeof suffix);
    writer->buffer = malloc(BUFFER);
    if (!writer->path || !writer->partial || !writer->buffer) {
        clear_writer(writer);
        return elman_fail(error, ELMAN_ERROR_MEMORY, "%s: out of memory", path);
    }
    memcpy(writer->partial, path, length);
    memcpy(writer->partial + length, suffix, sizeof suffix);
    writer->fd = open(writer->partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (writer->fd < 0) {
        elman_status status = elman_fail_errno(error, writer->partial, "cannot write");
        clear_writer(writer);
        return status;
    }
    return ELMAN_OK;
}

static void note_failure(elman_writer *writer, const char *what)
{
    writer->failed = true;
    elman_fail_errno(&writer->error, writer->partial, what);
}

static void flush_writer(elman_writer *writer)
{
    if (!writer->failed && !elman_write_all(writer->fd, writer->buffer, writer->buffered))
        note_failure(writer, "cannot write");
    writer->buffered = 0;
}

void elman_writer_put(elman_writer *writer, const void *bytes, size_t size)
{
    if (writer->failed || size == 0)
        return;
    if (size > BUFFER - writer->buffered)
        flush_writer(writer);
    if (size < BUFFER) {
        memcpy(writer->buffer + writer->buffered, bytes, size);
        writer->buffered += size;
    } else if (!writer->failed && !elman_write_all(writer->fd, bytes, size)) {
        note_failure(writer, "cannot write");
    }
}

elman_status elman_writer_commit(elman_writer *writer, elman_error *error)
{
    if (!writer->path)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "a writer that is not open was committed");
    flush_writer(writer);
    if (!writer->failed && fsync(writer->fd) != 0)
        note_failure(writer, "cannot write");
    /* Some file systems report a failed write only here. */
    if (close(writer->fd) != 0 && !writer->failed)
        note_failure(writer, "cannot write");
    writer->fd = -1;
    if (!writer->failed && rename(writer->partial, writer->path) != 0)
        note_failure(writer, "cannot rename");
    if (writer->failed)
        unlink(writer->partial);
    else if (elman_folder_sync_of(writer->path, &writer->error) != ELMAN_OK)
        writer->failed = true;
    bool failed = writer->failed;
    clear_writer(writer);
    if (!failed)
        return ELMAN_OK;
    if (error)
        *error = writer->error;
    return writer->error.code;
}

void elman_writer_abandon(elman_writer *writer)
{
    if (!writer->path)
        return;
    if (writer->fd >= 0)
        close(writer->fd);
    unlink(writer->partial);
    clear_writer(writer);
}

elman_status elman_file_replace(const char *path, const void *bytes, size_t size,
                                elman_error *error)
{
    elman_writer writer;
    ELMAN_TRY(elman_writer_open(&writer, path, error));
    elman_writer_put(&writer, bytes, size);
    return elman_writer_commit(&writer, error);
}
