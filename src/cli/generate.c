/* elman generate: text that a model writes, as it is written. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "elman/task.h"
#include "json_out.h"
#include "utf8.h"

enum { PROMPT = 1 << 16, STOP = 1024 };

typedef struct values {
    char prompt[PROMPT], stop[STOP];
    int64_t length, top_k, seed, threads;
    double temperature, top_p, min_p;
    bool json;
} values;

/* clang-format off */
static const elman_option options[] = {
    {.name = "prompt", .letter = 'p', .type = ELMAN_OPTION_TEXT, .argument = "TEXT",
     .group = "text", .offset = offsetof(values, prompt), .capacity = PROMPT,
     .help = "What the text begins with"},
    {.name = "length", .letter = 'n', .type = ELMAN_OPTION_INTEGER, .argument = "N",
     .group = "text", .initial = "500", .minimum = 0, .maximum = 1e12,
     .offset = offsetof(values, length), .help = "Tokens to write"},
    {.name = "stop", .type = ELMAN_OPTION_TEXT, .argument = "STRING", .group = "text",
     .offset = offsetof(values, stop), .capacity = STOP,
     .help = "End before this string would be written"},
    {.name = "temperature", .letter = 't', .type = ELMAN_OPTION_REAL, .argument = "T",
     .group = "sampling", .initial = "1", .minimum = 0, .maximum = 1000,
     .offset = offsetof(values, temperature),
     .help = "Below 1 bolder in what is probable, above 1 wilder; 0: always the most probable"},
    {.name = "top-k", .type = ELMAN_OPTION_INTEGER, .argument = "K", .group = "sampling",
     .initial = "0", .minimum = 0, .maximum = 16777216, .offset = offsetof(values, top_k),
     .help = "Draw from the K most probable tokens; 0: from all"},
    {.name = "top-p", .type = ELMAN_OPTION_REAL, .argument = "P", .group = "sampling",
     .initial = "1", .minimum = 1e-9, .maximum = 1, .offset = offsetof(values, top_p),
     .help = "Draw from the fewest tokens that together have probability P"},
    {.name = "min-p", .type = ELMAN_OPTION_REAL, .argument = "P", .group = "sampling",
     .initial = "0", .minimum = 0, .maximum = 1, .offset = offsetof(values, min_p),
     .help = "Draw from tokens at least P times as probable as the most probable"},
    {.name = "seed", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "sampling",
     .initial = "0", .minimum = 0, .maximum = 9007199254740991.0,
     .offset = offsetof(values, seed),
     .help = "Another number, another text; the same number, the same text on every machine"},
    {.name = "json", .type = ELMAN_OPTION_FLAG, .group = "output",
     .offset = offsetof(values, json),
     .help = "Print one record of JSON when done: prompt, text, tokens"},
    CLI_OPTION_THREADS(values, threads),
};
/* clang-format on */
static const elman_option_table table = {options, sizeof(options) / sizeof(options[0])};

/* Text on its way out: what may be the beginning of the stop string waits. */
typedef struct sink {
    const char *stop;
    size_t stop_size;
    char *text; /* what is not printed yet; all of it with `keep` */
    size_t size, capacity;
    bool keep; /* for a record at the end */
    char last; /* the byte that was printed last */
} sink;

static bool sink_add(sink *s, const char *text, size_t size)
{
    if (size > s->capacity - s->size) {
        if (size > SIZE_MAX / 4 - s->size)
            return false;
        size_t capacity = 2 * (s->size + size);
        char *grown = realloc(s->text, capacity);
        if (grown == NULL)
            return false;
        s->text = grown;
        s->capacity = capacity;
    }
    if (size > 0)
        memcpy(s->text + s->size, text, size);
    s->size += size;
    return true;
}

/* Where the stop string stands at or after `from`, or s->size. */
static size_t sink_find(const sink *s, size_t from)
{
    for (size_t i = from; s->stop_size > 0 && i + s->stop_size <= s->size; i++)
        if (memcmp(s->text + i, s->stop, s->stop_size) == 0)
            return i;
    return s->size;
}

/* The longest end of the text that the stop string begins with. */
static size_t sink_waiting(const sink *s)
{
    size_t most = s->stop_size > 0 ? s->stop_size - 1 : 0;
    for (size_t n = most < s->size ? most : s->size; n > 0; n--)
        if (memcmp(s->text + s->size - n, s->stop, n) == 0)
            return n;
    return 0;
}

static void sink_print(sink *s, size_t size)
{
    if (s->keep || size == 0)
        return;
    fwrite(s->text, 1, size, stdout);
    s->last = s->text[size - 1];
    memmove(s->text, s->text + size, s->size - size);
    s->size -= size;
}

