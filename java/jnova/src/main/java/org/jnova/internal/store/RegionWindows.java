/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.nio.ByteBuffer;
import org.jnova.internal.core.Abi;

/**
 * Buffers over a region, cut from windows that are made when first needed: a buffer has less than 2 GiB, a region may
 * be of any length. Windows begin at every GiB and overlap, so that a buffer of up to 1 GiB is in one of them; one that
 * is in none gets a window of its own. Kept by whoever owns the region, and by the buffers that are cut from them.
 */
public final class RegionWindows {
    private static final int SHIFT = 30;
    /** The longest one: of whole pages. */
    private static final int LENGTH_MAX = Integer.MAX_VALUE & -Abi.BLOCK_SIZE;

    private final RegionState region;
    private final ByteBuffer[] windows; // guarded by this

    public RegionWindows(RegionState region) {
        this.region = region;
        this.windows = new ByteBuffer[(int) ((region.length() - 1 >>> SHIFT) + 1)];
    }

    /** A buffer, in big-endian order. */
    public ByteBuffer slice(long off, int len) {
        int i = (int) Math.min(off >>> SHIFT, windows.length - 1); // an empty one may be at the very end
        int at = (int) (off - ((long) i << SHIFT));
        return at > LENGTH_MAX - len ? region.buffer(off, len).slice() : window(i).slice(at, len);
    }

    private synchronized ByteBuffer window(int i) {
        if (windows[i] == null) {
            long off = (long) i << SHIFT;
            windows[i] = region.buffer(off, (int) Math.min(LENGTH_MAX, region.length() - off));
        }
        return windows[i];
    }
}
