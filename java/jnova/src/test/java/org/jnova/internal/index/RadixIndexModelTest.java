/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.index;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Random changes of the index, against a sorted map. */
class RadixIndexModelTest {
    @Property
    void behavesLikeASortedMap(@ForAll long seed, @ForAll @IntRange(min = 1, max = 120) int steps) {
        SplittableRandom random = new SplittableRandom(seed);
        RadixIndex index = new RadixIndex();
        TreeMap<Long, Integer> model = new TreeMap<>();
        int nextBlk = 1;
        for (int i = 0; i < steps; i++) {
            long page = random.nextInt(4) == 0 ? random.nextLong(1L << random.nextInt(1, 40)) : random.nextInt(1500);
            ExtentList out = new ExtentList();
            List<Integer> expected = new ArrayList<>();
            if (random.nextInt(4) == 0) {
                index.truncate(page, out);
                expected.addAll(model.tailMap(page).values());
                model.tailMap(page).clear();
            } else {
                int count = random.nextInt(1, 700);
                index.map(page, nextBlk, count, i, out);
                for (int k = 0; k < count; k++) {
                    Integer old = model.put(page + k, nextBlk + k);
                    if (old != null) {
                        expected.add(old);
                    }
                }
                nextBlk += count + random.nextInt(2);
            }
            assertEquals(expected, blocks(out));
            assertEquals(model.size(), index.pages());
        }
        model.forEach((page, blk) -> assertEquals(blk, index.block(page)));
        for (int k = 0; k < 100; k++) {
            long page = random.nextLong(2500);
            int run = index.run(page, index.block(page), 50);
            int first = model.getOrDefault(page, 0);
            assertEquals(first, index.block(page));
            for (int j = 0; j < run; j++) {
                assertEquals(first == 0 ? 0 : first + j, model.getOrDefault(page + j, 0));
            }
        }
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
