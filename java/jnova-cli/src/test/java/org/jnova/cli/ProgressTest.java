/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
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

    /** Time that passes when told to. */
    private static final class ManualTicker implements Ticker {
        private long nowMs;
        private long nextMs;
        private long periodMs;
        private Runnable task;

        @Override
        public long nanoTime() {
            return nowMs * 1_000_000;
        }

        @Override
        public void start(Runnable newTask, long delayMs, long newPeriodMs) {
            task = newTask;
            nextMs = nowMs + delayMs;
            periodMs = newPeriodMs;
        }

        @Override
        public void stop() {
            // A run may have begun before, and comes too late: as if that happened to all of them.
        }

        void pass(long ms) {
            long end = nowMs + ms;
            for (; nextMs <= end; nextMs += periodMs) {
                nowMs = nextMs;
                task.run();
            }
            nowMs = end;
        }
    }

    private final ManualTicker ticker = new ManualTicker();

    @Test
    void systemTickerRunsItsTaskAgainAndAgain() throws InterruptedException {
        CountDownLatch runs = new CountDownLatch(3);
        Ticker real = Ticker.ofSystem();
        real.start(runs::countDown, 0, 1);
        assertTrue(runs.await(1, TimeUnit.MINUTES));
        real.stop();
    }

    @Test
    void shortWorkPrintsNothing() {
        try (Progress progress = new Progress(streams(true), "working", 10, true, ticker)) {
            progress.update(5);
            ticker.pass(Progress.SILENT_MS - 1);
        }
        ticker.pass(10_000); // a late tick draws nothing on what others print
        assertEquals("", printed());
    }

    @Test
    void longWorkPrintsALineNowAndThen() {
        try (Progress progress = new Progress(streams(false), "working", 1 << 20, true, ticker)) {
            progress.update(1 << 19);
            ticker.pass(Progress.SILENT_MS);
            progress.update(3 << 18);
            ticker.pass(Progress.LINE_PERIOD_MS);
        }
        assertEquals(
                "working 50 %, 512.0 KiB of 1.0 MiB, 2 s\nworking 75 %, 768.0 KiB of 1.0 MiB, 7 s\n", printed());
    }

    @Test
    void onATerminalTheLineIsRedrawnAndCleared() {
        try (Progress progress = new Progress(streams(true), "working", 0, false, ticker)) {
            progress.update(1, 4);
            ticker.pass(Progress.SILENT_MS);
            progress.update(0, 4);
            ticker.pass(Progress.TERMINAL_PERIOD_MS);
        }
        String first = "working 25 %, 2 s";
        assertEquals("\r" + first + "\rworking 0 %, 2 s \r" + " ".repeat(first.length() - 1) + "\r", printed());
    }
}
