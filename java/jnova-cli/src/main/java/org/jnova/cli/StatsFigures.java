/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jnova.StoreStats;

/** The figures of a store's statistics by the names that they have in JSON; times in nanoseconds. */
final class StatsFigures {
    private StatsFigures() {}

    /** Those that go up and down, or are no sum. */
    static Map<String, Long> state(StoreStats stats) {
        Map<String, Long> map = new LinkedHashMap<>();
        map.put("uptimeNanos", stats.uptime().toNanos());
        map.put("openFiles", (long) stats.openFiles());
        map.put("loadedDirectories", (long) stats.loadedDirectories());
        map.put("faultLongestHoldNanos", stats.faults().longestHold().toNanos());
        map.put("mappings", stats.faults().mappings());
        map.put("mappingsMax", stats.faults().mappingsMax());
        return map;
    }

    /** Those that only grow: what was done since the store was opened. */
    static Map<String, Long> counters(StoreStats stats) {
        Map<String, Long> map = new LinkedHashMap<>();
        map.put("writes", stats.writes().calls());
        map.put("bytesWritten", stats.writes().bytes());
        map.put("entriesAppended", stats.logs().entriesAppended());
        map.put("logPagesAdded", stats.logs().pagesAdded());
        map.put("logPagesFreed", stats.logs().pagesFreed());
        map.put("transactionsEnded", stats.logs().transactionsEnded());
        map.put("cleaningSteps", stats.cleaning().steps());
        map.put("cleaningPagesFreed", stats.cleaning().pagesFreed());
        map.put("cleaningCopied", stats.cleaning().copied());
        map.put("cleaningFailed", stats.cleaning().failed());
        map.put("cleaningNanos", stats.cleaning().nanos());
        map.put("faults", stats.faults().served());
        map.put("faultPages", stats.faults().pagesAllocated());
        map.put("faultPagesMoved", stats.faults().pagesMoved());
        putWaits(map, "directories", stats.locks().directories());
        putWaits(map, "files", stats.locks().files());
        putWaits(map, "tables", stats.locks().tables());
        map.put("logsWaits", stats.locks().logs());
        return map;
    }

    private static void putWaits(Map<String, Long> map, String locks, StoreStats.Waits waits) {
        map.put(locks + "Waits", waits.count());
        map.put(locks + "WaitNanos", waits.time().toNanos());
    }
}
