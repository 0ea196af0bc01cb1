/* Task classify: one label for a text, or for a sequence of vectors.
 *
 *   reads    task/classify_read.c
 *   network  elman/encoder.h: words or vectors, recurrent layers, pools over time, linear
 *   loss     cross-entropy, its targets smoothed and its classes weighed where asked
 *   metric   accuracy on the validation part
 *   answers  task/classify_answer.c
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
#include "kernel/kernels.h"
#include "model/weights.h"
#include "nn/rules.h"
#include "task/classify_impl.h"
#include "task/metrics.h"
#include "task/shuffle.h"
#include "task/survey_words.h"
#include "task/task_impl.h"

typedef struct classify {
    elman_context *context;
    const elman_config *config;
    const volatile sig_atomic_t *stop;
    elman_classify_examples examples;
    elman_classify_network network;
    elman_parts parts;
    elman_shuffle *shuffle;
    float *class_weights; /* [K], or NULL */
    float *logits;        /* [validation, K] */
} classify;

static elman_status classify_record(void *self, elman_tape *tape, elman_objective_batch *batch,
                                    elman_error *error)
{
    classify *m = self;
    const int64_t *numbers;
    int64_t n;
    (void)error;
    elman_shuffle_next(m->shuffle, &numbers, &n, &batch->ends_epoch);
    elman_disturbance training =
        elman_disturbance_of(m->config, m->network.lexicon.words, tape->mode.pass);
    elman_encoder_batch read;
    int32_t *targets = elman_tape_take(tape, (size_t)n, sizeof *targets);
    if (!targets ||
        !elman_classify_record(tape, &m->network, &m->examples, numbers, n, &training, &read))
        return ELMAN_OK; /* the tape keeps the error */
    for (int64_t i = 0; i < n; i++)
        targets[i] = m->examples.labels[numbers[i]];
    elman_class_loss_options options;
    elman_class_loss_options_default(&options);
    options.smoothing = m->config->label_smoothing;
    options.weights = m->class_weights;
    options.scale = 1.0 / (double)m->config->accumulate;
    batch->loss =
        elman_class_loss(tape, elman_encoder_forward(tape, m->network.encoder, &read, NULL),
                         targets, &options, &batch->sum);
    batch->count = (uint64_t)n;
    return ELMAN_OK;
}

/* Where every answer is right the best temperature is none above zero, and says nothing. */
static elman_status fit_temperature(classify *m, int64_t n, int64_t right, elman_error *error)
{
    elman_temperature fitted = {.value = 1};
    if (m->config->calibrate && right < n)
        ELMAN_TRY(elman_temperature_fit(m->context, m->logits, m->examples.labels + m->parts.train,
                                        n, m->network.labels.count, &fitted, error));
    *elman_parameter_edit(m->network.temperature) = (float)fitted.value;
    return ELMAN_OK;
}

static elman_status classify_validate(void *self, elman_tape *tape, elman_validation *v,
                                      elman_error *error)
{
    classify *m = self;
    int64_t n = m->parts.valid - m->parts.train, right = 0;
    size_t K = (size_t)m->network.labels.count;
    v->metric = "accuracy";
    if (!n)
        return ELMAN_OK;
    ELMAN_TRY(elman_classify_all(tape, &m->network, &m->examples, m->parts.train, m->parts.valid,
                                 m->stop, m->logits, error));
    const elman_math_kernels *k = elman_kernels_of(m->context)->math;
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        const float *row = m->logits + (size_t)i * K;
        int32_t target = m->examples.labels[m->parts.train + i];
        sum += k->cross_entropy_loss(row, K, (size_t)target);
        int32_t best = 0;
        for (int32_t j = 1; j < (int32_t)K; j++)
            best = row[j] > row[best] ? j : best;
        right += best == target;
    }
    v->loss = sum / (double)n;
    v->count = (uint64_t)n;
    v->value = (double)right / (double)n;
    v->score = 1.0 - v->value;
    return fit_temperature(m, n, right, error);
}

