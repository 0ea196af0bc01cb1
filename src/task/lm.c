/* Task lm: a language model of characters, bytes or words.
 *
 *   reads    text files as one stream, cut into B streams that run in parallel
 *   network  elman/model.h: embedding, recurrent layers, linear
 *   loss     cross-entropy of the next token; truncated back-propagation through time over K
 *            steps, the state carried from stretch to stretch, zero at an epoch's start
 *   metric   nats a token over the validation part as one stream
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "elman/batch.h"
#include "elman/layer.h"
#include "task/lm_impl.h"
#include "task/task_impl.h"
#include "train/checkpoint.h"

typedef struct lm {
    elman_context *context;
    const volatile sig_atomic_t *stop;
    const elman_config *config; /* of the elman_config_file that train.c keeps */
    elman_text *text;
    elman_vocabulary *vocabulary;
    elman_lm_split split;
    elman_stream_batches *batches;
    elman_network *network;
    elman_network_state state;
    elman_lm_flow flow;
    int64_t place[2]; /* epoch and position of the next batch, for the checkpoint */
} lm;

static elman_status lm_record(void *self, elman_tape *tape, elman_objective_batch *batch,
                              elman_error *error)
{
    lm *m = self;
    elman_stream_batch b;
    ELMAN_TRY(elman_stream_batches_next(m->batches, &b, error));
    if (b.position == 0)
        memset(m->state.h, 0, elman_lm_state_floats(m->config, m->config->batch) * sizeof(float));
    int64_t B = m->config->batch;
    /* mean over tokens, or summed over time and averaged over the batch */
    double divisor = (double)B * (double)m->config->accumulate;
    if (m->config->reduction == ELMAN_REDUCE_TOKEN)
        divisor *= (double)b.steps;
    const elman_sequences *sequences =
        elman_tape_sequences(tape, b.steps, B, NULL, NULL, (uint32_t)b.position);
    batch->loss = elman_network_loss(tape, m->network, b.inputs, b.targets, sequences, &m->state,
                                     &m->state, (float)(1.0 / divisor), &batch->sum);
    batch->count = (uint64_t)b.steps * (uint64_t)B;
    batch->ends_epoch = b.ends_epoch;
    return ELMAN_OK;
}

static elman_status lm_validate(void *self, elman_tape *tape, elman_validation *validation,
                                elman_error *error)
{
    lm *m = self;
    validation->count = 0;
    if (m->split.valid_first == m->split.valid_end)
        return ELMAN_OK;
    ELMAN_TRY(elman_lm_measure(m->context, tape, m->network, m->text, m->vocabulary,
                               m->split.valid_first, m->split.valid_end, m->stop, &validation->loss,
                               &validation->count, error));
    validation->score = validation->loss;
    return ELMAN_OK;
}

static elman_status lm_flow(void *self, elman_tape *tape, const elman_flow_wish *wish,
                            elman_flow_batch *batch, elman_error *error)
{
    lm *m = self;
    return elman_lm_flow_record(&m->flow, tape, wish, batch, error);
}

static elman_status lm_stretch(void *self, elman_tape *tape, const elman_stretch *stretch,
                               elman_var **loss, elman_error *error)
{
    lm *m = self;
    return elman_lm_flow_stretch(&m->flow, tape, stretch, loss, error);
}

static int64_t lm_longest(void *self)
{
    return elman_lm_flow_longest(&((lm *)self)->flow);
}

static elman_status lm_write(void *self, const char *path, elman_error *error)
{
    lm *m = self;
    return elman_network_write(m->context, m->network, path, error);
}

static elman_status lm_remember(void *self, elman_safetensors_writer *writer, elman_error *error)
{
    lm *m = self;
    size_t shape[1] = {elman_lm_state_floats(m->config, m->config->batch)};
    ELMAN_TRY(elman_safetensors_writer_add(writer, "state.recurrent", ELMAN_DTYPE_F32, 1, shape,
                                           m->state.h, error));
    shape[0] = 2;
    return elman_safetensors_writer_add(writer, "state.place", ELMAN_DTYPE_I64, 1, shape, m->place,
                                        error);
}

static void lm_prepare(void *self)
{
    lm *m = self;
    uint64_t epoch, position;
    elman_stream_batches_tell(m->batches, &epoch, &position);
    m->place[0] = (int64_t)epoch;
    m->place[1] = (int64_t)position;
}

