#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/context_impl.h"
#include "base/error.h"
#include "base/file.h"
#include "base/float_environment.h"
#include "base/memory.h"
#include "elman/safetensors.h"
#include "elman/version.h"
#include "graph/tape_impl.h"
#include "model/model_impl.h"
#include "model/network_impl.h"

/* Of all that decides what a state means: the cell and whether it is layer-normalised, since rnn
 * and rnn-relu have the same parameters, and every parameter's name, shape and bytes. */
static void hash_model(elman_model *m)
{
    const elman_config *c = &m->network->config;
    const unsigned char kind[2] = {(unsigned char)c->cell, c->layer_norm};
    elman_sha256 sha;
    elman_sha256_begin(&sha);
    elman_sha256_add(&sha, kind, sizeof kind);
    for (int64_t i = 0; i < elman_parameters_count(m->network->parameters); i++) {
        const elman_parameter *p = elman_parameters_at(m->network->parameters, i);
        elman_sha256_add(&sha, p->name, strlen(p->name) + 1);
        elman_sha256_add(&sha, p->value.shape, (size_t)p->value.rank * sizeof *p->value.shape);
        elman_sha256_add(&sha, p->value.data,
                         (size_t)elman_tensor_count(&p->value) * sizeof(float));
    }
    elman_sha256_end(&sha, m->hash);
}

/* Rounded up to whole 64-byte lines. */
static size_t lines(size_t floats)
{
    return (floats + 15) / 16 * 16;
}

static bool keeps_table(const elman_config *c)
{
    return c->vocabulary <= ELMAN_TABLE_ROWS && !c->layer_norm;
}

static size_t pack_floats(const elman_model *m)
{
    const elman_config *c = &m->network->config;
    size_t H = (size_t)c->hidden, V = (size_t)c->vocabulary, total = 0;
    for (int64_t l = 0; l < c->layers; l++) {
        size_t I = l ? H : (size_t)c->embedding;
        total += lines(elman_recurrent_panel_floats(m->kernels, (elman_cell)c->cell, H, I));
        total += lines(elman_recurrent_panel_floats(m->kernels, (elman_cell)c->cell, H, H));
        total += lines(m->parts * H);
    }
    if (keeps_table(c))
        total += lines(V * m->parts * H);
    return total + lines(elman_product_packed(m->kernels->product, H, V));
}

static const float *values(const elman_parameter *p)
{
    return p ? p->value.data : NULL;
}

/* Cuts the next stretch off the memory for packs. */
static float *cut(float **at, size_t floats)
{
    float *taken = *at;
    *at += lines(floats);
    return taken;
}

static void pack(elman_model *m)
{
    const elman_network *n = m->network;
    const elman_config *c = &n->config;
    const elman_cell cell = (elman_cell)c->cell;
    size_t H = (size_t)c->hidden, V = (size_t)c->vocabulary;
    float *at = m->packs;
    for (int64_t l = 0; l < c->layers; l++) {
        const elman_cell_parameters *p = &n->layers.cells[l];
        size_t I = l ? H : (size_t)c->embedding;
        float *ih = cut(&at, elman_recurrent_panel_floats(m->kernels, cell, H, I));
        float *hh = cut(&at, elman_recurrent_panel_floats(m->kernels, cell, H, H));
        float *start = cut(&at, m->parts * H);
        elman_recurrent_pack(m->kernels, cell, H, I, values(p->weight_ih), ih);
        elman_recurrent_pack(m->kernels, cell, H, H, values(p->weight_hh), hh);
        m->layers[l] = (elman_recurrent_weights){.cell = cell,
                                                 .input = I,
                                                 .hidden = H,
                                                 .panels_ih = ih,
                                                 .panels_hh = hh,
                                                 .start = start};
        if (c->layer_norm) {
            memset(start, 0, m->parts * H * sizeof *start);
            m->layers[l].gain_ih = values(p->gain_ih);
            m->layers[l].gain_hh = values(p->gain_hh);
            m->layers[l].bias = values(p->bias_ih);
            m->layers[l].gain_cell = values(p->gain_cell);
            m->layers[l].bias_cell = values(p->bias_cell);
        } else {
            elman_recurrent_start(cell, H, values(p->bias_ih), values(p->bias_hh), start);
        }
    }
    if (keeps_table(c)) {
        float *gates = cut(&at, V * m->parts * H);
        elman_rows_const table = {.base = values(n->embedding.weight),
                                  .stride = (ptrdiff_t)c->embedding};
        elman_rows_mutable rows = {.base = gates, .stride = (ptrdiff_t)(m->parts * H)};
        elman_recurrent_input(m->kernels, &m->layers[0], V, table, rows);
        m->table_gates = gates;
    }
    float *output = cut(&at, elman_product_packed(m->kernels->product, H, V));
    elman_rows_const weight = {.base = values(n->output.weight), .stride = (ptrdiff_t)H};
    m->kernels->product->pack_columns(&weight, H, V, 0, V, output);
    m->output = output;
}

/* SIZE_MAX where it overflows. */
static size_t times(size_t a, size_t b)
{
    size_t product = SIZE_MAX;
    (void)elman_size_multiply(a, b, &product);
    return product;
}

