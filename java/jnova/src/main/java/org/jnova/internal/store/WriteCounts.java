/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

/** Sums of what was written to files. Not thread-safe. */
final class WriteCounts {
    private long calls;
    private long bytes;
    private long entries;

    void add(long moreCalls, long moreBytes, long moreEntries) {
        calls += moreCalls;
        bytes += moreBytes;
        entries += moreEntries;
    }

    void add(WriteCounts other) {
        add(other.calls, other.bytes, other.entries);
    }

    /** Calls that wrote. */
    long calls() {
        return calls;
    }

    /** Bytes that these wrote. */
    long bytes() {
        return bytes;
    }

    /** Entries that logs of files got, by these and all other calls. */
    long entries() {
        return entries;
    }
}
