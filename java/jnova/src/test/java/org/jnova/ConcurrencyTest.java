/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Readers among writers. Every 8-byte word that is written says which file it is of, where in the file, and by which
 * write: a torn write, a stale page, or a block that was reused under a reader shows as a word out of place.
 */
class ConcurrencyTest {
    private static final long RUN_NS = TestPools.FULL ? 60_000_000_000L : 2_000_000_000L;
    private static final int UNIT = 4 * 4096;
    /** Most writes of one thread: logs only grow in this version, and the pool must hold them. */
    private static final long WRITES = TestPools.FULL ? 5_000_000 : 500_000;
    private static final long POOL = (TestPools.FULL ? 4096 : 512) * TestPools.MIB;

    private final TestPools pools = new TestPools();

    @AfterEach
    void remove() {
        pools.close();
    }

    private interface Work {
        void run(SplittableRandom random, AtomicBoolean stop) throws IOException;
    }

    /** Runs all works at once for a while, or until the first of them is done with all it had to do. */
    private static void together(List<Work> works) throws InterruptedException {
        AtomicBoolean stop = new AtomicBoolean();
        List<Throwable> failures = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (Work work : works) {
            SplittableRandom random = new SplittableRandom(threads.size());
            Thread thread = new Thread(() -> {
                try {
                    work.run(random, stop);
                } catch (Throwable e) {
                    synchronized (failures) {
                        failures.add(e);
                    }
                    stop.set(true);
                }
            });
            threads.add(thread);
            thread.start();
        }
        long end = System.nanoTime() + RUN_NS;
        while (System.nanoTime() < end && !stop.get()) {
            threads.get(0).join(20);
        }
        stop.set(true);
        for (Thread thread : threads) {
            thread.join();
        }
        if (!failures.isEmpty()) {
            throw new AssertionError(failures.get(0));
        }
    }

    private static long word(int file, long stamp, long offset) {
        return (long) file << 56 | (stamp & 0xffffffL) << 32 | offset >>> 3;
    }

    private static ByteBuffer fill(ByteBuffer buffer, int file, long stamp, long offset) {
        buffer.clear();
        for (int i = 0; i < buffer.capacity(); i += 8) {
            buffer.putLong(i, word(file, stamp, offset + i));
        }
        return buffer;
    }

    /** Checks one unit that was read: of this file, of this place, all by one write. */
    private static void checkUnit(ByteBuffer buffer, int at, int file, long offset) {
        long first = buffer.getLong(at);
        for (int i = 0; i < UNIT; i += 8) {
            long got = buffer.getLong(at + i);
            if (got != first + (i >>> 3) || got >>> 56 != file || (got & 0xffffffffL) != (offset + i) >>> 3) {
                throw new AssertionError(String.format(
                        "file %d at %d: word %016x, unit starts with %016x", file, offset + i, got, first));
            }
        }
    }

    private static ByteBuffer buffer(boolean direct, int size) {
        ByteBuffer buffer = direct ? ByteBuffer.allocateDirect(size) : ByteBuffer.allocate(size);
        return buffer.order(ByteOrder.LITTLE_ENDIAN);
    }

    @Test
    void everyReadSeesWholeWrites() throws Exception {
        int units = 40;
        int files = 3;
        try (NovaStore store = pools.create("p", POOL)) {
            List<Work> works = new ArrayList<>();
            AtomicLong reads = new AtomicLong();
            for (int f = 0; f < files; f++) {
                int id = f + 1;
                NovaFile file = store.open("f" + f, CREATE, READ, WRITE);
                for (int u = 0; u < units; u++) {
                    file.write((long) u * UNIT, fill(buffer(true, UNIT), id, 0, (long) u * UNIT));
                }
                works.add((random, stop) -> {
                    ByteBuffer unit = buffer(id % 2 == 0, UNIT);
                    for (long stamp = 1; stamp < WRITES && !stop.get(); stamp++) {
                        long offset = (long) random.nextInt(units) * UNIT;
                        file.write(offset, fill(unit, id, stamp, offset));
                    }
                });
                works.add((random, stop) -> {
                    ByteBuffer unit = buffer(true, UNIT);
                    while (!stop.get()) {
                        long offset = (long) random.nextInt(units) * UNIT;
                        assertEquals(UNIT, file.read(offset, unit.clear()));
                        checkUnit(unit, 0, id, offset);
                        reads.incrementAndGet();
                    }
                });
            }
            // One more reads a whole file at once: long reads fall back to the lock.
            NovaFile whole = store.open("f0", READ);
            works.add((random, stop) -> {
                ByteBuffer all = buffer(false, units * UNIT);
                while (!stop.get()) {
                    assertEquals(units * UNIT, whole.read(0, all.clear()));
                    for (int u = 0; u < units; u++) {
                        checkUnit(all, u * UNIT, 1, (long) u * UNIT);
                    }
                    reads.incrementAndGet();
                }
            });
            together(works);
            assertTrue(reads.get() > 100, "only " + reads + " reads");
        }
        pools.assertSound("p");
    }

