/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.index;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The names of one directory, built by replay of its log alone. Names are bytes and compared as such, whole: names with
 * equal hashes are merely slower to tell apart.
 *
 * <p>Changes are made by one thread at a time (the directory's lock). Look-ups and iteration take no lock: a look-up
 * finds what some moment of it had; iteration shows each name that is there all the time once, and of those that come
 * and go meanwhile some. A name whose meaning changes is never missing in between.
 */
public final class DirectoryIndex {
    /**
     * A name and what it names.
     *
     * @param name the bytes; not to be changed
     * @param child what it names
     */
    public record Entry(byte[] name, Child child) {}

    private final Map<Name, Child> children = new ConcurrentHashMap<>();
    private LogPages log; // hears of which entries count; null while all are of ordinal 0. Written as names are
    private long weight; // likewise
    private volatile int directories; // among the children; written by the one who changes names

    /** What a name names, or null. */
    public Child find(byte[] name) {
        return children.get(new Name(name));
    }

    /** From now on, pages of the log are told what counts; null: no longer. */
    public void setLog(LogPages pagesOfLog) {
        log = pagesOfLog;
    }

    /**
     * Enters a name, replacing what it named before. The bytes are the index's from then on. If it named the same
     * inode, what it names stays the same object.
     */
    public void add(byte[] name, Child child) {
        Name key = new Name(name);
        Child had = children.get(key);
        if (had != null && had.equals(child)) {
            move(name, had, child.ordinal());
        } else {
            count(name, children.put(key, child), child);
        }
    }

    private void move(byte[] name, Child child, int ordinal) {
        if (log != null) {
            log.counts(ordinal, weight(name));
            log.replaced(child.ordinal(), weight(name));
        }
        child.setOrdinal(ordinal);
    }

    /** Removes a name; nothing if it is not there. */
    public void remove(byte[] name) {
        count(name, children.remove(new Name(name)), null);
    }

    /** Lines of the entry of a name: what it counts in {@link LogPages}. */
    private static int weight(byte[] name) {
        return LogPages.linesOf(name.length);
    }

    /** Of all entries. */
    public long weight() {
        return weight;
    }

    private void count(byte[] name, Child before, Child now) {
        weight += ((now != null ? 1 : 0) - (before != null ? 1 : 0)) * weight(name);
        if (log != null && now != null) {
            log.counts(now.ordinal(), weight(name));
        }
        if (log != null && before != null) {
            log.replaced(before.ordinal(), weight(name));
        }
        // The one writer has no rival here.
        int change = (now != null && now.isDirectory() ? 1 : 0) - (before != null && before.isDirectory() ? 1 : 0);
        if (change != 0) {
            directories = directories + change;
        }
    }

    /** Names; a moment's view while they change. */
    public int size() {
        return children.size();
    }

    public boolean isEmpty() {
        return children.isEmpty();
    }

    /** Names of directories among them. */
    public int directories() {
        return directories;
    }

    /** The entries, in no order, weakly consistent. */
    public Iterator<Entry> iterator() {
        Iterator<Map.Entry<Name, Child>> all = children.entrySet().iterator();
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return all.hasNext();
            }

            @Override
            public Entry next() {
                Map.Entry<Name, Child> next = all.next();
                return new Entry(next.getKey().bytes, next.getValue());
            }
        };
    }

    /** All entries, in no order; those of one moment if nobody changes them meanwhile. */
    public List<Entry> snapshot() {
        List<Entry> all = new ArrayList<>(children.size());
        children.forEach((name, child) -> all.add(new Entry(name.bytes, child)));
        return all;
    }

    /** Sorts entries by the unsigned bytes of their names. */
    public static List<Entry> sort(List<Entry> entries) {
        entries.sort((a, b) -> Arrays.compareUnsigned(a.name, b.name));
        return entries;
    }

    /** Bytes as a key; ordered, so that the map copes with many names of one hash. */
    private static final class Name implements Comparable<Name> {
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

        @Override
        public int compareTo(Name other) {
            return Arrays.compareUnsigned(bytes, other.bytes);
        }
    }
}
