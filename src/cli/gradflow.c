/* elman gradflow: where the gradient goes through time. */
#include <math.h>
#include <string.h>

#include "cli.h"
#include "config_of.h"
#include "elman/gradient_flow.h"
#include "gradflow.h"

typedef struct values {
    double linear;
    int64_t lags, samples, jacobians, threads;
    bool json, bptt_bias;
    char plot[CLI_PATH];
} values;

/* clang-format off */
static const elman_option options[] = {
    {.name = "lags", .type = ELMAN_OPTION_INTEGER, .argument = "K", .group = "what is measured",
     .initial = "auto", .minimum = 1, .maximum = ELMAN_FLOW_MOST_LAGS,
     .offset = offsetof(values, lags),
     .help = "Greatest lag; auto: of a text 100 or as far as training goes back, else as far as the "
             "sequences reach"},
    {.name = "samples", .type = ELMAN_OPTION_INTEGER, .argument = "N", .group = "what is measured",
     .initial = "64", .minimum = 1, .maximum = 100000, .offset = offsetof(values, samples),
     .help = "Steps of the data, spread evenly, whose loss is followed back"},
    {.name = "jacobians", .type = ELMAN_OPTION_INTEGER, .argument = "N",
     .group = "what is measured", .initial = "8", .minimum = 0, .maximum = 100000,
     .offset = offsetof(values, jacobians),
     .help = "Steps at which the Jacobian of one step is taken; 0: none"},
    {.name = "linear", .type = ELMAN_OPTION_REAL, .argument = "FACTOR", .group = "what is measured",
     .initial = "auto", .minimum = 0, .maximum = 2, .automatic = -1,
     .offset = offsetof(values, linear),
     .help = "Instead of a model: the recurrence h' = FACTOR h + x, whose gradient is FACTOR to the "
             "power of the lag"},
    {.name = "bptt-bias", .type = ELMAN_OPTION_FLAG, .group = "what is measured",
     .offset = offsetof(values, bptt_bias),
     .help = "Instead: what truncation to K steps does to the gradient of a text, by K; --lags is the "
             "length of the stretch"},
    {.name = "json", .type = ELMAN_OPTION_FLAG, .group = "output", .offset = offsetof(values, json),
     .help = "Print a record of JSON a lag, and one a layer"},
    {.name = "plot", .type = ELMAN_OPTION_TEXT, .argument = "FILE", .group = "output",
     .offset = offsetof(values, plot), .capacity = CLI_PATH,
     .help = "Draw it too, into FILE.svg or FILE.png: by lag, by gate, and of a model trained with "
             "--watch gradients by training step"},
    CLI_OPTION_THREADS(values, threads),
};
/* clang-format on */
static const elman_option_table table = {options, sizeof(options) / sizeof(options[0])};

static int refused(elman_status outcome, const elman_error *error)
{
    return outcome == ELMAN_ERROR_ARGUMENT ? cli_wrong("%s", error->message)
                                           : cli_fail_error(error);
}

static int measure_truncation(elman_context *context, const values *v, const cli_operands *operands)
{
    elman_error error;
    elman_truncation_options wanted;
    elman_truncation rows[ELMAN_TRUNCATIONS];
    elman_status outcome;
    int count;
    char *const *data = operands->list + 1;
    elman_truncation_options_default(&wanted);
    wanted.length = v->lags;
    if (cli_is_folder(operands->list[0])) {
        outcome = elman_truncation_model(context, operands->list[0], (const char *const *)data,
                                         operands->count - 1, &wanted, rows, &count, &error);
    } else {
        cli_request asked;
        int status = cli_request_of(context, operands->list[0], data, operands->count - 1, &asked);
        if (status != CLI_DONE)
            return status;
        outcome = elman_truncation_request(context, &asked.request, &wanted, rows, &count, &error);
    }
    if (outcome != ELMAN_OK)
        return refused(outcome, &error);
    if (v->json)
        cli_truncation_json(rows, count);
    else
        cli_truncation_print(rows, count);
    return CLI_DONE;
}

