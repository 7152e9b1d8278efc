/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.NotLinkException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jnova.DirectoryEntry;
import org.jnova.internal.index.Child;
import org.jnova.internal.index.DirectoryIndex;
import org.jnova.internal.store.PathWalk.Place;
import org.jnova.internal.store.StoreCore.Creation;

/**
 * What paths lead to: opening, attributes, lists. The caller keeps the store open. Changes of names are {@link
 * NameChanges}'.
 */
final class Namespace {
    private final DirectoryTable directories;
    private final InodeTable table;
    private final PathWalk walk;
    private final NameChanges changes;

    Namespace(DirectoryTable directories, InodeTable table) {
        this.directories = directories;
        this.table = table;
        this.walk = new PathWalk(directories, table);
        this.changes = new NameChanges(directories, table, walk);
    }

    NameChanges changes() {
        return changes;
    }

    /** What a path leads to: one of the two is null. The file is to be given back to the inode table. */
    record Found(DirectoryState directory, InodeState file) {}

    /** Finds what a path leads to. A file is not replayed yet. */
    Found find(StorePath path, boolean follow) throws IOException {
        while (true) {
            Place place = walk.walk(path, follow);
            if (place.name() == null) {
                return new Found(place.directory(), null);
            }
            Found found = findAt(place.directory(), place.name(), path.text(), follow);
            if (found != null) {
                return found;
            }
        }
    }

    /** What a name names, or null if that changed while it was looked up, or it is a link that is to be followed. */
    private Found findAt(DirectoryState directory, byte[] name, String label, boolean follow) throws IOException {
        Child child;
        long shared = directory.lockShared();
        try {
            child = directory.findLocked(name);
            if (child == null) {
                throw new NoSuchFileException(label);
            }
            if (!child.isDirectory()) {
                return follow && child.isLink()
                        ? null
                        : new Found(null, table.acquire(child.ino(), child.gen(), label));
            }
        } finally {
            directory.unlockShared(shared);
        }
        DirectoryState state = directories.at(directory, name, child);
        return state == null ? null : new Found(state, null);
    }

    // ---- opening

    /** Opens a file, not replayed yet; to be given back to the inode table. */
    InodeState open(StorePath path, Creation creation, boolean follow, int mode) throws IOException {
        boolean create = creation == Creation.ALWAYS;
        while (true) {
            Place place = walk.walk(path, follow && creation != Creation.ALWAYS);
            if (place.name() == null) {
                throw creation == Creation.ALWAYS ? new FileAlreadyExistsException(path.text()) : isDirectory(path);
            }
            InodeState state = create ? openOrCreateAt(place, path, creation, mode) : openAt(place, path, creation);
            if (state != null) {
                return state;
            }
            if (!follow) {
                checkNoLink(place, path);
            }
            create = creation != Creation.NEVER; // or else a link came there meanwhile: follow it
        }
    }

    private static void checkNoLink(Place place, StorePath path) throws IOException {
        Child child = place.directory().find(place.name());
        if (child != null && child.isLink()) {
            throw PathWalk.notFollowed(path);
        }
    }

    /** The file at a place; null if there is none and one may be made, or if it is a link by now. */
    private InodeState openAt(Place place, StorePath path, Creation creation) throws IOException {
        DirectoryState directory = place.directory();
        long shared = directory.lockShared();
        try {
            Child child = directory.findLocked(place.name());
            if (child == null && creation == Creation.NEVER) {
                throw new NoSuchFileException(path.text());
            }
            return child == null || child.isLink() ? null : acquireFile(child, path);
        } finally {
            directory.unlockShared(shared);
        }
    }