    /** A read that covers two units that are always written together, in one gathering write, sees them equal. */
    @Test
    void gatheringWritesAreOneUnit() throws Exception {
        try (NovaStore store = pools.create("p", POOL);
                NovaFile file = store.open("f", CREATE, READ, WRITE)) {
            int size = 300_000; // beyond one piece of staging memory
            file.write(0, ByteBuffer.allocate(2 * size));
            together(List.of(
                    (random, stop) -> {
                        for (long stamp = 1; stamp < WRITES && !stop.get(); stamp++) {
                            ByteBuffer one = buffer(true, size);
                            ByteBuffer two = buffer(false, size);
                            one.putLong(0, stamp).putLong(size - 8, stamp);
                            two.putLong(0, stamp).putLong(size - 8, stamp);
                            file.write(0, new ByteBuffer[] {one, two}, 0, 2);
                        }
                    },
                    (random, stop) -> {
                        ByteBuffer both = buffer(true, 2 * size);
                        while (!stop.get()) {
                            assertEquals(2 * size, file.read(0, both.clear()));
                            long stamp = both.getLong(0);
                            assertEquals(stamp, both.getLong(size - 8));
                            assertEquals(stamp, both.getLong(size));
                            assertEquals(stamp, both.getLong(2 * size - 8));
                        }
                    }));
        }
        pools.assertSound("p");
    }

    @Test
    void appendsNeverOverlapAndReadersSeeWholeRecords() throws Exception {
        int record = 72;
        try (NovaStore store = pools.create("p", POOL);
                NovaFile file = store.open("f", CREATE, READ, WRITE)) {
            List<Work> works = new ArrayList<>();
            AtomicLong appended = new AtomicLong();
            for (int t = 1; t <= 2; t++) {
                int id = t;
                works.add((random, stop) -> {
                    ByteBuffer one = buffer(id == 1, record);
                    for (long n = 0; n < WRITES && !stop.get(); n++) {
                        one.clear();
                        for (int i = 0; i < record; i += 8) {
                            one.putLong(i, word(id, n, i));
                        }
                        long at = file.append(one);
                        assertEquals(0, at % record);
                        appended.incrementAndGet();
                    }
                });
            }
            works.add((random, stop) -> {
                ByteBuffer some = buffer(true, record * 100);
                while (!stop.get()) {
                    long size = file.size();
                    assertEquals(0, size % record);
                    long from = Math.max(0, size / record - random.nextInt(1, 120)) * record;
                    int n = file.read(from, some.clear());
                    if (n <= 0) {
                        continue;
                    }
                    assertEquals(0, n % record, "part of a record");
                    for (int at = 0; at < n; at += record) {
                        long first = some.getLong(at);
                        for (int i = 8; i < record; i += 8) {
                            assertEquals(first + (i >>> 3), some.getLong(at + i));
                        }
                    }
                }
            });
            together(works);
            assertEquals(appended.get() * record, file.size());
        }
        pools.assertSound("p");
    }

    /** Truncates among appends and reads: what is read is of a state there was. */
    @Test
    void truncatesAmongReaders() throws Exception {
        try (NovaStore store = pools.create("p", POOL);
                NovaFile file = store.open("f", CREATE, READ, WRITE)) {
            together(List.of(
                    (random, stop) -> {
                        // Each generation fills the file with its own number.
                        for (int generation = 1; generation < WRITES / 10 && !stop.get(); generation++) {
                            file.setSize(0);
                            byte[] bytes = new byte[random.nextInt(1, 30_000)];
                            java.util.Arrays.fill(bytes, (byte) (1 + generation % 100));
                            for (int i = 0; i < 5; i++) {
                                file.append(bytes, 0, bytes.length);
                            }
                            file.setSize(random.nextInt(bytes.length * 5));
                        }
                    },
                    (random, stop) -> {
                        byte[] back = new byte[200_000];
                        while (!stop.get()) {
                            int n = file.read(0, back, 0, back.length);
                            for (int i = 1; i < n; i++) {
                                if (back[i] != back[0]) {
                                    throw new AssertionError("byte " + i + " of " + n + " is " + back[i] + ", first is "
                                            + back[0]);
                                }
                            }
                            assertTrue(n == -1 || back[0] != 0);
                        }
                    }));
        }
        pools.assertSound("p");
    }

