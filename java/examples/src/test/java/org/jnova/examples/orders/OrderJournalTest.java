/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.examples.orders;

import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.jnova.NovaFile;
import org.jnova.NovaStore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OrderJournalTest {
    /** As an append does that takes effect and throws nevertheless: numbers stay those that a restart finds. */
    @Test
    void numbersAreThoseOfTheFile(@TempDir Path folder) throws Exception {
        Path pool = folder.resolve("orders.pool");
        NovaStore store = NovaStore.create(pool, NovaStore.SIZE_MIN);
        try (OrderJournal journal = new OrderJournal(store);
                NovaFile file = store.open("orders", WRITE)) {
            assertEquals(0, journal.append(new byte[] {1}));
            file.append(ByteBuffer.wrap(new byte[] {0, 0, 0, 2, 7, 7}));
            assertEquals(2, journal.append(new byte[] {3}));
        }
        try (OrderJournal journal = OrderJournal.open(pool)) {
            assertEquals(3, journal.size());
            assertArrayEquals(new byte[] {7, 7}, journal.get(1).orElseThrow());
            assertArrayEquals(new byte[] {3}, journal.get(2).orElseThrow());
        }
    }
}
