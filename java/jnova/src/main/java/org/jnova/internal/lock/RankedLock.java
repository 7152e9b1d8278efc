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
    private final transient LockWaits waits;
    private final long number;

    /**
     * @param rank its place
     * @param owner what it belongs to; named in errors
     * @param waits hears of who has to wait
     */
    public RankedLock(LockRank rank, Object owner, LockWaits waits) {
        this(rank, owner, 0, waits);
    }

    /**
     * @param rank its place
     * @param owner what it belongs to; named in errors
     * @param number its place among locks of its rank
     * @param waits hears of who has to wait
     */
    public RankedLock(LockRank rank, Object owner, long number, LockWaits waits) {
        this.rank = rank;
        this.owner = owner;
        this.waits = waits;
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
        long stamp = tryWriteLock(); // what super.writeLock() tries first, too
        return stamp != 0 ? stamp : waitForWriteLock();
    }

    private long waitForWriteLock() {
        long start = System.nanoTime();
        long stamp = super.writeLock();
        waits.add(rank, System.nanoTime() - start);
        return stamp;
    }

    @Override
    public void unlockWrite(long stamp) {
        super.unlockWrite(stamp);
        assert LockRank.left(this);
    }

    @Override
    public long readLock() {
        assert LockRank.taking(this);
        long stamp = tryReadLock();
        return stamp != 0 ? stamp : waitForReadLock();
    }

    private long waitForReadLock() {
        long start = System.nanoTime();
        long stamp = super.readLock();
        waits.add(rank, System.nanoTime() - start);
        return stamp;
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
