/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

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
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Memory of regions in the hands of others: the kernel, the garbage collector, child processes, writing calls. */
class MappedMemoryTest extends OneFile {
    MappedMemoryTest() {
        super(64 * TestPools.MIB);
    }

    // ---- as the source of a write

    /** Of the same file, at the same, an overlapping, and another place, with pages that nobody has looked at. */
    @Test
    void writesFromARegionOfTheFile() throws IOException {
        byte[] text = random(20 * PAGE);
        for (int length : new int[] {1, 100, 1024, 1025, PAGE, 3 * PAGE + 5, 256 << 10, (256 << 10) + 1, 1_000_000}) {
            for (int from : new int[] {0, 7, PAGE}) {
                for (int to : new int[] {0, 9, 5 * PAGE, 300 * PAGE}) {
                    file.truncate(0);
                    file.write(10 * PAGE, text, 0, text.length);
                    try (MappedRegion region = file.map(READ_WRITE, 0, 400 * PAGE)) {
                        byte[] expected = read(0, 400 * PAGE);
                        System.arraycopy(expected, from, expected, to, Math.min(length, 400 * PAGE - to));
                        int n = Math.min(length, 400 * PAGE - to);
                        ByteBuffer source = region.buffer(from, n);
                        assertEquals(n, file.write(to, source));
                        assertEquals(0, source.remaining());
                        assertArrayEquals(expected, read(0, 400 * PAGE));
                        assertEquals(ByteBuffer.wrap(expected), region.buffer());
                    }
                }
            }
        }
    }

    @Test
    void appendsAndGathersFromRegions() throws IOException {
        file.write(0, random(5 * PAGE), 0, 5 * PAGE);
        try (MappedRegion region = file.map(READ_ONLY, 0, 5 * PAGE);
                NovaFile other = store.open("g", CREATE, READ, WRITE)) {
            assertEquals(0, other.append(region.buffer(0, 100)));
            assertEquals(100, other.append(new ByteBuffer[] {region.buffer(100, 50), region.buffer(150, 300)}, 0, 2));
            ByteBuffer twice = ByteBuffer.allocate(100).put(region.buffer(450, 100)).flip();
            assertEquals(450, other.append(new ByteBuffer[] {twice, region.buffer(550, 4 * PAGE)}, 0, 2));
            byte[] bytes = new byte[550 + 4 * PAGE];
            other.read(0, bytes, 0, bytes.length);
            assertArrayEquals(Arrays.copyOf(random(5 * PAGE), bytes.length), bytes);
            ByteBuffer[] many = new ByteBuffer[100];
            Arrays.setAll(many, i -> region.buffer(i * 100, 100));
            for (int i = 0; i < 50; i++) { // more than one piece of staging memory
                other.append(many.clone(), 0, 100);
                Arrays.stream(many).forEach(ByteBuffer::rewind);
            }
        }
    }

    /** The write fails before it has done anything, whatever JDK runs it. */
    @Test
    void sourceThatFailsLeavesTheTargetAsItWas() throws IOException {
        for (int length : new int[] {100, 3 * PAGE, 300 * PAGE}) {
            try (NovaFile other = store.open("g", CREATE, READ, WRITE)) {
                other.write(0, random(300 * PAGE), 0, 300 * PAGE);
                MappedRegion region = file.map(READ_WRITE, 0, 300 * PAGE);
                ByteBuffer buffer = region.buffer(300 * PAGE - length, length);
                file.truncate(0);
                assertThrows(InternalError.class, () -> other.write(0, buffer));
                assertEquals(0, buffer.position());
                assertThrows(InternalError.class, () -> other.append(buffer));
                assertThrows(InternalError.class, () -> other.write(0, new ByteBuffer[] {buffer, buffer}, 0, 2));
                assertThrows(InternalError.class, () -> file.write(0, buffer));
                file.setSize(300 * PAGE);
                region.close();
                assertThrows(InternalError.class, () -> other.write(0, buffer));
                byte[] bytes = new byte[300 * PAGE];
                assertEquals(bytes.length, other.size());
                other.read(0, bytes, 0, bytes.length);
                assertArrayEquals(random(300 * PAGE), bytes);
            }
        }
    }

    @Test
    void readsIntoARegion() throws IOException {
        file.write(0, random(100 * PAGE), 0, 100 * PAGE);
        try (MappedRegion region = file.map(READ_WRITE, 200 * PAGE, 100 * PAGE)) {
            ByteBuffer buffer = region.buffer();
            assertEquals(100 * PAGE, file.read(0, buffer));
            assertArrayEquals(random(100 * PAGE), read(200 * PAGE, 100 * PAGE));
        }
    }

