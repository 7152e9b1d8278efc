/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.store;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.ClosedFileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jnova.CleaningStats;
import org.jnova.DirectoryEntry;
import org.jnova.FileInfo;
import org.jnova.StoreInfo;
import org.jnova.StoreOptions;
import org.jnova.StoreStats;
import org.jnova.internal.core.Abi;
import org.jnova.internal.core.NativePool;
import org.jnova.internal.event.FlightEvents;
import org.jnova.internal.event.RecoveryEvent;
import org.jnova.internal.index.DirectoryIndex;
import org.jnova.internal.lock.LockRank;
import org.jnova.internal.lock.RankedLock;
import org.jnova.internal.management.StoreBeans;

/**
 * An open store: its pool, its directories, its open inodes, and the gate that every call which uses names goes
 * through: shared, so that they do not wait for each other; exclusive for closing. Whoever is inside and found the
 * store open knows that it stays so.
 */
public final class StoreCore {
    private final NativePool pool;
    private final InodeTable table;
    private final DirectoryTable directories;
    private final CleaningCounters cleaning;
    private final Namespace namespace;
    private final RankedLock gate;
    private final Instant opened = Instant.now();
    private final long openedNanos = System.nanoTime();
    private final AtomicReference<Runnable> unregister = new AtomicReference<>(); // from the JVM's management, or null
    private volatile boolean closed; // set inside the gate

    private StoreCore(NativePool pool, InodeTable table, DirectoryTable directories, CleaningCounters cleaning) {
        this.pool = pool;
        this.table = table;
        this.directories = directories;
        this.cleaning = cleaning;
        this.namespace = new Namespace(directories, table);
        this.gate = new RankedLock(LockRank.STORE, this, pool.lockWaits());
    }

    /** Opens a pool. */
    public static StoreCore open(Path path, StoreOptions options) throws IOException {
        RecoveryEvent event = FlightEvents.recovery();
        NativePool pool = NativePool.open(path, options);
        try {
            StoreInfo info = pool.info();
            PoolWindows windows = PoolWindows.map(path, info.size());
            CleaningCounters cleaning = new CleaningCounters();
            LogCleaner cleaner = new LogCleaner(cleaning, pool::isNearlyFull);
            InodeTable table = new InodeTable(
                    pool,
                    new PoolFile(path, info.durability()),
                    windows,
                    options.inPlaceWrites(),
                    AccessTime.clock(options.accessTimes()),
                    cleaner);
            DirectoryTable directories = DirectoryTable.open(pool, table.ioPool(), cleaner);
            StoreCore core = new StoreCore(pool, table, directories, cleaning);
            if (event != null) {
                event.ended(info);
            }
            core.unregister.set(StoreBeans.register(path, core::stats));
            return core;
        } catch (IOException | RuntimeException | Error e) {
            Failures failures = new Failures();
            failures.collect(() -> {
                throw e;
            });
            failures.collect(pool::close);
            failures.throwFirst();
            throw e;
        }
    }

    /** What cleaning the logs has done. */
    public CleaningStats cleaning() {
        return cleaning.stats();
    }

    public Path path() {
        return pool.path();
    }

    public boolean isOpen() {
        return !closed;
    }

    // ---- the gate

    /** Something to do inside the gate. */
    @FunctionalInterface
    private interface Action<T> {
        T run() throws IOException;
    }

    private <T> T inside(Action<T> action) throws IOException {
        long stamp = enter();
        try {
            return action.run();
        } finally {
            gate.unlockRead(stamp);
        }
    }

    private long enter() {
        long stamp = gate.readLock();
        boolean good = false;
        try {
            if (closed) {
                throw new ClosedFileSystemException();
            }
            good = true;
            return stamp;
        } finally {
            if (!good) {
                gate.unlockRead(stamp);
            }
        }
    }

    // ---- opening

