/* Lines in, labels out.
 *
 *   text       a line is a text
 *   vectors    a line is a sequence, its numbers one step after the other; or, where the model was
 *              trained with --sequence-column, a header and then a line a step: rows of the same
 *              sequence stand together, and it is answered when it ends
 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "data/table.h"
#include "format/json.h"
#include "task/classify_impl.h"

enum { TOGETHER = 64, WAY = 50, PLACE = 96 };

typedef struct asking {
    elman_classifier *c;
    const elman_predict_options *options;
    const elman_lines *lines;
    uint64_t number;          /* of the line read last */
    uint64_t first[TOGETHER]; /* the line that each example came from, or began on */
    char *text;               /* of the line, where it is to be explained */
    size_t text_size, text_room;
    elman_table_line cells;
    int32_t *order; /* [K] labels, best first */
    elman_contribution *contributions;
    size_t contributions_room;
    /* a line a step */
    bool header;      /* the first line names the columns */
    int64_t sequence; /* its column; -1: no header was read yet */
    int64_t step;     /* the column that orders the steps, or -1 */
    int64_t columns;  /* of the header */
    double last_step;
    int64_t *features; /* [inputs] columns */
    char *name;        /* of the sequence that is being read */
    size_t name_size, name_room;
    bool begun;
    float *row; /* [inputs] */
} asking;

