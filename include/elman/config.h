/* What MODEL/config.json holds: the task, the network and how it is trained; enough to train
 * it again. One struct and one table of options over it (elman/options.h). */
#ifndef ELMAN_CONFIG_H
#define ELMAN_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "elman/cell.h"
#include "elman/context.h"
#include "elman/options.h"
#include "elman/vocabulary.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Numbers of the choices, in the order of their words; elman_level is the vocabulary's. */
typedef enum elman_optimizer_kind {
    ELMAN_OPTIMIZER_SGD,
    ELMAN_OPTIMIZER_ADAM,
    ELMAN_OPTIMIZER_ADAMW
} elman_optimizer_kind;
typedef enum elman_loss_reduction {
    ELMAN_REDUCE_TOKEN,
    ELMAN_REDUCE_SEQUENCE
} elman_loss_reduction;

typedef enum elman_normalise {
    ELMAN_NORMALISE_NONE,
    ELMAN_NORMALISE_LAST, /* less the window's last value */
    ELMAN_NORMALISE_MEAN, /* less its mean */
    ELMAN_NORMALISE_SCALE /* less its mean, over its deviation (Kim et al. 2022) */
} elman_normalise;
typedef enum elman_forecast_loss {
    ELMAN_FORECAST_SQUARED,
    ELMAN_FORECAST_ABSOLUTE,
    ELMAN_FORECAST_HUBER,
    ELMAN_FORECAST_QUANTILE,
    ELMAN_FORECAST_GAUSSIAN
} elman_forecast_loss;

typedef enum elman_probe {
    ELMAN_PROBE_ADDING,
    ELMAN_PROBE_COPY,
    ELMAN_PROBE_PARITY,
    ELMAN_PROBE_LINEAR_RECURRENCE
} elman_probe;

typedef enum elman_watch_kind {
    ELMAN_WATCH_NOTHING,
    ELMAN_WATCH_GRADIENTS /* records of elman/gradient_flow.h in metrics.jsonl */
} elman_watch_kind;

enum { ELMAN_CONFIG_TEXT = 1024 };

/* "auto" (0, or -1 where 0 means something) is chosen by the task from the size
 * of the data; config.json records what was chosen. */
typedef struct elman_config {
    size_t size; /* sizeof(elman_config), set by _default */

    /* data; which task reads what, the table says */
    int level;                        /* elman_level of elman/vocabulary.h: char, byte, word */
    int64_t min_count;                /* words seen less often in training become <unk> */
    char valid[ELMAN_CONFIG_TEXT];    /* a fraction of the data's end, or a file */
    char split[ELMAN_CONFIG_TEXT];    /* rows or examples TRAIN,VALID[,TEST]; empty: by valid */
    bool fold_case;                   /* words as if they stood in lower case */
    char text[ELMAN_CONFIG_TEXT];     /* columns that hold text, NAME,… */
    char label[ELMAN_CONFIG_TEXT];    /* column that holds the label */
    char features[ELMAN_CONFIG_TEXT]; /* columns that hold numbers, NAME,…; empty: the rest */
    char sequence_column[ELMAN_CONFIG_TEXT]; /* its value says to which sequence a row belongs */
    char step_column[ELMAN_CONFIG_TEXT];     /* orders the rows of a sequence */
    int64_t width;                           /* numbers a step where a row is a sequence; 0: all */
    char embeddings[ELMAN_CONFIG_TEXT];      /* a file of word vectors */
    bool freeze_embeddings;                  /* they are not trained */
    char target[ELMAN_CONFIG_TEXT];          /* columns to forecast, NAME,…; empty: all */
    char series_column[ELMAN_CONFIG_TEXT];   /* its value says to which series a row belongs */
    char covariates[ELMAN_CONFIG_TEXT];      /* columns known in advance, NAME,… */
    bool calendar;                           /* hour, weekday, day and month as covariates */
    int64_t lookback;                        /* rows that a forecast looks at, 0 auto */
    int64_t horizon;                         /* rows to forecast, 0 auto */
    int64_t season;                          /* rows of a season, 0 auto */
    int normalise;                           /* elman_normalise, of each window */
    int probe;                               /* elman_probe: what a probe is asked */
    char lag[ELMAN_CONFIG_TEXT];             /* steps over which a probe remembers, N or N..M */
    int64_t extras; /* numbers beside what the pools say, of the whole sequence. Not an option. */
    int64_t inputs, outputs, characters; /* numbers a step; classes, tags or numbers answered;
                                          * distinct characters of words. 0 until the task has read
                                          * the data. Not options to type. */

    /* network */
    int cell;                     /* elman_cell of elman/cell.h: rnn, rnn-relu, lstm, gru */
    int64_t layers;               /* 0 auto */
    int64_t hidden;               /* units a layer, 0 auto */
    int64_t embedding;            /* 0: as hidden */
    double dropout;               /* -1 auto; probability between layers and before the output */
    bool tied;                    /* the output weights are the embedding's (embedding = hidden) */
    bool layer_norm;              /* layer-normalised cells, Ba et al. 2016 */
    bool bidirectional;           /* a second set of cells reads from the end */
    bool residual;                /* a layer's input is added to its output, from the second on */
    bool output_norm;             /* layer normalisation after each recurrent layer */
    char pool[ELMAN_CONFIG_TEXT]; /* how steps become one: last, mean, max, attention; NAME,… */
    int64_t char_hidden;          /* units a direction that compose a word of characters; 0: none */
    int64_t char_embedding;       /* numbers that stand for a character of a word */
    bool crf;                     /* a linear-chain conditional random field over the tags */
    int64_t dense;                /* ReLU units over each step before the layers; 0: none */
    bool linear_skip;             /* a linear map from the window beside the network */
    bool shared;                  /* each column is a sequence of its own, with shared weights */
    bool stepwise;                /* forecasts are fed back, step by step */
    char quantiles[ELMAN_CONFIG_TEXT]; /* to answer, in (0,1), ascending: P,… */
    char init[ELMAN_CONFIG_TEXT];      /* NAME[:VALUE],… ; empty: PyTorch's defaults */
    int64_t vocabulary; /* tokens; 0 until the task has read the data. Not an option to type. */

    /* training */
    int64_t batch;      /* parallel streams, 0 auto */
    int64_t bptt;       /* steps of back-propagation through time, 0 auto */
    int64_t epochs;     /* 0 auto */
    int64_t max_steps;  /* 0: no limit */
    int64_t accumulate; /* batches an update */
    int optimizer;      /* elman_optimizer_kind */
    double lr;          /* -1 auto */
    double momentum;
    bool nesterov;
    double weight_decay;    /* decoupled; not on biases, gains */
    double clip;            /* global norm; 0: none */
    double clip_value;      /* each element; 0: none */
    int reduction;          /* elman_loss_reduction */
    int loss;               /* elman_forecast_loss */
    double word_dropout;    /* probability that training reads <unk> for a word */
    double noise;           /* deviation of what training adds to standardised numbers */
    double label_smoothing; /* share of a target that is spread over all classes */
    bool balance;           /* classes weigh as if each were as frequent */
    bool calibrate;         /* a temperature is fitted on the validation part */
    double average;         /* decay of the weights' moving average, that is kept; 0: none */
    char schedule[ELMAN_CONFIG_TEXT]; /* constant, step:FACTOR:AFTER, cosine,
                                         plateau[:FACTOR[:PATIENCE]] */
    int64_t warmup;                   /* steps of linear warm-up */
    int64_t patience;   /* validations without a better one before stopping; 0: never */
    int64_t eval_every; /* steps between validations; 0: each epoch */
    double stop_at;     /* of a probe: the metric that ends it; -1 auto, 0: never */
    int64_t seed;

    /* run (not part of what is trained) */
    int64_t threads;          /* 0: ELMAN_THREADS, else all processors */
    int64_t checkpoint_every; /* steps; 0: at each validation */
    int watch;                /* elman_watch_kind */
} elman_config;

