/* The recurrent layer against the oracle in double precision: values and every gradient. */
#include "recurrent_oracle.h"

static const int64_t ragged[] = {5, 0, 9, 3, 9, 1, 7, 2, 9, 4, 6, 8, 5, 5, 2, 1, 9, 0, 3};

static void check(layer_case c, int threads)
{
    float *got = case_run(&c, threads, ELMAN_ISA_BEST);
    double *want = oracle_run(&c);
    if (!oracle_agrees(&c, got, want, 40 + 2 * (double)(c.T + c.I + c.H)))
        fail_msg("cell %d, directions %d, T %d B %d I %d H %d V %d, ragged %d, bias %d, states %d",
                 (int)c.kind, c.directions, (int)c.T, (int)c.B, (int)c.I, (int)c.H, (int)c.V,
                 c.lengths != NULL, c.bias, c.states);
    assert_true(compare_varied(got, case_layout_of(&c).hn) || case_layout_of(&c).hn < 2);
    free(got);
    free(want);
}

static void test_shapes(void **state)
{
    (void)state;
    const int64_t sizes[] = {1, 2, 3, 7, 15, 16, 17, 31, 33, 64, 65};
    const size_t count = sizeof sizes / sizeof *sizes;
    for (int kind = 0; kind < 4; kind++)
        for (size_t i = 0; i < count; i++)
            for (int variant = 0; variant < 4; variant++)
                check((layer_case){.kind = (elman_cell)kind,
                                   .directions = 1 + (variant & 1),
                                   .T = variant == 3 ? 9 : 1 + (int64_t)(i % 5),
                                   .B = variant == 3 ? 19 : sizes[(i * 3 + (size_t)variant) % 9],
                                   .I = sizes[(i * 5 + (size_t)kind) % count],
                                   .H = sizes[i],
                                   .lengths = variant == 3 ? ragged : NULL,
                                   .bias = variant != 1,
                                   .states = variant >= 2},
                      1 + (int)((i + (size_t)variant) % 3));
}

/* One, two, three rows take other tiles than many. */
static void test_few_rows(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++)
        for (int64_t B = 1; B <= 9; B++)
            check((layer_case){.kind = (elman_cell)kind,
                               .directions = 1,
                               .T = 4,
                               .B = B,
                               .I = 5,
                               .H = 150,
                               .bias = true,
                               .states = true},
                  1 + (int)(B & 1));
}

/* Small tables are multiplied once and summed by row, large ones are read row by row; each with
 * more and with fewer rows than the batch. */
static void test_tables(void **state)
{
    (void)state;
    const int64_t rows[] = {3, 40, 1024, 1025, 1500};
    for (int kind = 0; kind < 4; kind++)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            for (int directions = 1; directions <= 2; directions++)
                check((layer_case){.kind = (elman_cell)kind,
                                   .directions = directions,
                                   .T = 9,
                                   .B = 19,
                                   .I = 6,
                                   .H = 20,
                                   .V = rows[i],
                                   .lengths = i % 2 ? ragged : NULL,
                                   .bias = true,
                                   .states = directions == 1},
                      2);
}

static void test_nothing_to_do(void **state)
{
    (void)state;
    static const int64_t zeros[3] = {0};
    for (int kind = 0; kind < 4; kind++) {
        layer_case c = {.kind = (elman_cell)kind,
                        .directions = 2,
                        .T = 4,
                        .B = 3,
                        .I = 2,
                        .H = 5,
                        .lengths = zeros,
                        .bias = true,
                        .states = true};
        check(c, 2); /* the final states are the initial ones, and so are their gradients */
        c.T = 0;
        c.lengths = NULL;
        check(c, 2);
        c.B = 0;
        check(c, 2);
    }
}

