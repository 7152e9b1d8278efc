/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.mapping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jnova.TestJdk;
import org.jnova.TestReport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Why no fault of a mapped file is served on a thread of Java: a program that does so hangs at the first garbage
 * collection, where {@link ScenariosTest} does not. The program's own first comment says why.
 */
@Tag("all-jdks") // starts the JDK that it needs
class HandlerOnJavaThreadTest {
    private static final long ENDS_SECONDS = 120; // generous: nothing is learned from a machine that is slow

    private static Process start(TestJdk jdk, String... args) throws Exception {
        Path source = Path.of(HandlerOnJavaThreadTest.class
                .getResource("/programs/HandlerOnJavaThread.java")
                .toURI());
        ProcessBuilder builder = new ProcessBuilder(
                jdk.home().resolve("bin/java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-Xmx64m",
                source.toString());
        builder.command().addAll(List.of(args));
        return builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    private static String line(Process process) throws IOException {
        return new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8)).readLine();
    }

    @Test
    void hangsAtTheFirstCollection() throws Exception {
        Optional<TestJdk> jdk = TestJdk.all().stream().filter(one -> one.version() >= 22).findFirst();
        assumeTrue(jdk.isPresent(), "the program needs a JDK of 22 or newer");
        long start = System.nanoTime();
        Process control = start(jdk.get());
        long took;
        try {
            String first = line(control);
            assumeFalse("refused".equals(first), "this process may not use userfaultfd");
            assertEquals("started", first);
            assertTrue(control.waitFor(ENDS_SECONDS, TimeUnit.SECONDS), "it hangs without any collection");
            took = System.nanoTime() - start;
        } finally {
            control.destroyForcibly();
        }
        Process hanging = start(jdk.get(), "gc");
        try {
            assertEquals("started", line(hanging));
            long wait = 2 * TimeUnit.NANOSECONDS.toMillis(took) + 2000;
            assertFalse(hanging.waitFor(wait, TimeUnit.MILLISECONDS), "a handler on a thread of Java did not hang");
            TestReport.line(
                    "mapping: a fault handler on a Java thread hangs at the first collection (killed after %.1f s; "
                            + "without collections it ends after %.1f s)",
                    wait / 1e3, took / 1e9);
        } finally {
            hanging.destroyForcibly();
            hanging.waitFor();
        }
    }
}
