/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.index;

import java.util.Arrays;

/**
 * The pages of one inode's log, and how much of each still counts: what cleaning the log goes by. Counted at the moment
 * when something that counts is replaced, so that a page of which nothing counts is known at once; NOVA found that out by
 * walking the log (Xu and Swanson, FAST 2016, section 3.6).
 *
 * <p>A page is known by its <em>ordinal</em>: 1, 2, ... in the order in which the log entered them; 0 stands for the
 * lines in the inode's slot. A block may be a page of the same log more than once; its ordinal is another one each time.
 * Behind the largest one ({@value #ORDINAL_BITS} bits) comes 1 again: the pages of a log are never half of that apart, so
 * that differences say which is before which. A log of which they would be enters no further page: the last ordinal then
 * stands for all that follows, and is not cleaned. That takes more than 3 TiB of a file in single pages.
 *
 * <p>A <em>place</em> is an ordinal with a line of that page, as one int. What was said in a place, and counts no longer,
 * is not read by cleaning.
 *
 * <p>What an index holds is counted by <em>weight</em>: a page of a file that an entry gave its block has 1, a name or
 * an attribute the lines of its entry. A page of the log holds at most {@value #LINES} lines that count, whatever its
 * weight.
 *
 * <p>Not thread-safe. What throws, for lack of memory, has changed nothing.
 */
public final class LogPages {
    /** Lines of a page. */
    public static final int LINES = 63;

    private static final int LINE_BITS = 6;
    /** Of an ordinal. */
    private static final int ORDINAL_BITS = Integer.SIZE - LINE_BITS;

    static final int ORDINAL_MASK = (1 << ORDINAL_BITS) - 1;
    /** No page follows when the first and the last one are so far apart: past 0, its distance would be half of all. */
    static final int SPAN_MAX = (1 << ORDINAL_BITS - 1) - 2;

    private static final int NO_LINE = LINES;
    private static final long ALL_LINES = -1L;

    private static final int LINE = 64; // bytes
    private static final int NAME_AT = 44; // where in an entry its name begins

    /** Most weight of a page of which little counts: to append that again makes much more room than it takes. */
    public static final int SPARSE_MAX = 8;
    // Lists that pages in the middle of the log are in.
    private static final int DEAD = 1;
    private static final int SPARSE = 2;
    private static final int TAKEN = 3; // sparse ones that are being gathered

    // What entries of a page may say beside what is counted.
    private static final int SIZE = 1; // alone: if one behind it says the size, too, it may leave the middle of a log
    private static final int OTHERS = 2; // none may

    private static final int FIRST_CAPACITY = 4;
    /** Beyond twice what counts. */
    private static final int SLACK_PAGES = 4;

    // How far apart in ordinals the pages of a log may get: by its pages, and by what it says, since each ordinal between
    // takes memory (34 bytes), as what it says does in the index, but to bring them together takes time for all of that.
    // Before ordinals would run out, it is worth that in any case.
    private static final int STRETCH = 3;
    private static final int STRETCH_SLACK = 64;
    private static final int WEIGHT_PER_STRETCH = 32;

    /** For tests: whether logs are cleaned at any moment, whatever their length. */
    private static volatile boolean always;

    // Of ordinal base + i. Pages that have left the log stay as gaps until all before them have.
    private int base;
    private int[] blk = new int[FIRST_CAPACITY];
    private int[] weight = new int[FIRST_CAPACITY];
    private int[] before = new int[FIRST_CAPACITY]; // ordinals of the neighbours in the log; 0: none
    private int[] behind = new int[FIRST_CAPACITY];
    private int[] previous = new int[FIRST_CAPACITY]; // neighbours in the page's list; 0: none
    private int[] next = new int[FIRST_CAPACITY];
    private byte[] list = new byte[FIRST_CAPACITY]; // 0: none
    private byte[] attributes = new byte[FIRST_CAPACITY]; // whether an entry says such, and which; 0: none
    private long[] live = new long[FIRST_CAPACITY]; // bit i: what the entry at line i says may count

    private int first; // ordinal of the first page
    private int last; // of the one that holds the log's end
    private final int spanMax;
    private boolean full; // the last ordinal stands for all pages from its own on
    private int pages;
    private int lines; // that count, at most
    private long totalWeight;
    private final int[] heads = new int[TAKEN + 1]; // of the lists; 0: empty
    private long slotWeight;
    private boolean cut; // the slot's lines have left the log, as far as is known
    private boolean due;
    private long walk = -1; // the next page of the file to be looked at, -1: none
    private int walkTo; // ordinals up to this one are walked for

