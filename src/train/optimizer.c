#include "elman/optimizer.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/float_environment.h"
#include "base/memory.h"
#include "base/pool.h"
#include "graph/tape_impl.h"
#include "kernel/kernels.h"
#include "train/optimizer_impl.h"

enum { PIECE = ELMAN_REDUCE_BLOCK / 32 };

/* A stretch of one parameter; what threads share out. */
typedef struct block {
    int64_t parameter;
    size_t offset, count; /* count <= ELMAN_REDUCE_BLOCK */
    uint32_t moved;       /* bit i: not every gradient of the i-th piece is +0 */
} block;

struct elman_optimizer {
    elman_context *context;
    const elman_kernels *kernels;
    elman_parameters *parameters;
    elman_optimizer_options options;
    int64_t steps;
    float **slots[2]; /* [slot][parameter], NULL for a tied or frozen one */
    block *blocks;
    double *squares; /* [blocks] */
    size_t block_count;
    /* of the update that is running */
    float factor;
    double rate;
};

void elman_optimizer_options_default(elman_optimizer_options *options)
{
    *options = (elman_optimizer_options){
        .size = sizeof *options,
        .kind = ELMAN_OPTIMIZER_ADAM,
        .beta1 = 0.9,
        .beta2 = 0.999,
        .epsilon = 1e-8,
        .clip = 5,
    };
}

static elman_status check(const elman_optimizer_options *o, elman_error *error)
{
    const char *name = NULL;
    double value = 0;
    if (o->size != sizeof *o)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "elman_optimizer_options: wrong size; use "
                          "elman_optimizer_options_default");
    if (!(o->momentum >= 0 && o->momentum < 1))
        name = "momentum", value = o->momentum;
    else if (!(o->beta1 >= 0 && o->beta1 < 1))
        name = "beta1", value = o->beta1;
    else if (!(o->beta2 >= 0 && o->beta2 < 1))
        name = "beta2", value = o->beta2;
    if (name)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "%s: found %g, expected 0 <= %s < 1", name,
                          value, name);
    if (!(o->epsilon > 0))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "epsilon: found %g, expected above 0",
                          o->epsilon);
    if (!(o->weight_decay >= 0))
        name = "weight_decay", value = o->weight_decay;
    else if (!(o->clip >= 0))
        name = "clip", value = o->clip;
    else if (!(o->clip_value >= 0))
        name = "clip_value", value = o->clip_value;
    if (name)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "%s: found %g, expected 0 or more", name,
                          value);
    if (o->nesterov && !(o->momentum > 0))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "nesterov: it needs a momentum above 0");
    return ELMAN_OK;
}

int elman_optimizer_slots(const elman_optimizer *optimizer)
{
    if (optimizer->options.kind != ELMAN_OPTIMIZER_SGD)
        return 2;
    return optimizer->options.momentum > 0 ? 1 : 0;
}

const char *elman_optimizer_slot_name(const elman_optimizer *optimizer, int slot)
{
    if (optimizer->options.kind == ELMAN_OPTIMIZER_SGD)
        return "momentum_buffer";
    return slot == 0 ? "exp_avg" : "exp_avg_sq";
}

float *elman_optimizer_slot(elman_optimizer *optimizer, int slot, int64_t parameter)
{
    return optimizer->slots[slot][parameter];
}

void elman_optimizer_set_steps(elman_optimizer *optimizer, int64_t steps)
{
    optimizer->steps = steps;
}

int64_t elman_optimizer_steps(const elman_optimizer *optimizer)
{
    return optimizer->steps;
}

static elman_parameter *parameter_at(const elman_optimizer *o, int64_t i)
{
    return elman_parameters_at(o->parameters, i);
}

/* Neither tied, since its owner is updated, nor frozen. */
static bool updates(const elman_parameter *parameter)
{
    return !parameter->tied && parameter->gradient;
}

static elman_status make_slots(elman_optimizer *o, int64_t count, elman_error *error)
{
    for (int slot = 0; slot < elman_optimizer_slots(o); slot++) {
        o->slots[slot] = elman_allocate_zero(o->context, (size_t)count, sizeof(float *));
        if (!o->slots[slot])
            return elman_out_of_memory(error);
        for (int64_t i = 0; i < count; i++) {
            elman_parameter *p = parameter_at(o, i);
            if (!updates(p))
                continue;
            o->slots[slot][i] = elman_allocate_zero(
                o->context, (size_t)elman_tensor_count(&p->value), sizeof(float));
            if (!o->slots[slot][i])
                return elman_out_of_memory(error);
        }
    }
    return ELMAN_OK;
}

