/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import java.nio.ByteBuffer;

/** A {@code nova_region_stat}: facts about a mapped region. */
public record RegionStat(
        long address,
        long length,
        long faults,
        long allocated,
        long mapped,
        long vmas,
        long vmasAll,
        long vmasMax,
        long moved,
        long holdMaxNanos,
        long holdP99Nanos,
        boolean lazy,
        boolean inPlace) {

    static RegionStat read(ByteBuffer in, int at) {
        return new RegionStat(
                in.getLong(at + Abi.REGION_ADDR),
                in.getLong(at + Abi.REGION_LEN),
                in.getLong(at + Abi.REGION_FAULTS),
                in.getLong(at + Abi.REGION_ALLOCATED),
                in.getLong(at + Abi.REGION_MAPPED),
                in.getLong(at + Abi.REGION_VMAS),
                in.getLong(at + Abi.REGION_VMAS_ALL),
                in.getLong(at + Abi.REGION_VMAS_MAX),
                in.getLong(at + Abi.REGION_MOVED),
                in.getLong(at + Abi.REGION_HOLD_MAX_NS),
                in.getLong(at + Abi.REGION_HOLD_P99_NS),
                in.getInt(at + Abi.REGION_LAZY) != 0,
                in.getInt(at + Abi.REGION_IN_PLACE) != 0);
    }
}
