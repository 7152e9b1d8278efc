/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jnova.internal.core.Abi;
import org.jnova.internal.core.NativeInode;
import org.jnova.internal.core.Records;
import org.jnova.internal.index.ExtentList;
import org.jnova.internal.index.LogPages;
import org.jnova.internal.index.RadixIndex;
import org.jnova.internal.lock.LockRank;
import org.jnova.internal.lock.RankedLock;

/**
 * The view of one file's log: where its pages are, and its size. Changed by replay alone, under indexLock; read under a
 * stamp of that, or by who holds ioLock, which keeps replay away. {@code java/LOCKING.md} tells why this is right.
 */
final class FileView implements NativeInode.Sink {
    /** Answers of {@link #read} beside a number of bytes. */
    static final int END = -1;

    static final int NOT_NOW = -2;

    /** The same of {@link #size} and {@link #ask}. */
    static final long UNKNOWN = Long.MIN_VALUE;

    private static final int OPTIMISTIC_TRIES = 4;
    /** A read of this many bytes is not worth repeating: it tries once without a lock. */
    private static final int LONG_READ = 1 << 22;

    private final NativeInode inode;
    private final PoolWindows windows;
    private final ExtentList replaced;
    private final ExtendedAttributes extended;
    private final AccessTime access;
    private final RankedLock indexLock;

    // Written under indexLock, read under a stamp of it or under ioLock.
    private final RadixIndex index = new RadixIndex();
    private long size;
    private LogPages log; // null as long as the log lies in the inode's slot
    private boolean shifted; // pages have moved since the log began
    private boolean began; // an entry of the log has been applied
    private boolean cut; // the log had been cut when it was opened
    private boolean cleaning; // what is applied says what was known
    private boolean replayed; // from its head to its end, once
    private boolean behind; // something is committed that index and size lack
    private boolean closed;
    private volatile Mappings mappings; // from the first one on; not written again

    /**
     * @param owner named in errors about locks
     * @param replaced gets the blocks that replay takes out of the index, but not those of the first replay
     * @param extended gets the records about extended attributes
     * @param access hears of every change
     */
    FileView(
            Object owner,
            InodeTable table,
            NativeInode inode,
            ExtentList replaced,
            ExtendedAttributes extended,
            AccessTime access) {
        this.inode = inode;
        this.windows = table.windows();
        this.replaced = replaced;
        this.extended = extended;
        this.access = access;
        this.indexLock = new RankedLock(LockRank.INDEX, owner, table.pool().lockWaits());
    }

    // ---- for anybody

    /** What faults have committed so far. To be asked first by whoever then looks at the view, see {@link #lacks}. */
    long appended() {
        Mappings m = mappings;
        return m == null ? 0 : m.appended();
    }

    /**
     * Reads bytes.
     *
     * @param appended what {@link #appended} was when the call began
     * @param dst a {@link ByteBuffer} or a {@code byte[]}; holds anything unless the answer is a number of bytes
     * @return bytes read; or END; or NOT_NOW: overtaken a few times, behind, or closed
     */
    int read(long appended, long pos, Object dst, int at, int len) {
        int tries = len >= LONG_READ ? 1 : OPTIMISTIC_TRIES;
        for (int i = 0; i < tries; i++) {
            long stamp = indexLock.tryOptimisticRead();
            if (stamp != 0) {
                int n = readOnce(appended, pos, dst, at, len);
                if (indexLock.validate(stamp)) {
                    return n;
                }
            }
            Thread.onSpinWait();
        }
        return NOT_NOW;
    }

    /** The same for who holds ioLock shared, and has found the view up to date. */
    int readLocked(long appended, long pos, Object dst, int at, int len) {
        int n;
        long stamp;
        do { // somebody may just be making nodes ahead of a write
            stamp = indexLock.tryOptimisticRead();
            n = readOnce(appended, pos, dst, at, len);
        } while (!indexLock.validate(stamp));
        return n;
    }

