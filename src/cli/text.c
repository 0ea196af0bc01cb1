/* Text for people: widths, lines, numbers. */
#include <langinfo.h>
#include <math.h>
#include <string.h>

#include "cli.h"
#include "utf8.h"

size_t cli_utf8_length(const char *text, size_t left)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *b = (const unsigned char *)text;
    if (left == 0)
        return 0;
    if (b[0] < 0x80)
        return 1;
    size_t length = b[0] >= 0xf0 ? 4 : b[0] >= 0xe0 ? 3 : 2;
    if (b[0] < 0xc2 || b[0] > 0xf4 || left < length)
        return 0;
    unsigned point = b[0] & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((b[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (b[i] & 0x3f);
    }
    bool surrogate = point >= 0xd800 && point < 0xe000;
    return point >= least[length] && point <= 0x10ffff && !surrogate ? length : 0;
}

bool cli_is_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

size_t cli_width(const char *text)
{
    size_t columns = 0;
    for (; *text != 0; text++)
        columns += ((unsigned char)*text & 0xc0) != 0x80;
    return columns;
}

void cli_wrap(FILE *file, const char *text, int indent, int column, int width)
{
    int at = column;
    bool first = true;
    while (*text != 0) {
        size_t size = strcspn(text, " ");
        int columns = 0;
        for (size_t i = 0; i < size; i++)
            columns += ((unsigned char)text[i] & 0xc0) != 0x80;
        if (!first && at + 1 + columns > width) {
            fprintf(file, "\n%*s", indent, "");
            at = indent;
        } else if (!first) {
            putc(' ', file);
            at++;
        }
        fwrite(text, 1, size, file);
        at += columns;
        first = false;
        text += size;
        text += strspn(text, " ");
    }
    putc('\n', file);
}

void cli_grouped(char text[32], unsigned long long number)
{
    char digits[24];
    int count = snprintf(digits, sizeof(digits), "%llu", number), out = 0;
    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            text[out++] = ',';
        text[out++] = digits[i];
    }
    text[out] = 0;
}

void cli_duration(char text[32], double seconds)
{
    if (!(seconds >= 0) || seconds > 3e8) {
        snprintf(text, 32, "-");
        return;
    }
    long s = lround(seconds);
    if (s < 60)
        snprintf(text, 32, "%lds", s);
    else if (s < 3600)
        snprintf(text, 32, "%ldm%02lds", s / 60, s % 60);
    else if (s < 86400)
        snprintf(text, 32, "%ldh%02ldm", s / 3600, s / 60 % 60);
    else
        snprintf(text, 32, "%ldd%02ldh", s / 86400, s / 3600 % 24);
}

void cli_short(char text[32], double number)
{
    static const char units[] = " kMGT";
    int unit = 0;
    while (fabs(number) >= 999.5 && unit < 4) {
        number /= 1000;
        unit++;
    }
    int decimals = unit == 0 || fabs(number) >= 99.95 ? 0 : fabs(number) >= 9.995 ? 1 : 2;
    snprintf(text, 32, "%.*f", decimals, number);
    if (unit > 0) {
        size_t end = strlen(text);
        text[end] = units[unit];
        text[end + 1] = 0;
    }
}

void cli_loss(char text[32], double loss)
{
    if (isnan(loss))
        snprintf(text, 32, "-");
    else
        snprintf(text, 32, fabs(loss) < 1000 ? "%.3f" : "%.4g", loss);
}