/* The loss of a whole text or sequence, at its end. */
static elman_status classify_flow(void *self, elman_tape *tape, const elman_flow_wish *wish,
                                  elman_flow_batch *batch, elman_error *error)
{
    classify *m = self;
    elman_encoder_batch read;
    int64_t *numbers = elman_tape_take(tape, (size_t)wish->count, sizeof *numbers);
    int32_t *targets = elman_tape_take(tape, (size_t)wish->count, sizeof *targets);
    (void)error; /* the tape keeps it */
    for (int64_t i = 0; numbers && targets && i < wish->count; i++) {
        int64_t place = elman_flow_place(wish->first + i, wish->of, m->parts.train);
        if (place < 0)
            break;
        numbers[i] = place;
        targets[i] = m->examples.labels[place];
        batch->count++;
    }
    if (!batch->count ||
        !elman_classify_record(tape, &m->network, &m->examples, numbers, batch->count, NULL, &read))
        return ELMAN_OK;
    elman_class_loss_options options;
    elman_class_loss_options_default(&options);
    options.reduction = ELMAN_REDUCTION_SUM;
    options.scale = (double)wish->scale;
    batch->sequences = read.sequences;
    batch->loss =
        elman_class_loss(tape, elman_encoder_forward(tape, m->network.encoder, &read, NULL),
                         targets, &options, &batch->sum);
    return ELMAN_OK;
}

static elman_status classify_write(void *self, const char *path, elman_error *error)
{
    classify *m = self;
    return elman_weights_write(m->context, elman_encoder_parameters(m->network.encoder), path,
                               error);
}

static elman_status classify_remember(void *self, elman_safetensors_writer *writer,
                                      elman_error *error)
{
    classify *m = self;
    return elman_shuffle_remember(m->shuffle, writer, error);
}

static elman_status classify_restore(void *self, const elman_safetensors *file, elman_error *error)
{
    classify *m = self;
    return elman_shuffle_restore(m->shuffle, file, error);
}

/* --- what the data hold --- */

static elman_status classify_survey(void *self, elman_survey *survey, elman_error *error)
{
    const classify *m = self;
    const elman_classify_examples *e = &m->examples;
    ELMAN_TRY(elman_survey_begin(survey, m->context, m->network.labels.count, error));
    elman_survey_count(survey->train, e->labels, 0, m->parts.train);
    elman_survey_count(survey->valid, e->labels, m->parts.train, m->parts.valid);
    survey->examples = survey->targets = m->parts.train;
    survey->weighable = true;
    elman_survey_lengths(survey, e->lengths);
    if (e->words)
        elman_survey_words(survey, &e->sentences, m->parts.train, m->parts.valid,
                           elman_vocabulary_unknown(m->network.lexicon.words));
    return ELMAN_OK;
}

static void classify_target_name(void *self, int64_t target, char *text, size_t capacity)
{
    snprintf(text, capacity, "%s", ((classify *)self)->network.labels.names[target]);
}

static void classify_sample_name(void *self, uint32_t number, int64_t time, char *text,
                                 size_t capacity)
{
    (void)self;
    snprintf(text, capacity, "example %" PRId64 ", step %" PRId64, (int64_t)number + 1, time + 1);
}

/* --- the data --- */

static elman_status read_files(classify *m, const elman_train_request *request,
                               elman_config_file *file, elman_error *error)
{
    elman_files files;
    int64_t train_count = 0;
    bool vectors;
    ELMAN_TRY(elman_files_of(m->context, request, file, &files, error));
    elman_status status =
        elman_holds_vectors(m->context, files.paths[0], &file->config, &vectors, error);
    if (status == ELMAN_OK)
        elman_classify_examples_init(&m->examples, m->context, !vectors);
    for (int i = 0; status == ELMAN_OK && i < files.count; i++) {
        char sha256[65];
        uint64_t bytes;
        status =
            elman_classify_read(&m->examples, files.paths[i], &file->config, sha256, &bytes, error);
        if (status == ELMAN_OK)
            status = elman_files_read(&files, i, sha256, bytes, file, error);
        if (i < files.train_count)
            train_count = m->examples.count;
    }
    elman_files_free(&files);
    ELMAN_TRY(status);
    ELMAN_TRY(elman_parts_of(&file->config, m->examples.count, train_count, "examples", &m->parts,
                             error));
    return elman_classify_lengths(&m->examples, error);
}

