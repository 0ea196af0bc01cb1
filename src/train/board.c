#include "train/board.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/context_impl.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "format/heat.h"
#include "format/tensorboard.h"
#include "graph/tape_impl.h"
#include "train/history.h"

#if defined(ELMAN_WITH_TENSORBOARD)

/* A column of a picture is one measurement; where there are more than COLUMNS, every second one
 * goes and from then on every second one comes. Lags beyond ROWS are not shown; of a log no more
 * than LAYERS, whatever it holds. */
enum { MAX_TAG = 160, COLUMNS = 256, ROWS = 1001, SIDE = 256, LAYERS = 64 };

typedef struct picture {
    char layer[ELMAN_FLOW_NAME];
    size_t rows, columns; /* the most lags + 1, at most ROWS; filled */
    size_t every, seen;   /* measurements a column; all until now */
    float *norm;          /* [COLUMNS,rows] */
    struct picture *next;
} picture;

struct elman_board {
    elman_context *context;
    elman_tensorboard *events;
    picture *pictures;
    size_t picture_count;
};

/* Where the picture of a layer hangs, or would. */
static picture **place_of(elman_board *b, const char *layer)
{
    picture **at = &b->pictures;
    while (*at && strcmp((*at)->layer, layer))
        at = &(*at)->next;
    return at;
}

/* The picture of a layer, begun where there is none yet. */
static picture *picture_of(elman_board *b, const char *layer)
{
    picture **at = place_of(b, layer);
    if (*at)
        return *at;
    picture *p = elman_allocate_zero(b->context, 1, sizeof *p);
    if (!p)
        return NULL;
    snprintf(p->layer, sizeof p->layer, "%s", layer);
    p->every = 1;
    b->picture_count++;
    return *at = p;
}

/* Makes room for that many rows; what was not measured is NaN. */
static bool heighten(elman_board *b, picture *p, size_t rows)
{
    if (rows <= p->rows)
        return true;
    float *norm = elman_allocate(b->context, COLUMNS * rows, sizeof *norm);
    if (!norm)
        return false;
    for (size_t c = 0; c < COLUMNS; c++)
        for (size_t k = 0; k < rows; k++)
            norm[c * rows + k] = k < p->rows ? p->norm[c * p->rows + k] : NAN;
    elman_release(b->context, p->norm);
    p->norm = norm;
    p->rows = rows;
    return true;
}

/* One measurement of a layer, [lags+1]; NULL: out of memory. */
static picture *add_column(elman_board *b, const char *layer, const double *norm, int64_t lags)
{
    picture *p = picture_of(b, layer);
    size_t height = lags < ROWS ? (size_t)lags + 1 : ROWS;
    if (!p || !heighten(b, p, height))
        return NULL;
    size_t rows = p->rows;
    if (p->seen++ % p->every)
        return p;
    if (p->columns == COLUMNS) {
        for (size_t c = 1; c < COLUMNS / 2; c++)
            memcpy(p->norm + c * rows, p->norm + 2 * c * rows, rows * sizeof(float));
        p->columns = COLUMNS / 2;
        p->every *= 2;
    }
    for (size_t k = 0; k < rows; k++)
        p->norm[p->columns * rows + k] = k < height ? (float)norm[k] : NAN;
    p->columns++;
    return p;
}

/* Under a tag of its own: TensorBoard shows one kind of thing under a tag. Time goes to the right,
 * the lag down; each value a block of pixels, so that small ones show. */
static elman_status put_picture(elman_board *b, const picture *p, int64_t step, elman_error *error)
{
    char tag[MAX_TAG];
    size_t wide = SIDE / p->columns > 1 ? SIDE / p->columns : 1;
    size_t high = SIDE / p->rows > 1 ? SIDE / p->rows : 1;
    size_t width = wide * p->columns, height = high * p->rows;
    unsigned char *pixels = elman_allocate(b->context, width * height, 3);
    if (!pixels)
        return elman_out_of_memory(error);
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++)
            elman_heat_colour((double)p->norm[x / wide * p->rows + y / high],
                              pixels + 3 * (y * width + x));
    snprintf(tag, sizeof tag, "gradient by lag and step/%s", p->layer);
    elman_status status =
        elman_tensorboard_image(b->events, step, tag, pixels, (int)width, (int)height, error);
    elman_release(b->context, pixels);
    return status;
}

/* The log counts for nothing that is trained, and stops no training: from one that is broken, or
 * for which there is no room, goes what could be read. */
static void add_earlier(elman_board *b, const char *metrics)
{
    elman_history history;
    elman_error found = {0};
    if (elman_history_read(b->context, metrics, &history, &found) != ELMAN_OK)
        elman_log(b->context, ELMAN_LOG_WARNING, "tensorboard: earlier gradients are missing: %s",
                  found.message);
    for (size_t i = 0; i < history.gradient_count; i++) {
        const elman_history_gradient *g = &history.gradients[i];
        bool known = b->picture_count < LAYERS || *place_of(b, g->layer);
        if (known && !add_column(b, g->layer, g->norm, g->lags))
            break;
    }
    elman_history_clear(b->context, &history);
}

elman_status elman_board_check(const char *folder, elman_error *error)
{
    return folder ? elman_folder_make(folder, error) : ELMAN_OK;
}

elman_status elman_board_open(elman_context *context, const char *folder, const char *metrics,
                              int64_t step, elman_board **board, elman_error *error)
{
    *board = NULL;
    if (!folder)
        return ELMAN_OK;
    elman_board *b = elman_allocate_zero(context, 1, sizeof *b);
    if (!b)
        return elman_out_of_memory(error);
    b->context = context;
    add_earlier(b, metrics);
    /* what was written at the step itself counts: it is in the checkpoint */
    elman_status status =
        elman_tensorboard_open(context, folder, step ? step + 1 : 0, &b->events, error);
    if (status == ELMAN_OK)
        *board = b;
    else
        elman_board_close(b);
    return status;
}

