/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova;

import java.io.IOException;
import java.nio.file.CopyOption;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.util.Iterator;
import org.jnova.internal.store.OpenDirectory;
import org.jnova.internal.store.StoreCore;

/**
 * A directory of a {@link NovaStore} that paths start from, as with {@code openat} of POSIX. It is the directory itself
 * that is meant, not its name: when it is renamed, or a symbolic link or another directory gets the name that it had,
 * paths that start from it lead where they led before.
 *
 * <p>A path that begins with a slash starts from the root all the same; {@code "."} is the directory. When it has been
 * deleted, there is nothing in it, and whatever needs it throws {@link NoSuchFileException}, also of a directory that
 * has got its name since.
 *
 * <p>What the description of {@link NovaStore} says about exceptions, threads, atomicity and durability holds here,
 * too. It needs no closing, and is of no use when the store is closed.
 */
public final class NovaDirectory {
    private final StoreCore core;
    private final OpenDirectory directory;

    NovaDirectory(StoreCore core, OpenDirectory directory) {
        this.core = core;
        this.directory = directory;
    }

    /**
     * Opens a file, as {@link NovaStore#open(String, int, OpenOption...)} does.
     *
     * @param path the file
     * @param mode POSIX permission bits of a new file, 0 to 07777
     * @param options how to
     * @return a handle, to be closed
     * @throws IOException as there
     */
    public NovaFile open(String path, int mode, OpenOption... options) throws IOException {
        OpenMode how = OpenMode.of(options);
        return NovaFile.of(
                core, directory.open(path, how.creation(), how.follow(), NovaStore.checkMode(mode)), path, how);
    }

    /**
     * Opens a directory, as {@link NovaStore#openDirectory} does.
     *
     * @param path the directory
     * @param options {@link LinkOption#NOFOLLOW_LINKS} not to follow a symbolic link at its end
     * @return the directory
     * @throws IOException as there
     */
    public NovaDirectory openDirectory(String path, LinkOption... options) throws IOException {
        return new NovaDirectory(core, directory.openDirectory(path, NovaStore.follow(options)));
    }

    /**
     * Tells whether a path leads to something, as {@link NovaStore#exists} does.
     *
     * @param path the path
     * @param options {@link LinkOption#NOFOLLOW_LINKS} not to follow a symbolic link at its end
     * @return whether it does
     * @throws java.nio.file.InvalidPathException if it is not a path
     * @throws IOException as there
     */
    public boolean exists(String path, LinkOption... options) throws IOException {
        return directory.exists(path, NovaStore.follow(options));
    }

    /**
     * Reads attributes, as {@link NovaStore#stat} does.
     *
     * @param path of a file, directory or symbolic link
     * @param options {@link LinkOption#NOFOLLOW_LINKS} not to follow a symbolic link at its end
     * @return the attributes at one moment of the call
     * @throws IOException as there
     */
    public FileInfo stat(String path, LinkOption... options) throws IOException {
        return directory.stat(path, NovaStore.follow(options));
    }

    /**
     * Iterates over the directory, as {@link NovaStore#iterate} does.
     *
     * @return its entries; none if it has been deleted
     * @throws IOException as there
     */
    public Iterator<DirectoryEntry> iterate() throws IOException {
        return directory.iterator();
    }

    /**
     * Deletes a file or symbolic link, as {@link NovaStore#delete} does, but no directory: that is found out in the
     * same atomic step.
     *
     * @param path what to delete
     * @throws java.nio.file.FileSystemException if it is a directory
     * @throws IOException as there
     */
    public void deleteFile(String path) throws IOException {
        directory.delete(path, false);
    }

    /**
     * Deletes an empty directory, as {@link NovaStore#delete} does, and nothing else: that is found out in the same
     * atomic step.
     *
     * @param path what to delete
     * @throws java.nio.file.NotDirectoryException if it is something else
     * @throws IOException as there
     */
    public void deleteDirectory(String path) throws IOException {
        directory.delete(path, true);
    }

    /**
     * Renames, as {@link NovaStore#rename} does.
     *
     * @param from what to rename
     * @param target the directory that the path of the new name starts from, of the same store
     * @param to the new name
     * @param options as there
     * @throws IllegalArgumentException if the directory is of another store
     * @throws IOException as there
     */
    public void rename(String from, NovaDirectory target, String to, CopyOption... options) throws IOException {
        directory.rename(from, target.directory, to, NovaStore.replaces(options));
    }

    /**
     * Sets attributes, as {@link NovaStore#setAttributes} does.
     *
     * @param path of a file, directory or symbolic link
     * @param change what to set
     * @param options {@link LinkOption#NOFOLLOW_LINKS} not to follow a symbolic link at its end
     * @throws IOException as there
     */
    public void setAttributes(String path, AttributeChange change, LinkOption... options) throws IOException {
        if (change.values().mask() == 0) {
            stat(path, options);
        } else {
            directory.setAttributes(path, change.values(), NovaStore.follow(options));
        }
    }

    @Override
    public String toString() {
        return directory.toString();
    }
}
