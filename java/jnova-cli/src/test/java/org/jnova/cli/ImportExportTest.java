/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
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
            "empty", "one", "sub/two", "sub/deep/er/three", "100%", "%2F", "odd/%part-0", "sp ace/näme", "new\nline"
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

    /** Relative path, by bytes, to content; directories do not count. */
    private static Map<String, byte[]> contents(Path root) throws IOException {
        Map<String, byte[]> contents = new TreeMap<>();
        try (Stream<Path> all = Files.walk(root)) {
            for (Path path : (Iterable<Path>) all::iterator) {
                if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
                    contents.put(root.toUri().relativize(path.toUri()).getRawPath(), Files.readAllBytes(path));
                }
            }
        }
        return contents;
    }

    private static void assertSame(Path one, Path two) throws IOException {
        Map<String, byte[]> first = contents(one);
        Map<String, byte[]> second = contents(two);
        assertEquals(first.keySet(), second.keySet());
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
        assertTrue(Cli.ok("ls", pool).contains("sub%2Fdeep%2Fer%2Fthree\n"));
        out = Cli.ok("export", "--emulated", pool, back.toString());
        assertTrue(out.startsWith("11 files written"), out);
        assertSame(tree, back);
        assertTrue(Cli.ok("fsck", pool).contains("sound"));
    }

    @Test
    void bytesThatAreNoUtf8ComeBack() throws IOException {
        Path odd = Path.of(URI.create(tree.toUri() + "%C3%28%FF"));
        Files.writeString(odd, "odd");
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
    void whatIsNoFileIsCounted() throws IOException {
        Files.createSymbolicLink(tree.resolve("link"), Path.of("one"));
        Files.createSymbolicLink(tree.resolve("dangling"), Path.of("nowhere"));
        Files.createSymbolicLink(tree.resolve("sub/loop"), tree);
        Files.createDirectories(tree.resolve("hollow/inside"));
        String out = Cli.ok("import", "--emulated", pool, tree.toString());
        assertTrue(out.startsWith("11 files stored"), out);
        assertTrue(out.contains("left out: 3 symbolic links, 0 special files, 1 empty directory"), out);
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
        assertTrue(out.contains("1 special file,"), out);
    }

    @Test
    void namesTooLongAreReportedAndTheRestStored() throws IOException {
        Path deep = tree.resolve("d".repeat(200)).resolve("e".repeat(60));
        Files.createDirectories(deep.getParent());
        Files.writeString(deep, "x");
        Cli.Result result = Cli.run("import", "--emulated", pool, tree.toString());
        assertEquals(Main.FAILED, result.code());
        assertTrue(result.out().startsWith("11 files stored"), result.out());
        assertEquals(1, result.err().lines().count(), result.err());
        assertTrue(result.err().contains(deep + ": ") && result.err().contains("255"), result.err());
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

    @Test
    void namesThatLeadOutsideAreNotExported() throws IOException {
        Path source = tree.resolve("one");
        for (String name : new String[] {"..%2Fescaped", "%2Fescaped", "fine"}) {
            Cli.ok("put", "--emulated", pool, source.toString(), "--name", name);
        }
        Cli.Result result = Cli.run("export", "--emulated", pool, back.toString());
        assertEquals(Main.FAILED, result.code());
        assertEquals(2, result.err().lines().count(), result.err());
        assertEquals(1, contents(back).size());
        assertFalse(Files.exists(dir.resolve("escaped")));
    }

    @Test
    void twoNamesOfOnePath() {
        for (String name : new String[] {"100%", "100%25"}) {
            Cli.ok("put", "--emulated", pool, tree.resolve("one").toString(), "--name", name);
        }
        String err = Cli.failed(Main.FAILED, "export", "--emulated", pool, back.toString());
        assertTrue(err.contains("100%25: 100% has its path already"), err);
    }

    @Test
    void fileWhereADirectoryIsNeeded() throws IOException {
        Cli.ok("put", "--emulated", pool, tree.resolve("one").toString(), "--name", "a");
        Cli.ok("put", "--emulated", pool, tree.resolve("one").toString(), "--name", "a%2Fb");
        Cli.ok("put", "--emulated", pool, tree.resolve("one").toString(), "--name", "z");
        String err = Cli.failed(Main.FAILED, "export", "--emulated", pool, back.toString());
        assertTrue(err.contains("a%2Fb: "), err);
        assertEquals(2, contents(back).size());
    }
}
