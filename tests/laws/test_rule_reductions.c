/* Reductions: blocks of 4,096, 16 lanes in each (element i to lane i mod 16), lanes added as a
 * fixed tree, blocks in index order in double; norms square and add in double, tensor by tensor.
 * Softmax and normalisation reduce over one row. */
#include "elman/layer.h"
#include "elman/op.h"
#include "elman/optimizer.h"
#include "laws.h"
#include "op/op.h"

enum { BLOCK = 4096, MOST = 3 * BLOCK + 77 };

/* Terms of one block to their lanes, then the tree. */
static float block_sum(const float *x, size_t n)
{
    float lane[16] = {0};
    for (size_t i = 0; i < n; i++)
        lane[i % 16] += x[i];
    for (int half = 8; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            lane[i] += lane[i + half];
    return lane[0];
}

static double block_squares(const float *x, size_t n)
{
    double lane[16] = {0};
    for (size_t i = 0; i < n; i++)
        lane[i % 16] += (double)x[i] * (double)x[i];
    for (int half = 8; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            lane[i] += lane[i + half];
    return lane[0];
}

static double whole_sum(const float *x, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i += BLOCK)
        sum += (double)block_sum(x + i, n - i < BLOCK ? n - i : BLOCK);
    return sum;
}

static double whole_squares(const float *x, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i += BLOCK)
        sum += block_squares(x + i, n - i < BLOCK ? n - i : BLOCK);
    return sum;
}

static const size_t sizes[] = {1, 2, 15, 16, 17, 33, 1000, 4095, 4096, 4097, 8200, MOST};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void check_sums(elman_context *context, void *user)
{
    const float *x = user;
    const elman_math_kernels *k = context->kernels->math;
    for (size_t i = 0; i < SIZES; i++) {
        double got = elman_sum(k, x, sizes[i]), want = whole_sum(x, sizes[i]);
        double squares = elman_sum_squares(k, x, sizes[i]);
        assert_memory_equal(&got, &want, sizeof got);
        want = whole_squares(x, sizes[i]);
        assert_memory_equal(&squares, &want, sizeof squares);
    }
}

static void test_sums(void **state)
{
    (void)state;
    float *x = law_numbers(MOST, 1);
    float backwards = 0.0F;
    for (size_t i = MOST; i-- > 0;)
        backwards += x[i];
    assert_true(backwards != (float)whole_sum(x, MOST)); /* the order shows */
    law_each(check_sums, x);
    free(x);
}

/* A maximum is compare and select: NaN is passed over. */
static void check_maximum(elman_context *context, void *user)
{
    const float *x = user;
    for (size_t i = 0; i < SIZES; i++) {
        float got = context->kernels->math->max_block(x, sizes[i]), want = -INFINITY;
        for (size_t j = 0; j < sizes[i]; j++)
            want = x[j] > want ? x[j] : want;
        law_same(context, "maximum", &got, &want, 1);
    }
}

static void test_maximum(void **state)
{
    (void)state;
    float *x = law_numbers(MOST, 2);
    for (size_t i = 3; i < MOST; i += 7)
        x[i] = NAN;
    law_each(check_maximum, x);
    free(x);
}

typedef struct softmax_case {
    size_t rows, V;
    float *logits, *gradient;
    int32_t *targets;
    float loss;
} softmax_case;

static void check_softmax(elman_context *context, void *user)
{
    const softmax_case *s = user;
    elman_tape *tape = law_tape(context);
    elman_var *x =
        elman_tape_leaf(tape, 2, (int64_t[]){(int64_t)s->rows, (int64_t)s->V}, s->logits);
    elman_var *loss = elman_cross_entropy(tape, x, s->targets, ELMAN_REDUCTION_SUM);
    law_ok(tape);
    assert_int_equal(elman_tape_backward(tape, loss, NULL), ELMAN_OK);
    law_same(context, "cross entropy", loss->value.data, &s->loss, 1);
    law_same(context, "its gradient", elman_var_gradient(x), s->gradient, s->rows * s->V);
    elman_tape_free(tape);
}

/* m = max x;  e = exp(x - m);  s = sum e;  nats (m - x_target) + log s;  gradient e * (1/s), at the
 * target fused with - 1; the rows' nats add in order in double. */
