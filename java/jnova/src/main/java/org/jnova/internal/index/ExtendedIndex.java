/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.index;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;

/**
 * Extended attributes of one inode: which names there are, and where in the log the entry of each is that holds its
 * value. Built by replay. Names are compared whole, as unsigned bytes. Not thread-safe.
 */
public final class ExtendedIndex {
    /**
     * Where a value is.
     *
     * @param blk log page of its entry
     * @param idx line in that
     * @param length bytes of the value
     * @param blocks blocks that the value takes; 0 if it lies in the log
     * @param ordinal of the log page
     * @param weight lines of the entry, about: what it counts in {@link LogPages}
     */
    public record Place(int blk, int idx, int length, int blocks, int ordinal, int weight) {}

    private TreeMap<byte[], Place> places; // null as long as there are none: most inodes have none
    private long blocks;
    private long weight;
    private LogPages log; // hears of which entries count; null while all are of ordinal 0

    /** From now on, pages of the log are told what counts; null: no longer. */
    public void setLog(LogPages pagesOfLog) {
        log = pagesOfLog;
    }

    /** Where the value of a name is, or null if there is no such name. */
    public Place find(byte[] name) {
        return places == null ? null : places.get(name);
    }

    /** A name has a value, in place of the one that it may have had. May be repeated. */
    public void put(byte[] name, Place place) {
        if (places == null) {
            places = new TreeMap<>(Arrays::compareUnsigned);
        }
        Place old = places.put(name, place);
        blocks += place.blocks() - (old == null ? 0 : old.blocks());
        weight += place.weight() - (old == null ? 0 : old.weight());
        if (log != null) {
            log.counts(place.ordinal(), place.weight());
            replaced(old);
        }
    }

    private void replaced(Place old) {
        if (log != null && old != null) {
            log.replaced(old.ordinal(), old.weight());
        }
    }

    /** A name is gone. May be repeated. */
    public void remove(byte[] name) {
        Place old = places == null ? null : places.remove(name);
        if (old != null) {
            blocks -= old.blocks();
            weight -= old.weight();
            replaced(old);
        }
    }

    /** The names, sorted. */
    public List<byte[]> names() {
        return places == null ? List.of() : new ArrayList<>(places.keySet());
    }

    /** Of all entries. */
    public long weight() {
        return weight;
    }

    /** Where all values are, in no order. */
    public Collection<Place> places() {
        return places == null ? List.of() : places.values();
    }

    /** Blocks that all values take. */
    public long blocks() {
        return blocks;
    }
}
