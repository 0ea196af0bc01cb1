/* elman inspect: what a model or a configuration is made of. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "elman/cell.h"
#include "elman/task.h"
#include "inspect.h"
#include "json_out.h"

typedef struct values {
    bool json;
} values;

static const elman_option options[] = {
    {.name = "json",
     .type = ELMAN_OPTION_FLAG,
     .group = "output",
     .offset = offsetof(values, json),
     .help = "Print one record of JSON: configuration, parameters, training"},
};
static const elman_option_table table = {options, sizeof(options) / sizeof(options[0])};

typedef struct subject {
    const char *name;
    bool model; /* a folder; otherwise a file of configuration */
    elman_config_file file;
    cli_tensors tensors; /* empty where the sizes are not known */
    bool planned;        /* from the configuration, not from the weights */
    cli_training training;
} subject;

static const char *text_of(const elman_config *config, const char *name, char text[64])
{
    const elman_option *o = elman_options_find(elman_config_options(), name);
    elman_options_get(o, config, text, 64);
    return text;
}

static void print_size(const char *what, int64_t value, const char *unit)
{
    if (value > 0)
        printf("%s%" PRId64 "%s", what, value, unit);
    else
        printf("%sauto%s", what, unit);
}

/* What a model of the other tasks reads and answers, and the options that its network has. */
static void print_other_network(const subject *s)
{
    const elman_config *c = &s->file.config;
    const elman_option_table *all = elman_config_options();
    char text[64];
    bool probe = strcmp(s->file.task, "probe") == 0;
    printf("%s: %s; ", s->name, s->file.task);
    if (probe)
        printf("%s over a lag of %s; ", text_of(c, "task", text), c->lag);
    if (c->vocabulary > 0)
        printf("reads words, %" PRId64 " of them; ", c->vocabulary);
    else if (c->inputs > 0)
        printf("reads %" PRId64 " number%s a step; ", c->inputs, c->inputs == 1 ? "" : "s");
    printf("answers %" PRId64 " %s\n\nNetwork\n", c->outputs,
           probe && c->outputs == 1                ? "number"
           : probe                                 ? "symbols"
           : strcmp(s->file.task, "forecast") == 0 ? "numbers"
                                                   : "labels");
    for (size_t i = 0; i < all->count; i++) {
        const elman_option *o = &all->options[i];
        text_of(c, o->name, text);
        bool none = text[0] == 0 || strcmp(text, "0") == 0 || strcmp(text, "false") == 0;
        none = none || strcmp(text, "auto") == 0 ||
               (strcmp(o->name, "char-embedding") == 0 && c->char_hidden == 0);
        if (!none && !o->untyped && strcmp(o->group, "network") == 0 &&
            elman_option_concerns(o, s->file.task))
            printf("  %-15s %s\n", o->name, strcmp(text, "true") == 0 ? "yes" : text);
    }
}

static bool is_lm(const subject *s)
{
    return s->file.task[0] == 0 || strcmp(s->file.task, "lm") == 0;
}

static void print_network(const subject *s)
{
    const elman_config *c = &s->file.config;
    char text[64];
    static const char *const kinds[] = {"characters", "bytes", "words"};
    printf("%s: %s of %s", s->name, s->model ? "a language model" : "a configuration for models",
           kinds[c->level]);
    if (c->vocabulary > 0)
        printf(", %" PRId64 " of them", c->vocabulary);
    printf("\n\nNetwork\n");
    print_size("  layers      ", c->layers, "");
    print_size(" of ", c->hidden, " units, ");
    printf("%s%s\n", c->layer_norm ? "layer-normalised " : "", text_of(c, "cell", text));
    print_size("  embedding   ", c->embedding > 0 ? c->embedding : c->hidden, "");
    printf("%s\n", c->tied ? ", tied to the output" : "");
    printf("  dropout     %s\n", text_of(c, "dropout", text));
}

static void shape_text(const cli_tensor *t, char text[128])
{
    int used = 0;
    text[0] = 0;
    for (int d = 0; d < t->rank && used < 100; d++)
        used += snprintf(text + used, 128 - (size_t)used, "%s%" PRId64, d > 0 ? " x " : "",
                         t->shape[d]);
    if (t->rank == 0)
        snprintf(text, 128, "1");
}

