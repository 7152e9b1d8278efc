/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Keeps pieces of native memory of one size for reuse: a few slots that threads take from and put back to, starting
 * at different ones. Takes no lock and allocates nothing while a slot has a piece; a piece that finds no empty slot
 * is left to the garbage collector.
 */
public final class MemoryPool {
    /** Slots are this far apart, so that two threads do not share a cache line. */
    private static final int STRIDE = 16;

    private final int pieceSize;
    private final int mask;
    private final AtomicReferenceArray<NativeMemory> slots;

    /**
     * @param pieceSize bytes of a piece
     * @param slots pieces to keep at most; a power of two
     */
    public MemoryPool(int pieceSize, int slots) {
        assert Integer.bitCount(slots) == 1 : slots;
        this.pieceSize = pieceSize;
        this.mask = slots - 1;
        this.slots = new AtomicReferenceArray<>(slots * STRIDE);
    }

    /** A pool with two pieces per CPU. */
    public static MemoryPool perCpu(int pieceSize) {
        int cpus = Math.min(64, Runtime.getRuntime().availableProcessors());
        return new MemoryPool(pieceSize, Integer.highestOneBit(cpus * 4 - 1));
    }

    public int pieceSize() {
        return pieceSize;
    }

    /** Takes a piece; its content is anything. To be given back by {@link #put}. */
    public NativeMemory take() {
        int start = start();
        for (int i = 0; i <= mask; i++) {
            int slot = ((start + i) & mask) * STRIDE;
            if (slots.getPlain(slot) != null) {
                NativeMemory piece = slots.getAndSet(slot, null);
                if (piece != null) {
                    return piece;
                }
            }
        }
        return NativeMemory.allocate(pieceSize);
    }

    /** Gives a piece back. The caller must not touch it any more. */
    public void put(NativeMemory piece) {
        int start = start();
        for (int i = 0; i <= mask; i++) {
            int slot = ((start + i) & mask) * STRIDE;
            if (slots.getPlain(slot) == null && slots.compareAndSet(slot, null, piece)) {
                return;
            }
        }
    }

    private static int start() {
        return (int) (Thread.currentThread().getId() * 0x9E3779B9L >>> 16);
    }
}
