/* SPDX-License-Identifier: Apache-2.0 */
/* One owner thread and several guests increment a plain counter: a lock that lets two in loses increments, and TSan
 * sees the race. */
#include <sched.h>
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

/* Gives up the bias after so many rounds. */
static int rounds_biased;

static void *owner(void *arg) {
    for (int i = 0; i < OWNER_ROUNDS; i++) {
        if (i == rounds_biased) {
            biased_lock_guest(&lock);
            biased_lock_give_up_bias(&lock);
            biased_unlock_guest(&lock);
        }
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

static void contend(int biased) {
    pthread_t t[1 + GUESTS];
    counter = 0;
    rounds_biased = biased;
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
    contend(OWNER_ROUNDS);
}

/* As where the kernel has no membarrier. */
static void test_excludes_without_bias(void **state) {
    (void)state;
    contend(0);
}

static void test_excludes_while_bias_is_given_up(void **state) {
    (void)state;
    contend(OWNER_ROUNDS / 2);
}

static atomic_int came;

static void *come_as_guest(void *arg) {
    biased_lock_guest(&lock);
    atomic_store(&came, 1);
    biased_unlock_guest(&lock);
    return arg;
}

static void *come_as_owner(void *arg) {
    biased_lock_owner(&lock);
    atomic_store(&came, 1);
    biased_unlock_owner(&lock);
    return arg;
}

/* How many steps it takes until one that waits is let in by a guest who takes the lock again and again. */
static int steps_until_it_came(void *(*come)(void *), void (*again)(struct biased_lock *)) {
    pthread_t t;
    int steps = 0;
    atomic_store(&came, 0);
    biased_lock_guest(&lock);
    assert_int_equal(pthread_create(&t, NULL, come, NULL), 0);
    while (pthread_mutex_trylock(&lock.turnstile) == 0) {
        pthread_mutex_unlock(&lock.turnstile);
        sched_yield();
    }
    for (; !atomic_load(&came); steps++) {
        biased_unlock_guest(&lock);
        again(&lock);
    }
    biased_unlock_guest(&lock);
    pthread_join(t, NULL);
    return steps;
}

/* Out of turn it takes as many steps as go into the time that waking a thread takes. */
static void test_takes_turns(void **state) {
    (void)state;
    enum { ROUNDS = 100 };
    int guest = 0, owner = 0;
    biased_lock_init(&lock, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        guest += steps_until_it_came(come_as_guest, biased_lock_guest_in_turn);
        owner += steps_until_it_came(come_as_owner, biased_lock_guest_in_turn);
    }
    assert_int_equal(guest, ROUNDS);
    assert_int_equal(owner, ROUNDS);
    biased_lock_destroy(&lock);
}

static void hold_as_owner(unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        biased_lock_owner(&lock);
        biased_unlock_owner(&lock);
    }
}

/* What is locked a few times and by guests, as a file that is made and written once, costs them no system call. */
static void test_is_biased_after_a_while(void **state) {
    (void)state;
    biased_lock_init(&lock, NULL);
    hold_as_owner(BIASED_LOCK_AFTER - 1);
    assert_false(lock.biased);
    biased_lock_guest(&lock);
    biased_unlock_guest(&lock);
    if (lock.until_biased == 0)
        skip();                      /* no membarrier */
    pthread_mutex_lock(&lock.mutex); /* as a guest that is only coming */
    hold_as_owner(1);
    assert_false(lock.biased);
    pthread_mutex_unlock(&lock.mutex);
    hold_as_owner(1);
    assert_true(lock.biased);
    biased_lock_guest(&lock);
    biased_lock_give_up_bias(&lock);
    biased_unlock_guest(&lock);
    hold_as_owner(2 * BIASED_LOCK_AFTER);
    assert_false(lock.biased);
    biased_lock_destroy(&lock);
}

/* Waking a thread may take as long as very many steps. */
static void test_passes_by_so_often(void **state) {
    (void)state;
    biased_lock_init(&lock, NULL);
    for (int i = 0; i < 100; i++) {
        int steps = steps_until_it_came(i % 2 == 0 ? come_as_guest : come_as_owner, biased_lock_guest);
        assert_in_range(steps, 1, BIASED_LOCK_PASS_MAX + 1);
    }
    biased_lock_destroy(&lock);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_excludes),
                                       cmocka_unit_test(test_excludes_without_bias),
                                       cmocka_unit_test(test_excludes_while_bias_is_given_up),
                                       cmocka_unit_test(test_is_biased_after_a_while),
                                       cmocka_unit_test(test_takes_turns),
                                       cmocka_unit_test(test_passes_by_so_often)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
