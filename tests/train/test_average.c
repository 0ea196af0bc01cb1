/* The moving average of the weights: its formula, changing places with the weights, what has none;
 * and in a run: resumed as never stopped, and the weights that are kept are the average. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "compare.h"
#include "elman/elman.h"
#include "graph/tape_impl.h"
#include "train/average.h"
#include "train/checkpoint.h"

enum { V = 5, H = 3, STEPS = 40 };

/* An embedding whose table is the output's too, and a layer that is frozen. */
static elman_parameters *make_set(elman_context *context)
{
    elman_parameters *set;
    elman_embedding_layer embedding;
    elman_linear_layer output, frozen;
    assert_int_equal(elman_parameters_create(context, true, &set, NULL), ELMAN_OK);
    assert_int_equal(elman_embedding_create(set, "embedding", V, H, &embedding, NULL), ELMAN_OK);
    assert_int_equal(
        elman_linear_create(set, "output", H, V, true, embedding.weight, &output, NULL), ELMAN_OK);
    assert_int_equal(elman_linear_create(set, "frozen", 2, 2, true, NULL, &frozen, NULL), ELMAN_OK);
    elman_parameter_freeze(frozen.weight);
    elman_parameter_freeze(frozen.bias);
    assert_int_equal(elman_initialise(set, NULL, 3, NULL), ELMAN_OK);
    return set;
}

static void change(elman_parameters *set, int n)
{
    for (int64_t i = 0; i < elman_parameters_count(set); i++) {
        elman_parameter *p = elman_parameters_at(set, i);
        float *values = p->tied ? NULL : elman_parameter_edit(p);
        for (int64_t k = 0; values && k < elman_tensor_count(&p->value); k++)
            values[k] = (float)((k * 7 + n * 3 + i) % 11) * 0.25F - 1.0F;
    }
}

static void formula(void **state)
{
    (void)state;
    static const double decays[] = {0.999, 0.5, 0.0};
    elman_context *context;
    assert_int_equal(elman_context_create(NULL, &context, NULL), ELMAN_OK);
    for (int k = 0; k < 3; k++) {
        elman_average *average;
        elman_parameters *set = make_set(context);
        elman_parameter *w = elman_parameters_find(set, "embedding.weight");
        int64_t count = elman_parameters_count(set);
        float expected[V * H];
        double exact[V * H];
        assert_int_equal(elman_average_create(context, set, decays[k], &average, NULL), ELMAN_OK);
        int with = 0;
        for (int64_t i = 0; i < count; i++) {
            const elman_parameter *p = elman_parameters_at(set, i);
            bool none = p->tied || !strncmp(p->name, "frozen", 6);
            assert_int_equal(elman_average_of(average, i) == NULL, none);
            with += !none;
        }
        assert_int_equal(with, 2);
        const float *a = elman_average_of(average, 0);
        assert_ptr_equal(elman_parameters_at(set, 0), w);
        assert_true(compare_bits(a, w->value.data, V * H)); /* begins as the weights are */
        memcpy(expected, a, sizeof expected);
        for (int i = 0; i < V * H; i++)
            exact[i] = (double)a[i];
        for (int n = 0; n < STEPS; n++) {
            change(set, n);
            elman_average_update(average, n);
            double d = (1.0 + n) / (10.0 + n) < decays[k] ? (1.0 + n) / (10.0 + n) : decays[k];
            float rate = (float)(1.0 - d);
            for (int i = 0; i < V * H; i++) {
                volatile float step = rate * (w->value.data[i] - expected[i]);
                expected[i] = expected[i] + step;
                exact[i] = d * exact[i] + (1 - d) * (double)w->value.data[i];
            }
            assert_true(compare_bits(a, expected, V * H));
            for (int i = 0; i < V * H; i++)
                assert_true((double)a[i] - exact[i] < 1e-5 && exact[i] - (double)a[i] < 1e-5);
        }
        elman_average_free(average);
        elman_parameters_free(set);
    }
    elman_context_free(context);
}

/* What is below 2^-126 is none. */
static void small_becomes_zero(void **state)
{
    (void)state;
    elman_context *context;
    elman_average *average;
    assert_int_equal(elman_context_create(NULL, &context, NULL), ELMAN_OK);
    elman_parameters *set = make_set(context);
    float *w = elman_parameter_edit(elman_parameters_at(set, 0));
    for (int i = 0; i < V * H; i++)
        w[i] = 0x1p-124F;
    assert_int_equal(elman_average_create(context, set, 0.5, &average, NULL), ELMAN_OK);
    memset(w, 0, V * H * sizeof *w);
    const float *a = elman_average_of(average, 0);
    for (int n = 0; n < 4; n++)
        elman_average_update(average, n);
    for (int i = 0; i < V * H; i++)
        assert_true(a[i] == 0);
    elman_average_free(average);
    elman_parameters_free(set);
    elman_context_free(context);
}

