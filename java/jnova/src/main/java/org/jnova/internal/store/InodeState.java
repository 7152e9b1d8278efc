/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.jnova.NoSpaceException;
import org.jnova.internal.core.Abi;
import org.jnova.internal.core.FailureMapper;
import org.jnova.internal.core.InodeStat;
import org.jnova.internal.core.IoBlock;
import org.jnova.internal.core.NativeFailure;
import org.jnova.internal.core.NativeInode;
import org.jnova.internal.core.NativePin;
import org.jnova.internal.core.NativeRegion;
import org.jnova.internal.core.PageRuns;
import org.jnova.internal.event.FlightEvents;
import org.jnova.internal.event.WriteEvent;
import org.jnova.internal.lock.LockRank;
import org.jnova.internal.lock.RankedLock;

/**
 * One open file or symbolic link, shared by all its handles: its native handle, the view of its log (index and size,
 * {@link FileView}), the way of the calls that change it ({@link FileCommits}), and ioLock. {@code java/LOCKING.md}
 * tells why this is right.
 *
 * <ul>
 * <li>A writing call holds ioLock exclusively from the first look at the index to the end of replay. Replay holds
 * indexLock, which is the view's, too.
 * <li>A reading call takes no lock: stamp of indexLock, look-up, copy, validate. Overtaken a few times, it holds
 * ioLock shared.
 * </ul>
 */
public final class InodeState {
    /** Position of a write that goes to the end of the file. */
    static final long APPEND = -1;

    /** Commits of faults that nobody asks for wait up to about this number: their replaced blocks wait with them. */
    private static final int UNREPLAYED_MAX = 256;

    private final InodeTable table;
    final int ino;
    final int gen;
    private final String label;
    private final RankedLock ioLock;
    private final FileView view;

    /** Handles; guarded by the stripe of the inode table. */
    int references;

    // Guarded by ioLock.
    private final NativeInode inode;
    private final FileCommits commits;
    private final ExtendedAttributes extended = new ExtendedAttributes();
    private final AccessTime access;
    private boolean replayBegun; // from the log's head: there is one such, and if it failed, no other
    private IOException replayFailure; // of that one
    private volatile boolean replayed; // set once
    private boolean inPlace;

    InodeState(InodeTable table, NativeInode inode, int ino, int gen, String label) {
        this.table = table;
        this.inode = inode;
        this.ino = ino;
        this.gen = gen;
        this.label = label;
        this.inPlace = table.inPlace();
        this.access = new AccessTime(table.accessClock());
        this.ioLock = new RankedLock(LockRank.IO, this, Integer.toUnsignedLong(ino), table.pool().lockWaits());
        FreeQueue frees = new FreeQueue();
        this.view = new FileView(this, table, inode, frees.extents(), extended, access);
        this.commits = new FileCommits(table, inode, ioLock, view, extended, frees);
    }

    /** Replays the log, if nobody has yet. Before this no other method but {@link #close} may be called. */
    void replay() throws IOException {
        if (replayed) {
            return;
        }
        long stamp = ioLock.writeLock();
        try {
            commits.checkOpen();
            if (replayed) {
                return;
            }
            if (replayBegun) {
                throw replayFailure != null
                        ? replayFailure
                        : new IOException(label + ": its log was not replayed; close all its handles and try again");
            }
            replayFromHead();
        } finally {
            ioLock.unlockWrite(stamp);
        }
    }

    private void replayFromHead() throws IOException {
        long stamp = view.lock();
        try {
            replayBegun = true;
            inode.replayAll(view);
            access.logged(inode.stat(), access.pending());
            view.replayed();
            replayed = true;
        } catch (IOException e) {
            replayFailure = e;
            throw e;
        } finally {
            view.unlock(stamp);
        }
    }

    InodeTable table() {
        return table;
    }

    // ---- reading

    /**
     * Reads bytes. Sees all or nothing of every write, and everything that was written before the call.
     *
     * @param pos byte offset, not negative
     * @param dst a {@link ByteBuffer} or a {@code byte[]}
     * @param at index in dst
     * @param len most bytes, positive
     * @return bytes read, or -1
     */
    public int read(long pos, Object dst, int at, int len) throws IOException {
        long appended = view.appended();
        int n = view.read(appended, pos, dst, at, len);
        if (n == FileView.NOT_NOW) {
            n = readLocked(appended, pos, dst, at, len);
        }
        access.read();
        return n;
    }

