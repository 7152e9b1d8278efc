/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import org.jnova.internal.core.Abi;
import org.jnova.internal.core.IoBlock;
import org.jnova.internal.core.NativeInode;
import org.jnova.internal.core.NativePool;
import org.jnova.internal.index.ExtentList;

/**
 * Blocks of one inode that a replayed commit replaced or cut off. They ride along with the inode's next call, up to
 * what fits its io block; what is more is released by calls of its own. None may be lost: the core knows them as used
 * until they are given back.
 *
 * <p>A block gets here only under the inode's indexLock, so whoever read it through the index fails to validate once
 * it is reused. Guarded by the inode's ioLock.
 */
final class FreeQueue {
    private final ExtentList extents = new ExtentList();
    private int sent;

    /** Where replay puts blocks. */
    ExtentList extents() {
        return extents;
    }

    boolean isEmpty() {
        return extents.isEmpty();
    }

    /** Whether there is more than one call takes along. */
    boolean isLong() {
        return extents.size() > Abi.IO_FREES_MAX;
    }

    /** Puts extents into the io block for the call that comes next. */
    void send(IoBlock io) {
        settle(io);
        if (!extents.isEmpty()) {
            int n = fill(io);
            io.setFreeCount(n);
            sent = n;
        }
    }

    /**
     * Forgets what the last call took. To be called before anything is replayed, which adds to the end of the queue.
     */
    void settle(IoBlock io) {
        if (sent != 0) {
            if (io.freeCount() == 0) {
                extents.removeLast(sent);
            }
            io.setFreeCount(0);
            sent = 0;
        }
    }

    /**
     * Releases extents until at most some are left.
     *
     * @throws IOException if the core finds some of them free already; they are forgotten
     */
    void drain(NativePool pool, NativeInode inode, IoBlock io, int keep) throws IOException {
        settle(io);
        IOException first = null;
        while (extents.size() > keep) {
            int n = fill(io);
            int status = pool.free(io, n);
            extents.removeLast(n);
            if (status != Abi.OK && first == null) {
                first = inode.failure(status, io);
            }
        }
        if (first != null) {
            throw first;
        }
    }

    /** The last extents, as many as fit. */
    private int fill(IoBlock io) {
        int n = Math.min(extents.size(), Abi.IO_FREES_MAX);
        int from = extents.size() - n;
        for (int i = 0; i < n; i++) {
            io.setFree(i, extents.blk(from + i), extents.count(from + i));
        }
        return n;
    }
}
