/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;

/**
 * Facts about an open store, as of one moment (other threads may write meanwhile). Block counts are in blocks of
 * {@link #blockSize()} bytes.
 *
 * @param pool the pool file
 * @param uuid drawn when the pool was made
 * @param formatVersion version of the format on the media
 * @param created when the pool was made
 * @param durability what a call that returned survives
 * @param blockSize bytes in a block
 * @param size bytes of the pool file
 * @param sizeMax bytes to which {@link NovaStore#resize} can make it larger
 * @param blocks blocks in all, superblocks and tables included
 * @param blocksData blocks that files, logs and inodes can use: free and used ones
 * @param blocksFree free blocks of those
 * @param blocksReserve of the free ones, kept back so that delete and truncate work on a full pool
 * @param longestFreeExtent blocks in the longest run of free ones
 * @param inodesUsed inodes in use, the root directory included
 * @param inodesMax inodes the pool can hold
 * @param lanes allocation lanes in use by this process
 * @param recovered whether opening had to scan the logs, as after a crash
 * @param recoveryTime how long opening took to find the state of the pool
 * @param recoveredInodes logs that recovery read; 0 after a clean close
 * @param recoveredOrphans inodes without a name that recovery released
 */
public record StoreInfo(
        Path pool,
        UUID uuid,
        int formatVersion,
        Instant created,
        Durability durability,
        int blockSize,
        long size,
        long sizeMax,
        long blocks,
        long blocksData,
        long blocksFree,
        long blocksReserve,
        long longestFreeExtent,
        long inodesUsed,
        long inodesMax,
        int lanes,
        boolean recovered,
        Duration recoveryTime,
        long recoveredInodes,
        long recoveredOrphans) {

    /** {@return the number of files, directories and symbolic links: inodes in use but the root directory} */
    public long files() {
        return inodesUsed - 1;
    }

    /** {@return bytes that are free for files, the reserve not counted} */
    public long freeBytes() {
        return Math.max(0, blocksFree - blocksReserve) * blockSize;
    }

    /** {@return bytes in use by files, logs and inodes} */
    public long usedBytes() {
        return (blocksData - blocksFree) * blockSize;
    }
}
