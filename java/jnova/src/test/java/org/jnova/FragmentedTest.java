/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.jnova.DefragmentTest.check;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * Writes into free space that is in pieces: more log entries than one answer of the core holds, more extents than one
 * call takes back.
 */
class FragmentedTest {
    @Test
    void oneWriteOfManyExtents() throws IOException {
        byte[] bytes = new byte[3_000_000];
        new SplittableRandom(1).nextBytes(bytes);
        try (TestPools pools = new TestPools()) {
            try (NovaStore store = pools.create("p", 16 * TestPools.MIB)) {
                checkerboard(store);
                try (NovaFile file = store.open("f", CREATE, READ, WRITE)) {
                    file.write(0, bytes, 0, bytes.length);
                    assertTrue(file.info().logEntries() > 100, "only " + file.info().logEntries() + " extents");
                    check(file, bytes);
                    long free = store.info().blocksFree() + file.info().logPages();
                    ByteBuffer direct = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
                    for (int i = 0; i < 5; i++) {
                        file.write(0, direct.rewind());
                        file.append(bytes, 0, 100_000);
                        file.truncate(bytes.length);
                    }
                    check(file, bytes);
                    assertEquals(free, store.info().blocksFree() + file.info().logPages());
                    assertThrows(NoSpaceException.class, () -> file.append(new byte[15 << 20], 0, 15 << 20));
                    check(file, bytes);
                }
            }
            pools.assertSound("p");
            try (NovaStore store = pools.open("p")) {
                try (NovaFile file = store.open("f")) {
                    check(file, bytes);
                }
                store.delete("f");
            }
            pools.assertSound("p");
        }
    }

    /** Fills the pool with a file, whose pages lie in a few pieces, and makes a hole of every other one. */
    private static void checkerboard(NovaStore store) throws IOException {
        byte[] block = new byte[4096];
        try (NovaFile file = store.open("keep", CREATE, WRITE)) {
            assertThrows(NoSpaceException.class, () -> {
                while (true) {
                    file.append(block, 0, block.length);
                }
            });
            for (long at = 0; at < file.size(); at += 2L * block.length) {
                file.punchHole(at, block.length);
            }
        }
    }
}
