/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;

/** Runs steps that must all be run, and throws afterwards what the first of them threw, the others suppressed. */
final class Failures {
    private Throwable first;

    /** A step that may fail. */
    @FunctionalInterface
    interface Step {
        void run() throws IOException;
    }

    void collect(Step step) {
        try {
            step.run();
        } catch (IOException | RuntimeException | Error e) {
            if (first == null) {
                first = e;
            } else if (first != e) {
                first.addSuppressed(e);
            }
        }
    }

    void throwFirst() throws IOException {
        if (first instanceof IOException e) {
            throw e;
        }
        if (first instanceof RuntimeException e) {
            throw e;
        }
        if (first != null) {
            throw (Error) first;
        }
    }
}
