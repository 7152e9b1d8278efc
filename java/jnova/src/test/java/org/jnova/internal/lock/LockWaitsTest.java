/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.lock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Who finds a lock taken is counted, and nobody else. */
class LockWaitsTest {
    private final LockWaits waits = new LockWaits();
    private final RankedLock lock = new RankedLock(LockRank.IO, "file", waits);
    private long held;

    private void assertWaits(long count) {
        for (LockRank rank : LockRank.values()) {
            assertEquals(rank == LockRank.IO ? count : 0, waits.count(rank), rank.toString());
            assertEquals(rank == LockRank.IO && count != 0, waits.nanos(rank) > 0, rank.toString());
        }
    }

    @Test
    void freeLocksAreNotCounted() {
        lock.unlockWrite(lock.writeLock());
        long one = lock.readLock();
        lock.unlockRead(one);
        assertWaits(0);
    }

    /** Something that waits for the lock, and gives it back. */
    private void waiting(Runnable taking) throws InterruptedException {
        Thread other = new Thread(taking);
        other.start();
        while (other.getState() != Thread.State.WAITING) {
            assertTrue(other.isAlive());
            Thread.onSpinWait();
        }
        long before = waits.count(LockRank.IO);
        lock.unlock(held);
        other.join();
        assertEquals(before + 1, waits.count(LockRank.IO));
    }

    @Test
    void writerWaitsForReaderAndWriter() throws InterruptedException {
        held = lock.readLock();
        waiting(() -> lock.unlockWrite(lock.writeLock()));
        held = lock.writeLock();
        waiting(() -> lock.unlockWrite(lock.writeLock()));
        assertWaits(2);
    }

    @Test
    void readerWaitsForWriter() throws InterruptedException {
        held = lock.writeLock();
        waiting(() -> lock.unlockRead(lock.readLock()));
        assertWaits(1);
    }
}
