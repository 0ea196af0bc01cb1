#include "elman/encoder.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "graph/tape_impl.h"

/* Dropout places: the inputs, between the layers, before the output. */
enum { INPUT_USE = 0, LAYER_USE = 1, ATTENTION_WIDTH = 100 };

typedef enum pooling { POOL_LAST, POOL_MEAN, POOL_MAX, POOL_ATTENTION, POOLS } pooling;

struct elman_encoder {
    elman_context *context;
    elman_config config;
    elman_parameters *parameters;
    elman_embedding_layer embedding, char_embedding;
    elman_recurrent_layer characters, layers;
    elman_attention_pool_layer attention;
    elman_linear_layer dense, output;
    pooling pools[POOLS];
    int pool_count;
};

static elman_status read_pools(elman_encoder *e, elman_error *error)
{
    static const char *const names[POOLS] = {"last", "mean", "max", "attention"};
    for (const char *at = e->config.pool; *at;) {
        size_t size = strcspn(at, ",");
        int p = 0;
        while (p < POOLS && (strlen(names[p]) != size || memcmp(names[p], at, size)))
            p++;
        bool twice = false;
        for (int i = 0; i < e->pool_count; i++)
            twice = twice || (int)e->pools[i] == p;
        if (p == POOLS || twice)
            return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                              "pool: found %s, expected each of last, mean, max and attention at "
                              "most once",
                              e->config.pool);
        e->pools[e->pool_count++] = (pooling)p;
        at += size + (at[size] == ',');
    }
    return ELMAN_OK;
}

static elman_status build_characters(elman_encoder *e, elman_error *error)
{
    const elman_config *c = &e->config;
    elman_recurrent_options options;
    elman_recurrent_options_default(&options);
    options.cell = (elman_cell)c->cell;
    options.input = c->char_embedding;
    options.hidden = c->char_hidden;
    options.bidirectional = true;
    ELMAN_TRY(elman_embedding_create(e->parameters, "char_embedding", c->characters,
                                     c->char_embedding, &e->char_embedding, error));
    return elman_recurrent_create(e->parameters, "char_rnn", &options, &e->characters, error);
}

static elman_status build(elman_encoder *e, elman_error *error)
{
    const elman_config *c = &e->config;
    elman_recurrent_options options;
    elman_recurrent_options_default(&options);
    options.cell = (elman_cell)c->cell;
    options.input = c->vocabulary ? c->embedding : c->inputs;
    options.hidden = c->hidden;
    options.layers = (int)c->layers;
    options.bidirectional = c->bidirectional;
    options.layer_norm = c->layer_norm;
    options.residual = c->residual;
    options.output_norm = c->output_norm;
    options.dropout = c->dropout;
    options.use = LAYER_USE;
    if (c->vocabulary)
        ELMAN_TRY(elman_embedding_create(e->parameters, "embedding", c->vocabulary, c->embedding,
                                         &e->embedding, error));
    if (c->char_hidden) {
        ELMAN_TRY(build_characters(e, error));
        options.input += 2 * c->char_hidden;
    }
    if (c->dense) {
        ELMAN_TRY(elman_linear_create(e->parameters, "dense", options.input, c->dense, true, NULL,
                                      &e->dense, error));
        options.input = c->dense;
    }
    ELMAN_TRY(elman_recurrent_create(e->parameters, "rnn", &options, &e->layers, error));
    int64_t width = c->hidden * (c->bidirectional ? 2 : 1);
    for (int i = 0; i < e->pool_count; i++)
        if (e->pools[i] == POOL_ATTENTION)
            ELMAN_TRY(elman_attention_pool_create(e->parameters, "attention", width,
                                                  ATTENTION_WIDTH, &e->attention, error));
    if (e->pool_count)
        width = width * e->pool_count + c->extras;
    return elman_linear_create(e->parameters, "output", width, c->outputs, true, NULL, &e->output,
                               error);
}

