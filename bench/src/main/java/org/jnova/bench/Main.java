/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jnova.bench.ProtocolLimit.Time;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.NoBenchmarksException;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.util.Statistics;

/** Runs the benchmarks and the C limit in turn, and prints each row beside the limit it is to be held against. */
public final class Main {
    private static final String USAGE =
            """
            Usage: jnova bench [--quick] [--dir DIR] [--working-set BYTES] [--only REGEX] [--limit PROGRAM]
                               [-- JMH-OPTIONS]
                   jnova bench space|recovery [--quick] [--dir DIR]

              --quick            a few seconds per row instead of about twenty; for a look, not for a comparison
              --dir DIR          folder on the file system to measure; default /dev/shm. Pools there are emulated ones
              --working-set N    bytes of the file that is read and overwritten; default 67108864
              --only REGEX       the benchmarks whose name matches, such as WriteBench or append128
              --limit PROGRAM    the C loop; default native/target/release/bench_protocol of this source tree

            Times are ns per call, the median and the best of the iterations; where other programs run, the best is
            the more telling one. "limit" is a C loop of the bare write protocol, run before, between and after the
            benchmarks. For reads it is a plain copy of the same pages of a mapped file, in Java.

            Calls on names are timed one by one, and shown as median and 99th percentile beside the same calls of the C
            core, with their drains: native/bench/bench_names.c, run once after them, from the folder of the C loop.

            "space" tells what logs, small files and indexes take, "recovery" how long opening takes after a crash and
            after a close, each figure beside its bound; the exit code is 1 if one is over it. Pools of 8 GiB, some
            minutes; with --quick of 2 GiB, with bounds that are smaller likewise.
            """;

    private static final List<Class<?>> CLASSES = List.of(WriteBench.class, ReadBench.class, PeerBench.class);

    private static final String PLAIN_COPY = "ReadBench.copy4kMapped";
    private static final int NATIVE_ACCESS_OPTION_SINCE = 22;

    private boolean quick;
    private String dir = "/dev/shm";
    private long workingSet = 64L << 20;
    private String only = "";
    private Path limitProgram = ProtocolLimit.defaultProgram();
    private String[] jmhArgs = {};

    private Main() {}

