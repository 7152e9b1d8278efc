/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.jnova.internal.core.Abi;
import org.jnova.internal.core.InodeStat;
import org.jnova.internal.core.IoBlock;
import org.jnova.internal.core.IoPool;
import org.jnova.internal.core.Keeps;
import org.jnova.internal.core.LogFollower;
import org.jnova.internal.core.NativeInode;
import org.jnova.internal.core.NativeName;
import org.jnova.internal.core.NativePool;
import org.jnova.internal.core.Records;
import org.jnova.internal.index.Child;
import org.jnova.internal.index.DirectoryIndex;
import org.jnova.internal.index.LogPages;
import org.jnova.internal.lock.LockRank;
import org.jnova.internal.lock.RankedLock;

/**
 * A loaded directory: its log, and the index of names that replay of it builds.
 *
 * <p>Its lock: exclusive for whoever changes names or attributes, from the look-up that decides to the end of replay;
 * shared for whoever opens what a name names. Plain look-ups take no lock, see {@link #find}. Methods that change
 * something want the lock held exclusively ({@link DirectoryLocks}), and return a status, since the caller has
 * something to do about lack of space.
 */
final class DirectoryState implements NativeInode.Sink, LogCleaner.Log {
    private static final int OPTIMISTIC_TRIES = 3;

    final int ino;
    final int gen;
    private final RankedLock lock;
    private final NativeInode inode;
    private final IoPool ioPool;
    private final LogCleaner cleaner;
    private final LongAdder entries; // of all directories: a change of names takes too long for this to show
    private final DirectoryIndex index = new DirectoryIndex();
    private final ExtendedAttributes extended = new ExtendedAttributes(); // guarded by the lock

    // Guarded by the lock.
    private IoBlock io; // from the first change on
    private LogFollower follower; // likewise
    private LogPages log; // null as long as the log lies in the inode's slot

    private volatile DirectoryState parent; // written under the lock of the one before; the root's is itself
    private volatile boolean removed; // written under the lock
    private volatile boolean behind; // the index lacks a change that is committed; written under the lock

    private DirectoryState(
            NativePool pool,
            NativeInode inode,
            IoPool ioPool,
            LogCleaner cleaner,
            LongAdder entries,
            int ino,
            int gen,
            DirectoryState parent) {
        this.inode = inode;
        this.ioPool = ioPool;
        this.cleaner = cleaner;
        this.entries = entries;
        this.ino = ino;
        this.gen = gen;
        this.parent = parent == null ? this : parent;
        this.lock = new RankedLock(LockRank.DIRECTORY, this, number(), pool.lockWaits());
    }

    /**
     * Opens and replays it. The caller sees to it that this happens once at a time.
     *
     * @param entries counts those that are appended
     * @param gen its generation, or 0 for the root's
     * @param parent the directory it is in, or null for the root
     */
    static DirectoryState open(
            NativePool pool,
            IoPool ioPool,
            LogCleaner cleaner,
            LongAdder entries,
            int ino,
            int gen,
            DirectoryState parent,
            String label)
            throws IOException {
        NativeInode inode = pool.openInode(ino, gen, label);
        boolean good = false;
        try {
            DirectoryState state = new DirectoryState(pool, inode, ioPool, cleaner, entries, ino, gen, parent);
            inode.replayAll(state);
            good = true;
            return state;
        } finally {
            if (!good) {
                inode.close();
            }
        }
    }

    /** Its place in the order of directories: unique, also when an inode number is reused. */
    long number() {
        return (long) ino << 32 | Integer.toUnsignedLong(gen);
    }

    /** The directory that it is in; the root is in itself. */
    DirectoryState parent() {
        return parent;
    }

    void moveTo(DirectoryState newParent) {
        parent = newParent;
    }

    /** Whether it has been deleted. Stays so once it is seen under the lock. */
    boolean isRemoved() {
        return removed;
    }

    /** Says that it is deleted, or, if that failed, that it is not. */
    void setRemoved(boolean gone) {
        removed = gone;
    }

    // ---- the lock

    long lockExclusive() throws IOException {
        long stamp = lock.writeLock();
        boolean good = false;
        try {
            catchUp();
            good = true;
            return stamp;
        } finally {
            if (!good) {
                unlockExclusive(stamp);
            }
        }
    }

