/* Where on the tape the first number stands that is not finite. */
#ifndef ELMAN_TASK_DOCTOR_TRACE_H
#define ELMAN_TASK_DOCTOR_TRACE_H

#include "elman/doctor.h"
#include "op/observe.h"
#include "train/objective.h"

/* What the search knows of the run. */
typedef struct elman_trace {
    elman_context *context;
    const elman_objective *objective;
    elman_fault *fault; /* what is found; step 0: nothing yet */
} elman_trace;

/* After a forward run in the mode `observe`: whether a value is not finite, which *fault then says
 * but for its step and batch. */
bool elman_trace_forward(const elman_trace *trace, const elman_tape *tape);
/* After the backward run of the same round; also of the parameters' gradients. */
bool elman_trace_backward(const elman_trace *trace, const elman_tape *tape);

/* Of one direction of a recurrent layer. */
bool elman_trace_cell_forward(const elman_trace *trace, const elman_observation *layer);
bool elman_trace_cell_backward(const elman_trace *trace, const elman_observation *layer);

/* Fills in the sequence, time and sample of a packed row of `sequences`. main: they are the task's
 * own, not the words of a batch. */
void elman_trace_place(const elman_trace *trace, const elman_sequences *sequences, int64_t row,
                       bool main);
/* The first of x[n] that is not finite; n: none. The greatest of x[n] in magnitude. */
size_t elman_trace_nonfinite(const elman_trace *trace, const float *x, size_t n);
size_t elman_trace_greatest(const float *x, size_t n);

#endif
