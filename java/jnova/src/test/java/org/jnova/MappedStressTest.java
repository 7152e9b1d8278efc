/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.channels.FileChannel.MapMode.READ_WRITE;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileSystemException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Threads that store to and write a file at once. Each has words of its own in pages that all share, and pages of its
 * own that it makes holes again and again. What a thread has put it must find, by every way: a store that is lost to a
 * write of its page, a region that still shows an old block, a read through an old view, all are a word that is wrong.
 */
class MappedStressTest {
    private static final long RUN_NS = TestPools.FULL ? 60_000_000_000L : 2_000_000_000L;
    private static final long SEED = Long.getLong("jnova.seed", System.nanoTime());
    private static final int PAGE = 4096;
    private static final int THREADS = 4;
    private static final int SHARED = 24;
    private static final int OWN = 12;
    private static final int PAGES = SHARED + THREADS * OWN;

    private final TestPools pools = new TestPools();
    private final AtomicBoolean stop = new AtomicBoolean();
    private final List<Throwable> failures = new ArrayList<>();
    private final AtomicLong checks = new AtomicLong();

    @AfterEach
    void remove() {
        pools.close();
    }

    private interface Work {
        void run() throws Exception;
    }

    private Thread start(Work work) {
        Thread thread = new Thread(() -> {
            try {
                work.run();
            } catch (Throwable e) {
                synchronized (failures) {
                    failures.add(e);
                }
                stop.set(true);
            }
        });
        thread.start();
        return thread;
    }

    /** Lets them run for a while, or until one stops all. */
    private void await(List<Thread> threads) throws InterruptedException {
        long end = System.nanoTime() + RUN_NS;
        while (System.nanoTime() < end && !stop.get()) {
            threads.get(0).join(20);
        }
        stop.set(true);
        for (Thread thread : threads) {
            thread.join();
        }
        if (!failures.isEmpty()) {
            throw new AssertionError("seed " + SEED, failures.get(0));
        }
    }

    /** One thread's words. */
    private final class Owner {
        final int id;
        final NovaFile file;
        final List<ByteBuffer> regions;
        final SplittableRandom random;
        final long[] model = new long[PAGES * PAGE / 8];
        final byte[] bytes = new byte[8];

        Owner(int id, NovaFile file, List<ByteBuffer> regions) {
            this.id = id;
            this.file = file;
            this.regions = regions;
            this.random = new SplittableRandom(SEED + id);
        }

        void run() throws IOException {
            for (long i = 1; !stop.get(); i++) {
                if (random.nextInt(10) == 0) {
                    punch();
                }
                int word = random.nextBoolean()
                        ? random.nextInt(SHARED * PAGE / 8 / THREADS) * THREADS + id
                        : (SHARED + id * OWN) * PAGE / 8 + random.nextInt(OWN * PAGE / 8);
                if (random.nextInt(4) != 0) {
                    model[word] = i << 3 | id;
                    put(word);
                }
                for (ByteBuffer region : regions) {
                    check(word, region.getLong(word * 8), "a region");
                }
                file.read(word * 8L, bytes, 0, 8);
                check(word, ByteBuffer.wrap(bytes).getLong(), "a read");
            }
            for (int word = 0; word < model.length; word++) {
                if (word >= SHARED * PAGE / 8 ? (word - SHARED * PAGE / 8) / (OWN * PAGE / 8) == id : word % THREADS == id) {
                    check(word, regions.get(0).getLong(word * 8), "a region at the end");
                }
            }
        }

        private void put(int word) throws IOException {
            int how = random.nextInt(regions.size() + 1);
            if (how < regions.size()) {
                regions.get(how).putLong(word * 8, model[word]);
            } else {
                file.write(word * 8L, ByteBuffer.wrap(bytes).putLong(0, model[word]));
            }
        }

        private void punch() throws IOException {
            int page = SHARED + id * OWN + random.nextInt(OWN);
            int n = Math.min(SHARED + (id + 1) * OWN - page, 1 + random.nextInt(3));
            file.punchHole((long) page * PAGE, (long) n * PAGE);
            Arrays.fill(model, page * PAGE / 8, (page + n) * PAGE / 8, 0);
        }

        private void check(int word, long got, String by) {
            checks.incrementAndGet();
            if (got != model[word]) {
                throw new AssertionError(String.format(
                        "seed %d: thread %d, page %d: word %d by %s is %x and not %x",
                        SEED, id, word / (PAGE / 8), word, by, got, model[word]));
            }
        }
    }

