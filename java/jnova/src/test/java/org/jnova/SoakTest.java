/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * A pool is filled to the last block and emptied, again and again; and, each time, once more by a process that is killed
 * somewhere on the way. After each, every block is in use or free: what the pool says is what its logs say, and what was
 * emptied has come back.
 */
class SoakTest {
    private static final int ROUNDS = TestPools.FULL ? 100 : 4;
    private static final long POOL = (TestPools.FULL ? 64 : 16) * TestPools.MIB;
    private static final long SEED = Long.getLong("jnova.seed", System.nanoTime());
    private static final int FILES = 100;
    private static final int DIRECTORIES = 10;
    /** A symbolic link may come with each file. */
    private static final int INODES_MAX = DIRECTORIES + 2 * FILES;

    private static final int PAGE = 4096;

    /** Hears of every step. */
    private interface Steps {
        void done();
    }

    /** What fills and empties a store, in the same way for the same seed and store. */
    private static final class Filler {
        private final NovaStore store;
        private final SplittableRandom random;
        private final Steps steps;
        private final byte[] bytes = new byte[1 << 18];

        Filler(NovaStore store, long seed, Steps steps) {
            this.store = store;
            this.random = new SplittableRandom(seed);
            this.steps = steps;
            random.nextBytes(bytes);
        }

        private static String path(int i) {
            return "d" + i % DIRECTORIES + "/f" + i;
        }

        /** Makes files until there is no room, and then lets some of them grow until there is really none. */
        void fill() throws IOException {
            try {
                for (int i = 0; i < DIRECTORIES; i++) {
                    store.createDirectory("d" + i);
                    steps.done();
                }
                for (int i = 0; i < FILES; i++) {
                    make(path(i));
                }
                while (true) {
                    change(path(random.nextInt(FILES)));
                }
            } catch (NoSpaceException e) {
                growToTheLastBlock();
            }
        }

        private void make(String path) throws IOException {
            try (NovaFile file = store.open(path, CREATE_NEW, WRITE)) {
                file.write(random.nextInt(3 * PAGE), bytes, 0, 1 + random.nextInt(4 * PAGE));
            }
            switch (random.nextInt(4)) {
                case 0 -> store.createLink(path + "-link", path);
                case 1 -> store.createSymbolicLink(path + "-symbolic", path);
                case 2 -> store.setAttribute(path, "user.large", new byte[random.nextInt(20_000)]);
                default -> store.rename(path, path + "-renamed");
            }
            steps.done();
        }

        private void change(String path) throws IOException {
            if (!store.exists(path)) {
                path += "-renamed";
            }
            try (NovaFile file = store.open(path, READ, WRITE)) {
                int len = 1 + random.nextInt(bytes.length - 1);
                switch (random.nextInt(5)) {
                    case 0 -> file.write(random.nextLong(file.size() + PAGE), bytes, 0, len);
                    case 1 -> file.punchHole(random.nextLong(file.size() + 1), random.nextInt(8 * PAGE));
                    case 2 -> file.truncate(random.nextLong(file.size() + 1));
                    default -> file.append(bytes, 0, len);
                }
            }
            steps.done();
        }

        /**
         * More than one file: one whose last block is full, and whose log needs a page for the next entry, leaves the
         * last block to another.
         */
        private void growToTheLastBlock() throws IOException {
            for (String name : store.names("d0")) {
                String path = "d0/" + name;
                if (store.stat(path, NOFOLLOW_LINKS).type() == FileType.FILE) {
                    grow(path);
                }
            }
        }

        private void grow(String path) throws IOException {
            try (NovaFile file = store.open(path, WRITE)) {
                for (int len = bytes.length; len > 0; len >>= 1) {
                    try {
                        while (true) {
                            file.append(bytes, 0, len);
                            steps.done();
                        }
                    } catch (NoSpaceException e) {
                        steps.done(); // smaller pieces, then
                    }
                }
            }
        }

