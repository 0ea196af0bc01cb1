/* Initialisers: rules over the parameters of a set, numbers by counter. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/float_environment.h"
#include "base/pool.h"
#include "kernel/kernels.h"
#include "nn/orthogonal.h"
#include "nn/parameters_impl.h"
#include "nn/rules.h"

/* One parameter's new values. */
typedef struct filling {
    enum { FILL_NOTHING, FILL_CONSTANT, FILL_UNIFORM, FILL_NORMAL } how;
    double scale; /* the constant, the bound, the deviation */
} filling;

typedef struct initialise_work {
    elman_parameters *set;
    uint64_t seed;
    elman_rule rule;
    double *square;     /* orthogonal: [threads][side*side] */
    size_t square_size; /* side*side */
} initialise_work;

static bool is_weight(const elman_entry *e)
{
    return e->role == ELMAN_ROLE_WEIGHT || e->role == ELMAN_ROLE_RECURRENT;
}

static bool is_bias(const elman_entry *e)
{
    return e->role == ELMAN_ROLE_BIAS || e->role == ELMAN_ROLE_RECURRENT_BIAS;
}

/* Inputs and outputs of a weight, gate by gate; of rank 1 it has one output. */
static double fan_in(const elman_entry *e)
{
    const elman_tensor *value = &e->parameter->value;
    return (double)(elman_tensor_count(value) / (value->rank > 1 ? value->shape[0] : 1));
}

static double fan_out(const elman_entry *e)
{
    const elman_tensor *value = &e->parameter->value;
    return value->rank > 1 ? (double)(value->shape[0] / e->gates) : 1.0;
}

static filling fill_default(const elman_entry *e)
{
    switch (e->role) {
    case ELMAN_ROLE_WEIGHT:
    case ELMAN_ROLE_RECURRENT:
    case ELMAN_ROLE_BIAS:
    case ELMAN_ROLE_RECURRENT_BIAS:
        return (filling){FILL_UNIFORM, 1.0 / sqrt((double)e->fan)};
    case ELMAN_ROLE_EMBEDDING:
        return (filling){FILL_NORMAL, 1.0};
    case ELMAN_ROLE_GAIN:
        return (filling){FILL_CONSTANT, 1.0};
    case ELMAN_ROLE_NORM_BIAS:
    case ELMAN_ROLE_STATE:
        break;
    }
    return (filling){FILL_CONSTANT, 0.0};
}

/* Weights by their fans (Glorot & Bengio 2010, equation 16; He et al. 2015, equation 10), biases
 * zero. A uniform number within a has the variance a^2/3. */
static filling fill_by_fans(const elman_entry *e, const elman_rule *rule)
{
    if (!is_weight(e))
        return (filling){is_bias(e) ? FILL_CONSTANT : FILL_NOTHING, 0.0};
    bool xavier = rule->kind == ELMAN_RULE_XAVIER_UNIFORM || rule->kind == ELMAN_RULE_XAVIER_NORMAL;
    double variance = xavier ? 2.0 / (fan_in(e) + fan_out(e)) : 1.0 / fan_in(e);
    return rule->kind == ELMAN_RULE_XAVIER_UNIFORM || rule->kind == ELMAN_RULE_KAIMING_UNIFORM
               ? (filling){FILL_UNIFORM, rule->value * sqrt(3.0 * variance)}
               : (filling){FILL_NORMAL, rule->value * sqrt(variance)};
}

