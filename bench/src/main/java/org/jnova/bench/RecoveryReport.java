/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import org.jnova.NovaFile;
import org.jnova.NovaStore;
import org.jnova.bench.Bounds.Unit;

/**
 * {@code jnova bench recovery}: how long opening a pool takes, after a crash and after a close, beside the bounds. A
 * crash is a process that ends without closing the pool. Of several openings the best counts: other programs on the
 * machine only add to it; the median stands beside.
 */
final class RecoveryReport {
    private static final double RECOVERY_PER_GIB = 0.2e9;
    private static final double RECOVERY_PER_MILLION = 2e9;
    private static final double CLEAN_OPEN = 50e6;
    private static final int PER_DIRECTORY = 1000;

    private final ScaleOptions options;
    private final Bounds bounds;

    RecoveryReport(ScaleOptions options, Bounds bounds) {
        this.options = options;
        this.bounds = bounds;
    }

    void run() throws IOException, InterruptedException {
        warmUp();
        bounds.title(String.format("a file of %.2f GiB, written 4 KiB at a time in random order", options.gibs()));
        measure(
                RECOVERY_PER_GIB * options.gibs(),
                store -> {
                    try (NovaFile file = store.open(ScaleWorkloads.LARGE)) {
                        file.read(0, ByteBuffer.allocate(1));
                    }
                },
                "scatter",
                options.pages(),
                options.pages());
        for (int perDirectory : new int[] {PER_DIRECTORY, options.files()}) {
            bounds.title(String.format(
                    "%d small files%s", options.files(),
                    perDirectory == PER_DIRECTORY ? ", a thousand in a directory" : " in one directory"));
            measure(
                    RECOVERY_PER_MILLION * options.millions(),
                    store -> look(store, perDirectory),
                    "small",
                    options.files(),
                    perDirectory);
        }
    }

    /** Finds a file in every directory, so that all are loaded. */
    private void look(NovaStore store, int perDirectory) throws IOException {
        for (int i = 0; i < options.files(); i += perDirectory) {
            if (!store.exists(ScaleWorkloads.small(i, options.files(), perDirectory))) {
                throw new IOException("a small file is not there");
            }
        }
    }

    /** Loads the classes and the native library. */
    private void warmUp() throws IOException {
        Path pool = options.pool("warm");
        try {
            ScaleChild.create(pool, 1 << 24).close();
            ScaleChild.open(pool).close();
        } finally {
            ScaleOptions.delete(pool);
        }
    }

    /** Something that needs the index. */
    private interface FirstUse {
        void of(NovaStore store) throws IOException;
    }

    private void measure(double recoveryBound, FirstUse use, Object... workload)
            throws IOException, InterruptedException {
        Path pool = options.pool("recovery");
        try {
            ScaleChild.create(pool, options.poolSize()).close();
            ScaleChild.run(pool, workload);
            double[] crash = new double[options.repeats()];
            double[] clean = new double[options.repeats()];
            double[] first = new double[options.repeats()];
            for (int i = 0; i < options.repeats(); i++) {
                if (i != 0) {
                    ScaleChild.run(pool, "open");
                }
                crash[i] = open(pool, true, store -> {})[0];
                double[] times = open(pool, false, use);
                clean[i] = times[0];
                first[i] = times[1];
            }
            row("open after a crash", crash, recoveryBound);
            row("open after a close", clean, CLEAN_OPEN);
            row("first use after that: the index is built", first, recoveryBound);
        } finally {
            ScaleOptions.delete(pool);
        }
    }

    /** Nanoseconds of opening, and of the first use behind it. */
    private static double[] open(Path pool, boolean crashed, FirstUse use) throws IOException {
        long start = System.nanoTime();
        NovaStore store = ScaleChild.open(pool);
        try (store) {
            long opened = System.nanoTime();
            if (store.info().recovered() != crashed) {
                throw new IOException(pool + (crashed ? " was closed in order" : " was not closed in order"));
            }
            long before = System.nanoTime();
            use.of(store);
            return new double[] {opened - start, System.nanoTime() - before};
        }
    }

    private void row(String figure, double[] times, double bound) {
        Arrays.sort(times);
        bounds.atMost(figure, times[0], bound, Unit.MILLISECONDS);
        bounds.note("median of " + times.length, times[times.length / 2], Unit.MILLISECONDS);
    }
}
