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
 * Behind the largest int come the negative ones, and 1 again: the pages of a log are never half of that apart, so that
 * differences say which is before which.
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
    // takes memory (26 bytes), as what it says does in the index, but to bring them together takes time for all of that.
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

    private int first; // ordinal of the first page
    private int last; // of the one that holds the log's end
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
        this(logBlk, slotWeight, shifted, 1);
    }

    LogPages(int logBlk, long slotWeight, boolean shifted, int firstOrdinal) {
        this.slotWeight = slotWeight;
        totalWeight = slotWeight;
        base = firstOrdinal;
        last = firstOrdinal - 1;
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

    /** For tests: has logs be cleaned by every call, or no longer. */
    public static void cleanAlways(boolean on) {
        always = on;
    }

    // ---- what replay says

    /** The ordinal of a page that an entry lies in: of the last one, or of one that is entered now. */
    public int enter(int logBlk) {
        if (blk[last - base] != logBlk) {
            append(logBlk);
            due = true;
        }
        return last;
    }

    private void append(int logBlk) {
        int left = pages == 0 ? 0 : last;
        int ordinal = last + 1;
        if (ordinal == 0 && left != 0) { // that is the slot's: a gap
            ordinal = 1;
        }
        if (ordinal - base >= blk.length) {
            makeRoom();
        }
        int i = ordinal - base;
        blk[i] = logBlk;
        weight[i] = 0;
        attributes[i] = 0;
        before[i] = left;
        behind[i] = 0;
        list[i] = 0;
        if (left != 0) {
            behind[left - base] = ordinal;
        } else {
            first = ordinal;
        }
        last = ordinal;
        pages++;
        if (left != 0) {
            enlist(left);
        }
    }

    /** For one more ordinal: where gaps are, if they are many, or by half as much again. */
    private void makeRoom() {
        if (first - base > blk.length / 4) {
            forgetGaps();
            return;
        }
        int size = blk.length + (blk.length >> 1);
        int[] newBlk = Arrays.copyOf(blk, size);
        int[] newWeight = Arrays.copyOf(weight, size);
        int[] newBefore = Arrays.copyOf(before, size);
        int[] newBehind = Arrays.copyOf(behind, size);
        int[] newPrevious = Arrays.copyOf(previous, size);
        int[] newNext = Arrays.copyOf(next, size);
        byte[] newList = Arrays.copyOf(list, size);
        attributes = Arrays.copyOf(attributes, size);
        blk = newBlk;
        weight = newWeight;
        before = newBefore;
        behind = newBehind;
        previous = newPrevious;
        next = newNext;
        list = newList;
    }

    /** Something that an entry of this page says counts. */
    public void counts(int ordinal, int amount) {
        totalWeight += amount;
        if (ordinal == 0) {
            slotWeight += amount;
            return;
        }
        int i = ordinal - base;
        lines += Math.min(weight[i] + amount, LINES) - Math.min(weight[i], LINES);
        weight[i] += amount;
    }

    /** It does no longer. */
    public void replaced(int ordinal, int amount) {
        totalWeight -= amount;
        if (ordinal == 0) {
            slotWeight -= amount;
            return;
        }
        int i = ordinal - base;
        lines -= Math.min(weight[i], LINES) - Math.min(weight[i] - amount, LINES);
        weight[i] -= amount;
        if (weight[i] <= SPARSE_MAX && ordinal != last) {
            enlist(ordinal);
        }
    }

    /** The last page has an entry that may not leave the middle of a log. */
    public void stays() {
        attributes[last - base] |= OTHERS;
    }

    /** The last page has an entry that says the size, and of no page of the file. */
    public void saysSize() {
        attributes[last - base] |= SIZE;
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
        int i = ordinal - base;
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
        int i = ordinal - base;
        int head = heads[to];
        list[i] = (byte) to;
        previous[i] = 0;
        next[i] = head;
        if (head != 0) {
            previous[head - base] = ordinal;
        }
        heads[to] = ordinal;
    }

    private void unlist(int ordinal) {
        int i = ordinal - base;
        if (list[i] == 0) {
            return;
        }
        if (previous[i] != 0) {
            next[previous[i] - base] = next[i];
        } else {
            heads[list[i]] = next[i];
        }
        if (next[i] != 0) {
            previous[next[i] - base] = previous[i];
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
                        ? room - room / 16 > lines + 2L * LINES || pages > 1 && weight[first - base] == 0
                        : room > 2L * lines + SLACK_PAGES * LINES)
                || last - first > STRETCH * pages + STRETCH_SLACK + totalWeight / WEIGHT_PER_STRETCH
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
        return behind[ordinal - base];
    }

    /** The ordinal of the page before one; 0 before the first one. */
    public int before(int ordinal) {
        return before[ordinal - base];
    }

    /** The block of a page; 0 of the slot. */
    public int blk(int ordinal) {
        return ordinal == 0 ? 0 : blk[ordinal - base];
    }

    /** Whether nothing that a page says counts, but perhaps what may not leave the middle of a log. */
    public boolean isEmpty(int ordinal) {
        return ordinal == 0 ? slotWeight == 0 : weight[ordinal - base] == 0;
    }

    /**
     * Whether a page may be the last to say something that is not counted: to cut it off from the front takes an append
     * of all that.
     */
    public boolean mustStay(int ordinal) {
        return ordinal == 0 || attributes[ordinal - base] != 0;
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
        return list[ordinal - base] == DEAD;
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
        return ordinal - walkTo <= 0;
    }

    /** The walk goes on there, or, -1, is over. */
    public void walkedTo(long page) {
        walk = page;
    }

    // ---- what cleaning has done

    /** A page has left the middle of the log. */
    public void cutOut(int ordinal) {
        int i = ordinal - base;
        assert ordinal != first && ordinal != last && weight[i] == 0;
        unlist(ordinal);
        behind[before[i] - base] = behind[i];
        before[behind[i] - base] = before[i];
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
        attributes[ordinal - base] |= OTHERS;
    }

    /** All pages before one, and the slot's lines, have left the log. */
    public void cutOff(int newFirst) {
        assert slotWeight == 0;
        for (int ordinal = first; ordinal != newFirst; ordinal = behind[ordinal - base]) {
            assert weight[ordinal - base] == 0;
            unlist(ordinal);
            pages--;
        }
        unlist(newFirst);
        cut = true;
        first = newFirst;
        before[first - base] = 0;
    }

    /** Gives up the room of ordinals before the first page. */
    private void forgetGaps() {
        int gaps = first - base;
        int used = last - first + 1;
        shift(blk, gaps, used);
        shift(weight, gaps, used);
        shift(before, gaps, used);
        shift(behind, gaps, used);
        shift(previous, gaps, used);
        shift(next, gaps, used);
        System.arraycopy(list, gaps, list, 0, used);
        System.arraycopy(attributes, gaps, attributes, 0, used);
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
