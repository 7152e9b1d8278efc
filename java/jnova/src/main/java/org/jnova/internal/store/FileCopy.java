/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import org.jnova.internal.core.Abi;
import org.jnova.internal.index.RadixIndex;

/**
 * Copies bytes between files of one store, from the pool to the pool, in one atomic write; holes stay holes. The source's writers are
 * kept out meanwhile, so that its bytes are those of one moment. Two locks of one rank, by ascending number: the source's is
 * taken first, or else within the target's change.
 */
public final class FileCopy {
    private FileCopy() {}

    /**
     * Copies bytes.
     *
     * @param source maybe the target itself
     * @param len most bytes, positive
     * @return bytes copied: fewer only at the source's end
     */
    public static long copy(InodeState source, long from, InodeState target, long to, long len) throws IOException {
        if (source.table() != target.table()) {
            throw new IllegalArgumentException(source + " and " + target + " are of different stores");
        }
        long[] copied = new long[1];
        boolean sourceFirst = Integer.compareUnsigned(source.ino, target.ino) < 0;
        InodeState.Change change = source == target || sourceFirst
                ? (inode, io) -> copyLocked(source, from, target, to, len, copied)
                : (inode, io) -> {
                    long shared = source.lockShared();
                    try {
                        return copyLocked(source, from, target, to, len, copied);
                    } finally {
                        source.unlockShared(shared);
                    }
                };
        for (boolean again = false; !attempt(sourceFirst ? source : null, target, change, again); again = true) {
            target.table().findSpace();
        }
        source.accessed();
        return copied[0];
    }

    private static boolean attempt(InodeState first, InodeState target, InodeState.Change change, boolean last)
            throws IOException {
        if (first == null) {
            return target.tryFill(change, last);
        }
        long shared = first.lockShared();
        try {
            return target.tryFill(change, last);
        } finally {
            first.unlockShared(shared);
        }
    }

    private static int copyLocked(
            InodeState source, long from, InodeState target, long to, long len, long[] copied) throws IOException {
        long n = Math.min(len, source.view().sizeLocked() - from);
        copied[0] = Math.max(0, n);
        if (n <= 0) {
            return Abi.OK;
        }
        PoolWindows windows = source.table().windows();
        RadixIndex index = source.view().index();
        if (source == target && source.isMapped()) { // it may be written in place
            return target.fillAndCommit(to, filler -> filler.putOwn(windows, index, from, n), n);
        }
        CopiedHoles holes = new CopiedHoles(windows, index, from, to, n, target.view().sizeLocked());
        return target.fillAndCommit(to, holes.pages(), holes::putInto, n);
    }
}
