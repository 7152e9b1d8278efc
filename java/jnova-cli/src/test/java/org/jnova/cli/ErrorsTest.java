/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.jnova.NovaStore;
import org.jnova.StoreOptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What can go wrong: one line that names the thing, and the exit code. */
class ErrorsTest {
    @TempDir(factory = SharedMemoryDir.class)
    Path dir;

    private String pool;
    private String source;

    @BeforeEach
    void makePool() throws IOException {
        pool = dir.resolve("pool").toString();
        source = Files.write(dir.resolve("source"), new byte[10_000]).toString();
        Cli.ok("mkfs", pool, "--size", "8M", "--emulated");
    }

    static List<List<String>> commandsOnAPool() {
        return List.of(
                List.of("info", "POOL"),
                List.of("ls", "POOL"),
                List.of("put", "POOL", "SOURCE"),
                List.of("get", "POOL", "name", "-"),
                List.of("cat", "POOL", "name"),
                List.of("rm", "POOL", "name"),
                List.of("fallocate", "POOL", "name", "-l", "1"),
                List.of("punch", "POOL", "name", "-o", "0", "-l", "1"),
                List.of("import", "POOL", "DIR"),
                List.of("export", "POOL", "DIR"),
                List.of("fsck", "POOL"),
                List.of("fsck", "--repair", "POOL"),
                List.of("resize", "POOL", "64M"),
                List.of("dump", "POOL"));
    }

    private String failedOn(String thePool, List<String> command) throws IOException {
        Path folder = Files.createDirectories(dir.resolve("folder"));
        return Cli.failed(
                Main.FAILED,
                command.stream()
                        .map(arg -> arg.equals("POOL") ? thePool : arg.equals("SOURCE") ? source : arg)
                        .map(arg -> arg.equals("DIR") ? folder.toString() : arg)
                        .toArray(String[]::new));
    }

    @ParameterizedTest
    @MethodSource("commandsOnAPool")
    void missingPool(List<String> command) throws IOException {
        String missing = dir.resolve("missing").toString();
        String err = failedOn(missing, command);
        assertTrue(err.startsWith("jnova " + command.get(0) + ": " + missing + ": no such pool"), err);
        assertTrue(err.contains("jnova mkfs " + missing), err);
    }

    @ParameterizedTest
    @MethodSource("commandsOnAPool")
    void foreignFile(List<String> command) throws IOException {
        Path foreign = Files.write(
                dir.resolve("foreign"),
                "not a pool, whatever it is\n".repeat(100_000).getBytes());
        String err = failedOn(foreign.toString(), command);
        assertTrue(err.contains(foreign.toString()), err);
        assertTrue(Files.readString(foreign).startsWith("not a pool"), "untouched");
    }

    @ParameterizedTest
    @MethodSource("commandsOnAPool")
    void directoryAsPool(List<String> command) throws IOException {
        String err = failedOn(dir.toString(), command);
        assertTrue(err.contains(dir.toString()), err);
    }

    @ParameterizedTest
    @MethodSource("commandsOnAPool")
    void poolInUse(List<String> command) throws IOException {
        try (NovaStore store = NovaStore.open(
                Path.of(pool), StoreOptions.builder().emulated(true).build())) {
            String err = failedOn(pool, command);
            assertTrue(err.contains(pool), err);
            assertTrue(store.isOpen());
        }
    }

    @ParameterizedTest
    @MethodSource("commandsOnAPool")
    void truncatedPool(List<String> command) throws IOException {
        try (FileChannel channel = FileChannel.open(Path.of(pool), StandardOpenOption.WRITE)) {
            channel.truncate(4 << 20);
        }
        assertTrue(failedOn(pool, command).contains(pool));
    }

    @Test
    void resizeOnlyToWhatThePoolCanHave() throws IOException {
        for (String size : List.of("8M", "4M", "1", "8193K")) { // the last is no whole block more
            String err = Cli.failed(Main.FAILED, "resize", "--emulated", pool, size);
            assertTrue(err.contains(pool + ": has 8.0 MiB") && err.contains("larger"), err);
        }
        String err = Cli.failed(Main.FAILED, "resize", "--emulated", pool, "1T");
        assertTrue(err.contains("jnova export") && err.contains("and no more"), err);
        assertEquals(8 << 20, Files.size(Path.of(pool)));
        assertTrue(Cli.failed(Main.USAGE, "resize", pool).contains("SIZE"));
        assertTrue(Cli.failed(Main.USAGE, "resize", pool, "5Q").contains("5Q"));
    }

