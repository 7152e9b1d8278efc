/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.io.IOException;
import java.net.URI;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.ProviderMismatchException;
import java.nio.file.StandardOpenOption;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.nio.file.spi.FileSystemProvider;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import org.jnova.NotAPoolException;
import org.jnova.NovaFile;
import org.jnova.NovaStore;

/**
 * Makes file systems of pools: {@link java.nio.file.FileSystems} finds it under the scheme {@code jnova}. The package
 * says what there is, and what it guarantees.
 */
public final class NovaFileSystemProvider extends FileSystemProvider {
    private static final LinkOption[] NO_FOLLOW = {LinkOption.NOFOLLOW_LINKS};
    private static final LinkOption[] FOLLOW = {};
    private static final int BLOCK_BYTES = 4096;

    private final Map<Path, NovaFileSystem> fileSystems = new ConcurrentHashMap<>(); // changed under its monitor

    /** For {@link java.util.ServiceLoader}; programs use {@link FileSystems}. */
    public NovaFileSystemProvider() {}

    /**
     * The store behind a file system, for what a file system lacks: {@link NovaFile#map}, atomic exchange, holes. It is
     * closed with the file system; who watches directories is not told of changes made through it.
     *
     * @param fileSystem one that this provider has made
     * @return its store
     * @throws ProviderMismatchException if it is another provider's
     */
    public static NovaStore store(FileSystem fileSystem) {
        if (Objects.requireNonNull(fileSystem) instanceof NovaFileSystem nova) {
            return nova.store();
        }
        throw new ProviderMismatchException();
    }

    // ---- options

    static boolean follow(LinkOption... options) {
        for (LinkOption option : options) {
            Objects.requireNonNull(option); // there is only one
        }
        return options.length == 0;
    }

    static LinkOption[] links(boolean follow) {
        return follow ? FOLLOW : NO_FOLLOW;
    }

    // ---- file systems

    @Override
    public String getScheme() {
        return PoolUri.SCHEME;
    }

    /**
     * Opens a pool, or makes it.
     *
     * @param uri {@code jnova:} and the path of the pool file, as that of a {@code file:} URI
     * @param env see the package
     * @return the file system
     * @throws FileSystemAlreadyExistsException if the pool is open through this provider
     * @throws IllegalArgumentException if it is not such a URI, or an entry of the environment is wrong
     * @throws IOException as {@link NovaStore#open(Path)} and {@link NovaStore#create(Path, long)} say
     */
    @Override
    public FileSystem newFileSystem(URI uri, Map<String, ?> env) throws IOException {
        return open(PoolUri.parse(uri).pool(), PoolSettings.of(env));
    }

    /**
     * Opens a pool, or makes it.
     *
     * @param path the pool file
     * @param env see the package
     * @return the file system
     * @throws UnsupportedOperationException if the file is not a pool, or not the operating system's
     * @throws FileSystemAlreadyExistsException if the pool is open through this provider
     * @throws IOException as {@link NovaStore#open(Path)} and {@link NovaStore#create(Path, long)} say
     */
    @Override
    public FileSystem newFileSystem(Path path, Map<String, ?> env) throws IOException {
        PoolSettings settings = PoolSettings.of(env);
        if (path.getFileSystem() != FileSystems.getDefault() || !settings.create() && !mayBePool(path)) {
            throw new UnsupportedOperationException("not a pool: " + path);
        }
        try {
            return open(path, settings);
        } catch (NotAPoolException e) {
            throw new UnsupportedOperationException(e.getMessage(), e);
        }
    }

