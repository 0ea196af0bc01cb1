/* Packed copies of the weights: one that was found but never filled, and one in the layout of
 * another instruction set, are not multiplied by. */
#include "recurrent_case.h"
#include "test_malloc.h"

/* A round whose nth allocation in the layer's forward, or in its backward, fails; false where none
 * did. */
static bool fails_at(elman_tape *tape, const layer_case *c, const case_parameters *p, bool backward,
                     size_t nth)
{
    size_t N = case_rows(c);
    elman_tape_begin(tape, NULL);
    const elman_sequences *s = elman_tape_sequences(tape, c->T, c->B, c->lengths, NULL, 0);
    float *x = elman_tape_floats(tape, N * (size_t)c->I);
    size_t width = N * (size_t)(c->directions * c->H);
    float *dy = elman_tape_floats(tape, width);
    memset(dy, 0, width * sizeof *dy);
    case_inputs(c, s, x, NULL);
    elman_recurrent layer = {.kind = c->kind,
                             .input = c->I,
                             .hidden = c->H,
                             .directions = c->directions,
                             .cells = p->cells,
                             .x = elman_tape_leaf(tape, 2, (int64_t[]){(int64_t)N, c->I}, x)};
    if (!backward)
        test_malloc_fail_at(nth);
    elman_op_recurrent(tape, s, &layer);
    if (backward) {
        assert_int_equal(elman_tape_status(tape, NULL), ELMAN_OK);
        case_flow(tape, layer.y, dy, width);
        test_malloc_fail_at(nth);
        tape->last->backward(tape, tape->last);
    }
    bool failed = test_malloc_failed();
    test_malloc_fail_at(0);
    assert_int_equal(elman_tape_status(tape, NULL), failed ? ELMAN_ERROR_MEMORY : ELMAN_OK);
    return failed;
}

static void test_failures(void **state)
{
    (void)state;
    if (!test_malloc_works())
        skip();
    for (int backward = 0; backward < 2; backward++) {
        layer_case c = {.kind = ELMAN_CELL_LSTM,
                        .directions = 2,
                        .T = 3,
                        .B = 4,
                        .I = 21,
                        .H = 33,
                        .bias = true};
        float *want = case_run(&c, 1, ELMAN_ISA_BEST);
        float *got = malloc(case_layout_of(&c).count * sizeof *got);
        size_t nth = 1;
        for (bool failed = true; failed; nth++) {
            elman_context *context = case_context(1, ELMAN_ISA_BEST);
            case_parameters p;
            elman_tape *tape;
            case_parameters_make(context, &c, &p);
            assert_int_equal(elman_tape_create(context, &tape, NULL), ELMAN_OK);
            failed = fails_at(tape, &c, &p, backward, nth);
            case_round(tape, &c, &p, got);
            assert_true(compare_bits(got, want, case_layout_of(&c).count));
            elman_tape_free(tape);
            case_parameters_free(&p);
            elman_context_free(context);
        }
        assert_true(nth > 5); /* the four copies, at least */
        free(got);
        free(want);
    }
}

/* The same parameters on tapes of one instruction set after the other. */
static void test_isas(void **state)
{
    (void)state;
    const elman_isa isas[] = {ELMAN_ISA_SCALAR, ELMAN_ISA_AVX2, ELMAN_ISA_AVX512, ELMAN_ISA_NEON};
    for (int kind = 0; kind < 4; kind++) {
        /* Whole panels of every set: their copies are of one size. */
        layer_case c = {.kind = (elman_cell)kind,
                        .directions = 1,
                        .T = 3,
                        .B = 4,
                        .I = 192,
                        .H = 192,
                        .bias = true};
        size_t count = case_layout_of(&c).count;
        float *want = case_run(&c, 1, ELMAN_ISA_BEST), *got = malloc(count * sizeof *got);
        elman_context *owner = case_context(1, ELMAN_ISA_BEST);
        case_parameters p;
        case_parameters_make(owner, &c, &p);
        for (int i = 0; i < 8; i++) {
            if (!elman_cpu_has(isas[i % 4]))
                continue;
            elman_context *context = case_context(1, isas[i % 4]);
            elman_tape *tape;
            assert_int_equal(elman_tape_create(context, &tape, NULL), ELMAN_OK);
            case_round(tape, &c, &p, got);
            assert_true(compare_bits(got, want, count));
            elman_tape_free(tape);
            elman_context_free(context);
        }
        case_parameters_free(&p);
        elman_context_free(owner);
        free(got);
        free(want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_isas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
