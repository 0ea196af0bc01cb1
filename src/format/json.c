/* JSON values on jansson. An elman_json is a json_t under another name; the
 * process-wide hooks of jansson are left alone, so its memory is malloc's. */
#include "format/json.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/utf8.h"

static json_t *inner(const elman_json *value)
{
    return (json_t *)(uintptr_t)value;
}

static elman_json *outer(const json_t *value)
{
    return (elman_json *)(uintptr_t)value;
}

void elman_json_free(elman_json *value)
{
    json_decref(inner(value));
}

elman_json_type elman_json_type_of(const elman_json *value)
{
    switch (json_typeof(inner(value))) {
    case JSON_OBJECT:
        return ELMAN_JSON_OBJECT;
    case JSON_ARRAY:
        return ELMAN_JSON_ARRAY;
    case JSON_STRING:
        return ELMAN_JSON_STRING;
    case JSON_INTEGER:
        return ELMAN_JSON_INTEGER;
    case JSON_REAL:
        return ELMAN_JSON_REAL;
    case JSON_TRUE:
    case JSON_FALSE:
        return ELMAN_JSON_BOOLEAN;
    case JSON_NULL:
    default:
        return ELMAN_JSON_NULL;
    }
}

bool elman_json_is(const elman_json *value, elman_json_type type)
{
    return value != NULL && elman_json_type_of(value) == type;
}

void elman_json_describe(const elman_json *value, char text[96])
{
    enum { SIZE = 96, SHOWN = 64 };
    char real[32];
    if (value == NULL) {
        snprintf(text, SIZE, "nothing");
        return;
    }
    switch (elman_json_type_of(value)) {
    case ELMAN_JSON_NULL:
        snprintf(text, SIZE, "null");
        break;
    case ELMAN_JSON_BOOLEAN:
        snprintf(text, SIZE, "%s", json_is_true(inner(value)) ? "true" : "false");
        break;
    case ELMAN_JSON_INTEGER:
        snprintf(text, SIZE, "the integer %" PRId64, (int64_t)json_integer_value(inner(value)));
        break;
    case ELMAN_JSON_REAL:
        elman_print_real(real, json_real_value(inner(value)));
        snprintf(text, SIZE, "the number %s", real);
        break;
    case ELMAN_JSON_STRING: {
        const char *string = json_string_value(inner(value));
        size_t length = json_string_length(inner(value));
        size_t shown = elman_utf8_cut(string, length, SHOWN);
        snprintf(text, SIZE, "the string \"%.*s%s\"", (int)shown, string,
                 shown < length ? "..." : "");
        break;
    }
    case ELMAN_JSON_ARRAY:
        snprintf(text, SIZE, "an array of %zu", json_array_size(inner(value)));
        break;
    case ELMAN_JSON_OBJECT:
        snprintf(text, SIZE, "an object of %zu", json_object_size(inner(value)));
        break;
    }
}

bool elman_json_to_boolean(const elman_json *value, bool *out)
{
    if (!json_is_boolean(inner(value)))
        return false;
    *out = json_is_true(inner(value));
    return true;
}

bool elman_json_to_integer(const elman_json *value, int64_t low, int64_t high, int64_t *out)
{
    if (!json_is_integer(inner(value)))
        return false;
    int64_t integer = json_integer_value(inner(value));
    if (integer < low || integer > high)
        return false;
    *out = integer;
    return true;
}

bool elman_json_to_real(const elman_json *value, double low, double high, double *out)
{
    if (!json_is_number(inner(value)))
        return false;
    double real = json_number_value(inner(value));
    if (!(real >= low && real <= high))
        return false;
    *out = real;
    return true;
}

const char *elman_json_to_string(const elman_json *value, size_t *size)
{
    if (!json_is_string(inner(value)))
        return NULL;
    if (size != NULL)
        *size = json_string_length(inner(value));
    return json_string_value(inner(value));
}

size_t elman_json_size(const elman_json *value)
{
    if (json_is_array(inner(value)))
        return json_array_size(inner(value));
    return json_object_size(inner(value)); /* 0 for any other type, and for NULL */
}

const elman_json *elman_json_get(const elman_json *object, const char *key)
{
    return outer(json_object_get(inner(object), key));
}

const elman_json *elman_json_at(const elman_json *array, size_t index)
{
    return outer(json_array_get(inner(array), index));
}

elman_json_member elman_json_members(const elman_json *object)
{
    elman_json_member member = {.object = object};
    return member;
}

bool elman_json_next(elman_json_member *member)
{
    json_t *object = inner(member->object);
    member->place = member->key == NULL ? json_object_iter(object)
                                        : json_object_iter_next(object, member->place);
    if (member->place == NULL)
        return false;
    member->key = json_object_iter_key(member->place);
    member->value = outer(json_object_iter_value(member->place));
    return true;
}

elman_json *elman_json_null(void)
{
    return outer(json_null());
}

elman_json *elman_json_boolean(bool value)
{
    return outer(json_boolean(value));
}

elman_json *elman_json_integer(int64_t value)
{
    return outer(json_integer(value));
}

elman_json *elman_json_real(double value)
{
    return outer(__builtin_isfinite(value) ? json_real(value) : json_null());
}

elman_json *elman_json_string(const char *text)
{
    return outer(json_string(text));
}

elman_json *elman_json_string_of(const char *bytes, size_t size)
{
    return outer(json_stringn(bytes, size));
}

elman_json *elman_json_array(void)
{
    return outer(json_array());
}

elman_json *elman_json_object(void)
{
    return outer(json_object());
}

elman_json *elman_json_share(elman_json *value)
{
    return outer(json_incref(inner(value)));
}

bool elman_json_append(elman_json *array, elman_json *value)
{
    return json_array_append_new(inner(array), inner(value)) == 0;
}

bool elman_json_set(elman_json *object, const char *key, elman_json *value)
{
    return json_object_set_new(inner(object), key, inner(value)) == 0;
}
