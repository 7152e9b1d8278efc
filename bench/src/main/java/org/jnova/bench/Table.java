/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import static org.jnova.bench.Figures.text;

import java.io.PrintStream;
import java.util.List;
import java.util.Map;

/** The report as a table: in columns for a terminal, or in Markdown between two comments of a file. */
final class Table {
    static final String BEGIN = "<!-- jnova bench: begin -->";
    static final String END = "<!-- jnova bench: end -->";

    private static final List<String> HEADS = List.of(
            "workload", "system", "threads", "size", "fs", "mean", "p50", "p99", "p99.9", "ops/s", "B/op", "ratio",
            "durability");

    private Table() {}

    private static List<String> cells(Figures row) {
        return List.of(
                row.workload(),
                row.system(),
                row.threads(),
                Row.sizeLabel(row.size()),
                row.fileSystem(),
                text("%.0f", row.mean()),
                text("%.0f", row.percentiles()[Figures.P50]),
                text("%.0f", row.percentiles()[Figures.P99]),
                text("%.0f", row.percentiles()[Figures.P999]),
                text("%.0f", row.opsPerSecond()),
                text("%.1f", row.bytesPerOp()),
                text("%.2f", row.ratio()),
                row.failure() == null ? row.durability() : "not measured: " + row.failure().replace('|', '/'));
    }

    private static void print(PrintStream out, List<String> cells) {
        out.printf("%-12s %-19s %-17s %4s %-6s %9s %9s %9s %10s %10s %8s %6s  %s%n", cells.toArray());
    }

    static void heads(PrintStream out) {
        print(out, HEADS);
    }

    static void print(PrintStream out, Figures row) {
        print(out, cells(row));
    }

    /** Head and table in Markdown. */
    static String markdown(Map<String, String> head, List<Figures> rows) {
        StringBuilder out = new StringBuilder();
        head.forEach((key, value) -> out.append(key).append(": ").append(value).append("  \n"));
        out.append("\nTimes in ns per call.\n\n");
        line(out, HEADS);
        out.append("|---|---|---|---|---|--:|--:|--:|--:|--:|--:|--:|---|\n");
        rows.forEach(row -> line(out, cells(row)));
        return out.toString();
    }

    private static void line(StringBuilder out, List<String> cells) {
        out.append("| ").append(String.join(" | ", cells)).append(" |\n");
    }

    /** The text with what stands between the two comments replaced. */
    static String replace(String text, String between) {
        int begin = text.indexOf(BEGIN);
        int end = text.indexOf(END, Math.max(begin, 0));
        if (begin < 0 || end < 0) {
            throw new IllegalArgumentException("the file for --markdown needs two lines, " + BEGIN + " and " + END);
        }
        return text.substring(0, begin + BEGIN.length()) + "\n" + between + text.substring(end);
    }
}