static elman_status make_blocks(elman_optimizer *o, int64_t count, elman_error *error)
{
    size_t total = 0;
    for (int64_t i = 0; i < count; i++) {
        elman_parameter *p = parameter_at(o, i);
        if (updates(p))
            total += ((size_t)elman_tensor_count(&p->value) + ELMAN_REDUCE_BLOCK - 1) /
                     ELMAN_REDUCE_BLOCK;
    }
    if (total == 0 && count > 0)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "parameter %s has no gradient, nor has any other; they were made for "
                          "running only, or are frozen",
                          parameter_at(o, 0)->name);
    o->blocks = elman_allocate(o->context, total, sizeof *o->blocks);
    o->squares = elman_allocate(o->context, total, sizeof *o->squares);
    if (!o->blocks || !o->squares)
        return elman_out_of_memory(error);
    for (int64_t i = 0; i < count; i++) {
        elman_parameter *p = parameter_at(o, i);
        size_t n = updates(p) ? (size_t)elman_tensor_count(&p->value) : 0;
        for (size_t at = 0; at < n; at += ELMAN_REDUCE_BLOCK)
            o->blocks[o->block_count++] =
                (block){i, at, n - at < ELMAN_REDUCE_BLOCK ? n - at : ELMAN_REDUCE_BLOCK, 0};
    }
    return ELMAN_OK;
}

elman_status elman_optimizer_create(elman_context *context, elman_parameters *parameters,
                                    const elman_optimizer_options *options,
                                    elman_optimizer **optimizer, elman_error *error)
{
    elman_optimizer_options defaults;
    elman_optimizer_options_default(&defaults);
    if (!options)
        options = &defaults;
    ELMAN_TRY(check(options, error));
    elman_optimizer *o = elman_allocate_zero(context, 1, sizeof *o);
    if (!o)
        return elman_out_of_memory(error);
    o->context = context;
    o->kernels = elman_kernels_of(context);
    o->parameters = parameters;
    o->options = *options;
    int64_t count = elman_parameters_count(parameters);
    elman_status status = make_slots(o, count, error);
    if (status == ELMAN_OK)
        status = make_blocks(o, count, error);
    if (status != ELMAN_OK) {
        elman_optimizer_free(o);
        return status;
    }
    *optimizer = o;
    return ELMAN_OK;
}

void elman_optimizer_free(elman_optimizer *optimizer)
{
    if (!optimizer)
        return;
    int64_t count = elman_parameters_count(optimizer->parameters);
    for (int slot = 0; slot < 2; slot++) {
        for (int64_t i = 0; optimizer->slots[slot] && i < count; i++)
            elman_release(optimizer->context, optimizer->slots[slot][i]);
        elman_release(optimizer->context, optimizer->slots[slot]);
    }
    elman_release(optimizer->context, optimizer->squares);
    elman_release(optimizer->context, optimizer->blocks);
    elman_release(optimizer->context, optimizer);
}

/* Most rows of a large table have no gradient: an update of them need not fetch and clear it. */
static uint32_t find_moved(const float *gradient, size_t count)
{
    uint32_t moved = 0;
    for (size_t at = 0; at < count; at += PIECE) {
        size_t end = count - at < PIECE ? count : at + PIECE;
        uint32_t any = 0;
        for (size_t i = at; i < end; i++) {
            uint32_t bits;
            memcpy(&bits, gradient + i, sizeof bits);
            any |= bits;
        }
        moved |= (uint32_t)(any != 0) << at / PIECE;
    }
    return moved;
}

/* Clips each element, squares and adds in double. */
static void measure(const elman_crew *crew, void *argument)
{
    elman_optimizer *o = argument;
    const elman_math_kernels *k = o->kernels->math;
    float limit = (float)o->options.clip_value;
    size_t begin, end;
    elman_crew_share(crew, o->block_count, 1, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        block *b = &o->blocks[i];
        o->squares[i] = 0.0;
        if (!updates(parameter_at(o, b->parameter)))
            continue; /* frozen since */
        float *gradient = parameter_at(o, b->parameter)->gradient + b->offset;
        if (limit > 0) {
            if (k->first_nonfinite(gradient, b->count) < b->count) {
                o->squares[i] = INFINITY; /* clamping would hide it */
                continue;
            }
            k->clamp(gradient, -limit, limit, b->count);
        }
        o->squares[i] = k->sum_squares_block(gradient, b->count);
        b->moved = find_moved(gradient, b->count);
    }
}

/* tensors: the block's part of value, gradient, m and v. */
static void update_adam(const elman_math_kernels *k, const block *b, float *const tensors[4],
                        const elman_adam *adam)
{
    for (size_t at = 0, end; at < b->count; at = end) {
        bool moved = b->moved >> at / PIECE & 1U;
        for (end = at + PIECE; end < b->count && (b->moved >> end / PIECE & 1U) == moved;)
            end += PIECE;
        end = end < b->count ? end : b->count;
        k->adam(tensors[0] + at, moved ? tensors[1] + at : NULL, tensors[2] + at, tensors[3] + at,
                end - at, adam);
    }
}

