/* JSON values to bytes. */
#include <float.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "format/json.h"

typedef struct printer {
    elman_context *context;
    char *text; /* NULL after a failed allocation, which makes the rest a no-op */
    size_t size, capacity;
    int flags, level;
} printer;

static void put(printer *p, const char *bytes, size_t size)
{
    if (p->text == NULL)
        return;
    if (size > p->capacity - p->size) {
        size_t needed, capacity;
        char *text = NULL;
        if (elman_size_add(p->size, size, &needed) && elman_size_multiply(needed, 2, &capacity))
            text = elman_allocate(p->context, capacity, 1);
        if (text != NULL)
            memcpy(text, p->text, p->size);
        elman_release(p->context, p->text);
        p->text = text;
        if (text == NULL)
            return;
        p->capacity = capacity;
    }
    memcpy(p->text + p->size, bytes, size);
    p->size += size;
}

static void put_text(printer *p, const char *text)
{
    put(p, text, strlen(text));
}

static void put_line(printer *p)
{
    if ((p->flags & ELMAN_JSON_INDENT) == 0)
        return;
    put(p, "\n", 1);
    for (int i = 0; i < p->level; i++)
        put(p, "  ", 2);
}

static void put_string(printer *p, const char *bytes, size_t size)
{
    static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    put(p, "\"", 1);
    for (size_t i = 0; i < size; i++) {
        size_t start = i;
        while (i < size && (unsigned char)bytes[i] >= 0x20 && bytes[i] != '"' && bytes[i] != '\\')
            i++;
        put(p, bytes + start, i - start);
        if (i == size)
            break;
        char text[8];
        const char *found = bytes[i] == '\0' ? NULL : strchr(escaped, bytes[i]);
        if (found != NULL)
            snprintf(text, sizeof text, "\\%c", letters[found - escaped]);
        else
            snprintf(text, sizeof text, "\\u%04x", (unsigned)(unsigned char)bytes[i]);
        put_text(p, text);
    }
    put(p, "\"", 1);
}

static void give_up(printer *p)
{
    elman_release(p->context, p->text);
    p->text = NULL;
}

static void put_real(printer *p, double value)
{
    char text[32];
    elman_print_real(text, value);
    if (text[0] == '\0') /* for want of memory */
        give_up(p);
    put_text(p, text);
    if (strpbrk(text, ".e") == NULL)
        put(p, ".0", 2);
}

static void put_value(printer *p, const elman_json *value);

static int compare_keys(const void *a, const void *b)
{
    const elman_json_member *left = a, *right = b;
    return strcmp(left->key, right->key);
}

static void put_member(printer *p, const elman_json_member *member, bool first)
{
    if (!first)
        put(p, ",", 1);
    put_line(p);
    put_string(p, member->key, strlen(member->key));
    put_text(p, p->flags & ELMAN_JSON_INDENT ? ": " : ":");
    put_value(p, member->value);
}

static void put_members(printer *p, const elman_json *object)
{
    elman_json_member member = elman_json_members(object);
    if ((p->flags & ELMAN_JSON_SORTED) == 0) {
        for (bool first = true; elman_json_next(&member); first = false)
            put_member(p, &member, first);
        return;
    }
    size_t count = 0;
    elman_json_member *all =
        elman_allocate(p->context, elman_json_size(object), sizeof(elman_json_member));
    if (all == NULL) {
        give_up(p);
        return;
    }
    while (elman_json_next(&member))
        all[count++] = member;
    qsort(all, count, sizeof all[0], compare_keys);
    for (size_t i = 0; i < count; i++)
        put_member(p, &all[i], i == 0);
    elman_release(p->context, all);
}

static void put_elements(printer *p, const elman_json *array)
{
    for (size_t i = 0; i < elman_json_size(array); i++) {
        if (i > 0)
            put(p, ",", 1);
        put_line(p);
        put_value(p, elman_json_at(array, i));
    }
}

static void put_value(printer *p, const elman_json *value)
{
    switch (elman_json_type_of(value)) {
    case ELMAN_JSON_NULL:
        put_text(p, "null");
        break;
    case ELMAN_JSON_BOOLEAN: {
        bool truth = false;
        elman_json_to_boolean(value, &truth);
        put_text(p, truth ? "true" : "false");
        break;
    }
    case ELMAN_JSON_INTEGER: {
        int64_t integer = 0;
        char text[24];
        elman_json_to_integer(value, INT64_MIN, INT64_MAX, &integer);
        snprintf(text, sizeof text, "%" PRId64, integer);
        put_text(p, text);
        break;
    }
    case ELMAN_JSON_REAL: {
        double real = 0;
        elman_json_to_real(value, -DBL_MAX, DBL_MAX, &real);
        put_real(p, real);
        break;
    }
    case ELMAN_JSON_STRING: {
        size_t size = 0;
        const char *bytes = elman_json_to_string(value, &size);
        put_string(p, bytes, size);
        break;
    }
    case ELMAN_JSON_ARRAY:
    case ELMAN_JSON_OBJECT: {
        bool array = elman_json_is(value, ELMAN_JSON_ARRAY);
        put(p, array ? "[" : "{", 1);
        p->level++;
        if (array)
            put_elements(p, value);
        else
            put_members(p, value);
        p->level--;
        if (elman_json_size(value) > 0)
            put_line(p);
        put(p, array ? "]" : "}", 1);
        break;
    }
    }
}

elman_status elman_json_print(elman_context *context, const elman_json *value, int flags,
                              char **text, size_t *size, elman_error *error)
{
    enum { FIRST = 256 };
    printer p = {.context = context,
                 .text = elman_allocate(context, FIRST, 1),
                 .capacity = FIRST,
                 .flags = flags};
    put_value(&p, value);
    if (flags & ELMAN_JSON_LINE_END)
        put(&p, "\n", 1);
    put(&p, "", 1);
    if (p.text == NULL)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "out of memory for the text of a JSON value");
    *text = p.text;
    if (size != NULL)
        *size = p.size - 1;
    return ELMAN_OK;
}