static elman_status lm_restore(void *self, const elman_safetensors *file, elman_error *error)
{
    lm *m = self;
    size_t bytes = elman_lm_state_floats(m->config, m->config->batch) * sizeof(float);
    const elman_tensor_view *state = elman_safetensors_find(file, "state.recurrent");
    const elman_tensor_view *place = elman_safetensors_find(file, "state.place");
    if (!state || state->dtype != ELMAN_DTYPE_F32 || state->bytes != bytes || !place ||
        place->dtype != ELMAN_DTYPE_I64 || place->bytes != sizeof m->place)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "checkpoint.safetensors: state.recurrent or state.place is missing or of "
                          "another size than the run in config.json");
    memcpy(m->state.h, state->data, bytes);
    memcpy(m->place, place->data, sizeof m->place);
    const elman_tensor_view *progress = elman_safetensors_find(file, "progress.integers");
    const struct elman_progress_integers *n = progress->data; /* checked before */
    if (m->place[0] != n->epoch || m->place[1] != n->batch * m->config->bptt)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "checkpoint.safetensors: state.place: epoch %" PRId64
                          ", position %" PRId64 ", expected epoch %" PRId64 ", position %" PRId64,
                          m->place[0], m->place[1], n->epoch, n->batch * m->config->bptt);
    elman_error found = {0};
    elman_status status =
        elman_stream_batches_seek(m->batches, (uint64_t)m->place[0], (uint64_t)m->place[1], &found);
    if (status == ELMAN_ERROR_ARGUMENT)
        status = ELMAN_ERROR_FORMAT;
    return status == ELMAN_OK ? status
                              : elman_fail(error, status, "checkpoint.safetensors: state.place: %s",
                                           found.message);
}

/* --- what the data hold --- */

/* The targets of tokens [first, end) are all but the first. */
static elman_status count_tokens(lm *m, uint64_t first, uint64_t end, int64_t *counts,
                                 elman_error *error)
{
    enum { STRETCH = 4096 };
    int32_t ids[STRETCH];
    elman_text_reader *reader;
    if (end - first < 2)
        return ELMAN_OK;
    ELMAN_TRY(elman_text_reader_open(m->text, m->vocabulary, first + 1, end, &reader, error));
    elman_status status;
    size_t got;
    do {
        status = elman_text_reader_read(reader, ids, STRETCH, &got, error);
        if (status == ELMAN_OK)
            elman_survey_count(counts, ids, 0, (int64_t)got);
    } while (status == ELMAN_OK && got);
    elman_text_reader_free(reader);
    return status;
}

static elman_status lm_survey(void *self, elman_survey *survey, elman_error *error)
{
    lm *m = self;
    const elman_lm_split *s = &m->split;
    int64_t n = (int64_t)elman_stream_batches_length(m->batches);
    ELMAN_TRY(elman_survey_begin(survey, m->context, m->config->vocabulary, error));
    ELMAN_TRY(count_tokens(m, 0, s->train_end, survey->train, error));
    ELMAN_TRY(count_tokens(m, s->valid_first, s->valid_end, survey->valid, error));
    survey->examples = 1;
    survey->steps = survey->targets = n * m->config->batch;
    survey->longest = n;
    int32_t unknown = elman_vocabulary_unknown(m->vocabulary);
    if (m->config->level == ELMAN_LEVEL_WORD && unknown >= 0) {
        survey->unknown = survey->valid[unknown];
        for (int64_t i = 0; i < survey->classes; i++)
            survey->words += survey->valid[i];
    }
    return ELMAN_OK;
}

static void lm_target_name(void *self, int64_t target, char *text, size_t capacity)
{
    const lm *m = self;
    const char *token = elman_vocabulary_token(m->vocabulary, (int32_t)target, NULL);
    unsigned char first = (unsigned char)token[0];
    if (first < 0x20 || (m->config->level == ELMAN_LEVEL_BYTE && first >= 0x7F))
        snprintf(text, capacity, "<0x%02X>", first);
    else
        snprintf(text, capacity, "%s", token);
}

static void lm_sample_name(void *self, uint32_t number, int64_t time, char *text, size_t capacity)
{
    lm *m = self;
    uint64_t at = (uint64_t)number * elman_stream_batches_length(m->batches) + (uint64_t)time;
    snprintf(text, capacity, "stream %" PRIu32 ", token %" PRIu64 " of the text", number, at);
}

