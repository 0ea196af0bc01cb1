/* Lines, one after another: from a file of any size in bounded memory, or from whoever has them. */
#ifndef ELMAN_DATA_LINES_H
#define ELMAN_DATA_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "base/file.h"
#include "data/source.h"

/* Gives the next line, without its line end; *line is NULL when there is none. The bytes live
 * until the next call. */
typedef elman_status (*elman_line_call)(void *user, const char **line, size_t *size,
                                        elman_error *error);

enum { ELMAN_LINE_LIMIT = 1 << 24 }; /* most bytes of a line */

/* The lines of a file, which end with LF or CRLF, the last perhaps with neither. */
typedef struct elman_line_file {
    elman_source source;
    char *buffer; /* bytes begin..end are not given out yet */
    size_t room, begin, end;
    uint64_t offset; /* in the file, of what is read next */
    uint64_t number; /* of the line given last, from 1 */
    elman_sha256 sha;
} elman_line_file;

/* IO, MEMORY, DATA (an empty file). Nothing to close after a failure. */
elman_status elman_line_file_open(elman_line_file *file, elman_context *context, const char *path,
                                  elman_error *error);
/* The same with a first buffer of that many bytes, for tests. */
elman_status elman_line_file_open_sized(elman_line_file *file, elman_context *context,
                                        const char *path, size_t buffer, elman_error *error);
/* An elman_line_call; user is the elman_line_file. A byte order mark at the file's head is passed
 * over. FORMAT: a line longer than ELMAN_LINE_LIMIT; IO; MEMORY. */
elman_status elman_line_file_next(void *user, const char **line, size_t *size, elman_error *error);
/* After the last line: the file's bytes and SHA-256. */
void elman_line_file_digest(elman_line_file *file, char hex[65], uint64_t *bytes);
/* Fine on one closed before, or all zero. */
void elman_line_file_close(elman_line_file *file);

#endif