    /** The target of a symbolic link. Opening the pool has not checked what its log makes of its size. */
    byte[] readTarget() throws IOException {
        long size = size();
        if (size < 1 || size > Abi.SYMLINK_MAX || ask((index, end) -> index.block(0)) == 0) {
            throw inode.corrupt("a symbolic link with a target of " + size + " bytes, or none");
        }
        byte[] bytes = new byte[(int) size];
        int n = read(0, bytes, 0, bytes.length);
        if (n != bytes.length) {
            throw inode.corrupt("its content is shorter than its size");
        }
        return bytes;
    }

    /** Keeps writers out. May be held across a page fault of dst. */
    private int readLocked(long appended, long pos, Object dst, int at, int len) throws IOException {
        long shared = lockShared(appended);
        try {
            return view.readLocked(appended, pos, dst, at, len);
        } finally {
            ioLock.unlockRead(shared);
        }
    }

    /** Takes ioLock shared, with the view up to date; writers are kept out then, so that it stays so. */
    long lockShared() throws IOException {
        return lockShared(view.appended());
    }

    private long lockShared(long appended) throws IOException {
        while (true) {
            long shared = ioLock.readLock();
            boolean good = false;
            try {
                commits.checkOpen();
                good = view.isCurrent(appended);
                if (good) {
                    return shared;
                }
            } finally {
                if (!good) {
                    ioLock.unlockRead(shared);
                }
            }
            commits.bringUpToDate();
        }
    }

    void unlockShared(long stamp) {
        ioLock.unlockRead(stamp);
    }

    /** The file's size, bytes. */
    public long size() throws IOException {
        long now = view.size();
        if (now != FileView.UNKNOWN) {
            return now;
        }
        long stamp = lockShared();
        try {
            return view.sizeLocked();
        } finally {
            ioLock.unlockRead(stamp);
        }
    }

    /** Asks the index of one moment. */
    long ask(FileView.Question question) throws IOException {
        long appended = view.appended();
        long answer = view.ask(appended, question);
        if (answer != FileView.UNKNOWN) {
            return answer;
        }
        long shared = lockShared(appended);
        try {
            return question.ask(view.index(), view.sizeLocked());
        } finally {
            ioLock.unlockRead(shared);
        }
    }

    // ---- writing

    /**
     * Writes bytes in one native call. Atomic; durable on return.
     *
     * @param pos byte offset, or {@link #APPEND}
     * @param address where the bytes are, in memory that the caller keeps alive
     * @param len bytes, positive
     * @return byte offset where they landed
     */
    long write(long pos, long address, int len) throws IOException {
        WriteEvent event = FlightEvents.write();
        long off = writeAtOnce(pos, address, len);
        if (event != null) {
            event.ended(label, off, len);
        }
        return off;
    }

    private long writeAtOnce(long pos, long address, int len) throws IOException {
        for (boolean again = false; ; again = true) {
            long stamp = commits.begin();
            try {
                long off = pos == APPEND ? view.sizeLocked() : pos;
                commits.calling();
                if (commits.done(writeOnce(off, address, len), again)) {
                    return off;
                }
            } finally {
                commits.end(stamp);
            }
            table.findSpace();
        }
    }

    private int writeOnce(long off, long address, int len) throws IOException {
        if (isMapped()) {
            return fillAndCommit(off, filler -> filler.data(address, len), len);
        }
        int firstBlk = view.blockAt(off);
        boolean onePage = off >>> Abi.BLOCK_SHIFT == (off + len - 1) >>> Abi.BLOCK_SHIFT;
        if (!onePage || firstBlk == 0) { // else the index has its nodes; the core checks the limits, too
            prepare(off, len);
        }
        int lastBlk = onePage ? firstBlk : view.blockAt(off + len - 1);
        return counted(
                inode.write(off, address, len, firstBlk, lastBlk, view.eofBlock(), commits.io()), len);
    }

    /** Where the bytes of a write in pieces come from. */
    @FunctionalInterface
    interface Pieces {
        /** Puts all bytes. May be called a second time, for a second attempt. */
        void putInto(IntentFiller filler) throws IOException;
    }

