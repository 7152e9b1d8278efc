/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.FileSystemException;
import org.jnova.internal.core.Abi;
import org.jnova.internal.core.NativePin;

/**
 * Mapped buffers of the JDK over bytes of a file. The JDK maps one piece of one file of the operating system; so the
 * pages are brought together in the pool's file, and pinned there until the buffer is unreachable. (Slices and
 * duplicates keep the buffer that the JDK made reachable.) The buffer has a handle of the file.
 *
 * <p>Nobody knows when such a buffer is really unmapped: it may be before it is unreachable, since there are ways to
 * force that. So its addresses are never touched here, and what it shows cannot be taken from it. What the pin releases
 * stays as it is until then, also beyond the life of the store.
 */
public final class PinnedBuffer {
    private static final long PAGE_MASK = Abi.BLOCK_SIZE - 1;

    private PinnedBuffer() {}

    /** Releases the pin. Refers to no buffer, or none would ever be unreachable. */
    private record Release(InodeState inode, NativePin pin) implements Runnable {
        @Override
        public void run() {
            inode.unpin(pin);
            try {
                inode.table().release(inode);
            } catch (IOException e) {
                // the next recovery finds its space
            } finally {
                inode.table().pins().left();
            }
        }
    }

    /**
     * Maps bytes.
     *
     * @param pos byte offset, not negative; the end is not beyond {@link Long#MAX_VALUE}
     * @param grow whether to make the file longer, if it ends before the range does
     * @throws IOException if it ends there otherwise; if the pages cannot be brought together
     */
    public static MappedByteBuffer map(InodeState inode, MapMode mode, long pos, int size, boolean grow)
            throws IOException {
        InodeTable table = inode.table();
        if (size == 0) {
            need(inode, pos, grow);
            return table.file().map(mode, 0, 0);
        }
        Release release = new Release(inode, retainAndPin(inode, pos, pos + size, grow));
        table.pins().entered();
        boolean good = false;
        try {
            MappedByteBuffer buffer = table.file().map(mode, release.pin.offset() + (pos & PAGE_MASK), size);
            if (!buffer.isReadOnly() && mode != MapMode.PRIVATE) {
                inode.written(release.pin);
            }
            RegionState.CLEANER.register(buffer, release); // the last step, or both might release
            good = true;
            return buffer;
        } finally {
            if (!good) {
                release.run();
            }
        }
    }

    private static NativePin retainAndPin(InodeState inode, long pos, long end, boolean grow) throws IOException {
        NativePin pin = null;
        inode.table().retain(inode);
        try {
            pin = pin(inode, pos, end, grow);
            return pin;
        } finally {
            if (pin == null) {
                inode.table().release(inode);
            }
        }
    }

    private static void need(InodeState inode, long end, boolean grow) throws IOException {
        if (grow) {
            FileRanges.extend(inode, 0, end);
        } else if (end > inode.size()) {
            throw new IOException("the file ends before byte " + end + ", and its channel is not open for writing");
        }
    }

    /** Buffers that nobody reaches any more may be what is in the way: as the JDK, this asks for a collection then. */
    private static NativePin pin(InodeState inode, long pos, long end, boolean grow) throws IOException {
        while (true) {
            try {
                return tryPin(inode, pos, end, grow);
            } catch (FileSystemException e) {
                if (!inode.table().pins().collect()) {
                    throw e;
                }
            }
        }
    }

    private static NativePin tryPin(InodeState inode, long pos, long end, boolean grow) throws IOException {
        while (true) {
            need(inode, end, grow);
            NativePin pin = inode.pin(pos & ~PAGE_MASK, end);
            if (pin != null) {
                return pin;
            } // else somebody has just cut it
        }
    }
}
