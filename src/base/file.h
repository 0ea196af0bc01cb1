/* What asks the operating system about files: read, replace, append, lock. */
#ifndef ELMAN_BASE_FILE_H
#define ELMAN_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elman/context.h"

/* Reads a whole regular file. *bytes is from the context's allocator and the
 * caller's to release; a zero byte follows the last, not counted. IO: no such
 * file, a folder, unreadable; FORMAT: larger than `limit` (0: no limit). */
elman_status elman_file_read(elman_context *context, const char *path, size_t limit,
                             unsigned char **bytes, size_t *size, elman_error *error);

/* Whether a regular file's first bytes are the text; one that is shorter does not begin so. IO: no
 * such file, a folder, unreadable. text: at most 64 bytes. */
elman_status elman_file_begins(const char *path, const char *text, bool *begins,
                               elman_error *error);

/* A file replaced as a whole or not at all: written as PATH.partial beside it (any
 * leftover of an earlier kill is overwritten), fsynced, renamed over PATH, and the
 * folder fsynced. Any failure leaves PATH as it was and removes the partial. */
typedef struct elman_writer {
    int fd;
    bool failed;
    char *path, *partial; /* from malloc */
    unsigned char *buffer;
    size_t buffered;
    elman_error error; /* the first failure */
} elman_writer;

elman_status elman_writer_open(elman_writer *writer, const char *path, elman_error *error);
/* Buffers; a failure is kept and answered by commit. */
void elman_writer_put(elman_writer *writer, const void *bytes, size_t size);
/* Makes it count. The writer is closed whatever happens. */
elman_status elman_writer_commit(elman_writer *writer, elman_error *error);
/* Gives up: PATH stays as it was. Fine on a writer that was committed or cleared. */
void elman_writer_abandon(elman_writer *writer);
/* open, put, commit. */
elman_status elman_file_replace(const char *path, const void *bytes, size_t size,
                                elman_error *error);

/* A log that is only appended to. */
typedef struct elman_appender {
    int fd; /* -1: closed */
    char *path;
    uint64_t size; /* bytes that stand in the file */
} elman_appender;

/* Opens or creates; cuts the file back to `keep` bytes first (FORMAT where it is
 * shorter than that), UINT64_MAX: keeps all. */
elman_status elman_appender_open(elman_appender *appender, const char *path, uint64_t keep,
                                 elman_error *error);
/* Creates: where something stands at path *stands is true, nothing is open and that is no error; of
 * several that try at once one creates. */
elman_status elman_appender_create(elman_appender *appender, const char *path, bool *stands,
                                   elman_error *error);
elman_status elman_appender_put(elman_appender *appender, const void *bytes, size_t size,
                                elman_error *error);
elman_status elman_appender_sync(elman_appender *appender, elman_error *error);
void elman_appender_close(elman_appender *appender);

/* An advisory lock on FOLDER/.lock, held by this process until released or its
 * end; BUSY names the process that holds it. *fd is the lock's handle. */
elman_status elman_folder_lock(const char *folder, int *fd, elman_error *error);
void elman_folder_unlock(int fd);

/* Makes the folder, and its parents; fine where it stands already. */
elman_status elman_folder_make(const char *path, elman_error *error);
/* Whether something stands at path. Only a missing name or a missing folder before it
 * (ENOENT, ENOTDIR) means no; IO: any other reason why it cannot be seen. A link that
 * leads nowhere counts as no. */
elman_status elman_path_look(const char *path, bool *exists, elman_error *error);
/* Bytes of the file at path. IO: no such file. */
elman_status elman_file_size(const char *path, uint64_t *size, elman_error *error);
/* Whether both names lead to the same file; false where either leads nowhere. */
bool elman_path_same(const char *a, const char *b);
bool elman_path_exists(const char *path);
bool elman_path_is_folder(const char *path);
/* "folder/name", from malloc; NULL when memory is out. */
char *elman_path_join(const char *folder, const char *name);

/* For the files of this floor: a folder's entries made to last; where the file
 * system cannot, that is fine. */
elman_status elman_folder_sync_of(const char *path, elman_error *error);
/* All of it, over short writes and interruptions; errno and false on a failure. */
bool elman_write_all(int fd, const void *bytes, size_t size);

/* SHA-256 (FIPS 180-4) of bytes, and of a file read in bounded memory. */
typedef struct elman_sha256 {
    uint32_t state[8];
    uint64_t length;
    unsigned char block[64];
} elman_sha256;
void elman_sha256_begin(elman_sha256 *sha);
void elman_sha256_add(elman_sha256 *sha, const void *bytes, size_t size);
/* 64 lower-case hexadecimal digits and a zero byte. */
void elman_sha256_end(elman_sha256 *sha, char hex[65]);
elman_status elman_file_sha256(const char *path, char hex[65], uint64_t *size, elman_error *error);

#endif
