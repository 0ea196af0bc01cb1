/* A model loaded from its folder, and the streams through it: what is refused, and how it says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elman/model.h"

static elman_context *context;
static char folder[64], config_path[96], weights_path[96];

static elman_config small(elman_cell cell)
{
    elman_config c;
    elman_config_default(&c);
    c.cell = (int)cell;
    c.layers = 2;
    c.hidden = 8;
    c.embedding = 6;
    c.dropout = 0;
    c.vocabulary = 11;
    return c;
}

static void write_config(const elman_config *config)
{
    elman_config_file file;
    elman_config_file_default(&file);
    strcpy(file.task, "lm");
    file.config = *config;
    assert_int_equal(elman_config_file_write(context, config_path, &file, NULL), ELMAN_OK);
}

static void write_weights(const elman_config *config)
{
    elman_network *network;
    assert_int_equal(elman_network_create(context, config, false, &network, NULL), ELMAN_OK);
    assert_int_equal(elman_network_initialise(network, NULL), ELMAN_OK);
    assert_int_equal(elman_network_write(context, network, weights_path, NULL), ELMAN_OK);
    elman_network_free(network);
}

static elman_model *load(void)
{
    elman_model *model = NULL;
    elman_error error;
    if (elman_model_load(context, folder, &model, &error) != ELMAN_OK)
        fail_msg("%s", error.message);
    return model;
}

/* rnn and rnn-relu have the same parameters; a state of one is none of the other's. */
static void test_hash(void **state)
{
    (void)state;
    elman_config rnn = small(ELMAN_CELL_RNN), relu = small(ELMAN_CELL_RNN_RELU);
    elman_model *models[3];
    elman_session *sessions[3];
    elman_error error;
    write_weights(&rnn);
    for (int i = 0; i < 3; i++) {
        write_config(i == 1 ? &relu : &rnn);
        models[i] = load();
        assert_int_equal(elman_session_create(context, models[i], &sessions[i], NULL), ELMAN_OK);
    }
    assert_string_equal(elman_model_hash(models[0]), elman_model_hash(models[2]));
    assert_string_not_equal(elman_model_hash(models[0]), elman_model_hash(models[1]));
    size_t size = elman_session_state_size(sessions[0]);
    void *saved = malloc(size);
    assert_non_null(saved);
    elman_session_save(sessions[0], saved);
    assert_int_equal(elman_session_load(sessions[2], saved, size, &error), ELMAN_OK);
    assert_int_equal(elman_session_load(sessions[1], saved, size, &error), ELMAN_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "of model"));
    free(saved);
    for (int i = 0; i < 3; i++) {
        elman_session_free(context, sessions[i]);
        elman_model_free(models[i]);
    }
}

/* Sizes that the weights do not have are refused before memory is taken for them. */
static void test_sizes(void **state)
{
    (void)state;
    const int64_t hidden[] = {20000, 1000000, INT32_MAX};
    elman_config config = small(ELMAN_CELL_LSTM);
    elman_model *model;
    elman_error error;
    write_weights(&config);
    for (int i = 0; i < 6; i++) {
        elman_config large = config;
        large.layers = i < 3 ? 4 : 1;
        *(i < 3 ? &large.hidden : &large.vocabulary) = hidden[i % 3];
        if (elman_config_validate(&large, NULL) != ELMAN_OK)
            continue;
        write_config(&large);
        assert_int_equal(elman_model_load(context, folder, &model, &error), ELMAN_ERROR_FORMAT);
        assert_non_null(strstr(error.message, "model.safetensors: found "));
        assert_non_null(strstr(error.message, " for the network in "));
        assert_non_null(strstr(error.message, "config.json"));
    }
    config.tied = true;
    config.embedding = config.hidden;
    write_config(&config);
    write_weights(&config);
    elman_model_free(load());
}

/* What cannot be looked at is not said to be missing. */
static void test_unseen(void **state)
{
    (void)state;
    elman_config config = small(ELMAN_CELL_RNN);
    elman_model *model;
    elman_error error;
    write_config(&config);
    unlink(weights_path);
    assert_int_equal(elman_model_load(context, folder, &model, &error), ELMAN_ERROR_IO);
    assert_non_null(strstr(error.message, "no model.safetensors in it"));
    assert_int_equal(symlink("model.safetensors", weights_path), 0);
    assert_int_equal(elman_model_load(context, folder, &model, &error), ELMAN_ERROR_IO);
    assert_non_null(strstr(error.message, "model.safetensors: cannot look at it: "));
    unlink(weights_path);
}

static void test_session_memory(void **state)
{
    (void)state;
    elman_config config = small(ELMAN_CELL_GRU);
    elman_session *session;
    elman_error error;
    char expected[96];
    write_config(&config);
    write_weights(&config);
    elman_model *model = load();
    size_t size = elman_session_size(model);
    char *memory = aligned_alloc(64, (size + 127) / 64 * 64);
    assert_non_null(memory);
    assert_int_equal(elman_session_init(model, memory, size, &session, &error), ELMAN_OK);
    assert_int_equal(elman_session_init(model, memory, size - 1, &session, &error),
                     ELMAN_ERROR_ARGUMENT);
    snprintf(expected, sizeof expected, "found %zu bytes of memory, expected at least %zu",
             size - 1, size);
    assert_non_null(strstr(error.message, expected));
    assert_int_equal(elman_session_init(model, memory + 8, size, &session, &error),
                     ELMAN_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "found memory 8 bytes past a multiple of 64"));
    assert_int_equal(elman_session_init(model, NULL, size, &session, &error), ELMAN_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "NULL"));
    free(memory);
    elman_model_free(model);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/elman-test-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    snprintf(config_path, sizeof config_path, "%s/config.json", folder);
    snprintf(weights_path, sizeof weights_path, "%s/model.safetensors", folder);
    return elman_context_create(NULL, &context, NULL) != ELMAN_OK;
}

static int tear_down(void **state)
{
    (void)state;
    elman_context_free(context);
    unlink(config_path);
    unlink(weights_path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_unseen),
        cmocka_unit_test(test_session_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