    // ---- the kernel

    @Test
    void channelsReadAndWriteRegions() throws IOException {
        byte[] text = random(50 * PAGE);
        Path path = pools.path("host");
        Files.write(path, text);
        MappedRegion region = file.map(READ_WRITE, 0, 100 * PAGE);
        try (FileChannel channel = FileChannel.open(path, READ, WRITE)) {
            ByteBuffer buffer = region.buffer();
            assertEquals(text.length, channel.read(buffer.limit(50 * PAGE))); // holes, stored to by the kernel
            assertArrayEquals(text, read(0, text.length));
            assertEquals(10 * PAGE, channel.write(region.buffer(50 * PAGE, 10 * PAGE), 0)); // holes
            assertEquals(20 * PAGE, channel.write(region.buffer(5, 20 * PAGE), 10 * PAGE));
            byte[] host = Files.readAllBytes(path);
            assertArrayEquals(new byte[10 * PAGE], Arrays.copyOf(host, 10 * PAGE));
            assertArrayEquals(
                    Arrays.copyOfRange(text, 5, 5 + 20 * PAGE), Arrays.copyOfRange(host, 10 * PAGE, 30 * PAGE));
            ByteBuffer gone = region.buffer();
            region.close();
            assertThrows(IOException.class, () -> channel.write(gone, 0));
            assertThrows(IOException.class, () -> channel.read(gone, 0));
        }
    }

