/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import org.jnova.internal.lock.LockRank;
import org.jnova.internal.lock.RankedLock;

/**
 * A mapped region of the core. Thread-safe: its lock keeps the region open while a call uses it. Closing the inode
 * closes the region too, so its owner calls {@link #close} before that.
 */
public final class NativeRegion {
    private final NativePool pool;
    private final NativeInode inode;
    private final String label;
    private final long start;
    private final long address;
    private final long length;
    private final RankedLock lock;

    // Guarded by lock.
    private long handle; // 0 = freed
    private boolean closed;
    private RegionStat last; // of a region that has been freed

    /** @param start byte offset in the file */
    NativeRegion(NativePool pool, NativeInode inode, long start, long handle, String label) {
        this.pool = pool;
        this.inode = inode;
        this.start = start;
        this.handle = handle;
        this.label = label;
        this.lock = new RankedLock(LockRank.REGION, this, pool.lockWaits());
        RegionStat stat = statLocked();
        this.address = stat.address();
        this.length = stat.length();
    }

    /** Of the first byte. */
    public long address() {
        return address;
    }

    /** Bytes, whole pages. */
    public long length() {
        return length;
    }

    /** Whether it shows bytes of a file. */
    public boolean isOf(NativeInode file) {
        return inode == file;
    }

    /** Byte offset in the file of the first byte. */
    public long start() {
        return start;
    }

    /** A direct buffer over a part of the memory. Whoever has it keeps the region from being freed. */
    public ByteBuffer buffer(long off, int len) {
        return NativeMemory.over(address + off, len);
    }

    /** Makes what was stored to a range durable. */
    public void force(long off, long len) throws IOException {
        Scratch scratch = Scratch.take();
        long stamp = lock.readLock();
        try {
            check(NovaNative.nova_force(openHandle(), off, len, scratch.io.errorAddress()), scratch);
        } finally {
            lock.unlockRead(stamp);
            scratch.put();
        }
    }

    /** Maps the pages of a range that have blocks, and gives some to the others if asked to. */
    public void populate(long off, long len, boolean allocate) throws IOException {
        Scratch scratch = Scratch.take();
        long stamp = lock.readLock();
        try {
            check(
                    NovaNative.nova_populate(openHandle(), off, len, allocate ? 1 : 0, scratch.io.errorAddress()),
                    scratch);
        } finally {
            lock.unlockRead(stamp);
            scratch.put();
        }
    }

    /**
     * Copies bytes to memory, without a page fault.
     *
     * @return false if some cannot be loaded: the file ends before them, or the region is closed
     */
    public boolean read(long off, NativeMemory to, int at, int len) {
        long stamp = lock.readLock();
        try {
            return !closed && NovaNative.nova_region_read(handle, off, to.address() + at, len, 0) == Abi.OK;
        } finally {
            lock.unlockRead(stamp);
        }
    }

    /** Facts of this moment; of a region that has been freed, the last ones. */
    public RegionStat stat() {
        long stamp = lock.readLock();
        try {
            return handle == 0 ? last : statLocked();
        } finally {
            lock.unlockRead(stamp);
        }
    }

    public boolean isOpen() {
        long stamp = lock.readLock();
        try {
            return !closed;
        } finally {
            lock.unlockRead(stamp);
        }
    }

    /** Makes all access to the memory fail, once; the addresses stay taken. Waits for running calls. */
    public void close() {
        long stamp = lock.writeLock();
        try {
            closeLocked();
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    /** Gives the addresses back, once. Nobody can reach the memory any more. */
    public void free() {
        long stamp = lock.writeLock();
        try {
            if (handle != 0) {
                closeLocked();
                last = statLocked();
                long open = handle;
                handle = 0;
                NovaNative.nova_region_free(open);
            }
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    private void closeLocked() {
        if (!closed) {
            closed = true;
            NovaNative.nova_region_close(handle);
        }
    }

    private RegionStat statLocked() {
        Scratch scratch = Scratch.take();
        try {
            NovaNative.nova_region_stat(handle, scratch.areaAddress());
            return RegionStat.read(scratch.memory.bytes(), scratch.area());
        } finally {
            scratch.put();
        }
    }

    private long openHandle() throws ClosedChannelException {
        if (closed) {
            throw new ClosedChannelException();
        }
        return handle;
    }

    private void check(int status, Scratch scratch) throws IOException {
        if (status != Abi.OK) {
            throw FailureMapper.map(scratch.failure(status), pool.name(), label);
        }
    }

    @Override
    public String toString() {
        return "region of " + label;
    }
}
