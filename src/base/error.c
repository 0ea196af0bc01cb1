#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

const char *elman_status_name(elman_status status)
{
    switch (status) {
    case ELMAN_OK:
        return "ok";
    case ELMAN_ERROR_ARGUMENT:
        return "bad argument";
    case ELMAN_ERROR_SHAPE:
        return "shapes do not fit";
    case ELMAN_ERROR_MEMORY:
        return "out of memory";
    case ELMAN_ERROR_IO:
        return "file operation refused";
    case ELMAN_ERROR_FORMAT:
        return "malformed file";
    case ELMAN_ERROR_DATA:
        return "unusable data";
    case ELMAN_ERROR_EXISTS:
        return "exists already";
    case ELMAN_ERROR_NUMERIC:
        return "not finite";
    case ELMAN_ERROR_UNSUPPORTED:
        return "unsupported";
    case ELMAN_ERROR_INTERRUPTED:
        return "interrupted";
    case ELMAN_ERROR_BUSY:
        return "busy";
    }
    return "unknown status";
}

/* One printable line of UTF-8: control characters (C0, DEL, C1) and stray bytes
 * as backslash escapes, whole code points until the capacity is reached. */
static void escape(char *out, size_t capacity, const char *text)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *s = (const unsigned char *)text;
    size_t at = 0;
    while (*s) {
        char piece[4];
        const char *from = (const char *)s;
        size_t length = elman_utf8_length(from, strnlen(from, 4)), size = length;
        bool control = *s < 0x20 || *s == 0x7f || (*s == 0xc2 && s[1] < 0xa0);
        if (length == 0 || control) {
            length = 1;
            from = piece;
            piece[0] = '\\';
            if (*s == '\n' || *s == '\t' || *s == '\r') {
                piece[1] = *s == '\n' ? 'n' : *s == '\t' ? 't' : 'r';
                size = 2;
            } else {
                piece[1] = 'x';
                piece[2] = digits[*s >> 4];
                piece[3] = digits[*s & 15];
                size = 4;
            }
        }
        if (at + size >= capacity)
            break;
        memcpy(out + at, from, size);
        at += size;
        s += length;
    }
    out[at] = 0;
}

elman_status elman_fail(elman_error *error, elman_status code, const char *format, ...)
{
    if (!error)
        return code;
    /* Formatted beside it first: the arguments may point into the old message. */
    char line[2 * ELMAN_ERROR_CAPACITY];
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (written < 0)
        line[0] = 0;
    escape(error->message, sizeof error->message, line);
    error->code = code;
    return code;
}

elman_status elman_out_of_memory(elman_error *error)
{
    return elman_fail(error, ELMAN_ERROR_MEMORY, "out of memory");
}

elman_status elman_fail_errno(elman_error *error, const char *path, const char *what)
{
    char reason[128];
    int number = errno;
    elman_status code = number == ENOMEM ? ELMAN_ERROR_MEMORY : ELMAN_ERROR_IO;
    return elman_fail(error, code, "%s: %s: %s", path, what,
                      strerror_r(number, reason, sizeof reason));
}
