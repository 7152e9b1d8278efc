/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.index;

import java.util.Arrays;

/**
 * Where the pages of one file are: a radix tree from file page to slot, as high as the highest page needs. Built by
 * replay of the file's log alone, and always rebuildable from it. After the per-file radix tree of NOVA (Xu and
 * Swanson, FAST 2016, section 3).
 *
 * <pre>
 * slot   63..32 place of the entry in the log (LogPages)      31..0 block, 0 for a hole
 * leaf   long[512] of slots; the leaf of a tree of one leaf starts small and doubles, for the sake of small files
 * inner  Object[512] of leaves or inner nodes; null where there is nothing
 * </pre>
 *
 * <p><b>Threads.</b> Changes are serialised by the caller (indexLock). Lookups may race with them, if the caller
 * validates a stamp afterwards: a racing lookup may answer a slot that was, or none, but never fails and never
 * answers what was no slot of this file: root and height are one immutable object, arrays are replaced by larger ones
 * and not resized, and every index is bounded.
 *
 * <p><b>Memory.</b> 2.1 MiB of heap for a GiB of file, about 100 bytes for a file of one block.
 */
public final class RadixIndex {
    private static final int BITS = 9;
    private static final int FANOUT = 1 << BITS;
    private static final int MASK = FANOUT - 1;
    /** Beyond any page: a file has up to 2^60 bytes, and as many again may be allocated and pushed beyond them. */
    private static final long PAGES_MAX = 1L << 50;

    private static final Tree EMPTY = new Tree(null, 0);

    private Tree tree = EMPTY;
    private long pages; // that are mapped
    private LogPages log; // hears of which entries count; null while all are of ordinal 0

    /**
     * A root and the bits of the page number that are below it: 0 if it is a leaf. Immutable, so that a race sees
     * both or neither.
     */
    private static final class Tree {
        final Object root;
        final int shift;

        Tree(Object root, int shift) {
            this.root = root;
            this.shift = shift;
        }
    }

    /** Block of a page, 0 for a hole. May race with a change. */
    public int block(long page) {
        return (int) slot(page);
    }

    /** Slot of a page, 0 for a hole. May race with a change. */
    public long slot(long page) {
        long[] leaf = leaf(page);
        int i = (int) page & MASK;
        return leaf != null && i < leaf.length ? leaf[i] : 0;
    }

    /**
     * How far a page's neighbourhood is in one piece. May race with a change: the run then is of blocks that were this
     * file's at some time each, so that none lies outside the pool.
     *
     * @param page the first page
     * @param blk what {@link #block} answered for it
     * @param max most pages to look at, at least 1
     * @return number of pages from this one on, at least 1, that are all holes, or all in consecutive blocks from blk on.
     *     Not the most there are: the answer ends at a leaf's end.
     */
    public int run(long page, int blk, int max) {
        int i = (int) page & MASK;
        int room = Math.min(max, FANOUT - i);
        long[] leaf = leaf(page);
        if (leaf == null || i >= leaf.length) {
            return blk == 0 ? room : 1;
        }
        int end = Math.min(i + room, leaf.length);
        int step = blk == 0 ? 0 : 1;
        int n = 1;
        while (i + n < end && (int) leaf[i + n] == blk + n * step) {
            n++;
        }
        return n;
    }

    /** How many pages right before a mapped one lie in a row with it. Not the most there are, as of {@link #run}. */
    public int runBefore(long page, int blk) {
        int i = (int) page & MASK;
        long[] leaf = leaf(page);
        int n = 0;
        while (leaf != null && n < i && n < blk - 1 && (int) leaf[i - n - 1] == blk - n - 1) { // block 0: a hole
            n++;
        }
        return n;
    }

    /**
     * The least page from one on that is mapped, or -1. May race with a change: then it is one that was, or -1.
     */
    public long nextMapped(long page) {
        Tree t = tree;
        return t.root == null || page >>> t.shift >= FANOUT ? -1 : nextMapped(t.root, t.shift, page);
    }

