/* Every instruction set's products against the chain as it is defined, bit for bit, and against
 * the sum in double; between guard pages, in any order of rows, cut into any shares. */
#include "math_support.h"

#include <math.h>

#include "compare.h"
#include "kernel/ref/product_ref.h"

enum { MOST_BUFFERS = 16 };

/* Guarded memory of one case, filled with random numbers. */
typedef struct bench {
    guarded taken[MOST_BUFFERS];
    size_t count;
    bool at_end;
    uint64_t seed;
} bench;

static float *take(bench *w, size_t n)
{
    assert_true(w->count < MOST_BUFFERS);
    guarded g = guarded_make(n, w->at_end);
    w->taken[w->count++] = g;
    fill_random(g.x, n, ++w->seed, -1.0F, 1.0F);
    return g.x;
}

static void finish(bench *w)
{
    for (size_t i = 0; i < w->count; i++)
        guarded_free(w->taken[i]);
}

/* Rows of x [n, width] in an order that jumps about, as pointers. */
static const float **scattered(const float *x, size_t n, size_t width, uint64_t seed, size_t *order)
{
    const float **rows = calloc(n + 1, sizeof *rows);
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    for (size_t i = n; i > 1; i--) {
        size_t j = next_word(&seed) % i, kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
    for (size_t i = 0; i < n; i++)
        rows[i] = x + order[i] * width;
    return rows;
}

typedef struct shape {
    size_t m, n, k;
} shape;

static const shape shapes[] = {
    {1, 1, 1},      {1, 1, 0},      {5, 7, 0},      {0, 16, 3},    {2, 15, 1},     {3, 16, 2},
    {6, 17, 3},     {7, 31, 64},    {8, 63, 65},    {5, 64, 127},  {6, 65, 128},   {1, 64, 129},
    {1, 128, 31},   {1, 192, 40},   {1, 257, 257},  {1, 320, 33},  {1, 700, 16},   {2, 128, 50},
    {2, 200, 129},  {2, 384, 20},   {3, 128, 19},   {3, 300, 21},  {4, 130, 77},   {13, 97, 131},
    {12, 64, 128},  {23, 48, 257},  {31, 113, 200}, {61, 16, 521}, {120, 33, 130}, {121, 80, 129},
    {250, 20, 260}, {17, 1090, 140}};

enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static void check_rows(const elman_product_kernels *k, shape s, int variant)
{
    bench w = {.at_end = variant & 1, .seed = (uint64_t)variant * 1000 + s.m + s.n + s.k};
    float *a = take(&w, s.m * s.k), *c = take(&w, s.m * s.n), *from = take(&w, s.m * s.n);
    float *bias = take(&w, s.n), *packed = take(&w, elman_product_packed(k, s.k, s.n));
    /* b is [n,k] (packed by columns) or [k,n] */
    bool by_columns = variant & 2;
    float *b = take(&w, s.n * s.k), *want = take(&w, s.m * s.n);
    size_t rows_of_b = by_columns ? s.n : s.k, width_of_b = by_columns ? s.k : s.n;
    size_t *order = calloc(s.m + 1, sizeof *order), *order_b = calloc(rows_of_b + 1, sizeof *order);
    const float **rows_a = scattered(a, s.m, s.k, 5, order);
    const float **rows_b = scattered(b, rows_of_b, width_of_b, 6, order_b);
    bool pointers = variant & 4;
    elman_rows_const left = pointers ? elman_rows_from(rows_a) : elman_rows_at(a, (ptrdiff_t)s.k);
    elman_rows_const right =
        pointers ? elman_rows_from(rows_b) : elman_rows_at(b, (ptrdiff_t)width_of_b);

    elman_product_initial initial = (elman_product_initial)(variant % 3);
    bool continued = initial == ELMAN_PRODUCT_ROWS && pointers;
    double *sums = calloc(s.m * s.n + 1, sizeof *sums);
    double *magnitudes = calloc(s.m * s.n + 1, sizeof *magnitudes);
    for (size_t i = 0; i < s.m; i++)
        for (size_t j = 0; j < s.n; j++) {
            float start = initial == ELMAN_PRODUCT_ZERO   ? 0.0F
                          : initial == ELMAN_PRODUCT_BIAS ? bias[j]
                                                          : (continued ? c : from)[i * s.n + j];
            const float *x = elman_row(&left, i);
            float column[600];
            for (size_t q = 0; q < s.k; q++)
                column[q] = by_columns ? elman_row(&right, j)[q] : elman_row(&right, q)[j];
            want[i * s.n + j] = elman_ref_chain(start, s.k, x, 1, column, 1);
            sums[i * s.n + j] =
                elman_ref_dot(start, s.k, x, 1, column, 1, &magnitudes[i * s.n + j]);
        }

    /* Packed and computed in two shares. */
    size_t cut = s.n / 2 / k->panel * k->panel;
    elman_product_rows call = {.m = s.m,
                               .k = s.k,
                               .n = s.n,
                               .a = left,
                               .b = packed,
                               .c = elman_rows_mutable_at(c, (ptrdiff_t)s.n),
                               .initial = initial,
                               .bias = bias,
                               .from = elman_rows_at(continued ? c : from, (ptrdiff_t)s.n)};
    const size_t ends[] = {cut, s.n, 0, cut};
    for (int half = 0; half < 2; half++) {
        size_t n0 = ends[2 * half], n1 = ends[2 * half + 1];
        (by_columns ? k->pack_columns : k->pack_rows)(&right, s.k, s.n, n0, n1, packed);
    }
    for (int half = 0; half < 2; half++) {
        call.n0 = ends[2 * half];
        call.n1 = ends[2 * half + 1];
        k->rows(&call);
    }
    assert_true(compare_bits(c, want, s.m * s.n));
    assert_true(compare_close(c, sums, magnitudes, s.m * s.n, (double)s.k + 1));
    free(order);
    free(order_b);
    free(rows_a);
    free(rows_b);
    free(sums);
    free(magnitudes);
    finish(&w);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t isa = 0; isa < sizeof all_isas / sizeof all_isas[0]; isa++)
        for (size_t i = 0; i < SHAPES && elman_cpu_has(all_isas[isa]); i++)
            for (int variant = 0; variant < 12; variant++)
                check_rows(elman_kernels_for(all_isas[isa])->product, shapes[i], variant);
}

