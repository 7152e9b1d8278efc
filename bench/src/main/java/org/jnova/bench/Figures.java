/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.util.Arrays;
import java.util.Locale;

/**
 * The figures of one row. Times in nanoseconds per call; NaN where there is none.
 *
 * @param threads in words
 * @param mean the median over iterations, or rounds, of the mean
 * @param percentiles of single calls, as {@link #PERCENTS} says
 * @param bytesPerOp that the call allocates on the Java heap
 * @param limit the mean of the limit
 * @param failure why there are no figures, or null
 */
record Figures(
        String workload,
        String system,
        String threads,
        int threadCount,
        long size,
        String fileSystem,
        String durability,
        double mean,
        double[] percentiles,
        double bytesPerOp,
        double limit,
        String failure) {
    /** Which percentiles there are. */
    static final double[] PERCENTS = {50, 90, 99, 99.9};

    static final int P50 = 0;
    static final int P99 = 2;
    static final int P999 = 3;

    private static final double NANOS = 1e9;

    double opsPerSecond() {
        return threadCount * NANOS / mean;
    }

    double ratio() {
        return mean / limit;
    }

    Figures withLimit(double nanos) {
        return new Figures(
                workload, system, threads, threadCount, size, fileSystem, durability, mean, percentiles, bytesPerOp, nanos,
                failure);
    }

    /** Of a row that could not be measured. */
    static Figures failed(Row row, String failure) {
        double[] percentiles = new double[PERCENTS.length];
        Arrays.fill(percentiles, Double.NaN);
        return new Figures(
                row.workload().label,
                row.contender().label,
                row.threadsLabel(),
                row.threads(),
                row.size(),
                row.fs().label(),
                row.contender().durability(row.workload(), row.fs()),
                Double.NaN,
                percentiles,
                Double.NaN,
                Double.NaN,
                failure);
    }

    /** A number as tables show it, or a dash. */
    static String text(String format, double value) {
        return Double.isNaN(value) || Double.isInfinite(value) ? "-" : String.format(Locale.ROOT, format, value);
    }
}
