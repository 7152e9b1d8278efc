/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import java.io.IOException;
import org.jnova.internal.lock.LockRank;
import org.jnova.internal.lock.RankedLock;

/**
 * Pinned pages of a file: they lie in a row in the pool's file, and stay there until this is released. The core keeps it
 * beyond the life of inode and pool, so that it may be released at any time. Thread-safe: its lock keeps it while a call
 * uses it.
 */
public final class NativePin {
    private final NativeInode inode;
    private final long offset;
    private final RankedLock lock;
    private long handle; // guarded by lock; 0 = released

    NativePin(NativePool pool, NativeInode inode, long handle, long offset) {
        this.inode = inode;
        this.handle = handle;
        this.offset = offset;
        this.lock = new RankedLock(LockRank.REGION, this, pool.lockWaits());
    }

    /** Where the first page lies, bytes in the pool's file. */
    public long offset() {
        return offset;
    }

    /** Makes what was stored there durable, if it has not been released. The caller keeps the inode open. */
    public void force() throws IOException {
        long stamp = lock.readLock();
        try {
            if (handle != 0) {
                inode.forcePinned(handle);
            }
        } finally {
            lock.unlockRead(stamp);
        }
    }

    /** Ends it, once. Nothing maps the pages any more. */
    public void release() {
        long stamp = lock.writeLock();
        try {
            long held = handle;
            handle = 0;
            NovaNative.nova_unpin(held);
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    @Override
    public String toString() {
        return "pin of " + inode.label();
    }
}
