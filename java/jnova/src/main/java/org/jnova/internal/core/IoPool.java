/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import java.util.ArrayDeque;

/**
 * Lends {@link IoBlock}s, cut from slabs of native memory: a file that is only read needs none, and a million files
 * open for writing need no million direct buffers. Slabs are kept until the store is gone. Thread-safe; its lock is a
 * leaf.
 */
public final class IoPool {
    private static final int PER_SLAB = 32;

    private final ArrayDeque<IoBlock> idle = new ArrayDeque<>();

    /** Lends a block. */
    public synchronized IoBlock lease() {
        if (idle.isEmpty()) {
            NativeMemory slab = NativeMemory.allocate(PER_SLAB * IoBlock.STRIDE);
            for (int i = 0; i < PER_SLAB; i++) {
                idle.push(new IoBlock(slab, i * IoBlock.STRIDE));
            }
        }
        return idle.pop();
    }

    /** Takes a block back. The caller must not use it any more. */
    public synchronized void giveBack(IoBlock block) {
        block.clear();
        idle.push(block);
    }
}
