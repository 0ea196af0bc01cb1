/* Pictures by gnuplot, from a script and a table that the user keeps. */
#ifndef ELMAN_FORMAT_PLOT_H
#define ELMAN_FORMAT_PLOT_H

#include "base/text_buffer.h"

/* What is drawn. The script is written for the picture's path: before the body stand a terminal of
 * its kind and size, the output, and the string `table`, so that a body plots by
 * "plot table using 1:2 with lines". */
typedef struct elman_plot {
    const char *path;               /* of the picture; ends in .svg or .png */
    int width, height;              /* pixels */
    const elman_text_buffer *table; /* rows of cells apart by tabs; what is not there is NaN */
    const elman_text_buffer *body;  /* gnuplot's commands; elman_plot_put_quoted for text */
} elman_plot;

/* Whether the path ends in what can be drawn; ARGUMENT otherwise. Before work is done for it. */
elman_status elman_plot_check(const char *path, elman_error *error);
/* A string of gnuplot's, with its quotes, that nothing in it can end. */
void elman_plot_put_quoted(elman_text_buffer *text, const char *piece);
/* Writes PATH.dat and PATH.gp beside the picture, for the user to keep and change, and has gnuplot
 * draw it; its messages go to standard error. ARGUMENT: a path of another ending or too long;
 * IO: a file cannot be written, gnuplot is not there, or cannot draw it; MEMORY: a buffer failed.
 */
elman_status elman_plot_draw(elman_context *context, const elman_plot *plot, elman_error *error);

#endif
