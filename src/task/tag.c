/* Task tag: a label for every word of a sentence, or for every step of a sequence of vectors.
 *
 *   reads    task/tag_read.c
 *   network  task/tag_network.c
 *   loss     cross-entropy over the steps that have a label, its targets smoothed and its tags
 *            weighed where asked; or the likelihood of a conditional random field, a step
 *   metric   accuracy over steps, or F1 over entities where the labels are of such a scheme
 *   answers  task/tag_lines.c, task/tag_rows.c
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "elman/op.h"
#include "graph/tape_impl.h"
#include "model/weights.h"
#include "task/shuffle.h"
#include "task/survey_words.h"
#include "task/tag_impl.h"
#include "task/task_impl.h"

typedef struct tag {
    elman_context *context;
    const elman_config *config;
    const volatile sig_atomic_t *stop;
    elman_tag_examples examples;
    elman_tag_network network;
    elman_parts parts;
    elman_shuffle *shuffle;
    bool entities;      /* the labels are of such a scheme */
    float *tag_weights; /* [K], or NULL */
    int32_t *answers;   /* [steps of validation] */
} tag;

static elman_var *loss_of(const tag *m, elman_tape *tape, elman_var *logits, const int32_t *targets,
                          const elman_sequences *sequences, elman_objective_batch *batch)
{
    double share = 1.0 / (double)m->config->accumulate;
    if (m->network.crf)
        return elman_crf_loss(tape, &m->network.chain, logits, targets, sequences,
                              (float)(share / (double)(batch->count ? batch->count : 1)),
                              &batch->sum);
    elman_class_loss_options options;
    elman_class_loss_options_default(&options);
    options.smoothing = m->config->label_smoothing;
    options.weights = m->tag_weights;
    options.scale = share;
    if (!batch->count) /* a mean over nothing is no number */
        options.reduction = ELMAN_REDUCTION_SUM;
    return elman_class_loss(tape, logits, targets, &options, &batch->sum);
}

static elman_status record(void *self, elman_tape *tape, elman_objective_batch *batch,
                           elman_error *error)
{
    tag *m = self;
    const int64_t *numbers;
    int64_t n, labelled;
    (void)error; /* the tape keeps it */
    elman_shuffle_next(m->shuffle, &numbers, &n, &batch->ends_epoch);
    elman_disturbance training =
        elman_disturbance_of(m->config, m->network.lexicon.words, tape->mode.pass);
    elman_encoder_batch read;
    if (!elman_tag_record(tape, &m->network, &m->examples, numbers, n, &training, &read))
        return ELMAN_OK;
    int32_t *targets = elman_tag_targets(tape, &m->examples, numbers, read.sequences, &labelled);
    if (!targets)
        return ELMAN_OK;
    batch->count = (uint64_t)labelled;
    batch->loss = loss_of(m, tape, elman_encoder_forward(tape, m->network.encoder, &read, NULL),
                          targets, read.sequences, batch);
    return ELMAN_OK;
}

static elman_status score(const tag *m, elman_validation *v, elman_error *error)
{
    int64_t first = elman_tag_start(&m->examples, m->parts.train), right = 0;
    int64_t steps = elman_tag_start(&m->examples, m->parts.valid) - first;
    for (int64_t i = 0; i < steps; i++)
        right += m->examples.labels[first + i] == m->answers[i];
    v->value = (double)right / (double)v->count;
    if (m->entities) {
        elman_entities *entities;
        elman_score f1;
        ELMAN_TRY(elman_tag_entities(&m->network.labels, &m->examples, m->parts.train,
                                     m->parts.valid, m->answers, &entities, error));
        elman_entities_score(entities, &f1, NULL, NULL);
        elman_entities_free(entities);
        v->value = f1.f1;
    }
    v->score = 1.0 - v->value;
    return ELMAN_OK;
}

static elman_status validate(void *self, elman_tape *tape, elman_validation *v, elman_error *error)
{
    tag *m = self;
    elman_tag_answer answer = {.tags = m->answers};
    elman_tag_range range = {m->parts.train, m->parts.valid, true, m->stop};
    v->metric = m->entities ? "f1" : "accuracy";
    ELMAN_TRY(elman_tag_answers(tape, &m->network, &m->examples, &range, &answer, error));
    v->count = (uint64_t)answer.labelled;
    if (!answer.labelled)
        return ELMAN_OK;
    v->loss = answer.nats / (double)answer.labelled;
    return score(m, v, error);
}

/* The step whose loss a sample is of: the last that has a label, and where two directions read, of
 * every second one the first, so that both have steps behind them. -1: no label at all. */
