/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import org.jnova.internal.store.InodeState;
import org.jnova.internal.store.PinnedSegment;

/** What a {@link NovaFile} has from JDK 22 on. */
abstract class FileSegments {
    FileSegments() {}

    abstract InodeState pinnable(FileChannel.MapMode mode, long position, long length) throws IOException;

    abstract boolean isWritable();

    /**
     * Maps bytes into a segment that is for the JDK one of a mapped file: {@code isMapped}, {@code load}, {@code
     * isLoaded} and {@code force} work. It is as a buffer of {@link NovaFile#mapBuffer}, with the same parameters, errors
     * and effects on the file, but of any length; and what that has until it is unreachable, this has until its arena is
     * closed.
     *
     * <p>Present from JDK 22 on.
     *
     * @param mode as there
     * @param position byte offset in the file
     * @param length bytes, not negative
     * @param arena whose lifetime the segment gets
     * @return the segment, read-only if the mode is
     * @throws IllegalStateException if the arena is closed; the file is as it was
     * @throws WrongThreadException if the arena is confined to another thread; likewise
     * @throws IOException as {@link NovaFile#mapBuffer} says
     */
    public final MemorySegment mapSegment(FileChannel.MapMode mode, long position, long length, Arena arena)
            throws IOException {
        return PinnedSegment.map(pinnable(mode, position, length), mode, position, length, isWritable(), arena);
    }
}
