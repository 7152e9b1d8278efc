/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.mapping;

import static java.nio.channels.FileChannel.MapMode.READ_WRITE;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jnova.MapOption;
import org.jnova.MappedRegion;
import org.jnova.NovaFile;
import org.jnova.NovaStore;
import org.jnova.TestPools;

/**
 * The program of {@link ScenariosTest}, which gives it a JVM of its own: what is here has ended in a deadlock, or with
 * wrong bytes, in other designs. The scenarios are those of the xfstests generic/344 and generic/428 as they are
 * described in public, and of what was found about the original NOVA.
 *
 * <p>Arguments: scenario, pool, threads, whether {@link System#gc} runs all the time, MiB of the file. It prints "done"
 * in the end.
 */
public final class Scenarios {
    private static final int PAGE = 4096;
    private static final int MARK = 64; // bytes between the marks of two threads

    private final NovaStore store;
    private final int threads;
    private final int pages;

    private Scenarios(NovaStore store, int threads, int pages) {
        this.store = store;
        this.threads = threads;
        this.pages = pages;
    }

    public static void main(String[] args) throws Exception {
        if (Boolean.parseBoolean(args[3])) {
            Thread gc = new Thread(Scenarios::collectGarbage);
            gc.setDaemon(true);
            gc.start();
        }
        int pages = Integer.parseInt(args[4]) << 8;
        int threads = Integer.parseInt(args[2]);
        long size = 8L * pages * PAGE + threads * (8L << 20);
        try (NovaStore store = NovaStore.create(Path.of(args[1]), size, TestPools.EMULATED)) {
            check(store.info().durability() == TestPools.DURABILITY, "the pool is not on what is to be tested");
            Scenarios scenarios = new Scenarios(store, threads, pages);
            switch (args[0]) {
                case "generic344" -> scenarios.generic344();
                case "generic428" -> scenarios.generic428();
                case "source" -> scenarios.source();
                case "twoFiles" -> scenarios.twoFiles();
                default -> throw new IllegalArgumentException(args[0]);
            }
        }
        System.out.println("done");
    }

    private static void collectGarbage() {
        while (true) {
            System.gc();
            try {
                Thread.sleep(1); // not for any order: as often as that
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private static void check(boolean good, String what) {
        if (!good) {
            throw new AssertionError(what);
        }
    }

    private static void run(List<Callable<Void>> tasks) throws Exception {
        ExecutorService executor = Executors.newFixedThreadPool(tasks.size());
        try {
            for (Future<Void> future : executor.invokeAll(tasks)) {
                try {
                    future.get();
                } catch (ExecutionException e) {
                    throw new AssertionError(e.getCause());
                }
            }
        } finally {
            executor.shutdown();
        }
    }

    // ---- generic/344

    private enum Content {
        ZEROS,
        ALLOCATED,
        SPARSE
    }

    /**
     * Threads that store through a mapping beside threads that write, each to its own place in every page: at the end
     * all marks are there.
     */
    private void generic344() throws Exception {
        for (Content content : Content.values()) {
            for (boolean prefault : new boolean[] {false, true}) {
                for (MapOption[] options : new MapOption[][] {{}, {MapOption.EAGER}}) {
                    generic344(content, prefault, options);
                }
            }
        }
    }

    private void generic344(Content content, boolean prefault, MapOption[] options) throws Exception {
        String what = content + (prefault ? ", prefaulted" : "") + (options.length != 0 ? ", eager" : "");
        long size = (long) pages * PAGE;
        NovaFile file = store.open("f", CREATE, READ, WRITE);
        switch (content) {
            case ZEROS -> {
                for (long at = 0; at < size; at += 1 << 20) {
                    file.write(at, new byte[1 << 20], 0, 1 << 20);
                }
            }
            case ALLOCATED -> file.allocate(0, size, false);
            case SPARSE -> file.setSize(size);
        }
        try (MappedRegion region = file.map(READ_WRITE, 0, size, options)) {
            ByteBuffer map = region.buffer().order(ByteOrder.LITTLE_ENDIAN);
            if (prefault) {
                for (int page = 0; page < pages; page++) {
                    check(map.get(page * PAGE) == 0, "not zero");
                }
            }
            List<Callable<Void>> tasks = new ArrayList<>();
            for (int t = 0; t < Math.max(1, threads / 2); t++) {
                int at = t * MARK;
                tasks.add(() -> {
                    for (int page = 0; page < pages; page++) {
                        map.putLong(page * PAGE + at, page + 1);
                    }
                    return null;
                });
                tasks.add(() -> {
                    ByteBuffer mark = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
                    for (int page = 0; page < pages; page++) {
                        file.write((long) page * PAGE + PAGE / 2 + at, mark.putLong(0, ~page).array(), 0, 8);
                    }
                    return null;
                });
            }
            run(tasks);
            byte[] all = new byte[PAGE];
            for (int page = 0; page < pages; page++) {
                check(file.read((long) page * PAGE, all, 0, PAGE) == PAGE, "short");
                ByteBuffer read = ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN);
                for (int t = 0; t < Math.max(1, threads / 2); t++) {
                    int stored = t * MARK;
                    int written = PAGE / 2 + t * MARK;
                    String where = what + ": page " + page + ", thread " + t;
                    check(map.getLong(page * PAGE + stored) == page + 1, where + ": a store is gone");
                    check(map.getLong(page * PAGE + written) == ~page, where + ": the map lacks a write");
                    check(read.getLong(stored) == page + 1, where + ": a read lacks a store");
                    check(read.getLong(written) == ~page, where + ": a write is gone");
                }
            }
        }
        file.close();
        store.delete("f");
    }

    // ---- generic/428

    /** A hole is mapped and loaded, and then written: the mapping shows the new bytes. */
    private void generic428() throws Exception {
        List<Callable<Void>> tasks = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            String name = "f" + t;
            tasks.add(() -> {
                int size = 2 << 20;
                try (NovaFile file = store.open(name, CREATE, READ, WRITE);
                        MappedRegion region = file.map(READ_WRITE, 0, size)) {
                    ByteBuffer map = region.buffer();
                    for (int at = 0; at < size; at += PAGE) {
                        check(map.get(at) == 0, "not zero");
                    }
                    byte[] text = new byte[size];
                    for (int at = 0; at < size; at++) {
                        text[at] = (byte) (at / PAGE + 1);
                    }
                    file.write(0, text, 0, size);
                    for (int at = 0; at < size; at += 512) {
                        check(map.get(at) == text[at], "a stale page at " + at);
                    }
                }
                return null;
            });
        }
        run(tasks);
    }

    // ---- the source of a write is a mapping

    /** Of the same file, at the same range or one that overlaps, of which nothing has been touched. */
    private void source() throws Exception {
        int[] lengths = {1, 100, PAGE, PAGE + 1, 70_000, 1 << 20};
        int[] shifts = {0, 1, 100, PAGE, -PAGE, 3 * PAGE + 7, -5000};
        List<Callable<Void>> tasks = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            String name = "f" + t;
            tasks.add(() -> {
                for (int length : lengths) {
                    for (int shift : shifts) {
                        source(name, length, shift);
                    }
                }
                return null;
            });
        }
        run(tasks);
    }

