/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.channels.FileChannel.MapMode.PRIVATE;
import static java.nio.channels.FileChannel.MapMode.READ_ONLY;
import static java.nio.channels.FileChannel.MapMode.READ_WRITE;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.ref.Reference;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.NonReadableChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import jdk.nio.mapmode.ExtendedMapMode;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Mapped buffers of the JDK over files of a pool. */
class PinnedBufferTest extends OneFile {
    PinnedBufferTest() {
        super(16 * TestPools.MIB);
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.capacity()];
        buffer.get(0, bytes);
        return bytes;
    }

    /** Two files that take turns, so that no two pages of one lie side by side. */
    private void fragment(int pages) throws IOException {
        try (NovaFile other = store.open("other", CREATE, WRITE)) {
            for (int i = 0; i < pages; i++) {
                file.write((long) i * PAGE, random(PAGE), 0, PAGE);
                other.write((long) i * PAGE, random(PAGE), 0, PAGE);
            }
        }
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    /** Collects garbage until it holds. */
    private static void collectUntil(Condition condition) throws Exception {
        while (!condition.holds()) {
            System.gc();
            Thread.onSpinWait();
        }
    }

    private long free() throws IOException {
        return store.info().blocksFree();
    }

    @Test
    void aGenuineBuffer() throws IOException {
        fragment(30);
        byte[] before = read(0, 30 * PAGE);
        MappedByteBuffer look = file.mapBuffer(READ_ONLY, 0, 30 * PAGE);
        MappedByteBuffer buffer = file.mapBuffer(READ_WRITE, 5000, 100_000);
        assertEquals(100_000, buffer.capacity());
        assertFalse(buffer.isReadOnly());
        assertTrue(buffer.load().isLoaded());
        assertEquals(ByteBuffer.wrap(before, 5000, 100_000), buffer);
        buffer.put(7, (byte) 9);
        buffer.force();
        assertEquals(9, read(5007, 1)[0]);
        file.write(5000, random(50_000), 0, 50_000);
        assertEquals(ByteBuffer.wrap(random(50_000)), buffer.slice(0, 50_000));
        file.force();
        try (MappedRegion region = file.map(READ_WRITE, 0, 20 * PAGE)) {
            region.buffer().put(6000, (byte) 77);
            assertEquals(77, buffer.get(1000));
        }
        assertTrue(look.isReadOnly());
        assertArrayEquals(read(0, 30 * PAGE), bytes(look));
        buffer.put(0, (byte) 55);
        assertEquals(55, look.get(5000));
    }

    @Test
    void aPrivateBuffer() throws IOException {
        file.write(0, random(3 * PAGE), 0, 3 * PAGE);
        MappedByteBuffer buffer = file.mapBuffer(PRIVATE, 0, 3 * PAGE);
        buffer.put(5, (byte) ~random(3 * PAGE)[5]);
        buffer.force();
        assertArrayEquals(random(3 * PAGE), read(0, 3 * PAGE));
        file.write(PAGE, new byte[100], 0, 100);
        assertEquals(0, buffer.get(PAGE + 99));
    }

    @Test
    void lengths() throws IOException {
        file.write(0, random(100), 0, 100);
        assertEquals(0, file.mapBuffer(READ_WRITE, 50, 0).capacity());
        assertEquals(100, file.size());
        assertEquals(0, file.mapBuffer(READ_WRITE, 5 * PAGE, 10).get(9)); // a hole, beyond the end
        assertEquals(5 * PAGE + 10, file.size());
        assertEquals(1, file.mapBuffer(READ_ONLY, 5 * PAGE + 10, 1).capacity()); // as the JDK
        assertEquals(5 * PAGE + 11, file.size());
        assertThrows(IllegalArgumentException.class, () -> file.mapBuffer(READ_ONLY, -1, 1));
        assertThrows(IllegalArgumentException.class, () -> file.mapBuffer(READ_ONLY, 0, 1L << 31));
        assertThrows(NullPointerException.class, () -> file.mapBuffer(null, 0, 1));
        Assumptions.assumeTrue(TestPools.DURABILITY != Durability.PMEM);
        assertThrows(IOException.class, () -> file.mapBuffer(ExtendedMapMode.READ_WRITE_SYNC, 0, 1));
    }

    @Test
    @SuppressWarnings("try") // closed on purpose
    void handles() throws IOException {
        file.write(0, random(100), 0, 100);
        try (NovaFile readOnly = store.open("f", READ);
                NovaFile writeOnly = store.open("f", WRITE)) {
            assertThrows(NonWritableChannelException.class, () -> readOnly.mapBuffer(READ_WRITE, 0, 1));
            assertThrows(NonWritableChannelException.class, () -> readOnly.mapBuffer(PRIVATE, 0, 1));
            assertThrows(NonReadableChannelException.class, () -> writeOnly.mapBuffer(READ_ONLY, 0, 1));
            assertThrows(IOException.class, () -> readOnly.mapBuffer(READ_ONLY, 99, 2));
            assertThrows(IOException.class, () -> readOnly.mapBuffer(READ_ONLY, 101, 0));
            assertEquals(100, file.size());
            MappedByteBuffer buffer = readOnly.mapBuffer(READ_ONLY, 0, 100);
            readOnly.close();
            file.write(0, random(50), 0, 50);
            assertEquals(ByteBuffer.wrap(random(50)), buffer.slice(0, 50));
        }
    }

    @Test
    void interruptedThreads() throws IOException {
        Thread.currentThread().interrupt();
        MappedByteBuffer buffer = file.mapBuffer(READ_WRITE, 0, 10);
        assertTrue(Thread.interrupted());
        assertEquals(10, buffer.capacity());
    }

    @Test
    @Timeout(60)
    void spaceIsKeptUntilTheLastBufferHasGone() throws Exception {
        long before = free();
        file.write(0, random(64 * PAGE), 0, 64 * PAGE);
        ByteBuffer part = file.mapBuffer(READ_WRITE, 0, 64 * PAGE).slice(5, 100).duplicate();
        file.close();
        store.delete("f");
        System.gc();
        try (NovaFile other = store.open("other", CREATE, WRITE)) { // takes all that there is
            byte[] zeros = new byte[PAGE];
            assertThrows(NoSpaceException.class, () -> {
                for (long at = 0; ; at += PAGE) {
                    other.write(at, zeros, 0, PAGE);
                }
            });
        }
        assertArrayEquals(Arrays.copyOfRange(random(64 * PAGE), 5, 105), bytes(part));
        part.put(0, (byte) 1);
        store.delete("other");
        assertTrue(free() <= before - 64);
        Reference.reachabilityFence(part);
        part = null;
        collectUntil(() -> free() >= before - 2); // log pages of the root directory
    }

    /** Nobody waits for the collector's next run to have the space that only garbage keeps. */
    @Test
    @Timeout(60)
    void spaceIsLookedFor() throws Exception {
        byte[] most = new byte[11 << 20];
        int some = 6 << 20;
        file.write(0, most, 0, some);
        file.mapBuffer(READ_WRITE, 0, some);
        file.truncate(0);
        NoSpaceException failure = null;
        for (int i = 0; i < 5; i++) { // the collector may be slower than a call waits
            try {
                file.write(0, most, 0, most.length);
                return;
            } catch (NoSpaceException e) {
                failure = e;
            }
        }
        throw failure;
    }

    @Test
    @Timeout(60)
    void whatIsCutOffStaysInTheBuffer() throws Exception {
        file.write(0, random(8 * PAGE), 0, 8 * PAGE);
        MappedByteBuffer buffer = file.mapBuffer(READ_WRITE, 0, 8 * PAGE);
        file.truncate(2 * PAGE);
        file.write(2 * PAGE, new byte[6 * PAGE], 0, 6 * PAGE); // other pages
        assertArrayEquals(random(8 * PAGE), bytes(buffer));
        assertArrayEquals(new byte[6 * PAGE], read(2 * PAGE, 6 * PAGE));
        buffer.put(PAGE, (byte) 3).put(3 * PAGE, (byte) 4);
        assertEquals(3, read(PAGE, 1)[0]);
        assertEquals(0, read(3 * PAGE, 1)[0]);
        try (NovaFile other = store.open("other", CREATE, WRITE)) {
            other.write(0, new byte[] {1}, 0, 1);
        }
        store.rename("other", "f", StandardCopyOption.REPLACE_EXISTING);
        assertEquals(4, buffer.get(3 * PAGE));
    }

    @Test
    void noRoomInARow() throws Exception {
        file.setSize(100 * PAGE);
        byte[] before = random(100 * PAGE);
        for (int i = 99; i >= 0; i--) { // against the order of blocks
            file.write((long) i * PAGE, before, i * PAGE, PAGE);
        }
        long size = file.size();
        try (NovaFile other = store.open("other", CREATE, WRITE)) {
            assertThrows(NoSpaceException.class, () -> {
                while (true) {
                    other.append(before, 0, PAGE);
                }
            });
            for (long at = 0; at < other.size(); at += 2 * PAGE) { // half of the pool is free, page by page
                other.punchHole(at, PAGE);
            }
        }
        NoSpaceException e =
                assertThrows(NoSpaceException.class, () -> file.mapBuffer(READ_WRITE, 0, 100 * PAGE));
        assertTrue(e.getMessage().contains("in a row"), e.getMessage());
        assertEquals(size, file.size());
        assertArrayEquals(before, read(0, 100 * PAGE));
        assertEquals(ByteBuffer.wrap(before, 0, PAGE), file.mapBuffer(READ_WRITE, 0, PAGE));
    }

    /** Buffers that are reachable are in the way; those that are not are looked for. */
    @Test
    @Timeout(60)
    void buffersInTheWay() throws Exception {
        fragment(20);
        MappedByteBuffer first = file.mapBuffer(READ_WRITE, 0, PAGE);
        FileSystemException e =
                assertThrows(FileSystemException.class, () -> file.mapBuffer(READ_WRITE, 0, 10 * PAGE));
        assertTrue(e.getMessage().contains("pinned"), e.getMessage());
        Reference.reachabilityFence(first);
        first = null;
        collectUntil(() -> {
            try {
                return file.mapBuffer(READ_WRITE, 0, 10 * PAGE) != null;
            } catch (FileSystemException again) {
                return false; // the collector has not been as quick as the call waits
            }
        });
    }

    @Test
    void growingStepByStep() throws IOException {
        List<ByteBuffer> all = new ArrayList<>();
        for (int n = 1; n < 40; n++) {
            all.add(file.mapBuffer(READ_WRITE, 0, n * PAGE).put((n - 1) * PAGE, (byte) n));
        }
        for (ByteBuffer buffer : all) {
            for (int at = 0; at < buffer.capacity(); at += PAGE) {
                assertEquals(at / PAGE + 1, buffer.get(at));
            }
        }
    }

    /** Each with pages of its own in one file, which it writes by one way and reads by the other, beside others' files. */
    @Test
    @Timeout(120)
    void manyThreads() throws Exception {
        int threads = 4;
        int pages = 24;
        file.write((long) threads * pages * PAGE - 1, new byte[1], 0, 1);
        long seed = new SplittableRandom().nextLong();
        List<Thread> all = new ArrayList<>();
        List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
        for (int t = 0; t < threads; t++) {
            int id = t;
            all.add(new Thread(() -> {
                try {
                    useOwnPages(new SplittableRandom(seed + id), id, (long) id * pages * PAGE, pages);
                } catch (Throwable e) {
                    failures.add(new AssertionError("seed " + seed, e));
                }
            }));
        }
        all.forEach(Thread::start);
        for (Thread thread : all) {
            thread.join();
        }
        for (Throwable failure : failures) {
            throw new AssertionError(failure);
        }
    }

    private void useOwnPages(SplittableRandom random, int id, long start, int pages) throws IOException {
        byte[] expected = new byte[pages * PAGE];
        List<MappedByteBuffer> buffers = new ArrayList<>();
        List<Integer> places = new ArrayList<>();
        for (int i = 0; i < 150; i++) {
            int from = random.nextInt(expected.length);
            int n = Math.min(1 + random.nextInt(2 * PAGE), expected.length - from);
            byte[] text = new byte[n];
            random.nextBytes(text);
            int which = buffers.isEmpty() ? -1 : random.nextInt(buffers.size());
            switch (random.nextInt(6)) {
                case 0 -> {
                    try {
                        buffers.add(file.mapBuffer(READ_WRITE, start + from, n));
                        places.add(from);
                    } catch (FileSystemException e) { // pages are pinned in another place
                        buffers.clear();
                        places.clear();
                    }
                }
                case 1 -> {
                    file.write(start + from, text, 0, n);
                    System.arraycopy(text, 0, expected, from, n);
                }
                case 2 -> {
                    if (which >= 0) {
                        int m = Math.min(n, buffers.get(which).capacity());
                        buffers.get(which).put(0, text, 0, m);
                        System.arraycopy(text, 0, expected, places.get(which), m);
                    }
                }
                case 3 -> {
                    for (int k = 0; k < buffers.size(); k++) {
                        ByteBuffer buffer = buffers.get(k);
                        assertEquals(ByteBuffer.wrap(expected, places.get(k), buffer.capacity()).slice(), buffer);
                    }
                    assertArrayEquals(expected, read(start, expected.length));
                }
                case 4 -> {
                    try (NovaFile own = store.open("own" + id, CREATE, READ, WRITE)) {
                        own.write(random.nextInt(20) * PAGE, text, 0, n);
                        own.mapBuffer(READ_WRITE, 0, 1 + random.nextInt(10 * PAGE));
                        own.truncate(random.nextInt(5 * PAGE));
                    } catch (FileSystemException e) {
                        // likewise
                    }
                }
                default -> store.deleteIfExists("own" + id);
            }
        }
    }

    // ---- the life of the store

    @Test
    @Timeout(60)
    void beyondTheStore() throws Exception {
        byte[] text = random(16 * PAGE);
        file.write(0, text, 0, text.length);
        MappedByteBuffer kept = file.mapBuffer(READ_WRITE, 0, text.length);
        file.truncate(8 * PAGE);
        store.close();
        pools.assertSound("p"); // in this process it may be looked at
        kept.put(0, (byte) ~text[0]);
        kept.force();
        store = pools.open("p");
        try (NovaFile other = store.open("other", CREATE, WRITE)) {
            byte[] zeros = new byte[PAGE];
            assertThrows(NoSpaceException.class, () -> {
                for (long at = 0; ; at += PAGE) {
                    other.write(at, zeros, 0, PAGE);
                }
            });
        }
        text[0] = (byte) ~text[0];
        assertArrayEquals(text, bytes(kept));
        file = store.open("f", READ, WRITE);
        assertEquals(8 * PAGE, file.size());
        assertArrayEquals(Arrays.copyOf(text, 8 * PAGE), read(0, 8 * PAGE));
        store.delete("other");
        MappedByteBuffer again = file.mapBuffer(READ_WRITE, 0, 8 * PAGE);
        kept.put(5, (byte) 5);
        assertEquals(5, again.get(5));
        Reference.reachabilityFence(kept);
    }

    /** Another process, which has locks of its own, as this one's child. */
    private boolean othersCanOpen() throws Exception {
        Process process = new ProcessBuilder("flock", "-n", pools.path("p").toString(), "true").start();
        return process.waitFor() == 0;
    }

    @Test
    @Timeout(60)
    void theLockIsKept() throws Exception {
        MappedByteBuffer kept = file.mapBuffer(READ_WRITE, 0, 10);
        assertFalse(othersCanOpen());
        store.close();
        assertFalse(othersCanOpen());
        kept.put(0, (byte) 1);
        Reference.reachabilityFence(kept);
        kept = null;
        collectUntil(this::othersCanOpen);
    }

    /** What many a program does to be rid of a buffer at once. */
    @Test
    @Timeout(60)
    void unmappedByForce() throws Exception {
        Class<?> type = Class.forName("sun.misc.Unsafe");
        Field field = type.getDeclaredField("theUnsafe");
        field.setAccessible(true);
        Method clean = type.getMethod("invokeCleaner", ByteBuffer.class);
        file.write(0, random(8 * PAGE), 0, 8 * PAGE);
        MappedByteBuffer buffer = file.mapBuffer(READ_WRITE, 0, 8 * PAGE);
        clean.invoke(field.get(null), buffer);
        file.write(0, random(7 * PAGE), 0, 7 * PAGE);
        file.force();
        assertArrayEquals(random(7 * PAGE), read(0, 7 * PAGE));
        Reference.reachabilityFence(buffer);
        store.close(); // the buffer is still there, and is not touched
    }

    @Test
    void aPoolOnDisk() throws Exception {
        Path path = Files.createTempDirectory(Path.of(System.getProperty("user.dir"), "target"), "pinned")
                .resolve("pool");
        try {
            try (NovaStore disk = NovaStore.create(path, 4 * TestPools.MIB);
                    NovaFile f = disk.open("f", CREATE, READ, WRITE)) {
                MappedByteBuffer buffer = f.mapBuffer(READ_WRITE, 0, 3 * PAGE);
                buffer.put(PAGE, random(100));
                buffer.force();
                buffer.put(2 * PAGE, (byte) 8);
                f.force();
                byte[] back = new byte[100];
                f.read(PAGE, back, 0, 100);
                assertArrayEquals(random(100), back);
            }
        } finally {
            Files.delete(path);
            Files.delete(path.getParent());
        }
    }
}