    /**
     * One try, under a stamp. What it answers, and what it left in dst, is worth nothing unless the stamp is still
     * valid.
     */
    private int readOnce(long appended, long pos, Object dst, int at, int len) {
        if (closed || behind || lacks(appended)) {
            return NOT_NOW;
        }
        long end = size;
        if (pos >= end) {
            return END;
        }
        int n = (int) Math.min(len, end - pos);
        windows.read(index, pos, dst, at, n);
        return n;
    }

    /** The file's size, bytes, or UNKNOWN. No fault changes it. */
    long size() {
        for (int i = 0; i < OPTIMISTIC_TRIES; i++) {
            long stamp = indexLock.tryOptimisticRead();
            long now = size;
            boolean good = !closed && !behind;
            if (indexLock.validate(stamp) && good) {
                return now;
            }
            Thread.onSpinWait();
        }
        return UNKNOWN;
    }

    /** A question to the index. */
    @FunctionalInterface
    interface Question {
        /** May be asked while the index changes, and then fails never, and answers anything. */
        long ask(RadixIndex index, long size);
    }

    /** Asks the index of one moment. */
    long ask(long appended, Question question) {
        for (int i = 0; i < OPTIMISTIC_TRIES; i++) {
            long stamp = indexLock.tryOptimisticRead();
            boolean good = !closed && !behind && !lacks(appended);
            long answer = good ? question.ask(index, size) : 0;
            if (indexLock.validate(stamp) && good) {
                return answer;
            }
            Thread.onSpinWait();
        }
        return UNKNOWN;
    }

    // ---- for who holds ioLock

    boolean isClosed() {
        return closed;
    }

    /** Whether it has all that calls have committed, and what faults had when {@link #appended} was asked. */
    boolean isCurrent(long appended) {
        return !behind && !lacks(appended);
    }

    /** Whether it may lack what faults had committed when {@link #appended} was asked. */
    boolean lacks(long appended) {
        return appended != 0 && mappings.lacks(appended);
    }

    /** Null unless the file has been mapped; then faults may come at any time. */
    Mappings mappings() {
        return mappings;
    }

    RadixIndex index() {
        return index;
    }

    long sizeLocked() {
        return size;
    }

    /** Block of the page that holds a byte, 0 if it is a hole or beyond the end. */
    int blockAt(long off) {
        return index.block(off >>> Abi.BLOCK_SHIFT);
    }

    int eofBlock() {
        return (size & (Abi.BLOCK_SIZE - 1)) == 0 ? 0 : blockAt(size);
    }

    // ---- changes: ioLock and indexLock are held exclusively

    /** Takes indexLock exclusively. */
    long lock() {
        return indexLock.writeLock();
    }

    void unlock(long stamp) {
        indexLock.unlockWrite(stamp);
    }

    /** The log has been replayed to its end. */
    void replayed() {
        replayed = true;
    }

    void setBehind(boolean lacking) {
        behind = lacking;
    }

    void startMapping(Mappings first) {
        mappings = first;
    }

    /** The pages of the log, or null as long as it lies in the inode's slot. */
    LogPages log() {
        return log;
    }

    /** What is applied from now on comes of cleaning the log, or no longer. */
    void setCleaning(boolean on) {
        cleaning = on;
    }

    /** Forgets all: the file is closed. */
    void close() {
        closed = true;
        setLog(null);
        index.clear();
    }

    private void setLog(LogPages pages) {
        log = pages;
        index.setLog(pages);
        extended.setLog(pages);
    }

    /** The ordinal of the log page that holds an entry; a page that the log enters is made known. */
    private int ordinal(int logBlk) {
        if (logBlk == 0) {
            if (log != null) { // it has begun again: all that counts is said anew
                setLog(null);
                shifted = false;
            }
            began = true;
            return 0;
        }
        if (log == null) {
            cut = !began;
            setLog(new LogPages(logBlk, index.pages() + extended.weight(), shifted));
        }
        began = true;
        return log.enter(logBlk);
    }

