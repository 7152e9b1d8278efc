/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.jnova.FileInfo;
import org.jnova.NovaStore;
import org.jnova.StoreOptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each command on a pool, as far as it goes well. */
class CommandsTest {
    private static final ObjectMapper PARSER = new ObjectMapper();

    @TempDir(factory = SharedMemoryDir.class)
    Path dir;

    private String pool;

    @BeforeEach
    void makePool() {
        pool = dir.resolve("pool").toString();
        assertTrue(Cli.ok("mkfs", pool, "--size", "32M", "--emulated").contains("32.0 MiB"));
    }

    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    private Path file(String name, byte[] bytes) throws IOException {
        return Files.write(dir.resolve(name), bytes);
    }

    @Test
    void putGetCat() throws IOException {
        for (int length : new int[] {0, 1, 4096, 100_000, WholeFiles.CHUNK_LEN, WholeFiles.CHUNK_LEN + 1}) {
            byte[] bytes = random(length);
            Path source = file("source-" + length, bytes);
            Cli.ok("put", "--emulated", pool, source.toString());
            Path target = dir.resolve("target-" + length);
            Cli.ok("get", "--emulated", pool, "source-" + length, target.toString());
            assertArrayEquals(bytes, Files.readAllBytes(target));
            assertArrayEquals(
                    bytes,
                    Cli.run("cat", "--emulated", pool, "source-" + length).bytes());
            assertArrayEquals(
                    bytes,
                    Cli.run("get", "--emulated", pool, "source-" + length, "-").bytes());
        }
        assertTrue(Cli.ok("fsck", pool).contains("sound"));
    }

    @Test
    void putReplacesAndTakesStandardInput() {
        assertEquals(
                Main.OK,
                Cli.run(random(10_000), "put", "--emulated", pool, "-", "--name", "in")
                        .code());
        assertEquals(
                Main.OK,
                Cli.run("short".getBytes(), "put", "--emulated", pool, "-", "--name", "in")
                        .code());
        assertEquals("short", Cli.ok("cat", "--emulated", pool, "in"));
        assertEquals("in\n", Cli.ok("ls", "--emulated", pool));
    }

    @Test
    void getIntoADirectoryAndOverAFile() throws IOException {
        Cli.ok("put", "--emulated", pool, file("a", random(5000)).toString());
        Path folder = Files.createDirectory(dir.resolve("folder"));
        Files.writeString(folder.resolve("a"), "old");
        Cli.ok("get", "--emulated", pool, "a", folder.toString());
        assertArrayEquals(random(5000), Files.readAllBytes(folder.resolve("a")));
        try (var left = Files.list(folder)) {
            assertEquals(1, left.count(), "no temporary file stays");
        }
    }

    @Test
    void catOfSeveral() throws IOException {
        Cli.ok(
                "put",
                "--emulated",
                pool,
                file("a", "one ".getBytes()).toString(),
                file("b", "two".getBytes()).toString());
        assertEquals("one two", Cli.ok("cat", "--emulated", pool, "a", "b"));
    }

    @Test
    void rm() throws IOException {
        Cli.ok(
                "put",
                "--emulated",
                pool,
                file("a", random(10)).toString(),
                file("b", random(10)).toString());
        Cli.ok("rm", "--emulated", pool, "a");
        assertEquals("b\n", Cli.ok("ls", "--emulated", pool));
        Cli.ok("rm", "--emulated", "-f", pool, "a", "b");
        assertEquals("", Cli.ok("ls", "--emulated", pool));
    }

