/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.ClosedFileSystemException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.NotLinkException;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Directories, links, symbolic links, attributes: each operation, and what it answers when it cannot. */
class NamespaceTest {
    private final TestPools pools = new TestPools();
    private NovaStore store;

    @BeforeEach
    void create() throws IOException {
        store = pools.create("p", 8 * TestPools.MIB);
    }

    /** Every pool is sound, and what was there is there again after reopening. */
    @AfterEach
    void check() throws IOException {
        Set<String> before = tree();
        long used = store.info().usedBytes();
        store.close();
        pools.assertSound("p");
        store = pools.open("p");
        assertEquals(before, tree());
        assertEquals(used, store.info().usedBytes());
        store.close();
        pools.close();
    }

    private Set<String> tree() throws IOException {
        Set<String> all = new TreeSet<>();
        addTree("/", all);
        return all;
    }

    private void addTree(String directory, Set<String> all) throws IOException {
        for (FileInfo info : store.list(directory)) {
            String path = directory + info.name();
            all.add(path + " " + info.type() + " " + info.size() + " " + info.nlink() + " " + info.mode() + " "
                    + info.modified() + " " + info.changed());
            if (info.type() == FileType.DIRECTORY) {
                addTree(path + "/", all);
            }
        }
    }

    private void put(String path, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        try (NovaFile file = store.open(path, CREATE, WRITE)) {
            file.setSize(0);
            file.write(0, bytes, 0, bytes.length);
        }
    }

    private String get(String path) throws IOException {
        try (NovaFile file = store.open(path)) {
            byte[] bytes = new byte[(int) file.size()];
            file.read(0, bytes, 0, bytes.length);
            return new String(bytes, StandardCharsets.UTF_8);
        }
    }

    /** Fails with exactly this exception, and names the file. */
    private static <T extends FileSystemException> void fails(Class<T> type, String file, Executable call) {
        T thrown = assertThrows(type, call);
        assertEquals(type, thrown.getClass(), thrown.toString());
        assertEquals(file, thrown.getFile());
    }

    @Test
    void directoriesNest() throws IOException {
        store.createDirectory("a");
        store.createDirectory("/a//b/");
        put("a/b/f", "deep");
        assertEquals("deep", get("/a/b/f"));
        assertEquals("deep", get("a/./b/../b/f"));
        assertEquals("deep", get("../../a/b/f"), "the root is above itself");
        assertEquals(List.of("b"), store.names("a"));
        assertEquals(List.of("a"), store.names());
        assertEquals(List.of("a"), store.names("a/b/../.."));
        assertTrue(store.exists("a/b/f"));
        assertFalse(store.exists("a/b/g"));
        assertFalse(store.exists("a/x/g"));
        assertFalse(store.exists("a/b/f/g"));
        assertTrue(store.exists("/"));
        assertFalse(store.exists(""));
        FileInfo info = store.stat("a");
        assertEquals(FileType.DIRECTORY, info.type());
        assertEquals(3, info.nlink());
        assertEquals(1, info.size());
        assertEquals(0755, info.mode());
        assertEquals(2, store.stat("a/b").nlink());
        assertEquals(3, store.stat("/").nlink());
        fails(FileAlreadyExistsException.class, "a", () -> store.createDirectory("a"));
        fails(FileAlreadyExistsException.class, "a/b/f", () -> store.createDirectory("a/b/f"));
        fails(FileAlreadyExistsException.class, "/", () -> store.createDirectory("/"));
        fails(NoSuchFileException.class, "x/y", () -> store.createDirectory("x/y"));
        fails(NotDirectoryException.class, "a/b/f/y", () -> store.createDirectory("a/b/f/y"));
        fails(NotDirectoryException.class, "a/b/f", () -> store.names("a/b/f"));
        fails(NoSuchFileException.class, "a/c", () -> store.names("a/c"));
        fails(FileSystemException.class, "a", () -> store.open("a"));
        fails(FileSystemException.class, "a", () -> store.open("a", CREATE, WRITE));
        fails(FileAlreadyExistsException.class, "a", () -> store.open("a", CREATE_NEW, WRITE));
        fails(FileSystemException.class, "/", () -> store.open("/"));
        assertThrows(InvalidPathException.class, () -> store.createDirectory("a/" + "n".repeat(256)));
        assertThrows(InvalidPathException.class, () -> store.stat("a\0"));
    }

