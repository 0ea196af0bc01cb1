/* elman eval: what a model is worth. */
#include <math.h>
#include <string.h>

#include "cli.h"
#include "elman/predict.h"
#include "elman/task.h"
#include "json_out.h"
#include "metrics_out.h"

typedef struct values {
    bool json, test;
    int64_t lag, threads;
} values;

static const elman_option options[] = {
    {.name = "test",
     .type = ELMAN_OPTION_FLAG,
     .group = "data",
     .offset = offsetof(values, test),
     .help = "Take the test part of --split TRAIN,VALID,TEST instead of the validation part"},
    {.name = "lag",
     .type = ELMAN_OPTION_INTEGER,
     .argument = "N",
     .group = "data",
     .initial = "auto",
     .minimum = 1,
     .maximum = 1e6,
     .offset = offsetof(values, lag),
     .help = "Of a probe: examples of this lag; auto: of the one that it was trained for"},
    {.name = "json",
     .type = ELMAN_OPTION_FLAG,
     .group = "output",
     .offset = offsetof(values, json),
     .help = "Print one record of JSON: loss, and the task's own figures"},
    CLI_OPTION_THREADS(values, threads),
};
static const elman_option_table table = {options, sizeof(options) / sizeof(options[0])};

static void print_lm(const elman_lm_result *r)
{
    char tokens[32];
    double bits = r->loss / M_LN2;
    cli_grouped(tokens, r->tokens);
    printf("loss            %.4f nats a token\n", r->loss);
    printf("perplexity      %.4g\n", exp(r->loss));
    printf("bits per token  %.4f\n", bits);
    printf("tokens          %s\n", tokens);
}

static void print_lm_json(const elman_lm_result *r)
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

static int eval_lm(elman_context *context, const cli_operands *operands, const values *v)
{
    elman_error error;
    elman_lm *lm = NULL;
    elman_lm_result result;
    int status = CLI_DONE;
    if (v->test)
        return cli_wrong("--test: a language model has no test part; name the file");
    if (v->lag > 0)
        return cli_wrong("--lag: it means nothing to the task lm; it belongs to: probe");
    if (elman_lm_open(context, operands->list[0], &lm, &error) != ELMAN_OK ||
        elman_lm_eval(context, lm, (const char *const *)operands->list + 1, operands->count - 1,
                      &result, &error) != ELMAN_OK)
        status = cli_fail_error(&error);
    else if (v->json)
        print_lm_json(&result);
    else
        print_lm(&result);
    elman_lm_free(lm);
    return status;
}

static int eval_other(elman_context *context, const char *task, const cli_operands *operands,
                      const values *v)
{
    elman_error error;
    elman_predictor *predictor = NULL;
    elman_metrics metrics = {0};
    int status = CLI_DONE;
    if (v->test && operands->count > 1)
        return cli_wrong("--test: it is a part of the data that MODEL was trained with; leave the "
                         "files out");
    if (v->lag > 0 && strcmp(task, "probe") != 0)
        return cli_wrong("--lag: it means nothing to the task %s; it belongs to: probe", task);
    if (elman_predictor_open(context, operands->list[0], &predictor, &error) != ELMAN_OK ||
        (v->lag > 0 && elman_predictor_lag(predictor, v->lag, &error) != ELMAN_OK) ||
        elman_predictor_eval(predictor, (const char *const *)operands->list + 1,
                             operands->count - 1, v->test, &metrics, &error) != ELMAN_OK)
        status = cli_fail_error(&error);
    else if (v->json)
        cli_metrics_json(&metrics);
    else
        cli_metrics_print(&metrics);
    elman_metrics_clear(context, &metrics);
    elman_predictor_free(predictor);
    return status;
}

static int run(const cli_verb *verb, int argc, char **argv)
{
    values v;
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
        return cli_wrong("eval: no MODEL; write elman eval MODEL [FILE...]");
    if (cli_context((int)v.threads, &context, &error) != ELMAN_OK)
        return cli_fail_error(&error);
    status = cli_task_of(context, operands.list[0], task);
    if (status == CLI_DONE)
        status = strcmp(task, "lm") == 0 ? eval_lm(context, &operands, &v)
                                         : eval_other(context, task, &operands, &v);
    elman_context_free(context);
    return status;
}

static const char *const usage[] = {"eval MODEL [FILE...] [OPTION...]", NULL};
static const char *const examples[] = {
    "elman eval shakespeare",
    "The loss over the part of the text that was kept for validation.",
    "elman eval shakespeare sonnets.txt --json",
    "The loss over another text, for a script.",
    "elman eval reviews new-reviews.tsv",
    "Accuracy, precision, recall and F1 of a classifier over other examples.",
    NULL};

const cli_verb cli_eval = {
    .name = "eval",
    .summary = "what a model is worth on data",
    .usage = usage,
    .description =
        "Reads files of the form that MODEL was trained on and prints its loss and the figures of "
        "its task. Without a file it takes the data that MODEL was validated on.\n\n"
        "Of a language model: the mean loss of a token in nats, over the files as one stream from "
        "the zero state, the perplexity (e to the loss) and the bits of a token. A character that "
        "MODEL's vocabulary does not have is an error that says where it stands.\n\n"
        "Of a classifier and a tagger: accuracy, and precision, recall and F1 of each label. Of a "
        "forecast: errors over rolling origins, beside those of simple baselines. Of a probe: its "
        "loss beside that of guessing, over examples that it was not trained on.",
    .examples = examples,
    .own = &table,
    .run = run,
};
