#include "format/plot.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/file.h"

static bool ends_in(const char *path, const char *ending)
{
    size_t a = strlen(path), b = strlen(ending);
    return a > b && !strcmp(path + a - b, ending);
}

elman_status elman_plot_check(const char *path, elman_error *error)
{
    if (ends_in(path, ".svg") || ends_in(path, ".png"))
        return ELMAN_OK;
    return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                      "plot: found %s, expected a file that ends in .svg or .png", path);
}

void elman_plot_put_quoted(elman_text_buffer *text, const char *piece)
{
    char one[2] = {0};
    elman_text_buffer_put(text, "'");
    for (const char *at = piece; *at; at++) {
        one[0] = (unsigned char)*at < 0x20 ? ' ' : *at;
        elman_text_buffer_put(text, *at == '\'' ? "''" : one);
    }
    elman_text_buffer_put(text, "'");
}

enum { LONGEST = 4096 };

/* A path that gnuplot takes for nothing else: to it | and < begin a command of the shell, and - an
 * option. */
static void plain(char out[LONGEST + 2], const char *path)
{
    snprintf(out, LONGEST + 2, "%s%s", *path == '/' ? "" : "./", path);
}

static void put_path(elman_text_buffer *t, const char *path)
{
    char name[LONGEST + 2];
    plain(name, path);
    elman_plot_put_quoted(t, name);
}

static void put_head(elman_text_buffer *t, const elman_plot *plot, const char *table)
{
    char line[160];
    snprintf(line, sizeof line, "set terminal %s size %d,%d noenhanced\nset output ",
             ends_in(plot->path, ".svg") ? "svg background rgb 'white'" : "pngcairo", plot->width,
             plot->height);
    elman_text_buffer_put(t, "# Drawn by gnuplot; change it and draw it again.\n");
    elman_text_buffer_put(t, line);
    put_path(t, plot->path);
    elman_text_buffer_put(t, "\ntable = ");
    put_path(t, table);
    elman_text_buffer_put(t, "\nset datafile separator \"\\t\"\nset datafile missing 'NaN'\n"
                             "set grid linecolor rgb '#cccccc'\nset tics nomirror font ',9'\n");
}

extern char **environ;

/* Its messages go where ours go: to standard error. */
static elman_status run_gnuplot(const char *script, elman_error *error)
{
    char name[] = "gnuplot";
    char path[LONGEST + 2], *arguments[] = {name, path, NULL};
    pid_t child;
    int status = 0;
    plain(path, script);
    int failure = posix_spawnp(&child, name, NULL, NULL, arguments, environ);
    if (failure)
        return elman_fail(error, ELMAN_ERROR_IO,
                          "plot: cannot run gnuplot: %s; its script stands in %s",
                          strerror(failure), script);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return elman_fail_errno(error, script, "cannot wait for gnuplot");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return ELMAN_OK;
    return elman_fail(error, ELMAN_ERROR_IO,
                      WIFEXITED(status) && WEXITSTATUS(status) == 127
                          ? "plot: gnuplot is not there; its script stands in %s"
                          : "plot: gnuplot could not draw %s",
                      script);
}

elman_status elman_plot_draw(elman_context *context, const elman_plot *plot, elman_error *error)
{
    elman_text_buffer text;
    char table[LONGEST], script[LONGEST];
    ELMAN_TRY(elman_plot_check(plot->path, error));
    if (strlen(plot->path) + 5 > sizeof table)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "plot: too long a path");
    snprintf(table, sizeof table, "%s.dat", plot->path);
    snprintf(script, sizeof script, "%s.gp", plot->path);
    elman_text_buffer_init(&text, context);
    put_head(&text, plot, table);
    elman_text_buffer_add(&text, plot->body->bytes, plot->body->used);
    elman_status status =
        text.failed || plot->body->failed || plot->table->failed
            ? elman_out_of_memory(error)
            : elman_file_replace(table, plot->table->bytes, plot->table->used, error);
    if (status == ELMAN_OK)
        status = elman_file_replace(script, text.bytes, text.used, error);
    elman_text_buffer_free(&text);
    return status == ELMAN_OK ? run_gnuplot(script, error) : status;
}
