/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel.MapMode;

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
    private PinnedBuffer() {}

    /**
     * Maps bytes.
     *
     * @param pos byte offset, not negative; the end is not beyond {@link Long#MAX_VALUE}
     * @param grow whether to make the file longer, if it ends before the range does
     * @throws IOException if it ends there otherwise; if the pages cannot be brought together
     */
    public static MappedByteBuffer map(InodeState inode, MapMode mode, long pos, int size, boolean grow)
            throws IOException {
        PoolFile file = inode.table().file();
        if (size == 0) {
            PinnedPages.need(inode, pos, grow);
            return file.map(mode, (channel, real) -> channel.map(real, 0, 0));
        }
        PinnedPages pages = PinnedPages.take(inode, pos, pos + size, grow);
        boolean good = false;
        try {
            MappedByteBuffer buffer = file.map(mode, (channel, real) -> channel.map(real, pages.offset(), size));
            pages.mapped(mode);
            RegionState.CLEANER.register(buffer, pages); // which refer to no buffer, or none would be unreachable
            good = true;
            return buffer;
        } finally {
            if (!good) {
                pages.release();
            }
        }
    }
}