    /**
     * A log that enters its first page.
     *
     * @param logBlk that page
     * @param slotWeight of all that the index holds
     * @param shifted whether pages of the file have been moved since
     */
    public LogPages(int logBlk, long slotWeight, boolean shifted) {
        this(logBlk, slotWeight, shifted, 1, SPAN_MAX);
    }

    LogPages(int logBlk, long slotWeight, boolean shifted, int firstOrdinal, int spanMax) {
        this.slotWeight = slotWeight;
        this.spanMax = spanMax;
        totalWeight = slotWeight;
        base = firstOrdinal;
        last = firstOrdinal - 1 & ORDINAL_MASK;
        if (shifted) {
            walk = 0;
        }
        append(logBlk);
        due = false;
    }

    /** Lines of an entry with a name and what is behind that, so many bytes in all. */
    public static int linesOf(int bytes) {
        return (NAME_AT + bytes + LINE - 1) / LINE;
    }

    /** The place of an entry that says of so many pages of a file. Of several pages each has the same one. */
    public static int place(int ordinal, int line, int pages) {
        return ordinal << LINE_BITS | (pages == 1 ? line : NO_LINE);
    }

    /** The ordinal of a place. */
    public static int ordinal(int place) {
        return place >>> LINE_BITS;
    }

    /** For tests: has logs be cleaned by every call, or no longer. */
    public static void cleanAlways(boolean on) {
        always = on;
    }

    // ---- what replay says

    /** The ordinal of a page that an entry lies in: of the last one, or of one that is entered now. */
    public int enter(int logBlk) {
        if (blk[at(last)] != logBlk) {
            append(logBlk);
            due = true;
        }
        return last;
    }

    /** Where an ordinal's page is in the arrays. */
    private int at(int ordinal) {
        return ordinal - base & ORDINAL_MASK;
    }

    private int span() {
        return last - first & ORDINAL_MASK;
    }

    private void append(int logBlk) {
        int left = pages == 0 ? 0 : last;
        if (left != 0 && span() >= spanMax) {
            full = true;
        }
        if (full) { // for good, even if there is room again: a page in the middle is one page
            return;
        }
        int ordinal = last + 1 & ORDINAL_MASK;
        if (ordinal == 0) { // that is the slot's: a gap
            ordinal = 1;
        }
        if (at(ordinal) >= blk.length) {
            makeRoom();
        }
        int i = at(ordinal);
        blk[i] = logBlk;
        weight[i] = 0;
        attributes[i] = 0;
        live[i] = 0;
        before[i] = left;
        behind[i] = 0;
        list[i] = 0;
        if (left != 0) {
            behind[at(left)] = ordinal;
        } else {
            first = ordinal;
        }
        last = ordinal;
        pages++;
        if (left != 0) {
            enlist(left);
        }
    }

    /** For one more ordinal: where gaps are, if they are many, or by a quarter. */
    private void makeRoom() {
        if (at(first) > blk.length / 4) {
            forgetGaps();
            return;
        }
        int size = blk.length + (blk.length >> 2) + FIRST_CAPACITY;
        int[] newBlk = Arrays.copyOf(blk, size);
        int[] newWeight = Arrays.copyOf(weight, size);
        int[] newBefore = Arrays.copyOf(before, size);
        int[] newBehind = Arrays.copyOf(behind, size);
        int[] newPrevious = Arrays.copyOf(previous, size);
        int[] newNext = Arrays.copyOf(next, size);
        byte[] newList = Arrays.copyOf(list, size);
        long[] newLive = Arrays.copyOf(live, size);
        attributes = Arrays.copyOf(attributes, size);
        blk = newBlk;
        weight = newWeight;
        before = newBefore;
        behind = newBehind;
        previous = newPrevious;
        next = newNext;
        list = newList;
        live = newLive;
    }

    /** Something that an entry of this page says counts, of which the line is not told. */
    public void counts(int ordinal, int amount) {
        add(ordinal, amount, ALL_LINES);
    }

    /** So many pages of a file count that an entry gave their blocks: at this line, of this place. */
    public void countsAt(int place, int line, int amount) {
        add(ordinal(place), amount, 1L << line);
    }