/* The table over elman_config, grouped as above. */
ELMAN_API const elman_option_table *elman_config_options(void);
ELMAN_API void elman_config_default(elman_config *config);
/* The defaults of a task, which differ in some options; of an unknown one those of lm. */
ELMAN_API void elman_config_default_for(elman_config *config, const char *task);
/* The default of an option under a task (NULL: lm), as text; NULL where it has none. */
ELMAN_API const char *elman_config_initial(const elman_option *option, const char *task);

/* Every value within its bounds, and those that belong together fitting each other: what a
 * caller who filled the struct by hand may get wrong. ARGUMENT names the option. */
ELMAN_API elman_status elman_config_validate(const elman_config *config, elman_error *error);

/* A run's record beside the options: what was read. */
typedef struct elman_data_record {
    char path[ELMAN_CONFIG_TEXT];
    char sha256[65];
    uint64_t bytes;
} elman_data_record;

/* What else stands in config.json. */
typedef struct elman_config_file {
    char task[32];
    int64_t format_version;   /* of the folder; this library reads 1 */
    int64_t numerics_version; /* of the bits */
    elman_config config;
    elman_data_record *data; /* [data_count], training files then validation files */
    int64_t data_count, train_count;
} elman_config_file;

enum { ELMAN_CONFIG_FORMAT_VERSION = 1, ELMAN_CONFIG_BYTES = 1 << 26 };

/* Every field zero or its default; task is empty. */
ELMAN_API void elman_config_file_default(elman_config_file *file);

/* Reads and validates config.json (or the same from memory, `name` for messages). Missing keys
 * take their defaults, but the versions and the task must be there. *file is filled, and empty
 * after a failure; its data array is freed by elman_config_file_clear.
 * FORMAT: no JSON object, a key that is unknown (the nearest is named), of a wrong type or out
 * of bounds (what was found and expected); UNSUPPORTED: a format_version above ours; IO; MEMORY. */
ELMAN_API elman_status elman_config_file_read(elman_context *context, const char *path,
                                              elman_config_file *file, elman_error *error);
ELMAN_API elman_status elman_config_file_parse(elman_context *context, const void *bytes,
                                               size_t size, const char *name,
                                               elman_config_file *file, elman_error *error);
/* The same of a model's folder: config.json in it. IO: there is no such folder, or no such file. */
ELMAN_API elman_status elman_config_file_read_model(elman_context *context, const char *folder,
                                                    elman_config_file *file, elman_error *error);
/* The same for a file that a person writes, for `--config`: the versions, the task (then empty)
 * and the data may be missing too. */
ELMAN_API elman_status elman_config_file_read_draft(elman_context *context, const char *path,
                                                    elman_config_file *file, elman_error *error);
/* What writing asks for: elman_config_validate, and texts that are UTF-8. */
ELMAN_API elman_status elman_config_file_validate(const elman_config_file *file,
                                                  elman_error *error);
/* Writes it, whole or not at all; "auto" where nothing was chosen yet. A path that is no UTF-8
 * is ARGUMENT; IO; MEMORY. */
ELMAN_API elman_status elman_config_file_write(elman_context *context, const char *path,
                                               const elman_config_file *file, elman_error *error);
/* NULL is fine, and a file cleared before. */
ELMAN_API void elman_config_file_clear(elman_context *context, elman_config_file *file);

#ifdef __cplusplus
}
#endif

#endif