/* The paths of a new run: the training files, then the validation file if there is one. */
static elman_status collect_paths(const elman_train_request *request, const char ***paths,
                                  int *count, elman_error *error)
{
    bool is_file;
    double fraction;
    ELMAN_TRY(elman_lm_valid_kind(&request->config, &is_file, &fraction, error));
    *paths = malloc((size_t)(request->data_count + 1) * sizeof **paths);
    if (!*paths)
        return elman_out_of_memory(error);
    *count = 0;
    for (int i = 0; i < request->data_count; i++)
        (*paths)[(*count)++] = request->data[i];
    if (is_file)
        (*paths)[(*count)++] = request->config.valid;
    return ELMAN_OK;
}

/* Notes in config.json what was read. */
static elman_status record_data(lm *m, int train_count, elman_config_file *file, elman_error *error)
{
    int count = elman_text_files(m->text);
    file->data = elman_allocate_zero(m->context, (size_t)count, sizeof *file->data);
    if (!file->data)
        return elman_out_of_memory(error);
    file->data_count = count;
    file->train_count = train_count;
    for (int i = 0; i < count; i++) {
        elman_text_file_info info = elman_text_file(m->text, i);
        elman_data_record *record = &file->data[i];
        if (strlen(info.path) >= sizeof record->path)
            return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                              "%.60s…: a path of %zu bytes, expected less than %zu", info.path,
                              strlen(info.path), sizeof record->path);
        strcpy(record->path, info.path);
        memcpy(record->sha256, info.sha256, sizeof record->sha256);
        record->bytes = info.size;
    }
    return ELMAN_OK;
}

static elman_status open_new(lm *m, const elman_train_request *request, elman_config_file *file,
                             elman_error *error)
{
    const char **paths = NULL;
    int count = 0;
    ELMAN_TRY(collect_paths(request, &paths, &count, error));
    elman_status status =
        elman_text_open(m->context, paths, count, (elman_level)file->config.level, &m->text, error);
    free(paths);
    ELMAN_TRY(status);
    ELMAN_TRY(record_data(m, request->data_count, file, error));
    ELMAN_TRY(elman_lm_split_text(m->text, &file->config, file->train_count, &m->split, error));
    /* every character must have a number; words that training does not have are <unk> */
    bool words = file->config.level == ELMAN_LEVEL_WORD;
    return elman_text_vocabulary(
        m->text, 0, words ? m->split.train_end : elman_text_tokens(m->text),
        words ? (uint64_t)file->config.min_count : 1, &m->vocabulary, error);
}

static elman_status open_recorded(lm *m, const elman_train_request *request,
                                  const elman_config_file *file, elman_error *error)
{
    ELMAN_TRY(elman_lm_open_recorded(m->context, file, &m->text, error));
    ELMAN_TRY(elman_lm_split_text(m->text, &file->config, file->train_count, &m->split, error));
    char *path = elman_path_join(request->output, "vocabulary.json");
    if (!path)
        return elman_out_of_memory(error);
    elman_status status = elman_vocabulary_load(m->context, path, &m->vocabulary, error);
    free(path);
    ELMAN_TRY(status);
    if (elman_vocabulary_count(m->vocabulary) != file->config.vocabulary)
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "%s/vocabulary.json: %" PRId32 " tokens, config.json has %" PRId64,
                          request->output, elman_vocabulary_count(m->vocabulary),
                          file->config.vocabulary);
    return ELMAN_OK;
}

/* 1234567 as 1,234,567. */
static const char *grouped(char text[32], uint64_t n)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, n), at = 0;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = 0;
    return text;
}

static void say_what_was_read(const lm *m, const elman_train_request *request,
                              const elman_config *asked)
{
    static const char *const units[] = {"characters", "bytes", "words"};
    const char *unit = units[m->config->level];
    const elman_config *c = m->config;
    char a[32], b[32], d[32];
    int files = elman_text_files(m->text);
    if (files == 1)
        elman_task_note(request, "%s: %s %s, %" PRId64 " distinct; %s to train, %s to validate",
                        elman_text_file(m->text, 0).path, grouped(a, elman_text_tokens(m->text)),
                        unit, c->vocabulary, grouped(b, m->split.train_end),
                        grouped(d, m->split.valid_end - m->split.valid_first));
    else
        elman_task_note(
            request, "%d files: %s %s, %" PRId64 " distinct; %s to train, %s to validate", files,
            grouped(a, elman_text_tokens(m->text)), unit, c->vocabulary,
            grouped(b, m->split.train_end), grouped(d, m->split.valid_end - m->split.valid_first));
    char chosen[256] = "";
    size_t at = 0;
    const struct {
        const char *name;
        double asked, got;
    } options[] = {
        {"layers", (double)asked->layers, (double)c->layers},
        {"hidden", (double)asked->hidden, (double)c->hidden},
        {"dropout", asked->dropout, c->dropout},
        {"batch", (double)asked->batch, (double)c->batch},
        {"bptt", (double)asked->bptt, (double)c->bptt},
        {"lr", asked->lr, c->lr},
        {"epochs", (double)asked->epochs, (double)c->epochs},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i].asked != options[i].got && options[i].got < INT32_MAX)
            at += (size_t)snprintf(chosen + at, sizeof chosen - at, " --%s %g", options[i].name,
                                   options[i].got);
    if (at)
        elman_task_note(request, "chosen for this size:%s", chosen);
}

