/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jnova.NovaFile;
import org.jnova.NovaStore;
import org.jnova.StoreOptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Trees into a pool and out again. */
class ImportExportTest {
    @TempDir(factory = SharedMemoryDir.class)
    Path dir;

    private Path tree;
    private Path back;
    private String pool;

    @BeforeEach
    void makeTree() throws IOException {
        pool = dir.resolve("pool").toString();
        back = dir.resolve("back");
        tree = Files.createDirectory(dir.resolve("tree"));
        Random random = new Random(1);
        for (String name : new String[] {
            "empty", "one", "sub/two", "sub/deep/er/three", "100%", "%2F", "odd/.jnova-part-0", "sp ace/näme",
            "new\nline"
        }) {
            byte[] bytes = new byte[name.equals("empty") ? 0 : random.nextInt(20_000)];
            random.nextBytes(bytes);
            Path file = Cli.file(tree, name);
            Files.createDirectories(file.getParent());
            Files.write(file, bytes);
        }
        byte[] large = new byte[2 * WholeFiles.CHUNK_LEN + 12_345];
        random.nextBytes(large);
        Files.write(tree.resolve("sub/large"), large);
        Files.write(tree.resolve("exact"), new byte[WholeFiles.CHUNK_LEN]);
        Cli.ok("mkfs", pool, "--size", "64M", "--emulated");
    }

