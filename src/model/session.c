/* A stream through a model: the flat plan of what a step computes, on memory of its own. */
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/float_environment.h"
#include "base/memory.h"
#include "graph/tape_impl.h"
#include "model/model_impl.h"
#include "model/network_impl.h"

struct elman_session {
    const elman_model *model;
    int now;      /* which of the two h holds the state */
    float *h[2];  /* [layers,H] */
    float *c;     /* [layers,H]; an LSTM's */
    float *gates; /* scratch of one step */
};

enum { ALIGNMENT = 64 };

/* A saved state begins with these. */
static const char magic[8] = "ELMANST1";

static size_t lines(size_t floats)
{
    return (floats + 15) / 16 * 16;
}

static size_t state_floats(const elman_model *model)
{
    const elman_config *c = &model->network->config;
    return (size_t)c->layers * (size_t)c->hidden;
}

static bool has_cell(const elman_model *model)
{
    return model->network->config.cell == ELMAN_CELL_LSTM;
}

static size_t head_bytes(void)
{
    return (sizeof(struct elman_session) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

size_t elman_session_size(const elman_model *model)
{
    size_t states = lines(state_floats(model)) * (has_cell(model) ? 3 : 2);
    size_t gates = lines(elman_recurrent_gate_floats(&model->layers[0]));
    return head_bytes() + (states + gates) * sizeof(float);
}

elman_status elman_session_init(const elman_model *model, void *memory, size_t size,
                                elman_session **session, elman_error *error)
{
    if (!memory)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "session: the memory is NULL");
    if (size < elman_session_size(model))
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "session: found %zu bytes of memory, expected at least %zu", size,
                          elman_session_size(model));
    if ((uintptr_t)memory % ALIGNMENT)
        return elman_fail(
            error, ELMAN_ERROR_ARGUMENT,
            "session: found memory %d bytes past a multiple of %d, expected it at one",
            (int)((uintptr_t)memory % ALIGNMENT), ALIGNMENT);
    elman_session *s = memory;
    float *at = (float *)(void *)((char *)memory + head_bytes());
    size_t n = lines(state_floats(model));
    *s = (elman_session){.model = model};
    s->h[0] = at;
    s->h[1] = at + n;
    s->c = has_cell(model) ? at + 2 * n : NULL;
    s->gates = at + (has_cell(model) ? 3 : 2) * n;
    elman_session_reset(s);
    *session = s;
    return ELMAN_OK;
}

elman_status elman_session_create(elman_context *context, const elman_model *model,
                                  elman_session **session, elman_error *error)
{
    size_t size = elman_session_size(model);
    void *memory = elman_allocate(context, size, 1);
    if (!memory)
        return elman_out_of_memory(error);
    elman_status status = elman_session_init(model, memory, size, session, error);
    if (status != ELMAN_OK)
        elman_release(context, memory);
    return status;
}

void elman_session_free(elman_context *context, elman_session *session)
{
    elman_release(context, session);
}

void elman_session_reset(elman_session *session)
{
    size_t n = state_floats(session->model);
    session->now = 0;
    memset(session->h[0], 0, n * sizeof(float));
    if (session->c)
        memset(session->c, 0, n * sizeof(float));
}

/* The recurrent layers, one after the other. */
static void advance(elman_session *s, int32_t token)
{
    const elman_model *m = s->model;
    const elman_config *c = &m->network->config;
    size_t H = (size_t)c->hidden;
    const float *before = s->h[s->now];
    float *after = s->h[1 - s->now];
    elman_rows_const from = {0};
    elman_rows_const x = {0};
    if (m->table_gates)
        from.base = m->table_gates + (size_t)token * m->parts * H;
    else
        x.base = m->network->embedding.weight->value.data + (size_t)token * (size_t)c->embedding;
    for (int64_t l = 0; l < c->layers; l++) {
        size_t at = (size_t)l * H;
        float *cell = s->c ? s->c + at : NULL;
        elman_recurrent_step_call call = {
            .rows = 1,
            .x = x,
            .h = {.base = before + at},
            .c = {.base = cell},
            .from = l == 0 && m->table_gates ? &from : NULL,
            .gates = {.base = s->gates},
            .h_out = {.base = after + at},
            .c_out = {.base = cell},
        };
        elman_recurrent_step(m->kernels, &m->layers[l], &call, NULL);
        x = (elman_rows_const){.base = after + at};
    }
    s->now = 1 - s->now;
}

