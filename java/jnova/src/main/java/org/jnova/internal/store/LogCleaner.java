/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.BooleanSupplier;
import org.jnova.internal.core.Abi;
import org.jnova.internal.core.IoBlock;
import org.jnova.internal.core.Keeps;
import org.jnova.internal.core.NativeInode;
import org.jnova.internal.core.Records;
import org.jnova.internal.event.CleaningEvent;
import org.jnova.internal.event.FlightEvents;
import org.jnova.internal.index.LogPages;

/**
 * Keeps a log short: at most twice what counts in it and a few pages. In steps, by whoever has just made it longer: pages
 * in the middle of which nothing counts are taken out; as long as it is too long, what counts in pages of which little
 * does is appended again, so that nothing counts there; or, if there are none, what counts in its first pages is, and
 * they are cut off. {@code java/LOCKING.md}, "Cleaning", tells under which locks.
 *
 * <p>A step that fails is given up: the log says the same, and is merely longer than it should be.
 */
final class LogCleaner {
    /** Pages that one step reads, at most: a step takes well under a millisecond. */
    private static final int PAGES_AT_ONCE = 8;

    /** What a step in the middle gathers from at most so many pages fills about one, and will hardly move again. */
    private static final int SPARSE_AT_ONCE = 32;

    private static final int STEPS_AT_ONCE = 8;
    /** When there is no space. */
    private static final int SCARCE_STEPS_AT_ONCE = 256;

    private static final int DEAD_AT_ONCE = 32;
    /** Things to keep that a slot may have room for, beside an entry for attributes. */
    private static final int SLOT_KEEPS = 2;

    /** A log and the index that replay of it builds. The caller serialises all that changes them. */
    interface Log {
        NativeInode inode();

        IoBlock io();

        /** Its pages, or null as long as it lies in the inode's slot. */
        LogPages pages();

        /** Lets the index follow what others have appended. What has been chosen to be kept before may no longer hold. */
        void bringUpToDate() throws IOException;

        /** Looks up ahead what {@link #keep} will ask the index about these records, the first of a page. */
        default void lookAhead(Keeps records, int count) {}

        /**
         * Keeps what a record says, as far as it counts; false if there is no room. Asked of all records of a page that
         * may ({@link LogPages#liveLines}).
         *
         * @param ordinal of the page that the record is from
         */
        boolean keep(ByteBuffer bytes, int at, int ordinal, Keeps keeps);

        /**
         * Looks at a part of the file for pages that {@link LogPages#isWalkedFor}, from {@link LogPages#walk} on, and
         * keeps them.
         *
         * @return where to go on, or -1
         */
        long walk(Keeps keeps);

        /** Keeps everything that counts; false if that is more than {@code most}. */
        boolean keepAll(Keeps keeps, int most);

        /**
         * Appends what is kept, and lets the index follow. Returns a status: ESTALE if the index has been overtaken since
         * {@link #bringUpToDate}.
         */
        int append(Keeps keeps) throws IOException;

        /** Whether {@link #gather} is of use: what counts is extents, as a rule. */
        default boolean gathers() {
            return false;
        }

        /** The same of extents alone, so that their entries may leave the middle of the log later. EINVAL: impossible. */
        default int gather(Keeps keeps) throws IOException {
            return Abi.EINVAL;
        }

        /** The same for a start in the slot. */
        int restart(Keeps keeps) throws IOException;
    }

    private final CleaningCounters counters;
    private final BooleanSupplier full;
    private volatile boolean scarce;

    /** @param full whether the pool has hardly any space left; takes a while to say */
    LogCleaner(CleaningCounters counters, BooleanSupplier full) {
        this.counters = counters;
        this.full = full;
    }

    /** A call has found no space: until there is some, logs are kept as short as can be. */
    void noSpace() {
        scarce = true;
    }

    /** After a call that may have made the log longer, or what counts in it less. */
    void afterCall(Log log) {
        LogPages pages = log.pages();
        if (pages != null && pages.takeDue()) {
            clean(log, pages);
        }
    }

