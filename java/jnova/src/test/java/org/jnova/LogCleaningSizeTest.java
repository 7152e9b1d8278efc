/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.jnova.internal.index.LogPages;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The size of a file without data: nothing but an entry that cleaning has appended says it, wherever in a page. */
class LogCleaningSizeTest {
    private static final long SIZE = 1L << 30;
    private static final int ATTRIBUTES = 13; // so many fill a page of a log
    private static final int LONG = 5; // lines of an entry

    private final TestPools pools = new TestPools();

    @AfterEach
    void close() {
        LogPages.cleanAlways(false);
        pools.close();
    }

    /** Sets an attribute, by an entry of so many lines. */
    private static void set(NovaFile file, int i, int lines) throws IOException {
        file.setAttribute("user." + (char) ('A' + i % ATTRIBUTES), new byte[64 * lines - 54]);
    }

    /** Entries of attributes, and that of the size, fill the first page; the other one that cleaning appends comes next. */
    @Test
    void noPageGoesThatSaysItLast() throws IOException {
        boolean last = false;
        try (NovaStore store = pools.create("p", 16 * TestPools.MIB)) {
            for (int shorter = 0; shorter < LONG; shorter++) {
                String name = "f" + shorter;
                try (NovaFile file = store.open(name, CREATE, READ, WRITE)) {
                    file.setSize(SIZE);
                    long before = store.stats().cleaning().pagesFreed();
                    for (int i = 0; store.stats().cleaning().pagesFreed() == before; i++) {
                        set(file, i, i % ATTRIBUTES == 0 ? LONG - shorter : LONG);
                    }
                    last |= file.info().logPages() == 2;
                    for (int i = 0; i < ATTRIBUTES; i++) { // of the first page nothing counts but the size
                        set(file, i, 1);
                    }
                    LogPages.cleanAlways(true);
                    set(file, 0, 1);
                    LogPages.cleanAlways(false);
                }
                try (NovaFile file = store.open(name, READ)) {
                    assertEquals(SIZE, file.size(), "first attribute shorter by " + shorter);
                }
            }
        }
        assertTrue(last, "no entry of the size has been the last of its page");
        pools.assertSound("p");
    }
}
