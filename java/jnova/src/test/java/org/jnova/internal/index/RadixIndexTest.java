/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.index;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jnova.HeapUse;
import org.jnova.TestPools;
import org.junit.jupiter.api.Test;

class RadixIndexTest {
    @Test
    void emptyIndexHasHolesOnly() {
        RadixIndex index = new RadixIndex();
        assertEquals(0, index.block(0));
        assertEquals(0, index.block((1L << 48) - 1));
        assertEquals(0, index.pages());
        assertTrue(index.run(5, index.block(5), 1000) >= 1);
    }

    @Test
    void slotHoldsPlaceAndBlock() {
        RadixIndex index = new RadixIndex();
        index.map(3, -2, 2, 0x3abcdef, 5, null);
        index.map(5, 7, 1, 0x3abcdef, 5, null);
        assertEquals(0x3abcdefL << 38 | 63L << 32 | 0xffff_fffeL, index.slot(3)); // of several pages: no line
        assertEquals(0x3abcdefL << 38 | 63L << 32 | 0xffff_ffffL, index.slot(4));
        assertEquals(0x3abcdefL << 38 | 5L << 32 | 7, index.slot(5));
        assertEquals(0x3abcdef, RadixIndex.ordinal(index.slot(5)));
    }

    @Test
    void replacedBlocksAreReportedAsRuns() {
        RadixIndex index = new RadixIndex();
        ExtentList replaced = new ExtentList();
        index.map(0, 100, 1000, 1, 0, replaced);
        assertTrue(replaced.isEmpty());
        index.map(500, 5000, 100, 1, 0, replaced);
        assertEquals("[600+100]", replaced.toString());
        assertEquals(1000, index.pages());
    }

    @Test
    void mappingAgainReportsNothing() {
        RadixIndex index = new RadixIndex();
        ExtentList replaced = new ExtentList();
        index.map(10, 100, 20, 1, 0, replaced);
        index.map(10, 100, 20, 2, 0, replaced);
        assertTrue(replaced.isEmpty());
        assertEquals(20, index.pages());
    }

    @Test
    void truncateReportsInOrderAndShrinksTheTree() {
        RadixIndex index = new RadixIndex();
        ExtentList removed = new ExtentList();
        index.map(0, 10, 4, 1, 0, null);
        index.map(1L << 40, 700, 3, 1, 0, null);
        index.truncate(2, removed);
        assertEquals("[12+2, 700+3]", removed.toString());
        assertEquals(2, index.pages());
        assertEquals(11, index.block(1));
        assertEquals(0, index.block(2));
        assertEquals(0, index.block(1L << 40));
        index.truncate(0, removed);
        assertEquals(0, index.pages());
        assertEquals(0, index.block(0));
    }

    @Test
    void shiftsMoveWhatIsBehindAndShareWhatIsBefore() {
        RadixIndex index = new RadixIndex();
        ExtentList removed = new ExtentList();
        index.map(0, 1000, 2000, 7, 0, null);
        index.collapse(600, 300, removed);
        assertEquals("[1600+300]", removed.toString());
        assertEquals(1700, index.pages());
        assertEquals(1599, index.block(599));
        assertEquals(1900, index.block(600));
        assertEquals(7L << 38 | 63L << 32 | 2999, index.slot(1699));
        assertEquals(0, index.block(1700));
        index.insert(600, 1L << 40);
        assertEquals(1599, index.block(599));
        assertEquals(600, index.nextHole(0));
        assertEquals((1L << 40) + 600, index.nextMapped(600));
        assertEquals(1900, index.block((1L << 40) + 600));
        index.unmap(1, (1L << 40) + 1699, removed);
        assertEquals(2, index.pages());
        assertEquals(2999, index.block((1L << 40) + 1699));
        index.collapse(0, 1L << 39, null);
        index.collapse(0, 1L << 39, null);
        assertEquals(2999, index.block(1699));
        assertEquals(1, index.pages());
    }

    @Test
    void nextOfAnEmptyIndex() {
        RadixIndex index = new RadixIndex();
        assertEquals(-1, index.nextMapped(0));
        assertEquals(5, index.nextHole(5));
        index.insert(0, 4);
        index.collapse(0, 4, null);
        index.unmap(0, 4, null);
        assertEquals(0, index.pages());
    }

    @Test
    void highestPageHasAPlace() {
        RadixIndex index = new RadixIndex();
        long last = (1L << 48) - 1;
        index.map(last, 9, 1, 1, 0, null);
        index.map(0, 8, 1, 1, 0, null);
        assertEquals(9, index.block(last));
        assertEquals(8, index.block(0));
        index.truncate(last, null);
        assertEquals(0, index.block(last));
        assertEquals(8, index.block(0));
    }

