/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.SplittableRandom;
import org.jnova.internal.index.LogPages;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Logs stay short, say the same, and give their pages back. Seeds are printed. */
class LogCleaningTest {
    private static final int BLOCK = 4096;
    private static final long MIB = TestPools.MIB;

    private final TestPools pools = new TestPools();
    private final long seed = System.nanoTime();
    private final SplittableRandom random = new SplittableRandom(seed);

    LogCleaningTest() {
        System.out.println("seed " + seed);
    }

    @AfterEach
    void close() {
        pools.close();
    }

    private static byte[] page(int value) {
        byte[] page = new byte[BLOCK];
        for (int i = 0; i < BLOCK; i++) {
            page[i] = (byte) (value * 31 + i);
        }
        return page;
    }

    /** Writes a page, and what it is to be in the array. */
    private static void write(NovaFile file, int at, byte[] page, byte[] want) throws IOException {
        file.write((long) at * BLOCK, page, 0, BLOCK);
        System.arraycopy(page, 0, want, at * BLOCK, BLOCK);
    }

    private static void put(NovaStore store, String path, byte[] bytes) throws IOException {
        try (NovaFile file = store.open(path, CREATE, WRITE)) {
            if (bytes.length != 0) {
                file.write(0, bytes, 0, bytes.length);
            }
        }
    }

    private static byte[] readAll(NovaStore store, String path) throws IOException {
        try (NovaFile file = store.open(path, READ)) {
            byte[] bytes = new byte[(int) file.size()];
            assertEquals(bytes.length, file.read(0, bytes, 0, bytes.length));
            return bytes;
        }
    }

    /** Pages of the log: those that the file has beside its data. */
    private static long logPages(NovaStore store, long freeBefore, long dataBlocks) throws IOException {
        return freeBefore - store.info().blocksFree() - dataBlocks;
    }

    /** The pool as a crash leaves it now: recovered, it has the same space and these bytes. */
    private void assertAfterCrash(NovaStore store, String path, byte[] want, long dataBlocks, long freeBefore)
            throws IOException {
        Files.copy(pools.path("p"), pools.path("crashed"));
        try (NovaStore crashed = pools.open("crashed")) {
            assertTrue(crashed.info().recoveredInodes() > 0);
            assertArrayEquals(want, readAll(crashed, path));
            assertTrue(logPages(crashed, freeBefore, dataBlocks) >= 0);
        }
        pools.assertSound("crashed");
        Files.delete(pools.path("crashed"));
    }

    @Test
    void overwrittenFile() throws IOException {
        int pages = 200;
        byte[] want = new byte[pages * BLOCK];
        try (NovaStore store = pools.create("p", 16 * MIB)) {
            put(store, "f", new byte[0]);
            long free = store.info().blocksFree();
            for (int round = 0; round < 20; round++) {
                try (NovaFile file = store.open("f", WRITE, READ)) {
                    for (int i = 0; i < 1000; i++) {
                        int at = random.nextInt(pages);
                        write(file, at, page(random.nextInt()), want);
                    }
                    assertArrayEquals(Arrays.copyOf(want, (int) file.size()), readAll(store, "f"));
                }
            }
            long log = logPages(store, free, pages);
            assertTrue(log <= 2 * pages / 63 + 6, log + " pages for a log of " + pages + " entries");
            CleaningStats stats = store.stats().cleaning();
            assertTrue(stats.pagesFreed() > 250 && stats.failed() == 0, stats.toString());
            assertTrue(stats.copied() < 20_000 / 2, stats.toString());
            assertAfterCrash(store, "f", want, pages, free);
        }
        pools.assertSound("p");
    }

    /** Few pages again and again, behind many that are written once: pages in the middle of the log die. */
    @Test
    void hotPages() throws IOException {
        int pages = 400;
        byte[] want = new byte[pages * BLOCK];
        try (NovaStore store = pools.create("p", 16 * MIB)) {
            put(store, "f", new byte[0]);
            long free = store.info().blocksFree();
            try (NovaFile file = store.open("f", WRITE)) {
                for (int i = 0; i < 20_000; i++) {
                    int at = i < pages ? i : pages - 1 - random.nextInt(5);
                    write(file, at, page(i), want);
                }
            }
            long log = logPages(store, free, pages);
            assertTrue(log <= 2 * pages / 63 + 6, log + " pages for a log of " + pages + " entries");
            assertTrue(store.stats().cleaning().copied() < 2 * pages, store.stats().cleaning().toString());
            assertAfterCrash(store, "f", want, pages, free);
        }
        pools.assertSound("p");
    }

