/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

/** The pool file is shorter or longer than its superblock says. */
public final class PoolTruncatedException extends PoolException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes an exception about a pool.
     *
     * @param pool the pool file
     * @param reason what is wrong, and the remedy where there is one
     */
    public PoolTruncatedException(String pool, String reason) {
        super(pool, reason);
    }
}
