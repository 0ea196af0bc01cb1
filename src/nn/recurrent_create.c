/* The parameters of a recurrent layer, under PyTorch's names. */
#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "base/number.h"
#include "nn/parameters_impl.h"

void elman_recurrent_options_default(elman_recurrent_options *options)
{
    *options = (elman_recurrent_options){
        .size = sizeof *options, .cell = ELMAN_CELL_LSTM, .layers = 1, .bias = true};
}

static elman_status validate(const elman_recurrent_options *o, const char *prefix,
                             elman_error *error)
{
    const char *what = *prefix ? prefix : "recurrent layer";
    char dropout[32];
    if (o->size != sizeof *o)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "%s: the size of its options is %zu, expected %zu", what, o->size,
                          sizeof *o);
    if ((int)o->cell < ELMAN_CELL_RNN || (int)o->cell > ELMAN_CELL_GRU)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "%s: cell is %d, expected %d to %d", what,
                          (int)o->cell, ELMAN_CELL_RNN, ELMAN_CELL_GRU);
    if (o->input < 1 || o->input > INT32_MAX || o->hidden < 1 || o->hidden > INT32_MAX / 4)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "%s: input is %" PRId64 " and hidden %" PRId64
                          ", expected at least 1 and less than 2^29",
                          what, o->input, o->hidden);
    if (o->layers < 1 || o->layers > ELMAN_MAX_LAYERS)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "%s: layers is %d, expected 1 to %d", what,
                          o->layers, ELMAN_MAX_LAYERS);
    elman_print_real(dropout, o->dropout);
    if (!(o->dropout >= 0 && o->dropout <= 1))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "%s: dropout is %s, expected 0 to 1", what,
                          dropout);
    return ELMAN_OK;
}

/* Where the next parameters go and what they are called. */
typedef struct cell_maker {
    elman_parameters *set;
    const char *prefix;
    const elman_recurrent_options *options;
    int layer, direction, gates;
} cell_maker;

/* "weight_ih_l0" or "weight_ih_l0_reverse". */
static elman_status add(const cell_maker *m, const char *name, int rank, const int64_t *shape,
                        elman_role role, elman_parameter **parameter, elman_error *error)
{
    char whole[64];
    snprintf(whole, sizeof whole, "%s_l%d%s", name, m->layer, m->direction ? "_reverse" : "");
    bool of_gates = shape[0] == m->gates * m->options->hidden;
    elman_entry entry = {.role = role, .gates = of_gates ? m->gates : 1};
    entry.fan = m->options->hidden;
    entry.forgets = role == ELMAN_ROLE_RECURRENT_BIAS && m->options->cell == ELMAN_CELL_LSTM;
    return elman_parameters_add_as(m->set, m->prefix, whole, rank, shape, &entry, parameter, error);
}

/* The newest parameter is the one that forget-bias sets. */
static void hold_forget_bias(elman_parameters *set)
{
    elman_entry *entry = &set->entries[set->count - 1];
    entry->forget_holder = entry->forgets;
}

