/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import java.nio.ByteBuffer;

/** Runs of pages, in ascending order and without overlap, as {@code nova_run}s. Not thread-safe. */
public final class PageRuns {
    /** No pages; not to be added to. */
    public static final PageRuns NONE = new PageRuns();

    private static final int FIRST_CAPACITY = 8;

    private NativeMemory memory;
    private int size;
    private long pages;

    /** Adds a run behind the others. */
    public void add(long page, long count) {
        if (memory == null) {
            memory = NativeMemory.allocate(FIRST_CAPACITY * Abi.RUN_SIZE);
        }
        ByteBuffer bytes = memory.bytes();
        if ((size + 1) * Abi.RUN_SIZE > bytes.capacity()) {
            NativeMemory larger = NativeMemory.allocate(Math.multiplyExact(bytes.capacity(), 2));
            larger.bytes().put(0, bytes, 0, bytes.capacity());
            memory = larger;
            bytes = larger.bytes();
        }
        bytes.putLong(size * Abi.RUN_SIZE + Abi.RUN_PGOFF, page);
        bytes.putLong(size * Abi.RUN_SIZE + Abi.RUN_COUNT, count);
        size++;
        pages += count;
    }

    public boolean isEmpty() {
        return size == 0;
    }

    /** Number of runs. */
    public int size() {
        return size;
    }

    /** Pages of all runs. */
    public long pages() {
        return pages;
    }

    NativeMemory memory() {
        return memory;
    }
}
