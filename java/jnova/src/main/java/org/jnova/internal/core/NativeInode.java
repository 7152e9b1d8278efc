/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;

/**
 * An open inode of the core: a file, a directory or a symbolic link. Not thread-safe: the owner serialises all calls,
 * and makes none after {@link #close}. Calls that write return a status, because the caller has something to do about
 * lack of space; the io block then holds the error, which {@link #failure} turns into an exception.
 */
public final class NativeInode {
    private final NativePool pool;
    private final String label;
    private long handle;

    NativeInode(NativePool pool, long handle, String label) {
        this.pool = pool;
        this.handle = handle;
        this.label = label;
    }

    /** Applies records of the log to a view of it. */
    @FunctionalInterface
    public interface Sink {
        /**
         * Applies one record.
         *
         * @param bytes the memory it is in
         * @param at its offset
         * @throws IOException if the record makes no sense
         */
        void apply(ByteBuffer bytes, int at) throws IOException;
    }

    /** Its name in messages. */
    public String label() {
        return label;
    }

    long handle() {
        if (handle == 0) {
            throw new IllegalStateException(label + ": native inode used after close");
        }
        return handle;
    }

    /** The exception for a failed call. */
    public IOException failure(int status, IoBlock io) {
        return FailureMapper.map(io.failure(status), pool.name(), label);
    }

    /** The exception for a failed call on this directory that was about a name in it. */
    public IOException failure(int status, IoBlock io, String name) {
        return FailureMapper.map(io.failure(status), pool.name(), name);
    }

    /** An exception about damage that this side noticed. */
    public IOException corrupt(String what) {
        return FailureMapper.map(new NativeFailure(Abi.ECORRUPT, 0, Abi.NO_OFF, what), pool.name(), label);
    }

    /** Replays the log from the position where the last replay ended to its end, in large batches. */
    public void replayAll(Sink sink) throws IOException {
        Scratch scratch = Scratch.take();
        try {
            do {
                int status = NovaNative.nova_replay(
                        handle(), scratch.recordsAddress(), Scratch.RECORDS_CAP, scratch.io.address());
                if (status != Abi.OK) {
                    throw failure(status, scratch.io);
                }
                ByteBuffer bytes = scratch.memory.bytes();
                int count = scratch.io.recordCount();
                for (int i = 0; i < count; ) {
                    int at = scratch.recordOffset(i);
                    sink.apply(bytes, at);
                    i += Records.lines(bytes, at);
                }
            } while (scratch.io.more());
        } finally {
            scratch.put();
        }
    }

    /** Reports the next records into the io block. */
    int replay(IoBlock io) {
        return NovaNative.nova_replay(handle(), io.recordsAddress(), Abi.IO_RECORDS_MAX, io.address());
    }

    /** Writes from an address. */
    public int write(long off, long src, long len, int firstBlk, int lastBlk, int eofBlk, IoBlock io) {
        return NovaNative.nova_write(handle(), off, src, len, firstBlk, lastBlk, eofBlk, io.address());
    }

    /** Begins a write in steps; {@link #intent} is its handle then. holes: pages of the range that get no blocks. */
    public int writeBegin(long off, long len, PageRuns holes, int firstBlk, int lastBlk, int eofBlk, IoBlock io) {
        NativeMemory runs = holes.memory();
        try {
            return NovaNative.nova_write_begin_sparse(
                    handle(),
                    off,
                    len,
                    runs == null ? 0 : runs.address(),
                    holes.size(),
                    firstBlk,
                    lastBlk,
                    eofBlk,
                    io.address(),
                    io.cellAddress());
        } finally {
            Reference.reachabilityFence(runs);
        }
    }

    /** The intent that the last successful {@link #writeBegin} made. */
    public static long intent(IoBlock io) {
        return io.cell();
    }

    public static int writeFill(long intent, long to, long src, long len, IoBlock io) {
        return NovaNative.nova_write_fill(intent, to, src, len, io.address());
    }

    public static int writeCommit(long intent, IoBlock io) {
        return NovaNative.nova_write_commit(intent, io.address());
    }

    public static void writeAbort(long intent) {
        NovaNative.nova_write_abort(intent);
    }

    public int truncate(long size, int eofBlk, IoBlock io) {
        return NovaNative.nova_truncate(handle(), size, eofBlk, io.address());
    }

    /** Makes bytes zeros, and gives back whole pages of them. between: whether a page between the two has a block. */
    public int punch(long off, long len, int firstBlk, int lastBlk, boolean between, IoBlock io) {
        return NovaNative.nova_punch(handle(), off, len, firstBlk, lastBlk, between ? 1 : 0, io.address());
    }

    /** Removes whole pages; what is behind them moves down. */
    public int collapse(long off, long len, IoBlock io) {
        return NovaNative.nova_collapse(handle(), off, len, io.address());
    }

    /** Puts a hole of whole pages in; what is behind it moves up. */
    public int insert(long off, long len, IoBlock io) {
        return NovaNative.nova_insert(handle(), off, len, io.address());
    }

