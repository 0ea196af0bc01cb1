/* Values of a table of options: defaults, from text, to text, their bounds. */
#include "elman/options.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/number.h"
#include "base/utf8.h"

enum { EXPECTED = 512, SHOWN = 60 };

static void *field(const elman_option *option, void *values)
{
    return (char *)values + option->offset;
}

static const void *field_of(const elman_option *option, const void *values)
{
    return (const char *)values + option->offset;
}

/* Fields are read and written through memcpy: a table may stand over any struct. */
static int64_t integer_of(const elman_option *option, const void *values)
{
    int64_t value;
    memcpy(&value, field_of(option, values), sizeof(value));
    return value;
}

static double real_of(const elman_option *option, const void *values)
{
    double value;
    memcpy(&value, field_of(option, values), sizeof(value));
    return value;
}

static int choice_of(const elman_option *option, const void *values)
{
    int value;
    memcpy(&value, field_of(option, values), sizeof(value));
    return value;
}

static bool flag_of(const elman_option *option, const void *values)
{
    bool value;
    memcpy(&value, field_of(option, values), sizeof(value));
    return value;
}

static bool takes_auto(const elman_option *option)
{
    return option->initial != NULL && strcmp(option->initial, "auto") == 0;
}

static size_t count_choices(const elman_option *option)
{
    size_t count = 0;
    while (option->choices != NULL && option->choices[count] != NULL)
        count++;
    return count;
}

const elman_option *elman_options_find(const elman_option_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        const char *a = table->options[i].name, *b = name;
        while (*a != 0 && (*a == *b || (*a == '-' && *b == '_')))
            a++, b++;
        if (*a == 0 && *b == 0)
            return &table->options[i];
    }
    return NULL;
}

bool elman_option_concerns(const elman_option *option, const char *task)
{
    if (option->tasks == NULL || task == NULL)
        return true;
    size_t size = strlen(task);
    for (const char *at = option->tasks; *at != 0; at += strspn(at, " ")) {
        size_t word = strcspn(at, " ");
        if (word == size && memcmp(at, task, size) == 0)
            return true;
        at += word;
    }
    return false;
}

const char *elman_options_nearest(const elman_option_table *table, const char *name)
{
    const char *two[2] = {NULL, NULL}; /* the nearest so far, and the next */
    for (size_t i = 0; i < table->count; i++) {
        two[1] = table->options[i].name;
        two[0] = two[0] ? elman_nearest_word(name, two, 2) : elman_nearest_word(name, two + 1, 1);
    }
    return two[0];
}

/* "a, b or c" */
static void join_choices(const elman_option *option, char *text, size_t capacity)
{
    size_t count = count_choices(option), used = 0;
    for (size_t i = 0; i < count && used < capacity; i++) {
        const char *before = i == 0 ? "" : i + 1 == count ? " or " : ", ";
        int n = snprintf(text + used, capacity - used, "%s%s", before, option->choices[i]);
        used += n > 0 ? (size_t)n : 0;
    }
}

void elman_options_describe(const elman_option *option, char *text, size_t capacity)
{
    char low[32], high[32];
    const char *or_auto = takes_auto(option) ? ", or auto" : "";
    if (capacity == 0)
        return;
    text[0] = 0;
    switch (option->type) {
    case ELMAN_OPTION_FLAG:
        snprintf(text, capacity, "true or false");
        break;
    case ELMAN_OPTION_INTEGER:
        snprintf(text, capacity, "an integer from %" PRId64 " to %" PRId64 "%s",
                 (int64_t)option->minimum, (int64_t)option->maximum, or_auto);
        break;
    case ELMAN_OPTION_REAL:
        elman_print_real(low, option->minimum);
        elman_print_real(high, option->maximum);
        snprintf(text, capacity, "a number from %s to %s%s", low, high, or_auto);
        break;
    case ELMAN_OPTION_CHOICE:
        join_choices(option, text, capacity);
        break;
    case ELMAN_OPTION_TEXT:
        if (option->choices != NULL)
            join_choices(option, text, capacity);
        else
            snprintf(text, capacity, "a text of at most %zu bytes", option->capacity - 1);
        break;
    }
}

