/* A log that is only appended to, and cut back when a run resumes. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

static elman_status open_at(elman_appender *appender, uint64_t keep, elman_error *error)
{
    struct stat about;
    const char *path = appender->path;
    bool is_new = !elman_path_exists(path);
    appender->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666);
    if (appender->fd < 0 || fstat(appender->fd, &about) != 0)
        return elman_fail_errno(error, path, "cannot write");
    if (!S_ISREG(about.st_mode))
        return elman_fail(error, ELMAN_ERROR_IO, "%s: is not a regular file", path);
    appender->size = (uint64_t)about.st_size;
    if (keep != UINT64_MAX && appender->size < keep)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s: %" PRIu64 " bytes, expected at least the %" PRIu64
                          " that were written before",
                          path, appender->size, keep);
    if (keep < appender->size) {
        if (ftruncate(appender->fd, (off_t)keep) != 0)
            return elman_fail_errno(error, path, "cannot cut back");
        appender->size = keep;
    }
    return is_new ? elman_folder_sync_of(path, error) : ELMAN_OK;
}

elman_status elman_appender_open(elman_appender *appender, const char *path, uint64_t keep,
                                 elman_error *error)
{
    *appender = (elman_appender){.fd = -1, .path = strdup(path)};
    if (!appender->path)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "%s: out of memory", path);
    elman_status status = open_at(appender, keep, error);
    if (status != ELMAN_OK)
        elman_appender_close(appender);
    return status;
}

elman_status elman_appender_create(elman_appender *appender, const char *path, bool *stands,
                                   elman_error *error)
{
    *stands = false;
    *appender = (elman_appender){.fd = -1, .path = strdup(path)};
    if (!appender->path)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "%s: out of memory", path);
    appender->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    *stands = appender->fd < 0 && errno == EEXIST;
    elman_status status = ELMAN_OK;
    if (appender->fd >= 0)
        status = elman_folder_sync_of(path, error);
    else if (!*stands)
        status = elman_fail_errno(error, path, "cannot write");
    if (appender->fd < 0 || status != ELMAN_OK)
        elman_appender_close(appender);
    return status;
}

elman_status elman_appender_put(elman_appender *appender, const void *bytes, size_t size,
                                elman_error *error)
{
    if (elman_write_all(appender->fd, bytes, size)) {
        appender->size += size;
        return ELMAN_OK;
    }
    elman_status status = elman_fail_errno(error, appender->path, "cannot write");
    /* No half record stays behind; where even that fails, resuming cuts it back. */
    if (ftruncate(appender->fd, (off_t)appender->size) != 0)
        errno = 0;
    return status;
}

elman_status elman_appender_sync(elman_appender *appender, elman_error *error)
{
    if (fsync(appender->fd) != 0)
        return elman_fail_errno(error, appender->path, "cannot write");
    return ELMAN_OK;
}

void elman_appender_close(elman_appender *appender)
{
    if (appender->fd >= 0)
        close(appender->fd);
    free(appender->path);
    appender->fd = -1;
    appender->path = NULL;
}
