/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import org.jnova.CleaningStats;
import org.jnova.StoreInfo;
import org.jnova.StoreStats;
import org.jnova.internal.core.NativePool;
import org.jnova.internal.core.PoolStats;
import org.jnova.internal.lock.LockRank;
import org.jnova.internal.lock.LockWaits;

/** Gathers what the parts of a store have counted. */
final class StatsReader {
    private StatsReader() {}

    static StoreStats read(
            Instant opened,
            long openedNanos,
            NativePool pool,
            InodeTable table,
            DirectoryTable directories,
            CleaningStats cleaning)
            throws IOException {
        StoreInfo info = pool.info();
        PoolStats counted = pool.stats();
        WriteCounts written = table.written();
        return new StoreStats(
                info,
                opened,
                Duration.ofNanos(System.nanoTime() - openedNanos), // behind what took time to ask
                table.openInodes(),
                directories.size(),
                new StoreStats.Writes(written.calls(), written.bytes()),
                new StoreStats.Logs(
                        written.entries() + directories.entries(),
                        counted.logPagesAdded(),
                        counted.logPagesFreed(),
                        counted.redone()),
                cleaning,
                new StoreStats.Faults(
                        counted.faults(),
                        counted.faultPages(),
                        counted.faultMoved(),
                        Duration.ofNanos(counted.faultHoldMaxNanos()),
                        counted.mapVmas(),
                        counted.mapVmasMax()),
                locks(pool.lockWaits(), counted.logLockWaits()));
    }

    private static StoreStats.Locks locks(LockWaits waits, long logs) {
        return new StoreStats.Locks(
                waits(waits, LockRank.RENAME, LockRank.DIRECTORY),
                waits(waits, LockRank.IO, LockRank.INDEX),
                waits(waits, LockRank.LIFECYCLE, LockRank.STORE, LockRank.POOL, LockRank.REGION),
                logs);
    }

    private static StoreStats.Waits waits(LockWaits waits, LockRank... ranks) {
        long count = 0;
        long nanos = 0;
        for (LockRank rank : ranks) {
            count += waits.count(rank);
            nanos += waits.nanos(rank);
        }
        return new StoreStats.Waits(count, Duration.ofNanos(nanos));
    }
}
