/* What training and answering share of the task classify. */
#ifndef ELMAN_TASK_CLASSIFY_IMPL_H
#define ELMAN_TASK_CLASSIFY_IMPL_H

#include "data/words.h"
#include "elman/classify.h"
#include "elman/predict.h"
#include "task/disturb.h"
#include "task/files.h"
#include "task/labels.h"
#include "task/lexicon.h"
#include "task/sentences.h"
#include "task/vectors_read.h"
#include "task/word_scores.h"

/* Examples: texts, or sequences of vectors. */
typedef struct elman_classify_examples {
    elman_context *context;
    bool words;
    elman_sentences sentences;
    elman_words splitter;
    char columns[256]; /* which columns of the first table were read, for a person */
    elman_labelled_vectors vectors;
    elman_intern names;        /* of the labels that were met */
    const elman_labels *known; /* the labels that there may be; NULL: any */
    int64_t count;
    int32_t *labels; /* [count]; numbers of names, then of classes */
    size_t labels_room;
    int64_t *lengths; /* [count], after elman_classify_lengths */
} elman_classify_examples;

void elman_classify_examples_init(elman_classify_examples *examples, elman_context *context,
                                  bool words);
void elman_classify_examples_free(elman_classify_examples *examples);
/* Adds one text's words. FORMAT: not UTF-8. */
elman_status elman_classify_add_text(elman_classify_examples *examples, const char *text,
                                     size_t size, const elman_config *config, elman_error *error);
/* Adds a file's examples; sha256 and bytes are the file's. */
elman_status elman_classify_read(elman_classify_examples *examples, const char *path,
                                 const elman_config *config, char sha256[65], uint64_t *bytes,
                                 elman_error *error);
/* Numbers of names become numbers of classes. DATA: a label that is none of them. */
elman_status elman_classify_take_labels(elman_classify_examples *examples,
                                        const elman_labels *labels, elman_error *error);
/* Fills lengths. MEMORY. */
elman_status elman_classify_lengths(elman_classify_examples *examples, elman_error *error);

/* The network, and what belongs to it. */
typedef struct elman_classify_network {
    elman_context *context;
    elman_encoder *encoder;
    elman_parameter *mean, *deviation; /* of the inputs, frozen; NULL where words are read */
    elman_word_scores *scores;         /* NULL: not asked for */
    elman_parameter *temperature;      /* [1], frozen; what logits are divided by */
    elman_lexicon lexicon;             /* empty where vectors are read */
    elman_labels labels;
} elman_classify_network;

/* The lexicon and the labels stand already. */
elman_status elman_classify_build(elman_classify_network *network, const elman_config *config,
                                  bool train, elman_error *error);
void elman_classify_network_free(elman_classify_network *network);
/* vocabulary.json, characters.json, labels.json: those that there are. */
elman_status elman_classify_save(const elman_classify_network *network, const char *folder,
                                 elman_error *error);
elman_status elman_classify_load(elman_classify_network *network, const char *folder,
                                 const elman_config *config, elman_error *error);

/* The batch of some examples; training: NULL where they are answered. false: the tape failed. */
bool elman_classify_record(elman_tape *tape, const elman_classify_network *network,
                           elman_classify_examples *examples, const int64_t *numbers, int64_t n,
                           const elman_disturbance *training, elman_encoder_batch *batch);
/* Logits [n,K] of examples [first, first+n), before the temperature; without recording. */
elman_status elman_classify_logits(elman_tape *tape, const elman_classify_network *network,
                                   elman_classify_examples *examples, int64_t first, int64_t n,
                                   float *logits, elman_error *error);
/* The same in rounds, over as many as wanted. INTERRUPTED by stop (may be NULL). */
elman_status elman_classify_all(elman_tape *tape, const elman_classify_network *network,
                                elman_classify_examples *examples, int64_t first, int64_t end,
                                const volatile sig_atomic_t *stop, float *logits,
                                elman_error *error);

struct elman_classifier {
    elman_context *context;
    elman_config_file file; /* the data records are borrowed */
    const elman_config *config;
    elman_classify_network network;
    elman_classify_examples examples; /* those that are being answered */
    elman_tape *tape;
    float *logits; /* [rows, K] */
    size_t logits_room;
};
elman_status elman_classifier_open_folder(elman_context *context, const char *folder,
                                          const elman_config_file *file,
                                          elman_classifier **classifier, elman_error *error);
/* The classifier holds no examples. */
void elman_classifier_clear(elman_classifier *classifier);
/* The entries of the task. */
elman_status elman_classify_eval(void *model, const char *const *paths, int count, bool test,
                                 elman_metrics *metrics, elman_error *error);
elman_status elman_classify_predict(void *model, const elman_predict_options *options,
                                    const elman_lines *lines, elman_error *error);
/* Logits of all the examples that the classifier holds: [count, K], in its own memory. */
elman_status elman_classifier_answer(elman_classifier *classifier, elman_error *error);
/* NUMERIC: one of so many logits is not finite. */
elman_status elman_classifier_check(const elman_classifier *classifier, const float *logits,
                                    size_t count, elman_error *error);
/* logits [K] over the temperature, and their softmax, in place. */
void elman_classifier_soften(const elman_classifier *classifier, float *logits);
void elman_classifier_probabilities(const elman_classifier *classifier, float *logits);

#endif
