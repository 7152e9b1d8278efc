/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.lock;

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

    private static final ThreadLocal<Held> HELD = ThreadLocal.withInitial(Held::new);

    /** The locks that a thread has, or waits for, in the order of ranks. Takes no memory as they come and go. */
    private static final class Held {
        private static final int MOST = 16;

        final LockRank[] ranks = new LockRank[MOST];
        final Object[] owners = new Object[MOST];
        final long[] numbers = new long[MOST];
        int count;

        @Override
        public String toString() {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < count; i++) {
                text.append(i == 0 ? "" : ", ").append(ranks[i]).append(" of ").append(owners[i]);
            }
            return count == 0 ? "nothing" : text.toString();
        }
    }

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
        Held held = HELD.get();
        if (held.count != 0) {
            int last = held.count - 1;
            int order = rank.compareTo(held.ranks[last]);
            boolean several = rank == DIRECTORY && Long.compareUnsigned(number, held.numbers[last]) > 0;
            if (order < 0 || order == 0 && !several) {
                throw new AssertionError("lock order: " + rank + " of " + owner + " taken while holding "
                        + held.ranks[last] + " of " + held.owners[last]);
            }
        }
        held.ranks[held.count] = rank;
        held.owners[held.count] = owner;
        held.numbers[held.count] = number;
        held.count++;
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
        Held held = HELD.get();
        for (int i = held.count - 1; i >= 0; i--) {
            if (held.ranks[i] == rank && held.owners[i] == owner) {
                held.count--;
                for (int k = i; k < held.count; k++) {
                    held.ranks[k] = held.ranks[k + 1];
                    held.owners[k] = held.owners[k + 1];
                    held.numbers[k] = held.numbers[k + 1];
                }
                held.owners[held.count] = null;
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
        Held held = HELD.get();
        for (int i = 0; i < held.count; i++) {
            if (held.ranks[i] == rank) {
                return true;
            }
        }
        return false;
    }
}
