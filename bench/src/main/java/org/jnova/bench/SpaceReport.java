/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jnova.NovaFile;
import org.jnova.NovaStore;
import org.jnova.StoreInfo;
import org.jnova.bench.Bounds.Unit;

/**
 * {@code jnova bench space}: what logs, small files and indexes take, beside the bounds.
 *
 * <p>The space of logs is what is in use beyond the blocks of files and of the inode table. An entry is live as long as
 * a page has a block that it gave, or a name means what it says. Each takes one of the {@value #PAGE_LINES} lines in a
 * page of a log here.
 */
final class SpaceReport {
    private static final int PAGE_LINES = 63;
    private static final int LIVE_FACTOR = 2;
    private static final int SLOTS_PER_BLOCK = 16;
    /** Beyond twice the live entries, of each log that was worked on. */
    private static final int CONSTANT = 32 << 10;

    private static final int SMALL_METADATA = 512;
    private static final double INDEX_PER_GIB = 4 << 20;
    private static final int INDEX_PER_FILE = 200;
    private static final double CLEANING_SHARE = 0.1;
    private static final int RECORD_LEN = 128;
    private static final int THERE = 1000;
    /** So often that the lines of an inode's slot are not enough. */
    private static final int REWRITES = 4;

    private final ScaleOptions options;
    private final Bounds bounds;

    SpaceReport(ScaleOptions options, Bounds bounds) {
        this.options = options;
        this.bounds = bounds;
    }

    void run() throws IOException {
        bounds.title("space of logs");
        inPool(store -> {
            ScaleWorkloads.append(store, options.fileSize(), BenchState.PAGE_LEN);
            logs(store, "appends of 4 KiB", options.pages(), options.pages(), 2);
        });
        inPool(store -> {
            ScaleWorkloads.append(store, options.fileSize(), RECORD_LEN);
            logs(store, "appends of " + RECORD_LEN + " B", options.pages(), options.pages(), 2);
        });
        inPool(this::overwrite);
        inPool(this::smallFiles);
        inPool(store -> {
            ScaleWorkloads.churn(store, options.files(), THERE);
            logs(store, options.files() + " files made and deleted again", THERE, THERE, 3);
        });
    }

    private interface Work {
        void in(NovaStore store) throws IOException;
    }

    private void inPool(Work work) throws IOException {
        Path pool = options.pool("space");
        try (NovaStore store = ScaleChild.create(pool, options.poolSize())) {
            work.in(store);
        } finally {
            ScaleOptions.delete(pool);
        }
    }

    private void overwrite(NovaStore store) throws IOException {
        ScaleWorkloads.scatter(store, options.pages());
        long cleaningBefore = store.stats().cleaning().nanos();
        long start = System.nanoTime();
        ScaleWorkloads.overwrite(store, options.pages(), options.overwrites());
        double took = System.nanoTime() - start;
        double cleaning = store.stats().cleaning().nanos() - cleaningBefore;
        logs(store, options.overwrites() + " random overwrites of one file", options.pages(), options.pages(), 2);
        bounds.atMost("share of cleaning in the time of that", cleaning / took, CLEANING_SHARE, Unit.PERCENT);
        bounds.note("time per overwrite, ns", took / options.overwrites(), Unit.COUNT);
        long before = usedHeap();
        try (NovaFile file = store.open(ScaleWorkloads.LARGE)) {
            if (file.size() != options.fileSize()) {
                throw new IOException("the large file is not whole");
            }
            double heap = usedHeap() - before;
            bounds.atMost("index of a file of that kind, per GiB", heap / options.gibs(), INDEX_PER_GIB, Unit.BYTES);
        }
    }

    private void smallFiles(NovaStore store) throws IOException {
        int files = options.files();
        long used = store.info().usedBytes();
        long heap = usedHeap();
        ScaleWorkloads.makeSmall(store, files, files);
        double grown = store.info().usedBytes() - used;
        double metadata = grown / files - BenchState.PAGE_LEN;
        bounds.atMost("metadata of a small file, its name included", metadata, SMALL_METADATA, Unit.BYTES);
        double index = (double) (usedHeap() - heap) / files;
        bounds.atMost("index, per file that is not open", index, INDEX_PER_FILE, Unit.BYTES);
        ScaleWorkloads.rewriteSmall(store, files, files, REWRITES);
        logs(store, files + " small files, each written " + REWRITES + " times more", files, files, 3);
        openFiles(store, Math.min(files, 100_000));
    }

    private void openFiles(NovaStore store, int count) throws IOException {
        List<NovaFile> open = new ArrayList<>(count);
        long heap = usedHeap();
        for (int i = 0; i < count; i++) {
            open.add(store.open(ScaleWorkloads.small(i, options.files(), options.files())));
        }
        bounds.note("heap per open file", (double) (usedHeap() - heap) / count, Unit.BYTES);
        for (NovaFile file : open) {
            file.close();
        }
    }

    /**
     * @param blocks of files
     * @param live entries
     * @param logs that the constant is allowed for
     */
    private void logs(NovaStore store, String figure, long blocks, long live, int logs) throws IOException {
        StoreInfo info = store.info();
        long table = (info.inodesUsed() + SLOTS_PER_BLOCK) / SLOTS_PER_BLOCK;
        double space = info.usedBytes() - (blocks + table) * info.blockSize();
        double need = (double) (live + PAGE_LINES - 1) / PAGE_LINES * info.blockSize();
        bounds.atMost(figure, space, LIVE_FACTOR * need + logs * CONSTANT, Unit.BYTES);
    }

    /** Bytes of the heap in use, about: what is left after a collection. */
    private static long usedHeap() {
        Runtime runtime = Runtime.getRuntime();
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 3; i++) { // objects may die of the one before only
            runtime.gc();
            least = Math.min(least, runtime.totalMemory() - runtime.freeMemory());
        }
        return least;
    }
}
