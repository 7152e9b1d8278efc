/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ProgressTest {
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private Streams streams(boolean interactive) {
        return new Streams(
                InputStream.nullInputStream(),
                new PrintStream(OutputStream.nullOutputStream()),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                interactive);
    }

    private String printed() {
        return err.toString(StandardCharsets.UTF_8);
    }

    /** A loaded machine may be late. */
    private void waitFor(int length) throws InterruptedException {
        for (int i = 0; i < 200 && err.size() < length; i++) {
            Thread.sleep(100);
        }
    }

    @Test
    void shortWorkPrintsNothing() throws InterruptedException {
        try (Progress progress = new Progress(streams(true), "working", 10, true)) {
            progress.update(5);
            Thread.sleep(100);
        }
        assertEquals("", printed());
    }

    @Test
    void longWorkPrintsALine() throws InterruptedException {
        try (Progress progress = new Progress(streams(false), "working", 1 << 20, true)) {
            progress.update(1 << 19);
            waitFor(1);
        }
        assertTrue(printed().matches("(working 50 %, 512.0 KiB of 1.0 MiB, \\d+ s\n)+"), printed());
    }

    @Test
    void onATerminalTheLineIsRedrawnAndCleared() throws InterruptedException {
        try (Progress progress = new Progress(streams(true), "working", 0, false)) {
            progress.update(0, 4);
            waitFor(40);
        }
        assertTrue(printed().matches("(\rworking 0 %, \\d+ s *)+\r +\r"), printed());
    }
}
