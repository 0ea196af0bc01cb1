/* Element by element: y = f(a, b), and da += dy * df/da. */
#include "elman/op.h"
#include "op/share.h"

/* What a slice of n elements is computed from; b is a where there is one operand. */
typedef struct pointwise_slice {
    const elman_math_kernels *math;
    size_t n;
    const float *a, *b, *y, *dy;
    float factor; /* elman_scale's */
} pointwise_slice;

typedef struct pointwise_kind {
    const char *name;
    void (*forward)(const pointwise_slice *s, float *y);
    /* d = (add ? d : 0) + dy * dy/da, and dy/db. */
    void (*backward_a)(const pointwise_slice *s, float *d, bool add);
    void (*backward_b)(const pointwise_slice *s, float *d, bool add);
} pointwise_kind;

typedef struct pointwise_node {
    elman_node node;
    const pointwise_kind *kind;
    elman_var *a, *b, *y; /* b: NULL for one operand */
    float factor;
} pointwise_node;

static void add_forward(const pointwise_slice *s, float *y)
{
    s->math->add(y, s->a, s->b, s->n);
}

static void subtract_forward(const pointwise_slice *s, float *y)
{
    s->math->subtract(y, s->a, s->b, s->n);
}

static void multiply_forward(const pointwise_slice *s, float *y)
{
    s->math->multiply(y, s->a, s->b, s->n, false);
}

static void scale_forward(const pointwise_slice *s, float *y)
{
    s->math->scale(y, s->a, s->factor, s->n, false);
}

static void tanh_forward(const pointwise_slice *s, float *y)
{
    s->math->tanh(y, s->a, s->n);
}

static void sigmoid_forward(const pointwise_slice *s, float *y)
{
    s->math->sigmoid(y, s->a, s->n);
}

static void relu_forward(const pointwise_slice *s, float *y)
{
    s->math->relu(y, s->a, s->n);
}

static void pass_on(const pointwise_slice *s, float *d, bool add)
{
    s->math->scale(d, s->dy, 1.0F, s->n, add);
}

static void pass_negative(const pointwise_slice *s, float *d, bool add)
{
    s->math->scale(d, s->dy, -1.0F, s->n, add);
}

static void times_b(const pointwise_slice *s, float *d, bool add)
{
    s->math->multiply(d, s->dy, s->b, s->n, add);
}

static void times_a(const pointwise_slice *s, float *d, bool add)
{
    s->math->multiply(d, s->dy, s->a, s->n, add);
}

static void times_factor(const pointwise_slice *s, float *d, bool add)
{
    s->math->scale(d, s->dy, s->factor, s->n, add);
}

static void tanh_backward(const pointwise_slice *s, float *d, bool add)
{
    s->math->tanh_backward(d, s->dy, s->y, s->n, add);
}

static void sigmoid_backward(const pointwise_slice *s, float *d, bool add)
{
    s->math->sigmoid_backward(d, s->dy, s->y, s->n, add);
}

static void relu_backward(const pointwise_slice *s, float *d, bool add)
{
    s->math->relu_backward(d, s->dy, s->y, s->n, add);
}

static const pointwise_kind add_kind = {"add", add_forward, pass_on, pass_on};
static const pointwise_kind subtract_kind = {"subtract", subtract_forward, pass_on, pass_negative};
static const pointwise_kind multiply_kind = {"multiply", multiply_forward, times_b, times_a};
static const pointwise_kind scale_kind = {"scale", scale_forward, times_factor, NULL};
static const pointwise_kind tanh_kind = {"tanh", tanh_forward, tanh_backward, NULL};
static const pointwise_kind sigmoid_kind = {"sigmoid", sigmoid_forward, sigmoid_backward, NULL};
static const pointwise_kind relu_kind = {"relu", relu_forward, relu_backward, NULL};

static pointwise_slice slice_of(const elman_kernels *kernels, const pointwise_node *p, size_t begin,
                                size_t end)
{
    const elman_var *b = p->b ? p->b : p->a;
    pointwise_slice s = {.math = kernels->math, .n = end - begin, .factor = p->factor};
    s.a = p->a->value.data + begin;
    s.b = b->value.data + begin;
    s.y = p->y->value.data + begin;
    return s;
}

