/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Memory that both sides see: a direct buffer in native byte order, and its address. It lives as long as this object
 * is reachable, so whoever passes the address to the core keeps the object in a field, or fences it.
 */
public final class NativeMemory {
    private final ByteBuffer bytes;
    private final long address;

    private NativeMemory(ByteBuffer bytes) {
        this.bytes = bytes;
        this.address = NovaNative.address(bytes);
    }

    /**
     * Allocates zeroed memory. Loads the native library if this is the first contact.
     *
     * @param size bytes
     * @throws NativeLoadException if the library cannot be loaded
     */
    public static NativeMemory allocate(int size) {
        NativeLibrary.load();
        return new NativeMemory(ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder()));
    }

    /** Absolute access only: position and limit are never moved, so that threads may share it. */
    public ByteBuffer bytes() {
        return bytes;
    }

    public long address() {
        return address;
    }

    /**
     * Address of a direct buffer's first byte, whatever its position. The caller keeps the buffer reachable as long
     * as it uses it.
     */
    public static long addressOf(ByteBuffer direct) {
        return NovaNative.address(direct);
    }

    /**
     * A direct buffer over memory that is not its own. It has no cleaner; slices and duplicates of it keep it reachable,
     * so that memory can live as long as it does.
     *
     * @param capacity bytes
     */
    static ByteBuffer over(long address, int capacity) {
        ByteBuffer buffer = NovaNative.buffer(address, capacity);
        if (buffer == null) {
            throw new OutOfMemoryError("no heap for a buffer");
        }
        return buffer;
    }

    /** The NUL-terminated text at an offset, at most {@code max} bytes. */
    static String text(ByteBuffer from, int offset, int max) {
        byte[] chars = new byte[max];
        from.get(offset, chars);
        int n = 0;
        while (n < max && chars[n] != 0) {
            n++;
        }
        return new String(chars, 0, n, java.nio.charset.StandardCharsets.UTF_8);
    }
}
