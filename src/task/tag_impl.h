/* What training and answering share of the task tag. */
#ifndef ELMAN_TASK_TAG_IMPL_H
#define ELMAN_TASK_TAG_IMPL_H

#include <signal.h>

#include "elman/metrics.h"
#include "elman/predict.h"
#include "elman/tag.h"
#include "task/disturb.h"
#include "task/entities.h"
#include "task/files.h"
#include "task/labels.h"
#include "task/lexicon.h"
#include "task/vectors_read.h"

enum { ELMAN_NO_TAG = -1 }; /* of a step that has no label */

/* Examples: sentences, or sequences of vectors, with a label a step. */
typedef struct elman_tag_examples {
    elman_context *context;
    bool words;
    elman_sentences sentences;
    elman_labelled_vectors vectors;
    const elman_labels *known; /* the tags, where they are known before reading; else NULL */
    elman_intern names;        /* of the labels that were met, where known is NULL */
    int64_t count, step_count;
    int32_t *labels; /* [step_count] or ELMAN_NO_TAG; tags, or until known numbers of names */
    size_t labels_room;
    int64_t *lengths; /* [count], after elman_tag_lengths */
} elman_tag_examples;

/* known may be NULL. */
void elman_tag_examples_init(elman_tag_examples *examples, elman_context *context, bool words,
                             const elman_labels *known);
void elman_tag_examples_free(elman_tag_examples *examples);
/* No examples; the memory is kept. */
void elman_tag_examples_clear(elman_tag_examples *examples);
/* Whether the files of a run hold vectors: what the options or the path's end say. */
bool elman_tag_holds_vectors(const elman_config *config, const char *path);
/* Adds a file's examples; sha256 and bytes are the file's. DATA: a label that is not known. */
elman_status elman_tag_read(elman_tag_examples *examples, const char *path,
                            const elman_config *config, char sha256[65], uint64_t *bytes,
                            elman_error *error);
/* The names that were met become tags: *labels, known from now on. DATA: fewer than two. */
elman_status elman_tag_learn_labels(elman_tag_examples *examples, elman_labels *labels,
                                    elman_error *error);
/* Fills lengths. MEMORY. */
elman_status elman_tag_lengths(elman_tag_examples *examples, elman_error *error);
/* In steps, where example i begins; i up to count. */
int64_t elman_tag_start(const elman_tag_examples *examples, int64_t i);

/* The network, and what belongs to it. */
typedef struct elman_tag_network {
    elman_context *context;
    elman_encoder *encoder;
    bool crf;
    elman_crf_layer chain;             /* where crf */
    elman_parameter *mean, *deviation; /* of the inputs, frozen; NULL where words are read */
    elman_lexicon lexicon;
    elman_labels labels;
} elman_tag_network;

void elman_tag_network_init(elman_tag_network *network, elman_context *context);
void elman_tag_network_free(elman_tag_network *network);
/* Encoder, chain and scaling, of config; values are cleared, the scaling is none. */
elman_status elman_tag_build(elman_tag_network *network, const elman_config *config, bool train,
                             elman_error *error);
/* vocabulary.json, characters.json, labels.json: those that there are. */
elman_status elman_tag_save(const elman_tag_network *network, const char *folder,
                            elman_error *error);
elman_status elman_tag_load(elman_tag_network *network, const char *folder,
                            const elman_config *config, elman_error *error);

/* The batch of some examples; training: NULL where they are answered. false: the tape failed. */
bool elman_tag_record(elman_tape *tape, const elman_tag_network *network,
                      elman_tag_examples *examples, const int64_t *numbers, int64_t n,
                      const elman_disturbance *training, elman_encoder_batch *batch);
/* Their labels as packed rows, ELMAN_IGNORE_TARGET where a step has none; *labelled steps have
 * one. On the tape; NULL: it failed. */
int32_t *elman_tag_targets(elman_tape *tape, const elman_tag_examples *examples,
                           const int64_t *numbers, const elman_sequences *sequences,
                           int64_t *labelled);

/* What the network says of examples, steps in their order. */
typedef struct elman_tag_answer {
    int32_t *tags;        /* [steps] */
    float *probabilities; /* [steps,K], or NULL: not wanted */
    double nats;          /* added up over the labelled steps, */
    int64_t labelled;     /* and their number; where measured */
} elman_tag_answer;

/* Examples [first, end), in rounds, without recording. measure: labels are looked at, and nats say
 * by not being finite that an answer is not; without it that is NUMERIC. INTERRUPTED by stop (may
 * be NULL). */
typedef struct elman_tag_range {
    int64_t first, end;
    bool measure;
    const volatile sig_atomic_t *stop;
} elman_tag_range;
elman_status elman_tag_answers(elman_tape *tape, const elman_tag_network *network,
                               elman_tag_examples *examples, const elman_tag_range *range,
                               elman_tag_answer *answer, elman_error *error);

/* Counts the entities of examples [first, end) against the answers, [their steps], for labels of
 * such a scheme; examples with a step that has no label are left out. *entities is the caller's.
 * MEMORY. */
elman_status elman_tag_entities(const elman_labels *labels, const elman_tag_examples *examples,
                                int64_t first, int64_t end, const int32_t *answers,
                                elman_entities **entities, elman_error *error);

/* Chooses what is auto for so many training steps. */
void elman_tag_choose(elman_config *config, int64_t steps);

struct elman_tagger {
    elman_context *context;
    const elman_config_file *file;
    elman_config_file own; /* where it was opened by its folder alone */
    elman_tag_network network;
    elman_tag_examples examples; /* those that are being answered */
    elman_tape *tape;
    int32_t *tags;        /* of them */
    float *probabilities; /* [steps,K] */
    size_t tags_room, probabilities_room;
    bool answered; /* tags and probabilities are of the examples */
};

elman_status elman_tagger_open_folder(elman_context *context, const char *folder,
                                      const elman_config_file *file, elman_tagger **tagger,
                                      elman_error *error);
/* Answers the examples that the tagger holds into its own memory. */
elman_status elman_tagger_answer(elman_tagger *tagger, elman_error *error);

/* Of elman_task, and elman/predict.h. */
elman_status elman_tag_eval(void *model, const char *const *paths, int count, bool test,
                            elman_metrics *metrics, elman_error *error);
elman_status elman_tag_predict(void *model, const elman_predict_options *options,
                               const elman_lines *lines, elman_error *error);

#endif
