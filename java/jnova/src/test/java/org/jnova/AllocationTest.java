/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** Reading, overwriting and appending allocate nothing on the heap, apart from what the index needs to grow. */
class AllocationTest {
    private interface Work {
        void once(int i) throws IOException;
    }

    private static void assertFree(String what, Work work) throws IOException {
        long perCall = Long.MAX_VALUE;
        // The first rounds may run interpreted, and initialise things.
        for (int round = 0; round < 10 && perCall > 0; round++) {
            long before = HeapUse.bytes();
            for (int i = 0; i < 5_000; i++) {
                work.once(i);
            }
            perCall = (HeapUse.bytes() - before) / 5_000;
        }
        assertTrue(perCall == 0, what + ": " + perCall + " bytes per call");
    }

    @Test
    void hotPathsAllocateNothing() throws IOException {
        try (TestPools pools = new TestPools();
                NovaStore store = pools.create("p", 256 * TestPools.MIB);
                NovaFile file = store.open("f", CREATE, READ, WRITE)) {
            ByteBuffer direct = ByteBuffer.allocateDirect(4096);
            ByteBuffer heap = ByteBuffer.allocate(4096);
            byte[] array = new byte[4096];
            file.setSize(1 << 20);
            assertFree("write direct", i -> file.write((i & 255) << 12, direct.clear()));
            assertFree("write heap", i -> file.write((i & 255) << 12, heap.clear()));
            assertFree("write array", i -> file.write((i & 255) << 12, array, 0, 4096));
            assertFree("read direct", i -> file.read((i & 255) << 12, direct.clear()));
            assertFree("read heap", i -> file.read((i & 255) << 12, heap.clear()));
            assertFree("read array", i -> file.read((i & 255) << 12, array, 0, 4096));
            // 128 bytes of file cost half a byte of index.
            assertFree("append", i -> file.append(array, 0, 128));
            assertFree("size", i -> file.size());
        }
    }
}
