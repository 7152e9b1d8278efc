/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.kill;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jnova.CheckReport;
import org.jnova.ChildJvm;
import org.jnova.NovaStore;
import org.jnova.TestJdk;
import org.jnova.TestPools;
import org.jnova.TestReport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * JVMs that write with several threads are killed with SIGKILL, at any moment, one after the other on one pool. Each
 * one first checks what its predecessors left: all calls that were acknowledged, of each thread the one after them
 * wholly or not at all (or in part, if it stores through a mapping), and nothing else. The JVMs are of all JDKs there
 * are, in turn.
 */
@Tag("all-jdks") // starts all JDKs itself, so that there is no need to run it on each
class KillTest {
    private static final int KILLS = TestPools.FULL ? 600 : 16;
    private static final int KILLS_OF_POOL = TestPools.FULL ? 20 : 8; // logs grow, and so does what a check reads

    /** When a JVM is to die: after a line that begins like this, and a random time. */
    private enum Moment {
        OPENING("opening"),
        CLOSING("closing"),
        WRITING("");

        final String line;

        Moment(String line) {
            this.line = line;
        }
    }

    private final List<TestJdk> jdks = TestJdk.all();
    private final SplittableRandom random;
    private long openNs = 10_000_000;
    private long closeNs = 2_000_000;
    private long calls;
    private int kills;
    private int whileOpening;
    private int whileClosing;

    // of the pool of the moment
    private long[] acknowledged;
    private Workload.Last last;

    KillTest() throws IOException {
        String env = System.getenv("NOVA_SEED");
        long seed = env != null ? Long.parseLong(env) : System.nanoTime();
        System.out.println("KillTest: NOVA_SEED=" + seed);
        random = new SplittableRandom(seed);
    }

    @Test
    void whatWasDoneIsThereAndNothingElse() throws Exception {
        try (TestPools pools = new TestPools()) {
            while (kills < KILLS) {
                Path pool = pools.path("p" + kills);
                killManyTimes(pool);
                Files.delete(pool);
            }
        }
        assertTrue(calls > KILLS);
        System.out.printf(
                "kill: %d while they opened the pool, %d while they closed it%n", whileOpening, whileClosing);
        assertTrue(!TestPools.FULL || whileOpening > 0 && whileClosing > 0);
        TestReport.line(
                "kill: %d JVMs killed (%d writer threads each), %d calls acknowledged, reopened by JDK %s, nothing lost",
                kills, Workload.THREADS, calls, TestJdk.versions(jdks) + (jdks.size() > 1 ? " in turn" : ""));
    }

    private void killManyTimes(Path pool) throws IOException, InterruptedException {
        long seed = random.nextLong();
        Workload.createPool(pool);
        acknowledged = new long[Workload.THREADS];
        last = Workload.Last.CLOSED;
        for (int i = 0; i < KILLS_OF_POOL && kills < KILLS; i++) {
            TestJdk jdk = jdks.get(kills % jdks.size());
            String context = "kill " + kills + ", JDK " + jdk.version() + ", pool seed " + seed;
            try {
                runAndKill(pool, jdk, seed);
            } catch (AssertionError e) {
                throw new AssertionError(context + "; the pool is now " + keep(pool) + ": " + e.getMessage(), e);
            }
            kills++;
        }
        CheckReport inspected = Workload.inspect(pool, last);
        try (NovaStore store = NovaStore.open(pool, TestPools.EMULATED)) {
            new Workload(seed).check(store, inspected, last, acknowledged, false);
        }
        Workload.inspect(pool, Workload.Last.CLOSED);
    }

    /** Moves a pool that shows a failure to where it stays. */
    private static Path keep(Path pool) throws IOException {
        return Files.move(pool, Path.of("target/killed.pool").toAbsolutePath(), StandardCopyOption.REPLACE_EXISTING);
    }

    private void runAndKill(Path pool, TestJdk jdk, long seed) throws IOException, InterruptedException {
        Stream<String> known = LongStream.of(acknowledged).mapToObj(Long::toString);
        String[] args = Stream.concat(Stream.of(pool.toString(), "" + seed, "" + random.nextLong(), "" + last), known)
                .toArray(String[]::new);
        int kind = random.nextInt(100);
        Moment moment = kind < 30 ? Moment.OPENING : kind < 55 ? Moment.CLOSING : Moment.WRITING;
        double fraction = random.nextDouble() * 1.3;
        long until = calls + (1L << random.nextInt(13)); // WRITING
        try (ChildJvm child = new ChildJvm(jdk, Victim.class, args)) {
            String line;
            do {
                line = child.line();
                if (line == null) {
                    throw new AssertionError("it ended by itself, with " + child.exitCode());
                }
                heard(line);
            } while (moment == Moment.WRITING ? calls < until : !line.equals(moment.line));
            spin((long) (fraction * switch (moment) {
                case OPENING -> openNs;
                case CLOSING -> closeNs;
                case WRITING -> 1_000_000;
            }));
            String phase = line;
            for (String rest : child.kill()) {
                heard(rest);
                phase = rest;
            }
            assertEquals(128 + 9, child.exitCode());
            whileOpening += phase.equals(Moment.OPENING.line) ? 1 : 0;
            whileClosing += phase.equals(Moment.CLOSING.line) ? 1 : 0;
        }
    }

    /** Lets time pass that is too short for a sleep; which time it is, does not matter. */
    private static void spin(long ns) {
        for (long start = System.nanoTime(); System.nanoTime() - start < ns; ) {
            Thread.onSpinWait();
        }
    }

    /** Takes in what the JVM says. */
    private void heard(String line) {
        String[] words = line.split(" ");
        switch (words[0]) {
            case "opening", "closing" -> last = Workload.Last.EITHER;
            case "opened" -> {
                last = Workload.Last.OPEN;
                openNs = Long.parseLong(words[1]);
            }
            case "closed" -> {
                last = Workload.Last.CLOSED;
                closeNs = Long.parseLong(words[1]);
            }
            case "found" -> {
                int thread = Integer.parseInt(words[1]);
                long found = Long.parseLong(words[2]);
                assertTrue(found == acknowledged[thread] || found == acknowledged[thread] + 1, line);
                acknowledged[thread] = found;
            }
            case "failed" -> throw new AssertionError(line);
            default -> {
                int thread = Integer.parseInt(words[0]);
                assertEquals(acknowledged[thread] + 1, Long.parseLong(words[1]), line);
                acknowledged[thread]++;
                calls++;
            }
        }
    }
}