    @Test
    void socketsReadAndWriteRegions() throws Exception {
        byte[] text = random(100 * PAGE);
        file.write(0, text, 0, text.length);
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(pools.path("socket"));
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address);
                SocketChannel client = SocketChannel.open(address);
                SocketChannel accepted = server.accept();
                MappedRegion from = file.map(READ_ONLY, 0, text.length);
                MappedRegion to = file.map(READ_WRITE, 200 * PAGE, text.length)) {
            Thread sender = new Thread(() -> {
                ByteBuffer buffer = from.buffer();
                try {
                    while (buffer.hasRemaining()) {
                        client.write(buffer);
                    }
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            sender.start();
            ByteBuffer buffer = to.buffer();
            while (buffer.hasRemaining() && accepted.read(buffer) >= 0) {
                // as it comes
            }
            sender.join();
            assertArrayEquals(text, read(200 * PAGE, text.length));
        }
    }

    @Test
    void childProcesses() throws Exception {
        try (MappedRegion region = file.map(READ_WRITE, 0, 1000 * PAGE)) {
            ByteBuffer buffer = region.buffer();
            buffer.put(0, (byte) 1);
            for (int i = 0; i < 10; i++) {
                assertEquals(0, new ProcessBuilder("true").start().waitFor());
                buffer.put((1 + 7 * i) * PAGE, (byte) i);
                assertEquals(i, read((1 + 7 * i) * PAGE, 1)[0]);
            }
        }
    }

    // ---- the garbage collector

    /** Waits until space that only the collector can free is free. */
    private void awaitFree(long bytes) throws Exception {
        long end = System.nanoTime() + 60_000_000_000L;
        while (store.info().freeBytes() < bytes) {
            assertTrue(System.nanoTime() < end, "unreachable regions still hold the file");
            System.gc();
            Thread.sleep(10); // for the collector, which nothing else can hurry
        }
    }

    private long taken() throws IOException {
        return store.info().freeBytes();
    }

    /** Not inlined into the test, whose frame would keep what it has seen. */
    private List<ByteBuffer> mapAndDelete(boolean keepSlice) throws IOException {
        MappedRegion region = file.map(READ_WRITE, 0, 100 * PAGE);
        region.buffer().put(0, random(100 * PAGE));
        file.close();
        store.delete("f");
        ByteBuffer slice = region.buffer(PAGE, 2 * PAGE).duplicate().slice(5, 100).order(ByteOrder.LITTLE_ENDIAN);
        return keepSlice ? new ArrayList<>(List.of(slice)) : new ArrayList<>();
    }

    @Test
    void unreachableRegionsAreClosed() throws Exception {
        long free = taken();
        mapAndDelete(false);
        awaitFree(free);
    }

    @Test
    void aSliceKeepsItsRegionOpen() throws Exception {
        long free = taken();
        List<ByteBuffer> slices = mapAndDelete(true);
        LongBuffer longs = slices.get(0).asLongBuffer();
        slices.set(0, slices.get(0).asReadOnlyBuffer());
        for (int i = 0; i < 20; i++) {
            System.gc();
            assertTrue(taken() < free - 99 * PAGE);
            assertArrayEquals(Arrays.copyOfRange(random(100 * PAGE), PAGE + 5, PAGE + 105), bytes(slices.get(0)));
        }
        slices.clear();
        longs.put(0, 1);
        for (int i = 0; i < 20; i++) {
            System.gc();
            assertTrue(taken() < free - 99 * PAGE);
            assertEquals(1, longs.get(0));
        }
        Reference.reachabilityFence(longs);
        longs = null;
        awaitFree(free);
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(0, bytes);
        return bytes;
    }

    /** Address space comes back, also of regions that were closed while buffers of them were reachable. */
    @Test
    void addressesComeBack() throws Exception {
        long before = mappings();
        List<ByteBuffer> buffers = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            MappedRegion region = file.map(READ_WRITE, i * PAGE, PAGE);
            buffers.add(region.buffer());
            buffers.get(i).put(0, (byte) i);
            if (i % 2 == 0) {
                region.close();
            }
        }
        assertTrue(mappings() >= before + 200);
        for (int i = 0; i < 200; i += 2) {
            ByteBuffer buffer = buffers.get(i);
            MemoryFault.assertThrown(() -> buffer.get(0));
        }
        assertEquals(77, buffers.get(77).get(0));
        buffers.clear();
        long end = System.nanoTime() + 60_000_000_000L;
        while (mappings() >= before + 100) {
            assertTrue(System.nanoTime() < end, "addresses of unreachable regions are still taken");
            System.gc();
            Thread.sleep(10);
        }
        for (int i = 0; i < 1000; i++) { // at once, if there is no buffer
            file.map(READ_WRITE, 0, PAGE).close();
        }
        assertTrue(mappings() < before + 100);
    }

    private static long mappings() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/maps")).size();
    }

    // ---- closing

    /** Calls on regions run into the store's close, again and again: each works or says that it is closed. */
    @Test
    void callsWhileTheStoreCloses() throws Exception {
        for (int round = 0; round < 30; round++) {
            NovaFile now = file;
            MappedRegion region = now.map(READ_WRITE, 0, 200 * PAGE);
            AtomicReference<Throwable> failure = new AtomicReference<>();
            CountDownLatch running = new CountDownLatch(3);
            List<Thread> threads = new ArrayList<>();
            for (int t = 0; t < 3; t++) {
                int from = t * 50 * PAGE;
                threads.add(new Thread(() -> {
                    try {
                        for (int i = 0; ; i++) {
                            region.allocate(from + i % 50 * PAGE, PAGE);
                            region.force(from, 50 * PAGE);
                            region.status();
                            now.map(READ_WRITE, from, PAGE).close();
                            now.write(from, random(5000), 0, 5000);
                            running.countDown();
                        }
                    } catch (ClosedChannelException e) {
                        // as it should be
                    } catch (Throwable e) {
                        failure.set(e);
                    } finally {
                        running.countDown();
                    }
                }));
            }
            threads.forEach(Thread::start);
            running.await();
            store.close();
            for (Thread thread : threads) {
                thread.join();
            }
            if (failure.get() != null) {
                throw new AssertionError(failure.get());
            }
            assertFalse(region.isOpen());
            pools.assertSound("p");
            store = pools.open("p");
            file = store.open("f", READ, WRITE);
        }
    }

    // ---- a full pool

    @Test
    void storeOnAFullPool() throws IOException {
        try (MappedRegion region = file.map(READ_WRITE, 0, 100_000 * PAGE)) {
            ByteBuffer buffer = region.buffer();
            buffer.put(0, (byte) 1);
            try (NovaFile big = store.open("big", CREATE, WRITE)) {
                for (int size = 1 << 20; size >= PAGE; size >>= 1) {
                    byte[] bytes = new byte[size];
                    assertThrows(NoSpaceException.class, () -> {
                        while (true) {
                            big.append(bytes, 0, bytes.length);
                        }
                    });
                }
                MemoryFault.assertThrown(() -> buffer.put(50_000 * PAGE, (byte) 1));
                assertThrows(NoSpaceException.class, () -> region.allocate(60_000 * PAGE, 1000 * PAGE));
                buffer.put(0, (byte) 2);
                assertEquals(0, buffer.get(70_000 * PAGE));
                assertEquals(2, read(0, 1)[0]);
                assertEquals(0, read(50_000 * PAGE, 1)[0]);
                big.truncate(0);
                assertTrue(store.info().freeBytes() > 0);
                buffer.put(50_001 * PAGE, (byte) 3);
                assertEquals(3, read(50_001 * PAGE, 1)[0]);
                buffer.put(70_000 * PAGE, (byte) 4);
                assertEquals(4, read(70_000 * PAGE, 1)[0]);
            }
        }
    }
}
