/* SPDX-License-Identifier: Apache-2.0 */
/* One owner thread and several guests increment a plain counter: a lock that lets two in loses increments, and TSan
 * sees the race. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/biased_lock.h"

#define OWNER_ROUNDS 300000
#define GUEST_ROUNDS 2000
#define GUESTS 3

static struct biased_lock lock;
static uint64_t counter;
static int inside;
static _Atomic int overlaps;

static void critical(void) {
    if (inside++ != 0)
        atomic_fetch_add(&overlaps, 1);
    counter++;
    inside--;
}

static void *owner(void *arg) {
    for (int i = 0; i < OWNER_ROUNDS; i++) {
        biased_lock_owner(&lock);
        critical();
        biased_unlock_owner(&lock);
    }
    return arg;
}

static void *guest(void *arg) {
    for (int i = 0; i < GUEST_ROUNDS; i++) {
        biased_lock_guest(&lock);
        critical();
        biased_unlock_guest(&lock);
    }
    return arg;
}

static void contend(void) {
    pthread_t t[1 + GUESTS];
    counter = 0;
    biased_lock_init(&lock, NULL);
    assert_int_equal(pthread_create(&t[0], NULL, owner, NULL), 0);
    for (int i = 1; i <= GUESTS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, guest, NULL), 0);
    for (int i = 0; i <= GUESTS; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(counter, OWNER_ROUNDS + GUESTS * GUEST_ROUNDS);
    assert_int_equal(atomic_load(&overlaps), 0);
    biased_lock_destroy(&lock);
}

static void test_excludes(void **state) {
    (void)state;
    contend();
}

/* Where the kernel refuses the membarrier. */
static void test_excludes_without_membarrier(void **state) {
    (void)state;
    biased_lock_init(&lock, NULL);
    biased_lock_destroy(&lock);
    int was = atomic_exchange(&biased_lock_asymmetric, 0);
    contend();
    atomic_store(&biased_lock_asymmetric, was);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_excludes),
                                       cmocka_unit_test(test_excludes_without_membarrier)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
