/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jnova.internal.index.Child;

/**
 * Follows paths through the directories. Takes no lock but to load a directory or to read a symbolic link for the first
 * time, and, shared, when a look-up that finds nothing meets a change of that directory. A walk is not of one moment:
 * it sees each directory as it was when it came by. Whoever acts on what it found locks the directory and looks again.
 */
final class PathWalk {
    /** Symbolic links that one walk follows at most; more are a loop. */
    static final int LINKS_MAX = 40;

    private final DirectoryTable directories;
    private final InodeTable table;

    PathWalk(DirectoryTable directories, InodeTable table) {
        this.directories = directories;
        this.table = table;
    }

    /**
     * Where a path leads.
     *
     * @param directory a directory
     * @param name a name in it, which may be free; or null if the path is that of the directory itself: the root's, or
     *     one that ends in "." or ".."
     */
    record Place(DirectoryState directory, byte[] name) {}

    /**
     * Walks a path up to its last name.
     *
     * @param follow whether to go on if that names a symbolic link
     * @throws NoSuchFileException if a directory on the way is not there
     * @throws NotDirectoryException if something on the way is not a directory
     * @throws FileSystemLoopException if it leads through too many symbolic links
     */
    Place walk(StorePath path, boolean follow) throws IOException {
        Deque<byte[]> todo = new ArrayDeque<>(path.names());
        DirectoryState at = path.start() == null ? directories.root() : path.start();
        int links = 0;
        while (!todo.isEmpty()) {
            byte[] name = todo.pop();
            if (StorePath.isSelf(name)) {
                continue;
            }
            if (StorePath.isParent(name)) {
                at = at.parent();
                continue;
            }
            if (todo.isEmpty() && !follow) {
                return new Place(at, name);
            }
            Child child = at.find(name);
            if (child != null && child.isLink()) {
                if (++links > LINKS_MAX) {
                    throw new FileSystemLoopException(path.text());
                }
                byte[] target = target(at, name, child);
                if (target == null) {
                    todo.push(name); // it is another one now
                    continue;
                }
                List<byte[]> names = StorePath.split(target);
                for (int i = names.size() - 1; i >= 0; i--) {
                    todo.push(names.get(i));
                }
                at = target[0] == '/' ? directories.root() : at;
                continue;
            }
            if (todo.isEmpty()) {
                return new Place(at, name);
            }
            if (child == null) {
                throw new NoSuchFileException(path.text());
            }
            if (!child.isDirectory()) {
                throw new NotDirectoryException(path.text());
            }
            DirectoryState next = directories.at(at, name, child);
            if (next == null) {
                todo.push(name);
            } else {
                at = next;
            }
        }
        return new Place(at, null);
    }

    /**
     * Walks a path that is to be of a directory.
     *
     * @param follow whether a symbolic link at its end is followed, or else an error
     */
    DirectoryState directory(StorePath path, boolean follow) throws IOException {
        while (true) {
            Place place = walk(path, follow);
            if (place.name() == null) {
                return place.directory();
            }
            Child child = place.directory().find(place.name());
            if (child == null) {
                throw new NoSuchFileException(path.text());
            }
            if (child.isDirectory()) {
                DirectoryState found = directories.at(place.directory(), place.name(), child);
                if (found != null) {
                    return found;
                }
            } else if (!child.isLink()) {
                throw new NotDirectoryException(path.text());
            } else if (!follow) {
                throw notFollowed(path);
            } // or else it was no link when the walk came by
        }
    }

    static FileSystemException notFollowed(StorePath path) {
        return new FileSystemException(path.text(), null, "it is a symbolic link, and is not to be followed");
    }

    /** The target of a symbolic link, or null if the name does not name it any more. */
    byte[] target(DirectoryState directory, byte[] name, Child link) throws IOException {
        byte[] known = link.target();
        if (known != null) {
            return known;
        }
        InodeState state;
        long shared = directory.lockShared();
        try {
            if (!link.equals(directory.findLocked(name))) {
                return null;
            }
            state = table.acquire(link.ino(), link.gen(), Names.decode(name));
        } finally {
            directory.unlockShared(shared);
        }
        try {
            state.replay();
            byte[] target = state.readTarget();
            link.keepTarget(target);
            return target;
        } finally {
            table.release(state);
        }
    }
}
