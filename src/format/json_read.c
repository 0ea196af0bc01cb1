/* Bytes to JSON values: recursive descent over RFC 8259's grammar. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/utf8.h"
#include "format/json.h"

typedef struct reader {
    elman_context *context;
    const char *bytes;
    size_t size, at;
    const char *name;
    int depth, depth_max; /* arrays and objects that are open now, and may be */
    char *scratch;        /* the last string, decoded, with a zero byte behind it */
    size_t capacity, length;
    elman_error *error;
    elman_status status; /* of the first failure */
} reader;

/* The line and column of byte `at`, counted only once something is wrong. */
static void locate(const reader *r, size_t at, size_t *line, size_t *column)
{
    *line = 1;
    *column = 1;
    for (size_t i = 0; i < at && i < r->size; i++) {
        if (r->bytes[i] == '\n') {
            ++*line;
            *column = 1;
        } else if (((unsigned char)r->bytes[i] & 0xc0) != 0x80) {
            ++*column;
        }
    }
}

static bool fail_at(reader *r, size_t at, const char *what)
{
    size_t line, column;
    locate(r, at, &line, &column);
    r->status = elman_fail(r->error, ELMAN_ERROR_FORMAT, "%s: line %zu, column %zu: %s", r->name,
                           line, column, what);
    return false;
}

static bool fail_memory(reader *r)
{
    r->status = elman_fail(r->error, ELMAN_ERROR_MEMORY, "%s: out of memory for %zu bytes of JSON",
                           r->name, r->size);
    return false;
}

/* "expected WHAT, found ..." at the place where we are. */
static bool fail_expected(reader *r, const char *what)
{
    char text[160];
    if (r->at >= r->size) {
        snprintf(text, sizeof text, "expected %s, found the end", what);
    } else {
        unsigned byte = (unsigned char)r->bytes[r->at];
        if (byte > ' ' && byte < 0x7f)
            snprintf(text, sizeof text, "expected %s, found '%c'", what, (int)byte);
        else
            snprintf(text, sizeof text, "expected %s, found byte 0x%02x", what, byte);
    }
    return fail_at(r, r->at, text);
}

static bool peek(const reader *r, char c)
{
    return r->at < r->size && r->bytes[r->at] == c;
}

static bool peek_digit(const reader *r)
{
    return r->at < r->size && r->bytes[r->at] >= '0' && r->bytes[r->at] <= '9';
}

static bool take(reader *r, char c)
{
    if (!peek(r, c))
        return false;
    r->at++;
    return true;
}

static void skip_space(reader *r)
{
    while (peek(r, ' ') || peek(r, '\n') || peek(r, '\r') || peek(r, '\t'))
        r->at++;
}

/* The bytes between here and the closing quote: no string decodes to more. */
static size_t string_bound(const reader *r)
{
    size_t i = r->at;
    while (i < r->size && r->bytes[i] != '"')
        i += r->bytes[i] == '\\' ? 2 : 1;
    return (i < r->size ? i : r->size) - r->at;
}

static bool reserve_scratch(reader *r, size_t bytes)
{
    if (bytes <= r->capacity)
        return true;
    elman_release(r->context, r->scratch);
    r->capacity = 0;
    bytes = bytes < 256 ? 256 : bytes;
    r->scratch = elman_allocate(r->context, bytes, 1);
    if (r->scratch == NULL)
        return fail_memory(r);
    r->capacity = bytes;
    return true;
}

static bool read_hex4(reader *r, unsigned *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        char c = r->at < r->size ? r->bytes[r->at] : '\0';
        unsigned digit;
        if (c >= '0' && c <= '9')
            digit = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (unsigned)(c - 'a') + 10;
        else if (c >= 'A' && c <= 'F')
            digit = (unsigned)(c - 'A') + 10;
        else
            return fail_expected(r, "a hexadecimal digit");
        *unit = *unit << 4 | digit;
        r->at++;
    }
    return true;
}

static size_t encode(char *out, unsigned point)
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    size_t length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--, point >>= 6)
        out[i] = (char)(0x80 | (point & 0x3f));
    out[0] = (char)((0xf00U >> length & 0xffU) | point);
    return length;
}

