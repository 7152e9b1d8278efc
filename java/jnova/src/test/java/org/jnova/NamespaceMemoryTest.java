/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Field;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/**
 * The heap runs out between the commit of a change of names and the end of its replay: the change has happened, what
 * comes later sees it, and what has lost its last name is given back all the same.
 */
class NamespaceMemoryTest {
    private final TestPools pools = new TestPools();
    private NovaStore store;
    private long inodes;

    @BeforeEach
    void make() throws IOException {
        store = pools.create("p", 8 * TestPools.MIB);
        for (String directory : List.of("d", "e", "e/empty", "e/full", "e/full/sub")) {
            store.createDirectory(directory);
        }
        for (String file : List.of("d/f", "d/g", "e/h", "d/linked")) {
            try (NovaFile made = store.open(file, CREATE, WRITE)) {
                made.write(0, new byte[10_000], 0, 10_000);
            }
        }
        store.createLink("e/linked", "d/linked");
        inodes = store.info().inodesUsed();
    }

    @AfterEach
    void remove() {
        pools.close();
    }

    /** A map that has no room for one change. */
    private static final class Short<K, V> extends ConcurrentHashMap<K, V> {
        private static final long serialVersionUID = 1L;

        private boolean armed = true;

        Short(Map<K, V> from) {
            super(from);
        }

        private void fail() {
            if (armed) {
                armed = false;
                throw new OutOfMemoryError("a test's");
            }
        }

        @Override
        public V put(K key, V value) {
            fail();
            return super.put(key, value);
        }

        @Override
        public V remove(Object key) {
            fail();
            return super.remove(key);
        }
    }

    private static Field field(Object of, String name) throws ReflectiveOperationException {
        Field field = of.getClass().getDeclaredField(name);
        field.setAccessible(true);
        return field;
    }

    private static Object get(Object of, String name) throws ReflectiveOperationException {
        return field(of, name).get(of);
    }

    /** Lets the next change in a directory throw when it is replayed, after the commit. */
    private void failNext(String directory) throws Exception {
        int ino = (int) store.stat(directory).ino();
        Map<?, ?> loaded = (Map<?, ?>) get(get(get(store, "core"), "directories"), "loaded");
        Object index = get(loaded.get(ino), "index");
        field(index, "children").set(index, new Short<>((Map<?, ?>) get(index, "children")));
    }

    private void failsIn(String directory, Executable change) throws Exception {
        failNext(directory);
        assertThrows(OutOfMemoryError.class, change);
    }

    /** All inodes but those that went are there, and the pool is sound: nothing is lost. */
    private void checkWhole(int gone) throws IOException {
        assertEquals(inodes - gone, store.info().inodesUsed());
        store.close();
        pools.assertSound("p");
        try (NovaStore again = pools.open("p")) {
            assertEquals(inodes - gone, again.info().inodesUsed());
        }
    }

    @Test
    void deletedFileIsGivenBack() throws Exception {
        failsIn("d", () -> store.delete("d/f"));
        assertFalse(store.exists("d/f"));
        assertTrue(store.exists("d/g"));
        checkWhole(1);
    }

    @Test
    void deletedDirectoryIsGivenBack() throws Exception {
        failsIn("e", () -> store.delete("e/empty"));
        assertFalse(store.exists("e/empty"));
        store.createDirectory("e/empty");
        store.delete("e/empty");
        checkWhole(1);
    }

    @Test
    void lastOfSeveralNamesIsGivenBack() throws Exception {
        failsIn("d", () -> store.delete("d/linked"));
        assertEquals(1, store.stat("e/linked").nlink());
        failsIn("e", () -> store.delete("e/linked"));
        assertFalse(store.exists("e/linked"));
        checkWhole(1);
    }

    @Test
    void replacedFileIsGivenBackWhicheverDirectoryFails() throws Exception {
        failsIn("d", () -> store.rename("d/f", "e/h", REPLACE_EXISTING));
        assertFalse(store.exists("d/f"));
        failsIn("e", () -> store.rename("d/g", "e/h", REPLACE_EXISTING));
        assertFalse(store.exists("d/g"));
        assertEquals(10_000, store.stat("e/h").size());
        checkWhole(2);
    }

    @Test
    void movedDirectoryKnowsItsParent() throws Exception {
        assertTrue(store.exists("e/full/sub/.."));
        failsIn("d", () -> store.rename("e/full", "d/full"));
        assertEquals(store.stat("d").ino(), store.stat("d/full/..").ino());
        failsIn("e", () -> store.exchange("d/full", "e/empty"));
        assertEquals(store.stat("e").ino(), store.stat("e/empty/sub/../..").ino());
        assertEquals(store.stat("d").ino(), store.stat("d/full/..").ino());
        checkWhole(0);
    }

    @Test
    void failureBeforeTheCallChangesNothing() throws Exception {
        store.close();
        store = pools.open("p");
        assertTrue(store.exists("e/empty/.."));
        Map<?, ?> loaded = (Map<?, ?>) get(get(get(store, "core"), "directories"), "loaded");
        Object parent = loaded.get((int) store.stat("e").ino());
        Object ioPool = get(parent, "ioPool");
        field(parent, "ioPool").set(parent, null); // the first change takes something from it
        assertThrows(NullPointerException.class, () -> store.delete("e/empty"));
        assertThrows(NullPointerException.class, () -> store.rename("e/full", "d/full"));
        field(parent, "ioPool").set(parent, ioPool);
        assertEquals(store.stat("e").ino(), store.stat("e/full/sub/../..").ino());
        store.delete("e/empty");
        checkWhole(1);
    }
}
