/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.NoBenchmarksException;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.openjdk.jmh.util.Statistics;

/** Runs JMH. What follows -- on the command line wins over what the plan says. */
final class JmhRun {
    private static final String ALLOCATED = "gc.alloc.rate.norm";
    private static final int MEDIAN = 50;
    private static final double MILLIS = 1000.0;
    private static final int NATIVE_ACCESS_OPTION_SINCE = 22;
    private static final int UNSAFE_OPTION_SINCE = 23;

    /** A call on names is followed by others that make up for it, so that its iterations are more and longer. */
    private static final TimeValue NAMES_ITERATION = TimeValue.milliseconds(500);

    private static final int NAMES_ITERATIONS = 4;

    private final Plan plan;
    private final CommandLineOptions given;

    JmhRun(Plan plan, String... args) throws CommandLineOptionException {
        this.plan = plan;
        given = new CommandLineOptions(args);
    }

    /** JVMs that the rows take; 0 if JMH is told to measure in this one. */
    int jvms() {
        return plan.jvms(forks());
    }

    /** A forecast for the rows. */
    double seconds() {
        long millis = warmups() * warmupTime().convertTo(TimeUnit.MILLISECONDS)
                + iterations() * iterationTime().convertTo(TimeUnit.MILLISECONDS);
        return plan.seconds(Math.max(forks(), 1), millis / MILLIS);
    }

    // ---- what the plan says, if the command line does not

    private int forks() {
        return given.getForkCount().orElse(plan.forks);
    }

    private int warmups() {
        return given.getWarmupIterations().orElse(plan.warmups);
    }

    private TimeValue warmupTime() {
        return given.getWarmupTime().orElse(TimeValue.milliseconds(plan.iterationMillis));
    }

    private int iterations() {
        return given.getMeasurementIterations().orElse(plan.iterations);
    }

    private TimeValue iterationTime() {
        return given.getMeasurementTime().orElse(TimeValue.milliseconds(plan.iterationMillis));
    }

    // ---- what is run

    /** One row, in an empty folder. */
    Figures row(Row row, Path dir) throws RunnerException {
        ChainedOptionsBuilder options = options(row.contender().jvmArgs())
                .include("^.*\\." + RowBench.class.getSimpleName() + "\\."
                        + row.workload().call.name().toLowerCase(Locale.ROOT) + "$")
                .param("contender", row.contender().name())
                .param("workload", row.workload().name())
                .param("dir", dir.toString())
                .param("size", Long.toString(row.size()))
                .param("files", Integer.toString(row.files()))
                .param("warmupMillis", Integer.toString(warmups() == 0 ? 0 : plan.warmupMillis(row)))
                .threads(row.threads())
                .mode(Mode.AverageTime)
                .mode(Mode.SampleTime)
                .addProfiler(GCProfiler.class)
                .warmupIterations(warmups())
                .warmupTime(warmupTime())
                .measurementIterations(iterations())
                .measurementTime(iterationTime())
                .verbosity(given.verbosity().orElse(VerboseMode.SILENT));
        double mean = Double.NaN;
        double allocated = Double.NaN;
        double[] percentiles = new double[Figures.PERCENTS.length];
        for (RunResult result : new Runner(options.build()).run()) {
            Statistics statistics = result.getPrimaryResult().getStatistics();
            if (result.getParams().getMode() == Mode.SampleTime) {
                for (int i = 0; i < percentiles.length; i++) {
                    percentiles[i] = statistics.getPercentile(Figures.PERCENTS[i]);
                }
            } else {
                mean = statistics.getPercentile(MEDIAN);
                Result<?> bytes = result.getSecondaryResults().get(ALLOCATED);
                allocated = bytes == null ? Double.NaN : bytes.getStatistics().getPercentile(MEDIAN);
            }
        }
        return new Figures(
                row.workload().label,
                row.contender().label,
                row.threadsLabel(),
                row.threads(),
                row.size(),
                row.fs().label(),
                row.contender().durability(row.workload(), row.fs()),
                mean,
                percentiles,
                allocated,
                Double.NaN,
                null);
    }

    /** The benchmarks of names in whose names, their class included but not its package, the expression is found. */
    Collection<RunResult> names(String dir, String only) throws RunnerException {
        ChainedOptionsBuilder options = options(List.of())
                .include("^.*\\.(?=.*(" + only + "))" + NamesBench.class.getSimpleName() + "\\.")
                .param("dir", dir)
                .warmupIterations(given.getWarmupIterations().orElse(NAMES_ITERATIONS))
                .warmupTime(given.getWarmupTime().orElse(NAMES_ITERATION))
                .measurementIterations(given.getMeasurementIterations().orElse(NAMES_ITERATIONS))
                .measurementTime(given.getMeasurementTime().orElse(NAMES_ITERATION));
        try {
            return new Runner(options.build()).run();
        } catch (NoBenchmarksException e) {
            return List.of(); // --only names none of these
        }
    }

    /** JMH keeps the arguments of the last call alone. */
    private ChainedOptionsBuilder options(List<String> jvmArgs) {
        List<String> all = new ArrayList<>(jvmArgs);
        if (Runtime.version().feature() >= NATIVE_ACCESS_OPTION_SINCE) {
            all.add("--enable-native-access=ALL-UNNAMED");
        }
        if (Runtime.version().feature() >= UNSAFE_OPTION_SINCE) {
            all.add("--sun-misc-unsafe-memory-access=allow"); // JMH and others use it, and later JDKs warn
        }
        return new OptionsBuilder()
                .parent(given)
                .forks(forks())
                .jvmArgsAppend(all.toArray(String[]::new))
                .shouldFailOnError(true);
    }
}
