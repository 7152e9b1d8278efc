/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.index;

import java.util.Arrays;

/**
 * Runs of blocks, in the order they came; a run that continues the last one is merged into it. Block numbers are
 * unsigned. Grows on demand, and gives the memory of a large list back when it becomes empty. Not thread-safe.
 */
public final class ExtentList {
    private static final long[] NONE = new long[0];
    private static final int FIRST_CAPACITY = 4;
    private static final int KEEP_CAPACITY = 1024;

    private long[] extents = NONE; // block << 32 | count
    private int size;

    /** Adds one block. If it throws, for lack of memory, the list is as before. */
    public void add(int blk) {
        if (size > 0) {
            long last = extents[size - 1];
            if ((int) (last >>> 32) + (int) last == blk && (int) last != -1) {
                extents[size - 1] = last + 1;
                return;
            }
        }
        if (size == extents.length) {
            extents = Arrays.copyOf(extents, Math.max(FIRST_CAPACITY, size * 2));
        }
        extents[size++] = Integer.toUnsignedLong(blk) << 32 | 1;
    }

    /** Number of runs. */
    public int size() {
        return size;
    }

    public boolean isEmpty() {
        return size == 0;
    }

    /** First block of run {@code i}. */
    public int blk(int i) {
        return (int) (extents[i] >>> 32);
    }

    /** Blocks of run {@code i}. */
    public int count(int i) {
        return (int) extents[i];
    }

    /** Blocks of all runs. */
    public long blocks() {
        long sum = 0;
        for (int i = 0; i < size; i++) {
            sum += Integer.toUnsignedLong(count(i));
        }
        return sum;
    }

    /** Drops the last {@code n} runs. */
    public void removeLast(int n) {
        size -= n;
        assert size >= 0;
        if (size == 0 && extents.length > KEEP_CAPACITY) {
            extents = NONE;
        }
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("[");
        for (int i = 0; i < size; i++) {
            text.append(i == 0 ? "" : ", ")
                    .append(Integer.toUnsignedString(blk(i)))
                    .append('+')
                    .append(Integer.toUnsignedString(count(i)));
        }
        return text.append(']').toString();
    }
}
