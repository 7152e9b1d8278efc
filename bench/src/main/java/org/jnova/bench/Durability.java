/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

/**
 * What of a call that returned is still there after a crash, in words, and whether a call that a crash cut short is
 * there wholly or not at all.
 */
enum Durability {
    /** JNova as it runs where it is asked for nothing, and the protocol that it does. */
    NOVA(true),
    /** JNova's emulated mode, wherever. */
    NOVA_EMULATED(true),
    /** Handed to the kernel: it is in the page cache. */
    PAGE_CACHE(false),
    /** The same, by a system that finds out which of its records are whole. */
    PAGE_CACHE_ATOMIC(true),
    /** Synced to the device within the call. */
    SYNCED(false),
    SYNCED_ATOMIC(true),
    /** In the memory of the process at first. */
    BUFFERED(true),
    /** Nothing is written. */
    NONE(true);

    private static final String POWER_FAIL = "power-fail safe";
    private static final String PROCESS_CRASH = "process-crash safe";
    private static final String LAST_WRITES = "may lose the last writes";

    private final boolean atomic;

    Durability(boolean atomic) {
        this.atomic = atomic;
    }

    /** On tmpfs nothing survives a power failure, and all that has reached the kernel survives the process. */
    String words(FileSystemInfo fs) {
        String words =
                switch (this) {
                    case NOVA, SYNCED, SYNCED_ATOMIC -> fs.isTmpfs() ? PROCESS_CRASH : POWER_FAIL;
                    case NOVA_EMULATED -> fs.dax() ? POWER_FAIL : PROCESS_CRASH;
                    case PAGE_CACHE, PAGE_CACHE_ATOMIC -> PROCESS_CRASH;
                    case BUFFERED -> LAST_WRITES;
                    case NONE -> "-";
                };
        return atomic ? words : words + ", not atomic";
    }
}
