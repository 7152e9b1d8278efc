/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import org.jnova.internal.core.MemoryPool;
import org.jnova.internal.core.NativeMemory;

/**
 * Brings a caller's bytes to an inode by the shortest way: direct memory as it is; what Java must copy through one
 * piece of staging memory, before any lock is taken; what does not fit one piece, in steps under ioLock. Positions
 * and limits of buffers are the caller's business: they were read once, and are not looked at again.
 */
public final class ContentWriter {
    /** Position of a write that goes to the end of the file. */
    public static final long APPEND = InodeState.APPEND;

    /** Up to this many bytes are copied unless it is known that they need not be. */
    private static final int SMALL = 1024;

    private ContentWriter() {}

    /**
     * Writes bytes of a buffer.
     *
     * @param pos byte offset in the file, or {@link #APPEND}
     * @param at index in the buffer
     * @param len bytes, positive
     * @return byte offset where they landed
     */
    public static long write(InodeState state, long pos, ByteBuffer src, int at, int len) throws IOException {
        long base = len <= SMALL ? SourceMemory.addressIfKnown(src, at) : SourceMemory.address(src, at);
        if (base != 0) {
            try {
                return state.write(pos, base + at, len);
            } finally {
                Reference.reachabilityFence(src);
            }
        }
        MemoryPool staging = state.table().staging();
        if (len > staging.pieceSize()) {
            return state.writePieces(pos, filler -> filler.put(src, at, len), len);
        }
        NativeMemory stage = staging.take();
        try {
            SourceMemory.copy(src, at, stage, 0, len);
            return state.write(pos, stage.address(), len);
        } finally {
            staging.put(stage);
        }
    }

    /** Writes bytes of an array; parameters as for a buffer. */
    public static long write(InodeState state, long pos, byte[] src, int at, int len) throws IOException {
        MemoryPool staging = state.table().staging();
        if (len > staging.pieceSize()) {
            return state.writePieces(pos, filler -> filler.put(src, at, len), len);
        }
        NativeMemory stage = staging.take();
        try {
            stage.bytes().put(0, src, at, len);
            return state.write(pos, stage.address(), len);
        } finally {
            staging.put(stage);
        }
    }

    /**
     * Writes bytes of several buffers, one after the other, as one unit.
     *
     * @param pos byte offset in the file, or {@link #APPEND}
     * @param srcs the buffers
     * @param at index of the first byte in each
     * @param len bytes of each, not negative
     * @param total sum of the lengths, positive
     * @return byte offset where they landed
     */
    public static long write(InodeState state, long pos, ByteBuffer[] srcs, int[] at, int[] len, long total)
            throws IOException {
        MemoryPool staging = state.table().staging();
        if (total > staging.pieceSize()) {
            return state.writePieces(
                    pos,
                    filler -> {
                        for (int i = 0; i < srcs.length; i++) {
                            filler.put(srcs[i], at[i], len[i]);
                        }
                    },
                    total);
        }
        NativeMemory stage = staging.take();
        try {
            int filled = 0;
            for (int i = 0; i < srcs.length; i++) {
                if (len[i] != 0) { // of what is empty the memory may be gone
                    SourceMemory.copy(srcs[i], at[i], stage, filled, len[i]);
                }
                filled += len[i];
            }
            return state.write(pos, stage.address(), filled);
        } finally {
            staging.put(stage);
        }
    }
}
