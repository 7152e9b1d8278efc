/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import org.jnova.internal.core.Abi;
import org.jnova.internal.core.IoBlock;
import org.jnova.internal.core.MemoryPool;
import org.jnova.internal.core.NativeInode;
import org.jnova.internal.core.NativeMemory;
import org.jnova.internal.core.NativeRegion;
import org.jnova.internal.index.RadixIndex;

/**
 * Puts the bytes of one write, which come in pieces, one after the other into the blocks that are allocated for it.
 * For one thread and one call.
 */
final class IntentFiller implements PoolWindows.PieceSink {
    private static final int ZEROS_LEN = 1 << 16;

    private final NativeInode inode;
    private final IoBlock io;
    private final long intent;
    private final MemoryPool staging;
    private final long off;
    private long filled;

    /** @param off byte offset in the file of the range that is written */
    IntentFiller(NativeInode inode, long off, IoBlock io, MemoryPool staging) {
        this.inode = inode;
        this.off = off;
        this.io = io;
        this.intent = NativeInode.intent(io);
        this.staging = staging;
    }

    /** Bytes put so far. */
    long filled() {
        return filled;
    }

    /** Puts bytes of a buffer, whatever its position. */
    void put(ByteBuffer src, int at, int len) throws IOException {
        if (len == 0) {
            return;
        }
        long base = SourceMemory.address(src, at);
        if (base != 0) {
            try {
                check(NativeInode.writeFill(intent, filled, base + at, len, io));
            } finally {
                Reference.reachabilityFence(src);
            }
            filled += len;
            return;
        }
        NativeRegion region = RegionState.of(src);
        boolean ofThisFile = region != null && region.isOf(inode);
        long from = ofThisFile ? region.start() + NativeMemory.addressOf(src) - region.address() + at : Long.MAX_VALUE;
        putPieces(from, len, (i, stage, n) -> SourceMemory.copy(src, at + (int) i, stage, 0, n));
    }

    /** Puts bytes of an array. */
    void put(byte[] src, int at, int len) throws IOException {
        putPieces(Long.MAX_VALUE, len, (i, stage, n) -> stage.bytes().put(0, src, at + (int) i, n));
    }

    /** Puts bytes of the file itself, all of them below its end. The caller keeps its index from changing. */
    void putOwn(PoolWindows windows, RadixIndex index, long from, long len) throws IOException {
        putPieces(from, len, (i, stage, n) -> windows.read(index, from + i, stage.bytes(), 0, n));
    }

    /** Gets some of the bytes that are to be put. */
    private interface Source {
        void get(long i, NativeMemory stage, int n);
    }

    /**
     * Puts bytes through staging memory. A file that is written in place changes under way: bytes that move towards its
     * end are put from the last one on, so that each is read before another is written over it.
     *
     * @param from byte offset in this file where they come from; Long.MAX_VALUE if it is elsewhere
     */
    private void putPieces(long from, long len, Source source) throws IOException {
        boolean fromEnd = from < off + filled;
        NativeMemory stage = staging.take();
        try {
            for (long done = 0; done < len; ) {
                int n = (int) Math.min(len - done, staging.pieceSize());
                long i = fromEnd ? len - done - n : done;
                source.get(i, stage, n);
                check(NativeInode.writeFill(intent, filled + i, stage.address(), n, io));
                done += n;
            }
        } finally {
            staging.put(stage);
        }
        filled += len;
    }

    /** Puts bytes at an address, which the caller keeps valid. */
    @Override
    public void data(long address, long len) throws IOException {
        check(NativeInode.writeFill(intent, filled, address, len, io));
        filled += len;
    }

    /** Puts zeros. */
    @Override
    public void zeros(long len) throws IOException {
        for (long done = 0; done < len; ) {
            long n = Math.min(len - done, ZEROS_LEN);
            data(Zeros.MEMORY.address(), n);
            done += n;
        }
    }

    /** Leaves out bytes that lie in a hole of the write. */
    void skip(long len) {
        filled += len;
    }

    /** Made when somebody needs it. */
    private static final class Zeros {
        static final NativeMemory MEMORY = NativeMemory.allocate(ZEROS_LEN);
    }

    private void check(int status) throws IOException {
        if (status != Abi.OK) {
            throw inode.failure(status, io);
        }
    }
}