    /** Whether a file has a size that pools have: most others are told from them without the native library. */
    private static boolean mayBePool(Path path) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
        return attributes.isRegularFile()
                && attributes.size() >= NovaStore.SIZE_MIN
                && attributes.size() % BLOCK_BYTES == 0;
    }

    private FileSystem open(Path pool, PoolSettings settings) throws IOException {
        synchronized (fileSystems) {
            if (fileSystems.containsKey(key(pool))) {
                throw new FileSystemAlreadyExistsException(pool.toString());
            }
            NovaStore store = settings.open(pool);
            boolean good = false;
            try {
                NovaFileSystem fs = new NovaFileSystem(this, store, key(pool));
                fileSystems.put(fs.pool(), fs);
                good = true;
                return fs;
            } finally {
                if (!good) {
                    store.close();
                }
            }
        }
    }

    /** What a pool file is known by. */
    private static Path key(Path pool) {
        try {
            return pool.toRealPath();
        } catch (IOException e) {
            return pool.toAbsolutePath().normalize(); // it is not there
        }
    }

    void forget(NovaFileSystem fs) {
        synchronized (fileSystems) {
            fileSystems.remove(fs.pool(), fs);
        }
    }

    @Override
    public FileSystem getFileSystem(URI uri) {
        return find(PoolUri.parse(uri));
    }

    private NovaFileSystem find(PoolUri uri) {
        NovaFileSystem fs = fileSystems.get(key(uri.pool()));
        if (fs == null || !fs.isOpen()) {
            throw new FileSystemNotFoundException(uri.pool().toString());
        }
        return fs;
    }

    @Override
    public Path getPath(URI uri) {
        PoolUri parsed = PoolUri.parse(uri);
        if (parsed.path() == null) {
            throw new IllegalArgumentException("names no path in the pool, which \"!/\" begins: " + uri);
        }
        return find(parsed).getPath(parsed.path());
    }

    // ---- opening

    @Override
    public SeekableByteChannel newByteChannel(
            Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes) throws IOException {
        return newFileChannel(path, options, attributes);
    }

    @Override
    public FileChannel newFileChannel(Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
            throws IOException {
        NovaPath nova = NovaPath.of(path);
        return opening(nova, OpenRequest.of(options), attributes).channel(nova);
    }

    private static Opening opening(NovaPath path, OpenRequest request, FileAttribute<?>... attributes) {
        return new Opening(path.getFileSystem().top(), path, request, Modes.initial(Modes.FILE, attributes));
    }

    @Override
    public AsynchronousFileChannel newAsynchronousFileChannel(
            Path path,
            Set<? extends OpenOption> options,
            ExecutorService executor,
            FileAttribute<?>... attributes)
            throws IOException {
        NovaPath nova = NovaPath.of(path);
        if (options.contains(StandardOpenOption.APPEND)) {
            throw new UnsupportedOperationException("APPEND not allowed");
        }
        OpenRequest request = OpenRequest.of(options);
        NovaFile file = opening(nova, request, attributes).file();
        return new NovaAsynchronousFileChannel(nova, file, request, executor);
    }

    @Override
    public DirectoryStream<Path> newDirectoryStream(Path directory, DirectoryStream.Filter<? super Path> filter)
            throws IOException {
        NovaPath nova = NovaPath.of(directory);
        return new NovaDirectoryStream(
                nova, nova.getFileSystem().store().openDirectory(nova.inStore()), Objects.requireNonNull(filter));
    }

    // ---- names

    @Override
    public void createDirectory(Path directory, FileAttribute<?>... attributes) throws IOException {
        NovaPath nova = NovaPath.of(directory);
        int mode = Modes.initial(Modes.DIRECTORY, attributes);
        nova.getFileSystem().store().createDirectory(nova.inStore(), mode);
        created(nova);
    }

    @Override
    public void createSymbolicLink(Path link, Path target, FileAttribute<?>... attributes) throws IOException {
        NovaPath nova = NovaPath.of(link);
        NovaPath to = NovaPath.of(target);
        if (attributes.length > 0) {
            Modes.initial(0, attributes); // or another exception, as by the default provider
            throw new UnsupportedOperationException("Initial file attributes of a symbolic link not supported");
        }
        if (to.isEmpty()) {
            throw new NoSuchFileException(nova.toString());
        }
        nova.getFileSystem().store().createSymbolicLink(nova.inStore(), to.toString());
        created(nova);
    }

    @Override
    public void createLink(Path link, Path existing) throws IOException {
        NovaPath nova = NovaPath.of(link);
        NovaPath from = NovaPath.of(existing);
        if (nova.getFileSystem() != from.getFileSystem()) {
            throw new FileSystemException(nova.toString(), from.toString(), "they are in two pools");
        }
        nova.getFileSystem().store().createLink(nova.inStore(), from.inStore());
        created(nova);
    }

    private static void created(NovaPath path) {
        path.getFileSystem().watches().signal(StandardWatchEventKinds.ENTRY_CREATE, path);
    }

    @Override
    public Path readSymbolicLink(Path link) throws IOException {
        NovaPath nova = NovaPath.of(link);
        NovaFileSystem fs = nova.getFileSystem();
        return fs.getPath(fs.store().readSymbolicLink(nova.inStore()));
    }

    @Override
    public void delete(Path path) throws IOException {
        NovaPath nova = NovaPath.of(path);
        NovaFileSystem fs = nova.getFileSystem();
        NovaAttributes before = fs.watches().isIdle() ? null : fs.attributesIfThere(nova, false);
        fs.store().delete(nova.inStore());
        fs.watches().signal(StandardWatchEventKinds.ENTRY_DELETE, nova);
        if (before != null && before.isDirectory()) {
            fs.watches().gone(before.fileKey());
        }
    }

    @Override
    public void copy(Path source, Path target, CopyOption... options) throws IOException {
        CopyMove.copy(NovaPath.of(source), NovaPath.of(target), options);
    }

    @Override
    public void move(Path source, Path target, CopyOption... options) throws IOException {
        CopyMove.move(NovaPath.of(source), NovaPath.of(target), options);
    }

    // ---- questions

    @Override
    public boolean isSameFile(Path path, Path other) throws IOException {
        NovaPath nova = NovaPath.of(path);
        if (nova.equals(other)) {
            return true;
        }
        return Objects.requireNonNull(other) instanceof NovaPath that
                && that.getFileSystem() == nova.getFileSystem()
                && nova.getFileSystem()
                        .attributes(nova, true)
                        .fileKey()
                        .equals(that.getFileSystem().attributes(that, true).fileKey());
    }

    @Override
    public boolean isHidden(Path path) {
        NovaPath nova = NovaPath.of(path);
        nova.getFileSystem().checkOpen();
        NovaPath name = nova.getFileName();
        return name != null && name.toString().startsWith(".");
    }

    @Override
    public FileStore getFileStore(Path path) throws IOException {
        NovaPath nova = NovaPath.of(path);
        nova.getFileSystem().attributes(nova, true); // it must be there
        return new NovaFileStore(nova.getFileSystem());
    }

    /** The store checks no permissions: only what nobody may execute is denied, as for the superuser. */
    @Override
    public void checkAccess(Path path, AccessMode... modes) throws IOException {
        NovaPath nova = NovaPath.of(path);
        NovaFileSystem fs = nova.getFileSystem();
        boolean executes = List.of(modes).contains(AccessMode.EXECUTE);
        if (!executes && fs.store().exists(nova.inStore())) {
            return; // without a look at attributes, for which the store may have to read a log
        }
        NovaAttributes attributes = fs.attributes(nova, true);
        if (executes && !attributes.isDirectory() && (attributes.info().mode() & Modes.EXECUTE_BITS) == 0) {
            throw new AccessDeniedException(nova.toString());
        }
    }

    /**
     * Whether a path leads to something. Asked by {@link Files#exists} from JDK 20 on.
     *
     * @param path the path
     * @param options whether to follow a symbolic link at its end
     * @return whether it does
     */
    public boolean exists(Path path, LinkOption... options) {
        NovaPath nova = NovaPath.of(path);
        try {
            return nova.getFileSystem().store().exists(nova.inStore(), options);
        } catch (IOException e) {
            return false;
        }
    }

    // ---- attributes

    @Override
    public <V extends FileAttributeView> V getFileAttributeView(Path path, Class<V> type, LinkOption... options) {
        PathNode node = new PathNode(NovaPath.of(path), follow(options));
        node.fs().checkOpen();
        return Objects.requireNonNull(type) == UserDefinedFileAttributeView.class
                ? type.cast(new UserAttributes(node))
                : AttributeViews.of(type, node);
    }

    @Override
    public <A extends BasicFileAttributes> A readAttributes(Path path, Class<A> type, LinkOption... options)
            throws IOException {
        return checked(type).cast(NovaPath.of(path).getFileSystem().attributes(NovaPath.of(path), follow(options)));
    }

    /**
     * Reads attributes if there is something to have them. Asked by {@link Files} from JDK 20 on.
     *
     * @param <A> the kind
     * @param path the path
     * @param type the kind
     * @param options whether to follow a symbolic link at its end
     * @return the attributes, or null if the path leads nowhere
     * @throws IOException if something goes wrong
     */
    public <A extends BasicFileAttributes> A readAttributesIfExists(Path path, Class<A> type, LinkOption... options)
            throws IOException {
        NovaPath nova = NovaPath.of(path);
        return checked(type).cast(nova.getFileSystem().attributesIfThere(nova, follow(options)));
    }

    private static <A extends BasicFileAttributes> Class<A> checked(Class<A> type) {
        if (Objects.requireNonNull(type) != BasicFileAttributes.class && type != PosixFileAttributes.class) {
            throw new UnsupportedOperationException(type.getName());
        }
        return type;
    }

    @Override
    public Map<String, Object> readAttributes(Path path, String attributes, LinkOption... options)
            throws IOException {
        return NamedAttributes.read(new PathNode(NovaPath.of(path), follow(options)), attributes);
    }

    @Override
    public void setAttribute(Path path, String attribute, Object value, LinkOption... options) throws IOException {
        NamedAttributes.set(new PathNode(NovaPath.of(path), follow(options)), attribute, value);
    }
}
