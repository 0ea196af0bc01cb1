/* JSON values: read from hostile bytes, built, walked and written.
 *
 * jansson holds the values (json.c alone includes it). Reading and writing are
 * ours: jansson 2.14's reader overlooks a failed allocation inside a token and goes
 * on with bytes missing (a number comes out wrong, a string's end is not found),
 * asks the locale for the decimal point and cannot be given a depth; its writer
 * prints 17 digits.
 *
 * A value belongs to whoever made it until it is given to an object or an array,
 * and a tree is freed by its root. Objects keep the order of insertion. */
#ifndef ELMAN_FORMAT_JSON_H
#define ELMAN_FORMAT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elman/context.h"

typedef struct elman_json elman_json;

typedef enum elman_json_type {
    ELMAN_JSON_NULL,
    ELMAN_JSON_BOOLEAN,
    ELMAN_JSON_INTEGER,
    ELMAN_JSON_REAL,
    ELMAN_JSON_STRING,
    ELMAN_JSON_ARRAY,
    ELMAN_JSON_OBJECT
} elman_json_type;

enum {
    ELMAN_JSON_DEPTH_MAX = 128, /* what limits.depth may be at most */
    ELMAN_JSON_NUMBER_MAX = 511 /* bytes of one number */
};

/* Reading. */

typedef struct elman_json_limits {
    size_t bytes; /* 0: no limit */
    int depth;    /* arrays and objects inside one another: 1..ELMAN_JSON_DEPTH_MAX */
} elman_json_limits;

/* Reads one JSON value (RFC 8259) of any type with white space around it. Stricter
 * than the RFC: valid UTF-8; no key twice in an object; no U+0000 in a key; integers
 * within int64_t; reals within double. `name` begins every error, which is FORMAT
 * with "NAME: line L, column C: ..." (counted from 1, columns in code points),
 * MEMORY, or ARGUMENT for a depth out of bounds. *out is the caller's to free. */
elman_status elman_json_parse(elman_context *context, const void *bytes, size_t size,
                              const char *name, elman_json_limits limits, elman_json **out,
                              elman_error *error);

/* The same from a file. */
elman_status elman_json_read(elman_context *context, const char *path, elman_json_limits limits,
                             elman_json **out, elman_error *error);

/* Frees the whole tree; NULL is fine. */
void elman_json_free(elman_json *value);

/* Looking. NULL counts as a value of no type: every question is answered with
 * false, 0 or NULL, so that a missing key needs no check of its own. */

bool elman_json_is(const elman_json *value, elman_json_type type);
/* value must not be NULL. */
elman_json_type elman_json_type_of(const elman_json *value);
/* What a value is, for "found ..." in an error: `the string "abc"`, `the integer 3`,
 * `an array of 2`, `nothing` for NULL; long strings are cut on a code point. */
void elman_json_describe(const elman_json *value, char text[96]);

bool elman_json_to_boolean(const elman_json *value, bool *out);
/* An integer within low..high. */
bool elman_json_to_integer(const elman_json *value, int64_t low, int64_t high, int64_t *out);
/* A real or an integer within low..high. */
bool elman_json_to_real(const elman_json *value, double low, double high, double *out);
/* A string's bytes (a zero byte follows, and may stand inside) and their number
 * (size may be NULL); NULL for what is no string. Lives as long as the value. */
const char *elman_json_to_string(const elman_json *value, size_t *size);

/* Members of an object or elements of an array. */
size_t elman_json_size(const elman_json *value);
/* The member, or NULL. */
const elman_json *elman_json_get(const elman_json *object, const char *key);
/* The element, or NULL. */
const elman_json *elman_json_at(const elman_json *array, size_t index);

/* An object's members in order:
 *     elman_json_member m = elman_json_members(object);
 *     while (elman_json_next(&m))
 *         ... m.key, m.value ...                                             */
typedef struct elman_json_member {
    const elman_json *object;
    void *place;
    const char *key;
    const elman_json *value;
} elman_json_member;
elman_json_member elman_json_members(const elman_json *object);
bool elman_json_next(elman_json_member *member);

/* Building. Makers answer NULL when memory is out. */

elman_json *elman_json_null(void);
elman_json *elman_json_boolean(bool value);
elman_json *elman_json_integer(int64_t value);
/* What is not finite becomes null. */
elman_json *elman_json_real(double value);
/* NULL also for invalid UTF-8. */
elman_json *elman_json_string(const char *text);
elman_json *elman_json_string_of(const char *bytes, size_t size);
elman_json *elman_json_array(void);
elman_json *elman_json_object(void);

/* The same value once more, to be given or freed once more: for a tree that stands in
 * two places. */
elman_json *elman_json_share(elman_json *value);

/* Give value to the array or object, whatever happens; false (and value freed)
 * when memory is out, when value is NULL, or when key is invalid UTF-8. So
 *     ok = elman_json_set(o, "loss", elman_json_real(loss)) && ...
 * needs one check. A key that stands already gets the new value in its old place. */
bool elman_json_append(elman_json *array, elman_json *value);
bool elman_json_set(elman_json *object, const char *key, elman_json *value);

/* Writing. */

enum {
    ELMAN_JSON_COMPACT = 0, /* one line, no white space */
    ELMAN_JSON_INDENT = 1,  /* one value a line, two spaces a level */
    ELMAN_JSON_SORTED = 2,  /* keys by their bytes instead of by insertion */
    ELMAN_JSON_LINE_END = 4 /* a line end at the end */
};

/* The value as UTF-8 in context memory, the caller's to release; a zero byte
 * follows the *size bytes (size may be NULL). Reals are the shortest decimals that
 * read back as the same double, with ".0" where they would look like integers; the
 * same in every locale. MEMORY is the only failure. */
elman_status elman_json_print(elman_context *context, const elman_json *value, int flags,
                              char **text, size_t *size, elman_error *error);

#endif
