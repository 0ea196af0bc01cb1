#include "data/unicode.h"

#include "base/error.h"
#include "base/utf8.h"

#if defined(ELMAN_WITH_UNICODE)

#include <utf8proc.h>

elman_status elman_unicode_check(elman_error *error)
{
    (void)error;
    return ELMAN_OK;
}

/* Han (with its extensions and compatibility forms), hiragana, katakana, iteration marks. */
static bool is_ideograph(uint32_t c)
{
    static const uint32_t ranges[][2] = {{0x3005, 0x3007},  {0x3031, 0x3035}, {0x3041, 0x30FF},
                                         {0x31F0, 0x31FF},  {0x3400, 0x4DBF}, {0x4E00, 0x9FFF},
                                         {0xF900, 0xFAFF},  {0xFF66, 0xFF9F}, {0x1AFF0, 0x1B16F},
                                         {0x20000, 0x3FFFF}};
    if (c < ranges[0][0])
        return false;
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (c >= ranges[i][0] && c <= ranges[i][1])
            return true;
    }
    return false;
}

static elman_unicode_class class_of_ascii(uint32_t c)
{
    if (c <= ' ' || c == 0x7F)
        return ELMAN_UNICODE_SPACE;
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
        return ELMAN_UNICODE_LETTER;
    return c >= '0' && c <= '9' ? ELMAN_UNICODE_DIGIT : ELMAN_UNICODE_OTHER;
}

elman_unicode_class elman_unicode_class_of(uint32_t c)
{
    if (c < 0x80)
        return class_of_ascii(c);
    const utf8proc_property_t *p = utf8proc_get_property((utf8proc_int32_t)c);
    if (elman_utf8_is_space(c) || p->category == UTF8PROC_CATEGORY_CC)
        return ELMAN_UNICODE_SPACE;
    if (p->ignorable)
        return ELMAN_UNICODE_IGNORABLE;
    switch (p->category) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
        return is_ideograph(c) ? ELMAN_UNICODE_IDEOGRAPH : ELMAN_UNICODE_LETTER;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return is_ideograph(c) ? ELMAN_UNICODE_IDEOGRAPH : ELMAN_UNICODE_DIGIT;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
        return ELMAN_UNICODE_MARK;
    default:
        return ELMAN_UNICODE_OTHER;
    }
}

/* ASCII is its own NFC. Answers the bytes that were, from the beginning. */
static size_t fold_ascii(const char *text, size_t size, bool fold, char *out)
{
    size_t n = 0;
    for (; n < size && (unsigned char)text[n] < 0x80; n++)
        out[n] = fold && text[n] >= 'A' && text[n] <= 'Z' ? (char)(text[n] | 0x20) : text[n];
    return n;
}

ptrdiff_t elman_unicode_fold(const char *text, size_t size, bool fold, char *out, int32_t *scratch)
{
    size_t room = elman_unicode_fold_room(size), n = 0;
    if (fold_ascii(text, size, fold, out) == size)
        return (ptrdiff_t)size;
    if (!elman_utf8_valid(text, size)) /* utf8proc takes some that the standard refuses */
        return -1;
    utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_IGNORE | UTF8PROC_DECOMPOSE;
    if (fold)
        options |= UTF8PROC_CASEFOLD;
    utf8proc_ssize_t count =
        utf8proc_decompose((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)size, scratch,
                           (utf8proc_ssize_t)room, options);
    if (count < 0 || count > (utf8proc_ssize_t)room)
        return -1;
    count = utf8proc_normalize_utf32(scratch, count, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    for (utf8proc_ssize_t i = 0; i < count; i++) {
        unsigned char bytes[4];
        int length = elman_utf8_encode((uint32_t)scratch[i], bytes);
        if (n + (size_t)length > room)
            return -1;
        for (int k = 0; k < length; k++)
            out[n++] = (char)bytes[k];
    }
    return (ptrdiff_t)n;
}

#else

elman_status elman_unicode_check(elman_error *error)
{
    return elman_fail(error, ELMAN_ERROR_UNSUPPORTED,
                      "this build is without utf8proc and splits no text into words "
                      "(ELMAN_WITH_UNICODE)");
}

elman_unicode_class elman_unicode_class_of(uint32_t code_point)
{
    (void)code_point;
    return ELMAN_UNICODE_OTHER;
}

ptrdiff_t elman_unicode_fold(const char *text, size_t size, bool fold, char *out, int32_t *scratch)
{
    (void)text;
    (void)size;
    (void)fold;
    (void)out;
    (void)scratch;
    return -1;
}

#endif

size_t elman_unicode_fold_room(size_t size)
{
    /* NFC makes at most three bytes of one, folding at most three code points of one. */
    size_t room;
    return elman_size_multiply(size, 4, &room) && elman_size_add(room, 16, &room) ? room : 0;
}
