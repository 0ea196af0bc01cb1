#include "task/doctor_trace.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "graph/tape_impl.h"
#include "kernel/kernels.h"

size_t elman_trace_nonfinite(const elman_trace *trace, const float *x, size_t n)
{
    return elman_kernels_of(trace->context)->math->first_nonfinite(x, n);
}

size_t elman_trace_greatest(const float *x, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (fabsf(x[i]) > fabsf(x[best]) || isnan(x[i]))
            best = i;
    return best;
}

void elman_trace_place(const elman_trace *trace, const elman_sequences *s, int64_t row, bool main)
{
    elman_fault *f = trace->fault;
    int64_t t = 0;
    while (t + 1 < s->T && s->offsets[t + 1] <= row)
        t++;
    int64_t b = s->order[row - s->offsets[t]];
    f->time = (int64_t)s->time + t;
    f->sequence = s->numbers[b];
    if (main && trace->objective->sample_name)
        trace->objective->sample_name(trace->objective->self, s->numbers[b], f->time, f->sample,
                                      sizeof f->sample);
    else
        snprintf(f->sample, sizeof f->sample, "%s %" PRId64 ", %s %" PRId64,
                 main ? "sequence" : "word of the batch", f->sequence + 1,
                 main ? "step" : "character", f->time + 1);
}

/* --- values that are not a recurrent layer's --- */

/* The sequences of the recurrent layer that ran nearest before the value, else after it: whose rows
 * its rows are, as far as their number says. */
static const elman_sequences *sequences_of(const elman_tape *tape, int64_t rows, bool *pooled)
{
    for (const elman_observation *o = elman_observations(tape); o; o = o->previous) {
        *pooled = o->node->s->N != rows;
        if (o->node->s->N == rows || o->node->s->B == rows)
            return o->node->s;
    }
    return NULL;
}

static void place_row(const elman_trace *trace, const elman_tape *tape, const elman_tensor *value,
                      size_t at)
{
    elman_fault *f = trace->fault;
    int64_t rows = value->rank ? value->shape[0] : 0, columns = 1;
    bool pooled;
    for (int i = 1; i < value->rank; i++)
        columns *= value->shape[i];
    if (!value->rank)
        return;
    int64_t row = (int64_t)at / columns;
    f->unit = (int64_t)at % columns;
    const elman_sequences *s = sequences_of(tape, rows, &pooled);
    if (!s)
        return;
    if (!pooled) {
        elman_trace_place(trace, s, row, true);
        return;
    }
    f->sequence = s->numbers[row];
    f->time = (int64_t)s->time + (s->lengths[row] > 0 ? s->lengths[row] - 1 : 0);
    if (trace->objective->sample_name)
        trace->objective->sample_name(trace->objective->self, s->numbers[row], f->time, f->sample,
                                      sizeof f->sample);
}

/* "output" of "output.weight". */
static void name_layer(elman_fault *f, const elman_parameter *p)
{
    const char *dot = p ? strrchr(p->name, '.') : NULL;
    if (dot)
        snprintf(f->layer, sizeof f->layer, "%.*s", (int)(dot - p->name), p->name);
}

/* What is known of what went in: the parameter's row, and the greatest value made before. */
static void feed(const elman_trace *trace, const elman_var *var, const elman_parameter *p)
{
    elman_fault *f = trace->fault;
    size_t used = 0;
    if (p && p->value.rank == 2 && f->unit >= 0 && f->unit < p->value.shape[0]) {
        size_t width = (size_t)p->value.shape[1], row = (size_t)f->unit * width;
        size_t k = elman_trace_greatest(p->value.data + row, width);
        used =
            (size_t)snprintf(f->fed, sizeof f->fed, "largest weight %s[%" PRId64 ",%zu] = %.6g; ",
                             p->name, f->unit, k, (double)p->value.data[row + k]);
    }
    for (const elman_var *v = var->previous; v; v = v->previous) {
        size_t count = (size_t)elman_tensor_count(&v->value);
        if (!count || v->base || !v->value.data)
            continue;
        size_t k = elman_trace_greatest(v->value.data, count);
        snprintf(f->fed + used, sizeof f->fed - used, "largest value of %s before it: %.6g",
                 v->node ? v->node->name : "what ran", (double)v->value.data[k]);
        return;
    }
}

static void describe(const elman_trace *trace, const elman_tape *tape, const elman_var *var,
                     size_t at, float value, bool backward)
{
    elman_fault *f = trace->fault;
    *f = (elman_fault){.step = 1,
                       .backward = backward,
                       .unit = -1,
                       .sequence = -1,
                       .time = -1,
                       .value = (double)value};
    snprintf(f->operation, sizeof f->operation, "%s",
             var->node               ? var->node->name
             : var == tape->terminal ? "linear cross entropy"
                                     : "an operation without gradient");
    place_row(trace, tape, &var->value, at);
    if (var->node)
        name_layer(f, var->node->parameter);
    feed(trace, var, var->node ? var->node->parameter : NULL);
}

/* --- the fused output of a language model: its logits are nowhere --- */

