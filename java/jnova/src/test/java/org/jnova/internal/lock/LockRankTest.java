/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.lock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** The checker works, and is on. */
class LockRankTest {
    private final LockWaits waits = new LockWaits();
    private final RankedLock store = new RankedLock(LockRank.STORE, "names", waits);
    private final RankedLock io = new RankedLock(LockRank.IO, "file one", waits);
    private final RankedLock otherIo = new RankedLock(LockRank.IO, "file two", waits);
    private final RankedLock index = new RankedLock(LockRank.INDEX, "file one", waits);

    @Test
    void assertionsAreOn() {
        assertTrue(RankedLock.class.desiredAssertionStatus());
    }

    @Test
    void ranksInOrderAreFine() {
        long a = store.writeLock();
        long b = io.readLock();
        long c = index.writeLock();
        assertTrue(LockRank.holds(LockRank.INDEX));
        index.unlockWrite(c);
        io.unlockRead(b);
        store.unlockWrite(a);
        for (LockRank rank : LockRank.values()) {
            assertFalse(LockRank.holds(rank));
        }
    }

    @Test
    void wrongOrderNamesBothLocks() {
        long stamp = index.writeLock();
        AssertionError error = assertThrows(AssertionError.class, io::writeLock);
        assertEquals("lock order: IO of file one taken while holding INDEX of file one", error.getMessage());
        assertFalse(io.isWriteLocked());
        index.unlockWrite(stamp);
        io.unlockWrite(io.writeLock());
    }

    @Test
    void twoLocksOfOneRankAreWrong() {
        long stamp = io.readLock();
        assertThrows(AssertionError.class, otherIo::readLock);
        assertThrows(AssertionError.class, io::readLock, "not reentrant");
        io.unlockRead(stamp);
    }

    @Test
    void filesAreTakenByAscendingNumber() {
        RankedLock low = new RankedLock(LockRank.IO, "low", 3, waits);
        RankedLock high = new RankedLock(LockRank.IO, "high", 0xffff_ffffL, waits);
        long a = low.readLock();
        long b = high.writeLock();
        high.unlockWrite(b);
        low.unlockRead(a);
        long c = high.readLock();
        assertThrows(AssertionError.class, low::writeLock);
        high.unlockRead(c);
    }

    @Test
    void givingBackWhatIsNotHeldIsWrong() {
        long stamp = io.writeLock();
        CompletableFuture<Void> other = CompletableFuture.runAsync(
                () -> assertThrows(AssertionError.class, () -> io.unlockWrite(stamp)));
        other.join();
        assertTrue(LockRank.holds(LockRank.IO));
        assertTrue(LockRank.left(io));
    }

    @Test
    void directoriesAreTakenByAscendingNumber() {
        RankedLock low = new RankedLock(LockRank.DIRECTORY, "low", 7L << 32 | 9, waits);
        RankedLock high = new RankedLock(LockRank.DIRECTORY, "high", 0x8000_0000L << 32, waits);
        long a = low.writeLock();
        long b = high.readLock();
        long c = io.writeLock();
        low.unlockWrite(a); // in any order
        assertThrows(AssertionError.class, low::writeLock);
        io.unlockWrite(c);
        AssertionError error = assertThrows(AssertionError.class, low::writeLock);
        assertEquals("lock order: DIRECTORY of low taken while holding DIRECTORY of high", error.getMessage());
        assertThrows(AssertionError.class, high::readLock, "not reentrant");
        high.unlock(b);
        high.unlock(high.writeLock());
        assertFalse(LockRank.holds(LockRank.DIRECTORY));
    }
}
