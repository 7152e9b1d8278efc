/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.nio.file.FileSystemException;

/** A pool file that cannot be used, and why. The pool is {@link #getFile()}. */
public class PoolException extends FileSystemException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes an exception about a pool.
     *
     * @param pool the pool file
     * @param reason what is wrong, and the remedy where there is one
     */
    public PoolException(String pool, String reason) {
        super(pool, null, reason);
    }
}
