/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.CompletionHandler;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.OverlappingFileLockException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import org.jnova.TestPools;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class NovaFileChannelTest {
    private final NioPools pools = new NioPools();
    private FileSystem fs;
    private Path path;

    @BeforeEach
    void open() throws Exception {
        fs = pools.create("p", 32 * TestPools.MIB);
        path = Files.createFile(fs.getPath("/f"));
    }

    @AfterEach
    void close() throws Exception {
        pools.closeSound(fs, "p");
        pools.close();
    }

    private FileChannel readWrite() throws IOException {
        return FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    @Test
    void appendsOfManyChannelsAreWhole() throws Exception {
        int threads = 4;
        int records = 300;
        int size = 3000;
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        List<Future<?>> all = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            byte mark = (byte) (t + 1);
            all.add(executor.submit(() -> {
                try (FileChannel channel = FileChannel.open(path, StandardOpenOption.APPEND)) {
                    ByteBuffer[] record = {ByteBuffer.allocate(1000), ByteBuffer.allocate(size - 1000)};
                    for (ByteBuffer part : record) {
                        Arrays.fill(part.array(), mark);
                    }
                    for (int i = 0; i < records; i++) {
                        assertEquals(size, channel.write(record));
                        record[0].clear();
                        record[1].clear();
                    }
                }
                return null;
            }));
        }
        for (Future<?> one : all) {
            one.get();
        }
        executor.shutdown();
        byte[] bytes = Files.readAllBytes(path);
        assertEquals(threads * records * size, bytes.length);
        int[] counts = new int[threads + 1];
        for (int at = 0; at < bytes.length; at += size) {
            for (int i = 0; i < size; i++) {
                assertEquals(bytes[at], bytes[at + i]);
            }
            counts[bytes[at]]++;
        }
        for (int t = 1; t <= threads; t++) {
            assertEquals(records, counts[t]);
        }
    }

    @Test
    void interruptionClosesTheChannel() throws Exception {
        try (FileChannel channel = readWrite();
                FileChannel other = readWrite()) {
            Thread.currentThread().interrupt();
            assertThrows(ClosedByInterruptException.class, () -> channel.write(ByteBuffer.allocate(10)));
            assertTrue(Thread.interrupted());
            assertFalse(channel.isOpen());
            assertThrows(ClosedChannelException.class, channel::size);
            assertEquals(0, other.size());
        }
    }

    @Test
    @SuppressWarnings("try") // closed on purpose
    void locksExcludeAcrossChannelsOfAllKinds() throws Exception {
        Path name = Files.createLink(fs.getPath("/other"), path);
        try (FileChannel one = readWrite();
                FileChannel two = FileChannel.open(name, StandardOpenOption.READ, StandardOpenOption.WRITE);
                AsynchronousFileChannel three =
                        AsynchronousFileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            FileLock lock = one.lock(10, 10, true);
            assertThrows(OverlappingFileLockException.class, () -> one.tryLock(19, 1, true));
            assertThrows(OverlappingFileLockException.class, () -> two.tryLock(0, 11, true));
            assertThrows(OverlappingFileLockException.class, () -> three.tryLock(15, 1, false));
            assertThrows(OverlappingFileLockException.class, () -> three.lock(15, 1, false));
            FileLock beside = three.lock(20, 5, false).get();
            assertTrue(two.tryLock(0, 10, false).isValid());
            lock.release();
            assertFalse(lock.isValid());
            assertTrue(two.tryLock(10, 10, false).isValid());
            three.close();
            assertFalse(beside.isValid());
            assertThrows(ClosedChannelException.class, beside::release);
            assertTrue(one.tryLock(20, 5, false).isValid());
        }
        try (FileChannel again = readWrite()) {
            assertTrue(again.tryLock().isValid());
        }
    }

    @Test
    void deletedOnClose() throws Exception {
        long before = Files.getFileStore(path).getUnallocatedSpace();
        try (SeekableByteChannel channel = Files.newByteChannel(
                path, StandardOpenOption.WRITE, StandardOpenOption.READ, StandardOpenOption.DELETE_ON_CLOSE)) {
            channel.write(ByteBuffer.allocate(100_000));
            assertEquals(100_000, channel.size());
        }
        assertFalse(Files.exists(path));
        assertTrue(Files.getFileStore(fs.getPath("/")).getUnallocatedSpace() >= before);
    }

    @Test
    void aDirectoryCanBeForced() throws Exception {
        try (FileChannel channel = FileChannel.open(fs.getPath("/"))) {
            channel.force(true);
            assertThrows(IOException.class, () -> channel.read(ByteBuffer.allocate(1)));
            assertThrows(NonWritableChannelException.class, () -> channel.write(ByteBuffer.allocate(1)));
        }
        assertThrows(IOException.class, () -> FileChannel.open(fs.getPath("/"), StandardOpenOption.WRITE));
    }

    @Test
    void transfersToOtherFileSystems() throws Exception {
        byte[] bytes = new byte[1_000_000];
        new Random(1).nextBytes(bytes);
        Path outside = pools.file("outside");
        Files.write(path, bytes);
        try (FileChannel from = readWrite();
                FileChannel to = FileChannel.open(
                        outside, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            assertEquals(bytes.length, from.transferTo(0, Long.MAX_VALUE, to));
            assertEquals(-1, Files.mismatch(path, outside));
            from.truncate(0);
            assertEquals(bytes.length, from.transferFrom(to.position(0), 0, Long.MAX_VALUE));
            assertEquals(-1, Files.mismatch(path, outside));
        }
    }

    @Test
    @SuppressWarnings("try") // closed on purpose
    void mappedBuffers() throws Exception {
        Files.write(path, new byte[] {1, 2, 3});
        try (FileChannel channel = readWrite()) {
            MappedByteBuffer buffer = channel.map(FileChannel.MapMode.READ_WRITE, 1, 10_000);
            assertEquals(10_001, channel.size());
            buffer.put(9_999, (byte) 4);
            channel.force(false);
            assertEquals(4, Files.readAllBytes(path)[10_000]);
            channel.close();
            assertThrows(ClosedChannelException.class, () -> channel.map(FileChannel.MapMode.READ_ONLY, 0, 1));
            assertEquals(2, buffer.get(0));
        }
    }

    @Test
    @SuppressWarnings("try") // closed on purpose
    void asynchronousCalls() throws Exception {
        try (AsynchronousFileChannel channel =
                AsynchronousFileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            assertEquals(5, channel.write(ByteBuffer.wrap(new byte[5]), 3).get());
            assertEquals(8, channel.size());
            ByteBuffer read = ByteBuffer.allocate(10);
            CompletableFuture<Integer> done = new CompletableFuture<>();
            channel.read(read, 3, "attachment", new CompletionHandler<Integer, String>() {
                @Override
                public void completed(Integer result, String attachment) {
                    done.complete(result);
                }

                @Override
                public void failed(Throwable e, String attachment) {
                    done.completeExceptionally(e);
                }
            });
            assertEquals(5, done.get());
            assertEquals(-1, channel.read(ByteBuffer.allocate(1), 8).get());
            assertThrows(IllegalArgumentException.class, () -> channel.read(read, -1));
            channel.truncate(2).force(true);
            channel.close();
            ExecutionException failed = assertThrows(
                    ExecutionException.class, () -> channel.read(ByteBuffer.allocate(1), 0).get());
            assertInstanceOf(ClosedChannelException.class, failed.getCause());
        }
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try (AsynchronousFileChannel channel =
                AsynchronousFileChannel.open(path, Set.of(StandardOpenOption.READ), executor)) {
            assertEquals(2, channel.read(ByteBuffer.allocate(10), 0).get());
            executor.shutdown();
            assertThrows(RejectedExecutionException.class, () -> channel.read(ByteBuffer.allocate(10), 0));
        }
    }
}
