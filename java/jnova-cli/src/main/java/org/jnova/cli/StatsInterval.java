/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.time.Duration;
import java.util.Map;
import org.jnova.StoreStats;

/** What a store has done between two readings of its statistics. */
final class StatsInterval {
    private static final long SECOND = 1_000_000_000;

    private final StoreStats now;
    private final long nanos;
    private final Map<String, Long> counts;

    /**
     * @param before the earlier reading; if it is null, or the store was closed since, the interval begins when the store
     *     was opened
     */
    StatsInterval(StoreStats before, StoreStats now) {
        boolean same = before != null && before.opened().equals(now.opened());
        this.now = now;
        this.nanos = now.uptime().toNanos() - (same ? before.uptime().toNanos() : 0);
        this.counts = StatsFigures.counters(now);
        if (same) {
            Map<String, Long> earlier = StatsFigures.counters(before);
            counts.replaceAll((name, count) -> count - earlier.get(name));
        }
    }

    /** The reading at its end. */
    StoreStats now() {
        return now;
    }

    /** By the store's own clock. */
    Duration length() {
        return Duration.ofNanos(nanos);
    }

    /** How much each of {@link StatsFigures#counters} has grown. */
    Map<String, Long> counts() {
        return counts;
    }

    /** What has been counted under some names, per second. */
    double perSecond(String... names) {
        return share(names) * SECOND;
    }

    /** Of times: their sum as a part of the interval; more than 1 if several threads took part. */
    double share(String... names) {
        long sum = 0;
        for (String name : names) {
            sum += counts.get(name);
        }
        return (double) sum / Math.max(1, nanos);
    }
}
