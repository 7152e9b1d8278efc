/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import java.nio.ByteBuffer;

/**
 * One {@code nova_io}: the memory in which a call on an inode says what it committed, and takes freed blocks along. A
 * piece of a slab of native memory; beside it a cell for the handles that some calls return. Belongs to one inode and
 * is guarded by that inode's lock.
 *
 * <pre>
 *    0  free_count   4  record_count   8  more   16  size   64  err (256)
 *  320  frees: 64 of (block, count)    832  records: 16 of 64 bytes    1856  the cell
 * </pre>
 */
public final class IoBlock {
    private static final int CELL = Abi.IO_SIZE;
    /** Bytes that one block takes in its slab: the structure and the cell, rounded up to cache lines. */
    static final int STRIDE = Abi.IO_SIZE + 64;

    private final ByteBuffer bytes; // keeps the memory alive
    private final int base;
    private final long address;

    IoBlock(NativeMemory memory, int base) {
        this.bytes = memory.bytes();
        this.base = base;
        this.address = memory.address() + base;
    }

    long address() {
        return address;
    }

    long errorAddress() {
        return address + Abi.IO_ERR;
    }

    long freesAddress() {
        return address + Abi.IO_FREES;
    }

    long recordsAddress() {
        return address + Abi.IO_RECORDS;
    }

    long cellAddress() {
        return address + CELL;
    }

    long cell() {
        return bytes.getLong(base + CELL);
    }

    /** The memory that offsets of records refer to. */
    public ByteBuffer bytes() {
        return bytes;
    }

    /** Extents that the core has not taken yet. */
    public int freeCount() {
        return bytes.getInt(base + Abi.IO_FREE_COUNT);
    }

    public void setFreeCount(int count) {
        bytes.putInt(base + Abi.IO_FREE_COUNT, count);
    }

    public void setFree(int i, int blk, int count) {
        int at = base + Abi.IO_FREES + i * Abi.EXTENT_SIZE;
        bytes.putInt(at + Abi.EXTENT_BLK, blk);
        bytes.putInt(at + Abi.EXTENT_COUNT, count);
    }

    public int recordCount() {
        return bytes.getInt(base + Abi.IO_RECORD_COUNT);
    }

    /** Whether there are committed records beyond those in here. */
    public boolean more() {
        return bytes.getInt(base + Abi.IO_MORE) != 0;
    }

    /** File size after the call. */
    public long fileSize() {
        return bytes.getLong(base + Abi.IO_FILE_SIZE);
    }

    /** Offset of record {@code i} in {@link #bytes}. */
    public int recordOffset(int i) {
        return base + Abi.IO_RECORDS + i * Abi.RECORD_SIZE;
    }

    /** What the last failed call on this block said. */
    NativeFailure failure(int status) {
        return NativeFailure.read(status, bytes, base + Abi.IO_ERR);
    }

    /** Takes back what the last call reported. */
    void clearRecords() {
        bytes.putInt(base + Abi.IO_RECORD_COUNT, 0);
        bytes.putInt(base + Abi.IO_MORE, 0);
    }

    /** Makes it as new, for its next owner. */
    void clear() {
        setFreeCount(0);
        clearRecords();
    }
}