static void forward_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    const pointwise_node *p = argument;
    pointwise_slice s = slice_of(kernels, p, begin, end);
    p->kind->forward(&s, p->y->value.data + begin);
}

typedef struct pointwise_flow {
    const pointwise_node *p;
    void (*backward)(const pointwise_slice *s, float *d, bool add);
    float *d;
    bool add;
} pointwise_flow;

static void backward_share(const elman_kernels *kernels, void *argument, size_t begin, size_t end)
{
    const pointwise_flow *flow = argument;
    pointwise_slice s = slice_of(kernels, flow->p, begin, end);
    s.dy = flow->p->y->gradient + begin;
    flow->backward(&s, flow->d + begin, flow->add);
}

static void flow_to(elman_tape *tape, const pointwise_node *p, elman_var *operand,
                    void (*backward)(const pointwise_slice *s, float *d, bool add))
{
    if (!operand || !operand->needs_gradient)
        return;
    pointwise_flow flow = {.p = p, .backward = backward};
    flow.d = elman_tape_gradient(tape, operand, &flow.add);
    elman_share(tape, (size_t)elman_tensor_count(&p->y->value), 1, backward_share, &flow);
}

/* b is the later use of a value that is both. */
static void pointwise_backward(elman_tape *tape, elman_node *node)
{
    const pointwise_node *p = (pointwise_node *)node;
    if (!p->y->gradient)
        return;
    flow_to(tape, p, p->b, p->kind->backward_b);
    flow_to(tape, p, p->a, p->kind->backward_a);
}

static elman_var *pointwise(elman_tape *tape, const pointwise_kind *kind, elman_var *a,
                            elman_var *b, float factor)
{
    bool recorded = elman_wants_gradient(tape, a, b);
    elman_var *y = elman_tape_var(tape, a->value.rank, a->value.shape, recorded);
    if (!y)
        return NULL;
    pointwise_node made = {.kind = kind, .a = a, .b = b, .y = y, .factor = factor};
    elman_share(tape, (size_t)elman_tensor_count(&y->value), 1, forward_share, &made);
    if (!recorded)
        return y;
    pointwise_node *p = elman_tape_node(tape, sizeof *p, kind->name, pointwise_backward);
    if (!p)
        return NULL;
    made.node = p->node;
    *p = made;
    return y;
}

static elman_var *binary(elman_tape *tape, const pointwise_kind *kind, elman_var *a, elman_var *b)
{
    if (!a || !b || elman_tape_failed(tape))
        return NULL;
    if (!elman_same_shape(a, b)) {
        elman_tape_fail(tape, ELMAN_ERROR_SHAPE, "%s: the shapes are %s and %s, expected the same",
                        kind->name, elman_shape_print(a).text, elman_shape_print(b).text);
        return NULL;
    }
    return pointwise(tape, kind, a, b, 0);
}

static elman_var *unary(elman_tape *tape, const pointwise_kind *kind, elman_var *a, float factor)
{
    if (!a || elman_tape_failed(tape))
        return NULL;
    return pointwise(tape, kind, a, NULL, factor);
}

elman_var *elman_add(elman_tape *tape, elman_var *a, elman_var *b)
{
    return binary(tape, &add_kind, a, b);
}

elman_var *elman_subtract(elman_tape *tape, elman_var *a, elman_var *b)
{
    return binary(tape, &subtract_kind, a, b);
}

elman_var *elman_multiply(elman_tape *tape, elman_var *a, elman_var *b)
{
    return binary(tape, &multiply_kind, a, b);
}

elman_var *elman_scale(elman_tape *tape, elman_var *a, float factor)
{
    return unary(tape, &scale_kind, a, factor);
}

elman_var *elman_tanh(elman_tape *tape, elman_var *a)
{
    return unary(tape, &tanh_kind, a, 0);
}

elman_var *elman_sigmoid(elman_tape *tape, elman_var *a)
{
    return unary(tape, &sigmoid_kind, a, 0);
}

elman_var *elman_relu(elman_tape *tape, elman_var *a)
{
    return unary(tape, &relu_kind, a, 0);
}
