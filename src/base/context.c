#include "elman/context.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/context_impl.h"
#include "base/cpu.h"
#include "base/error.h"
#include "base/number.h"
#include "base/pool.h"

enum { MOST_THREADS = 256 };

static void *default_allocate(void *user, size_t bytes)
{
    (void)user;
    if (bytes > SIZE_MAX - 63)
        return NULL;
    return aligned_alloc(64, (bytes + 63) & ~(size_t)63);
}

static void default_release(void *user, void *memory)
{
    (void)user;
    free(memory);
}

const char *elman_isa_name(elman_isa isa)
{
    switch (isa) {
    case ELMAN_ISA_BEST:
        return "best";
    case ELMAN_ISA_SCALAR:
        return "scalar";
    case ELMAN_ISA_AVX2:
        return "avx2";
    case ELMAN_ISA_AVX512:
        return "avx512";
    case ELMAN_ISA_NEON:
        return "neon";
    }
    return "unknown";
}

void elman_context_options_default(elman_context_options *options)
{
    *options = (elman_context_options){.size = sizeof *options};
}

static elman_status choose_threads(int asked, int *threads, elman_error *error)
{
    *threads = asked;
    if (asked < 0 || asked > MOST_THREADS)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "threads: %d, expected 1 to %d (or 0: as many as there are processors)",
                          asked, MOST_THREADS);
    if (asked > 0)
        return ELMAN_OK;
    const char *text = getenv("ELMAN_THREADS");
    if (text && *text) {
        int64_t value;
        if (!elman_parse_integer(text, &value) || value < 1 || value > MOST_THREADS)
            return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                              "ELMAN_THREADS: \"%.64s\", expected a number from 1 to %d", text,
                              MOST_THREADS);
        *threads = (int)value;
        return ELMAN_OK;
    }
    int count = elman_cpu_count();
    *threads = count < MOST_THREADS ? count : MOST_THREADS;
    return ELMAN_OK;
}

static elman_status choose_isa(elman_isa asked, elman_isa *isa, elman_error *error)
{
    const char *source = "instruction set";
    if ((int)asked < ELMAN_ISA_BEST || asked > ELMAN_ISA_NEON)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "instruction set: %d is none of the elman_isa values", (int)asked);
    const char *text = getenv("ELMAN_ISA");
    if (asked == ELMAN_ISA_BEST && text && *text && strcmp(text, "best") != 0) {
        for (int i = ELMAN_ISA_SCALAR; i <= ELMAN_ISA_NEON; i++)
            if (strcmp(text, elman_isa_name((elman_isa)i)) == 0)
                asked = (elman_isa)i;
        if (asked == ELMAN_ISA_BEST)
            return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                              "ELMAN_ISA: \"%.64s\", expected scalar, avx2, avx512 or neon", text);
        source = "ELMAN_ISA";
    }
    if (asked != ELMAN_ISA_BEST) {
        *isa = asked;
        if (elman_cpu_has(asked))
            return ELMAN_OK;
        return elman_fail(error, ELMAN_ERROR_UNSUPPORTED,
                          "%s: this processor or this build lacks %s", source,
                          elman_isa_name(asked));
    }
    static const elman_isa best_first[] = {ELMAN_ISA_AVX512, ELMAN_ISA_AVX2, ELMAN_ISA_NEON,
                                           ELMAN_ISA_SCALAR};
    int i = 0;
    while (!elman_cpu_has(best_first[i]))
        i++;
    *isa = best_first[i];
    return ELMAN_OK;
}

elman_status elman_context_create(const elman_context_options *options, elman_context **context,
                                  elman_error *error)
{
    elman_context_options defaults;
    if (!context)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT, "context: NULL, expected a place for it");
    *context = NULL;
    if (!options) {
        elman_context_options_default(&defaults);
        options = &defaults;
    }
    if (options->size != sizeof *options)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "context options: size %zu, expected %zu (filled by "
                          "elman_context_options_default?)",
                          options->size, sizeof *options);
    elman_allocator allocator = options->allocator;
    if (!allocator.allocate != !allocator.release)
        return elman_fail(error, ELMAN_ERROR_ARGUMENT,
                          "allocator: allocate and release must both be given, or neither");
    if (!allocator.allocate)
        allocator = (elman_allocator){default_allocate, default_release, NULL};

    int threads = 1;
    elman_isa isa = ELMAN_ISA_SCALAR;
    ELMAN_TRY(choose_threads(options->threads, &threads, error));
    ELMAN_TRY(choose_isa(options->isa, &isa, error));

    elman_context *made = allocator.allocate(allocator.user, sizeof *made);
    if (!made)
        return elman_fail(error, ELMAN_ERROR_MEMORY, "out of memory: a context of %zu bytes",
                          sizeof *made);
    *made = (elman_context){.allocator = allocator,
                            .log = options->log,
                            .log_user = options->log_user,
                            .threads = threads,
                            .isa = isa};
    *context = made;
    return ELMAN_OK;
}

void elman_context_free(elman_context *context)
{
    if (!context)
        return;
    elman_pool_free(context);
    elman_allocator allocator = context->allocator;
    allocator.release(allocator.user, context);
}

int elman_context_threads(const elman_context *context)
{
    return context->threads;
}

elman_isa elman_context_isa(const elman_context *context)
{
    return context->isa;
}

void elman_log(elman_context *context, elman_log_level level, const char *format, ...)
{
    if (!context->log)
        return;
    char line[ELMAN_ERROR_CAPACITY];
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (written >= 0)
        context->log(context->log_user, level, line);
}
