/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.lock;

import java.util.ArrayList;
import java.util.List;

/**
 * The order in which a thread may take locks: ranks only grow. {@code java/LOCKING.md} gives the reason for each step.
 *
 * <p>The checker runs when assertions are on and costs nothing otherwise: {@link RankedLock} calls it from {@code
 * assert} statements only. It reports before the thread waits, so that a violation shows as an error and not as a
 * deadlock.
 */
public enum LockRank {
    /** The store being open: shared by every call that uses names, exclusive for closing. */
    STORE,
    /** Moves of directories from one to another. */
    RENAME,
    /** Names in one directory. A thread may hold several, taken by ascending inode number. */
    DIRECTORY,
    /** The tables of open inodes, in stripes: opening and closing an inode. */
    LIFECYCLE,
    /**
     * User-data I/O of one inode; may be held while caller-supplied memory is touched, and so across a page fault. A
     * thread may hold two, taken by ascending inode number.
     */
    IO,
    /** Mutation of one inode's radix index and size; no caller-supplied memory is touched under it or below. */
    INDEX,
    /** Life of the native pool handle. */
    POOL,
    /** Life of the native handle of one mapped region, or of pinned pages. */
    REGION;

    private boolean several() {
        return this == DIRECTORY || this == IO;
    }

    /** Locks that each thread has, or waits for, in the order of ranks. */
    private static final ThreadLocal<List<RankedLock>> HELD = ThreadLocal.withInitial(ArrayList::new);

    /**
     * Notes that the thread is about to take a lock. Allocates nothing.
     *
     * @param lock the lock
     * @return true
     * @throws AssertionError if the thread holds a lock of its rank or of a later one
     */
    static boolean taking(RankedLock lock) {
        List<RankedLock> held = HELD.get();
        if (!held.isEmpty()) {
            RankedLock last = held.get(held.size() - 1);
            int order = lock.rank().compareTo(last.rank());
            boolean ascending = Long.compareUnsigned(lock.number(), last.number()) > 0;
            if (order < 0 || order == 0 && !(lock.rank().several() && ascending)) {
                throw new AssertionError("lock order: " + lock.name() + " taken while holding " + last.name());
            }
        }
        held.add(lock);
        return true;
    }

    /**
     * Notes that the thread gave a lock back.
     *
     * @param lock the lock
     * @return true
     * @throws AssertionError if the thread did not hold it
     */
    static boolean left(RankedLock lock) {
        List<RankedLock> held = HELD.get();
        for (int i = held.size() - 1; i >= 0; i--) {
            if (held.get(i) == lock) {
                held.remove(i);
                return true;
            }
        }
        throw new AssertionError("lock order: " + lock.name() + " given back, but held is " + held);
    }

    /**
     * Tells whether the calling thread holds a lock of a rank. For assertions only: without them nothing is noted.
     *
     * @param rank the rank
     * @return whether it does
     */
    public static boolean holds(LockRank rank) {
        return HELD.get().stream().anyMatch(lock -> lock.rank() == rank);
    }
}
