/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.file.ClosedFileSystemException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.InvalidPathException;
import java.nio.file.NotDirectoryException;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Paths that start from a directory; what is behind them is shown by {@code SecureDirectoryTest}. */
class NovaDirectoryTest {
    private final TestPools pools = new TestPools();

    @AfterEach
    void close() {
        pools.close();
    }

    @Test
    void pathsStartFromTheDirectoryWhereverItIs() throws Exception {
        try (NovaStore store = pools.create("p", 16 * TestPools.MIB)) {
            store.createDirectory("a");
            store.createDirectory("b");
            NovaDirectory a = store.openDirectory("a");
            store.rename("a", "b/c");
            store.createDirectory("a");
            try (NovaFile file = a.open("file", 0600, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
                file.append(ByteBuffer.wrap(new byte[] {1, 2}));
            }
            assertTrue(store.exists("b/c/file"));
            assertFalse(store.exists("a/file"));
            assertEquals(0600, a.stat("file").mode());
            assertEquals(a.stat(".").ino(), store.stat("b/c").ino());
            assertEquals(store.stat("b").ino(), a.stat("..").ino());
            assertEquals("file", a.iterate().next().name());
            a.setAttributes("file", AttributeChange.none().modified(FileTime.fromMillis(1)));
            assertEquals(FileTime.fromMillis(1), store.stat("b/c/file").modified());

            NovaDirectory root = store.openDirectory("/");
            root.open("file", 0600, StandardOpenOption.WRITE, StandardOpenOption.CREATE).close();
            assertThrows(FileAlreadyExistsException.class, () -> a.rename("file", root, "file"));
            a.rename("file", root, "file", StandardCopyOption.REPLACE_EXISTING);
            assertEquals(2, root.stat("file").size());
            assertThrows(NotDirectoryException.class, () -> root.deleteDirectory("file"));
            root.deleteFile("file");
            root.openDirectory("b").deleteDirectory("c");
            assertFalse(a.exists("file"));
            assertThrows(InvalidPathException.class, () -> a.exists(""));
        }
        pools.assertSound("p");
    }

    @Test
    void directoriesOfTwoStores() throws Exception {
        NovaDirectory two;
        try (NovaStore store = pools.create("p", 16 * TestPools.MIB);
                NovaStore other = pools.create("q", 16 * TestPools.MIB)) {
            NovaDirectory one = store.openDirectory("/");
            two = other.openDirectory("/");
            store.createDirectory("a");
            assertThrows(IllegalArgumentException.class, () -> one.rename("a", two, "a"));
        }
        assertThrows(ClosedFileSystemException.class, () -> two.stat("."));
    }
}
