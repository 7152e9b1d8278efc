/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.util.concurrent.TimeUnit;

/** How many mapped buffers over files of a store there are, which only the garbage collector can release. */
final class Pins {
    private static final long WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    private int live; // guarded by this

    synchronized void entered() {
        live++;
    }

    synchronized void left() {
        live--;
        notifyAll();
    }

    /** Has the collector look for buffers that nobody can reach, and waits a moment for one. Whether any was released. */
    boolean collect() {
        int before = count();
        return before != 0 && await(before - 1);
    }

    /** The same for all of them. */
    void collectAll() {
        if (count() != 0) {
            await(0);
        }
    }

    private synchronized int count() {
        return live;
    }

    private boolean await(int most) {
        System.gc();
        long end = System.nanoTime() + WAIT_NANOS;
        synchronized (this) {
            try {
                for (long left; live > most && (left = end - System.nanoTime()) > 0; ) {
                    TimeUnit.NANOSECONDS.timedWait(this, left);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return live <= most;
        }
    }
}