    /** How a file is to be opened. */
    public enum Creation {
        /** It must be there. */
        NEVER,
        /** It is made if it is not there. */
        IF_MISSING,
        /** It must not be there. */
        ALWAYS
    }

    /** What a name to be deleted may name. */
    enum Deletion {
        ANYTHING,
        NO_DIRECTORY,
        DIRECTORY
    }

    /**
     * Opens a file.
     *
     * @param follow whether a symbolic link at the end of the path is followed
     * @param mode permission bits of a file that is made
     * @return its state, replayed; to be given back by {@link #release}
     */
    public InodeState open(String path, Creation creation, boolean follow, int mode) throws IOException {
        return open(StorePath.of(path), creation, follow, mode);
    }

    InodeState open(StorePath path, Creation creation, boolean follow, int mode) throws IOException {
        InodeState state = inside(() -> namespace.open(path, creation, follow, mode));
        boolean good = false;
        try {
            replay(state);
            good = true;
            return state;
        } finally {
            if (!good) {
                table.release(state);
            }
        }
    }

    /** Outside the gate. Nobody but a store that closes can close what the caller has a handle of. */
    private static void replay(InodeState state) throws IOException {
        try {
            state.replay();
        } catch (ClosedChannelException e) {
            throw closedMeanwhile(e);
        }
    }

    private static ClosedFileSystemException closedMeanwhile(ClosedChannelException e) {
        ClosedFileSystemException closed = new ClosedFileSystemException();
        closed.initCause(e);
        return closed;
    }

    /** Opens a directory, for paths to start from. */
    public OpenDirectory openDirectory(String path, boolean follow) throws IOException {
        return openDirectory(StorePath.of(path), follow);
    }

    OpenDirectory openDirectory(StorePath path, boolean follow) throws IOException {
        return new OpenDirectory(this, inside(() -> namespace.directory(path, follow)));
    }

    /** Gives a state back that {@link #open} returned. */
    public void release(InodeState state) throws IOException {
        table.release(state);
    }

    // ---- look-ups

    /** Whether a path leads to something. */
    public boolean exists(String path, boolean follow) throws IOException {
        StorePath parsed;
        try {
            parsed = StorePath.of(path);
        } catch (InvalidPathException e) {
            return false;
        }
        return exists(parsed, follow);
    }

    boolean exists(StorePath path, boolean follow) throws IOException {
        return inside(() -> namespace.exists(path, follow));
    }

    /** Attributes of what a path leads to. */
    public FileInfo stat(String path, boolean follow) throws IOException {
        return stat(StorePath.of(path), follow);
    }

    FileInfo stat(StorePath path, boolean follow) throws IOException {
        FileInfo info = info(inside(() -> namespace.find(path, follow)), path.text());
        if (info == null) {
            throw new NoSuchFileException(path.text());
        }
        return info;
    }

    /**
     * Attributes; null of a directory that has been deleted. Those of a file are read outside the gate: that may wait
     * for its writer, and nobody else shall.
     */
    private FileInfo info(Namespace.Found found, String name) throws IOException {
        InodeState file = found.file();
        if (file == null) {
            return inside(() -> FileInfos.of(name, found.directory()));
        }
        try {
            file.replay();
            return FileInfos.of(name, file);
        } catch (ClosedChannelException e) {
            throw closedMeanwhile(e);
        } finally {
            table.release(file);
        }
    }

    /** Something to do with what a path leads to. */
    private interface Use<S, T> {
        T with(S state) throws IOException;
    }

    /** Finds what a path leads to, and uses it: a directory inside the gate, a file outside, after replay. */
    private <T> T use(StorePath path, boolean follow, Use<DirectoryState, T> directory, Use<InodeState, T> file)
            throws IOException {
        Namespace.Found found = inside(() -> namespace.find(path, follow));
        InodeState state = found.file();
        if (state == null) {
            return inside(() -> directory.with(found.directory()));
        }
        try {
            state.replay();
            return file.with(state);
        } catch (ClosedChannelException e) {
            throw closedMeanwhile(e);
        } finally {
            table.release(state);
        }
    }

