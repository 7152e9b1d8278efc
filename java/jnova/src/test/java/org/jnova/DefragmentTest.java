/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.channels.FileChannel.MapMode.READ_WRITE;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.FileSystemException;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Files in pieces, brought together. Among other calls and threads the random tests of files do it, too. */
class DefragmentTest {
    private static final int PAGE = 4096;

    private final TestPools pools = new TestPools();
    private final SplittableRandom random = new SplittableRandom(1);

    @AfterEach
    void close() {
        pools.close();
    }

    /** A file of a new pool, written against the order of blocks: no two pages lie in a row, whoever is beside it. */
    private byte[] scattered(NovaStore store, int pages) throws IOException {
        byte[] bytes = new byte[pages * PAGE];
        random.nextBytes(bytes);
        try (NovaFile file = store.open("f", CREATE, WRITE);
                NovaFile other = store.open("other", CREATE, WRITE)) {
            for (int i = pages - 1; i >= 0; i--) {
                file.write((long) i * PAGE, bytes, i * PAGE, PAGE);
                other.write((long) i * PAGE, bytes, i * PAGE, PAGE);
            }
        }
        return bytes;
    }

    /** The file holds just this. */
    static void check(NovaFile file, byte[] bytes) throws IOException {
        byte[] back = new byte[bytes.length];
        assertEquals(bytes.length, file.size());
        assertEquals(bytes.length, file.read(0, back, 0, back.length));
        assertArrayEquals(bytes, back);
    }

    private static void assertSame(FileInfo before, FileInfo after) {
        assertEquals(before.modified(), after.modified());
        assertEquals(before.changed(), after.changed());
        assertEquals(before.created(), after.created());
        assertEquals(before.size(), after.size());
        assertEquals(before.blocks(), after.blocks());
        assertEquals(before.allocated(), after.allocated());
    }

    @Test
    void eachRunOfDataGetsOneExtent() throws IOException {
        byte[] bytes;
        try (NovaStore store = pools.create("p", 64 * TestPools.MIB)) {
            bytes = scattered(store, 1500);
            try (NovaFile file = store.open("f", READ, WRITE)) {
                file.punchHole(100 * PAGE, 7 * PAGE);
                Arrays.fill(bytes, 100 * PAGE, 107 * PAGE, (byte) 0);
                FileInfo before = file.info();
                assertEquals(1493, file.extents());
                file.defragment();
                assertTrue(file.extents() <= 4, file.extents() + " extents"); // 100 pages; three times up to 512
                assertSame(before, file.info());
                assertEquals(100 * PAGE, file.nextHole(0));
                assertEquals(107 * PAGE, file.nextData(100 * PAGE));
                check(file, bytes);
                long free = store.info().blocksFree();
                file.defragment(); // nothing to do
                assertEquals(free, store.info().blocksFree());
            }
        }
        pools.assertSound("p");
        try (NovaStore store = pools.open("p");
                NovaFile file = store.open("f")) {
            assertTrue(file.extents() <= 4);
            check(file, bytes);
        }
    }

    @Test
    void emptyFiles() throws IOException {
        try (NovaStore store = pools.create("p", 16 * TestPools.MIB);
                NovaFile file = store.open("f", CREATE, READ, WRITE)) {
            assertEquals(0, file.extents());
            file.defragment();
            file.setSize(1L << 40); // a hole
            assertEquals(0, file.extents());
            file.defragment();
            file.write((1L << 40) - 1, new byte[1], 0, 1);
            assertEquals(1, file.extents());
            file.defragment();
            file.allocate(1L << 40, PAGE, true); // beyond the end
            assertEquals(1, file.extents());
            file.defragment();
            assertEquals(1L << 40, file.size());
            try (NovaFile reader = store.open("f")) {
                assertThrows(NonWritableChannelException.class, reader::defragment);
            }
        }
    }

    /** It takes time and memory by what the file holds, not by its size. */
    @Test
    void farApart() throws IOException {
        try (NovaStore store = pools.create("p", 16 * TestPools.MIB)) {
            byte[] bytes = scattered(store, 3);
            try (NovaFile file = store.open("f", READ, WRITE);
                    NovaFile other = store.open("other", WRITE)) {
                for (int shift = 24; shift < 60; shift += 5) {
                    for (int i = 1; i >= 0; i--) {
                        file.write((1L << shift) + (long) i * PAGE, bytes, i * PAGE, PAGE);
                        other.append(bytes, 0, PAGE);
                    }
                }
                long end = (1L << 60) - 1;
                file.write(end, bytes, 0, 1);
                assertEquals(3 + 8 * 2 + 1, file.extents());
                file.defragment();
                assertEquals(1 + 8 + 1, file.extents());
                byte[] back = new byte[2 * PAGE];
                for (int shift = 24; shift < 60; shift += 5) {
                    assertEquals(2 * PAGE, file.read(1L << shift, back, 0, 2 * PAGE));
                    assertArrayEquals(Arrays.copyOf(bytes, 2 * PAGE), back);
                }
                assertEquals(1, file.read(end, back, 0, 2));
                assertEquals(bytes[0], back[0]);
            }
        }
        pools.assertSound("p");
    }

