/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A pool without room: calls that need some fail and change nothing, calls that give some back work. */
class FullPoolTest {
    private final TestPools pools = new TestPools();

    @AfterEach
    void remove() {
        pools.close();
    }

    /** Appends until nothing fits, in ever smaller pieces. No block is free then, but for the reserve. */
    private static void fill(NovaStore store, NovaFile file) throws IOException {
        for (int size = 1 << 20; size > 0; size >>= 1) {
            byte[] bytes = new byte[size];
            Arrays.fill(bytes, (byte) 1);
            try {
                while (true) {
                    file.append(bytes, 0, size);
                }
            } catch (NoSpaceException e) {
                assertEquals("f", e.getFile());
            }
        }
        assertEquals(0, store.info().freeBytes());
    }

    @Test
    void failedWriteChangesNothing() throws IOException {
        try (NovaStore store = pools.create("p", 8 * TestPools.MIB);
                NovaFile file = store.open("f", CREATE, READ, WRITE)) {
            file.write(0, new byte[] {7, 7, 7}, 0, 3);
            ByteBuffer big = ByteBuffer.allocateDirect(16 << 20);
            assertThrows(NoSpaceException.class, () -> file.write(1, big));
            assertThrows(NoSpaceException.class, () -> file.append(new byte[16 << 20], 0, 16 << 20));
            assertThrows(NoSpaceException.class, () -> file.append(new ByteBuffer[] {big, big}, 0, 2));
            assertEquals(0, big.position());
            byte[] back = new byte[10];
            assertEquals(3, file.read(0, back, 0, 10));
            assertEquals(7, back[2]);
        }
        pools.assertSound("p");
    }

    @Test
    void deleteAndTruncateWorkOnAFullPool() throws IOException {
        try (NovaStore store = pools.create("p", 8 * TestPools.MIB)) {
            List<String> names = new ArrayList<>();
            try (NovaFile file = store.open("f", CREATE, WRITE)) {
                fill(store, file);
                try {
                    while (true) {
                        String name = "small " + names.size();
                        store.open(name, CREATE, WRITE).close();
                        names.add(name);
                    }
                } catch (NoSpaceException e) {
                    assertEquals("small " + names.size(), e.getFile());
                    assertEquals(0, store.info().freeBytes());
                }
                long size = file.size();
                file.truncate(size / 2 + 5);
                file.truncate(size / 2);
                assertEquals(size / 2, file.size());
                file.append(new byte[100_000], 0, 100_000);
                fill(store, file);
            }
            for (String name : names) {
                store.delete(name);
            }
            store.delete("f");
            assertEquals(List.of(), store.names());
            assertTrue(store.info().freeBytes() > 6 * TestPools.MIB);
            try (NovaFile file = store.open("g", CREATE, WRITE)) {
                file.append(new byte[6 << 20], 0, 6 << 20);
            }
        }
        pools.assertSound("p");
    }

    /** What needs room changes nothing then, and names of every kind can be deleted. */
    @Test
    void namesOnAFullPool() throws IOException {
        try (NovaStore store = pools.create("p", 8 * TestPools.MIB)) {
            store.createDirectory("d");
            store.createDirectory("e");
            store.createSymbolicLink("s", "d");
            try (NovaFile file = store.open("f", CREATE, WRITE)) {
                fill(store, file);
            }
            int links = 0;
            try {
                for (; ; links++) {
                    store.createLink("d/link " + links, "f");
                }
            } catch (NoSpaceException e) {
                assertEquals("d/link " + links, e.getFile());
            }
            assertThrows(NoSpaceException.class, () -> store.createSymbolicLink("t", "d"));
            for (int i = 0; i < 1000; i++) { // until their logs are full, too
                try {
                    store.rename("d/link 0", "e/link");
                    store.rename("e/link", "d/link 0");
                } catch (NoSpaceException e) {
                    break;
                }
            }
            assertEquals(links + 1, store.stat("f").nlink());
            assertEquals(links, store.stat("d").size() + store.stat("e").size());
            for (String directory : List.of("d", "e")) {
                for (String name : store.names(directory)) {
                    store.delete(directory + "/" + name);
                }
                store.delete(directory);
            }
            store.delete("s");
            assertEquals(1, store.stat("f").nlink());
            store.delete("f");
            assertTrue(store.info().freeBytes() > 6 * TestPools.MIB);
        }
        pools.assertSound("p");
    }

    @Test
    void holesAndRemovedAttributesGiveRoomOnAFullPool() throws IOException {
        try (NovaStore store = pools.create("p", 8 * TestPools.MIB);
                NovaFile file = store.open("f", CREATE, READ, WRITE)) {
            store.createDirectory("d");
            store.setAttribute("d", "x", new byte[65536]);
            file.setAttribute("x", new byte[65536]);
            fill(store, file);
            assertThrows(NoSpaceException.class, () -> file.allocate(file.size(), 1 << 20, true));
            assertThrows(NoSpaceException.class, () -> file.copyRange(0, file, file.size(), 1 << 20));
            assertThrows(NoSpaceException.class, () -> store.setAttribute("d", "y", new byte[65536]));
            assertThrows(NoSpaceException.class, () -> file.setAttribute("x", new byte[65535]));
            long size = file.size();
            byte[] tail = new byte[1];
            file.punchHole(100_001, 300_000);
            assertEquals(1, file.read(100_000, tail, 0, 1));
            assertEquals(1, tail[0]);
            file.append(new byte[200_000], 0, 200_000);
            fill(store, file);
            file.collapseRange(1 << 20, 1 << 20);
            assertTrue(file.size() < size + 250_000);
            assertTrue(store.info().freeBytes() >= 1 << 20);
            fill(store, file);
            assertTrue(store.removeAttribute("d", "x"));
            assertTrue(file.removeAttribute("x"));
            assertTrue(store.info().freeBytes() >= 100_000);
        }
        pools.assertSound("p");
    }

    @Test
    void blocksInQueuesAreFoundWhenSpaceIsShort() throws IOException {
        try (NovaStore store = pools.create("p", 8 * TestPools.MIB)) {
            byte[] bytes = new byte[2_500_000];
            try (NovaFile one = store.open("one", CREATE, WRITE);
                    NovaFile two = store.open("two", CREATE, WRITE)) {
                one.write(0, bytes, 0, bytes.length);
                one.write(0, bytes, 0, bytes.length); // the replaced blocks wait in one's queue
                two.write(0, bytes, 0, bytes.length);
                two.write(0, new byte[] {1}, 0, 1);
            }
        }
        pools.assertSound("p");
    }

    @Test
    void overwritingForeverNeedsNoMoreSpaceThanTwice() throws IOException {
        try (NovaStore store = pools.create("p", 32 * TestPools.MIB);
                NovaFile file = store.open("f", CREATE, WRITE)) {
            ByteBuffer page = ByteBuffer.allocateDirect(4096);
            file.setSize(4 << 20);
            int writes = TestPools.FULL ? 200_000 : 50_000;
            for (int i = 0; i < writes; i++) {
                file.write((i * 7919L % 1024) * 4096, page.clear());
            }
            assertTrue(file.info().allocated() <= 4 << 20);
        }
        pools.assertSound("p");
    }
}