    @Test
    void modesFromTheStart() throws IOException {
        store.createDirectory("d", 0700);
        assertEquals(0700, store.stat("d").mode());
        store.open("d/f", 04640, CREATE, WRITE).close();
        assertEquals(04640, store.stat("d/f").mode());
        store.open("d/f", 0600, CREATE, WRITE).close();
        assertEquals(04640, store.stat("d/f").mode(), "it was there");
        assertThrows(IllegalArgumentException.class, () -> store.open("d/g", 010000, CREATE, WRITE));
        assertThrows(IllegalArgumentException.class, () -> store.createDirectory("e", -1));
        assertFalse(store.exists("d/g") || store.exists("e"));
    }

    @Test
    void linksNotFollowedByOpen() throws IOException {
        store.open("f", CREATE, WRITE).close();
        store.createSymbolicLink("link", "f");
        store.createSymbolicLink("dangling", "nowhere");
        store.createDirectory("d");
        store.createSymbolicLink("to-d", "d");
        store.open("link").close();
        fails(FileSystemException.class, "link", () -> store.open("link", NOFOLLOW_LINKS));
        fails(FileSystemException.class, "link", () -> store.open("link", NOFOLLOW_LINKS, CREATE, WRITE));
        fails(FileSystemException.class, "dangling", () -> store.open("dangling", NOFOLLOW_LINKS, CREATE, WRITE));
        assertFalse(store.exists("nowhere"));
        store.open("to-d/g", NOFOLLOW_LINKS, CREATE, WRITE).close();
        assertTrue(store.exists("d/g"));
        store.open("f", NOFOLLOW_LINKS).close();
    }

    @Test
    void deleteTakesWhatIsEmpty() throws IOException {
        store.createDirectory("d");
        store.createDirectory("d/e");
        fails(DirectoryNotEmptyException.class, "d", () -> store.delete("d"));
        store.delete("d/e");
        assertEquals(2, store.stat("d").nlink());
        fails(NoSuchFileException.class, "d/e", () -> store.delete("d/e"));
        assertFalse(store.deleteIfExists("d/e"));
        assertFalse(store.deleteIfExists("nowhere/e"));
        fails(FileSystemException.class, "/", () -> store.delete("/"));
        fails(FileSystemException.class, "d/.", () -> store.delete("d/."));
        fails(FileSystemException.class, "d/..", () -> store.delete("d/.."));
        store.delete("d");
        assertEquals(List.of(), store.names());
        store.createDirectory("d"); // its inode number may be the same
        put("d/f", "x");
        assertEquals("x", get("d/f"));
    }

    @Test
    void hardLinksAreEqual() throws IOException {
        store.createDirectory("d");
        put("f", "one");
        store.createLink("d/g", "f");
        store.createLink("h", "d/g");
        put("h", "two");
        assertEquals("two", get("f"));
        assertEquals(3, store.stat("d/g").nlink());
        assertEquals(store.stat("f").ino(), store.stat("h").ino());
        fails(FileAlreadyExistsException.class, "h", () -> store.createLink("h", "f"));
        fails(NoSuchFileException.class, "x", () -> store.createLink("y", "x"));
        fails(NoSuchFileException.class, "x/y", () -> store.createLink("x/y", "f"));
        fails(FileSystemException.class, "d", () -> store.createLink("y", "d"));
        store.delete("f");
        assertEquals("two", get("h"));
        assertEquals(2, store.stat("h").nlink());
        try (NovaFile open = store.open("h", READ, WRITE)) {
            store.delete("d/g");
            assertEquals(1, open.info().nlink());
            store.createLink("again", "h");
            store.delete("h");
            store.delete("again");
            assertEquals(0, open.info().nlink());
            assertEquals(3, open.size());
            fails(NoSuchFileException.class, "h", () -> store.createLink("y", "h"));
        }
        long used = store.info().usedBytes();
        put("f", "x".repeat(100_000));
        store.createLink("g", "f");
        store.delete("f");
        store.delete("g");
        assertEquals(used, store.info().usedBytes());
    }

