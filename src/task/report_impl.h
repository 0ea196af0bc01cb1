/* A report on its way: what is known of the model, the page, and how parts of it are written. */
#ifndef ELMAN_TASK_REPORT_IMPL_H
#define ELMAN_TASK_REPORT_IMPL_H

#include "base/text_buffer.h"
#include "elman/config.h"
#include "elman/report.h"
#include "elman/safetensors.h"
#include "train/history.h"

typedef struct elman_report {
    elman_context *context;
    const char *folder;
    const elman_report_options *options;
    elman_config_file file;
    elman_safetensors *weights;
    elman_history history;
    elman_text_buffer html;
} elman_report;

/* The parts of the page, each a section of its own; a part with nothing to say writes nothing. Only
 * INTERRUPTED and MEMORY are errors: what else goes wrong is said on the page. */
elman_status elman_report_model(elman_report *report, elman_error *error);
elman_status elman_report_training(elman_report *report, elman_error *error);
elman_status elman_report_gradient(elman_report *report, elman_error *error);
elman_status elman_report_findings(elman_report *report, elman_error *error);
elman_status elman_report_answers(elman_report *report, elman_error *error);

/* What every page begins with, by which it is known. */
#define ELMAN_REPORT_FIRST "<!DOCTYPE html>"
/* The page's frame; title and lead are escaped. */
void elman_report_begin(elman_text_buffer *html, const char *title, const char *lead);
void elman_report_end(elman_text_buffer *html);
/* <section> with its heading and a line below it (NULL: none). */
void elman_report_begin_section(elman_text_buffer *html, const char *id, const char *heading,
                                const char *lead);
void elman_report_end_section(elman_text_buffer *html);
/* A large figure: its name, value and a line below. */
void elman_report_put_fact(elman_text_buffer *html, const char *name, const char *value,
                           const char *below);
/* <tr> of a heading and a text. */
void elman_report_put_row(elman_text_buffer *html, const char *name, const char *value);
/* A cell of numbers; NaN is a dash. digits: significant. */
void elman_report_put_cell(elman_text_buffer *html, double value, int digits);

/* Printed into a text of the caller's; the same in every locale. */
void elman_report_number(char text[40], double value, int digits);
void elman_report_grouped(char text[40], int64_t value);
void elman_report_duration(char text[40], double seconds);

/* What was not measured, and why, on the page and to the caller's note; hands on INTERRUPTED and
 * MEMORY, and answers OK to the rest. */
elman_status elman_report_lack(elman_report *report, const char *what, elman_status status,
                               const elman_error *found, elman_error *error);

#endif