/* One line: where, found, expected, and the word that may have been meant. */
static elman_status refuse(const elman_option *option, const char *found, const char *where,
                           const char *word, elman_error *error)
{
    char expected[EXPECTED];
    size_t size = strlen(found), shown = elman_utf8_cut(found, size, SHOWN);
    const char *near =
        word != NULL ? elman_nearest_word(word, option->choices, count_choices(option)) : NULL;
    elman_options_describe(option, expected, sizeof(expected));
    return elman_fail(error, ELMAN_ERROR_ARGUMENT, "%s: found \"%.*s%s\", expected %s%s%s%s", where,
                      (int)shown, found, shown < size ? "..." : "", expected,
                      near != NULL ? "; did you mean " : "", near != NULL ? near : "",
                      near != NULL ? "?" : "");
}

static int choice_number(const elman_option *option, const char *word, size_t size)
{
    for (int i = 0; option->choices[i] != NULL; i++)
        if (strlen(option->choices[i]) == size && memcmp(option->choices[i], word, size) == 0)
            return i;
    return -1;
}

/* Every part of "WORD[:VALUE],WORD[:VALUE]" begins with a known word. */
static elman_status check_words(const elman_option *option, const char *text, const char *where,
                                elman_error *error)
{
    if (option->choices == NULL || *text == 0)
        return ELMAN_OK;
    for (const char *part = text;; part++) {
        size_t size = strcspn(part, ":,");
        if (choice_number(option, part, size) < 0) {
            char word[64];
            snprintf(word, sizeof(word), "%.*s", (int)(size < 63 ? size : 63), part);
            return refuse(option, text, where, word, error);
        }
        part += strcspn(part, ",");
        if (*part == 0)
            return ELMAN_OK;
    }
}

static elman_status set_text(const elman_option *option, void *values, const char *text,
                             const char *where, elman_error *error)
{
    size_t size = strlen(text);
    if (size >= option->capacity)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "%s: found %zu bytes, expected at most %zu",
                          where, size, option->capacity - 1);
    ELMAN_TRY(check_words(option, text, where, error));
    memset(field(option, values), 0, option->capacity);
    memcpy(field(option, values), text, size);
    return ELMAN_OK;
}

elman_status elman_options_set(const elman_option *option, void *values, const char *text,
                               const char *where, elman_error *error)
{
    if (text == NULL && option->type != ELMAN_OPTION_FLAG)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "%s: needs a value, %s", where,
                          option->argument);
    bool automatic = takes_auto(option) && text != NULL && strcmp(text, "auto") == 0;
    switch (option->type) {
    case ELMAN_OPTION_FLAG: {
        bool value = text == NULL || strcmp(text, "true") == 0;
        if (!value && strcmp(text, "false") != 0)
            return refuse(option, text, where, NULL, error);
        memcpy(field(option, values), &value, sizeof(value));
        return ELMAN_OK;
    }
    case ELMAN_OPTION_INTEGER: {
        int64_t value = (int64_t)option->automatic;
        if (!automatic && (!elman_parse_integer(text, &value) || value < (int64_t)option->minimum ||
                           value > (int64_t)option->maximum))
            return refuse(option, text, where, NULL, error);
        memcpy(field(option, values), &value, sizeof(value));
        return ELMAN_OK;
    }
    case ELMAN_OPTION_REAL: {
        double value = option->automatic;
        if (!automatic && (!elman_parse_real(text, &value) ||
                           !(value >= option->minimum && value <= option->maximum)))
            return refuse(option, text, where, NULL, error);
        memcpy(field(option, values), &value, sizeof(value));
        return ELMAN_OK;
    }
    case ELMAN_OPTION_CHOICE: {
        int value = choice_number(option, text, strlen(text));
        if (value < 0)
            return refuse(option, text, where, text, error);
        memcpy(field(option, values), &value, sizeof(value));
        return ELMAN_OK;
    }
    case ELMAN_OPTION_TEXT:
        return set_text(option, values, text, where, error);
    }
    return elman_fail(error, ELMAN_ERROR_ARGUMENT, "%s: an option of no known type", where);
}