        /** Takes everything away, some of it piece by piece. */
        void empty() throws IOException {
            for (String directory : store.names()) {
                List<String> names = new ArrayList<>(store.names(directory));
                while (!names.isEmpty()) {
                    String path = directory + "/" + names.remove(random.nextInt(names.size()));
                    if (random.nextInt(3) == 0
                            && store.stat(path, NOFOLLOW_LINKS).type() == FileType.FILE) {
                        try (NovaFile file = store.open(path, WRITE)) {
                            file.punchHole(0, file.size() / 2);
                            file.truncate(file.size() / 2);
                            steps.done();
                        }
                    }
                    store.delete(path);
                    steps.done();
                }
                store.delete(directory);
                steps.done();
            }
        }
    }

    /** Fills and empties until it is killed. */
    static final class Child {
        public static void main(String[] args) throws IOException {
            PrintStream out = new PrintStream(System.out, true);
            try (NovaStore store = NovaStore.open(Path.of(args[0]), TestPools.EMULATED)) {
                Filler filler = new Filler(store, Long.parseLong(args[1]), () -> out.println("step"));
                while (true) {
                    filler.fill();
                    filler.empty();
                }
            }
        }
    }

    @Test
    void fillAndEmpty() throws Exception {
        System.out.println("seed " + SEED);
        SplittableRandom random = new SplittableRandom(SEED);
        int kills = 0;
        try (TestPools pools = new TestPools()) {
            try (NovaStore store = pools.create("p", POOL)) {
                growInodeTable(store);
            }
            for (int round = 0; round < ROUNDS; round++) {
                int steps;
                try (NovaStore store = pools.open("p")) {
                    steps = fillAndEmpty(store, random.nextLong());
                }
                pools.assertSound("p");
                killed(pools, random.nextLong(), 1 + random.nextInt(steps));
                kills++;
                try (NovaStore store = pools.open("p")) {
                    assertTrue(store.info().recovered());
                }
                pools.assertSound("p");
                try (NovaStore store = pools.open("p")) {
                    new Filler(store, random.nextLong(), () -> {}).empty();
                }
                pools.assertSound("p");
            }
        } catch (Exception | AssertionError e) {
            throw new AssertionError("seed " + SEED, e);
        }
        TestReport.line("soak: a pool of %d MiB filled and emptied %d times, and killed on the way %d times", POOL >> 20,
                ROUNDS, kills);
    }

    /** To what it will need: it stays so large. */
    private static void growInodeTable(NovaStore store) throws IOException {
        for (int i = 0; i < INODES_MAX; i++) {
            store.open("f" + i, CREATE_NEW, WRITE).close();
        }
        for (int i = 0; i < INODES_MAX; i++) {
            store.delete("f" + i);
        }
    }

    /** Returns the number of steps. */
    private static int fillAndEmpty(NovaStore store, long seed) throws IOException {
        int[] steps = new int[1];
        Filler filler = new Filler(store, seed, () -> steps[0]++);
        StoreStats before = store.stats();
        filler.fill();
        assertEquals(0, store.info().freeBytes());
        filler.empty();
        assertEquals(List.of(), store.names());
        StoreStats after = store.stats();
        assertEquals(1, after.info().inodesUsed());
        // What more is in use now is the log of the root directory.
        assertEquals(before.info().blocksFree() - (grown(after) - grown(before)), after.info().blocksFree());
        return steps[0];
    }

    /** Pages that logs have grown by. */
    private static long grown(StoreStats stats) {
        return stats.logs().pagesAdded() - stats.logs().pagesFreed();
    }

    private static void killed(TestPools pools, long seed, int steps) throws IOException, InterruptedException {
        try (ChildJvm child = new ChildJvm(Child.class, pools.path("p").toString(), Long.toString(seed))) {
            for (int i = 0; i < steps; i++) {
                if (child.line() == null) {
                    throw new AssertionError("the child ended by itself: " + child.exitCode());
                }
            }
            child.kill();
        }
    }
}
