/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.index;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Random changes of the index, against a sorted map; with the pages of a log that it counts for. */
class RadixIndexModelTest {
    @Property
    void behavesLikeASortedMap(@ForAll long seed, @ForAll @IntRange(min = 1, max = 120) int steps) {
        SplittableRandom random = new SplittableRandom(seed);
        RadixIndex index = new RadixIndex();
        TreeMap<Long, Integer> model = new TreeMap<>();
        int nextBlk = 1;
        int firstOrdinal = LogPages.ORDINAL_MASK - 5; // behind that comes 1
        LogPages log = new LogPages(1, 0, false, firstOrdinal, LogPages.SPAN_MAX);
        index.setLog(log);
        Map<Integer, Integer> ordinalOf = new HashMap<>(); // by block, none of which is used twice
        Map<Integer, Integer> lineOf = new HashMap<>(); // likewise
        Map<Integer, Long> longEntries = new HashMap<>(); // lines of those of several pages, by ordinal
        int line = 0; // the next one
        for (int i = 0; i < steps; i++) {
            long page = random.nextInt(4) == 0 ? random.nextLong(1L << random.nextInt(1, 40)) : random.nextInt(1500);
            ExtentList out = new ExtentList();
            List<Integer> expected = new ArrayList<>();
            int what = random.nextInt(12);
            int count = random.nextInt(1, 700);
            if (what < 2) {
                index.truncate(page, out);
                expected.addAll(model.tailMap(page).values());
                model.tailMap(page).clear();
            } else if (what < 5) {
                long many = random.nextInt(4) == 0 ? 1L << random.nextInt(40) : count;
                expected.addAll(model.subMap(page, page + many).values());
                model.subMap(page, page + many).clear();
                if (what == 2) {
                    index.unmap(page, page + many, out);
                } else {
                    index.collapse(page, many, out);
                    move(model, page, -many);
                }
            } else if (what < 7) {
                long many = random.nextInt(8) == 0 ? 1L << random.nextInt(34) : count;
                index.insert(page, many);
                move(model, page, many);
            } else {
                boolean next = random.nextInt(20) == 0 || line == LogPages.LINES;
                int ordinal = log.enter(next ? i + 2 : log.blk(log.last()));
                line = next ? 0 : line;
                count = random.nextBoolean() ? 1 : count;
                index.map(page, nextBlk, count, ordinal, line, out);
                if (count > 1) {
                    longEntries.merge(ordinal, 1L << line, (a, b) -> a | b);
                }
                for (int k = 0; k < count; k++) {
                    ordinalOf.put(nextBlk + k, ordinal);
                    lineOf.put(nextBlk + k, line);
                    Integer old = model.put(page + k, nextBlk + k);
                    if (old != null) {
                        expected.add(old);
                    }
                }
                nextBlk += count + random.nextInt(2);
                line++;
            }
            assertEquals(expected, blocks(out));
            assertEquals(model.size(), index.pages());
        }
        Map<Integer, Long> live = new HashMap<>(); // lines, by ordinal
        model.forEach((page, blk) -> {
            assertEquals(blk, index.block(page));
            assertEquals(ordinalOf.get(blk), RadixIndex.ordinal(index.slot(page)));
            live.merge(ordinalOf.get(blk), 1L << lineOf.get(blk), (a, b) -> a | b);
        });
        for (int ordinal = firstOrdinal; ordinal != 0; ordinal = log.behind(ordinal)) {
            long lines = live.getOrDefault(ordinal, 0L);
            assertEquals(lines == 0, log.isEmpty(ordinal), "log page " + ordinal);
            long more = longEntries.getOrDefault(ordinal, 0L);
            assertEquals(lines | more, log.liveLines(ordinal) | more, "log page " + ordinal);
            assertEquals(lines, lines & log.liveLines(ordinal), "log page " + ordinal);
        }
        long at = -1;
        for (long page : model.keySet()) {
            assertEquals(page, index.nextMapped(at + 1));
            at = page;
        }
        assertEquals(-1, index.nextMapped(at + 1));
        for (int k = 0; k < 100; k++) {
            long page = random.nextLong(2500);
            long hole = page;
            while (model.containsKey(hole)) {
                hole++;
            }
            assertEquals(hole, index.nextHole(page));
            int run = index.run(page, index.block(page), 50);
            int first = model.getOrDefault(page, 0);
            assertEquals(first, index.block(page));
            for (int j = 0; j < run; j++) {
                assertEquals(first == 0 ? 0 : first + j, model.getOrDefault(page + j, 0));
            }
        }
    }

    private static void move(TreeMap<Long, Integer> model, long from, long delta) {
        TreeMap<Long, Integer> moved = new TreeMap<>();
        model.tailMap(from).forEach((page, blk) -> moved.put(page + delta, blk));
        model.tailMap(from).clear();
        model.putAll(moved);
    }

    private static List<Integer> blocks(ExtentList list) {
        List<Integer> blocks = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            for (int k = 0; k < list.count(i); k++) {
                blocks.add(list.blk(i) + k);
            }
        }
        return blocks;
    }
}
