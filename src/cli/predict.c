/* elman predict: the next tokens of every line. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "elman/task.h"
#include "json_out.h"
#include "utf8.h"

enum { TOP = 1000 };

typedef struct values {
    int64_t top;
    bool json;
    int64_t threads;
} values;

static const elman_option options[] = {
    {.name = "top",
     .type = ELMAN_OPTION_INTEGER,
     .argument = "K",
     .group = "output",
     .initial = "5",
     .minimum = 1,
     .maximum = TOP,
     .offset = offsetof(values, top),
     .help = "How many of the most probable tokens to print"},
    {.name = "json",
     .type = ELMAN_OPTION_FLAG,
     .group = "output",
     .offset = offsetof(values, json),
     .help =
         "Print one record of JSON a line: {\"line\":1,\"next\":[{\"token\",\"probability\"}]}"},
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

static int run(const cli_verb *verb, int argc, char **argv)
{
    values v;
    cli_operands operands;
    bool answered;
    elman_error error;
    elman_context *context = NULL;
    elman_lm *lm = NULL;
    elman_lm_stream *stream = NULL;
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
    const char *name = input ? "standard input" : operands.list[1];
    FILE *file = input ? stdin : fopen(operands.list[1], "rb");
    if (file == NULL)
        return cli_fail("%s: %s", name, strerror(errno));
    if (cli_context((int)v.threads, &context, &error) != ELMAN_OK ||
        elman_lm_open(context, operands.list[0], &lm, &error) != ELMAN_OK ||
        elman_lm_stream_create(context, lm, NULL, &stream, &error) != ELMAN_OK) {
        status = cli_fail_error(&error);
    } else {
        if (input && isatty(STDIN_FILENO))
            fputs("Type a line; what may follow it comes next. Ctrl-D ends.\n", stderr);
        status = answer(stream, file, name, &v);
    }
    elman_lm_stream_free(stream);
    elman_lm_free(lm);
    elman_context_free(context);
    if (!input)
        fclose(file);
    return status;
}

static const char *const usage[] = {"predict MODEL [FILE|-] [OPTION...]", NULL};
static const char *const examples[] = {"echo 'The cat sat on' | elman predict MODEL --top 3",
                                       "the  0.4312  a  0.2175  his  0.0610", NULL};

const cli_verb cli_predict = {
    .name = "predict",
    .summary = "the most probable next tokens of each line",
    .usage = usage,
    .description =
        "Reads lines as they come and answers each at once with one line: token and "
        "probability, token and probability, the most probable first, tabulators between "
        "them. Each line begins from the zero state, and its line end is no part of it.\n\n"
        "In the answers a space is \\s, a line end \\n, a tabulator \\t, a backslash \\\\, and "
        "other control characters are \\xNN; a byte that is no character is <0xNN>.",
    .examples = examples,
    .own = &table,
    .run = run,
};