    private void run(MapOption... options) throws Exception {
        try (NovaStore store = pools.create("p", 256 * TestPools.MIB);
                NovaFile file = store.open("f", CREATE, READ, WRITE);
                NovaFile copy = store.open("g", CREATE, READ, WRITE);
                MappedRegion one = file.map(READ_WRITE, 0, PAGES * PAGE, options);
                MappedRegion two = file.map(READ_WRITE, 0, PAGES * PAGE, options)) {
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                Owner owner = new Owner(i, file, List.of(one.buffer(), two.buffer()));
                threads.add(start(owner::run));
            }
            threads.add(start(() -> disturb(store, file, copy)));
            await(threads);
            TestReport.line(
                    "mapping: %d checks among stores, writes and holes; %d faults",
                    checks.get(), one.status().faults() + two.status().faults());
        }
        pools.assertSound("p");
    }

    /** Changes nothing that others look at, and as much as it can beside that. */
    private void disturb(NovaStore store, NovaFile file, NovaFile copy) throws IOException {
        SplittableRandom random = new SplittableRandom(SEED - 1);
        while (!stop.get()) {
            switch (random.nextInt(7)) {
                case 0 -> {
                    try (MappedRegion region = file.map(READ_WRITE, PAGE, (PAGES + 20L) * PAGE)) {
                        region.buffer().put(PAGES * PAGE, (byte) 1);
                        region.force();
                    }
                }
                case 1 -> file.truncate((long) PAGES * PAGE);
                case 2 -> file.append(new byte[5000], 0, 5000);
                case 3 -> {
                    file.copyRange(0, copy, 0, (long) PAGES * PAGE);
                    copy.truncate(0);
                }
                case 4 -> {
                    store.createLink("h", "f");
                    store.delete("h");
                }
                case 5 -> defragment(file);
                default -> System.gc();
            }
        }
    }

    private static void defragment(NovaFile file) throws IOException {
        try {
            file.defragment();
        } catch (FileSystemException e) { // an eager region cannot wait for its bytes to be copied
            if (!e.getMessage().contains("eager")) {
                throw e;
            }
        }
    }

    /** Who has seen a write in a region finds it by a read, and the other way round; of every page it is about. */
    @Test
    void whatOneWayShowsTheOthersDo() throws Exception {
        int pages = 20;
        try (NovaStore store = pools.create("p", 256 * TestPools.MIB);
                NovaFile file = store.open("f", CREATE, READ, WRITE);
                MappedRegion one = file.map(READ_WRITE, 0, pages * PAGE);
                MappedRegion two = file.map(READ_WRITE, 0, pages * PAGE)) {
            List<Thread> threads = new ArrayList<>();
            threads.add(start(() -> {
                ByteBuffer bytes = ByteBuffer.allocateDirect(pages * PAGE);
                for (long i = 1; i < 200_000 && !stop.get(); i++) {
                    for (int page = 0; page < pages; page++) {
                        bytes.putLong(page * PAGE, i);
                    }
                    file.write(0, bytes.clear());
                    if (i % 16 == 0) { // a few pages larger and smaller again
                        file.setSize((pages + 3L) * PAGE);
                        file.truncate(pages * PAGE);
                    }
                }
                stop.set(true);
            }));
            for (int t = 0; t < 2; t++) {
                SplittableRandom random = new SplittableRandom(SEED + t);
                ByteBuffer[] regions = {one.buffer(), two.buffer()};
                threads.add(start(() -> {
                    byte[] bytes = new byte[8];
                    while (!stop.get()) {
                        int at = random.nextInt(pages) * PAGE;
                        long seen = 0;
                        for (int i = 0; i < 6; i++) {
                            int way = random.nextInt(3);
                            if (way == 2) {
                                file.read(at, bytes, 0, 8);
                            }
                            long now = way == 2 ? ByteBuffer.wrap(bytes).getLong() : regions[way].getLong(at);
                            if (now < seen) {
                                throw new AssertionError(way + " shows " + now + " after " + seen);
                            }
                            seen = now;
                            checks.incrementAndGet();
                        }
                    }
                }));
            }
            await(threads);
            TestReport.line("mapping: %d looks at a file that is written", checks.get());
        }
        pools.assertSound("p");
    }

    @Test
    void everyThreadFindsWhatItPut() throws Exception {
        run();
    }

    @Test
    void inPlace() throws Exception {
        run(MapOption.EAGER);
    }
}
