/* Folders: made, made to last, locked. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

elman_status elman_path_look(const char *path, bool *exists, elman_error *error)
{
    struct stat about;
    *exists = stat(path, &about) == 0;
    if (*exists || errno == ENOENT || errno == ENOTDIR)
        return ELMAN_OK;
    return elman_fail_errno(error, path, "cannot look at it");
}

elman_status elman_file_size(const char *path, uint64_t *size, elman_error *error)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return elman_fail_errno(error, path, "cannot look at it");
    *size = (uint64_t)about.st_size;
    return ELMAN_OK;
}

bool elman_path_same(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

bool elman_path_exists(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0;
}

bool elman_path_is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

char *elman_path_join(const char *folder, const char *name)
{
    size_t length = strlen(folder), more = strlen(name) + 1;
    bool slash = length > 0 && folder[length - 1] != '/';
    char *path = malloc(length + slash + more);
    if (!path)
        return NULL;
    memcpy(path, folder, length);
    if (slash)
        path[length] = '/';
    memcpy(path + length + slash, name, more);
    return path;
}

/* The folder that holds path, from malloc; NULL when memory is out. */
static char *folder_of(const char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    while (length > 0 && path[length - 1] != '/')
        length--;
    while (length > 1 && path[length - 1] == '/')
        length--;
    return length ? strndup(path, length) : strdup(".");
}

elman_status elman_folder_sync_of(const char *path, elman_error *error)
{
    char *folder = folder_of(path);
    if (!folder)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "%s: out of memory", path);
    elman_status status = ELMAN_OK;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* A folder that may be written but not read cannot be opened for this. */
    if (fd < 0 && errno != EACCES)
        status = elman_fail_errno(error, folder, "cannot open");
    if (fd >= 0 && fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS)
        status = elman_fail_errno(error, folder, "cannot sync the folder");
    if (fd >= 0)
        close(fd);
    free(folder);
    return status;
}

static elman_status make_one(const char *path, elman_error *error)
{
    if (mkdir(path, 0777) == 0)
        return elman_folder_sync_of(path, error);
    int reason = errno;
    if (elman_path_is_folder(path))
        return ELMAN_OK;
    errno = reason;
    if (errno == EEXIST)
        return elman_fail(error, ELMAN_ERROR_IO, "%s: is a file, expected a folder", path);
    return elman_fail_errno(error, path, "cannot make the folder");
}

elman_status elman_folder_make(const char *path, elman_error *error)
{
    if (!*path)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "the name of a folder is empty");
    char *part = strdup(path);
    if (!part)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "%s: out of memory", path);
    elman_status status = ELMAN_OK;
    for (char *at = part + 1; status == ELMAN_OK && *at; at++) {
        if (*at != '/' || at[-1] == '/')
            continue;
        *at = 0;
        status = make_one(part, error);
        *at = '/';
    }
    if (status == ELMAN_OK)
        status = make_one(part, error);
    free(part);
    return status;
}

/* Who holds the lock says so in the file. */
static void read_holder(int fd, char holder[24])
{
    ssize_t got = pread(fd, holder, 23, 0);
    size_t length = got > 0 ? (size_t)got : 0, digits = 0;
    holder[length] = 0;
    while (holder[digits] >= '0' && holder[digits] <= '9')
        digits++;
    holder[digits] = 0;
    if (digits == 0)
        strcpy(holder, "unknown");
}

elman_status elman_folder_lock(const char *folder, int *fd, elman_error *error)
{
    *fd = -1;
    char *path = elman_path_join(folder, ".lock");
    if (!path)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "%s: out of memory", folder);
    elman_status status = ELMAN_OK;
    int opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (opened < 0) {
        status = elman_fail_errno(error, path, "cannot write");
    } else if (flock(opened, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            char holder[24];
            read_holder(opened, holder);
            status = elman_fail(error, ELMAN_ERROR_BUSY,
                                "%s: in use by process %s; wait for it or choose another folder",
                                folder, holder);
        } else {
            status = elman_fail_errno(error, path, "cannot lock");
        }
    } else {
        char self[24];
        int length = snprintf(self, sizeof self, "%ld\n", (long)getpid());
        /* The name is a courtesy: a full disk does not keep the lock from holding. */
        if (ftruncate(opened, 0) == 0 && pwrite(opened, self, (size_t)length, 0) < 0)
            errno = 0;
    }
    free(path);
    if (status == ELMAN_OK)
        *fd = opened;
    else if (opened >= 0)
        close(opened);
    return status;
}

void elman_folder_unlock(int fd)
{
    if (fd < 0)
        return;
    if (ftruncate(fd, 0) != 0)
        errno = 0;
    close(fd);
}
