/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Objects;
import org.jnova.internal.core.Abi;
import org.jnova.internal.core.NativeInode;
import org.jnova.internal.index.Child;
import org.jnova.internal.lock.LockRank;
import org.jnova.internal.lock.RankedLock;
import org.jnova.internal.store.PathWalk.Place;
import org.jnova.internal.store.StoreCore.Deletion;

/**
 * Operations that change names. Each walks its paths without locks, takes the locks of the directories that it changes,
 * looks again, and starts over if what it needs to lock is not what it was. The caller keeps the store open.
 *
 * <p>What loses its last name is released when the locks are given back: walking a long log must not keep others from
 * the directory. It has no name by then, so nobody can find it.
 */
final class NameChanges {
    /** rwxrwxrwx, as Linux shows it; nobody looks at it. */
    private static final int LINK_MODE = 0777;

    private final DirectoryTable directories;
    private final InodeTable table;
    private final PathWalk walk;
    /** Held to move directories from one to another: nobody else changes parents then. */
    private final RankedLock moving;

    NameChanges(DirectoryTable directories, InodeTable table, PathWalk walk) {
        this.directories = directories;
        this.table = table;
        this.walk = walk;
        this.moving = new RankedLock(LockRank.RENAME, this, table.pool().lockWaits());
    }

    /** A native call that changes directories. */
    @FunctionalInterface
    private interface Call {
        int run() throws IOException;
    }

    /** Makes a call; if space is short, once more after what waits in queues has been given back. */
    private int attempt(Call call) throws IOException {
        int status = call.run();
        if (status == Abi.ENOSPC) {
            table.releaseQueuedBlocks();
            status = call.run();
        }
        return status;
    }

    // ---- making

    void createDirectory(StorePath path, int mode) throws IOException {
        create(path, Abi.DIR, mode, null);
    }

    void createLink(StorePath path, byte[] target) throws IOException {
        create(path, Abi.SYMLINK, LINK_MODE, target);
    }

    private void create(StorePath path, int type, int mode, byte[] target) throws IOException {
        Place place = walk.walk(path, false);
        if (place.name() == null) {
            throw new FileAlreadyExistsException(path.text());
        }
        try (DirectoryLocks locks = DirectoryLocks.exclusive(place.directory(), null, null)) {
            if (locks.find(place.directory(), place.name()) != null) {
                throw new FileAlreadyExistsException(path.text());
            }
            createLocked(locks, place.directory(), place.name(), type, mode, target, path);
        }
    }

    /** Makes a file under a free name. The caller has the directory's lock. */
    Child createFile(DirectoryLocks locks, DirectoryState directory, byte[] name, int mode, StorePath path)
            throws IOException {
        return createLocked(locks, directory, name, Abi.FILE, mode, null, path);
    }

    private Child createLocked(
            DirectoryLocks locks,
            DirectoryState directory,
            byte[] name,
            int type,
            int mode,
            byte[] target,
            StorePath path)
            throws IOException {
        locks.checkThere(directory, path);
        check(attempt(() -> directory.create(name, type, mode, target)), directory, path);
        return locks.find(directory, name);
    }

    /** Gives what one path names, without following it, another name. */
    void link(StorePath existing, StorePath path) throws IOException {
        Place from = named(existing);
        Place to = walk.walk(path, false);
        if (to.name() == null) {
            throw new FileAlreadyExistsException(path.text());
        }
        // The lock of the one keeps the inode from losing that name, and so its last one, meanwhile.
        try (DirectoryLocks locks = DirectoryLocks.exclusiveAndShared(to.directory(), from.directory())) {
            Child child = locks.find(from.directory(), from.name());
            if (child == null) {
                throw new NoSuchFileException(existing.text());
            }
            locks.checkThere(to.directory(), path);
            if (locks.find(to.directory(), to.name()) != null) {
                throw new FileAlreadyExistsException(path.text());
            }
            if (child.isDirectory()) {
                throw new FileSystemException(existing.text(), path.text(), "a directory has one name only");
            }
            InodeState state = table.acquire(child.ino(), child.gen(), existing.text());
            try {
                state.replay();
                int status = attempt(
                        () -> state.changeNames((handle, nlink) -> to.directory().link(to.name(), handle)));
                check(status, to.directory(), path);
            } finally {
                table.release(state);
            }
        }
    }

