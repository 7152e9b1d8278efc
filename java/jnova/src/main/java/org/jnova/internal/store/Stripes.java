/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

/** Spreads inode numbers over the stripes of a table, each with a lock of its own. */
final class Stripes {
    private static final int BITS = 6;

    /** Stripes of a table. */
    static final int COUNT = 1 << BITS;

    private Stripes() {}

    /** The stripe of an inode, 0 to COUNT - 1: neighbours lie apart (multiplication by 2^32 over the golden ratio). */
    static int of(int ino) {
        return (ino * 0x9E3779B9) >>> (Integer.SIZE - BITS);
    }
}
