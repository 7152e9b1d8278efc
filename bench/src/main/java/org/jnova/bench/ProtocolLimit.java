/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The limit: a C loop of the bare write protocol (native/bench/bench_protocol.c), run between the JMH runs, so that a
 * machine that is slower for a while is so for both sides of the ratio.
 */
final class ProtocolLimit {
    /** Operations that the program times. */
    static final String WRITE_4K = "write4k";

    static final String APPEND_128 = "append128";
    static final String READ_4K = "read4k";

    private static final String PROGRAM = "native/target/release/bench_protocol";

    /** A round takes about as long as an iteration of JMH, so that other work on the machine meets both alike. */
    private static final int OPS_PER_ROUND = 1_000_000;

    private static final Pattern ROW = Pattern.compile("\"op\":\"(\\w+)\",\"ns\":([0-9.]+),\"min_ns\":([0-9.]+)");

    /**
     * Nanoseconds per operation.
     *
     * @param median of the rounds, or iterations
     * @param best of them, which other work on the machine disturbs least
     */
    record Time(double median, double best) {}

    private final Path program;
    private final Path dir;
    private final long workingSet;
    private final int rounds;
    private final Map<String, List<Double>> medians = new HashMap<>();
    private final Map<String, Double> bests = new HashMap<>();

    ProtocolLimit(Path program, Path dir, long workingSet, int rounds) {
        this.program = program;
        this.dir = dir;
        this.workingSet = workingSet;
        this.rounds = rounds;
    }

    /** Where the build puts the program, seen from the jar or the classes of this module. */
    static Path defaultProgram() {
        try {
            Path here = Path.of(ProtocolLimit.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            for (Path above = here.getParent(); above != null; above = above.getParent()) {
                if (Files.isExecutable(above.resolve(PROGRAM))) {
                    return above.resolve(PROGRAM);
                }
            }
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
        return Path.of(PROGRAM);
    }

    /** Runs the program once and keeps its figures. */
    void measure() throws IOException, InterruptedException {
        Path file = dir.resolve("jnova-limit-" + ProcessHandle.current().pid());
        Process process = new ProcessBuilder(
                        program.toString(), "--file=" + file, "--working-set=" + workingSet, "--rounds=" + rounds)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int exitCode = process.waitFor();
        if (exitCode != 0) {
            throw new IOException(program + " ended with exit code " + exitCode);
        }
        Matcher rows = ROW.matcher(printed);
        while (rows.find()) {
            medians.computeIfAbsent(rows.group(1), op -> new ArrayList<>()).add(Double.parseDouble(rows.group(2)));
            bests.merge(rows.group(1), Double.parseDouble(rows.group(3)), Math::min);
        }
    }

    /** Nanoseconds per operation: the median over the runs so far of their medians, and the best round of all. */
    Time time(String operation) {
        List<Double> runs = new ArrayList<>(medians.get(operation));
        Collections.sort(runs);
        int middle = runs.size() / 2;
        double median = runs.size() % 2 == 1 ? runs.get(middle) : (runs.get(middle - 1) + runs.get(middle)) / 2;
        return new Time(median, bests.get(operation));
    }
}