    /** Free space in single blocks: nothing can be better, nothing fails, and no space is lost. */
    @Test
    void withoutRoom() throws IOException {
        try (NovaStore store = pools.create("p", 16 * TestPools.MIB)) {
            byte[] bytes = scattered(store, 500);
            try (NovaFile rest = store.open("rest", CREATE, WRITE);
                    NovaFile other = store.open("other", WRITE);
                    NovaFile file = store.open("f", READ, WRITE)) {
                fill(rest);
                for (int i = 0; i < 500; i += 2) {
                    other.punchHole((long) i * PAGE, PAGE);
                }
                long free = store.info().blocksFree();
                long extents = file.extents();
                file.defragment();
                assertTrue(file.extents() <= extents);
                check(file, bytes);
                assertTrue(Math.abs(store.info().blocksFree() - free) <= 4, "what its log takes");
                other.truncate(0);
                file.defragment();
                assertTrue(file.extents() < extents, extents + " extents still");
                check(file, bytes);
            }
        }
        pools.assertSound("p");
    }

    private static void fill(NovaFile file) throws IOException {
        byte[] some = new byte[PAGE];
        try {
            while (true) {
                file.append(some, 0, PAGE);
            }
        } catch (NoSpaceException e) {
            // so it is full
        }
    }

    /** Whoever punches a page finds the hole there until he writes to it, whatever moves beside. */
    @Test
    void holesStay() throws Exception {
        int pages = 64;
        AtomicBoolean stop = new AtomicBoolean();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        try (NovaStore store = pools.create("p", 16 * TestPools.MIB)) {
            byte[] bytes = scattered(store, pages);
            try (NovaFile file = store.open("f", READ, WRITE)) {
                Thread mover = new Thread(() -> {
                    try {
                        while (!stop.get()) {
                            file.defragment();
                        }
                    } catch (Throwable e) {
                        failure.set(e);
                    }
                });
                mover.start();
                long end = System.nanoTime() + (TestPools.FULL ? 60_000_000_000L : 1_000_000_000L);
                int holes = 0;
                while (System.nanoTime() < end && failure.get() == null) {
                    long at = (long) random.nextInt(pages) * PAGE;
                    file.punchHole(at, PAGE);
                    assertEquals(at, file.nextHole(at), "seed 1, hole " + holes);
                    file.write(at, bytes, (int) at, PAGE);
                    holes++;
                }
                stop.set(true);
                mover.join();
                assertNull(failure.get());
                check(file, bytes);
                TestReport.line("defragmentation: %d holes stayed beside it", holes);
            }
        }
        pools.assertSound("p");
    }

    @Test
    void mapped() throws IOException {
        try (NovaStore store = pools.create("p", 64 * TestPools.MIB)) {
            byte[] bytes = scattered(store, 600);
            try (NovaFile file = store.open("f", READ, WRITE)) {
                try (MappedRegion region = file.map(READ_WRITE, 0, 600 * PAGE)) {
                    ByteBuffer buffer = region.buffer();
                    buffer.put(5 * PAGE, bytes[5 * PAGE] = 7);
                    file.defragment();
                    assertTrue(file.extents() <= 2);
                    buffer.put(500 * PAGE, bytes[500 * PAGE] = 8);
                    assertEquals(ByteBuffer.wrap(bytes), buffer);
                    check(file, bytes);
                }
            }
        }
        try (NovaStore store = pools.create("q", 64 * TestPools.MIB)) {
            byte[] bytes = scattered(store, 600);
            try (NovaFile file = store.open("f", READ, WRITE);
                    MappedRegion eager = file.map(READ_WRITE, 0, 10 * PAGE, MapOption.EAGER)) {
                assertThrows(FileSystemException.class, file::defragment);
                assertEquals(ByteBuffer.wrap(bytes, 0, 10 * PAGE), eager.buffer());
                check(file, bytes);
            }
        }
        pools.assertSound("p");
        pools.assertSound("q");
    }
}
