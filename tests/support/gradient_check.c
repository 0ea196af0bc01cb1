#include "gradient_check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "compare.h"

static double weight(int64_t i)
{
    return 0.5 + (double)((i * 37) % 64) / 64.0; /* exact as a float */
}

typedef struct weigh_node {
    elman_node node;
    elman_var *x, *loss;
} weigh_node;

static void weigh_backward(elman_tape *tape, elman_node *node)
{
    weigh_node *w = (weigh_node *)node;
    bool add;
    float *dx = elman_tape_gradient(tape, w->x, &add);
    for (int64_t i = 0; dx && i < elman_tensor_count(&w->x->value); i++)
        dx[i] = (add ? dx[i] : 0.0F) + (float)weight(i);
}

elman_var *gradient_weigh(elman_tape *tape, elman_var *x)
{
    elman_var *loss = x ? elman_tape_var(tape, 0, NULL, true) : NULL;
    if (!loss)
        return NULL;
    double sum = 0;
    for (int64_t i = 0; i < elman_tensor_count(&x->value); i++)
        sum += weight(i) * (double)x->value.data[i];
    loss->value.data[0] = (float)sum;
    weigh_node *w =
        x->needs_gradient ? elman_tape_node(tape, sizeof *w, "weigh", weigh_backward) : NULL;
    if (w) {
        w->x = x;
        w->loss = loss;
    }
    return loss;
}

int64_t gradient_elements(const gradient_case *c, int i)
{
    elman_tensor t = {.rank = c->inputs[i].rank};
    memcpy(t.shape, c->inputs[i].shape, sizeof t.shape);
    return elman_tensor_count(&t);
}

/* What one run answers. */
typedef struct outcome {
    int64_t outputs;
    bool scalar; /* a loss of its own; other results are weighed */
    float *y;
    float *d[GRADIENT_INPUTS];
} outcome;

static void *copy(const float *from, int64_t n)
{
    float *to = calloc((size_t)n + 1, sizeof *to);
    if (from && n > 0)
        memcpy(to, from, (size_t)n * sizeof *to);
    return to;
}

static void forget(outcome *o)
{
    free(o->y);
    for (int i = 0; i < GRADIENT_INPUTS; i++)
        free(o->d[i]);
}

static bool run(const gradient_case *c, float *const *in, int threads, outcome *o)
{
    elman_context_options options;
    elman_context *context;
    elman_tape *tape;
    elman_error error = {ELMAN_OK, ""};
    elman_var *vars[GRADIENT_INPUTS] = {NULL};
    elman_parameter *parameters[GRADIENT_INPUTS] = {NULL};
    memset(o, 0, sizeof *o);
    elman_context_options_default(&options);
    options.threads = threads;
    if (elman_context_create(&options, &context, &error) != ELMAN_OK ||
        elman_tape_create(context, &tape, &error) != ELMAN_OK) {
        fprintf(stderr, "%s: %s\n", c->name, error.message);
        return false;
    }
    elman_tape_begin(tape, c->mode.size ? &c->mode : NULL);
    for (int i = 0; i < c->count; i++) {
        const gradient_input *input = &c->inputs[i];
        if (input->is_parameter) {
            elman_parameter_create(context, "p", input->rank, input->shape, true, &parameters[i],
                                   NULL);
            memcpy(elman_parameter_edit(parameters[i]), in[i],
                   (size_t)gradient_elements(c, i) * sizeof(float));
        } else {
            vars[i] = elman_tape_leaf(tape, input->rank, input->shape, in[i]);
        }
    }
    elman_var *y = c->build(tape, vars, parameters, c->user);
    elman_var *loss = y && y->value.rank == 0 ? y : gradient_weigh(tape, y);
    bool fine = elman_tape_backward(tape, loss, &error) == ELMAN_OK;
    if (fine) {
        o->outputs = elman_tensor_count(&y->value);
        o->scalar = y->value.rank == 0;
        o->y = copy(y->value.data, o->outputs);
        for (int i = 0; i < c->count; i++)
            o->d[i] = copy(parameters[i] ? parameters[i]->gradient : elman_var_gradient(vars[i]),
                           gradient_elements(c, i));
    } else {
        fprintf(stderr, "%s: %s\n", c->name, error.message);
    }
    for (int i = 0; i < c->count; i++)
        elman_parameter_free(parameters[i]);
    elman_tape_free(tape);
    elman_context_free(context);
    return fine;
}

