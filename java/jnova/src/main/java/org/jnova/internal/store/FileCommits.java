/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import org.jnova.internal.core.Abi;
import org.jnova.internal.core.IoBlock;
import org.jnova.internal.core.LogFollower;
import org.jnova.internal.core.NativeInode;
import org.jnova.internal.event.FaultBatchEvent;
import org.jnova.internal.event.FlightEvents;
import org.jnova.internal.lock.RankedLock;

/**
 * The way of every call that changes a file: {@link #begin}; {@link #calling} and the native call; {@link #done}, by
 * which the view follows what was committed; {@link #end}. Keeps what these steps share: the io block, the follower of
 * the log, the queue of blocks to free. {@code java/LOCKING.md}, "Writers" and "Mapping", tells why this is right.
 *
 * <p>Guarded by ioLock. {@link #begin}, {@link #bringUpToDate} and {@link #releaseQueuedBlocks} take it; the caller of
 * any other method has it exclusively, if nothing else is said.
 */
final class FileCommits {
    private final InodeTable table;
    private final NativeInode inode;
    private final RankedLock ioLock;
    private final FileView view;
    private final FreeQueue frees;

    private final LogCleaner.Log log;

    private IoBlock io; // from the first change on
    private LogFollower follower; // likewise
    private long indexStamp; // of indexLock while a native call on a mapped file is made under it, else 0
    private long appendedBefore; // FileView.appended ahead of the call that replay follows

    private long writes;
    private long bytesWritten;

    FileCommits(
            InodeTable table,
            NativeInode inode,
            RankedLock ioLock,
            FileView view,
            ExtendedAttributes extended,
            FreeQueue frees) {
        this.table = table;
        this.inode = inode;
        this.ioLock = ioLock;
        this.view = view;
        this.frees = frees;
        this.log = new FileLog(this, inode, view, extended);
    }

    // ---- the steps

    /**
     * Takes ioLock, with everything ready for a native call. On return the caller has it, and the stamp to give it
     * back.
     */
    long begin() throws IOException {
        long stamp = ioLock.writeLock();
        boolean ready = false;
        try {
            checkOpen();
            if (io == null) {
                IoBlock leased = table.ioPool().lease();
                follower = new LogFollower(inode, leased);
                io = leased;
            }
            if (follower.behind()) {
                catchUp();
            }
            catchUpWithFaults();
            if (frees.isLong()) {
                frees.drain(table.pool(), inode, io, Abi.IO_FREES_MAX);
            }
            ready = true;
            return stamp;
        } finally {
            if (!ready) {
                ioLock.unlockWrite(stamp);
            }
        }
    }

    /** Gives back what {@link #begin} took, and what {@link #commitNext} did. */
    void end(long stamp) {
        long index = indexStamp;
        indexStamp = 0;
        unlockIndex(index);
        try {
            if (!view.isClosed() && !follower.behind()) {
                table.cleaner().afterCall(log);
            }
        } finally {
            ioLock.unlockWrite(stamp);
        }
    }

    /** For the native calls between {@link #begin} and {@link #end}. */
    IoBlock io() {
        return io;
    }

    /**
     * Right ahead of a native call that may commit, or of what leads to it; queued blocks go along. What throws before
     * the native call leaves a follower that finds nothing.
     */
    void calling() {
        frees.send(io);
        appendedBefore = view.appended();
        follower.calling();
    }

    /**
     * The native call that comes next may commit. On a mapped file it is made under indexLock, together with its
     * replay: other threads see what it has done through their regions before it returns, and whoever has seen that
     * must not find an older view. Nothing of a caller's memory is touched from here on.
     */
    void commitNext() {
        if (view.mappings() != null && indexStamp == 0) {
            appendedBefore = view.appended();
            indexStamp = view.lock();
        }
    }

    /**
     * After the native call that was to commit: the view moves on to what it committed.
     *
     * @param last whether there will be no further attempt
     * @return whether it did; false if there was no space, and it is worth another attempt
     * @throws IOException if it failed for good
     */
    boolean done(int status, boolean last) throws IOException {
        if (status == Abi.OK) {
            catchUp();
            return true;
        }
        follower.failed();
        frees.settle(io);
        if (status == Abi.ENOSPC) {
            table.cleaner().noSpace();
        }
        if (last || status != Abi.ENOSPC) {
            throw inode.failure(status, io);
        }
        return false;
    }