static elman_status check(const elman_config *c, elman_error *error)
{
    bool words = c->vocabulary >= 1 && c->vocabulary <= INT32_MAX && c->embedding >= 1;
    bool vectors = c->vocabulary == 0 && c->inputs >= 1;
    if (c->hidden < 1 || c->layers < 1 || c->layers > ELMAN_MAX_LAYERS || c->outputs < 1 ||
        !(words || vectors))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "network: layers %" PRId64 ", hidden %" PRId64 ", outputs %" PRId64
                          ", vocabulary %" PRId64 ", embedding %" PRId64 ", inputs %" PRId64
                          "; expected 1 or more layers (at most %d), units and outputs, and a "
                          "vocabulary with an embedding, or inputs",
                          c->layers, c->hidden, c->outputs, c->vocabulary, c->embedding, c->inputs,
                          ELMAN_MAX_LAYERS);
    if (c->char_hidden && (!words || c->characters < 1 || c->char_embedding < 1))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "char-hidden: it composes words of their characters, and there are "
                          "%" PRId64 " words and %" PRId64 " characters",
                          c->vocabulary, c->characters);
    if (!(c->dropout >= 0 && c->dropout < 1))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "dropout: found %g, expected 0 <= dropout < 1", c->dropout);
    return ELMAN_OK;
}

elman_status elman_encoder_create(elman_context *context, const elman_config *config, bool train,
                                  elman_encoder **encoder, elman_error *error)
{
    ELMAN_TRY(check(config, error));
    elman_encoder *e = elman_allocate_zero(context, 1, sizeof *e);
    if (!e)
        return elman_out_of_memory(error);
    e->context = context;
    e->config = *config;
    elman_status status = read_pools(e, error);
    if (status == ELMAN_OK)
        status = elman_parameters_create(context, train, &e->parameters, error);
    if (status == ELMAN_OK)
        status = build(e, error);
    if (status != ELMAN_OK) {
        elman_encoder_free(e);
        return status;
    }
    *encoder = e;
    return ELMAN_OK;
}

void elman_encoder_free(elman_encoder *encoder)
{
    if (!encoder)
        return;
    elman_parameters_free(encoder->parameters);
    elman_release(encoder->context, encoder);
}

elman_parameters *elman_encoder_parameters(elman_encoder *encoder)
{
    return encoder->parameters;
}

const elman_config *elman_encoder_config(const elman_encoder *encoder)
{
    return &encoder->config;
}

/* The last state of each direction, [W, 2*Hc]. */
static elman_var *compose(elman_tape *tape, elman_encoder *e, const elman_encoder_batch *b)
{
    int64_t W = b->words->B, Hc = e->config.char_hidden;
    elman_state final = {0};
    elman_recurrent_forward_tokens(tape, &e->characters, &e->char_embedding, b->characters,
                                   b->words, NULL, &final);
    elman_var *ends[2];
    for (int d = 0; d < 2; d++)
        ends[d] = elman_reshape(tape, elman_steps(tape, final.h, d, d + 1), 2, (int64_t[]){W, Hc});
    return elman_concatenate(tape, ends, 2);
}

elman_var *elman_encoder_inputs(elman_tape *tape, elman_encoder *e, const elman_encoder_batch *b)
{
    if (!b->sequences || elman_tape_failed(tape))
        return NULL;
    if (!e->config.vocabulary)
        return elman_tape_input(tape, 2, (int64_t[]){b->sequences->N, e->config.inputs},
                                b->vectors);
    elman_var *x = elman_embedding_packed(tape, &e->embedding, b->tokens, b->sequences);
    if (!e->config.char_hidden)
        return x;
    elman_var *parts[2] = {x, elman_rows(tape, compose(tape, e, b), b->word_rows, b->sequences->N)};
    return elman_concatenate(tape, parts, 2);
}

