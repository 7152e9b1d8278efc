/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jnova.internal.core.IoPool;
import org.jnova.internal.core.MemoryPool;
import org.jnova.internal.core.NativeInode;
import org.jnova.internal.core.NativePool;
import org.jnova.internal.lock.LockRank;
import org.jnova.internal.lock.LockWaits;
import org.jnova.internal.lock.RankedLock;

/**
 * The open inodes of a store, with the number of handles each has; the core wants an inode opened once. In stripes by
 * inode number: whoever opens or closes an inode holds its stripe, so that nobody opens it natively while its last
 * handle is closing. Also what all inodes share.
 */
final class InodeTable {
    /** Bytes that go through staging memory in one piece: well within a second-level cache. */
    private static final int STAGING_PIECE = 1 << 18;

    private final NativePool pool;
    private final PoolWindows windows;
    private final PoolFile file;
    private final Pins pins = new Pins();
    private final boolean inPlace;
    private final LongSupplier accessClock;
    private final LogCleaner cleaner;
    private final IoPool ioPool = new IoPool();
    private final MemoryPool staging = MemoryPool.perCpu(STAGING_PIECE);
    private final Stripe[] stripes = new Stripe[Stripes.COUNT];

    /** Open inodes by number, and what was written to those that are closed; guarded by the lock. */
    private static final class Stripe {
        final RankedLock lock;
        final Map<Integer, InodeState> open = new HashMap<>();
        final WriteCounts closed = new WriteCounts();

        Stripe(LockWaits waits) {
            this.lock = new RankedLock(LockRank.LIFECYCLE, this, waits);
        }
    }

    /**
     * @param inPlace whether calls that write to a mapped file write in place, unless it is told otherwise
     * @param accessClock what {@link AccessTime} wants
     * @param cleaner of all logs
     */
    InodeTable(
            NativePool pool,
            PoolFile file,
            PoolWindows windows,
            boolean inPlace,
            LongSupplier accessClock,
            LogCleaner cleaner) {
        this.pool = pool;
        this.file = file;
        this.windows = windows;
        this.inPlace = inPlace;
        this.accessClock = accessClock;
        this.cleaner = cleaner;
        for (int i = 0; i < Stripes.COUNT; i++) {
            stripes[i] = new Stripe(pool.lockWaits());
        }
    }

    NativePool pool() {
        return pool;
    }

    PoolWindows windows() {
        return windows;
    }

    PoolFile file() {
        return file;
    }

    /** The mapped buffers over files of this store. */
    Pins pins() {
        return pins;
    }

    boolean inPlace() {
        return inPlace;
    }

    /** What {@link AccessTime} wants. */
    LongSupplier accessClock() {
        return accessClock;
    }

    LogCleaner cleaner() {
        return cleaner;
    }

    IoPool ioPool() {
        return ioPool;
    }

    MemoryPool staging() {
        return staging;
    }

    private Stripe stripe(int ino) {
        return stripes[Stripes.of(ino)];
    }

    /**
     * Opens an inode, or adds a handle to an open one. The caller holds the lock of a directory, and so a name in it
     * that names the inode.
     */
    InodeState acquire(int ino, int gen, String label) throws IOException {
        assert LockRank.holds(LockRank.DIRECTORY);
        Stripe stripe = stripe(ino);
        long stamp = stripe.lock.writeLock();
        try {
            InodeState state = stripe.open.get(ino);
            if (state == null) {
                state = openState(stripe, ino, gen, label);
            }
            assert state.gen == gen : state + " reused while open";
            state.references++;
            return state;
        } finally {
            stripe.lock.unlockWrite(stamp);
        }
    }

    private InodeState openState(Stripe stripe, int ino, int gen, String label) throws IOException {
        NativeInode inode = pool.openInode(ino, gen, label);
        boolean good = false;
        try {
            InodeState state = new InodeState(this, inode, ino, gen, label);
            stripe.open.put(ino, state);
            good = true;
            return state;
        } finally {
            if (!good) {
                inode.close();
            }
        }
    }

    /**
     * Adds a handle to an inode that is open, for whoever has one.
     *
     * @throws ClosedChannelException if the caller's was closed meanwhile, or the store
     */
    void retain(InodeState state) throws ClosedChannelException {
        Stripe stripe = stripe(state.ino);
        long stamp = stripe.lock.writeLock();
        try {
            if (stripe.open.get(state.ino) != state) {
                throw new ClosedChannelException();
            }
            state.references++;
        } finally {
            stripe.lock.unlockWrite(stamp);
        }
    }

    /** Gives a handle back; the last one closes the inode. */
    void release(InodeState state) throws IOException {
        Stripe stripe = stripe(state.ino);
        long stamp = stripe.lock.writeLock();
        try {
            state.references--;
            if (state.references == 0 && stripe.open.remove(state.ino, state)) {
                try {
                    state.close();
                } finally {
                    state.addTo(stripe.closed);
                }
            }
        } finally {
            stripe.lock.unlockWrite(stamp);
        }
    }

    /** Inodes that are open; about, while others open and close some. */
    int openInodes() {
        int n = 0;
        for (Stripe stripe : stripes) {
            long stamp = stripe.lock.readLock();
            try {
                n += stripe.open.size();
            } finally {
                stripe.lock.unlockRead(stamp);
            }
        }
        return n;
    }

    /** What was written since the store was opened, to files that are closed, too. Sums only grow from call to call. */
    WriteCounts written() {
        WriteCounts sum = new WriteCounts();
        for (Stripe stripe : stripes) {
            long stamp = stripe.lock.readLock();
            try {
                sum.add(stripe.closed);
                stripe.open.values().forEach(state -> state.addTo(sum));
            } finally {
                stripe.lock.unlockRead(stamp);
            }
        }
        return sum;
    }

    /** Closes all inodes, whatever handles there are. The caller keeps new ones from being opened. */
    void closeAll(Failures failures) {
        for (Stripe stripe : stripes) {
            long stamp = stripe.lock.writeLock();
            try {
                for (InodeState state : stripe.open.values()) {
                    failures.collect(state::close);
                }
                stripe.open.clear();
            } finally {
                stripe.lock.unlockWrite(stamp);
            }
        }
    }

    /**
     * Looks for space when a call has found none: what waits in queues, and what only mapped buffers keep that nobody
     * reaches any more. The caller holds no lock of an inode, and tries once more.
     */
    void findSpace() throws IOException {
        releaseQueuedBlocks();
        pins.collectAll();
    }

    /** Gives back the replaced blocks that wait in the queues of all open inodes. The caller holds no lock of one. */
    void releaseQueuedBlocks() throws IOException {
        assert !LockRank.holds(LockRank.IO);
        List<InodeState> states = new ArrayList<>();
        for (Stripe stripe : stripes) {
            long stamp = stripe.lock.readLock();
            try {
                states.addAll(stripe.open.values());
            } finally {
                stripe.lock.unlockRead(stamp);
            }
        }
        for (InodeState state : states) {
            state.releaseQueuedBlocks();
        }
    }
}
