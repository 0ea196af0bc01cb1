/* What inspect knows about a model, and how it is shown. */
#ifndef ELMAN_CLI_INSPECT_H
#define ELMAN_CLI_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elman/config.h"
#include "elman/context.h"

enum { CLI_TENSOR_NAME = 96, CLI_TENSOR_RANK = 8 };

typedef struct cli_tensor {
    char name[CLI_TENSOR_NAME];
    int rank;
    int64_t shape[CLI_TENSOR_RANK];
    int64_t count;
    int64_t bytes;
    bool tied; /* the values of an earlier one */
} cli_tensor;

typedef struct cli_tensors {
    cli_tensor *list; /* from malloc */
    size_t size, capacity;
} cli_tensors;

/* Those of MODEL/model.safetensors in the order of the network; those that a configuration
 * with layers, hidden and vocabulary would have. */
elman_status cli_tensors_read(elman_context *context, const char *path, const elman_config *config,
                              cli_tensors *tensors, elman_error *error);
bool cli_tensors_plan(const elman_config *config, cli_tensors *tensors);
void cli_tensors_free(cli_tensors *tensors);
/* Of all that are not tied. */
void cli_tensors_total(const cli_tensors *tensors, int64_t *count, int64_t *bytes);

/* What metrics.jsonl tells. */
typedef struct cli_training {
    bool any;
    int64_t step;
    double epoch, seconds, loss; /* of the last interval; NaN: none */
    bool validated;
    double valid_loss, best_loss, best_epoch;
    int64_t best_step;
} cli_training;

void cli_training_read(const char *path, cli_training *training);

/* The network over three steps, at most 80 columns. */
void cli_picture(const elman_config *config, bool unicode);

#endif
