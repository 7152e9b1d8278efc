/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.jnova.MappedRegion;
import org.jnova.NovaFile;
import org.jnova.NovaStore;
import org.jnova.TestPools;
import org.jnova.internal.core.Abi;
import org.jnova.internal.core.IoBlock;
import org.jnova.internal.core.Keeps;
import org.jnova.internal.core.NativeInode;
import org.jnova.internal.core.Records;
import org.jnova.internal.index.LogPages;
import org.junit.jupiter.api.Test;

/** What cleaning had chosen when it failed is chosen another time. */
class LogCleanerTest {
    private static final int PAGES = 40;

    private final CleaningCounters counters = new CleaningCounters();
    private final LogCleaner cleaner = new LogCleaner(counters, () -> false);

    /** Of pages that count little, in the middle of a log that is too long. */
    private static LogPages sparse() {
        LogPages pages = new LogPages(1, 0, false);
        for (int i = 1; i <= PAGES; i++) {
            pages.enter(i);
            pages.counts(i, 2);
        }
        pages.cutOff(1);
        for (int i = 2; i < PAGES; i++) {
            pages.replaced(i, 1);
        }
        pages.look();
        return pages;
    }

    @Test
    void sparsePagesThatCannotBeRead() {
        LogPages pages = sparse();
        cleaner.afterCall(new Failing(pages, false));
        assertEquals(1, counters.stats().failed());
        for (int i = PAGES - 1; i > 1; i--) {
            assertEquals(i, pages.takeSparse());
        }
        assertEquals(0, pages.takeSparse());
    }

    @Test
    void deadPagesOfALogThatCannotBeFollowed() {
        LogPages pages = sparse();
        pages.replaced(5, 1);
        cleaner.afterCall(new Failing(pages, true));
        assertEquals(1, counters.stats().failed());
        assertTrue(pages.isDead(5));
        assertEquals(5, pages.takeDead());
    }

    // ---- gathering from the log of a file

    /** What becomes of a gathering in place of what the log would answer. */
    private interface Gathering {
        int run(LogCleaner.Log log, Keeps keeps) throws IOException;
    }

    private static int gatherInstead(LogCleaner.Log log, Keeps keeps, int status) {
        assertFalse(keeps.isEmpty());
        return status;
    }

    @Test
    void gatheringFindsNoSpace() throws Exception {
        gathering((log, keeps) -> gatherInstead(log, keeps, Abi.ENOSPC), 1, true);
    }

    @Test
    void gatheringFindsNoMemoryInTheCore() throws Exception {
        gathering((log, keeps) -> gatherInstead(log, keeps, Abi.ENOMEM), 1, true);
    }

    @Test
    void gatheringFindsNoHeap() throws Exception {
        gathering(
                (log, keeps) -> {
                    throw new OutOfMemoryError("no memory, for a test");
                },
                1,
                true);
    }

    /** A fault gives another page of the file a block between choosing and gathering. */
    @Test
    void gatheringIsOvertakenByAFault() throws Exception {
        gathering(
                (log, keeps) -> {
                    region.buffer().put((PAGES_OF_FILE + 10) * PAGE, (byte) 1);
                    int status = log.gather(keeps);
                    assertEquals(Abi.ESTALE, status);
                    return status;
                },
                0,
                true);
    }

    /** Then the front of the log is cleaned instead, in the same call. */
    @Test
    void gatheringIsImpossible() throws Exception {
        gathering((log, keeps) -> gatherInstead(log, keeps, Abi.EINVAL), 0, false);
    }

    private static final int PAGE = 4096;
    private static final int PAGES_OF_FILE = 200;

    private MappedRegion region;

