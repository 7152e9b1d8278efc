/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.ClosedFileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Closed stores, and stores and files that are closed while other threads use them: an exception, never a crash. */
class CloseRaceTest {
    private static final int ROUNDS = TestPools.FULL ? 400 : 40;

    private final TestPools pools = new TestPools();

    @AfterEach
    void remove() {
        pools.close();
    }

    @Test
    void closedStoreRefuses() throws IOException {
        NovaStore store = pools.create("p", 4 * TestPools.MIB);
        NovaFile file = store.open("f", CREATE, READ, WRITE);
        file.write(0, new byte[] {1}, 0, 1);
        store.close();
        store.close();
        assertFalse(store.isOpen());
        assertFalse(file.isOpen());
        assertThrows(ClosedFileSystemException.class, () -> store.open("f"));
        assertThrows(ClosedFileSystemException.class, () -> store.open("g", CREATE, WRITE));
        assertThrows(ClosedFileSystemException.class, () -> store.exists("f"));
        assertThrows(ClosedFileSystemException.class, store::names);
        assertThrows(ClosedFileSystemException.class, store::list);
        assertThrows(ClosedFileSystemException.class, () -> store.stat("f"));
        assertThrows(ClosedFileSystemException.class, () -> store.delete("f"));
        assertThrows(ClosedFileSystemException.class, () -> store.deleteIfExists("f"));
        assertThrows(ClosedFileSystemException.class, () -> store.rename("f", "g"));
        assertThrows(ClosedFileSystemException.class, store::info);
        byte[] one = new byte[1];
        assertThrows(ClosedChannelException.class, () -> file.read(0, one, 0, 1));
        assertThrows(ClosedChannelException.class, () -> file.read(0, ByteBuffer.allocate(1)));
        assertThrows(ClosedChannelException.class, () -> file.write(0, one, 0, 1));
        assertThrows(ClosedChannelException.class, () -> file.write(0, ByteBuffer.allocateDirect(1)));
        assertThrows(ClosedChannelException.class, () -> file.append(one, 0, 1));
        assertThrows(ClosedChannelException.class, () -> file.setSize(5));
        assertThrows(ClosedChannelException.class, file::size);
        assertThrows(ClosedChannelException.class, file::info);
        assertThrows(ClosedChannelException.class, file::force);
        file.close();
        file.close();
        pools.assertSound("p");
    }

    /** Something a thread does over and over until the store is closed under it. */
    private interface Work {
        void once(SplittableRandom random) throws IOException;
    }

    /** Runs until refused for being closed; anything else is a failure. */
    private static Thread start(List<Throwable> failures, CountDownLatch running, long seed, Work work) {
        Thread thread = new Thread(() -> {
            SplittableRandom random = new SplittableRandom(seed);
            boolean counted = false;
            try {
                while (true) {
                    work.once(random);
                    if (!counted) {
                        counted = true;
                        running.countDown();
                    }
                }
            } catch (ClosedChannelException | ClosedFileSystemException e) {
                // as it should
            } catch (Throwable e) {
                synchronized (failures) {
                    failures.add(e);
                }
            } finally {
                if (!counted) {
                    running.countDown();
                }
            }
        });
        thread.start();
        return thread;
    }