static int measure(elman_context *context, const values *v, const cli_operands *operands,
                   elman_flow *flow)
{
    elman_error error;
    elman_flow_options wanted;
    elman_status outcome;
    const char *folder = NULL;
    char *const *data = operands->list + 1;
    elman_flow_options_default(&wanted);
    wanted.lags = v->lags;
    wanted.samples = v->samples;
    wanted.jacobians = v->jacobians;
    if (v->linear >= 0) {
        outcome = elman_flow_linear(context, v->linear, &wanted, flow, &error);
    } else if (cli_is_folder(operands->list[0])) {
        folder = operands->list[0];
        outcome = elman_flow_model(context, folder, (const char *const *)data, operands->count - 1,
                                   &wanted, flow, &error);
    } else {
        cli_request asked;
        int status = cli_request_of(context, operands->list[0], data, operands->count - 1, &asked);
        if (status != CLI_DONE)
            return status;
        outcome = elman_flow_request(context, &asked.request, &wanted, flow, &error);
    }
    if (outcome != ELMAN_OK)
        return refused(outcome, &error);
    if (v->json)
        cli_flow_json(flow);
    else
        cli_flow_print(flow, v->lags);
    if (v->plot[0] != 0 && elman_flow_plot(context, flow, folder, v->plot, &error) != ELMAN_OK)
        return cli_fail_error(&error);
    return CLI_DONE;
}

/* Options that do not go together. */
static int check(const values *v, const char *const *given, const cli_operands *operands)
{
    static const char *const others[] = {"samples", "jacobians", "plot"};
    elman_error error;
    if (v->linear >= 0 && v->bptt_bias)
        return cli_wrong("gradflow: --linear and --bptt-bias measure two things; give one of them");
    for (size_t i = 0; v->bptt_bias && i < sizeof(others) / sizeof(others[0]); i++)
        if (cli_is_given(&table, given, others[i]))
            return cli_wrong("gradflow: --%s means nothing to --bptt-bias; leave one of them out",
                             others[i]);
    if (v->plot[0] != 0 && elman_flow_plot_check(v->plot, &error) != ELMAN_OK)
        return cli_wrong("%s", error.message);
    if (v->linear >= 0 && operands->count > 0)
        return cli_wrong("gradflow: --linear takes no model and no data; found %s",
                         operands->list[0]);
    if (v->linear < 0 && operands->count == 0)
        return cli_wrong("gradflow: no MODEL; write elman gradflow MODEL [FILE...]");
    return CLI_DONE;
}

static int run(const cli_verb *verb, int argc, char **argv)
{
    values v;
    cli_operands operands;
    bool answered;
    elman_error error;
    elman_context *context = NULL;
    elman_flow flow = {0};
    const char *given[sizeof(options) / sizeof(options[0])] = {NULL};
    const cli_set set = {&table, &v, given};
    elman_options_default(&table, &v);
    int status = cli_parse(verb, argc, argv, &set, 1, &operands, &answered);
    if (answered)
        return status;
    status = check(&v, given, &operands);
    if (status != CLI_DONE)
        return status;
    if (cli_context((int)v.threads, &context, &error) != ELMAN_OK)
        return cli_fail_error(&error);
    status = v.bptt_bias ? measure_truncation(context, &v, &operands)
                         : measure(context, &v, &operands, &flow);
    elman_flow_clear(context, &flow);
    elman_context_free(context);
    return status;
}

static const char *const usage[] = {"gradflow MODEL [FILE...] [OPTION...]",
                                    "gradflow CONFIG FILE... [OPTION...]",
                                    "gradflow --linear FACTOR [OPTION...]", NULL};
static const char *const examples[] = {
    "elman gradflow shakespeare",
    "Each layer of a trained model, over the text that it was trained on.",
    "elman gradflow rnn.json shakespeare.txt",
    "The network that rnn.json describes, such as {\"task\": \"lm\", \"network\": {\"cell\": "
    "\"rnn\"}}, before "
    "training.",
    "elman gradflow shakespeare --bptt-bias",
    "How far the gradient through K steps is from that through 256, and what it costs.",
    "elman gradflow --linear 0.9",
    "What vanishing is: 0.9 to the power of the lag.",
    NULL};

const cli_verb cli_gradflow = {
    .name = "gradflow",
    .summary = "where the gradient goes through time",
    .usage = usage,
    .description =
        "Follows the loss of single steps back through time, and prints for each layer how the "
        "gradient that reaches its state falls or grows with the lag: its norm over that at lag 0, "
        "a geometric mean over many steps, with its geometric deviation. The memory horizon is the "
        "smallest lag from which it stays at or below 1 %.\n\n"
        "Of one step's Jacobian, along the data: its largest singular value and its spectral "
        "radius. Of the units: the share that is saturated or dead. Of the gates: how far open "
        "they are, and after how many steps the forget gate has let go of what a unit holds.\n\n"
        "MODEL is a folder; without files the data are those that it was trained on. CONFIG is a "
        "file written like MODEL/config.json, for a network before training; nothing is written.",
    .examples = examples,
    .own = &table,
    .run = run,
};
