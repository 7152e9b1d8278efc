/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.time.Duration;
import java.time.Instant;

/**
 * What a store has done since it was opened, and what it is at the moment. Counters only grow; they are read one after
 * the other while other threads may work. What is counted of every call is a plain field under a lock that the call has
 * anyway; all else happens where something rare does. The names of the components are also those of the store's MBean
 * ({@link NovaStore#stats}).
 *
 * @param info space, and what opening the pool had to recover; blocks that wait to be given back count as used, other
 *     than in {@link NovaStore#info}
 * @param opened when the store was opened: counters of two moments may be compared if this is the same
 * @param uptime how long the store has been open
 * @param openFiles files and symbolic links that somebody has open, or mapped
 * @param loadedDirectories directories whose names are in memory
 * @param writes calls that wrote to files
 * @param logs what logs have grown and shrunk
 * @param cleaning what cleaning logs has done for that
 * @param faults page faults of mapped regions
 * @param locks waiting for locks
 */
public record StoreStats(
        StoreInfo info,
        Instant opened,
        Duration uptime,
        int openFiles,
        int loadedDirectories,
        Writes writes,
        Logs logs,
        CleaningStats cleaning,
        Faults faults,
        Locks locks) {

    /**
     * Calls that wrote bytes to files, or copied them from another file; what programs store to mapped files is not
     * known.
     *
     * @param calls calls that were committed
     * @param bytes bytes of theirs, those included that a copy leaves as holes
     */
    public record Writes(long calls, long bytes) {}

    /**
     * Logs of all inodes, in pages of {@link StoreInfo#blockSize()} bytes.
     *
     * @param entriesAppended entries that the index has followed: of writes, of changes of names and attributes, of
     *     page faults once a call has come to the file, and what cleaning has appended again
     * @param pagesAdded pages that commits added to logs
     * @param pagesFreed pages that cleaning has freed, or the deletion of files
     * @param transactionsEnded transactions over several logs that a crash had cut short behind their commit, and that
     *     opening the pool has ended
     */
    public record Logs(long entriesAppended, long pagesAdded, long pagesFreed, long transactionsEnded) {}

    /**
     * Page faults of lazily mapped regions, those included that are closed.
     *
     * @param served faults
     * @param pagesAllocated pages of holes that got a block by one
     * @param pagesMoved pages whose blocks one has moved together, since too many fragments were mapped
     * @param longestHold longest time that serving one kept other changes of the file waiting
     * @param mappings mappings of the kernel that all regions of the process take
     * @param mappingsMax how many they keep to; 0 before the first region
     */
    public record Faults(
            long served, long pagesAllocated, long pagesMoved, Duration longestHold, long mappings, long mappingsMax) {}

    /**
     * Waiting for locks; who finds a lock free is not counted.
     *
     * @param directories changes of names, and opening of files, that waited for changes of names
     * @param files calls on a file that waited for a call that changes it
     * @param tables waiting for the tables of open files, for opening a directory the first time, and for closing
     * @param logs how often a call and a page fault met at the log of a file
     */
    public record Locks(Waits directories, Waits files, Waits tables, long logs) {}

    /**
     * Waiting for one kind of locks.
     *
     * @param count how often a thread had to wait
     * @param time how long, all together
     */
    public record Waits(long count, Duration time) {}
}
