/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

/**
 * A piece of native memory for calls that are not on the hot path: an io block, room for two names, and room for a
 * batch of records. Taken from a pool for the length of one call.
 *
 * <pre>
 *    0  io block   2048  names, structures that a call fills   4096  records
 * </pre>
 */
final class Scratch {
    private static final int AREA = 2048;
    private static final int RECORDS = 4096;
    /** Records in a batch of replay. */
    static final int RECORDS_CAP = 256;

    private static final MemoryPool POOL = MemoryPool.perCpu(RECORDS + RECORDS_CAP * Abi.RECORD_SIZE);

    final NativeMemory memory;
    final IoBlock io;

    private Scratch(NativeMemory memory) {
        this.memory = memory;
        this.io = new IoBlock(memory, 0);
        io.clear();
    }

    static Scratch take() {
        return new Scratch(POOL.take());
    }

    void put() {
        POOL.put(memory);
    }

    /** Offset of the free area of 2 KiB in the memory. */
    int area() {
        return AREA;
    }

    long areaAddress() {
        return memory.address() + AREA;
    }

    long recordsAddress() {
        return memory.address() + RECORDS;
    }

    int recordOffset(int i) {
        return RECORDS + i * Abi.RECORD_SIZE;
    }

    NativeFailure failure(int status) {
        return io.failure(status);
    }

    /** Puts bytes, too long for the area, where records go otherwise. Returns their address. */
    long putLongBytes(byte[] bytes) {
        memory.bytes().put(RECORDS, bytes);
        return memory.address() + RECORDS;
    }

    /** Puts bytes into the area. Returns their address. */
    long putBytes(int offsetInArea, byte[] bytes) {
        memory.bytes().put(AREA + offsetInArea, bytes);
        return memory.address() + AREA + offsetInArea;
    }
}
