/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import java.nio.ByteBuffer;

/** A {@code nova_pool_stats}: what was done since a pool was opened. */
public record PoolStats(
        long logPagesAdded,
        long logPagesFreed,
        long faults,
        long faultPages,
        long faultMoved,
        long faultHoldMaxNanos,
        long logLockWaits,
        long redone,
        long mapVmas,
        long mapVmasMax) {

    static PoolStats read(ByteBuffer in, int at) {
        return new PoolStats(
                in.getLong(at + Abi.STATS_LOG_PAGES_ADDED),
                in.getLong(at + Abi.STATS_LOG_PAGES_FREED),
                in.getLong(at + Abi.STATS_FAULTS),
                in.getLong(at + Abi.STATS_FAULT_PAGES),
                in.getLong(at + Abi.STATS_FAULT_MOVED),
                in.getLong(at + Abi.STATS_FAULT_HOLD_MAX_NS),
                in.getLong(at + Abi.STATS_LOG_LOCK_WAITS),
                in.getLong(at + Abi.STATS_REDONE),
                in.getLong(at + Abi.STATS_MAP_VMAS),
                in.getLong(at + Abi.STATS_MAP_VMAS_MAX));
    }
}
