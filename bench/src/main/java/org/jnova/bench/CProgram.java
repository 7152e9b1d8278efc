/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A C program that times the same calls on a file of its own: the limit (native/bench/bench_protocol.c), or the C core
 * (bench_core.c). It is run before, between and after the JVMs, so that a machine that is slower for a while is so for
 * both sides of a ratio.
 */
final class CProgram {
    private static final Pattern ROW = Pattern.compile("\\{\"op\":\"(\\w+)\",\"ns\":([0-9.]+),.*\"p50_ns\":(\\d+),"
            + "\"p90_ns\":(\\d+),\"p99_ns\":(\\d+),\"p99_9_ns\":(\\d+),.*\\}");
    private static final int FIRST_PERCENTILE = 3;

    private final Path program;
    private final Path dir;
    private final long size;
    private final int rounds;

    /** Operation to what each run said: the mean, then the percentiles. */
    private final Map<String, List<double[]>> runs = new LinkedHashMap<>();

    CProgram(Path program, Path dir, long size, int rounds) {
        this.program = program;
        this.dir = dir;
        this.size = size;
        this.rounds = rounds;
    }

    /** Runs the program once and keeps its figures. */
    void measure(Set<String> operations) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                program.toString(),
                "--file=" + dir.resolve(program.getFileName()),
                "--working-set=" + size,
                "--rounds=" + rounds));
        operations.forEach(operation -> command.add("--op=" + operation));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int exitCode = process.waitFor();
        if (exitCode != 0) {
            throw new IOException(program + " ended with exit code " + exitCode);
        }
        parse(printed);
    }

    /** Takes the lines that the program printed. */
    void parse(String printed) throws IOException {
        for (String line : printed.lines().toList()) {
            Matcher rows = ROW.matcher(line);
            if (!rows.matches()) {
                throw new IOException(program + " printed what is no row: " + line);
            }
            double[] run = new double[1 + Figures.PERCENTS.length];
            run[0] = Double.parseDouble(rows.group(2));
            for (int i = 1; i < run.length; i++) {
                run[i] = Double.parseDouble(rows.group(FIRST_PERCENTILE + i - 1));
            }
            runs.computeIfAbsent(rows.group(1), op -> new ArrayList<>()).add(run);
        }
    }

    /** The operations that were timed. */
    Set<String> operations() {
        return runs.keySet();
    }

    /** The median over the runs, in nanoseconds; NaN if the operation was not timed. */
    double mean(String operation) {
        return median(operation, 0);
    }

    double[] percentiles(String operation) {
        double[] percentiles = new double[Figures.PERCENTS.length];
        for (int i = 0; i < percentiles.length; i++) {
            percentiles[i] = median(operation, 1 + i);
        }
        return percentiles;
    }

    private double median(String operation, int figure) {
        List<Double> values = new ArrayList<>();
        runs.getOrDefault(operation, List.of()).forEach(run -> values.add(run[figure]));
        Collections.sort(values);
        int middle = values.size() / 2;
        if (values.isEmpty()) {
            return Double.NaN;
        }
        return values.size() % 2 == 1 ? values.get(middle) : (values.get(middle - 1) + values.get(middle)) / 2;
    }
}
