#include "format/heat.h"

#include <math.h>
#include <string.h>

#include "base/logarithm.h"

/* The colours of viridis (van der Walt & Smith 2015) up to 1. */
static const struct {
    double at; /* log10 of the norm */
    unsigned char colour[3];
} stops[] = {
    {-4, {0x44, 0x01, 0x54}}, {-3, {0x3b, 0x52, 0x8b}}, {-2, {0x21, 0x91, 0x8c}},
    {-1, {0x5e, 0xc9, 0x62}}, {0, {0xfd, 0xe7, 0x25}},  {2, {0xd7, 0x30, 0x1f}},
};
enum { STOPS = sizeof stops / sizeof *stops };

void elman_heat_colour(double norm, unsigned char colour[3])
{
    static const unsigned char grey[3] = {0x99, 0x99, 0x99};
    double x = norm <= 1e-4 ? stops[0].at : elman_logarithm10(norm);
    memcpy(colour, grey, 3);
    if (isnan(x))
        return;
    int above = 0;
    while (above < STOPS && stops[above].at <= x)
        above++;
    if (above == 0 || above == STOPS) {
        memcpy(colour, stops[above ? STOPS - 1 : 0].colour, 3);
        return;
    }
    double share = (x - stops[above - 1].at) / (stops[above].at - stops[above - 1].at);
    for (int i = 0; i < 3; i++) {
        double low = stops[above - 1].colour[i], high = stops[above].colour[i];
        colour[i] = (unsigned char)(low + share * (high - low) + 0.5);
    }
}
