/* Tasks: from files to a trained model folder, and from a model folder to answers. What the
 * command line calls. */
#ifndef ELMAN_TASK_H
#define ELMAN_TASK_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "elman/config.h"
#include "elman/context.h"
#include "elman/sample.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum elman_train_event {
    ELMAN_EVENT_NOTE,       /* `text` is one line for the user: what was read, what was chosen */
    ELMAN_EVENT_STEP,       /* after each update */
    ELMAN_EVENT_VALIDATION, /* valid_* are new */
    ELMAN_EVENT_CHECKPOINT, /* a checkpoint stands on disk */
    ELMAN_EVENT_END
} elman_train_event;

typedef struct elman_train_progress {
    elman_train_event event;
    const char *text;    /* of a NOTE */
    int64_t step, steps; /* updates done, and to do in all */
    double epoch;        /* with its fraction */
    int64_t epochs;
    double loss;          /* nats a token, or what the task's loss is; the last interval's mean */
    double gradient_norm; /* before clipping */
    double lr;
    double tokens_per_second; /* of what the task counts: */
    const char *unit;         /* "tokens", "examples", …; a static string */
    double seconds, seconds_left;
    double valid_loss;  /* of the last validation; NaN before the first */
    double best_loss;   /* of the best validation so far; NaN before the first */
    const char *metric; /* the task's own figure ("accuracy"), a static string; NULL: none */
    double valid_value, best_value; /* of the metric, likewise */
    bool better;                    /* this validation is the best so far */
    uint64_t valid_tokens;
} elman_train_progress;

typedef struct elman_train_request {
    size_t size;      /* sizeof, set by _default */
    const char *task; /* "lm" */
    elman_config config;
    const char *const *data; /* [data_count] paths; none on resuming: those recorded; none of a task
                              * that makes its examples itself */
    int data_count;
    const char *output; /* MODEL */
    bool resume;        /* continue where MODEL stopped: config and data are MODEL's, except that
                         * threads, checkpoint_every and watch are the request's where not 0 */
    bool force;         /* begin anew where MODEL exists */
    const char *tensorboard; /* a folder, made where missing, to which TensorBoard's event files are
                              * written as it goes; changes nothing that is trained. NULL: none */
    void (*progress)(void *user, const elman_train_progress *progress); /* may be NULL */
    void *user;
    const volatile sig_atomic_t *stop; /* not 0: save and return INTERRUPTED; may be NULL */
} elman_train_request;

ELMAN_API void elman_train_request_default(elman_train_request *request);

/* Whether a task learns from files; probe does not. Of an unknown one: true. */
ELMAN_API bool elman_task_reads_data(const char *task);

/* Trains into the folder request->output. EXISTS: a model stands there (neither resume nor
 * force); BUSY: another training writes there; NUMERIC: a loss or gradient is not finite, the
 * message names step, parameter and what to try, and the last good checkpoint stands;
 * INTERRUPTED: stopped and saved; UNSUPPORTED: tensorboard in a library built without it. */
ELMAN_API elman_status elman_train(elman_context *context, const elman_train_request *request,
                                   elman_error *error);

/* A language model opened for use: network, vocabulary and what config.json says. Immutable;
 * any number of streams. */
typedef struct elman_lm elman_lm;
ELMAN_API elman_status elman_lm_open(elman_context *context, const char *folder, elman_lm **lm,
                                     elman_error *error);
ELMAN_API void elman_lm_free(elman_lm *lm);
ELMAN_API const elman_config_file *elman_lm_config(const elman_lm *lm);

typedef struct elman_lm_result {
    double loss;     /* nats a token */
    uint64_t tokens; /* predicted */
    uint64_t bytes;  /* of the text */
} elman_lm_result;

/* One thread at a time on a model (streams are free of this). The loss over the files' whole text
 * as one stream from the zero state, dropout off, summed in
 * double. An unseen character is DATA: the message names file, byte and character. With no
 * files: the validation part that the model was trained with. */
ELMAN_API elman_status elman_lm_eval(elman_context *context, const elman_lm *lm,
                                     const char *const *paths, int count, elman_lm_result *result,
                                     elman_error *error);

/* One stream of text through a model. All its memory is taken here. `sample` says how draws are
 * made (NULL: the defaults); the model outlives it. ARGUMENT: a sample option out of bounds. */
typedef struct elman_lm_stream elman_lm_stream;
ELMAN_API elman_status elman_lm_stream_create(elman_context *context, const elman_lm *lm,
                                              const elman_sample_options *sample,
                                              elman_lm_stream **stream, elman_error *error);
ELMAN_API void elman_lm_stream_free(elman_lm_stream *stream);
/* Back to the zero state. */
ELMAN_API void elman_lm_stream_reset(elman_lm_stream *stream);
/* Reads text (UTF-8; bytes at byte level). DATA: an unseen character, named with its offset. */
ELMAN_API elman_status elman_lm_stream_feed(elman_lm_stream *stream, const char *text, size_t size,
                                            elman_error *error);

typedef struct elman_lm_choice {
    const char *token; /* UTF-8, the vocabulary's; a byte that is no character as "<0xNN>" */
    double probability;
} elman_lm_choice;
/* The most probable next tokens, best first: fills at most `count`, *found says how many.
 * A stream that has read nothing is fed the start (the first token of a text is predicted from
 * the zero state after a line end where the vocabulary has one). */
ELMAN_API elman_status elman_lm_stream_predict(elman_lm_stream *stream, elman_lm_choice *choices,
                                               int count, int *found, elman_error *error);
/* Draws the next token, feeds it back, and hands out the text that is complete by now (valid
 * UTF-8, perhaps empty; valid until the next call). Draw number n of a seed is the same on every
 * machine. */
ELMAN_API elman_status elman_lm_stream_draw(elman_lm_stream *stream, const char **text,
                                            size_t *size, elman_error *error);
/* The text that was held back because it was not whole, as U+FFFD; perhaps empty. */
ELMAN_API void elman_lm_stream_finish(elman_lm_stream *stream, const char **text, size_t *size);

#ifdef __cplusplus
}
#endif

#endif
