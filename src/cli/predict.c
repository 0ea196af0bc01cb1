/* elman predict: an answer to every line. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "elman/predict.h"
#include "elman/task.h"
#include "json_out.h"
#include "lines.h"
#include "utf8.h"

enum { TOP = 1000 };

typedef struct values {
    int64_t top;
    bool json, explain, rolling;
    char plot[CLI_PATH];
    int64_t threads;
} values;

static const elman_option options[] = {
    {.name = "top",
     .type = ELMAN_OPTION_INTEGER,
     .argument = "K",
     .group = "output",
     .initial = "auto",
     .minimum = 1,
     .maximum = TOP,
     .offset = offsetof(values, top),
     .help = "How many of the most probable tokens (auto: 5) or labels (auto: 1) to print"},
    {.name = "explain",
     .type = ELMAN_OPTION_FLAG,
     .group = "output",
     .offset = offsetof(values, explain),
     .help = "Below a label: how far each word or step moved it (integrated gradients)"},
    {.name = "rolling",
     .type = ELMAN_OPTION_FLAG,
     .group = "output",
     .offset = offsetof(values, rolling),
     .help = "A forecast after each row, as soon as there are enough, not after the last alone"},
    {.name = "plot",
     .type = ELMAN_OPTION_TEXT,
     .argument = "FILE",
     .group = "output",
     .offset = offsetof(values, plot),
     .capacity = CLI_PATH,
     .help = "Draw the forecast into FILE, .svg or .png, by gnuplot"},
    {.name = "json",
     .type = ELMAN_OPTION_FLAG,
     .group = "output",
     .offset = offsetof(values, json),
     .help = "Print one record of JSON an answer"},
    CLI_OPTION_THREADS(values, threads),
};
static const elman_option_table table = {options, sizeof(options) / sizeof(options[0])};

/* What cannot be seen or would break the line, as C writes it; a space as \s. */
static void print_token(const char *token)
{
    size_t size = strlen(token);
    for (size_t i = 0; i < size;) {
        size_t length = cli_utf8_length(token + i, size - i);
        unsigned char c = (unsigned char)token[i];
        if (c == '\n')
            fputs("\\n", stdout);
        else if (c == '\t')
            fputs("\\t", stdout);
        else if (c == '\r')
            fputs("\\r", stdout);
        else if (c == ' ')
            fputs("\\s", stdout);
        else if (c == '\\')
            fputs("\\\\", stdout);
        else if (length == 0 || c < 0x20 || c == 0x7f)
            printf("\\x%02x", c);
        else
            fwrite(token + i, 1, length, stdout);
        i += length > 0 ? length : 1;
    }
}

static void print_line(const elman_lm_choice *choices, int count)
{
    for (int i = 0; i < count; i++) {
        if (i > 0)
            putchar('\t');
        print_token(choices[i].token);
        printf("\t%.4f", choices[i].probability);
    }
    putchar('\n');
}

static void print_json(int64_t line, const elman_lm_choice *choices, int count)
{
    cli_json json;
    cli_json_begin(&json, stdout);
    cli_json_open(&json, NULL, '{');
    cli_json_integer(&json, "line", line);
    cli_json_open(&json, "next", '[');
    for (int i = 0; i < count; i++) {
        cli_json_open(&json, NULL, '{');
        cli_json_text(&json, "token", choices[i].token);
        cli_json_real(&json, "probability", choices[i].probability);
        cli_json_close(&json, '}');
    }
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
    cli_json_end(&json);
}

static int answer(elman_lm_stream *stream, FILE *file, const char *name, const values *v)
{
    static elman_lm_choice choices[TOP];
    char *text = NULL;
    size_t capacity = 0;
    ssize_t size;
    int status = CLI_DONE;
    for (int64_t line = 1; status == CLI_DONE; line++) {
        elman_error error;
        int count = 0;
        errno = 0;
        if ((size = getline(&text, &capacity, file)) < 0) {
            if (ferror(file) || errno != 0)
                status = cli_fail("%s: %s", name, strerror(errno));
            break;
        }
        if (text[size - 1] == '\n')
            size--;
        if (size > 0 && text[size - 1] == '\r')
            size--;
        elman_lm_stream_reset(stream);
        if (elman_lm_stream_feed(stream, text, (size_t)size, &error) != ELMAN_OK ||
            elman_lm_stream_predict(stream, choices, (int)v->top, &count, &error) != ELMAN_OK) {
            /* the library calls what it is fed a prompt; here it is a line */
            const char *why = error.message;
            if (strncmp(why, "prompt: ", 8) == 0)
                why += 8;
            status = cli_fail("%s: line %" PRId64 ": %s", name, line, why);
            break;
        }
        if (v->json)
            print_json(line, choices, count);
        else
            print_line(choices, count);
        if (!cli_flush())
            status = CLI_FAILED;
    }
    free(text);
    return status;
}