static void swaps(void **state)
{
    (void)state;
    elman_context *context;
    elman_average *average;
    assert_int_equal(elman_context_create(NULL, &context, NULL), ELMAN_OK);
    elman_parameters *set = make_set(context);
    assert_int_equal(elman_average_create(context, set, 0.9, &average, NULL), ELMAN_OK);
    change(set, 5);
    elman_average_update(average, 100);
    elman_parameter *p = elman_parameters_at(set, 0);
    elman_parameter *tied = elman_parameters_find(set, "output.weight");
    elman_parameter *frozen = elman_parameters_find(set, "frozen.weight");
    float w[V * H], a[V * H], f[4];
    memcpy(w, p->value.data, sizeof w);
    memcpy(a, elman_average_of(average, 0), sizeof a);
    memcpy(f, frozen->value.data, sizeof f);
    assert_memory_not_equal(w, a, sizeof w);
    uint64_t version = p->version, frozen_version = frozen->version;
    elman_average_swap(average);
    assert_true(compare_bits(p->value.data, a, V * H));
    assert_true(compare_bits(elman_parameter_value(tied)->data, a, V * H));
    assert_true(compare_bits(elman_average_of(average, 0), w, V * H));
    assert_true(compare_bits(frozen->value.data, f, 4));
    assert_true(p->version != version); /* packed weights are made anew */
    assert_true(frozen->version == frozen_version);
    elman_average_swap(average);
    assert_true(compare_bits(p->value.data, w, V * H));
    assert_true(compare_bits(elman_average_of(average, 0), a, V * H));
    elman_average_free(average);
    elman_parameters_free(set);
    elman_context_free(context);
    /* there may be none */
    elman_average_free(NULL);
    elman_average_update(NULL, 0);
    elman_average_swap(NULL);
    assert_null(elman_average_of(NULL, 0));
}

/* --- in a run --- */

static char root[64] = "/tmp/elman-average-XXXXXX";
static volatile sig_atomic_t stop_flag;
static int64_t stop_after;

static int begin(void **state)
{
    (void)state;
    return mkdtemp(root) == NULL;
}