    @Test
    void symbolicLinksLead() throws IOException {
        store.createDirectory("d");
        store.createDirectory("d/e");
        put("d/e/f", "text");
        store.createSymbolicLink("abs", "/d/e");
        store.createSymbolicLink("d/rel", "e/../e/f");
        store.createSymbolicLink("d/up", "../abs/f");
        store.createSymbolicLink("dangling", "nowhere");
        store.createSymbolicLink("loop", "loop");
        assertEquals("text", get("abs/f"));
        assertEquals("text", get("d/rel"));
        assertEquals("text", get("d/up"));
        assertEquals("/d/e", store.readSymbolicLink("abs"));
        assertEquals(List.of("f"), store.names("abs"));
        assertEquals(store.stat("d").ino(), store.stat("abs/..").ino(), ".. is that of the directory, not of the path");
        assertEquals(FileType.DIRECTORY, store.stat("abs").type());
        FileInfo link = store.stat("abs", NOFOLLOW_LINKS);
        assertEquals(FileType.SYMLINK, link.type());
        assertEquals(4, link.size());
        assertEquals(0777, link.mode());
        assertFalse(store.exists("dangling"));
        assertTrue(store.exists("dangling", NOFOLLOW_LINKS));
        assertFalse(store.exists("loop"));
        fails(FileSystemLoopException.class, "loop", () -> store.stat("loop"));
        fails(FileSystemLoopException.class, "loop/x", () -> store.open("loop/x", CREATE, WRITE));
        fails(FileAlreadyExistsException.class, "dangling", () -> store.open("dangling", CREATE_NEW, WRITE));
        fails(NoSuchFileException.class, "dangling", () -> store.open("dangling", WRITE));
        put("dangling", "made"); // through the link
        assertEquals("made", get("nowhere"));
        fails(NotLinkException.class, "d", () -> store.readSymbolicLink("d"));
        fails(NotLinkException.class, "/", () -> store.readSymbolicLink("/"));
        fails(NoSuchFileException.class, "d/x", () -> store.readSymbolicLink("d/x"));
        assertThrows(InvalidPathException.class, () -> store.createSymbolicLink("s", ""));
        assertThrows(InvalidPathException.class, () -> store.createSymbolicLink("s", "x".repeat(4096)));
        String longTarget = "/".repeat(4088) + "nowhere";
        store.createSymbolicLink("long", longTarget);
        assertEquals("made", get("long"));
        assertEquals(longTarget, store.readSymbolicLink("long"));
        store.createLink("second", "abs");
        assertEquals(2, store.stat("second", NOFOLLOW_LINKS).nlink());
        store.delete("abs");
        assertEquals("text", get("second/f"));
        store.delete("second");
        assertTrue(store.exists("d/e/f"));
    }

    @Test
    void fortyLinksAreFollowed() throws IOException {
        put("l0", "end");
        for (int i = 1; i <= 41; i++) {
            store.createSymbolicLink("l" + i, "l" + (i - 1));
        }
        assertEquals("end", get("l40"));
        fails(FileSystemLoopException.class, "l41", () -> store.open("l41"));
    }