    void setAttributes(DirectoryState directory, AttributeValues values, StorePath path) throws IOException {
        try (DirectoryLocks locks = DirectoryLocks.exclusive(directory, null, null)) {
            locks.checkThere(directory, path);
            check(attempt(() -> directory.setAttributes(values)), directory, path);
        }
    }

    void setAttribute(DirectoryState directory, AttributeOptions options, StorePath path) throws IOException {
        try (DirectoryLocks locks = DirectoryLocks.exclusive(directory, null, null)) {
            locks.checkThere(directory, path);
            directory.extendedLocked().check(options.name(), options.before(), path.text());
            check(attempt(() -> directory.setAttribute(options.name(), options.value())), directory, path);
        }
    }

    /** Removes an extended attribute; false if there is none. */
    boolean removeAttribute(DirectoryState directory, byte[] name, StorePath path) throws IOException {
        try (DirectoryLocks locks = DirectoryLocks.exclusive(directory, null, null)) {
            locks.checkThere(directory, path);
            boolean there = directory.extendedLocked().has(name);
            if (there) {
                check(attempt(() -> directory.removeAttribute(name)), directory, path);
            }
            return there;
        }
    }

    // ---- taking away

    /** A native call by which an inode loses a name. */
    @FunctionalInterface
    private interface Loss {
        /** The call, with the handle of what loses the name, or null. */
        int run(NativeInode handle) throws IOException;
    }

    /** What a call takes a name away from. */
    private static final class Victim {
        /** What the name names, or null if it is free. */
        final Child child;
        /** If that is a directory, it; locked. */
        final DirectoryState directory;
        /** Whether its last name is gone, so that it is to be released; also if the call threw. */
        boolean nameless;

        Victim(Child child, DirectoryState directory) {
            this.child = child;
            this.directory = directory;
        }
    }

    /** In place of a status: the call has thrown something. */
    private static final int THREW = -1;

    /** Whether a call that changes one or two directories is committed: it may be though it threw, for lack of heap. */
    private static boolean committed(int status, DirectoryState one, DirectoryState two) {
        return status == Abi.OK || status == THREW && (one.isAhead() || two.isAhead());
    }

    /**
     * Deletes a file, a symbolic link or an empty directory.
     *
     * @param what which of these it may be
     * @return whether the name was there
     */
    boolean delete(StorePath path, Deletion what) throws IOException {
        Place place = named(path);
        DirectoryState parent = place.directory();
        while (true) {
            Child child = parent.find(place.name());
            if (child == null) {
                return false;
            }
            DirectoryState directory = directoryOf(place, child);
            if (child.isDirectory() && directory == null) {
                continue;
            }
            Victim victim = new Victim(child, directory);
            Failures failures = new Failures();
            try (DirectoryLocks locks = DirectoryLocks.exclusive(parent, directory, null)) {
                if (!child.equals(locks.find(parent, place.name()))) {
                    continue;
                }
                checkType(what, child, path);
                checkEmpty(directory, path);
                Loss loss = handle -> parent.unlink(place.name(), child, handle);
                failures.collect(() -> lose(victim, loss, parent, parent, path));
            }
            release(victim, failures, path);
            return true;
        }
    }

    private DirectoryState directoryOf(Place place, Child child) throws IOException {
        return child != null && child.isDirectory()
                ? directories.at(place.directory(), place.name(), child)
                : null;
    }

    private static void checkType(Deletion what, Child child, StorePath path) throws IOException {
        if (what == Deletion.DIRECTORY && !child.isDirectory()) {
            throw new NotDirectoryException(path.text());
        }
        if (what == Deletion.NO_DIRECTORY && child.isDirectory()) {
            throw new FileSystemException(path.text(), null, "it is a directory");
        }
    }

    private static void checkEmpty(DirectoryState directory, StorePath path) throws IOException {
        if (directory != null && !directory.isEmptyLocked()) {
            throw new DirectoryNotEmptyException(path.text());
        }
    }

