/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.mapping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.time.Duration;
import java.util.List;
import org.jnova.ChildJvm;
import org.jnova.TestPools;
import org.jnova.TestReport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs {@link Scenarios}, each in a JVM of its own that is killed if it does not end. */
class ScenariosTest {
    private static final Duration LIMIT = Duration.ofMinutes(10); // emulated CPUs are slow
    private static final boolean SHORT = System.getenv("NOVA_SHORT") != null;

    static List<String> scenarios() {
        return SHORT ? List.of("generic344", "twoFiles") : List.of("generic344", "generic428", "source", "twoFiles");
    }

    private static void run(String scenario, int threads, boolean gc, int mib) throws Exception {
        try (TestPools pools = new TestPools();
                ChildJvm child = new ChildJvm(
                        Scenarios.class, scenario, pools.path("p").toString(), "" + threads, "" + gc, "" + mib)) {
            if (!child.endsWithin(LIMIT)) {
                throw new AssertionError(scenario + " with " + threads + " threads hangs");
            }
            assertEquals("done", child.line());
            pools.assertSound("p");
        }
        TestReport.line(
                "mapping: %s, %d threads%s, %d MiB: every store and every write found",
                scenario, threads, gc ? " beside collections" : "", mib);
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void twoThreads(String scenario) throws Exception {
        run(scenario, 2, false, SHORT ? 2 : 16);
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void manyThreadsBesideCollections(String scenario) throws Exception {
        run(scenario, 16, true, TestPools.FULL ? 16 : 4);
    }

    @Test
    void generic344() throws Exception {
        assumeTrue(TestPools.FULL, "long");
        run("generic344", 2, true, 256);
    }
}
