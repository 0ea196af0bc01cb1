/* elman eval: how well a model predicts a text. */
#include <math.h>

#include "cli.h"
#include "elman/task.h"
#include "json_out.h"

typedef struct values {
    bool json;
    int64_t threads;
} values;

static const elman_option options[] = {
    {.name = "json",
     .type = ELMAN_OPTION_FLAG,
     .group = "output",
     .offset = offsetof(values, json),
     .help = "Print one record of JSON: loss, perplexity, bits_per_token, tokens"},
    CLI_OPTION_THREADS(values, threads),
};
static const elman_option_table table = {options, sizeof(options) / sizeof(options[0])};

static void print_table(const elman_lm_result *r)
{
    char tokens[32];
    double bits = r->loss / M_LN2;
    cli_grouped(tokens, r->tokens);
    printf("loss            %.4f nats a token\n", r->loss);
    printf("perplexity      %.4g\n", exp(r->loss));
    printf("bits per token  %.4f\n", bits);
    printf("tokens          %s\n", tokens);
}

static void print_json(const elman_lm_result *r)
{
    cli_json json;
    cli_json_begin(&json, stdout);
    cli_json_open(&json, NULL, '{');
    cli_json_real(&json, "loss", r->loss);
    cli_json_real(&json, "perplexity", exp(r->loss));
    cli_json_real(&json, "bits_per_token", r->loss / M_LN2);
    cli_json_integer(&json, "tokens", (int64_t)r->tokens);
    cli_json_close(&json, '}');
    cli_json_end(&json);
}

static int run(const cli_verb *verb, int argc, char **argv)
{
    values v;
    cli_operands operands;
    bool answered;
    elman_error error;
    elman_context *context = NULL;
    elman_lm *lm = NULL;
    elman_lm_result result;
    const cli_set set = {&table, &v, NULL};
    elman_options_default(&table, &v);
    int status = cli_parse(verb, argc, argv, &set, 1, &operands, &answered);
    if (answered)
        return status;
    if (operands.count == 0)
        return cli_wrong("eval: no MODEL; write elman eval MODEL [FILE...]");
    if (cli_context((int)v.threads, &context, &error) != ELMAN_OK)
        return cli_fail_error(&error);
    if (elman_lm_open(context, operands.list[0], &lm, &error) != ELMAN_OK ||
        elman_lm_eval(context, lm, (const char *const *)operands.list + 1, operands.count - 1,
                      &result, &error) != ELMAN_OK)
        status = cli_fail_error(&error);
    else if (v.json)
        print_json(&result);
    else
        print_table(&result);
    elman_lm_free(lm);
    elman_context_free(context);
    return status;
}

static const char *const usage[] = {"eval MODEL [FILE...] [OPTION...]", NULL};
static const char *const examples[] = {
    "elman eval shakespeare", "The loss over the part of the text that was kept for validation.",
    "elman eval shakespeare sonnets.txt --json", "The loss over another text, for a script.", NULL};

const cli_verb cli_eval = {
    .name = "eval",
    .summary = "how well a model predicts a text",
    .usage = usage,
    .description =
        "Reads the files as one stream of text from the zero state and prints the mean loss of "
        "a token in nats, the perplexity (e to the loss) and the bits of a token. Without a "
        "file it takes the text that MODEL was validated on.\n\n"
        "A character that MODEL's vocabulary does not have is an error that says where it "
        "stands.",
    .examples = examples,
    .own = &table,
    .run = run,
};
