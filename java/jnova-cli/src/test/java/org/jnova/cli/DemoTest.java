/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo, with a real child JVM that is killed. */
class DemoTest {
    @TempDir(factory = SharedMemoryDir.class)
    Path dir;

    private Path tree(int files, int maxLength) throws IOException {
        Path tree = Files.createDirectory(dir.resolve("tree"));
        Random random = new Random(files);
        for (int i = 0; i < files; i++) {
            byte[] bytes = new byte[random.nextInt(maxLength)];
            random.nextBytes(bytes);
            Files.write(Files.createDirectories(tree.resolve("d" + i % 7)).resolve("file" + i), bytes);
        }
        Files.createDirectories(tree.resolve("empty/inside"));
        Files.createSymbolicLink(tree.resolve("empty/link"), Path.of("../d0/file0"));
        Files.createLink(tree.resolve("another name"), tree.resolve("d0/file0"));
        return tree;
    }

    @Test
    void everyCheckHoldsOnATreeOfSomeSize() throws IOException {
        Path pool = dir.resolve("pool");
        Cli.Result demo = Cli.run("demo", tree(400, 300_000).toString(), "--pool", pool.toString(), "--seconds", "1");
        assertEquals(Main.OK, demo.code(), demo.out() + demo.err());
        assertTrue(demo.out().contains("Every check held"), demo.out());
        assertTrue(demo.out().contains("p99.9"), demo.out());
        assertFalse(demo.out().contains("FAILED"), demo.out());
        assertTrue(Cli.ok("fsck", pool.toString()).contains("sound"), "the pool is kept where --pool names it");
        assertEquals(401, Cli.ok("find", pool.toString(), "--type", "f").lines().count());
        assertTrue(Cli.ok("ls", "-l", pool.toString(), "empty").endsWith(" link -> ../d0/file0\n"));
    }

    /** So little that the import would be over before the kill, were it not slowed down. */
    @Test
    void everyCheckHoldsOnATinyTree() throws IOException {
        Cli.Result demo = Cli.run("demo", tree(3, 100).toString(), "--seconds", "1");
        assertEquals(Main.OK, demo.code(), demo.out() + demo.err());
    }

    @Test
    void whatNoImportCanTakeIsLeftOut() throws IOException {
        Path tree = tree(20, 1000);
        Files.writeString(Path.of(URI.create(tree.toUri() + "%C3%28")), "x");
        Cli.Result demo = Cli.run("demo", tree.toString(), "--seconds", "1");
        assertEquals(Main.OK, demo.code(), demo.out() + demo.err());
        assertTrue(demo.out().contains("and 1 that no import can take"), demo.out());
    }

    @Test
    void anImportThatFailsIsNoSuccess() throws IOException {
        Cli.Result demo = Cli.run("demo", tree(40, 300_000).toString(), "--size", "2M");
        assertEquals(Main.FAILED, demo.code(), demo.out() + demo.err());
    }

    @Test
    void aTreeOfOneFileHasNoMiddle() throws IOException {
        Path tree = Files.createDirectory(dir.resolve("single"));
        Files.writeString(tree.resolve("file"), "x");
        assertTrue(Cli.failed(Main.FAILED, "demo", tree.toString()).contains("fewer than two"));
    }

    @Test
    void aPoolThatExistsIsLeftAlone() throws IOException {
        Path precious = Files.writeString(dir.resolve("precious"), "mine");
        String err = Cli.failed(Main.FAILED, "demo", tree(2, 100).toString(), "--pool", precious.toString());
        assertTrue(err.contains(precious.toString()), err);
        assertEquals("mine", Files.readString(precious));
    }

    @Test
    void oneFailedCheckFailsTheStory() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        DemoStory story = new DemoStory(new PrintStream(out, true, StandardCharsets.UTF_8));
        story.begin("step");
        story.check(true, "good");
        story.check(false, "bad");
        story.end();
        assertFalse(story.verdict());
        assertTrue(out.toString(StandardCharsets.UTF_8).contains("1 of 2 checks FAILED"));
    }
}
