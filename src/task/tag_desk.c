#include "task/tag_desk.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "format/json.h"

enum { TOGETHER = 64 }; /* examples answered at once */

void elman_tag_desk_init(elman_tag_desk *d, elman_tagger *tagger, const elman_lines *lines,
                         bool json)
{
    *d = (elman_tag_desk){.tagger = tagger, .lines = lines, .json = json};
    elman_intern_init(&d->names, tagger->context);
    tagger->answered = false;
    elman_tag_examples_clear(&tagger->examples);
}

void elman_tag_desk_free(elman_tag_desk *d)
{
    elman_context *context = d->tagger->context;
    elman_release(context, d->text);
    elman_release(context, d->list);
    elman_release(context, d->sequences);
    elman_release(context, d->out);
    elman_intern_free(&d->names);
}

elman_status elman_tag_desk_put(elman_tag_desk *d, const char *text, size_t size,
                                elman_tag_ending ending, char separator, elman_error *error)
{
    elman_context *context = d->tagger->context;
    char *bytes = elman_grown(context, d->text, d->text_used, &d->text_room, size + 1, 1);
    d->text = bytes ? bytes : d->text;
    elman_tag_line *list = elman_grown(context, d->list, d->count, &d->list_room, 1, sizeof *list);
    d->list = list ? list : d->list;
    if (!bytes || !list)
        return elman_out_of_memory(error);
    if (size)
        memcpy(bytes + d->text_used, text, size);
    list[d->count++] = (elman_tag_line){d->text_used, size, ending, separator};
    d->text_used += size;
    return ELMAN_OK;
}

static elman_status print(elman_tag_desk *d, const char *text, size_t size, elman_error *error)
{
    char *out = elman_grown(d->tagger->context, d->out, d->out_used, &d->out_room, size + 1, 1);
    if (!out)
        return elman_out_of_memory(error);
    d->out = out;
    if (size)
        memcpy(out + d->out_used, text, size);
    d->out_used += size;
    return ELMAN_OK;
}

static elman_status print_lines(elman_tag_desk *d, elman_error *error)
{
    int64_t step = 0;
    for (size_t i = 0; i < d->count; i++) {
        const elman_tag_line *line = &d->list[i];
        ELMAN_TRY(print(d, d->text + line->offset, line->size, error));
        if (line->ending != ELMAN_TAG_NOTHING) {
            const char *tag = line->ending == ELMAN_TAG_NONE ? "_" : "tag";
            if (line->ending == ELMAN_TAG_TAG)
                tag = elman_tagger_tag(d->tagger, d->tagger->tags[step++]);
            ELMAN_TRY(print(d, &line->separator, 1, error));
            ELMAN_TRY(print(d, tag, strlen(tag), error));
        }
        ELMAN_TRY(print(d, "\n", 1, error));
    }
    return ELMAN_OK;
}

/* Six digits behind the point say all there is to say. */
static double rounded(float probability)
{
    return (double)(int64_t)((double)probability * 1e6 + 0.5) / 1e6;
}

/* The words, or the name of the sequence. */
static bool describe(const elman_tag_desk *d, int64_t i, elman_json *record)
{
    const elman_tag_examples *e = &d->tagger->examples;
    if (!e->words)
        return elman_json_set(
            record, "sequence",
            elman_json_string(elman_intern_text(&d->names, d->sequences[i], NULL)));
    elman_json *words = elman_json_array();
    bool good = words != NULL;
    for (int64_t w = e->sentences.starts[i]; good && w < e->sentences.starts[i + 1]; w++) {
        size_t size;
        const char *word = elman_intern_text(&e->sentences.spellings, e->sentences.words[w], &size);
        good = elman_json_append(words, elman_json_string_of(word, size));
    }
    return elman_json_set(record, "words", words) && good;
}

static bool list_tags(const elman_tag_desk *d, int64_t i, elman_json *record)
{
    const elman_tagger *t = d->tagger;
    int64_t K = t->network.labels.count;
    elman_json *tags = elman_json_array(), *probabilities = elman_json_array();
    bool good = tags && probabilities;
    for (int64_t s = elman_tag_start(&t->examples, i);
         good && s < elman_tag_start(&t->examples, i + 1); s++) {
        good = elman_json_append(tags, elman_json_string(elman_tagger_tag(t, t->tags[s]))) &&
               elman_json_append(probabilities,
                                 elman_json_real(rounded(t->probabilities[s * K + t->tags[s]])));
    }
    bool set = elman_json_set(record, "tags", tags);
    return elman_json_set(record, "probabilities", probabilities) && set && good;
}

static elman_status print_record(elman_tag_desk *d, int64_t i, elman_error *error)
{
    char *text = NULL;
    size_t size;
    elman_json *record = elman_json_object();
    bool good = record && describe(d, i, record) && list_tags(d, i, record);
    elman_status status = good ? elman_json_print(d->tagger->context, record, ELMAN_JSON_LINE_END,
                                                  &text, &size, error)
                               : elman_out_of_memory(error);
    elman_json_free(record);
    if (status == ELMAN_OK)
        status = print(d, text, size, error);
    elman_release(d->tagger->context, text);
    return status;
}

elman_status elman_tag_desk_answer(elman_tag_desk *d, elman_error *error)
{
    elman_tag_examples *e = &d->tagger->examples;
    if (!d->count && !e->count)
        return ELMAN_OK;
    if (e->count)
        ELMAN_TRY(elman_tagger_answer(d->tagger, error));
    d->out_used = 0;
    if (!d->json)
        ELMAN_TRY(print_lines(d, error));
    for (int64_t i = 0; d->json && i < e->count; i++)
        ELMAN_TRY(print_record(d, i, error));
    elman_tag_examples_clear(e);
    elman_intern_clear(&d->names);
    d->count = d->text_used = 0;
    d->tagger->answered = false;
    if (!d->out_used)
        return ELMAN_OK;
    ELMAN_TRY(d->lines->write(d->lines->user, d->out, d->out_used, error));
    return d->lines->flush ? d->lines->flush(d->lines->user, error) : ELMAN_OK;
}

elman_status elman_tag_desk_turn(elman_tag_desk *d, elman_error *error)
{
    return d->tagger->examples.count < TOGETHER ? ELMAN_OK : elman_tag_desk_answer(d, error);
}

elman_status elman_tag_desk_read(void *user, const char **line, size_t *size, elman_error *error)
{
    elman_tag_desk *d = user;
    if (d->count && !(d->lines->ready && d->lines->ready(d->lines->user)))
        ELMAN_TRY(elman_tag_desk_answer(d, error));
    return d->lines->read(d->lines->user, line, size, error);
}

elman_status elman_tag_predict(void *model, const elman_predict_options *options,
                               const elman_lines *lines, elman_error *error)
{
    elman_tagger *t = model;
    elman_tag_desk desk;
    elman_error kept = {0};
    elman_tag_desk_init(&desk, t, lines, options->json);
    elman_status status = t->examples.words ? elman_tag_predict_sentences(&desk, &kept)
                                            : elman_tag_predict_rows(&desk, &kept);
    /* what stands before a mistake is answered all the same */
    elman_error late = {0};
    elman_status answered = elman_tag_desk_answer(&desk, &late);
    elman_tag_desk_free(&desk);
    if (status != ELMAN_OK)
        return elman_fail(error, status, "%s", kept.message);
    return answered == ELMAN_OK ? ELMAN_OK : elman_fail(error, answered, "%s", late.message);
}
