/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import org.jnova.TestReport;
import org.junit.runner.JUnitCore;
import org.junit.runner.Result;
import org.junit.runner.notification.Failure;

/** Runs a JUnit 4 suite of others, unchanged. */
final class ForeignSuite {
    private ForeignSuite() {}

    /**
     * Runs a suite. Fails unless the tests that fail are those that are known to, each for its reason.
     *
     * @param deviations names of tests that must fail, each with the reason
     * @param least tests that there must be
     */
    static void run(String name, Class<?> suite, Map<String, String> deviations, int least) throws IOException {
        Result result = new JUnitCore().run(suite);
        Map<String, String> failed = new TreeMap<>();
        for (Failure failure : result.getFailures()) {
            String test = String.valueOf(failure.getDescription().getMethodName());
            failed.put(test, deviations.getOrDefault(test, failure.getTrace()));
        }
        assertEquals(new TreeMap<>(deviations), failed);
        int count = result.getRunCount();
        if (count < least) {
            throw new AssertionError(name + ": " + count + " tests only, of " + least);
        }
        TestReport.line(
                "%s: %d of %d tests passed, %d known deviations, %d left out by the suite itself",
                name, count - failed.size(), count, failed.size(), result.getIgnoreCount());
    }
}
