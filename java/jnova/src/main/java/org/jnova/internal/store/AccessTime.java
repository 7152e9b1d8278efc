/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.time.Instant;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.function.LongSupplier;
import org.jnova.AccessTimes;
import org.jnova.internal.core.InodeStat;

/**
 * The time when a file was last read, as far as its log does not have it yet. By the rule of relatime: a read counts if
 * something has changed since the last one that did, if that is a day ago, or if it lies in the future.
 *
 * <p>A read that does not count compares two plain fields, and sometimes looks at the clock. These fields are racy on
 * purpose: a reader that sees an old value lets the next one count instead, or counts once more.
 */
final class AccessTime {
    private static final long NONE = Long.MIN_VALUE;
    private static final long DAY = TimeUnit.DAYS.toNanos(1);
    /** One of so many reads looks at the clock, which takes longer than the rest of a short read. */
    private static final int CLOCK_READS = 64;

    private static final AtomicLongFieldUpdater<AccessTime> PENDING =
            AtomicLongFieldUpdater.newUpdater(AccessTime.class, "pending");

    private final LongSupplier clock; // nanoseconds since the epoch; null: no read counts
    private int changes; // of the file, so far; guarded by ioLock, read without
    private int seen; // changes before the last read that counted
    private long logged; // atime as of the log; guarded by ioLock, read without
    private volatile long pending = NONE; // atime that the log lacks

    AccessTime(LongSupplier clock) {
        this.clock = clock;
    }

    /** The clock for a policy. */
    static LongSupplier clock(AccessTimes policy) {
        return policy == AccessTimes.NEVER ? null : AccessTime::now;
    }

    private static long now() {
        Instant now = Instant.now();
        return TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano();
    }

    /** The file has been read. Any thread, no lock. */
    void read() {
        if (seen != changes || ThreadLocalRandom.current().nextInt(CLOCK_READS) == 0) {
            note();
        }
    }

    private void note() {
        if (clock == null) {
            return;
        }
        int before = changes;
        long now = clock.getAsLong();
        if (seen != before || isOff(now)) {
            pending = now; // before seen, so that nobody sees the one without the other
            seen = before;
        }
    }

    /** Whether the last time is a day old, or one of the future: set so, or before the clock was set back. */
    private boolean isOff(long now) {
        long last = pending;
        long known = last == NONE ? logged : last;
        return known <= now - DAY || known > now;
    }

    /**
     * Something of the file has changed: to be called afterwards, so that a read that finds this later than the change.
     * The caller has ioLock exclusively.
     */
    void changed() {
        if (clock != null) {
            changes++;
        }
    }

    /**
     * The log has these attributes. The caller has ioLock exclusively.
     *
     * @param stat attributes as of the end of the log
     * @param written what was {@link #pending} before
     */
    void logged(InodeStat stat, long written) {
        logged = stat.atime();
        PENDING.compareAndSet(this, written, NONE); // else a read has come in between
        if (clock != null && (logged <= Math.max(stat.mtime(), stat.ctime()) || isOff(clock.getAsLong()))) {
            changes++;
        } else {
            seen = changes;
        }
    }

    /** The time that the log lacks, for {@link #logged}. */
    long pending() {
        return pending;
    }

    static boolean isPending(long time) {
        return time != NONE;
    }

    /** Attributes as the log has them, with the time that it lacks. */
    InodeStat shown(InodeStat stat) {
        long time = pending;
        return isPending(time) ? stat.withAccess(time) : stat;
    }
}
