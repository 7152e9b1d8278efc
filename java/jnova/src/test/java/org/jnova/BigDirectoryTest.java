/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.BitSet;
import java.util.Iterator;
import org.junit.jupiter.api.Test;

/**
 * A directory with many names. That a create or a look-up does not depend on how many there are is told by counts: of
 * the log entries that it makes, and of the heap that it takes.
 */
class BigDirectoryTest {
    private static final int NAMES = TestPools.FULL ? 1_000_000 : 50_000;
    private static final int BATCH = 1_000;
    private static final int NAMES_OF_A_FILE = 60_000;
    private static final int HEAP_EACH_MAX = 250;

    @Test
    void createAndLookUpDoNotDependOnItsSize() throws IOException {
        try (TestPools pools = new TestPools()) {
            long size = NAMES * 256L + 64 * TestPools.MIB;
            try (NovaStore store = pools.create("p", size)) {
                store.createDirectory("d");
                fill(store, 0, 2 * BATCH);
                long small = lookUps(store, 0);
                fill(store, 2 * BATCH, NAMES);
                assertEquals(NAMES, store.stat("d").logEntries(), "one entry a name");
                long large = lookUps(store, NAMES - BATCH);
                assertTrue(
                        large <= small * 1.5 + 100_000,
                        "look-ups took " + small + " bytes of heap among few names, " + large + " among many");
                checkIteration(store);
            }
            pools.assertSound("p");
            try (NovaStore store = pools.open("p")) {
                checkHeap(store);
                assertEquals(NAMES, store.names("d").size());
                checkIteration(store);
                try (NovaFile file = store.open("file 0")) {
                    for (int i = 0; i < 2 * BATCH; i += 2) {
                        store.delete(name(i));
                    }
                    assertEquals(Math.min(NAMES, NAMES_OF_A_FILE) + 1 - BATCH, file.info().nlink());
                }
                assertFalse(store.exists(name(0)));
                assertTrue(store.exists(name(1)));
                assertEquals(NAMES - BATCH, store.stat("d").size());
            }
            pools.assertSound("p");
        }
    }

    private static String name(int i) {
        return "d/name " + i;
    }

    private static void fill(NovaStore store, int from, int to) throws IOException {
        for (int i = from; i < to; ) {
            String of = "file " + i / NAMES_OF_A_FILE;
            int end = Math.min(to, (i / NAMES_OF_A_FILE + 1) * NAMES_OF_A_FILE);
            try (NovaFile file = store.open(of, CREATE, WRITE)) { // open, so that its log is read once
                for (; i < end; i++) {
                    store.createLink(name(i), of);
                }
                assertEquals(i - (long) (i - 1) / NAMES_OF_A_FILE * NAMES_OF_A_FILE + 1, file.info().nlink());
            }
        }
    }

    private static long lookUps(NovaStore store, int from) throws IOException {
        long before = HeapUse.bytes();
        for (int i = from; i < from + BATCH; i++) {
            assertTrue(store.exists(name(i)));
            assertFalse(store.exists("d/no name " + i));
        }
        return HeapUse.bytes() - before;
    }

    /** What a name costs that is kept in memory: the first path that leads through the directory loads all of them. */
    private static void checkHeap(NovaStore store) throws IOException {
        long before = HeapUse.live();
        assertTrue(store.exists(name(0)));
        long each = (HeapUse.live() - before) / NAMES;
        TestReport.line("names: %d bytes of heap for each of %d in a loaded directory", each, NAMES);
        assertTrue(each < HEAP_EACH_MAX, each + " bytes of heap for a name");
    }

    private static void checkIteration(NovaStore store) throws IOException {
        BitSet seen = new BitSet(NAMES);
        int count = 0;
        for (Iterator<DirectoryEntry> all = store.iterate("d"); all.hasNext(); count++) {
            seen.set(Integer.parseInt(all.next().name().substring("name ".length())));
        }
        assertEquals(NAMES, count);
        assertEquals(NAMES, seen.cardinality());
    }
}
