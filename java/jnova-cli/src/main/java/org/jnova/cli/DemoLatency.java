/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import org.jnova.NovaFile;
import org.jnova.NovaStore;

/**
 * Times single durable writes, each call on its own: random 4 KiB overwrites and 128-byte appends, to a file of the
 * store and through a FileChannel. Then reopens the store and checks that every page holds what was written to it last.
 */
final class DemoLatency {
    static final int FILE_LEN = 64 << 20;
    static final long PEER_FILE_LEN = FILE_LEN + (64L << 20);

    private static final int PAGE_LEN = 4096;
    private static final int PAGES = FILE_LEN / PAGE_LEN;
    private static final int RECORD_LEN = 128;
    private static final int WARM_UP_OPS = 30_000;
    private static final int OPS = 200_000;
    private static final String NAME = WholeFiles.PART_PREFIX + "timing";

    /** Space in the pool: the file, the appended records, and a log entry of 64 bytes per operation. */
    static final long ROOM = FILE_LEN + (WARM_UP_OPS + OPS) * (long) (RECORD_LEN + 2 * 64) + (16 << 20);

    /**
     * What to time.
     *
     * @param pool the pool; the FileChannel's file is made beside it
     * @param emulated how to open it
     * @param seconds longest time for each row
     */
    record Plan(Path pool, boolean emulated, int seconds) {}

    /** One durable write; the buffer's content tells operations apart. */
    private interface Write {
        void run(int op, ByteBuffer data) throws IOException;
    }

    private final Plan plan;
    private final DemoStory story;
    private final Random random = new Random(42);
    private final int[] lastOp = new int[PAGES];
    private int[] pages;
    private long appended;

    private DemoLatency(Plan plan, DemoStory story) {
        this.plan = plan;
        this.story = story;
    }

    static void run(Plan plan, DemoStory story, Streams streams) throws IOException, CommandFailure {
        DemoLatency latency = new DemoLatency(plan, story);
        story.line(String.format("%-34s %10s %10s %10s %10s %9s", "", "p50", "p99", "p99.9", "max", "writes"));
        try (NovaStore store = PoolArguments.open(plan.pool, plan.emulated, streams)) {
            latency.timeStore(store);
        }
        latency.timeFileChannel();
        try (NovaStore store = PoolArguments.open(plan.pool, plan.emulated, streams)) {
            latency.checkStore(store);
            store.delete(NAME);
            store.delete(NAME + "-append");
        }
    }

    private void timeStore(NovaStore store) throws IOException {
        try (NovaFile file = store.open(NAME, WRITE, CREATE_NEW);
                NovaFile log = store.open(NAME + "-append", WRITE, CREATE_NEW)) {
            file.write(0, ByteBuffer.allocateDirect(FILE_LEN));
            Arrays.fill(lastOp, -1);
            pages = random.ints(WARM_UP_OPS + OPS, 0, PAGES).toArray();
            time("JNova, 4 KiB overwrite", PAGE_LEN, (op, data) -> {
                file.write((long) pages[op] * PAGE_LEN, data);
                lastOp[pages[op]] = op;
            });
            time("JNova, 128 B append", RECORD_LEN, (op, data) -> {
                log.append(data);
                appended = op + 1L;
            });
        }
    }

    private void timeFileChannel() throws IOException {
        Path path = plan.pool.resolveSibling(plan.pool.getFileName() + ".peer");
        try (FileChannel file = FileChannel.open(path, READ, WRITE, CREATE, TRUNCATE_EXISTING)) {
            file.write(ByteBuffer.allocateDirect(FILE_LEN), 0);
            file.force(true);
            time("FileChannel, 4 KiB overwrite", PAGE_LEN, (op, data) -> {
                file.write(data, (long) pages[op] * PAGE_LEN);
                file.force(false);
            });
            file.position(FILE_LEN);
            time("FileChannel, 128 B append", RECORD_LEN, (op, data) -> {
                file.write(data);
                file.force(false);
            });
        } finally {
            Files.deleteIfExists(path);
        }
    }

    /** Warms up, then times {@link #OPS} writes, each for its share of the time allowed at most; prints percentiles. */
    private void time(String label, int length, Write write) throws IOException {
        ByteBuffer data = ByteBuffer.allocateDirect(length);
        long limitNs = plan.seconds * 1_000_000_000L;
        long start = System.nanoTime();
        int op = 0;
        while (op < WARM_UP_OPS && System.nanoTime() - start < limitNs / 4) {
            write.run(op, data.clear().putInt(0, op));
            op++;
        }
        long[] ns = new long[OPS];
        int count = 0;
        long after = start;
        while (count < OPS && after - start < limitNs) {
            data.clear().putInt(0, op);
            long before = System.nanoTime();
            write.run(op++, data);
            after = System.nanoTime();
            ns[count++] = after - before;
        }
        report(label, Arrays.copyOf(ns, count));
    }

    private void report(String label, long[] ns) {
        Arrays.sort(ns);
        story.line(String.format(
                Locale.ROOT,
                "%-34s %10s %10s %10s %10s %9d",
                label,
                at(ns, 0.50),
                at(ns, 0.99),
                at(ns, 0.999),
                at(ns, 1.0),
                ns.length));
    }

    private static String at(long[] sorted, double quantile) {
        long ns = sorted[(int) Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))];
        return ns < 1_000_000
                ? String.format(Locale.ROOT, "%.2f µs", ns / 1e3)
                : String.format(Locale.ROOT, "%.2f ms", ns / 1e6);
    }

    private void checkStore(NovaStore store) throws IOException {
        ByteBuffer page = ByteBuffer.allocateDirect(PAGE_LEN);
        int wrong = 0;
        try (NovaFile file = store.open(NAME, READ);
                NovaFile log = store.open(NAME + "-append", READ)) {
            for (int i = 0; i < PAGES; i++) {
                int read = file.read((long) i * PAGE_LEN, page.clear());
                wrong += read == PAGE_LEN && page.getInt(0) == Math.max(0, lastOp[i]) ? 0 : 1;
            }
            wrong += log.size() == appended * RECORD_LEN ? 0 : 1;
            for (long op = 0; op < appended; op++) {
                log.read(op * RECORD_LEN, page.clear().limit(RECORD_LEN));
                wrong += page.getInt(0) == op ? 0 : 1;
            }
        }
        story.check(wrong == 0, "reopened, every page and record holds what was written to it last");
    }
}