static void run_softmax(size_t rows, size_t V)
{
    const elman_math_kernels *scalar = elman_kernels_for(ELMAN_ISA_SCALAR)->math;
    softmax_case s = {.rows = rows, .V = V, .logits = law_numbers(rows * V, V)};
    s.gradient = law_zeros(rows * V);
    s.targets = calloc(rows, sizeof *s.targets);
    double total = 0.0;
    for (size_t r = 0; r < rows; r++) {
        const float *x = s.logits + r * V;
        float *e = s.gradient + r * V, m = -INFINITY;
        size_t target = r * 31 % V;
        s.targets[r] = (int32_t)target;
        for (size_t i = 0; i < V; i++)
            m = x[i] > m ? x[i] : m;
        for (size_t i = 0; i < V; i++)
            e[i] = law_apply(scalar->exp, x[i] - m);
        float sum = (float)whole_sum(e, V), factor = 1.0F / sum;
        total += ((double)m - (double)x[target]) + (double)law_apply(scalar->log, sum);
        for (size_t i = 0; i < V; i++)
            e[i] = law_flush(i == target ? fmaf(e[i], factor, -1.0F) : e[i] * factor);
    }
    s.loss = (float)total;
    law_each(check_softmax, &s);
    free(s.logits);
    free(s.gradient);
    free(s.targets);
}

static void test_softmax(void **state)
{
    (void)state;
    run_softmax(1, 1);
    run_softmax(67, 17);
    run_softmax(513, 33);
    run_softmax(3, 5003);
    run_softmax(5, 6 * BLOCK + 5);
}

typedef struct norm_case {
    size_t rows, F;
    float *x, *gain, *bias, *dy, *y, *dx, *dgain, *dbias;
} norm_case;

static void check_layer_norm(elman_context *context, void *user)
{
    const norm_case *n = user;
    elman_parameter *gain = law_parameter(context, "gain", n->F, 0, n->gain);
    elman_parameter *bias = law_parameter(context, "bias", n->F, 0, n->bias);
    elman_tape *tape = law_tape(context);
    elman_var *x = elman_tape_leaf(tape, 2, (int64_t[]){(int64_t)n->rows, (int64_t)n->F}, n->x);
    elman_var *y = elman_op_layer_norm(tape, x, gain, bias, NULL);
    law_ok(tape);
    law_flow(tape, y, n->dy);
    law_backward(tape);
    law_same(context, "layer normalisation", y->value.data, n->y, n->rows * n->F);
    law_same(context, "its dx", elman_var_gradient(x), n->dx, n->rows * n->F);
    law_same(context, "its gain's gradient", gain->gradient, n->dgain, n->F);
    law_same(context, "its bias's gradient", bias->gradient, n->dbias, n->F);
    elman_tape_free(tape);
    elman_parameter_free(bias);
    elman_parameter_free(gain);
}

/* Sums whose terms are products, fused into their lanes. */
static float fused_sum(const float *a, const float *b, size_t n)
{
    double sum = 0.0;
    for (size_t begin = 0; begin < n; begin += BLOCK) {
        float lane[16] = {0};
        for (size_t i = begin; i < n && i < begin + BLOCK; i++)
            lane[i % 16] = fmaf(a[i], b[i], lane[i % 16]);
        for (int half = 8; half > 0; half /= 2)
            for (int i = 0; i < half; i++)
                lane[i] += lane[i + half];
        sum += (double)lane[0];
    }
    return (float)sum;
}

