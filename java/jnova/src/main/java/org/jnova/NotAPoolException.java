/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

/** The file is not a pool: something else, a directory, or a pool whose creation was cut short. */
public final class NotAPoolException extends PoolException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes an exception about a pool.
     *
     * @param pool the pool file
     * @param reason what is wrong, and the remedy where there is one
     */
    public NotAPoolException(String pool, String reason) {
        super(pool, reason);
    }
}
