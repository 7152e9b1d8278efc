/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.function.Executable;

/**
 * Expects that an access to memory fails. Its {@link InternalError} comes when the JVM next looks for one, which on older
 * JDKs may be many calls later; here it is made to look.
 */
final class MemoryFault {
    /** Larger than any allocation buffer of a thread, so that the JVM itself allocates it. */
    private static final int LARGE = 8 << 20;

    private static volatile Object kept;

    private MemoryFault() {}

    static void assertThrown(Executable access) {
        try {
            access.execute();
            kept = new byte[LARGE];
            kept = null;
        } catch (InternalError e) {
            return;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        Assertions.fail("no InternalError");
    }
}
