/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import java.nio.ByteBuffer;

/**
 * What cleaning a log appends again, as {@code nova_keep}s, and the records of the log page that it is chosen from. Taken
 * from a pool for the length of one step. Not thread-safe.
 *
 * <pre>
 *    0  records of a page: 128 of 64 bytes    8192  keeps: 504 of (at 8, blk 4, count 4)
 * </pre>
 */
public final class Keeps {
    private static final int KEEPS = Abi.PAGE_RECORDS * Abi.RECORD_SIZE;
    private static final MemoryPool POOL = MemoryPool.perCpu(KEEPS + Abi.KEEP_MAX * Abi.KEEP_SIZE);

    private final NativeMemory memory;
    private final ByteBuffer bytes;
    private int size;
    private long lastFirst; // of the last extent, the first page, and page and block behind it
    private long lastPage;
    private int lastBlk;

    private Keeps(NativeMemory memory) {
        this.memory = memory;
        this.bytes = memory.bytes();
    }

    /** To be given back by {@link #put}. */
    public static Keeps take() {
        return new Keeps(POOL.take());
    }

    public void put() {
        POOL.put(memory);
    }

    /** Number of things to keep. */
    public int size() {
        return size;
    }

    public boolean isEmpty() {
        return size == 0;
    }

    /** Forgets them. */
    public void clear() {
        size = 0;
    }

    /** Keeps a page of a file, as {@link #addPages} does. */
    public boolean addPage(long page, int blk) {
        return addPages(page, blk, 1);
    }

    /**
     * Keeps pages of a file that lie in a row on the media; false if there is no room. They become one extent with the
     * last one if they follow it.
     */
    public boolean addPages(long page, int blk, int count) {
        if (size != 0 && page == lastPage && blk == lastBlk) {
            int at = at(size - 1) + Abi.KEEP_COUNT;
            bytes.putInt(at, bytes.getInt(at) + count);
        } else if (!add(page, blk, count)) {
            return false;
        } else {
            lastFirst = page;
        }
        lastPage = page + count;
        lastBlk = blk + count;
        return true;
    }

    /** The page behind the extent kept last. */
    public long end() {
        return lastPage;
    }

    /** Whether a page is part of the extent kept last. */
    public boolean endsWith(long page) {
        return size != 0 && page >= lastFirst && page < lastPage;
    }

    /** Keeps the entry of a name or an attribute; false if there is no room. */
    public boolean addEntry(int logBlk, int line) {
        lastFirst = lastPage = -1;
        return add(line, logBlk, 0);
    }

    private boolean add(long at, int blk, int count) {
        if (size == Abi.KEEP_MAX) {
            return false;
        }
        int off = at(size++);
        bytes.putLong(off + Abi.KEEP_AT, at);
        bytes.putInt(off + Abi.KEEP_BLK, blk);
        bytes.putInt(off + Abi.KEEP_COUNT, count);
        return true;
    }

    private static int at(int i) {
        return KEEPS + i * Abi.KEEP_SIZE;
    }

    /** The memory that offsets of records refer to. */
    public ByteBuffer bytes() {
        return bytes;
    }

    /** Offset of record {@code i} of the page that was read last. */
    public int recordOffset(int i) {
        return i * Abi.RECORD_SIZE;
    }

    long recordsAddress() {
        return memory.address();
    }

    long address() {
        return memory.address() + KEEPS;
    }
}