    /**
     * Runs.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) throws Exception {
        Main main = new Main();
        try {
            if (args.length != 0 && (args[0].equals("space") || args[0].equals("recovery"))) {
                runScale(args[0], Arrays.copyOfRange(args, 1, args.length));
            } else if (main.parse(args)) {
                main.run();
            }
        } catch (IllegalArgumentException e) {
            System.err.println("jnova bench: " + e.getMessage() + "; --help lists the options");
            System.exit(2);
        }
    }

    private static void runScale(String report, String[] args) throws IOException, InterruptedException {
        if (List.of(args).contains("--help") || List.of(args).contains("-h")) {
            System.out.print(USAGE);
            return;
        }
        Bounds bounds = new Bounds(System.out);
        ScaleOptions options = ScaleOptions.parse(args);
        if (report.equals("space")) {
            new SpaceReport(options, bounds).run();
        } else {
            new RecoveryReport(options, bounds).run();
        }
        bounds.end();
        if (!bounds.allHold()) {
            System.exit(1);
        }
    }

    /** Returns false if there is nothing to run. */
    private boolean parse(String[] args) {
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "-h", "--help" -> {
                    System.out.print(USAGE);
                    return false;
                }
                case "--" -> {
                    jmhArgs = Arrays.copyOfRange(args, i + 1, args.length);
                    return true;
                }
                case "--quick" -> quick = true;
                case "--dir" -> dir = value(args, ++i);
                case "--working-set" -> workingSet = Long.parseLong(value(args, ++i));
                case "--only" -> only = value(args, ++i);
                case "--limit" -> limitProgram = Path.of(value(args, ++i));
                default -> throw new IllegalArgumentException("unknown option " + args[i]);
            }
        }
        return true;
    }

    private static String value(String[] args, int i) {
        if (i == args.length) {
            throw new IllegalArgumentException(args[i - 1] + " needs a value");
        }
        return args[i];
    }

    private void run() throws IOException, InterruptedException, RunnerException, CommandLineOptionException {
        Path namesProgram = limitProgram.resolveSibling(NamesReport.PROGRAM);
        for (Path program : List.of(limitProgram, namesProgram)) {
            if (!Files.isExecutable(program)) {
                throw new IllegalArgumentException(
                        program + " is not there; build native/ first, or name the C loop with --limit");
            }
        }
        if (workingSet < BenchState.PAGE_LEN || workingSet > 1 << 30) {
            throw new IllegalArgumentException("--working-set is to be from 4096 to 1073741824");
        }
        ProtocolLimit limit = new ProtocolLimit(limitProgram, Path.of(dir), workingSet, quick ? 3 : 7);
        Map<String, Time> times = new LinkedHashMap<>();
        limit.measure();
        for (Class<?> benchmarks : CLASSES) {
            for (RunResult result : runJmh(benchmarks)) {
                String benchmark = result.getParams().getBenchmark();
                Statistics statistics = result.getPrimaryResult().getStatistics();
                times.put(
                        benchmark.substring(benchmark.lastIndexOf('.', benchmark.lastIndexOf('.') - 1) + 1),
                        new Time(statistics.getPercentile(50), statistics.getMin()));
            }
            limit.measure();
        }
        Collection<RunResult> namesResults = runJmh(NamesBench.class);
        if (times.isEmpty() && namesResults.isEmpty()) {
            throw new IllegalArgumentException("no benchmark matches --only " + only);
        }
        if (!times.isEmpty()) {
            report(times, limit);
        }
        if (!namesResults.isEmpty()) {
            NamesReport names = new NamesReport(namesProgram, Path.of(dir));
            names.measure();
            names.print(namesResults);
        }
    }

    /** What follows -- on the command line wins over the settings here. */
    private Collection<RunResult> runJmh(Class<?> benchmarks) throws RunnerException, CommandLineOptionException {
        CommandLineOptions given = new CommandLineOptions(jmhArgs);
        TimeValue iteration = TimeValue.milliseconds(500);
        ChainedOptionsBuilder options = new OptionsBuilder()
                .parent(given)
                .include("^(?=.*\\." + benchmarks.getSimpleName() + "\\.)(?=.*(" + only + "))")
                .param("dir", dir)
                .param("workingSet", Long.toString(workingSet))
                .forks(given.getForkCount().orElse(quick ? 1 : 2))
                .warmupIterations(given.getWarmupIterations().orElse(quick ? 4 : 10))
                .warmupTime(given.getWarmupTime().orElse(iteration))
                .measurementIterations(given.getMeasurementIterations().orElse(quick ? 4 : 10))
                .measurementTime(given.getMeasurementTime().orElse(iteration))
                .shouldFailOnError(true);
        if (Runtime.version().feature() >= NATIVE_ACCESS_OPTION_SINCE) {
            options.jvmArgsAppend("--enable-native-access=ALL-UNNAMED");
        }
        try {
            return new Runner(options.build()).run();
        } catch (NoBenchmarksException e) {
            return List.of(); // --only names none of this class
        }
    }

    private static void report(Map<String, Time> times, ProtocolLimit limit) {
        String columns = "%n%-32s %10s %10s %8s %12s %10s %8s%n";
        System.out.printf(columns, "ns per call", "median", "limit", "ratio", "best", "limit", "ratio");
        times.forEach((name, time) -> {
            boolean read = name.startsWith("ReadBench") && times.containsKey(PLAIN_COPY);
            row(name, time, read ? times.get(PLAIN_COPY) : limit.time(operation(name)));
        });
        for (String operation : List.of(ProtocolLimit.WRITE_4K, ProtocolLimit.APPEND_128, ProtocolLimit.READ_4K)) {
            row("C loop, " + operation, limit.time(operation), limit.time(operation));
        }
    }

    private static void row(String name, Time time, Time limit) {
        System.out.printf(
                Locale.ROOT,
                "%-32s %10.1f %10.1f %8.2f %12.1f %10.1f %8.2f%n",
                name,
                time.median(),
                limit.median(),
                time.median() / limit.median(),
                time.best(),
                limit.best(),
                time.best() / limit.best());
    }

    private static String operation(String benchmark) {
        String method = benchmark.toLowerCase(Locale.ROOT);
        return method.contains("append")
                ? ProtocolLimit.APPEND_128
                : method.contains("overwrite") ? ProtocolLimit.WRITE_4K : ProtocolLimit.READ_4K;
    }
}