    @Test
    void poolExists() throws IOException {
        byte[] before = Files.readAllBytes(Path.of(pool));
        String err = Cli.failed(Main.FAILED, "mkfs", pool, "--size", "8M");
        assertTrue(err.contains(pool + ": exists already"), err);
        assertArrayEquals(before, Files.readAllBytes(Path.of(pool)));
    }

    @Test
    void poolInNoFolder() {
        String err = Cli.failed(Main.FAILED, "mkfs", dir.resolve("no/pool").toString(), "--size", "8M");
        assertTrue(err.contains("directory does not exist"), err);
    }

    @Test
    void fullPool() throws IOException {
        Path large = Files.write(dir.resolve("large"), new byte[9 << 20]);
        Cli.ok("put", "--emulated", pool, source);
        String err = Cli.failed(Main.FAILED, "put", "--emulated", pool, large.toString());
        assertTrue(err.startsWith("jnova put: "), err);
        assertEquals("source\n", Cli.ok("ls", "--emulated", pool), "nothing of the large file stays");
        Cli.ok("rm", "--emulated", pool, "source");
        assertTrue(Cli.ok("fsck", pool).contains("sound"));
    }

    @Test
    void fullPoolInAnImport() throws IOException {
        Path tree = Files.createDirectory(dir.resolve("tree"));
        Files.write(tree.resolve("a-fits"), new byte[1 << 20]);
        Files.write(tree.resolve("b-does-not"), new byte[9 << 20]);
        String err = Cli.failed(Main.FAILED, "import", "--emulated", pool, tree.toString());
        assertTrue(err.contains("no room for b-does-not"), err);
        assertTrue(err.contains("larger pool"), err);
        assertEquals("a-fits\n", Cli.ok("ls", "--emulated", pool));
    }

    @Test
    void missingNames() {
        for (String command : List.of("get", "cat", "rm")) {
            String err = Cli.failed(Main.FAILED, command, "--emulated", pool, "nothing");
            assertTrue(err.contains("nothing: no such file in the pool"), err);
        }
        assertTrue(Cli.failed(Main.FAILED, "dump", pool, "nothing").contains("nothing"));
    }

    @Test
    void missingNameAmongOthers() {
        Cli.ok("put", "--emulated", pool, source);
        Cli.Result result = Cli.run("rm", "--emulated", pool, "nothing", "source");
        assertEquals(Main.FAILED, result.code());
        assertEquals("", Cli.ok("ls", "--emulated", pool), "the other one is gone");
    }

    @Test
    void unreadableSources() {
        String err = Cli.failed(
                Main.FAILED, "put", "--emulated", pool, dir.resolve("nothing").toString());
        assertTrue(err.contains("nothing: no such file"), err);
        err = Cli.failed(Main.FAILED, "put", "--emulated", pool, dir.toString());
        assertTrue(err.contains("jnova import"), err);
        // A regular file that opens and then fails to read.
        Cli.failed(Main.FAILED, "put", "--emulated", pool, "/proc/self/mem");
        assertEquals("", Cli.ok("ls", "--emulated", pool));
    }

    @Test
    void namesThatAreNone() {
        String tooLong = "x".repeat(256);
        for (String name : List.of(tooLong, ".", "..", "a/b", "")) {
            String err = Cli.failed(Main.FAILED, "put", "--emulated", pool, source, "--name", name);
            assertTrue(err.contains(name), err);
        }
        assertTrue(Cli.failed(Main.FAILED, "put", "--emulated", pool, source, "--name", ".jnova-part-x")
                .contains("unfinished"));
        assertEquals("", Cli.ok("ls", "--emulated", pool));
    }

    @Test
    void importOfNoDirectory() {
        assertTrue(Cli.failed(Main.FAILED, "import", "--emulated", pool, source).contains("not a directory"));
        assertTrue(Cli.failed(Main.FAILED, "import", "--emulated", pool, source + "x")
                .contains("no such directory"));
    }

