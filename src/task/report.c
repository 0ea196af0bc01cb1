/* A page on a trained model, put together. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/logarithm.h"
#include "base/memory.h"
#include "task/report_impl.h"

void elman_report_options_default(elman_report_options *options)
{
    *options = (elman_report_options){.size = sizeof *options, .length = 600, .updates = 60};
}

static elman_status check(const elman_report_options *o, elman_error *error)
{
    if (o->size != sizeof *o)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "elman_report_options: wrong size; use elman_report_options_default");
    if (o->length < 0 || o->length > 1 << 20)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "length: found %" PRId64 ", expected 0 to %d tokens", o->length, 1 << 20);
    if (o->updates < 0)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "updates: found %" PRId64 ", expected 0 or more", o->updates);
    return ELMAN_OK;
}

static elman_status open_model(elman_report *r, elman_error *error)
{
    ELMAN_TRY(elman_config_file_read_model(r->context, r->folder, &r->file, error));
    char *path = elman_path_join(r->folder, "model.safetensors");
    if (!path)
        return elman_out_of_memory(error);
    elman_status status = elman_safetensors_read(r->context, path, NULL, &r->weights, error);
    free(path);
    return status;
}

static int64_t parameter_count(const elman_report *r)
{
    int64_t count = 0;
    for (size_t i = 0; i < elman_safetensors_count(r->weights); i++) {
        const elman_tensor_view *v = elman_safetensors_at(r->weights, i);
        count += (int64_t)(v->bytes / elman_dtype_bytes(v->dtype));
    }
    return count;
}

static const char *kind_of(const elman_config_file *file)
{
    static const struct {
        const char *task, *kind;
    } kinds[] = {{"classify", "A classifier"},
                 {"tag", "A tagger"},
                 {"forecast", "A forecaster"},
                 {"probe", "A probe of long dependencies"}};
    if (!strcmp(file->task, "lm"))
        return file->config.level == ELMAN_LEVEL_WORD   ? "A language model of words"
               : file->config.level == ELMAN_LEVEL_BYTE ? "A language model of bytes"
                                                        : "A language model of characters";
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i].task, file->task))
            return kinds[i].kind;
    return file->task;
}

/* "A language model of characters: 2 LSTM layers of 256 units, 1,086,017 parameters." */
static void describe(const elman_report *r, char text[256])
{
    static const char *const cells[] = {"Elman (tanh)", "Elman (ReLU)", "LSTM", "GRU"};
    const elman_config *c = &r->file.config;
    char count[40];
    elman_report_grouped(count, parameter_count(r));
    snprintf(text, 256, "%s: %" PRId64 " %s%s%s layer%s of %" PRId64 " units, %s parameters.",
             kind_of(&r->file), c->layers, c->bidirectional ? "bidirectional " : "",
             c->layer_norm ? "layer-normalised " : "",
             c->cell >= 0 && c->cell < 4 ? cells[c->cell] : "recurrent", c->layers == 1 ? "" : "s",
             c->hidden, count);
}

static const elman_history_validation *best_of(const elman_history *h)
{
    const elman_history_validation *best = NULL;
    for (size_t i = 0; i < h->validation_count; i++)
        if (h->validations[i].best)
            best = &h->validations[i];
    return best;
}

static void put_facts(elman_report *r)
{
    const elman_history *h = &r->history;
    const elman_history_validation *best = best_of(h);
    const elman_history_interval *last =
        h->interval_count ? &h->intervals[h->interval_count - 1] : NULL;
    char value[40], below[96], name[64];
    elman_text_buffer_put(&r->html, "<dl class=\"facts\">\n");
    if (best && h->metric[0]) {
        elman_report_number(value, best->value, 4);
        snprintf(name, sizeof name, "Validation %s", h->metric);
        elman_report_put_fact(&r->html, name, value, "of the weights that were kept");
    }
    if (best) {
        elman_report_number(value, best->loss, 4);
        snprintf(below, sizeof below, "at step %" PRId64, best->step);
        elman_report_put_fact(&r->html, "Validation loss", value, below);
        if (!strcmp(r->file.task, "lm")) {
            elman_report_number(value, elman_exponential(best->loss), 4);
            elman_report_put_fact(&r->html, "Perplexity", value, "e to the loss");
        }
    }
    elman_report_grouped(value, parameter_count(r));
    elman_report_put_fact(&r->html, "Parameters", value, "numbers that were trained");
    if (last) {
        elman_report_grouped(value, last->step);
        elman_report_number(name, last->epoch, 3);
        snprintf(below, sizeof below, "%s epochs", name);
        elman_report_put_fact(&r->html, "Updates", value, below);
        elman_report_duration(value, last->seconds);
        elman_report_put_fact(&r->html, "Trained for", value, "on the machine that trained it");
    }
    elman_text_buffer_put(&r->html, "</dl>\n");
}