static void predict(const elman_session *s, float *logits)
{
    const elman_model *m = s->model;
    const elman_config *c = &m->network->config;
    size_t H = (size_t)c->hidden, V = (size_t)c->vocabulary;
    elman_product_rows call = {
        .m = 1,
        .k = H,
        .n = V,
        .n0 = 0,
        .n1 = V,
        .a = {.base = s->h[s->now] + (size_t)(c->layers - 1) * H},
        .b = m->output,
        .c = {.base = logits},
        .initial = ELMAN_PRODUCT_BIAS,
        .bias = m->network->output.bias->value.data,
    };
    m->kernels->product->rows(&call);
}

static elman_status check_token(const elman_session *s, int32_t token, elman_error *error)
{
    int64_t V = s->model->network->config.vocabulary;
    if (token >= 0 && token < V)
        return ELMAN_OK;
    return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                      "token %" PRId32 ": the model has tokens 0 to %" PRId64, token, V - 1);
}

elman_status elman_session_run(elman_session *session, const int32_t *tokens, size_t n,
                               float *logits, elman_error *error)
{
    for (size_t i = 0; i < n; i++)
        ELMAN_TRY(check_token(session, tokens[i], error));
    elman_float_environment environment = elman_float_begin();
    for (size_t i = 0; i < n; i++)
        advance(session, tokens[i]);
    if (logits && n)
        predict(session, logits);
    elman_float_end(environment);
    return ELMAN_OK;
}

elman_status elman_session_step(elman_session *session, int32_t token, float *logits,
                                elman_error *error)
{
    return elman_session_run(session, &token, 1, logits, error);
}

elman_status elman_session_copy(elman_session *to, const elman_session *from, elman_error *error)
{
    if (to->model != from->model)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "sessions of two different models");
    size_t bytes = state_floats(to->model) * sizeof(float);
    if (to != from) {
        memcpy(to->h[to->now], from->h[from->now], bytes);
        if (to->c)
            memcpy(to->c, from->c, bytes);
    }
    return ELMAN_OK;
}

size_t elman_session_state_size(const elman_session *session)
{
    size_t n = state_floats(session->model) * sizeof(float);
    return sizeof magic + 64 + (session->c ? 2 * n : n);
}

void elman_session_save(const elman_session *session, void *bytes)
{
    size_t n = state_floats(session->model) * sizeof(float);
    char *at = bytes;
    memcpy(at, magic, sizeof magic);
    memcpy(at + sizeof magic, session->model->hash, 64);
    memcpy(at + sizeof magic + 64, session->h[session->now], n);
    if (session->c)
        memcpy(at + sizeof magic + 64 + n, session->c, n);
}

elman_status elman_session_load(elman_session *session, const void *bytes, size_t size,
                                elman_error *error)
{
    const char *at = bytes;
    if (size < sizeof magic + 64 || memcmp(at, magic, sizeof magic))
        return elman_fail(error, ELMAN_ERROR_FORMAT, "session state: not a saved state");
    if (memcmp(at + sizeof magic, session->model->hash, 64))
        return elman_fail(error, ELMAN_ERROR_FORMAT,
                          "session state: of model %.12s…, expected model %.12s…",
                          at + sizeof magic, session->model->hash);
    if (size != elman_session_state_size(session))
        return elman_fail(error, ELMAN_ERROR_FORMAT, "session state: %zu bytes, expected %zu", size,
                          elman_session_state_size(session));
    size_t n = state_floats(session->model) * sizeof(float);
    memcpy(session->h[session->now], at + sizeof magic + 64, n);
    if (session->c)
        memcpy(session->c, at + sizeof magic + 64 + n, n);
    return ELMAN_OK;
}
