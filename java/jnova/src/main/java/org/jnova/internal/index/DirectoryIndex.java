/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.index;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The names of one directory, built by replay of its log alone. Names are bytes and compared as such. Not
 * thread-safe: guarded by the namespace lock.
 */
public final class DirectoryIndex {
    /**
     * What a name names.
     *
     * @param ino inode number, unsigned
     * @param gen its generation, unsigned
     * @param type file type as in the native interface
     */
    public record Child(int ino, int gen, int type) {}

    /**
     * A name and what it names.
     *
     * @param name the bytes; not to be changed
     * @param child what it names
     */
    public record Entry(byte[] name, Child child) {}

    private final Map<Name, Child> children = new HashMap<>();

    /** What a name names, or null. */
    public Child find(byte[] name) {
        return children.get(new Name(name));
    }

    /** Enters a name, replacing what it named before. The bytes are the index's from then on. */
    public void add(byte[] name, Child child) {
        children.put(new Name(name), child);
    }

    /** Removes a name; nothing if it is not there. */
    public void remove(byte[] name) {
        children.remove(new Name(name));
    }

    public int size() {
        return children.size();
    }

    /** All entries, sorted by the unsigned bytes of their names. */
    public List<Entry> sorted() {
        List<Entry> all = new ArrayList<>(children.size());
        children.forEach((name, child) -> all.add(new Entry(name.bytes, child)));
        all.sort((a, b) -> Arrays.compareUnsigned(a.name, b.name));
        return all;
    }

    /** Bytes as a key. */
    private static final class Name {
        final byte[] bytes;
        private final int hash;

        Name(byte[] bytes) {
            this.bytes = bytes;
            this.hash = Arrays.hashCode(bytes);
        }

        @Override
        public int hashCode() {
            return hash;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Name name && hash == name.hash && Arrays.equals(bytes, name.bytes);
        }
    }
}
