/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.ClosedDirectoryStreamException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.ProviderMismatchException;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.StandardOpenOption;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.FileOwnerAttributeView;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jnova.TestPools;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Secure directory streams: calls stay in the directory that is open, whatever its name leads to. */
class SecureDirectoryTest {
    private static final int SWAPS = 3000;

    private final NioPools pools = new NioPools();
    private FileSystem fs;
    private Path dir;

    @BeforeEach
    void open() throws Exception {
        fs = pools.create("p", 16 * TestPools.MIB);
        dir = Files.createDirectory(fs.getPath("/dir"));
        Files.writeString(dir.resolve("file"), "mine");
        Files.createDirectory(dir.resolve("sub"));
    }

    @AfterEach
    void close() throws Exception {
        pools.closeSound(fs, "p");
        pools.close();
    }

    private Path name(String name) {
        return fs.getPath(name);
    }

    private static SecureDirectoryStream<Path> secure(Path directory) throws IOException {
        DirectoryStream<Path> stream = Files.newDirectoryStream(directory);
        assertInstanceOf(SecureDirectoryStream.class, stream);
        return (SecureDirectoryStream<Path>) stream;
    }

    private String read(SecureDirectoryStream<Path> stream, Path file) throws IOException {
        try (SeekableByteChannel channel = stream.newByteChannel(file, Set.of())) {
            ByteBuffer buffer = ByteBuffer.allocate(100);
            channel.read(buffer);
            return new String(buffer.array(), 0, buffer.position());
        }
    }

