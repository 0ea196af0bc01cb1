/* Labelled sequences of vectors from files. A table is of one of two forms:
 *
 *   a row a step       --sequence-column NAME: rows of the same value there, which stand together,
 *                      are the steps of one sequence; --step-column NAME (if any) must ascend
 *                      within it; --label, --features as below. With a label a sequence every row
 *                      of it says the same; with a label a step each says its own
 *   a row a sequence   otherwise: the numbers of a row are its steps one after the other, `width`
 *                      numbers each (0: one step of all); the label beside them
 *
 * --label names the label's column; without it that is the column called label, else the last.
 * --features names the numbers' columns; without it they are all the others. A number that is
 * missing or not finite is an error, as is a label that is empty.
 *
 * A .safetensors file: x F32 [n,T,F] or [n,F] (a single step), lengths I64 [n] (may be missing: T
 * each), labels I64 [n], or [n,T] with a label a step (those beyond a length are not read). The
 * label's name is its number. */
#ifndef ELMAN_TASK_VECTORS_READ_H
#define ELMAN_TASK_VECTORS_READ_H

#include "data/intern.h"
#include "elman/config.h"
#include "task/labels.h"
#include "task/vectors.h"

typedef struct elman_labelled_vectors {
    elman_vectors vectors;
    elman_intern names; /* of the labels that were met */
    int32_t *labels;    /* numbers of names: [count], or [step_count] with a label a step */
    size_t labels_room;
    bool each_step;
    const elman_labels *known; /* the labels that there may be; NULL: any */
    char sha256[65];           /* of the file read last */
    uint64_t bytes;
} elman_labelled_vectors;

/* each_step: a label a step (a row a sequence then is an error, but for safetensors). */
void elman_labelled_vectors_init(elman_labelled_vectors *to, elman_context *context,
                                 bool each_step);
void elman_labelled_vectors_free(elman_labelled_vectors *to);
/* Adds a file's sequences behind those that are there. The first file says how many numbers a step
 * has (vectors.width); others must have as many. FORMAT, DATA: file, line, column, what was found
 * and expected; MEMORY; IO. */
elman_status elman_labelled_vectors_read(elman_labelled_vectors *to, const char *path,
                                         const elman_config *config, elman_error *error);

/* Whether a file holds vectors rather than text, by the options (sequence_column, features, width)
 * or else because it is .safetensors, or a table with columns of numbers alone beside the label: in
 * each more numbers than words, so that neither a title "2012" nor a missing number deceives. */
elman_status elman_holds_vectors(elman_context *context, const char *path,
                                 const elman_config *config, bool *vectors, elman_error *error);

#endif