    @Test
    void namesUnderContention() throws Exception {
        try (NovaStore store = pools.create("p", POOL)) {
            List<Work> works = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                int id = t;
                works.add((random, stop) -> {
                    byte[] mine = ("thread " + id).getBytes(java.nio.charset.StandardCharsets.US_ASCII);
                    byte[] back = new byte[100];
                    for (int i = 0; i < WRITES / 5 && !stop.get(); i++) {
                        String name = "t" + id + "-" + i % 50;
                        try (NovaFile file = store.open(name, CREATE, READ, WRITE)) {
                            file.write(0, mine, 0, mine.length);
                            assertEquals(mine.length, file.read(0, back, 0, 100));
                        }
                        String shared = "shared" + random.nextInt(3);
                        store.rename(name, shared, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
                        try (NovaFile file = store.open(shared)) {
                            assertEquals(mine.length, file.read(0, back, 0, 100));
                        } catch (java.nio.file.NoSuchFileException e) {
                            // another thread was faster
                        }
                        store.deleteIfExists("shared" + random.nextInt(3));
                    }
                });
            }
            together(works);
        }
        pools.assertSound("p");
    }

    /**
     * Pages of a file carry their number, in ascending order, on all their words. Whatever is taken out of the middle,
     * put back, punched or copied, a reader of the whole file sees one of the states between two calls: each is a
     * function of how many pages there are.
     */
    @Test
    void readersSeeRangesBeforeOrAfterAChange() throws Exception {
        int pages = 64;
        int page = 4096;
        try (NovaStore store = pools.create("p", POOL);
                NovaFile file = store.open("f", CREATE, READ, WRITE);
                NovaFile other = store.open("g", CREATE, READ, WRITE)) {
            ByteBuffer content = buffer(true, pages * page);
            for (int i = 0; i < pages * page; i += 8) {
                content.putLong(i, i / page + 1);
            }
            file.write(0, content.clear());
            other.write(0, content.clear());
            List<Work> works = new ArrayList<>();
            AtomicLong reads = new AtomicLong();
            works.add((random, stop) -> {
                for (long i = 0; i < WRITES && !stop.get(); i++) {
                    int at = random.nextInt(pages - 8);
                    int n = random.nextInt(1, 8);
                    file.collapseRange((long) at * page, (long) n * page);
                    file.insertRange((long) at * page, (long) n * page);
                    if (random.nextBoolean()) {
                        other.copyRange((long) at * page, file, (long) at * page, (long) n * page);
                    } else {
                        file.write((long) at * page, content.slice(at * page, n * page));
                    }
                    int hole = random.nextInt(pages);
                    file.punchHole((long) hole * page, page);
                    file.write((long) hole * page, content.slice(hole * page, page));
                }
            });
            for (boolean direct : new boolean[] {true, false}) {
                works.add((random, stop) -> {
                    ByteBuffer all = buffer(direct, pages * page);
                    while (!stop.get()) {
                        checkRanges(all, file.read(0, all.clear()), pages, page);
                        long hole = file.nextHole(0);
                        assertTrue(hole > 0 || file.nextData(0) >= 0);
                        reads.incrementAndGet();
                    }
                });
            }
            // Against the first thread's copies: two files' locks, in both orders of the calls.
            works.add((random, stop) -> {
                ByteBuffer all = buffer(true, pages * page);
                long to = (pages + 10L) * page;
                while (!stop.get()) { // a copy is of one moment, too
                    int n = (int) file.copyRange(0, other, to, pages * page);
                    assertEquals(n, other.read(to, all.clear().limit(n)));
                    checkRanges(all, n, pages, page);
                }
            });
            together(works);
            TestReport.line("ranges: %d reads among collapses, inserts, holes and copies", reads.get());
        }
        pools.assertSound("p");
    }

    /** Removed pages are missing, or one hole is there; nothing else is out of place. */
    private static void checkRanges(ByteBuffer all, int length, int pages, int page) {
        int missing = pages - length / page;
        int gaps = 0;
        long last = 0;
        for (int p = 0; p < length / page; p++) {
            long number = all.getLong(p * page);
            for (int i = 8; i < page; i += 8) {
                if (all.getLong(p * page + i) != number) {
                    throw new AssertionError("page " + p + " is torn: " + number + ", " + all.getLong(p * page + i));
                }
            }
            if (number == 0) {
                if (p > 0 && last != 0) {
                    gaps++;
                }
            } else if (missing == 0 && number != p + 1) {
                throw new AssertionError("page " + p + " of a whole file holds " + number);
            } else if (last != 0 && number != last + 1 && number != last + 1 + missing) {
                throw new AssertionError("page " + p + " holds " + number + " behind " + last);
            }
            last = number;
        }
        if (gaps > 1) {
            throw new AssertionError(gaps + " holes at once");
        }
    }
}
