/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

/**
 * What is still there after a crash, in words: of the process, in which all that has reached the kernel survives, and of
 * the machine, in which nothing on tmpfs does.
 */
enum Durability {
    /** JNova as it runs where it is asked for nothing: persistent memory is flushed, other files are synced. */
    NOVA("power-fail safe"),
    /** Synced to the device within the call. */
    SYNCED("power-fail safe"),
    /** In the page cache, by a system that finds out which of its records are whole, or leaves that to the caller. */
    PAGE_CACHE("process-crash safe, may lose the last writes at a power failure"),
    /** The same, by a system that relies on an order that the kernel does not keep. */
    PAGE_CACHE_UNORDERED("process-crash safe, may lose everything at a power failure"),
    /** JNova's emulated mode: flushes without syncs, which are enough on persistent memory alone. */
    NOVA_EMULATED("process-crash safe, may lose everything at a power failure");

    /** For calls that write nothing. */
    static final String NOTHING_WRITTEN = "-";

    private static final String ON_TMPFS = "process-crash safe";

    private final String words;

    Durability(String words) {
        this.words = words;
    }

    /**
     * In words.
     *
     * @param atomic whether a call that a crash cuts short has happened wholly or not at all
     */
    String words(FileSystemInfo fs, boolean atomic) {
        String text = fs.isTmpfs() ? ON_TMPFS : this == NOVA_EMULATED && fs.dax() ? NOVA.words : words;
        return atomic ? text : text + ", not atomic";
    }
}
