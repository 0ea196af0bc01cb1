#include "metrics_out.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "json_out.h"

enum { WIDE = 80, NAME = 24, CELL = 32, MOST = 26 }; /* three columns of the terminal each */

static bool is_whole(double value)
{
    return fabs(value) < 1e15 && value == floor(value);
}

/* Whether every value of a column counts something. */
static bool counts(const elman_metrics_table *t, int64_t column)
{
    for (int64_t row = 0; row < t->rows; row++)
        if (!is_whole(t->values[row * t->columns + column]))
            return false;
    return strcmp(t->title, "confusion") == 0 || strcmp(t->column_names[column], "support") == 0;
}

static void print_cell(char text[CELL], double value, bool whole)
{
    if (isnan(value))
        snprintf(text, CELL, "-");
    else if (whole)
        snprintf(text, CELL, "%.0f", value);
    else
        snprintf(text, CELL, fabs(value) >= 1000 ? "%.6g" : "%.4f", value);
}

/* How a column is printed. */
typedef struct form {
    bool whole;
    size_t width;
} form;

static form form_of(const elman_metrics_table *t, int64_t column)
{
    char text[CELL];
    form f = {counts(t, column), cli_width(t->column_names[column])};
    for (int64_t row = 0; row < t->rows; row++) {
        print_cell(text, t->values[row * t->columns + column], f.whole);
        f.width = strlen(text) > f.width ? strlen(text) : f.width;
    }
    return f;
}

static void print_padded(const char *text, size_t width, bool left)
{
    size_t own = cli_width(text), pad = own < width ? width - own : 0;
    if (left)
        printf("%s%*s", text, (int)pad, "");
    else
        printf("%*s%s", (int)pad, "", text);
}

static void print_table(const elman_metrics_table *t)
{
    size_t name = 4, width;
    char text[CELL];
    for (int64_t row = 0; row < t->rows; row++) {
        width = cli_width(t->row_names[row]);
        name = width > name ? width : name;
    }
    width = name + 2;
    form forms[MOST];
    for (int64_t column = 0; column < t->columns && column < MOST; column++) {
        forms[column] = form_of(t, column);
        width += forms[column].width + 2;
    }
    if (width > WIDE || t->columns > MOST) {
        printf("\n%s: %lld columns, too wide to print; --json has them\n", t->title,
               (long long)t->columns);
        return;
    }
    printf("\n");
    print_padded(t->title, name, true);
    for (int64_t column = 0; column < t->columns; column++) {
        printf("  ");
        print_padded(t->column_names[column], forms[column].width, false);
    }
    printf("\n");
    for (int64_t row = 0; row < t->rows; row++) {
        print_padded(t->row_names[row], name, true);
        for (int64_t column = 0; column < t->columns; column++) {
            print_cell(text, t->values[row * t->columns + column], forms[column].whole);
            printf("  ");
            print_padded(text, forms[column].width, false);
        }
        printf("\n");
    }
}

void cli_metrics_print(const elman_metrics *metrics)
{
    for (int64_t i = 0; i < metrics->count; i++) {
        char name[ELMAN_METRIC_NAME], text[CELL];
        const elman_metric *m = &metrics->values[i];
        snprintf(name, sizeof(name), "%s", m->name);
        for (char *c = name; *c != 0; c++)
            if (*c == '_')
                *c = ' ';
        print_cell(text, m->value, is_whole(m->value) && fabs(m->value) > 1);
        printf("%-*s  %s\n", NAME, name, text);
    }
    for (int i = 0; i < metrics->table_count; i++)
        print_table(&metrics->tables[i]);
}

void cli_metrics_json(const elman_metrics *metrics)
{
    cli_json json;
    cli_json_begin(&json, stdout);
    cli_json_open(&json, NULL, '{');
    for (int64_t i = 0; i < metrics->count; i++)
        cli_json_real(&json, metrics->values[i].name, metrics->values[i].value);
    for (int i = 0; i < metrics->table_count; i++) {
        const elman_metrics_table *t = &metrics->tables[i];
        cli_json_open(&json, t->title, '[');
        for (int64_t row = 0; row < t->rows; row++) {
            cli_json_open(&json, NULL, '{');
            cli_json_text(&json, "name", t->row_names[row]);
            bool free_names = strcmp(t->title, "confusion") == 0; /* a label may be "name" */
            if (free_names)
                cli_json_open(&json, "answered", '{');
            for (int64_t column = 0; column < t->columns; column++)
                cli_json_real(&json, t->column_names[column], t->values[row * t->columns + column]);
            if (free_names)
                cli_json_close(&json, '}');
            cli_json_close(&json, '}');
        }
        cli_json_close(&json, ']');
    }
    cli_json_close(&json, '}');
    cli_json_end(&json);
}