    @Test
    void xattr() throws IOException {
        Cli.ok("mkdir", "--emulated", pool, "d");
        Cli.ok("xattr", "--emulated", pool, "d", "one", "1\u00e4");
        Cli.ok("xattr", "--emulated", pool, "d", "a\nb", "");
        assertEquals("a\\nb\none\n", Cli.ok("xattr", "--emulated", pool, "d"));
        assertEquals("1\u00e4", Cli.ok("xattr", "--emulated", pool, "d", "one"));
        assertTrue(Cli.ok("stat", "--emulated", pool, "d").contains("attribute one\n"));
        JsonNode json = PARSER.readTree(Cli.ok("stat", "--emulated", "--json", pool, "d"));
        assertEquals("one", json.get(0).get("attributes").get(1).asText());
        Cli.ok("xattr", "--emulated", "-d", pool, "d", "one");
        Cli.failed(Main.FAILED, "xattr", "--emulated", "-d", pool, "d", "one");
        Cli.failed(Main.FAILED, "xattr", "--emulated", pool, "d", "one");
        Cli.failed(Main.FAILED, "xattr", "--emulated", pool, "d", "n".repeat(256), "x");
        Cli.failed(Main.USAGE, "xattr", "--emulated", "-d", pool, "d");
        assertEquals("a\\nb\n", Cli.ok("xattr", "--emulated", pool, "d"));
    }

    @Test
    void treeCommands() throws IOException {
        Cli.ok("mkdir", "--emulated", "-p", pool, "a/b/c");
        Cli.ok("mkdir", "--emulated", "-p", pool, "/a/b/c");
        Cli.failed(Main.FAILED, "mkdir", "--emulated", pool, "a/b");
        Cli.ok("put", "--emulated", pool, file("f", random(9000)).toString(), "--name", "a/b/f");
        Cli.ok("ln", "--emulated", pool, "a/b/f", "a/g");
        Cli.ok("ln", "-s", "--emulated", pool, "b/f", "a/s");
        assertArrayEquals(random(9000), Cli.run("cat", "--emulated", pool, "a/s").bytes());
        Cli.ok("chmod", "--emulated", pool, "4750", "a/s");
        assertTrue(Cli.failed(Main.USAGE, "chmod", "--emulated", pool, "8", "a/s").contains("octal"));
        assertTrue(Cli.ok("stat", "--emulated", pool, "a/g").contains("mode 4750 (-rwsr-x---)"));
        assertTrue(Cli.ok("stat", "--emulated", pool, "a/s").startsWith("a/s -> b/f\n  type SYMLINK"));
        assertEquals(
                2,
                PARSER.readTree(Cli.ok("stat", "--json", "--emulated", pool, "a/g"))
                        .get(0)
                        .get("nlink")
                        .intValue());
        assertEquals("/\n/a\n/a/b\n/a/b/c\n/a/b/f\n/a/g\n/a/s\n", Cli.ok("find", "--emulated", pool));
        assertEquals("a/b/f\na/g\n", Cli.ok("find", "--emulated", pool, "a", "--name", "[fg]", "--type", "f"));
        // Blocks of data, and the one of the link's target: the logs of what nobody has open lie in the slots.
        assertEquals("12288\ta/b\n16384\ta\n", Cli.ok("du", "-b", "--emulated", pool, "a").replace("0\ta/b/c\n", ""));
        Cli.ok("mv", "--emulated", pool, "a/g", "a/b/c");
        assertEquals("g\n", Cli.ok("ls", "--emulated", pool, "a/b/c"));
        Cli.ok("mv", "--exchange", "--emulated", pool, "a/b/c", "a/s");
        assertEquals("g\n", Cli.ok("ls", "--emulated", pool, "a/s"));
        Cli.failed(Main.FAILED, "mv", "-n", "--emulated", pool, "a/b/c", "a/s/g");
        Cli.ok("truncate", "--emulated", pool, "a/b/f", "--size", "1K");
        assertEquals(1024, Cli.run("cat", "--emulated", pool, "a/s/g").bytes().length);
        Cli.failed(Main.FAILED, "rm", "--emulated", pool, "a");
        Cli.ok("rm", "-r", "--emulated", pool, "a");
        assertEquals("", Cli.ok("ls", "--emulated", pool));
        assertTrue(Cli.ok("fsck", pool).contains("sound"));
    }

    private FileInfo stat(String name) throws IOException {
        try (NovaStore store = NovaStore.open(
                Path.of(pool), StoreOptions.builder().emulated(true).build())) {
            return store.stat(name);
        }
    }

