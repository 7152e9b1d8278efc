/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileSystemException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Operations on names against each other. Afterwards the tree is whole: every name leads to something, directories
 * count the directories in them, files their names; and it is the same after reopening, and the pool sound. The number
 * of operations is fixed, since logs only grow.
 */
class NamespaceStressTest {
    private static final int STEPS = TestPools.FULL ? 100_000 : 4_000;
    private static final long POOL = (TestPools.FULL ? 512 : 64) * TestPools.MIB;
    private static final long SEED = Long.getLong("jnova.seed", System.nanoTime());

    private final TestPools pools = new TestPools();

    @AfterEach
    void remove() {
        pools.close();
    }

    /** Something that a thread does over and over. */
    private interface Work {
        void once(SplittableRandom random, int step) throws IOException;
    }

    /** Runs works at once; the first ones a number of times, and the watchers as long as they do. */
    private static void together(List<Work> works, List<Work> watchers) throws InterruptedException {
        AtomicBoolean stop = new AtomicBoolean();
        List<Throwable> failures = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        CyclicBarrier start = new CyclicBarrier(works.size() + watchers.size());
        for (int i = 0; i < works.size() + watchers.size(); i++) {
            boolean watcher = i >= works.size();
            Work work = watcher ? watchers.get(i - works.size()) : works.get(i);
            SplittableRandom random = new SplittableRandom(SEED + i);
            Thread thread = new Thread(() -> {
                try {
                    start.await();
                    for (int step = 0; !stop.get() && (watcher || step < STEPS); step++) {
                        work.once(random, step);
                    }
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
        for (int i = 0; i < works.size(); i++) {
            threads.get(i).join();
        }
        stop.set(true);
        for (Thread thread : threads) {
            thread.join();
        }
        if (!failures.isEmpty()) {
            throw new AssertionError("seed " + SEED, failures.get(0));
        }
    }

    /** What other threads do makes many an operation impossible; that is an answer, anything else is not. */
    private static boolean tryTo(Work work) throws IOException {
        try {
            work.once(null, 0);
            return true;
        } catch (CorruptPoolException | NoSpaceException e) {
            throw e;
        } catch (FileSystemException e) {
            assertNotNull(e.getFile());
            return false;
        }
    }

    /** Checks counts in a tree. Returns paths and inode numbers. */
    private static Map<String, Long> checkTree(NovaStore store) throws IOException {
        Map<String, Long> all = new HashMap<>();
        Map<Long, Integer> names = new HashMap<>();
        Map<Long, Long> counted = new HashMap<>();
        checkTree(store, "/", all, names, counted);
        names.forEach((ino, n) -> assertEquals(counted.get(ino), n.longValue(), "names of inode " + ino));
        assertEquals(all.values().stream().distinct().count() + 1, store.info().inodesUsed(), "none without a name");
        return all;
    }

    private static void checkTree(
            NovaStore store, String path, Map<String, Long> all, Map<Long, Integer> names, Map<Long, Long> counted)
            throws IOException {
        int directories = 0;
        List<FileInfo> list = store.list(path);
        assertEquals(store.names(path).size(), list.size(), "every name leads to something");
        for (FileInfo info : list) {
            String inside = path + info.name();
            assertNull(all.put(inside, info.ino()));
            if (info.type() == FileType.DIRECTORY) {
                directories++;
                assertNull(names.put(info.ino(), 1), "a directory has one name");
                counted.put(info.ino(), 1L);
                assertEquals(store.stat(path).ino(), store.stat(inside + "/..").ino());
                checkTree(store, inside + "/", all, names, counted);
            } else {
                names.merge(info.ino(), 1, Integer::sum);
                counted.put(info.ino(), info.nlink());
            }
        }
        assertEquals(2 + directories, store.stat(path).nlink(), path);
    }

    private void checkWhole(NovaStore store) throws IOException {
        Map<String, Long> before = checkTree(store);
        store.close();
        pools.assertSound("p");
        try (NovaStore again = pools.open("p")) {
            assertEquals(before, checkTree(again));
        }
        pools.assertSound("p");
    }

    /** Every operation, on few names in few directories that move below each other. */
    @Test
    void everythingAtOnce() throws Exception {
        NovaStore store = pools.create("p", POOL);
        String[] names = {"a", "b", "c"};
        AtomicLong done = new AtomicLong();
        Work work = (random, step) -> {
            String one = path(random, names);
            String two = path(random, names);
            boolean went =
                    switch (random.nextInt(12)) {
                        case 0, 1 -> tryTo((r, s) -> store.createDirectory(one));
                        case 2, 3 -> tryTo((r, s) -> write(store, one));
                        case 4 -> tryTo((r, s) -> store.createLink(one, two));
                        case 5 -> tryTo((r, s) -> store.createSymbolicLink(one, two));
                        case 6 -> tryTo((r, s) -> store.delete(one));
                        case 7, 8 -> tryTo((r, s) -> store.rename(one, two, REPLACE_EXISTING));
                        case 9 -> tryTo((r, s) -> store.exchange(one, two));
                        case 10 -> tryTo((r, s) -> store.setAttributes(one, AttributeChange.none().mode(0700)));
                        default -> tryTo((r, s) -> store.stat(one, NOFOLLOW_LINKS));
                    };
            if (went) {
                done.incrementAndGet();
            }
        };
        Work lists = (random, step) -> tryTo((r, s) -> store.list(path(random, names)));
        together(List.of(work, work, work, work), List.of(lists));
        assertTrue(done.get() > STEPS / 4, "most do nothing: " + done);
        checkWhole(store);
    }

    private static String path(SplittableRandom random, String[] names) {
        StringBuilder path = new StringBuilder(names[random.nextInt(names.length)]);
        for (int depth = random.nextInt(3); depth > 0; depth--) {
            path.append('/').append(names[random.nextInt(names.length)]);
        }
        return path.toString();
    }

    private static void write(NovaStore store, String path) throws IOException {
        try (NovaFile file = store.open(path, CREATE, READ, WRITE)) {
            file.write(0, new byte[5000], 0, 5000);
        }
    }

    /**
     * One thread moves a file to and fro between two directories, another in the opposite direction; a name that is
     * replaced all the time is there all the time. What is guaranteed of the one that moves: each look-up of one name
     * is of one moment. Who looks at both, one after the other, may miss it; a list of a directory has it at most once.
     */
    @Test
    void renamesInOppositeDirections() throws Exception {
        NovaStore store = pools.create("p", POOL);
        for (String path : List.of("x", "y", "x/d", "y/e")) {
            store.createDirectory(path);
        }
        write(store, "x/f");
        write(store, "y/g");
        write(store, "x/always");
        Work there = (random, step) -> {
            store.rename("x/f", "y/f");
            store.rename("y/f", "x/f");
            store.rename("x/d", "y/e/d");
            store.rename("y/e/d", "x/d");
        };
        Work back = (random, step) -> {
            store.rename("y/g", "x/g");
            store.rename("x/g", "y/g");
            store.open("y/new", CREATE_NEW, WRITE).close();
            store.rename("y/new", "x/always", REPLACE_EXISTING);
        };
        Work cycle = (random, step) -> {
            tryTo((r, s) -> store.rename("x/d", "y/e/in"));
            tryTo((r, s) -> store.rename("y/e/in", "x/d"));
            tryTo((r, s) -> store.rename("y/e", "x/d/e"));
            tryTo((r, s) -> store.rename("x/d/e", "y/e"));
        };
        Work look = (random, step) -> {
            assertTrue(store.exists("x/always"));
            assertEquals(0, store.stat("x/always").size() % 5000);
            int found = 0;
            for (String name : store.names("x")) {
                found += name.equals("f") ? 1 : 0;
            }
            assertTrue(found <= 1);
        };
        together(List.of(back, (random, step) -> {
            store.rename("x/f", "y/f");
            store.rename("y/f", "x/f");
        }), List.of(look, cycle));
        together(List.of(there), List.of(look));
        checkWhole(store);
    }

    /** Two moves that lock different directories, and together would make a ring that hangs on nothing. */
    @Test
    void twoMovesNeverMakeARing() throws Exception {
        NovaStore store = pools.create("p", POOL);
        for (String path : List.of("p", "q", "p/a", "q/b")) {
            store.createDirectory(path);
        }
        AtomicInteger arrived = new AtomicInteger();
        List<Work> works = new ArrayList<>();
        for (String[] move : new String[][] {{"p/a", "q/b/a"}, {"q/b", "p/a/b"}}) {
            works.add((random, step) -> {
                if (step >= STEPS / 4) {
                    return;
                }
                meet(arrived, 4 * step + 2);
                boolean went = tryTo((r, s) -> store.rename(move[0], move[1]));
                meet(arrived, 4 * step + 4);
                if (went) {
                    store.rename(move[1], move[0]); // fails if the other one went, too
                }
            });
        }
        together(works, List.of());
        checkWhole(store);
    }

    /** Waits actively, so that both go on at the same moment. Gives up when the other one has failed. */
    private static void meet(AtomicInteger arrived, int all) {
        arrived.incrementAndGet();
        long end = System.nanoTime() + 60_000_000_000L;
        while (arrived.get() < all) {
            assertTrue(System.nanoTime() < end, "the other one does not come");
            Thread.yield();
        }
    }

    /** Within one directory a list is of one moment, and so has the one that moves exactly once. */
    @Test
    void aMovingNameIsInEveryListOfItsDirectory() throws Exception {
        NovaStore store = pools.create("p", POOL);
        store.createDirectory("d");
        write(store, "d/one");
        Work move = (random, step) -> {
            store.rename("d/one", "d/two");
            store.rename("d/two", "d/one");
        };
        AtomicLong seen = new AtomicLong();
        Work look = (random, step) -> {
            assertEquals(1, store.names("d").size());
            Iterator<DirectoryEntry> entries = store.iterate("d");
            while (entries.hasNext()) {
                assertTrue(entries.next().name().matches("one|two"));
            }
            seen.incrementAndGet();
        };
        together(List.of(move), List.of(look, look));
        assertTrue(seen.get() > 0);
        checkWhole(store);
    }

    /** Nothing is made in a directory that is gone, and none with something in it goes. */
    @Test
    void removalAgainstCreation() throws Exception {
        NovaStore store = pools.create("p", POOL);
        store.createDirectory("other");
        AtomicLong made = new AtomicLong();
        Work remove = (random, step) -> {
            tryTo((r, s) -> store.createDirectory("d"));
            try {
                store.deleteIfExists("d");
            } catch (DirectoryNotEmptyException e) {
                // somebody was quicker
            }
        };
        Work create = (random, step) -> {
            String path = "d/" + random.nextInt(3);
            if (tryTo((r, s) -> store.open(path, CREATE_NEW, WRITE).close())) {
                made.incrementAndGet();
                store.delete(path);
            }
        };
        Work replace = (random, step) -> {
            tryTo((r, s) -> store.createDirectory("other/e"));
            tryTo((r, s) -> store.rename("other/e", "d", REPLACE_EXISTING));
        };
        // Only the one who made a file deletes it: that fails if the file was lost with its directory.
        together(List.of(remove, create, replace), List.of());
        checkWhole(store);
    }

    /** A file is opened, linked and deleted at once: each handle works, and its space is free in the end. */
    @Test
    void deletionAgainstOpening() throws Exception {
        NovaStore store = pools.create("p", POOL);
        store.createDirectory("d");
        Work open = (random, step) -> {
            try (NovaFile file = store.open("d/f", CREATE, READ, WRITE)) {
                file.write(0, new byte[] {1, 2, 3}, 0, 3);
                byte[] back = new byte[3];
                assertEquals(3, file.read(0, back, 0, 3));
                assertEquals(3, back[2]);
            }
        };
        Work delete = (random, step) -> store.deleteIfExists("d/f");
        Work link = (random, step) -> {
            tryTo((r, s) -> store.createLink("g", "d/f"));
            store.deleteIfExists("g");
        };
        Work over = (random, step) -> {
            write(store, "h");
            store.rename("h", "d/f", REPLACE_EXISTING);
        };
        together(List.of(open, delete, link, over), List.of());
        store.deleteIfExists("d/f");
        checkWhole(store);
    }

    /** Each thread in a directory of its own; all names are there in the end. */
    @Test
    void creationInManyDirectories() throws Exception {
        NovaStore store = pools.create("p", POOL);
        List<Work> works = new ArrayList<>();
        int threads = 4;
        int files = STEPS / 4;
        for (int t = 0; t < threads; t++) {
            String directory = "d" + t;
            store.createDirectory(directory);
            works.add((random, step) -> {
                if (step < files) {
                    store.open(directory + "/f" + step, CREATE_NEW, WRITE).close();
                }
            });
        }
        together(works, List.of());
        for (int t = 0; t < threads; t++) {
            assertEquals(files, store.stat("d" + t).size());
        }
        checkWhole(store);
    }
}