static void print_parameters(const subject *s)
{
    int64_t count, bytes;
    char number[32], other[32], shape[128];
    if (s->tensors.size == 0) {
        printf("\nThe parameters follow from the data that it is trained on.\n");
        return;
    }
    printf("\nParameters%31s%15s%15s\n", "shape", "count", "bytes");
    for (size_t i = 0; i < s->tensors.size; i++) {
        const cli_tensor *t = &s->tensors.list[i];
        shape_text(t, shape);
        cli_grouped(number, (unsigned long long)t->count);
        cli_grouped(other, (unsigned long long)t->bytes);
        printf("  %-22.60s%17s%15s%15s\n", t->name, shape, t->tied ? "tied" : number,
               t->tied ? "" : other);
    }
    cli_tensors_total(&s->tensors, &count, &bytes);
    cli_grouped(number, (unsigned long long)count);
    cli_grouped(other, (unsigned long long)bytes);
    printf("  %-39s%15s%15s\n", "in all", number, other);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL && slash[1] != 0 ? slash + 1 : path;
}

static void print_training(const subject *s)
{
    const cli_training *t = &s->training;
    const elman_config *c = &s->file.config;
    char a[64], b[64], took[32];
    printf("\nTraining\n");
    printf("  recipe      %s, ", text_of(c, "optimizer", a));
    printf("rate %s, ", text_of(c, "lr", a));
    printf("%s, batch %s, ", c->schedule, text_of(c, "batch", a));
    if (is_lm(s))
        printf("bptt %s, ", text_of(c, "bptt", a));
    printf("seed %s\n", text_of(c, "seed", b));
    for (int64_t i = 0; i < s->file.data_count; i++) {
        cli_grouped(a, s->file.data[i].bytes);
        printf("  %-11s %s, %s bytes\n",
               i < s->file.train_count ? is_lm(s) ? "text" : "data" : "validation",
               base_name(s->file.data[i].path), a);
    }
    if (!s->model)
        return;
    if (!t->any) {
        printf("  so far      nothing\n");
        return;
    }
    cli_duration(took, t->seconds);
    printf("  so far      step %" PRId64 ", epoch %.2f, %s\n", t->step, t->epoch, took);
    if (!isnan(t->loss))
        printf("  loss        %.4f%s at last\n", t->loss, is_lm(s) ? " nats a token" : "");
    if (t->validated)
        printf("  validation  %.4f at best (step %" PRId64 ", epoch %.2f), %.4f at last\n",
               t->best_loss, t->best_step, t->best_epoch, t->valid_loss);
}

static void put_json_option(cli_json *json, const elman_option *o, const elman_config *config)
{
    char text[ELMAN_CONFIG_TEXT];
    elman_options_get(o, config, text, sizeof(text));
    bool number = o->type == ELMAN_OPTION_INTEGER || o->type == ELMAN_OPTION_REAL;
    if (o->type == ELMAN_OPTION_FLAG)
        cli_json_bool(json, o->name, strcmp(text, "true") == 0);
    else if (!number || strcmp(text, "auto") == 0)
        cli_json_text(json, o->name, text);
    else if (o->type == ELMAN_OPTION_INTEGER)
        cli_json_integer(json, o->name, strtoll(text, NULL, 10));
    else
        cli_json_real(json, o->name, strtod(text, NULL));
}

static void print_json(const subject *s)
{
    cli_json j;
    int64_t count, bytes;
    const elman_option_table *all = elman_config_options();
    cli_json_begin(&j, stdout);
    cli_json_open(&j, NULL, '{');
    cli_json_text(&j, "name", s->name);
    cli_json_text(&j, "task", s->file.task);
    cli_json_open(&j, "options", '{');
    for (size_t i = 0; i < all->count; i++)
        if (all->options[i].recorded &&
            elman_option_concerns(&all->options[i], is_lm(s) ? "lm" : s->file.task))
            put_json_option(&j, &all->options[i], &s->file.config);
    cli_json_close(&j, '}');
    cli_json_open(&j, "parameters", '[');
    for (size_t i = 0; i < s->tensors.size; i++) {
        const cli_tensor *t = &s->tensors.list[i];
        cli_json_open(&j, NULL, '{');
        cli_json_text(&j, "name", t->name);
        cli_json_open(&j, "shape", '[');
        for (int d = 0; d < t->rank; d++)
            cli_json_integer(&j, NULL, t->shape[d]);
        cli_json_close(&j, ']');
        cli_json_integer(&j, "count", t->count);
        cli_json_integer(&j, "bytes", t->bytes);
        cli_json_bool(&j, "tied", t->tied);
        cli_json_close(&j, '}');
    }
    cli_json_close(&j, ']');
    cli_tensors_total(&s->tensors, &count, &bytes);
    cli_json_integer(&j, "count", count);
    cli_json_integer(&j, "bytes", bytes);
    if (s->training.any) {
        const cli_training *t = &s->training;
        cli_json_open(&j, "training", '{');
        cli_json_integer(&j, "step", t->step);
        cli_json_real(&j, "epoch", t->epoch);
        cli_json_real(&j, "seconds", t->seconds);
        cli_json_real(&j, "loss", t->loss);
        cli_json_real(&j, "valid_loss", t->valid_loss);
        cli_json_real(&j, "best_loss", t->best_loss);
        if (t->validated)
            cli_json_integer(&j, "best_step", t->best_step);
        cli_json_close(&j, '}');
    }
    cli_json_close(&j, '}');
    cli_json_end(&j);
}

