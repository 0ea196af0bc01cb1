/* Files looked at in place. */
#ifndef ELMAN_BASE_MAP_H
#define ELMAN_BASE_MAP_H

#include <stddef.h>

#include "elman/status.h"

/* Maps a whole regular file read-only, page-aligned; an empty file gives a size of 0.
 * A file that another process cuts short afterwards kills this one with SIGBUS at the
 * next look past its end. IO: no such file, a folder, unreadable. */
elman_status elman_file_map(const char *path, const unsigned char **bytes, size_t *size,
                            elman_error *error);
/* NULL is fine. */
void elman_file_unmap(const unsigned char *bytes, size_t size);

#endif
