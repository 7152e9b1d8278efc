/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.PrintStream;
import java.time.Duration;

/** Prints the demo as numbered steps, each with its checks and its time, and keeps count of the checks. */
final class DemoStory {
    private final PrintStream out;
    private final long startNs = System.nanoTime();
    private int step;
    private int checks;
    private int failed;
    private long stepStartNs;

    DemoStory(PrintStream out) {
        this.out = out;
    }

    void begin(String title) {
        step++;
        stepStartNs = System.nanoTime();
        out.printf("%2d.  %s%n", step, title);
        out.flush();
    }

    void line(String text) {
        out.println("     " + text);
        out.flush();
    }

    void check(boolean held, String claim) {
        checks++;
        failed += held ? 0 : 1;
        line((held ? "[ok]     " : "[FAILED] ") + claim);
    }

    void end() {
        line("(" + time(System.nanoTime() - stepStartNs) + ")");
    }

    /** Prints the verdict. Returns whether every check held. */
    boolean verdict() {
        String total = time(System.nanoTime() - startNs);
        out.println(
                failed == 0
                        ? "Every check held: " + checks + " in " + total + "."
                        : failed + " of " + checks + " checks FAILED.");
        return failed == 0;
    }

    static String time(long ns) {
        return Text.time(Duration.ofNanos(ns));
    }
}
