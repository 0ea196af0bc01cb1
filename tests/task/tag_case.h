/* Small tagging data, always the same, and trainings of a moment on them. */
#ifndef TAG_CASE_H
#define TAG_CASE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elman/config.h"
#include "elman/task.h"

static char root[64] = "/tmp/elman-tag-XXXXXX";

static inline const char *in_root(const char *name)
{
    static char path[64][256];
    static int at;
    at = (at + 1) % 64;
    snprintf(path[at], sizeof path[at], "%s/%s", root, name);
    return path[at];
}

static inline int make_root(void **state)
{
    (void)state;
    return mkdtemp(root) == NULL;
}

static inline int remove_root(void **state)
{
    (void)state;
    char command[256];
    snprintf(command, sizeof command, "chmod -R u+w '%s'; rm -rf '%s'", root, root);
    return system(command);
}

static inline void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static inline uint32_t draw(uint32_t *r, uint32_t n)
{
    *r = *r * 1664525U + 1013904223U;
    return (*r >> 16) % n;
}

/* CoNLL-U: endings say what a word is, but "that" is PRON before a VERB and DET before a NOUN,
 * which only the words after it tell. entities: the last column has tags B-, I- and O instead. */
static inline void write_sentences(const char *path, int sentences, uint32_t seed)
{
    static const char *const stems[] = {"bel", "dor", "fin", "gal", "hum", "kel", "lim", "mor"};
    static const char *const endings[] = {"o", "are", "ly"};
    static const char *const tags[] = {"NOUN", "VERB", "ADV"};
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    uint32_t r = seed;
    for (int s = 0; s < sentences; s++) {
        int length = 2 + (int)draw(&r, 9), that = -1;
        fprintf(f, "# sentence %d\n", s);
        for (int i = 1; i <= length; i++) {
            uint32_t kind = that >= 0 ? (uint32_t)that : draw(&r, 4);
            if (i == length && kind == 3)
                kind = 0;
            if (kind == 3) {
                that = (int)draw(&r, 2);
                fprintf(f, "%d\tthat\t_\t%s\t_\t_\t_\t_\t_\t_\n", i, that ? "PRON" : "DET");
                continue;
            }
            that = -1;
            fprintf(f, "%d\t%s%s%s\t_\t%s\tX\t_\t_\t_\t_\t_\n", i, stems[draw(&r, 8)],
                    stems[draw(&r, 8)], endings[kind], tags[kind]);
        }
        fputs("\n", f);
    }
    assert_int_equal(fclose(f), 0);
}

/* Rows of a step each: x, y in [-1,1]; the label says in which half x of the step before was. */
static inline void write_vectors(const char *path, int sequences, uint32_t seed)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    uint32_t r = seed;
    fputs("clip,step,x,y,label\n", f);
    for (int s = 0; s < sequences; s++) {
        int length = 1 + (int)draw(&r, 7);
        const char *label = "none";
        for (int t = 0; t < length; t++) {
            double x = (double)draw(&r, 2001) / 1000 - 1, y = (double)draw(&r, 2001) / 1000 - 1;
            fprintf(f, "c%d,%d,%.3f,%.3f,%s\n", s, t, x, y, label);
            label = x < 0 ? "left" : "right";
        }
    }
    assert_int_equal(fclose(f), 0);
}

static inline void tiny(elman_config *config)
{
    elman_config_default_for(config, "tag");
    config->layers = 1;
    config->hidden = 20;
    config->embedding = 12;
    config->char_hidden = 12;
    config->char_embedding = 8;
    config->fold_case = false;
    config->min_count = 1;
    config->average = 0;
    config->epochs = 8;
    config->dropout = 0.1;
    config->word_dropout = 0.1;
    config->lr = 0.02;
    config->batch = 8;
}

typedef struct tag_run {
    const char *data;
    const char *folder;
    const elman_config *config; /* NULL: resumed */
    int threads;
    int64_t stop_after; /* updates; 0: not */
    /* what came of it */
    volatile sig_atomic_t stop;
    char metric[32];
    double best;
} tag_run;

static inline void tag_progress(void *user, const elman_train_progress *p)
{
    tag_run *run = user;
    if (p->event == ELMAN_EVENT_STEP && run->stop_after && p->step >= run->stop_after)
        run->stop = 1;
    if (p->event == ELMAN_EVENT_VALIDATION) {
        snprintf(run->metric, sizeof run->metric, "%s", p->metric ? p->metric : "");
        run->best = p->best_value;
    }
}

static inline elman_status tag_train(tag_run *run, elman_error *error)
{
    elman_context *context;
    elman_context_options options;
    elman_train_request request;
    elman_context_options_default(&options);
    options.threads = run->threads ? run->threads : 1;
    elman_status status = elman_context_create(&options, &context, error);
    if (status != ELMAN_OK)
        return status;
    elman_train_request_default(&request);
    request.task = "tag";
    if (run->config)
        request.config = *run->config;
    request.resume = !run->config;
    request.force = run->config != NULL;
    request.data = &run->data;
    request.data_count = run->config ? 1 : 0;
    request.output = run->folder;
    request.progress = tag_progress;
    request.user = run;
    run->stop = 0;
    request.stop = &run->stop;
    status = elman_train(context, &request, error);
    elman_context_free(context);
    return status;
}

static inline void train_or_fail(tag_run *run)
{
    elman_error error = {0};
    if (tag_train(run, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
}

#endif