static int write_text(elman_lm_stream *stream, const values *v, sink *s, int64_t *tokens)
{
    elman_error error;
    for (*tokens = 0; *tokens < v->length;) {
        const char *text;
        size_t size;
        if (elman_lm_stream_draw(stream, &text, &size, &error) != ELMAN_OK)
            return cli_fail_error(&error);
        ++*tokens;
        /* what stood there before holds no whole stop string */
        size_t from = s->size >= s->stop_size ? s->size - s->stop_size + (s->stop_size > 0) : 0;
        if (!sink_add(s, text, size))
            return cli_fail("no memory for the text");
        size_t end = sink_find(s, from);
        bool stopped = end < s->size;
        sink_print(s, stopped ? end : s->size - sink_waiting(s));
        if (size > 0 && !s->keep && !cli_flush())
            return CLI_FAILED;
        if (stopped) {
            s->size = s->keep ? end : 0;
            return CLI_DONE;
        }
    }
    const char *text;
    size_t size;
    elman_lm_stream_finish(stream, &text, &size);
    if (!sink_add(s, text, size))
        return cli_fail("no memory for the text");
    sink_print(s, s->size);
    return CLI_DONE;
}

static int generate(elman_lm_stream *stream, const values *v)
{
    sink s = {.stop = v->stop, .stop_size = strlen(v->stop), .keep = v->json, .last = '\n'};
    elman_error error;
    int64_t tokens = 0;
    size_t prompt_size = strlen(v->prompt);
    if (elman_lm_stream_feed(stream, v->prompt, prompt_size, &error) != ELMAN_OK)
        return cli_fail_error(&error);
    if (!v->json && prompt_size > 0) {
        fputs(v->prompt, stdout);
        s.last = v->prompt[prompt_size - 1];
        if (!cli_flush())
            return CLI_FAILED;
    }
    int status = write_text(stream, v, &s, &tokens);
    if (!v->json && s.last != '\n')
        putchar('\n');
    if (v->json && status == CLI_DONE) {
        cli_json json;
        cli_json_begin(&json, stdout);
        cli_json_open(&json, NULL, '{');
        cli_json_text(&json, "prompt", v->prompt);
        cli_json_text_of(&json, "text", s.text != NULL ? s.text : "", s.size);
        cli_json_integer(&json, "tokens", tokens);
        cli_json_close(&json, '}');
        cli_json_end(&json);
    }
    free(s.text);
    return status;
}

static int run(const cli_verb *verb, int argc, char **argv)
{
    static values v;
    cli_operands operands;
    bool answered;
    elman_error error;
    elman_context *context = NULL;
    elman_lm *lm = NULL;
    elman_lm_stream *stream = NULL;
    elman_sample_options sample;
    const cli_set set = {&table, &v, NULL};
    elman_options_default(&table, &v);
    int status = cli_parse(verb, argc, argv, &set, 1, &operands, &answered);
    if (answered)
        return status;
    if (operands.count == 0)
        return cli_wrong("generate: no MODEL; write elman generate MODEL");
    if (operands.count > 1)
        return cli_wrong("generate: found %s after MODEL; the text begins with --prompt TEXT",
                         operands.list[1]);
    for (size_t i = 0, n = strlen(v.stop), step; i < n; i += step)
        if ((step = cli_utf8_length(v.stop + i, n - i)) == 0)
            return cli_wrong("--stop: byte %zu is not UTF-8", i);
    elman_sample_options_default(&sample);
    sample.temperature = v.temperature;
    sample.top_k = (int32_t)v.top_k;
    sample.top_p = v.top_p;
    sample.min_p = v.min_p;
    sample.seed = (uint64_t)v.seed;
    if (cli_context((int)v.threads, &context, &error) != ELMAN_OK ||
        elman_lm_open(context, operands.list[0], &lm, &error) != ELMAN_OK ||
        elman_lm_stream_create(context, lm, &sample, &stream, &error) != ELMAN_OK)
        status = cli_fail_error(&error);
    else
        status = generate(stream, &v);
    elman_lm_stream_free(stream);
    elman_lm_free(lm);
    elman_context_free(context);
    return status;
}

static const char *const usage[] = {"generate MODEL [OPTION...]", NULL};
static const char *const examples[] = {
    "elman generate shakespeare --prompt 'ROMEO:' --temperature 0.8",
    "Goes on from the prompt, a little bolder than the model is.",
    "elman generate shakespeare --seed 7 --length 2000 --stop 'JULIET:'",
    "Another text, up to Juliet's turn.", NULL};

const cli_verb cli_generate = {
    .name = "generate",
    .summary = "text that a model writes",
    .usage = usage,
    .description =
        "Prints the prompt and then token after token, each drawn from the probabilities that "
        "the model gives after all that stands before it. What is asked for is applied in the "
        "order temperature, top-k, top-p, min-p. The output ends with a line end.",
    .examples = examples,
    .own = &table,
    .run = run,
};