static int read_subject(elman_context *context, subject *s)
{
    struct stat info;
    elman_error error;
    char path[CLI_PATH];
    if (stat(s->name, &info) != 0)
        return errno == ENOENT ? cli_fail("%s: no such model", s->name)
                               : cli_fail("%s: %s", s->name, strerror(errno));
    s->model = S_ISDIR(info.st_mode);
    if (!s->model) {
        if (elman_config_file_read_draft(context, s->name, &s->file, &error) != ELMAN_OK)
            return cli_fail_error(&error);
    } else {
        if (!cli_join(path, s->name, "config.json"))
            return cli_fail("%s: the name is too long", s->name);
        if (elman_config_file_read(context, path, &s->file, &error) != ELMAN_OK)
            return cli_fail_error(&error);
        if (cli_join(path, s->name, "metrics.jsonl"))
            cli_training_read(path, &s->training);
        if (!cli_join(path, s->name, "model.safetensors"))
            return cli_fail("%s: the name is too long", s->name);
        /* none before the first validation of a training */
        if (access(path, F_OK) == 0) {
            if (cli_tensors_read(context, path, &s->file.config, &s->tensors, &error) != ELMAN_OK)
                return cli_fail_error(&error);
            return CLI_DONE;
        }
    }
    s->planned = true;
    const elman_config *c = &s->file.config;
    if (is_lm(s) && c->layers > 0 && c->hidden > 0 && c->vocabulary > 0 &&
        !cli_tensors_plan(c, &s->tensors))
        return cli_fail("%s: no memory for its parameters", s->name);
    return CLI_DONE;
}

static int run(const cli_verb *verb, int argc, char **argv)
{
    values v;
    cli_operands operands;
    bool answered;
    elman_error error;
    elman_context *context = NULL;
    static subject s;
    const cli_set set = {&table, &v, NULL};
    elman_options_default(&table, &v);
    int status = cli_parse(verb, argc, argv, &set, 1, &operands, &answered);
    if (answered)
        return status;
    if (operands.count != 1)
        return cli_wrong("inspect: found %d operands, expected one: MODEL, or a file like its "
                         "config.json",
                         operands.count);
    s.name = operands.list[0];
    if (cli_context(1, &context, &error) != ELMAN_OK)
        return cli_fail_error(&error);
    status = read_subject(context, &s);
    if (status == CLI_DONE && v.json) {
        print_json(&s);
    } else if (status == CLI_DONE) {
        if (is_lm(&s))
            print_network(&s);
        else
            print_other_network(&s);
        print_parameters(&s);
        if (is_lm(&s) && s.file.config.layers > 0) {
            printf("\nThree steps; every column is the same weights\n\n");
            cli_picture(&s.file.config, cli_is_utf8());
        }
        print_training(&s);
    }
    cli_tensors_free(&s.tensors);
    elman_config_file_clear(context, &s.file);
    elman_context_free(context);
    return status;
}

static const char *const usage[] = {"inspect MODEL|CONFIG [OPTION...]", NULL};
static const char *const examples[] = {"elman inspect shakespeare",
                                       "What the model is, how large, and how far its training is.",
                                       NULL};

const cli_verb cli_inspect = {
    .name = "inspect",
    .summary = "layers, shapes, parameters, the training so far",
    .usage = usage,
    .description =
        "Shows the network of a model, or of a file like MODEL/config.json: its layers, the "
        "shape and size of every parameter, of a language model a picture of it unrolled over "
        "three "
        "steps, and how far its training is.",
    .examples = examples,
    .own = &table,
    .run = run,
};
