/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.openjdk.jmh.runner.RunnerException;

/** Measures the rows of a plan, and the C programs between them. */
final class Measurement {
    private static final int ROUNDS = 7;
    private static final int QUICK_ROUNDS = 3;

    /** Rows of one file system and size, which have a limit in common. */
    private record Group(FileSystemInfo fs, long size) {}

    private final Plan plan;
    private final Programs programs;
    private final JmhRun jmh;
    private final boolean quick;
    private final List<Row> failed = new ArrayList<>();

    Measurement(Plan plan, Programs programs, JmhRun jmh, boolean quick) {
        this.plan = plan;
        this.programs = programs;
        this.jmh = jmh;
        this.quick = quick;
    }

    /** Gets the figures as they are measured. */
    interface Sink {
        /** @param all that there are by now, by file system and size, and by workload; those of C first */
        void accept(List<Figures> all) throws IOException;
    }

    /** Whether a row of JNova's could not be measured. */
    boolean hasFailed() {
        return failed.stream().anyMatch(row -> row.contender().isJNova());
    }

    /** Whether all rows failed. */
    boolean measuredNothing() {
        return failed.size() == plan.rows().size();
    }

    /** Measures all, and tells the sink after each file system and size. */
    List<Figures> run(Sink sink) throws IOException, InterruptedException {
        Map<Group, List<Row>> groups = new LinkedHashMap<>();
        for (Row row : plan.rows()) {
            groups.computeIfAbsent(new Group(row.fs(), row.size()), g -> new ArrayList<>())
                    .add(row);
        }
        List<Figures> all = new ArrayList<>();
        for (Map.Entry<Group, List<Row>> group : groups.entrySet()) {
            List<Figures> figures = measure(group.getKey(), group.getValue());
            figures.sort(Comparator.comparing(f -> order(f.workload()))); // stable
            all.addAll(figures);
            sink.accept(all);
        }
        return all;
    }

    private static int order(String workload) {
        for (Workload w : Workload.values()) {
            if (w.label.equals(workload)) {
                return w.ordinal();
            }
        }
        throw new IllegalArgumentException(workload);
    }

    private List<Figures> measure(Group group, List<Row> rows) throws IOException, InterruptedException {
        Path dir = group.fs().dir().resolve("jnova-bench-" + ProcessHandle.current().pid());
        Scratch.deleteAtExit(dir);
        Set<String> operations = new LinkedHashSet<>();
        rows.forEach(row -> {
            if (row.workload().limit != null) {
                operations.add(row.workload().limit);
            }
        });
        int rounds = quick ? QUICK_ROUNDS : ROUNDS;
        boolean withCore = !quick || group.size() < Plan.LARGE; // which takes seconds to fill a large file
        CProgram limit = new CProgram(programs.limit(), dir, group.size(), rounds);
        CProgram core = new CProgram(programs.core(), dir, group.size(), rounds);
        List<Figures> measured = new ArrayList<>();
        try {
            for (int i = 0; i < rows.size(); i++) {
                Files.createDirectories(dir);
                if (!operations.isEmpty() && (i == 0 || i == rows.size() / 2)) {
                    measure(operations, limit, withCore ? core : null);
                }
                row(rows.get(i), dir, measured);
            }
            if (!operations.isEmpty()) {
                measure(operations, limit, withCore ? core : null);
            }
        } finally {
            Scratch.delete(dir);
        }
        return withLimits(group, rows, measured, limit, core);
    }

    private static void measure(Set<String> operations, CProgram limit, CProgram core)
            throws IOException, InterruptedException {
        limit.measure(operations);
        if (core != null) {
            core.measure(operations);
        }
    }

    /** A row that fails has no figures, but a word: a peer may not know this JDK. */
    private void row(Row row, Path dir, List<Figures> to) throws IOException {
        Path own = Files.createDirectory(dir.resolve("row"));
        try {
            Figures figures = jmh.row(row, own);
            to.add(figures);
            System.out.printf(
                    "%-60s %s ns, p99 %s%n",
                    row.name(),
                    Figures.text("%.0f", figures.mean()),
                    Figures.text("%.0f", figures.percentiles()[Figures.P99]));
        } catch (RunnerException e) {
            failed.add(row);
            to.add(Figures.failed(row, firstLine(e)));
            System.out.printf("%-60s left out: %s; run it alone with --only, and -v EXTRA behind --, to see why%n",
                    row.name(), e.getMessage());
        } finally {
            Scratch.delete(own);
        }
    }

    private static String firstLine(Exception e) {
        return e.getMessage() == null ? e.toString() : e.getMessage().lines().findFirst().orElse("");
    }

    private static List<Figures> withLimits(
            Group group, List<Row> rows, List<Figures> measured, CProgram limit, CProgram core) {
        List<Figures> all = new ArrayList<>();
        Map<String, Double> limits = new LinkedHashMap<>();
        for (Workload workload : Workload.values()) {
            if (workload.limit != null && limit.operations().contains(workload.limit)
                    && rows.stream().anyMatch(row -> row.workload() == workload)) {
                limits.put(workload.label, limit.mean(workload.limit));
            }
        }
        for (Figures figures : measured) { // the plain copy, of one thread
            if (figures.workload().equals(Workload.READ_4K.label)
                    && figures.system().equals(Contender.MAPPED.label)
                    && figures.threadCount() == 1) {
                limits.put(figures.workload(), figures.mean());
            }
        }
        for (Workload workload : Workload.values()) {
            if (limits.containsKey(workload.label)) {
                all.add(ofC("limit (C)", workload, group, limit));
                if (core.operations().contains(workload.limit)) {
                    all.add(ofC("C core", workload, group, core));
                }
            }
        }
        all.addAll(measured);
        all.replaceAll(f -> f.withLimit(limits.getOrDefault(f.workload(), Double.NaN)));
        return all;
    }

    private static Figures ofC(String system, Workload workload, Group group, CProgram program) {
        boolean reads = workload.call == Workload.Call.READ;
        return new Figures(
                workload.label,
                system,
                "1",
                1,
                group.size(),
                group.fs().label(),
                reads ? Durability.NOTHING_WRITTEN : Durability.NOVA_EMULATED.words(group.fs(), true),
                program.mean(workload.limit),
                program.percentiles(workload.limit),
                Double.NaN,
                Double.NaN,
                null);
    }
}
