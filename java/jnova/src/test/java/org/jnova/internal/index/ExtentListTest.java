/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.index;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ExtentListTest {
    @Test
    void mergesWhatContinuesTheLastRun() {
        ExtentList list = new ExtentList();
        for (int blk : new int[] {7, 8, 9, 20, 21, 6, 7}) {
            list.add(blk);
        }
        assertEquals("[7+3, 20+2, 6+2]", list.toString());
        assertEquals(7, list.blocks());
    }

    @Test
    void blockNumbersAreUnsigned() {
        ExtentList list = new ExtentList();
        list.add(Integer.MAX_VALUE);
        list.add(Integer.MIN_VALUE);
        list.add(-1);
        assertEquals("[2147483647+2, 4294967295+1]", list.toString());
    }

    @Test
    void lastBlockDoesNotContinueAtZero() {
        ExtentList list = new ExtentList();
        list.add(-1);
        list.add(0);
        assertEquals(1L + 1, list.blocks());
    }

    @Test
    void removesFromTheEnd() {
        ExtentList list = new ExtentList();
        for (int i = 0; i < 5000; i++) {
            list.add(i * 2);
        }
        list.removeLast(4999);
        assertEquals("[0+1]", list.toString());
        list.removeLast(1);
        assertTrue(list.isEmpty());
        list.add(3);
        assertEquals(3, list.blk(0));
        assertEquals(1, list.count(0));
    }
}
