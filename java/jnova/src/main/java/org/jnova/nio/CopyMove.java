/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.LinkOption;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.StandardWatchEventKinds;
import java.util.Arrays;
import java.util.Objects;
import java.util.Set;
import org.jnova.AttributeChange;
import org.jnova.FileInfo;
import org.jnova.NovaFile;
import org.jnova.NovaStore;

/** Copies and moves one file, directory or link, within a pool or between two. */
final class CopyMove {
    private static final int BUFFER_BYTES = 1 << 20;
    private static final int MODE_BITS = 07777;

    private final NovaPath source;
    private final NovaPath target;

    private CopyMove(NovaPath source, NovaPath target) {
        this.source = source;
        this.target = target;
    }

    private static Set<CopyOption> checked(CopyOption[] options, Set<CopyOption> known) {
        for (CopyOption option : options) {
            if (!known.contains(Objects.requireNonNull(option))) {
                throw new UnsupportedOperationException("Unsupported option: " + option);
            }
        }
        return Set.copyOf(Arrays.asList(options));
    }

    // ---- copying

    /**
     * Copies. The target is made by one atomic step, and gets contents and attributes in further ones; what it replaces
     * is deleted first, as by the default provider.
     */
    static void copy(NovaPath source, NovaPath target, CopyOption... options) throws IOException {
        Set<CopyOption> set = checked(
                options,
                Set.of(
                        StandardCopyOption.REPLACE_EXISTING,
                        StandardCopyOption.COPY_ATTRIBUTES,
                        LinkOption.NOFOLLOW_LINKS));
        new CopyMove(source, target)
                .copy(
                        !set.contains(LinkOption.NOFOLLOW_LINKS),
                        set.contains(StandardCopyOption.REPLACE_EXISTING),
                        set.contains(StandardCopyOption.COPY_ATTRIBUTES));
    }

    private void copy(boolean follow, boolean replace, boolean withAttributes) throws IOException {
        if (source.equals(target)) {
            source.getFileSystem().attributes(source, false); // it must be there
            return;
        }
        NovaAttributes from = source.getFileSystem().attributes(source, follow);
        NovaAttributes to = target.getFileSystem().attributesIfThere(target, false);
        if (to != null) {
            if (from.fileKey().equals(to.fileKey())) {
                return;
            }
            if (!replace) {
                throw new FileAlreadyExistsException(target.toString());
            }
            NovaPath real = follow ? source.toRealPath() : withoutLinks(source); // it may lead through the target
            target.getFileSystem().provider().delete(target);
            new CopyMove(real, target).copyNew(from, follow, withAttributes);
        } else {
            copyNew(from, follow, withAttributes);
        }
    }

    private void copyNew(NovaAttributes from, boolean follow, boolean withAttributes) throws IOException {
        boolean good = false;
        make(from.info());
        try {
            if (from.isRegularFile()) {
                copyContent(follow);
            }
            if (withAttributes) {
                copyAttributes(from.info(), follow);
            }
            good = true;
        } finally {
            if (!good) {
                target.getFileSystem().store().deleteIfExists(target.inStore());
            }
        }
        target.getFileSystem().watches().signal(StandardWatchEventKinds.ENTRY_CREATE, target);
    }

    private void make(FileInfo from) throws IOException {
        NovaStore store = target.getFileSystem().store();
        switch (from.type()) {
            case DIRECTORY -> store.createDirectory(target.inStore(), from.mode() & MODE_BITS);
            case SYMLINK -> store.createSymbolicLink(
                    target.inStore(), source.getFileSystem().store().readSymbolicLink(source.inStore()));
            case FILE -> store.open(
                            target.inStore(),
                            from.mode() & Modes.PERMISSION_BITS,
                            StandardOpenOption.WRITE,
                            StandardOpenOption.CREATE_NEW)
                    .close();
        }
    }

