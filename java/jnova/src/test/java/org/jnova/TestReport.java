/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** What a long test has done, in one closing line with its counts; {@code ./jnova test} shows these at its end. */
public final class TestReport {
    private TestReport() {}

    /** Prints a line, and appends it to the file that NOVA_REPORT in the environment names, if any. */
    public static void line(String format, Object... args) throws IOException {
        String line = String.format(format, args) + "\n";
        System.out.print(line);
        String file = System.getenv("NOVA_REPORT");
        if (file != null) { // one write of a short line, appending: tests that run side by side do not mix
            Files.writeString(Path.of(file), line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        }
    }
}
