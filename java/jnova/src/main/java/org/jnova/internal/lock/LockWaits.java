/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.lock;

import java.util.concurrent.atomic.LongAdder;

/**
 * How often, and how long, threads have waited for the locks of one store, by rank. Only who finds a lock taken comes
 * here, so that counting costs the others nothing.
 */
public final class LockWaits {
    private final LongAdder[] counts = new LongAdder[LockRank.values().length];
    private final LongAdder[] nanos = new LongAdder[counts.length];

    /** Nobody has waited yet. */
    public LockWaits() {
        for (int i = 0; i < counts.length; i++) {
            counts[i] = new LongAdder();
            nanos[i] = new LongAdder();
        }
    }

    /** A thread has waited. */
    void add(LockRank rank, long time) {
        counts[rank.ordinal()].increment();
        nanos[rank.ordinal()].add(time);
    }

    /** How often threads have waited for locks of a rank. */
    public long count(LockRank rank) {
        return counts[rank.ordinal()].sum();
    }

    /** How long, nanoseconds, all together. */
    public long nanos(LockRank rank) {
        return nanos[rank.ordinal()].sum();
    }
}
