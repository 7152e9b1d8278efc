/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** For tests of one open file: an empty one in a new store, {@code f} in {@code p}, which is sound afterwards. */
abstract class OneFile {
    static final int PAGE = 4096;

    final TestPools pools = new TestPools();
    NovaStore store;
    NovaFile file;

    private final long size;

    /** @param size of the pool, bytes */
    OneFile(long size) {
        this.size = size;
    }

    @BeforeEach
    void open() throws IOException {
        store = pools.create("p", size);
        file = store.open("f", CREATE, READ, WRITE);
    }

    @AfterEach
    void close() throws IOException {
        store.close();
        pools.assertSound("p");
        pools.close();
    }

    /** The same bytes for the same length. */
    static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new SplittableRandom(length).nextBytes(bytes);
        return bytes;
    }

    /** Bytes that the file has. */
    byte[] read(long position, int length) throws IOException {
        byte[] bytes = new byte[length];
        assertEquals(length, file.read(position, bytes, 0, length));
        return bytes;
    }
}