/* After "\u": one code point, of one unit or of a surrogate pair. */
static bool read_unicode_escape(reader *r)
{
    size_t start = r->at - 2;
    unsigned unit, second;
    if (!read_hex4(r, &unit))
        return false;
    if (unit >= 0xd800 && unit < 0xdc00) {
        if (!take(r, '\\') || !take(r, 'u'))
            return fail_at(r, start, "a first surrogate without its second");
        if (!read_hex4(r, &second))
            return false;
        if (second < 0xdc00 || second > 0xdfff)
            return fail_at(r, start, "a first surrogate without its second");
        unit = 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
    } else if (unit >= 0xdc00 && unit < 0xe000) {
        return fail_at(r, start, "a second surrogate without its first");
    }
    r->length += encode(r->scratch + r->length, unit);
    return true;
}

static bool read_escape(reader *r)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (take(r, 'u'))
        return read_unicode_escape(r);
    char c = r->at < r->size ? r->bytes[r->at] : '\0';
    const char *found = c == '\0' ? NULL : strchr(letters, c);
    if (found == NULL)
        return fail_expected(r, "one of \"\\/bfnrtu after the backslash");
    r->scratch[r->length++] = meanings[found - letters];
    r->at++;
    return true;
}

/* A string into the scratch. */
static bool read_string(reader *r)
{
    size_t start = r->at++;
    if (!reserve_scratch(r, string_bound(r) + 1))
        return false;
    r->length = 0;
    while (!take(r, '"')) {
        if (r->at >= r->size)
            return fail_at(r, start, "a string without a closing quote");
        unsigned char c = (unsigned char)r->bytes[r->at];
        if (c < 0x20)
            return fail_expected(r, "no control character in a string");
        if (c == '\\') {
            r->at++;
            if (!read_escape(r))
                return false;
            continue;
        }
        size_t step = elman_utf8_length(r->bytes + r->at, r->size - r->at);
        if (step == 0)
            return fail_expected(r, "UTF-8");
        memcpy(r->scratch + r->length, r->bytes + r->at, step);
        r->length += step;
        r->at += step;
    }
    r->scratch[r->length] = '\0';
    return true;
}

static bool skip_digits(reader *r)
{
    if (!peek_digit(r))
        return fail_expected(r, "a digit");
    while (peek_digit(r))
        r->at++;
    return true;
}

static bool read_number(reader *r, elman_json **out)
{
    size_t start = r->at;
    bool real = false;
    take(r, '-');
    if (take(r, '0')) {
        if (peek_digit(r))
            return fail_at(r, start, "a number that begins with a needless zero");
    } else if (!skip_digits(r)) {
        return false;
    }
    if (take(r, '.')) {
        real = true;
        if (!skip_digits(r))
            return false;
    }
    if (take(r, 'e') || take(r, 'E')) {
        real = true;
        if (!take(r, '+'))
            take(r, '-');
        if (!skip_digits(r))
            return false;
    }

    char text[ELMAN_JSON_NUMBER_MAX + 1];
    size_t length = r->at - start;
    if (length > ELMAN_JSON_NUMBER_MAX)
        return fail_at(r, start, "a number of more than 511 bytes");
    memcpy(text, r->bytes + start, length);
    text[length] = '\0';
    if (real) {
        double value;
        if (!elman_parse_real(text, &value)) /* the text is a number: for want of memory */
            return fail_memory(r);
        if (!__builtin_isfinite(value))
            return fail_at(r, start, "a number that is too large for a double");
        *out = elman_json_real(value);
    } else {
        int64_t value;
        if (!elman_parse_integer(text, &value))
            return fail_at(r, start, "an integer outside -2^63..2^63-1");
        *out = elman_json_integer(value);
    }
    return *out != NULL || fail_memory(r);
}

static bool take_word(reader *r, const char *word)
{
    size_t length = strlen(word);
    if (r->size - r->at < length || memcmp(r->bytes + r->at, word, length) != 0)
        return false;
    r->at += length;
    return true;
}

static bool read_word(reader *r, elman_json **out)
{
    if (take_word(r, "true"))
        *out = elman_json_boolean(true);
    else if (take_word(r, "false"))
        *out = elman_json_boolean(false);
    else if (take_word(r, "null"))
        *out = elman_json_null();
    else
        return fail_expected(r, "a value");
    return true;
}

static bool read_value(reader *r, elman_json **out);

static bool read_array(reader *r, elman_json *array)
{
    skip_space(r);
    if (take(r, ']'))
        return true;
    for (;;) {
        elman_json *value;
        skip_space(r);
        if (!read_value(r, &value))
            return false;
        if (!elman_json_append(array, value))
            return fail_memory(r);
        skip_space(r);
        if (take(r, ']'))
            return true;
        if (!take(r, ','))
            return fail_expected(r, "',' or ']'");
    }
}