    @Test
    void renameMovesAnything() throws IOException {
        store.createDirectory("a");
        store.createDirectory("a/sub");
        store.createDirectory("b");
        put("a/sub/f", "f");
        store.rename("a/sub", "b/moved", ATOMIC_MOVE);
        assertEquals("f", get("b/moved/f"));
        assertEquals(store.stat("b").ino(), store.stat("b/moved/..").ino());
        assertEquals(2, store.stat("a").nlink());
        assertEquals(3, store.stat("b").nlink());
        fails(FileSystemException.class, "b", () -> store.rename("b", "b/moved/b"));
        fails(FileSystemException.class, "b", () -> store.rename("b", "b/b"));
        fails(FileSystemException.class, "/", () -> store.rename("/", "a/root"));
        fails(FileSystemException.class, "a/..", () -> store.rename("b/moved", "a/..", REPLACE_EXISTING));
        fails(FileAlreadyExistsException.class, "a", () -> store.rename("b", "a"));
        fails(DirectoryNotEmptyException.class, "b", () -> store.rename("a", "b", REPLACE_EXISTING));
        put("g", "g");
        fails(NotDirectoryException.class, "g", () -> store.rename("a", "g", REPLACE_EXISTING));
        fails(FileSystemException.class, "a", () -> store.rename("g", "a", REPLACE_EXISTING));
        store.rename("b/moved", "a", REPLACE_EXISTING); // over an empty directory
        assertEquals("f", get("a/f"));
        assertEquals(List.of(), store.names("b"));
        store.rename("a", "a", REPLACE_EXISTING);
        store.rename("a/f", "g", REPLACE_EXISTING);
        assertEquals("f", get("g"));
        fails(NoSuchFileException.class, "a/f", () -> store.rename("a/f", "h"));
        fails(NoSuchFileException.class, "x/h", () -> store.rename("g", "x/h"));
        store.createSymbolicLink("s", "g");
        store.rename("s", "b/s");
        assertEquals("g", store.readSymbolicLink("b/s"));
    }

    @Test
    void renameOverAnotherNameOfTheSameFileDoesNothing() throws IOException {
        put("f", "x");
        store.createDirectory("d");
        store.createLink("d/g", "f");
        store.rename("f", "d/g", REPLACE_EXISTING);
        assertEquals(2, store.stat("f").nlink());
        put("h", "y");
        store.rename("h", "f", REPLACE_EXISTING); // the replaced one has another name
        assertEquals("y", get("f"));
        assertEquals("x", get("d/g"));
        assertEquals(1, store.stat("d/g").nlink());
        store.rename("f", "d/g", REPLACE_EXISTING); // now it has not
        assertEquals("y", get("d/g"));
    }

    @Test
    void exchangeSwapsAnything() throws IOException {
        store.createDirectory("a");
        store.createDirectory("b");
        store.createDirectory("a/x");
        put("a/x/f", "f");
        put("b/y", "y");
        store.exchange("a/x", "b/y");
        assertEquals("y", get("a/x"));
        assertEquals("f", get("b/y/f"));
        assertEquals(store.stat("b").ino(), store.stat("b/y/..").ino());
        assertEquals(2, store.stat("a").nlink());
        assertEquals(3, store.stat("b").nlink());
        store.exchange("a", "b");
        assertEquals("f", get("a/y/f"));
        store.exchange("a", "a");
        put("p", "1");
        put("q", "2");
        store.createLink("r", "p");
        store.exchange("p", "q");
        assertEquals("21", get("p") + get("q"));
        assertEquals(2, store.stat("q").nlink());
        store.exchange("q", "r");
        fails(NoSuchFileException.class, "n", () -> store.exchange("a", "n"));
        fails(NoSuchFileException.class, "n", () -> store.exchange("n", "a"));
        fails(FileSystemException.class, "a", () -> store.exchange("a", "a/y"));
        fails(FileSystemException.class, "a", () -> store.exchange("a/y/f", "a"));
        fails(FileSystemException.class, "/", () -> store.exchange("/", "a"));
    }

