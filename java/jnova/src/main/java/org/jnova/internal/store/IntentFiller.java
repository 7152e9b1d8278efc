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
    private long filled;

    IntentFiller(NativeInode inode, IoBlock io, MemoryPool staging) {
        this.inode = inode;
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
        long base = SourceMemory.address(src);
        if (base != 0) {
            try {
                check(NativeInode.writeFill(intent, filled, base + at, len, io));
            } finally {
                Reference.reachabilityFence(src);
            }
            filled += len;
            return;
        }
        NativeMemory stage = staging.take();
        try {
            for (int done = 0; done < len; ) {
                int n = Math.min(len - done, staging.pieceSize());
                SourceMemory.copy(src, at + done, stage, 0, n);
                putStaged(stage, n);
                done += n;
            }
        } finally {
            staging.put(stage);
        }
    }

    /** Puts bytes of an array. */
    void put(byte[] src, int at, int len) throws IOException {
        NativeMemory stage = staging.take();
        try {
            for (int done = 0; done < len; ) {
                int n = Math.min(len - done, staging.pieceSize());
                stage.bytes().put(0, src, at + done, n);
                putStaged(stage, n);
                done += n;
            }
        } finally {
            staging.put(stage);
        }
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

    /** Made when somebody needs it. */
    private static final class Zeros {
        static final NativeMemory MEMORY = NativeMemory.allocate(ZEROS_LEN);
    }

    private void putStaged(NativeMemory stage, int n) throws IOException {
        check(NativeInode.writeFill(intent, filled, stage.address(), n, io));
        filled += n;
    }

    private void check(int status) throws IOException {
        if (status != Abi.OK) {
            throw inode.failure(status, io);
        }
    }
}