    @Test
    void fallocate() throws IOException {
        Cli.ok("fallocate", "--emulated", pool, "f", "--length", "10K");
        assertEquals(10240, stat("f").size());
        assertEquals(12288, stat("f").allocated());
        Cli.ok("fallocate", "--emulated", pool, "f", "-o", "64K", "-l", "8K", "-n");
        assertEquals(10240, stat("f").size());
        assertEquals(12288 + 8192, stat("f").allocated());
        Cli.ok("fallocate", "--emulated", pool, "f", "--offset", "64K", "--length", "1");
        assertEquals(65537, stat("f").size());
        assertArrayEquals(new byte[65537], Cli.run("cat", "--emulated", pool, "f").bytes());
        assertTrue(Cli.failed(Main.FAILED, "fallocate", "--emulated", pool, "f", "-l", "1G").contains("space"));
        assertEquals(65537, stat("f").size());
        Cli.failed(Main.USAGE, "fallocate", "--emulated", pool, "f");
        Cli.failed(Main.USAGE, "fallocate", "--emulated", pool, "f", "-l", "many");
        Cli.failed(Main.FAILED, "fallocate", "--emulated", pool, "/", "-l", "1");
    }

    @Test
    void defrag() throws IOException {
        byte[] bytes = random(40 * 4096);
        Cli.ok("put", "--emulated", pool, file("one", bytes).toString());
        Cli.ok("put", "--emulated", pool, file("f", bytes).toString());
        for (int page = 1; page < 40; page += 2) { // the blocks that this frees the next one takes
            Cli.ok("punch", "--emulated", pool, "one", "-o", Integer.toString(page * 4096), "-l", "4K");
            Cli.ok("punch", "--emulated", pool, "f", "-o", Integer.toString(page * 4096), "-l", "4K");
        }
        Cli.ok("fallocate", "--emulated", pool, "f", "-l", "160K");
        Cli.ok("rm", "--emulated", pool, "one");
        String pieces = Cli.ok("defrag", "--emulated", pool, "f", "--check");
        assertTrue(pieces.matches("\\d+\tf\n"), pieces);
        assertEquals(pieces, Cli.ok("defrag", "--emulated", pool, "/", "--check").replace("/f", "f"));
        assertEquals(pieces.replace("\t", "\t1\t"), Cli.ok("defrag", "--emulated", pool, "f"));
        assertEquals("", Cli.ok("defrag", "--emulated", pool));
        for (int page = 1; page < 40; page += 2) {
            Arrays.fill(bytes, page * 4096, (page + 1) * 4096, (byte) 0);
        }
        assertArrayEquals(bytes, Cli.run("cat", "--emulated", pool, "f").bytes());
        assertTrue(Cli.failed(Main.FAILED, "defrag", "--emulated", pool, "missing").contains("missing"));
        assertTrue(Cli.ok("fsck", pool).contains("sound"));
    }

    @Test
    void punch() throws IOException {
        byte[] bytes = random(20_000);
        Cli.ok("put", "--emulated", pool, file("f", bytes).toString());
        Cli.ok("punch", "--emulated", pool, "f", "--offset", "4000", "--length", "5K");
        Arrays.fill(bytes, 4000, 4000 + 5120, (byte) 0);
        assertArrayEquals(bytes, Cli.run("cat", "--emulated", pool, "f").bytes());
        assertEquals(4 * 4096, stat("f").allocated());
        Cli.ok("punch", "--emulated", pool, "f", "-o", "19000", "-l", "1G", "-z");
        Arrays.fill(bytes, 19_000, 20_000, (byte) 0);
        assertArrayEquals(bytes, Cli.run("cat", "--emulated", pool, "f").bytes());
        Cli.ok("punch", "--emulated", pool, "f", "-o", "4K", "-l", "4K", "--collapse");
        byte[] shorter = new byte[20_000 - 4096];
        System.arraycopy(bytes, 0, shorter, 0, 4096);
        System.arraycopy(bytes, 8192, shorter, 4096, shorter.length - 4096);
        assertArrayEquals(shorter, Cli.run("cat", "--emulated", pool, "f").bytes());
        Cli.ok("punch", "--emulated", pool, "f", "-o", "4K", "-l", "4K", "--insert");
        Arrays.fill(bytes, 4096, 8192, (byte) 0);
        assertArrayEquals(bytes, Cli.run("cat", "--emulated", pool, "f").bytes());
        for (String kind : new String[] {"--collapse", "--insert"}) {
            assertTrue(Cli.failed(Main.FAILED, "punch", "--emulated", pool, "f", "-o", "1", "-l", "4K", kind)
                    .contains("4096"));
            assertTrue(Cli.failed(Main.FAILED, "punch", "--emulated", pool, "f", "-o", "20K", "-l", "4K", kind)
                    .contains("f: "));
        }
        Cli.failed(Main.FAILED, "punch", "--emulated", pool, "missing", "-o", "0", "-l", "1");
        Cli.failed(Main.USAGE, "punch", "--emulated", pool, "f", "-o", "0", "-l", "4K", "-c", "-i");
        Cli.failed(Main.USAGE, "punch", "--emulated", pool, "f", "-l", "4K");
        assertArrayEquals(bytes, Cli.run("cat", "--emulated", pool, "f").bytes());
        assertTrue(Cli.ok("fsck", pool).contains("sound"));
    }

