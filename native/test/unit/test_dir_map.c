/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "inode/dir_map.h"
#include "rng.h"

static void empty(void **state) {
    (void)state;
    struct dir_map m;
    uint32_t it = 0;
    dir_map_init(&m);
    assert_null(dir_map_get(&m, "a", 1));
    assert_false(dir_map_remove(&m, "a", 1));
    assert_null(dir_map_next(&m, &it));
    assert_int_equal(m.live, 0);
    dir_map_free(&m);
    dir_map_free(&m);
}

static void names_are_compared_whole(void **state) {
    (void)state;
    struct dir_map m;
    char a[255], b[255];
    dir_map_init(&m);
    memset(a, 'x', sizeof a);
    memset(b, 'x', sizeof b);
    b[254] = 'y';
    for (unsigned len = 1; len <= 255; len++)
        assert_true(dir_map_put(&m, a, (uint8_t)len, len, len + 1, 1));
    assert_true(dir_map_put(&m, b, 255, 1000, 1, 2));
    assert_true(dir_map_put(&m, "a\0b", 3, 2000, 1, 1));
    assert_int_equal(m.live, 257);
    for (unsigned len = 1; len <= 255; len++) {
        const struct dir_name *n = dir_map_get(&m, a, (uint8_t)len);
        assert_non_null(n);
        assert_int_equal(n->ino, len);
        assert_int_equal(n->gen, len + 1);
        assert_int_equal(n->name_len, len);
        assert_memory_equal(n->name, a, len);
        assert_ptr_not_equal(n->name, a);
    }
    assert_int_equal(dir_map_get(&m, b, 255)->ino, 1000);
    assert_int_equal(dir_map_get(&m, b, 255)->type, 2);
    assert_null(dir_map_get(&m, "a", 1));
    assert_null(dir_map_get(&m, "a\0c", 3));
    assert_int_equal(dir_map_get(&m, "a\0b", 3)->ino, 2000);
    dir_map_free(&m);
}

static void replace_remove_and_order(void **state) {
    (void)state;
    struct dir_map m;
    dir_map_init(&m);
    assert_true(dir_map_put(&m, "c", 1, 1, 1, 1));
    assert_true(dir_map_put(&m, "b", 1, 2, 1, 1));
    assert_true(dir_map_put(&m, "a", 1, 3, 1, 1));
    assert_true(dir_map_put(&m, "c", 1, 9, 8, 2)); /* keeps its place */
    assert_int_equal(m.live, 3);
    assert_int_equal(dir_map_get(&m, "c", 1)->ino, 9);
    assert_int_equal(dir_map_get(&m, "c", 1)->gen, 8);
    assert_int_equal(dir_map_get(&m, "c", 1)->type, 2);
    assert_true(dir_map_remove(&m, "b", 1));
    assert_false(dir_map_remove(&m, "b", 1));
    assert_null(dir_map_get(&m, "b", 1));
    assert_int_equal(m.live, 2);
    uint32_t it = 0;
    assert_int_equal(dir_map_next(&m, &it)->ino, 9);
    assert_int_equal(dir_map_next(&m, &it)->ino, 3);
    assert_null(dir_map_next(&m, &it));
    assert_null(dir_map_next(&m, &it));
    assert_true(dir_map_put(&m, "b", 1, 4, 1, 1));
    assert_int_equal(dir_map_get(&m, "b", 1)->ino, 4);
    dir_map_free(&m);
}

/* One name put and removed for ever must not grow the table. */
static void churn_stays_small(void **state) {
    (void)state;
    struct dir_map m;
    dir_map_init(&m);
    for (uint32_t i = 0; i < 100000; i++) {
        char name[16];
        uint8_t len = (uint8_t)snprintf(name, sizeof name, "n%u", i);
        assert_true(dir_map_put(&m, name, len, i + 1, 1, 1));
        assert_true(dir_map_remove(&m, name, len));
    }
    assert_int_equal(m.live, 0);
    assert_true(m.cap <= 32);
    dir_map_free(&m);
}

static void a_million_names(void **state) {
    (void)state;
    struct dir_map m;
    char name[16];
    dir_map_init(&m);
    for (uint32_t i = 0; i < 1000000; i++)
        assert_true(dir_map_put(&m, name, (uint8_t)snprintf(name, sizeof name, "%08x", i), i + 1, 1, 1));
    assert_int_equal(m.live, 1000000);
    for (uint32_t i = 0; i < 1000000; i++) {
        const struct dir_name *n = dir_map_get(&m, name, (uint8_t)snprintf(name, sizeof name, "%08x", i));
        assert_non_null(n);
        assert_int_equal(n->ino, i + 1);
    }
    dir_map_free(&m);
}

/* Keys differ from map to map, so names that collide in one do not in another. */
static void keys_differ(void **state) {
    (void)state;
    struct dir_map a, b;
    dir_map_init(&a);
    dir_map_init(&b);
    assert_memory_not_equal(a.key, b.key, sizeof a.key);
    dir_map_free(&a);
    dir_map_free(&b);
}

#define NAMES 300u

static void random_against_array(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    static uint32_t model[NAMES]; /* inode, 0 = no such name */
    struct dir_map m;
    dir_map_init(&m);
    memset(model, 0, sizeof model);
    uint32_t live = 0;
    for (uint32_t step = 1; step < 50000; step++) {
        uint32_t i = rng_below(&r, NAMES);
        char name[64];
        uint8_t len = (uint8_t)snprintf(name, sizeof name, "%u-%.*s", i, (int)(i % 40),
                                        "the quick brown fox jumps over the lazy dog");
        const struct dir_name *n = dir_map_get(&m, name, len);
        assert_int_equal(n ? n->ino : 0, model[i]);
        if (rng_below(&r, 3)) {
            assert_true(dir_map_put(&m, name, len, step, step / 2, 1));
            live += model[i] == 0;
            model[i] = step;
        } else {
            assert_int_equal(dir_map_remove(&m, name, len), model[i] != 0);
            live -= model[i] != 0;
            model[i] = 0;
        }
        assert_int_equal(m.live, live);
        if (step % 1000 == 0) {
            uint32_t it = 0, seen = 0;
            while (dir_map_next(&m, &it))
                seen++;
            assert_int_equal(seen, live);
        }
    }
    dir_map_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty),
        cmocka_unit_test(names_are_compared_whole),
        cmocka_unit_test(replace_remove_and_order),
        cmocka_unit_test(churn_stays_small),
        cmocka_unit_test(a_million_names),
        cmocka_unit_test(keys_differ),
        cmocka_unit_test(random_against_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
