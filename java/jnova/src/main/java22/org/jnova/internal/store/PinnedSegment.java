/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel.MapMode;

/** Mapped segments of the JDK over bytes of a file: what {@link PinnedBuffer} says, until an arena is closed. */
public final class PinnedSegment {
    private PinnedSegment() {}

    /**
     * Maps bytes.
     *
     * @param pos byte offset, not negative; the end is not beyond {@link Long#MAX_VALUE}
     * @param grow whether to make the file longer, if it ends before the range does
     * @throws IllegalStateException if the arena is closed; the file is as it was
     * @throws WrongThreadException if it is confined to another thread; likewise
     * @throws IOException if the file ends there otherwise; if the pages cannot be brought together
     */
    @SuppressWarnings("restricted") // no memory at all: what is to be done in the end
    public static MemorySegment map(InodeState inode, MapMode mode, long pos, long size, boolean grow, Arena arena)
            throws IOException {
        MemorySegment.NULL.reinterpret(arena, null); // throws if this thread may not use the arena
        PoolFile file = inode.table().file();
        if (size == 0) {
            PinnedPages.need(inode, pos, grow);
            return file.map(mode, (channel, real) -> channel.map(real, 0, 0, arena));
        }
        PinnedPages pages = PinnedPages.take(inode, pos, pos + size, grow);
        boolean good = false;
        try {
            // Nothing can reach the segment any more when an arena does what is to be done in its end.
            MemorySegment.NULL.reinterpret(0, arena, memory -> pages.release());
            MemorySegment segment = file.map(mode, (channel, real) -> channel.map(real, pages.offset(), size, arena));
            pages.mapped(mode);
            good = true;
            return segment;
        } finally {
            if (!good) {
                pages.release();
            }
        }
    }
}
