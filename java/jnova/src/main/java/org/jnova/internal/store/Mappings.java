/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jnova.internal.core.NativeMemory;
import org.jnova.internal.core.NativePin;
import org.jnova.internal.core.NativeRegion;

/**
 * What an inode has from its first mapping on: the counter of commits that no call made, how much of that the view
 * has, and the open regions. The core counts a commit once it is in the log and before anybody can store to the pages
 * that it is about. So who looks at the counter first, and at a view that has reached it, misses no store that happened
 * before.
 */
final class Mappings {
    private static final VarHandle WORD =
            MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder()).withInvokeExactBehavior();

    private final NativeMemory counter = NativeMemory.allocate(Long.BYTES);
    private final Set<NativeRegion> regions = ConcurrentHashMap.newKeySet();
    private final Set<NativePin> pins = ConcurrentHashMap.newKeySet();

    private long seen; // written under indexLock, read under a stamp of it or under ioLock

    /** For the core. */
    NativeMemory counter() {
        return counter;
    }

    /** Commits so far. */
    long appended() {
        return (long) WORD.getAcquire(counter.bytes(), 0);
    }

    /** Whether the view may lack some of the first commits. */
    boolean lacks(long commits) {
        return seen < commits;
    }

    /** How many of the first commits the view lacks. */
    long missing(long commits) {
        return commits - seen;
    }

    /** The view has the first commits. Under indexLock. */
    void saw(long commits) {
        seen = Math.max(seen, commits);
    }

    void add(NativeRegion region) {
        regions.add(region);
    }

    /** The region is closed. Any thread. */
    void remove(NativeRegion region) {
        regions.remove(region);
    }

    /** Pins of mapped buffers that may be stored to. Any thread may add, remove and look. */
    Set<NativePin> pins() {
        return pins;
    }

    /** Closes all regions: no fault commits anything any more. */
    void closeRegions() {
        regions.forEach(NativeRegion::close);
        regions.clear();
    }
}
