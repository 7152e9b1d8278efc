/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.util.concurrent.atomic.LongAdder;
import org.jnova.CleaningStats;

/** What cleaning the logs of a store has done since it was opened. Thread-safe. */
final class CleaningCounters {
    private final LongAdder steps = new LongAdder();
    private final LongAdder freed = new LongAdder();
    private final LongAdder copied = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final LongAdder nanos = new LongAdder();

    void step() {
        steps.increment();
    }

    void freed(long pages) {
        freed.add(pages);
    }

    void copied(int things) {
        copied.add(things);
    }

    void failed() {
        failed.increment();
    }

    void took(long time) {
        nanos.add(time);
    }

    CleaningStats stats() {
        return new CleaningStats(steps.sum(), freed.sum(), copied.sum(), failed.sum(), nanos.sum());
    }
}