static filling filling_of(const elman_entry *e, const elman_rule *rule)
{
    double v = rule->value;
    bool wide = is_weight(e) || e->role == ELMAN_ROLE_EMBEDDING;
    filling nothing = {FILL_NOTHING, 0.0}, zero = {FILL_CONSTANT, 0.0};
    switch (rule->kind) {
    case ELMAN_RULE_DEFAULT:
        return fill_default(e);
    case ELMAN_RULE_UNIFORM:
        return wide || is_bias(e) ? (filling){FILL_UNIFORM, v} : nothing;
    case ELMAN_RULE_NORMAL:
        return wide ? (filling){FILL_NORMAL, v} : is_bias(e) ? zero : nothing;
    case ELMAN_RULE_XAVIER_UNIFORM:
    case ELMAN_RULE_XAVIER_NORMAL:
    case ELMAN_RULE_KAIMING_UNIFORM:
    case ELMAN_RULE_KAIMING_NORMAL:
        return fill_by_fans(e, rule);
    case ELMAN_RULE_ORTHOGONAL:
        return e->role == ELMAN_ROLE_RECURRENT ? (filling){FILL_NORMAL, 1.0} : nothing;
    case ELMAN_RULE_IDENTITY:
        return e->role == ELMAN_ROLE_RECURRENT || e->role == ELMAN_ROLE_RECURRENT_BIAS ? zero
                                                                                       : nothing;
    case ELMAN_RULE_EMBEDDING:
        return e->role == ELMAN_ROLE_EMBEDDING ? (filling){FILL_UNIFORM, rule->value} : nothing;
    case ELMAN_RULE_ZERO_BIAS:
        return is_bias(e) ? zero : nothing;
    case ELMAN_RULE_ZERO:
        return wide || is_bias(e) ? zero : nothing;
    case ELMAN_RULE_FORGET_BIAS:
    case ELMAN_RULE_KINDS:
        break;
    }
    return nothing;
}

/* This thread's elements of every parameter. */
static void fill_job(const elman_crew *crew, void *argument)
{
    const initialise_work *w = argument;
    const elman_math_kernels *math = w->set->context->kernels->math;
    for (int64_t i = 0; i < w->set->count; i++) {
        const elman_entry *e = &w->set->entries[i];
        filling f = filling_of(e, &w->rule);
        size_t begin, end;
        elman_crew_share(crew, (size_t)elman_tensor_count(&e->parameter->value), 4096, &begin,
                         &end);
        if (e->parameter->tied || begin >= end)
            continue;
        float *out = e->parameter->value.data + begin, scale = (float)f.scale;
        elman_fill from = {w->seed, (uint32_t)i, elman_philox_use(ELMAN_USE_INITIALISE, 0)};
        if (f.how == FILL_UNIFORM)
            math->fill_uniform(out, end - begin, begin, &from, -scale, scale);
        else if (f.how == FILL_NORMAL)
            math->fill_normal(out, end - begin, begin, &from, 0.0F, scale);
        else if (f.how == FILL_CONSTANT)
            math->fill(out, scale, end - begin);
    }
}

/* The gates of the recurrent weights, dealt to the threads in turn. */
static void orthogonal_job(const elman_crew *crew, void *argument)
{
    const initialise_work *w = argument;
    int turn = 0;
    for (int64_t i = 0; i < w->set->count; i++) {
        const elman_entry *e = &w->set->entries[i];
        if (e->role != ELMAN_ROLE_RECURRENT || e->parameter->tied)
            continue;
        size_t H = (size_t)e->parameter->value.shape[1];
        for (int gate = 0; gate < e->gates; gate++, turn++)
            if (turn % crew->count == crew->index)
                elman_orthogonalise(e->parameter->value.data + (size_t)gate * H * H, H,
                                    w->rule.value,
                                    w->square + (size_t)crew->index * w->square_size);
    }
}

static void set_identity(const elman_entry *e, float scale)
{
    size_t H = (size_t)e->parameter->value.shape[1];
    if (e->role == ELMAN_ROLE_RECURRENT)
        for (size_t row = 0; row < (size_t)e->gates * H; row++)
            e->parameter->value.data[row * H + row % H] = scale;
}

/* Gates i,f,g,o: the second part. */
static void set_forget_bias(const elman_entry *e, float value)
{
    size_t H = (size_t)e->parameter->value.shape[0] / 4;
    if (e->forgets)
        for (size_t u = 0; u < H; u++)
            e->parameter->value.data[H + u] = e->forget_holder ? value : 0.0F;
}