/* What a new run takes from its data. */
static elman_status learn_from_data(classify *m, elman_config_file *file, elman_error *error)
{
    elman_config *config = &file->config;
    ELMAN_TRY(elman_labels_from(&m->network.labels, &m->examples.names, NULL, error));
    if (m->network.labels.count < 2)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%s: found %" PRId32 " label%s, expected at least 2", file->data[0].path,
                          m->network.labels.count, m->network.labels.count == 1 ? "" : "s");
    if (m->network.labels.count > 20 && 2 * (int64_t)m->network.labels.count > m->examples.count)
        return elman_fail(error, ELMAN_ERROR_DATA,
                          "%s: found %" PRId32 " different labels in %" PRId64
                          " examples%s%s; name the column of the label with --label",
                          file->data[0].path, m->network.labels.count, m->examples.count,
                          m->examples.columns[0] ? " by " : "", m->examples.columns);
    config->outputs = m->network.labels.count;
    if (config->linear_skip && !m->examples.words)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "linear-skip: it counts words, and there are none to classify by");
    config->extras = config->linear_skip ? config->outputs : 0;
    if (m->examples.words) {
        const elman_sentences *s = &m->examples.sentences;
        ELMAN_TRY(
            elman_lexicon_learn(&m->network.lexicon, s, s->starts[m->parts.train], config, error));
    } else {
        config->inputs = m->examples.vectors.vectors.width;
    }
    return ELMAN_OK;
}

/* An option that means nothing to what is read is not left unread. */
static elman_status check_use(const classify *m, const elman_config *config, elman_error *error)
{
    bool words = m->examples.words;
    const char *useless =
        config->embeddings[0] && !words ? "embeddings: it means something only to words"
        : !config->embeddings[0] && config->freeze_embeddings
            ? "freeze-embeddings: it means something only with --embeddings"
        : config->noise > 0 && words         ? "noise: it means something only to numbers"
        : config->word_dropout > 0 && !words ? "word-dropout: it means something only to words"
                                             : NULL;
    return useless ? elman_fail(error, ELMAN_ERROR_ARGUMENT, "%s", useless) : ELMAN_OK;
}

static elman_status read_embeddings(classify *m, elman_config *config, elman_error *error)
{
    ELMAN_TRY(check_use(m, config, error));
    return m->examples.words ? elman_lexicon_vectors(&m->network.lexicon, config, error) : ELMAN_OK;
}

static elman_status build(classify *m, const elman_config *config, elman_error *error)
{
    ELMAN_TRY(elman_classify_build(&m->network, config, true, error));
    elman_parameters *set = elman_encoder_parameters(m->network.encoder);
    ELMAN_TRY(elman_initialise(set, config->init, (uint64_t)config->seed, error));
    *elman_parameter_edit(m->network.temperature) = 1;
    if (!m->examples.words)
        elman_vectors_scale(&m->examples.vectors.vectors, m->parts.train,
                            elman_parameter_edit(m->network.mean),
                            elman_parameter_edit(m->network.deviation));
    if (m->network.scores)
        elman_word_scores_count(m->network.scores, &m->examples.sentences, m->examples.labels,
                                m->parts.train);
    if (m->examples.words) /* a resumed run has them in its checkpoint */
        elman_lexicon_place(&m->network.lexicon, elman_parameters_find(set, "embedding.weight"),
                            config->freeze_embeddings);
    return ELMAN_OK;
}

/* n / (K n_k): each class weighs as much as the others together (sklearn's "balanced"). */
static elman_status weigh_classes(classify *m, elman_error *error)
{
    size_t K = (size_t)m->network.labels.count;
    m->class_weights = elman_allocate_zero(m->context, K, sizeof *m->class_weights);
    if (!m->class_weights)
        return elman_out_of_memory(error);
    for (int64_t i = 0; i < m->parts.train; i++)
        m->class_weights[m->examples.labels[i]] += 1;
    for (size_t k = 0; k < K; k++)
        m->class_weights[k] =
            m->class_weights[k] > 0
                ? (float)((double)m->parts.train / ((double)K * (double)m->class_weights[k]))
                : 0;
    return ELMAN_OK;
}

