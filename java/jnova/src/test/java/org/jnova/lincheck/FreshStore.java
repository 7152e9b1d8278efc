/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.lincheck;

import java.io.IOException;
import org.jnova.NovaStore;
import org.jnova.TestPools;

/** A store for one interleaving. Opening, closing and checking it is no part of what is interleaved. */
final class FreshStore {
    private static final String POOL = "p";

    final NovaStore store;
    private final TestPools pools = new TestPools();

    FreshStore(String... directories) throws IOException {
        store = pools.create(POOL, TestPools.MIB);
        for (String directory : directories) {
            store.createDirectory(directory);
        }
    }

    /** Closes it; the pool must be whole. */
    void close() throws IOException {
        store.close();
        pools.assertSound(POOL);
        pools.close();
    }
}
