/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.util.Statistics;

/**
 * Calls on names from Java beside the same calls of the C core (native/bench/bench_names.c), which have neither paths,
 * nor an index, nor locks of Java's.
 */
final class NamesReport {
    /** The C program; stands beside that of {@link Programs#limit}. */
    static final String PROGRAM = "bench_names";

    private static final int MEDIAN = 50;
    private static final int HIGH = 99;

    /** Benchmark method to call of the C program. What is missing there has none. */
    private static final Map<String, String> C_CALLS = Map.of(
            "create", "create",
            "link", "link",
            "unlink", "unlink and release",
            "unlinkOneOfTwo", "unlink, other names left",
            "rename", "rename",
            "renameOver", "rename over",
            "mkdir", "mkdir",
            "rmdir", "rmdir and release",
            "setattr", "setattr");

    private static final Pattern ROW = Pattern.compile(
            "\"call\": \"([^\"]+)\", \"drains\": (\\d+), \"flushes\": \\d+, \"p50_ns\": (\\d+), \"p99_ns\": (\\d+)");

    private record CCall(long drains, long median, long high) {}

    private final Path program;
    private final Path dir;
    private final Map<String, CCall> calls = new HashMap<>();

    NamesReport(Path program, Path dir) {
        this.program = program;
        this.dir = dir;
    }

    /** Runs the C program. */
    void measure() throws IOException, InterruptedException {
        Path file = dir.resolve("jnova-names-" + ProcessHandle.current().pid());
        Process process = new ProcessBuilder(program.toString(), file.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int exitCode = process.waitFor();
        if (exitCode != 0) {
            throw new IOException(program + " ended with exit code " + exitCode);
        }
        Matcher rows = ROW.matcher(printed);
        while (rows.find()) {
            calls.put(
                    rows.group(1),
                    new CCall(
                            Long.parseLong(rows.group(2)),
                            Long.parseLong(rows.group(3)),
                            Long.parseLong(rows.group(4))));
        }
    }

    /** Prints a row per benchmark; the ratio is of the medians. */
    void print(Collection<RunResult> results) throws IOException {
        System.out.printf(
                "%n%-32s %7s %10s %10s %10s %10s %8s%n",
                "names, ns per call", "drains", "median", "99%", "C median", "C 99%", "ratio");
        for (RunResult result : results) {
            String benchmark = result.getParams().getBenchmark();
            String method = benchmark.substring(benchmark.lastIndexOf('.') + 1);
            Statistics times = result.getPrimaryResult().getStatistics();
            double median = times.getPercentile(MEDIAN);
            double high = times.getPercentile(HIGH);
            String call = C_CALLS.get(method);
            if (call == null) {
                System.out.printf(Locale.ROOT, "%-32s %7s %10.0f %10.0f%n", method, "", median, high);
                continue;
            }
            CCall c = calls.get(call);
            if (c == null) {
                throw new IOException(program + " does not time \"" + call + '"');
            }
            System.out.printf(
                    Locale.ROOT,
                    "%-32s %7d %10.0f %10.0f %10d %10d %8.2f%n",
                    method,
                    c.drains(),
                    median,
                    high,
                    c.median(),
                    c.high(),
                    median / c.median());
        }
    }
}
