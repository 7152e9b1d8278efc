/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.util.Objects;
import org.jnova.MappedRegion;
import org.jnova.NovaFile;

/** What a {@link NovaFileChannel} has from JDK 22 on: mapping into an arena. */
abstract class MappingChannel extends FileChannel {
    MappingChannel() {}

    /** Makes a call that maps, if the channel may; another thread may cut it short, as any. */
    abstract <T> T mapping(MapMode mode, NovaFileChannel.Call<T> call) throws IOException;

    abstract NovaFile file();

    /** Maps bytes of the file, one at least: within {@link #mapping}. */
    abstract MappedRegion region(MapMode mode, long position, long size) throws IOException;

    /** See {@link NovaFile#mapSegment}; or, if its pages cannot be brought together, {@link MappedRegion#segment}. */
    @Override
    public MemorySegment map(MapMode mode, long offset, long size, Arena arena) throws IOException {
        Objects.requireNonNull(mode);
        Objects.requireNonNull(arena);
        if (offset < 0 || size < 0 || offset > Long.MAX_VALUE - size) {
            throw new IllegalArgumentException("bytes " + offset + "+" + size);
        }
        return mapping(mode, () -> {
            try {
                return file().mapSegment(mode, offset, size, arena);
            } catch (FileSystemException e) {
                if (mode == MapMode.PRIVATE || size == 0) {
                    throw e;
                }
                return region(mode, offset, size).segment(arena);
            }
        });
    }
}
