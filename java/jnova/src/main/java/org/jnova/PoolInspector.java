/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.io.IOException;
import java.nio.file.Path;
import org.jnova.internal.core.PoolTools;
import org.jnova.internal.store.Names;

/** Looks at a pool that is not open; changes it only to repair it. Thread-safe. */
public final class PoolInspector {
    private PoolInspector() {}

    /**
     * Checks every invariant of the media format. Takes the pool's lock for the duration, so the pool must not be open.
     *
     * @param pool the pool file
     * @return what was found; damage is a finding, not an exception
     * @throws java.nio.file.NoSuchFileException if there is no such file
     * @throws java.nio.file.AccessDeniedException if there is no permission to read it
     * @throws PoolException if the file cannot be read as a pool at all: one of its subclasses says why
     * @throws UnsupportedOperationException if the path is not of the default file system provider
     * @throws NativeLoadException if the native library cannot be loaded; an {@link Error}
     * @throws IOException if the operating system refuses
     */
    public static CheckReport check(Path pool) throws IOException {
        return PoolTools.check(pool);
    }

    /**
     * Checks like {@link #check} and repairs what has a replica or follows from what is whole: a superblock, the state
     * of the pool and its saved bitmaps (by making the next opening scan the logs), bytes that must be zero, and inodes
     * that no name refers to. Damage in the logs, inodes and pointers that names reach is reported and left as it is;
     * while there is any, bitmaps and nameless inodes are left, too. Takes the pool's lock for the duration, so the
     * pool must not be open. A repair that a crash cut short leaves the pool as usable as before, and can be done again;
     * what is reported as repaired is durable.
     *
     * @param pool the pool file
     * @return what was found: repaired, or left
     * @throws java.nio.file.NoSuchFileException if there is no such file
     * @throws java.nio.file.AccessDeniedException if there is no permission to write it
     * @throws PoolException if the file cannot be read as a pool at all: one of its subclasses says why
     * @throws UnsupportedOperationException if the path is not of the default file system provider
     * @throws NativeLoadException if the native library cannot be loaded; an {@link Error}
     * @throws IOException if the operating system refuses
     */
    public static CheckReport repair(Path pool) throws IOException {
        return PoolTools.repair(pool);
    }

    /**
     * Describes the log of one file, directory or symbolic link, readably: its inode, log pages, and each entry with
     * position, sequence number and the verdict on its checksum.
     *
     * @param pool the pool file
     * @param path its path in the pool, on which symbolic links are not followed; or null for the root directory
     * @return text of many lines
     * @throws java.nio.file.InvalidPathException if it is not a path
     * @throws java.nio.file.NoSuchFileException if there is no such pool, or nothing in it at that path
     * @throws java.nio.file.NotDirectoryException if something on the path is not a directory
     * @throws java.nio.file.AccessDeniedException if there is no permission to read it
     * @throws PoolException if the file cannot be read as a pool at all: one of its subclasses says why
     * @throws UnsupportedOperationException if the path is not of the default file system provider
     * @throws NativeLoadException if the native library cannot be loaded; an {@link Error}
     * @throws IOException if the operating system refuses
     */
    public static String dump(Path pool, String path) throws IOException {
        return PoolTools.dump(pool, path == null ? null : Names.path(path), path);
    }
}
