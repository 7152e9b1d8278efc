/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.lang.ref.Cleaner;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jnova.NoSpaceException;
import org.jnova.internal.core.NativeMemory;
import org.jnova.internal.core.NativeRegion;
import org.jnova.internal.core.RegionStat;

/**
 * One mapped region: a handle of its file, and memory with a count of those who may reach it. Closing it takes effect at
 * once, for all; the addresses are given back when the count is 0: no buffer is reachable, no arena open, and the
 * owner has closed it or is unreachable. Whoever is unreachable is counted out by a {@link Cleaner}, so nothing that
 * a cleaning action refers to, this included, may refer to a buffer.
 */
public final class RegionState {
    /** Of all that is mapped: a thread that takes locks as any caller does. */
    static final Cleaner CLEANER = Cleaner.create();

    /** All regions that have not been freed, by address. */
    private static final ConcurrentSkipListMap<Long, NativeRegion> MEMORY = new ConcurrentSkipListMap<>();

    private final InodeState inode;
    private final NativeRegion region;
    private final AtomicInteger users = new AtomicInteger(1); // the owner
    private final AtomicBoolean closed = new AtomicBoolean();

    private RegionState(InodeState inode, NativeRegion region) {
        this.inode = inode;
        this.region = region;
        MEMORY.put(region.address(), region);
    }

    /**
     * Maps bytes of a file.
     *
     * @param off a multiple of the block size
     * @param flags as in the native interface
     * @return its state, which counts its owner as one user
     */
    public static RegionState map(InodeState inode, long off, long len, int flags) throws IOException {
        InodeTable table = inode.table();
        table.retain(inode);
        NativeRegion region = null;
        RegionState state = null;
        try {
            region = inode.map(off, len, flags);
            state = new RegionState(inode, region);
            return state;
        } finally {
            if (state == null) {
                if (region != null) {
                    region.free();
                }
                table.release(inode);
            }
        }
    }

    /** The region that an address is in, or null. */
    static NativeRegion at(long address) {
        Map.Entry<Long, NativeRegion> floor = MEMORY.floorEntry(address);
        NativeRegion region = floor == null ? null : floor.getValue();
        return region != null && address - region.address() < region.length() ? region : null;
    }

    /** The region that a buffer is over, or null; as long as the buffer is reachable. */
    static NativeRegion of(ByteBuffer buffer) {
        return MEMORY.isEmpty() || !buffer.isDirect() ? null : at(NativeMemory.addressOf(buffer));
    }

    // ---- who may reach the memory

    /**
     * Counts somebody in, who calls {@link #drop} at the end.
     *
     * @throws IllegalStateException if the memory is gone, or will be
     */
    public void hold() {
        if (users.getAndUpdate(n -> n == 0 ? 0 : n + 1) == 0) {
            throw new IllegalStateException("the region is closed");
        }
    }

    /** Counts somebody out. */
    public void drop() throws IOException {
        if (users.decrementAndGet() == 0) {
            try {
                close();
            } finally {
                MEMORY.remove(region.address());
                region.free();
            }
        }
    }

    /** Counts the owner out, once: when it is unreachable, or when this is cleaned before. */
    public Cleaner.Cleanable own(Object owner) {
        return CLEANER.register(owner, this::dropQuietly);
    }

    /** A buffer over a part of the memory, which is counted in as long as it is reachable, or a slice of it is. */
    public ByteBuffer buffer(long off, int len) {
        hold();
        boolean good = false;
        try {
            ByteBuffer root = region.buffer(off, len);
            CLEANER.register(root, this::dropQuietly);
            good = true;
            return root;
        } finally {
            if (!good) {
                dropQuietly();
            }
        }
    }

    /** The same, when nobody can be told that space of the file was not given back. */
    public void dropQuietly() {
        try {
            drop();
        } catch (IOException e) {
            // the next recovery finds it
        }
    }

    // ---- calls

    /** Bytes, whole pages. */
    public long length() {
        return region.length();
    }

    public long address() {
        return region.address();
    }

    /** Makes what was stored to a range durable. */
    public void force(long off, long len) throws IOException {
        region.force(off, len);
        inode.forced();
    }

    /** Maps the pages of a range that have blocks, and gives some to the others if asked to. */
    public void populate(long off, long len, boolean allocate) throws IOException {
        try {
            region.populate(off, len, allocate);
        } catch (NoSpaceException e) {
            inode.table().findSpace();
            region.populate(off, len, allocate);
        }
    }

    public RegionStat stat() {
        return region.stat();
    }

    public boolean isOpen() {
        return region.isOpen();
    }

    /** Closes it, once: access to the memory fails, the file loses a handle. */
    public void close() throws IOException {
        if (closed.compareAndSet(false, true)) {
            region.close();
            inode.unmapped(region);
            inode.table().release(inode);
        }
    }

    @Override
    public String toString() {
        return region.toString();
    }
}