static void lm_free(lm *m)
{
    if (!m)
        return;
    elman_lm_flow_free(&m->flow);
    elman_network_free(m->network);
    elman_stream_batches_free(m->batches);
    elman_release(m->context, m->state.h);
    elman_vocabulary_free(m->vocabulary);
    elman_text_free(m->text);
    elman_release(m->context, m);
}

static elman_status open_run(lm *m, const elman_train_request *request, elman_config_file *file,
                             elman_error *error)
{
    if (request->resume) {
        ELMAN_TRY(open_recorded(m, request, file, error));
    } else {
        ELMAN_TRY(open_new(m, request, file, error));
        elman_lm_choose(&file->config, m->split.train_end, elman_vocabulary_count(m->vocabulary));
        say_what_was_read(m, request, &request->config);
    }
    const elman_config *c = &file->config;
    if (m->split.valid_first == m->split.valid_end &&
        (c->patience || !strncmp(c->schedule, "plateau", 7)))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "%s: it needs a validation part, which valid '%s' does not leave",
                          c->patience ? "patience" : "schedule plateau", c->valid);
    ELMAN_TRY(elman_stream_batches_create(m->text, m->vocabulary, 0, m->split.train_end,
                                          (int)c->batch, (int)c->bptt, &m->batches, error));
    ELMAN_TRY(elman_network_create(m->context, c, true, &m->network, error));
    ELMAN_TRY(elman_network_initialise(m->network, error));
    return elman_lm_state_create(m->context, c, c->batch, &m->state, error);
}

static elman_status lm_begin(elman_context *context, const elman_train_request *request,
                             elman_config_file *file, elman_objective *objective,
                             elman_error *error)
{
    lm *m = elman_allocate_zero(context, 1, sizeof *m);
    if (!m)
        return elman_out_of_memory(error);
    m->context = context;
    m->stop = request->stop;
    m->config = &file->config;
    elman_status status = open_run(m, request, file, error);
    if (status != ELMAN_OK) {
        lm_free(m);
        return status;
    }
    m->flow = (elman_lm_flow){.context = context,
                              .text = m->text,
                              .vocabulary = m->vocabulary,
                              .network = m->network,
                              .tokens = m->split.train_end};
    *objective = (elman_objective){
        .self = m,
        .parameters = elman_network_parameters(m->network),
        .unit = "tokens",
        .batches = (int64_t)elman_stream_batches_count(m->batches),
        .batch_steps = file->config.batch * file->config.bptt,
        .flow_steps = elman_lm_flow_steps(&m->flow),
        .record = lm_record,
        .validate = lm_validate,
        .flow = lm_flow,
        .stretch = lm_stretch,
        .longest = lm_longest,
        .write = lm_write,
        .survey = lm_survey,
        .target_name = lm_target_name,
        .sample_name = lm_sample_name,
        .remember = lm_remember,
        .prepare = lm_prepare,
        .restore = lm_restore,
    };
    return ELMAN_OK;
}

static elman_status lm_found(elman_objective *objective, const char *folder, elman_error *error)
{
    lm *m = objective->self;
    char *path = elman_path_join(folder, "vocabulary.json");
    if (!path)
        return elman_out_of_memory(error);
    elman_status status = elman_vocabulary_save(m->vocabulary, path, error);
    free(path);
    return status;
}

static void lm_end(elman_objective *objective)
{
    lm_free(objective->self);
}

const elman_task elman_task_lm = {
    .name = "lm",
    .begin = lm_begin,
    .found = lm_found,
    .end = lm_end,
};