    /** Whether the size before an entry is what the entry says. Entries that made the file longer may have been cut. */
    private boolean fits(long before) {
        return before == size || cut && before > size && before <= Abi.FILE_SIZE_MAX;
    }

    /** Remembers that pages move; before they do. */
    private void shift() {
        shifted = true;
        if (log != null) {
            log.shifted();
        }
    }

    /** Of an entry that must not leave the middle of the log. */
    private void mustStay() {
        if (log != null) {
            log.stays();
        }
    }

    /** The same of one after which much may no longer count. */
    private void barrier() {
        if (log != null) {
            log.stays();
            log.look();
        }
    }

    /** Applies one record of the log. May get the same record again if it threw. */
    @Override
    public void apply(ByteBuffer bytes, int at) throws IOException {
        // What the replay of old entries finds replaced was given back long ago.
        ExtentList gone = replayed ? replaced : null;
        int kind = Records.kind(bytes, at);
        if (kind != Abi.REC_SETATTR && !cleaning) {
            access.changed();
        }
        int ordinal = ordinal(Records.logBlk(bytes, at));
        switch (kind) {
            case Abi.REC_WRITE, Abi.REC_ALLOC -> {
                int count = Records.count(bytes, at);
                long after = Records.fileSize(bytes, at);
                checkSize(after >= size, "a write that makes the file shorter");
                if (count != 0) {
                    int line = Records.logIdx(bytes, at);
                    index.map(Records.page(bytes, at), Records.blk(bytes, at), count, ordinal, line, gone);
                } else if (log != null) {
                    log.saysSize();
                }
                size = after;
            }
            case Abi.REC_TRUNCATE -> {
                barrier();
                size = Records.fileSize(bytes, at);
                index.truncate((size + Abi.BLOCK_SIZE - 1) >>> Abi.BLOCK_SHIFT, gone);
            }
            case Abi.REC_HOLE, Abi.REC_COLLAPSE, Abi.REC_INSERT -> {
                barrier();
                applyRange(bytes, at, gone);
            }
            case Abi.REC_XATTR -> {
                if (Records.isRemoved(bytes, at)) {
                    mustStay();
                }
                extended.apply(bytes, at, ordinal);
            }
            case Abi.REC_SETATTR, Abi.REC_LINK -> mustStay(); // what they say is asked of the core
            default -> throw inode.corrupt("its log holds an entry of kind " + kind + ", which is none of a file");
        }
    }

    /** Nothing that could throw may come behind a shift of the index, which must not be repeated. */
    private void applyRange(ByteBuffer bytes, int at, ExtentList gone) throws IOException {
        long page = Records.rangePage(bytes, at);
        long count = Records.rangeCount(bytes, at);
        long after = Records.rangeFileSize(bytes, at);
        long len = count << Abi.BLOCK_SHIFT; // the core has seen to it that neither it nor the size is beyond 2^60
        switch (Records.kind(bytes, at)) {
            case Abi.REC_HOLE -> {
                checkSize(fits(after), "a hole that changes the size");
                index.unmap(page, page + count, gone);
            }
            case Abi.REC_COLLAPSE -> {
                checkSize(fits(after + len), "a collapse whose sizes do not fit");
                shift();
                index.collapse(page, count, gone);
            }
            default -> {
                checkSize(fits(after - len), "an insert whose sizes do not fit");
                shift();
                index.insert(page, count);
            }
        }
        size = after; // last, since the record may come again if the index threw
    }

    /** Of a pool that was closed in order, nobody has checked yet how the entries of a log follow each other. */
    private void checkSize(boolean fits, String what) throws IOException {
        if (!fits) {
            throw inode.corrupt("its log holds " + what);
        }
    }
}
