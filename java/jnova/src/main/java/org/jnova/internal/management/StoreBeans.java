/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.management;

import java.io.IOException;
import java.nio.file.Path;
import org.jnova.StoreStats;

/**
 * Makes stores MBeans if the system property {@code jnova.management} asks for it. Otherwise no class of {@code
 * java.management} is loaded: the platform's MBean server takes much longer to start than a pool to open. So this class
 * names none, not even in a catch clause, for which the verifier would load it.
 */
public final class StoreBeans {
    private static final String PROPERTY = "jnova.management";

    private StoreBeans() {}

    /** Reads the statistics of a store. */
    @FunctionalInterface
    public interface Source {
        StoreStats read() throws IOException;
    }

    /**
     * Registers a store that is open.
     *
     * @return what unregisters it, and throws nothing; null if there is nothing to unregister, because it was not asked
     *     for, or the JVM refuses: nobody's data shall wait for that
     */
    public static Runnable register(Path pool, Source source) {
        try {
            return Boolean.getBoolean(PROPERTY) ? StoreBean.register(pool, source) : null;
        } catch (Exception | Error e) {
            System.getLogger("org.jnova").log(System.Logger.Level.WARNING, pool + " is open, but is no MBean: " + e);
            return null;
        }
    }
}