    @Test
    void lsLong() throws IOException {
        Cli.ok("put", "--emulated", pool, file("a name", random(1234)).toString());
        assertTrue(Cli.ok("ls", "-l", "--emulated", pool)
                .matches("-rw-r--r-- +1 +0 +0 +1234 +\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d +a name\n"));
    }

    @Test
    void lsOfLinks() {
        Cli.ok("mkdir", "--emulated", pool, "a");
        Cli.ok("ln", "-s", "--emulated", pool, "nowhere", "a/a");
        assertTrue(Cli.ok("ls", "-l", "--emulated", pool, "a").endsWith(" a -> nowhere\n"), "named as its directory");
        assertTrue(Cli.ok("ls", "-l", "--emulated", pool, "a/a").endsWith(" a/a -> nowhere\n"));
        assertEquals("a/a\n", Cli.ok("ls", "--emulated", pool, "a/a"));
        Cli.failed(Main.FAILED, "ls", "--emulated", pool, "nowhere");
    }

    @Test
    void rmLeavesWhatCannotGo() {
        Cli.ok("mkdir", "-p", "--emulated", pool, "a/b");
        for (String path : new String[] {"/", ".", "a/..", "a/b/."}) {
            assertTrue(Cli.failed(Main.FAILED, "rm", "-r", "--emulated", pool, path)
                    .contains("not deleted"));
        }
        assertEquals("/\n/a\n/a/b\n", Cli.ok("find", "--emulated", pool));
    }

    @Test
    void lsJson() throws IOException {
        assertEquals(
                0, PARSER.readTree(Cli.ok("ls", "--json", "--emulated", pool)).size());
        String odd = "q\"uote\\ \n tab\t ü 😀";
        assertEquals(
                Main.OK,
                Cli.run(random(7), "put", "--emulated", pool, "-", "--name", odd)
                        .code());
        JsonNode list = PARSER.readTree(Cli.ok("ls", "--json", "--emulated", pool));
        assertEquals(1, list.size());
        assertEquals(odd, list.get(0).get("name").textValue());
        assertEquals(7, list.get(0).get("size").longValue());
        assertEquals("q\"uote\\\\ \\n tab\\t ü 😀\n", Cli.ok("ls", "--emulated", pool));
        assertEquals(7, Cli.run("cat", "--emulated", pool, odd).bytes().length);
    }

    @Test
    void info() throws IOException {
        Cli.ok("put", "--emulated", pool, file("a", random(10_000)).toString());
        String text = Cli.ok("info", "--emulated", pool);
        assertTrue(text.contains("in order"));
        assertTrue(text.contains("\nfiles       1, "), text);
        JsonNode info = PARSER.readTree(Cli.ok("info", "--json", "--emulated", pool));
        assertEquals(32 << 20, info.get("size").longValue());
        assertEquals(1, info.get("files").longValue());
        assertEquals("EMULATED", info.get("durability").textValue());
        assertFalse(info.get("recovered").booleanValue());
        assertTrue(info.get("freeBytes").longValue() > 0);
        assertTrue(Cli.ok("info", "--emulated", pool).contains("0 log pages added"));
        assertEquals(1, info.get("stats").get("loadedDirectories").longValue());
        assertEquals(0, info.get("stats").get("logPagesAdded").longValue());
    }

