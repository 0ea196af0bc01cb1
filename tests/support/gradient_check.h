/* An operation against its formula in double: values, and gradients against central differences
 * of that formula; and the same bits for every number of threads. A mismatch is described on
 * standard error. */
#ifndef GRADIENT_CHECK_H
#define GRADIENT_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "graph/tape_impl.h"

enum { GRADIENT_INPUTS = 8 };

typedef struct gradient_input {
    int rank;
    int64_t shape[ELMAN_MAX_RANK];
    bool is_parameter; /* else a leaf */
} gradient_input;

typedef struct gradient_case {
    const char *name;
    int count; /* of inputs */
    gradient_input inputs[GRADIENT_INPUTS];
    /* Records the operation on vars[i], or on parameters[i] where the input is one. */
    elman_var *(*build)(elman_tape *tape, elman_var **vars, elman_parameter **parameters,
                        const void *user);
    /* The same in double: in[i] are the inputs' elements, out the result's. */
    void (*formula)(const double *const *in, double *out, const struct gradient_case *c);
    const void *user;
    elman_tape_mode mode; /* size 0: the default */
    double low, high;     /* inputs are uniform between; both 0: -1.5, 1.5 */
    double tolerance;     /* of gradients and values, times the largest of them or 1; 0: 1e-5 */
} gradient_case;

/* Elements of input i. */
int64_t gradient_elements(const gradient_case *c, int i);

/* Runs it on contexts of 1, 2, 3 and 8 threads. The result's elements are weighed by fixed
 * numbers and added up to be the loss. */
bool gradient_check(const gradient_case *c);

/* x's elements, weighed by fixed numbers of about 1 and added up: a loss for any value. */
elman_var *gradient_weigh(elman_tape *tape, elman_var *x);

#endif