    private void write(SecureDirectoryStream<Path> stream, Path file, String text) throws IOException {
        try (SeekableByteChannel channel =
                stream.newByteChannel(file, Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE))) {
            channel.write(ByteBuffer.wrap(text.getBytes()));
        }
    }

    @Test
    void staysInADirectoryThatIsRenamedAndReplacedByALink() throws Exception {
        Path other = Files.createDirectory(fs.getPath("/other"));
        Files.writeString(other.resolve("file"), "other's");
        Files.createDirectory(other.resolve("sub"));
        try (SecureDirectoryStream<Path> stream = secure(dir)) {
            Files.move(dir, fs.getPath("/moved"));
            Files.createSymbolicLink(dir, other);
            assertEquals("mine", read(stream, name("file")));
            write(stream, name("new"), "text");
            stream.move(name("new"), stream, name("sub/new"));
            try (SecureDirectoryStream<Path> sub = stream.newDirectoryStream(name("sub"))) {
                assertEquals(fs.getPath("/dir/sub/new"), sub.iterator().next(), "a path begins as it was opened");
                assertEquals("text", read(sub, name("new")));
                assertEquals("mine", read(sub, name("../file")));
                sub.move(name("new"), stream, name("new"));
            }
            FileTime time = FileTime.fromMillis(1);
            stream.getFileAttributeView(name("file"), BasicFileAttributeView.class).setTimes(time, null, null);
            assertEquals(time, Files.getLastModifiedTime(fs.getPath("/moved/file")));
            stream.deleteFile(name("file"));
            stream.deleteDirectory(name("sub"));
            Object key = stream.getFileAttributeView(BasicFileAttributeView.class)
                    .readAttributes()
                    .fileKey();
            assertEquals(Files.readAttributes(fs.getPath("/moved"), "fileKey").get("fileKey"), key);
        }
        assertEquals("other's", Files.readString(other.resolve("file")));
        assertTrue(Files.isDirectory(other.resolve("sub")));
        assertFalse(Files.exists(fs.getPath("/moved/file")));
        assertFalse(Files.exists(fs.getPath("/moved/sub")));
        assertEquals("text", Files.readString(fs.getPath("/moved/new")));
    }

    @Test
    void followsTheDirectoryToAnotherParent() throws Exception {
        try (SecureDirectoryStream<Path> stream = secure(dir.resolve("sub"))) {
            Files.move(dir.resolve("sub"), fs.getPath("/sub"));
            write(stream, name("../top"), "text");
        }
        assertEquals("text", Files.readString(fs.getPath("/top")));
    }

    @Test
    void absolutePathsStartFromTheRoot() throws Exception {
        try (SecureDirectoryStream<Path> stream = secure(dir.resolve("sub"))) {
            assertEquals("mine", read(stream, fs.getPath("/dir/file")));
            stream.move(fs.getPath("/dir/file"), stream, name("here"));
        }
        assertEquals("mine", Files.readString(dir.resolve("sub/here")));
    }

    @Test
    void aDirectoryThatIsRemoved() throws Exception {
        SecureDirectoryStream<Path> stream = secure(dir.resolve("sub"));
        Files.delete(dir.resolve("sub"));
        Files.createDirectory(dir.resolve("sub")); // another one
        Files.writeString(dir.resolve("sub/file"), "another's");
        Set<StandardOpenOption> create = Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        assertThrows(NoSuchFileException.class, () -> stream.newByteChannel(name("file"), Set.of()));
        assertThrows(NoSuchFileException.class, () -> stream.newByteChannel(name("new"), create));
        assertThrows(NoSuchFileException.class, () -> stream.newDirectoryStream(name("x")));
        assertThrows(NoSuchFileException.class, () -> stream.deleteFile(name("file")));
        assertThrows(NoSuchFileException.class, () -> stream.deleteDirectory(name("file")));
        assertThrows(NoSuchFileException.class, () -> stream.move(fs.getPath("/dir/file"), stream, name("file")));
        BasicFileAttributeView self = stream.getFileAttributeView(BasicFileAttributeView.class);
        assertThrows(NoSuchFileException.class, self::readAttributes);
        assertThrows(NoSuchFileException.class, () -> self.setTimes(FileTime.fromMillis(1), null, null));
        assertFalse(stream.iterator().hasNext());
        stream.close();
        assertEquals("mine", Files.readString(dir.resolve("file")));
        assertEquals("another's", Files.readString(dir.resolve("sub/file")));
    }

    @Test
    void linksThatAreNotFollowed() throws Exception {
        Files.createSymbolicLink(dir.resolve("link"), name("sub"));
        Files.createSymbolicLink(dir.resolve("alias"), name("file"));
        try (SecureDirectoryStream<Path> stream = secure(dir)) {
            LinkOption no = LinkOption.NOFOLLOW_LINKS;
            stream.newDirectoryStream(name("link")).close();
            assertThrows(FileSystemException.class, () -> stream.newDirectoryStream(name("link"), no));
            assertThrows(NotDirectoryException.class, () -> stream.newDirectoryStream(name("file"), no));
            assertEquals("mine", read(stream, name("alias")));
            assertThrows(FileSystemException.class, () -> stream.newByteChannel(name("alias"), Set.of(no)));
            assertTrue(stream.getFileAttributeView(name("alias"), BasicFileAttributeView.class, no)
                    .readAttributes()
                    .isSymbolicLink());
            assertTrue(stream.getFileAttributeView(name("alias"), BasicFileAttributeView.class)
                    .readAttributes()
                    .isRegularFile());
            stream.deleteFile(name("link"));
            stream.deleteFile(name("alias"));
        }
        assertTrue(Files.exists(dir.resolve("sub")));
        assertTrue(Files.exists(dir.resolve("file")));
    }

    @Test
    void eachDeletesItsKind() throws Exception {
        try (SecureDirectoryStream<Path> stream = secure(dir)) {
            assertThrows(FileSystemException.class, () -> stream.deleteFile(name("sub")));
            assertThrows(FileSystemException.class, () -> stream.deleteDirectory(name("file")));
            write(stream, name("sub/x"), "text");
            assertThrows(DirectoryNotEmptyException.class, () -> stream.deleteDirectory(name("sub")));
            assertThrows(NoSuchFileException.class, () -> stream.deleteFile(name("")));
            assertEquals("text", read(stream, name("sub/x")));
            assertEquals("mine", read(stream, name("file")));
        }
    }

    @Test
    void moveReplaces() throws Exception {
        try (SecureDirectoryStream<Path> stream = secure(dir);
                SecureDirectoryStream<Path> sub = stream.newDirectoryStream(name("sub"))) {
            write(sub, name("old"), "old");
            stream.move(name("file"), sub, name("old"));
            assertEquals("mine", read(sub, name("old")));
            assertThrows(FileSystemException.class, () -> stream.move(name("sub"), sub, name("sub")));
        }
    }

    @Test
    void views() throws Exception {
        try (SecureDirectoryStream<Path> stream = secure(dir)) {
            assertEquals("posix", stream.getFileAttributeView(PosixFileAttributeView.class).name());
            stream.getFileAttributeView(FileOwnerAttributeView.class)
                    .setOwner(fs.getUserPrincipalLookupService().lookupPrincipalByName("7"));
            assertEquals(7, Files.getAttribute(dir, "unix:uid"));
            assertNull(stream.getFileAttributeView(UserDefinedFileAttributeView.class), "as the default provider");
            assertNull(stream.getFileAttributeView(name("file"), UserDefinedFileAttributeView.class));
            assertThrows(NullPointerException.class, () -> stream.getFileAttributeView(null));
        }
    }

    @Test
    void closedStreams() throws Exception {
        SecureDirectoryStream<Path> stream = secure(dir);
        SecureDirectoryStream<Path> sub = stream.newDirectoryStream(name("sub"));
        BasicFileAttributeView self = stream.getFileAttributeView(BasicFileAttributeView.class);
        BasicFileAttributeView file = stream.getFileAttributeView(name("file"), BasicFileAttributeView.class);
        stream.close();
        write(sub, name("of its own"), "text");
        assertThrows(ClosedDirectoryStreamException.class, stream::iterator);
        assertThrows(ClosedDirectoryStreamException.class, () -> stream.newByteChannel(name("file"), Set.of()));
        assertThrows(ClosedDirectoryStreamException.class, () -> stream.newDirectoryStream(name("sub")));
        assertThrows(ClosedDirectoryStreamException.class, () -> stream.deleteFile(name("file")));
        assertThrows(ClosedDirectoryStreamException.class, () -> stream.deleteDirectory(name("sub")));
        assertThrows(ClosedDirectoryStreamException.class, () -> stream.move(name("file"), sub, name("file")));
        assertThrows(ClosedDirectoryStreamException.class, () -> sub.move(name("of its own"), stream, name("x")));
        assertThrows(ClosedDirectoryStreamException.class, self::readAttributes);
        assertThrows(
                ClosedDirectoryStreamException.class, () -> file.setTimes(FileTime.fromMillis(1), null, null));
        fs.close();
        assertThrows(ClosedDirectoryStreamException.class, () -> sub.newByteChannel(name("x"), Set.of()));
        fs = pools.open("p");
    }

    @Test
    void pathsAndStreamsOfOthers(@TempDir Path temp) throws Exception {
        try (FileSystem second = pools.create("q", 16 * TestPools.MIB);
                SecureDirectoryStream<Path> stream = secure(dir);
                SecureDirectoryStream<Path> elsewhere = secure(second.getPath("/"));
                SecureDirectoryStream<Path> outside = secure(temp)) {
            assertThrows(ProviderMismatchException.class, () -> stream.deleteFile(temp));
            assertThrows(ProviderMismatchException.class, () -> stream.deleteFile(second.getPath("file")));
            assertThrows(ProviderMismatchException.class, () -> stream.move(name("file"), outside, name("file")));
            assertThrows(
                    AtomicMoveNotSupportedException.class,
                    () -> stream.move(name("file"), elsewhere, second.getPath("file")));
            assertThrows(NullPointerException.class, () -> stream.move(name("file"), null, name("x")));
        }
    }

    @Test
    void whoWatchesTheDirectoryIsTold() throws Exception {
        try (WatchService service = fs.newWatchService();
                SecureDirectoryStream<Path> stream = secure(dir);
                SecureDirectoryStream<Path> sub = stream.newDirectoryStream(name("sub"))) {
            WatchKey key = dir.register(
                    service, StandardWatchEventKinds.ENTRY_CREATE, StandardWatchEventKinds.ENTRY_DELETE);
            WatchKey ofSub = dir.resolve("sub").register(service, StandardWatchEventKinds.ENTRY_CREATE);
            Files.move(dir, fs.getPath("/moved"));
            Files.createDirectory(dir); // nothing happens in this one
            write(stream, name("new"), "text");
            stream.move(name("new"), sub, name("../sub/there"));
            stream.move(name("sub/there"), sub, name("here"));
            stream.deleteFile(name("sub/here"));
            stream.deleteDirectory(name("sub"));
            assertEquals(List.of("ENTRY_CREATE new", "ENTRY_DELETE new", "ENTRY_DELETE sub"), events(key));
            assertEquals(List.of("ENTRY_CREATE there", "ENTRY_CREATE here"), events(ofSub));
            assertFalse(ofSub.reset(), "its directory is gone");
        }
    }

    private static List<String> events(WatchKey key) {
        List<String> all = new ArrayList<>();
        for (WatchEvent<?> event : key.pollEvents()) {
            all.add(event.kind() + " " + event.context());
        }
        return all;
    }

    /** What software deletes trees by that may be attacked: nothing behind a link that takes a directory's place goes. */
    @Test
    void aLinkThatComesInADirectorysPlaceIsNeverFollowed() throws Exception {
        Path kept = Files.createDirectory(fs.getPath("/kept"));
        Files.writeString(kept.resolve("file"), "kept");
        Path spare = Files.createSymbolicLink(fs.getPath("/spare"), kept);
        AtomicBoolean done = new AtomicBoolean();
        ExecutorService attacker = Executors.newSingleThreadExecutor();
        int deleted = 0;
        try (SecureDirectoryStream<Path> root = secure(fs.getPath("/"))) {
            Future<?> attack = attacker.submit(() -> {
                while (!done.get()) {
                    NovaFileSystemProvider.store(fs).exchange("/dir", spare.toString());
                }
                return null;
            });
            for (int i = 0; i < SWAPS; i++) {
                try (SecureDirectoryStream<Path> victim =
                        root.newDirectoryStream(name("dir"), LinkOption.NOFOLLOW_LINKS)) {
                    write(victim, name("file"), "mine");
                    victim.deleteFile(name("file"));
                    deleted++;
                } catch (NotDirectoryException | NoSuchFileException e) {
                    throw e; // neither is ever there
                } catch (FileSystemException e) {
                    // it was the link
                }
            }
            done.set(true);
            attack.get();
        } finally {
            done.set(true);
            attacker.shutdown();
        }
        assertTrue(deleted > 0);
        assertEquals("kept", Files.readString(kept.resolve("file")));
    }
}
