/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.mapping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.jnova.ChildJvm;
import org.jnova.TestJdk;
import org.jnova.TestPools;
import org.jnova.TestReport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * How long a JVM takes to reach its safepoints while its threads wait for pages of mapped files: a thread that does so
 * in compiled code reaches none before it has its page. What of that is the machine's doing, show the same load on memory
 * without files, whose threads only wait for a processor; and on files of the host, whose faults the kernel serves
 * alone. The times are printed side by side, and those of a load that leaves processors free; the test fails if
 * safepoints are not reached at all.
 */
@Tag("all-jdks") // starts all JDKs itself
class SafepointTest {
    private static final int STORING = 8; // threads, each to a file of its own
    private static final int WRITING = 2;
    private static final int MILLIS = TestPools.FULL ? 30_000 : 5_000;
    private static final Duration LIMIT = Duration.ofMinutes(3);
    private static final Pattern REACHING = Pattern.compile("Reaching safepoint: (\\d+) ns");

    /** What a JVM did; times to reach a safepoint in ms, in ascending order. */
    private record Run(double[] reaching, long stores, long faults, double longestMs, double ms99, boolean lazy) {
        double longest() {
            return reaching[reaching.length - 1];
        }

        double percentile99() {
            return reaching[reaching.length * 99 / 100];
        }

        @Override
        public String toString() {
            return String.format(
                    "%d safepoints in %.1f s reached within %.2f ms (p99 %.2f ms), %d stores",
                    reaching.length, MILLIS / 1e3, longest(), percentile99(), stores);
        }
    }

    static List<TestJdk> jdks() throws IOException {
        return TestJdk.all();
    }

    private static Run run(TestJdk jdk, String files, int storing, int writing, TestPools pools) throws Exception {
        Path folder = pools.path(files + "-" + storing);
        Path log = pools.path(files + "-" + storing + ".log");
        List<String> options = List.of("-Xlog:safepoint=info:file=" + log + "::filecount=0");
        try (ChildJvm child = new ChildJvm(
                jdk,
                options,
                SafepointLoad.class,
                files,
                folder.toString(),
                "" + MILLIS,
                "" + storing,
                "" + writing)) {
            assertTrue(child.endsWithin(LIMIT), "it hangs, on files of the " + files);
            assertEquals(0, child.exitCode());
            String[] words = child.line().split(" ");
            double[] reaching = REACHING.matcher(Files.readString(log))
                    .results()
                    .mapToDouble(result -> Long.parseLong(result.group(1)) / 1e6)
                    .sorted()
                    .toArray();
            assertTrue(reaching.length > 10, "the log tells of " + reaching.length + " safepoints only");
            return new Run(
                    reaching,
                    Long.parseLong(words[0]),
                    Long.parseLong(words[1]),
                    Long.parseLong(words[2]) / 1e6,
                    Long.parseLong(words[3]) / 1e6,
                    Boolean.parseBoolean(words[4]));
        }
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void faultsLetSafepointsBeReached(TestJdk jdk) throws Exception {
        try (TestPools pools = new TestPools()) {
            Run pool = run(jdk, "pool", STORING, WRITING, pools);
            pools.assertSound("pool-" + STORING + "/p");
            assumeTrue(pool.lazy(), "this process may not use userfaultfd");
            Run none = run(jdk, "none", STORING, WRITING, pools);
            Run host = run(jdk, "host", STORING, WRITING, pools);
            Run one = run(jdk, "pool", 1, 0, pools);
            TestReport.line(
                    "mapping: JDK %d: %s, %d faults, each holding its file for %.2f ms at most (p99 %.2f ms); "
                            + "without mapped files: %s; on files of the host: %s; of a pool, by one thread: %s",
                    jdk.version(), pool, pool.faults(), pool.longestMs(), pool.ms99(), none, host, one);
            assertTrue(pool.faults() > 0);
        }
    }
}
