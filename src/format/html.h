/* Text into HTML. */
#ifndef ELMAN_FORMAT_HTML_H
#define ELMAN_FORMAT_HTML_H

#include "base/text_buffer.h"

/* Bytes as text that stands for itself, in an element or in a quoted attribute, whatever they are:
 * what HTML reads otherwise is named, and what is no UTF-8 or a control character (but for tab and
 * line end) becomes U+FFFD. */
void elman_html_put_of(elman_text_buffer *html, const char *bytes, size_t size);
void elman_html_put(elman_text_buffer *html, const char *text);

#endif
