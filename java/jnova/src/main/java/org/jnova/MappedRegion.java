/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.io.IOException;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.channels.NonWritableChannelException;
import java.time.Duration;
import java.util.Objects;
import org.jnova.internal.core.RegionStat;
import org.jnova.internal.store.RegionState;
import org.jnova.internal.store.RegionWindows;

/**
 * A range of a {@link NovaFile} as memory: loads and stores go to the pool itself. Made by {@link NovaFile#map}.
 *
 * <p><b>Holes.</b> Pages of 4 KiB without a block show zeros. In a <i>lazy</i> region, which is the rule, one gets a
 * block when something is first stored to it: the store waits until that is committed, some tens of microseconds
 * ({@code native/bench/bench_map.c} times it), and neighbours get theirs along with it. In an <i>eager</i> one all pages
 * below the end of the file have blocks from the start. A region is eager if that was asked for, or if this process may
 * not use {@code userfaultfd(2)}; {@link #status} says which.
 *
 * <p><b>One content.</b> Regions of a file, which may overlap, and its {@link NovaFile}s show the same bytes: what has
 * been stored here is what a later read returns, and what a writing call has written is what a later load sees. While
 * such a call replaces a page that it writes in part, stores to the rest of that page wait, and none is lost. That
 * holds for threads that know of each other by the rules of the Java memory model, as for any memory.
 *
 * <p><b>Atomic.</b> A store is as atomic as memory: an aligned one of up to 8 bytes is whole for other threads, and
 * after a crash. Larger ones are not, and stores may reach the pool in any order. A read by a {@link NovaFile} sees all
 * or nothing of every writing call, but of stores that run at the same time it may see any. Loads by other threads may
 * see pages of a writing call change one after the other; after a crash it is whole as ever. Calls that write <i>in
 * place</i>, see {@link NovaFile#setInPlace}, are not; and when the source of one is a region with bytes that it
 * overwrites, each of them is taken as it was before or as the call has made it.
 *
 * <p><b>Durable.</b> What was stored survives what {@link StoreInfo#durability()} says once {@link #force()} has
 * returned; before, any of it may, in any order. {@link java.nio.MappedByteBuffer#force()} on a buffer of a region does
 * nothing.
 *
 * <p><b>Errors.</b> An access that cannot be served throws {@link InternalError}, as with {@link
 * java.nio.MappedByteBuffer}; a system call, as of a channel that is given the buffer, fails with an {@link
 * IOException}. The JVM lives on. It may throw the error later than the access; JDK 17 does so in whatever the thread
 * calls next, be it a lock's or this store's code. So let such accesses be accidents, and end the thread. A call of
 * {@link NovaFile} that writes bytes of a region throws it at once, and has written nothing. That is so
 * <ul>
 *   <li>in a region that is closed, or whose store is;
 *   <li>beyond the page that holds the end of the file, until the file grows; behind the end within its page bytes are
 *       arbitrary, and what is stored there is lost;
 *   <li>for a store to a hole if the pool has no space left: it has stored nothing, and any access to the page fails
 *       until space is given back to the pool. In an eager region, any access to a page for which there was none, until
 *       a call writes to it, makes it a hole, or makes the file grow over it anew, and finds some;
 *   <li>everywhere in the region if the kernel refuses to map a page.
 * </ul>
 *
 * <p><b>The kernel.</b> Channels and sockets may be given buffers of a region as any others, but not for direct or
 * asynchronous I/O of the kernel ({@code ExtendedOpenOption.DIRECT}, {@code io_uring}): that goes on using the memory
 * that it found first while pages of the file get other blocks, and a device would store to what may be another file's
 * by then. Buffers of {@link NovaFile#mapBuffer} and of a channel's {@code map}, and segments of which {@code isMapped}
 * is true, may be used for that as long as they are reachable or their arena is open: their blocks do not move.
 *
 * <p><b>Life.</b> A region counts as a handle of the file: it outlives the {@link NovaFile} that made it, and the space
 * of a file that is deleted meanwhile is free only when its regions are closed. Closing a region makes all access
 * fail at once. Its addresses are given back when no buffer of it is reachable any more, so no access ever meets
 * foreign memory. A region that nobody closes is closed when neither it nor any of its buffers is reachable.
 *
 * <p><b>Segments.</b> On JDK 22 and newer, {@code segment(Arena)} gives the whole region as a {@code MemorySegment}.
 *
 * <p><b>Threads.</b> All methods, and accesses to the memory, may come from any number of threads.
 */
public final class MappedRegion extends RegionSegments implements AutoCloseable {
    private final RegionState state;
    private final RegionWindows windows;
    private final Cleaner.Cleanable owned;
    private final int skip; // bytes before the first one, in its page
    private final long position;
    private final long size;
    private final boolean readOnly;

    MappedRegion(RegionState state, long position, long size, boolean readOnly) {
        this.state = state;
        this.windows = new RegionWindows(state);
        this.position = position;
        this.skip = (int) (position & NovaFile.PAGE_SIZE - 1);
        this.size = size;
        this.readOnly = readOnly;
        this.owned = state.own(this);
    }

    RegionState state() {
        return state;
    }

    /** Of the first byte. */
    long address() {
        return state.address() + skip;
    }

    /** {@return bytes, as given when it was mapped} */
    public long size() {
        return size;
    }

    /** {@return byte offset in the file of the region's first byte} */
    public long position() {
        return position;
    }

    /** {@return whether its memory can be read only} */
    public boolean isReadOnly() {
        return readOnly;
    }

    /** {@return whether the region and its store are open} */
    public boolean isOpen() {
        return state.isOpen();
    }

