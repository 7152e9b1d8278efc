/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * A JVM that changes names is killed with SIGKILL, again and again. Its steps go round in a ring of twelve, so that the
 * number of a step says what the whole tree is after it: that of the last step which was reported, or of the one after
 * it.
 */
class NamespaceKillTest {
    private static final int ROUNDS = TestPools.FULL ? 100 : 6;
    private static final long SEED = Long.getLong("jnova.seed", System.nanoTime());

    /** Paths in order after each step, with the number of names where it is not a directory. */
    private static final String[] STATES = {
        "a a/x:1 b b/e swap:1",
        "a a/x:1 b b/d b/e swap:1",
        "a a/x:1 b b/d b/d/f:1 b/e swap:1",
        "a a/l:2 a/x:1 b b/d b/d/f:2 b/e swap:1",
        "a a/d a/d/f:2 a/l:2 a/x:1 b b/e swap:1",
        "a a/d a/d/f:2 a/x:2 b b/e swap:1",
        "a a/d:1 a/x:2 b b/e swap swap/f:2",
        "a a/d:1 a/s:1 a/x:2 b b/e swap swap/f:2",
        "a a/d a/d/f:2 a/s:1 a/x:2 b b/e swap:1",
        "a a/d a/s:1 a/x:2 b b/e b/f:2 swap:1",
        "a a/d a/x:2 b b/e b/f:2 swap:1",
        "a a/x:2 b b/e b/f:2 swap:1",
    };

    private static void step(NovaStore store, long step) throws IOException {
        switch ((int) (step % STATES.length)) {
            case 1 -> store.createDirectory("b/d");
            case 2 -> store.open("b/d/f", CREATE_NEW, WRITE).close();
            case 3 -> store.createLink("a/l", "b/d/f");
            case 4 -> store.rename("b/d", "a/d");
            case 5 -> store.rename("a/l", "a/x", REPLACE_EXISTING);
            case 6, 8 -> store.exchange("a/d", "swap");
            case 7 -> store.createSymbolicLink("a/s", "x");
            case 9 -> store.rename("a/d/f", "b/f");
            case 10 -> store.delete("a/s");
            case 11 -> store.rename("a/d", "b/e", REPLACE_EXISTING);
            default -> store.delete("b/f");
        }
    }

    /** Goes on from a step. */
    static final class Writer {
        public static void main(String[] args) throws IOException {
            PrintStream out = new PrintStream(System.out, true);
            try (NovaStore store = NovaStore.open(Path.of(args[0]), TestPools.EMULATED)) {
                for (long step = Long.parseLong(args[1]) + 1; ; step++) {
                    step(store, step);
                    out.println(step);
                }
            }
        }
    }

    @Test
    void everyStateIsOneOfTheRing() throws Exception {
        try (TestPools pools = new TestPools()) {
            try (NovaStore store = pools.create("p", 64 * TestPools.MIB)) {
                store.createDirectory("a");
                store.createDirectory("b");
                store.createDirectory("b/e");
                store.open("a/x", CREATE_NEW, WRITE).close();
                store.open("swap", CREATE_NEW, WRITE).close();
            }
            SplittableRandom random = new SplittableRandom(SEED);
            long done = 0;
            for (int round = 0; round < ROUNDS; round++) {
                long reported = runAndKill(pools, done, 1 + random.nextInt(2000));
                done = check(pools, reported);
                pools.assertSound("p");
            }
            assertTrue(done > ROUNDS);
        }
    }

    private static long runAndKill(TestPools pools, long from, int steps) throws IOException, InterruptedException {
        long done = from;
        try (ChildJvm child = new ChildJvm(Writer.class, pools.path("p").toString(), Long.toString(from))) {
            while (done < from + steps) {
                String line = child.line();
                if (line == null) {
                    throw new AssertionError("the writer ended by itself: " + child.exitCode());
                }
                done = Long.parseLong(line);
            }
            List<String> rest = child.kill();
            return rest.isEmpty() ? done : Long.parseLong(rest.get(rest.size() - 1));
        }
    }

    /** Returns the step that the pool is at. */
    private static long check(TestPools pools, long reported) throws IOException {
        try (NovaStore store = pools.open("p")) {
            assertTrue(store.info().recovered());
            List<String> all = new ArrayList<>();
            addTree(store, "", all);
            String state = String.join(" ", all);
            for (long step = reported; step <= reported + 1; step++) {
                if (state.equals(STATES[(int) (step % STATES.length)])) {
                    return step;
                }
            }
            throw new AssertionError("seed " + SEED + ": after step " + reported + " there is " + state);
        }
    }

    private static void addTree(NovaStore store, String directory, List<String> all) throws IOException {
        for (FileInfo info : store.list("/" + directory)) {
            String path = directory + info.name();
            if (info.type() == FileType.DIRECTORY) {
                all.add(path);
                addTree(store, path + "/", all);
            } else {
                all.add(path + ":" + info.nlink());
            }
        }
    }
}
