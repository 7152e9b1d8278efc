/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

/**
 * The native library of JNova could not be loaded. The message lists every place that was tried and why it failed.
 *
 * <p>It is an {@link UnsatisfiedLinkError}, as the JVM's own loading failures are: the process is missing a part, no
 * call on a store can help, and code that already falls back on an {@code UnsatisfiedLinkError} keeps working. The
 * failures of the single attempts are its {@linkplain #getSuppressed() suppressed} exceptions. Loading is tried
 * again by the next call that needs it.
 */
public final class NativeLoadException extends UnsatisfiedLinkError {
    private static final long serialVersionUID = 1L;

    /**
     * Creates the exception.
     *
     * @param message what was tried, and why each attempt failed
     */
    public NativeLoadException(String message) {
        super(message);
    }
}