/* m and n of a shape are c's, k the chain's length. */
static void check_columns(const elman_product_kernels *k, shape s, int variant)
{
    bench w = {.at_end = variant & 1, .seed = (uint64_t)variant * 1000 + s.m + s.n + s.k};
    float *a = take(&w, s.k * s.m), *b = take(&w, s.k * s.n), *c = take(&w, s.m * s.n);
    float *sums = take(&w, s.m), *want = take(&w, s.m * s.n), *want_sums = take(&w, s.m);
    float *scratch = take(&w, k->columns_scratch(s.m, s.n, s.k) + 16);
    bool keep = variant & 2, pointers = variant & 4;
    float one = 1.0F;
    size_t *order = calloc(s.k + 1, sizeof *order);
    const float **rows_a = scattered(a, s.k, s.m, 7, order);
    const float **rows_b = scattered(b, s.k, s.n, 7, order);
    elman_product_columns call = {.k = s.k,
                                  .m = s.m,
                                  .n = s.n,
                                  .m1 = s.m,
                                  .c = c,
                                  .ldc = s.n,
                                  .sums = sums,
                                  .keep = keep,
                                  .scratch = scratch};
    /* Last row first, as backward runs, or scattered. */
    call.a = pointers ? elman_rows_from(rows_a)
                      : elman_rows_at(a + (s.k ? s.k - 1 : 0) * s.m, -(ptrdiff_t)s.m);
    call.b = pointers ? elman_rows_from(rows_b)
                      : elman_rows_at(b + (s.k ? s.k - 1 : 0) * s.n, -(ptrdiff_t)s.n);
    float *x = calloc(s.k + 1, sizeof *x), *y = calloc(s.k + 1, sizeof *y);
    for (size_t i = 0; i < s.m; i++) {
        for (size_t q = 0; q < s.k; q++)
            x[q] = elman_row(&call.a, q)[i];
        want_sums[i] = elman_ref_chain(keep ? sums[i] : 0.0F, s.k, x, 1, &one, 0);
        for (size_t j = 0; j < s.n; j++) {
            for (size_t q = 0; q < s.k; q++)
                y[q] = elman_row(&call.b, q)[j];
            want[i * s.n + j] = elman_ref_chain(keep ? c[i * s.n + j] : 0.0F, s.k, x, 1, y, 1);
        }
    }
    /* Whole; cut by rows; cut by columns with the sums apart. */
    if (variant % 3 == 0) {
        k->columns(&call);
    } else if (variant % 3 == 1) {
        call.m1 = s.m / 3;
        k->columns(&call);
        call.m0 = call.m1;
        call.m1 = s.m;
        k->columns(&call);
    } else {
        call.n = 0;
        k->columns(&call);
        call.sums = NULL;
        call.n = s.n / 3;
        k->columns(&call);
        call.n0 = call.n;
        call.n = s.n;
        k->columns(&call);
    }
    assert_true(compare_bits(c, want, s.m * s.n));
    assert_true(compare_bits(sums, want_sums, s.m));
    free(order);
    free(rows_a);
    free(rows_b);
    free(x);
    free(y);
    finish(&w);
}

