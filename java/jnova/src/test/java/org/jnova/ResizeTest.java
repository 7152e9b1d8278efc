/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Pools made larger, when they are closed. */
class ResizeTest {
    private static final long SIZE = 2 * TestPools.MIB;

    private final TestPools pools = new TestPools();
    private final Path pool = pools.path("p");
    private final byte[] bytes = new byte[1_500_000];

    @AfterEach
    void remove() {
        pools.close();
    }

    private void write(NovaStore store, String name) throws IOException {
        try (NovaFile file = store.open(name, CREATE, WRITE)) {
            file.write(0, bytes, 0, bytes.length);
        }
    }

    private void expect(NovaStore store, String name) throws IOException {
        byte[] read = new byte[bytes.length];
        try (NovaFile file = store.open(name)) {
            assertEquals(read.length, file.read(0, read, 0, read.length));
        }
        assertArrayEquals(bytes, read);
    }

    @Test
    void filesStayAndSpaceComes() throws IOException {
        new SplittableRandom(1).nextBytes(bytes);
        StoreInfo before;
        try (NovaStore store = pools.create("p", SIZE)) {
            write(store, "a");
            assertThrows(NoSpaceException.class, () -> write(store, "b"));
            store.delete("b");
            before = store.info();
            assertTrue(before.sizeMax() >= 8 * SIZE);
        }
        NovaStore.resize(pool, 2 * SIZE, TestPools.EMULATED);
        pools.assertSound("p");
        try (NovaStore store = pools.open("p")) {
            StoreInfo after = store.info();
            assertFalse(after.recovered());
            assertEquals(2 * SIZE, after.size());
            assertEquals(before.sizeMax(), after.sizeMax());
            assertEquals(SIZE / 4096, after.blocksFree() - before.blocksFree());
            assertEquals(before.uuid(), after.uuid());
            expect(store, "a");
            write(store, "b");
            expect(store, "b");
        }
        NovaStore.resize(pool, before.sizeMax()); // with default options
        pools.assertSound("p");
        try (NovaStore store = pools.open("p")) {
            assertEquals(before.sizeMax(), store.info().size());
            expect(store, "a");
            expect(store, "b");
        }
    }

    @Test
    void refused() throws IOException {
        try (NovaStore store = pools.create("p", SIZE)) {
            write(store, "a");
            assertThrows(PoolInUseException.class, () -> NovaStore.resize(pool, 2 * SIZE, TestPools.EMULATED));
        }
        long max;
        try (NovaStore store = pools.open("p")) {
            max = store.info().sizeMax();
        }
        for (long size : new long[] {-1, 0, NovaStore.SIZE_MIN, SIZE, SIZE + 4095, max + 4096, NovaStore.SIZE_MAX + 1}) {
            IllegalArgumentException e = assertThrows(
                    IllegalArgumentException.class, () -> NovaStore.resize(pool, size, TestPools.EMULATED));
            assertTrue(e.getMessage().contains(Long.toString(size)) || size == SIZE + 4095, e.getMessage());
            assertEquals(SIZE, Files.size(pool));
            pools.assertSound("p");
        }
        assertThrows(NoSuchFileException.class, () -> NovaStore.resize(pools.path("none"), SIZE));
        assertThrows(NotAPoolException.class, () -> NovaStore.resize(pools.folder(), SIZE));
        Files.write(pools.path("text"), new byte[5000]);
        assertThrows(NotAPoolException.class, () -> NovaStore.resize(pools.path("text"), SIZE));
        try (NovaStore store = pools.open("p")) {
            expect(store, "a");
        }
    }
}
