/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.ClosedFileSystemException;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.WatchService;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.regex.Pattern;
import org.jnova.NovaDirectory;
import org.jnova.NovaStore;

/** An open pool as a file system. Closing it closes its channels, streams and watch services, and the store. */
final class NovaFileSystem extends FileSystem {
    private final NovaFileSystemProvider provider;
    private final NovaStore store;
    private final Path pool;
    private final long device;
    private final NovaDirectory top;
    private final NovaPath root = NovaPath.of(this, "/");
    private final FileLocks locks = new FileLocks();
    private final Watches watches = new Watches(this);
    private final Set<Closeable> open = Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

    NovaFileSystem(NovaFileSystemProvider provider, NovaStore store, Path pool) throws IOException {
        this.provider = provider;
        this.store = store;
        this.pool = pool;
        this.device = store.info().uuid().getMostSignificantBits();
        this.top = store.openDirectory("/");
    }

    NovaStore store() {
        return store;
    }

    /** The root directory, where paths start that start from no other one. */
    NovaDirectory top() {
        return top;
    }

    /** The pool file. */
    Path pool() {
        return pool;
    }

    /** Tells this pool's files from others'. */
    long device() {
        return device;
    }

    NovaPath root() {
        return root;
    }

    FileLocks locks() {
        return locks;
    }

    Watches watches() {
        return watches;
    }

    /** Something is to be closed with the file system. */
    void opened(Closeable what) {
        open.add(what);
    }

    void closed(Closeable what) {
        open.remove(what);
    }

    NovaAttributes attributes(NovaPath path, boolean follow) throws IOException {
        return NovaAttributes.of(this, store.stat(path.inStore(), NovaFileSystemProvider.links(follow)));
    }

    /** The same, or null if nothing is there. */
    NovaAttributes attributesIfThere(NovaPath path, boolean follow) throws IOException {
        LinkOption[] links = NovaFileSystemProvider.links(follow);
        try {
            return store.exists(path.inStore(), links) ? attributes(path, follow) : null;
        } catch (NoSuchFileException | NotDirectoryException e) {
            return null; // deleted meanwhile
        }
    }

    void checkOpen() {
        if (!isOpen()) {
            throw new ClosedFileSystemException();
        }
    }

    @Override
    public NovaFileSystemProvider provider() {
        return provider;
    }

    @Override
    public void close() throws IOException {
        if (!store.isOpen()) {
            return;
        }
        List<Closeable> all;
        synchronized (open) {
            all = new ArrayList<>(open);
        }
        IOException failure = null;
        for (Closeable closeable : all) {
            try {
                closeable.close();
            } catch (IOException e) {
                failure = failure == null ? e : failure;
            }
        }
        try {
            store.close();
        } finally {
            provider.forget(this);
        }
        if (failure != null) {
            throw failure;
        }
    }

    @Override
    public boolean isOpen() {
        return store.isOpen();
    }

    @Override
    public boolean isReadOnly() {
        return false;
    }

    @Override
    public String getSeparator() {
        return "/";
    }

    @Override
    public Iterable<Path> getRootDirectories() {
        return List.of(root);
    }

    @Override
    public Iterable<FileStore> getFileStores() {
        return List.of(new NovaFileStore(this));
    }

    @Override
    public Set<String> supportedFileAttributeViews() {
        return NamedAttributes.VIEWS;
    }

    @Override
    public NovaPath getPath(String first, String... more) {
        StringBuilder path = new StringBuilder(first);
        for (String part : more) {
            if (!part.isEmpty()) {
                path.append(path.isEmpty() ? "" : "/").append(part);
            }
        }
        return NovaPath.of(this, path.toString());
    }

    @Override
    public PathMatcher getPathMatcher(String syntaxAndPattern) {
        int colon = syntaxAndPattern.indexOf(':');
        if (colon <= 0) {
            throw new IllegalArgumentException("not of the form syntax:pattern: " + syntaxAndPattern);
        }
        String syntax = syntaxAndPattern.substring(0, colon);
        String text = syntaxAndPattern.substring(colon + 1);
        if (syntax.equalsIgnoreCase("glob")) {
            text = Glob.toRegex(text);
        } else if (!syntax.equalsIgnoreCase("regex")) {
            throw new UnsupportedOperationException("Syntax '" + syntax + "' not recognized");
        }
        Pattern pattern = Pattern.compile(text);
        return path -> pattern.matcher(path.toString()).matches();
    }

    @Override
    public UserPrincipalLookupService getUserPrincipalLookupService() {
        return Principals.lookup();
    }

    @Override
    public WatchService newWatchService() {
        checkOpen();
        return new NovaWatchService(this);
    }

    @Override
    public String toString() {
        return store.toString();
    }
}