    @Test
    void attributesAreKept() throws IOException {
        store.createDirectory("d");
        put("d/f", "x");
        store.createSymbolicLink("s", "d/f");
        FileTime past = FileTime.from(Instant.ofEpochSecond(-5, 123_456_789));
        FileTime future = FileTime.from(Instant.parse("2200-01-01T00:00:00.000000001Z"));
        AttributeChange change =
                AttributeChange.none().mode(04750).uid(0xffff_ffffL).gid(7).accessed(past).modified(future);
        FileTime birth = FileTime.from(Instant.ofEpochSecond(-70, 1));
        for (String path : List.of("d", "d/f", "/")) {
            FileInfo before = store.stat(path);
            store.setAttributes(path, change);
            FileInfo info = store.stat(path);
            assertEquals(04750, info.mode());
            assertEquals(0xffff_ffffL, info.uid());
            assertEquals(7, info.gid());
            assertEquals(past, info.accessed());
            assertEquals(future, info.modified());
            assertEquals(before.created(), info.created());
            assertTrue(info.changed().compareTo(before.changed()) > 0);
            store.setAttributes(path, change.created(birth));
            assertEquals(birth, store.stat(path).created());
            assertEquals(past, store.stat(path).accessed());
        }
        store.setAttributes("s", AttributeChange.none().mode(0600));
        assertEquals(0600, store.stat("d/f").mode());
        assertEquals(future, store.stat("d/f").modified(), "what is not named stays");
        store.setAttributes("s", AttributeChange.none().modified(past), NOFOLLOW_LINKS);
        assertEquals(past, store.stat("s", NOFOLLOW_LINKS).modified());
        store.setAttributes("s", AttributeChange.none().created(future));
        assertEquals(future, store.stat("d/f").created());
        assertEquals(past, store.stat("d/f").accessed(), "what is not named stays");
        store.setAttributes("d", AttributeChange.none());
        fails(NoSuchFileException.class, "x", () -> store.setAttributes("x", change));
        fails(NoSuchFileException.class, "x", () -> store.setAttributes("x", AttributeChange.none()));
        AttributeChange none = AttributeChange.none();
        assertThrows(IllegalArgumentException.class, () -> none.mode(010000));
        assertThrows(IllegalArgumentException.class, () -> none.uid(-1));
        assertThrows(IllegalArgumentException.class, () -> none.gid(1L << 32));
        FileTime beyond = FileTime.from(Instant.parse("2300-01-01T00:00:00Z"));
        assertThrows(IllegalArgumentException.class, () -> none.modified(beyond));
    }

    @Test
    void iterationIsStable() throws IOException {
        store.createDirectory("d");
        for (int i = 0; i < 200; i++) {
            put("d/stays " + i, "");
            put("d/goes " + i, "");
        }
        Iterator<DirectoryEntry> all = store.iterate("d");
        Set<String> stays = new TreeSet<>();
        for (int i = 0; all.hasNext(); i++) {
            DirectoryEntry entry = all.next();
            assertEquals(FileType.FILE, entry.type());
            if (entry.name().startsWith("stays")) {
                assertTrue(stays.add(entry.name()), "twice: " + entry.name());
            }
            if (i < 200) {
                store.delete("d/goes " + i);
                put("d/comes " + i, "");
            }
        }
        assertEquals(200, stays.size());
        assertNotEquals(0, store.stat("d").size());
    }

    @Test
    void whoHoldsARemovedDirectoryFindsNothing() throws IOException {
        store.createDirectory("d");
        Iterator<DirectoryEntry> empty = store.iterate("d");
        store.delete("d");
        assertFalse(empty.hasNext());
        fails(NoSuchFileException.class, "d/f", () -> store.open("d/f", CREATE, WRITE));
        fails(NoSuchFileException.class, "d", () -> store.names("d"));
    }

    @Test
    void closedStoreRefusesAll() throws IOException {
        NovaStore other = pools.create("other", TestPools.MIB);
        other.createDirectory("d");
        Iterator<DirectoryEntry> entries = other.iterate("/");
        other.close();
        assertTrue(entries.hasNext(), "needs no store");
        List<Executable> calls = List.of(
                () -> other.createDirectory("e"),
                () -> other.createLink("a", "b"),
                () -> other.createSymbolicLink("a", "b"),
                () -> other.delete("d"),
                () -> other.deleteIfExists("d"),
                () -> other.exchange("a", "b"),
                () -> other.exists("d"),
                () -> other.iterate("d"),
                () -> other.list("d"),
                () -> other.names("d"),
                () -> other.readSymbolicLink("d"),
                () -> other.rename("a", "b"),
                () -> other.setAttributes("d", AttributeChange.none().mode(0)),
                () -> other.stat("d"));
        for (Executable call : calls) {
            assertThrows(ClosedFileSystemException.class, call);
        }
    }
}
