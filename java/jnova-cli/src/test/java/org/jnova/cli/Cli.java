/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Runs commands in this process, with streams of its own. */
final class Cli {
    private Cli() {}

    /** What a command answered. */
    record Result(int code, byte[] bytes, String err) {
        String out() {
            return new String(bytes, StandardCharsets.UTF_8);
        }
    }

    static Result run(String... args) {
        return run(new byte[0], args);
    }

    static Result run(byte[] in, String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Streams streams = new Streams(
                new ByteArrayInputStream(in),
                new PrintStream(out, false, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                false);
        int code = Main.run(streams, args);
        return new Result(code, out.toByteArray(), err.toString(StandardCharsets.UTF_8));
    }

    /** A file whose name is UTF-8 whatever the locale; a Path made of a string is not. */
    static Path file(Path folder, String path) {
        Path at = folder;
        for (String name : path.split("/")) {
            at = HostPath.child(at, name);
        }
        return at;
    }

    /** Runs a command that is to succeed. Returns what it printed. */
    static String ok(String... args) {
        Result result = run(args);
        assertEquals("", result.err());
        assertEquals(Main.OK, result.code(), result.out());
        return result.out();
    }

    /** Runs a command that is to fail with one line. Returns that. */
    static String failed(int code, String... args) {
        Result result = run(args);
        assertEquals(code, result.code(), result.out() + result.err());
        assertFalse(result.err().contains("\tat "), result.err());
        if (code == Main.FAILED) {
            assertEquals(1, result.err().lines().count(), result.err());
        }
        return result.err();
    }
}
