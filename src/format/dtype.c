#include "format/dtype.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"

static const struct {
    char name[5];
    unsigned char bytes;
} table[] = {
    [ELMAN_DTYPE_BOOL] = {"BOOL", 1}, [ELMAN_DTYPE_U8] = {"U8", 1},
    [ELMAN_DTYPE_I8] = {"I8", 1},     [ELMAN_DTYPE_I16] = {"I16", 2},
    [ELMAN_DTYPE_U16] = {"U16", 2},   [ELMAN_DTYPE_F16] = {"F16", 2},
    [ELMAN_DTYPE_BF16] = {"BF16", 2}, [ELMAN_DTYPE_I32] = {"I32", 4},
    [ELMAN_DTYPE_U32] = {"U32", 4},   [ELMAN_DTYPE_F32] = {"F32", 4},
    [ELMAN_DTYPE_F64] = {"F64", 8},   [ELMAN_DTYPE_I64] = {"I64", 8},
    [ELMAN_DTYPE_U64] = {"U64", 8},
};
enum { COUNT = sizeof table / sizeof table[0] };

size_t elman_dtype_bytes(elman_dtype dtype)
{
    return (unsigned)dtype < COUNT ? table[dtype].bytes : 0;
}

const char *elman_dtype_name(elman_dtype dtype)
{
    return (unsigned)dtype < COUNT ? table[dtype].name : NULL;
}

bool elman_dtype_parse(const char *name, elman_dtype *dtype)
{
    for (unsigned i = 0; i < COUNT; i++) {
        if (strcmp(table[i].name, name) == 0) {
            *dtype = (elman_dtype)i;
            return true;
        }
    }
    return false;
}

bool elman_dtype_total(elman_dtype dtype, int rank, const size_t *shape, size_t *bytes)
{
    size_t product = elman_dtype_bytes(dtype);
    bool empty = false;
    for (int i = 0; i < rank; i++) {
        if (shape[i] == 0)
            empty = true;
        else if (!elman_size_multiply(product, shape[i], &product))
            return false;
    }
    *bytes = empty ? 0 : product;
    return true;
}

const char *elman_name_show(const char *name, char text[96])
{
    enum { SIZE = 96, SHOWN = 80 };
    size_t length = strlen(name);
    size_t shown = elman_utf8_cut(name, length, SHOWN);
    snprintf(text, SIZE, "%.*s%s", (int)shown, name, shown < length ? "..." : "");
    return text;
}