    /** The same below a node, page and answer counted from its start. */
    private static long nextMapped(Object node, int shift, long page) {
        int i = (int) (page >>> shift);
        if (node instanceof long[] leaf) {
            while (i < leaf.length) {
                if (leaf[i] != 0) {
                    return i;
                }
                i++;
            }
            return -1;
        }
        Object[] inner = (Object[]) node;
        for (long from = page & (1L << shift) - 1; i < FANOUT; i++, from = 0) {
            Object child = inner[i];
            long found = child == null ? -1 : nextMapped(child, shift - BITS, from);
            if (found >= 0) {
                return ((long) i << shift) + found;
            }
        }
        return -1;
    }

    /** The least page from one on that is a hole. May race with a change: then it is one that was. */
    public long nextHole(long page) {
        for (long at = page; ; at = (at | MASK) + 1) {
            long[] leaf = leaf(at);
            int i = (int) at & MASK;
            while (leaf != null && i < leaf.length && leaf[i] != 0) {
                i++;
            }
            if (leaf == null || i < FANOUT) {
                return (at & ~MASK) + (leaf == null ? at & MASK : i);
            }
        }
    }

    /** Pages that are mapped. Exact under the lock. */
    public long pages() {
        return pages;
    }

    private long[] leaf(long page) {
        Tree t = tree;
        Object node = t.root;
        int shift = t.shift;
        if (page >>> shift >= FANOUT) {
            return null;
        }
        for (; shift > 0 && node != null; shift -= BITS) {
            node = ((Object[]) node)[(int) (page >>> shift) & MASK];
        }
        return (long[]) node;
    }

    /** From now on, pages of the log are told what counts; null: no longer, all entries are of ordinal 0. */
    public void setLog(LogPages pagesOfLog) {
        log = pagesOfLog;
    }

    private static long slotOf(int place, int blk) {
        return (long) place << 32 | Integer.toUnsignedLong(blk);
    }

    /** Place of the entry that a slot is of. */
    private static int place(long slot) {
        return (int) (slot >>> 32);
    }

    /** Ordinal of the log page whose entry a slot is of. */
    public static int ordinal(long slot) {
        return LogPages.ordinal(place(slot));
    }

    /** Whether {@link #map} of these pages needs no memory. */
    public boolean covers(long firstPage, long lastPage) {
        for (long page = firstPage; page <= lastPage; page = (page | MASK) + 1) {
            long[] leaf = leaf(page);
            if (leaf == null || leaf.length <= (int) (Math.min(lastPage, page | MASK) & MASK)) {
                return false;
            }
        }
        return true;
    }

    /**
     * Makes the nodes that {@link #map} of these pages needs. If it throws, for lack of memory, nothing has changed
     * that shows.
     */
    public void prepare(long firstPage, long lastPage) {
        for (long page = firstPage; page <= lastPage; page = (page | MASK) + 1) {
            makeLeaf(page, Math.min(lastPage, page | MASK));
        }
    }

    /**
     * Maps pages to consecutive blocks. If it throws, for lack of memory, a part has been mapped, and the same call
     * may be repeated.
     *
     * @param page the first page
     * @param blk the first block
     * @param count pages
     * @param ordinal of the log page of the entry that says so
     * @param line where in that page it begins
     * @param replaced gets the blocks that were there; null if they are of no interest
     */
    public void map(long page, int blk, int count, int ordinal, int line, ExtentList replaced) {
        assert blk != 0 && count > 0;
        int place = LogPages.place(ordinal, line, count);
        if (count == 1) {
            mapOne(page, blk, place, line, replaced);
            return;
        }
        for (int done = 0; done < count; ) {
            long first = page + done;
            int i = (int) first & MASK;
            int n = Math.min(count - done, FANOUT - i);
            long[] leaf = makeLeaf(first, first + n - 1);
            for (int k = 0, from; k < n; ) { // each round, what one entry, or several of many pages, have said
                from = k;
                long before = leaf[i + from];
                try {
                    do {
                        int old = (int) leaf[i + k];
                        int now = blk + done + k;
                        if (old != 0 && old != now && replaced != null) {
                            replaced.add(old);
                        }
                        leaf[i + k] = slotOf(place, now);
                        k++;
                    } while (k < n && isOfSamePlace(leaf[i + k], before));
                } finally { // what has been mapped counts, also if there was no memory for more
                    count(before, place, line, k - from);
                }
            }
            done += n;
        }
    }