    /**
     * Writes bytes that come in pieces, as one atomic unit. Parameters as for the other forms; len is what the pieces
     * sum up to.
     */
    long writePieces(long pos, Pieces pieces, long len) throws IOException {
        WriteEvent event = FlightEvents.write();
        long[] landed = new long[1];
        Change fill = (handle, block) -> {
            landed[0] = pos == APPEND ? view.sizeLocked() : pos;
            return fillAndCommit(landed[0], pieces, len);
        };
        for (boolean again = false; !tryFill(fill, again); again = true) {
            table.findSpace();
        }
        if (event != null) {
            event.ended(label, landed[0], len);
        }
        return landed[0];
    }

    /** The same within {@link #tryFill}. */
    int fillAndCommit(long off, Pieces pieces, long len) throws IOException {
        return fillAndCommit(off, PageRuns.NONE, pieces, len);
    }

    /** The same with holes, which the pieces leave out. */
    int fillAndCommit(long off, PageRuns holes, Pieces pieces, long len) throws IOException {
        prepare(off, len);
        IoBlock io = commits.io();
        int status = inode.writeBegin(
                off, len, holes, view.blockAt(off), view.blockAt(off + len - 1), view.eofBlock(), io);
        if (status != Abi.OK) {
            return status;
        }
        long intent = NativeInode.intent(io);
        boolean whole = false;
        try {
            IntentFiller filler = new IntentFiller(inode, off, io, table.staging());
            pieces.putInto(filler);
            assert filler.filled() == len;
            whole = true;
        } finally {
            if (!whole) {
                NativeInode.writeAbort(intent);
            }
        }
        commits.commitNext();
        return counted(NativeInode.writeCommit(intent, io), len);
    }

    private int counted(int status, long len) {
        if (status == Abi.OK) {
            commits.wrote(len);
        }
        return status;
    }

    /** Adds what was written to a sum; needs no lock. */
    void addTo(WriteCounts sum) {
        commits.addTo(sum);
    }

    /** It has been read, by other ways than {@link #read}. */
    void accessed() {
        access.read();
    }

    /** Sets attributes. Atomic; durable on return. A time of access that waits goes along, unless another one is set. */
    void setAttributes(AttributeValues values) throws IOException {
        change((handle, block) -> {
            long waiting = access.pending();
            AttributeValues all = AccessTime.isPending(waiting) ? values.withAccess(waiting) : values;
            int status = all.apply(handle, block);
            if (status == Abi.OK) {
                access.logged(handle.stat(), waiting);
            }
            return status;
        });
    }

    /** Names of its extended attributes, sorted by bytes. */
    public List<String> attributeNames() throws IOException {
        long shared = lockShared();
        try {
            return extended.names();
        } finally {
            ioLock.unlockRead(shared);
        }
    }

    /** Value of an extended attribute, or null. */
    public byte[] attribute(byte[] name) throws IOException {
        long shared = lockShared();
        try {
            return extended.read(inode, name);
        } finally {
            ioLock.unlockRead(shared);
        }
    }

    /** Sets an extended attribute. Atomic; durable on return. */
    public void setAttribute(AttributeOptions options) throws IOException {
        change((handle, block) -> {
            extended.check(options.name(), options.before(), label);
            return extended.set(handle, options.name(), options.value(), block);
        });
    }

    /** Removes an extended attribute; false if there is none. Atomic; durable on return. */
    public boolean removeAttribute(byte[] name) throws IOException {
        boolean[] there = new boolean[1];
        change((handle, block) -> {
            there[0] = extended.has(name);
            return there[0] ? extended.remove(handle, name, block) : Abi.OK;
        });
        return there[0];
    }

    /** One call of the core that changes this inode, or none. */
    @FunctionalInterface
    interface Change {
        /**
         * Makes the call, under ioLock, with the view up to date. May be called a second time, for a second attempt.
         *
         * @return its status; OK also if there is nothing to do
         */
        int run(NativeInode handle, IoBlock io) throws IOException;
    }

    /** Makes a change; if space is short, once more after what waits in queues has been given back. */
    void change(Change change) throws IOException {
        for (boolean again = false; !tryChange(change, again); again = true) {
            table.findSpace();
        }
    }

    /**
     * Makes a change, or says that there was no space.
     *
     * @param last whether lack of space is to be an exception
     */
    boolean tryChange(Change change, boolean last) throws IOException {
        long stamp = commits.begin();
        try {
            while (true) {
                commits.calling();
                commits.commitNext();
                int status = change.run(inode, commits.io());
                if (!commits.overtakenByFault(status)) {
                    return commits.done(status, last);
                }
            }
        } finally {
            commits.end(stamp);
        }
    }