    @Test
    void withoutEmulatedTheFileSystemDecides(@TempDir Path elsewhere) throws IOException {
        for (Path folder : new Path[] {dir, elsewhere}) {
            String other = folder.resolve("other").toString();
            Cli.ok("mkfs", other, "--size", "4M");
            Cli.ok("put", other, file("a", random(10_000)).toString());
            assertArrayEquals(random(10_000), Cli.run("cat", other, "a").bytes());
            JsonNode info = PARSER.readTree(Cli.ok("info", "--json", other));
            boolean tmpfs = Files.getFileStore(folder).type().equals("tmpfs");
            assertTrue(info.get("durability").textValue().matches(tmpfs ? "EMULATED" : "MSYNC|PMEM"), info.toString());
            info = PARSER.readTree(Cli.ok("info", "--json", "--emulated", other));
            assertTrue(info.get("durability").textValue().matches("EMULATED|PMEM"), info.toString());
        }
    }

    @Test
    void fsck() throws IOException {
        Cli.ok("put", "--emulated", pool, file("a", random(10_000)).toString());
        assertTrue(Cli.ok("fsck", pool).contains("sound"));
        JsonNode report = PARSER.readTree(Cli.ok("fsck", "--json", pool));
        assertTrue(report.get("ok").booleanValue());
        assertTrue(report.get("closedInOrder").booleanValue());
        assertEquals(0, report.get("findings").size());
        assertEquals(10_000, report.get("fileBytes").longValue());
        assertEquals(
                report.get("blocksTotal").longValue(),
                report.get("blocksUsed").longValue() + report.get("blocksFree").longValue());
    }

    @Test
    void resize() throws IOException {
        byte[] bytes = random(10_000);
        Cli.ok("put", "--emulated", pool, file("a", bytes).toString());
        JsonNode before = PARSER.readTree(Cli.ok("info", "--json", "--emulated", pool));
        assertTrue(before.get("sizeMax").longValue() >= 256 << 20);
        assertTrue(Cli.ok("resize", "--emulated", pool, "48M").contains("48.0 MiB"));
        JsonNode after = PARSER.readTree(Cli.ok("info", "--json", "--emulated", pool));
        assertEquals(48 << 20, after.get("size").longValue());
        assertEquals(4096, after.get("blocksFree").longValue() - before.get("blocksFree").longValue());
        assertFalse(after.get("recovered").booleanValue());
        assertArrayEquals(bytes, Cli.run("cat", "--emulated", pool, "a").bytes());
        assertTrue(Cli.ok("fsck", pool).contains("sound"));
        assertTrue(Cli.ok("info", "--emulated", pool).contains("grows to"));
    }

    @Test
    void dump() throws IOException {
        Cli.ok("put", "--emulated", pool, file("a", random(10_000)).toString());
        assertTrue(Cli.ok("dump", pool).contains("a"), "the root's log names the file");
        assertTrue(Cli.ok("dump", pool, "a").toLowerCase().contains("write"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mkfs", "info", "ls", "put", "get", "cat", "rm", "mkdir", "ln", "mv", "stat", "chmod", "truncate",
                "fallocate", "punch", "find", "du", "import", "export", "fsck", "dump", "resize", "demo"
            })
    void helpTeaches(String command) {
        String help = Cli.ok(command, "--help");
        assertTrue(help.contains("Example:\n"), help);
        assertTrue(help.contains("  jnova " + command), "an example: " + help);
        assertTrue(help.contains("Exit codes:"), help);
        assertTrue(help.contains("\n  2 "), help);
        assertFalse(help.contains("%%"), help);
        if (!command.equals("demo")) {
            assertTrue(help.contains("POOL"), help);
        }
    }

    @Test
    void helpOfAllAndVersion() {
        assertTrue(Cli.ok("--help").contains("import"));
        assertEquals(Cli.ok("--help"), Cli.ok("help"));
        assertEquals(Cli.ok("ls", "--help"), Cli.ok("help", "ls"));
        assertTrue(Cli.ok("--version").startsWith("jnova "));
    }
}
