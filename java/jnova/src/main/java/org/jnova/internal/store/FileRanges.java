/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import org.jnova.internal.core.Abi;
import org.jnova.internal.core.PageRuns;
import org.jnova.internal.index.RadixIndex;

/**
 * Size and ranges of a file, each change atomic and durable on return: holes, space ahead of writes, bytes removed from
 * its middle or put into it.
 */
public final class FileRanges {
    private FileRanges() {}

    private static long pageOf(long off) {
        return off >>> Abi.BLOCK_SHIFT;
    }

    /**
     * Sets the size.
     *
     * @param newSize bytes, not negative
     * @param shrinkOnly whether to do nothing if that would make the file larger
     */
    public static void setSize(InodeState state, long newSize, boolean shrinkOnly) throws IOException {
        state.change((inode, io) -> {
            long size = state.sizeLocked();
            if (newSize == size || shrinkOnly && newSize > size) {
                return Abi.OK;
            }
            state.checkEnd(newSize, 0);
            return inode.truncate(newSize, state.eofBlock(), io);
        });
    }

    /** Makes the file longer, if it ends before a range does. */
    public static void extend(InodeState state, long pos, long len) throws IOException {
        state.checkEnd(pos, len);
        if (state.size() < pos + len) {
            state.change((inode, io) -> pos + len <= state.sizeLocked()
                    ? Abi.OK
                    : inode.truncate(pos + len, state.eofBlock(), io));
        }
    }

    /** Makes bytes zeros, and gives back the pages that lie wholly in the range. len is positive. */
    public static void punch(InodeState state, long pos, long len) throws IOException {
        state.change((inode, io) -> {
            state.checkEnd(pos, len);
            long last = pos + len - 1;
            long next = state.indexLocked().nextMapped(pageOf(pos) + 1);
            boolean between = state.isMapped() || next >= 0 && next < pageOf(last); // a fault may fill a hole any time
            return inode.punch(pos, len, state.blockAt(pos), state.blockAt(last), between, io);
        });
    }

    /** Removes bytes; those behind move down. */
    public static void collapse(InodeState state, long pos, long len) throws IOException {
        state.change((inode, io) -> inode.collapse(pos, len, io));
    }

    /** Puts a hole in; the bytes behind move up. */
    public static void insert(InodeState state, long pos, long len) throws IOException {
        state.change((inode, io) -> inode.insert(pos, len, io));
    }

    /** Gives blocks to all pages of a range; the size grows to its end, or stays. len is positive. */
    public static void allocate(InodeState state, long pos, long len, boolean keepSize) throws IOException {
        state.change((inode, io) -> {
            state.checkEnd(pos, len);
            long size = keepSize ? state.sizeLocked() : Math.max(state.sizeLocked(), pos + len);
            PageRuns holes = holes(state.indexLocked(), pageOf(pos), pageOf(pos + len - 1));
            if (!holes.isEmpty()) {
                if (holes.pages() <= state.table().windows().blocks()) { // else the core says that there is no space
                    state.prepareIndex(pos, len);
                }
                return inode.allocate(holes, size, state.eofBlock(), io);
            }
            return size == state.sizeLocked() ? Abi.OK : inode.truncate(size, state.eofBlock(), io);
        });
    }

    private static PageRuns holes(RadixIndex index, long first, long last) {
        PageRuns holes = new PageRuns();
        for (long page = index.nextHole(first); page <= last; ) {
            long end = index.nextMapped(page);
            if (end < 0 || end > last) {
                end = last + 1;
            }
            holes.add(page, end - page);
            page = index.nextHole(end);
        }
        return holes;
    }

    /** The first byte from a position on that lies in a page with a block; -1 if there is none below the end. */
    public static long nextData(InodeState state, long pos) throws IOException {
        return state.ask((index, size) -> {
            long page = pos < size ? index.nextMapped(pageOf(pos)) : -1;
            long at = Math.max(pos, page << Abi.BLOCK_SHIFT);
            return page < 0 || at >= size ? -1 : at;
        });
    }

    /** The first byte from a position on that lies in a hole, or the end of the file; -1 if that is not behind it. */
    public static long nextHole(InodeState state, long pos) throws IOException {
        return state.ask((index, size) -> pos >= size
                ? -1
                : Math.min(size, Math.max(pos, index.nextHole(pageOf(pos)) << Abi.BLOCK_SHIFT)));
    }
}
