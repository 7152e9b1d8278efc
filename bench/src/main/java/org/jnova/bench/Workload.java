/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

/** What is done to a system, over and over. */
enum Workload {
    OVERWRITE_4K("overwrite4k", Call.WRITE, 4 << 10, "write4k"),
    APPEND_64("append64", Call.APPEND, 64, "append64"),
    APPEND_128("append128", Call.APPEND, 128, "append128"),
    APPEND_1K("append1k", Call.APPEND, 1 << 10, "append1k"),
    /** One after the other, from the start again at the end. */
    WRITE_1M("write1m", Call.WRITE, 1 << 20, "write1m"),
    READ_4K("read4k", Call.READ, 4 << 10, "read4k"),
    /** Seven reads to three overwrites, in random order. */
    MIXED_4K("mixed4k", Call.MIXED, 4 << 10, null),
    /** Makes a new file, writes 4 KiB and closes it. */
    CREATE("create4k", Call.CREATE, 4 << 10, null),
    RENAME("rename", Call.RENAME, 4 << 10, null),
    /** Opens a file that is closed, and closes it. */
    OPEN("open", Call.OPEN, 4 << 10, null);

    /** The benchmark method: its name is that of the constant in lower case. */
    enum Call {
        WRITE,
        READ,
        APPEND,
        MIXED,
        CREATE,
        RENAME,
        OPEN
    }

    final String label;
    final Call call;

    /** Bytes of one write, read or append. */
    final int unit;

    /** Operation of the C loop that is the limit, or null. */
    final String limit;

    Workload(String label, Call call, int unit, String limit) {
        this.label = label;
        this.call = call;
        this.unit = unit;
        this.limit = limit;
    }

    boolean sequential() {
        return this == WRITE_1M;
    }

    boolean onNames() {
        return call == Call.CREATE || call == Call.RENAME || call == Call.OPEN;
    }
}