void elman_options_default(const elman_option_table *table, void *values)
{
    for (size_t i = 0; i < table->count; i++) {
        const elman_option *option = &table->options[i];
        const char *initial = option->initial;
        if (initial == NULL)
            initial = option->type == ELMAN_OPTION_FLAG ? "false" : "";
        /* tests set every table's defaults and see them accepted */
        (void)elman_options_set(option, values, initial, option->name, NULL);
    }
}

void elman_options_get(const elman_option *option, const void *values, char *text, size_t capacity)
{
    char real[32];
    if (capacity == 0)
        return;
    text[0] = 0;
    switch (option->type) {
    case ELMAN_OPTION_FLAG:
        snprintf(text, capacity, "%s", flag_of(option, values) ? "true" : "false");
        break;
    case ELMAN_OPTION_INTEGER: {
        int64_t value = integer_of(option, values);
        if (takes_auto(option) && value == (int64_t)option->automatic)
            snprintf(text, capacity, "auto");
        else
            snprintf(text, capacity, "%" PRId64, value);
        break;
    }
    case ELMAN_OPTION_REAL: {
        double value = real_of(option, values);
        elman_print_real(real, value);
        bool automatic = takes_auto(option) && value == option->automatic;
        snprintf(text, capacity, "%s", automatic ? "auto" : real);
        break;
    }
    case ELMAN_OPTION_CHOICE: {
        int value = choice_of(option, values);
        if (value >= 0 && (size_t)value < count_choices(option))
            snprintf(text, capacity, "%s", option->choices[value]);
        break;
    }
    case ELMAN_OPTION_TEXT:
        snprintf(text, capacity, "%s", (const char *)field_of(option, values));
        break;
    }
}

static elman_status validate(const elman_option *option, const void *values, elman_error *error)
{
    char text[64];
    bool good = true;
    switch (option->type) {
    case ELMAN_OPTION_FLAG:
        break;
    case ELMAN_OPTION_INTEGER: {
        int64_t value = integer_of(option, values);
        good = (value >= (int64_t)option->minimum && value <= (int64_t)option->maximum) ||
               (takes_auto(option) && value == (int64_t)option->automatic);
        break;
    }
    case ELMAN_OPTION_REAL: {
        double value = real_of(option, values);
        good = (value >= option->minimum && value <= option->maximum) ||
               (takes_auto(option) && value == option->automatic);
        break;
    }
    case ELMAN_OPTION_CHOICE: {
        int value = choice_of(option, values);
        good = value >= 0 && (size_t)value < count_choices(option);
        if (!good) {
            snprintf(text, sizeof(text), "number %d", value);
            return refuse(option, text, option->name, NULL, error);
        }
        break;
    }
    case ELMAN_OPTION_TEXT: {
        const char *value = field_of(option, values);
        if (memchr(value, 0, option->capacity) == NULL)
            return elman_fail(error, ELMAN_ERROR_ARGUMENT, "%s: no zero byte within %zu bytes",
                              option->name, option->capacity);
        return check_words(option, value, option->name, error);
    }
    }
    if (good)
        return ELMAN_OK;
    elman_options_get(option, values, text, sizeof(text));
    return refuse(option, text, option->name, NULL, error);
}

elman_status elman_options_validate(const elman_option_table *table, const void *values,
                                    elman_error *error)
{
    for (size_t i = 0; i < table->count; i++)
        ELMAN_TRY(validate(&table->options[i], values, error));
    return ELMAN_OK;
}

bool elman_options_equal(const elman_option *option, const void *a, const void *b)
{
    switch (option->type) {
    case ELMAN_OPTION_FLAG:
        return flag_of(option, a) == flag_of(option, b);
    case ELMAN_OPTION_INTEGER:
        return integer_of(option, a) == integer_of(option, b);
    case ELMAN_OPTION_REAL:
        return real_of(option, a) == real_of(option, b);
    case ELMAN_OPTION_CHOICE:
        return choice_of(option, a) == choice_of(option, b);
    case ELMAN_OPTION_TEXT:
        return strncmp(field_of(option, a), field_of(option, b), option->capacity) == 0;
    }
    return false;
}
