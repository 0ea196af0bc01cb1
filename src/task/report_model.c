/* What the model is: its configuration, its parameters, what it was trained on. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "format/html.h"
#include "task/report_impl.h"

/* The options that mean something to the task, those that differ from its defaults set apart. */
static void put_options(elman_report *r)
{
    const elman_option_table *table = elman_config_options();
    const char *group = "";
    char value[ELMAN_CONFIG_TEXT];
    elman_config usual;
    elman_config_default_for(&usual, r->file.task);
    elman_text_buffer_put(&r->html,
                          "<details><summary>Configuration</summary><div class=\"scroll\">"
                          "<table><tbody>\n");
    for (size_t i = 0; i < table->count; i++) {
        const elman_option *o = &table->options[i];
        if (!o->recorded || !elman_option_concerns(o, r->file.task))
            continue;
        elman_options_get(o, &r->file.config, value, sizeof value);
        bool own = !o->untyped && !elman_options_equal(o, &usual, &r->file.config);
        elman_text_buffer_put(&r->html, "<tr><th>");
        elman_html_put(&r->html, strcmp(group, o->group) ? o->group : "");
        group = o->group;
        elman_text_buffer_put(&r->html, own ? "</th><td class=\"k\"><b>" : "</th><td class=\"k\">");
        elman_html_put(&r->html, o->name);
        elman_text_buffer_put(&r->html,
                              own ? "</b></td><td class=\"t\"><b>" : "</td><td class=\"t\">");
        elman_html_put(&r->html, value[0] ? value : "–");
        elman_text_buffer_put(&r->html,
                              own ? "</b></td><td class=\"t\">" : "</td><td class=\"t\">");
        elman_html_put(&r->html, o->help);
        elman_text_buffer_put(&r->html, "</td></tr>\n");
    }
    elman_text_buffer_put(&r->html, "</tbody></table></div></details>\n");
}

static void put_parameters(elman_report *r)
{
    char text[40];
    elman_text_buffer_put(&r->html, "<details><summary>Parameters</summary><div class=\"scroll\">"
                                    "<table><thead><tr><th>Name</th><th>Shape</th><th>Count</th>"
                                    "</tr></thead><tbody>\n");
    for (size_t i = 0; i < elman_safetensors_count(r->weights); i++) {
        const elman_tensor_view *v = elman_safetensors_at(r->weights, i);
        elman_text_buffer_put(&r->html, "<tr><th>");
        elman_html_put(&r->html, v->name);
        elman_text_buffer_put(&r->html, "</th><td>");
        for (int d = 0; d < v->rank; d++) {
            snprintf(text, sizeof text, "%s%zu", d ? " × " : "", v->shape[d]);
            elman_text_buffer_put(&r->html, text);
        }
        elman_text_buffer_put(&r->html, "</td><td>");
        elman_report_grouped(text, (int64_t)(v->bytes / elman_dtype_bytes(v->dtype)));
        elman_text_buffer_put(&r->html, text);
        elman_text_buffer_put(&r->html, "</td></tr>\n");
    }
    elman_text_buffer_put(&r->html, "</tbody></table></div></details>\n");
}

static void put_data(elman_report *r)
{
    char text[40];
    if (!r->file.data_count)
        return;
    elman_text_buffer_put(&r->html, "<details><summary>Data</summary><div class=\"scroll\"><table>"
                                    "<thead><tr><th>File</th><th>Use</th><th>Bytes</th>"
                                    "<th>SHA-256</th></tr></thead><tbody>\n");
    for (int64_t i = 0; i < r->file.data_count; i++) {
        const elman_data_record *d = &r->file.data[i];
        elman_text_buffer_put(&r->html, "<tr><th>");
        elman_html_put(&r->html, d->path);
        elman_text_buffer_put(&r->html, i < r->file.train_count ? "</th><td>training</td><td>"
                                                                : "</th><td>validation</td><td>");
        elman_report_grouped(text, (int64_t)d->bytes);
        elman_text_buffer_put(&r->html, text);
        elman_text_buffer_put(&r->html, "</td><td class=\"t\"><code>");
        elman_html_put(&r->html, d->sha256);
        elman_text_buffer_put(&r->html, "</code></td></tr>\n");
    }
    elman_text_buffer_put(&r->html, "</tbody></table></div></details>\n");
}

elman_status elman_report_model(elman_report *r, elman_error *error)
{
    (void)error;
    elman_report_begin_section(
        &r->html, "model", "The model",
        "Everything that training it again takes; what was chosen otherwise than by default stands "
        "out.");
    put_options(r);
    put_parameters(r);
    put_data(r);
    elman_report_end_section(&r->html);
    return ELMAN_OK;
}