void elman_board_close(elman_board *board)
{
    if (!board)
        return;
    while (board->pictures) {
        picture *p = board->pictures;
        board->pictures = p->next;
        elman_release(board->context, p->norm);
        elman_release(board->context, p);
    }
    elman_tensorboard_close(board->events);
    elman_release(board->context, board);
}

elman_status elman_board_interval(elman_board *board, int64_t step,
                                  const elman_board_figures *figures, elman_error *error)
{
    char tag[MAX_TAG];
    if (!board)
        return ELMAN_OK;
    elman_tensorboard *e = board->events;
    ELMAN_TRY(elman_tensorboard_scalar(e, step, "loss/training", figures->loss, error));
    ELMAN_TRY(
        elman_tensorboard_scalar(e, step, "training/gradient_norm", figures->gradient_norm, error));
    ELMAN_TRY(elman_tensorboard_scalar(e, step, "training/lr", figures->lr, error));
    snprintf(tag, sizeof tag, "training/%s_per_second", figures->unit);
    return elman_tensorboard_scalar(e, step, tag, figures->per_second, error);
}

elman_status elman_board_validation(elman_board *board, int64_t step,
                                    const elman_validation *validation,
                                    const elman_parameters *parameters, elman_error *error)
{
    char tag[MAX_TAG];
    if (!board)
        return ELMAN_OK;
    elman_tensorboard *e = board->events;
    if (validation->count)
        ELMAN_TRY(elman_tensorboard_scalar(e, step, "loss/validation", validation->loss, error));
    if (validation->count && validation->metric) {
        snprintf(tag, sizeof tag, "validation/%s", validation->metric);
        ELMAN_TRY(elman_tensorboard_scalar(e, step, tag, validation->value, error));
    }
    for (int64_t i = 0; i < elman_parameters_count(parameters); i++) {
        const elman_parameter *p = elman_parameters_at(parameters, i);
        snprintf(tag, sizeof tag, "weights/%s", p->name);
        ELMAN_TRY(elman_tensorboard_histogram(e, step, tag, p->value.data,
                                              (size_t)elman_tensor_count(&p->value), error));
    }
    return ELMAN_OK;
}

static elman_status put_layer(elman_board *b, int64_t step, const elman_flow_layer *layer,
                              elman_error *error)
{
    static const int64_t lags[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};
    char tag[MAX_TAG];
    const double *norm = layer->state.norm;
    bool any = false;
    for (int64_t k = 0; k <= layer->lags && !any; k++)
        any = isfinite(norm[k]);
    if (!any)
        return ELMAN_OK; /* nothing was measured */
    for (size_t i = 0; i < sizeof lags / sizeof *lags && lags[i] <= layer->lags; i++) {
        snprintf(tag, sizeof tag, "gradient by lag, %s/lag %04" PRId64, layer->name, lags[i]);
        ELMAN_TRY(elman_tensorboard_scalar(b->events, step, tag, norm[lags[i]], error));
    }
    snprintf(tag, sizeof tag, "gradient by lag/%s", layer->name);
    ELMAN_TRY(elman_tensorboard_bars(b->events, step, tag, norm, (size_t)layer->lags + 1, error));
    picture *p = add_column(b, layer->name, norm, layer->lags);
    if (!p)
        return elman_out_of_memory(error);
    /* pictures grow with the run: one where a column was added, and then ever more seldom */
    return (p->seen - 1) % p->every ? ELMAN_OK : put_picture(b, p, step, error);
}

elman_status elman_board_gradients(elman_board *board, int64_t step, const elman_flow *flow,
                                   elman_error *error)
{
    if (!board)
        return ELMAN_OK;
    for (int64_t i = 0; i < flow->count; i++)
        ELMAN_TRY(put_layer(board, step, &flow->layers[i], error));
    return ELMAN_OK;
}

elman_status elman_board_sync(elman_board *board, elman_error *error)
{
    return board ? elman_tensorboard_sync(board->events, error) : ELMAN_OK;
}

#else /* a board is always NULL */

elman_status elman_board_open(elman_context *context, const char *folder, const char *metrics,
                              int64_t step, elman_board **board, elman_error *error)
{
    (void)context;
    (void)metrics;
    (void)step;
    *board = NULL;
    return elman_board_check(folder, error);
}

elman_status elman_board_check(const char *folder, elman_error *error)
{
    return folder ? elman_fail(error, ELMAN_ERROR_UNSUPPORTED,
                               "tensorboard: this library was built without protobuf-c and libpng "
                               "(ELMAN_WITH_TENSORBOARD)")
                  : ELMAN_OK;
}

void elman_board_close(elman_board *board)
{
    (void)board;
}

elman_status elman_board_interval(elman_board *board, int64_t step,
                                  const elman_board_figures *figures, elman_error *error)
{
    (void)board;
    (void)step;
    (void)figures;
    (void)error;
    return ELMAN_OK;
}

elman_status elman_board_validation(elman_board *board, int64_t step,
                                    const elman_validation *validation,
                                    const elman_parameters *parameters, elman_error *error)
{
    (void)board;
    (void)step;
    (void)validation;
    (void)parameters;
    (void)error;
    return ELMAN_OK;
}

elman_status elman_board_gradients(elman_board *board, int64_t step, const elman_flow *flow,
                                   elman_error *error)
{
    (void)board;
    (void)step;
    (void)flow;
    (void)error;
    return ELMAN_OK;
}

elman_status elman_board_sync(elman_board *board, elman_error *error)
{
    (void)board;
    (void)error;
    return ELMAN_OK;
}

#endif