    private void clean(Log log, LogPages pages) {
        long start = System.nanoTime();
        CleaningEvent event = FlightEvents.cleaning();
        int before = pages.pages();
        try {
            boolean thrifty = scarce;
            if (thrifty) {
                thrifty = full.getAsBoolean();
                scarce = thrifty;
            }
            int steps = thrifty ? SCARCE_STEPS_AT_ONCE : STEPS_AT_ONCE;
            cutDead(log, pages);
            int made = 0;
            while (made < steps && pages.isTooLong(thrifty) && step(log, pages)) {
                counters.step();
                made++;
            }
            if (made == steps && pages.isTooLong(thrifty)) {
                pages.look(); // the next call goes on
            }
        } catch (IOException | OutOfMemoryError e) {
            counters.failed();
        } finally {
            counters.took(System.nanoTime() - start);
        }
        if (event != null) {
            event.ended(log.inode().label(), before, pages.pages());
        }
    }

    /** Takes pages out of the middle. False if that has to wait. */
    private boolean cutDead(Log log, LogPages pages) throws IOException {
        for (int i = 0; i < DEAD_AT_ONCE && pages.isCut() && pages.hasDead(); i++) {
            log.bringUpToDate(); // may throw: before a page is taken
            int dead = pages.takeDead();
            int from = dead; // with those beside it
            int to = dead;
            int n = 1;
            for (; n < Abi.CUT_MAX && pages.isDead(pages.before(from)); n++) {
                from = pages.before(from);
            }
            for (; n < Abi.CUT_MAX && pages.isDead(pages.behind(to)); n++) {
                to = pages.behind(to);
            }
            int status = cut(log, pages, from, to);
            if (status == Abi.EINVAL && n > 1) {
                status = cut(log, pages, dead, dead);
            }
            if (status == Abi.ESTALE) {
                pages.putBack(dead);
                return false;
            } else if (status != Abi.OK) {
                pages.keep(dead); // it has an entry that no index knows of
            }
        }
        return true;
    }

    private int cut(Log log, LogPages pages, int from, int to) {
        int end = pages.behind(to);
        int status = log.inode().cleanCut(pages.blk(pages.before(from)), pages.blk(end), log.io());
        if (status == Abi.OK) {
            for (int at = from, behind; at != end; at = behind) {
                behind = pages.behind(at);
                pages.cutOut(at);
            }
            counters.freed(log.io().fileSize());
        }
        return status;
    }

    /** One step. False if it got nowhere. */
    private boolean step(Log log, LogPages pages) throws IOException {
        Keeps keeps = Keeps.take();
        try {
            log.bringUpToDate();
            if (pages.walk() >= 0) {
                long next = log.walk(keeps);
                if (!keeps.isEmpty() && !append(log, pages, keeps)) {
                    return false;
                }
                pages.walkedTo(next);
                return true;
            }
            if (pages.isCut() && log.gathers()) {
                int status = gather(log, pages, keeps);
                if (status != Abi.EINVAL) {
                    return copied(pages, keeps, status) && cutDead(log, pages);
                }
                keeps.clear();
            }
            int end = chooseFront(log, pages, keeps);
            boolean needed = !keeps.isEmpty() || mustAppend(pages, end);
            return (!needed || append(log, pages, keeps)) && cutFront(log, pages, end);
        } finally {
            keeps.put();
        }
    }

    private boolean append(Log log, LogPages pages, Keeps keeps) throws IOException {
        return copied(pages, keeps, log.append(keeps));
    }

    private boolean copied(LogPages pages, Keeps keeps, int status) {
        if (status == Abi.OK) {
            counters.copied(keeps.size());
        } else {
            givenUp(pages, status);
        }
        return status == Abi.OK;
    }

    private void givenUp(LogPages pages, int status) {
        if (status == Abi.ESTALE) { // a fault has come in between
            pages.look();
        } else {
            counters.failed();
        }
    }

    /** Gathers from pages in the middle. A status: EINVAL if there is nothing, or it is impossible. */
    private int gather(Log log, LogPages pages, Keeps keeps) throws IOException {
        boolean again = true;
        try {
            int status = chooseSparse(log, pages, keeps) ? log.gather(keeps) : Abi.EINVAL;
            again = status != Abi.OK && status != Abi.EINVAL; // what is refused would be each time
            return status;
        } finally {
            if (again) {
                pages.putBackSparse();
            } else {
                pages.forgetSparse();
            }
        }
    }