static bool near(const gradient_case *c, const char *what, int input, const float *got,
                 const double *want, int64_t n)
{
    double largest = 1;
    for (int64_t i = 0; i < n; i++)
        largest = fabs(want[i]) > largest ? fabs(want[i]) : largest;
    double allowed = (c->tolerance > 0 ? c->tolerance : 1e-5) * largest;
    for (int64_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - want[i]) <= allowed)) {
            fprintf(stderr, "%s: %s %d, element %lld: %.9g, expected %.9g within %g\n", c->name,
                    what, input, (long long)i, (double)got[i], want[i], allowed);
            return false;
        }
    return true;
}

/* The loss in double; y receives the result. */
static double loss_of(const gradient_case *c, double *const *in, double *y, const outcome *o)
{
    double sum = 0;
    c->formula((const double *const *)in, y, c);
    for (int64_t i = 0; i < o->outputs; i++)
        sum += (o->scalar ? 1.0 : weight(i)) * y[i];
    return sum;
}

static bool differences(const gradient_case *c, double *const *in, const outcome *o)
{
    const double h = 0x1p-17;
    bool fine = true;
    double *y = calloc((size_t)o->outputs + 1, sizeof *y);
    loss_of(c, in, y, o);
    fine = near(c, "result", 0, o->y, y, o->outputs);
    for (int k = 0; fine && k < c->count; k++) {
        int64_t n = gradient_elements(c, k);
        double *want = calloc((size_t)n + 1, sizeof *want);
        for (int64_t i = 0; i < n; i++) {
            double kept = in[k][i];
            in[k][i] = kept + h;
            double above = loss_of(c, in, y, o);
            in[k][i] = kept - h;
            want[i] = (above - loss_of(c, in, y, o)) / (2 * h);
            in[k][i] = kept;
        }
        fine = near(c, "gradient of input", k, o->d[k], want, n);
        free(want);
    }
    free(y);
    return fine;
}

static void draw(const gradient_case *c, float **in, double **in_double)
{
    bool plain = c->low == 0 && c->high == 0;
    double low = plain ? -1.5 : c->low, high = plain ? 1.5 : c->high;
    for (int k = 0; k < c->count; k++) {
        int64_t n = gradient_elements(c, k);
        in[k] = calloc((size_t)n + 1, sizeof *in[k]);
        in_double[k] = calloc((size_t)n + 1, sizeof *in_double[k]);
        for (int64_t i = 0; i < n; i++) {
            uint32_t words[4], counter[4] = {(uint32_t)i, (uint32_t)k, (uint32_t)n, 0};
            elman_philox(7, counter, words);
            in[k][i] = (float)(low + (high - low) * (double)elman_uniform(words[0]));
            in_double[k][i] = (double)in[k][i];
        }
    }
}

bool gradient_check(const gradient_case *c)
{
    static const int threads[] = {1, 2, 3, 8};
    float *in[GRADIENT_INPUTS] = {NULL};
    double *in_double[GRADIENT_INPUTS] = {NULL};
    outcome first, other;
    draw(c, in, in_double);
    bool fine = run(c, in, threads[0], &first);
    for (int i = 1; fine && i < 4; i++) {
        fine = run(c, in, threads[i], &other);
        if (fine && !compare_bits(first.y, other.y, (size_t)first.outputs))
            fine = false;
        for (int k = 0; fine && k < c->count; k++)
            fine = compare_bits(first.d[k], other.d[k], (size_t)gradient_elements(c, k));
        if (!fine)
            fprintf(stderr, "%s: other bits with %d threads\n", c->name, threads[i]);
        forget(&other);
    }
    if (fine && c->formula)
        fine = differences(c, in_double, &first);
    forget(&first);
    for (int k = 0; k < c->count; k++) {
        free(in[k]);
        free(in_double[k]);
    }
    return fine;
}