static size_t plus(size_t a, size_t b)
{
    size_t sum = SIZE_MAX;
    (void)elman_size_add(a, b, &sum);
    return sum;
}

/* Bytes of the matrices as they are saved, a tied one twice; SIZE_MAX where that overflows. */
static size_t matrix_bytes(const elman_config *c)
{
    size_t H = (size_t)c->hidden, I = (size_t)c->embedding, V = (size_t)c->vocabulary;
    size_t rows = times(elman_cell_gates((elman_cell)c->cell), H);
    size_t first = times(rows, plus(I, H)), other = times(rows, plus(H, H));
    size_t layers = plus(first, times(other, (size_t)c->layers - 1));
    return times(plus(layers, times(V, plus(I, H))), sizeof(float));
}

/* A config.json that asks for more than model.safetensors can hold is refused before the network
 * takes its memory. */
static elman_status check_size(elman_context *context, const elman_config *c, const char *config,
                               const char *weights, elman_error *error)
{
    uint64_t size;
    if (c->hidden < 1 || c->embedding < 1 || c->vocabulary < 1 || c->layers < 1)
        return ELMAN_OK; /* elman_network_create tells */
    ELMAN_TRY(elman_file_size(weights, &size, error));
    if (size >= matrix_bytes(c))
        return ELMAN_OK;
    /* A file that is cut or none of ours says so itself. */
    elman_safetensors *file;
    ELMAN_TRY(elman_safetensors_read(context, weights, NULL, &file, error));
    elman_safetensors_free(file);
    return elman_fail(error, ELMAN_ERROR_FORMAT,
                      "%s: found %" PRIu64 " bytes, expected at least %zu for the network in %s",
                      weights, size, matrix_bytes(c), config);
}

/* Fails, with a line about the folder, where nothing stands at path. */
static elman_status must_exist(const char *path, const char *folder, const char *what,
                               elman_error *error)
{
    bool exists;
    ELMAN_TRY(elman_path_look(path, &exists, error));
    return exists ? ELMAN_OK : elman_fail(error, ELMAN_ERROR_IO, "%s: %s", folder, what);
}

static elman_status load(elman_model *m, const char *folder, elman_error *error)
{
    elman_context *context = m->context;
    char *config = elman_path_join(folder, "config.json");
    char *weights = elman_path_join(folder, "model.safetensors");
    elman_status status = config && weights ? ELMAN_OK : elman_out_of_memory(error);
    if (status == ELMAN_OK)
        status = elman_config_file_read_model(context, folder, &m->file, error);
    if (status == ELMAN_OK && strcmp(m->file.task, "lm"))
        status = elman_fail(error, ELMAN_ERROR_ARGUMENT,
                            "%s: a model of task '%s', expected a language model (lm)", folder,
                            m->file.task);
    if (status == ELMAN_OK)
        status = must_exist(weights, folder,
                            "no model.safetensors in it; its training has not saved yet", error);
    if (status == ELMAN_OK)
        status = check_size(context, &m->file.config, config, weights, error);
    if (status == ELMAN_OK)
        status = elman_network_create(context, &m->file.config, false, &m->network, error);
    if (status == ELMAN_OK)
        status = elman_network_read(context, m->network, weights, error);
    free(config);
    free(weights);
    return status;
}

static elman_status make_packs(elman_model *m, elman_error *error)
{
    const elman_config *c = &m->network->config;
    m->parts = elman_cell_parts((elman_cell)c->cell);
    m->layers = elman_allocate(m->context, (size_t)c->layers, sizeof *m->layers);
    m->packs = elman_allocate(m->context, pack_floats(m), sizeof(float));
    if (!m->layers || !m->packs)
        return elman_out_of_memory(error);
    elman_float_environment environment = elman_float_begin();
    pack(m);
    elman_float_end(environment);
    return ELMAN_OK;
}

elman_status elman_model_load(elman_context *context, const char *folder, elman_model **model,
                              elman_error *error)
{
    elman_model *m = elman_allocate_zero(context, 1, sizeof *m);
    if (!m)
        return elman_out_of_memory(error);
    m->context = context;
    m->kernels = elman_kernels_of(context);
    elman_status status = load(m, folder, error);
    if (status == ELMAN_OK)
        status = make_packs(m, error);
    if (status != ELMAN_OK) {
        elman_model_free(m);
        return status;
    }
    hash_model(m);
    *model = m;
    return ELMAN_OK;
}

void elman_model_free(elman_model *model)
{
    if (!model)
        return;
    elman_release(model->context, model->packs);
    elman_release(model->context, model->layers);
    elman_network_free(model->network);
    elman_config_file_clear(model->context, &model->file);
    elman_release(model->context, model);
}

const elman_config_file *elman_model_config(const elman_model *model)
{
    return &model->file;
}

elman_network *elman_model_network(const elman_model *model)
{
    return model->network;
}

const char *elman_model_hash(const elman_model *model)
{
    return model->hash;
}

int64_t elman_model_vocabulary(const elman_model *model)
{
    return model->network->config.vocabulary;
}