    private void add(int ordinal, int amount, long at) {
        totalWeight += amount;
        if (ordinal == 0) {
            slotWeight += amount;
            return;
        }
        int i = at(ordinal);
        lines += Math.min(weight[i] + amount, LINES) - Math.min(weight[i], LINES);
        weight[i] += amount;
        live[i] |= at;
    }

    /** Something that an entry of this page says does no longer count. */
    public void replaced(int ordinal, int amount) {
        totalWeight -= amount;
        if (ordinal == 0) {
            slotWeight -= amount;
            return;
        }
        int i = at(ordinal);
        lines -= Math.min(weight[i], LINES) - Math.min(weight[i] - amount, LINES);
        weight[i] -= amount;
        if (weight[i] <= SPARSE_MAX && ordinal != last) {
            enlist(ordinal);
        }
    }

    /** So many pages of a file do not that an entry of this place, or several, gave their blocks. */
    public void replacedAt(int place, int amount) {
        int ordinal = ordinal(place);
        if (ordinal != 0) {
            live[at(ordinal)] &= ~(1L << place); // the line is the lowest bits; of several pages, that is none
        }
        replaced(ordinal, amount);
    }

    /** The last page has an entry that may not leave the middle of a log. */
    public void stays() {
        attributes[at(last)] |= OTHERS;
    }

    /** The last page has an entry that says the size, and of no page of the file. */
    public void saysSize() {
        attributes[at(last)] |= SIZE;
    }

    /** Pages of the file have moved: where in the index those are that old entries gave their blocks, they do not say. */
    public void shifted() {
        walk = 0;
        walkTo = last;
    }

    /** Much may have been replaced at once: it is worth a look. */
    public void look() {
        due = true;
    }

    /** Puts a page into the list that it belongs to by its weight, if it is not there. */
    private void enlist(int ordinal) {
        int i = at(ordinal);
        int to = weight[i] == 0 ? DEAD : SPARSE;
        if (weight[i] > SPARSE_MAX || (attributes[i] & OTHERS) != 0 || ordinal == first) {
            to = 0;
        }
        if (list[i] == to) {
            return;
        }
        unlist(ordinal);
        if (to != 0) {
            link(ordinal, to);
        }
    }

    private void link(int ordinal, int to) {
        int i = at(ordinal);
        int head = heads[to];
        list[i] = (byte) to;
        previous[i] = 0;
        next[i] = head;
        if (head != 0) {
            previous[at(head)] = ordinal;
        }
        heads[to] = ordinal;
    }

    private void unlist(int ordinal) {
        int i = at(ordinal);
        if (list[i] == 0) {
            return;
        }
        if (previous[i] != 0) {
            next[at(previous[i])] = next[i];
        } else {
            heads[list[i]] = next[i];
        }
        if (next[i] != 0) {
            previous[at(next[i])] = previous[i];
        }
        list[i] = 0;
    }

    private int take(int from) {
        int ordinal = heads[from];
        if (ordinal != 0) {
            unlist(ordinal);
        }
        return ordinal;
    }

    // ---- what cleaning asks

    /** Whether something may be to do. Says so once. */
    public boolean takeDue() {
        boolean was = due;
        due = false;
        return was || always;
    }

    /** Pages of the log. */
    public int pages() {
        return pages;
    }

    /**
     * Whether the log takes more than twice what counts in it, and a bit.
     *
     * @param scarce whether a sixteenth is too much, or a first page that is empty. Less is not worth it: to copy full
     *     pages costs space, since entries of many lines do not fill a page, and the attributes come on top
     */
    public boolean isTooLong(boolean scarce) {
        long room = (long) pages * LINES;
        return (scarce
                        ? room - room / 16 > lines + 2L * LINES || pages > 1 && weight[at(first)] == 0
                        : room > 2L * lines + SLACK_PAGES * LINES)
                || span() > STRETCH * pages + STRETCH_SLACK + totalWeight / WEIGHT_PER_STRETCH
                || span() > spanMax - spanMax / 8
                || always;
    }

    /** The ordinal of the first page. */
    public int first() {
        return first;
    }

    /** The ordinal of the page that holds the log's end. */
    public int last() {
        return last;
    }

    /** The ordinal of the page behind one; 0 behind the last one. */
    public int behind(int ordinal) {
        return behind[at(ordinal)];
    }

    /** The ordinal of the page before one; 0 before the first one. */
    public int before(int ordinal) {
        return before[at(ordinal)];
    }

    /** The block of a page; 0 of the slot. */
    public int blk(int ordinal) {
        return ordinal == 0 ? 0 : blk[at(ordinal)];
    }

