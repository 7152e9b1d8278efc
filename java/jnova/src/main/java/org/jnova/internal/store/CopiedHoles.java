/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import org.jnova.internal.core.Abi;
import org.jnova.internal.core.PageRuns;
import org.jnova.internal.index.RadixIndex;

/**
 * What the holes of a file are in a copy of it: the pages of the target that get nothing but bytes of one hole become
 * holes; what a hole has of other pages becomes zeros. For one copy; the caller keeps the index and the target's size
 * from changing.
 */
final class CopiedHoles {
    private final PoolWindows windows;
    private final RadixIndex index; // the source's
    private final long from;
    private final long to;
    private final long len;
    private final boolean toEnd; // the last page of the range need keep none of its bytes

    /**
     * @param from byte offset in the source
     * @param to byte offset in the target
     * @param len bytes, all of them below the end of the source
     * @param targetSize bytes of the target
     */
    CopiedHoles(PoolWindows windows, RadixIndex index, long from, long to, long len, long targetSize) {
        this.windows = windows;
        this.index = index;
        this.from = from;
        this.to = to;
        this.len = len;
        this.toEnd = to + len >= targetSize;
    }

    private static long pagesOf(long bytes) {
        return (bytes + Abi.BLOCK_SIZE - 1) >>> Abi.BLOCK_SHIFT;
    }

    /** The page behind the last one that lies wholly before a byte of the target. */
    private long endPage(long end) {
        return end == to + len && toEnd ? pagesOf(end) : end >>> Abi.BLOCK_SHIFT;
    }

    /** The pages that become holes. */
    PageRuns pages() throws IOException {
        PageRuns runs = new PageRuns();
        forEachPiece(new PoolWindows.PieceSink() {
            private long at = to;

            @Override
            public void data(long address, long n) {
                at += n;
            }

            @Override
            public void zeros(long n) {
                long first = pagesOf(at);
                long end = endPage(at + n);
                if (first < end) {
                    runs.add(first, end - first);
                }
                at += n;
            }
        });
        return runs;
    }

    /** Puts all bytes but those of these pages. */
    void putInto(IntentFiller filler) throws IOException {
        forEachPiece(new PoolWindows.PieceSink() {
            @Override
            public void data(long address, long n) throws IOException {
                filler.data(address, n);
            }

            @Override
            public void zeros(long n) throws IOException {
                long at = to + filler.filled();
                long first = pagesOf(at);
                long end = endPage(at + n);
                if (first >= end) {
                    filler.zeros(n);
                    return;
                }
                long holeAt = first << Abi.BLOCK_SHIFT;
                long holeEnd = Math.min(end << Abi.BLOCK_SHIFT, at + n);
                filler.zeros(holeAt - at);
                filler.skip(holeEnd - holeAt);
                filler.zeros(at + n - holeEnd);
            }
        });
    }

    /**
     * Gives each hole as a whole. The index says it in parts, and in other ones when the target, which may be the same
     * file, has got nodes for what is to be written.
     */
    private void forEachPiece(PoolWindows.PieceSink sink) throws IOException {
        long[] hole = new long[1];
        windows.forEachPiece(index, from, len, new PoolWindows.PieceSink() {
            @Override
            public void data(long address, long n) throws IOException {
                endHole(sink, hole);
                sink.data(address, n);
            }

            @Override
            public void zeros(long n) {
                hole[0] += n;
            }
        });
        endHole(sink, hole);
    }

    private static void endHole(PoolWindows.PieceSink sink, long[] hole) throws IOException {
        if (hole[0] != 0) {
            sink.zeros(hole[0]);
            hole[0] = 0;
        }
    }
}