    void unlockExclusive(long stamp) {
        try {
            boolean now = follower != null && !removed && follower.behind();
            if (now != behind) {
                behind = now;
            }
            if (follower != null && !removed && !now) {
                cleaner.afterCall(this);
            }
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    /** Shared, with the index up to date. */
    long lockShared() throws IOException {
        while (true) {
            long stamp = lock.readLock();
            if (!behind) {
                return stamp;
            }
            lock.unlockRead(stamp);
            unlockExclusive(lockExclusive()); // catches up, or throws
        }
    }

    void unlockShared(long stamp) {
        lock.unlockRead(stamp);
    }

    /** Whether a change is committed that the index lacks, as after one that threw. The caller has the lock. */
    boolean isAhead() {
        return follower != null && follower.committed();
    }

    private void catchUp() throws IOException {
        if (follower != null && !removed) {
            follow();
        }
    }

    // ---- look-ups

    /**
     * What a name names, or null. To be called without the lock. A name that is found was there at some moment of the
     * call; one that is not found was not there at a moment between two changes of the directory, so that a name which
     * is being moved within it does not seem to be gone.
     */
    Child find(byte[] name) throws IOException {
        for (int i = 0; i < OPTIMISTIC_TRIES && !behind; i++) {
            long stamp = lock.tryOptimisticRead();
            Child child = index.find(name);
            if (child != null || stamp != 0 && lock.validate(stamp)) {
                return child;
            }
            Thread.onSpinWait();
        }
        long stamp = lockShared();
        try {
            return index.find(name);
        } finally {
            unlockShared(stamp);
        }
    }

    /** What a name names, or null. The caller has the lock in either mode. */
    Child findLocked(byte[] name) {
        assert LockRank.holds(LockRank.DIRECTORY);
        return removed ? null : index.find(name);
    }

    boolean isEmptyLocked() {
        return index.isEmpty();
    }

    /** All entries of one moment, in no order. */
    List<DirectoryIndex.Entry> snapshot() throws IOException {
        long stamp = lockShared();
        try {
            return index.snapshot();
        } finally {
            unlockShared(stamp);
        }
    }

    /** The same, but a change that could not be replayed for lack of memory may be missing. */
    List<DirectoryIndex.Entry> snapshotUnchecked() {
        long stamp = lock.readLock();
        try {
            return index.snapshot();
        } finally {
            lock.unlockRead(stamp);
        }
    }

    /** The entries, weakly consistent. Needs no lock, and goes on when the store is closed. */
    Iterator<DirectoryIndex.Entry> iterator() {
        return index.iterator();
    }

    /**
     * Attributes, and what its names say.
     *
     * @param stat attributes
     * @param names how many there are
     * @param directories how many of them are of directories
     * @param valueBlocks blocks that values of extended attributes take
     */
    record Attributes(InodeStat stat, int names, int directories, long valueBlocks) {}

    /** Its attributes, or null if it has been deleted. */
    Attributes attributes() throws IOException {
        long stamp = lockShared();
        try {
            return removed ? null : new Attributes(inode.stat(), index.size(), index.directories(), extended.blocks());
        } finally {
            unlockShared(stamp);
        }
    }

    /** Names of its extended attributes, sorted by bytes; null if it has been deleted. */
    List<String> attributeNames() throws IOException {
        long stamp = lockShared();
        try {
            return removed ? null : extended.names();
        } finally {
            unlockShared(stamp);
        }
    }

    /** Value of an extended attribute, or null; null as well if the directory has been deleted. */
    byte[] attribute(byte[] name) throws IOException {
        long stamp = lockShared();
        try {
            return removed ? null : extended.read(inode, name);
        } finally {
            unlockShared(stamp);
        }
    }

    // ---- changes

    /** A native call that changes directories. */
    @FunctionalInterface
    private interface Call {
        int run() throws IOException;
    }

    /** Makes an inode under a name that is free. */
    int create(byte[] name, int type, int mode, byte[] target) throws IOException {
        return changing(() -> inode.create(name, type, mode, target, io));
    }

    /** Gives an inode another name, which is free. The caller has its handle as {@link NativeInode#link} wants it. */
    int link(byte[] name, NativeInode child) throws IOException {
        return changing(() -> inode.link(name, child, io));
    }

    /** Removes a name. The handle is that of the child, or null. */
    int unlink(byte[] name, Child child, NativeInode handle) throws IOException {
        return changing(() -> NativeInode.unlink(nameOf(name, child, handle)));
    }

    /** Sets attributes of the directory itself. */
    int setAttributes(AttributeValues values) throws IOException {
        return changing(() -> values.apply(inode, io));
    }

    /** Its extended attributes. The caller has the lock. */
    ExtendedAttributes extendedLocked() {
        return extended;
    }

    /** Sets an extended attribute. */
    int setAttribute(byte[] name, byte[] value) throws IOException {
        return changing(() -> extended.set(inode, name, value, io));
    }

    /** Removes an extended attribute that is there. */
    int removeAttribute(byte[] name) throws IOException {
        return changing(() -> extended.remove(inode, name, io));
    }

    private int changing(Call call) throws IOException {
        calling();
        return settle(call.run());
    }

    /** Moves what a name names to another one, here or elsewhere, over what that names. */
    static int rename(
            DirectoryState from,
            byte[] fromName,
            Child source,
            DirectoryState to,
            byte[] toName,
            Child replaced,
            NativeInode replacedHandle)
            throws IOException {
        return changingBoth(
                from,
                to,
                () -> NativeInode.rename(
                        from.nameOf(fromName, source, null), to.nameOf(toName, replaced, replacedHandle)));
    }

    /** Exchanges what two names name. */
    static int exchange(
            DirectoryState a, byte[] aName, Child aChild, DirectoryState b, byte[] bName, Child bChild)
            throws IOException {
        return changingBoth(
                a, b, () -> NativeInode.exchange(a.nameOf(aName, aChild, null), b.nameOf(bName, bChild, null)));
    }

    /**
     * The first one's view moves first: a name that moves is for a moment under neither name, and never under both. Who
     * does not find it waits for the lock, and so for the second one.
     */
    private static int changingBoth(DirectoryState first, DirectoryState second, Call call) throws IOException {
        first.calling();
        if (second != first) {
            second.calling();
        }
        int status = call.run();
        Failures failures = new Failures();
        failures.collect(() -> first.settle(status));
        if (second != first) {
            failures.collect(() -> second.settle(status));
        }
        failures.throwFirst();
        return status;
    }

    private NativeName nameOf(byte[] name, Child child, NativeInode handle) {
        return child == null
                ? new NativeName(inode, io, name, 0, 0, 0, null)
                : new NativeName(inode, io, name, child.ino(), child.gen(), child.type(), handle);
    }

    private void calling() {
        assert lock.isWriteLocked();
        if (io == null) {
            IoBlock leased = ioPool.lease();
            follower = new LogFollower(inode, leased);
            io = leased;
        }
        follower.calling();
    }

    private int settle(int status) throws IOException {
        if (status == Abi.OK) {
            follow();
        } else {
            follower.failed();
        }
        if (status == Abi.ENOSPC) {
            cleaner.noSpace();
        }
        return status;
    }

    private void follow() throws IOException {
        long before = follower.applied();
        try {
            follower.catchUp(this);
        } finally {
            long more = follower.applied() - before;
            if (more != 0) {
                entries.add(more);
            }
        }
    }

    /** The exception for a failed change. */
    IOException failure(int status, String path) {
        return inode.failure(status, io, path);
    }

    @Override
    public void apply(ByteBuffer bytes, int at) throws IOException {
        int ordinal = ordinal(Records.logBlk(bytes, at));
        switch (Records.kind(bytes, at)) {
            case Abi.REC_DENTRY_ADD -> {
                Child child = new Child(
                        Records.childIno(bytes, at), Records.childGen(bytes, at), Records.childType(bytes, at));
                child.setOrdinal(ordinal);
                index.add(Records.childName(bytes, at), child);
            }
            case Abi.REC_DENTRY_REMOVE -> {
                mustStay();
                index.remove(Records.childName(bytes, at));
            }
            case Abi.REC_XATTR -> {
                if (Records.isRemoved(bytes, at)) {
                    mustStay();
                }
                extended.apply(bytes, at, ordinal);
            }
            case Abi.REC_SETATTR -> mustStay(); // attributes are asked of the core
            default -> throw inode.corrupt("its log holds an entry of kind " + Records.kind(bytes, at)
                    + ", which is none of a directory");
        }
    }

    // ---- cleaning the log: the lock is held exclusively

    /** The ordinal of the log page that holds an entry; a page that the log enters is made known. */
    private int ordinal(int logBlk) {
        if (logBlk == 0) {
            return 0;
        }
        if (log == null) {
            LogPages pages = new LogPages(logBlk, index.weight() + extended.weight(), false);
            index.setLog(pages);
            extended.setLog(pages);
            log = pages;
        }
        return log.enter(logBlk);
    }

    /** Of an entry that must not leave the middle of the log. */
    private void mustStay() {
        if (log != null) {
            log.stays();
        }
    }

    @Override
    public NativeInode inode() {
        return inode;
    }

    @Override
    public IoBlock io() {
        return io;
    }

    @Override
    public LogPages pages() {
        return log;
    }

    @Override
    public void bringUpToDate() {
        // It is: nobody else changes a directory.
    }

    @Override
    public boolean keep(ByteBuffer bytes, int at, int ordinal, Keeps keeps) {
        switch (Records.kind(bytes, at)) {
            case Abi.REC_DENTRY_ADD -> {
                Child child = index.find(Records.childName(bytes, at));
                boolean counts = child != null
                        && child.ordinal() == ordinal
                        && child.ino() == Records.childIno(bytes, at)
                        && child.gen() == Records.childGen(bytes, at);
                return !counts || keeps.addEntry(Records.logBlk(bytes, at), Records.logIdx(bytes, at));
            }
            case Abi.REC_XATTR -> {
                return extended.keep(bytes, at, keeps);
            }
            default -> {
                return true;
            }
        }
    }

    @Override
    public long walk(Keeps keeps) {
        return -1; // nothing in a directory moves
    }

    @Override
    public boolean keepAll(Keeps keeps, int most) {
        return false; // a directory stays open
    }

    @Override
    public int append(Keeps keeps) throws IOException {
        return changing(() -> inode.cleanAppend(keeps, io));
    }

    @Override
    public int restart(Keeps keeps) {
        return Abi.EINVAL;
    }

    /** Closes it natively: once, when nobody can use it any more (it is removed, or the store is closing). */
    void close() throws IOException {
        try {
            inode.close();
        } finally {
            if (io != null) {
                ioPool.giveBack(io);
                io = null;
            }
        }
    }

    @Override
    public String toString() {
        return "directory (inode " + Integer.toUnsignedString(ino) + ")";
    }
}