    /** Bit i: the entry that begins at line i of a page is worth reading. Other entries say nothing that counts. */
    public long liveLines(int ordinal) {
        return ordinal == 0 ? ALL_LINES : live[at(ordinal)];
    }

    /** Whether nothing that a page says counts, but perhaps what may not leave the middle of a log. */
    public boolean isEmpty(int ordinal) {
        return ordinal == 0 ? slotWeight == 0 : weight[at(ordinal)] == 0;
    }

    /**
     * Whether a page may be the last to say something that is not counted: to cut it off from the front takes an append
     * of all that.
     */
    public boolean mustStay(int ordinal) {
        return ordinal == 0 || attributes[at(ordinal)] != 0;
    }

    /** Whether the slot's lines have left the log. */
    public boolean isCut() {
        return cut;
    }

    /** Takes a page from the middle of the log of which nothing counts; 0 if there is none. */
    public int takeDead() {
        return take(DEAD);
    }

    /** Whether a page in the middle of the log waits to be taken, since nothing in it counts. */
    public boolean isDead(int ordinal) {
        return list[at(ordinal)] == DEAD;
    }

    /** Whether there is a page to take as dead. */
    public boolean hasDead() {
        return heads[DEAD] != 0;
    }

    /**
     * Takes one of which little counts, but something; 0 if there is none. Until {@link #putBackSparse} or
     * {@link #forgetSparse} it is known to be taken.
     */
    public int takeSparse() {
        int ordinal = take(SPARSE);
        if (ordinal != 0) {
            link(ordinal, TAKEN);
        }
        return ordinal;
    }

    /** What {@link #takeSparse} would take. */
    public int nextSparse() {
        return heads[SPARSE];
    }

    /** Where to go on looking at the file for pages that were moved, -1 for nowhere. */
    public long walk() {
        return walk;
    }

    /** Whether a page of the file is to be given its block again by the walk. */
    public boolean isWalkedFor(int ordinal) {
        return ordinal - walkTo << LINE_BITS <= 0; // a difference of as many bits
    }

    /** The walk goes on there, or, -1, is over. */
    public void walkedTo(long page) {
        walk = page;
    }

    // ---- what cleaning has done

    /** A page has left the middle of the log. */
    public void cutOut(int ordinal) {
        int i = at(ordinal);
        assert ordinal != first && ordinal != last && weight[i] == 0;
        unlist(ordinal);
        behind[at(before[i])] = behind[i];
        before[at(behind[i])] = before[i];
        pages--;
    }

    /** All that were taken as sparse, and have not left the log since, are to be taken another time. */
    public void putBackSparse() {
        while (heads[TAKEN] != 0) {
            enlist(heads[TAKEN]);
        }
    }

    /** They are not, unless something in them is replaced. */
    public void forgetSparse() {
        while (heads[TAKEN] != 0) {
            unlist(heads[TAKEN]);
        }
    }

    /** A page that was taken is to be taken another time. */
    public void putBack(int ordinal) {
        enlist(ordinal);
        due = true;
    }

    /** A page that was taken as dead has to stay. */
    public void keep(int ordinal) {
        attributes[at(ordinal)] |= OTHERS;
    }

    /** All pages before one, and the slot's lines, have left the log. */
    public void cutOff(int newFirst) {
        assert slotWeight == 0;
        for (int ordinal = first; ordinal != newFirst; ordinal = behind[at(ordinal)]) {
            assert weight[at(ordinal)] == 0;
            unlist(ordinal);
            pages--;
        }
        unlist(newFirst);
        cut = true;
        first = newFirst;
        before[at(first)] = 0;
    }

    /** Gives up the room of ordinals before the first page. */
    private void forgetGaps() {
        int gaps = at(first);
        int used = span() + 1;
        shift(blk, gaps, used);
        shift(weight, gaps, used);
        shift(before, gaps, used);
        shift(behind, gaps, used);
        shift(previous, gaps, used);
        shift(next, gaps, used);
        System.arraycopy(list, gaps, list, 0, used);
        System.arraycopy(attributes, gaps, attributes, 0, used);
        System.arraycopy(live, gaps, live, 0, used);
        base = first;
    }

    private static void shift(int[] array, int from, int count) {
        System.arraycopy(array, from, array, 0, count);
    }

    @Override
    public String toString() {
        return pages + " log pages, " + lines + " lines that count";
    }
}
