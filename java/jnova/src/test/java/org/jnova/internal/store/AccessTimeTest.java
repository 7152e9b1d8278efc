/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.jnova.AccessTimes;
import org.jnova.internal.core.InodeStat;
import org.junit.jupiter.api.Test;

/** Which reads count, by a clock of its own. */
class AccessTimeTest {
    private static final long DAY = TimeUnit.DAYS.toNanos(1);

    private long now = 1000 * DAY;
    private final AccessTime access = new AccessTime(() -> now);

    private static InodeStat stat(long atime, long mtime, long ctime) {
        return new InodeStat(0, atime, mtime, ctime, 0, 2, 1, 1, 0, 0, 0, 0, 1, 0);
    }

    private void assertNotPending() {
        assertFalse(AccessTime.isPending(access.pending()));
    }

    @Test
    void countsOnceAfterEachChange() {
        access.logged(stat(now, now - 1, now - 1), access.pending());
        now++;
        access.read();
        assertNotPending();
        access.changed();
        now++;
        access.read();
        assertEquals(now, access.pending());
        long first = now++;
        access.read();
        assertEquals(first, access.pending());
        access.changed();
        access.changed();
        access.read();
        assertEquals(now, access.pending());
    }

    @Test
    void countsIfNotLaterThanAChange() {
        long[][] due = {{now, now, 0}, {now, 0, now}, {now - 1, now, now}};
        for (long[] times : due) {
            AccessTime one = new AccessTime(() -> now);
            one.logged(stat(times[0], times[1], times[2]), one.pending());
            one.read();
            assertEquals(now, one.pending());
        }
    }

    @Test
    void countsAfterADay() {
        InodeStat stat = stat(now, now - 1, now - 1);
        access.logged(stat, access.pending());
        now += DAY - 1;
        readManyTimes();
        assertNotPending();
        now++;
        readManyTimes();
        assertEquals(now, access.pending());
        long first = now;
        now += DAY - 1;
        readManyTimes();
        assertEquals(first, access.pending());
        now++;
        readManyTimes();
        assertEquals(now, access.pending());
        AccessTime opened = new AccessTime(() -> now);
        opened.logged(stat, opened.pending());
        opened.read(); // the first one
        assertEquals(now, opened.pending());
    }

    @Test
    void countsIfTheLastLiesInTheFuture() {
        access.logged(stat(now + 1, now - 1, now - 1), access.pending());
        access.read(); // the first one
        assertEquals(now, access.pending());
        long first = now;
        now -= DAY; // the clock is set back
        readManyTimes();
        assertEquals(now, access.pending());
        assertTrue(now < first);
        for (long extreme : new long[] {Long.MAX_VALUE, Long.MIN_VALUE + 1}) {
            AccessTime one = new AccessTime(() -> now);
            one.logged(stat(extreme, Long.MIN_VALUE, Long.MIN_VALUE), one.pending());
            one.read();
            assertEquals(now, one.pending());
        }
    }

    /** So often that one looks at the clock: it does not with a probability of 1e-13. */
    private void readManyTimes() {
        for (int i = 0; i < 2000; i++) {
            access.read();
        }
    }

    @Test
    void showsWhatTheLogLacks() {
        InodeStat stat = stat(1, 2, 3);
        access.logged(stat, access.pending());
        assertSame(stat, access.shown(stat));
        access.read();
        assertEquals(now, access.shown(stat).atime());
        assertEquals(stat, access.shown(stat).withAccess(1));
        access.logged(stat(now, 2, 3), access.pending());
        assertSame(stat, access.shown(stat));
        access.read();
        assertNotPending();
    }

    @Test
    void readDuringAChangeOfAttributesIsNotLost() {
        access.logged(stat(1, 2, 3), access.pending());
        access.read();
        long written = access.pending();
        access.changed();
        now++;
        access.read();
        access.logged(stat(written, 2, now), written);
        assertEquals(now, access.pending());
    }

    @Test
    void neverCounts() {
        AccessTime never = new AccessTime(AccessTime.clock(AccessTimes.NEVER));
        never.logged(stat(1, 2, 3), never.pending());
        never.changed();
        for (int i = 0; i < 2000; i++) {
            never.read();
        }
        assertFalse(AccessTime.isPending(never.pending()));
    }
}