static void test_columns(void **state)
{
    (void)state;
    for (size_t isa = 0; isa < sizeof all_isas / sizeof all_isas[0]; isa++)
        for (size_t i = 0; i < SHAPES && elman_cpu_has(all_isas[isa]); i++)
            for (int variant = 0; variant < 12; variant++) {
                const elman_product_kernels *k = elman_kernels_for(all_isas[isa])->product;
                shape turned = {shapes[i].n, shapes[i].k, shapes[i].m};
                check_columns(k, shapes[i], variant);
                check_columns(k, turned, variant);
            }
}

/* Infinities and NaN reach the elements whose chains they stand in and no others: no column or k
 * that is not there joins in. */
static void test_special(void **state)
{
    (void)state;
    enum { M = 7, N = 65, K = 130 };
    static float a[M * K], b[N * K], c[M * N], packed[K * 128];
    for (size_t isa = 0; isa < sizeof all_isas / sizeof all_isas[0]; isa++) {
        if (!elman_cpu_has(all_isas[isa]))
            continue;
        const elman_product_kernels *k = elman_kernels_for(all_isas[isa])->product;
        fill_random(a, M * K, 1, -1.0F, 1.0F);
        fill_random(b, N * K, 2, -1.0F, 1.0F);
        a[3 * K + 129] = NAN;
        a[5 * K] = INFINITY;
        b[64 * K + 7] = -INFINITY;
        elman_rows_const right = elman_rows_at(b, K);
        k->pack_columns(&right, K, N, 0, N, packed);
        elman_product_rows call = {.m = M, .k = K, .n = N, .n1 = N};
        call.a = elman_rows_at(a, K);
        call.b = packed;
        call.c = elman_rows_mutable_at(c, N);
        k->rows(&call);
        for (size_t i = 0; i < M; i++)
            for (size_t j = 0; j < N; j++) {
                float want = elman_ref_chain(0.0F, K, a + i * K, 1, b + j * K, 1);
                assert_true(compare_bits(&c[i * N + j], &want, 1));
                assert_int_equal(isfinite(want) != 0, i != 3 && i != 5 && j != 64);
            }
    }
}

/* Underflow is gradual: nothing is flushed inside a chain. */
static void test_gradual(void **state)
{
    (void)state;
    float a[2] = {0x1p-100F, 0x1p-100F}, b[2] = {0x1p-40F, -0x1p-30F}, c, packed[64];
    for (size_t isa = 0; isa < sizeof all_isas / sizeof all_isas[0]; isa++) {
        if (!elman_cpu_has(all_isas[isa]))
            continue;
        const elman_product_kernels *k = elman_kernels_for(all_isas[isa])->product;
        elman_rows_const right = elman_rows_at(b, 2);
        k->pack_columns(&right, 2, 1, 0, 1, packed);
        elman_product_rows call = {.m = 1, .k = 2, .n = 1, .n1 = 1};
        call.a = elman_rows_at(a, 2);
        call.b = packed;
        call.c = elman_rows_mutable_at(&c, 1);
        k->rows(&call);
        assert_true((double)c == 0x1p-140 - 0x1p-130);
    }
}

static void test_add(void **state)
{
    (void)state;
    for (size_t isa = 0; isa < sizeof all_isas / sizeof all_isas[0]; isa++)
        for (size_t n = 0; n < 70 && elman_cpu_has(all_isas[isa]); n++) {
            bench w = {.at_end = n & 1, .seed = n};
            float *x = take(&w, n), *y = take(&w, n), *want = take(&w, n);
            for (size_t i = 0; i < n; i++)
                want[i] = y[i] + x[i];
            elman_kernels_for(all_isas[isa])->product->add(n, x, y);
            assert_true(compare_bits(y, want, n));
            finish(&w);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),    cmocka_unit_test(test_columns),
        cmocka_unit_test(test_special), cmocka_unit_test(test_gradual),
        cmocka_unit_test(test_add),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
