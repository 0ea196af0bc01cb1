/* The parameters of a model: from its file, or as its configuration says. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elman/cell.h"
#include "elman/safetensors.h"
#include "inspect.h"

void cli_tensors_free(cli_tensors *tensors)
{
    free(tensors->list);
    memset(tensors, 0, sizeof(*tensors));
}

static cli_tensor *append(cli_tensors *tensors)
{
    if (tensors->size == tensors->capacity) {
        size_t capacity = tensors->capacity > 0 ? 2 * tensors->capacity : 64;
        cli_tensor *grown = capacity < SIZE_MAX / sizeof(*grown)
                                ? realloc(tensors->list, capacity * sizeof(*grown))
                                : NULL;
        if (grown == NULL)
            return NULL;
        tensors->list = grown;
        tensors->capacity = capacity;
    }
    cli_tensor *t = &tensors->list[tensors->size++];
    memset(t, 0, sizeof(*t));
    return t;
}

void cli_tensors_total(const cli_tensors *tensors, int64_t *count, int64_t *bytes)
{
    *count = *bytes = 0;
    for (size_t i = 0; i < tensors->size; i++)
        if (!tensors->list[i].tied) {
            *count += tensors->list[i].count;
            *bytes += tensors->list[i].bytes;
        }
}

/* rows 0: rank 1. */
static bool plan(cli_tensors *tensors, const char *name, int64_t layer, int64_t rows,
                 int64_t columns)
{
    cli_tensor *t = append(tensors);
    if (t == NULL)
        return false;
    if (layer < 0)
        snprintf(t->name, sizeof(t->name), "%s", name);
    else
        snprintf(t->name, sizeof(t->name), "rnn.%s_l%lld", name, (long long)layer);
    t->rank = rows > 0 ? 2 : 1;
    t->shape[0] = rows > 0 ? rows : columns;
    t->shape[1] = rows > 0 ? columns : 1;
    t->count = t->shape[0] * t->shape[1];
    t->bytes = 4 * t->count;
    return true;
}

bool cli_tensors_plan(const elman_config *c, cli_tensors *tensors)
{
    int64_t E = c->embedding > 0 ? c->embedding : c->hidden, H = c->hidden, V = c->vocabulary;
    int64_t G = c->cell == ELMAN_CELL_LSTM ? 4 : c->cell == ELMAN_CELL_GRU ? 3 : 1;
    bool good = plan(tensors, "embedding.weight", -1, V, E);
    for (int64_t l = 0; good && l < c->layers; l++) {
        good = plan(tensors, "weight_ih", l, G * H, l > 0 ? H : E) &&
               plan(tensors, "weight_hh", l, G * H, H);
        if (good && c->layer_norm)
            good = plan(tensors, "gain_ih", l, 0, G * H) && plan(tensors, "gain_hh", l, 0, G * H);
        good = good && plan(tensors, "bias_ih", l, 0, G * H);
        if (good && !c->layer_norm)
            good = plan(tensors, "bias_hh", l, 0, G * H);
        if (good && c->layer_norm && c->cell == ELMAN_CELL_LSTM)
            good = plan(tensors, "gain_cell", l, 0, H) && plan(tensors, "bias_cell", l, 0, H);
    }
    good = good && plan(tensors, "output.weight", -1, V, H);
    if (good)
        tensors->list[tensors->size - 1].tied = c->tied;
    return good && plan(tensors, "output.bias", -1, 0, V);
}

/* Its place in the network, which the file's order is not. */
static int place_of(const char *name, const cli_tensors *planned)
{
    for (size_t i = 0; i < planned->size; i++)
        if (strcmp(planned->list[i].name, name) == 0)
            return (int)i;
    return INT_MAX;
}

static bool copy(const elman_safetensors *file, const cli_tensors *planned, cli_tensors *tensors)
{
    size_t count = elman_safetensors_count(file);
    for (size_t i = 0; i < count; i++) {
        const elman_tensor_view *view = elman_safetensors_at(file, i);
        cli_tensor *t = append(tensors);
        if (t == NULL)
            return false;
        snprintf(t->name, sizeof(t->name), "%s", view->name);
        t->rank = view->rank;
        for (int d = 0; d < CLI_TENSOR_RANK; d++)
            t->shape[d] = (int64_t)view->shape[d];
        t->bytes = (int64_t)view->bytes;
        t->count = t->bytes / (int64_t)elman_dtype_bytes(view->dtype);
        int place = place_of(t->name, planned);
        t->tied = place != INT_MAX && planned->list[place].tied;
    }
    /* few, and nearly in order: sorted by insertion */
    for (size_t i = 1; i < tensors->size; i++) {
        cli_tensor moved = tensors->list[i];
        int place = place_of(moved.name, planned);
        size_t j = i;
        for (; j > 0 && place_of(tensors->list[j - 1].name, planned) > place; j--)
            tensors->list[j] = tensors->list[j - 1];
        tensors->list[j] = moved;
    }
    return true;
}

elman_status cli_tensors_read(elman_context *context, const char *path, const elman_config *config,
                              cli_tensors *tensors, elman_error *error)
{
    elman_safetensors *file = NULL;
    cli_tensors planned = {NULL, 0, 0};
    elman_status status = elman_safetensors_read(context, path, NULL, &file, error);
    if (status != ELMAN_OK)
        return status;
    if (!cli_tensors_plan(config, &planned) || !copy(file, &planned, tensors)) {
        status = ELMAN_ERROR_MEMORY;
        error->code = status;
        snprintf(error->message, sizeof(error->message), "%s: no memory for its list", path);
    }
    cli_tensors_free(&planned);
    elman_safetensors_free(file);
    return status;
}
