/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.jnova.internal.core.Abi;
import org.jnova.internal.core.IoPool;
import org.jnova.internal.core.NativePool;
import org.jnova.internal.index.Child;
import org.jnova.internal.lock.LockRank;
import org.jnova.internal.lock.RankedLock;

/**
 * The loaded directories of a store, the root always among them. Others are loaded when a path first leads through
 * them, and stay until they are deleted or the store is closed. Looking a loaded one up takes no lock.
 */
final class DirectoryTable {
    private final NativePool pool;
    private final IoPool ioPool;
    private final LogCleaner cleaner;
    private final LongAdder entries; // that logs of directories got
    private final DirectoryState root;
    private final Map<Integer, DirectoryState> loaded = new ConcurrentHashMap<>();
    /** Loading holds the stripe of the inode number. */
    private final RankedLock[] stripes = new RankedLock[Stripes.COUNT];

    private DirectoryTable(
            NativePool pool, IoPool ioPool, LogCleaner cleaner, LongAdder entries, DirectoryState root) {
        this.pool = pool;
        this.ioPool = ioPool;
        this.cleaner = cleaner;
        this.entries = entries;
        this.root = root;
        loaded.put(root.ino, root);
        for (int i = 0; i < Stripes.COUNT; i++) {
            stripes[i] = new RankedLock(LockRank.LIFECYCLE, this, pool.lockWaits());
        }
    }

    /** Opens the root. */
    static DirectoryTable open(NativePool pool, IoPool ioPool, LogCleaner cleaner) throws IOException {
        LongAdder entries = new LongAdder();
        return new DirectoryTable(
                pool,
                ioPool,
                cleaner,
                entries,
                DirectoryState.open(pool, ioPool, cleaner, entries, Abi.ROOT_INO, 0, null, "(root directory)"));
    }

    DirectoryState root() {
        return root;
    }

    /**
     * The directory that a name was seen to name, loaded if it is not. To be called without any directory's lock.
     *
     * @return it, or null if the name does not name it any more
     */
    DirectoryState at(DirectoryState parent, byte[] name, Child child) throws IOException {
        DirectoryState state = find(child);
        return state != null ? state : load(parent, name, child);
    }

    /** A directory if it is loaded, else null. */
    DirectoryState find(Child child) {
        DirectoryState state = loaded.get(child.ino());
        return state != null && state.gen == child.gen() && !state.isRemoved() ? state : null;
    }

    /** The parent's lock keeps the directory where it is, and from being deleted. */
    private DirectoryState load(DirectoryState parent, byte[] name, Child child) throws IOException {
        long shared = parent.lockShared();
        try {
            return child.equals(parent.findLocked(name)) ? loadOnce(parent, name, child) : null;
        } finally {
            parent.unlockShared(shared);
        }
    }

    private DirectoryState loadOnce(DirectoryState parent, byte[] name, Child child) throws IOException {
        RankedLock stripe = stripes[Stripes.of(child.ino())];
        long stamp = stripe.writeLock();
        try {
            DirectoryState state = find(child);
            if (state == null) {
                state = DirectoryState.open(
                        pool, ioPool, cleaner, entries, child.ino(), child.gen(), parent, Names.decode(name));
                loaded.put(child.ino(), state);
            }
            return state;
        } finally {
            stripe.unlockWrite(stamp);
        }
    }

    /** Entries that logs of directories got since the store was opened, those included that are deleted. */
    long entries() {
        return entries.sum();
    }

    /** Directories that are loaded. */
    int size() {
        return loaded.size();
    }

    /** Drops a directory that is removed, before its inode number can be used again. The caller has its lock. */
    void forget(DirectoryState state) {
        loaded.remove(state.ino, state);
    }

    /** Closes all. Nobody uses any meanwhile. */
    void closeAll(Failures failures) {
        loaded.values().forEach(state -> failures.collect(state::close));
        loaded.clear();
    }
}
