/* The word that somebody may have meant: edit distance, and the habits of other programs. */
#include <ctype.h>
#include <string.h>

#include "elman/options.h"

enum { WORD = 48 }; /* longer ones are nobody's slip */

/* Lower case, '_' as '-'. Answers the length, or 0 where the word is too long. */
static size_t normalise(const char *word, char out[WORD])
{
    size_t n = 0;
    for (; word[n] != 0; n++) {
        if (n + 1 == WORD)
            return 0;
        out[n] = word[n] == '_' ? '-' : (char)tolower((unsigned char)word[n]);
    }
    out[n] = 0;
    return n;
}

/* Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
static size_t distance(const char *a, size_t m, const char *b, size_t n)
{
    size_t rows[3][WORD];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= n; j++)
        above[j] = j;
    for (size_t i = 1; i <= m; i++) {
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);
            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            row[j] = best;
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[n];
}

/* Whether `part` is one or more whole words of the hyphenated `whole`. */
static bool holds_words(const char *whole, const char *part, size_t size)
{
    for (const char *at = whole; (at = strstr(at, part)) != NULL; at++) {
        bool begins = at == whole || at[-1] == '-';
        bool ends = at[size] == 0 || at[size] == '-';
        if (begins && ends)
            return true;
    }
    return false;
}

/* Whether `initials` are the first letters of the words of `whole`: learning-rate, lr. */
static bool are_initials(const char *whole, const char *initials)
{
    for (const char *at = whole; at != NULL; initials++) {
        if (*at == '-')
            at++;
        if (*at == 0 || *at != *initials)
            return false;
        at = strchr(at, '-');
    }
    return *initials == 0;
}

/* 0: not near. Otherwise the smaller the nearer, from 1. */
static size_t farness(const char *a, size_t m, const char *b, size_t n)
{
    size_t longer = m > n ? m : n;
    size_t d = distance(a, m, b, n);
    if (d <= (longer + 2) / 4 + 1 && d < longer - (longer > 2))
        return 1 + d;
    if (m > 2 && n > 2 && (strncmp(a, b, m < n ? m : n) == 0))
        return WORD;
    if (holds_words(a, b, n) || holds_words(b, a, m))
        return WORD + 1;
    if (n > 1 && are_initials(a, b))
        return WORD + 2;
    return 0;
}

typedef struct search {
    char wrong[WORD];
    size_t size; /* of wrong; 0: nothing is near */
    const char *nearest;
    size_t least;
} search;

static search search_for(const char *word)
{
    search s = {.nearest = NULL};
    s.size = normalise(word, s.wrong);
    return s;
}

static void consider(search *s, const char *word)
{
    char known[WORD];
    size_t size = normalise(word, known);
    size_t far = size > 0 && s->size > 0 ? farness(s->wrong, s->size, known, size) : 0;
    if (far > 0 && (s->nearest == NULL || far < s->least)) {
        s->nearest = word;
        s->least = far;
    }
}

const char *elman_nearest_word(const char *word, const char *const *words, size_t count)
{
    search s = search_for(word);
    for (size_t i = 0; i < count; i++)
        consider(&s, words[i]);
    return s.nearest;
}