    /** Small appends: of each page of the log few entries go on counting, and those are not copied again and again. */
    @Test
    void appendedFile() throws IOException {
        int appends = 40_000;
        int length = 128;
        byte[] want = new byte[appends * length];
        random.nextBytes(want);
        try (NovaStore store = pools.create("p", 32 * MIB)) {
            put(store, "f", new byte[0]);
            long free = store.info().blocksFree();
            try (NovaFile file = store.open("f", WRITE)) {
                for (int i = 0; i < appends; i++) {
                    file.append(want, i * length, length);
                }
            }
            int pages = want.length / BLOCK;
            long log = logPages(store, free, pages);
            assertTrue(log <= 2 * pages / 63 + 6, log + " pages for a log of " + pages + " entries");
            CleaningStats stats = store.stats().cleaning();
            assertTrue(stats.copied() < pages, stats.toString()); // those beside each other become one entry
            assertEquals(0, stats.failed());
            try (NovaFile file = store.open("f", READ)) {
                assertTrue(file.extents() < pages / 20, file.extents() + " extents");
            }
            assertAfterCrash(store, "f", want, pages, free);
        }
        pools.assertSound("p");
    }

    /** Pages in a row that one entry will say, as far as they are; there is a hole, and some lie beyond the end. */
    @Test
    void pagesInARow() throws IOException {
        int pages = 1100; // more than one leaf of the index
        int beyond = 700;
        byte[] want = new byte[pages * BLOCK - 100];
        try (NovaStore store = pools.create("p", 32 * MIB)) {
            put(store, "f", new byte[0]);
            long free = store.info().blocksFree();
            try (NovaFile file = store.open("f", READ, WRITE)) {
                random.nextBytes(want);
                file.write(0, want, 0, want.length); // one entry, of which pieces go on counting
                file.allocate((long) pages * BLOCK, (long) beyond * BLOCK, true);
                file.punchHole(510L * BLOCK, 5L * BLOCK);
                Arrays.fill(want, 510 * BLOCK, 515 * BLOCK, (byte) 0);
                for (int i = 0; i < 30_000; i++) { // each second one is hot
                    int at = i % 2 == 0 ? 7 : random.nextInt(20) * 50;
                    at = at >= 510 && at < 515 ? 9 : at;
                    write(file, at, page(i), want);
                }
            }
            int blocks = pages - 5 + beyond;
            long log = logPages(store, free, blocks);
            assertTrue(log >= 1 && log <= 2 * blocks / 63 + 6, log + " pages for a log of " + blocks + " entries");
            CleaningStats stats = store.stats().cleaning();
            assertTrue(stats.pagesFreed() > 300 && stats.failed() == 0, stats.toString());
            assertAfterCrash(store, "f", want, blocks, free);
            try (NovaFile file = store.open("f", READ, WRITE)) { // what lies beyond the end is zeros
                file.setSize((long) (pages + beyond) * BLOCK);
            }
            assertTrue(logPages(store, free, blocks) >= 1);
            assertAfterCrash(store, "f", Arrays.copyOf(want, (pages + beyond) * BLOCK), blocks, free);
        }
        pools.assertSound("p");
    }

    /** Ranges move pages away from where their entries say that they are. */
    @Test
    void movedPages() throws IOException {
        int pages = 64;
        byte[] want = new byte[pages * BLOCK];
        try (NovaStore store = pools.create("p", 16 * MIB)) {
            try (NovaFile file = store.open("f", CREATE, WRITE)) {
                file.write(0, want, 0, want.length);
                for (int i = 0; i < 3000; i++) {
                    int at = random.nextInt(pages - 8);
                    int n = 1 + random.nextInt(7);
                    if (random.nextInt(10) == 0) {
                        file.collapseRange((long) at * BLOCK, (long) n * BLOCK);
                        file.insertRange((long) at * BLOCK, (long) n * BLOCK);
                        Arrays.fill(want, at * BLOCK, (at + n) * BLOCK, (byte) 0);
                    } else {
                        write(file, at, page(i), want);
                    }
                    if (i % 500 == 0) {
                        assertArrayEquals(want, readAll(store, "f"));
                    }
                }
            }
            assertArrayEquals(want, readAll(store, "f"));
            CleaningStats stats = store.stats().cleaning();
            assertTrue(stats.pagesFreed() > 40 && stats.failed() == 0, stats.toString());
        }
        try (NovaStore store = pools.open("p")) {
            assertArrayEquals(want, readAll(store, "f"));
        }
        pools.assertSound("p");
    }