    /**
     * Whether a native call was refused because a fault had committed something that the view lacked. Then the view has
     * it now, and the call is to be made again, from {@link #calling} on; else {@link #done} is to follow.
     */
    boolean overtakenByFault(int status) throws IOException {
        if (status != Abi.ESTALE || !view.lacks(view.appended())) {
            return false;
        }
        follower.failed();
        catchUpWithFaults();
        return true;
    }

    // ---- statistics

    /** The native call of a write has committed it. */
    void wrote(long len) {
        writes++;
        bytesWritten += len;
    }

    /**
     * Adds what was written to a sum. Needs no lock: writers pay for no more than two plain fields, and who asks may
     * miss the write that just returns. A field of 8 bytes is read as a whole on this platform.
     */
    void addTo(WriteCounts sum) {
        LogFollower all = follower;
        sum.add(writes, bytesWritten, all == null ? 0 : all.applied());
    }

    // ---- cleaning the log

    /** A call that cleans the log. */
    @FunctionalInterface
    interface Cleaning {
        int run();
    }

    /**
     * Makes a call that appends again what is in the log, and moves the view on. Returns a status: ESTALE if a fault has
     * committed something since what to append was chosen, since it may have given other blocks to pages.
     */
    int clean(Cleaning call) throws IOException {
        view.setCleaning(true);
        try {
            calling();
            int status = call.run();
            if (status == Abi.OK) {
                catchUp();
            } else {
                follower.failed();
                frees.settle(io);
            }
            return status;
        } finally {
            view.setCleaning(false);
        }
    }

    /** Of a file that is closed: its log goes back into the slot, if it has grown and fits there. */
    void comeToRest() {
        if (io != null && !follower.behind()) {
            table.cleaner().atRest(log);
        }
    }

    // ---- the view

    void checkOpen() throws ClosedChannelException {
        if (view.isClosed()) {
            throw new ClosedChannelException();
        }
    }

    /** Brings the view up to date, or throws. The caller has no lock of the file. */
    void bringUpToDate() throws IOException {
        end(begin());
    }

    /** Brings a view that has all of its calls up to what faults have committed. */
    void catchUpWithFaults() throws IOException {
        long appended = view.appended();
        if (view.lacks(appended)) {
            follower.lagging();
            appendedBefore = appended;
            catchUp();
        }
    }

    private void catchUp() throws IOException {
        frees.settle(io);
        Mappings mappings = view.mappings();
        long faults = mappings == null ? 0 : mappings.missing(appendedBefore);
        FaultBatchEvent event = faults > 0 ? FlightEvents.faultBatch() : null;
        long stamp = lockIndex();
        try {
            view.setBehind(true);
            boolean more = follower.committed();
            follower.catchUp(view);
            view.setBehind(false);
            if (more && mappings != null) {
                mappings.saw(appendedBefore);
            }
        } finally {
            unlockIndex(stamp);
        }
        if (event != null) {
            event.ended(inode.label(), faults);
        }
    }

    /** Takes indexLock, unless {@link #commitNext} has: then the stamp is 0. */
    long lockIndex() {
        return indexStamp == 0 ? view.lock() : 0;
    }

    /** Gives back what {@link #lockIndex} took. */
    void unlockIndex(long stamp) {
        if (stamp != 0) {
            view.unlock(stamp);
        }
    }

    // ---- space

    /** Gives all queued blocks back, those included that faults have replaced. The caller has no lock of the file. */
    void releaseQueuedBlocks() throws IOException {
        if (view.lacks(view.appended())) {
            try {
                bringUpToDate();
            } catch (IOException e) {
                // closed meanwhile, or damaged: its own calls will say so
            }
        }
        long stamp = ioLock.writeLock();
        try {
            if (!view.isClosed()) {
                drainFrees();
            }
        } finally {
            ioLock.unlockWrite(stamp);
        }
    }

    /** Gives all queued blocks back. */
    void drainFrees() throws IOException {
        if (!frees.isEmpty()) {
            frees.drain(table.pool(), inode, io, 0);
        }
    }

    // ---- closing

    /** The last replay, for the sake of the blocks that were replaced. No fault commits any more. */
    void finish() throws IOException {
        if (follower != null) {
            catchUp();
            catchUpWithFaults();
        }
    }

    /** Gives back the io block, when the inode is closed natively. */
    void giveBackIo() {
        if (io != null) {
            table.ioPool().giveBack(io);
            io = null;
        }
    }
}
