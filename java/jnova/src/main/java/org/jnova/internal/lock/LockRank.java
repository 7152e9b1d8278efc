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
    /** Names: the directory index. */
    NAMESPACE,
    /** The table of open inodes, in stripes: opening and closing an inode. */
    LIFECYCLE,
    /** User-data I/O of one inode; may be held while caller-supplied memory is touched, and so across a page fault. */
    IO,
    /** Mutation of one inode's radix index and size; no caller-supplied memory is touched under it or below. */
    INDEX,
    /** Life of the native pool handle. */
    POOL;

    private static final ThreadLocal<Held> HELD = ThreadLocal.withInitial(Held::new);

    /**
     * Notes that the thread is about to take a lock.
     *
     * @param rank the lock's rank
     * @param owner what the lock belongs to; named in errors
     * @return true
     * @throws AssertionError if the thread holds a lock of this rank or of a later one
     */
    static boolean taking(LockRank rank, Object owner) {
        Held held = HELD.get();
        for (int i = rank.ordinal(); i < held.owners.length; i++) {
            if (held.owners[i] != null) {
                throw new AssertionError("lock order: " + rank + " of " + owner + " taken while holding "
                        + values()[i] + " of " + held.owners[i]);
            }
        }
        held.owners[rank.ordinal()] = owner;
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
        if (held.owners[rank.ordinal()] != owner) {
            throw new AssertionError("lock order: " + rank + " of " + owner + " given back, but held is "
                    + held.owners[rank.ordinal()]);
        }
        held.owners[rank.ordinal()] = null;
        return true;
    }

    /**
     * Tells whether the calling thread holds a lock of a rank. For assertions only: without them nothing is noted.
     *
     * @param rank the rank
     * @return whether it does
     */
    public static boolean holds(LockRank rank) {
        return HELD.get().owners[rank.ordinal()] != null;
    }

    /** What one thread holds: by rank, the owner of the lock. */
    private static final class Held {
        final Object[] owners = new Object[values().length];
    }
}