    /** Gives blocks of zeros to pages that have none. */
    public int allocate(PageRuns runs, long size, int eofBlk, IoBlock io) {
        NativeMemory memory = runs.memory();
        try {
            return NovaNative.nova_allocate(handle(), memory.address(), runs.size(), size, eofBlk, io.address());
        } finally {
            Reference.reachabilityFence(memory);
        }
    }

    /**
     * Sets the attributes that mask names. Times are nanoseconds since the epoch; what mask does not name is not looked
     * at.
     */
    public int setAttributes(
            int mask, int mode, int uid, int gid, long atime, long mtime, long btime, IoBlock io) {
        return NovaNative.nova_setattr(handle(), mask, mode, uid, gid, atime, mtime, btime, io.address());
    }

    /** Logs the time of the last access, and nothing else; the view moves on. Whether it could is not told. */
    public void logAccess(long time) {
        Scratch scratch = Scratch.take();
        try {
            NovaNative.nova_setattr(
                    handle(), Abi.ATTR_ATIME | Abi.ATTR_KEEP_CTIME, 0, 0, 0, time, 0, 0, scratch.io.address());
        } finally {
            scratch.put();
        }
    }

    /**
     * Gives an extended attribute a value.
     *
     * @param oldBlk log page of the entry that holds its present value
     * @param oldIdx line of that, or {@link Abi#NO_LINE} if it has none
     */
    public int setExtended(byte[] name, byte[] value, int oldBlk, int oldIdx, IoBlock io) {
        NativeMemory memory = NativeMemory.allocate(name.length + value.length);
        memory.bytes().put(0, name).put(name.length, value);
        try {
            return NovaNative.nova_setxattr(
                    handle(),
                    memory.address(),
                    name.length,
                    memory.address() + name.length,
                    value.length,
                    oldBlk,
                    oldIdx,
                    io.address());
        } finally {
            Reference.reachabilityFence(memory);
        }
    }

    /** Takes an extended attribute away, whose value is at the old place. */
    public int removeExtended(byte[] name, int oldBlk, int oldIdx, IoBlock io) {
        Scratch scratch = Scratch.take();
        try {
            return NovaNative.nova_removexattr(
                    handle(), scratch.putBytes(0, name), name.length, oldBlk, oldIdx, io.address());
        } finally {
            scratch.put();
        }
    }

    /** Reads the value, of a known length, that the entry at a place holds. Nobody replaces or removes it meanwhile. */
    public byte[] readExtended(int logBlk, int logIdx, int length) throws IOException {
        NativeMemory memory = NativeMemory.allocate(Math.max(1, length));
        Scratch scratch = Scratch.take();
        try {
            int status = NovaNative.nova_xattr_read(
                    handle(),
                    logBlk,
                    logIdx,
                    memory.address(),
                    length,
                    scratch.io.cellAddress(),
                    scratch.io.errorAddress());
            if (status != Abi.OK) {
                throw failure(status, scratch.io);
            }
            byte[] value = new byte[length];
            memory.bytes().get(0, value);
            return value;
        } finally {
            scratch.put();
            Reference.reachabilityFence(memory);
        }
    }

    /**
     * Reports what one page of the log holds, 0 for the inode's slot, as records of {@code keeps}.
     *
     * @param wanted bit i: the entry that begins at line i, if one does
     * @param nextBlk the page that will be asked for next, 0 if that is not known
     * @param nextWanted what will be wanted of that
     */
    public int cleanRead(int logBlk, long wanted, int nextBlk, long nextWanted, Keeps keeps, IoBlock io) {
        return NovaNative.nova_clean_read(
                handle(),
                logBlk,
                wanted,
                nextBlk,
                nextWanted,
                keeps.recordsAddress(),
                Abi.PAGE_RECORDS,
                io.address());
    }

    /** Appends to the log again what is to be kept, and all of it that is in no index. */
    public int cleanAppend(Keeps keeps, IoBlock io) {
        return NovaNative.nova_clean_append(handle(), keeps.address(), keeps.size(), io.address());
    }

    /** Appends extents to the log again, and nothing else. EINVAL: there are other things, or the times differ. */
    public int cleanGather(Keeps keeps, IoBlock io) {
        return NovaNative.nova_clean_gather(handle(), keeps.address(), keeps.size(), io.address());
    }

    /** Takes the pages between two out of the log; {@code prevBlk} 0: all before the other one. */
    public int cleanCut(int prevBlk, int keepBlk, IoBlock io) {
        return NovaNative.nova_clean_cut(handle(), prevBlk, keepBlk, io.address());
    }

    /** Starts a log of one page again in the inode's slot, with what is to be kept. */
    public int cleanRestart(Keeps keeps, IoBlock io) {
        return NovaNative.nova_clean_restart(handle(), keeps.address(), keeps.size(), io.address());
    }

    /**
     * Makes an inode and enters it in this directory.
     *
     * @param target bytes of a symbolic link's target, else null
     */
    public int create(byte[] name, int type, int mode, byte[] target, IoBlock io) {
        Scratch scratch = Scratch.take();
        try {
            long address = scratch.putBytes(0, name);
            long content = target == null ? 0 : scratch.putLongBytes(target);
            int length = target == null ? 0 : target.length;
            return NovaNative.nova_create(
                    handle(), address, name.length, type, mode, 0, 0, content, length, io.address());
        } finally {
            scratch.put();
        }
    }

