/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/biased_lock.h"
#include "util/work_counts.h"

static bool has_membarrier; /* set once per process */

static void choose(void) {
    has_membarrier = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

void biased_lock_init(struct biased_lock *l, uint64_t *waits) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, choose);
    atomic_init(&l->busy, 0);
    atomic_init(&l->revoked, 0);
    l->by_mutex = false;
    l->biased = false;
    l->until_biased = has_membarrier ? BIASED_LOCK_AFTER : 0;
    l->passed = 0;
    l->waits = waits;
    pthread_mutex_init(&l->mutex, NULL);
    pthread_mutex_init(&l->turnstile, NULL);
}

void biased_lock_destroy(struct biased_lock *l) {
    pthread_mutex_destroy(&l->turnstile);
    pthread_mutex_destroy(&l->mutex);
}

void biased_lock_wake(struct biased_lock *l) {
    syscall(SYS_futex, &l->busy, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void count_wait(struct biased_lock *l) {
    if (l->waits != NULL)
        work_count(l->waits, 1);
}

/* Behind whoever waits for the mutex. */
static void queue_up(struct biased_lock *l) {
    pthread_mutex_lock(&l->turnstile);
    pthread_mutex_lock(&l->mutex);
    l->passed = 0;
    pthread_mutex_unlock(&l->turnstile);
}

/* A guest is there: step back, and queue up behind it. */
void biased_lock_owner_slow(struct biased_lock *l) {
    atomic_store_explicit(&l->busy, 0, memory_order_release);
    biased_lock_wake(l);
    count_wait(l);
    queue_up(l);
    l->by_mutex = true;
}

/*
 * The mutex keeps other guests out. After the membarrier either the owner sees `revoked`, or its store to busy
 * is seen here; and an owner that leaves either sees `revoked` and wakes us, or has cleared busy before we look.
 */
static void revoke_bias(struct biased_lock *l) {
    atomic_store(&l->revoked, 1);
    if (l->biased)
        syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    if (atomic_load(&l->busy) != 0)
        count_wait(l);
    while (atomic_load(&l->busy) != 0)
        syscall(SYS_futex, &l->busy, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
}

void biased_lock_guest(struct biased_lock *l) {
    bool in = pthread_mutex_trylock(&l->mutex) == 0;
    if (in && ++l->passed > BIASED_LOCK_PASS_MAX) {
        pthread_mutex_unlock(&l->mutex);
        in = false;
    }
    if (!in)
        queue_up(l);
    revoke_bias(l);
}

void biased_lock_guest_in_turn(struct biased_lock *l) {
    queue_up(l);
    revoke_bias(l);
}

/* Whoever holds the mutex has to see how the owner's stores are ordered, and keeps it as it is. */
void biased_lock_take_bias(struct biased_lock *l) {
    if (pthread_mutex_trylock(&l->mutex) == 0) {
        l->biased = true;
        pthread_mutex_unlock(&l->mutex);
    } else {
        l->until_biased = 1; /* the next time */
    }
}

void biased_lock_give_up_bias(struct biased_lock *l) {
    l->biased = false;
    l->until_biased = 0;
}

void biased_unlock_guest(struct biased_lock *l) {
    atomic_store_explicit(&l->revoked, 0, memory_order_release);
    pthread_mutex_unlock(&l->mutex);
}
