/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;

/** The command line. */
public final class Main {
    private static final String USAGE =
            """
            Usage: jnova bench [--quick] [--dir DIR] [--disk DIR] [--working-set BYTES] [--only REGEX] [--limit PROGRAM]
                               [--json FILE] [--plot FILE.svg] [--markdown FILE] [-- JMH-OPTIONS]
                   jnova bench space|recovery [--quick] [--dir DIR]

              --quick            each workload with the main peers, on DIR alone, in less than five minutes; for a look.
                                 Without it everything, on both folders, which takes hours
              --dir DIR          folder on the file system to measure; default /dev/shm. Pools on tmpfs are emulated ones
              --disk DIR         a second one, not for --quick; default the folder for temporary files, unless on tmpfs
              --working-set N    bytes that are filled ahead; default 67108864. Some rows have 4 GiB besides
              --only REGEX       the rows in whose name it is found, such as 'append128', 'overwrite4k jnova direct 1 64M'
                                 or 'RocksDB'; and the benchmarks of names, such as NamesBench
              --limit PROGRAM    the C loop; default native/target/release/bench_protocol of this source tree
              --json FILE        writes the figures to FILE, an object per row; after each size and folder what there is
              --plot FILE        draws them: latency of single calls, an SVG picture
              --markdown FILE    replaces what stands in FILE between the lines
                                 <!-- jnova bench: begin --> and <!-- jnova bench: end -->

            The exit code is 1 if a row of JNova's fails, or all do; another system that cannot run here is left out. It
            is 2 if an option is wrong.

            Times are ns per call. The mean (the median of iterations), ops/s and B/op, bytes on the Java heap, are of
            runs that time many calls at a time; percentiles are of runs that time single ones (some 40 ns more each).
            "limit" is a C loop of the bare write protocol, "C core" the same calls through nova.h without Java, both run
            before, between and after the others. The ratio is to the limit; for reads to a plain copy, in Java, of the
            same pages of a mapped file, if that is among the rows. Compare rows of equal durability.

            Without --quick, or if --only names them, calls on names and attributes follow, timed one by one, beside the
            same calls of the C core, with their drains: native/bench/bench_names.c.

            "space" tells what logs, small files and indexes take, "recovery" how long opening takes after a crash and
            after a close, each figure beside its bound; the exit code is 1 if one is over it. Pools of 8 GiB, some
            minutes; with --quick of 2 GiB, with bounds that are smaller likewise.
            """;

    private boolean quick;
    private String dir = "/dev/shm";
    private String disk;
    private long workingSet = 64L << 20;
    private String only = "";
    private Path limitProgram = Programs.defaultLimit();
    private Path json;
    private Path plot;
    private Path markdown;
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
                main.run(args);
            }
        } catch (IllegalArgumentException | CommandLineOptionException e) {
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
                case "--disk" -> disk = value(args, ++i);
                case "--working-set" -> workingSet = Long.parseLong(value(args, ++i));
                case "--only" -> only = value(args, ++i);
                case "--limit" -> limitProgram = Path.of(value(args, ++i));
                case "--json" -> json = Path.of(value(args, ++i));
                case "--plot" -> plot = Path.of(value(args, ++i));
                case "--markdown" -> markdown = Path.of(value(args, ++i));
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

    private void run(String[] args)
            throws IOException, InterruptedException, RunnerException, CommandLineOptionException {
        Programs programs = Programs.beside(limitProgram);
        if (workingSet < 1 << 20 || workingSet > 1 << 30) {
            throw new IllegalArgumentException("--working-set is to be from 1048576 to 1073741824");
        }
        for (Path file : new Path[] {json, plot, markdown}) { // rather now than after the runs
            if (file != null && !Files.isDirectory(file.toAbsolutePath().getParent())) {
                throw new IllegalArgumentException("no folder for " + file);
            }
        }
        String text = markdown == null ? null : Files.readString(markdown);
        if (markdown != null) {
            Table.replace(text, "");
        }
        Plan plan = plan();
        plan.only(only);
        JmhRun jmh = new JmhRun(plan, jmhArgs);
        Map<String, String> head = Machine.head(args);
        head.forEach((key, value) -> System.out.println(key + ": " + value));
        System.out.printf("%d rows, %d JVMs, about %.0f minutes%n", plan.rows().size(), jmh.jvms(), jmh.seconds() / 60);
        Measurement measurement = new Measurement(plan, programs, jmh, quick);
        List<Figures> figures = measurement.run(all -> report(head, all, text));
        Collection<RunResult> names = quick && only.isEmpty() ? List.of() : names(jmh);
        if (plan.rows().isEmpty() && names.isEmpty()) {
            throw new IllegalArgumentException("no row and no benchmark matches --only " + only);
        }
        if (!figures.isEmpty()) {
            System.out.println();
            Table.heads(System.out);
            figures.forEach(row -> Table.print(System.out, row));
        }
        if (!names.isEmpty()) {
            NamesReport report = new NamesReport(programs.names(), Path.of(dir));
            report.measure();
            report.print(names);
        }
        report(head, figures, text);
        if (measurement.hasFailed() || measurement.measuredNothing() && names.isEmpty()) {
            System.err.println("jnova bench: rows are missing; the words above say why");
            System.exit(1);
        }
    }

    private Collection<RunResult> names(JmhRun jmh) throws IOException, RunnerException {
        Path own = Path.of(dir, "jnova-bench-names-" + ProcessHandle.current().pid());
        Scratch.deleteAtExit(own);
        Files.createDirectories(own);
        try {
            return jmh.names(own.toString(), only);
        } finally {
            Scratch.delete(own);
        }
    }

    /** Writes the files that were asked for, as far as there are figures. */
    private void report(Map<String, String> head, List<Figures> figures, String text) throws IOException {
        if (json != null) {
            Files.writeString(json, Json.of(head, figures));
        }
        if (plot != null) {
            Files.writeString(plot, Plot.of(head, figures));
        }
        if (markdown != null) {
            Files.writeString(markdown, Table.replace(text, Table.markdown(head, figures)));
        }
    }

    private static FileSystemInfo folder(String option, String dir) throws IOException {
        if (!Files.isDirectory(Path.of(dir))) {
            throw new IllegalArgumentException(option + " " + dir + " is no folder");
        }
        return FileSystemInfo.of(Path.of(dir));
    }

    private Plan plan() throws IOException {
        FileSystemInfo memory = folder("--dir", dir);
        if (quick) {
            return Plan.quick(memory, workingSet);
        }
        FileSystemInfo second = folder("--disk", disk == null ? System.getProperty("java.io.tmpdir") : disk);
        if (second.isTmpfs()) {
            System.out.println("No disk is measured: " + second.dir() + " is on tmpfs; --disk names another folder");
            return Plan.full(List.of(memory), workingSet);
        }
        return Plan.full(List.of(memory, second), workingSet);
    }
}
