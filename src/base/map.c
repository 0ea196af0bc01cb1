#include "base/map.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

elman_status elman_file_map(const char *path, const unsigned char **bytes, size_t *size,
                            elman_error *error)
{
    static const unsigned char nothing[1];
    struct stat about;
    elman_status status = ELMAN_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hold us up */
    if (fd < 0)
        return elman_fail_errno(error, path, "cannot open it");
    if (fstat(fd, &about) != 0) {
        status = elman_fail_errno(error, path, "cannot look at it");
    } else if (!S_ISREG(about.st_mode)) {
        status = elman_fail(error, ELMAN_ERROR_IO, "%s: %s, expected a regular file", path,
                            S_ISDIR(about.st_mode) ? "a folder" : "a device or a pipe");
    } else if (about.st_size == 0) {
        *bytes = nothing;
        *size = 0;
    } else {
        size_t length = (size_t)about.st_size;
        void *memory = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
        if (memory == MAP_FAILED) {
            status = elman_fail_errno(error, path, "cannot map it");
        } else {
            *bytes = memory;
            *size = length;
        }
    }
    close(fd);
    return status;
}

void elman_file_unmap(const unsigned char *bytes, size_t size)
{
    if (bytes != NULL && size > 0)
        munmap((void *)(uintptr_t)bytes, size);
}
