#include "format/html.h"

#include <string.h>

#include "base/utf8.h"

static const char *name_of(uint32_t code_point)
{
    switch (code_point) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* HTML's parser would complain of these, or drop them. */
static bool is_control(uint32_t c)
{
    return (c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7f && c < 0xa0) ||
           (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef);
}

void elman_html_put_of(elman_text_buffer *html, const char *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        uint32_t c = 0;
        int n = elman_utf8_decode((const unsigned char *)bytes + at, size - at, &c);
        size_t length = n > 0 ? (size_t)n : n < 0 ? (size_t)-n : size - at;
        const char *name = n > 0 ? name_of(c) : NULL;
        if (name)
            elman_text_buffer_put(html, name);
        else if (n <= 0 || is_control(c))
            elman_text_buffer_put(html, ELMAN_REPLACEMENT);
        else
            elman_text_buffer_add(html, bytes + at, length);
        at += length;
    }
}

void elman_html_put(elman_text_buffer *html, const char *text)
{
    elman_html_put_of(html, text, strlen(text));
}
