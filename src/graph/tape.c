/* The tape: one round after another over one arena; the first error is kept. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/float_environment.h"
#include "graph/tape_impl.h"

void elman_tape_mode_default(elman_tape_mode *mode)
{
    *mode = (elman_tape_mode){.size = sizeof *mode, .record = true};
}

elman_status elman_tape_create(elman_context *context, elman_tape **tape, elman_error *error)
{
    *tape = NULL;
    elman_tape *made = elman_allocate_zero(context, 1, sizeof *made);
    if (!made)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "tape: out of memory");
    made->context = context;
    elman_tape_mode_default(&made->mode);
    elman_arena_init(&made->arena, context);
    *tape = made;
    return ELMAN_OK;
}

void elman_tape_free(elman_tape *tape)
{
    if (!tape)
        return;
    elman_arena_free(&tape->arena);
    elman_release(tape->context, tape);
}

void elman_tape_begin(elman_tape *tape, const elman_tape_mode *mode)
{
    elman_arena_reset(&tape->arena);
    tape->last = NULL;
    tape->newest = tape->named = NULL;
    tape->observations = NULL;
    tape->error = (elman_error){.code = ELMAN_OK};
    tape->ran_backward = false;
    tape->terminal = NULL;
    elman_tape_mode_default(&tape->mode);
    if (!mode)
        return;
    if (mode->size != sizeof *mode)
        elman_tape_fail(tape, ELMAN_ERROR_ARGUMENT, "tape mode: its size is %zu, expected %zu",
                        mode->size, sizeof *mode);
    else
        tape->mode = *mode;
}

elman_status elman_tape_status(const elman_tape *tape, elman_error *error)
{
    if (error && elman_tape_failed(tape))
        *error = tape->error;
    return tape->error.code;
}

void elman_tape_fail(elman_tape *tape, elman_status code, const char *format, ...)
{
    if (elman_tape_failed(tape))
        return;
    char line[ELMAN_ERROR_CAPACITY];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    elman_fail(&tape->error, code, "%s", line);
}

void *elman_tape_take(elman_tape *tape, size_t count, size_t size)
{
    if (elman_tape_failed(tape))
        return NULL;
    void *memory = elman_arena_take(&tape->arena, count ? count : 1, size);
    if (!memory)
        elman_tape_fail(tape, ELMAN_ERROR_MEMORY, "tape: no memory for %zu times %zu bytes", count,
                        size);
    return memory;
}

float *elman_tape_floats(elman_tape *tape, size_t count)
{
    return elman_tape_take(tape, count, sizeof(float));
}

void *elman_tape_node(elman_tape *tape, size_t size, const char *name,
                      void (*backward)(elman_tape *, elman_node *))
{
    elman_node *node = elman_tape_take(tape, 1, size);
    if (!node)
        return NULL;
    memset(node, 0, size);
    *node = (elman_node){.backward = backward, .name = name, .previous = tape->last};
    tape->last = node;
    for (elman_var *v = tape->newest; v != tape->named; v = v->previous)
        if (v->needs_gradient && !v->base && !v->node)
            v->node = node;
    tape->named = tape->newest;
    return node;
}

/* Why backward can't start from loss; NULL where it can. */
static const char *backward_refused(const elman_tape *tape, const elman_var *loss)
{
    if (!tape->mode.record)
        return "the round does not record";
    if (!loss)
        return "the loss is NULL";
    if (tape->ran_backward)
        return "it ran already in this round";
    if (tape->terminal && tape->terminal != loss)
        return "it must start from the fused loss that the tape recorded";
    return NULL;
}

elman_status elman_tape_backward(elman_tape *tape, elman_var *loss, elman_error *error)
{
    if (elman_tape_failed(tape))
        return elman_tape_status(tape, error);
    const char *refused = backward_refused(tape, loss);
    if (refused) {
        elman_tape_fail(tape, ELMAN_ERROR_ARGUMENT, "backward: %s", refused);
        return elman_tape_status(tape, error);
    }
    if (loss->value.rank != 0) {
        elman_tape_fail(tape, ELMAN_ERROR_ARGUMENT,
                        "backward: the loss has rank %d, expected a scalar (rank 0)",
                        loss->value.rank);
        return elman_tape_status(tape, error);
    }
    tape->ran_backward = true;
    elman_float_environment modes = elman_float_begin();
    bool add;
    float *seed = elman_tape_gradient(tape, loss, &add);
    if (seed)
        *seed = 1;
    for (elman_node *node = tape->last; node && !elman_tape_failed(tape); node = node->previous)
        node->backward(tape, node);
    elman_float_end(modes);
    return elman_tape_status(tape, error);
}
