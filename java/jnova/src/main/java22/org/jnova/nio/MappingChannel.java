/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.util.Objects;
import org.jnova.MappedRegion;

/** What a {@link NovaFileChannel} has from JDK 22 on: mapping into an arena. */
abstract class MappingChannel extends FileChannel {
    MappingChannel() {}

    /** Maps bytes of the file, one at least. */
    abstract MappedRegion region(MapMode mode, long position, long size) throws IOException;

    /**
     * Maps bytes of the file: a {@link MappedRegion}'s segment, which is for the JDK native memory and no mapped file.
     * So its {@code isMapped} is false; stores are durable after {@link #force} of this channel.
     */
    @Override
    @SuppressWarnings("restricted") // no memory at all
    public MemorySegment map(MapMode mode, long offset, long size, Arena arena) throws IOException {
        Objects.requireNonNull(mode);
        Objects.requireNonNull(arena);
        if (offset < 0 || size < 0 || offset > Long.MAX_VALUE - size) {
            throw new IllegalArgumentException("bytes " + offset + "+" + size);
        }
        if (size == 0) {
            return MemorySegment.NULL.reinterpret(0, arena, memory -> {});
        }
        return region(mode, offset, size).segment(arena);
    }
}
