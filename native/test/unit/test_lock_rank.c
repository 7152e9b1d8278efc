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

/* Whether a child process survives taking two ranks one after the other. */
static int survives(enum lock_rank first, enum lock_rank second) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        lock_rank_enter(first);
        lock_rank_enter(second);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void test_order(void **state) {
    (void)state;
#ifdef NOVA_DEBUG
    const int checked = 1;
#else
    const int checked = 0;
#endif
    for (enum lock_rank a = RANK_POOL_LOCK; a <= RANK_LANE; a++)
        for (enum lock_rank b = RANK_POOL_LOCK; b <= RANK_LANE; b++)
            assert_int_equal(survives(a, b), !checked || a < b || (a == b && (a == RANK_LANE || a == RANK_LOG)));
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_leave)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
