/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.ClosedDirectoryStreamException;
import java.nio.file.ClosedFileSystemException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.ProviderMismatchException;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.DosFileAttributeView;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jnova.NovaFile;
import org.jnova.TestPools;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class NovaFileSystemTest {
    private final NioPools pools = new NioPools();
    private FileSystem fs;

    @BeforeEach
    void open() throws Exception {
        fs = pools.create("p", 16 * TestPools.MIB);
    }

    @AfterEach
    void close() throws Exception {
        pools.closeSound(fs, "p");
        pools.close();
    }

    // ---- file systems

    @Test
    void aPoolIsOpenOnce() throws Exception {
        assertThrows(FileSystemAlreadyExistsException.class, () -> pools.open("p"));
        assertThrows(FileSystemAlreadyExistsException.class, () -> FileSystems.newFileSystem(pools.file("p")));
        assertSame(fs, FileSystems.getFileSystem(pools.uri("p")));
        Path link = Files.createSymbolicLink(pools.file("link"), pools.file("p"));
        assertSame(fs, FileSystems.getFileSystem(pools.uri(link.getFileName().toString())));
        fs.close();
        fs.close();
        assertFalse(fs.isOpen());
        assertThrows(FileSystemNotFoundException.class, () -> FileSystems.getFileSystem(pools.uri("p")));
        fs = FileSystems.newFileSystem(pools.file("p"), Map.of("emulated", "true"));
    }

    @Test
    void otherFilesAreLeftToOtherProviders() throws Exception {
        Path text = Files.writeString(pools.file("text"), "no pool");
        assertThrows(
                UnsupportedOperationException.class,
                () -> fs.provider().newFileSystem(text, Map.of()));
        assertThrows(
                UnsupportedOperationException.class,
                () -> fs.provider().newFileSystem(fs.getPath("/"), Map.of()));
        assertThrows(
                UnsupportedOperationException.class,
                () -> fs.provider().newFileSystem(pools.file("."), Map.of()));
    }

    @Test
    void wrongUrisAndSettings() {
        for (String uri : List.of("jnova:p", "jnova:///", "jnova://host/p", "jnova:///p?q", "jnova:///p#f", "file:///p")) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> fs.provider().newFileSystem(URI.create(uri), Map.of()),
                    uri);
        }
        for (Map<String, ?> env : List.of(
                Map.of("create", true), Map.of("create", true, "size", "1Q"), Map.of("accessTimes", "sometimes"))) {
            assertThrows(
                    IllegalArgumentException.class, () -> FileSystems.newFileSystem(pools.uri("q"), env), env.toString());
        }
        assertThrows(IllegalArgumentException.class, () -> Path.of(pools.uri("p")));
    }

    @Test
    void urisOfOddNames() throws Exception {
        String name = "a!/ %ü#?";
        Files.createDirectory(pools.file("a!"));
        try (FileSystem odd = FileSystems.newFileSystem(
                URI.create("jnova://" + pools.file(name).toUri().getRawPath().replace("!", "%21")),
                Map.of("create", "TRUE", "size", "2M", "emulated", true, "accessTimes", "never"))) {
            Path path = Files.createDirectory(odd.getPath("/d!"))
                    .resolve("!")
                    .resolve("ü %25");
            assertEquals(path, Path.of(path.toUri()));
            assertEquals(path, Path.of(URI.create(path.toUri().toString())));
            assertNotEquals(path, fs.getPath(path.toString()));
        }
    }

    @Test
    void closingClosesWhatIsOpen() throws Exception {
        Path path = Files.writeString(fs.getPath("/f"), "x");
        FileChannel channel = FileChannel.open(path);
        DirectoryStream<Path> stream = Files.newDirectoryStream(fs.getPath("/"));
        WatchService watcher = fs.newWatchService();
        fs.close();
        assertFalse(channel.isOpen());
        assertThrows(ClosedChannelException.class, channel::size);
        assertThrows(ClosedDirectoryStreamException.class, stream::iterator);
        assertThrows(ClosedWatchServiceException.class, watcher::poll);
        assertThrows(ClosedFileSystemException.class, () -> Files.size(path));
        assertThrows(ClosedFileSystemException.class, fs::newWatchService);
        assertThrows(ClosedFileSystemException.class, () -> Files.createFile(path));
    }

    @Test
    void figuresOfTheStore() throws Exception {
        FileStore store = Files.getFileStore(fs.getPath("/"));
        long before = store.getUsableSpace();
        Files.write(fs.getPath("/f"), new byte[1 << 20]);
        assertTrue(before - store.getUsableSpace() >= 1 << 20);
        Files.delete(fs.getPath("/f"));
        assertEquals(before, store.getUsableSpace(), 4096 * 2);
        assertTrue(store.getTotalSpace() >= store.getUnallocatedSpace());
        assertEquals(4096, store.getBlockSize());
        assertTrue(store.supportsFileAttributeView(PosixFileAttributeView.class));
        assertFalse(store.supportsFileAttributeView("dos"));
        assertEquals(TestPools.DURABILITY, store.getAttribute("jnova:durability"));
    }

    @Test
    void theStoreBehindIt() throws Exception {
        try (NovaFile file = NovaFileSystemProvider.store(fs)
                .open("/f", StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            file.append("abc".getBytes(StandardCharsets.UTF_8), 0, 3);
        }
        assertEquals("abc", Files.readString(fs.getPath("f")));
        assertThrows(ProviderMismatchException.class, () -> NovaFileSystemProvider.store(FileSystems.getDefault()));
    }

    // ---- attributes

    @Test
    void attributesByViewAndByName() throws Exception {
        Path path = Files.createFile(
                fs.getPath("/f"), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx--x---")));
        assertEquals("rwx--x---", PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
        FileTime time = FileTime.from(Instant.parse("2001-02-03T04:05:06.123456789Z"));
        Files.setAttribute(path, "lastModifiedTime", time);
        assertEquals(time, Files.getLastModifiedTime(path));
        Files.setAttribute(path, "unix:uid", 4711);
        assertEquals(4711, Files.getAttribute(path, "unix:uid"));
        UserPrincipalLookupService lookup = fs.getUserPrincipalLookupService();
        assertEquals(lookup.lookupPrincipalByName("4711"), Files.getOwner(path));
        Files.setOwner(path, lookup.lookupPrincipalByName("root"));
        assertEquals("root", Files.getOwner(path).getName());
        assertEquals(0, Files.getAttribute(path, "unix:uid"));
        assertThrows(
                ProviderMismatchException.class,
                () -> Files.setOwner(path, Files.getOwner(pools.file("p"))));
        assertNull(Files.getFileAttributeView(path, DosFileAttributeView.class));
        assertThrows(UnsupportedOperationException.class, () -> Files.getAttribute(path, "dos:hidden"));
        assertThrows(IllegalArgumentException.class, () -> Files.getAttribute(path, "basic:owner"));
        assertThrows(IllegalArgumentException.class, () -> Files.setAttribute(path, "unix:ino", 1L));
        assertThrows(ClassCastException.class, () -> Files.setAttribute(path, "posix:permissions", Set.of("r")));
        Map<String, Object> all = Files.readAttributes(path, "unix:*");
        for (String view : fs.supportedFileAttributeViews()) {
            if (!view.equals("user")) {
                assertTrue(all.keySet().containsAll(Files.readAttributes(path, view + ":*").keySet()), view);
            }
        }
    }

    @Test
    void timesFarAwayAreTheNextThatTheStoreKeeps() throws Exception {
        Path path = Files.createFile(fs.getPath("/f"));
        Files.setLastModifiedTime(path, FileTime.fromMillis(Long.MAX_VALUE));
        assertEquals(2262, Files.getLastModifiedTime(path).toInstant().atZone(ZoneOffset.UTC).getYear());
        Files.setLastModifiedTime(path, FileTime.fromMillis(Long.MIN_VALUE));
        assertEquals(1677, Files.getLastModifiedTime(path).toInstant().atZone(ZoneOffset.UTC).getYear());
    }

    @Test
    void theTimeOfCreationCanBeSet() throws Exception {
        Path path = Files.createFile(fs.getPath("/f"));
        FileTime made = FileTime.fromMillis(1);
        FileTime read = FileTime.fromMillis(2);
        BasicFileAttributeView view = Files.getFileAttributeView(path, BasicFileAttributeView.class);
        view.setTimes(null, null, made);
        assertEquals(made, view.readAttributes().creationTime());
        assertNotEquals(made, view.readAttributes().lastModifiedTime());
        view.setTimes(null, read, read);
        assertEquals(read, view.readAttributes().creationTime());
        assertEquals(read, view.readAttributes().lastAccessTime());
        Files.setAttribute(path, "creationTime", made);
        Files.setAttribute(path, "lastModifiedTime", read);
        Files.write(path, new byte[10]);
        fs.close();
        fs = pools.open("p");
        path = fs.getPath("/f");
        assertEquals(made, Files.getAttribute(path, "creationTime"));
        assertEquals(read, Files.getAttribute(path, "lastAccessTime"));
        Path copy = Files.copy(path, fs.getPath("/copy"), StandardCopyOption.COPY_ATTRIBUTES);
        assertEquals(read, Files.getAttribute(copy, "lastAccessTime"));
        assertNotEquals(made, Files.getAttribute(copy, "creationTime"), "the copy was made just now");
    }

    @Test
    void extendedAttributes() throws Exception {
        Path path = Files.createFile(fs.getPath("/f"));
        UserDefinedFileAttributeView view = Files.getFileAttributeView(path, UserDefinedFileAttributeView.class);
        byte[] value = "text/plain".getBytes(StandardCharsets.UTF_8);
        assertEquals(value.length, view.write("mime", ByteBuffer.wrap(value)));
        assertEquals(List.of("mime"), view.list());
        assertEquals(value.length, view.size("mime"));
        ByteBuffer read = ByteBuffer.allocate(100);
        assertEquals(value.length, view.read("mime", read));
        assertEquals(ByteBuffer.wrap(value), read.flip());
        assertThrows(FileSystemException.class, () -> view.read("mime", ByteBuffer.allocate(3)));
        Path copy = Files.copy(path, fs.getPath("/copy"), StandardCopyOption.COPY_ATTRIBUTES);
        assertArrayEquals(value, (byte[]) Files.getAttribute(copy, "user:mime"));
        view.delete("mime");
        assertThrows(FileSystemException.class, () -> view.size("mime"));
        assertThrows(FileSystemException.class, () -> view.write("big", ByteBuffer.allocate(65_537)));
    }

    // ---- names

    @Test
    void longNames() throws Exception {
        Path good = fs.getPath("ü".repeat(127) + "a");
        Files.createFile(good);
        assertTrue(Files.exists(good));
        Path bad = fs.getPath("ü".repeat(128));
        assertThrows(FileSystemException.class, () -> Files.createFile(bad));
        assertFalse(Files.exists(bad));
    }

    @Test
    void aStreamShowsWhatStaysOnce() throws Exception {
        Set<String> kept = new HashSet<>();
        for (int i = 0; i < 200; i++) {
            Files.createFile(fs.getPath("/go" + i));
            kept.add(Files.createFile(fs.getPath("/stay" + i)).toString());
        }
        List<String> seen = new ArrayList<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(fs.getPath("/"))) {
            int i = 0;
            for (Path path : stream) {
                if (path.toString().startsWith("/stay")) {
                    seen.add(path.toString());
                }
                if (i < 200) {
                    Files.delete(fs.getPath("/go" + i));
                    Files.createFile(fs.getPath("/new" + i++));
                }
            }
            assertThrows(IllegalStateException.class, stream::iterator);
        }
        assertEquals(kept.size(), seen.size());
        assertEquals(kept, new HashSet<>(seen));
    }

    @Test
    void copiesKeepHoles() throws Exception {
        Path path = fs.getPath("/sparse");
        try (FileChannel channel =
                FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(new byte[] {1}), 1L << 30);
        }
        Path copy = Files.copy(path, fs.getPath("/copy"));
        assertEquals((1L << 30) + 1, Files.size(copy));
        assertEquals(4096, NovaFileSystemProvider.store(fs).stat("/copy").allocated());
    }

    @Test
    void betweenPools() throws Exception {
        try (FileSystem other = pools.create("other", 16 * TestPools.MIB)) {
            Path from = Files.write(fs.getPath("/f"), new byte[3_000_000]);
            Files.setAttribute(from, "user:a", new byte[] {7});
            FileTime made = FileTime.fromMillis(1);
            Files.setAttribute(from, "creationTime", made);
            Path to = other.getPath("/g");
            assertThrows(
                    AtomicMoveNotSupportedException.class,
                    () -> Files.move(from, to, StandardCopyOption.ATOMIC_MOVE));
            Files.move(from, to);
            assertFalse(Files.exists(from));
            assertEquals(3_000_000, Files.size(to));
            assertEquals(made, Files.getAttribute(to, "creationTime"));
            Path link = Files.createSymbolicLink(fs.getPath("/link"), fs.getPath("nowhere"));
            Files.getFileAttributeView(link, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                    .setTimes(null, null, made);
            Files.move(link, other.getPath("/link"));
            assertEquals(
                    made, Files.getAttribute(other.getPath("/link"), "creationTime", LinkOption.NOFOLLOW_LINKS));
            assertArrayEquals(new byte[] {7}, (byte[]) Files.getAttribute(to, "user:a"));
            assertThrows(FileSystemException.class, () -> Files.createLink(from, to));
            assertThrows(ProviderMismatchException.class, () -> fs.getPath("/a").relativize(to));
        }
    }

    @Test
    void aDirectoryOverTheLinkThatLeadsToIt() throws Exception {
        Path from = Files.createDirectories(fs.getPath("/a/b"));
        Files.createFile(from.resolve("f"));
        Path link = Files.createSymbolicLink(fs.getPath("/link"), fs.getPath("a"));
        Files.move(link.resolve("b"), link, StandardCopyOption.REPLACE_EXISTING);
        assertTrue(Files.exists(fs.getPath("/link/f")));
        assertTrue(Files.isDirectory(link, LinkOption.NOFOLLOW_LINKS));
        try (Stream<Path> rest = Files.list(fs.getPath("/a"))) {
            assertEquals(0, rest.count());
        }
    }

    // ---- watching

    private static List<String> events(WatchKey key) {
        List<String> all = new ArrayList<>();
        for (WatchEvent<?> event : key.pollEvents()) {
            all.add(event.kind().name().substring("ENTRY_".length()) + " " + event.context() + " " + event.count());
        }
        return all;
    }

    @Test
    void watching() throws Exception {
        Path directory = Files.createDirectory(fs.getPath("/d"));
        try (WatchService watcher = fs.newWatchService()) {
            WatchKey key = directory.register(
                    watcher,
                    StandardWatchEventKinds.ENTRY_CREATE,
                    StandardWatchEventKinds.ENTRY_DELETE,
                    StandardWatchEventKinds.ENTRY_MODIFY);
            assertNull(watcher.poll());
            Path file = directory.resolve("f");
            Files.writeString(file, "x");
            assertSame(key, watcher.poll());
            assertEquals(List.of("CREATE f 1", "MODIFY f 1"), events(key));
            Files.writeString(file, "y", StandardOpenOption.APPEND);
            assertNull(watcher.poll(), "not reset yet");
            assertTrue(key.reset());
            assertSame(key, watcher.take());
            assertEquals(List.of("MODIFY f 1"), events(key));
            assertTrue(key.reset());
            Files.move(file, fs.getPath("/g"));
            Files.move(fs.getPath("/g"), file);
            Files.delete(file);
            assertEquals(List.of("DELETE f 1", "CREATE f 1", "DELETE f 1"), events(key));
            Files.delete(directory);
            assertFalse(key.isValid());
            assertFalse(watcher.take().reset());
        }
    }

    // ---- other software, unchanged

    @Test
    void aZipFileInAPool() throws Exception {
        Path zip = fs.getPath("/archive.zip");
        try (FileSystem inside = FileSystems.newFileSystem(zip, Map.of("create", "true"))) {
            Files.writeString(inside.getPath("/a.txt"), "alpha");
            Files.createDirectory(inside.getPath("/d"));
            try (OutputStream out = Files.newOutputStream(inside.getPath("/d/b"))) {
                out.write(new byte[100_000]);
            }
        }
        try (FileSystem inside = FileSystems.newFileSystem(zip)) {
            assertEquals("alpha", Files.readString(inside.getPath("/a.txt")));
            Files.copy(inside.getPath("/d/b"), fs.getPath("/b"));
        }
        assertEquals(100_000, Files.size(fs.getPath("/b")));
        try (InputStream in = Files.newInputStream(fs.getPath("/b"))) {
            assertEquals(100_000, in.transferTo(OutputStream.nullOutputStream()));
        }
    }

    @Test
    void aTreeThroughFilesWalk() throws Exception {
        Path source = Files.createDirectories(pools.file("tree/a/b"));
        Files.writeString(source.resolve("f"), "content");
        Files.createSymbolicLink(source.resolve("link"), Path.of("f"));
        Path tree = pools.file("tree");
        try (Stream<Path> paths = Files.walk(tree)) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                Path to = fs.getPath("/copy").resolve(tree.relativize(path).toString());
                if (Files.isSymbolicLink(path)) { // which Files does not copy from one provider to another
                    Files.createSymbolicLink(
                            to, fs.getPath(Files.readSymbolicLink(path).toString()));
                } else {
                    Files.copy(path, to, StandardCopyOption.COPY_ATTRIBUTES);
                }
            }
        }
        try (Stream<Path> paths = Files.find(fs.getPath("/copy"), 9, (path, is) -> !is.isDirectory())) {
            assertEquals(
                    List.of("/copy/a/b/f", "/copy/a/b/link"),
                    paths.map(Path::toString).sorted().toList());
        }
        assertEquals("content", Files.readString(fs.getPath("/copy/a/b/link")));
        assertEquals(fs.getPath("/copy/a/b/f"), fs.getPath("/copy/a/./b/link").toRealPath());
    }
}
