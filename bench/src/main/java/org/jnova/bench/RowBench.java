/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.jnova.bench.Subject.Conditions;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.ThreadParams;

/**
 * The rows: one method per call, its subject a parameter. A fork sees one kind of session only, so that the JIT compiler
 * inlines its calls as if they stood here.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class RowBench {
    /** The system, open and filled. */
    @State(Scope.Benchmark)
    public static class Opened {
        /** A {@link Contender}. */
        @Param("JNOVA_DIRECT")
        public String contender;

        /** A {@link Workload}. */
        @Param("OVERWRITE_4K")
        public String workload;

        /** A folder on the file system to be measured. */
        @Param("/dev/shm")
        public String dir;

        /** Bytes that are filled ahead. */
        @Param("67108864")
        public long size;

        /** Files that the threads share. */
        @Param("1")
        public int files;

        /** How long a thread makes calls at most, before JMH's own warm-up; 0: not at all. */
        @Param("3000")
        public int warmupMillis;

        Conditions conditions;
        Subject subject;

        /** Opens and fills it. */
        @Setup(Level.Trial)
        public void open() throws Exception {
            Path own = Files.createTempDirectory(Path.of(dir), "fork");
            conditions = new Conditions(Workload.valueOf(workload), own, size, files);
            subject = Contender.valueOf(contender).open(conditions);
            subject.reset();
        }

        /** Cuts off what the iteration before has appended. */
        @Setup(Level.Iteration)
        public void reset() throws Exception {
            subject.reset();
        }

        /** Closes it and deletes its files; those of a fork that fails are deleted by who has started it. */
        @TearDown(Level.Trial)
        public void close() throws Exception {
            subject.close();
            Scratch.delete(conditions.dir());
        }
    }

    /** One thread, with what it draws ahead, so that no generator is timed: the same for every subject. */
    @State(Scope.Thread)
    public static class Caller {
        private static final int DRAWN = 1 << 20;
        private static final int TENTHS = 10;
        private static final int READ_TENTHS = 7;

        /** Calls after which the JIT compiler has done its work; slow ones are made for some time instead. */
        private static final int WARMUP_CALLS = 400_000;

        /** Calls between resets, so that none needs more room than in an iteration. */
        private static final int CALLS_PER_RESET = 50_000;

        Subject.Session session;
        private final int[] order = new int[DRAWN];
        private final boolean[] reads = new boolean[DRAWN];
        private int next;
        private long unit;
        private long number;
        private int threads;

        /** Draws. */
        @Setup(Level.Trial)
        public void open(Opened opened, ThreadParams params) throws Exception {
            Conditions conditions = opened.conditions;
            session = opened.subject.session(params.getThreadIndex());
            unit = conditions.unit();
            number = params.getThreadIndex();
            threads = params.getThreadCount();
            SplittableRandom random = new SplittableRandom(Subject.SEED + params.getThreadIndex());
            int units = Math.toIntExact(conditions.size() / unit);
            for (int i = 0; i < DRAWN; i++) {
                order[i] = conditions.workload().sequential() ? i % units : random.nextInt(units);
                reads[i] = random.nextInt(TENTHS) < READ_TENTHS;
            }
        }

        /** Warms up by calls rather than by time, since the fast ones of a fork take less than its start. */
        @Setup(Level.Trial)
        public void warmUp(Opened opened) throws Exception {
            long start = System.nanoTime();
            long nanos = TimeUnit.MILLISECONDS.toNanos(opened.warmupMillis);
            for (int i = 1; i <= WARMUP_CALLS && System.nanoTime() - start < nanos; i++) {
                call(opened.conditions.workload().call, this);
                if (i % CALLS_PER_RESET == 0 && threads == 1) {
                    opened.subject.reset();
                }
            }
        }

        long nextOffset() {
            next = next + 1 & DRAWN - 1;
            return order[next] * unit;
        }

        boolean isRead() {
            return reads[next];
        }

        /** Of a new file. */
        long nextNumber() {
            return number += threads;
        }
    }

    private static void call(Workload.Call call, Caller caller) throws Exception {
        RowBench bench = new RowBench();
        switch (call) {
            case WRITE -> bench.write(caller);
            case READ -> bench.read(caller);
            case APPEND -> bench.append(caller);
            case MIXED -> bench.mixed(caller);
            case CREATE -> bench.create(caller);
            case RENAME -> bench.rename(caller);
            case OPEN -> bench.open(caller);
        }
    }

    /** Replaces one unit. */
    @Benchmark
    public long write(Caller caller) throws Exception {
        return caller.session.write(caller.nextOffset());
    }

    /** Reads one. */
    @Benchmark
    public long read(Caller caller) throws Exception {
        return caller.session.read(caller.nextOffset());
    }

    /** Reads or replaces one. */
    @Benchmark
    public long mixed(Caller caller) throws Exception {
        long offset = caller.nextOffset();
        return caller.isRead() ? caller.session.read(offset) : caller.session.write(offset);
    }

    /** Appends one. */
    @Benchmark
    public long append(Caller caller) throws Exception {
        return caller.session.append();
    }

    /** Makes a small file. */
    @Benchmark
    public void create(Caller caller) throws Exception {
        caller.session.create(caller.nextNumber());
    }

    /** Renames a file. */
    @Benchmark
    public void rename(Caller caller) throws Exception {
        caller.session.rename();
    }

    /** Opens and closes a file. */
    @Benchmark
    public void open(Caller caller) throws Exception {
        caller.session.open();
    }
}