    /**
     * The same for a change that calls {@link #fillAndCommit}, and so may touch memory of a caller ahead of the commit.
     */
    boolean tryFill(Change change, boolean last) throws IOException {
        long stamp = commits.begin();
        try {
            commits.calling();
            return commits.done(change.run(inode, commits.io()), last);
        } finally {
            commits.end(stamp);
        }
    }

    /** A call of the core about a name of this inode. */
    @FunctionalInterface
    interface NameCall {
        /**
         * Makes the call.
         *
         * @param handle of this inode
         * @param nlink names that it has
         * @return a status
         */
        int run(NativeInode handle, int nlink) throws IOException;
    }

    /**
     * Makes a call that gives this inode a name or takes one away. The core moves the view past what it adds to this
     * log, which changes nothing but attributes.
     */
    int changeNames(NameCall call) throws IOException {
        long stamp = commits.begin();
        try {
            return call.run(inode, inode.stat().nlink());
        } finally {
            access.changed();
            commits.end(stamp);
        }
    }

    // ---- mapping

    /**
     * Maps bytes. The caller has a handle of its own for the region.
     *
     * @param off a multiple of the block size
     */
    NativeRegion map(long off, long len, int flags) throws IOException {
        try {
            return tryMap(off, len, flags);
        } catch (NoSpaceException e) {
            table.findSpace();
            return tryMap(off, len, flags);
        }
    }

    private NativeRegion tryMap(long off, long len, int flags) throws IOException {
        long stamp = commits.begin();
        try {
            startMapping();
            NativeRegion region = inode.map(off, len, flags, view.mappings().counter());
            boolean added = false;
            try {
                view.mappings().add(region);
                added = true;
            } finally {
                if (!added) {
                    region.free();
                }
            }
            return region;
        } finally {
            commits.end(stamp);
        }
    }

    private void startMapping() throws IOException {
        if (isMapped()) {
            return;
        }
        if (inPlace) {
            inode.setInPlace(true);
        }
        Mappings first = new Mappings();
        long stamp = view.lock();
        try {
            view.startMapping(first);
        } finally {
            view.unlock(stamp);
        }
    }

    /** A region has been closed. */
    void unmapped(NativeRegion region) {
        view.mappings().remove(region);
    }

    /**
     * Pins bytes, for a mapped buffer. The caller has a handle of its own for it.
     *
     * @param off a multiple of the block size
     * @return the pin, or null if the file ends before byte {@code end}
     */
    NativePin pin(long off, long end) throws IOException {
        try {
            return tryPin(off, end);
        } catch (NoSpaceException e) {
            table.releaseQueuedBlocks();
            return tryPin(off, end);
        }
    }

    private NativePin tryPin(long off, long end) throws IOException {
        long stamp = commits.begin();
        try {
            return pinLocked(off, end);
        } finally {
            commits.end(stamp);
        }
    }

    /** The caller has begun a commit. */
    private NativePin pinLocked(long off, long end) throws IOException {
        if (end > view.sizeLocked()) {
            return null;
        }
        startMapping();
        NativePin pin = inode.pin(off, end - off, view.mappings().counter());
        boolean good = false;
        try {
            commits.catchUpWithFaults(); // so that what moved gives back its old blocks
            good = true;
            return pin;
        } finally {
            if (!good) {
                unpin(pin);
            }
        }
    }

    /**
     * Moves pages so that they lie in a row: as a pin does, which ends before anybody writes, since that would be in
     * place. Does nothing if the file ends before byte {@code end}, or has a hole before that: a pin would fill it.
     *
     * @param off a multiple of the block size
     * @throws NoSpaceException if no free blocks lie in a row
     */
    void bringTogether(long off, long end) throws IOException {
        long stamp = commits.begin();
        try {
            boolean whole = view.index().nextHole(off >>> Abi.BLOCK_SHIFT) << Abi.BLOCK_SHIFT >= end;
            NativePin pin = whole ? pinLocked(off, end) : null;
            if (pin != null) {
                unpin(pin);
            }
        } finally {
            commits.end(stamp);
        }
    }

    /** Something may be stored to pinned bytes: {@link #forcePinned} makes it durable. */
    void written(NativePin pin) {
        view.mappings().pins().add(pin);
    }

    /** Ends a pin, once. Any thread, at any time. */
    void unpin(NativePin pin) {
        view.mappings().pins().remove(pin);
        pin.release();
    }