    /**
     * Makes a call by which an inode loses a name. A directory counts as removed from before the call: whoever looks at
     * it without its lock must not find it afterwards.
     *
     * @param one a directory that the call changes
     * @param two the other one, or the same
     */
    private void lose(Victim victim, Loss loss, DirectoryState one, DirectoryState two, StorePath path)
            throws IOException {
        DirectoryState directory = victim.directory;
        if (directory != null) {
            directory.setRemoved(true);
        }
        int status = THREW;
        try {
            status = attempt(() -> loss.run(null));
        } finally {
            victim.nameless = committed(status, one, two);
            if (directory != null) {
                directory.setRemoved(victim.nameless);
                if (victim.nameless) {
                    directories.forget(directory);
                }
            }
        }
        if (status == Abi.ELINKED) {
            loseOneOfSeveral(victim, loss, one, two, path);
        } else {
            check(status, one, path);
        }
    }

    private void loseOneOfSeveral(Victim victim, Loss loss, DirectoryState one, DirectoryState two, StorePath path)
            throws IOException {
        int[] names = new int[1];
        InodeState state = table.acquire(victim.child.ino(), victim.child.gen(), path.text());
        try {
            state.replay();
            int status = THREW;
            try {
                status = attempt(() -> state.changeNames((handle, nlink) -> {
                    names[0] = nlink;
                    return loss.run(handle);
                }));
            } finally {
                victim.nameless = names[0] <= 1 && committed(status, one, two);
            }
            check(status, one, path);
        } finally {
            table.release(state);
        }
    }

    /**
     * Gives back the space of what has lost its last name, and throws what went wrong before or now. No directory is
     * locked.
     */
    private void release(Victim victim, Failures failures, StorePath path) throws IOException {
        if (victim.nameless) {
            Child child = victim.child;
            failures.collect(() -> table.pool().releaseInode(child.ino(), child.gen(), path.text()));
            if (victim.directory != null) {
                failures.collect(victim.directory::close);
            }
        }
        failures.throwFirst();
    }

    // ---- moving

    /** How a try to move something went. */
    private enum Try {
        DONE,
        AGAIN,
        /** A directory would get another parent: again, with {@link #moving} held. */
        WITH_MOVING
    }

    /** One try to move something. */
    @FunctionalInterface
    private interface Move {
        Try run(boolean movingHeld) throws IOException;
    }

    private void move(Move move) throws IOException {
        Try went = Try.AGAIN;
        while (went != Try.DONE) {
            boolean held = went == Try.WITH_MOVING;
            long stamp = held ? moving.writeLock() : 0;
            try {
                do {
                    went = move.run(held);
                } while (held && went == Try.AGAIN);
            } finally {
                if (held) {
                    moving.unlockWrite(stamp);
                }
            }
        }
    }

    /** Renames; over another name of the same inode that does nothing. */
    void rename(StorePath from, StorePath to, boolean replace) throws IOException {
        move(movingHeld -> tryRename(from, to, replace, movingHeld));
    }

    private Try tryRename(StorePath from, StorePath to, boolean replace, boolean movingHeld) throws IOException {
        Place source = named(from);
        Place target = walk.walk(to, false);
        if (target.name() == null) {
            throw replace ? notNamed(to) : new FileAlreadyExistsException(to.text());
        }
        Child seen = target.directory().find(target.name());
        DirectoryState replaced = directoryOf(target, seen);
        if (seen != null && seen.isDirectory() && replaced == null) {
            return Try.AGAIN;
        }
        Victim victim = new Victim(seen, replaced);
        Failures failures = new Failures();
        try (DirectoryLocks locks = DirectoryLocks.exclusive(source.directory(), target.directory(), replaced)) {
            Child child = locks.find(source.directory(), source.name());
            if (child == null) {
                throw new NoSuchFileException(from.text());
            }
            locks.checkThere(target.directory(), to);
            if (!Objects.equals(seen, locks.find(target.directory(), target.name()))) {
                return Try.AGAIN;
            }
            if (child.equals(seen)) {
                return Try.DONE;
            }
            if (seen != null && !replace) {
                throw new FileAlreadyExistsException(to.text());
            }
            boolean newParent = child.isDirectory() && source.directory() != target.directory();
            if (newParent && !movingHeld) {
                return Try.WITH_MOVING;
            }
            checkTypes(child, seen, to);
            checkNotBelow(newParent, target.directory(), child, from, to);
            checkEmpty(replaced, to);
            failures.collect(() -> renameLocked(source, child, target, victim, newParent, to));
        }
        release(victim, failures, to);
        return Try.DONE;
    }