static int end(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static const char *in_root(const char *name)
{
    static char path[4][160];
    static int at;
    at = (at + 1) % 4;
    snprintf(path[at], sizeof path[at], "%s/%s", root, name);
    return path[at];
}

static void count_steps(void *user, const elman_train_progress *progress)
{
    (void)user;
    if (progress->event == ELMAN_EVENT_STEP && stop_after && progress->step >= stop_after)
        stop_flag = 1;
}

static elman_status train(const char *name, bool resume, double average, int64_t eval_every)
{
    elman_context *context;
    elman_error error = {0};
    const char *data[] = {in_root("text.txt")};
    FILE *f = fopen(data[0], "w");
    uint32_t r = 5;
    assert_non_null(f);
    for (int i = 0; i < 2500; i++) {
        r = r * 1664525U + 1013904223U;
        fputc("etaoin shrdlu\n"[(r >> 24) % 14], f);
    }
    fclose(f);
    assert_int_equal(elman_context_create(NULL, &context, NULL), ELMAN_OK);
    elman_train_request request;
    elman_train_request_default(&request);
    request.data = data;
    request.data_count = !resume;
    request.output = in_root(name);
    request.resume = resume;
    request.progress = count_steps;
    request.stop = &stop_flag;
    request.config.layers = 1;
    request.config.hidden = request.config.embedding = 12;
    request.config.tied = true;
    request.config.batch = 4;
    request.config.bptt = 9;
    request.config.epochs = 5;
    request.config.max_steps = STEPS;
    request.config.dropout = 0.1;
    request.config.eval_every = eval_every;
    request.config.average = average;
    stop_flag = 0;
    elman_status status = elman_train(context, &request, &error);
    if (status != ELMAN_OK && status != ELMAN_ERROR_INTERRUPTED)
        fail_msg("%s", error.message);
    elman_context_free(context);
    return status;
}

static void weights_digest(const char *name, char out[65])
{
    char path[200];
    snprintf(path, sizeof path, "%s/model.safetensors", in_root(name));
    assert_int_equal(elman_file_sha256(path, out, NULL, NULL), ELMAN_OK);
}

/* With one validation, at the end, what is kept is the average of then. */
static void keeps_the_average(void **state)
{
    (void)state;
    char path[200], name[200];
    elman_context *context;
    elman_safetensors *model, *checkpoint;
    stop_after = 0;
    assert_int_equal(train("kept", false, 0.9, STEPS), ELMAN_OK);
    assert_int_equal(elman_context_create(NULL, &context, NULL), ELMAN_OK);
    snprintf(path, sizeof path, "%s/model.safetensors", in_root("kept"));
    assert_int_equal(elman_safetensors_read(context, path, NULL, &model, NULL), ELMAN_OK);
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", in_root("kept"));
    assert_int_equal(elman_safetensors_read(context, path, NULL, &checkpoint, NULL), ELMAN_OK);
    int compared = 0;
    for (size_t i = 0; i < elman_safetensors_count(model); i++) {
        const elman_tensor_view *w = elman_safetensors_at(model, i);
        if (!strcmp(w->name, "output.weight"))
            continue; /* tied */
        snprintf(name, sizeof name, "average.%s", w->name);
        const elman_tensor_view *a = elman_safetensors_find(checkpoint, name);
        snprintf(name, sizeof name, "parameter.%s", w->name);
        const elman_tensor_view *p = elman_safetensors_find(checkpoint, name);
        assert_non_null(a);
        assert_non_null(p);
        assert_memory_equal(w->data, a->data, w->bytes);
        assert_memory_not_equal(w->data, p->data, w->bytes);
        compared++;
    }
    assert_true(compared >= 6);
    assert_null(elman_safetensors_find(checkpoint, "average.output.weight"));
    elman_safetensors_free(model);
    elman_safetensors_free(checkpoint);
    elman_context_free(context);
}

/* The average is beside the training: it takes no part in it. */
static void leaves_training_alone(void **state)
{
    (void)state;
    char path[200];
    elman_context *context;
    elman_safetensors *with, *without;
    stop_after = 0;
    assert_int_equal(train("with", false, 0.95, 10), ELMAN_OK);
    assert_int_equal(train("without", false, 0, 10), ELMAN_OK);
    assert_int_equal(elman_context_create(NULL, &context, NULL), ELMAN_OK);
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", in_root("with"));
    assert_int_equal(elman_safetensors_read(context, path, NULL, &with, NULL), ELMAN_OK);
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", in_root("without"));
    assert_int_equal(elman_safetensors_read(context, path, NULL, &without, NULL), ELMAN_OK);
    int compared = 0;
    for (size_t i = 0; i < elman_safetensors_count(without); i++) {
        const elman_tensor_view *w = elman_safetensors_at(without, i);
        assert_null(strstr(w->name, "average"));
        if (strncmp(w->name, "parameter.", 10))
            continue;
        const elman_tensor_view *a = elman_safetensors_find(with, w->name);
        assert_non_null(a);
        assert_memory_equal(w->data, a->data, w->bytes);
        compared++;
    }
    assert_true(compared >= 6);
    elman_safetensors_free(with);
    elman_safetensors_free(without);
    elman_context_free(context);
}

static void resumed(void **state)
{
    (void)state;
    char expected[65], found[65];
    stop_after = 0;
    assert_int_equal(train("whole", false, 0.95, 7), ELMAN_OK);
    weights_digest("whole", expected);
    bool resume = false;
    int times = 0;
    for (stop_after = 3;; stop_after += 5, times++) {
        if (train("stopped", resume, 0.95, 7) == ELMAN_OK)
            break;
        resume = true;
    }
    assert_true(times >= 6);
    weights_digest("stopped", found);
    assert_string_equal(found, expected);
}

typedef struct counter {
    int calls, live, fail_at;
} counter;

static void *counter_allocate(void *user, size_t bytes)
{
    counter *c = user;
    if (++c->calls == c->fail_at)
        return NULL;
    c->live++;
    return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

static void counter_release(void *user, void *memory)
{
    counter *c = user;
    c->live--;
    free(memory);
}

static void memory(void **state)
{
    (void)state;
    counter c = {0, 0, 0};
    elman_context_options options;
    elman_context *context;
    elman_average *average;
    elman_context_options_default(&options);
    options.allocator = (elman_allocator){counter_allocate, counter_release, &c};
    options.threads = 1;
    assert_int_equal(elman_context_create(&options, &context, NULL), ELMAN_OK);
    elman_parameters *set = make_set(context);
    int before = c.live;
    for (int at = 1; at < 4; at++) {
        c.calls = 0;
        c.fail_at = at;
        assert_int_equal(elman_average_create(context, set, 0.9, &average, NULL),
                         ELMAN_ERROR_MEMORY);
        assert_int_equal(c.live, before);
    }
    c.fail_at = 0;
    assert_int_equal(elman_average_create(context, set, 0.9, &average, NULL), ELMAN_OK);
    c.calls = 0;
    for (int n = 0; n < 5; n++) {
        elman_average_update(average, n);
        elman_average_swap(average);
    }
    assert_int_equal(c.calls, 0);
    elman_average_free(average);
    elman_parameters_free(set);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formula),
        cmocka_unit_test(small_becomes_zero),
        cmocka_unit_test(swaps),
        cmocka_unit_test(memory),
        cmocka_unit_test(keeps_the_average),
        cmocka_unit_test(leaves_training_alone),
        cmocka_unit_test(resumed),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
