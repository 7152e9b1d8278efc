/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.ClosedDirectoryStreamException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.ProviderMismatchException;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Set;
import org.jnova.AttributeChange;
import org.jnova.DirectoryEntry;
import org.jnova.NovaDirectory;

/**
 * The names in a directory, and calls that start from it. A name that is there all the time comes exactly once,
 * whatever comes and goes meanwhile. It is the directory itself that is open: relative paths go on to lead into it,
 * whatever becomes of its name.
 */
final class NovaDirectoryStream implements SecureDirectoryStream<Path> {
    private static final String SELF = ".";

    private final NovaPath path;
    private final NovaDirectory directory;
    private final Iterator<DirectoryEntry> entries;
    private final Filter<? super Path> filter;
    private boolean iterated; // guarded by this
    private volatile boolean closed;

    /**
     * Opens a stream.
     *
     * @param path what the paths in it begin with
     * @param directory the directory
     */
    NovaDirectoryStream(NovaPath path, NovaDirectory directory, Filter<? super Path> filter) throws IOException {
        this.path = path;
        this.directory = directory;
        this.filter = filter;
        this.entries = directory.iterate();
        fs().opened(this);
    }

    private NovaFileSystem fs() {
        return path.getFileSystem();
    }

    @Override
    public void close() {
        closed = true;
        fs().closed(this);
    }

    private void checkOpen() {
        if (closed) {
            throw new ClosedDirectoryStreamException();
        }
    }

    // ---- names

    @Override
    public synchronized Iterator<Path> iterator() {
        checkOpen();
        if (iterated) {
            throw new IllegalStateException("Iterator already obtained");
        }
        iterated = true;
        return new Iterator<>() {
            private Path ahead;

            @Override
            public synchronized boolean hasNext() {
                while (ahead == null && !closed && entries.hasNext()) {
                    Path next = path.resolve(entries.next().name());
                    ahead = accepts(next) ? next : null;
                }
                return ahead != null;
            }

            @Override
            public synchronized Path next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                Path next = ahead;
                ahead = null;
                return next;
            }
        };
    }

    private boolean accepts(Path candidate) {
        try {
            return filter.accept(candidate);
        } catch (IOException e) {
            throw new DirectoryIteratorException(e);
        }
    }

    // ---- calls that start here

    /** A path that a call is about: of this pool. */
    private NovaPath checked(Path about) {
        NovaPath nova = NovaPath.of(about);
        if (nova.getFileSystem() != fs()) {
            throw new ProviderMismatchException();
        }
        return nova;
    }

    /** The same as the store takes it. The empty path leads nowhere: it is not the directory. */
    private String inStore(NovaPath about) throws IOException {
        checkOpen();
        if (about.isEmpty()) {
            throw new NoSuchFileException("");
        }
        return about.inStore();
    }

    private void signal(WatchEvent.Kind<Path> kind, NovaPath about) {
        fs().watches().signal(kind, directory, about);
    }

    @Override
    public SecureDirectoryStream<Path> newDirectoryStream(Path about, LinkOption... options) throws IOException {
        NovaPath child = checked(about);
        LinkOption[] links = NovaFileSystemProvider.links(NovaFileSystemProvider.follow(options));
        NovaDirectory opened = directory.openDirectory(inStore(child), links);
        return new NovaDirectoryStream(path.resolve(child), opened, all -> true);
    }

    @Override
    public SeekableByteChannel newByteChannel(
            Path about, Set<? extends OpenOption> options, FileAttribute<?>... attributes) throws IOException {
        NovaPath child = checked(about);
        inStore(child); // which checks it
        int mode = Modes.initial(Modes.FILE, attributes);
        return new Opening(directory, child, OpenRequest.of(options), mode).channel(path.resolve(child));
    }

    @Override
    public void deleteFile(Path about) throws IOException {
        NovaPath child = checked(about);
        directory.deleteFile(inStore(child));
        signal(StandardWatchEventKinds.ENTRY_DELETE, child);
    }

    @Override
    public void deleteDirectory(Path about) throws IOException {
        NovaPath child = checked(about);
        String name = inStore(child);
        boolean watched = !fs().watches().isIdle() && directory.exists(name, LinkOption.NOFOLLOW_LINKS);
        FileKey key = watched ? FileKey.of(fs(), directory.stat(name, LinkOption.NOFOLLOW_LINKS)) : null;
        directory.deleteDirectory(name);
        signal(StandardWatchEventKinds.ENTRY_DELETE, child);
        if (watched) {
            fs().watches().gone(key);
        }
    }

    /** One atomic step, over a file or an empty directory, too. */
    @Override
    public void move(Path source, SecureDirectoryStream<Path> target, Path name) throws IOException {
        NovaPath from = checked(source);
        NovaPath to = NovaPath.of(name);
        if (!(Objects.requireNonNull(target) instanceof NovaDirectoryStream that)) {
            throw new ProviderMismatchException();
        }
        checkOpen();
        that.checkOpen();
        if (that.fs() != fs()) {
            throw new AtomicMoveNotSupportedException(from.toString(), to.toString(), "they are in two pools");
        }
        directory.rename(
                inStore(from), that.directory, that.inStore(that.checked(to)), StandardCopyOption.REPLACE_EXISTING);
        signal(StandardWatchEventKinds.ENTRY_DELETE, from);
        that.signal(StandardWatchEventKinds.ENTRY_CREATE, to);
    }

    // ---- attributes

    /** What a path leads to at the moment of each call, or the directory itself; as long as the stream is open. */
    private final class Attributed implements Node {
        private final NovaPath about; // null: the directory
        private final boolean follow;

        Attributed(NovaPath about, boolean follow) {
            this.about = about;
            this.follow = follow;
        }

        private String name() throws IOException {
            checkOpen();
            return about == null ? SELF : inStore(about);
        }

        @Override
        public NovaAttributes attributes() throws IOException {
            return NovaAttributes.of(fs(), directory.stat(name(), NovaFileSystemProvider.links(follow)));
        }

        @Override
        public void change(AttributeChange change) throws IOException {
            directory.setAttributes(name(), change, NovaFileSystemProvider.links(follow));
            if (about != null) {
                signal(StandardWatchEventKinds.ENTRY_MODIFY, about);
            }
        }
    }

    @Override
    public <V extends FileAttributeView> V getFileAttributeView(Class<V> type) {
        return AttributeViews.of(type, new Attributed(null, true));
    }

    @Override
    public <V extends FileAttributeView> V getFileAttributeView(Path about, Class<V> type, LinkOption... options) {
        return AttributeViews.of(type, new Attributed(checked(about), NovaFileSystemProvider.follow(options)));
    }
}