    @Test
    void storeClosesUnderReadersAndWriters() throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            String pool = "p" + round;
            NovaStore store = pools.create(pool, 64 * TestPools.MIB);
            NovaFile file = store.open("f", CREATE, READ, WRITE);
            file.write(0, new byte[100_000], 0, 100_000);
            NovaFile log = store.open("log", CREATE, WRITE);
            List<Throwable> failures = new ArrayList<>();
            CountDownLatch running = new CountDownLatch(6);
            ByteBuffer direct = ByteBuffer.allocateDirect(10_000);
            byte[] array = new byte[300_000];
            List<Thread> threads = List.of(
                    start(failures, running, 1, r -> file.read(r.nextInt(90_000), direct.clear())),
                    start(failures, running, 2, r -> file.read(r.nextInt(1000), new byte[100_000], 0, 100_000)),
                    start(failures, running, 3, r -> file.write(r.nextInt(90_000), array, 0, r.nextInt(1, 9_000))),
                    start(failures, running, 4, r -> {
                        if (log.append(array, 0, array.length) > 1_000_000) {
                            log.setSize(0);
                        }
                    }),
                    start(failures, running, 5, r -> {
                        try (NovaFile other = store.open("n" + r.nextInt(5), CREATE, WRITE)) {
                            other.append(array, 0, 5000);
                            if (other.size() > 50_000) {
                                other.setSize(0);
                            }
                        }
                    }),
                    start(failures, running, 6, r -> {
                        store.deleteIfExists("n" + r.nextInt(5));
                        store.list();
                        store.info();
                        try {
                            store.rename("n" + r.nextInt(5), "n" + r.nextInt(5), StandardCopyOption.REPLACE_EXISTING);
                        } catch (NoSuchFileException e) {
                            // not there just now
                        }
                    }));
            running.await();
            Thread closer = new Thread(() -> {
                try {
                    store.close();
                } catch (IOException e) {
                    synchronized (failures) {
                        failures.add(e);
                    }
                }
            });
            closer.start();
            store.close();
            closer.join();
            for (Thread thread : threads) {
                thread.join();
            }
            if (!failures.isEmpty()) {
                throw new AssertionError("round " + round, failures.get(0));
            }
            file.close();
            pools.assertSound(pool);
            java.nio.file.Files.delete(pools.path(pool));
        }
    }

    /** Methods of the store say that the store is closed, also those that go on with a file outside its gate. */
    @Test
    void methodsOfAStoreThatClosesSayThatTheStoreIsClosed() throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            String pool = "p" + round;
            NovaStore store = pools.create(pool, 4 * TestPools.MIB);
            store.open("f", CREATE, WRITE).close();
            List<Throwable> failures = new ArrayList<>();
            CountDownLatch running = new CountDownLatch(4);
            AttributeChange change = AttributeChange.none().mode(0600);
            List<Thread> threads = List.of(
                    start(failures, running, 1, ofStore(r -> store.stat("f"))),
                    start(failures, running, 2, ofStore(r -> store.list())),
                    start(failures, running, 3, ofStore(r -> store.setAttributes("f", change))),
                    start(failures, running, 4, r -> {
                        NovaFile[] file = new NovaFile[1];
                        ofStore(x -> file[0] = store.open("f")).once(r);
                        file[0].close();
                    }));
            running.await();
            store.close();
            for (Thread thread : threads) {
                thread.join();
            }
            if (!failures.isEmpty()) {
                throw new AssertionError("round " + round, failures.get(0));
            }
            java.nio.file.Files.delete(pools.path(pool));
        }
    }

    private static Work ofStore(Work work) {
        return random -> {
            try {
                work.once(random);
            } catch (ClosedChannelException e) {
                throw new AssertionError("a store is no channel", e);
            }
        };
    }

    /**
     * A deleted file's last handle closes under a reader, and its blocks are reused at once: the reader must not see
     * them.
     */
    @Test
    void lastHandleClosesUnderReaders() throws Exception {
        int size = 64 * 1024;
        byte[] ours = new byte[size];
        java.util.Arrays.fill(ours, (byte) 1);
        byte[] others = new byte[size];
        java.util.Arrays.fill(others, (byte) 2);
        try (NovaStore store = pools.create("p", 4 * TestPools.MIB);
                NovaFile reuse = store.open("reuse", CREATE, WRITE)) {
            for (int round = 0; round < ROUNDS * 5; round++) {
                NovaFile file = store.open("f", CREATE, READ, WRITE);
                file.write(0, ours, 0, size);
                List<Throwable> failures = new ArrayList<>();
                CountDownLatch running = new CountDownLatch(1);
                byte[] back = new byte[size];
                Thread reader = start(failures, running, round, r -> {
                    int n = file.read(0, back, 0, size);
                    assertEquals(size, n);
                    for (int i = 0; i < size; i += 512) {
                        assertEquals(1, back[i]);
                    }
                });
                running.await();
                store.delete("f");
                file.close();
                for (int i = 0; i < 20; i++) {
                    reuse.write(0, others, 0, size);
                }
                reader.join();
                if (!failures.isEmpty()) {
                    throw new AssertionError("round " + round, failures.get(0));
                }
            }
        }
        pools.assertSound("p");
    }

    @Test
    void handlesThatAreNotClosedAreNoObstacle() throws IOException {
        NovaStore store = pools.create("p", 4 * TestPools.MIB);
        for (int i = 0; i < 500; i++) {
            store.open("f" + i % 10, CREATE, WRITE).append(new byte[] {1}, 0, 1);
        }
        store.close();
        pools.assertSound("p");
        try (NovaStore again = pools.open("p")) {
            assertEquals(50, again.stat("f3").size());
            assertTrue(again.isOpen());
        }
    }
}
