/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.Iterator;
import org.jnova.DirectoryEntry;
import org.jnova.FileInfo;
import org.jnova.internal.store.StoreCore.Creation;
import org.jnova.internal.store.StoreCore.Deletion;

/**
 * A directory that paths start from: the directory itself, whatever becomes of the names that led to it. It holds
 * nothing, since directories stay loaded until they are deleted; one that has been deleted is found empty, and nothing
 * can be made in it.
 */
public final class OpenDirectory {
    private final StoreCore core;
    private final DirectoryState state;

    OpenDirectory(StoreCore core, DirectoryState state) {
        this.core = core;
        this.state = state;
    }

    private StorePath path(String text) {
        return StorePath.of(state, text);
    }

    /** As {@link StoreCore#open}. */
    public InodeState open(String path, Creation creation, boolean follow, int mode) throws IOException {
        return core.open(path(path), creation, follow, mode);
    }

    /** As {@link StoreCore#openDirectory}. */
    public OpenDirectory openDirectory(String path, boolean follow) throws IOException {
        return core.openDirectory(path(path), follow);
    }

    /** As {@link StoreCore#exists}, of what is a path. */
    public boolean exists(String path, boolean follow) throws IOException {
        return core.exists(path(path), follow);
    }

    /** As {@link StoreCore#stat}. */
    public FileInfo stat(String path, boolean follow) throws IOException {
        return core.stat(path(path), follow);
    }

    /** Its entries, as {@link StoreCore#iterator}. */
    public Iterator<DirectoryEntry> iterator() throws IOException {
        return core.iterator(state);
    }

    /** Deletes an empty directory, or else what is none: checked in the same step. */
    public void delete(String path, boolean directory) throws IOException {
        if (!core.delete(path(path), directory ? Deletion.DIRECTORY : Deletion.NO_DIRECTORY)) {
            throw new NoSuchFileException(path);
        }
    }

    /** Renames what a path leads to that starts here; the new name's path starts from another directory. */
    public void rename(String from, OpenDirectory target, String to, boolean replace) throws IOException {
        if (target.core != core) {
            throw new IllegalArgumentException("the directories are in two stores");
        }
        core.rename(path(from), target.path(to), replace);
    }

    /** As {@link StoreCore#setAttributes}. */
    public void setAttributes(String path, AttributeValues values, boolean follow) throws IOException {
        core.setAttributes(path(path), values, follow);
    }

    @Override
    public String toString() {
        return state.toString();
    }
}
