/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

/**
 * A structure in the pool is damaged. Nothing was changed; {@link PoolInspector#check} lists all the damage there is.
 */
public final class CorruptPoolException extends PoolException {
    private static final long serialVersionUID = 1L;

    /** The value of {@link #poolOffset()} if the damage has no particular place. */
    public static final long NO_OFFSET = -1;

    /** Where in the pool. */
    private final long poolOffset;

    /**
     * Makes an exception about damage.
     *
     * @param pool the pool file
     * @param reason what is damaged
     * @param poolOffset byte offset in the pool file, or {@link #NO_OFFSET}
     */
    public CorruptPoolException(String pool, String reason, long poolOffset) {
        super(pool, reason);
        this.poolOffset = poolOffset;
    }

    /** {@return the byte offset of the damaged structure in the pool file, or {@link #NO_OFFSET}} */
    public long poolOffset() {
        return poolOffset;
    }
}
