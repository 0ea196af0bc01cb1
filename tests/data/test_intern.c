/* Strings and their numbers, against a list that is searched from its beginning. */
#include "data_support.h"

#include "data/intern.h"

enum { MOST = 3000 };

/* A string of 0 to 11 bytes of a small alphabet, any byte but zero among them. */
static size_t random_string(uint64_t *random, char *text)
{
    static const char alphabet[] = "ab\xff\x80 \n\t\x01";
    size_t size = (size_t)random_below(random, random_below(random, 4) ? 4 : 12);
    for (size_t i = 0; i < size; i++)
        text[i] = alphabet[random_below(random, sizeof alphabet - 1)];
    return size;
}

typedef struct list {
    char text[MOST][12];
    size_t sizes[MOST];
    int32_t count;
} list;

static int32_t look(const list *l, const char *text, size_t size)
{
    for (int32_t i = 0; i < l->count; i++)
        if (l->sizes[i] == size && !memcmp(l->text[i], text, size))
            return i;
    return -1;
}

static void check_all(const elman_intern *intern, const list *l)
{
    assert_int_equal(intern->count, l->count);
    for (int32_t i = 0; i < l->count; i++) {
        size_t size;
        const char *text = elman_intern_text(intern, i, &size);
        assert_int_equal(size, l->sizes[i]);
        assert_memory_equal(text, l->text[i], size);
        assert_int_equal(text[size], 0);
        assert_ptr_equal(elman_intern_text(intern, i, NULL), text);
        assert_int_equal(elman_intern_find(intern, l->text[i], l->sizes[i]), i);
    }
}

static void numbers(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    elman_intern intern;
    static list l;
    uint64_t random = 17;
    elman_intern_init(&intern, context);
    assert_int_equal(elman_intern_find(&intern, "a", 1), -1);
    assert_int_equal(elman_intern_find(&intern, "", 0), -1);
    for (int round = 0; round < 3; round++) {
        l.count = 0;
        for (int i = 0; i < MOST; i++) {
            char text[12];
            size_t size = random_string(&random, text);
            int32_t expected = look(&l, text, size), number = -7;
            assert_int_equal(elman_intern_find(&intern, text, size), expected);
            assert_ok(elman_intern_add(&intern, text, size, &number, &problem));
            if (expected < 0) {
                memcpy(l.text[l.count], text, size);
                l.sizes[l.count] = size;
                expected = l.count++;
            }
            assert_int_equal(number, expected);
        }
        assert_true(l.count > 300);
        check_all(&intern, &l);
        elman_intern_clear(&intern);
        assert_int_equal(intern.count, 0);
        assert_int_equal(elman_intern_find(&intern, l.text[0], l.sizes[0]), -1);
    }
    elman_intern_free(&intern);
    elman_intern_free(&intern);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

/* The memory that a text took is there for the next. */
static void memory_is_kept(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    elman_intern intern;
    elman_intern_init(&intern, context);
    for (int round = 0; round < 4; round++) {
        int before = c.calls;
        for (int32_t i = 0; i < 700; i++) {
            char text[16];
            int32_t number;
            int size = snprintf(text, sizeof text, "%d", (i * 7919) % 1000);
            assert_ok(elman_intern_add(&intern, text, (size_t)size, &number, &problem));
            assert_int_equal(number, i);
        }
        assert_true(round == 0 ? c.calls > before : c.calls == before);
        elman_intern_clear(&intern);
    }
    elman_intern_free(&intern);
    elman_context_free(context);
}

/* After a failure everything that was there is there, and the string can be added again. */
static void out_of_memory(void **state)
{
    (void)state;
    counter c;
    elman_context *context = counted_context(&c);
    elman_intern intern;
    elman_intern_init(&intern, context);
    int failures = 0;
    for (int32_t i = 0; i < 500; i++) {
        char text[32];
        int size = snprintf(text, sizeof text, "word %d", i);
        for (int at = 1;; at++) {
            int32_t number = -1;
            c.calls = 0;
            c.fail_at = at;
            elman_status status = elman_intern_add(&intern, text, (size_t)size, &number, &problem);
            if (status == ELMAN_OK) {
                assert_int_equal(number, i);
                break;
            }
            assert_int_equal(status, ELMAN_ERROR_MEMORY);
            assert_int_equal(intern.count, i);
            assert_int_equal(elman_intern_find(&intern, text, (size_t)size), -1);
            failures++;
        }
        c.fail_at = 0;
        assert_int_equal(elman_intern_find(&intern, "word 0", 6), 0);
        assert_int_equal(elman_intern_find(&intern, text, (size_t)size), i);
    }
    assert_true(failures > 10);
    elman_intern_free(&intern);
    elman_context_free(context);
    assert_int_equal(c.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(memory_is_kept),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
