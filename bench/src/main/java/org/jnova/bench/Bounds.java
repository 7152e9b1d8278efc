/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.io.PrintStream;
import java.util.Locale;

/** Prints figures beside the bounds that they are to keep, as they are measured, and counts those that do not. */
final class Bounds {
    private static final String COLUMNS = "%-66s %14s %14s  %s%n";

    private final PrintStream out;
    private int over;

    Bounds(PrintStream out) {
        this.out = out;
    }

    void title(String text) {
        out.printf(Locale.ROOT, "%n" + COLUMNS, text, "measured", "bound", "");
    }

    /** A figure that is to be at most a bound; both in the unit. */
    void atMost(String figure, double value, double bound, Unit unit) {
        boolean holds = value <= bound;
        over += holds ? 0 : 1;
        out.printf(Locale.ROOT, COLUMNS, figure, unit.text(value), unit.text(bound), holds ? "ok" : "OVER");
    }

    /** A figure without a bound. */
    void note(String figure, double value, Unit unit) {
        out.printf(Locale.ROOT, COLUMNS, "  " + figure, unit.text(value), "", "");
    }

    /** Says how it came out. */
    void end() {
        out.printf(Locale.ROOT, "%n%s%n", over == 0 ? "All bounds hold." : over + " bounds do not hold.");
    }

    boolean allHold() {
        return over == 0;
    }

    /** How a figure is written. */
    enum Unit {
        BYTES {
            @Override
            String text(double bytes) {
                return bytes < 1 << 20
                        ? String.format(Locale.ROOT, "%.0f B", bytes)
                        : String.format(Locale.ROOT, "%.1f MiB", bytes / (1 << 20));
            }
        },
        MILLISECONDS {
            @Override
            String text(double nanos) {
                return String.format(Locale.ROOT, "%.1f ms", nanos / 1e6);
            }
        },
        PERCENT {
            @Override
            String text(double share) {
                return String.format(Locale.ROOT, "%.1f %%", share * 100);
            }
        },
        COUNT {
            @Override
            String text(double count) {
                return String.format(Locale.ROOT, "%.0f", count);
            }
        };

        abstract String text(double value);
    }
}