    @Test
    void runsAreContiguousOrHoles() {
        RadixIndex index = new RadixIndex();
        index.map(0, 100, 3, 1, 0, null);
        index.map(3, 200, 3, 1, 0, null);
        assertEquals(3, index.run(0, index.block(0), 100));
        assertEquals(2, index.run(1, index.block(1), 100));
        assertEquals(2, index.run(0, index.block(0), 2));
        assertEquals(3, index.run(3, index.block(3), 100));
        assertTrue(index.run(6, index.block(6), 100) >= 1 && index.run(6, index.block(6), 100) <= 100);
        index.map(8, 1, 1, 1, 0, null);
        assertEquals(2, index.run(6, index.block(6), 100));
    }

    @Test
    void runsBeforeAPage() {
        RadixIndex index = new RadixIndex();
        assertEquals(0, index.runBefore(5, 100));
        index.map(0, 100, 3, 1, 0, null);
        index.map(3, 200, 3, 2, 0, null);
        index.map(6, 203, 1, 1, 0, null);
        assertEquals(0, index.runBefore(0, 100));
        assertEquals(2, index.runBefore(2, 102));
        assertEquals(0, index.runBefore(3, 200));
        assertEquals(3, index.runBefore(6, 203)); // whatever entries they are of
        index.map(9, 1, 2, 1, 0, null);
        assertEquals(1, index.runBefore(10, 2)); // a hole is no block 0
        index.map(500, 1000, 100, 1, 0, null);
        assertEquals(99 - 12, index.runBefore(599, 1099)); // to the leaf's start
    }

    @Test
    void mappingCountsForEachLogPageThatItReplaces() {
        LogPages pages = new LogPages(1, 0, false);
        RadixIndex index = new RadixIndex();
        index.setLog(pages);
        for (int i = 1; i <= 4; i++) {
            pages.enter(i);
            index.map(3L * i, 100 + 3 * i, 3, i, 0, null);
        }
        pages.enter(5);
        index.map(4, 104, 10, 5, 0, null); // of the first page one is left, of the last one, too
        pages.enter(6);
        assertFalse(pages.isEmpty(1));
        assertFalse(pages.isEmpty(4));
        assertEquals(3, pages.takeDead());
        assertEquals(2, pages.takeDead());
        assertEquals(0, pages.takeDead());
        index.map(3, 200, 1, 6, 0, null);
        assertTrue(pages.isEmpty(1));
        assertEquals(12, index.pages());
    }

    @Test
    void linesOfReplacedPagesAreNotRead() {
        LogPages pages = new LogPages(1, 0, false);
        RadixIndex index = new RadixIndex();
        index.setLog(pages);
        index.map(0, 100, 1, 1, 0, null);
        index.map(1, 101, 1, 1, 1, null);
        index.map(2, 102, 3, 1, 2, null);
        index.map(9, 109, 1, 1, 62, null);
        assertEquals(1L << 62 | 7, pages.liveLines(1));
        index.map(1, 101, 1, 1, 1, null); // the same once more
        assertEquals(1L << 62 | 7, pages.liveLines(1));
        index.map(1, 201, 1, 1, 3, null);
        index.map(3, 202, 1, 1, 4, null); // the two beside it still count
        assertEquals(1L << 62 | 1 | 4 | 8 | 16, pages.liveLines(1));
        index.unmap(0, 1, null);
        assertEquals(1L << 62 | 4 | 8 | 16, pages.liveLines(1));
        pages.counts(1, 2); // a name, at some line
        assertEquals(-1, pages.liveLines(1));
        assertEquals(-1, pages.liveLines(0));
    }

    /** Of an entry whose mapping failed, and is not repeated yet, the one before is as it was. */
    @Test
    void withoutMemoryForWhatIsReplacedItIsStillRead() throws ReflectiveOperationException {
        LogPages pages = new LogPages(1, 0, false);
        RadixIndex index = new RadixIndex();
        index.setLog(pages);
        index.map(0, 100, 1, 1, 0, null);
        index.map(1, 201, 1, 1, 1, null);
        ExtentList none = new ExtentList();
        Field extents = ExtentList.class.getDeclaredField("extents");
        extents.setAccessible(true);
        extents.set(none, null);
        assertThrows(NullPointerException.class, () -> index.map(0, 300, 2, 1, 2, none));
        assertEquals(100, index.block(0));
        assertEquals(3, pages.liveLines(1));
        index.map(0, 300, 2, 1, 2, null);
        assertEquals(4, pages.liveLines(1));
    }

