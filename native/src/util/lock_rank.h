/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The core's part of the lock order (java/LOCKING.md has the whole tree), checked at run time in builds with
 * NOVA_DEBUG: a thread takes locks in ascending rank only. Release builds compile all of it away.
 *
 *   RANK_POOL_LOCK      table of the locks on pool files that outlive the pool, taken alone
 *   RANK_OPEN           table of open inodes
 *     RANK_MAP          table of regions, taken alone
 *     RANK_LOG          logLock of an inode; several in ascending order of inode numbers, by transactions
 *       RANK_JOURNAL    one lane's record
 *       RANK_PINS       which extents are pinned, and by which open pool they are held
 *     RANK_INODE_TABLE  growing the inode table
 *       RANK_HOLDS      which blocks are held
 *         RANK_ALLOC    deciding over all lanes
 *           RANK_LANE   one lane; several in ascending order
 */
#ifndef NOVA_UTIL_LOCK_RANK_H
#define NOVA_UTIL_LOCK_RANK_H

#include <pthread.h>
#include <stdint.h>

enum lock_rank {
    RANK_POOL_LOCK = 1,
    RANK_OPEN,
    RANK_MAP,
    RANK_LOG,
    RANK_JOURNAL,
    RANK_PINS,
    RANK_INODE_TABLE,
    RANK_HOLDS,
    RANK_ALLOC,
    RANK_LANE
};

#ifdef NOVA_DEBUG
/* Called before a lock is taken, and after it was given back. Reports a violation and aborts: a test fails loudly. */
void lock_rank_enter(enum lock_rank rank);
/* Of several locks of one rank, taken in the order of their keys. */
void lock_rank_enter_nth(enum lock_rank rank, uint64_t key);
void lock_rank_leave(enum lock_rank rank);
#else
static inline void lock_rank_enter(enum lock_rank rank) {
    (void)rank;
}
static inline void lock_rank_enter_nth(enum lock_rank rank, uint64_t key) {
    (void)rank;
    (void)key;
}
static inline void lock_rank_leave(enum lock_rank rank) {
    (void)rank;
}
#endif

static inline void ranked_lock(pthread_mutex_t *mutex, enum lock_rank rank) {
    lock_rank_enter(rank);
    pthread_mutex_lock(mutex);
}

/* One of several of that rank, by ascending addresses. */
static inline void ranked_lock_nth(pthread_mutex_t *mutex, enum lock_rank rank) {
    lock_rank_enter_nth(rank, (uintptr_t)mutex);
    pthread_mutex_lock(mutex);
}

static inline void ranked_unlock(pthread_mutex_t *mutex, enum lock_rank rank) {
    pthread_mutex_unlock(mutex);
    lock_rank_leave(rank);
}

#endif
