/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import static org.jnova.bench.Contender.CHANNEL;
import static org.jnova.bench.Contender.CHANNEL_FORCE;
import static org.jnova.bench.Contender.CHRONICLE;
import static org.jnova.bench.Contender.CHRONICLE_SYNC;
import static org.jnova.bench.Contender.JNOVA_ARRAY;
import static org.jnova.bench.Contender.JNOVA_DIRECT;
import static org.jnova.bench.Contender.JNOVA_EMULATED;
import static org.jnova.bench.Contender.JNOVA_HEAP;
import static org.jnova.bench.Contender.LMDB;
import static org.jnova.bench.Contender.MAPPED;
import static org.jnova.bench.Contender.MVSTORE;
import static org.jnova.bench.Contender.ROCKSDB;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/** Which rows are measured, how long each, and what that takes in all. */
final class Plan {
    static final long LARGE = 4L << 30;
    private static final int TWO = 2;

    /** Of a JVM, until it measures: {@link RowBench.Caller} warms up by calls, which mostly take less than a second. */
    private static final double START_SECONDS = 1.4;

    /** How long calls are made that are slow, until they are measured. */
    private static final int WARMUP_MILLIS = 3000;

    private static final int QUICK_WARMUP_MILLIS = 1000;

    /** Of a file on tmpfs, for a rough forecast. */
    private static final double FILL_SECONDS_PER_GIB = 1.5;

    private static final double MILLIS = 1000.0;

    final int forks;
    final int warmups;
    final int iterations;
    final int iterationMillis;
    private final Set<Row> rows = new LinkedHashSet<>();

    private Plan(int forks, int warmups, int iterations, int iterationMillis) {
        this.forks = forks;
        this.warmups = warmups;
        this.iterations = iterations;
        this.iterationMillis = iterationMillis;
    }

    /** What --quick is for: each workload, with the peers that one would think of first. */
    static Plan quick(FileSystemInfo fs, long size) {
        Plan plan = new Plan(1, 1, 3, 300);
        plan.add(
                fs, size, Workload.OVERWRITE_4K, JNOVA_DIRECT, JNOVA_HEAP, JNOVA_ARRAY, CHANNEL, CHANNEL_FORCE, MAPPED, LMDB,
                ROCKSDB, MVSTORE);
        plan.add(
                fs, size, Workload.APPEND_128, JNOVA_DIRECT, JNOVA_ARRAY, CHANNEL_FORCE, CHRONICLE, CHRONICLE_SYNC, ROCKSDB);
        plan.add(fs, size, Workload.APPEND_64, JNOVA_DIRECT);
        plan.add(fs, size, Workload.APPEND_1K, JNOVA_DIRECT, CHRONICLE);
        plan.add(fs, size, Workload.WRITE_1M, JNOVA_DIRECT, CHANNEL_FORCE);
        plan.add(fs, size, Workload.READ_4K, JNOVA_DIRECT, JNOVA_ARRAY, MAPPED, CHANNEL, LMDB, ROCKSDB);
        plan.add(fs, size, Workload.MIXED_4K, JNOVA_DIRECT, CHANNEL_FORCE);
        for (Workload workload : List.of(Workload.CREATE, Workload.RENAME, Workload.OPEN)) {
            plan.add(fs, size, workload, JNOVA_DIRECT, CHANNEL);
        }
        plan.rows.add(new Row(Workload.OVERWRITE_4K, JNOVA_DIRECT, TWO, 1, size, fs));
        plan.rows.add(new Row(Workload.OVERWRITE_4K, JNOVA_DIRECT, TWO, TWO, size, fs));
        plan.rows.add(new Row(Workload.OVERWRITE_4K, CHANNEL_FORCE, TWO, TWO, size, fs));
        plan.rows.add(new Row(Workload.READ_4K, JNOVA_DIRECT, TWO, 1, size, fs));
        plan.add(fs, LARGE, Workload.OVERWRITE_4K, JNOVA_DIRECT);
        plan.add(fs, LARGE, Workload.READ_4K, JNOVA_DIRECT);
        return plan;
    }

    /** Everything, on each of the file systems. */
    static Plan full(List<FileSystemInfo> fileSystems, long size) {
        Plan plan = new Plan(2, 3, 8, 500);
        for (FileSystemInfo fs : fileSystems) {
            for (Workload workload : Workload.values()) {
                plan.add(fs, size, workload, Contender.values());
            }
            for (Workload workload : List.of(Workload.OVERWRITE_4K, Workload.READ_4K, Workload.MIXED_4K)) {
                for (Contender contender : Contender.values()) {
                    if (plan.fits(contender, workload, fs)) {
                        plan.rows.add(new Row(workload, contender, TWO, 1, size, fs));
                        if (contender.hasFiles()) {
                            plan.rows.add(new Row(workload, contender, TWO, TWO, size, fs));
                        }
                    }
                }
            }
            plan.add(fs, LARGE, Workload.OVERWRITE_4K, Contender.values());
            plan.add(fs, LARGE, Workload.READ_4K, Contender.values());
        }
        return plan;
    }

    private void add(FileSystemInfo fs, long size, Workload workload, Contender... contenders) {
        for (Contender contender : contenders) {
            if (fits(contender, workload, fs)) {
                rows.add(new Row(workload, contender, 1, 1, size, fs));
            }
        }
    }

    private boolean fits(Contender contender, Workload workload, FileSystemInfo fs) {
        boolean emulatedAnyway = fs.isTmpfs() || fs.dax();
        return contender.knows(workload) && !(contender == JNOVA_EMULATED && emulatedAnyway);
    }

    /** Leaves the rows in whose names the expression is found. */
    void only(String regex) {
        Pattern pattern = Pattern.compile(regex);
        rows.removeIf(row -> !pattern.matcher(row.name()).find());
    }

    List<Row> rows() {
        return new ArrayList<>(rows);
    }

    /** For what is slower than what {@link RowBench.Caller} makes in a second. */
    int warmupMillis(Row row) {
        return forks > 1 || row.contender().isJNova() ? WARMUP_MILLIS : QUICK_WARMUP_MILLIS;
    }

    /** JVMs that are started: each row has one that takes the time of many calls, and one that times single ones. */
    int jvms(int forksOfEach) {
        return TWO * forksOfEach * rows.size();
    }

    /** How long a JVM measures, with what JMH warms up. */
    double measuredSeconds() {
        return (warmups + iterations) * iterationMillis / MILLIS;
    }

    /** A forecast for the rows, without the C programs. */
    double seconds(int forksOfEach, double measuredSeconds) {
        double seconds = 0;
        for (Row row : rows) {
            double fill = row.workload().onNames() ? 0 : row.files() * FILL_SECONDS_PER_GIB * row.size() / (1L << 30);
            seconds += TWO * forksOfEach * (START_SECONDS + fill + measuredSeconds);
        }
        return seconds;
    }
}