    @Test
    void damageIsFoundAndCounted() throws IOException {
        Cli.ok("put", "--emulated", pool, source);
        try (FileChannel channel = FileChannel.open(Path.of(pool), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer name = ByteBuffer.allocate((int) channel.size());
            channel.read(name, 0);
            int at = new String(name.array(), StandardCharsets.ISO_8859_1).indexOf("source");
            channel.write(ByteBuffer.wrap(new byte[] {'S'}), at);
        }
        Cli.Result fsck = Cli.run("fsck", pool);
        assertEquals(Main.FAILED, fsck.code(), fsck.out());
        assertTrue(fsck.out().contains("error: "), fsck.out());
        assertEquals(Main.FAILED, Cli.run("fsck", "--json", pool).code());
        String err = Cli.failed(Main.FAILED, "ls", "--emulated", pool);
        assertTrue(err.contains("jnova fsck"), err);
    }

    @Test
    void damageWithAReplicaIsRepaired() throws IOException {
        Cli.ok("put", "--emulated", pool, source);
        assertEquals(Main.FAILED, Cli.run("fsck", "--repair", pool + "x").code());
        turn(100); // the superblock
        turn(4096 + 20); // a state
        assertEquals(Main.FAILED, Cli.run("fsck", pool).code());
        String out = Cli.ok("fsck", "--repair", pool);
        assertTrue(out.contains("repaired: superblock at byte 0: "), out);
        assertTrue(out.contains("2 repaired, sound; not closed in order"), out);
        assertFalse(Cli.ok("fsck", "--json", "--repair", pool).contains("REPAIRED"), "nothing is left to repair");
        assertTrue(Cli.ok("fsck", pool).contains(": sound"));
        assertArrayEquals(Files.readAllBytes(Path.of(source)), Cli.run("cat", "--emulated", pool, "source").bytes());
    }

    private void turn(long at) throws IOException {
        try (FileChannel channel = FileChannel.open(Path.of(pool), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer one = ByteBuffer.allocate(1);
            channel.read(one, at);
            channel.write(one.put(0, (byte) (one.get(0) ^ 1)).rewind(), at);
        }
    }

    @Test
    void usage() {
        assertTrue(Cli.failed(Main.USAGE, "mkfs", pool).contains("--size"));
        assertTrue(Cli.failed(Main.USAGE, "mkfs", pool, "--size", "5Q").contains("5Q"));
        assertTrue(Cli.failed(Main.USAGE, "mkfs", pool, "--size", "4K").contains("1.0 MiB"));
        assertTrue(Cli.failed(Main.USAGE, "mkfs", pool, "--size", "9T").contains("8.0 TiB"));
        assertTrue(Cli.failed(Main.USAGE, "ls").contains("POOL"));
        assertTrue(Cli.failed(Main.USAGE, "lss", pool).contains("jnova ls"));
        assertTrue(Cli.failed(Main.USAGE, "ls", pool, "--jsn").contains("--json"));
        assertTrue(Cli.failed(Main.USAGE, "put", pool, "-").contains("--name"));
        assertTrue(Cli.failed(Main.USAGE, "find", pool, "--name", "[").contains("--name '['"));
        assertTrue(Cli.failed(Main.USAGE, "find", pool, "--type", "x").contains("--type"));
        assertTrue(Cli.failed(Main.USAGE, "put", pool, source, source, "--name", "x")
                .contains("single"));
        assertTrue(Cli.failed(Main.USAGE).contains("Usage:"));
    }

    @Test
    void debugPrintsTheStackTrace() {
        Cli.Result result = Cli.run("ls", "--debug", dir.resolve("missing").toString());
        assertEquals(Main.FAILED, result.code());
        assertTrue(result.err().contains("\tat "), result.err());
        assertFalse(Cli.run("ls", dir.resolve("missing").toString()).err().contains("\tat "));
    }

    @Test
    void poolIsNeverTheTargetOfItsOwnFiles() throws IOException {
        Cli.ok("put", pool, source, "--name", "pool", "--emulated");
        String error = Cli.failed(Main.FAILED, "get", pool, "pool", pool, "--emulated");
        assertTrue(error.contains("is the pool itself"), error);
        error = Cli.failed(Main.FAILED, "export", pool, dir.toString(), "--emulated");
        assertTrue(error.contains("is the pool itself"), error);
        Cli.ok("get", pool, "pool", dir.resolve("copy").toString(), "--emulated");
        assertArrayEquals(Files.readAllBytes(Path.of(source)), Files.readAllBytes(dir.resolve("copy")));
    }

    @Test
    void exportDoesNotFollowLinksOutOfItsDirectory() throws IOException {
        Path elsewhere = Files.createDirectory(dir.resolve("elsewhere"));
        Path target = Files.createDirectory(dir.resolve("target"));
        Files.createSymbolicLink(target.resolve("d"), elsewhere);
        Cli.ok("mkdir", pool, "d", "--emulated");
        Cli.ok("put", pool, source, "--name", "d/x", "--emulated");
        String error = Cli.failed(Main.FAILED, "export", pool, target.toString(), "--emulated");
        assertTrue(error.contains("or a link to one"), error);
        assertFalse(Files.exists(elsewhere.resolve("x")));
    }
}
