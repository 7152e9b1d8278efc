/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jnova.StoreOptions.RecoveryProgress;

/**
 * Tells a listener how far recovery is: the core counts in two words of shared memory and never calls back, so a
 * thread of its own looks at them from time to time.
 */
final class RecoveryWatch implements AutoCloseable {
    private static final long PERIOD_NS = 100_000_000;

    private final Consumer<? super RecoveryProgress> listener;
    private final NativeMemory words;
    private final Thread thread;
    private volatile boolean done;

    private RecoveryWatch(Consumer<? super RecoveryProgress> listener) {
        this.listener = listener;
        this.words = listener == null ? null : NativeMemory.allocate(Abi.PROGRESS_SIZE);
        this.thread = listener == null ? null : new Thread(this::watch, "jnova-recovery-progress");
    }

    /** Starts to watch; with a null listener there is nothing to. */
    static RecoveryWatch start(Consumer<? super RecoveryProgress> listener) {
        RecoveryWatch watch = new RecoveryWatch(listener);
        if (watch.thread != null) {
            watch.thread.setDaemon(true);
            watch.thread.start();
        }
        return watch;
    }

    /** Where the core counts, or 0. */
    long address() {
        return words == null ? 0 : words.address();
    }

    private void watch() {
        LockSupport.parkNanos(this, PERIOD_NS);
        while (!done) {
            report();
            LockSupport.parkNanos(this, PERIOD_NS);
        }
        report();
    }

    private void report() {
        try {
            listener.accept(new RecoveryProgress(
                    words.bytes().getLong(Abi.PROGRESS_DONE), words.bytes().getLong(Abi.PROGRESS_TOTAL)));
        } catch (RuntimeException e) {
            // As documented: a listener cannot stop recovery.
            return;
        }
    }

    /**
     * Reports once more and waits until the listener has heard it. Keeps the words alive as long as the core may
     * count.
     */
    @Override
    public void close() {
        if (thread == null) {
            return;
        }
        done = true;
        LockSupport.unpark(thread);
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
