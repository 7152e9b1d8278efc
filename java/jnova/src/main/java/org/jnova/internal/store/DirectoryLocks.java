/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import org.jnova.internal.index.Child;

/** The locks of the directories that one operation changes, taken in the order of their numbers. */
final class DirectoryLocks implements AutoCloseable {
    private static final int MOST = 3;

    private final DirectoryState[] held = new DirectoryState[MOST];
    private final long[] stamps = new long[MOST];
    private final boolean[] shared = new boolean[MOST];
    private int wanted;
    private int taken;

    private DirectoryLocks() {}

    /** Exclusive locks. Null is no directory, and one may be named twice. */
    static DirectoryLocks exclusive(DirectoryState one, DirectoryState two, DirectoryState three) throws IOException {
        DirectoryLocks locks = new DirectoryLocks();
        locks.want(one, false);
        locks.want(two, false);
        locks.want(three, false);
        locks.take();
        return locks;
    }

    /** An exclusive lock, and a shared one if that is another directory. */
    static DirectoryLocks exclusiveAndShared(DirectoryState changed, DirectoryState read) throws IOException {
        DirectoryLocks locks = new DirectoryLocks();
        locks.want(changed, false);
        locks.want(read, true);
        locks.take();
        return locks;
    }

    private void want(DirectoryState directory, boolean sharedOnly) {
        if (directory == null) {
            return;
        }
        int at = 0;
        while (at < wanted && Long.compareUnsigned(held[at].number(), directory.number()) < 0) {
            at++;
        }
        if (at < wanted && held[at] == directory) {
            shared[at] &= sharedOnly;
            return;
        }
        for (int i = wanted; i > at; i--) {
            held[i] = held[i - 1];
            shared[i] = shared[i - 1];
        }
        held[at] = directory;
        shared[at] = sharedOnly;
        wanted++;
    }

    private void take() throws IOException {
        boolean good = false;
        try {
            for (; taken < wanted; taken++) {
                stamps[taken] = shared[taken] ? held[taken].lockShared() : held[taken].lockExclusive();
            }
            good = true;
        } finally {
            if (!good) {
                close();
            }
        }
    }

    /** What a name in one of the directories names, or null. */
    Child find(DirectoryState directory, byte[] name) {
        assert directory == held[0] || directory == held[1] || directory == held[2];
        return directory.findLocked(name);
    }

    /** Fails if one of the directories has been deleted: who waited for its lock must not make anything in it. */
    void checkThere(DirectoryState directory, StorePath path) throws IOException {
        assert directory == held[0] || directory == held[1] || directory == held[2];
        if (directory.isRemoved()) {
            throw new NoSuchFileException(path.text());
        }
    }

    @Override
    public void close() {
        while (taken > 0) {
            taken--;
            if (shared[taken]) {
                held[taken].unlockShared(stamps[taken]);
            } else {
                held[taken].unlockExclusive(stamps[taken]);
            }
        }
    }
}