static void normalise_row(norm_case *n, size_t row)
{
    const size_t F = n->F;
    const float *x = n->x + row * F, *dy = n->dy + row * F;
    float *d = law_zeros(F), *xhat = law_zeros(F), *g = law_zeros(F);
    float mean = (float)whole_sum(x, F) / (float)F;
    for (size_t i = 0; i < F; i++)
        d[i] = x[i] - mean;
    float inverse = 1.0F / sqrtf(fused_sum(d, d, F) / (float)F + 1e-5F);
    for (size_t i = 0; i < F; i++) {
        xhat[i] = d[i] * inverse;
        g[i] = dy[i] * n->gain[i];
        n->y[row * F + i] = law_flush(fmaf(xhat[i], n->gain[i], n->bias[i]));
        n->dgain[i] = fmaf(dy[i], xhat[i], n->dgain[i]);
        n->dbias[i] += dy[i];
    }
    float m1 = (float)whole_sum(g, F) / (float)F, m2 = fused_sum(g, xhat, F) / (float)F;
    for (size_t i = 0; i < F; i++)
        n->dx[row * F + i] = law_flush(inverse * fmaf(-xhat[i], m2, g[i] - m1));
    free(d);
    free(xhat);
    free(g);
}

static void run_layer_norm(size_t rows, size_t F)
{
    norm_case n = {rows, F, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL};
    n.x = law_numbers(rows * F, F);
    n.dy = law_numbers(rows * F, F + 1);
    n.gain = law_numbers(F, F + 2);
    n.bias = law_numbers(F, F + 3);
    n.y = law_zeros(rows * F);
    n.dx = law_zeros(rows * F);
    n.dgain = law_zeros(F);
    n.dbias = law_zeros(F);
    for (size_t row = rows; row-- > 0;) /* the gains' chains: the last row first */
        normalise_row(&n, row);
    law_each(check_layer_norm, &n);
    float *all[] = {n.x, n.dy, n.gain, n.bias, n.y, n.dx, n.dgain, n.dbias};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void test_layer_norm(void **state)
{
    (void)state;
    run_layer_norm(5, 1);
    run_layer_norm(201, 45);
    run_layer_norm(3, 4099);
    run_layer_norm(3, 6 * BLOCK + 7);
}

/* The global norm: each tensor's blocks in order, then the tensors, all in double. */
enum { TENSORS = 3, LONGEST = 30011, ROUNDS = 8 };
static const int64_t counts[TENSORS] = {LONGEST, 20000, 25000};

static double norm_of(const float *numbers, bool tensors)
{
    double sum = 0.0;
    for (int i = 0; i < TENSORS; i++) {
        const size_t n = (size_t)counts[i];
        if (tensors)
            sum += whole_squares(numbers + i, n);
        for (size_t at = 0; at < n && !tensors; at += BLOCK)
            sum += block_squares(numbers + i + at, n - at < BLOCK ? n - at : BLOCK);
    }
    return sqrt(sum);
}

static void check_norm(elman_context *context, void *user)
{
    float *const *numbers = user;
    elman_parameters *set;
    elman_parameter *parameters[TENSORS];
    elman_optimizer_options options;
    elman_optimizer *optimizer;
    elman_optimizer_options_default(&options);
    assert_int_equal(elman_parameters_create(context, true, &set, NULL), ELMAN_OK);
    for (int i = 0; i < TENSORS; i++) {
        const char name[2] = {(char)('a' + i), 0};
        assert_int_equal(elman_parameters_add(set, name, 1, &counts[i], &parameters[i], NULL), 0);
    }
    assert_int_equal(elman_optimizer_create(context, set, &options, &optimizer, NULL), ELMAN_OK);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < TENSORS; i++)
            memcpy(parameters[i]->gradient, numbers[round] + i, (size_t)counts[i] * sizeof(float));
        double want = norm_of(numbers[round], true), norm;
        assert_int_equal(elman_optimizer_step(optimizer, 0.1, &norm, NULL), ELMAN_OK);
        assert_memory_equal(&norm, &want, sizeof norm);
    }
    elman_optimizer_free(optimizer);
    elman_parameters_free(set);
}

static void test_norm(void **state)
{
    (void)state;
    float *numbers[ROUNDS];
    int differ = 0;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        numbers[round] = law_numbers(LONGEST + TENSORS, 12 + round);
        differ += norm_of(numbers[round], true) != norm_of(numbers[round], false);
    }
    assert_true(differ > 0); /* the order shows */
    law_each(check_norm, numbers);
    for (int round = 0; round < ROUNDS; round++)
        free(numbers[round]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),    cmocka_unit_test(test_maximum),
        cmocka_unit_test(test_softmax), cmocka_unit_test(test_layer_norm),
        cmocka_unit_test(test_norm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
