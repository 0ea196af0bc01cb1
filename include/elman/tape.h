/* Tensors, parameters and the tape: what a model's function records, so that
 * gradients can flow back through it.
 *
 * A model is an ordinary C function that calls operations in order. The tape
 * keeps the first error and makes every later operation a no-op that returns
 * NULL (which every operation accepts), so it is checked once, at the end. */
#ifndef ELMAN_TAPE_H
#define ELMAN_TAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "elman/context.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { ELMAN_MAX_RANK = 4 };

/* float32 values, row-major, contiguous; a view, it owns nothing. */
typedef struct elman_tensor {
    float *data;
    int rank; /* 0 (a scalar) .. ELMAN_MAX_RANK */
    int64_t shape[ELMAN_MAX_RANK];
} elman_tensor;

/* The number of elements. */
ELMAN_API int64_t elman_tensor_count(const elman_tensor *tensor);

/* A value on the tape; it lives until the next elman_tape_begin. */
typedef struct elman_var elman_var;
typedef struct elman_tape elman_tape;

/* A trained tensor. Made by the layers of elman/layer.h; its gradient has the
 * shape of its value and is continued, not overwritten, by every backward. */
typedef struct elman_parameter elman_parameter;

/* Its name, such as "rnn.weight_ih_l0"; lives as long as the parameter. */
ELMAN_API const char *elman_parameter_name(const elman_parameter *parameter);
ELMAN_API const elman_tensor *elman_parameter_value(const elman_parameter *parameter);
/* The value to write into, [shape]. To be called anew for each change: what was derived from the
 * value before is then out of date. Not between recording and backward. */
ELMAN_API float *elman_parameter_edit(elman_parameter *parameter);
/* [shape]; NULL in a model that is only run, and where the parameter is frozen. */
ELMAN_API float *elman_parameter_gradient(elman_parameter *parameter);
/* Keeps the value as it is: the gradient is released, none is computed for it any more, and
 * optimisers leave it alone. For good; fine to call twice. Not between recording and backward. A
 * tied place is frozen apart from the value that it shares: its part of the gradient is then
 * missing, and where the value's owner is frozen, what other places gather is dropped. */
ELMAN_API void elman_parameter_freeze(elman_parameter *parameter);

/* What one round on the tape is for. */
typedef struct elman_tape_mode {
    size_t size;   /* sizeof(elman_tape_mode), set by _default */
    bool record;   /* keep what backward needs (default true) */
    bool train;    /* dropout is on (default false) */
    bool observe;  /* recurrent layers keep what a look into them asks for: their gates, and the
                    * gradients that reach their states at each step, whether or not a parameter
                    * wants a gradient; needs record (default false) */
    uint64_t seed; /* key of the counter-based random numbers (default 0) */
    uint64_t pass; /* the epoch, part of their counter (default 0) */
} elman_tape_mode;

ELMAN_API void elman_tape_mode_default(elman_tape_mode *mode);

/* *tape is the caller's, ended by elman_tape_free before its context. */
ELMAN_API elman_status elman_tape_create(elman_context *context, elman_tape **tape,
                                         elman_error *error);
ELMAN_API void elman_tape_free(elman_tape *tape);

/* Begins a round: every elman_var of the round before is gone, its memory is used
 * again. mode may be NULL (the defaults). */
ELMAN_API void elman_tape_begin(elman_tape *tape, const elman_tape_mode *mode);

/* The first error since begin; ELMAN_OK when there was none. */
ELMAN_API elman_status elman_tape_status(const elman_tape *tape, elman_error *error);

/* A constant that the caller owns (not copied; it must live and stay unchanged until the round
 * ends). shape: [rank], every dimension >= 0. */
ELMAN_API elman_var *elman_tape_input(elman_tape *tape, int rank, const int64_t *shape,
                                      const float *data);
/* The same, and a gradient is wanted: read it with elman_var_gradient after backward. */
ELMAN_API elman_var *elman_tape_leaf(elman_tape *tape, int rank, const int64_t *shape,
                                     const float *data);

/* The value; valid until the next begin. NULL for NULL. */
ELMAN_API const elman_tensor *elman_var_value(const elman_var *var);
/* The gradient after backward, or NULL where none flowed. */
ELMAN_API const float *elman_var_gradient(const elman_var *var);

/* Runs the tape backwards from `loss`, a scalar (rank 0), whose own gradient is 1.
 * Parameter gradients are continued. A tape can run backwards once a round.
 * Returns the tape's status. ARGUMENT: not recording, not a scalar, a second time. */
ELMAN_API elman_status elman_tape_backward(elman_tape *tape, elman_var *loss, elman_error *error);

/* A batch of sequences of different lengths.
 *
 * Padded, a batch is [T,B,F]; packed it is [N,F], N the sum of the lengths, step after
 * step, within a step the sequences that still run, longest first, ties as given
 * (PyTorch's PackedSequence). Where all lengths are T both are the same memory. */
typedef struct elman_sequences {
    int64_t T, B, N;
    const int64_t *lengths;     /* [B] as given, 0..T */
    const int64_t *order;       /* [B] packed place -> number as given */
    const int64_t *batch_sizes; /* [T] sequences that run at step t */
    const int64_t *offsets;     /* [T+1] packed row at which step t begins */
    const uint32_t *numbers;    /* [B] as given: each sequence's number in the data */
    uint32_t time;              /* absolute time of step 0 */
    bool uniform;               /* all lengths are T */
} elman_sequences;

/* Makes the description of a batch, valid until the next begin. lengths NULL: all T.
 * numbers NULL: 0..B-1; both are copied. time: the absolute time of the first step, which
 * counts for dropout. SHAPE: T, B < 0 or a length outside 0..T. */
ELMAN_API const elman_sequences *elman_tape_sequences(elman_tape *tape, int64_t T, int64_t B,
                                                      const int64_t *lengths,
                                                      const uint32_t *numbers, uint32_t time);

#ifdef __cplusplus
}
#endif

#endif