    /** Makes what was stored to mapped buffers durable. */
    public void forcePinned() throws IOException {
        if (!isMapped() || view.mappings().pins().isEmpty()) {
            return;
        }
        long stamp = lockShared();
        try {
            for (NativePin pin : view.mappings().pins()) {
                pin.force();
            }
        } finally {
            ioLock.unlockRead(stamp);
        }
    }

    /** A region was made durable: an occasion to replay, if much has been committed that no call has asked for. */
    void forced() throws IOException {
        if (view.lacks(view.appended() - UNREPLAYED_MAX)) {
            commits.bringUpToDate();
        }
    }

    /** Whether calls that write go in place while the file is mapped. */
    public void setInPlace(boolean on) throws IOException {
        long stamp = commits.begin();
        try {
            inode.setInPlace(on);
            inPlace = on;
        } finally {
            commits.end(stamp);
        }
    }

    // ---- what writing calls prepare

    /**
     * Checks a range against the limits, and makes the index nodes for it, so that replay after the commit needs no
     * memory.
     */
    private void prepare(long off, long len) throws IOException {
        if (len > Abi.WRITE_MAX) {
            throw tooLarge();
        }
        prepareIndex(off, len);
    }

    /** The same for a range that is not written at once. */
    void prepareIndex(long off, long len) throws IOException {
        checkEnd(off, len);
        long first = off >>> Abi.BLOCK_SHIFT;
        long last = (off + len - 1) >>> Abi.BLOCK_SHIFT;
        if (!view.index().covers(first, last)) {
            long stamp = commits.lockIndex();
            try {
                view.index().prepare(first, last);
            } finally {
                commits.unlockIndex(stamp);
            }
        }
    }

    void checkEnd(long off, long len) throws IOException {
        if (off > Abi.FILE_SIZE_MAX - len) {
            throw tooLarge();
        }
    }

    private IOException tooLarge() {
        return FailureMapper.map(
                new NativeFailure(Abi.EFBIG, 0, Abi.NO_OFF, ""), table.pool().name(), label);
    }

    /** For who holds ioLock: whether the file has been mapped, so that faults may come at any time. */
    boolean isMapped() {
        return view.mappings() != null;
    }

    /** The view, for who holds ioLock. */
    FileView view() {
        return view;
    }

    // ---- the rest

    /**
     * Attributes.
     *
     * @param stat those that the core knows
     * @param pages that are mapped
     * @param valueBlocks blocks that values of extended attributes take
     */
    record Attributes(InodeStat stat, long pages, long valueBlocks) {}

    Attributes attributes() throws IOException {
        long stamp = lockShared();
        try {
            return new Attributes(access.shown(inode.stat()), view.index().pages(), extended.blocks());
        } finally {
            ioLock.unlockRead(stamp);
        }
    }

    /** Gives all queued blocks back, those included that faults have replaced. */
    void releaseQueuedBlocks() throws IOException {
        commits.releaseQueuedBlocks();
    }

    /**
     * Closes it: by the inode table, once, when the last handle is gone or the store closes. Waits for running calls;
     * later ones fail. Readers that are under way fail to validate, so that they cannot mistake reused blocks for
     * this file.
     */
    void close() throws IOException {
        long stamp = ioLock.writeLock();
        try {
            Failures failures = new Failures(); // each step is made, whatever became of the one before
            if (isMapped()) {
                failures.collect(view.mappings()::closeRegions);
            }
            failures.collect(commits::finish);
            failures.collect(this::comeToRest);
            failures.collect(this::forget);
            failures.collect(commits::drainFrees);
            failures.collect(inode::close);
            commits.giveBackIo();
            failures.throwFirst();
        } finally {
            ioLock.unlockWrite(stamp);
        }
    }

    /**
     * Logs a time of access that waits. That it cannot is no failure: the next reader's will do. And makes the log
     * short.
     */
    private void comeToRest() throws IOException {
        if (inode.stat().nlink() == 0) {
            return; // it goes as a whole
        }
        long waiting = access.pending();
        if (AccessTime.isPending(waiting)) {
            inode.logAccess(waiting);
        }
        commits.comeToRest();
    }

    private void forget() {
        long stamp = view.lock();
        try {
            view.close();
        } finally {
            view.unlock(stamp);
        }
    }

    @Override
    public String toString() {
        return label + " (inode " + Integer.toUnsignedString(ino) + ")";
    }
}
