/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Set;
import jdk.nio.mapmode.ExtendedMapMode;
import org.jnova.Durability;

/**
 * The pool's file, of which the JDK maps pieces. Opening and closing it does not disturb the core's lock, which is one
 * of {@code flock(2)}.
 */
final class PoolFile {
    private final Path path;
    private final Object key;
    private final boolean persistent;

    /** @param path of a pool that is open */
    PoolFile(Path path, Durability durability) throws IOException {
        this.path = path;
        this.key = key();
        this.persistent = durability == Durability.PMEM;
    }

    private Object key() throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
    }

    /** Maps a piece of the pool's file. */
    @FunctionalInterface
    interface Mapping<T> {
        T map(FileChannel channel, MapMode mode) throws IOException;
    }

    /**
     * Maps a piece, also if the thread is interrupted or gets so meanwhile; its interrupt status stays. On persistent
     * memory stores are made durable without a system call, where the JDK can.
     *
     * @param mode what is wanted; the mapping is told what to ask for
     * @throws UnsupportedOperationException if the mode is none that there is
     */
    <T> T map(MapMode mode, Mapping<T> mapping) throws IOException {
        if (persistent && mode == MapMode.READ_WRITE) {
            try {
                return uninterrupted(ExtendedMapMode.READ_WRITE_SYNC, mapping);
            } catch (UnsupportedOperationException e) {
                // a processor without the instructions: msync does it
            }
        }
        return uninterrupted(mode, mapping);
    }

    private <T> T uninterrupted(MapMode mode, Mapping<T> mapping) throws IOException {
        boolean interrupted = false;
        try {
            while (true) {
                interrupted |= Thread.interrupted(); // or else the channel closes itself
                try {
                    return mapOnce(mode, mapping);
                } catch (ClosedByInterruptException e) {
                    // interrupted while mapping: once more
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private <T> T mapOnce(MapMode mode, Mapping<T> mapping) throws IOException {
        Set<OpenOption> options = mode == MapMode.READ_ONLY
                ? Set.of(StandardOpenOption.READ)
                : Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE);
        try (FileChannel channel = FileChannel.open(path, options)) {
            if (!key.equals(key())) {
                throw new FileSystemException(
                        path.toString(), null, "it is not the pool that is open: was that one renamed or removed?");
            }
            return mapping.map(channel, mode);
        }
    }
}