/* The line read last cannot be answered. */
static elman_status wrong(const asking *a, elman_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static elman_status wrong(const asking *a, elman_error *error, const char *format, ...)
{
    char what[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return elman_fail(error, ELMAN_ERROR_DATA, "%s: line %" PRIu64 ": %s", a->lines->name,
                      a->number, what);
}

static elman_status keep(elman_context *context, char **text, size_t *size, size_t *room,
                         const char *from, size_t length, elman_error *error)
{
    char *made = elman_grown(context, *text, 0, room, length + 1, 1);
    if (!made)
        return elman_out_of_memory(error);
    memcpy(made, from, length);
    made[length] = 0;
    *text = made;
    *size = length;
    return ELMAN_OK;
}

/* --- the answer --- */

/* Labels by probability, ties in their order. */
static void sort_labels(const asking *a, const float *p)
{
    int32_t K = a->c->network.labels.count;
    for (int32_t i = 0; i < K; i++) {
        int32_t at = i;
        for (; at > 0 && p[a->order[at - 1]] < p[i]; at--)
            a->order[at] = a->order[at - 1];
        a->order[at] = i;
    }
}

static elman_status explain(asking *a, int32_t label, size_t *count, elman_error *error)
{
    int64_t length = a->c->examples.words
                         ? elman_sentences_length(&a->c->examples.sentences, 0)
                         : elman_vectors_length(&a->c->examples.vectors.vectors, 0);
    elman_contribution *list =
        elman_grown(a->c->context, a->contributions, 0, &a->contributions_room, (size_t)length + 1,
                    sizeof *list);
    if (!list)
        return elman_out_of_memory(error);
    a->contributions = list;
    return elman_classifier_explain(a->c, label, WAY, list, (size_t)length, count, error);
}

static elman_status write_text(const asking *a, const char *text, elman_error *error)
{
    return a->lines->write(a->lines->user, text, strlen(text), error);
}

static elman_status write_plain(asking *a, const float *p, size_t explained, elman_error *error)
{
    char number[PLACE];
    int32_t K = a->c->network.labels.count;
    if (a->sequence >= 0) {
        ELMAN_TRY(write_text(a, a->name, error));
        ELMAN_TRY(write_text(a, "\t", error));
    }
    for (int32_t i = 0; i < K && i < a->options->top; i++) {
        ELMAN_TRY(write_text(a, i ? "\t" : "", error));
        ELMAN_TRY(write_text(a, a->c->network.labels.names[a->order[i]], error));
        snprintf(number, sizeof number, "\t%.4f", (double)p[a->order[i]]);
        ELMAN_TRY(write_text(a, number, error));
    }
    ELMAN_TRY(write_text(a, "\n", error));
    for (size_t i = 0; i < explained; i++) {
        const elman_contribution *e = &a->contributions[i];
        snprintf(number, sizeof number, "  %+8.4f  ", e->integrated_gradient);
        ELMAN_TRY(write_text(a, number, error));
        if (a->c->examples.words) {
            ELMAN_TRY(
                a->lines->write(a->lines->user, a->text + e->begin, e->end - e->begin, error));
        } else {
            snprintf(number, sizeof number, "step %zu", e->begin + 1);
            ELMAN_TRY(write_text(a, number, error));
        }
        ELMAN_TRY(write_text(a, "\n", error));
    }
    return ELMAN_OK;
}

static bool add_labels(const asking *a, const float *p, elman_json *record)
{
    elman_json *labels = elman_json_array();
    bool good = labels != NULL;
    for (int32_t i = 0; good && i < a->c->network.labels.count; i++) {
        elman_json *one = elman_json_object();
        good = elman_json_set(one, "label",
                              elman_json_string(a->c->network.labels.names[a->order[i]])) &&
               elman_json_set(one, "probability", elman_json_real((double)p[a->order[i]]));
        if (!good)
            elman_json_free(one);
        good = good && elman_json_append(labels, one);
    }
    if (!good)
        elman_json_free(labels);
    return good && elman_json_set(record, "labels", labels);
}

static bool add_explanation(const asking *a, size_t explained, elman_json *record)
{
    elman_json *list = elman_json_array();
    bool good = list != NULL;
    for (size_t i = 0; good && i < explained; i++) {
        const elman_contribution *e = &a->contributions[i];
        elman_json *one = elman_json_object();
        good = one != NULL;
        if (good && a->c->examples.words)
            good = elman_json_set(one, "token",
                                  elman_json_string_of(a->text + e->begin, e->end - e->begin)) &&
                   elman_json_set(one, "begin", elman_json_integer((int64_t)e->begin)) &&
                   elman_json_set(one, "end", elman_json_integer((int64_t)e->end));
        else if (good)
            good = elman_json_set(one, "step", elman_json_integer((int64_t)e->begin + 1));
        good = good && elman_json_set(one, "gradient", elman_json_real(e->gradient)) &&
               elman_json_set(one, "integrated_gradient", elman_json_real(e->integrated_gradient));
        if (!good)
            elman_json_free(one);
        good = good && elman_json_append(list, one);
    }
    if (!good)
        elman_json_free(list);
    return good && elman_json_set(record, "explanation", list);
}

static elman_status write_json(asking *a, uint64_t line, const float *p, size_t explained,
                               elman_error *error)
{
    elman_json *record = elman_json_object();
    bool good = elman_json_set(record, "line", elman_json_integer((int64_t)line));
    if (a->sequence >= 0)
        good = good && elman_json_set(record, "sequence", elman_json_string(a->name));
    good = good &&
           elman_json_set(record, "label",
                          elman_json_string(a->c->network.labels.names[a->order[0]])) &&
           elman_json_set(record, "probability", elman_json_real((double)p[a->order[0]])) &&
           add_labels(a, p, record);
    if (a->options->explain)
        good = good && add_explanation(a, explained, record);
    char *text = NULL;
    size_t size = 0;
    elman_status status =
        good ? elman_json_print(a->c->context, record, ELMAN_JSON_LINE_END, &text, &size, error)
             : elman_out_of_memory(error);
    elman_json_free(record);
    if (status == ELMAN_OK)
        status = a->lines->write(a->lines->user, text, size, error);
    elman_release(a->c->context, text);
    return status;
}

/* Answers all that the classifier holds, in order. */
static elman_status answer(asking *a, elman_error *error)
{
    elman_classifier *c = a->c;
    size_t K = (size_t)c->network.labels.count, explained = 0;
    int64_t count =
        c->examples.words ? c->examples.sentences.count : c->examples.vectors.vectors.count;
    ELMAN_TRY(elman_classifier_answer(c, error));
    for (int64_t i = 0; i < count; i++) {
        float *p = c->logits + (size_t)i * K;
        elman_classifier_probabilities(c, p);
        sort_labels(a, p);
        if (a->options->explain)
            ELMAN_TRY(explain(a, a->order[0], &explained, error));
        ELMAN_TRY(a->options->json ? write_json(a, a->first[i], p, explained, error)
                                   : write_plain(a, p, explained, error));
    }
    elman_classifier_clear(c);
    return a->lines->flush(a->lines->user, error);
}

/* --- reading --- */

static char delimiter_of(const char *line, size_t size)
{
    return memchr(line, '\t', size)                              ? '\t'
           : memchr(line, ';', size) && !memchr(line, ',', size) ? ';'
                                                                 : ',';
}

static elman_status take_number(const asking *a, int64_t column, float *value, elman_error *error)
{
    size_t size;
    double number;
    const char *cell = elman_table_line_cell(&a->cells, column, &size);
    if (elman_table_number_of(cell, size, &number) && isfinite((float)number)) {
        *value = (float)number;
        return ELMAN_OK;
    }
    return wrong(a, error,
                 "column %" PRId64 ": found \"%.60s\", expected a "
                 "number",
                 column + 1, cell);
}

static elman_status parse(asking *a, const char *line, size_t size, elman_error *error)
{
    if (!a->cells.context)
        elman_table_line_init(&a->cells, a->c->context, delimiter_of(line, size));
    return elman_table_line_parse(&a->cells, a->lines->name, a->number, line, size, error);
}

static elman_status add_wide(asking *a, elman_error *error)
{
    elman_vectors *v = &a->c->examples.vectors.vectors;
    int64_t count = a->cells.count;
    bool any = a->c->config->width > 0;
    if (!count || (any ? count % v->width != 0 : count != v->width))
        return wrong(a, error, "found %" PRId64 " number%s, expected %s%" PRId64, count,
                     count == 1 ? "" : "s", any ? "a multiple of " : "", v->width);
    ELMAN_TRY(elman_vectors_begin(v, error));
    for (int64_t i = 0; i < count; i++) {
        ELMAN_TRY(take_number(a, i, &a->row[i % v->width], error));
        if ((i + 1) % v->width == 0)
            ELMAN_TRY(elman_vectors_add(v, a->row, error));
    }
    return ELMAN_OK;
}

/* One line is one example. */
static elman_status add_line(asking *a, const char *line, size_t size, elman_error *error)
{
    elman_classifier *c = a->c;
    if (!c->examples.words) {
        ELMAN_TRY(parse(a, line, size, error));
        return add_wide(a, error);
    }
    if (a->options->explain)
        ELMAN_TRY(keep(c->context, &a->text, &a->text_size, &a->text_room, line, size, error));
    elman_error found = {0};
    elman_status status = elman_classify_add_text(&c->examples, line, size, c->config, &found);
    return status == ELMAN_OK ? status
                              : elman_fail(error, status, "%s: line %" PRIu64 ": %s",
                                           a->lines->name, a->number, found.message);
}

static elman_status run_lines(asking *a, elman_error *error)
{
    int together = a->options->explain ? 1 : TOGETHER, held = 0;
    for (;;) {
        const char *line;
        size_t size;
        elman_error found = {0};
        ELMAN_TRY(a->lines->read(a->lines->user, &line, &size, error));
        elman_status status = ELMAN_OK;
        if (line) {
            a->number++;
            status = add_line(a, line, size, &found);
            if (status == ELMAN_OK)
                a->first[held++] = a->number;
        }
        bool waits = line && a->lines->ready && a->lines->ready(a->lines->user);
        if (held && (status != ELMAN_OK || !waits || held == together)) {
            /* those before a line that is wrong have their answers */
            elman_sentences_cut(&a->c->examples.sentences, held);
            elman_vectors_cut(&a->c->examples.vectors.vectors, held);
            ELMAN_TRY(answer(a, error));
            held = 0;
        }
        if (status != ELMAN_OK)
            return elman_fail(error, status, "%s", found.message);
        if (!line)
            return ELMAN_OK;
    }
}

/* --- a line a step --- */

static int64_t column_of(const asking *a, const char *name)
{
    for (int64_t i = 0; a->header && i < a->cells.count; i++)
        if (!strcmp(elman_table_line_cell(&a->cells, i, NULL), name))
            return i;
    int64_t number; /* where there is no header columns count from 1, as in training */
    return !a->header && elman_parse_integer(name, &number) && number >= 1 &&
                   number <= a->cells.count
               ? number - 1
               : -1;
}

/* A header holds no number. */
static bool is_header(const asking *a)
{
    for (int64_t i = 0; i < a->cells.count; i++) {
        size_t size;
        double value;
        const char *cell = elman_table_line_cell(&a->cells, i, &size);
        if (elman_table_number_of(cell, size, &value) && !isnan(value))
            return false;
    }
    return true;
}

/* The columns of --features, in the order in which they were trained on. */
static elman_status take_named(asking *a, int64_t *count, elman_error *error)
{
    for (const char *at = a->c->config->features; *at;) {
        char name[ELMAN_CONFIG_TEXT];
        size_t size = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)size, at);
        int64_t column = column_of(a, name);
        if (column < 0)
            return wrong(a, error, "no column \"%.60s\", expected a header with it", name);
        if (*count < a->c->config->inputs)
            a->features[*count] = column;
        ++*count;
        at += size + (at[size] == ',');
    }
    return ELMAN_OK;
}

