/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.NonReadableChannelException;
import java.nio.channels.NonWritableChannelException;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jnova.internal.core.Abi;
import org.jnova.internal.store.AttributeOptions;
import org.jnova.internal.store.ContentWriter;
import org.jnova.internal.store.Defragmenter;
import org.jnova.internal.store.FileCopy;
import org.jnova.internal.store.FileInfos;
import org.jnova.internal.store.FileRanges;
import org.jnova.internal.store.InodeState;
import org.jnova.internal.store.Names;
import org.jnova.internal.store.PinnedBuffer;
import org.jnova.internal.store.RegionState;
import org.jnova.internal.store.StoreCore;

/**
 * An open file of a {@link NovaStore}: positional reads and atomic, durable writes.
 *
 * <p><b>Atomic.</b> Each call that writes is one unit, whatever its length: no reader, in this process or after a
 * crash, sees a part of it. Each call that reads sees, of every write, all or nothing within its range, whatever its
 * length.
 *
 * <p><b>Durable.</b> When a call that writes returns, its effect survives what {@link StoreInfo#durability()} says.
 * There is nothing to flush; {@link #force} exists for code that wants to call it. A call that throws has changed
 * nothing; except that one may have taken effect, wholly, that throws an {@link Error} (such as
 * {@link OutOfMemoryError}), a {@link CorruptPoolException}, or an exception about a refusal of the operating system.
 *
 * <p><b>Threads.</b> All methods may be called from any number of threads, through one handle or several. Writes to
 * one file wait for each other; writes to different files do not. Reads and {@link #size} take no
 * lock as a rule. One that was overtaken by writes several times, or a read of 4 MiB or more that was overtaken once,
 * waits for the write of the file that is running, and then makes the writers of the file wait. A buffer must not be
 * used by two threads at a time, as always.
 *
 * <p><b>Interruption.</b> Methods do not respond to it: no call fails or closes the file because its thread is
 * interrupted.
 *
 * <p><b>Buffers.</b> Writing from a direct buffer takes one copy, as native code reads the buffer in place: always if
 * it is more than 1 KiB, else if the buffer was written from lately. All else takes two, the first into staging memory
 * of up to 256 KiB: heap buffers and arrays, the first write of up to 1 KiB from a buffer, several buffers of up to
 * 256 KiB in all, and direct buffers over mapped files or over memory of an arena. A write of more than 256 KiB from
 * such memory calls native code once for each 256 KiB, and one of more than 256 KiB from several buffers at least once
 * for each of them; it is one atomic unit all the same. A buffer's
 * position moves past the bytes transferred if and only if the call succeeds. Bytes of a destination beyond those
 * that a read reports may have been overwritten. A read-only destination is an {@link IllegalArgumentException}.
 *
 * <p>Every method but {@link #name}, {@link #isOpen} and {@link #close} throws {@link
 * java.nio.channels.ClosedChannelException} if this handle or its store is closed, or is being closed by another
 * thread. Those that write may throw {@link java.nio.channels.NonWritableChannelException}, {@link NoSpaceException}
 * and, beyond a size of 2<sup>60</sup> bytes or 2<sup>31</sup> bytes in one call, a {@link
 * java.nio.file.FileSystemException}; those that read {@link java.nio.channels.NonReadableChannelException}. A handle
 * that is not closed keeps its memory until the store is closed.
 */
public final class NovaFile extends FileSegments implements AutoCloseable {
    /** Largest size of a file, bytes; a file may be sparse far beyond the size of the pool. */
    public static final long SIZE_MAX = 1L << 60;

    /** Most bytes in one atomic write. */
    public static final long WRITE_MAX = 1L << 31;

    static final int PAGE_SIZE = 4096;
    private static final long MAP_MAX = 1L << 46;

    private static final VarHandle OPEN;