    /** The target of a symbolic link. */
    public String target(String path) throws IOException {
        StorePath parsed = StorePath.of(path);
        return Names.decode(inside(() -> namespace.target(parsed)));
    }

    /** The names in the root directory, sorted by bytes. */
    public List<String> rootNames() {
        long stamp = enter();
        try {
            return namespace.rootNames();
        } finally {
            gate.unlockRead(stamp);
        }
    }

    /** The names in a directory, sorted by bytes. */
    public List<String> names(String path) throws IOException {
        StorePath parsed = StorePath.of(path);
        return inside(() -> namespace.names(parsed));
    }

    /**
     * The names in a directory with attributes, sorted by bytes; those that change their meaning meanwhile left out.
     */
    public List<FileInfo> list(String path) throws IOException {
        StorePath parsed = StorePath.of(path);
        Namespace.Listing listing = inside(() -> namespace.listing(parsed));
        List<FileInfo> list = new ArrayList<>(listing.entries().size());
        for (DirectoryIndex.Entry entry : listing.entries()) {
            String name = Names.decode(entry.name());
            Namespace.Found found = inside(() -> namespace.findEntry(listing.directory(), entry, name));
            FileInfo info = found == null ? null : info(found, name);
            if (info != null) {
                list.add(info);
            }
        }
        return list;
    }

    /** The entries of a directory, unsorted, weakly consistent. */
    public Iterator<DirectoryEntry> iterator(String path) throws IOException {
        StorePath parsed = StorePath.of(path);
        return inside(() -> Namespace.iterator(namespace.directory(parsed, true)));
    }

    /** The same of one that is open. */
    Iterator<DirectoryEntry> iterator(DirectoryState directory) throws IOException {
        return inside(() -> Namespace.iterator(directory));
    }

    // ---- changes

    /** Makes a directory. */
    public void createDirectory(String path, int mode) throws IOException {
        StorePath parsed = StorePath.of(path);
        inside(() -> {
            namespace.changes().createDirectory(parsed, mode);
            return null;
        });
    }

    /** Makes a symbolic link. */
    public void createSymbolicLink(String path, String target) throws IOException {
        StorePath parsed = StorePath.of(path);
        byte[] bytes = targetBytes(target);
        inside(() -> {
            namespace.changes().createLink(parsed, bytes);
            return null;
        });
    }

    private static byte[] targetBytes(String target) {
        byte[] bytes = Names.utf8(target);
        if (bytes.length == 0 || bytes.length > Abi.SYMLINK_MAX || target.indexOf('\0') >= 0) {
            throw new InvalidPathException(
                    target,
                    "the target of a symbolic link has 1 to " + Abi.SYMLINK_MAX + " bytes in UTF-8, and no NUL");
        }
        return bytes;
    }

    /** Gives a file or symbolic link another name. */
    public void link(String path, String existing) throws IOException {
        StorePath parsed = StorePath.of(path);
        StorePath from = StorePath.of(existing);
        inside(() -> {
            namespace.changes().link(from, parsed);
            return null;
        });
    }

    /** Deletes a name; false if there is none in its directory, which must be there. */
    public boolean delete(String path) throws IOException {
        return delete(StorePath.of(path), Deletion.ANYTHING);
    }

    boolean delete(StorePath path, Deletion what) throws IOException {
        return inside(() -> namespace.changes().delete(path, what));
    }

    /** Deletes a name; false if there is none. */
    public boolean deleteIfExists(String path) throws IOException {
        StorePath parsed = StorePath.of(path);
        return inside(() -> {
            try {
                return namespace.changes().delete(parsed, Deletion.ANYTHING);
            } catch (NoSuchFileException e) {
                return false;
            }
        });
    }

    /** Renames. */
    public void rename(String from, String to, boolean replace) throws IOException {
        rename(StorePath.of(from), StorePath.of(to), replace);
    }

