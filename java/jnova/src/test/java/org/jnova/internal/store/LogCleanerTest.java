/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jnova.internal.core.IoBlock;
import org.jnova.internal.core.Keeps;
import org.jnova.internal.core.NativeInode;
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
