/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.jnova.TestPools;
import org.jnova.internal.core.NativeLibrary;
import org.jnova.internal.index.RadixIndex;
import org.junit.jupiter.api.Test;

/** Copies out of a sparse file that is larger than two windows; no pool, and no native code, is needed. */
class PoolWindowsTest {
    private static final int BLOCK = 4096;
    private static final int PER_WINDOW = 1 << 18;

    @Test
    void readsRunsAcrossWindowsAndHoles() throws IOException {
        try (TestPools pools = new TestPools()) {
            Path file = pools.path("sparse");
            long size = (2L * PER_WINDOW + 8) * BLOCK;
            SplittableRandom random = new SplittableRandom(1);
            byte[] low = new byte[6 * BLOCK];
            byte[] high = new byte[6 * BLOCK];
            random.nextBytes(low);
            random.nextBytes(high);
            try (FileChannel channel =
                    FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                channel.write(ByteBuffer.wrap(low), (PER_WINDOW - 3L) * BLOCK);
                channel.write(ByteBuffer.wrap(high), (2L * PER_WINDOW - 3) * BLOCK);
                channel.write(ByteBuffer.allocate(1), size - 1);
            }
            NativeLibrary.load();
            PoolWindows windows = PoolWindows.map(file, size);
            RadixIndex index = new RadixIndex();
            index.map(0, PER_WINDOW - 3, 6, 0, 0, null); // crosses from the first window into the second
            index.map(508, 2 * PER_WINDOW - 3, 6, 0, 0, null); // crosses windows, and leaves of the index
            byte[] model = new byte[520 * BLOCK];
            System.arraycopy(low, 0, model, 0, low.length);
            System.arraycopy(high, 0, model, 508 * BLOCK, high.length);

            byte[] all = new byte[model.length];
            windows.read(index, 0, all, 0, all.length);
            assertArrayEquals(model, all);
            for (int i = 0; i < 2000; i++) {
                int pos = random.nextBoolean() ? random.nextInt(8 * BLOCK) : random.nextInt(500 * BLOCK, model.length);
                int len = random.nextInt(1, Math.min(model.length - pos, 9 * BLOCK) + 1);
                byte[] expected = Arrays.copyOfRange(model, pos, pos + len);
                byte[] array = new byte[len + 5];
                windows.read(index, pos, array, 5, len);
                assertEquals(-1, Arrays.mismatch(expected, 0, len, array, 5, len + 5), "array " + pos + "+" + len);
                ByteBuffer buffer = ByteBuffer.allocateDirect(len + 3).position(1);
                windows.read(index, pos, buffer, 3, len);
                assertEquals(ByteBuffer.wrap(expected), buffer.slice(3, len), "buffer " + pos + "+" + len);
                assertEquals(1, buffer.position());
            }
        }
    }
}