static int predict_lm(elman_context *context, const char *model, const char *path, values *v)
{
    elman_error error;
    elman_lm *lm = NULL;
    elman_lm_stream *stream = NULL;
    int status = CLI_DONE;
    const char *name = path != NULL ? path : "standard input";
    if (v->explain || v->rolling || v->plot[0] != 0)
        return cli_wrong("--%s: it means nothing to a language model", v->explain   ? "explain"
                                                                       : v->rolling ? "rolling"
                                                                                    : "plot");
    v->top = v->top > 0 ? v->top : 5;
    FILE *file = path == NULL ? stdin : fopen(path, "rb");
    if (file == NULL)
        return cli_fail("%s: %s", name, strerror(errno));
    if (elman_lm_open(context, model, &lm, &error) != ELMAN_OK ||
        elman_lm_stream_create(context, lm, NULL, &stream, &error) != ELMAN_OK) {
        status = cli_fail_error(&error);
    } else {
        if (path == NULL && isatty(STDIN_FILENO))
            fputs("Type a line; what may follow it comes next. Ctrl-D ends.\n", stderr);
        status = answer(stream, file, name, v);
    }
    elman_lm_stream_free(stream);
    elman_lm_free(lm);
    if (path != NULL)
        fclose(file);
    return status;
}

/* An option that means nothing to the task, or NULL. */
static const char *useless(const values *v, const char *task)
{
    bool classify = strcmp(task, "classify") == 0, forecast = strcmp(task, "forecast") == 0;
    return v->explain && !classify   ? "explain"
           : v->top > 0 && !classify ? "top"
           : v->rolling && !forecast ? "rolling"
           : v->plot[0] && !forecast ? "plot"
                                     : NULL;
}

static int predict_other(elman_context *context, const char *model, const char *task,
                         const char *path, const values *v)
{
    elman_error error;
    elman_predictor *predictor = NULL;
    elman_predict_options wanted;
    cli_lines lines;
    int status = CLI_DONE;
    if (useless(v, task) != NULL)
        return cli_wrong("--%s: it means nothing to the task %s", useless(v, task), task);
    elman_predict_options_default(&wanted);
    wanted.json = v->json;
    wanted.explain = v->explain;
    wanted.rolling = v->rolling;
    wanted.plot = v->plot[0] != 0 ? v->plot : NULL;
    wanted.top = v->top > 0 ? v->top : 1;
    if (!cli_lines_open(&lines, path))
        return CLI_FAILED;
    elman_lines calls = cli_lines_calls(&lines);
    if (elman_predictor_open(context, model, &predictor, &error) != ELMAN_OK) {
        status = cli_fail_error(&error);
    } else {
        if (path == NULL && isatty(STDIN_FILENO))
            fputs("Type a line; its answer comes next. Ctrl-D ends.\n", stderr);
        if (elman_predictor_run(predictor, &wanted, &calls, &error) != ELMAN_OK)
            status = lines.lost ? CLI_FAILED : cli_fail_error(&error);
    }
    elman_predictor_free(predictor);
    cli_lines_close(&lines);
    return status;
}

static int run(const cli_verb *verb, int argc, char **argv)
{
    static values v;
    cli_operands operands;
    bool answered;
    elman_error error;
    elman_context *context = NULL;
    char task[32];
    const cli_set set = {&table, &v, NULL};
    elman_options_default(&table, &v);
    int status = cli_parse(verb, argc, argv, &set, 1, &operands, &answered);
    if (answered)
        return status;
    if (operands.count == 0)
        return cli_wrong("predict: no MODEL; write elman predict MODEL [FILE|-]");
    if (operands.count > 2)
        return cli_wrong("predict: found %d files, expected one, or - for standard input",
                         operands.count - 1);
    bool input = operands.count < 2 || strcmp(operands.list[1], "-") == 0;
    const char *path = input ? NULL : operands.list[1];
    if (cli_context((int)v.threads, &context, &error) != ELMAN_OK)
        return cli_fail_error(&error);
    status = cli_task_of(context, operands.list[0], task);
    if (status == CLI_DONE)
        status = strcmp(task, "lm") == 0 ? predict_lm(context, operands.list[0], path, &v)
                                         : predict_other(context, operands.list[0], task, path, &v);
    elman_context_free(context);
    return status;
}

static const char *const usage[] = {"predict MODEL [FILE|-] [OPTION...]", NULL};
static const char *const examples[] = {
    "echo 'The cat sat on' | elman predict MODEL --top 3", "the  0.4312  a  0.2175  his  0.0610",
    "echo 'This movie is amazing!' | elman predict reviews", "Positive  0.9512", NULL};

const cli_verb cli_predict = {
    .name = "predict",
    .summary = "an answer to each line",
    .usage = usage,
    .description =
        "Reads lines as they come and answers each at once.\n\n"
        "A classifier: a text, or the numbers of a sequence, a line; the answer is the label and "
        "its probability, a tabulator between them. A tagger: a word a line, a sentence up to an "
        "empty line; each line comes back with its tag behind it. A forecast: a CSV of readings "
        "with the header of the training; the rows that follow come after the last.\n\n"
        "A language model: token and probability, token and probability, the most probable next "
        "ones first, tabulators between them. Each line begins from the zero state, and its line "
        "end is no part of it.\n\n"
        "In the answers a space is \\s, a line end \\n, a tabulator \\t, a backslash \\\\, and "
        "other control characters are \\xNN; a byte that is no character is <0xNN>.",
    .examples = examples,
    .own = &table,
    .run = run,
};
