/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "util/error.h"

static void every_status_has_its_own_meaning(void **state) {
    (void)state;
    const char *unknown = nova_strerror(NOVA_STATUS_COUNT);
    assert_string_equal(nova_strerror(-1), unknown);
    for (int i = 0; i < NOVA_STATUS_COUNT; i++) {
        assert_string_not_equal(nova_strerror(i), unknown);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(nova_strerror(i), nova_strerror(j));
    }
}

static void fail_fills_and_returns(void **state) {
    (void)state;
    struct nova_error e;
    memset(&e, 0x5a, sizeof e);
    assert_int_equal(nova_fail(&e, NOVA_EINVAL, "lanes %d", 65), NOVA_EINVAL);
    assert_int_equal(e.code, NOVA_EINVAL);
    assert_int_equal(e.os_errno, 0);
    assert_true(e.pool_off == NOVA_NO_OFF);
    assert_string_equal(e.msg, "lanes 65");
}

static void fail_at_says_where(void **state) {
    (void)state;
    struct nova_error e;
    assert_int_equal(nova_fail_at(&e, NOVA_ECORRUPT, 8192, "bad %s", "page"), NOVA_ECORRUPT);
    assert_int_equal(e.code, NOVA_ECORRUPT);
    assert_true(e.pool_off == 8192);
    assert_string_equal(e.msg, "bad page");
}

static void fail_os_adds_the_description(void **state) {
    (void)state;
    struct nova_error e;
    assert_int_equal(nova_fail_os(&e, NOVA_EOS, ENOSPC, "cannot grow %s", "p"), NOVA_EOS);
    assert_int_equal(e.os_errno, ENOSPC);
    assert_true(e.pool_off == NOVA_NO_OFF);
    assert_string_equal(e.msg, "cannot grow p: No space left on device");
}

static void null_is_fine(void **state) {
    (void)state;
    assert_int_equal(nova_fail(NULL, NOVA_EINVAL, "x"), NOVA_EINVAL);
    assert_int_equal(nova_fail_at(NULL, NOVA_ECORRUPT, 1, "x"), NOVA_ECORRUPT);
    assert_int_equal(nova_fail_os(NULL, NOVA_EOS, EIO, "x"), NOVA_EOS);
}

static void long_messages_are_cut_and_stay_strings(void **state) {
    (void)state;
    struct nova_error e;
    char text[600];
    for (size_t len = sizeof e.msg - 3; len < sizeof e.msg + 3; len++) {
        memset(text, 'x', sizeof text);
        text[len] = '\0';
        nova_fail_os(&e, NOVA_EOS, EIO, "%s", text);
        assert_int_equal(strlen(e.msg), sizeof e.msg - 1);
        nova_fail(&e, NOVA_EINVAL, "%s", text);
        assert_int_equal(strlen(e.msg), len < sizeof e.msg ? len : sizeof e.msg - 1);
    }
}

static void one_line(void **state) {
    (void)state;
    struct nova_error e;
    nova_fail(&e, NOVA_ENOENT, "no file %s", "a\nb\tc\x7f\xc3\xa4");
    assert_string_equal(e.msg, "no file a?b?c?\xc3\xa4");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_its_own_meaning),
        cmocka_unit_test(fail_fills_and_returns),
        cmocka_unit_test(fail_at_says_where),
        cmocka_unit_test(fail_os_adds_the_description),
        cmocka_unit_test(null_is_fine),
        cmocka_unit_test(long_messages_are_cut_and_stay_strings),
        cmocka_unit_test(one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