    /** Gives another inode, which is up to date and whose caller serialises it, one more name in this directory. */
    public int link(byte[] name, NativeInode child, IoBlock io) {
        Scratch scratch = Scratch.take();
        try {
            return NovaNative.nova_link(
                    handle(), scratch.putBytes(0, name), name.length, child.handle(), io.address());
        } finally {
            scratch.put();
        }
    }

    /** Removes a name. */
    public static int unlink(NativeName name) {
        Scratch scratch = Scratch.take();
        try {
            return NovaNative.nova_unlink(name.put(scratch, 0));
        } finally {
            scratch.put();
        }
    }

    /** Moves what one name names to another name. */
    public static int rename(NativeName from, NativeName to) {
        Scratch scratch = Scratch.take();
        try {
            return NovaNative.nova_rename(from.put(scratch, 0), to.put(scratch, 1));
        } finally {
            scratch.put();
        }
    }

    /** Exchanges what two names name. */
    public static int exchange(NativeName a, NativeName b) {
        Scratch scratch = Scratch.take();
        try {
            return NovaNative.nova_exchange(a.put(scratch, 0), b.put(scratch, 1));
        } finally {
            scratch.put();
        }
    }

    /**
     * Maps bytes of this file.
     *
     * @param off a multiple of the block size
     * @param flags {@link Abi#MAP_WRITE}, {@link Abi#MAP_EAGER}
     * @param appended eight bytes in which the core counts what faults commit; the owner keeps them until it has closed
     *     this inode
     */
    public NativeRegion map(long off, long len, int flags, NativeMemory appended) throws IOException {
        Scratch scratch = Scratch.take();
        try {
            int status = NovaNative.nova_map(
                    handle(),
                    off,
                    len,
                    flags,
                    appended.address(),
                    scratch.io.cellAddress(),
                    scratch.io.errorAddress());
            if (status != Abi.OK) {
                throw failure(status, scratch.io);
            }
            long handle = scratch.io.cell();
            NativeRegion region = null;
            try {
                region = new NativeRegion(pool, this, off, handle, label);
                return region;
            } finally {
                if (region == null) { // there was no heap
                    NovaNative.nova_region_free(handle);
                }
            }
        } finally {
            scratch.put();
        }
    }

    /**
     * Pins bytes of this file. Parameters as for {@link #map}; the bytes do not go beyond the page that holds the end.
     */
    public NativePin pin(long off, long len, NativeMemory appended) throws IOException {
        Scratch scratch = Scratch.take();
        try {
            int status = NovaNative.nova_pin(
                    handle(),
                    off,
                    len,
                    appended.address(),
                    scratch.io.cellAddress(),
                    scratch.areaAddress(),
                    scratch.io.errorAddress());
            if (status != Abi.OK) {
                throw failure(status, scratch.io);
            }
            long at = scratch.memory.bytes().getLong(scratch.area());
            long handle = scratch.io.cell();
            NativePin pin = null;
            try {
                pin = new NativePin(pool, this, handle, at);
                return pin;
            } finally {
                if (pin == null) { // there was no heap
                    NovaNative.nova_unpin(handle);
                }
            }
        } finally {
            scratch.put();
        }
    }

    /** Makes what was stored to pinned bytes durable. */
    void forcePinned(long pin) throws IOException {
        Scratch scratch = Scratch.take();
        try {
            int status = NovaNative.nova_pin_force(handle(), pin, scratch.io.errorAddress());
            if (status != Abi.OK) {
                throw failure(status, scratch.io);
            }
        } finally {
            scratch.put();
        }
    }

    /** Whether writing calls go in place while this file is mapped. */
    public void setInPlace(boolean on) throws IOException {
        int status = NovaNative.nova_set_in_place(handle(), on ? 1 : 0);
        if (status != Abi.OK) {
            throw FailureMapper.map(new NativeFailure(status, 0, Abi.NO_OFF, ""), pool.name(), label);
        }
    }

    /** Attributes as of the last replayed entry. */
    public InodeStat stat() throws IOException {
        Scratch scratch = Scratch.take();
        try {
            int status = NovaNative.nova_inode_stat(handle(), scratch.areaAddress());
            if (status != Abi.OK) {
                throw FailureMapper.map(new NativeFailure(status, 0, Abi.NO_OFF, ""), pool.name(), label);
            }
            return InodeStat.read(scratch.memory.bytes(), scratch.area());
        } finally {
            scratch.put();
        }
    }

    /** Closes it; if it has been released, its space is free on return. The handle is gone whatever happens. */
    public void close() throws IOException {
        Scratch scratch = Scratch.take();
        try {
            long open = handle();
            handle = 0;
            int status = NovaNative.nova_inode_close(open, scratch.io.errorAddress());
            if (status != Abi.OK) {
                throw failure(status, scratch.io);
            }
        } finally {
            scratch.put();
        }
    }
}
