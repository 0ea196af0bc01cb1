/* The inside of the tape, for operations. */
#ifndef ELMAN_GRAPH_TAPE_IMPL_H
#define ELMAN_GRAPH_TAPE_IMPL_H

#include "base/context_impl.h"
#include "base/memory.h"
#include "elman/tape.h"

struct elman_var {
    elman_tensor value;
    float *gradient; /* NULL until something has flowed into it; unused where base is set */
    bool needs_gradient;
    elman_var *base; /* not NULL: these are elements `offset`.. of base, and so is the gradient */
    int64_t offset;
    elman_var *previous; /* made before this one */
    /* what made it, or elman_node_given; NULL: a view, or no gradient flows through it */
    const struct elman_node *node;
};

/* An operation's node begins with this and keeps behind it what its backward needs. A backward
 * runs also where nothing flowed into the results (their gradient is NULL): it then returns, or
 * takes the missing one of several as zero. */
typedef struct elman_node elman_node;
struct elman_node {
    void (*backward)(elman_tape *tape, elman_node *node);
    const char *name;                 /* of the operation, for messages */
    elman_node *previous;             /* recorded before this one */
    const elman_parameter *parameter; /* whose layer this is, for messages; may be NULL */
};

/* What "made" the values that are given to the tape: named "input". */
extern const elman_node elman_node_given;

struct elman_tape {
    elman_context *context;
    elman_tape_mode mode;
    elman_arena arena;
    elman_node *last;
    elman_var *newest;  /* of the values */
    elman_var *named;   /* the newest when the last node was recorded */
    void *observations; /* op/observe.h's, while the mode is observe; the newest */
    elman_error error;  /* code ELMAN_OK: none */
    bool ran_backward;
    elman_var *terminal; /* not NULL: a fused loss that took its own gradient to be 1, so that
                          * backward must start from it */
};

/* Kinds of packed copies of a parameter; the packs are kept with it. */
enum {
    ELMAN_PACK_ROWS,    /* right operand of x W^T */
    ELMAN_PACK_COLUMNS, /* right operand of dy W */
    ELMAN_PACK_GATES,   /* recurrent step */
    ELMAN_PACK_KINDS
};

struct elman_parameter {
    char name[128];
    elman_context *context;
    elman_tensor value;    /* owned */
    float *gradient;       /* owned, [shape]; NULL where it is only run or frozen */
    uint64_t version;      /* goes up whenever the value changes */
    bool decays;           /* weight decay applies (not to biases and gains) */
    elman_parameter *tied; /* not NULL: shares that parameter's value; the gradient is its own */
    struct {
        float *data;
        size_t count;
        uint64_t version;
        elman_isa isa; /* whose layout it has */
    } packs[ELMAN_PACK_KINDS];
};

/* Keeps the first error. */
void elman_tape_fail(elman_tape *tape, elman_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static inline bool elman_tape_failed(const elman_tape *tape)
{
    return tape->error.code != ELMAN_OK;
}

/* count floats that live until the next begin; NULL and the tape fails when memory is out.
 * Whether it records or not. */
float *elman_tape_floats(elman_tape *tape, size_t count);
/* The same for anything. */
void *elman_tape_take(elman_tape *tape, size_t count, size_t size);

/* A new value with its memory (not cleared); NULL and the tape fails on overflow. */
elman_var *elman_tape_var(elman_tape *tape, int rank, const int64_t *shape, bool needs_gradient);
/* A value over memory that something else owns for the round. */
elman_var *elman_tape_view(elman_tape *tape, int rank, const int64_t *shape, float *data,
                           bool needs_gradient);

/* Elements offset.. of base under another shape, without a node: gradient that flows into the
 * view is the base's. Views of views are fine. The caller has checked the bounds. */
elman_var *elman_tape_alias(elman_tape *tape, elman_var *base, int64_t offset, int rank,
                            const int64_t *shape);

/* Records a node of `size` bytes (zeroed, its head filled), which is what made the values that were
 * made since the node before; NULL where the tape failed. To be
 * called only when tape->mode.record and some input needs a gradient. */
void *elman_tape_node(elman_tape *tape, size_t size, const char *name,
                      void (*backward)(elman_tape *, elman_node *));

/* In a backward: the place for var's gradient. *add tells whether something has flowed already:
 * then add to it, else overwrite every element. NULL when memory is out. */
float *elman_tape_gradient(elman_tape *tape, elman_var *var, bool *add);

/* The parameter's packed copy of a kind: `count` floats kept with it (with the value's owner where
 * it is tied), made at the first call, in the layout of the tape's instruction set. *stale tells
 * that the caller must fill it from the value now. NULL and the tape fails when memory is out. */
float *elman_parameter_pack(elman_tape *tape, elman_parameter *parameter, int kind, size_t count,
                            bool *stale);

/* Who owns the value: the parameter itself, or the one that it is tied to. */
static inline elman_parameter *elman_parameter_owner(elman_parameter *parameter)
{
    return parameter->tied ? parameter->tied : parameter;
}

/* After the value changed. */
static inline void elman_parameter_touch(elman_parameter *parameter)
{
    elman_parameter_owner(parameter)->version++;
}

elman_status elman_parameter_create(elman_context *context, const char *name, int rank,
                                    const int64_t *shape, bool with_gradient,
                                    elman_parameter **parameter, elman_error *error);
/* A second place that uses `other`'s value, with a gradient buffer of its own where `other` has
 * one; freed before `other`. */
elman_status elman_parameter_tie(elman_context *context, const char *name, elman_parameter *other,
                                 elman_parameter **parameter, elman_error *error);
void elman_parameter_free(elman_parameter *parameter);

#endif
