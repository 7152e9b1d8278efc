/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

/** The pool is of a format version, or has a feature, that this release does not know. */
public final class PoolVersionException extends PoolException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes an exception about a pool.
     *
     * @param pool the pool file
     * @param reason what is wrong, and the remedy where there is one
     */
    public PoolVersionException(String pool, String reason) {
        super(pool, reason);
    }
}