static int64_t flow_step(const tag *m, int64_t example, int64_t sample)
{
    const int64_t first = elman_tag_start(&m->examples, example);
    const int64_t length = elman_tag_start(&m->examples, example + 1) - first;
    const bool forwards = m->config->bidirectional && sample % 2;
    for (int64_t i = 0; i < length; i++) {
        int64_t t = forwards ? i : length - 1 - i;
        if (m->examples.labels[first + t] >= 0)
            return t;
    }
    return -1;
}

/* Of a conditional random field the emissions are taken alone: its own loss is of no one step. */
static elman_status flow(void *self, elman_tape *tape, const elman_flow_wish *wish,
                         elman_flow_batch *batch, elman_error *error)
{
    tag *m = self;
    elman_encoder_batch read;
    int64_t *numbers = elman_tape_take(tape, (size_t)wish->count, sizeof *numbers);
    int64_t *steps = elman_tape_take(tape, (size_t)wish->count, sizeof *steps);
    (void)error; /* the tape keeps it */
    for (int64_t i = 0; numbers && steps && i < wish->count; i++) {
        numbers[i] = elman_flow_place(wish->first + i, wish->of, m->parts.train);
        if (numbers[i] < 0)
            break;
        steps[i] = flow_step(m, numbers[i], wish->first + i);
        batch->count++;
    }
    if (!batch->count ||
        !elman_tag_record(tape, &m->network, &m->examples, numbers, batch->count, NULL, &read))
        return ELMAN_OK;
    const elman_sequences *s = batch->sequences = read.sequences;
    batch->steps = steps;
    int32_t *targets = elman_tape_take(tape, (size_t)s->N, sizeof *targets);
    for (int64_t i = 0; targets && i < s->N; i++)
        targets[i] = ELMAN_IGNORE_TARGET;
    for (int64_t p = 0; targets && p < s->B; p++) {
        const int64_t b = s->order[p], t = steps[b];
        if (t >= 0)
            targets[s->offsets[t] + p] =
                m->examples.labels[elman_tag_start(&m->examples, numbers[b]) + t];
    }
    elman_class_loss_options options;
    elman_class_loss_options_default(&options);
    options.reduction = ELMAN_REDUCTION_SUM;
    options.scale = (double)wish->scale;
    batch->loss =
        elman_class_loss(tape, elman_encoder_forward(tape, m->network.encoder, &read, NULL),
                         targets, &options, &batch->sum);
    return ELMAN_OK;
}

static elman_status write_weights(void *self, const char *path, elman_error *error)
{
    tag *m = self;
    return elman_weights_write(m->context, elman_encoder_parameters(m->network.encoder), path,
                               error);
}

static elman_status remember(void *self, elman_safetensors_writer *writer, elman_error *error)
{
    tag *m = self;
    return elman_shuffle_remember(m->shuffle, writer, error);
}

static elman_status restore(void *self, const elman_safetensors *file, elman_error *error)
{
    tag *m = self;
    return elman_shuffle_restore(m->shuffle, file, error);
}

/* --- what the data hold --- */

static elman_status survey(void *self, elman_survey *survey, elman_error *error)
{
    const tag *m = self;
    const elman_tag_examples *e = &m->examples;
    int64_t train = elman_tag_start(e, m->parts.train), valid = elman_tag_start(e, m->parts.valid);
    ELMAN_TRY(elman_survey_begin(survey, m->context, m->network.labels.count, error));
    elman_survey_count(survey->train, e->labels, 0, train);
    elman_survey_count(survey->valid, e->labels, train, valid);
    survey->examples = m->parts.train;
    for (int64_t k = 0; k < survey->classes; k++)
        survey->targets += survey->train[k];
    elman_survey_lengths(survey, e->lengths);
    if (e->words)
        elman_survey_words(survey, &e->sentences, m->parts.train, m->parts.valid,
                           elman_vocabulary_unknown(m->network.lexicon.words));
    return ELMAN_OK;
}

static void target_name(void *self, int64_t target, char *text, size_t capacity)
{
    snprintf(text, capacity, "%s", ((tag *)self)->network.labels.names[target]);
}

static void sample_name(void *self, uint32_t number, int64_t time, char *text, size_t capacity)
{
    bool words = ((tag *)self)->examples.words;
    snprintf(text, capacity, "%s %" PRId64 ", %s %" PRId64, words ? "sentence" : "sequence",
             (int64_t)number + 1, words ? "word" : "step", time + 1);
}

/* --- the data --- */

