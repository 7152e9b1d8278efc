/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.time.Duration;

/**
 * Tells on standard error how far a piece of work is, once it has taken two seconds: on a terminal as one line drawn
 * over itself, else as a line every five seconds. Work that is over sooner prints nothing. Thread-safe.
 */
final class Progress implements AutoCloseable {
    static final long SILENT_MS = 2000;
    static final long TERMINAL_PERIOD_MS = 200;
    static final long LINE_PERIOD_MS = 5000;

    private final Streams streams;
    private final String what;
    private final boolean bytes;
    private final Ticker ticker;
    private final long startNs;
    private volatile long done;
    private volatile long total;
    private boolean closed;
    private int drawn;

    /**
     * Starts the clock.
     *
     * @param what the work, as in "importing"
     * @param total amount of work, 0 if not known
     * @param bytes whether the amount is in bytes, and so worth telling beside the per cent
     */
    Progress(Streams streams, String what, long total, boolean bytes) {
        this(streams, what, total, bytes, Ticker.ofSystem());
    }

    /** With another clock. */
    Progress(Streams streams, String what, long total, boolean bytes, Ticker ticker) {
        this.streams = streams;
        this.what = what;
        this.total = total;
        this.bytes = bytes;
        this.ticker = ticker;
        this.startNs = ticker.nanoTime();
        long period = streams.interactive() ? TERMINAL_PERIOD_MS : LINE_PERIOD_MS;
        ticker.start(this::draw, SILENT_MS, period);
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
        if (closed) {
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
                .append(elapsed().toSeconds())
                .append(" s")
                .toString();
    }

    Duration elapsed() {
        return Duration.ofNanos(ticker.nanoTime() - startNs);
    }

    /** Clears the line. */
    @Override
    public synchronized void close() {
        closed = true;
        ticker.stop();
        if (drawn > 0) {
            streams.err().print("\r" + " ".repeat(drawn) + "\r");
            streams.err().flush();
            drawn = 0;
        }
    }
}
