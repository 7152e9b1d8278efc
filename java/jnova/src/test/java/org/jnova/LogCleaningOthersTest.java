/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.channels.FileChannel.MapMode.READ_WRITE;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jnova.internal.index.LogPages;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What others append to a log while it is cleaned: calls on names, and faults. */
class LogCleaningOthersTest {
    private static final int BLOCK = 4096;
    private static final long SEED = Long.getLong("jnova.seed", System.nanoTime());

    private final TestPools pools = new TestPools();
    private final SplittableRandom random = new SplittableRandom(SEED);

    @AfterEach
    void close() {
        LogPages.cleanAlways(false);
        pools.close();
    }

    /** The number of names is told by entries that no writing call reports. */
    @Test
    void linksOfAFileThatIsOverwritten() throws IOException {
        byte[] bytes = new byte[BLOCK];
        LogPages.cleanAlways(true);
        try (NovaStore store = pools.create("p", 8 * TestPools.MIB)) {
            try (NovaFile file = store.open("f", CREATE, READ, WRITE)) {
                for (int i = 0; i < 1000; i++) {
                    file.write(random.nextInt(3) * BLOCK, bytes, 0, BLOCK);
                    if (i == 500) {
                        store.createLink("g", "f");
                    }
                }
                assertTrue(store.stats().cleaning().pagesFreed() > 5, store.stats().cleaning().toString());
                Files.copy(pools.path("p"), pools.path("crashed"));
                try (NovaStore crashed = pools.open("crashed")) {
                    assertEquals(2, crashed.stat("f").nlink());
                    crashed.delete("f");
                    assertEquals(1, crashed.stat("g").nlink());
                }
                pools.assertSound("crashed");
            }
        }
        try (NovaStore store = pools.open("p")) {
            assertEquals(2, store.stat("g").nlink());
        }
        pools.assertSound("p");
    }

    /**
     * A file in so many pieces that faults move blocks together. A page may get another block at any time, also when it
     * has been chosen to be kept with the one that it had.
     */
    @Test
    void faultsThatMoveBlocks() throws Exception {
        int pages = 24_000; // mappings, more than a quarter of what the kernel allows by default
        byte[] bytes = new byte[BLOCK];
        try (NovaStore store = pools.create("p", 256 * TestPools.MIB);
                NovaFile file = store.open("f", CREATE, READ, WRITE)) {
            for (int i = 0; i < pages; i++) {
                int page = (int) (i * 7919L % pages); // neighbours in the file are none in the pool
                file.write((long) page * BLOCK, word(bytes, page, 0), 0, BLOCK);
            }
            long[] want = new long[pages];
            AtomicBoolean stop = new AtomicBoolean();
            AtomicReference<Throwable> failure = new AtomicReference<>();
            LogPages.cleanAlways(true);
            try (MappedRegion region = file.map(READ_WRITE, 0, (long) pages * BLOCK)) {
                ByteBuffer memory = region.buffer();
                Thread storing = new Thread(() -> {
                    SplittableRandom mine = new SplittableRandom(SEED + 1);
                    try {
                        for (int i = 0; i < pages || !stop.get(); i++) { // all of them, in a first round
                            int page = (i < pages ? i : mine.nextInt(pages)) | 1;
                            assertEquals(value(page, want[page]), memory.getLong(page * BLOCK), "page " + page);
                            want[page]++;
                            memory.putLong(page * BLOCK, value(page, want[page]));
                            memory.getLong((page ^ 1) * BLOCK);
                        }
                    } catch (Throwable e) {
                        failure.set(e);
                    }
                });
                storing.start();
                long end = System.nanoTime() + (TestPools.FULL ? 60_000_000_000L : 3_000_000_000L);
                while (System.nanoTime() < end && failure.get() == null) {
                    int page = random.nextInt(pages) & -2;
                    want[page]++;
                    file.write((long) page * BLOCK, word(bytes, page, want[page]), 0, BLOCK);
                }
                stop.set(true);
                storing.join();
                assertNull(failure.get(), () -> "seed " + SEED + ": " + failure.get());
                TestReport.line(
                        "cleaning: %d log pages freed while faults moved %d blocks",
                        store.stats().cleaning().pagesFreed(), region.status().pagesMoved());
            }
            for (int page = 0; page < pages; page++) {
                assertEquals(8, file.read((long) page * BLOCK, bytes, 0, 8));
                assertEquals(value(page, want[page]), ByteBuffer.wrap(bytes).getLong(), "seed " + SEED + ": " + page);
            }
        }
        pools.assertSound("p");
    }

    private static long value(int page, long version) {
        return (long) page << 32 | version;
    }

    private static byte[] word(byte[] bytes, int page, long version) {
        ByteBuffer.wrap(bytes).putLong(0, value(page, version));
        return bytes;
    }
}