    private void renameLocked(
            Place source, Child child, Place target, Victim victim, boolean newParent, StorePath path)
            throws IOException {
        DirectoryState moved = newParent ? directories.find(child) : null;
        Loss call = handle -> {
            int status = THREW;
            moveTo(moved, target.directory());
            try {
                status = DirectoryState.rename(
                        source.directory(),
                        source.name(),
                        child,
                        target.directory(),
                        target.name(),
                        victim.child,
                        handle);
                return status;
            } finally {
                if (!committed(status, source.directory(), target.directory())) {
                    moveTo(moved, source.directory());
                }
            }
        };
        if (victim.child == null) {
            check(attempt(() -> call.run(null)), source.directory(), path);
        } else {
            lose(victim, call, source.directory(), target.directory(), path);
        }
    }

    private static void moveTo(DirectoryState moved, DirectoryState parent) {
        if (moved != null) {
            moved.moveTo(parent);
        }
    }

    private static void checkTypes(Child child, Child replaced, StorePath to) throws IOException {
        if (replaced != null && child.isDirectory() != replaced.isDirectory()) {
            throw child.isDirectory()
                    ? new NotDirectoryException(to.text())
                    : new FileSystemException(to.text(), null, "it is a directory, and only one can replace it");
        }
    }

    /** With {@link #moving} held, so that no directory gets another parent; none with something in it can go. */
    private static void checkNotBelow(
            boolean newParent, DirectoryState into, Child child, StorePath from, StorePath to) throws IOException {
        if (!newParent) {
            return;
        }
        for (DirectoryState at = into; ; at = at.parent()) {
            if (at.ino == child.ino()) {
                throw new FileSystemException(from.text(), to.text(), "a directory cannot be moved below itself");
            }
            if (at == at.parent()) {
                return;
            }
        }
    }

    /** Exchanges what two names name; nothing if that is the same inode. */
    void exchange(StorePath one, StorePath other) throws IOException {
        move(movingHeld -> tryExchange(one, other, movingHeld));
    }

    private Try tryExchange(StorePath one, StorePath other, boolean movingHeld) throws IOException {
        Place a = named(one);
        Place b = named(other);
        try (DirectoryLocks locks = DirectoryLocks.exclusive(a.directory(), b.directory(), null)) {
            Child aChild = there(locks, a, one);
            Child bChild = there(locks, b, other);
            if (aChild.equals(bChild)) {
                return Try.DONE;
            }
            boolean elsewhere = a.directory() != b.directory();
            boolean newParent = elsewhere && (aChild.isDirectory() || bChild.isDirectory());
            if (newParent && !movingHeld) {
                return Try.WITH_MOVING;
            }
            checkNotBelow(newParent && aChild.isDirectory(), b.directory(), aChild, one, other);
            checkNotBelow(newParent && bChild.isDirectory(), a.directory(), bChild, other, one);
            int status = THREW;
            try {
                status = attempt(() ->
                        DirectoryState.exchange(a.directory(), a.name(), aChild, b.directory(), b.name(), bChild));
            } finally {
                if (newParent && committed(status, a.directory(), b.directory())) {
                    moveTo(directories.find(aChild), b.directory());
                    moveTo(directories.find(bChild), a.directory());
                }
            }
            check(status, a.directory(), one);
            return Try.DONE;
        }
    }

    private static Child there(DirectoryLocks locks, Place place, StorePath path) throws IOException {
        Child child = locks.find(place.directory(), place.name());
        if (child == null) {
            throw new NoSuchFileException(path.text());
        }
        return child;
    }

    // ---- checks

    /** A place that has a name, which may be free. */
    private Place named(StorePath path) throws IOException {
        Place place = walk.walk(path, false);
        if (place.name() == null) {
            throw notNamed(path);
        }
        return place;
    }

    private static FileSystemException notNamed(StorePath path) {
        return new FileSystemException(
                path.text(),
                null,
                "it ends in \".\" or \"..\", or is the root directory, which nobody can move or delete");
    }

    private static void check(int status, DirectoryState directory, StorePath path) throws IOException {
        if (status != Abi.OK) {
            throw directory.failure(status, path.text());
        }
    }
}