    private void source(String name, int length, int shift) throws IOException {
        int at = 3 * PAGE + 50;
        byte[] mark = {1, 2, 3};
        try (NovaFile file = store.open(name, CREATE, READ, WRITE);
                MappedRegion region = file.map(READ_WRITE, 0, 2 << 20)) {
            ByteBuffer map = region.buffer();
            file.write(at, mark, 0, 3);
            file.write(at + shift, map.slice(at, length));
            byte[] expected = new byte[2 << 20];
            System.arraycopy(mark, 0, expected, at, 3);
            byte[] copied = new byte[length];
            System.arraycopy(expected, at, copied, 0, length);
            System.arraycopy(copied, 0, expected, at + shift, length);
            byte[] is = new byte[2 << 20];
            file.read(0, is, 0, is.length);
            check(Arrays.equals(is, expected), length + " bytes moved by " + shift + " are wrong");
            map.get(0, is);
            check(Arrays.equals(is, expected), length + " bytes moved by " + shift + " are mapped wrong");
            file.setSize(0);
        }
    }

    /**
     * Two files, each written from a mapping of the other one, at the same time, to the same offsets: each byte is one of
     * the two that were there.
     */
    private void twoFiles() throws Exception {
        int size = pages * PAGE;
        byte[] as = new byte[size];
        byte[] bs = new byte[size];
        for (int at = 0; at < size; at++) {
            as[at] = (byte) (1 + at % 127);
            bs[at] = (byte) (-1 - at % 127);
        }
        try (NovaFile a = store.open("a", CREATE, READ, WRITE);
                NovaFile b = store.open("b", CREATE, READ, WRITE)) {
            a.write(0, as, 0, size);
            b.write(0, bs, 0, size);
            try (MappedRegion ra = a.map(READ_WRITE, 0, size);
                    MappedRegion rb = b.map(READ_WRITE, 0, size)) {
                ByteBuffer ma = ra.buffer();
                ByteBuffer mb = rb.buffer();
                List<Callable<Void>> tasks = new ArrayList<>();
                for (int t = 0; t < Math.max(1, threads / 2); t++) {
                    int first = t;
                    tasks.add(() -> copy(a, mb, size, first));
                    tasks.add(() -> copy(b, ma, size, first));
                }
                run(tasks);
                boolean changed = checkEither(a, ma, as, bs) | checkEither(b, mb, bs, as);
                check(changed, "nothing has been written");
            }
        }
    }

    /** Whether some of its bytes are the other ones. */
    private static boolean checkEither(NovaFile file, ByteBuffer map, byte[] own, byte[] other) throws IOException {
        byte[] is = new byte[own.length];
        byte[] mapped = new byte[own.length];
        file.read(0, is, 0, is.length);
        map.get(0, mapped);
        check(Arrays.equals(is, mapped), "a mapping shows other bytes than a read");
        for (int at = 0; at < is.length; at++) {
            check(is[at] == own[at] || is[at] == other[at], "byte " + at + " is one that nobody wrote");
        }
        return !Arrays.equals(is, own);
    }

    private Void copy(NovaFile to, ByteBuffer from, int size, int first) throws IOException {
        int length = 3 * PAGE + 100;
        for (int at = first * 1000; at + length <= size; at += 2 * length) {
            to.write(at, from.slice(at, length));
        }
        return null;
    }
}