static void update(const elman_crew *crew, void *argument)
{
    elman_optimizer *o = argument;
    const elman_math_kernels *k = o->kernels->math;
    double beta1_t = 1, beta2_t = 1; /* beta^steps by repeated squaring: no libm */
    double b1 = o->options.beta1, b2 = o->options.beta2;
    for (int64_t n = o->steps + 1; n; n >>= 1, b1 *= b1, b2 *= b2)
        if (n & 1) {
            beta1_t *= b1;
            beta2_t *= b2;
        }
    elman_update common = {.factor = o->factor, .rate = (float)o->rate, .zero_gradient = true};
    elman_sgd sgd = {.momentum = (float)o->options.momentum,
                     .nesterov = o->options.nesterov,
                     .first = o->steps == 0};
    elman_adam adam = {.one_minus_beta1 = (float)(1 - o->options.beta1),
                       .beta2 = (float)o->options.beta2,
                       .one_minus_beta2 = (float)(1 - o->options.beta2),
                       .step_size = (float)(o->rate / (1 - beta1_t)),
                       .root_correction = (float)(1 / sqrt(1 - beta2_t)),
                       .epsilon = (float)o->options.epsilon};
    int slots = elman_optimizer_slots(o);
    size_t begin, end;
    elman_crew_share(crew, o->block_count, 1, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        const block *b = &o->blocks[i];
        elman_parameter *p = parameter_at(o, b->parameter);
        if (!updates(p))
            continue;
        float *value = p->value.data + b->offset, *gradient = p->gradient + b->offset;
        float *first = slots > 0 ? o->slots[0][b->parameter] + b->offset : NULL;
        float *second = slots > 1 ? o->slots[1][b->parameter] + b->offset : NULL;
        common.keep = p->decays ? (float)(1 - o->rate * o->options.weight_decay) : 1.0F;
        if (o->options.kind == ELMAN_OPTIMIZER_SGD) {
            sgd.common = common;
            k->sgd(value, gradient, first, b->count, &sgd);
        } else {
            adam.common = common;
            update_adam(k, b, (float *[]){value, gradient, first, second}, &adam);
        }
    }
}

/* Names the first element that is not finite. */
static elman_status find_nonfinite(const elman_optimizer *o, elman_error *error)
{
    for (size_t i = 0; i < o->block_count; i++) {
        const block *b = &o->blocks[i];
        const elman_parameter *p = parameter_at(o, b->parameter);
        if (!updates(p))
            continue;
        size_t at = o->kernels->math->first_nonfinite(p->gradient + b->offset, b->count);
        if (at < b->count)
            return elman_fail(error, ELMAN_ERROR_NUMERIC,
                              "the gradient of %s is not finite (element %zu)", p->name,
                              b->offset + at);
    }
    return elman_fail(error, ELMAN_ERROR_NUMERIC, "the gradient's norm is not finite");
}

static elman_status step(elman_optimizer *optimizer, double rate, double *norm, elman_error *error)
{
    elman_parameters_gather(optimizer->parameters);
    elman_pool_run(optimizer->context, measure, optimizer);
    double sum = 0; /* tensor by tensor, in order */
    for (size_t i = 0; i < optimizer->block_count;) {
        int64_t parameter = optimizer->blocks[i].parameter;
        double tensor = 0;
        for (; i < optimizer->block_count && optimizer->blocks[i].parameter == parameter; i++)
            tensor += optimizer->squares[i];
        sum += tensor;
    }
    double length = sqrt(sum);
    if (norm)
        *norm = length;
    if (!isfinite(length))
        return find_nonfinite(optimizer, error);
    /* torch.nn.utils.clip_grad_norm_ */
    double factor = optimizer->options.clip > 0 ? optimizer->options.clip / (length + 1e-6) : 1;
    optimizer->factor = factor < 1 ? (float)factor : 1.0F;
    optimizer->rate = rate;
    elman_pool_run(optimizer->context, update, optimizer);
    optimizer->steps++;
    for (int64_t i = 0; i < elman_parameters_count(optimizer->parameters); i++)
        if (updates(parameter_at(optimizer, i)))
            elman_parameter_touch(parameter_at(optimizer, i));
    return ELMAN_OK;
}

elman_status elman_optimizer_step(elman_optimizer *optimizer, double rate, double *norm,
                                  elman_error *error)
{
    elman_float_environment environment = elman_float_begin();
    elman_status status = step(optimizer, rate, norm, error);
    elman_float_end(environment);
    return status;
}