static elman_status read_files(tag *m, const elman_train_request *request, elman_config_file *file,
                               elman_error *error)
{
    elman_files files;
    int64_t train_count = 0;
    ELMAN_TRY(elman_files_of(m->context, request, file, &files, error));
    elman_tag_examples_init(&m->examples, m->context,
                            !elman_tag_holds_vectors(&file->config, files.paths[0]),
                            request->resume ? &m->network.labels : NULL);
    elman_status status = ELMAN_OK;
    for (int i = 0; status == ELMAN_OK && i < files.count; i++) {
        char sha256[65];
        uint64_t bytes;
        status = elman_tag_read(&m->examples, files.paths[i], &file->config, sha256, &bytes, error);
        if (status == ELMAN_OK)
            status = elman_files_read(&files, i, sha256, bytes, file, error);
        if (i < files.train_count)
            train_count = m->examples.count;
    }
    elman_files_free(&files);
    ELMAN_TRY(status);
    ELMAN_TRY(elman_parts_of(&file->config, m->examples.count, train_count,
                             m->examples.words ? "sentences" : "sequences", &m->parts, error));
    return elman_tag_lengths(&m->examples, error);
}

/* What a new run takes from its data. */
static elman_status learn_from_data(tag *m, elman_config *config, elman_error *error)
{
    ELMAN_TRY(elman_tag_learn_labels(&m->examples, &m->network.labels, error));
    config->outputs = m->network.labels.count;
    if (m->examples.words)
        return elman_lexicon_learn(&m->network.lexicon, &m->examples.sentences,
                                   elman_tag_start(&m->examples, m->parts.train), config, error);
    config->inputs = m->examples.vectors.vectors.width;
    config->char_hidden = 0;
    return ELMAN_OK;
}

static void say_what_was_read(const tag *m, const elman_train_request *request)
{
    const elman_config *c = m->config;
    if (m->examples.words)
        elman_task_note(request,
                        "%s: %" PRId64 " sentences of %" PRId64 " words, %" PRId64 " tags; %" PRId64
                        " sentences to train, %" PRId64 " to validate",
                        request->data[0], m->examples.count, m->examples.step_count, c->outputs,
                        m->parts.train, m->parts.valid - m->parts.train);
    else
        elman_task_note(request,
                        "%s: %" PRId64 " sequences of %" PRId64 " steps, %" PRId64
                        " numbers a step, %" PRId64 " tags; %" PRId64 " to train, %" PRId64
                        " to validate",
                        request->data[0], m->examples.count, m->examples.step_count, c->inputs,
                        c->outputs, m->parts.train, m->parts.valid - m->parts.train);
    elman_task_note_choice(request, c);
}

/* n / (K n_k): each tag weighs as much as any other (sklearn's "balanced"). */
static elman_status weigh_tags(tag *m, elman_error *error)
{
    size_t K = (size_t)m->network.labels.count;
    int64_t steps = elman_tag_start(&m->examples, m->parts.train), labelled = 0;
    m->tag_weights = elman_allocate_zero(m->context, K, sizeof *m->tag_weights);
    int64_t *counts = elman_allocate_zero(m->context, K, sizeof *counts);
    if (m->tag_weights && counts) {
        for (int64_t i = 0; i < steps; i++)
            if (m->examples.labels[i] >= 0) {
                counts[m->examples.labels[i]]++;
                labelled++;
            }
        for (size_t k = 0; k < K; k++)
            if (counts[k])
                m->tag_weights[k] = (float)((double)labelled / ((double)K * (double)counts[k]));
    }
    bool made = m->tag_weights && counts;
    elman_release(m->context, counts);
    return made ? ELMAN_OK : elman_out_of_memory(error);
}

static elman_status build(tag *m, const elman_config *config, elman_error *error)
{
    ELMAN_TRY(elman_tag_build(&m->network, config, true, error));
    elman_parameters *set = elman_encoder_parameters(m->network.encoder);
    ELMAN_TRY(elman_initialise(set, config->init, (uint64_t)config->seed, error));
    if (m->examples.words)
        elman_lexicon_place(&m->network.lexicon, elman_parameters_find(set, "embedding.weight"),
                            config->freeze_embeddings);
    else
        elman_vectors_scale(&m->examples.vectors.vectors, m->parts.train,
                            elman_parameter_edit(m->network.mean),
                            elman_parameter_edit(m->network.deviation));
    return ELMAN_OK;
}

static elman_status check(const tag *m, elman_error *error)
{
    const elman_config *c = m->config;
    bool plateau = !strncmp(c->schedule, "plateau", 7);
    if (m->parts.valid == m->parts.train && (c->patience || plateau))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "%s: it needs a validation part, which the data do not leave",
                          c->patience ? "patience" : "schedule plateau");
    if (m->examples.words && c->noise > 0)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "noise: it means something only to numbers");
    if (c->crf && (c->balance || c->label_smoothing > 0))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "%s: it belongs to a loss for each step, and --crf has one for the whole",
                          c->balance ? "balance" : "label-smoothing");
    return ELMAN_OK;
}

