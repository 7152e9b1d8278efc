/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "inode/ino_list.h"
#include "rng.h"

static void an_empty_list(void **state) {
    (void)state;
    struct ino_list l = {0};
    ino_list_sort(&l);
    assert_int_equal(ino_list_count(&l, 0), 0);
    assert_int_equal(ino_list_count(&l, UINT32_MAX), 0);
    ino_list_free(&l);
    assert_int_equal(l.n, 0);
}

static void it_keeps_the_order_until_sorted(void **state) {
    (void)state;
    struct ino_list l = {0};
    for (uint32_t i = 0; i < 200; i++)
        assert_true(ino_list_add(&l, i * 77 % 101));
    assert_int_equal(l.n, 200);
    for (uint32_t i = 0; i < 200; i++)
        assert_int_equal(l.ino[i], i * 77 % 101);
    ino_list_sort(&l);
    for (uint32_t i = 1; i < 200; i++)
        assert_true(l.ino[i - 1] <= l.ino[i]);
    ino_list_free(&l);
}

/* Against a count by hand; with the largest numbers, whose difference is no int. */
static void counts(void **state) {
    (void)state;
    struct rng r = rng_start(__func__);
    static const uint32_t base[] = {0, 1000, 0x7fffffffu - 10, 0xffffffffu - 20};
    for (int round = 0; round < 200; round++) {
        struct ino_list l = {0};
        uint32_t n = rng_below(&r, 150), want[4][20];
        memset(want, 0, sizeof want);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t b = rng_below(&r, 4), k = rng_below(&r, 20);
            want[b][k]++;
            assert_true(ino_list_add(&l, base[b] + k));
        }
        ino_list_sort(&l);
        for (uint32_t b = 0; b < 4; b++)
            for (uint32_t k = 0; k < 20; k++)
                assert_int_equal(ino_list_count(&l, base[b] + k), want[b][k]);
        assert_int_equal(ino_list_count(&l, 500), 0);
        assert_int_equal(ino_list_count(&l, UINT32_MAX), 0);
        ino_list_free(&l);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_list),
        cmocka_unit_test(it_keeps_the_order_until_sorted),
        cmocka_unit_test(counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