    /**
     * {@return a buffer over the whole region, as {@link #buffer(long, int)} makes it}
     *
     * @throws UnsupportedOperationException if the region has 2<sup>31</sup> bytes or more
     * @throws IllegalStateException if the region was closed before it had any buffer
     */
    public ByteBuffer buffer() {
        if (size > Integer.MAX_VALUE) {
            throw new UnsupportedOperationException("a region of " + size + " bytes needs several buffers");
        }
        return buffer(0, (int) size);
    }

    /**
     * Makes a buffer over a part of the region. It is direct, in big-endian order as every new buffer, at position 0,
     * and read-only if the region is. It keeps the region open as long as it, or a slice or duplicate of it, is
     * reachable. A buffer of the whole memory is made once; cutting one from it costs an object.
     *
     * @param offset first byte in the region
     * @param length bytes
     * @return the buffer
     * @throws IndexOutOfBoundsException if the range is not in the region
     * @throws IllegalStateException if the region was closed before it had any buffer
     */
    public ByteBuffer buffer(long offset, int length) {
        Objects.checkFromIndexSize(offset, length, size);
        try {
            ByteBuffer buffer = windows.slice(skip + offset, length);
            return readOnly ? buffer.asReadOnlyBuffer() : buffer;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Makes durable what was stored to the region.
     *
     * @throws java.nio.channels.ClosedChannelException if the region or its store is closed
     * @throws IOException if the system refuses
     */
    public void force() throws IOException {
        force(0, size);
    }

    /**
     * Makes durable what was stored to a part of the region: writes back its cache lines and waits for that, without a
     * system call, but for one if the store runs as {@link Durability#MSYNC}. Stores by other threads count if they
     * happened before the call.
     *
     * @param offset first byte in the region
     * @param length bytes; 0 does nothing
     * @throws IndexOutOfBoundsException if the range is not in the region
     * @throws java.nio.channels.ClosedChannelException if the region or its store is closed
     * @throws IOException if the system refuses
     */
    public void force(long offset, long length) throws IOException {
        Objects.checkFromIndexSize(offset, length, size);
        try {
            if (length != 0) {
                state.force(skip + offset, length);
            }
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Maps all pages that have blocks, so that accesses to them do not wait later, unless something changes. Holes stay
     * holes.
     *
     * @throws java.nio.channels.ClosedChannelException if the region or its store is closed
     * @throws IOException if the system refuses, or the file is damaged
     */
    public void load() throws IOException {
        populate(0, size, false);
    }

    /**
     * Gives blocks of zeros to pages of a part of the region that have none, up to the end of the file, and maps all.
     * So no store to them finds the pool full, until a hole is punched or the file is cut.
     *
     * @param offset first byte in the region
     * @param length bytes; 0 does nothing
     * @throws IndexOutOfBoundsException if the range is not in the region
     * @throws NonWritableChannelException if the region is read-only
     * @throws NoSpaceException if the pool has no room for all; some pages may have got theirs
     * @throws java.nio.channels.ClosedChannelException if the region or its store is closed
     * @throws IOException if the system refuses, or the file is damaged
     */
    public void allocate(long offset, long length) throws IOException {
        Objects.checkFromIndexSize(offset, length, size);
        if (readOnly) {
            throw new NonWritableChannelException();
        }
        populate(offset, length, true);
    }

    private void populate(long offset, long length, boolean allocate) throws IOException {
        try {
            if (length != 0) {
                state.populate(skip + offset, length, allocate);
            }
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * What a region is, and what it has cost so far.
     *
     * @param lazy whether pages get blocks when something is first stored to them
     * @param inPlace whether calls that write to the file write in place
     * @param faults accesses that waited for a page and were served
     * @param pagesAllocated pages that got a block by that, or by {@link MappedRegion#allocate}
     * @param pagesMapped pages that show their block now; the others show it, or zeros, when they are accessed
     * @param pagesMoved pages whose blocks were moved, so that fewer mappings of the kernel are needed
     * @param mappings mappings of the kernel that the region takes
     * @param mappingsInUse the same of all regions of this process
     * @param mappingsMax how many they keep to: half of {@code vm.max_map_count}
     * @param longestFault longest time for which serving a fault kept writing calls of the file waiting
     * @param fault99 what 99 of 100 faults did not exceed of that
     */
    public record Status(
            boolean lazy,
            boolean inPlace,
            long faults,
            long pagesAllocated,
            long pagesMapped,
            long pagesMoved,
            long mappings,
            long mappingsInUse,
            long mappingsMax,
            Duration longestFault,
            Duration fault99) {}

    /** {@return facts of this moment; of a closed region, maybe of the moment when it was} */
    public Status status() {
        try {
            RegionStat stat = state.stat();
            return new Status(
                    stat.lazy(),
                    stat.inPlace(),
                    stat.faults(),
                    stat.allocated(),
                    stat.mapped(),
                    stat.moved(),
                    stat.vmas(),
                    stat.vmasAll(),
                    stat.vmasMax(),
                    Duration.ofNanos(stat.holdMaxNanos()),
                    Duration.ofNanos(stat.holdP99Nanos()));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Closes the region: from now on any access to its memory throws {@link InternalError}. Does not {@link #force()}.
     * Closing a closed region does nothing.
     *
     * @throws IOException if that was the last handle of the file, and its space could not be given back; the region is
     *     closed nevertheless, and the next recovery finds it
     */
    @Override
    public void close() throws IOException {
        try {
            state.close();
        } finally {
            owned.clean();
        }
    }

    @Override
    public String toString() {
        return state + ", bytes " + position + "+" + size;
    }
}