    static {
        try {
            OPEN = MethodHandles.lookup().findVarHandle(NovaFile.class, "open", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final StoreCore core;
    private final InodeState state;
    private final String name;
    private final boolean readable;
    private final boolean writable;
    private volatile boolean open = true;

    private NovaFile(StoreCore core, InodeState state, String name, boolean readable, boolean writable) {
        this.core = core;
        this.state = state;
        this.name = name;
        this.readable = readable;
        this.writable = writable;
    }

    /** A handle of an inode that has just been opened; cuts the file if that is asked for. */
    static NovaFile of(StoreCore core, InodeState state, String name, OpenMode how) throws IOException {
        NovaFile file = new NovaFile(core, state, name, how.read(), how.write());
        if (how.truncate()) {
            boolean good = false;
            try {
                file.setSize(0);
                good = true;
            } finally {
                if (!good) {
                    file.close();
                }
            }
        }
        return file;
    }

    /** {@return the name by which this handle was opened; the file may have been renamed or deleted since} */
    public String name() {
        return name;
    }

    /**
     * Reads bytes at a position into the space that remains in a buffer. Holes read as zeros. Reads fewer bytes than
     * remain only at the end of the file.
     *
     * @param position byte offset in the file
     * @param dst where to
     * @return bytes read, 0 if nothing remains in the buffer, -1 if the position is at or beyond the end of the file
     * @throws IllegalArgumentException if the position is negative or the buffer read-only
     * @throws IOException as the class says
     */
    public int read(long position, ByteBuffer dst) throws IOException {
        checkReadable();
        checkPosition(position);
        if (dst.isReadOnly()) {
            throw new IllegalArgumentException("the destination is a read-only buffer");
        }
        int at = dst.position();
        int len = dst.limit() - at;
        if (len <= 0) {
            return 0;
        }
        int n = state.read(position, dst, at, len);
        if (n > 0) {
            dst.position(at + n);
        }
        return n;
    }

    /**
     * Reads bytes at a position into an array, as {@link #read(long, ByteBuffer)} does.
     *
     * @param position byte offset in the file
     * @param dst where to
     * @param offset first index in the array
     * @param length most bytes to read
     * @return bytes read, 0 if the length is 0, -1 if the position is at or beyond the end of the file
     * @throws IllegalArgumentException if the position is negative
     * @throws IndexOutOfBoundsException if offset and length do not fit the array
     * @throws IOException as the class says
     */
    public int read(long position, byte[] dst, int offset, int length) throws IOException {
        checkReadable();
        checkPosition(position);
        Objects.checkFromIndexSize(offset, length, dst.length);
        return length == 0 ? 0 : state.read(position, dst, offset, length);
    }

    /**
     * Writes the bytes that remain in a buffer at a position, all of them. One beyond the end leaves a hole that
     * reads as zeros. Atomic; durable on return.
     *
     * @param position byte offset in the file
     * @param src the bytes
     * @return bytes written: all that remained
     * @throws IllegalArgumentException if the position is negative
     * @throws NoSpaceException if the pool has no room for them; nothing has changed
     * @throws IOException as the class says
     */
    public int write(long position, ByteBuffer src) throws IOException {
        checkWritable();
        checkPosition(position);
        int at = src.position();
        int len = src.limit() - at;
        if (len <= 0) {
            return 0;
        }
        ContentWriter.write(state, position, src, at, len);
        src.position(at + len);
        return len;
    }

    /**
     * Writes bytes of an array at a position, as {@link #write(long, ByteBuffer)} does. Atomic; durable on return.
     *
     * @param position byte offset in the file
     * @param src the bytes
     * @param offset first index in the array
     * @param length bytes to write
     * @return bytes written: {@code length}
     * @throws IllegalArgumentException if the position is negative
     * @throws IndexOutOfBoundsException if offset and length do not fit the array
     * @throws NoSpaceException if the pool has no room for them; nothing has changed
     * @throws IOException as the class says
     */
    public int write(long position, byte[] src, int offset, int length) throws IOException {
        checkWritable();
        checkPosition(position);
        Objects.checkFromIndexSize(offset, length, src.length);
        if (length != 0) {
            ContentWriter.write(state, position, src, offset, length);
        }
        return length;
    }

    /**
     * Writes the bytes that remain in several buffers at a position, one after the other, as one atomic unit. Durable
     * on return.
     *
     * @param position byte offset in the file
     * @param srcs the buffers
     * @param offset first buffer
     * @param length number of buffers
     * @return bytes written: all that remained
     * @throws IllegalArgumentException if the position is negative
     * @throws IndexOutOfBoundsException if offset and length do not fit the array
     * @throws NoSpaceException if the pool has no room for them; nothing has changed
     * @throws IOException as the class says
     */
    public long write(long position, ByteBuffer[] srcs, int offset, int length) throws IOException {
        checkWritable();
        checkPosition(position);
        return gather(position, srcs, offset, length).total;
    }

    /**
     * Writes the bytes that remain in a buffer at the end of the file, wherever that is when it is this call's turn:
     * concurrent appends never overlap. Atomic; durable on return.
     *
     * @param src the bytes
     * @return the position in the file of the first byte; the file's size if nothing remained
     * @throws NoSpaceException if the pool has no room for them; nothing has changed
     * @throws IOException as the class says
     */
    public long append(ByteBuffer src) throws IOException {
        checkWritable();
        int at = src.position();
        int len = src.limit() - at;
        if (len <= 0) {
            return state.size();
        }
        long position = ContentWriter.write(state, ContentWriter.APPEND, src, at, len);
        src.position(at + len);
        return position;
    }

    /**
     * Appends bytes of an array, as {@link #append(ByteBuffer)} does. Atomic; durable on return.
     *
     * @param src the bytes
     * @param offset first index in the array
     * @param length bytes to write
     * @return the position in the file of the first byte; the file's size if the length is 0
     * @throws IndexOutOfBoundsException if offset and length do not fit the array
     * @throws NoSpaceException if the pool has no room for them; nothing has changed
     * @throws IOException as the class says
     */
    public long append(byte[] src, int offset, int length) throws IOException {
        checkWritable();
        Objects.checkFromIndexSize(offset, length, src.length);
        return length == 0 ? state.size() : ContentWriter.write(state, ContentWriter.APPEND, src, offset, length);
    }

    /**
     * Appends the bytes that remain in several buffers, one after the other, as one atomic unit. Durable on return.
     *
     * @param srcs the buffers
     * @param offset first buffer
     * @param length number of buffers
     * @return the position in the file of the first byte; the file's size if nothing remained
     * @throws IndexOutOfBoundsException if offset and length do not fit the array
     * @throws NoSpaceException if the pool has no room for them; nothing has changed
     * @throws IOException as the class says
     */
    public long append(ByteBuffer[] srcs, int offset, int length) throws IOException {
        checkWritable();
        Gathered gathered = gather(ContentWriter.APPEND, srcs, offset, length);
        return gathered.total == 0 ? state.size() : gathered.position;
    }

    /** {@return the size of the file, bytes}
     * @throws IOException as the class says
     */
    public long size() throws IOException {
        checkHandle();
        return state.size();
    }

    /**
     * Cuts the file to a size, if it is larger; else does nothing, as {@link FileChannel#truncate}
     * does. Atomic; durable on return. Works on a full pool.
     *
     * @param size bytes
     * @throws IllegalArgumentException if the size is negative
     * @throws IOException as the class says
     */
    public void truncate(long size) throws IOException {
        resize(size, true);
    }

    /**
     * Sets the size of the file, smaller or larger; bytes gained read as zeros and take no space. Atomic; durable on
     * return.
     *
     * @param size bytes
     * @throws IllegalArgumentException if the size is negative
     * @throws IOException as the class says
     */
    public void setSize(long size) throws IOException {
        resize(size, false);
    }

    // ---- ranges

    /**
     * Makes bytes read as zeros, and gives the pages of 4 KiB that lie wholly in the range back to the pool; the size
     * stays. A range may reach beyond the end. Atomic; durable on return. Works on a full pool.
     *
     * @param position byte offset in the file
     * @param length bytes; 0 does nothing
     * @throws IllegalArgumentException if the position or length is negative
     * @throws IOException as the class says
     */
    public void punchHole(long position, long length) throws IOException {
        checkWritable();
        checkRange(position, length);
        if (length != 0) {
            FileRanges.punch(state, position, length);
        }
    }

    /**
     * Makes bytes read as zeros; the size stays. The same as {@link #punchHole}: it keeps no space for the range, which
     * {@link #allocate} does. Atomic; durable on return. Works on a full pool.
     *
     * @param position byte offset in the file
     * @param length bytes; 0 does nothing
     * @throws IllegalArgumentException if the position or length is negative
     * @throws IOException as the class says
     */
    public void zeroRange(long position, long length) throws IOException {
        punchHole(position, length);
    }

    /**
     * Removes bytes: those behind them move down, the file becomes shorter. Copies nothing; takes a time that grows
     * with the number of pages behind the range. Atomic; durable on return. Works on a full pool.
     *
     * @param position byte offset in the file, a multiple of 4096
     * @param length bytes, a multiple of 4096; 0 does nothing
     * @throws IllegalArgumentException if the position or length is negative or no multiple, or if the range reaches
     *     the end of the file ({@link #truncate} removes that)
     * @throws IOException as the class says
     */
    public void collapseRange(long position, long length) throws IOException {
        checkWritable();
        checkPages(position, length);
        if (length != 0) {
            FileRanges.collapse(state, position, length);
        }
    }

    /**
     * Puts a hole in: the bytes from a position on move up, the file becomes longer. Copies nothing; takes a time that
     * grows with the number of pages behind the position. Atomic; durable on return.
     *
     * @param position byte offset in the file, a multiple of 4096, below its end
     * @param length bytes, a multiple of 4096; 0 does nothing
     * @throws IllegalArgumentException if the position or length is negative or no multiple, or if the position is not
     *     below the end
     * @throws NoSpaceException if the log has no room to grow
     * @throws IOException as the class says
     */
    public void insertRange(long position, long length) throws IOException {
        checkWritable();
        checkPages(position, length);
        if (length != 0) {
            FileRanges.insert(state, position, length);
        }
    }

    /**
     * Gives blocks of zeros to all pages of a range that have none, whole or not at all; bytes that are there stay.
     * Blocks beyond the end stay until a truncate or a hole takes them back. As every write takes new blocks and gives
     * the old ones back, what this promises is that the space is in the pool and counts as the file's, not that a later
     * write finds room on a pool that others have filled. Atomic; durable on return.
     *
     * @param position byte offset in the file
     * @param length bytes; 0 does nothing
     * @param keepSize whether the size stays; else the file grows to the end of the range, if it is shorter
     * @throws IllegalArgumentException if the position or length is negative
     * @throws NoSpaceException if the pool has no room for them; nothing has changed
     * @throws IOException as the class says
     */
    public void allocate(long position, long length, boolean keepSize) throws IOException {
        checkWritable();
        checkRange(position, length);
        if (length != 0) {
            FileRanges.allocate(state, position, length, keepSize);
        }
    }

    /**
     * Finds data, as {@code SEEK_DATA} does. Data is what lies in a page of 4 KiB that has a block; allocated zeros are
     * data, too. Takes no lock as a rule.
     *
     * @param position byte offset in the file
     * @return the position itself if there is data, else where the next begins; -1 if none follows, or the position is
     *     at or beyond the end of the file
     * @throws IllegalArgumentException if the position is negative
     * @throws IOException as the class says
     */
    public long nextData(long position) throws IOException {
        checkReadable();
        checkPosition(position);
        return FileRanges.nextData(state, position);
    }

    /**
     * Finds a hole, as {@code SEEK_HOLE} does: a page without a block. The end of the file counts as the beginning of
     * one. Takes no lock as a rule.
     *
     * @param position byte offset in the file
     * @return the position itself if it is in a hole, else where the next begins; -1 if the position is at or beyond
     *     the end of the file
     * @throws IllegalArgumentException if the position is negative
     * @throws IOException as the class says
     */
    public long nextHole(long position) throws IOException {
        checkReadable();
        checkPosition(position);
        return FileRanges.nextHole(state, position);
    }

    /**
     * Copies bytes to a place in a file of the same store, or in this one, where the ranges may overlap. One atomic
     * write of bytes that this file held at one moment; durable on return. Pages of the target that get nothing but
     * bytes of a hole become holes; but zeros, which take space, if the target is written in place ({@link
     * #setInPlace}), or is this file and has been mapped. The bytes do not pass through the heap; writers of this file
     * wait meanwhile.
     *
     * @param position byte offset in this file
     * @param target the other file
     * @param targetPosition byte offset in it; what lies between its end and there becomes a hole
     * @param length most bytes, up to 2<sup>31</sup>
     * @return bytes copied, fewer than the length only at the end of this file: 0 if the position is not below it
     * @throws IllegalArgumentException if a position or the length is negative, or the files are of different stores
     * @throws NoSpaceException if the pool has no room for them; nothing has changed
     * @throws IOException as the class says
     */
    public long copyRange(long position, NovaFile target, long targetPosition, long length) throws IOException {
        checkReadable();
        target.checkWritable();
        checkRange(position, length);
        checkPosition(targetPosition);
        return length == 0 ? 0 : FileCopy.copy(state, position, target.state, targetPosition, length);
    }

    /**
     * Counts the extents of this file: runs of pages that hold data, not beyond its end, whose blocks lie in a row in
     * the pool. Reading a file in order is fastest if there are few. Takes time by the size of the file, and no lock as
     * a rule.
     *
     * @return 0 if it holds no data
     * @throws IOException as the class says
     */
    public long extents() throws IOException {
        checkReadable();
        return Defragmenter.extents(state);
    }

    /**
     * Moves the blocks of this file together, so that each run of data has one extent, or at most one for every 2 MiB;
     * more only as far as the free space is in pieces itself. What the file holds stays as it is, and its times, at
     * every moment and after a crash. Any thread may use the file meanwhile: its writers wait while up to 2 MiB are
     * copied, and so do stores to those bytes of a {@link MappedRegion}. What is written behind the end meanwhile stays
     * where it is. Each 2 MiB needs as much free space until they have moved. Until the file is closed everywhere it
     * takes the memory of one that is mapped, 4 bytes for each page.
     *
     * @throws IOException as the class says; also if pages cannot move because an eager region or a mapped buffer of
     *     {@link java.nio.channels.FileChannel#map} shows them. What has been moved before stays so
     */
    public void defragment() throws IOException {
        checkWritable();
        Defragmenter.run(state);
    }

    // ---- mapping

    /**
     * Maps bytes of this file into memory; {@link MappedRegion} says what that means. As with {@link
     * FileChannel#map}, the position need not be at the start of a page, and {@link FileChannel.MapMode#READ_WRITE}
     * makes a file longer that ends within the range. Closing this handle leaves the region as it is.
     *
     * @param mode {@link FileChannel.MapMode#READ_ONLY}, or {@link FileChannel.MapMode#READ_WRITE}, which needs a handle
     *     for reading and writing
     * @param position byte offset in the file
     * @param length bytes, 1 to 2<sup>46</sup>
     * @param options how
     * @return the region
     * @throws IllegalArgumentException if the position is negative or the length out of range
     * @throws UnsupportedOperationException for another mode
     * @throws NoSpaceException if the region is eager, and the pool has no room for its pages; the file may have become
     *     longer
     * @throws OutOfMemoryError if the process has no memory or addresses left, or its regions take three quarters already
     *     of the mappings that they may ({@link MappedRegion.Status#mappingsMax()})
     * @throws IOException as the class says; also if the file ends within the range, and the mode is {@code READ_ONLY}
     */
    public MappedRegion map(FileChannel.MapMode mode, long position, long length, MapOption... options)
            throws IOException {
        checkReadable();
        checkRange(position, length);
        if (length == 0 || length > MAP_MAX) {
            throw new IllegalArgumentException("a region of " + length + " bytes");
        }
        boolean write = mode == FileChannel.MapMode.READ_WRITE;
        if (write) {
            checkWritable();
            FileRanges.extend(state, position, length);
        } else if (mode != FileChannel.MapMode.READ_ONLY) {
            throw new UnsupportedOperationException(mode + " is not supported");
        } else if (position > state.size() - length) {
            throw new IOException("bytes " + position + "+" + length + " are not all in file " + name);
        }
        int flags = write ? Abi.MAP_WRITE : 0;
        for (MapOption option : options) {
            flags |= option == MapOption.EAGER ? Abi.MAP_EAGER : 0;
        }
        long start = position & -PAGE_SIZE;
        return new MappedRegion(
                RegionState.map(state, start, position - start + length, flags), position, length, !write);
    }

    /**
     * Maps bytes of this file into a mapped buffer of the JDK, as {@link FileChannel#map} does: with {@code load},
     * {@code isLoaded} and {@code force}, for software that wants just that. {@link #map} is better in all else. The JDK
     * can show one piece of one file of the operating system only. So the pages are brought together in the pool, each
     * step of which leaves the file as it was, and holes among them get blocks; and they are <em>pinned</em> there, until
     * nobody can reach the buffer, or a slice or duplicate of it, and the garbage collector has noticed. Meanwhile
     * <ul>
     * <li>a call that writes to a page of the range writes in place, all of what it writes (see {@link #setInPlace}): it
     *     is durable on return, but a crash inside may leave any part of it;
     * <li>buffer, reads, writes and regions of the file show the same bytes, except of pages that the file has lost by
     *     truncation, as a hole, or with its last name: the buffer keeps these, and if the file gets bytes there again,
     *     they are others. Collapsing and inserting move pages under the buffer. The space is free when the pin ends; a
     *     call that finds none asks for a garbage collection, waits for up to a quarter of a second, and tries again;
     * <li>the pool's file stays locked by this process when the store has been closed. The buffer goes on showing what it
     *     showed. This process can open the pool again, and nobody is given what the buffer shows, but new calls need not
     *     write to it. Closing the store asks for a garbage collection, so that other processes can have it.
     * </ul>
     *
     * <p>As with the JDK's, a file that ends within the range is made longer, whatever the mode, if this handle is for
     * writing; it stays so if the call then fails. What was stored is durable after {@code force} of the buffer or of this
     * handle. (On DAX, {@code force} of such a buffer ends the JVM of JDK 25 if that runs without its C2 compiler, by
     * {@code -Xint} or {@code -XX:TieredStopAtLevel=1}: a defect of that JDK. That of the handle does not.)
     *
     * @param mode {@link FileChannel.MapMode#READ_ONLY}; or {@link FileChannel.MapMode#READ_WRITE} or {@link
     *     FileChannel.MapMode#PRIVATE}, which need a handle for reading and writing
     * @param position byte offset in the file
     * @param length bytes, 0 to 2<sup>31</sup> - 1
     * @return the buffer, with the byte order of a new one
     * @throws IllegalArgumentException if the position is negative or the length out of range
     * @throws UnsupportedOperationException for a mode that there is not here
     * @throws NoSpaceException if the pool has no room for its pages in one piece; the message says how much it has
     * @throws java.nio.file.FileSystemException if pages would have to move that another buffer, which is reachable, or
     *     an eager region shows
     * @throws IOException as the class says; also if the file ends within the range, and this handle is not for writing
     */
    public MappedByteBuffer mapBuffer(FileChannel.MapMode mode, long position, long length) throws IOException {
        InodeState pinned = pinnable(mode, position, length);
        if (length > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("a buffer of " + length + " bytes");
        }
        return PinnedBuffer.map(pinned, mode, position, (int) length, writable);
    }

    /** Checks what a mapping of pinned pages is to be. */
    InodeState pinnable(FileChannel.MapMode mode, long position, long length) throws IOException {
        checkReadable();
        checkRange(position, length);
        if (Objects.requireNonNull(mode) != FileChannel.MapMode.READ_ONLY) {
            checkWritable();
        }
        return state;
    }

    boolean isWritable() {
        return writable;
    }

    /**
     * Sets whether calls that write to this file write in place while it is mapped: into the blocks that are there,
     * instead of into new ones that replace them. That trades atomicity for speed: regions stay mapped as they are,
     * and blocks in one piece, but a crash inside a call, or its failure, may leave any part of it, and readers may see
     * any. It is durable on return all the same. Holds for all handles of the file, as long as it is open; {@link
     * StoreOptions.Builder#inPlaceWrites} says how it is at first. A file with an eager region is written in place anyway.
     *
     * @param on whether to
     * @throws IOException as the class says
     */
    public void setInPlace(boolean on) throws IOException {
        checkWritable();
        state.setInPlace(on);
    }

    // ---- extended attributes

    /** {@return the names of the file's extended attributes, sorted by their bytes in UTF-8}
     * @throws IOException as the class says
     */
    public List<String> listAttributes() throws IOException {
        checkReadable();
        return state.attributeNames();
    }

    /**
     * Reads an extended attribute.
     *
     * @param attribute its name
     * @return its value, or null if there is none of this name
     * @throws IllegalArgumentException if it is not a name
     * @throws IOException as the class says
     */
    public byte[] getAttribute(String attribute) throws IOException {
        checkReadable();
        return state.attribute(Names.attribute(attribute));
    }

    /**
     * Sets an extended attribute, as {@link NovaStore#setAttribute} does. Atomic; durable on return.
     *
     * @param attribute its name
     * @param value up to 64 KiB
     * @param options what it must be before
     * @throws AttributeExistsException if it must not be there and is
     * @throws NoSuchAttributeException if it must be there and is not
     * @throws IllegalArgumentException if it is not a name, the value is too long, or the options exclude each other
     * @throws NoSpaceException if there is no room for it
     * @throws IOException as the class says
     */
    public void setAttribute(String attribute, byte[] value, AttributeOption... options) throws IOException {
        checkWritable();
        state.setAttribute(AttributeOptions.of(attribute, value, options));
    }

    /**
     * Removes an extended attribute. Atomic; durable on return. Works on a full pool.
     *
     * @param attribute its name
     * @return whether there was one of this name
     * @throws IllegalArgumentException if it is not a name
     * @throws IOException as the class says
     */
    public boolean removeAttribute(String attribute) throws IOException {
        checkWritable();
        return state.removeAttribute(Names.attribute(attribute));
    }

    // ---- the rest

    /**
     * Makes what was stored to mapped buffers of this file ({@link #mapBuffer}) durable, by whichever handle they were
     * mapped. Every write was so when it returned. Takes time by what is mapped, so {@code force} of a buffer that is small
     * is better.
     *
     * @throws IOException as the class says
     */
    public void force() throws IOException {
        checkHandle();
        if (!core.isOpen()) {
            throw new ClosedChannelException();
        }
        state.forcePinned();
    }

    /** {@return the attributes of the file, under the name by which this handle was opened}
     * @throws IOException as the class says
     */
    public FileInfo info() throws IOException {
        checkHandle();
        return FileInfos.of(name, state);
    }

    /** {@return whether this handle and its store are open} */
    public boolean isOpen() {
        return open && core.isOpen();
    }

    /**
     * Closes this handle; other handles of the file stay open. If it was the last one and the file has been deleted,
     * its space is free on return; if not, and reads have moved its time of access ({@link AccessTimes}), that goes to
     * the pool, if there is space. Closing a closed handle does nothing.
     *
     * @throws IOException if space could not be given back; the handle is closed nevertheless, and the next recovery
     *     finds it
     */
    @Override
    public void close() throws IOException {
        if (OPEN.compareAndSet(this, true, false)) {
            core.release(state);
        }
    }

    @Override
    public String toString() {
        return "file " + name + " of " + core;
    }

    /** What a gathering write did. */
    private record Gathered(long position, long total) {}

    private Gathered gather(long position, ByteBuffer[] srcs, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, srcs.length);
        ByteBuffer[] bufs = Arrays.copyOfRange(srcs, offset, offset + length);
        int[] at = new int[length];
        int[] len = new int[length];
        long total = 0;
        for (int i = 0; i < length; i++) {
            at[i] = bufs[i].position();
            len[i] = Math.max(0, bufs[i].limit() - at[i]);
            total += len[i];
        }
        if (total == 0) {
            return new Gathered(position, 0);
        }
        long landed = ContentWriter.write(state, position, bufs, at, len, total);
        for (int i = 0; i < length; i++) {
            bufs[i].position(at[i] + len[i]);
        }
        return new Gathered(landed, total);
    }

    private void resize(long size, boolean shrinkOnly) throws IOException {
        checkWritable();
        if (size < 0) {
            throw new IllegalArgumentException("negative size " + size);
        }
        FileRanges.setSize(state, size, shrinkOnly);
    }

    private void checkHandle() throws ClosedChannelException {
        if (!open) {
            throw new ClosedChannelException();
        }
    }

    private void checkReadable() throws ClosedChannelException {
        checkHandle();
        if (!readable) {
            throw new NonReadableChannelException();
        }
    }

    private void checkWritable() throws ClosedChannelException {
        checkHandle();
        if (!writable) {
            throw new NonWritableChannelException();
        }
    }

    private static void checkPosition(long position) {
        if (position < 0) {
            throw new IllegalArgumentException("negative position " + position);
        }
    }

    private static void checkRange(long position, long length) {
        checkPosition(position);
        if (length < 0) {
            throw new IllegalArgumentException("negative length " + length);
        }
    }

    private static void checkPages(long position, long length) {
        checkRange(position, length);
        if (((position | length) & (PAGE_SIZE - 1)) != 0) {
            throw new IllegalArgumentException(
                    "bytes " + position + "+" + length + " are no multiples of " + PAGE_SIZE);
        }
    }
}