static elman_status create_cell(const cell_maker *m, elman_cell_parameters *cell,
                                elman_error *error)
{
    const elman_recurrent_options *o = m->options;
    int64_t H = o->hidden, G = m->gates;
    int64_t I = m->layer == 0 ? o->input : H * (o->bidirectional ? 2 : 1);
    int64_t ih[2] = {G * H, I}, hh[2] = {G * H, H};
    ELMAN_TRY(add(m, "weight_ih", 2, ih, ELMAN_ROLE_WEIGHT, &cell->weight_ih, error));
    ELMAN_TRY(add(m, "weight_hh", 2, hh, ELMAN_ROLE_RECURRENT, &cell->weight_hh, error));
    if (o->layer_norm) {
        ELMAN_TRY(add(m, "gain_ih", 1, ih, ELMAN_ROLE_GAIN, &cell->gain_ih, error));
        ELMAN_TRY(add(m, "gain_hh", 1, hh, ELMAN_ROLE_GAIN, &cell->gain_hh, error));
    }
    if (o->bias) {
        ELMAN_TRY(add(m, "bias_ih", 1, ih, ELMAN_ROLE_RECURRENT_BIAS, &cell->bias_ih, error));
        hold_forget_bias(m->set);
    }
    if (o->bias && !o->layer_norm)
        ELMAN_TRY(add(m, "bias_hh", 1, hh, ELMAN_ROLE_RECURRENT_BIAS, &cell->bias_hh, error));
    if (o->layer_norm && o->cell == ELMAN_CELL_LSTM) {
        ELMAN_TRY(add(m, "gain_cell", 1, &H, ELMAN_ROLE_GAIN, &cell->gain_cell, error));
        if (o->bias)
            ELMAN_TRY(add(m, "bias_cell", 1, &H, ELMAN_ROLE_NORM_BIAS, &cell->bias_cell, error));
    }
    return ELMAN_OK;
}

/* norm_l0.weight, norm_l0.bias, and so on. */
static elman_status create_norm(const cell_maker *m, elman_layer_norm_layer *norm,
                                elman_error *error)
{
    const elman_recurrent_options *o = m->options;
    char name[32], prefix[128];
    snprintf(name, sizeof name, "norm_l%d", m->layer);
    ELMAN_TRY(elman_parameters_join(m->prefix, name, prefix, error));
    return elman_layer_norm_create(m->set, prefix, o->hidden * (o->bidirectional ? 2 : 1), true,
                                   norm, error);
}

static elman_status create_state(elman_parameters *set, const char *prefix,
                                 elman_recurrent_layer *layer, elman_error *error)
{
    const elman_recurrent_options *o = &layer->options;
    int64_t shape[2] = {o->layers * (o->bidirectional ? 2 : 1), o->hidden};
    elman_entry entry = {.role = ELMAN_ROLE_STATE, .gates = 1, .fan = o->hidden};
    ELMAN_TRY(elman_parameters_add_as(set, prefix, "h0", 2, shape, &entry, &layer->h0, error));
    if (o->cell == ELMAN_CELL_LSTM)
        return elman_parameters_add_as(set, prefix, "c0", 2, shape, &entry, &layer->c0, error);
    return ELMAN_OK;
}

elman_status elman_recurrent_create(elman_parameters *set, const char *prefix,
                                    const elman_recurrent_options *options,
                                    elman_recurrent_layer *layer, elman_error *error)
{
    static const int gates[] = {1, 1, 4, 3}; /* by elman_cell */
    *layer = (elman_recurrent_layer){0};
    ELMAN_TRY(validate(options, prefix, error));
    layer->options = *options;
    int directions = options->bidirectional ? 2 : 1;
    layer->cells = elman_arena_take_zero(&set->arena, (size_t)(options->layers * directions),
                                         sizeof *layer->cells);
    if (!layer->cells)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "%s: out of memory", prefix);
    if (options->output_norm) {
        layer->norms =
            elman_arena_take_zero(&set->arena, (size_t)options->layers, sizeof *layer->norms);
        if (!layer->norms)
            return elman_fail(error, ELMAN_ERROR_MEMORY, "%s: out of memory", prefix);
    }
    cell_maker m = {.set = set, .prefix = prefix, .options = options};
    m.gates = gates[options->cell];
    for (m.layer = 0; m.layer < options->layers; m.layer++) {
        for (m.direction = 0; m.direction < directions; m.direction++)
            ELMAN_TRY(create_cell(&m, &layer->cells[m.layer * directions + m.direction], error));
        if (options->output_norm)
            ELMAN_TRY(create_norm(&m, &layer->norms[m.layer], error));
    }
    return options->learnt_state ? create_state(set, prefix, layer, error) : ELMAN_OK;
}