/* All columns but those of sequence, step and label. */
static void take_others(asking *a, int64_t *count)
{
    const elman_config *config = a->c->config;
    const char *label = config->label[0] ? config->label : "label";
    for (int64_t i = 0; i < a->cells.count; i++) {
        if (i == a->sequence || i == a->step || i == column_of(a, label))
            continue;
        if (*count < config->inputs)
            a->features[*count] = i;
        ++*count;
    }
    /* in training the last column was the label where none was called so */
    bool last = *count == config->inputs + 1 && !config->label[0] && column_of(a, label) < 0;
    *count -= last;
}

static elman_status take_header(asking *a, elman_error *error)
{
    const elman_config *config = a->c->config;
    int64_t count = 0;
    int64_t sequence = column_of(a, config->sequence_column);
    if (sequence < 0)
        return wrong(a, error, "no column \"%.60s\", expected a header with it",
                     config->sequence_column);
    a->sequence = sequence;
    /* lines that come one by one may do without the column that orders them */
    a->step = config->step_column[0] ? column_of(a, config->step_column) : -1;
    a->columns = a->cells.count;
    if (config->features[0])
        ELMAN_TRY(take_named(a, &count, error));
    else
        take_others(a, &count);
    if (count != config->inputs)
        return wrong(a, error, "%" PRId64 " columns of numbers, expected %" PRId64, count,
                     config->inputs);
    return ELMAN_OK;
}