    /**
     * Cleans the log of a file, of which gathering fails, and then as usual.
     *
     * @param failed how often that counts as failed
     * @param again whether what had been chosen is gathered the next time
     */
    private void gathering(Gathering instead, int failed, boolean again) throws Exception {
        byte[] bytes = new byte[PAGES_OF_FILE * PAGE];
        SplittableRandom random = new SplittableRandom(1);
        try (TestPools pools = new TestPools()) {
            try (NovaStore store = pools.create("p", 16 << 20);
                    NovaFile file = store.open("f", CREATE, READ, WRITE)) {
                file.write(0, bytes, 0, bytes.length);
                file.setSize(2L * bytes.length);
                region = file.map(FileChannel.MapMode.READ_WRITE, 0, 2L * bytes.length);
                for (int i = 0; i < 500; i++) { // most to a few pages, so that few entries of each page of the log count
                    int at = PAGE * random.nextInt(i % 20 == 0 ? PAGES_OF_FILE : 4);
                    Arrays.fill(bytes, at, at + PAGE, (byte) i);
                    file.write(at, bytes, at, PAGE);
                }
                LogCleaner.Log log = logOf(file);
                LogPages.cleanAlways(true);
                try {
                    cleaner.afterCall(new Otherwise(log, instead));
                    assertEquals(failed, counters.stats().failed());
                    long copied = counters.stats().copied();
                    cleaner.afterCall(new Otherwise(log, LogCleaner.Log::gather));
                    assertEquals(failed, counters.stats().failed());
                    assertEquals(again, gathered && counters.stats().copied() > copied);
                } finally {
                    LogPages.cleanAlways(false);
                }
                byte[] is = new byte[bytes.length];
                file.read(0, is, 0, is.length);
                assertArrayEquals(bytes, is);
                region.close();
            }
            pools.assertSound("p");
            try (NovaStore store = pools.open("p");
                    NovaFile file = store.open("f")) {
                byte[] is = new byte[bytes.length];
                file.read(0, is, 0, is.length);
                assertArrayEquals(bytes, is);
            }
        }
    }

    private static LogCleaner.Log logOf(NovaFile file) throws ReflectiveOperationException {
        return (LogCleaner.Log) field(field(field(file, "state"), "commits"), "log");
    }

    private static Object field(Object of, String name) throws ReflectiveOperationException {
        Field field = of.getClass().getDeclaredField(name);
        field.setAccessible(true);
        return field.get(of);
    }

    private boolean gathered;

    /** A file's log, but for gathering, of which there is one attempt. */
    private final class Otherwise implements LogCleaner.Log {
        private final LogCleaner.Log log;
        private final Gathering gathering;

        Otherwise(LogCleaner.Log log, Gathering gathering) {
            this.log = log;
            this.gathering = gathering;
            gathered = false;
        }

        @Override
        public NativeInode inode() {
            return log.inode();
        }

        @Override
        public IoBlock io() {
            return log.io();
        }

        @Override
        public LogPages pages() {
            return log.pages();
        }

        @Override
        public void bringUpToDate() throws IOException {
            log.bringUpToDate();
        }

        @Override
        public boolean keep(ByteBuffer bytes, int at, int ordinal, Keeps keeps) {
            assertTrue((pages().liveLines(ordinal) >>> Records.logIdx(bytes, at) & 1) == 1, "read, but replaced");
            return log.keep(bytes, at, ordinal, keeps);
        }

        @Override
        public long walk(Keeps keeps) {
            return log.walk(keeps);
        }

        @Override
        public boolean keepAll(Keeps keeps, int most) {
            return log.keepAll(keeps, most);
        }

        @Override
        public int append(Keeps keeps) throws IOException {
            return log.append(keeps);
        }

        @Override
        public boolean gathers() {
            return !gathered && log.gathers();
        }

        @Override
        public int gather(Keeps keeps) throws IOException {
            gathered = true;
            return gathering.run(log, keeps);
        }

        @Override
        public int restart(Keeps keeps) throws IOException {
            return log.restart(keeps);
        }
    }

    // ---- a log that is not read

    /** Fails to follow, or has no memory to read with. */
    private record Failing(LogPages pages, boolean follow) implements LogCleaner.Log {
        @Override
        public NativeInode inode() {
            throw new AssertionError();
        }

        @Override
        public IoBlock io() {
            throw new OutOfMemoryError("no memory, for a test");
        }

        @Override
        public void bringUpToDate() throws IOException {
            if (follow) {
                throw new IOException("not to be followed, for a test");
            }
        }

        @Override
        public boolean keep(ByteBuffer bytes, int at, int ordinal, Keeps keeps) {
            throw new AssertionError();
        }

        @Override
        public long walk(Keeps keeps) {
            throw new AssertionError();
        }

        @Override
        public boolean keepAll(Keeps keeps, int most) {
            throw new AssertionError();
        }

        @Override
        public int append(Keeps keeps) {
            throw new AssertionError();
        }

        @Override
        public boolean gathers() {
            return true;
        }

        @Override
        public int restart(Keeps keeps) {
            throw new AssertionError();
        }
    }
}
