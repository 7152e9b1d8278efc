/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.lincheck;

import java.io.IOException;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jnova.internal.core.Abi;
import org.jnova.internal.index.Child;
import org.jnova.internal.index.DirectoryIndex;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** One thread changes an index of names, another looks names up without a lock. All names have one hash. */
@Param(name = "name", gen = IntGen.class, conf = "0:2")
@Param(name = "ino", gen = IntGen.class, conf = "1:3")
public class DirectoryIndexLincheckTest {
    /** Two bytes each, with one {@code Arrays.hashCode}. */
    private static final byte[][] NAMES = {{2, 0}, {1, 31}, {0, 62}};

    private final DirectoryIndex index = new DirectoryIndex();

    @Operation(nonParallelGroup = "writer")
    public void add(@Param(name = "name") int name, @Param(name = "ino") int ino) {
        index.add(NAMES[name], new Child(ino, 1, Abi.FILE));
    }

    @Operation(nonParallelGroup = "writer")
    public void remove(@Param(name = "name") int name) {
        index.remove(NAMES[name]);
    }

    @Operation
    public int find(@Param(name = "name") int name) {
        Child child = index.find(NAMES[name]);
        return child == null ? 0 : child.ino();
    }

    /** How often iteration shows a name. */
    public int shown(int name) {
        int times = 0;
        for (Iterator<DirectoryIndex.Entry> all = index.iterator(); all.hasNext(); ) {
            times += all.next().name() == NAMES[name] ? 1 : 0;
        }
        return times;
    }

    /** The same, of a map. */
    public static final class Specification {
        private final Map<Integer, Integer> inodes = new HashMap<>();

        public void add(int name, int ino) {
            inodes.put(name, ino);
        }

        public void remove(int name) {
            inodes.remove(name);
        }

        public int find(int name) {
            return inodes.getOrDefault(name, 0);
        }

        public int shown(int name) {
            return inodes.containsKey(name) ? 1 : 0;
        }
    }

    @Test
    @Tag("all-jdks")
    void oneOrderExplainsAllAnswers() throws IOException {
        Interleavings of = new Interleavings(DirectoryIndexLincheckTest.class, Specification.class, 200);
        of.after(of.call("add", 0, 1), of.call("add", 1, 2))
                .check(List.of(of.call("add", 0, 3)), List.of(of.call("find", 0), of.call("find", 0)))
                .check(List.of(of.call("remove", 1), of.call("add", 2, 3)), List.of(of.call("find", 0), of.call("find", 2)))
                .check(List.of(of.call("remove", 1), of.call("add", 2, 3)), List.of(of.call("shown", 0)));
        of.run(3);
    }
}
