/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.NonReadableChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.NoSuchFileException;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Extended attributes of files, directories and symbolic links. */
class ExtendedAttributesTest {
    private static final int MOST = 65536;

    private final TestPools pools = new TestPools();
    private NovaStore store;

    @BeforeEach
    void open() throws IOException {
        store = pools.create("p", 8 * TestPools.MIB);
        store.createDirectory("d");
        store.open("f", CREATE, WRITE).close();
        store.createSymbolicLink("s", "f");
    }

    @AfterEach
    void close() throws IOException {
        store.close();
        pools.assertSound("p");
        pools.close();
    }

    @Test
    void everyTypeHasThem() throws IOException {
        for (String path : List.of("f", "d", "s", "/")) {
            assertEquals(List.of(), store.listAttributes(path, NOFOLLOW_LINKS));
            store.setAttribute(path, "user.b", path.getBytes(), NOFOLLOW_LINKS);
            store.setAttribute(path, "a/\u00e4", OneFile.random(MOST), NOFOLLOW_LINKS);
            store.setAttribute(path, "n".repeat(255), new byte[0], NOFOLLOW_LINKS);
        }
        for (int round = 0; round < 2; round++) {
            for (String path : List.of("f", "d", "s", "/")) {
                assertEquals(
                        List.of("a/\u00e4", "n".repeat(255), "user.b"), store.listAttributes(path, NOFOLLOW_LINKS));
                assertArrayEquals(path.getBytes(), store.getAttribute(path, "user.b", NOFOLLOW_LINKS));
                assertArrayEquals(OneFile.random(MOST), store.getAttribute(path, "a/\u00e4", NOFOLLOW_LINKS));
                assertArrayEquals(new byte[0], store.getAttribute(path, "n".repeat(255), NOFOLLOW_LINKS));
                assertNull(store.getAttribute(path, "user", NOFOLLOW_LINKS));
            }
            assertArrayEquals("f".getBytes(), store.getAttribute("s", "user.b"), "followed");
            store.close();
            store = pools.open("p");
        }
    }

    @Test
    void valuesAreReplacedAndTheirBlocksGivenBack() throws IOException {
        for (String path : List.of("f", "d")) {
            store.setAttribute(path, "x", OneFile.random(10));
            long free = store.info().blocksFree();
            for (int length : new int[] {0, 5000, 10, MOST, MOST - 1, 4096}) {
                store.setAttribute(path, "x", OneFile.random(length));
                assertArrayEquals(OneFile.random(length), store.getAttribute(path, "x"));
            }
            assertEquals(1 + store.stat(path).logPages(), store.stat(path).blocks());
            assertTrue(store.removeAttribute(path, "x"));
            assertFalse(store.removeAttribute(path, "x"));
            assertEquals(store.stat(path).logPages(), store.stat(path).blocks());
            assertEquals(free - store.stat(path).logPages(), store.info().blocksFree());
        }
        long free = store.info().blocksFree() + store.stat("/").logPages();
        store.open("g", CREATE, WRITE).close();
        store.setAttribute("g", "x", OneFile.random(MOST));
        assertEquals(free - 16, store.info().blocksFree() + store.stat("/").logPages());
        store.delete("g");
        assertEquals(free, store.info().blocksFree() + store.stat("/").logPages());
    }

    @Test
    void createAndReplace() throws IOException {
        for (String path : List.of("f", "d")) {
            NoSuchAttributeException missing = assertThrows(
                    NoSuchAttributeException.class,
                    () -> store.setAttribute(path, "x", OneFile.random(1), AttributeOption.REPLACE));
            assertEquals(path, missing.getFile());
            store.setAttribute(path, "x", OneFile.random(1), AttributeOption.CREATE);
            assertThrows(
                    AttributeExistsException.class,
                    () -> store.setAttribute(path, "x", OneFile.random(2), AttributeOption.CREATE));
            assertArrayEquals(OneFile.random(1), store.getAttribute(path, "x"));
            store.setAttribute(path, "x", OneFile.random(3), AttributeOption.REPLACE);
            assertArrayEquals(OneFile.random(3), store.getAttribute(path, "x"));
        }
    }

    @Test
    void throughAHandle() throws IOException {
        try (NovaFile file = store.open("f", READ, WRITE)) {
            file.setAttribute("x", OneFile.random(100));
            file.setAttribute("y", OneFile.random(9000), AttributeOption.CREATE);
            assertThrows(
                    AttributeExistsException.class, () -> file.setAttribute("y", OneFile.random(1), AttributeOption.CREATE));
            assertEquals(List.of("x", "y"), file.listAttributes());
            assertArrayEquals(OneFile.random(9000), file.getAttribute("y"));
            assertTrue(file.removeAttribute("y"));
            assertFalse(file.removeAttribute("y"));
            file.write(0, OneFile.random(10), 0, 10);
            store.delete("f");
            assertArrayEquals(OneFile.random(100), file.getAttribute("x"));
        }
        NovaFile writer = store.open("g", CREATE, WRITE);
        assertThrows(NonReadableChannelException.class, writer::listAttributes);
        NovaFile reader = store.open("g", READ);
        assertThrows(NonWritableChannelException.class, () -> reader.removeAttribute("x"));
    }

    @Test
    void wrongArguments() {
        assertThrows(NoSuchFileException.class, () -> store.listAttributes("nothing"));
        assertThrows(NoSuchFileException.class, () -> store.setAttribute("nothing", "x", new byte[0]));
        for (String name : List.of("", "n".repeat(256), "a\0b", "\ud800")) {
            assertThrows(IllegalArgumentException.class, () -> store.setAttribute("f", name, new byte[0]));
            assertThrows(IllegalArgumentException.class, () -> store.getAttribute("d", name));
        }
        assertThrows(IllegalArgumentException.class, () -> store.setAttribute("f", "x", new byte[MOST + 1]));
        assertThrows(
                IllegalArgumentException.class,
                () -> store.setAttribute("f", "x", new byte[0], AttributeOption.CREATE, AttributeOption.REPLACE));
        assertThrows(
                UnsupportedOperationException.class,
                () -> store.setAttribute("f", "x", new byte[0], StandardCopyOption.ATOMIC_MOVE));
    }
}
