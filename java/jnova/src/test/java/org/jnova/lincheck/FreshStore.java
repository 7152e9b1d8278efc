/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.lincheck;

import java.io.IOException;
import org.jnova.NovaStore;
import org.jnova.TestPools;

/** A store for one interleaving. Opening and closing it is no part of what is checked. */
final class FreshStore {
    final NovaStore store;

    FreshStore(String... directories) throws IOException {
        try (TestPools pools = new TestPools()) {
            store = pools.create("p", TestPools.MIB); // which keeps what it has mapped
        }
        for (String directory : directories) {
            store.createDirectory(directory);
        }
    }

    void close() throws IOException {
        store.close();
    }
}
