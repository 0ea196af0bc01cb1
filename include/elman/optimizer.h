/* Optimisers: what turns gradients into an update of the parameters. */
#ifndef ELMAN_OPTIMIZER_H
#define ELMAN_OPTIMIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elman/config.h"
#include "elman/layer.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct elman_optimizer elman_optimizer;

/* The formulas are PyTorch's (torch.optim.SGD, Adam, AdamW) but that weight decay is decoupled
 * for all three (Loshchilov & Hutter 2019: w -= lr * decay * w) and skips biases and gains. */
typedef struct elman_optimizer_options {
    size_t size;               /* sizeof(elman_optimizer_options), set by _default */
    elman_optimizer_kind kind; /* default ADAM */
    double momentum;           /* SGD, in [0,1); default 0 */
    bool nesterov;             /* SGD, needs momentum */
    double beta1, beta2;       /* Adam, in [0,1); defaults 0.9, 0.999 (Kingma & Ba 2015) */
    double epsilon;            /* Adam; default 1e-8 */
    double weight_decay;       /* default 0 */
    double clip;       /* greatest global 2-norm (Pascanu et al. 2013); 0: none; default 5 */
    double clip_value; /* greatest magnitude of an element, before the norm; 0: none */
} elman_optimizer_options;

ELMAN_API void elman_optimizer_options_default(elman_optimizer_options *options);

/* options NULL: the defaults. *optimizer is the caller's; the parameters must outlive it.
 * ARGUMENT: a value out of bounds, parameters made without gradients. */
ELMAN_API elman_status elman_optimizer_create(elman_context *context, elman_parameters *parameters,
                                              const elman_optimizer_options *options,
                                              elman_optimizer **optimizer, elman_error *error);
ELMAN_API void elman_optimizer_free(elman_optimizer *optimizer);

/* One update with learning rate `rate`: adds up the gradients of tied places, clips, updates,
 * and clears the gradients. *norm (may be NULL) is the global 2-norm before clipping by it.
 * NUMERIC: a gradient is not finite; the message names the first such parameter and element,
 * and no parameter has changed. */
ELMAN_API elman_status elman_optimizer_step(elman_optimizer *optimizer, double rate, double *norm,
                                            elman_error *error);

/* Updates made so far; part of Adam's bias correction. */
ELMAN_API int64_t elman_optimizer_steps(const elman_optimizer *optimizer);

#ifdef __cplusplus
}
#endif

#endif
