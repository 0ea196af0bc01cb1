/* The network unrolled over three steps. Every column is the same weights; each arrow between
 * columns is the state. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "elman/cell.h"
#include "inspect.h"

enum { STEPS = 3, BOX = 10, GAP = 4, LEFT = 7, LABEL = 50, SHOWN = 3, LINE = 512 };

typedef struct pen {
    bool unicode;
    char text[LINE];
    size_t used;
} pen;

static void put(pen *p, const char *text)
{
    size_t size = strlen(text);
    if (p->used + size < LINE) {
        memcpy(p->text + p->used, text, size + 1);
        p->used += size;
    }
}

static void pad_to(pen *p, size_t column)
{
    while (cli_width(p->text) < column && p->used + 1 < LINE)
        put(p, " ");
}

static void end_line(pen *p, const char *label)
{
    if (label[0] != 0) {
        pad_to(p, LABEL);
        put(p, label);
    }
    while (p->used > 0 && p->text[p->used - 1] == ' ')
        p->used--;
    p->text[p->used] = 0;
    puts(p->text);
    p->used = 0;
    p->text[0] = 0;
}

static size_t column_of(int step)
{
    return (size_t)(LEFT + step * (BOX + GAP));
}

/* A row of words, each in the middle of its column. */
static void middles(pen *p, const char *const words[STEPS], const char *label)
{
    for (int s = 0; s < STEPS; s++) {
        pad_to(p, column_of(s) + (BOX - cli_width(words[s])) / 2);
        put(p, words[s]);
    }
    end_line(p, label);
}

static void arrows(pen *p, const char *label)
{
    const char *up = p->unicode ? "↑" : "^";
    const char *const words[STEPS] = {up, up, up};
    middles(p, words, label);
}

static void boxes(pen *p, const char *name, bool recurrent, const char *label)
{
    char start[32];
    const char *arrow = p->unicode ? "──→" : "-->";
    if (recurrent) {
        snprintf(start, sizeof(start), "h0 %s", p->unicode ? "─→" : "->");
        pad_to(p, 1);
        put(p, start);
    }
    for (int s = 0; s < STEPS; s++) {
        size_t inside = BOX - 2, width = cli_width(name);
        pad_to(p, column_of(s));
        put(p, "[");
        pad_to(p, column_of(s) + 1 + (inside - width) / 2);
        put(p, name);
        pad_to(p, column_of(s) + BOX - 1);
        put(p, "]");
        if (recurrent)
            put(p, arrow);
    }
    end_line(p, label);
}

static const char *cell_name(const elman_config *config)
{
    switch (config->cell) {
    case ELMAN_CELL_LSTM:
        return "LSTM";
    case ELMAN_CELL_GRU:
        return "GRU";
    default:
        return "RNN";
    }
}

void cli_picture(const elman_config *config, bool unicode)
{
    static const char *const ys[STEPS] = {"y1", "y2", "y3"}, *const xs[STEPS] = {"x1", "x2", "x3"};
    const char *const dots[STEPS] = {"...", "...", "..."};
    pen p = {.unicode = unicode};
    char name[32], below[64], left[64];
    middles(&p, ys, "scores of the next token");
    arrows(&p, "");
    boxes(&p, "output", false,
          config->tied ? "embedding.weight, output.bias" : "output.weight, output.bias");
    arrows(&p, "");
    for (int64_t l = config->layers - 1; l >= 0; l--) {
        /* of many layers the lowest and the highest */
        if (config->layers > SHOWN && l > 0 && l < config->layers - 1) {
            if (l == 1)
                middles(&p, dots, "");
            continue;
        }
        snprintf(name, sizeof(name), "%s %lld", cell_name(config), (long long)l + 1);
        snprintf(left, sizeof(left), "%s rnn.weight_hh_l%lld", unicode ? "→" : ">", (long long)l);
        snprintf(below, sizeof(below), "%s rnn.weight_ih_l%lld", unicode ? "↑" : "^", (long long)l);
        boxes(&p, name, true, left);
        arrows(&p, below);
    }
    boxes(&p, "embed", false, "embedding.weight");
    arrows(&p, "");
    middles(&p, xs, "tokens");
}
