#include "golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef ELMAN_WITH_JANSSON

#include "elman/safetensors.h"

struct golden {
    elman_safetensors *file;
    elman_tensor found[4]; /* of the last calls, in turn */
    int turn;
};

golden *golden_open(elman_context *context, const char *path)
{
    elman_error error;
    golden *g = calloc(1, sizeof *g);
    if (!g || elman_safetensors_read(context, path, NULL, &g->file, &error) != ELMAN_OK) {
        fprintf(stderr, "%s\n", error.message);
        exit(1);
    }
    return g;
}

void golden_close(golden *g)
{
    if (g)
        elman_safetensors_free(g->file);
    free(g);
}

static const elman_tensor_view *look(golden *g, const char *prefix, const char *name,
                                     elman_dtype dtype)
{
    char whole[256];
    snprintf(whole, sizeof whole, "%s%s", prefix, name);
    const elman_tensor_view *view = elman_safetensors_find(g->file, whole);
    return view && view->dtype == dtype && view->rank <= ELMAN_MAX_RANK ? view : NULL;
}

const elman_tensor *golden_find(golden *g, const char *prefix, const char *name)
{
    const elman_tensor_view *view = look(g, prefix, name, ELMAN_DTYPE_F32);
    if (!view)
        return NULL;
    elman_tensor *t = &g->found[g->turn++ % 4];
    *t = (elman_tensor){.data = (float *)(uintptr_t)view->data, .rank = view->rank};
    for (int i = 0; i < view->rank; i++)
        t->shape[i] = (int64_t)view->shape[i];
    return t;
}

const int32_t *golden_integers(golden *g, const char *prefix, const char *name)
{
    const elman_tensor_view *view = look(g, prefix, name, ELMAN_DTYPE_I32);
    return view ? view->data : NULL;
}

#else

golden *golden_open(elman_context *context, const char *path)
{
    (void)context, (void)path;
    return NULL;
}

void golden_close(golden *g)
{
    (void)g;
}

const elman_tensor *golden_find(golden *g, const char *prefix, const char *name)
{
    (void)g, (void)prefix, (void)name;
    return NULL;
}

const int32_t *golden_integers(golden *g, const char *prefix, const char *name)
{
    (void)g, (void)prefix, (void)name;
    return NULL;
}

#endif

bool golden_near(golden *g, const char *prefix, const char *name, const float *got, int64_t n,
                 double k)
{
    const elman_tensor *want = golden_find(g, prefix, name);
    if (!want || !got || n == 0 || elman_tensor_count(want) != n) {
        fprintf(stderr, "%s%s: %lld elements, expected %lld\n", prefix, name, (long long)n,
                want ? (long long)elman_tensor_count(want) : -1);
        return false;
    }
    double largest = 1;
    for (int64_t i = 0; i < n; i++)
        largest = fmax(largest, fabs((double)want->data[i]));
    for (int64_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - (double)want->data[i]) <= k * 0x1p-23 * largest)) {
            fprintf(stderr, "%s%s, element %lld of %lld: %.9g, expected %.9g within %g\n", prefix,
                    name, (long long)i, (long long)n, (double)got[i], (double)want->data[i],
                    k * 0x1p-23 * largest);
            return false;
        }
    return true;
}
