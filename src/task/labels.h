/* The names of classes or tags: labels.json, ["negative", "positive"]. */
#ifndef ELMAN_TASK_LABELS_H
#define ELMAN_TASK_LABELS_H

#include <stddef.h>
#include <stdint.h>

#include "data/intern.h"
#include "elman/context.h"

/* Numbers in the order of the names: by value where all are numbers, else by bytes. */
typedef struct elman_labels {
    elman_context *context;
    char **names; /* [count], zero-terminated UTF-8 */
    int32_t count, room;
    int32_t *sorted; /* [count] by bytes, for finding; after elman_labels_order */
} elman_labels;

void elman_labels_init(elman_labels *labels, elman_context *context);
void elman_labels_free(elman_labels *labels);
/* Adds a name, which must not stand there yet: its number is the count until elman_labels_order.
 * MEMORY. */
elman_status elman_labels_add(elman_labels *labels, const char *name, size_t size,
                              elman_error *error);
/* Puts them into their order; to[i] (may be NULL) is what number i has become: [count]. */
elman_status elman_labels_order(elman_labels *labels, int32_t *to, elman_error *error);
/* All of `names` at once, in their order; to as above, [names->count]. MEMORY. */
elman_status elman_labels_from(elman_labels *labels, const elman_intern *names, int32_t *to,
                               elman_error *error);
/* The number of a name, or -1. */
int32_t elman_labels_find(const elman_labels *labels, const char *name, size_t size);
/* Whether a label that was read is a name: not empty and, where `known` is not NULL, one of its.
 * DATA: `label "x" is none of the 2 that the model was trained with`; a caller puts file and line
 * before it. */
elman_status elman_labels_check(const elman_labels *known, const char *name, size_t size,
                                elman_error *error);
/* labels.json of a folder, both ways. FORMAT: no row of different names. */
elman_status elman_labels_save(const elman_labels *labels, const char *folder, elman_error *error);
elman_status elman_labels_load(elman_labels *labels, const char *folder, elman_error *error);

#endif