/* The packed row of each sequence's first step, in the given order; -1: it has none. */
static const int32_t *first_rows(elman_tape *tape, const elman_sequences *s)
{
    int32_t *rows = elman_tape_take(tape, (size_t)s->B, sizeof *rows);
    for (int64_t i = 0; rows && i < s->B; i++)
        rows[s->order[i]] = s->lengths[s->order[i]] > 0 ? (int32_t)i : -1;
    return rows;
}

static elman_var *pool_last(elman_tape *tape, const elman_encoder *e, elman_var *y,
                            const elman_sequences *s)
{
    int64_t H = e->config.hidden;
    if (!e->config.bidirectional)
        return elman_pool_last(tape, y, s);
    elman_var *ends[2];
    ends[0] = elman_pool_last(tape, elman_slice(tape, y, 0, H), s);
    ends[1] = elman_rows(tape, elman_slice(tape, y, H, 2 * H), first_rows(tape, s), s->B);
    return elman_concatenate(tape, ends, 2);
}

static elman_var *pool(elman_tape *tape, const elman_encoder *e, elman_var *y,
                       const elman_sequences *s)
{
    elman_var *parts[POOLS] = {0};
    for (int i = 0; i < e->pool_count; i++)
        switch (e->pools[i]) {
        case POOL_LAST:
            parts[i] = pool_last(tape, e, y, s);
            break;
        case POOL_MEAN:
            parts[i] = elman_pool_mean(tape, y, s);
            break;
        case POOL_MAX:
            parts[i] = elman_pool_max(tape, y, s);
            break;
        default:
            parts[i] = elman_attention_pool(tape, &e->attention, y, s, NULL);
        }
    return e->pool_count == 1 ? parts[0] : elman_concatenate(tape, parts, e->pool_count);
}

/* Whether the layers may read rows of the table as they stand. */
static bool reads_table(const elman_tape *tape, const elman_encoder *e)
{
    return e->config.vocabulary && !e->config.char_hidden && !e->config.dense &&
           !(tape->mode.train && e->config.dropout > 0);
}

static elman_var *states(elman_tape *tape, elman_encoder *e, const elman_encoder_batch *b,
                         elman_var *inputs)
{
    if (!inputs && reads_table(tape, e))
        return elman_recurrent_forward_tokens(tape, &e->layers, &e->embedding, b->tokens,
                                              b->sequences, NULL, NULL);
    elman_var *x = inputs ? inputs : elman_encoder_inputs(tape, e, b);
    if (e->config.dense)
        x = elman_relu(tape, elman_linear_packed(tape, &e->dense, x, b->sequences));
    if (e->config.vocabulary || e->config.dense) /* readings are few, and each counts */
        x = elman_dropout(tape, x, b->sequences, e->config.dropout, INPUT_USE);
    return elman_recurrent_forward(tape, &e->layers, x, b->sequences, NULL, NULL);
}

elman_var *elman_encoder_forward(elman_tape *tape, elman_encoder *e, const elman_encoder_batch *b,
                                 elman_var *inputs)
{
    if (!b->sequences || elman_tape_failed(tape))
        return NULL;
    const elman_sequences *s = b->sequences;
    elman_var *y = states(tape, e, b, inputs);
    int use = LAYER_USE + (int)e->config.layers - 1;
    if (!e->pool_count)
        return elman_linear_packed(tape, &e->output,
                                   elman_dropout(tape, y, s, e->config.dropout, use), s);
    /* a sequence of one step each, so that its mask is its own whatever its batch */
    const elman_sequences *one = elman_tape_sequences(tape, 1, s->B, NULL, s->numbers, 0);
    elman_var *z = elman_dropout(tape, pool(tape, e, y, s), one, e->config.dropout, use);
    if (e->config.extras) {
        int64_t shape[2] = {s->B, e->config.extras};
        elman_var *parts[2] = {z, b->extras_var};
        if (!b->extras_var)
            parts[1] = elman_tape_input(tape, 2, shape, b->extras);
        z = elman_concatenate(tape, parts, 2);
    }
    return elman_linear_packed(tape, &e->output, z, one);
}