    private void mapOne(long page, int blk, int place, int line, ExtentList replaced) {
        long[] leaf = makeLeaf(page, page);
        int i = (int) page & MASK;
        long before = leaf[i];
        int old = (int) before;
        if (old != 0 && old != blk && replaced != null) {
            replaced.add(old);
        }
        leaf[i] = slotOf(place, blk);
        count(before, place, line, 1);
    }

    private static boolean isOfSamePlace(long slot, long other) {
        return place(slot) == place(other) && (slot == 0) == (other == 0);
    }

    /** Pages whose slots were of one place have been mapped by an entry of another, or the same. */
    private void count(long before, int place, int line, int amount) {
        if (before == 0) {
            pages += amount;
        }
        if (log != null && amount != 0) { // else what was there still is read
            log.countsAt(place, line, amount);
            if (before != 0 && place(before) == place) { // applied once more
                log.replaced(LogPages.ordinal(place), amount);
            } else if (before != 0) {
                log.replacedAt(place(before), amount);
            }
        }
    }

    /** The leaf of a page, made if need be, with room for all up to another page of it. */
    private long[] makeLeaf(long page, long lastPage) {
        assert page >= 0 && lastPage < PAGES_MAX && page >>> BITS == lastPage >>> BITS;
        while (lastPage >>> tree.shift >= FANOUT) {
            raise();
        }
        if (tree.shift == 0) {
            return rootLeaf((int) lastPage & MASK);
        }
        Object[] node = (Object[]) tree.root;
        for (int shift = tree.shift; ; shift -= BITS) {
            int i = (int) (page >>> shift) & MASK;
            if (shift == BITS) {
                if (node[i] == null) {
                    node[i] = new long[FANOUT];
                }
                return (long[]) node[i];
            }
            if (node[i] == null) {
                node[i] = new Object[FANOUT];
            }
            node = (Object[]) node[i];
        }
    }

    /** One level more. */
    private void raise() {
        Object root = tree.root;
        if (root instanceof long[] small && small.length < FANOUT) {
            root = Arrays.copyOf(small, FANOUT);
        }
        Object[] top = new Object[FANOUT];
        top[0] = root;
        tree = new Tree(top, tree.shift + BITS);
    }

    /** The leaf of a tree of one leaf, long enough for an index. */
    private long[] rootLeaf(int index) {
        long[] leaf = (long[]) tree.root;
        if (leaf == null || leaf.length <= index) {
            int length = index == 0 ? 1 : Integer.highestOneBit(index) << 1;
            leaf = leaf == null ? new long[length] : Arrays.copyOf(leaf, length);
            tree = new Tree(leaf, 0);
        }
        return leaf;
    }

    /**
     * Unmaps all pages from one on. If it throws, for lack of memory, a part has been unmapped, and the same call may
     * be repeated.
     *
     * @param fromPage the first page to go
     * @param removed gets the blocks that were there, in order of pages; null if they are of no interest
     */
    public void truncate(long fromPage, ExtentList removed) {
        unmap(fromPage, PAGES_MAX, removed);
        Tree t = tree;
        while (t.shift > 0 && fromPage <= 1L << t.shift) {
            t = new Tree(((Object[]) t.root)[0], t.shift - BITS);
        }
        if (t != tree) {
            tree = t.root == null ? EMPTY : t;
        }
    }

    /**
     * Unmaps a range. If it throws, for lack of memory, a part has been unmapped, and the same call may be repeated.
     *
     * @param from the first page to go
     * @param to the first behind it to stay
     * @param removed gets the blocks that were there, in order of pages; null if they are of no interest
     */
    public void unmap(long from, long to, ExtentList removed) {
        if (tree.root != null && cut(tree.root, tree.shift, 0, from, to, removed)) {
            tree = EMPTY;
        }
    }

