/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.mapping;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import org.jnova.ChildJvm;
import org.jnova.TestPools;
import org.jnova.TestReport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs {@link Scenarios}, each in a JVM of its own that is killed if it does not end. */
class ScenariosTest {
    private static final Duration LIMIT = Duration.ofMinutes(TestPools.FULL ? 10 : 3);

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
    }

    private static void runAll(String scenario) throws Exception {
        run(scenario, 2, false, 16);
        run(scenario, 16, true, TestPools.FULL ? 16 : 4);
    }

    @Test
    void generic344() throws Exception {
        runAll("generic344");
        if (TestPools.FULL) {
            run("generic344", 2, true, 256);
        }
        TestReport.line("mapping: generic/344: every store and every write found, of 12 kinds of files");
    }

    @ParameterizedTest
    @ValueSource(strings = {"generic428", "source", "twoFiles"})
    void others(String scenario) throws Exception {
        runAll(scenario);
    }
}
