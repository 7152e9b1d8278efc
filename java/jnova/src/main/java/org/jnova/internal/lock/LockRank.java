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
    /** User-data I/O of one inode; may be held while caller-supplied memory is touched, and so across a page fault. */
    IO,
    /** Mutation of one inode's radix index and size; no caller-supplied memory is touched under it or below. */
    INDEX,
    /** Life of the native pool handle. */
    POOL;

    private static final ThreadLocal<List<Held>> HELD = ThreadLocal.withInitial(ArrayList::new);

    /** A lock that a thread has, or waits for. The threads' lists are in the order of ranks. */
    private record Held(LockRank rank, Object owner, long number) {}

    /**
     * Notes that the thread is about to take a lock.
     *
     * @param rank the lock's rank
     * @param owner what the lock belongs to; named in errors
     * @param number its place among those of its rank, if a thread may have several of them
     * @return true
     * @throws AssertionError if the thread holds a lock of this rank or of a later one
     */
    static boolean taking(LockRank rank, Object owner, long number) {
        List<Held> held = HELD.get();
        if (!held.isEmpty()) {
            Held last = held.get(held.size() - 1);
            int order = rank.compareTo(last.rank);
            if (order < 0 || order == 0 && (rank != DIRECTORY || Long.compareUnsigned(number, last.number) <= 0)) {
                throw new AssertionError("lock order: " + rank + " of " + owner + " taken while holding " + last.rank
                        + " of " + last.owner);
            }
        }
        held.add(new Held(rank, owner, number));
        return true;
    }

    /**
     * Notes that the thread gave a lock back.
     *
     * @param rank the lock's rank
     * @param owner what the lock belongs to
     * @return true
     * @throws AssertionError if the thread did not hold it
     */
    static boolean left(LockRank rank, Object owner) {
        List<Held> held = HELD.get();
        for (int i = held.size() - 1; i >= 0; i--) {
            if (held.get(i).rank == rank && held.get(i).owner == owner) {
                held.remove(i);
                return true;
            }
        }
        throw new AssertionError("lock order: " + rank + " of " + owner + " given back, but held is " + held);
    }

    /**
     * Tells whether the calling thread holds a lock of a rank. For assertions only: without them nothing is noted.
     *
     * @param rank the rank
     * @return whether it does
     */
    public static boolean holds(LockRank rank) {
        return HELD.get().stream().anyMatch(held -> held.rank == rank);
    }
}
