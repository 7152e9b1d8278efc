/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.FileSystemException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jnova.internal.core.Abi;
import org.jnova.internal.core.NativePin;

/** Pages of a file that are pinned for a mapping of the JDK, and a handle of the file. */
final class PinnedPages implements Runnable {
    private static final long PAGE_MASK = Abi.BLOCK_SIZE - 1;

    private final InodeState inode;
    private final NativePin pin;
    private final long offset;
    private final AtomicBoolean released = new AtomicBoolean();

    private PinnedPages(InodeState inode, NativePin pin, long offset) {
        this.inode = inode;
        this.pin = pin;
        this.offset = offset;
    }

    /**
     * Brings the pages of bytes together.
     *
     * @param grow whether to make the file longer, if it ends before the range does
     * @throws IOException if it ends there otherwise; if that cannot be done
     */
    static PinnedPages take(InodeState inode, long pos, long end, boolean grow) throws IOException {
        NativePin pin = null;
        PinnedPages pages = null;
        inode.table().retain(inode);
        try {
            pin = pin(inode, pos, end, grow);
            pages = new PinnedPages(inode, pin, pin.offset() + (pos & PAGE_MASK)); // there may be no memory for it
        } finally {
            if (pages == null) {
                undo(inode, pin);
            }
        }
        inode.table().pins().entered();
        return pages;
    }

    private static void undo(InodeState inode, NativePin pin) throws IOException {
        if (pin != null) {
            inode.unpin(pin);
        }
        inode.table().release(inode);
    }

    /** Makes the file as long as a range wants it. */
    static void need(InodeState inode, long end, boolean grow) throws IOException {
        if (grow) {
            FileRanges.extend(inode, 0, end);
        } else if (end > inode.size()) {
            throw new IOException("the file ends before byte " + end + ", and its channel is not open for writing");
        }
    }

    /** Mappings that nobody reaches any more may be what is in the way: as the JDK, this asks for a collection then. */
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

    /** Where the first byte lies in the pool's file. */
    long offset() {
        return offset;
    }

    /** They have been mapped: something may be stored there. */
    void mapped(MapMode mode) {
        if (mode == MapMode.READ_WRITE) {
            inode.written(pin);
        }
    }

    /** Nothing maps the pages any more. The second time it does nothing. */
    void release() {
        if (!released.compareAndSet(false, true)) {
            return;
        }
        inode.unpin(pin);
        try {
            inode.table().release(inode);
        } catch (IOException e) {
            // the next recovery finds its space
        } finally {
            inode.table().pins().left();
        }
    }

    @Override
    public void run() {
        release();
    }
}
