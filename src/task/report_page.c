/* The frame of a report: its head, its style, its small parts. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/number.h"
#include "elman/version.h"
#include "format/chart.h"
#include "format/html.h"
#include "task/report_impl.h"

static const char style[] =
    ":root{color-scheme:light dark;--paper:#f6f5f1;--card:#fff;--ink:#1c2430;--muted:#5d6775;"
    "--line:#dedcd4;--accent:#0b6bab;--bad:#b3261e;--warn:#8a5a00}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"
    "'Segoe UI',Roboto,'DejaVu Sans',sans-serif}\n"
    "main{max-width:1080px;margin:0 auto;padding:32px 20px 48px}\n"
    "header{border-bottom:3px solid var(--accent);padding-bottom:14px;margin-bottom:22px}\n"
    ".kicker{margin:0;color:var(--accent);font-size:13px;font-weight:600;letter-spacing:.08em;"
    "text-transform:uppercase}\n"
    "h1{margin:2px 0 4px;font-size:34px;line-height:1.2;overflow-wrap:anywhere}\n"
    "h2{margin:44px 0 4px;font-size:22px}\nh3{margin:26px 0 8px;font-size:16px}\n"
    "p{margin:0 0 12px;max-width:75ch}\n.lead{color:var(--muted)}\n"
    ".facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;"
    "margin:0 0 8px}\n"
    ".facts div{background:var(--card);border:1px solid var(--line);border-radius:10px;"
    "padding:12px 14px}\n"
    ".facts dt{color:var(--muted);font-size:13px}\n"
    ".facts dd{margin:0;font-size:24px;font-weight:600;line-height:1.3;overflow-wrap:anywhere}\n"
    ".facts small{display:block;color:var(--muted);font-size:12px;font-weight:400}\n"
    ".charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(400px,100%),1fr));"
    "gap:16px;margin:12px 0}\n"
    ".gates{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:12px}\n"
    ".scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);"
    "border-radius:10px;margin:0 0 12px}\n"
    ".narrow{max-width:440px}\n"
    "table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}\n"
    "caption{text-align:left;padding:10px 14px 2px;font-weight:600}\n"
    "th,td{padding:6px 14px;text-align:right;border-top:1px solid var(--line);"
    "unicode-bidi:isolate}\n"
    "tr:first-child th,tr:first-child td{border-top:0}\n"
    "th:first-child,td.t,td.k{text-align:left}\nth{font-weight:500;color:var(--muted)}\n"
    "thead th{font-size:13px;white-space:nowrap}\n"
    "tbody "
    "th{color:var(--ink);font-weight:400}\ntd.t{overflow-wrap:break-word;min-width:8ch}td.k{white-"
    "space:nowrap}\n"
    "details{margin:0 0 12px}\nsummary{cursor:pointer;color:var(--accent);padding:4px 0}\n"
    "pre{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px;"
    "margin:0 0 12px;white-space:pre-wrap;overflow-wrap:anywhere;font:14px/1.5 ui-monospace,"
    "SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;unicode-bidi:isolate}\n"
    "code{font:.92em ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
    "overflow-wrap:anywhere;unicode-bidi:isolate}\n"
    ".lack{color:var(--muted);border-left:3px solid var(--line);padding:2px 0 2px 12px;"
    "overflow-wrap:anywhere}\n"
    ".finding{background:var(--card);border:1px solid var(--line);border-left:4px solid "
    "var(--muted);border-radius:6px;padding:10px 14px;margin:0 0 10px}\n"
    ".finding p{margin:0;overflow-wrap:anywhere}\n"
    ".finding .kicker{color:inherit}\n"
    ".error{border-left-color:var(--bad)}.error .kicker{color:var(--bad)}\n"
    ".warning{border-left-color:var(--warn)}.warning .kicker{color:var(--warn)}\n"
    "footer{margin-top:48px;border-top:1px solid var(--line);padding-top:12px;color:var(--muted);"
    "font-size:13px}\n";
/* After the style of the charts, some of which they change. */
static const char media[] =
    "@media(max-width:520px){main{padding:20px 12px 32px}h1{font-size:26px}th,td{padding:6px 10px}"
    "svg text{font-size:14px}.facts{grid-template-columns:repeat(2,1fr)}.facts "
    "dd{font-size:20px}}\n"
    "@media print{body{background:#fff}main{max-width:none;padding:0}figure,.facts div,.finding,"
    "tr{break-inside:avoid}}\n";
static const char dark[] = ":root{--paper:#12161c;--card:#1b212a;--ink:#e6e9ee;--muted:#9aa5b3;"
                           "--line:#323b47;--accent:#5db3ee;--bad:#ff8a80;--warn:#f2c14e}\n";

