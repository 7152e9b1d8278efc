/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** The time, and a task that runs again and again as it passes. Tests have one whose time they make pass. */
interface Ticker {
    /** As {@link System#nanoTime}. */
    long nanoTime();

    /** Runs a task for the first time after {@code delayMs}, and then every {@code periodMs}. Called once. */
    void start(Runnable task, long delayMs, long periodMs);

    /** Starts no more runs; one may be running still. */
    void stop();

    /** Real time, and a thread that does not keep the JVM alive. */
    static Ticker ofSystem() {
        ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "progress");
            thread.setDaemon(true);
            return thread;
        });
        return new Ticker() {
            @Override
            public long nanoTime() {
                return System.nanoTime();
            }

            @Override
            public void start(Runnable task, long delayMs, long periodMs) {
                executor.scheduleAtFixedRate(task, delayMs, periodMs, TimeUnit.MILLISECONDS);
            }

            @Override
            public void stop() {
                executor.shutdownNow();
            }
        };
    }
}
