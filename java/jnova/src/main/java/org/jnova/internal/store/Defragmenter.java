/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import org.jnova.NoSpaceException;
import org.jnova.internal.core.Abi;
import org.jnova.internal.index.RadixIndex;

/**
 * Brings the blocks of a file together, a piece at a time. Between the pieces others write, and each looks at the file
 * anew.
 */
public final class Defragmenter {
    private static final int PIECE_MAX = 512; // pages, which move while the file's writers wait: 2 MiB

    private Defragmenter() {}

    /** Counts the runs of pages below the end of a file whose blocks lie in a row. */
    public static long extents(InodeState state) throws IOException {
        return state.ask((index, size) -> count(index, 0, pagesOf(size)));
    }

    /**
     * Moves pages until each run of data lies in a row, or in rows of PIECE_MAX, as far as there is room for that. Those
     * of data that comes behind the end meanwhile stay: who appends could go on for ever.
     */
    public static void run(InodeState state) throws IOException {
        long end = state.size();
        for (long at = FileRanges.nextData(state, 0), next; at >= 0 && at < end; at = FileRanges.nextData(state, next)) {
            long page = at >>> Abi.BLOCK_SHIFT;
            long n = Math.min(pagesOf(FileRanges.nextHole(state, at)) - page, PIECE_MAX);
            if (n > 1) { // somebody may have cut it
                gather(state, page, n);
            }
            next = (page + Math.max(n, 1)) << Abi.BLOCK_SHIFT;
        }
    }

    private static long pagesOf(long size) {
        return (size + Abi.BLOCK_SIZE - 1) >>> Abi.BLOCK_SHIFT;
    }

    private static long count(RadixIndex index, long from, long end) {
        long extents = 0;
        long next = -1; // the page that would go on with the extent before it, if its block is `follows`
        int follows = 0;
        for (long at = index.nextMapped(from), n; at >= 0 && at < end; at = index.nextMapped(at + n)) {
            int blk = index.block(at);
            n = index.run(at, blk, (int) Math.min(end - at, PIECE_MAX));
            extents += at == next && blk == follows ? 0 : 1;
            next = at + n;
            follows = blk + (int) n;
        }
        return extents;
    }

    private static boolean isApart(InodeState state, long page, long n) throws IOException {
        return state.ask((index, size) -> count(index, page, page + n)) > 1;
    }

    /** Brings pages together; without room for all of them in a row, in several. */
    private static void gather(InodeState state, long page, long n) throws IOException {
        long most = n;
        for (long at = page, end = page + n, step; at < end; at += step) {
            step = Math.min(end - at, most);
            while (step > 1 && isApart(state, at, step) && !move(state, at, step)) {
                most = step / 2;
                step = most;
            }
        }
    }

    /** False: there are not as many free blocks in a row. What others cut off or punch meanwhile needs none. */
    private static boolean move(InodeState state, long page, long n) throws IOException {
        long from = page << Abi.BLOCK_SHIFT;
        long end = Math.min((page + n) << Abi.BLOCK_SHIFT, state.size());
        try {
            if (from < end) {
                state.bringTogether(from, end);
            }
            return true;
        } catch (NoSpaceException e) {
            return false;
        }
    }
}
