/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.ClosedFileSystemException;
import java.time.Duration;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.jnova.internal.lock.RankedLock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What {@link NovaStore#stats} counts. */
class StoreStatsTest {
    private static final int PAGE = 4096;
    private static final StoreStats.Waits NONE = new StoreStats.Waits(0, Duration.ZERO);

    private final TestPools pools = new TestPools();
    private NovaStore store;

    @BeforeEach
    void make() throws IOException {
        store = pools.create("p", 16 * TestPools.MIB);
    }

    @AfterEach
    void remove() throws IOException {
        store.close();
        pools.close();
    }

    @Test
    void emptyStore() throws IOException {
        StoreStats stats = store.stats();
        assertEquals(store.info(), stats.info());
        assertEquals(0, stats.openFiles());
        assertEquals(1, stats.loadedDirectories());
        assertEquals(new StoreStats.Writes(0, 0), stats.writes());
        assertEquals(new StoreStats.Logs(0, 0, 0, 0), stats.logs());
        assertEquals(new CleaningStats(0, 0, 0, 0, 0), stats.cleaning());
        assertEquals(0, stats.faults().served());
        assertEquals(0, stats.faults().pagesAllocated());
        assertEquals(new StoreStats.Locks(NONE, NONE, NONE, 0), stats.locks());
    }

    /** Whoever watches a store does not wait for it, and it does not for him. */
    @Test
    void itWaitsForNoWriter() throws Exception {
        try (NovaFile file = store.open("f", CREATE, WRITE)) {
            Object state = field(file, "state");
            RankedLock ioLock = (RankedLock) field(state, "ioLock");
            FutureTask<StoreStats> stats = new FutureTask<>(store::stats);
            long stamp = ioLock.writeLock();
            try {
                new Thread(stats).start();
                assertEquals(1, stats.get(1, TimeUnit.MINUTES).openFiles());
            } finally {
                ioLock.unlockWrite(stamp);
            }
        }
    }

    private static Object field(Object of, String name) throws ReflectiveOperationException {
        Field field = of.getClass().getDeclaredField(name);
        field.setAccessible(true);
        return field.get(of);
    }

    @Test
    void filesAndLogs() throws IOException {
        store.createDirectory("d");
        NovaFile file = store.open("d/f", CREATE, WRITE);
        for (int i = 0; i < 20; i++) {
            file.write((long) i * PAGE, new byte[PAGE], 0, PAGE);
        }
        StoreStats stats = store.stats();
        assertEquals(1, stats.openFiles());
        assertEquals(2, stats.loadedDirectories());
        assertEquals(1, stats.logs().pagesAdded() - stats.logs().pagesFreed());
        file.close();
        store.delete("d/f");
        stats = store.stats();
        assertEquals(0, stats.openFiles());
        assertEquals(stats.logs().pagesAdded(), stats.logs().pagesFreed());
        store.close();
        assertThrows(ClosedFileSystemException.class, store::stats);
    }

    @Test
    void writes() throws IOException {
        NovaFile file = store.open("f", CREATE, READ, WRITE);
        file.write(10, new byte[100], 0, 100);
        file.append(ByteBuffer.allocateDirect(1 << 20)); // in pieces or not
        file.append(new byte[1 << 20], 0, 1 << 20);
        StoreStats.Writes three = new StoreStats.Writes(3, 100 + (2 << 20));
        assertEquals(three, store.stats().writes());
        file.setSize(0);
        file.read(0, new byte[1], 0, 1);
        assertThrows(NoSpaceException.class, () -> file.write(0, new byte[32 << 20], 0, 32 << 20));
        assertEquals(three, store.stats().writes());
        try (NovaFile other = store.open("g", CREATE, WRITE)) {
            other.write(0, new byte[1], 0, 1);
            assertEquals(new StoreStats.Writes(4, three.bytes() + 1), store.stats().writes());
            file.close();
            assertEquals(new StoreStats.Writes(4, three.bytes() + 1), store.stats().writes(), "of what is closed, too");
        }
    }

    @Test
    void entriesOfFilesAndDirectories() throws IOException {
        store.createDirectory("d");
        long entries = store.stats().logs().entriesAppended();
        assertTrue(entries > 0);
        try (NovaFile file = store.open("f", CREATE, WRITE)) {
            long before = store.stats().logs().entriesAppended();
            assertTrue(before > entries, "a name");
            for (int i = 0; i < 10; i++) {
                file.write(0, new byte[PAGE], 0, PAGE);
            }
            assertEquals(before + 10, store.stats().logs().entriesAppended());
        }
        store.rename("f", "d/f");
        entries = store.stats().logs().entriesAppended();
        store.delete("d/f");
        store.delete("d");
        assertTrue(store.stats().logs().entriesAppended() > entries, "of what is deleted, too");
    }

    /** Counts do not fall, and none is lost, while files are opened and closed. */
    @Test
    void writesWhileFilesClose() throws IOException, InterruptedException {
        Thread writer = new Thread(() -> {
            for (int i = 0; i < 2000; i++) {
                try (NovaFile file = store.open("f" + i % 50, CREATE, WRITE)) {
                    file.write(0, new byte[10], 0, 10);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        });
        writer.start();
        long last = 0;
        while (writer.isAlive()) {
            long now = store.stats().writes().calls();
            assertTrue(now >= last, now + " after " + last);
            last = now;
        }
        writer.join();
        assertEquals(new StoreStats.Writes(2000, 20_000), store.stats().writes());
    }

    @Test
    void cleaning() throws IOException {
        try (NovaFile file = store.open("f", CREATE, WRITE)) {
            for (int i = 0; i < 2000; i++) {
                file.write(0, new byte[PAGE], 0, PAGE);
            }
            StoreStats stats = store.stats();
            assertTrue(stats.cleaning().pagesFreed() > 20 && stats.cleaning().nanos() > 0, stats.toString());
            assertEquals(stats.cleaning().pagesFreed(), stats.logs().pagesFreed());
        }
    }

    @Test
    void pageFaults() throws IOException {
        try (NovaFile file = store.open("f", CREATE, READ, WRITE)) {
            file.setSize(64 * PAGE);
            try (MappedRegion region = file.map(MapMode.READ_WRITE, 0, 64 * PAGE)) {
                assumeTrue(region.status().lazy());
                ByteBuffer memory = region.buffer();
                for (int page = 0; page < 64; page += 16) {
                    memory.put(page * PAGE, (byte) 1);
                }
                MappedRegion.Status status = region.status(); // waits for the lock of the last fault, which counts late
                StoreStats.Faults faults = store.stats().faults();
                assertTrue(status.faults() > 0);
                assertEquals(status.faults(), faults.served());
                assertEquals(status.pagesAllocated(), faults.pagesAllocated());
                assertEquals(status.longestFault(), faults.longestHold());
                assertEquals(status.mappingsMax(), faults.mappingsMax());
                long entries = store.stats().logs().entriesAppended();
                file.write(0, new byte[1], 0, 1);
                assertTrue(store.stats().logs().entriesAppended() > entries, "those of the faults are followed now");
            }
            assertTrue(store.stats().faults().served() > 0, "of a region that is closed");
        }
    }

    /** Two threads write to one file until one has met the other. */
    @Test
    void waitingForAFile() throws IOException, InterruptedException {
        try (NovaFile file = store.open("f", CREATE, READ, WRITE)) {
            byte[] large = new byte[1 << 20];
            long start = System.nanoTime();
            while (store.stats().locks().files().equals(NONE)) {
                Thread other = new Thread(() -> write(file, large));
                other.start();
                write(file, large);
                other.join();
                assertTrue(System.nanoTime() - start < TimeUnit.MINUTES.toNanos(2), "no write waited for another one");
            }
            StoreStats.Locks locks = store.stats().locks();
            assertTrue(locks.files().count() > 0 && locks.files().time().toNanos() > 0, locks.toString());
            assertEquals(NONE, locks.directories());
        }
    }

    private static void write(NovaFile file, byte[] bytes) {
        try {
            file.write(0, bytes, 0, bytes.length);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
