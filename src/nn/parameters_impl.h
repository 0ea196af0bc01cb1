/* The inside of a set of parameters: what each one is, for its initialiser. */
#ifndef ELMAN_NN_PARAMETERS_IMPL_H
#define ELMAN_NN_PARAMETERS_IMPL_H

#include "elman/layer.h"
#include "graph/tape_impl.h"

typedef enum elman_role {
    ELMAN_ROLE_WEIGHT,    /* [gates*out, in] */
    ELMAN_ROLE_RECURRENT, /* [gates*H, H] */
    ELMAN_ROLE_BIAS,      /* [gates*out] */
    ELMAN_ROLE_RECURRENT_BIAS,
    ELMAN_ROLE_NORM_BIAS, /* of a normalisation: its default is zero */
    ELMAN_ROLE_EMBEDDING,
    ELMAN_ROLE_GAIN,
    ELMAN_ROLE_STATE
} elman_role;

typedef struct elman_entry {
    elman_parameter *parameter;
    elman_role role;
    int gates;          /* >= 1: equal parts of the first dimension */
    int64_t fan;        /* PyTorch's default is uniform within 1/sqrt(fan) */
    bool forgets;       /* an LSTM's bias: its second gate forgets */
    bool forget_holder; /* and this is the one that forget-bias sets */
} elman_entry;

struct elman_parameters {
    elman_context *context;
    bool with_gradients;
    elman_entry *entries;
    int64_t count, capacity;
    elman_arena arena; /* of the layers' arrays */
};

/* Adds prefix.name (name alone where the prefix is empty) as `entry` says, but for its
 * parameter. */
elman_status elman_parameters_add_as(elman_parameters *set, const char *prefix, const char *name,
                                     int rank, const int64_t *shape, const elman_entry *entry,
                                     elman_parameter **parameter, elman_error *error);

/* The first parameter, in order of creation, with a value that is not finite, and the place of that
 * element; NULL: all are finite. */
const elman_parameter *elman_parameters_first_nonfinite(const elman_parameters *set,
                                                        size_t *element);

/* prefix.name into out; ARGUMENT where it is too long. */
elman_status elman_parameters_join(const char *prefix, const char *name, char out[128],
                                   elman_error *error);

#endif
