#include "data/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

/* O_NONBLOCK: opening a pipe that nobody writes to must not wait. */
static elman_status open_file(const char *path, int *fd, struct stat *status, elman_error *error)
{
    do
        *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    while (*fd < 0 && errno == EINTR);
    if (*fd < 0)
        return elman_fail_errno(error, path, "cannot be opened");
    if (fstat(*fd, status) != 0) {
        elman_status failure = elman_fail_errno(error, path, "cannot be examined");
        close(*fd);
        return failure;
    }
    return ELMAN_OK;
}

static elman_status examine(elman_source_file *file, elman_error *error)
{
    struct stat s;
    int fd;
    if (strcmp(file->path, "-") == 0)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "-: a text is read several times; expected files, not standard input");
    ELMAN_TRY(open_file(file->path, &fd, &s, error));
    close(fd);
    if (S_ISDIR(s.st_mode))
        return elman_fail(error, ELMAN_ERROR_IO, "%s: is a folder; name the files in it",
                          file->path);
    if (!S_ISREG(s.st_mode))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "%s: is not a regular file; a text is read several times", file->path);
    if (s.st_size == 0)
        return elman_fail(error, ELMAN_ERROR_DATA, "%s: is empty; expected text", file->path);
    file->size = (uint64_t)s.st_size;
    file->device = (uint64_t)s.st_dev;
    file->inode = (uint64_t)s.st_ino;
    file->seconds = (int64_t)s.st_mtim.tv_sec;
    file->nanoseconds = (int64_t)s.st_mtim.tv_nsec;
    return ELMAN_OK;
}

elman_status elman_source_open(elman_source *source, elman_context *context,
                               const char *const *paths, int count, elman_error *error)
{
    memset(source, 0, sizeof *source);
    source->context = context;
    for (int i = 0; i < ELMAN_SOURCE_DESCRIPTORS; i++)
        source->descriptors[i].fd = -1;
    if (count < 1)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "text: no files; expected at least one");
    source->files = elman_allocate_zero(context, (size_t)count, sizeof *source->files);
    if (source->files == NULL)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "text: out of memory for %d files", count);
    elman_status status = ELMAN_OK;
    for (; source->count < count && status == ELMAN_OK; source->count++) {
        elman_source_file *file = &source->files[source->count];
        size_t size = strlen(paths[source->count]) + 1;
        file->path = elman_allocate(context, size, 1);
        if (file->path == NULL) {
            status = elman_fail(error, ELMAN_ERROR_MEMORY, "text: out of memory for a path");
        } else {
            memcpy(file->path, paths[source->count], size);
            status = examine(file, error);
        }
    }
    if (status != ELMAN_OK)
        elman_source_close(source);
    return status;
}

static elman_status compare(const elman_source_file *file, const struct stat *s, elman_error *error)
{
    if ((uint64_t)s->st_size != file->size)
        return elman_fail(error, ELMAN_ERROR_IO,
                          "%s: changed while it was in use: found %lld bytes; expected %llu",
                          file->path, (long long)s->st_size, (unsigned long long)file->size);
    if ((uint64_t)s->st_dev != file->device || (uint64_t)s->st_ino != file->inode)
        return elman_fail(error, ELMAN_ERROR_IO, "%s: was replaced while it was in use",
                          file->path);
    if ((int64_t)s->st_mtim.tv_sec != file->seconds ||
        (int64_t)s->st_mtim.tv_nsec != file->nanoseconds)
        return elman_fail(error, ELMAN_ERROR_IO, "%s: was written to while it was in use",
                          file->path);
    return ELMAN_OK;
}

static elman_status descriptor_of(elman_source *source, int file, int *fd, elman_error *error)
{
    int oldest = 0;
    for (int i = 0; i < ELMAN_SOURCE_DESCRIPTORS; i++) {
        if (source->descriptors[i].fd >= 0 && source->descriptors[i].file == file) {
            source->descriptors[i].used = ++source->clock;
            *fd = source->descriptors[i].fd;
            return ELMAN_OK;
        }
        if (source->descriptors[i].used < source->descriptors[oldest].used)
            oldest = i;
    }
    struct stat s;
    int opened;
    ELMAN_TRY(open_file(source->files[file].path, &opened, &s, error));
    elman_status status = compare(&source->files[file], &s, error);
    if (status != ELMAN_OK) {
        close(opened);
        return status;
    }
    if (source->descriptors[oldest].fd >= 0)
        close(source->descriptors[oldest].fd);
    source->descriptors[oldest].fd = opened;
    source->descriptors[oldest].file = file;
    source->descriptors[oldest].used = ++source->clock;
    *fd = opened;
    return ELMAN_OK;
}

elman_status elman_source_read(elman_source *source, int file, uint64_t offset, void *bytes,
                               size_t n, size_t *got, elman_error *error)
{
    const elman_source_file *f = &source->files[file];
    int fd;
    *got = 0;
    ELMAN_TRY(descriptor_of(source, file, &fd, error));
    if (offset >= f->size)
        return ELMAN_OK;
    if (n > f->size - offset)
        n = (size_t)(f->size - offset);
    size_t done = 0;
    while (done < n) {
        ssize_t step = pread(fd, (char *)bytes + done, n - done, (off_t)(offset + done));
        if (step < 0 && errno == EINTR)
            continue;
        if (step < 0)
            return elman_fail_errno(error, f->path, "cannot be read");
        if (step == 0)
            break; /* cut short; the comparison says so */
        done += (size_t)step;
    }
    struct stat s;
    if (fstat(fd, &s) != 0)
        return elman_fail_errno(error, f->path, "cannot be examined");
    ELMAN_TRY(compare(f, &s, error));
    if (done < n)
        return elman_fail(error, ELMAN_ERROR_IO, "%s: changed while it was in use", f->path);
    *got = n;
    return ELMAN_OK;
}

void elman_source_close(elman_source *source)
{
    for (int i = 0; i < ELMAN_SOURCE_DESCRIPTORS; i++) {
        if (source->descriptors[i].fd >= 0)
            close(source->descriptors[i].fd);
        source->descriptors[i].fd = -1;
    }
    for (int i = 0; source->files != NULL && i < source->count; i++)
        elman_release(source->context, source->files[i].path);
    elman_release(source->context, source->files);
    source->files = NULL;
    source->count = 0;
}