/* Whether the rules of --init say anything about embeddings; those that are none say all. */
static bool sets_embedding(const char *init)
{
    elman_rules rules;
    if (elman_rules_parse(init, &rules, NULL) != ELMAN_OK || rules.count == ELMAN_MAX_RULES)
        return true;
    for (int i = 0; i < rules.count; i++)
        switch (rules.rules[i].kind) {
        case ELMAN_RULE_DEFAULT:
        case ELMAN_RULE_UNIFORM:
        case ELMAN_RULE_NORMAL:
        case ELMAN_RULE_EMBEDDING:
        case ELMAN_RULE_ZERO:
            return true;
        default:
            break;
        }
    return false;
}

static void put_first(char init[ELMAN_CONFIG_TEXT], const char *rule)
{
    char all[ELMAN_CONFIG_TEXT];
    int n = snprintf(all, sizeof all, "%s%s%s", rule, init[0] ? "," : "", init);
    if (n > 0 && n < ELMAN_CONFIG_TEXT)
        strcpy(init, all);
}

/* What is auto, by the number of training examples. */
static void choose(elman_config *c, int64_t examples)
{
    bool words = c->vocabulary > 0;
    if (!c->pool[0])
        strcpy(c->pool, words ? "max" : "last");
    if (!c->layers)
        c->layers = 1;
    if (!c->hidden)
        c->hidden = examples > 50000 ? 200 : 100;
    if (words && !c->embedding)
        c->embedding = c->hidden;
    if (c->dropout < 0)
        c->dropout = 0.5;
    if (words && !sets_embedding(c->init)) /* N(0,1) is far too wide for words seldom seen */
        put_first(c->init, "embedding:0.1");
    if (!c->batch)
        c->batch = examples < 500 ? 8 : 32;
    if (!c->epochs) /* a limit in steps is met before this many epochs */
        c->epochs = c->max_steps       ? INT32_MAX
                    : examples > 50000 ? 3
                    : examples < 200   ? 60
                    : words            ? (examples < 2000 ? 15 : 7)
                    : examples < 5000  ? 30
                                       : 10;
    if (c->lr < 0)
        c->lr = c->optimizer == ELMAN_OPTIMIZER_SGD ? 0.1
                : !words                            ? 5e-3
                : examples < 2000                   ? 2e-3
                                                    : 5e-4;
}

static void say_what_was_read(const classify *m, const elman_train_request *request)
{
    const elman_config *c = m->config;
    if (m->examples.words)
        elman_task_note(request,
                        "%s: %s; %" PRId64 " texts, %" PRId64 " labels, %" PRId64
                        " different words; %" PRId64 " to train, %" PRId64 " to validate",
                        request->data[0], m->examples.columns, m->examples.count, c->outputs,
                        c->vocabulary, m->parts.train, m->parts.valid - m->parts.train);
    else
        elman_task_note(request,
                        "%s: %" PRId64 " sequences of %" PRId64 " number%s a step, %" PRId64
                        " labels; %" PRId64 " to train, %" PRId64 " to validate",
                        request->data[0], m->examples.count, c->inputs, c->inputs == 1 ? "" : "s",
                        c->outputs, m->parts.train, m->parts.valid - m->parts.train);
    elman_task_note_choice(request, c);
    if (m->parts.train < 200)
        elman_task_note(request,
                        "only %" PRId64 " examples to learn from: what comes out is a guess",
                        m->parts.train);
}

/* A run that was stopped before its first checkpoint begins anew, word vectors and all. */
static elman_status reopen(classify *m, const char *folder, elman_config *config,
                           elman_error *error)
{
    bool checkpoint;
    ELMAN_TRY(elman_classify_load(&m->network, folder, config, error));
    char *path = elman_path_join(folder, "checkpoint.safetensors");
    if (!path)
        return elman_out_of_memory(error);
    elman_status status = elman_path_look(path, &checkpoint, error);
    free(path);
    return status != ELMAN_OK || checkpoint ? status : read_embeddings(m, config, error);
}