    @Test
    void aHoleIsNoPageOfTheSlot() {
        LogPages pages = new LogPages(1, 3, false); // three pages, as of entries in the slot
        RadixIndex index = new RadixIndex();
        index.map(0, 100, 1, 0, 0, null);
        index.map(2, 102, 1, 0, 0, null);
        index.map(5, 105, 1, 0, 0, null);
        index.setLog(pages);
        index.map(0, 200, 6, 1, 0, null); // mapped and not, by turns
        assertEquals(6, index.pages());
        assertTrue(pages.isEmpty(0));
        assertFalse(pages.isEmpty(1));
        index.truncate(0, null);
        assertEquals(0, index.pages());
        assertTrue(pages.isEmpty(1));
    }

    @Test
    void runFromBlockThatWasReplacedMeanwhileEndsAtOnce() {
        RadixIndex index = new RadixIndex();
        index.map(0, 100, 3, 1, 0, null);
        assertEquals(1, index.run(0, 4000, 100));
        assertEquals(1, index.run(700, 4000, 100));
    }

    @Test
    void preparedPagesNeedNoMemory() {
        RadixIndex index = new RadixIndex();
        assertFalse(index.covers(0, 0));
        index.prepare(0, 5);
        assertTrue(index.covers(0, 7));
        assertFalse(index.covers(0, 8));
        index.prepare(500, 1600);
        assertTrue(index.covers(0, 1600));
        assertFalse(index.covers(5_000_000, 5_000_000));
        assertEquals(0, index.pages());
        assertEquals(0, index.block(3));
        index.truncate(0, null);
        assertEquals(0, index.block(3));
    }

    @Test
    void memoryOfSmallAndLargeFiles() {
        assertTrue(allocated(1) <= 200, "one block: " + allocated(1) + " bytes");
        long gib = allocated(1 << 18);
        assertTrue(gib <= 5L << 19, "1 GiB: " + gib + " bytes");
    }

    /** Heap that an index of so many pages allocates, written in one piece. */
    private static long allocated(int pages) {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 3; i++) {
            long before = HeapUse.bytes();
            RadixIndex index = new RadixIndex();
            index.map(0, 1, pages, 1, 0, null);
            long after = HeapUse.bytes();
            assertEquals(pages, index.block(pages - 1));
            least = Math.min(least, after - before);
        }
        return least;
    }

    /** Lookups that race with every kind of change fail never, and answer a slot that was one of that page, or none. */
    @Test
    void racingLookupsSeeOldOrNew() throws InterruptedException {
        RadixIndex index = new RadixIndex();
        AtomicBoolean stop = new AtomicBoolean();
        List<Throwable> failures = new ArrayList<>();
        Thread[] readers = new Thread[2];
        for (int t = 0; t < readers.length; t++) {
            long seed = t;
            readers[t] = new Thread(() -> {
                SplittableRandom random = new SplittableRandom(seed);
                try {
                    while (!stop.get()) {
                        long page = random.nextLong(1L << random.nextInt(1, 30));
                        int blk = index.block(page);
                        // Block numbers carry their page in the low bits, so a slot of another page would show.
                        assertTrue(blk == 0 || (blk & 1023) == (page & 1023), () -> page + " -> " + blk);
                        index.run(page, index.block(page), 100);
                        index.nextMapped(page);
                        index.nextHole(page);
                    }
                } catch (Throwable e) {
                    synchronized (failures) {
                        failures.add(e);
                    }
                }
            });
            readers[t].start();
        }
        SplittableRandom random = new SplittableRandom(99);
        long end = System.nanoTime() + (TestPools.FULL ? 20_000_000_000L : 1_000_000_000L);
        while (System.nanoTime() < end) {
            long page = random.nextLong(1L << random.nextInt(1, 30));
            int what = random.nextInt(16);
            if (what < 2) {
                index.truncate(random.nextBoolean() ? 0 : page, null);
            } else if (what == 2) {
                index.unmap(page, page + random.nextInt(1, 2000), null);
            } else if (what == 3) { // by multiples of 1024, so that the pages' low bits stay
                index.insert(page, random.nextInt(1, 5) << 10);
            } else if (what == 4) {
                index.collapse(page, random.nextInt(1, 5) << 10, null);
            } else {
                int base = random.nextInt(1, 1 << 20) << 10;
                index.map(page, base | (int) (page & 1023), random.nextInt(1, 1024 - (int) (page & 1023) + 1), 1, 0, null);
            }
        }
        stop.set(true);
        for (Thread reader : readers) {
            reader.join();
        }
        assertEquals(List.of(), failures, () -> Arrays.toString(failures.get(0).getStackTrace()));
    }
}