    /** Copies what is not a hole, piece by piece. */
    private void copyContent(boolean follow) throws IOException {
        boolean within = source.getFileSystem() == target.getFileSystem();
        LinkOption[] links = NovaFileSystemProvider.links(follow);
        try (NovaFile from = source.getFileSystem().store().open(source.inStore(), links);
                NovaFile to = target.getFileSystem()
                        .store()
                        .open(target.inStore(), StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
            long size = from.size();
            ByteBuffer buffer = within ? null : ByteBuffer.allocateDirect((int) Math.min(size, BUFFER_BYTES));
            long at = from.nextData(0);
            while (at >= 0 && at < size) {
                long hole = from.nextHole(at);
                long end = hole < 0 ? size : Math.min(hole, size);
                while (at < end) {
                    long n = within
                            ? from.copyRange(at, to, at, Math.min(end - at, Integer.MAX_VALUE))
                            : copyPiece(from, to, at, end - at, buffer);
                    if (n <= 0) {
                        return; // cut short meanwhile
                    }
                    at += n;
                }
                at = from.nextData(at);
            }
            if (to.size() < size) {
                to.setSize(size);
            }
        }
    }

    private static long copyPiece(NovaFile from, NovaFile to, long at, long length, ByteBuffer buffer)
            throws IOException {
        buffer.clear().limit((int) Math.min(length, buffer.capacity()));
        int n = from.read(at, buffer);
        if (n > 0) {
            to.write(at, buffer.flip());
        }
        return n;
    }

    private void copyAttributes(FileInfo from, boolean follow) throws IOException {
        NovaStore in = source.getFileSystem().store();
        NovaStore out = target.getFileSystem().store();
        LinkOption[] links = NovaFileSystemProvider.links(follow);
        for (String name : in.listAttributes(source.inStore(), links)) {
            byte[] value = in.getAttribute(source.inStore(), name, links);
            if (value != null) {
                out.setAttribute(target.inStore(), name, value, LinkOption.NOFOLLOW_LINKS);
            }
        }
        AttributeChange all = AttributeChange.none()
                .mode(from.mode())
                .uid(from.uid())
                .gid(from.gid())
                .modified(from.modified())
                .accessed(from.accessed());
        out.setAttributes(target.inStore(), all, LinkOption.NOFOLLOW_LINKS);
    }

    // ---- moving

    /**
     * Moves. Within a pool a rename: one atomic step, also over a file, or over an empty directory by a directory. Only
     * where the one is a directory and the other not, and without {@code ATOMIC_MOVE}, are there two: the names are
     * exchanged, and what was to be replaced is deleted then.
     */
    static void move(NovaPath source, NovaPath target, CopyOption... options) throws IOException {
        Set<CopyOption> set = checked(
                options,
                Set.of(
                        StandardCopyOption.REPLACE_EXISTING,
                        StandardCopyOption.ATOMIC_MOVE,
                        LinkOption.NOFOLLOW_LINKS));
        boolean atomic = set.contains(StandardCopyOption.ATOMIC_MOVE);
        boolean replace = set.contains(StandardCopyOption.REPLACE_EXISTING);
        CopyMove move = new CopyMove(source, target);
        if (source.getFileSystem() == target.getFileSystem()) {
            move.rename(atomic, replace);
        } else if (atomic) {
            throw new AtomicMoveNotSupportedException(source.toString(), target.toString(), "they are in two pools");
        } else {
            move.moveBetween(replace);
        }
    }

    private void rename(boolean atomic, boolean replace) throws IOException {
        NovaFileSystem fs = source.getFileSystem();
        boolean over = atomic;
        boolean exchange = false;
        if (!atomic) {
            NovaAttributes from = fs.attributes(source, false);
            NovaAttributes to = fs.attributesIfThere(target, false);
            if (to != null && from.fileKey().equals(to.fileKey())) {
                return;
            }
            if (to != null && !replace) {
                throw new FileAlreadyExistsException(target.toString());
            }
            if (to != null && to.isDirectory() && !isEmpty(target)) {
                throw new DirectoryNotEmptyException(target.toString());
            }
            exchange = to != null && from.isDirectory() != to.isDirectory();
            over = replace;
        }
        if (exchange) {
            exchange(fs.store());
        } else if (over) {
            fs.store().rename(source.inStore(), target.inStore(), StandardCopyOption.REPLACE_EXISTING);
        } else {
            fs.store().rename(source.inStore(), target.inStore());
        }
        fs.watches().signal(StandardWatchEventKinds.ENTRY_DELETE, source);
        fs.watches().signal(StandardWatchEventKinds.ENTRY_CREATE, target);
    }

    private void exchange(NovaStore store) throws IOException {
        String from = withoutLinks(source).inStore();
        String to = withoutLinks(target).inStore();
        store.exchange(from, to);
        boolean good = false;
        try {
            store.delete(from);
            good = true;
        } finally {
            if (!good) { // somebody has put something into the directory
                store.exchange(from, to);
            }
        }
    }

    /** A path that means the same when a link is gone that it leads through, though it may be one itself. */
    private static NovaPath withoutLinks(NovaPath path) throws IOException {
        NovaPath parent = path.toAbsolutePath().getParent();
        return parent == null ? path : parent.toRealPath().resolve(path.getFileName());
    }

    private void moveBetween(boolean replace) throws IOException {
        NovaFileSystem fs = source.getFileSystem();
        NovaAttributes from = fs.attributes(source, false);
        if (from.isDirectory() && !isEmpty(source)) {
            throw new DirectoryNotEmptyException(source.toString());
        }
        copy(false, replace, true);
        AttributeChange made = AttributeChange.none().created(from.creationTime()); // it is the same file, elsewhere
        target.getFileSystem().store().setAttributes(target.inStore(), made, LinkOption.NOFOLLOW_LINKS);
        fs.provider().delete(source);
    }

    private static boolean isEmpty(NovaPath directory) throws IOException {
        return !directory.getFileSystem().store().iterate(directory.inStore()).hasNext();
    }
}