static elman_status open_run(classify *m, const elman_train_request *request,
                             elman_config_file *file, elman_error *error)
{
    elman_config *config = &file->config;
    ELMAN_TRY(read_files(m, request, file, error));
    if (request->resume) {
        ELMAN_TRY(reopen(m, request->output, config, error));
    } else {
        ELMAN_TRY(learn_from_data(m, file, error));
        ELMAN_TRY(read_embeddings(m, config, error));
        choose(config, m->parts.train);
        say_what_was_read(m, request);
    }
    ELMAN_TRY(elman_classify_take_labels(&m->examples, &m->network.labels, error));
    if (m->examples.words)
        ELMAN_TRY(elman_lexicon_resolve(&m->network.lexicon, &m->examples.sentences, error));
    int64_t valid = m->parts.valid - m->parts.train;
    if (!valid &&
        (config->patience || config->calibrate || !strncmp(config->schedule, "plateau", 7)))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "%s: it needs a validation part, which the data do not leave",
                          config->calibrate  ? "calibrate"
                          : config->patience ? "patience"
                                             : "schedule plateau");
    m->logits =
        elman_allocate(m->context, (size_t)valid * (size_t)config->outputs + 1, sizeof *m->logits);
    if (!m->logits)
        return elman_out_of_memory(error);
    if (config->balance)
        ELMAN_TRY(weigh_classes(m, error));
    ELMAN_TRY(elman_shuffle_create(m->context, m->parts.train, config->batch,
                                   (uint64_t)config->seed, m->examples.lengths, &m->shuffle,
                                   error));
    return build(m, config, error);
}

static void classify_free(classify *m)
{
    elman_shuffle_free(m->shuffle);
    elman_classify_network_free(&m->network);
    elman_classify_examples_free(&m->examples);
    elman_release(m->context, m->class_weights);
    elman_release(m->context, m->logits);
    elman_release(m->context, m);
}

static elman_status classify_begin(elman_context *context, const elman_train_request *request,
                                   elman_config_file *file, elman_objective *objective,
                                   elman_error *error)
{
    classify *m = elman_allocate_zero(context, 1, sizeof *m);
    if (!m)
        return elman_out_of_memory(error);
    m->context = context;
    m->config = &file->config;
    m->stop = request->stop;
    m->network.context = context;
    elman_lexicon_init(&m->network.lexicon, context);
    elman_labels_init(&m->network.labels, context);
    elman_status status = open_run(m, request, file, error);
    if (status != ELMAN_OK) {
        classify_free(m);
        return status;
    }
    *objective = (elman_objective){
        .self = m,
        .parameters = elman_encoder_parameters(m->network.encoder),
        .unit = "examples",
        .batches = elman_shuffle_batches(m->shuffle),
        .batch_steps = file->config.batch, /* of sequences of one mean length */
        .flow_steps = 1,
        .record = classify_record,
        .validate = classify_validate,
        .flow = classify_flow,
        .write = classify_write,
        .survey = classify_survey,
        .target_name = classify_target_name,
        .sample_name = classify_sample_name,
        .remember = classify_remember,
        .restore = classify_restore,
    };
    return ELMAN_OK;
}

static elman_status classify_found(elman_objective *objective, const char *folder,
                                   elman_error *error)
{
    const classify *m = objective->self;
    return elman_classify_save(&m->network, folder, error);
}

static void classify_end(elman_objective *objective)
{
    if (objective->self)
        classify_free(objective->self);
}

static elman_status classify_open(elman_context *context, const char *folder,
                                  const elman_config_file *file, void **model, elman_error *error)
{
    elman_classifier *classifier = NULL;
    ELMAN_TRY(elman_classifier_open_folder(context, folder, file, &classifier, error));
    *model = classifier;
    return ELMAN_OK;
}

static void classify_close(void *model)
{
    elman_classifier_free(model);
}

const elman_task elman_task_classify = {
    .name = "classify",
    .begin = classify_begin,
    .found = classify_found,
    .end = classify_end,
    .open = classify_open,
    .eval = elman_classify_eval,
    .predict = elman_classify_predict,
    .close = classify_close,
};
