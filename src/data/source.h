/* The files under a text: opened when they are needed, read at an offset, and
 * noticed when they change. */
#ifndef ELMAN_DATA_SOURCE_H
#define ELMAN_DATA_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "elman/context.h"

typedef struct elman_source_file {
    char *path;
    uint64_t size; /* these five as they were when the source was opened */
    uint64_t device, inode;
    int64_t seconds, nanoseconds; /* last modified */
} elman_source_file;

enum { ELMAN_SOURCE_DESCRIPTORS = 8 };

typedef struct elman_source {
    elman_context *context;
    elman_source_file *files;
    int count;
    struct {
        int file, fd; /* fd -1: free */
        uint64_t used;
    } descriptors[ELMAN_SOURCE_DESCRIPTORS]; /* the files read last stay open */
    uint64_t clock;
} elman_source;

/* Looks at every file: it must be regular and not empty. On failure there is
 * nothing to close. */
elman_status elman_source_open(elman_source *source, elman_context *context,
                               const char *const *paths, int count, elman_error *error);

/* Reads bytes [offset, offset+n) of a file, or up to its end; *got is how many.
 * IO where the file is gone, unreadable, or not as it was. Allocates nothing. */
elman_status elman_source_read(elman_source *source, int file, uint64_t offset, void *bytes,
                               size_t n, size_t *got, elman_error *error);

void elman_source_close(elman_source *source);

#endif