    /**
     * Unmaps a range, and moves what lies behind it down to its start. Takes time in the number of pages behind. If it
     * throws, for lack of memory, the same call may be repeated: what moves does so at once, in a new tree.
     */
    public void collapse(long page, long count, ExtentList removed) {
        unmap(page, page + count, removed);
        if (nextMapped(page) >= 0) {
            tree = moved(page, -count);
        }
    }

    /** Moves what lies from a page on up. Time and failures as of {@link #collapse}. */
    public void insert(long page, long count) {
        if (nextMapped(page) >= 0) {
            tree = moved(page, count);
        }
    }

    /** A tree in which the pages from one on lie elsewhere; leaves before it are the same ones. */
    private Tree moved(long from, long delta) {
        RadixIndex to = new RadixIndex();
        for (long page = nextMapped(0); page >= 0; page = nextMapped((page | MASK) + 1)) {
            long start = page & ~MASK;
            long[] leaf = leaf(page);
            if (start + FANOUT <= from && leaf.length == FANOUT) {
                to.setLeaf(start, leaf);
                continue;
            }
            int stays = (int) Math.max(0, Math.min(leaf.length, from - start));
            to.copy(start, leaf, 0, stays);
            to.copy(start + delta, leaf, stays, leaf.length);
        }
        return to.tree;
    }

    /** Copies slots {@code i} to {@code end} of a leaf, whose first page then is {@code start}. */
    private void copy(long start, long[] from, int i, int end) {
        while (i < end) {
            if (from[i] == 0) {
                i++;
                continue;
            }
            long page = start + i;
            int at = (int) page & MASK;
            int n = Math.min(end - i, FANOUT - at);
            while (from[i + n - 1] == 0) {
                n--;
            }
            System.arraycopy(from, i, makeLeaf(page, page + n - 1), at, n);
            i += n;
        }
    }

    private void setLeaf(long start, long[] leaf) {
        while (start + MASK >>> tree.shift >= FANOUT) {
            raise();
        }
        if (tree.shift == 0) {
            tree = new Tree(leaf, 0);
            return;
        }
        Object[] node = (Object[]) tree.root;
        for (int shift = tree.shift; shift > BITS; shift -= BITS) {
            int i = (int) (start >>> shift) & MASK;
            if (node[i] == null) {
                node[i] = new Object[FANOUT];
            }
            node = (Object[]) node[i];
        }
        node[(int) (start >>> BITS) & MASK] = leaf;
    }

    /** Cuts a range from a subtree whose first page is {@code base}; true if nothing is left of it. */
    private boolean cut(Object node, int shift, long base, long from, long to, ExtentList removed) {
        if (node instanceof long[] leaf) {
            return cutLeaf(leaf, base, from, to, removed);
        }
        Object[] inner = (Object[]) node;
        boolean empty = true;
        for (int i = 0; i < FANOUT; i++) {
            if (inner[i] == null) {
                continue;
            }
            long first = base + ((long) i << shift);
            boolean touched = first + (1L << shift) > from && first < to;
            if (touched && cut(inner[i], shift - BITS, first, from, to, removed)) {
                inner[i] = null;
            } else {
                empty = false;
            }
        }
        return empty;
    }

    private boolean cutLeaf(long[] leaf, long base, long from, long to, ExtentList removed) {
        int first = (int) Math.max(0, Math.min(leaf.length, from - base));
        int end = (int) Math.max(0, Math.min(leaf.length, to - base));
        for (int i = first; i < end; i++) {
            int old = (int) leaf[i];
            if (old != 0) {
                if (removed != null) {
                    removed.add(old);
                }
                if (log != null) {
                    log.replacedAt(place(leaf[i]), 1);
                }
                leaf[i] = 0;
                pages--;
            }
        }
        for (long slot : leaf) {
            if (slot != 0) {
                return false;
            }
        }
        return true;
    }

    /** Forgets everything. */
    public void clear() {
        tree = EMPTY;
        pages = 0;
        log = null;
    }
}
