/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

/** The pool is open already, in this process or another one; a pool is open once at a time. */
public final class PoolInUseException extends PoolException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes an exception about a pool.
     *
     * @param pool the pool file
     * @param reason what is wrong, and the remedy where there is one
     */
    public PoolInUseException(String pool, String reason) {
        super(pool, reason);
    }
}