    /** The file at a place, made if there is none; null if it is a link by now. */
    private InodeState openOrCreateAt(Place place, StorePath path, Creation creation, int mode) throws IOException {
        DirectoryState directory = place.directory();
        try (DirectoryLocks locks = DirectoryLocks.exclusive(directory, null, null)) {
            Child child = locks.find(directory, place.name());
            if (child != null && creation == Creation.ALWAYS) {
                throw new FileAlreadyExistsException(path.text());
            }
            if (child != null && child.isLink()) {
                return null;
            }
            if (child == null) {
                child = changes.createFile(locks, directory, place.name(), mode, path);
            }
            return acquireFile(child, path);
        }
    }

    private InodeState acquireFile(Child child, StorePath path) throws IOException {
        if (child.isDirectory()) {
            throw isDirectory(path);
        }
        return table.acquire(child.ino(), child.gen(), path.text());
    }

    private static FileSystemException isDirectory(StorePath path) {
        return new FileSystemException(path.text(), null, "it is a directory");
    }

    // ---- attributes

    /** Whether a path leads to something. */
    boolean exists(StorePath path, boolean follow) throws IOException {
        try {
            Place place = walk.walk(path, follow);
            return place.name() == null || place.directory().find(place.name()) != null;
        } catch (NoSuchFileException | NotDirectoryException | FileSystemLoopException e) {
            return false;
        }
    }

    /** The target of a symbolic link. */
    byte[] target(StorePath path) throws IOException {
        while (true) {
            Place place = walk.walk(path, false);
            if (place.name() == null) {
                throw new NotLinkException(path.text());
            }
            Child child = place.directory().find(place.name());
            if (child == null) {
                throw new NoSuchFileException(path.text());
            }
            if (!child.isLink()) {
                throw new NotLinkException(path.text());
            }
            byte[] target = walk.target(place.directory(), place.name(), child);
            if (target != null) {
                return target;
            }
        }
    }

    // ---- lists

    /** The directory that a path leads to. */
    DirectoryState directory(StorePath path, boolean follow) throws IOException {
        return walk.directory(path, follow);
    }

    /** The root's names at one moment, sorted. */
    List<String> rootNames() {
        return names(directories.root().snapshotUnchecked());
    }

    /** A directory's names at one moment, sorted. */
    List<String> names(StorePath path) throws IOException {
        return names(walk.directory(path, true).snapshot());
    }

    private static List<String> names(List<DirectoryIndex.Entry> entries) {
        List<String> names = new ArrayList<>(entries.size());
        for (DirectoryIndex.Entry entry : DirectoryIndex.sort(entries)) {
            names.add(Names.decode(entry.name()));
        }
        return names;
    }

    /** A directory, and its entries of one moment, sorted. */
    record Listing(DirectoryState directory, List<DirectoryIndex.Entry> entries) {}

    Listing listing(StorePath path) throws IOException {
        DirectoryState directory = walk.directory(path, true);
        return new Listing(directory, DirectoryIndex.sort(directory.snapshot()));
    }

    /** What an entry was seen to name, or null if it names something else by now. */
    Found findEntry(DirectoryState directory, DirectoryIndex.Entry entry, String label) throws IOException {
        Child child = entry.child();
        if (child.isDirectory()) {
            DirectoryState state = directories.at(directory, entry.name(), child);
            return state == null ? null : new Found(state, null);
        }
        long shared = directory.lockShared();
        try {
            return child.equals(directory.findLocked(entry.name()))
                    ? new Found(null, table.acquire(child.ino(), child.gen(), label))
                    : null;
        } finally {
            directory.unlockShared(shared);
        }
    }

    /** A directory's entries, unsorted, weakly consistent. */
    static Iterator<DirectoryEntry> iterator(DirectoryState directory) {
        Iterator<DirectoryIndex.Entry> entries = directory.iterator();
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return entries.hasNext();
            }

            @Override
            public DirectoryEntry next() {
                DirectoryIndex.Entry next = entries.next();
                Child child = next.child();
                return new DirectoryEntry(
                        Names.decode(next.name()),
                        FileInfos.type(child.type()),
                        Integer.toUnsignedLong(child.ino()),
                        Integer.toUnsignedLong(child.gen()));
            }
        };
    }
}
