/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jnova.internal.core.Abi;
import org.jnova.internal.core.NativeMemory;
import org.jnova.internal.index.RadixIndex;

/**
 * The pool as Java reads it: the file mapped read-only by the JDK, in windows of 1 GiB (a buffer ends at 2 GiB;
 * blocks never cross windows). A mapping of its own beside the core's, so that nothing the core unmaps can be under a
 * reader: a window goes away when no reader can reach it any more. All access is absolute, so that threads share the
 * buffers; a read allocates nothing.
 *
 * <p>Opening and closing a descriptor of its own does not disturb the core's lock on the file, which is one of {@code
 * flock(2)}.
 */
public final class PoolWindows {
    private static final int WINDOW_SHIFT = 30 - Abi.BLOCK_SHIFT; // of block numbers
    private static final int WINDOW_MASK = (1 << WINDOW_SHIFT) - 1;
    private static final long WINDOW_BYTES = 1L << 30;
    private static final int PAGE_MASK = Abi.BLOCK_SIZE - 1;

    /** What holes read as. */
    private static final byte[] ZEROS = new byte[1 << 16];

    private final MappedByteBuffer[] windows;
    private final long[] addresses;
    private final long blocks;

    private PoolWindows(MappedByteBuffer[] windows) {
        this.windows = windows;
        this.addresses = new long[windows.length];
        long bytes = 0;
        for (int i = 0; i < windows.length; i++) {
            addresses[i] = NativeMemory.addressOf(windows[i]);
            bytes += windows[i].capacity();
        }
        this.blocks = bytes >>> Abi.BLOCK_SHIFT;
    }

    /** Blocks of the pool. */
    long blocks() {
        return blocks;
    }

    /**
     * Maps a pool, also if the thread is interrupted or gets so meanwhile; its interrupt status stays.
     *
     * @param pool the file
     * @param size bytes of the pool, a multiple of the block size
     */
    public static PoolWindows map(Path pool, long size) throws IOException {
        boolean interrupted = false;
        try {
            while (true) {
                interrupted |= Thread.interrupted(); // or else the channel closes itself
                try {
                    return new PoolWindows(mapAll(pool, size));
                } catch (ClosedByInterruptException e) {
                    // interrupted while mapping: once more
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static MappedByteBuffer[] mapAll(Path pool, long size) throws IOException {
        MappedByteBuffer[] windows = new MappedByteBuffer[(int) ((size + WINDOW_BYTES - 1) / WINDOW_BYTES)];
        try (FileChannel channel = FileChannel.open(pool, StandardOpenOption.READ)) {
            for (int i = 0; i < windows.length; i++) {
                long from = i * WINDOW_BYTES;
                windows[i] = channel.map(FileChannel.MapMode.READ_ONLY, from, Math.min(WINDOW_BYTES, size - from));
            }
        }
        return windows;
    }

    /**
     * Copies bytes of a file out of the pool, holes as zeros. May race with changes of the index; the caller validates.
     *
     * @param index where the file's pages are
     * @param pos byte offset in the file
     * @param dst a {@link ByteBuffer} or a {@code byte[]}
     * @param at index in dst
     * @param len bytes, all of them below the end of the file
     */
    void read(RadixIndex index, long pos, Object dst, int at, int len) {
        for (int done = 0; done < len; ) {
            long from = pos + done;
            long page = from >>> Abi.BLOCK_SHIFT;
            int skip = (int) from & PAGE_MASK;
            int want = len - done;
            int blk = index.block(page);
            int n = want;
            if (want > Abi.BLOCK_SIZE - skip) {
                int lastPage = (int) ((skip + (long) want - 1) >>> Abi.BLOCK_SHIFT);
                int run = index.run(page, blk, lastPage + 1);
                n = (int) Math.min(want, ((long) run << Abi.BLOCK_SHIFT) - skip);
            }
            if (blk == 0) {
                zero(dst, at + done, n);
            } else {
                copy(blk, skip, dst, at + done, n);
            }
            done += n;
        }
    }

    /** Gets bytes of a file in order, as addresses in the pool. */
    interface PieceSink {
        /** Bytes that are in the pool. The address is good as long as their blocks are the file's. */
        void data(long address, long len) throws IOException;

        /** Bytes that are zeros. */
        void zeros(long len) throws IOException;
    }

    /**
     * Tells where bytes of a file are.
     *
     * @param index where the file's pages are; the caller keeps it from changing
     * @param pos byte offset in the file
     * @param len bytes, all of them below the end of the file
     */
    void forEachPiece(RadixIndex index, long pos, long len, PieceSink sink) throws IOException {
        try {
            for (long done = 0; done < len; ) {
                long page = (pos + done) >>> Abi.BLOCK_SHIFT;
                int skip = (int) (pos + done) & PAGE_MASK;
                int blk = index.block(page);
                int room = blk == 0 ? 1 << WINDOW_SHIFT : (1 << WINDOW_SHIFT) - (blk & WINDOW_MASK);
                long n = Math.min(len - done, ((long) index.run(page, blk, room) << Abi.BLOCK_SHIFT) - skip);
                if (blk == 0) {
                    sink.zeros(n);
                } else {
                    long window = addresses[blk >>> WINDOW_SHIFT];
                    sink.data(window + ((long) (blk & WINDOW_MASK) << Abi.BLOCK_SHIFT) + skip, n);
                }
                done += n;
            }
        } finally {
            Reference.reachabilityFence(windows);
        }
    }

    /** Copies from consecutive blocks, which may lie in more than one window. */
    private void copy(int blk, int skip, Object dst, int at, int len) {
        while (true) {
            int offset = ((blk & WINDOW_MASK) << Abi.BLOCK_SHIFT) + skip;
            int n = (int) Math.min(len, WINDOW_BYTES - offset);
            MappedByteBuffer window = windows[blk >>> WINDOW_SHIFT];
            if (dst instanceof byte[] array) {
                window.get(offset, array, at, n);
            } else {
                ((ByteBuffer) dst).put(at, window, offset, n);
            }
            if (n == len) {
                return;
            }
            len -= n;
            at += n;
            blk += (n + skip) >>> Abi.BLOCK_SHIFT;
            skip = 0;
        }
    }

    private static void zero(Object dst, int at, int len) {
        while (len > 0) {
            int n = Math.min(len, ZEROS.length);
            if (dst instanceof byte[] array) {
                System.arraycopy(ZEROS, 0, array, at, n);
            } else {
                ((ByteBuffer) dst).put(at, ZEROS, 0, n);
            }
            at += n;
            len -= n;
        }
    }
}
