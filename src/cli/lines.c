#include "lines.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

enum { BLOCK = 1 << 16, LONGEST = 1 << 26 };

static elman_status fail(elman_error *error, elman_status code, const char *name, const char *why)
{
    if (error != NULL) {
        error->code = code;
        snprintf(error->message, sizeof(error->message), "%s: %s", name, why);
    }
    return code;
}

bool cli_lines_open(cli_lines *lines, const char *path)
{
    memset(lines, 0, sizeof(*lines));
    lines->name = path != NULL ? path : "standard input";
    lines->descriptor = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    if (lines->descriptor < 0)
        cli_fail("%s: %s", lines->name, strerror(errno));
    return lines->descriptor >= 0;
}

void cli_lines_close(cli_lines *lines)
{
    if (lines->descriptor > STDIN_FILENO)
        close(lines->descriptor);
    free(lines->buffer);
}

/* More bytes into the buffer, or `over`. */
static elman_status fill(cli_lines *lines, elman_error *error)
{
    if (lines->begin > 0) {
        memmove(lines->buffer, lines->buffer + lines->begin, lines->end - lines->begin);
        lines->end -= lines->begin;
        lines->begin = 0;
    }
    if (lines->room - lines->end < BLOCK) {
        if (lines->end > LONGEST)
            return fail(error, ELMAN_ERROR_DATA, lines->name,
                        "a line of more than 64 MiB, expected lines of text");
        char *buffer = realloc(lines->buffer, 2 * lines->room + BLOCK);
        if (buffer == NULL)
            return fail(error, ELMAN_ERROR_MEMORY, lines->name, "out of memory");
        lines->buffer = buffer;
        lines->room = 2 * lines->room + BLOCK;
    }
    ssize_t got;
    do
        got = read(lines->descriptor, lines->buffer + lines->end, BLOCK);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return fail(error, ELMAN_ERROR_IO, lines->name, strerror(errno));
    lines->over = got == 0;
    lines->end += (size_t)got;
    return ELMAN_OK;
}

static char *find_end(const cli_lines *lines)
{
    return lines->end > lines->begin
               ? memchr(lines->buffer + lines->begin, '\n', lines->end - lines->begin)
               : NULL;
}

static elman_status read_line(void *user, const char **line, size_t *size, elman_error *error)
{
    cli_lines *lines = user;
    char *end;
    while ((end = find_end(lines)) == NULL && !lines->over) {
        elman_status status = fill(lines, error);
        if (status != ELMAN_OK)
            return status;
    }
    *line = lines->buffer + lines->begin;
    *size = end != NULL ? (size_t)(end - *line) : lines->end - lines->begin;
    if (end == NULL && *size == 0)
        *line = NULL;
    lines->begin += *size + (end != NULL);
    if (*line != NULL && *size > 0 && (*line)[*size - 1] == '\r')
        --*size;
    return ELMAN_OK;
}

static bool ready(void *user)
{
    cli_lines *lines = user;
    while (find_end(lines) == NULL && !lines->over) {
        struct pollfd look = {.fd = lines->descriptor, .events = POLLIN};
        if (poll(&look, 1, 0) <= 0 || fill(lines, NULL) != ELMAN_OK)
            return false;
    }
    return find_end(lines) != NULL || lines->end > lines->begin;
}

static elman_status write_out(void *user, const char *text, size_t size, elman_error *error)
{
    const cli_lines *lines = user;
    (void)lines;
    (void)error;
    fwrite(text, 1, size, stdout); /* a failure is kept, and told by flush */
    return ELMAN_OK;
}

static elman_status flush(void *user, elman_error *error)
{
    cli_lines *lines = user;
    lines->lost = !cli_flush();
    return lines->lost ? fail(error, ELMAN_ERROR_IO, "standard output", "cannot write to it")
                       : ELMAN_OK;
}

elman_lines cli_lines_calls(cli_lines *lines)
{
    return (elman_lines){.user = lines,
                         .name = lines->name,
                         .read = read_line,
                         .ready = ready,
                         .write = write_out,
                         .flush = flush};
}
