/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mutex biased towards one side. The *owner* side (the writing call of an inode, of which the caller lets only one
 * run at a time) takes it with a plain store and a load; the *guest* side (whoever else needs the log, rarely) pays for
 * both with a membarrier(2) that orders the owner's store before its load. (Dice, Huang, Yang, "Asymmetric Dekker
 * Synchronization", 2001.)
 *
 * Why: an ordinary mutex is a locked instruction, and one between the non-temporal copy of a write and its drain waits
 * for that copy to leave the CPU: a third drain in all but name. A membarrier interrupts every processor that runs a
 * thread of the process. So a lock is biased after BIASED_LOCK_AFTER holds by the owner only: a file that is made,
 * written and closed never is. Where guests are as frequent as owners, the bias can be given up for good.
 */
#ifndef NOVA_UTIL_BIASED_LOCK_H
#define NOVA_UTIL_BIASED_LOCK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Guests that may pass by who waits: to wake that one for each of them takes longer than what many do. */
#define BIASED_LOCK_PASS_MAX 8u

/* Holds by the owner until the lock is biased. */
#define BIASED_LOCK_AFTER 64u

struct biased_lock {
    _Atomic unsigned busy;     /* the owner holds it, by the fast path; a futex */
    _Atomic unsigned revoked;  /* a guest holds it or waits for it */
    bool by_mutex;             /* the owner holds it by the mutex; the owner's own */
    bool biased;               /* the owner's stores are ordered by guests, by membarrier(2); else by the owner. Set by
                                * an owner that is not in, with the mutex */
    uint32_t until_biased;     /* holds by the owner until it is; 0: it is, or never will be. The owner's own */
    uint32_t passed;           /* guests since one came out of the queue; guarded by the mutex */
    pthread_mutex_t mutex;     /* held by the guest, or by an owner that found the bias revoked */
    pthread_mutex_t turnstile; /* held by the one who is next to have the mutex, if somebody waits for it */
    uint64_t *waits;           /* counts, for all locks of a pool, who came when another side had it; or NULL */
};

void biased_lock_init(struct biased_lock *l, uint64_t *waits);
void biased_lock_destroy(struct biased_lock *l);

/* For a guest that has it, while no owner comes: from now on the owner executes a locked instruction, and guests make
 * no system call if nobody is in their way. So it is for good where the kernel has no membarrier. */
void biased_lock_give_up_bias(struct biased_lock *l);

void biased_lock_take_bias(struct biased_lock *l);
void biased_lock_owner_slow(struct biased_lock *l);
void biased_lock_wake(struct biased_lock *l);

/* Stores to busy, ordered before the load of `revoked` that follows. */
static inline void biased_lock_mark(struct biased_lock *l, unsigned busy) {
    if (l->biased) {
        atomic_store_explicit(&l->busy, busy, memory_order_release);
        atomic_signal_fence(memory_order_seq_cst);
    } else {
        atomic_exchange(&l->busy, busy);
    }
}

/* Owner side: at most one thread at a time, by the caller's own rules. */
static inline void biased_lock_owner(struct biased_lock *l) {
    if (l->until_biased != 0 && --l->until_biased == 0)
        biased_lock_take_bias(l);
    biased_lock_mark(l, 1);
    if (atomic_load(&l->revoked) != 0)
        biased_lock_owner_slow(l);
}

static inline void biased_unlock_owner(struct biased_lock *l) {
    if (l->by_mutex) {
        l->by_mutex = false;
        pthread_mutex_unlock(&l->mutex);
        return;
    }
    biased_lock_mark(l, 0);
    if (atomic_load(&l->revoked) != 0)
        biased_lock_wake(l);
}

/* Guest side: any thread. */
void biased_lock_guest(struct biased_lock *l);
void biased_unlock_guest(struct biased_lock *l);

/* The same for a guest that takes it again and again, for the steps of one piece of work: if somebody waits, that one
 * comes first. biased_lock_guest() lets in who runs already, as the one that has just released it; but only so many. */
void biased_lock_guest_in_turn(struct biased_lock *l);

#endif
