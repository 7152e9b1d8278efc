/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.mapping;

import static java.nio.channels.FileChannel.MapMode.READ_WRITE;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jnova.MappedRegion;
import org.jnova.NovaFile;
import org.jnova.NovaStore;
import org.jnova.TestPools;

/**
 * The program of {@link SafepointTest}: threads that store to sparse mapped files, each to one of its own which it
 * empties again and again, beside threads that write over the mapped pages, and {@link System#gc} all the time.
 *
 * <p>Arguments: "pool" for files of a pool, "host" for those of the host, "none" for memory that no file is behind; an
 * empty folder for them; milliseconds; how many threads store, and how many write. It prints one line: stores, faults
 * served, nanoseconds that the longest held the lock of its file and that 99 of 100 did not exceed, whether regions were
 * lazy.
 */
public final class SafepointLoad {
    private static final int PAGE = 4096;
    private static final int PAGES = 4096;

    /** A file that is mapped as a whole. */
    private interface Mapped {
        ByteBuffer memory();

        void write(long position, byte[] bytes) throws IOException;

        /** Makes it one hole. */
        void empty() throws IOException;
    }

    private record InPool(NovaFile file, MappedRegion region, ByteBuffer memory) implements Mapped {
        static InPool make(NovaStore store, String name) throws IOException {
            NovaFile file = store.open(name, CREATE, READ, WRITE);
            file.setSize(PAGES * PAGE);
            MappedRegion region = file.map(READ_WRITE, 0, PAGES * PAGE);
            return new InPool(file, region, region.buffer());
        }

        @Override
        public void write(long position, byte[] bytes) throws IOException {
            file.write(position, bytes, 0, bytes.length);
        }

        @Override
        public void empty() throws IOException {
            file.truncate(0);
            file.setSize(PAGES * PAGE);
        }
    }

    private record OnHost(FileChannel channel, ByteBuffer memory) implements Mapped {
        static OnHost make(Path path) throws IOException {
            FileChannel channel = FileChannel.open(path, CREATE, READ, WRITE);
            return new OnHost(channel, channel.map(READ_WRITE, 0, PAGES * PAGE));
        }

        @Override
        public void write(long position, byte[] bytes) throws IOException {
            channel.write(ByteBuffer.wrap(bytes), position);
        }

        @Override
        public void empty() throws IOException {
            channel.truncate(0);
            channel.write(ByteBuffer.allocate(1), PAGES * PAGE - 1);
        }
    }

    private record NoFile(ByteBuffer memory) implements Mapped {
        @Override
        public void write(long position, byte[] bytes) {
            memory.put((int) position, bytes);
        }

        @Override
        public void empty() {}
    }

    private static volatile boolean stop;

    private SafepointLoad() {}

    public static void main(String[] args) throws Exception {
        Path folder = Files.createDirectories(Path.of(args[1]));
        long millis = Long.parseLong(args[2]);
        int storing = Integer.parseInt(args[3]);
        int writing = Integer.parseInt(args[4]);
        if (!args[0].equals("pool")) {
            List<Mapped> files = new ArrayList<>();
            for (int i = 0; i < storing; i++) {
                files.add(
                        args[0].equals("host")
                                ? OnHost.make(folder.resolve("f" + i))
                                : new NoFile(ByteBuffer.allocateDirect(PAGES * PAGE)));
            }
            System.out.println(run(files, writing, millis) + " 0 0 0 false");
            return;
        }
        long size = 4L * storing * PAGES * PAGE;
        try (NovaStore store = NovaStore.create(folder.resolve("p"), size, TestPools.EMULATED)) {
            List<InPool> files = new ArrayList<>();
            for (int i = 0; i < storing; i++) {
                files.add(InPool.make(store, "f" + i));
            }
            long stores = run(files, writing, millis);
            long faults = 0;
            long longest = 0;
            long usual = 0;
            for (InPool file : files) {
                MappedRegion.Status status = file.region.status();
                faults += status.faults();
                longest = Math.max(longest, status.longestFault().toNanos());
                usual = Math.max(usual, status.fault99().toNanos());
            }
            System.out.println(stores + " " + faults + " " + longest + " " + usual + " "
                    + files.get(0).region.status().lazy());
        }
    }

    private static long run(List<? extends Mapped> files, int writers, long millis) throws Exception {
        ExecutorService executor = Executors.newCachedThreadPool();
        try {
            List<Future<Long>> storing = new ArrayList<>();
            List<Future<Void>> others = new ArrayList<>();
            for (int t = 0; t < files.size(); t++) {
                Mapped file = files.get(t);
                SplittableRandom random = new SplittableRandom(t);
                storing.add(executor.submit(() -> store(file, random)));
            }
            for (int t = 0; t < writers; t++) {
                SplittableRandom random = new SplittableRandom(files.size() + t);
                others.add(executor.submit(() -> write(files, random)));
            }
            others.add(executor.submit(SafepointLoad::collectGarbage));
            Thread.sleep(millis); // how long it runs, not for any order
            stop = true;
            long stores = 0;
            for (Future<Long> future : storing) {
                stores += future.get();
            }
            for (Future<Void> future : others) {
                future.get();
            }
            return stores;
        } finally {
            stop = true;
            executor.shutdown();
        }
    }

    /** To a quarter of the pages, in turn anywhere and one after the other. */
    private static long store(Mapped file, SplittableRandom random) throws IOException {
        ByteBuffer memory = file.memory();
        long stores = 0;
        for (int round = 0; !stop; round++) {
            int first = random.nextInt(PAGES);
            for (int i = 0; i < PAGES / 4 && !stop; i++, stores++) {
                int page = round % 2 == 0 ? random.nextInt(PAGES) : (first + i) % PAGES;
                memory.putLong(page * PAGE + 8, stores);
            }
            file.empty();
        }
        return stores;
    }

    private static Void write(List<? extends Mapped> files, SplittableRandom random) throws IOException {
        byte[] bytes = new byte[3 * PAGE];
        while (!stop) {
            files.get(random.nextInt(files.size())).write(random.nextInt((PAGES - 3) * PAGE), bytes);
        }
        return null;
    }

    private static Void collectGarbage() throws InterruptedException {
        while (!stop) {
            System.gc();
            Thread.sleep(2); // as often as that
        }
        return null;
    }
}