/* The first row and class whose logit is not finite: the bias, and a chain over the inputs. */
static bool find_logit(const elman_tensor *x, const elman_parameter *w, const elman_parameter *b,
                       size_t *row, size_t *class, float *logit)
{
    size_t rows = (size_t)x->shape[0], K = (size_t)x->shape[1], V = (size_t)w->value.shape[0];
    for (size_t r = 0; r < rows; r++)
        for (size_t v = 0; v < V; v++) {
            float sum = b ? b->value.data[v] : 0;
            for (size_t k = 0; k < K; k++)
                sum = fmaf(x->data[r * K + k], w->value.data[v * K + k], sum);
            if (isfinite(sum))
                continue;
            *row = r;
            *class = v;
            *logit = sum;
            return true;
        }
    return false;
}

static void describe_terminal(const elman_trace *trace, const elman_tape *tape,
                              const elman_var *loss)
{
    const elman_parameter *w = elman_parameters_find(trace->objective->parameters, "output.weight");
    const elman_parameter *b = elman_parameters_find(trace->objective->parameters, "output.bias");
    elman_fault *f = trace->fault;
    size_t row, class;
    float logit;
    describe(trace, tape, loss, 0, loss->value.data[0], false);
    if (!w)
        return;
    name_layer(f, w);
    for (const elman_var *x = loss->previous; x; x = x->previous) {
        if (x->value.rank != 2 || x->value.shape[1] != w->value.shape[1] || !x->needs_gradient)
            continue;
        if (!find_logit(&x->value, w, b, &row, &class, &logit))
            return;
        place_row(trace, tape, &x->value, row * (size_t)x->value.shape[1]);
        f->unit = (int64_t) class;
        f->value = (double)logit;
        feed(trace, loss, w);
        return;
    }
}

/* --- the tape --- */

static const elman_observation *observation_of(const elman_tape *tape, const elman_var *y,
                                               bool reverse)
{
    for (const elman_observation *o = elman_observations(tape); o; o = o->previous)
        if (o->node->layer.y == y && o->direction->reverse == reverse)
            return o;
    return NULL;
}

/* The value made after `before`, in the order in which they were made. */
static const elman_var *next_of(const elman_tape *tape, const elman_var *before)
{
    const elman_var *v = tape->newest;
    while (v && v->previous != before)
        v = v->previous;
    return v;
}

static bool look_at(const elman_trace *trace, const elman_tape *tape, const elman_var *v)
{
    bool recurrent = false;
    for (int reverse = 0; reverse < 2; reverse++) {
        const elman_observation *o = observation_of(tape, v, reverse == 1);
        if (o && elman_trace_cell_forward(trace, o))
            return true;
        recurrent = recurrent || o;
    }
    size_t count = (size_t)elman_tensor_count(&v->value);
    if (recurrent || v->base || !count)
        return false;
    size_t at = elman_trace_nonfinite(trace, v->value.data, count);
    if (at == count)
        return false;
    if (v == tape->terminal && !v->node)
        describe_terminal(trace, tape, v);
    else
        describe(trace, tape, v, at, v->value.data[at], false);
    return true;
}

bool elman_trace_forward(const elman_trace *trace, const elman_tape *tape)
{
    for (const elman_var *v = next_of(tape, NULL); v;
         v = v == tape->newest ? NULL : next_of(tape, v))
        if (look_at(trace, tape, v))
            return true;
    return false;
}

static bool look_back(const elman_trace *trace, const elman_tape *tape, const elman_var *v)
{
    size_t count = (size_t)elman_tensor_count(&v->value);
    const float *gradient = v->base ? NULL : v->gradient;
    size_t at = gradient ? elman_trace_nonfinite(trace, gradient, count) : count;
    if (at < count) {
        describe(trace, tape, v, at, gradient[at], true);
        return true;
    }
    for (int reverse = 0; reverse < 2; reverse++) {
        const elman_observation *o = observation_of(tape, v, reverse == 1);
        if (o && elman_trace_cell_backward(trace, o))
            return true;
    }
    return false;
}

/* A sum over steps and sequences that leaves the finite numbers though no part of it does. */
static bool look_at_parameters(const elman_trace *trace)
{
    const elman_parameters *set = trace->objective->parameters;
    for (int64_t i = 0; i < elman_parameters_count(set); i++) {
        const elman_parameter *p = elman_parameters_at(set, i);
        size_t count = (size_t)elman_tensor_count(&p->value);
        size_t at = p->gradient ? elman_trace_nonfinite(trace, p->gradient, count) : count;
        if (at == count)
            continue;
        elman_fault *f = trace->fault;
        *f = (elman_fault){.step = 1,
                           .backward = true,
                           .sequence = -1,
                           .time = -1,
                           .value = (double)p->gradient[at]};
        int64_t columns = p->value.rank > 1 ? p->value.shape[1] : 1;
        f->unit = (int64_t)at / columns;
        snprintf(f->operation, sizeof f->operation, "sum of a weight's gradient");
        name_layer(f, p);
        snprintf(f->fed, sizeof f->fed,
                 "the gradients of all steps of %s[%" PRId64 ",%" PRId64 "], each of them finite",
                 p->name, (int64_t)at / columns, (int64_t)at % columns);
        return true;
    }
    return false;
}

bool elman_trace_backward(const elman_trace *trace, const elman_tape *tape)
{
    if (!look_at_parameters(trace))
        return false; /* all is well; what follows says where it came from */
    for (const elman_var *v = tape->newest; v; v = v->previous)
        if (look_back(trace, tape, v))
            return true;
    return look_at_parameters(trace);
}
