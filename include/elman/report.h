/* One page on a trained model, to be read in a browser or sent: what it is, how it was trained,
 * where its gradient goes, what the doctor finds, what it answers. The page is one file of HTML
 * with its pictures in it; it runs no script and asks for nothing from a network. */
#ifndef ELMAN_REPORT_H
#define ELMAN_REPORT_H

#include <signal.h>
#include <stdint.h>

#include "elman/context.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct elman_report_options {
    size_t size;             /* sizeof(elman_report_options), set by _default */
    const char *title;       /* NULL: the name of the model's folder */
    const char *const *data; /* [data_count] files that figures and gradients are measured on, of
                              * the form that the model was trained on */
    int data_count;          /* 0: the part of its own data that was kept for validation */
    uint64_t seed;           /* of the text that a language model writes; default 0 */
    int64_t length;          /* its tokens; default 600; 0: none */
    int64_t updates;         /* of the doctor's trial (elman/doctor.h), default 60; 0: none */
    /* Says in one line what could not be measured, and why; the page says it too. May be NULL. */
    void (*note)(void *user, const char *line);
    void *user;
    const volatile sig_atomic_t *stop; /* not 0: return INTERRUPTED; may be NULL */
} elman_report_options;

ELMAN_API void elman_report_options_default(elman_report_options *options);

/* Writes the page on the model in `folder` to path, whole or not at all; options may be NULL. What
 * cannot be measured (the data have moved, there is nothing to validate on) is said on the page in
 * the place of its result. The same model, data and options give the same page but for speeds.
 * A page that stands at path is replaced, and no other file is. ARGUMENT: options out of bounds,
 * path is one of the data or stands and is no page; IO: no such model, or the page cannot be
 * written; FORMAT: a file of the model is broken; INTERRUPTED; MEMORY. */
ELMAN_API elman_status elman_report_write(elman_context *context, const char *folder,
                                          const char *path, const elman_report_options *options,
                                          elman_error *error);

#ifdef __cplusplus
}
#endif

#endif
