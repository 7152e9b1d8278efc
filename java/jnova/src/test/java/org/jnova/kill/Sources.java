/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.kill;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jnova.NovaFile;

/** Writes bytes from an array, a direct buffer or two buffers, in turn. For one thread. */
final class Sources {
    private static final int DIRECT = 1 << 20;

    private final ByteBuffer direct = ByteBuffer.allocateDirect(DIRECT);
    private int turn;

    void write(NovaFile file, long at, byte[] bytes) throws IOException {
        switch (turn++ % 3) {
            case 0 -> file.write(at, bytes, 0, bytes.length);
            case 1 -> file.write(at, direct(bytes));
            default -> file.write(at, two(bytes), 0, 2);
        }
    }

    void append(NovaFile file, byte[] bytes) throws IOException {
        switch (turn++ % 3) {
            case 0 -> file.append(bytes, 0, bytes.length);
            case 1 -> file.append(direct(bytes));
            default -> file.append(two(bytes), 0, 2);
        }
    }

    private ByteBuffer direct(byte[] bytes) {
        return direct.clear().put(bytes).flip();
    }

    private static ByteBuffer[] two(byte[] bytes) {
        int half = bytes.length / 2;
        return new ByteBuffer[] {ByteBuffer.wrap(bytes, 0, half), ByteBuffer.wrap(bytes, half, bytes.length - half)};
    }

    static byte[] readAll(NovaFile file) throws IOException {
        byte[] bytes = new byte[Math.toIntExact(file.size())];
        int n = file.read(0, bytes, 0, bytes.length);
        if (n != bytes.length && bytes.length > 0) {
            throw new AssertionError("read " + n + " bytes of " + bytes.length);
        }
        return bytes;
    }
}
