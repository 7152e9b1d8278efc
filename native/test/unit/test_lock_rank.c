/* SPDX-License-Identifier: Apache-2.0 */
/* In builds with NOVA_DEBUG a lock taken against the order ends the process; in others nothing is checked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/lock_rank.h"

static void take(enum lock_rank rank, uint64_t key) {
    if (key != 0)
        lock_rank_enter_nth(rank, key);
    else
        lock_rank_enter(rank);
}

/* Whether a child process survives taking two ranks one after the other. Keys: 0 for none. */
static int survives(enum lock_rank first, uint64_t key, enum lock_rank second, uint64_t second_key) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        take(first, key);
        take(second, second_key);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#ifdef NOVA_DEBUG
static const int checked = 1;
#else
static const int checked = 0;
#endif

static void test_order(void **state) {
    (void)state;
    for (enum lock_rank a = RANK_POOL_LOCK; a <= RANK_LANE; a++)
        for (enum lock_rank b = RANK_POOL_LOCK; b <= RANK_LANE; b++)
            assert_int_equal(survives(a, 0, b, 0), !checked || a < b);
}

static void test_several_of_a_rank(void **state) {
    (void)state;
    assert_true(survives(RANK_LOG, 5, RANK_LOG, 6));
    assert_int_equal(survives(RANK_LOG, 5, RANK_LOG, 5), !checked);
    assert_int_equal(survives(RANK_LOG, 6, RANK_LOG, 5), !checked);
    assert_true(survives(RANK_LOG, 6, RANK_LANE, 5));
}

static void test_leave(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        lock_rank_enter(RANK_OPEN);
        lock_rank_enter(RANK_LANE);
        lock_rank_leave(RANK_LANE);
        lock_rank_leave(RANK_OPEN);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_several_of_a_rank),
                                       cmocka_unit_test(test_leave)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
