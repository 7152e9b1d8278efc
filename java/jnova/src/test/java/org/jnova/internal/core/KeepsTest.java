/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Pages that lie in a row become one extent, and no others. */
class KeepsTest {
    private static final int FIRST = Abi.PAGE_RECORDS * Abi.RECORD_SIZE;

    private final Keeps keeps = Keeps.take();

    @AfterEach
    void put() {
        keeps.put();
    }

    private void assertKeep(int i, long at, int blk, int count) {
        ByteBuffer bytes = keeps.bytes();
        int off = FIRST + i * Abi.KEEP_SIZE;
        assertEquals(at, bytes.getLong(off + Abi.KEEP_AT));
        assertEquals(blk, bytes.getInt(off + Abi.KEEP_BLK));
        assertEquals(count, bytes.getInt(off + Abi.KEEP_COUNT));
    }

    @Test
    void runsBecomeOneExtent() {
        assertFalse(keeps.endsWith(0));
        assertTrue(keeps.addPages(500, 1000, 12));
        assertTrue(keeps.addPages(512, 1012, 512));
        assertTrue(keeps.addPage(1024, 1524));
        assertEquals(1, keeps.size());
        assertKeep(0, 500, 1000, 525);
        assertEquals(1025, keeps.end());
        assertFalse(keeps.endsWith(499));
        assertTrue(keeps.endsWith(500));
        assertTrue(keeps.endsWith(1024));
        assertFalse(keeps.endsWith(1025));

        assertTrue(keeps.addPages(1025, 1600, 3)); // other blocks
        assertTrue(keeps.addPages(1029, 1603, 3)); // other pages
        assertEquals(3, keeps.size());
        assertKeep(1, 1025, 1600, 3);
        assertKeep(2, 1029, 1603, 3);
        assertFalse(keeps.endsWith(1027));
        assertTrue(keeps.endsWith(1031));
    }

    @Test
    void anEntryIsNoPage() {
        assertTrue(keeps.addPages(5, 100, 3));
        assertTrue(keeps.addEntry(108, 8));
        assertFalse(keeps.endsWith(5));
        assertTrue(keeps.addPages(8, 103, 2));
        assertEquals(3, keeps.size());
        assertKeep(0, 5, 100, 3);
        assertKeep(1, 8, 108, 0);
        assertKeep(2, 8, 103, 2);
    }

    @Test
    void whatIsForgottenIsNotContinued() {
        assertTrue(keeps.addPages(5, 100, 3));
        keeps.clear();
        assertTrue(keeps.isEmpty());
        assertFalse(keeps.endsWith(6));
        assertTrue(keeps.addPages(8, 103, 3));
        assertKeep(0, 8, 103, 3);
        assertFalse(keeps.endsWith(6));
    }

    @Test
    void noRoom() {
        for (int i = 0; i < Abi.KEEP_MAX; i++) {
            assertTrue(keeps.addPages(10 * i, 100 + 20 * i, 5));
        }
        int last = Abi.KEEP_MAX - 1;
        assertFalse(keeps.addPages(7, 50, 2));
        assertTrue(keeps.endsWith(10 * last));
        assertTrue(keeps.addPages(10 * last + 5, 105 + 20 * last, 2)); // it needs none
        assertFalse(keeps.addEntry(1, 2));
        assertFalse(keeps.endsWith(7));
        assertEquals(Abi.KEEP_MAX, keeps.size());
        assertKeep(last, 10 * last, 100 + 20 * last, 7);
    }
}
