/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.index;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class LogPagesTest {
    @Test
    void ordinalsAreOfPlacesInTime() {
        LogPages pages = new LogPages(100, 0, false);
        assertEquals(1, pages.enter(100));
        assertFalse(pages.takeDue());
        assertEquals(2, pages.enter(7));
        assertTrue(pages.takeDue());
        assertFalse(pages.takeDue());
        assertEquals(3, pages.enter(100)); // the same block another time
        assertEquals(100, pages.blk(1));
        assertEquals(100, pages.blk(3));
        assertEquals(3, pages.pages());
    }

    @Test
    void pagesInTheMiddleDie() {
        LogPages pages = new LogPages(1, 0, false);
        for (int i = 1; i <= 5; i++) {
            pages.enter(i);
            pages.counts(i, 2);
        }
        pages.replaced(3, 1);
        assertEquals(0, pages.takeDead());
        pages.replaced(3, 1);
        pages.replaced(1, 2); // the first one is none of the middle
        pages.replaced(5, 2); // nor is the last one
        assertEquals(3, pages.takeDead());
        assertEquals(0, pages.takeDead());
        pages.cutOut(3);
        assertEquals(2, pages.before(4));
        assertEquals(4, pages.behind(2));
        assertEquals(4, pages.pages());
        pages.enter(6);
        assertEquals(5, pages.takeDead()); // as soon as it is not the last one any more
    }

    @Test
    void pagesInTheMiddleBecomeSparse() {
        LogPages pages = new LogPages(1, 0, false);
        for (int i = 1; i <= 7; i++) {
            pages.enter(i);
            pages.counts(i, 40);
            if (i == 5) {
                pages.stays();
            }
        }
        pages.replaced(1, 35); // the first one
        pages.replaced(5, 35); // it has to stay
        pages.replaced(7, 35); // the last one
        pages.replaced(2, 31); // 9: too much
        assertEquals(0, pages.takeSparse());
        pages.replaced(2, 1);
        pages.replaced(3, 39);
        pages.replaced(6, 40); // dead at once
        assertEquals(3, pages.takeSparse());
        assertEquals(2, pages.takeSparse());
        assertEquals(0, pages.takeSparse());
        pages.replaced(2, 3); // still there, so another time
        assertEquals(2, pages.takeSparse());
        pages.replaced(3, 1);
        assertEquals(0, pages.takeSparse()); // it is dead
        assertTrue(pages.isDead(3) && pages.isDead(6));
        assertEquals(3, pages.takeDead());
        pages.cutOut(3);
        assertFalse(pages.isDead(3));
        pages.enter(8);
        assertEquals(7, pages.takeSparse()); // as soon as it is not the last one any more
        assertEquals(6, pages.takeDead());
    }

    @Test
    void sparsePagesAreTakenAnotherTime() {
        LogPages pages = new LogPages(1, 0, false);
        for (int i = 1; i <= 7; i++) {
            pages.enter(i);
            pages.counts(i, 40);
        }
        pages.replaced(2, 39);
        pages.replaced(3, 39);
        pages.replaced(4, 39);
        assertEquals(4, pages.takeSparse());
        assertEquals(3, pages.takeSparse());
        assertEquals(2, pages.takeSparse());
        pages.replaced(3, 1);
        assertEquals(3, pages.takeDead());
        pages.cutOut(3);
        pages.putBackSparse();
        assertEquals(4, pages.takeSparse());
        assertEquals(2, pages.takeSparse());
        assertEquals(0, pages.takeSparse()); // page 3 has left the log
        pages.forgetSparse();
        pages.putBackSparse();
        assertEquals(0, pages.takeSparse());
    }

    @Test
    void whatMustStayDoes() {
        LogPages pages = new LogPages(1, 0, false);
        pages.enter(2);
        pages.stays();
        pages.counts(2, 1);
        pages.enter(3);
        pages.replaced(2, 1);
        assertEquals(0, pages.takeDead());
        assertTrue(pages.isEmpty(2));
        assertTrue(pages.mustStay(2));
    }

    /** A page that may go from the middle, since the core looks whether another one says the size, but not from the front. */
    @Test
    void whatSaysTheSizeMayGoFromTheMiddleOnly() {
        LogPages pages = new LogPages(1, 0, false);
        pages.saysSize();
        pages.enter(2);
        pages.saysSize();
        pages.enter(3);
        assertEquals(2, pages.takeDead());
        assertTrue(pages.mustStay(1) && pages.mustStay(2));
        assertFalse(pages.mustStay(3));
    }

    @Test
    void aPageHasNoMoreThanItsLines() {
        LogPages pages = new LogPages(1, 0, false);
        pages.counts(1, 1000);
        for (int i = 2; i <= 20; i++) {
            pages.enter(i);
        }
        assertTrue(pages.isTooLong(false)); // 20 pages for the 63 lines of one
        for (int i = 2; i <= 20; i++) {
            pages.counts(i, 1000);
        }
        assertFalse(pages.isTooLong(false));
    }

    /** Pages that would be too far from the first one are part of the last one, and nothing behind that is cleaned. */
    @Test
    void aLogOfTooManyPages() {
        LogPages pages = new LogPages(101, 0, false, LogPages.ORDINAL_MASK, 4);
        for (int i = 1; i <= 6; i++) {
            assertEquals(Math.min(i, 4), i == 1 ? 1 : pages.enter(100 + i) + 1);
            assertEquals(pages.last(), pages.enter(100 + i)); // still there
            pages.counts(pages.last(), 1);
        }
        assertEquals(4, pages.pages());
        assertEquals(104, pages.blk(pages.last())); // the first of those that it stands for
        pages.replaced(1, 1);
        assertEquals(1, pages.takeDead());
        pages.cutOut(1);
        pages.replaced(LogPages.ORDINAL_MASK, 1);
        pages.replaced(2, 1);
        pages.cutOff(3); // it is the first one now, and there would be room
        assertEquals(3, pages.enter(107));
        pages.replaced(3, 3);
        assertTrue(pages.isEmpty(3));
        assertEquals(0, pages.takeDead());
    }

    /** Few pages again and again, behind one that fills the first page: the ordinals go on, beyond the largest one. */
    @Test
    void pagesThatAreFarApartAreTooLong() {
        int first = LogPages.ORDINAL_MASK - 10;
        LogPages pages = new LogPages(1, 0, false, first, LogPages.SPAN_MAX);
        pages.counts(first, LogPages.LINES);
        pages.cutOff(first);
        int entered = 0;
        for (; entered < 1000 && !pages.isTooLong(false); entered++) {
            pages.enter(2 + entered);
            int dead = pages.takeDead();
            if (dead != 0) {
                pages.cutOut(dead);
            }
        }
        assertEquals(2, pages.pages());
        assertTrue(entered > 60 && entered < 80, entered + " ordinals for two pages");
    }

    /** Full pages, of which there are nearly as many as may be. An ordinal is left out. */
    @Test
    void aLogWhoseOrdinalsRunOutIsTooLong() {
        LogPages pages = new LogPages(1, 0, false, LogPages.ORDINAL_MASK - 10, 800);
        for (int i = 1; i < 800; i++) {
            pages.counts(pages.enter(i), LogPages.LINES);
            assertEquals(i > 700, pages.isTooLong(false), i + " pages");
        }
    }

    /** Before and behind are known of all pages that a log may have at a time. */
    @Test
    void pagesBeforeAShiftAreWalkedFor() {
        int most = LogPages.SPAN_MAX + 1; // ordinals apart: the one behind the largest may be left out
        for (int at : new int[] {1, 1000, most, most + 1, LogPages.ORDINAL_MASK - 1000, LogPages.ORDINAL_MASK}) {
            LogPages pages = new LogPages(1, 0, false, at, LogPages.SPAN_MAX);
            pages.shifted();
            for (int apart : new int[] {1, 1001, most - 1, most}) {
                assertTrue(pages.isWalkedFor(at - apart & LogPages.ORDINAL_MASK), apart + " before " + at);
                assertFalse(pages.isWalkedFor(at + apart & LogPages.ORDINAL_MASK), apart + " behind " + at);
            }
            assertTrue(pages.isWalkedFor(at));
        }
    }

    /** What may count of the pages of a log: entries of one page of the file at even lines, of several at odd ones. */
    private static final class Lines {
        private final Map<Integer, Long> live = new HashMap<>(); // by ordinal
        private final Map<Integer, Set<Integer>> single = new HashMap<>(); // lines whose entries count

        private void set(int ordinal, long lines) {
            live.merge(ordinal, lines, (a, b) -> a | b);
        }

        /** Has something count, or one thing no longer. The weight that it adds. */
        int count(LogPages pages, int ordinal, SplittableRandom random) {
            int line = random.nextInt(LogPages.LINES / 2) * 2;
            if (random.nextInt(20) == 0) {
                pages.counts(ordinal, 3);
                set(ordinal, -1);
                return 3;
            }
            pages.countsAt(LogPages.place(ordinal, line + 1, 3), line + 1, 3);
            set(ordinal, 1L << line + 1);
            if (!single.computeIfAbsent(ordinal, any -> new HashSet<>()).add(line)) {
                replace(pages, ordinal, line);
                single.get(ordinal).remove(line);
                return 2;
            }
            pages.countsAt(LogPages.place(ordinal, line, 1), line, 1);
            set(ordinal, 1L << line);
            return 4;
        }

        private void replace(LogPages pages, int ordinal, int line) {
            pages.replacedAt(LogPages.place(ordinal, line, 1), 1);
            live.merge(ordinal, ~(1L << line), (a, b) -> a & b);
        }

        /** Nothing counts any more. */
        void replaceAll(LogPages pages, int ordinal, int weight) {
            Set<Integer> gone = single.getOrDefault(ordinal, Set.of());
            gone.forEach(line -> replace(pages, ordinal, line));
            pages.replacedAt(LogPages.place(ordinal, 1, 3), weight - gone.size());
            single.remove(ordinal);
        }

        void check(LogPages pages, int ordinal) {
            long lines = (1L << LogPages.LINES) - 1;
            assertEquals(live.getOrDefault(ordinal, 0L) & lines, pages.liveLines(ordinal) & lines, "page " + ordinal);
        }
    }

    /** Against lists; whatever happens, also when gaps are forgotten. */
    @Property(tries = 200)
    void behavesLikeLists(@ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int first = random.nextBoolean() ? 1 : LogPages.ORDINAL_MASK - random.nextInt(500); // ordinals overflow, and pass by 0
        LogPages pages = new LogPages(1000, 0, false, first, LogPages.SPAN_MAX);
        List<Integer> log = new ArrayList<>(List.of(first)); // ordinals
        Map<Integer, Integer> weights = new HashMap<>();
        Lines lines = new Lines();
        Set<Integer> stays = new HashSet<>();
        int last = first;
        for (int i = 0; i < 3000; i++) {
            int some = log.get(random.nextInt(log.size()));
            switch (random.nextInt(7)) {
                case 0, 1 -> {
                    int next = pages.enter(2000 + i);
                    assertEquals(last == LogPages.ORDINAL_MASK ? 1 : last + 1, next);
                    last = next;
                    log.add(last);
                }
                case 2 -> {
                    weights.merge(last, lines.count(pages, last, random), Integer::sum);
                    if (random.nextInt(10) == 0) {
                        pages.stays();
                        stays.add(last);
                    }
                }
                case 3 -> {
                    if (weights.containsKey(some)) {
                        lines.replaceAll(pages, some, weights.remove(some));
                    }
                }
                case 4 -> {
                    int dead = pages.takeDead();
                    if (dead != 0) {
                        assertNotEquals(log.get(0), dead);
                        assertNotEquals(last, dead);
                        assertTrue(log.contains(dead) && !weights.containsKey(dead) && !stays.contains(dead), "page " + dead);
                        pages.cutOut(dead);
                        log.remove((Integer) dead);
                    }
                }
                case 5 -> {
                    int sparse = pages.takeSparse();
                    if (sparse != 0) {
                        assertNotEquals(log.get(0), sparse);
                        assertNotEquals(last, sparse);
                        assertTrue(log.contains(sparse) && weights.get(sparse) <= LogPages.SPARSE_MAX && !stays.contains(sparse), "page " + sparse);
                    }
                }
                default -> {
                    int n = 0;
                    while (n < log.size() - 1 && !weights.containsKey(log.get(n))) {
                        n++;
                    }
                    pages.cutOff(log.get(n));
                    log.subList(0, n).clear();
                }
            }
            assertEquals(log.size(), pages.pages());
            assertEquals(log.get(0), pages.first());
            assertEquals(log.get(log.size() - 1), pages.last());
        }
        int at = pages.first();
        for (int ordinal : log) {
            assertEquals(ordinal, at);
            assertEquals(!weights.containsKey(ordinal), pages.isEmpty(ordinal));
            lines.check(pages, ordinal);
            at = pages.behind(at);
        }
        assertEquals(0, at);
        List<Integer> middle = log.size() < 3 ? List.of() : log.subList(1, log.size() - 1);
        Set<Integer> dead = new HashSet<>(middle);
        dead.removeAll(weights.keySet());
        dead.removeAll(stays);
        for (int gone = pages.takeDead(); gone != 0; gone = pages.takeDead()) {
            assertTrue(dead.remove(gone), "page " + gone);
        }
        assertEquals(Set.of(), dead);
    }
}