static elman_status read_embeddings(tag *m, elman_config *config, elman_error *error)
{
    const char *useless =
        !config->embeddings[0] && config->freeze_embeddings
            ? "freeze-embeddings: it means something only to words with --embeddings"
        : config->embeddings[0] && !m->examples.words
            ? "embeddings: it means something only to words"
            : NULL;
    if (useless)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "%s", useless);
    return m->examples.words ? elman_lexicon_vectors(&m->network.lexicon, config, error) : ELMAN_OK;
}

/* A run that was stopped before its first checkpoint begins anew, word vectors and all; a
 * checkpoint has them, and their file may be gone. */
static elman_status read_embeddings_again(tag *m, const char *folder, elman_config *config,
                                          elman_error *error)
{
    bool checkpoint;
    char *path = elman_path_join(folder, "checkpoint.safetensors");
    if (!path)
        return elman_out_of_memory(error);
    elman_status status = elman_path_look(path, &checkpoint, error);
    free(path);
    return status != ELMAN_OK || checkpoint ? status : read_embeddings(m, config, error);
}

static elman_status open_run(tag *m, const elman_train_request *request, elman_config_file *file,
                             elman_error *error)
{
    elman_config *config = &file->config;
    if (request->resume)
        ELMAN_TRY(elman_tag_load(&m->network, request->output, config, error));
    ELMAN_TRY(read_files(m, request, file, error));
    if (request->resume) {
        ELMAN_TRY(read_embeddings_again(m, request->output, config, error));
    } else {
        ELMAN_TRY(learn_from_data(m, config, error));
        ELMAN_TRY(read_embeddings(m, config, error));
        elman_tag_choose(config, elman_tag_start(&m->examples, m->parts.train));
        say_what_was_read(m, request);
    }
    ELMAN_TRY(check(m, error));
    if (m->examples.words)
        ELMAN_TRY(elman_lexicon_resolve(&m->network.lexicon, &m->examples.sentences, error));
    int64_t steps = elman_tag_start(&m->examples, m->parts.valid) -
                    elman_tag_start(&m->examples, m->parts.train);
    m->answers = elman_allocate(m->context, (size_t)steps + 1, sizeof *m->answers);
    if (!m->answers)
        return elman_out_of_memory(error);
    m->entities = elman_entities_scheme((const char *const *)m->network.labels.names,
                                        m->network.labels.count);
    if (config->balance)
        ELMAN_TRY(weigh_tags(m, error));
    ELMAN_TRY(elman_shuffle_create(m->context, m->parts.train, config->batch,
                                   (uint64_t)config->seed, m->examples.lengths, &m->shuffle,
                                   error));
    return build(m, config, error);
}

static void tag_free(tag *m)
{
    elman_shuffle_free(m->shuffle);
    elman_tag_network_free(&m->network);
    elman_tag_examples_free(&m->examples);
    elman_release(m->context, m->tag_weights);
    elman_release(m->context, m->answers);
    elman_release(m->context, m);
}

static elman_status tag_begin(elman_context *context, const elman_train_request *request,
                              elman_config_file *file, elman_objective *objective,
                              elman_error *error)
{
    tag *m = elman_allocate_zero(context, 1, sizeof *m);
    if (!m)
        return elman_out_of_memory(error);
    m->context = context;
    m->config = &file->config;
    m->stop = request->stop;
    elman_tag_network_init(&m->network, context);
    elman_status status = open_run(m, request, file, error);
    if (status != ELMAN_OK) {
        tag_free(m);
        return status;
    }
    *objective = (elman_objective){
        .self = m,
        .parameters = elman_encoder_parameters(m->network.encoder),
        .unit = "labels",
        .batches = elman_shuffle_batches(m->shuffle),
        .batch_steps = file->config.batch, /* of sequences of one mean length */
        .flow_steps = 1,
        .record = record,
        .validate = validate,
        .flow = flow,
        .write = write_weights,
        .survey = survey,
        .target_name = target_name,
        .sample_name = sample_name,
        .remember = remember,
        .restore = restore,
    };
    return ELMAN_OK;
}

static elman_status tag_found(elman_objective *objective, const char *folder, elman_error *error)
{
    const tag *m = objective->self;
    return elman_tag_save(&m->network, folder, error);
}

static void tag_end(elman_objective *objective)
{
    if (objective->self)
        tag_free(objective->self);
}

static elman_status tag_open(elman_context *context, const char *folder,
                             const elman_config_file *file, void **model, elman_error *error)
{
    elman_tagger *tagger = NULL;
    ELMAN_TRY(elman_tagger_open_folder(context, folder, file, &tagger, error));
    *model = tagger;
    return ELMAN_OK;
}

static void tag_close(void *model)
{
    elman_tagger_free(model);
}

const elman_task elman_task_tag = {
    .name = "tag",
    .begin = tag_begin,
    .found = tag_found,
    .end = tag_end,
    .open = tag_open,
    .eval = elman_tag_eval,
    .predict = elman_tag_predict,
    .close = tag_close,
};