    /**
     * Relative path, by bytes, to all that is to be kept, and the content of files. Times to the microsecond, which is
     * what some JDKs set, and of links not at all; the first name of each hard link instead of its inode number.
     */
    private static Map<String, byte[]> contents(Path root) throws IOException {
        Map<String, byte[]> contents = new TreeMap<>();
        Map<Object, String> firsts = new HashMap<>();
        try (Stream<Path> all = Files.walk(root)) {
            for (Path path : (Iterable<Path>) all.sorted()::iterator) {
                String name = root.toUri().relativize(path.toUri()).getRawPath();
                HostAttributes a = HostAttributes.of(path);
                boolean link = Files.isSymbolicLink(path);
                boolean file = Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS);
                String first = file ? firsts.merge(a.key(), name, (one, two) -> one) : "";
                contents.put(
                        name + (link ? " -> " + Files.readSymbolicLink(path) : " " + Integer.toOctalString(a.mode()))
                                + " " + a.uid() + " " + a.gid() + (file ? " " + a.nlink() + " " + first : "")
                                + (link ? "" : " " + a.modified().to(TimeUnit.MICROSECONDS)),
                        file ? Files.readAllBytes(path) : new byte[0]);
            }
        }
        contents.keySet().removeIf(name -> name.startsWith(" ")); // the root itself
        return contents;
    }

    private static void assertSame(Path one, Path two) throws IOException {
        Map<String, byte[]> first = contents(one);
        Map<String, byte[]> second = contents(two);
        assertEquals(String.join("\n", first.keySet()), String.join("\n", second.keySet()));
        first.forEach((path, bytes) -> assertArrayEquals(bytes, second.get(path), path));
    }

    private NovaStore open() throws IOException {
        return NovaStore.open(
                Path.of(pool), StoreOptions.builder().emulated(true).build());
    }

    @Test
    void roundTrip() throws IOException {
        String out = Cli.ok("import", "--emulated", pool, tree.toString());
        assertTrue(out.startsWith("11 files stored"), out);
        assertEquals("three\n", Cli.ok("ls", pool, "sub/deep/er"));
        out = Cli.ok("export", "--emulated", pool, back.toString());
        assertTrue(out.startsWith("11 files written"), out);
        assertSame(tree, back);
        assertTrue(Cli.ok("fsck", pool).contains("sound"));
    }

    /** Shared memory keeps none before Linux 6.6, so the tree may be elsewhere. */
    @Test
    void extendedAttributes(@TempDir Path elsewhere) throws IOException {
        Path source = Files.createDirectory(elsewhere.resolve("source"));
        Path file = Files.writeString(source.resolve("file"), "text");
        UserDefinedFileAttributeView view = Files.getFileAttributeView(file, UserDefinedFileAttributeView.class);
        Files.createDirectory(source.resolve("dir"));
        boolean kept;
        try {
            view.write("tag", ByteBuffer.wrap(new byte[] {1, 0, 2}));
            Files.getFileAttributeView(source.resolve("dir"), UserDefinedFileAttributeView.class)
                    .write("of dir", ByteBuffer.wrap(new byte[0]));
            kept = true;
        } catch (IOException | UnsupportedOperationException e) {
            kept = false;
        }
        Cli.ok("import", "--emulated", pool, source.toString());
        assertEquals(kept ? "tag\n" : "", Cli.ok("xattr", "--emulated", pool, "file"));
        assertEquals(kept ? "of dir\n" : "", Cli.ok("xattr", "--emulated", pool, "dir"));
        Cli.ok("xattr", "--emulated", pool, "file", "more", "value");
        Path target = elsewhere.resolve("target");
        Cli.ok("export", "--emulated", pool, target.toString());
        if (kept) {
            Map<String, byte[]> all = ExtendedAttributes.ofHost(target.resolve("file"));
            assertEquals("[more, tag]", all.keySet().toString());
            assertArrayEquals(new byte[] {1, 0, 2}, all.get("tag"));
            assertEquals("[of dir]", ExtendedAttributes.ofHost(target.resolve("dir")).keySet().toString());
            Cli.ok("import", "--emulated", pool, source.toString()); // takes away what the source lacks
            assertEquals("tag\n", Cli.ok("xattr", "--emulated", pool, "file"));
        }
    }

    @Test
    void namesThatAreNoUtf8AreReportedAndTheRestStored() throws IOException {
        Path odd = Path.of(URI.create(tree.toUri() + "%C3%28%FF"));
        Files.writeString(odd, "odd");
        Cli.Result result = Cli.run("import", "--emulated", pool, tree.toString());
        assertEquals(Main.FAILED, result.code());
        assertTrue(result.out().startsWith("11 files stored"), result.out());
        assertTrue(result.err().contains("not UTF-8"), result.err());
        Files.delete(odd);
    }

    /** Directories also empty ones, symbolic links to anything, hard links, modes, times. */
    @Test
    void wholeTreesComeBack() throws IOException {
        Files.createSymbolicLink(tree.resolve("link"), Path.of("sub/deep"));
        Files.createSymbolicLink(tree.resolve("dangling"), Path.of("../nowhere/\u00e4"));
        Files.createSymbolicLink(tree.resolve("sub/loop"), tree);
        Files.createDirectories(tree.resolve("hollow/inside"));
        Files.createLink(tree.resolve("sub/second"), tree.resolve("one"));
        Files.createLink(tree.resolve("third"), tree.resolve("one"));
        Files.setAttribute(tree.resolve("one"), "unix:mode", 04751);
        Files.setAttribute(tree.resolve("hollow"), "unix:mode", 01555);
        FileTime time = FileTime.from(1_234_567_890_123_456L, TimeUnit.MICROSECONDS);
        for (String name : new String[] {"one", "hollow", "sub/deep"}) {
            Files.setLastModifiedTime(tree.resolve(name), time);
        }
        try {
            String out = Cli.ok("import", "--emulated", pool, tree.toString());
            assertTrue(out.startsWith("16 files stored"), out);
            assertTrue(out.contains("7 directories, 3 symbolic links"), out);
            for (int round = 0; round < 2; round++) { // the second finds all there
                out = Cli.ok("export", "--emulated", pool, back.toString());
                assertTrue(out.startsWith((round == 0 ? 16 : 0) + " files written"), out);
                assertSame(tree, back);
            }
            assertTrue(Cli.ok("import", "--emulated", pool, tree.toString()).startsWith("0 files stored"));
            Files.setAttribute(tree.resolve("exact"), "unix:mode", 0600);
            assertTrue(Cli.ok("import", "--emulated", pool, tree.toString()).startsWith("0 files stored"));
            Cli.ok("export", "--emulated", pool, back.toString());
            assertSame(tree, back);
            assertTrue(Cli.ok("fsck", pool).contains("sound"));
        } finally {
            Files.setAttribute(tree.resolve("hollow"), "unix:mode", 0755);
            if (Files.exists(back.resolve("hollow"))) {
                Files.setAttribute(back.resolve("hollow"), "unix:mode", 0755);
            }
        }
    }

    /** Equal bytes are not enough: what is one file there must be one here, and what is two, two. */
    @Test
    void linksThatChangedAreFollowed() throws IOException {
        Files.writeString(tree.resolve("a"), "same");
        Files.createLink(tree.resolve("b"), tree.resolve("a"));
        Cli.ok("import", "--emulated", pool, tree.toString());
        Cli.ok("export", "--emulated", pool, back.toString());
        Files.delete(tree.resolve("b"));
        Files.copy(tree.resolve("a"), tree.resolve("b"), StandardCopyOption.COPY_ATTRIBUTES);
        Cli.ok("import", "--emulated", pool, tree.toString());
        Cli.ok("export", "--emulated", pool, back.toString());
        assertSame(tree, back);
        Files.delete(tree.resolve("b"));
        Files.createLink(tree.resolve("b"), tree.resolve("a"));
        Cli.ok("import", "--emulated", pool, tree.toString());
        Cli.ok("export", "--emulated", pool, back.toString());
        assertSame(tree, back);
    }

    @Test
    void pathsNameImportedFiles() throws IOException {
        Cli.ok("import", "--emulated", pool, tree.toString());
        assertArrayEquals(
                Files.readAllBytes(tree.resolve("sub/deep/er/three")),
                Cli.run("cat", "--emulated", pool, "sub/deep/er/three").bytes());
        Cli.ok("get", "--emulated", pool, "sub/two", dir.toString());
        assertArrayEquals(Files.readAllBytes(tree.resolve("sub/two")), Files.readAllBytes(dir.resolve("two")));
        Cli.ok("rm", "--emulated", pool, "sub/two");
        assertFalse(Cli.ok("ls", pool).contains("two"));
    }

    @Test
    void secondRunStoresWhatDiffers() throws IOException {
        Cli.ok("import", "--emulated", pool, tree.toString());
        byte[] large = Files.readAllBytes(tree.resolve("sub/large"));
        large[large.length - 1]++;
        Files.write(tree.resolve("sub/large"), large);
        Files.writeString(tree.resolve("one"), "of another length");
        String out = Cli.ok("import", "--emulated", pool, tree.toString());
        assertTrue(out.startsWith("2 files stored"), out);
        assertTrue(out.contains(" 9 there already"), out);
        Cli.ok("export", "--emulated", pool, back.toString());
        assertSame(tree, back);
        out = Cli.ok("export", "--emulated", pool, back.toString());
        assertTrue(out.startsWith("0 files written"), out);
        assertTrue(out.contains(" 11 there already"), out);
    }

    @Test
    void interruptedImportIsFinishedByTheNext() throws IOException {
        try (NovaStore store = open();
                NovaFile part =
                        store.open(WholeFiles.PART_PREFIX + "0", StandardOpenOption.WRITE, StandardOpenOption.CREATE)) {
            part.write(0, new byte[5000], 0, 5000);
        }
        assertTrue(Cli.ok("export", "--emulated", pool, back.toString()).contains("left out: 1 file"));
        assertEquals(Map.of().keySet(), contents(back).keySet());
        String out = Cli.ok("import", "--emulated", pool, tree.toString());
        assertTrue(out.contains("deleted 1 file"), out);
        assertFalse(Cli.ok("ls", pool).contains(WholeFiles.PART_PREFIX + "0\n"));
        Cli.ok("export", "--emulated", pool, back.toString());
        assertSame(tree, back);
    }

    @Test
    void linkAsRootIsFollowed() throws IOException {
        Path link = Files.createSymbolicLink(dir.resolve("link"), tree);
        assertTrue(Cli.ok("import", "--emulated", pool, link.toString()).startsWith("11 files stored"));
    }

    @Test
    void poolInsideItsOwnTreeIsLeftOut() throws IOException {
        String out = Cli.ok("import", "--emulated", pool, dir.toString());
        assertTrue(out.startsWith("11 files stored"), out);
        assertTrue(out.contains("1 special file"), out);
    }

    @Test
    void verboseTellsEachFileOnceItIsDurable() {
        String out = Cli.ok("import", "--emulated", "-v", "-q", pool, tree.toString());
        assertEquals(
                11,
                out.lines()
                        .filter(line -> line.startsWith(ImportCommand.STORED + "\t"))
                        .count(),
                out);
        assertEquals(
                3,
                out.lines()
                        .filter(line -> line.startsWith(ImportCommand.WRITING + "\t"))
                        .count(),
                out);
        assertTrue(out.contains(ImportCommand.STORED + "\t0\tempty\n"), out);
        assertTrue(out.contains("\tnew\\nline\n"), out);
        out = Cli.ok("import", "--emulated", "-v", "-q", pool, tree.toString());
        assertEquals(
                11,
                out.lines()
                        .filter(line -> line.startsWith(ImportCommand.SAME + "\t"))
                        .count(),
                out);
    }

    /** A link in the target that leads out of it is no way out. */
    @Test
    void nothingIsWrittenOutsideTheTarget() throws IOException {
        Cli.ok("import", "--emulated", pool, tree.toString());
        Path outside = Files.createDirectory(dir.resolve("outside"));
        Files.createDirectory(back);
        Files.createSymbolicLink(back.resolve("sub"), outside);
        Path victim = Files.writeString(outside.resolve("victim"), "old");
        Files.createSymbolicLink(back.resolve("one"), victim);
        String err = Cli.failed(Main.FAILED, "export", "--emulated", pool, back.toString());
        assertTrue(err.contains("/sub: "), err);
        assertEquals("old", Files.readString(victim));
        try (Stream<Path> all = Files.list(outside)) {
            assertEquals(1, all.count());
        }
        assertTrue(Files.isRegularFile(back.resolve("one"), LinkOption.NOFOLLOW_LINKS));
    }

    @Test
    void fileWhereADirectoryIsNeeded() throws IOException {
        Cli.ok("import", "--emulated", pool, tree.toString());
        Files.createDirectory(back);
        Files.writeString(back.resolve("sub"), "x");
        Files.createDirectory(back.resolve("one"));
        Cli.Result result = Cli.run("export", "--emulated", pool, back.toString());
        assertEquals(Main.FAILED, result.code());
        assertEquals(2, result.err().lines().count(), result.err());
        assertTrue(Files.exists(back.resolve("odd/.jnova-part-0")));
        Cli.ok("rm", "-r", "--emulated", pool, "sub");
        Cli.ok("put", "--emulated", pool, tree.resolve("one").toString(), "--name", "sub");
        result = Cli.run("import", "--emulated", pool, tree.toString());
        assertEquals(Main.FAILED, result.code());
        assertTrue(result.err().contains("sub: is no directory in the pool"), result.err());
    }
}
