/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.index;

import org.jnova.internal.core.Abi;

/** What a name in a directory names: an inode. Two are equal if they are the same inode. Thread-safe. */
public final class Child {
    private final int ino;
    private final int gen;
    private final int type;
    private int ordinal;
    private volatile byte[] target;

    /**
     * @param ino inode number, unsigned
     * @param gen its generation, unsigned
     * @param type file type as in the native interface
     */
    public Child(int ino, int gen, int type) {
        this.ino = ino;
        this.gen = gen;
        this.type = type;
    }

    public int ino() {
        return ino;
    }

    public int gen() {
        return gen;
    }

    public int type() {
        return type;
    }

    /** Ordinal of the log page that holds the entry of the name. Guarded by the directory's lock. */
    public int ordinal() {
        return ordinal;
    }

    /** The entry of the name is there now. */
    public void setOrdinal(int logPage) {
        ordinal = logPage;
    }

    public boolean isDirectory() {
        return type == Abi.DIR;
    }

    public boolean isLink() {
        return type == Abi.SYMLINK;
    }

    /** The target of a symbolic link, which never changes, if it has been read; else null. Not to be changed. */
    public byte[] target() {
        return target;
    }

    /** Keeps the target of a symbolic link, so that path walks need not open it again. */
    public void keepTarget(byte[] bytes) {
        target = bytes;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Child child && ino == child.ino && gen == child.gen;
    }

    @Override
    public int hashCode() {
        return 31 * ino + gen;
    }

    @Override
    public String toString() {
        return "inode " + Integer.toUnsignedString(ino) + ", generation " + Integer.toUnsignedString(gen);
    }
}