void elman_report_begin(elman_text_buffer *html, const char *title, const char *lead)
{
    elman_text_buffer_put(
        html, ELMAN_REPORT_FIRST
        "\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        "style-src 'unsafe-inline'; img-src data:\">\n"
        "<link rel=\"icon\" href=\"data:,\">\n<meta name=\"generator\" content=\"elman ");
    elman_html_put(html, elman_version());
    elman_text_buffer_put(html, "\">\n<title>");
    elman_html_put(html, title);
    elman_text_buffer_put(html, "</title>\n<style>\n");
    elman_text_buffer_put(html, style);
    elman_text_buffer_put(html, elman_chart_style());
    elman_text_buffer_put(html, "@media(prefers-color-scheme:dark){\n");
    elman_text_buffer_put(html, dark);
    elman_text_buffer_put(html, elman_chart_style_dark());
    elman_text_buffer_put(html, "}\n");
    elman_text_buffer_put(html, media);
    elman_text_buffer_put(html, "</style></head>\n<body><main>\n<header><p class=\"kicker\">"
                                "Elman report</p>\n<h1>");
    elman_html_put(html, title);
    elman_text_buffer_put(html, "</h1>\n<p class=\"lead\">");
    elman_html_put(html, lead);
    elman_text_buffer_put(html, "</p></header>\n");
}

void elman_report_end(elman_text_buffer *html)
{
    elman_text_buffer_put(html, "<footer>Written by elman ");
    elman_html_put(html, elman_version());
    elman_text_buffer_put(html, ". Recurrent networks imitate what they have read; they do not "
                                "know what they say.</footer>\n</main></body></html>\n");
}

void elman_report_begin_section(elman_text_buffer *html, const char *id, const char *heading,
                                const char *lead)
{
    elman_text_buffer_put(html, "<section id=\"");
    elman_html_put(html, id);
    elman_text_buffer_put(html, "\"><h2>");
    elman_html_put(html, heading);
    elman_text_buffer_put(html, "</h2>\n");
    if (!lead)
        return;
    elman_text_buffer_put(html, "<p class=\"lead\">");
    elman_html_put(html, lead);
    elman_text_buffer_put(html, "</p>\n");
}

void elman_report_end_section(elman_text_buffer *html)
{
    elman_text_buffer_put(html, "</section>\n");
}

void elman_report_put_fact(elman_text_buffer *html, const char *name, const char *value,
                           const char *below)
{
    elman_text_buffer_put(html, "<div><dt>");
    elman_html_put(html, name);
    elman_text_buffer_put(html, "</dt><dd>");
    elman_html_put(html, value);
    elman_text_buffer_put(html, "<small>");
    elman_html_put(html, below);
    elman_text_buffer_put(html, "</small></dd></div>\n");
}

void elman_report_put_row(elman_text_buffer *html, const char *name, const char *value)
{
    elman_text_buffer_put(html, "<tr><th>");
    elman_html_put(html, name);
    elman_text_buffer_put(html, "</th><td class=\"t\">");
    elman_html_put(html, value);
    elman_text_buffer_put(html, "</td></tr>\n");
}

void elman_report_put_cell(elman_text_buffer *html, double value, int digits)
{
    char text[40];
    elman_report_number(text, value, digits);
    elman_text_buffer_put(html, "<td>");
    elman_text_buffer_put(html, text);
    elman_text_buffer_put(html, "</td>");
}

void elman_report_number(char text[40], double value, int digits)
{
    if (isfinite(value))
        elman_print_rounded(text, value, digits);
    else
        snprintf(text, 40, "–");
}

void elman_report_grouped(char text[40], int64_t value)
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%lld", (long long)value), at = 0;
    for (int i = 0; i < n && at < 38; i++) {
        text[at++] = digits[i];
        if ((n - i) % 3 == 1 && i + 1 < n && digits[i] != '-')
            text[at++] = ',';
    }
    text[at] = 0;
}

void elman_report_duration(char text[40], double seconds)
{
    if (seconds >= 0 && seconds < 10) {
        elman_print_rounded(text, seconds, 2);
        snprintf(text + strlen(text), 8, " s");
        return;
    }
    long long s =
        isfinite(seconds) && seconds >= 0 && seconds < 1e12 ? (long long)(seconds + 0.5) : -1;
    if (s < 0)
        snprintf(text, 40, "–");
    else if (s < 60)
        snprintf(text, 40, "%lld s", s);
    else if (s < 3600)
        snprintf(text, 40, "%lld min %lld s", s / 60, s % 60);
    else
        snprintf(text, 40, "%lld h %lld min", s / 3600, s / 60 % 60);
}

elman_status elman_report_lack(elman_report *report, const char *what, elman_status status,
                               const elman_error *found, elman_error *error)
{
    char line[sizeof found->message + 96];
    if (status == ELMAN_OK)
        return ELMAN_OK;
    if (status == ELMAN_ERROR_INTERRUPTED || status == ELMAN_ERROR_MEMORY)
        return elman_fail(error, status, "%s", found->message);
    snprintf(line, sizeof line, "%s: %s", what, found->message);
    if (report->options->note)
        report->options->note(report->options->user, line);
    elman_text_buffer_put(&report->html, "<p class=\"lack\">Not measured: ");
    elman_html_put(&report->html, line);
    elman_text_buffer_put(&report->html, "</p>\n");
    return ELMAN_OK;
}