static void apply(initialise_work *w)
{
    elman_pool_run(w->set->context, fill_job, w);
    if (w->rule.kind == ELMAN_RULE_ORTHOGONAL)
        elman_pool_run(w->set->context, orthogonal_job, w);
    for (int64_t i = 0; i < w->set->count; i++) {
        const elman_entry *e = &w->set->entries[i];
        if (w->rule.kind == ELMAN_RULE_IDENTITY)
            set_identity(e, (float)w->rule.value);
        if (w->rule.kind == ELMAN_RULE_FORGET_BIAS)
            set_forget_bias(e, (float)w->rule.value);
    }
}

/* Whether some parameter obeys the rule. */
static bool concerns(const elman_parameters *set, elman_rule_kind kind)
{
    bool recurrent = kind == ELMAN_RULE_ORTHOGONAL || kind == ELMAN_RULE_IDENTITY;
    bool embedding = kind == ELMAN_RULE_EMBEDDING;
    if (!recurrent && !embedding && kind != ELMAN_RULE_FORGET_BIAS)
        return true;
    for (int64_t i = 0; i < set->count; i++)
        if (recurrent   ? set->entries[i].role == ELMAN_ROLE_RECURRENT
            : embedding ? set->entries[i].role == ELMAN_ROLE_EMBEDDING
                        : set->entries[i].forget_holder)
            return true;
    return false;
}

/* Everything that may fail, before any value changes. */
static elman_status prepare(initialise_work *w, const elman_rules *rules, elman_error *error)
{
    bool orthogonal = false;
    for (int r = 0; r < rules->count; r++) {
        elman_rule_kind kind = rules->rules[r].kind;
        if (!concerns(w->set, kind))
            return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                              "initialiser: %s has nothing to set here, expected %s",
                              elman_rule_name(kind),
                              kind == ELMAN_RULE_FORGET_BIAS ? "an LSTM with biases"
                              : kind == ELMAN_RULE_EMBEDDING ? "an embedding"
                                                             : "a recurrent layer");
        orthogonal = orthogonal || kind == ELMAN_RULE_ORTHOGONAL;
    }
    if (!orthogonal)
        return ELMAN_OK;
    for (int64_t i = 0; i < w->set->count; i++) {
        const elman_entry *e = &w->set->entries[i];
        size_t H = e->role == ELMAN_ROLE_RECURRENT ? (size_t)e->parameter->value.shape[1] : 0;
        if (H * H > w->square_size)
            w->square_size = H * H;
    }
    size_t threads = (size_t)elman_context_threads(w->set->context), count;
    if (elman_size_multiply(threads, w->square_size, &count))
        w->square = elman_allocate(w->set->context, count, sizeof *w->square);
    return w->square ? ELMAN_OK
                     : elman_fail(error, ELMAN_ERROR_MEMORY,
                                  "initialiser: no memory for an orthogonal matrix of %zu elements",
                                  w->square_size);
}

static elman_status initialise(elman_parameters *set, const char *text, uint64_t seed,
                               elman_error *error)
{
    elman_rules rules;
    initialise_work w = {.set = set, .seed = seed, .rule = {ELMAN_RULE_DEFAULT, 0.0}};
    ELMAN_TRY(elman_rules_parse(text, &rules, error));
    ELMAN_TRY(prepare(&w, &rules, error));
    elman_kernels_of(set->context);
    elman_pool_begin(set->context);
    apply(&w);
    for (int r = 0; r < rules.count; r++) {
        w.rule = rules.rules[r];
        apply(&w);
    }
    elman_pool_end(set->context);
    for (int64_t i = 0; i < set->count; i++)
        elman_parameter_touch(set->entries[i].parameter);
    elman_release(set->context, w.square);
    return ELMAN_OK;
}

elman_status elman_initialise(elman_parameters *set, const char *text, uint64_t seed,
                              elman_error *error)
{
    elman_float_environment modes = elman_float_begin();
    elman_status status = initialise(set, text, seed, error);
    elman_float_end(modes);
    return status;
}

elman_status elman_initialise_check(const char *text, elman_error *error)
{
    elman_rules rules;
    return elman_rules_parse(text, &rules, error);
}