/* Steps ascend, where a column orders them. */
static elman_status check_step(asking *a, bool first, elman_error *error)
{
    size_t size;
    double now;
    if (a->step < 0)
        return ELMAN_OK;
    const char *cell = elman_table_line_cell(&a->cells, a->step, &size);
    if (!elman_table_number_of(cell, size, &now) || isnan(now))
        return wrong(a, error, "step \"%.60s\", expected a number", cell);
    if (!first && !(now > a->last_step))
        return wrong(a, error, "step \"%.60s\" after %g, expected a later one", cell, a->last_step);
    a->last_step = now;
    return ELMAN_OK;
}

static elman_status add_step(asking *a, elman_error *error)
{
    size_t size;
    elman_vectors *v = &a->c->examples.vectors.vectors;
    if (a->cells.count != a->columns)
        return wrong(a, error, "found %" PRId64 " columns, expected %" PRId64, a->cells.count,
                     a->columns);
    const char *name = elman_table_line_cell(&a->cells, a->sequence, &size);
    if (a->begun && (size != a->name_size || memcmp(name, a->name, size))) {
        ELMAN_TRY(answer(a, error));
        a->begun = false;
    }
    if (!a->begun) {
        ELMAN_TRY(keep(a->c->context, &a->name, &a->name_size, &a->name_room, name, size, error));
        ELMAN_TRY(elman_vectors_begin(v, error));
        a->first[0] = a->number;
    }
    ELMAN_TRY(check_step(a, !a->begun, error));
    a->begun = true;
    for (int64_t i = 0; i < v->width; i++)
        ELMAN_TRY(take_number(a, a->features[i], &a->row[i], error));
    return elman_vectors_add(v, a->row, error);
}

static elman_status run_steps(asking *a, elman_error *error)
{
    for (;;) {
        const char *line;
        size_t size;
        ELMAN_TRY(a->lines->read(a->lines->user, &line, &size, error));
        if (!line)
            return a->begun ? answer(a, error) : ELMAN_OK;
        a->number++;
        if (!size) /* the first that is not tells what stands between the columns */
            continue;
        ELMAN_TRY(parse(a, line, size, error));
        bool begins = a->cells.count && a->sequence < 0;
        a->header = begins ? is_header(a) : a->header;
        if (begins)
            ELMAN_TRY(take_header(a, error));
        if (a->cells.count && !(begins && a->header))
            ELMAN_TRY(add_step(a, error));
    }
}

elman_status elman_classify_predict(void *model, const elman_predict_options *options,
                                    const elman_lines *lines, elman_error *error)
{
    elman_classifier *c = model;
    bool steps = !c->examples.words && c->config->sequence_column[0];
    asking a = {.c = c, .options = options, .lines = lines, .sequence = -1, .step = -1};
    size_t inputs = (size_t)c->config->inputs + 1;
    a.order = elman_allocate(c->context, (size_t)c->network.labels.count, sizeof *a.order);
    a.features = elman_allocate(c->context, inputs, sizeof *a.features);
    a.row = elman_allocate(c->context, inputs, sizeof *a.row);
    elman_classifier_clear(c);
    elman_status status = !a.order || !a.features || !a.row ? elman_out_of_memory(error)
                          : steps                           ? run_steps(&a, error)
                                                            : run_lines(&a, error);
    elman_classifier_clear(c);
    if (a.cells.context)
        elman_table_line_free(&a.cells);
    elman_release(c->context, a.order);
    elman_release(c->context, a.features);
    elman_release(c->context, a.row);
    elman_release(c->context, a.text);
    elman_release(c->context, a.name);
    elman_release(c->context, a.contributions);
    return status;
}