/* The oracle's own gradients are those of its values. */
static void test_oracle(void **state)
{
    (void)state;
    enum { T = 3, I = 2, H = 3 };
    for (int kind = 0; kind < 4; kind++) {
        size_t G = kind == ELMAN_CELL_LSTM ? 4 : kind == ELMAN_CELL_GRU ? 3 : 1;
        size_t sizes[7] = {G * H * I, G * H * H, G * H, G * H, T * I, H, H};
        double *value[7], *gradient[7];
        for (int p = 0; p < 7; p++) {
            value[p] = oracle_doubles(sizes[p]);
            gradient[p] = oracle_doubles(sizes[p]);
            for (size_t i = 0; i < sizes[p]; i++)
                value[p][i] = (double)case_number(77, (uint64_t)p, i, (uint64_t)kind);
        }
        double dy[T * H], dhn[H], dcn[H] = {0}, y[T * H], hn[H], cn[H] = {0};
        for (size_t i = 0; i < T * H; i++)
            dy[i] = (double)case_number(78, i, 0, 0);
        for (size_t i = 0; i < H; i++) {
            dhn[i] = (double)case_number(79, i, 0, 0);
            if (kind == ELMAN_CELL_LSTM)
                dcn[i] = (double)case_number(80, i, 0, 0);
        }
        ref_layer layer = {.kind = (elman_cell)kind,
                           .T = T,
                           .I = I,
                           .H = H,
                           .cell = {value[0], value[1], value[2], value[3]},
                           .x = value[4],
                           .h0 = value[5],
                           .c0 = value[6]};
        ref_gradients flow = {.dy = dy,
                              .dhn = dhn,
                              .dcn = dcn,
                              .cell = {gradient[0], gradient[1], gradient[2], gradient[3]},
                              .dx = gradient[4],
                              .dh0 = gradient[5],
                              .dc0 = gradient[6]};
        double *work = oracle_doubles(ref_recurrent_work(&layer));
        ref_recurrent_forward(&layer, y, hn, cn, work);
        ref_recurrent_backward(&layer, &flow, work);
        for (int p = 0; p < 7; p++)
            for (size_t i = 0; i < sizes[p]; i++) {
                const double step = 1e-5, kept = value[p][i];
                double loss[2] = {0};
                for (int side = 0; side < 2; side++) {
                    value[p][i] = kept + (side ? step : -step);
                    ref_recurrent_forward(&layer, y, hn, cn, work);
                    for (size_t j = 0; j < T * H; j++)
                        loss[side] += y[j] * dy[j];
                    for (size_t j = 0; j < H; j++)
                        loss[side] += hn[j] * dhn[j] + cn[j] * dcn[j];
                }
                value[p][i] = kept;
                double difference = (loss[1] - loss[0]) / (2 * step);
                assert_true(fabs(difference - gradient[p][i]) < 1e-8);
            }
        for (int p = 0; p < 7; p++) {
            free(value[p]);
            free(gradient[p]);
        }
        free(work);
    }
}

/* The comparison notices one wrong element, and zeros. */
static void test_comparison(void **state)
{
    (void)state;
    layer_case c = {
        .kind = ELMAN_CELL_GRU, .directions = 1, .T = 3, .B = 2, .I = 4, .H = 5, .bias = true};
    float *got = case_run(&c, 1, ELMAN_ISA_BEST);
    double *want = oracle_run(&c);
    case_layout l = case_layout_of(&c);
    assert_true(oracle_agrees(&c, got, want, 100));
    for (size_t i = 0; i < l.count; i += 17) {
        if (want[i] == 0)
            continue;
        float kept = got[i];
        got[i] = kept + 0.01F;
        assert_false(oracle_agrees(&c, got, want, 100));
        got[i] = kept;
    }
    memset(got, 0, l.count * sizeof *got);
    assert_false(oracle_agrees(&c, got, want, 100));
    free(got);
    free(want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oracle),        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_few_rows),      cmocka_unit_test(test_tables),
        cmocka_unit_test(test_nothing_to_do), cmocka_unit_test(test_comparison),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