    void rename(StorePath from, StorePath to, boolean replace) throws IOException {
        inside(() -> {
            namespace.changes().rename(from, to, replace);
            return null;
        });
    }

    /** Exchanges what two names name. */
    public void exchange(String one, String other) throws IOException {
        StorePath a = StorePath.of(one);
        StorePath b = StorePath.of(other);
        inside(() -> {
            namespace.changes().exchange(a, b);
            return null;
        });
    }

    /** Sets attributes of what a path leads to. */
    public void setAttributes(String path, AttributeValues values, boolean follow) throws IOException {
        setAttributes(StorePath.of(path), values, follow);
    }

    void setAttributes(StorePath path, AttributeValues values, boolean follow) throws IOException {
        use(
                path,
                follow,
                directory -> {
                    namespace.changes().setAttributes(directory, values, path);
                    return null;
                },
                file -> {
                    file.setAttributes(values);
                    return null;
                });
    }

    // ---- extended attributes

    /** Names of the extended attributes of what a path leads to, sorted by bytes. */
    public List<String> attributeNames(String path, boolean follow) throws IOException {
        List<String> names =
                use(StorePath.of(path), follow, DirectoryState::attributeNames, InodeState::attributeNames);
        if (names == null) {
            throw new NoSuchFileException(path);
        }
        return names;
    }

    /** Value of an extended attribute, or null if there is none of this name. */
    public byte[] attribute(String path, byte[] name, boolean follow) throws IOException {
        return use(
                StorePath.of(path),
                follow,
                directory -> {
                    byte[] value = directory.attribute(name);
                    if (value == null && directory.isRemoved()) {
                        throw new NoSuchFileException(path);
                    }
                    return value;
                },
                file -> file.attribute(name));
    }

    /** Sets an extended attribute. */
    public void setAttribute(String path, AttributeOptions options) throws IOException {
        StorePath parsed = StorePath.of(path);
        use(
                parsed,
                options.follow(),
                directory -> {
                    namespace.changes().setAttribute(directory, options, parsed);
                    return null;
                },
                file -> {
                    file.setAttribute(options);
                    return null;
                });
    }

    /** Removes an extended attribute; false if there is none of this name. */
    public boolean removeAttribute(String path, byte[] name, boolean follow) throws IOException {
        StorePath parsed = StorePath.of(path);
        return use(
                parsed,
                follow,
                directory -> namespace.changes().removeAttribute(directory, name, parsed),
                file -> file.removeAttribute(name));
    }

    // ---- the store

    /** Facts of this moment; blocks that wait in queues are given back first, so that they count as free. */
    public StoreInfo info() throws IOException {
        inside(() -> null);
        table.releaseQueuedBlocks(); // may wait for writers; nothing of what is closed meanwhile has any
        return inside(pool::info);
    }

    /** What was done since the store was opened. Waits for no writer. */
    public StoreStats stats() throws IOException {
        return inside(() -> StatsReader.read(opened, openedNanos, pool, table, directories, cleaning()));
    }

    /**
     * Closes the store: waits for all calls inside, and closes what there is, in order. The pool stays locked by this
     * process as long as there are mapped buffers; those that nobody reaches are looked for now.
     */
    public void close() throws IOException {
        Runnable gone = unregister.getAndSet(null);
        if (gone != null) {
            gone.run(); // outside the gate: it may call listeners of others; throws nothing
        }
        boolean first = !closed;
        try {
            closeAll();
        } finally {
            if (first) {
                table.pins().collectAll();
            }
        }
    }

    private void closeAll() throws IOException {
        long stamp = gate.writeLock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            Failures failures = new Failures();
            table.closeAll(failures);
            directories.closeAll(failures);
            failures.collect(pool::close);
            failures.throwFirst();
        } finally {
            gate.unlockWrite(stamp);
        }
    }

    @Override
    public String toString() {
        return "store " + pool.name();
    }
}
