/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.lock;

import java.util.concurrent.locks.StampedLock;

/**
 * A stamped lock with a place in the lock order. Not reentrant. Waiting does not respond to interruption. A subclass
 * and not a wrapper, because there are two in every open inode.
 */
public final class RankedLock extends StampedLock {
    private static final long serialVersionUID = 1L;

    private final LockRank rank;
    private final transient Object owner;
    private final long number;

    /**
     * @param rank its place
     * @param owner what it belongs to; named in errors
     */
    public RankedLock(LockRank rank, Object owner) {
        this(rank, owner, 0);
    }

    /**
     * @param rank its place
     * @param owner what it belongs to; named in errors
     * @param number its place among locks of its rank
     */
    public RankedLock(LockRank rank, Object owner, long number) {
        this.rank = rank;
        this.owner = owner;
        this.number = number;
    }

    LockRank rank() {
        return rank;
    }

    long number() {
        return number;
    }

    /** For errors. */
    String name() {
        return rank + " of " + owner;
    }

    @Override
    public long writeLock() {
        assert LockRank.taking(this);
        return super.writeLock();
    }

    @Override
    public void unlockWrite(long stamp) {
        super.unlockWrite(stamp);
        assert LockRank.left(this);
    }

    @Override
    public long readLock() {
        assert LockRank.taking(this);
        return super.readLock();
    }

    @Override
    public void unlockRead(long stamp) {
        super.unlockRead(stamp);
        assert LockRank.left(this);
    }

    /** Gives back a lock taken in either mode. */
    @Override
    public void unlock(long stamp) {
        if (isWriteLockStamp(stamp)) {
            unlockWrite(stamp);
        } else {
            unlockRead(stamp);
        }
    }
}