    /** What one call leaves of a long log of which nothing counts any more, the next ones clean away. */
    @Test
    void truncatedFile() throws IOException {
        byte[] bytes = page(1);
        try (NovaStore store = pools.create("p", 96 * MIB);
                NovaFile file = store.open("f", CREATE, WRITE)) {
            for (int i = 0; i < 63 * 300; i++) {
                file.write((long) i * BLOCK, bytes, 0, BLOCK);
            }
            assertTrue(file.info().logPages() >= 300, file.info().logPages() + " pages");
            file.truncate(0);
            for (int i = 0; i < 10; i++) {
                file.write(0, bytes, 0, BLOCK);
            }
            assertTrue(file.info().logPages() <= 6, file.info().logPages() + " pages for a log of one entry");
        }
        pools.assertSound("p");
    }

    @Test
    void directory() throws IOException {
        try (NovaStore store = pools.create("p", 32 * MIB)) {
            store.createDirectory("d");
            Deque<String> names = new ArrayDeque<>();
            long free = 0;
            for (int i = 0; i < 6000; i++) {
                String name = "d/" + "n".repeat(1 + random.nextInt(200)) + i;
                put(store, name, new byte[0]);
                names.add(name);
                if (names.size() > 100) {
                    String old = names.remove();
                    if (random.nextBoolean()) {
                        store.delete(old);
                    } else {
                        store.rename(old, old + "-moved");
                        store.delete(old + "-moved");
                    }
                }
                if (i == 500) {
                    free = store.info().blocksFree();
                }
            }
            // 100 names of 1 to 4 lines; what the inode table has grown meanwhile is a few blocks
            assertTrue(free - store.info().blocksFree() < 16, (free - store.info().blocksFree()) + " blocks more");
            assertTrue(store.stats().cleaning().failed() == 0, store.stats().cleaning().toString());
            assertEquals(names.size(), store.list("d").size());
        }
        try (NovaStore store = pools.open("p")) {
            assertEquals(100, store.list("d").size());
        }
        pools.assertSound("p");
    }

    /** A small file that is changed again and again by whoever opens it costs no page of a log. */
    @Test
    void smallFile() throws IOException {
        try (NovaStore store = pools.create("p", 4 * MIB)) {
            put(store, "f", page(1));
            long free = store.info().blocksFree();
            for (int i = 0; i < 100; i++) {
                try (NovaFile file = store.open("f", WRITE)) {
                    byte[] bytes = page(i);
                    file.write(0, bytes, 0, BLOCK);
                    file.write(0, bytes, 0, BLOCK);
                }
            }
            assertEquals(free, store.info().blocksFree());
            assertTrue(store.stats().cleaning().pagesFreed() > 10, store.stats().cleaning().toString());
            assertArrayEquals(page(99), readAll(store, "f"));
        }
        pools.assertSound("p");
    }

    /** Names of many lines are removed on a full pool: cleaning gives back what their removal takes. */
    @Test
    void fullPool() throws IOException {
        try (NovaStore store = pools.create("p", MIB)) {
            int names = 0;
            try {
                for (; ; names++) {
                    put(store, name(names), new byte[0]);
                }
            } catch (NoSpaceException e) {
                assertTrue(names > 100);
            }
            for (int i = 0; i < names; i++) {
                store.delete(name(i));
            }
            assertEquals(0, store.list("/").size());
        }
        pools.assertSound("p");
    }

    private static String name(int i) {
        return "n".repeat(240) + i;
    }

    /** Cleaned at any moment, with readers beside. */
    @Test
    void readersSeeNoneOfIt() throws Exception {
        LogPages.cleanAlways(true);
        try (NovaStore store = pools.create("p", 8 * MIB);
                NovaFile file = store.open("f", CREATE, WRITE, READ)) {
            int pages = 32;
            file.write(0, new byte[pages * BLOCK], 0, pages * BLOCK);
            Throwable[] failure = new Throwable[1];
            boolean[] stop = new boolean[1];
            Thread reader = new Thread(() -> {
                byte[] bytes = new byte[BLOCK];
                try {
                    for (int i = 0; ; i++) {
                        synchronized (stop) {
                            if (stop[0]) {
                                return;
                            }
                        }
                        assertEquals(BLOCK, file.read((long) (i % pages) * BLOCK, bytes, 0, BLOCK));
                        for (byte b : bytes) {
                            assertEquals(bytes[0], b);
                        }
                    }
                } catch (Throwable t) {
                    failure[0] = t;
                }
            });
            reader.start();
            byte[] bytes = new byte[BLOCK];
            for (int i = 0; i < 5000; i++) {
                Arrays.fill(bytes, (byte) i);
                file.write((long) random.nextInt(pages) * BLOCK, bytes, 0, BLOCK);
            }
            synchronized (stop) {
                stop[0] = true;
            }
            reader.join();
            if (failure[0] != null) {
                throw new AssertionError(failure[0]);
            }
            assertTrue(store.stats().cleaning().pagesFreed() > 50, store.stats().cleaning().toString());
        } finally {
            LogPages.cleanAlways(false);
        }
        pools.assertSound("p");
    }
}