static elman_status write_parts(elman_report *r, elman_error *error)
{
    static elman_status (*const parts[])(elman_report *, elman_error *) = {
        elman_report_answers, elman_report_training, elman_report_gradient, elman_report_findings,
        elman_report_model};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (r->options->stop && *r->options->stop)
            return elman_fail(error, ELMAN_ERROR_INTERRUPTED, "stopped; no report was written");
        ELMAN_TRY(parts[i](r, error));
    }
    return ELMAN_OK;
}

/* "runs/reviews/" is called reviews. */
static void name_of(const char *folder, char name[256])
{
    size_t end = strlen(folder), begin;
    while (end > 1 && folder[end - 1] == '/')
        end--;
    for (begin = end; begin > 0 && folder[begin - 1] != '/'; begin--)
        ;
    snprintf(name, 256, "%.*s", (int)(end - begin < 255 ? end - begin : 255), folder + begin);
}

/* Nothing is lost to a page but another page: no data, no file of the model, nobody's letters. */
static elman_status check_output(const elman_report *r, const char *path, elman_error *error)
{
    bool stands, page = false, data = false;
    ELMAN_TRY(elman_path_look(path, &stands, error));
    if (!stands)
        return ELMAN_OK;
    for (int64_t i = 0; i < r->file.data_count && !data; i++)
        data = elman_path_same(path, r->file.data[i].path);
    for (int i = 0; i < r->options->data_count && !data; i++)
        data = elman_path_same(path, r->options->data[i]);
    if (data)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "%s: is one of the data; choose another name for the page", path);
    ELMAN_TRY(elman_file_begins(path, ELMAN_REPORT_FIRST, &page, error));
    return page ? ELMAN_OK
                : elman_fail(error, ELMAN_ERROR_ARGUMENT,
                             "%s: stands there and does not begin with " ELMAN_REPORT_FIRST
                             " as a page does; choose another name for the page",
                             path);
}

static elman_status write_page(elman_report *r, const char *path, elman_error *error)
{
    char name[256], text[256];
    elman_error found = {0};
    ELMAN_TRY(open_model(r, error));
    ELMAN_TRY(check_output(r, path, error));
    /* metrics.jsonl may be broken and the model whole: what could be read is shown */
    elman_status status = elman_history_read_run(r->context, r->folder, &r->history, &found);
    name_of(r->folder, name);
    describe(r, text);
    elman_report_begin(&r->html, r->options->title ? r->options->title : name, text);
    ELMAN_TRY(elman_report_lack(r, "the training so far", status, &found, error));
    put_facts(r);
    ELMAN_TRY(write_parts(r, error));
    elman_report_end(&r->html);
    return r->html.failed ? elman_out_of_memory(error) : ELMAN_OK;
}

elman_status elman_report_write(elman_context *context, const char *folder, const char *path,
                                const elman_report_options *options, elman_error *error)
{
    elman_report_options usual;
    elman_report_options_default(&usual);
    elman_report r = {.context = context, .folder = folder, .options = options ? options : &usual};
    ELMAN_TRY(check(r.options, error));
    elman_text_buffer_init(&r.html, context);
    elman_status status = write_page(&r, path, error);
    if (status == ELMAN_OK)
        status = elman_file_replace(path, r.html.bytes, r.html.used, error);
    elman_text_buffer_free(&r.html);
    elman_history_clear(context, &r.history);
    elman_safetensors_free(r.weights);
    elman_config_file_clear(context, &r.file);
    return status;
}