/* A key into a copy that the values inside cannot overwrite. */
static bool read_key(reader *r, const elman_json *object, char **key)
{
    size_t start = r->at;
    if (!peek(r, '"'))
        return fail_expected(r, "'\"' and a key");
    if (!read_string(r))
        return false;
    if (memchr(r->scratch, '\0', r->length) != NULL)
        return fail_at(r, start, "a key with U+0000 in it");
    if (elman_json_get(object, r->scratch) != NULL) {
        char text[128];
        size_t shown = elman_utf8_cut(r->scratch, r->length, 64);
        snprintf(text, sizeof text, "the key \"%.*s%s\" for the second time in its object",
                 (int)shown, r->scratch, shown < r->length ? "..." : "");
        return fail_at(r, start, text);
    }
    *key = elman_allocate(r->context, r->length + 1, 1);
    if (*key == NULL)
        return fail_memory(r);
    memcpy(*key, r->scratch, r->length + 1);
    return true;
}

static bool read_member(reader *r, elman_json *object)
{
    char *key = NULL;
    elman_json *value = NULL;
    if (!read_key(r, object, &key))
        return false;
    skip_space(r);
    bool ok = take(r, ':') || fail_expected(r, "':'");
    if (ok) {
        skip_space(r);
        ok = read_value(r, &value);
    }
    if (ok)
        ok = elman_json_set(object, key, value) || fail_memory(r);
    elman_release(r->context, key);
    return ok;
}

static bool read_object(reader *r, elman_json *object)
{
    skip_space(r);
    if (take(r, '}'))
        return true;
    for (;;) {
        skip_space(r);
        if (!read_member(r, object))
            return false;
        skip_space(r);
        if (take(r, '}'))
            return true;
        if (!take(r, ','))
            return fail_expected(r, "',' or '}'");
    }
}

static bool read_container(reader *r, elman_json **out)
{
    bool array = r->bytes[r->at] == '[';
    if (r->depth == r->depth_max) {
        char text[64];
        snprintf(text, sizeof text, "nested deeper than %d levels", r->depth_max);
        return fail_at(r, r->at, text);
    }
    *out = array ? elman_json_array() : elman_json_object();
    if (*out == NULL)
        return fail_memory(r);
    r->depth++;
    r->at++;
    bool ok = array ? read_array(r, *out) : read_object(r, *out);
    r->depth--;
    if (!ok)
        elman_json_free(*out);
    return ok;
}

/* On false nothing is left in *out. */
static bool read_value(reader *r, elman_json **out)
{
    if (peek(r, '[') || peek(r, '{'))
        return read_container(r, out);
    if (peek(r, '-') || peek_digit(r))
        return read_number(r, out);
    if (!peek(r, '"'))
        return read_word(r, out);
    if (!read_string(r))
        return false;
    *out = elman_json_string_of(r->scratch, r->length);
    return *out != NULL || fail_memory(r);
}

elman_status elman_json_parse(elman_context *context, const void *bytes, size_t size,
                              const char *name, elman_json_limits limits, elman_json **out,
                              elman_error *error)
{
    if (limits.depth < 1 || limits.depth > ELMAN_JSON_DEPTH_MAX)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "%s: a depth limit of %d, expected 1..%d",
                          name, limits.depth, ELMAN_JSON_DEPTH_MAX);
    if (limits.bytes != 0 && size > limits.bytes)
        return elman_fail(error, ELMAN_ERROR_FORMAT, "%s: %zu bytes of JSON, expected at most %zu",
                          name, size, limits.bytes);
    reader r = {.context = context,
                .bytes = bytes,
                .size = size,
                .name = name,
                .depth_max = limits.depth,
                .error = error};
    elman_json *value = NULL;
    skip_space(&r);
    bool ok = read_value(&r, &value);
    if (ok) {
        skip_space(&r);
        if (r.at < r.size) {
            ok = fail_expected(&r, "the end");
            elman_json_free(value);
        }
    }
    elman_release(context, r.scratch);
    if (!ok)
        return r.status;
    *out = value;
    return ELMAN_OK;
}

elman_status elman_json_read(elman_context *context, const char *path, elman_json_limits limits,
                             elman_json **out, elman_error *error)
{
    unsigned char *bytes;
    size_t size;
    ELMAN_TRY(elman_file_read(context, path, limits.bytes, &bytes, &size, error));
    elman_status status = elman_json_parse(context, bytes, size, path, limits, out, error);
    elman_release(context, bytes);
    return status;
}
