/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Tells on standard error how far a piece of work is, once it has taken two seconds: on a terminal as one line drawn
 * over itself, else as a line every five seconds. Work that is over sooner prints nothing. Thread-safe.
 */
final class Progress implements AutoCloseable {
    static final long SILENT_MS = 2000;
    private static final long TERMINAL_PERIOD_MS = 200;
    private static final long LINE_PERIOD_MS = 5000;

    private final Streams streams;
    private final String what;
    private final boolean bytes;
    private final long startNs = System.nanoTime();
    private final ScheduledExecutorService ticker;
    private volatile long done;
    private volatile long total;
    private int drawn;

    /**
     * Starts the clock.
     *
     * @param what the work, as in "importing"
     * @param total amount of work, 0 if not known
     * @param bytes whether the amount is in bytes, and so worth telling beside the per cent
     */
    Progress(Streams streams, String what, long total, boolean bytes) {
        this.streams = streams;
        this.what = what;
        this.total = total;
        this.bytes = bytes;
        this.ticker = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "progress");
            thread.setDaemon(true);
            return thread;
        });
        long period = streams.interactive() ? TERMINAL_PERIOD_MS : LINE_PERIOD_MS;
        ticker.scheduleAtFixedRate(this::draw, SILENT_MS, period, TimeUnit.MILLISECONDS);
    }

    /** Work that gives a result. */
    interface Work<T> {
        T run() throws IOException;
    }

    /** Does work of which only the time is known. */
    static <T> T during(String what, Streams streams, Work<T> work) throws IOException {
        Progress progress = new Progress(streams, what, 0, false);
        try {
            return work.run();
        } finally {
            progress.close();
        }
    }

    void update(long newDone, long newTotal) {
        done = newDone;
        total = newTotal;
    }

    void update(long newDone) {
        done = newDone;
    }

    private synchronized void draw() {
        if (ticker.isShutdown()) {
            return;
        }
        String line = line();
        if (streams.interactive()) {
            streams.err().print("\r" + line + " ".repeat(Math.max(0, drawn - line.length())));
            streams.err().flush();
            drawn = line.length();
        } else {
            streams.err().println(line);
        }
    }

    private String line() {
        StringBuilder line = new StringBuilder(what);
        if (total > 0) {
            line.append(' ').append((int) Math.min(100, done * 100.0 / total)).append(" %");
        }
        if (bytes) {
            line.append(", ").append(Text.bytes(done));
            line.append(total > 0 ? " of " + Text.bytes(total) : "");
        }
        return line.append(", ")
                .append((System.nanoTime() - startNs) / 1_000_000_000)
                .append(" s")
                .toString();
    }

    Duration elapsed() {
        return Duration.ofNanos(System.nanoTime() - startNs);
    }

    /** Clears the line. */
    @Override
    public synchronized void close() {
        ticker.shutdownNow();
        if (drawn > 0) {
            streams.err().print("\r" + " ".repeat(drawn) + "\r");
            streams.err().flush();
            drawn = 0;
        }
    }
}