    /** Reads pages in the middle of which little counts, and keeps that. False if there is nothing. */
    private boolean chooseSparse(Log log, LogPages pages, Keeps keeps) throws IOException {
        for (int i = 0; i < SPARSE_AT_ONCE && keeps.size() < LogPages.LINES - LogPages.SPARSE_MAX; i++) {
            int ordinal = pages.takeSparse();
            if (ordinal == 0) {
                break;
            }
            if (!keepOf(log, ordinal, pages.nextSparse(), keeps)) {
                if (!keeps.isEmpty()) { // else there would be no room another time either
                    pages.putBack(ordinal);
                }
                break;
            }
        }
        return !keeps.isEmpty();
    }

    /** Reads the first pages, and keeps what counts in them. The ordinal of the page behind those. */
    private int chooseFront(Log log, LogPages pages, Keeps keeps) throws IOException {
        int at = pages.first();
        if (!pages.isCut() && !keepOf(log, 0, at, keeps)) {
            return at;
        }
        for (int i = 0; i < PAGES_AT_ONCE && at != pages.last(); i++) {
            int behind = pages.behind(at);
            boolean whole = pages.isEmpty(at) || keepOf(log, at, behind, keeps);
            at = behind;
            if (!whole) { // what did not fit, the next step appends: the page will not be empty before
                break;
            }
        }
        return at;
    }

    /**
     * Keeps what counts in one page. False if there was no room for all of it.
     *
     * @param next ordinal of the page that is asked for next, if any; 0: none
     */
    private static boolean keepOf(Log log, int ordinal, int next, Keeps keeps) throws IOException {
        IoBlock io = log.io();
        LogPages pages = log.pages();
        int status = log.inode()
                .cleanRead(
                        pages.blk(ordinal), pages.liveLines(ordinal), pages.blk(next), pages.liveLines(next), keeps, io);
        if (status != Abi.OK) {
            throw log.inode().failure(status, io);
        }
        ByteBuffer bytes = keeps.bytes();
        int count = io.recordCount();
        log.lookAhead(keeps, count);
        for (int i = 0; i < count; ) {
            int at = keeps.recordOffset(i);
            if (!log.keep(bytes, at, ordinal, keeps)) {
                return false;
            }
            i += Records.lines(bytes, at);
        }
        return true;
    }

    /** Whether entries in front of a page have an effect that only appending all attributes keeps. */
    private static boolean mustAppend(LogPages pages, int end) {
        boolean must = !pages.isCut();
        for (int at = pages.first(); at != end && !must; at = pages.behind(at)) {
            must = pages.mustStay(at);
        }
        return must;
    }

    /** Cuts off the pages in front of one, as many as are empty. False if there are none. */
    private boolean cutFront(Log log, LogPages pages, int end) throws IOException {
        if (!pages.isEmpty(0)) {
            return false;
        }
        int to = pages.first();
        while (to != end && pages.isEmpty(to)) {
            to = pages.behind(to);
        }
        if (to == pages.first() && pages.isCut()) {
            return false;
        }
        int status = log.inode().cleanCut(0, pages.blk(to), log.io());
        if (status == Abi.OK) {
            pages.cutOff(to);
            counters.freed(log.io().fileSize());
        } else {
            givenUp(pages, status);
        }
        return status == Abi.OK;
    }

    // ---- back into the slot

    /** Of a log that will not change for a while: starts it again in the slot, if all that counts fits there. */
    void atRest(Log log) {
        if (log.pages() == null) {
            return;
        }
        long start = System.nanoTime();
        Keeps keeps = Keeps.take();
        try {
            for (int i = 0; i < 2 && !isOnePage(log.pages()); i++) { // the first time, it may enter one more page
                if (!gatherInLastPage(log, log.pages(), keeps)) {
                    return;
                }
            }
            keeps.clear();
            if (isOnePage(log.pages()) && log.keepAll(keeps, SLOT_KEEPS) && log.restart(keeps) == Abi.OK) {
                counters.freed(1);
            }
        } catch (IOException | OutOfMemoryError e) {
            counters.failed();
        } finally {
            keeps.put();
            counters.took(System.nanoTime() - start);
        }
    }

    private static boolean isOnePage(LogPages pages) {
        return pages.isCut() && pages.pages() == 1;
    }

    /** Appends all again, and cuts off all before that. */
    private boolean gatherInLastPage(Log log, LogPages pages, Keeps keeps) throws IOException {
        int end = pages.last();
        keeps.clear();
        if (pages.pages() > Abi.CUT_MAX || !log.keepAll(keeps, SLOT_KEEPS) || !append(log, pages, keeps)) {
            return false;
        }
        return cutFront(log, pages, end);
    }
}
